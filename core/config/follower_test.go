package config_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"footway/core/clock"
	"footway/core/config"
	"footway/core/fault"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

// shelf is a document in memory.
type shelf struct {
	mu    sync.Mutex
	name  string
	text  []byte // nil: none
	fails error
	asked []string // the tags, in order
	keeps int
}

func (s *shelf) Name() string { return s.name }

func (s *shelf) Fetch(ctx context.Context, tag string) ([]byte, string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, tag)
	switch have := fmt.Sprintf("%x", s.text); {
	case ctx.Err() != nil:
		return nil, "", fault.New("shelf", fault.Unavailable, "", "%s: %w", s.name, ctx.Err())
	case s.fails != nil:
		return nil, "", s.fails
	case s.text == nil:
		return nil, "", fault.New("shelf", fault.NotFound, "", "%s: it is not there", s.name)
	case len(s.text) > config.MaxBytes:
		return nil, "", fault.New("shelf", fault.Invalid, "", "%s: too large", s.name)
	case "tag "+have == tag:
		return nil, tag, nil
	default:
		return bytes.Clone(s.text), "tag " + have, nil
	}
}

func (s *shelf) Keep(_ context.Context, text []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fails != nil {
		return s.fails
	}
	s.text = append([]byte{}, text...)
	s.keeps++
	return nil
}

func (s *shelf) put(text string) { s.text = []byte(text) }

func TestShelf(t *testing.T) {
	n := 0
	open := func() *shelf { n++; return &shelf{name: fmt.Sprint("shelf", n)} }
	porttest.ConfigDocument(t, func(*testing.T) porttest.ConfigPlace {
		s := open()
		write := func(text []byte) { s.mu.Lock(); s.text = text; s.mu.Unlock() }
		return porttest.ConfigPlace{Document: s, Put: func(text []byte) { write(append([]byte{}, text...)) }, Remove: func() { write(nil) }}
	})
	porttest.ConfigKeeper(t, func(*testing.T) config.Keeper { return open() })
}

