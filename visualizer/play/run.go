// Package play plays run logs: how things stand at any instant of a run or of
// a live system, what happened that is worth a look, and the numbers over time.
// It opens no files and draws nothing.
package play

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/maps"
	"footway/core/runlog"
)

// Log is what a Run plays. It may grow.
type Log interface {
	// Header says what the log is of.
	Header() runlog.Header
	// Blocks returns how many stretches the log has now, oldest first. A block may not
	// change once there is another behind it; the last may grow.
	Blocks() []Block
	// Events returns the events of a block. The caller may keep but not change them.
	Events(block int) ([]event.Event, error)
	// Seek returns the state after the last event at or before t.
	Seek(t clock.Time) (*runlog.State, error)
}

// Block is a stretch of a log that is read as a whole.
type Block struct {
	First, Last uint64 // numbers of its first and its last event; Last is First-1 if it is empty
	From, To    clock.Time
	Era         int // rises where events are missing before the block, or another log begins
}

// Run is a run being played. Not for several goroutines.
type Run struct {
	log   Log
	net   *maps.Network
	began runlog.Began
	state State
	era   int // of the events that the state is made from
	index index

	explained *Explanation // the last one that was asked for

	events []event.Event
}

// Open plays log, which was of a run on net. It reads only what it needs to
// know how the run began.
func Open(log Log, net *maps.Network) (*Run, error) {
	r := &Run{log: log, net: net}
	r.index.begin()
	blocks := log.Blocks()
	if len(blocks) == 0 {
		return nil, fmt.Errorf("play: the log has no events")
	}
	if err := r.enter(&blocks[0]); err != nil {
		return nil, err
	}
	return r, nil
}

// enter goes to the beginning of a block, where an era begins, and takes from it what the run was.
func (r *Run) enter(b *Block) error {
	s, err := r.log.Seek(b.From)
	if err != nil {
		return err
	}
	for _, e := range s.All(runlog.Run) {
		if r.began, err = read[runlog.Began](&e); err != nil {
			return fmt.Errorf("play: event %d (%s): %w", e.Seq, e.Kind, err)
		}
	}
	if r.began.Network != "" && r.net.Name != "" && r.began.Network != r.net.Name {
		return fmt.Errorf("play: the run was on map %q, want that and not %q", r.began.Network, r.net.Name)
	}
	r.era, r.events, r.explained = b.Era, nil, nil
	return r.from(s, b.From)
}

// Network returns the map.
func (r *Run) Network() *maps.Network { return r.net }

// Header says what the log is of.
func (r *Run) Header() runlog.Header { return r.log.Header() }

// Began says how the run began; zero if the log does not.
func (r *Run) Began() *runlog.Began { return &r.began }

// Span returns the times of the first and the last event that there are now.
func (r *Run) Span() (from, to clock.Time) {
	b := r.log.Blocks()
	if len(b) == 0 {
		return 0, 0
	}
	return b[0].From, b[len(b)-1].To
}

// ahead is how far At goes on from where it is rather than by a keyframe.
const ahead = 5 * clock.Minute

// At returns how things stand at t. The state is the run's: it changes with the next call.
func (r *Run) At(t clock.Time) (*State, error) {
	blocks := r.log.Blocks()
	if len(blocks) == 0 {
		return &r.state, nil
	}
	t = min(max(t, blocks[0].From), blocks[len(blocks)-1].To)
	if err := r.approach(blocks, t); err != nil {
		return nil, err
	}
	if err := r.forward(t); err != nil {
		return nil, err
	}
	r.state.T = t
	for i := range r.state.Robots {
		r.state.Robots[i].move(t, r.net)
	}
	return &r.state, nil
}

// approach makes the state one of t's era, not long before t.
func (r *Run) approach(blocks []Block, t clock.Time) error {
	i, _ := slices.BinarySearchFunc(blocks, t, func(b Block, t clock.Time) int {
		if b.From <= t {
			return -1
		}
		return 1
	})
	era := blocks[max(i-1, 0)].Era
	first := blocks[slices.IndexFunc(blocks, func(b Block) bool { return b.Era == era })]
	if r.era != era {
		if err := r.enter(&first); err != nil {
			return err
		}
	}
	if t >= r.state.T && t.Sub(r.state.T) <= ahead {
		return nil
	}
	before := max(t.Add(-silence), first.From) // so that of robots that send poses the last two are known
	s, err := r.log.Seek(before)
	if err != nil {
		return err
	}
	return r.from(s, before)
}

