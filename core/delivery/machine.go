package delivery

import (
	"slices"

	"footway/core/clock"
	"footway/core/fault"
)

// next lists where a delivery can go from each state. States that are not
// listed are ends.
var next = map[State][]State{
	Quoted:    {Requested, Cancelled},
	Requested: {Assigned, Cancelled},
	Assigned:  {ToPickup, Requested, Cancelled},
	ToPickup:  {AtPickup, Requested, Cancelled},
	AtPickup:  {Loaded, Requested, Cancelled},
	Loaded:    {ToDropoff, Cancelled},
	ToDropoff: {AtDropoff, Returning, Cancelled},
	AtDropoff: {Delivered, Returning, Cancelled},
	Returning: {AtReturn, Cancelled},
	AtReturn:  {Returned, Cancelled},
}

// reasons lists why a delivery can be cancelled in each state.
var reasons = map[State][]Reason{
	Quoted:    {ByCreator},
	Requested: {ByCreator, FailedToAssign},
	Assigned:  {ByCreator, FailedToAssign},
	ToPickup:  {ByCreator, FailedToAssign},
	AtPickup:  {ByCreator, FailedToAssign, FailedToPickup},
	Loaded:    {FailedToDeliver},
	ToDropoff: {FailedToDeliver},
	AtDropoff: {FailedToDeliver},
	Returning: {FailedToReturn},
	AtReturn:  {FailedToReturn},
}

// outward and homeward are the ways a delivery goes when nothing goes wrong.
var (
	outward  = []State{Requested, Assigned, ToPickup, AtPickup, Loaded, ToDropoff, AtDropoff, Delivered}
	homeward = []State{Returning, AtReturn, Returned}
)

// Ended reports whether nothing happens any more in s.
func (s State) Ended() bool { return s == Delivered || s == Returned || s == Cancelled }

// Carried reports whether the goods are in a carrier's hands in s.
func (s State) Carried() bool {
	switch s {
	case Loaded, ToDropoff, AtDropoff, Returning, AtReturn:
		return true
	}
	return false
}

// BeforeLoaded reports whether s is accepted and the goods are still with the merchant.
func (s State) BeforeLoaded() bool {
	switch s {
	case Requested, Assigned, ToPickup, AtPickup:
		return true
	}
	return false
}

// Homeward reports whether the goods are on their way back in s.
func (s State) Homeward() bool { return s == Returning || s == AtReturn }

// Open reports whether d still needs somebody's attention: it is accepted and
// has not ended, or another service must still be told of its end.
func (d Delivery) Open() bool {
	return d.State != Quoted && !d.State.Ended() || len(d.Owed) > 0
}

// move takes d to another state and returns the update that tells of it. It is
// the only way in which State changes. An illegal move changes nothing and
// fails with fault.Conflict, reason "illegal_transition". reason is wanted for
// Cancelled, and must then be one that the state allows.
func (d *Delivery) move(to State, now clock.Time, cause string, reason Reason) (Update, error) {
	from := d.State
	if !slices.Contains(next[from], to) {
		return Update{}, fault.New("delivery.move", fault.Conflict, "illegal_transition", "delivery %s: no way from %s to %s; want one of %v", d.ID, from, to, next[from])
	}
	if to == Cancelled && !slices.Contains(reasons[from], reason) || to != Cancelled && reason != "" {
		return Update{}, fault.New("delivery.move", fault.Conflict, "illegal_transition", "delivery %s: reason %q does not fit the way from %s to %s", d.ID, reason, from, to)
	}
	d.State, d.Since, d.Exchange, d.Reminded = to, now, 0, false
	switch to {
	case Requested:
		// After a lost attempt its times have never been; the acceptance stays.
		first(&d.Times.Requested, now)
		d.Times.Assigned, d.Times.AtPickup = 0, 0
	case Assigned:
		d.Times.Assigned = now
	case AtPickup:
		d.Times.AtPickup = now
	case Loaded:
		d.Times.Loaded = now
		d.Custody = append(d.Custody, Custody{Carrier: d.Robot, From: now, Cause: "loaded"})
	case AtDropoff:
		first(&d.Times.AtDropoff, now)
	case Cancelled:
		d.CancelReason, d.CancelCause = reason, cause
	}
	if to.Ended() {
		d.Times.Ended = now
	}
	u := d.note(StateChanged, now, cause)
	u.From, u.Reason = from, reason
	return u, nil
}

// note returns the next numbered update of d, which is not a change of state.
func (d *Delivery) note(kind UpdateKind, now clock.Time, cause string) Update {
	d.Sequence++
	d.ToldAt = now
	return Update{
		Delivery: d.ID, Sequence: d.Sequence, Kind: kind, At: now, Market: d.Market, Partner: d.Partner, ExternalID: d.ExternalID,
		From: d.State, To: d.State, Cause: cause, Robot: d.Robot, Attempt: d.Attempt, Promise: d.Promise, Expected: d.Expected,
		ReadyAt: d.ReadyAt, Fee: d.Fee, Tip: d.Tip, RouteMM: d.RouteMM, Pickup: d.Pickup.Position, Dropoff: d.Dropoff.Position, Store: d.Pickup.Store,
		Trace: d.Trace,
	}
}

// first sets t unless it was set before.
func first(t *clock.Time, now clock.Time) {
	if *t == 0 {
		*t = now
	}
}

// Clone returns a copy of d that shares nothing with it.
func (d Delivery) Clone() Delivery {
	d.FeeParts = slices.Clone(d.FeeParts)
	d.Custody = slices.Clone(d.Custody)
	d.Failed = slices.Clone(d.Failed)
	d.Owed = slices.Clone(d.Owed)
	for i := range d.Owed {
		d.Owed[i].Steps = slices.Clone(d.Owed[i].Steps)
	}
	if d.Transfer != nil {
		t := *d.Transfer
		d.Transfer = &t
	}
	return d
}

// Clone returns a copy of p that shares nothing with it.
func (p Personal) Clone() Personal {
	p.Items = slices.Clone(p.Items)
	if p.PickupPoint != nil {
		at := *p.PickupPoint
		p.PickupPoint = &at
	}
	if p.DropoffPoint != nil {
		at := *p.DropoffPoint
		p.DropoffPoint = &at
	}
	return p
}