func parseJSON(name string, text []byte) (*config.Config, error) {
	c, err := config.LoadJSON(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

func following(d config.Document) config.Following {
	return config.Following{Document: d, Parse: parseJSON, Clock: fake.NewClock(fake.Start)}
}

func follow(t *testing.T, from config.Following) *config.Follower {
	t.Helper()
	f, err := config.Follow(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func rounds(version int, every string) string {
	return fmt.Sprintf(`{"version": %d, "defaults": {"dispatch": {"round_every": %q}}}`, version, every)
}

func TestFollower(t *testing.T) {
	porttest.ConfigSource(t, func(t *testing.T, c *config.Config) (config.Source, func(*config.Config)) {
		d := &shelf{name: "shelf"}
		write := func(c *config.Config) {
			text, err := c.MarshalDiff()
			if err != nil {
				t.Fatal(err)
			}
			d.put(string(text))
		}
		write(c)
		f := follow(t, following(d))
		return f, func(next *config.Config) {
			write(next)
			if err := f.Refresh(t.Context()); err != nil && !fault.Is(err, fault.Conflict) {
				t.Fatal(err)
			}
		}
	})
}

// TestFollowerVersions tells which texts may follow which, and what is said of the others.
func TestFollowerVersions(t *testing.T) {
	tests := []struct {
		name, first, second string
		want                string // of the error; "" if the second is put in force
		kind                fault.Kind
	}{
		{"a later one", rounds(7, "20s"), rounds(8, "30s"), "", 0},
		{"much later", rounds(7, "20s"), rounds(2000, "30s"), "", 0},
		{"the first number", rounds(0, "20s"), rounds(1, "30s"), "", 0},
		{"the same settings in other words", rounds(7, "60s"), `{"version": 7, "defaults": {"dispatch": {"round_every": "1m"}}, "markets": {"quiet": {}}}`, "", 0},
		{"the same without a number", rounds(0, "60s"), rounds(0, "1m"), "", 0},
		{"an earlier one", rounds(7, "20s"), rounds(6, "30s"),
			"shelf: version 6 is older than version 7, which is in force; want a number above that, also to go back to older settings", fault.Conflict},
		{"an earlier one with the same settings", rounds(7, "20s"), rounds(6, "20s"), "shelf: version 6 is older than version 7", fault.Conflict},
		{"the same number", rounds(7, "20s"), rounds(7, "30s"),
			"shelf: version 7 is in force with other settings (defaults.dispatch.round_every: 20s -> 30s); want 'version: 8'", fault.Conflict},
		{"a change without numbers", rounds(0, "20s"), rounds(0, "30s"),
			"shelf: other settings than those in force (defaults.dispatch.round_every: 20s -> 30s), and neither has a version; want the line 'version: 1'", fault.Conflict},
		{"the number is gone", rounds(7, "20s"), rounds(0, "30s"), "shelf: it has no version, and version 7 is in force; want the line 'version: 8'", fault.Conflict},
		{"a setting out of bounds", rounds(7, "20s"), rounds(8, "1ms"), "shelf: config.Load: defaults.dispatch.round_every: 1ms is below 1s; want 1s to 10m", fault.Invalid},
		{"half written", rounds(7, "20s"), rounds(8, "30s")[:20], "shelf: config.LoadJSON: want JSON: unexpected EOF", fault.Invalid},
		{"emptied", rounds(7, "20s"), " \n", "shelf: nothing is in it; want settings, or the line 'version: 1'", fault.Invalid},
		{"gone", rounds(7, "20s"), "", "shelf: it is not there", fault.NotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &shelf{name: "shelf"}
			d.put(tt.first)
			f := follow(t, following(d))
			before, version := f.Get("")
			if d.put(tt.second); tt.second == "" {
				d.text = nil
			}
			err := f.Refresh(t.Context())
			after, now := f.Get("")
			if tt.want == "" {
				if want, _ := config.LoadJSON([]byte(tt.second)); err != nil || after != want.Get("") || now != want.Version() || f.Status().Err != nil {
					t.Errorf("Refresh = %v, version %d and %v in force; want the second text", err, now, after.Dispatch.RoundEvery)
				}
				return
			}
			if !strings.Contains(fmt.Sprint(err), tt.want) || !fault.Is(err, tt.kind) {
				t.Errorf("Refresh = %v\nwant %v, %s", err, tt.kind, tt.want)
			}
			if after != before || now != version {
				t.Errorf("version %d with %v is in force, want still %d with %v", now, after.Dispatch.RoundEvery, version, before.Dispatch.RoundEvery)
			}
			if again := f.Refresh(t.Context()); fmt.Sprint(again) != err.Error() || f.Status().Failures != 2 || f.Status().Err == nil {
				t.Errorf("refreshed again: %v, status %+v; want the same error until the document is another", again, f.Status())
			}
			d.put(tt.first)
			if err := f.Refresh(t.Context()); err != nil || f.Status().Failures != 0 || f.Status().Err != nil {
				t.Errorf("the first text is back: Refresh = %v, status %+v; want all well", err, f.Status())
			}
		})
	}
}

// TestFollowerAsks wants the tag of the text judged last with each question, so that
// neither a good text nor a bad one is sent again and again.
func TestFollowerAsks(t *testing.T) {
	d := &shelf{name: "shelf"}
	d.put(rounds(1, "20s"))
	f := follow(t, following(d))
	_ = f.Refresh(t.Context())
	d.put("bad")
	for range 2 {
		if err := f.Refresh(t.Context()); err == nil {
			t.Error("Refresh took a bad text")
		}
	}
	good, bad := fmt.Sprintf("tag %x", rounds(1, "20s")), fmt.Sprintf("tag %x", "bad")
	if got, want := fmt.Sprint(d.asked), fmt.Sprint([]string{"", good, good, bad}); got != want {
		t.Errorf("asked with %s, want %s", got, want)
	}
	if s := f.Status(); s.Tag != good {
		t.Errorf("the tag in force is %q, want %q", s.Tag, good)
	}
}

func TestFollowerStatus(t *testing.T) {
	d, now := &shelf{name: "shelf"}, fake.NewClock(fake.Start)
	d.put(rounds(3, "20s"))
	from := following(d)
	from.Clock = now
	var told []uint64
	from.Changed = func(v uint64) { told = append(told, v) }
	f := follow(t, from)
	now.Advance(clock.Minute)
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := f.Status(); s.Version != 3 || s.Since != fake.Start || s.Reached != now.Now() || s.Kept {
		t.Errorf("status %+v, want version 3 since the start, reached a minute later", s)
	}
	now.Advance(clock.Minute)
	d.fails = fault.New("shelf", fault.Unavailable, "", "shelf: away")
	err := f.Refresh(t.Context())
	if s := f.Status(); !fault.Is(err, fault.Unavailable) || s.Reached != fake.Start.Add(clock.Minute) || s.Err == nil || s.Failures != 1 {
		t.Errorf("Refresh = %v, status %+v; want a failure that says when all was well", err, s)
	}
	d.fails = nil
	d.put(rounds(5, "30s"))
	if err := f.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s := f.Status(); s.Version != 5 || s.Since != now.Now() || s.Failures != 0 {
		t.Errorf("status %+v, want version 5 since now", s)
	}
	if fmt.Sprint(told) != "[5]" {
		t.Errorf("told of %v, want 5", told)
	}
	for seen := range uint64(8) {
		if c, ok := f.After(seen); ok != (seen < 5) || c.Version() != 5 {
			t.Errorf("After(%d) = version %d, %v; want 5, and news for those who saw an earlier one", seen, c.Version(), ok)
		}
	}
}

func TestFollowStarts(t *testing.T) {
	away := fault.New("shelf", fault.Unavailable, "", "far: away")
	tests := []struct {
		name, far, near string // texts; "" for none
		fails           error  // of the far one
		version         uint64 // in force; 0 for an error
		kept            string // what is near afterwards
		status          string // error in the status, or of Follow
	}{
		{name: "good", far: rounds(2, "20s"), version: 2, kept: rounds(2, "20s")},
		{name: "good and kept", far: rounds(2, "20s"), near: rounds(2, "20s"), version: 2, kept: rounds(2, "20s")},
		{name: "later than kept", far: rounds(3, "20s"), near: rounds(2, "20s"), version: 3, kept: rounds(3, "20s")},
		{name: "away, kept", fails: away, near: rounds(2, "20s"), version: 2, kept: rounds(2, "20s"), status: "far: away"},
		{name: "bad, kept", far: "bad", near: rounds(2, "20s"), version: 2, kept: rounds(2, "20s"), status: "far: config.LoadJSON: want JSON"},
		{name: "older than kept", far: rounds(1, "20s"), near: rounds(2, "30s"), version: 2, kept: rounds(2, "30s"),
			status: "far, beside the copy of the last good one in near: version 1 is older than version 2"},
		{name: "good, kept is damaged", far: rounds(2, "20s"), near: "{", version: 2, kept: rounds(2, "20s")},
		{name: "away, nothing kept", fails: away, status: "no configuration to start with: shelf: far: away; and no copy of an earlier one: shelf: near: it is not there"},
		{name: "bad, kept is damaged", far: "bad", near: "{", kept: "{", status: "and no copy of an earlier one: config.Refresh: near: config.LoadJSON: want JSON: unexpected EOF"},
		{name: "nowhere", status: "no configuration to start with: shelf: far: it is not there"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			far, near := &shelf{name: "far", fails: tt.fails}, &shelf{name: "near"}
			if tt.far != "" {
				far.put(tt.far)
			}
			if tt.near != "" {
				near.put(tt.near)
			}
			from := following(far)
			from.Keeper = near
			f, err := config.Follow(t.Context(), from)
			if tt.version == 0 {
				if f != nil || !strings.Contains(fmt.Sprint(err), tt.status) {
					t.Errorf("Follow = %v, want no follower and %s", err, tt.status)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			s := f.Status()
			if s.Version != tt.version || s.Kept != (tt.status != "") || string(near.text) != tt.kept {
				t.Errorf("status %+v, kept %s; want version %d and %s", s, near.text, tt.version, tt.kept)
			}
			if (s.Err == nil) != (tt.status == "") || !strings.Contains(fmt.Sprint(s.Err), tt.status) && tt.status != "" {
				t.Errorf("status error %v, want %q", s.Err, tt.status)
			}
		})
	}
}

// TestFollowerKeeps wants a version in force though it cannot be kept, to be told of it,
// and to have it kept as soon as that works; and one write for each version.
func TestFollowerKeeps(t *testing.T) {
	far, near := &shelf{name: "far"}, &shelf{name: "near", fails: errors.New("disk full")}
	far.put(rounds(1, "20s"))
	from := following(far)
	from.Keeper = near
	f := follow(t, from)
	if s := f.Status(); s.Version != 1 || !strings.Contains(fmt.Sprint(s.Err), "the version of far is in force, but not kept for the next start: disk full") {
		t.Errorf("status %+v, want version 1 and why it is not kept", s)
	}
	near.fails = nil
	for range 3 {
		if err := f.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if near.keeps != 1 || string(near.text) != rounds(1, "20s") {
		t.Errorf("kept %d times, %s", near.keeps, near.text)
	}
	from.Keeper = far
	if _, err := config.Follow(t.Context(), from); !fault.Is(err, fault.Invalid) {
		t.Errorf("Follow keeping a copy in place = %v, want fault.Invalid", err)
	}
}

func TestChanges(t *testing.T) {
	load := func(text string) *config.Config {
		t.Helper()
		c, err := config.LoadJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := load(`{"defaults": {"dispatch": {"round_every": "20s"}}, "markets": {"a": {"task": {"auto_confirm": false}}, "b": {}, "gone": {"delivery": {"max_attempts": 2}}}}`)
	b := load(`{"defaults": {"dispatch": {"round_every": "30s"}}, "markets": {"a": {"task": {"auto_confirm": true}, "dispatch": {"round_every": "40s"}}, "b": {"fleet": {"silence_after": "31s"}}, "c": {}}}`)
	var got strings.Builder
	for _, c := range config.Changes(a, b) {
		fmt.Fprintln(&got, c)
	}
	fallback := config.DefaultSettings()
	want := fmt.Sprintf(`defaults.dispatch.round_every: 20s -> 30s
markets.a.dispatch.round_every: 20s -> 40s
markets.a.task.auto_confirm: false -> true
markets.b.fleet.silence_after: %v -> 31s
markets.gone.delivery.max_attempts: 2 -> %d
`, fallback.Fleet.SilenceAfter, fallback.Delivery.MaxAttempts)
	if got.String() != want {
		t.Errorf("changes:\n%swant\n%s", &got, want)
	}
	if again := config.Changes(b, b); len(again) != 0 {
		t.Errorf("changes of the same: %v", again)
	}
}

// TestFollowerTogether refreshes and reads from many goroutines: for each of them versions only rise.
func TestFollowerTogether(t *testing.T) {
	d := &shelf{name: "shelf"}
	d.put(rounds(1, "20s"))
	f := follow(t, following(d))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			last := uint64(0)
			for range 50 {
				if err := f.Refresh(t.Context()); err != nil {
					t.Error(err)
				}
				_, v := f.Get("m")
				if v < last || f.Status().Version < v {
					t.Errorf("version %d after %d", v, last)
				}
				last = v
			}
		})
	}
	for v := 2; v < 30; v++ {
		d.mu.Lock()
		d.put(rounds(v, "20s"))
		d.mu.Unlock()
	}
	all.Wait()
}