// from makes the state the one that a keyframe says: what it holds is a log cut short.
func (r *Run) from(s *runlog.State, t clock.Time) error {
	r.state.clear()
	for _, e := range s.All(runlog.DeliveryState) {
		r.state.open(e.Entity) // what else is held of it may be older than its state
	}
	for _, e := range s.Held() {
		if err := r.state.apply(&e, r.net); err != nil {
			return err
		}
	}
	r.state.Seq, r.state.T = s.Seq(), t
	r.register()
	return nil
}

// register tells the state what was said of robots once, and no keyframe repeats.
func (r *Run) register() {
	for id, k := range r.index.registered {
		if x := r.state.Robot(id); x != nil && x.CapacityMWh == 0 {
			x.Kind, x.CapacityMWh = k.Kind, k.CapacityMWh
		}
	}
}

// forward folds the events up to t.
func (r *Run) forward(t clock.Time) error {
	for {
		e, ok, err := r.event(r.state.Seq + 1)
		if err != nil || !ok || e.T > t {
			return err
		}
		if err := r.state.apply(e, r.net); err != nil {
			return err
		}
	}
}

// Events returns the events between two times, those at them included, in the order of the log. The caller may not change
// them. After an error it ends.
func (r *Run) Events(from, to clock.Time) iter.Seq2[*event.Event, error] {
	return func(yield func(*event.Event, error) bool) {
		for i, b := range r.log.Blocks() {
			if b.To < from || b.From > to {
				continue
			}
			events, err := r.log.Events(i)
			if err != nil {
				yield(nil, err)
				return
			}
			for k := range events {
				if e := &events[k]; e.T >= from && e.T <= to && !yield(e, nil) {
					return
				}
			}
		}
	}
}

// event returns an event by its number, if the log has it.
func (r *Run) event(seq uint64) (*event.Event, bool, error) {
	if len(r.events) == 0 || seq < r.events[0].Seq || seq > r.events[len(r.events)-1].Seq {
		blocks := r.log.Blocks()
		i, ok := slices.BinarySearchFunc(blocks, seq, func(b Block, seq uint64) int {
			switch {
			case b.Last < seq:
				return -1
			case b.First > seq:
				return 1
			}
			return 0
		})
		if !ok {
			return nil, false, nil
		}
		events, err := r.log.Events(i)
		if err != nil {
			return nil, false, err
		}
		r.events = events
		if len(events) == 0 || seq < events[0].Seq || seq > events[len(events)-1].Seq {
			return nil, false, fmt.Errorf("play: the log does not have event %d where it should be", seq)
		}
	}
	return &r.events[seq-r.events[0].Seq], true, nil
}

// Next returns the time of the first event after t, of all or of an entity's that the
// index knows; ok is false if there is none. To step by event, go there.
func (r *Run) Next(t clock.Time) (clock.Time, bool) { return r.near(t, +1) }

// Prev returns the time of the last event before t.
func (r *Run) Prev(t clock.Time) (clock.Time, bool) { return r.near(t, -1) }

func (r *Run) near(t clock.Time, way int) (clock.Time, bool) {
	blocks := r.log.Blocks()
	i, _ := slices.BinarySearchFunc(blocks, t, func(b Block, t clock.Time) int { return cmp.Compare(b.To, t) })
	for i = min(i, len(blocks)-1); i >= 0 && i < len(blocks); i += way {
		events, err := r.log.Events(i)
		if err != nil {
			return 0, false
		}
		if way > 0 {
			for k := range events {
				if events[k].T > t {
					return events[k].T, true
				}
			}
			continue
		}
		for k := len(events) - 1; k >= 0; k-- {
			if events[k].T < t {
				return events[k].T, true
			}
		}
	}
	return 0, false
}
