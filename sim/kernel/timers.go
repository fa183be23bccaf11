package kernel

import (
	"cmp"
	"slices"

	"footway/core/clock"
)

// Timers are the timers of the services on a kernel: one event for each armed
// key, of a target and kind that nothing else uses.
type Timers struct {
	kernel       *Kernel
	target, kind uint32

	byKey map[clock.Key]uint32 // slot of each armed key; looked up, never ranged over
	slots []timer
	free  []uint32 // slots without a timer; the last is used next
	arms  int64    // how often a timer was set
}

// timer is one armed timer. Its arm number is in its event too, so that
// an event of an earlier tenant of the slot cannot be taken for its own.
type timer struct {
	key    clock.Key
	arm    int64
	handle Handle
}

var _ clock.Timers = (*Timers)(nil)

// NewTimers returns timers that schedule events of target and kind on k.
func NewTimers(k *Kernel, target, kind uint32) *Timers {
	return &Timers{kernel: k, target: target, kind: kind, byKey: map[clock.Key]uint32{}}
}

// Len returns how many timers are armed.
func (t *Timers) Len() int { return len(t.byKey) }

// Set arms the timer key for the instant at, replacing an earlier instant.
func (t *Timers) Set(key clock.Key, at clock.Time) {
	t.Cancel(key)
	var s uint32
	if n := len(t.free); n > 0 {
		s = t.free[n-1]
		t.free = t.free[:n-1]
	} else {
		s = uint32(len(t.slots))
		t.slots = append(t.slots, timer{})
	}
	t.arms++
	h := t.kernel.Schedule(at, t.event(s, t.arms))
	t.slots[s] = timer{key: key, arm: t.arms, handle: h}
	t.byKey[key] = s
}

// Cancel disarms the timer key, if it is armed.
func (t *Timers) Cancel(key clock.Key) {
	if s, ok := t.byKey[key]; ok {
		t.kernel.Cancel(t.slots[s].handle) // false only between an event's run and its Due
		t.drop(s)
	}
}

// Due takes an event that the kernel runs. If it is that of an armed timer, Due
// disarms the timer and returns its key for the caller to fire. It returns
// false for every other event, and when asked about the same event again.
func (t *Timers) Due(e Event) (clock.Key, bool) {
	if e.Target != t.target || e.Kind != t.kind || e.A < 0 || e.A >= int64(len(t.slots)) {
		return clock.Key{}, false
	}
	s := uint32(e.A)
	due := t.slots[s]
	if due.arm == 0 || due.arm != e.B {
		return clock.Key{}, false
	}
	t.drop(s)
	return due.key, true
}

func (t *Timers) drop(s uint32) {
	delete(t.byKey, t.slots[s].key)
	t.slots[s] = timer{}
	t.free = append(t.free, s)
}

func (t *Timers) event(s uint32, arm int64) Event {
	return Event{Target: t.target, Kind: t.kind, A: int64(s), B: arm}
}

// TimersState is Timers written down. It goes with the State of their kernel,
// which holds the instants.
type TimersState struct {
	Armed []Armed  `json:"armed"` // by service, entity and purpose
	Free  []uint32 `json:"free"`  // slots without a timer; the last is used next
	Arms  int64    `json:"arms"`  // how often a timer was set
}

// Armed is one armed timer.
type Armed struct {
	Key    clock.Key `json:"key"`
	Slot   uint32    `json:"slot"`
	Arm    int64     `json:"arm"` // the count of settings at which it was set
	Handle Handle    `json:"handle"`
}

// State writes the timers down, between events.
func (t *Timers) State() TimersState {
	s := TimersState{Armed: []Armed{}, Free: append([]uint32{}, t.free...), Arms: t.arms}
	for i, m := range t.slots {
		if m.arm != 0 {
			s.Armed = append(s.Armed, Armed{Key: m.key, Slot: uint32(i), Arm: m.arm, Handle: m.handle})
		}
	}
	slices.SortFunc(s.Armed, func(a, b Armed) int { return compareKeys(a.Key, b.Key) })
	return s
}

// RestoreTimers returns the timers that were written down as s, on the restored
// kernel k. A state that does not fit the pending events of k is refused with
// a fault.Invalid error.
func RestoreTimers(k *Kernel, target, kind uint32, s TimersState) (*Timers, error) {
	t := NewTimers(k, target, kind)
	t.slots = make([]timer, len(s.Armed)+len(s.Free))
	t.free = slices.Clone(s.Free)
	t.arms = s.Arms
	for i, a := range s.Armed {
		if err := t.admit(i, a); err != nil {
			return nil, err
		}
		t.slots[a.Slot] = timer{key: a.Key, arm: a.Arm, handle: a.Handle}
		t.byKey[a.Key] = a.Slot
	}
	if err := t.checkFree(); err != nil {
		return nil, err
	}
	if err := t.checkEvents(); err != nil {
		return nil, err
	}
	return t, nil
}

// admit checks an armed timer against the kernel and the timers before it.
func (t *Timers) admit(i int, a Armed) error {
	if uint64(a.Slot) >= uint64(len(t.slots)) || t.slots[a.Slot].arm != 0 {
		return invalid("armed[%d]: slot %d, want one of its own below %d", i, a.Slot, len(t.slots))
	}
	if _, twice := t.byKey[a.Key]; twice {
		return invalid("armed[%d]: key %v is armed twice", i, a.Key)
	}
	if a.Arm <= 0 || a.Arm > t.arms {
		return invalid("armed[%d]: arm %d, want 1 to %d", i, a.Arm, t.arms)
	}
	if !t.kernel.pending(a.Handle) {
		return invalid("armed[%d]: handle %#x names no pending event", i, uint64(a.Handle))
	}
	if got, want := t.kernel.slots[uint32(a.Handle)].event, t.event(a.Slot, a.Arm); got != want {
		return invalid("armed[%d]: its event is %v, want %v", i, got, want)
	}
	return nil
}

// checkFree checks that the free slots are those without a timer. There are as
// many as there should be, so that no two alike is enough.
func (t *Timers) checkFree() error {
	free := make([]bool, len(t.slots))
	for i, s := range t.free {
		if uint64(s) >= uint64(len(t.slots)) || t.slots[s].arm != 0 || free[s] {
			return invalid("free[%d]: slot %d, want one below %d that is not armed or free twice", i, s, len(t.slots))
		}
		free[s] = true
	}
	return nil
}

// checkEvents checks that the kernel has no event of ours beyond the timers',
// which would be due and mean nothing.
func (t *Timers) checkEvents() error {
	ours := 0
	for i := range t.kernel.heap {
		if e := &t.kernel.slots[t.kernel.heap[i].slot].event; e.Target == t.target && e.Kind == t.kind {
			ours++
		}
	}
	if ours != len(t.byKey) {
		return invalid("%d timer events are pending for %d armed timers", ours, len(t.byKey))
	}
	return nil
}

func compareKeys(a, b clock.Key) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.What, b.What))
}
