package runlog

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"footway/core/clock"
	"footway/core/event"
)

// State is what a log says about now: for each robot, open delivery, active
// task, the last event of each slot, and how often each kind happened. It is
// the fold of the log, so that a reader who jumps to an instant knows the same
// as one who read all of it. The zero value is the state before the first event.
type State struct {
	seq    uint64
	at     clock.Time // latest time of an event so far
	counts map[string]uint64
	held   map[place]*event.Event
}

type place struct {
	slot   Slot
	entity string
}

// Seq returns the number of the last event applied; 0 if none.
func (s *State) Seq() uint64 { return s.seq }

// Time returns the latest time of an event applied.
func (s *State) Time() clock.Time { return s.at }

// Count returns how many events of a kind were applied.
func (s *State) Count(kind string) uint64 { return s.counts[kind] }

// Get returns the event in a slot of an entity. The caller may keep it but not
// change its Data.
func (s *State) Get(slot Slot, entity string) (event.Event, bool) {
	if e := s.held[place{slot, entity}]; e != nil {
		return *e, true
	}
	return event.Event{}, false
}

// All returns the events in a slot of all entities, ordered by entity.
func (s *State) All(slot Slot) []event.Event {
	var all []event.Event
	for _, p := range s.places() {
		if p.slot == slot {
			all = append(all, *s.held[p])
		}
	}
	return all
}

// Held returns the events in all slots by their number: a log cut down to what
// still matters. The caller may keep them but not change their Data.
func (s *State) Held() []event.Event {
	all := make([]event.Event, 0, len(s.held))
	//detlint:allow they are sorted before anybody sees them
	for _, e := range s.held {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b event.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	return all
}

// Apply folds the next event of the log. It fails, and changes nothing, if e is
// not the next one. It copies what it keeps of e.
func (s *State) Apply(e event.Event) error {
	if e.Seq != s.seq+1 {
		return fmt.Errorf("runlog: event %d after event %d: want %d", e.Seq, s.seq, s.seq+1)
	}
	if s.counts == nil {
		s.counts = make(map[string]uint64)
		s.held = make(map[place]*event.Event)
	}
	s.seq = e.Seq
	s.at = max(s.at, e.T)
	s.counts[e.Kind]++
	f := effectOf(&e)
	for _, slot := range f.clears {
		delete(s.held, place{slot, e.Entity})
	}
	if f.into == noSlot {
		return nil
	}
	if _, open := s.held[place{DeliveryState, e.Entity}]; f.openOnly && !open {
		return nil
	}
	s.keep(f.into, e)
	return nil
}

// keep copies e: Data may be part of a large buffer, and readers keep events
// that they got from Get.
func (s *State) keep(slot Slot, e event.Event) {
	e.Data = bytes.Clone(e.Data)
	s.held[place{slot, e.Entity}] = &e
}

// forget drops open deliveries and tasks of which nothing was heard since t.
func (s *State) forget(t clock.Time) {
	heard := make(map[string]clock.Time)
	mortal := func(p place) bool { return p.slot == TaskChange || slices.Contains(ofDelivery, p.slot) }
	for _, p := range s.places() {
		if mortal(p) {
			heard[p.entity] = max(heard[p.entity], s.held[p].T)
		}
	}
	for _, p := range s.places() {
		if mortal(p) && heard[p.entity] < t {
			delete(s.held, p)
		}
	}
}

// places returns the occupied places in their one order.
func (s *State) places() []place {
	return slices.SortedFunc(maps.Keys(s.held), func(a, b place) int {
		return cmp.Or(cmp.Compare(a.slot, b.slot), cmp.Compare(a.entity, b.entity))
	})
}

// keyframeHead is the first line of a state written down.
type keyframeHead struct {
	Seq    uint64            `json:"seq"`
	T      clock.Time        `json:"t"`
	Counts map[string]uint64 `json:"counts"`
}

// AppendBinary appends the state in its one form: a head, then the events held,
// one to a line. Equal states give equal bytes.
func (s *State) AppendBinary(b []byte) ([]byte, error) {
	counts := s.counts
	if counts == nil {
		counts = map[string]uint64{} // "{}" and not "null": one form for one state
	}
	head, err := json.Marshal(keyframeHead{s.seq, s.at, counts})
	if err != nil {
		return b, fmt.Errorf("runlog: keyframe: %w", err)
	}
	b = append(append(b, head...), '\n')
	for _, p := range s.places() {
		b = append(AppendLine(b, *s.held[p]), '\n')
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary wrote.
func (s *State) UnmarshalBinary(b []byte) error {
	line, rest, _ := bytes.Cut(b, []byte{'\n'})
	var head keyframeHead
	if err := json.Unmarshal(line, &head); err != nil {
		return fmt.Errorf("runlog: keyframe: head: %w", err)
	}
	fresh := State{seq: head.Seq, at: head.T, counts: head.Counts, held: make(map[place]*event.Event)}
	if fresh.counts == nil {
		fresh.counts = make(map[string]uint64)
	}
	var p parser
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		e, err := p.parse(line)
		if err != nil {
			return fmt.Errorf("runlog: keyframe: %w", err)
		}
		slot := effectOf(&e).into
		if slot == noSlot || e.Seq > head.Seq {
			return fmt.Errorf("runlog: keyframe: event %d (%s) has no place in the state after event %d", e.Seq, e.Kind, head.Seq)
		}
		fresh.keep(slot, e)
	}
	*s = fresh
	return nil
}

// hashState returns the hash of a state written down.
func hashState(keyframe []byte) Hash { return sha256.Sum256(keyframe) }
