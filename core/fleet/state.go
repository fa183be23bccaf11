package fleet

import (
	"footway/core/clock"
	"footway/core/maps"
)

// StateChange is the data of the journal's "fleet.state" events. A change that
// MDS allows only through other states is one event for each of them.
type StateChange struct {
	Robot     RobotID       `json:"robot"`
	From      State         `json:"from"`
	To        State         `json:"to"`
	Event     Event         `json:"event"`
	Cause     string        `json:"cause,omitempty"` // what brought it about, where the event does not say
	Position  maps.Position `json:"position"`
	ChargeMWh int64         `json:"charge_mwh"`
}

// Claim is the data of the journal's "fleet.reserved" and "fleet.released" events.
type Claim struct {
	Robot   RobotID    `json:"robot"`
	Holder  string     `json:"holder"`
	Token   uint64     `json:"token"`
	Dock    DockID     `json:"dock,omitempty"`
	Expires clock.Time `json:"expires"`
	Cause   string     `json:"cause,omitempty"` // of a release that its holder did not ask for
}

// Held reports whether somebody has the right to command r at the time.
func (r *Robot) Held(now clock.Time) bool {
	return r.Reservation != nil && now < r.Reservation.Expires
}

// contactable reports whether s is a state of a robot that is heard.
func (s State) contactable() bool { return s != NonContactable && s != Missing }

// stateFor returns the MDS state of a robot that is in contact and reported t.
func (r *Robot) stateFor(t Telemetry, now clock.Time) State {
	switch {
	case r.State == Removed:
		return Removed
	case outOfOrder(r.Kind, t):
		return NonOperational
	case !r.Held(now):
		return Available
	case t.Token < r.Reservation.Token && !t.Loaded:
		return Reserved // it has not taken this job up yet
	case t.Activity == AtStop:
		return Stopped
	case t.Loaded && t.Activity == Driving:
		return OnTrip
	case t.Loaded:
		return Stopped
	case (r.State == Stopped || r.State == OnTrip) && t.Activity != Driving:
		return Stopped // it has handed over and waits for its release
	}
	return Reserved
}

// outOfOrder reports whether a carrier that says t cannot take jobs. A courier
// is always driven by hand.
func outOfOrder(k Kind, t Telemetry) bool {
	return t.Activity == Broken || t.Mode == Servicing || t.Mode == Manual && k != KindCourier
}

// draft is a robot that is being changed, with what to tell the journal once
// the change is saved.
type draft struct {
	Robot
	now   clock.Time
	seen  Telemetry
	notes []note
}

type note struct {
	kind string
	data any
}

// move takes the robot to the state, through others where MDS wants them.
func (d *draft) move(to State, cause string) {
	for d.State != to {
		step := next(d.State, to)
		e := d.event(step, d.seen)
		d.notes = append(d.notes, note{"fleet.state", StateChange{
			Robot: d.ID, From: d.State, To: step, Event: e, Cause: cause, Position: d.seen.Position, ChargeMWh: d.seen.ChargeMWh,
		}})
		switch {
		case step == NonContactable:
			d.Before = d.State
		case !d.State.contactable() && step != Missing:
			d.Before = ""
		}
		switch step {
		case OnTrip:
			d.Trip = true
		case Available, Reserved, NonOperational, Removed:
			d.Trip = false
		}
		d.State, d.StateSince = step, d.now
	}
}

// settle moves a robot that is in contact to the state that its reservation and report ask for.
func (d *draft) settle(cause string) {
	if d.State.contactable() {
		d.move(d.stateFor(d.seen, d.now), cause)
	}
}

// release ends the reservation.
func (d *draft) release(cause string) {
	h := d.Reservation
	d.notes = append(d.notes, note{"fleet.released", Claim{Robot: d.ID, Holder: h.Holder, Token: h.Token, Dock: h.Dock, Expires: h.Expires, Cause: cause}})
	d.Reservation = nil
}
