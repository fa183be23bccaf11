package kernel

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/rng"
)

func TestRunsInOrderOfTimeThenScheduling(t *testing.T) {
	k := New(100)
	for i, at := range []clock.Time{300, 200, 300, 50, 200, 100} { // 50 has passed: it runs at 100
		k.Schedule(at, Event{A: int64(i)})
	}
	type ran struct {
		At clock.Time
		A  int64
	}
	var got []ran
	if err := k.Run(250, func(e Event) error {
		got = append(got, ran{k.Now(), e.A})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []ran{{100, 3}, {100, 5}, {200, 1}, {200, 4}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Run(250) ran (-want +got):\n%s", diff)
	}
	if k.Now() != 250 || k.Pending() != 2 || k.Executed() != 4 {
		t.Errorf("after Run(250): now %d, pending %d, executed %d; want 250, 2, 4", k.Now(), k.Pending(), k.Executed())
	}
	if err := k.Run(10, nil); err != nil || k.Now() != 250 {
		t.Errorf("Run(10) = %v and moved the clock to %d, want nil and 250", err, k.Now())
	}
}

func TestTimesAtTheEndsOfTheRange(t *testing.T) {
	k := New(math.MinInt64)
	for _, at := range []clock.Time{math.MaxInt64, 0, -1, 1, math.MinInt64} {
		k.Schedule(at, Event{A: int64(at)})
	}
	var got []int64
	if err := k.Run(math.MaxInt64, func(e Event) error { got = append(got, e.A); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}; !slices.Equal(got, want) {
		t.Errorf("ran %d, want %d", got, want)
	}
}

func TestHandlerErrorStopsTheRun(t *testing.T) {
	jam := errors.New("hatch jammed")
	k := New(clock.Time(0))
	k.Schedule(1000, Event{A: 1})
	k.Schedule(2000, Event{Target: 7, Kind: 3, A: 2, B: -1})
	k.Schedule(3000, Event{A: 3})
	var got []int64
	err := k.Run(9000, func(e Event) error {
		got = append(got, e.A)
		if e.A == 2 {
			return jam
		}
		return nil
	})
	if !errors.Is(err, jam) {
		t.Fatalf("Run = %v, want an error that wraps %v", err, jam)
	}
	if want := "event 1 at 1970-01-01T00:00:02.000Z (target=7 kind=3 a=2 b=-1): hatch jammed"; err.Error() != want {
		t.Errorf("Run = %q, want %q", err, want)
	}
	if k.Now() != 2000 || k.Pending() != 1 || k.Executed() != 2 || !slices.Equal(got, []int64{1, 2}) {
		t.Errorf("after the error: now %d, pending %d, executed %d, ran %d; want 2000, 1, 2, [1 2]", k.Now(), k.Pending(), k.Executed(), got)
	}
}

func TestStepWithoutEvents(t *testing.T) {
	k := New(5)
	if _, ok := k.Peek(); ok {
		t.Error("Peek of an empty kernel found an event")
	}
	ok, err := k.Step(func(Event) error { return errors.New("called") })
	if ok || err != nil || k.Now() != 5 || k.Executed() != 0 {
		t.Errorf("Step = %t, %v; now %d, executed %d; want false, nil; 5, 0", ok, err, k.Now(), k.Executed())
	}
}

func TestHandleNamesOneEventOnly(t *testing.T) {
	k := New(0)
	old := k.Schedule(1, Event{})
	if !k.Cancel(old) || k.Cancel(old) {
		t.Fatal("Cancel: want true the first time and false the second")
	}
	tenant := k.Schedule(2, Event{}) // the slot of old
	if uint32(tenant) != uint32(old) || tenant == old {
		t.Fatalf("handles %#x and %#x: want one slot and two generations", uint64(old), uint64(tenant))
	}
	if k.Cancel(old) || k.Cancel(0) || k.Cancel(Handle(1)<<32|9) || k.Pending() != 1 {
		t.Errorf("a handle that names nothing cancelled something: %d pending, want 1", k.Pending())
	}
	if _, err := k.Step(func(Event) error {
		if k.Cancel(tenant) {
			t.Error("Cancel of the event that runs = true, want false")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	k.Schedule(3, Event{})
	future := k.Schedule(5, Event{}) + 1<<32 // what the slot will give next
	if k.Cancel(future); k.Pending() != 2 {
		t.Errorf("a handle of the future cancelled something: %d pending, want 2", k.Pending())
	}
	k.Cancel(future - 1<<32)
	if k.Cancel(future) || k.Pending() != 1 {
		t.Errorf("a handle of a free slot cancelled something: %d pending, want 1", k.Pending())
	}
}

func TestSlotWithUsedUpGenerationsIsRetired(t *testing.T) {
	k := New(0)
	k.Cancel(k.Schedule(1, Event{}))
	k.slots[0].generation = math.MaxUint32
	last := k.Schedule(1, Event{})
	if !k.Cancel(last) {
		t.Fatal("Cancel of the last generation = false, want true")
	}
	k = reread(t, k)
	next := k.Schedule(1, Event{})
	if uint32(next) == uint32(last) {
		t.Errorf("slot %d was let again after its last generation", uint32(next))
	}
	if k.Cancel(last) || !k.Cancel(next) {
		t.Error("Cancel: want false for the retired handle and true for the new one")
	}
}

func TestMemoryIsBoundedByPending(t *testing.T) {
	k := New(0)
	for i := range 1_000_000 {
		k.Cancel(k.Schedule(clock.Time(1+i), Event{}))
	}
	if len(k.slots) != 1 || len(k.heap) != 0 || cap(k.free) > 8 {
		t.Errorf("a million cancelled events left %d slots, %d entries, room for %d free slots; want 1, 0, at most 8",
			len(k.slots), len(k.heap), cap(k.free))
	}
}

func TestNoAllocationPerEvent(t *testing.T) {
	k := New(0)
	s := rng.Seed(1).Stream("kernel", "times")
	timeouts := make([]Handle, 1000)
	n := uint64(0)
	handle := func(e Event) error {
		n++
		k.Schedule(k.Now()+clock.Time(s.N(n, 1000)), e)
		k.Cancel(timeouts[e.A])
		timeouts[e.A] = k.Schedule(k.Now()+1_000_000, Event{Kind: 1})
		return nil
	}
	for i := range timeouts {
		k.Schedule(clock.Time(s.N(uint64(i), 1000)), Event{A: int64(i)})
	}
	step := func() {
		if _, err := k.Step(handle); err != nil {
			t.Fatal(err)
		}
	}
	for range 10_000 {
		step()
	}
	if got := testing.AllocsPerRun(10_000, step); got != 0 {
		t.Errorf("%v allocations an event, want 0", got)
	}
}

// TestAgainstSortedReference plays random operations on a kernel and on a
// sorted slice.
func TestAgainstSortedReference(t *testing.T) {
	for seed := range rng.Seed(40) {
		s := seed.Stream("kernel", "operations")
		ops := make([]byte, 3000)
		for i := range ops {
			ops[i] = byte(s.Uint64(uint64(i)))
		}
		// Some seeds mostly fill, so that the heap gets deep.
		for i := 0; seed%2 == 0 && i+1 < len(ops)/2; i += 2 {
			ops[i] = 0
		}
		play(t, ops)
	}
}

func FuzzKernel(f *testing.F) {
	f.Add([]byte{0, 5, 0, 5, 4, 0, 6, 0, 7, 0, 5, 0})
	f.Add([]byte{0, 9, 1, 8, 2, 7, 3, 200, 5, 20, 7, 0, 4, 2, 6, 0, 6, 0})
	f.Fuzz(func(t *testing.T, ops []byte) { play(t, ops) })
}

// reference is the kernel as one would write it without caring for speed.
type reference struct {
	now     clock.Time
	ran     uint64
	pending []scheduled // in order of running
}

type scheduled struct {
	at clock.Time
	id int64
}

func (r *reference) schedule(at clock.Time, id int64) {
	at = max(at, r.now)
	i := len(r.pending)
	for i > 0 && r.pending[i-1].at > at {
		i--
	}
	r.pending = slices.Insert(r.pending, i, scheduled{at, id})
}

func (r *reference) cancel(id int64) bool {
	n := len(r.pending)
	r.pending = slices.DeleteFunc(r.pending, func(p scheduled) bool { return p.id == id })
	return len(r.pending) < n
}

func (r *reference) run(until clock.Time) (ids []int64) {
	for len(r.pending) > 0 && r.pending[0].at <= until {
		ids = append(ids, r.pending[0].id)
		r.now = r.pending[0].at
		r.pending = r.pending[1:]
		r.ran++
	}
	r.now = max(r.now, until)
	return ids
}

// play reads ops as pairs of an operation and its argument.
func play(t *testing.T, ops []byte) {
	t.Helper()
	k, r := New(0), &reference{}
	var handles []Handle // of event id i
	for i := 0; i+1 < len(ops); i += 2 {
		arg := clock.Time(ops[i+1])
		var got, want []int64
		record := func(e Event) error { got = append(got, e.A); return nil }
		switch ops[i] % 8 {
		case 0, 1, 2, 3:
			at := k.Now() + arg - 16 // some have passed
			r.schedule(at, int64(len(handles)))
			handles = append(handles, k.Schedule(at, Event{A: int64(len(handles))}))
		case 4:
			if len(handles) > 0 {
				id := len(handles) - 1 - int(arg)%len(handles)
				if got, want := k.Cancel(handles[id]), r.cancel(int64(id)); got != want {
					t.Fatalf("op %d: Cancel of event %d = %t, want %t", i, id, got, want)
				}
			}
		case 5:
			want = r.run(r.now + arg/8)
			if err := k.Run(k.Now()+arg/8, record); err != nil {
				t.Fatal(err)
			}
		case 6:
			if len(r.pending) > 0 {
				want = []int64{r.pending[0].id}
				r.now, r.pending, r.ran = r.pending[0].at, r.pending[1:], r.ran+1
			}
			if ok, err := k.Step(record); ok != (want != nil) || err != nil {
				t.Fatalf("op %d: Step = %t, %v; want %t, nil", i, ok, err, want != nil)
			}
		case 7:
			k = reread(t, k)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("op %d: ran %d, want %d", i, got, want)
		}
		compare(t, i, k, r)
	}
}

func compare(t *testing.T, op int, k *Kernel, r *reference) {
	t.Helper()
	if k.Now() != r.now || k.Pending() != len(r.pending) || k.Executed() != r.ran {
		t.Fatalf("op %d: now %d, pending %d, executed %d; want %d, %d, %d",
			op, k.Now(), k.Pending(), k.Executed(), r.now, len(r.pending), r.ran)
	}
	at, ok := k.Peek()
	if ok != (len(r.pending) > 0) || ok && at != r.pending[0].at {
		t.Fatalf("op %d: Peek = %d, %t with %d pending", op, at, ok, len(r.pending))
	}
}

// reread writes k down as JSON and returns the kernel read back.
func reread(t *testing.T, k *Kernel) *Kernel {
	t.Helper()
	text, err := json.Marshal(k.State())
	if err != nil {
		t.Fatal(err)
	}
	var s State
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	again, err := Restore(s)
	if err != nil {
		t.Fatalf("Restore: %v\n%s", err, text)
	}
	if before, after := k.State(), again.State(); !reflect.DeepEqual(before, after) {
		t.Fatalf("state changed by Restore (-written +read):\n%s", cmp.Diff(before, after))
	}
	return again
}

// contains fails the test unless err says want.
func contains(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
