package kpi

import (
	"footway/core/clock"
	"footway/core/delivery"
)

// Record is what happened to one delivery. Instants are 0 if they never came.
// Those before Loaded are of the attempt that went on, not of one that was lost.
type Record struct {
	Delivery   string           `json:"delivery"`
	Partner    string           `json:"partner"`
	ExternalID string           `json:"external_id"`
	Store      string           `json:"store,omitempty"`
	State      delivery.State   `json:"state"`
	Reason     delivery.Reason  `json:"reason,omitempty"`
	Cause      string           `json:"cause,omitempty"` // of its end
	Robot      string           `json:"robot,omitempty"` // the last carrier
	Promise    delivery.Promise `json:"promise"`
	RouteMM    int64            `json:"route_mm"`

	Requested     clock.Time `json:"requested"`      // accepted by the partner
	FirstAssigned clock.Time `json:"first_assigned"` // of the first attempt
	Assigned      clock.Time `json:"assigned"`       // of the attempt that went on
	AtPickup      clock.Time `json:"at_pickup"`
	Ready         clock.Time `json:"ready"`      // the goods truly were
	ReadySaid     clock.Time `json:"ready_said"` // the goods were expected to be
	Loaded        clock.Time `json:"loaded"`
	AtDropoff     clock.Time `json:"at_dropoff"`
	Ended         clock.Time `json:"ended"`

	Crossings    clock.Duration `json:"crossings"` // waits at crossings with the goods aboard
	Redispatches int            `json:"redispatches"`
	Transfers    int            `json:"transfers"`
	Troubles     int            `json:"troubles"`
}

// Delivered reports whether the goods reached the recipient.
func (r *Record) Delivered() bool { return r.State == delivery.Delivered }

// Undelivered reports whether it ended otherwise, and not because the partner
// cancelled it.
func (r *Record) Undelivered() bool {
	return r.State == delivery.Returned || r.State == delivery.Cancelled && r.Reason != delivery.ByCreator
}

// ReadyAt returns when the goods were ready: truly, or else as expected.
func (r *Record) ReadyAt() clock.Time {
	if r.Ready != 0 {
		return r.Ready
	}
	return r.ReadySaid
}

// Phase is a part of the time from click to door.
type Phase int

// The phases, in the order in which they come.
const (
	PhaseAssignment Phase = iota // until the robot that came was assigned
	PhaseDeadhead                // until it was at the pickup
	PhaseMerchant                // until the goods were ready
	PhaseLoading                 // until they were loaded
	PhaseTravel                  // driving to the recipient
	PhaseCrossings               // waiting at crossings on the way
	PhaseHandoff                 // until the recipient had them
	Phases                       // how many there are
)

// String returns the phase in words.
func (p Phase) String() string {
	return [...]string{"assignment", "deadhead", "merchant", "loading", "travel", "crossings", "handoff"}[p]
}

// Phases splits the time from click to door; the parts sum to it. A delivery
// that ended early has parts up to its end. ok is false if it was not accepted or
// has not ended.
func (r *Record) Phases() (parts [Phases]clock.Duration, ok bool) {
	if r.Requested == 0 || r.Ended == 0 {
		return parts, false
	}
	reached := func(t clock.Time) clock.Time {
		if t == 0 {
			return r.Ended
		}
		return t
	}
	assigned, atPickup, loaded, atDropoff := reached(r.Assigned), reached(r.AtPickup), reached(r.Loaded), reached(r.AtDropoff)
	ready := min(max(r.ReadyAt(), atPickup), loaded)
	drive := atDropoff.Sub(loaded)
	crossings := min(r.Crossings, drive)
	return [Phases]clock.Duration{
		assigned.Sub(r.Requested), atPickup.Sub(assigned), ready.Sub(atPickup), loaded.Sub(ready),
		drive - crossings, crossings, r.Ended.Sub(atDropoff),
	}, true
}

// between returns the time between two instants, if both came.
func between(from, to clock.Time) (int64, bool) { return int64(to - from), from != 0 && to != 0 }

// clickToDoor returns the time from acceptance to delivery.
func clickToDoor(r *Record) (int64, bool) {
	d, ok := between(r.Requested, r.Ended)
	return d, ok && r.Delivered()
}

// late returns by how much the promise was missed, negative if it was kept with time to spare.
func late(r *Record) (int64, bool) {
	d, ok := between(r.Promise.DropoffP90, r.Ended)
	return d, ok && r.Delivered()
}
