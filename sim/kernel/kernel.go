// Package kernel is the discrete-event kernel of the twin: it holds what is
// going to happen, runs it in order of time, and can be written down between
// any two events and read back to go on exactly as if nothing had been. It
// knows nothing of robots or deliveries; an event is plain data that the
// caller's handler gives a meaning.
package kernel

import (
	"fmt"
	"math/bits"

	"footway/core/clock"
)

// Event is something that will happen. It is plain data, so that pending
// events can be written down: Target says whom it concerns, Kind what happens,
// A and B are the handler's.
type Event struct {
	Target uint32 `json:"target"`
	Kind   uint32 `json:"kind"`
	A      int64  `json:"a"`
	B      int64  `json:"b"`
}

// String returns the fields of e in one line, for errors.
func (e Event) String() string {
	return fmt.Sprintf("target=%d kind=%d a=%d b=%d", e.Target, e.Kind, e.A, e.B)
}

// Handle names one scheduled event: the generation of its slot in the upper 32
// bits, the slot in the lower. It names nothing once the event has run or was
// cancelled, and never comes to name another. The zero Handle names none.
type Handle uint64

// slot is where the payload of one pending event stays while the small heap
// entries move. The generation counts its tenants from 1; 0 marks a slot whose
// generations are used up and which is never used again.
type slot struct {
	event      Event
	generation uint32
}

// Kernel is the queue of pending events and the simulated clock. It belongs to
// one goroutine. Scheduling, cancelling and running an event take O(log n) for
// n pending ones, and no allocation once the queue has had its greatest length.
type Kernel struct {
	now      clock.Time
	seq      uint64 // of the next event to be scheduled
	executed uint64

	heap  []entry
	slots []slot
	where []int32  // index in heap of each slot, or none
	free  []uint32 // slots without a tenant; the last is let first
}

var _ clock.Clock = (*Kernel)(nil)

// New returns a kernel without events whose clock shows start.
func New(start clock.Time) *Kernel { return &Kernel{now: start} }

// Now returns the instant of the event that runs or ran last, or the end of
// the last Run if that is later.
func (k *Kernel) Now() clock.Time { return k.now }

// Executed returns how many events have been handed to a handler.
func (k *Kernel) Executed() uint64 { return k.executed }

// Pending returns how many events are scheduled and not cancelled.
func (k *Kernel) Pending() int { return len(k.heap) }

// Peek returns the instant of the next event, or false if there is none.
func (k *Kernel) Peek() (clock.Time, bool) {
	if len(k.heap) == 0 {
		return 0, false
	}
	return k.heap[0].time(), true
}

// Schedule adds e at the instant at, or at Now if that has passed: nothing runs
// in the past. Events of one instant run in the order of their scheduling.
func (k *Kernel) Schedule(at clock.Time, e Event) Handle {
	var s uint32
	if n := len(k.free); n > 0 {
		s = k.free[n-1]
		k.free = k.free[:n-1]
	} else {
		s = uint32(len(k.slots))
		k.slots = append(k.slots, slot{generation: 1})
		k.where = append(k.where, none)
	}
	k.slots[s].event = e
	k.push(entry{key: keyOf(max(at, k.now)), seq: k.seq, slot: s})
	k.seq++
	return handleOf(k.slots[s].generation, s)
}

// Cancel takes the event out of the queue and reports whether it was pending:
// false means that it has run, is running or was cancelled before.
func (k *Kernel) Cancel(h Handle) bool {
	if !k.pending(h) {
		return false
	}
	s := uint32(h)
	k.remove(int(k.where[s]))
	k.release(s)
	return true
}

// Step runs the next event: it moves the clock to the event's instant and calls
// handle. It reports false if there was no event. An error of the handler is
// returned with the instant and number of the event, which counts as executed.
// The handler may schedule and cancel, but not step.
func (k *Kernel) Step(handle func(Event) error) (bool, error) {
	if len(k.heap) == 0 {
		return false, nil
	}
	next := k.heap[0]
	e := k.slots[next.slot].event
	k.remove(0)
	k.release(next.slot)
	k.now = next.time()
	k.executed++
	if err := handle(e); err != nil {
		return true, fmt.Errorf("event %d at %s (%s): %w", next.seq, k.now, e, err)
	}
	return true, nil
}

// Run steps through all events up to and including the instant until, also
// those scheduled on the way, and leaves the clock there. After an error the
// clock stays at the event that failed.
func (k *Kernel) Run(until clock.Time, handle func(Event) error) error {
	for len(k.heap) > 0 && k.heap[0].time() <= until {
		if _, err := k.Step(handle); err != nil {
			return err
		}
	}
	k.now = max(k.now, until)
	return nil
}

// release ends the tenancy of slot s, so that handles to it name nothing. A
// slot that has had all its generations is retired rather than let an old
// handle name a new event: 28 bytes for four billion events.
func (k *Kernel) release(s uint32) {
	k.slots[s].generation++
	if k.slots[s].generation != 0 {
		k.free = append(k.free, s)
	}
}

// pending reports whether h names a pending event.
func (k *Kernel) pending(h Handle) bool {
	s, g := uint32(h), uint32(h>>32)
	return g != 0 && uint64(s) < uint64(len(k.slots)) && k.slots[s].generation == g && k.where[s] != none
}

func handleOf(generation, s uint32) Handle { return Handle(generation)<<32 | Handle(s) }

// keyOf maps instants to unsigned integers of the same order, so that an
// entry compares as one 128-bit number.
func keyOf(t clock.Time) uint64 { return uint64(t) ^ 1<<63 }

func (e *entry) time() clock.Time { return clock.Time(e.key ^ 1<<63) }

// before is 1 if a runs before b, else 0: the borrow of the 128-bit
// subtraction (key, seq) of a - b. It has no branch to mispredict.
func before(a, b *entry) uint64 {
	_, borrow := bits.Sub64(a.seq, b.seq, 0)
	_, borrow = bits.Sub64(a.key, b.key, borrow)
	return borrow
}
