package kernel

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/rng"
)

// world is a toy that stands for the twin: its entities wait, set and cancel
// each other's timeouts, and keep handles over checkpoints.
type world struct {
	kernel   *Kernel
	timers   *Timers
	timeouts [8]Handle
	draws    uint64
	trace    []string
}

func newWorld() *world {
	k := New(1_000)
	w := &world{kernel: k, timers: NewTimers(k, 1, 1)}
	for i := range w.timeouts {
		k.Schedule(1_000, Event{A: int64(i)})
	}
	return w
}

func (w *world) step(t *testing.T) bool {
	t.Helper()
	ok, err := w.kernel.Step(w.handle)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func (w *world) handle(e Event) error {
	key, due := w.timers.Due(e)
	w.trace = append(w.trace, fmt.Sprintf("%d %v %v %t", w.kernel.Now(), e, key, due))
	if due || e.Kind != 0 {
		return nil
	}
	if w.kernel.Executed() > 300 { // let it end
		return nil
	}
	pick := func(n int64) int64 {
		w.draws++
		return rng.Seed(7).Stream("world", "pick").N(w.draws, n)
	}
	w.kernel.Schedule(w.kernel.Now()+clock.Time(pick(50)), e)
	other := pick(int64(len(w.timeouts)))
	cancelled := w.kernel.Cancel(w.timeouts[other])
	w.timeouts[other] = w.kernel.Schedule(w.kernel.Now()+clock.Time(pick(100)), Event{Kind: 2, A: other})
	w.trace = append(w.trace, fmt.Sprintf("timeout %d: %t, %#x", other, cancelled, uint64(w.timeouts[other])))
	name := clock.Key{Service: "task", Entity: fmt.Sprint(pick(5)), What: "handoff-wait"}
	if pick(3) == 0 {
		w.timers.Cancel(name)
	} else {
		w.timers.Set(name, w.kernel.Now()+clock.Time(pick(60)))
	}
	return nil
}

// resume is w after a checkpoint, as in another process.
func (w *world) resume(t *testing.T) *world {
	t.Helper()
	again := *w
	again.kernel = reread(t, w.kernel)
	again.timers = rereadTimers(t, w.timers, again.kernel)
	again.trace = append([]string(nil), w.trace...)
	return &again
}

func TestCheckpointAtEveryEvent(t *testing.T) {
	straight := newWorld()
	for straight.step(t) {
	}
	if n := straight.kernel.Executed(); n < 250 {
		t.Fatalf("the toy world ended after %d events, want at least 250", n)
	}
	w := newWorld()
	for more := true; more; more = w.step(t) {
		w = w.resume(t) // this one is checkpointed at every event …
		if w.kernel.Executed()%10 != 0 {
			continue
		}
		fork := w.resume(t) // … and this one goes on from here without
		for fork.step(t) {
		}
		if diff := cmp.Diff(straight.trace, fork.trace); diff != "" {
			t.Fatalf("resumed after %d events (-uninterrupted +resumed):\n%s", w.kernel.Executed(), diff)
		}
	}
	if diff := cmp.Diff(straight.trace, w.trace); diff != "" {
		t.Errorf("checkpointed at every event (-uninterrupted +resumed):\n%s", diff)
	}
	if diff := cmp.Diff(straight.kernel.State(), w.kernel.State()); diff != "" {
		t.Errorf("last state (-uninterrupted +resumed):\n%s", diff)
	}
}

func TestRestoreSharesNothing(t *testing.T) {
	k := New(0)
	one, two := k.Schedule(1, Event{A: 1}), k.Schedule(1, Event{A: 2})
	k.Schedule(2, Event{A: 3})
	k.Cancel(one)
	k.Cancel(two)
	s := k.State()
	a, errA := Restore(s)
	b, errB := Restore(s)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	one, two = a.Schedule(1, Event{A: 4}), a.Schedule(1, Event{A: 5})
	a.Cancel(one) // the free slots are now the other way round
	a.Cancel(two)
	for n := range 10 {
		a.Schedule(clock.Time(n), Event{})
	}
	if diff := cmp.Diff(k.State(), b.State()); diff != "" {
		t.Errorf("a fork changed its sibling (-want +got):\n%s", diff)
	}
}

func TestRestoreRefusesWhatNoKernelCanBeIn(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*State)
		want  string
	}{
		{"past", func(s *State) { s.Pending[0].At = 9 }, "pending[0]: at 1970-01-01T00:00:00.009Z is before now"},
		{"future number", func(s *State) { s.Pending[1].Seq = 9 }, "pending[1]: seq 9, want below the next, 4"},
		{"disorder", func(s *State) { s.Pending[0].At = 99 }, "pending[1]: (at, seq)"},
		{"no slot", func(s *State) { s.Pending[0].Slot = 9 }, "pending[0]: slot 9, want below 4"},
		{"slot twice", func(s *State) { s.Pending[1].Slot = s.Pending[0].Slot }, "also that of pending[0]"},
		{"pending in a retired slot", func(s *State) { s.Generations[s.Pending[0].Slot] = 0 }, "is retired"},
		{"free out of range", func(s *State) { s.Free[0] = 7 }, "free[0]: slot 7, want below 4"},
		{"free and retired", func(s *State) { s.Generations[s.Free[0]] = 0 }, "free[0]: slot 1 is retired"},
		{"free and pending", func(s *State) { s.Free[0] = s.Pending[0].Slot }, "free[0]: slot 0 is that of pending[0]"},
		{"free twice", func(s *State) { s.Free = []uint32{1, 1} }, "free twice"},
		{"lost", func(s *State) { s.Free = nil }, "slot 1: want it pending, free or retired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := New(10)
			k.Schedule(20, Event{})
			gone := k.Schedule(25, Event{})
			k.Schedule(30, Event{})
			k.Schedule(30, Event{})
			k.Cancel(gone)
			s := k.State()
			c.spoil(&s)
			_, err := Restore(s)
			contains(t, err, c.want)
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("Restore = %v, want a fault.Invalid error", err)
			}
		})
	}
}
