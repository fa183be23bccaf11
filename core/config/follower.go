package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
)

// Following is what a Follower follows, and how.
type Following struct {
	Document Document
	Parse    ParseFunc
	Clock    clock.Clock
	Keeper   Keeper // holds a copy of the last good version; nil for none

	// Changed, if not nil, is told the number of each later version once it is in
	// force. Refresh calls it, so it must be quick, and must not call Refresh. Those who
	// serve a watch wake up by it, and read what there is with After.
	Changed func(version uint64)
}

// Follower is a source that follows a document. A text that is wrong in any way
// is refused as a whole, and the last good version stays in force. Every change
// needs a higher version than the one in force, also one written by hand: two texts with
// the same number and other settings are a mistake that no reader of the number could
// see, and so are changes without any number (version 0). It is safe for concurrent use.
type Follower struct {
	from  Following
	state atomic.Pointer[state]

	refreshing sync.Mutex
	seen       string // tag of the text that was judged last; "" before
	refusal    error  // the judgement; nil: good
	text       []byte // what is in force, as the document has it
	kept       []byte // what the keeper has, as far as known
}

var _ Source = (*Follower)(nil)

// state is what readers see; it is replaced as a whole.
type state struct {
	config *Config
	status Status
}

// Status is how a follower is doing, for readiness, metrics and logs.
type Status struct {
	Version   uint64     // in force
	Since     clock.Time // when it came into force in this process
	Tag       string     // of its text; "" while it is only the kept copy that says so
	Kept      bool       // it was read from the kept copy, and the document has not confirmed it yet
	Reached   clock.Time // when the document last gave an answer; 0 before
	Unreached int        // refreshes since then
	Failures  int        // refreshes that failed, for whatever reason, since one succeeded
	Err       error      // why the last one failed; nil if it did not
}

// Follow returns a source that has a good version: the document's, or else that of the
// keeper, whose Status tells why. Without either it fails, with the kind of what is wrong with the document.
func Follow(ctx context.Context, from Following) (*Follower, error) {
	if from.Keeper != nil && from.Keeper.Name() == from.Document.Name() {
		return nil, fault.New("config.Follow", fault.Invalid, "kept_in_place", "%s cannot keep a copy of itself; want another file", from.Document.Name())
	}
	f := &Follower{from: from}
	f.state.Store(&state{})
	noCopy := f.restore(ctx)
	err := f.Refresh(ctx)
	if f.Config() != nil {
		return f, nil
	}
	err = fmt.Errorf("no configuration to start with: %w", err)
	if noCopy != nil {
		err = fmt.Errorf("%w; and no copy of an earlier one: %w", err, noCopy)
	}
	return nil, err
}

// restore puts the kept copy in force.
func (f *Follower) restore(ctx context.Context) error {
	if f.from.Keeper == nil {
		return nil
	}
	text, _, err := f.from.Keeper.Fetch(ctx, "")
	if err != nil {
		return err
	}
	c, err := f.parse(f.from.Keeper.Name(), text)
	if err != nil {
		return err
	}
	f.kept = text
	f.state.Store(&state{config: c, status: Status{Version: c.version, Since: f.from.Clock.Now(), Kept: true}})
	return nil
}

// Get implements Source.
func (f *Follower) Get(m market.ID) (Settings, uint64) {
	c := f.Config()
	return c.Get(m), c.version
}

// Config returns the configuration in force. Nobody may change it.
func (f *Follower) Config() *Config { return f.state.Load().config }

// After returns the configuration in force if it is later than version, which
// is the last that the caller has seen.
func (f *Follower) After(version uint64) (c *Config, ok bool) {
	c = f.Config()
	return c, c.version > version
}

// Status returns how the follower is doing.
func (f *Follower) Status() Status { return f.state.Load().status }

// Refresh looks for a new version and puts it in force if it is good. Otherwise
// it says what is wrong with it, each time again until the document is another, and the
// version in force stays. It is no error if there is nothing new.
func (f *Follower) Refresh(ctx context.Context) error {
	f.refreshing.Lock()
	defer f.refreshing.Unlock()
	before := f.state.Load()
	next := *before
	text, tag, err := f.from.Document.Fetch(ctx, f.seen)
	now := f.from.Clock.Now()
	next.status.Unreached++
	if err == nil {
		next.status.Reached, next.status.Unreached = now, 0
		if tag != f.seen {
			f.seen, f.refusal = tag, f.judge(&next, text, now)
		}
		err = f.refusal
	}
	if err == nil {
		next.status.Tag, next.status.Kept = tag, false
		err = f.keep(ctx)
	}
	if next.status.Err = err; err == nil {
		next.status.Failures = 0
	} else {
		next.status.Failures++
	}
	f.state.Store(&next)
	if later := before.config != nil && next.status.Version > before.status.Version; later && f.from.Changed != nil {
		f.from.Changed(next.status.Version)
	}
	return err
}

// judge puts a text in force, or says why not.
func (f *Follower) judge(next *state, text []byte, now clock.Time) error {
	c, err := f.parse(f.from.Document.Name(), text)
	if err == nil && next.config != nil {
		err = f.follows(next, c)
	}
	if err != nil {
		return err
	}
	if next.config == nil || c.version != next.config.version {
		next.status.Version, next.status.Since = c.version, now
	}
	next.config, f.text = c, text
	return nil
}

// parse reads a text. One without anything in it is refused, though it would
// be a configuration: a file that is being written begins like this.
func (f *Follower) parse(name string, text []byte) (*Config, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fault.New("config.Refresh", fault.Invalid, "bad_configuration",
			"%s: nothing is in it; want settings, or the line 'version: 1' for those of the program", name)
	}
	c, err := f.from.Parse(name, text)
	if err != nil {
		return nil, &fault.Error{Op: "config.Refresh", Kind: fault.Invalid, Reason: "bad_configuration", Err: err}
	}
	return c, nil
}

// follows says why c cannot take the place of what is in force.
func (f *Follower) follows(in *state, c *Config) error {
	err := Follows(in.config, c)
	if err == nil {
		return nil
	}
	name := f.from.Document.Name()
	if in.status.Kept {
		name += ", beside the copy of the last good one in " + f.from.Keeper.Name()
	}
	e, _ := errors.AsType[*fault.Error](err)
	return &fault.Error{Op: "config.Refresh", Kind: e.Kind, Reason: e.Reason, Err: fmt.Errorf("%s: %w", name, e.Err)}
}

// keep gives the keeper what is in force, unless it has that. It tries again at each refresh.
func (f *Follower) keep(ctx context.Context) error {
	if f.from.Keeper == nil || bytes.Equal(f.text, f.kept) {
		return nil
	}
	if err := f.from.Keeper.Keep(ctx, f.text); err != nil {
		f.kept = nil // the write may have happened in spite of the error
		return fmt.Errorf("the version of %s is in force, but not kept for the next start: %w", f.from.Document.Name(), err)
	}
	f.kept = f.text
	return nil
}
