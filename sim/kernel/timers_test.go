package kernel

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/fault"
)

func key(what string) clock.Key { return clock.Key{Service: "task", Entity: "t1", What: what} }

// fire runs the kernel to its end and returns what fired, with its instant.
func fire(t *testing.T, k *Kernel, timers *Timers) (fired []string) {
	t.Helper()
	for {
		ok, err := k.Step(func(e Event) error {
			if due, ok := timers.Due(e); ok {
				fired = append(fired, due.What+" "+k.Now().String()[17:])
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return fired
		}
	}
}

func TestTimers(t *testing.T) {
	k := New(5_000)
	timers := NewTimers(k, 2, 3)
	timers.Set(key("late"), 9_000)
	timers.Set(key("moved"), 6_000)
	timers.Set(key("same"), 8_000)
	timers.Set(key("moved"), 8_000) // replaced: now after "same"
	timers.Set(key("never"), 7_000)
	timers.Cancel(key("never"))
	timers.Cancel(key("unknown"))
	timers.Set(key("passed"), 1_000) // as soon as possible
	k.Schedule(8_500, Event{Target: 2, Kind: 4})
	if timers.Len() != 4 || k.Pending() != 5 {
		t.Errorf("%d armed, %d pending; want 4, 5: one event a key and one other", timers.Len(), k.Pending())
	}
	want := []string{"passed 05.000Z", "same 08.000Z", "moved 08.000Z", "late 09.000Z"}
	if got := fire(t, k, timers); !slices.Equal(got, want) {
		t.Errorf("fired %q, want %q", got, want)
	}
	if timers.Len() != 0 {
		t.Errorf("%d armed after all fired, want 0", timers.Len())
	}
}

func TestDueOnlyOnceAndOnlyItsOwn(t *testing.T) {
	k := New(0)
	timers := NewTimers(k, 2, 3)
	timers.Set(key("first"), 1)
	var ran Event
	if _, err := k.Step(func(e Event) error { ran = e; return nil }); err != nil {
		t.Fatal(err)
	}
	if got, ok := timers.Due(ran); !ok || got != key("first") {
		t.Errorf("Due(%v) = %v, %t; want %v, true", ran, got, ok, key("first"))
	}
	timers.Set(key("tenant"), 2) // the slot of "first"
	for _, e := range []Event{ran, {Target: 2, Kind: 3, A: 0, B: 0}, {Target: 2, Kind: 3, A: 9, B: 1}, {Target: 2, Kind: 3, A: -1, B: 1}, {Target: 2, B: 2}, {Kind: 3, B: 2}} {
		if got, ok := timers.Due(e); ok {
			t.Errorf("Due(%v) = %v, true; want false", e, got)
		}
	}
	if timers.Len() != 1 {
		t.Errorf("%d armed, want 1", timers.Len())
	}
}

func TestSetBetweenRunAndDueReplaces(t *testing.T) {
	k := New(0)
	timers := NewTimers(k, 2, 3)
	timers.Set(key("wait"), 1)
	if _, err := k.Step(func(e Event) error {
		timers.Set(key("wait"), 5)
		if due, ok := timers.Due(e); ok {
			t.Errorf("Due of the replaced instant = %v, true; want false", due)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got, want := fire(t, k, timers), []string{"wait 00.005Z"}; !slices.Equal(got, want) {
		t.Errorf("fired %q, want %q", got, want)
	}
}

func TestTimersStateIsSortedByKey(t *testing.T) {
	k := New(0)
	timers := NewTimers(k, 2, 3)
	for _, what := range []string{"c", "a", "d", "b"} {
		timers.Set(key(what), 10)
	}
	timers.Set(clock.Key{Service: "fleet", Entity: "z", What: "z"}, 10)
	timers.Cancel(key("d"))
	var got []string
	for _, a := range timers.State().Armed {
		got = append(got, a.Key.What)
	}
	if want := []string{"z", "a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("armed %q, want %q", got, want)
	}
}

func TestRestoreTimersRefusesWhatDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*TimersState)
		want  string
	}{
		{"slot out of range", func(s *TimersState) { s.Armed[0].Slot = 3 }, "armed[0]: slot 3"},
		{"slot twice", func(s *TimersState) { s.Armed[1].Slot = s.Armed[0].Slot }, "armed[1]: slot 0"},
		{"key twice", func(s *TimersState) { s.Armed[1].Key = s.Armed[0].Key }, "armed[1]: key {task t1 a} is armed twice"},
		{"arm number", func(s *TimersState) { s.Arms = 1 }, "armed[1]: arm 2, want 1 to 1"},
		{"no event", func(s *TimersState) { s.Armed[0].Handle = 0 }, "names no pending event"},
		{"another's event", func(s *TimersState) { s.Armed[0].Handle = s.Armed[1].Handle }, "armed[0]: its event is"},
		{"free but armed", func(s *TimersState) { s.Free[0] = 0 }, "free[0]: slot 0"},
		{"event without timer", func(s *TimersState) { s.Armed, s.Free = s.Armed[:1], []uint32{1} }, "2 timer events are pending for 1 armed timers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := New(0)
			timers := NewTimers(k, 2, 3)
			timers.Set(key("a"), 10)
			timers.Set(key("b"), 11)
			timers.Set(key("c"), 12)
			timers.Cancel(key("c"))
			s := timers.State()
			c.spoil(&s)
			_, err := RestoreTimers(k, 2, 3, s)
			contains(t, err, c.want)
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("RestoreTimers = %v, want a fault.Invalid error", err)
			}
		})
	}
}

// rereadTimers writes timers down as JSON and returns those read back, on k.
func rereadTimers(t *testing.T, timers *Timers, k *Kernel) *Timers {
	t.Helper()
	text, err := json.Marshal(timers.State())
	if err != nil {
		t.Fatal(err)
	}
	var s TimersState
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	again, err := RestoreTimers(k, timers.target, timers.kind, s)
	if err != nil {
		t.Fatalf("RestoreTimers: %v\n%s", err, text)
	}
	if diff := cmp.Diff(timers.State(), again.State()); diff != "" {
		t.Fatalf("state changed by RestoreTimers (-written +read):\n%s", diff)
	}
	return again
}
