package kernel

import (
	"cmp"
	"slices"

	"footway/core/clock"
	"footway/core/fault"
)

// State is a kernel written down. It has one form for one behaviour: kernels
// that will do the same have equal states, however their heaps are laid out.
type State struct {
	Now      clock.Time `json:"now"`
	Seq      uint64     `json:"seq"`      // number of the next event to be scheduled
	Executed uint64     `json:"executed"` // events run so far
	Pending  []Pending  `json:"pending"`  // in the order in which they will run
	// Generations has the generation of each slot; 0 is a retired slot.
	Generations []uint32 `json:"generations"`
	// Free has the slots without an event; the last is used next.
	Free []uint32 `json:"free"`
}

// Pending is one scheduled event.
type Pending struct {
	At    clock.Time `json:"at"`
	Seq   uint64     `json:"seq"`
	Slot  uint32     `json:"slot"`
	Event Event      `json:"event"`
}

// State writes the kernel down. It shares nothing with the kernel. It must be
// taken between events: inside a handler the event that runs is in neither the
// state nor, wholly, the world.
func (k *Kernel) State() State {
	s := State{
		Now:         k.now,
		Seq:         k.seq,
		Executed:    k.executed,
		Pending:     make([]Pending, len(k.heap)),
		Generations: make([]uint32, len(k.slots)),
		Free:        append([]uint32{}, k.free...),
	}
	for i := range k.heap {
		e := &k.heap[i]
		s.Pending[i] = Pending{At: e.time(), Seq: e.seq, Slot: e.slot, Event: k.slots[e.slot].event}
	}
	slices.SortFunc(s.Pending, inOrder)
	for i := range k.slots {
		s.Generations[i] = k.slots[i].generation
	}
	return s
}

// Restore returns a kernel that behaves from now on as the one that was written
// down, to the handles that others hold and those it will give. A state
// that no kernel can be in is refused with a fault.Invalid error.
func Restore(s State) (*Kernel, error) {
	k := &Kernel{
		now:      s.Now,
		seq:      s.Seq,
		executed: s.Executed,
		heap:     make([]entry, 0, len(s.Pending)),
		slots:    make([]slot, len(s.Generations)),
		where:    make([]int32, len(s.Generations)),
		free:     slices.Clone(s.Free),
	}
	for i, g := range s.Generations {
		k.slots[i].generation = g
		k.where[i] = none
	}
	for i, p := range s.Pending {
		if err := k.admit(s, i); err != nil {
			return nil, err
		}
		k.slots[p.Slot].event = p.Event
		// In order of running, hence already a heap.
		k.heap = append(k.heap, entry{key: keyOf(p.At), seq: p.Seq, slot: p.Slot})
		k.where[p.Slot] = int32(i)
	}
	if err := k.checkFree(); err != nil {
		return nil, err
	}
	return k, nil
}

// admit checks pending event i against the state and the events before it.
func (k *Kernel) admit(s State, i int) error {
	p := s.Pending[i]
	switch {
	case p.At < s.Now:
		return invalid("pending[%d]: at %s is before now, %s", i, p.At, s.Now)
	case p.Seq >= s.Seq:
		return invalid("pending[%d]: seq %d, want below the next, %d", i, p.Seq, s.Seq)
	case i > 0 && inOrder(s.Pending[i-1], p) >= 0:
		return invalid("pending[%d]: (at, seq) (%s, %d) does not follow (%s, %d)",
			i, p.At, p.Seq, s.Pending[i-1].At, s.Pending[i-1].Seq)
	case uint64(p.Slot) >= uint64(len(k.slots)):
		return invalid("pending[%d]: slot %d, want below %d", i, p.Slot, len(k.slots))
	case k.slots[p.Slot].generation == 0:
		return invalid("pending[%d]: slot %d is retired", i, p.Slot)
	case k.where[p.Slot] != none:
		return invalid("pending[%d]: slot %d is also that of pending[%d]", i, p.Slot, k.where[p.Slot])
	}
	return nil
}

// checkFree checks that each slot is pending, free or retired, and only one of
// them. Sequence numbers need no such check: two alike are found only at equal
// instants, and elsewhere they do no harm.
func (k *Kernel) checkFree() error {
	free := make([]bool, len(k.slots))
	for i, s := range k.free {
		switch {
		case uint64(s) >= uint64(len(k.slots)):
			return invalid("free[%d]: slot %d, want below %d", i, s, len(k.slots))
		case k.slots[s].generation == 0:
			return invalid("free[%d]: slot %d is retired", i, s)
		case k.where[s] != none:
			return invalid("free[%d]: slot %d is that of pending[%d]", i, s, k.where[s])
		case free[s]:
			return invalid("free[%d]: slot %d is free twice", i, s)
		}
		free[s] = true
	}
	for s := range k.slots {
		if k.slots[s].generation != 0 && k.where[s] == none && !free[s] {
			return invalid("slot %d: want it pending, free or retired", s)
		}
	}
	return nil
}

func inOrder(a, b Pending) int {
	return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Seq, b.Seq))
}

func invalid(format string, args ...any) error {
	return fault.New("kernel: restore", fault.Invalid, "", format, args...)
}
