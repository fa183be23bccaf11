package play

import (
	"encoding/json"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
)

// apply folds an event into s. Kinds that say nothing to it change nothing.
func (s *State) apply(e *event.Event, net *maps.Network) error {
	s.Seq = e.Seq
	fold := folds[e.Kind]
	if fold == nil {
		return nil
	}
	s.Revision++
	if err := fold(s, e, net); err != nil {
		return fmt.Errorf("play: event %d (%s of %q): %w", e.Seq, e.Kind, e.Entity, err)
	}
	return nil
}

// read decodes the data of an event.
func read[T any](e *event.Event) (T, error) {
	var v T
	err := json.Unmarshal(e.Data, &v)
	return v, err
}

// folds has what each kind of event does to the state.
var folds = map[string]func(*State, *event.Event, *maps.Network) error{
	runlog.RunBegan:        (*State).began,
	runlog.RunEnded:        func(s *State, _ *event.Event, _ *maps.Network) error { s.Ended = true; return nil },
	runlog.RobotLeg:        (*State).leg,
	runlog.RobotPose:       (*State).pose,
	runlog.RobotHalt:       (*State).halt,
	runlog.RobotResume:     (*State).resume,
	runlog.RobotCharging:   (*State).charging,
	runlog.RobotCharged:    (*State).charged,
	runlog.OperatorBegan:   func(s *State, e *event.Event, _ *maps.Network) error { s.robot(e.Entity).Helped = true; return nil },
	runlog.OperatorEnded:   func(s *State, e *event.Event, _ *maps.Network) error { s.robot(e.Entity).Helped = false; return nil },
	runlog.MerchantReady:   (*State).merchantReady,
	runlog.WeatherChanged:  (*State).weather,
	runlog.WorldFault:      (*State).fault,
	runlog.WorldCleared:    (*State).cleared,
	"maps.closed":          (*State).closed,
	"maps.reopened":        (*State).reopened,
	"fleet.state":          (*State).fleetState,
	"fleet.reserved":       (*State).reserved,
	"fleet.released":       (*State).released,
	"delivery.requested":   (*State).changed,
	"delivery.assigned":    (*State).changed,
	"delivery.to_pickup":   (*State).changed,
	"delivery.at_pickup":   (*State).changed,
	"delivery.loaded":      (*State).changed,
	"delivery.to_dropoff":  (*State).changed,
	"delivery.at_dropoff":  (*State).changed,
	"delivery.returning":   (*State).changed,
	"delivery.at_return":   (*State).changed,
	"delivery.custody":     (*State).news,
	"delivery.trouble":     (*State).news,
	"delivery.ready":       (*State).news,
	"delivery.edited":      (*State).news,
	"delivery.expectation": (*State).news,
	"delivery.delivered":   (*State).over,
	"delivery.returned":    (*State).over,
	"delivery.cancelled":   (*State).over,
	"dispatch.assigned":    (*State).decided,
	"dispatch.lost":        (*State).undecided,
	"dispatch.gave_up":     (*State).undecided,
}

func (s *State) began(e *event.Event, _ *maps.Network) error {
	b, err := read[runlog.Began](e)
	if err != nil {
		return err
	}
	s.Docks = b.Docks
	for _, x := range b.Robots {
		r := s.robot(string(x.ID))
		r.Kind, r.CapacityMWh, r.base, r.Pos, r.Known = x.Kind, x.CapacityMWh, x.ChargeMWh, x.Position, true
	}
	return nil
}

// stop ends a robot's leg at t, wherever that is.
func (r *Robot) stop(t clock.Time, net *maps.Network) {
	if r.Leg != nil {
		r.move(t, net)
		r.base, r.Leg = r.ChargeMWh, nil
	}
}

func (s *State) leg(e *event.Event, net *maps.Network) error {
	l := new(runlog.Leg)
	if err := json.Unmarshal(e.Data, l); err != nil {
		return err
	}
	r := s.robot(e.Entity)
	if len(l.Route) == 0 { // it is there already
		r.stop(e.T, net)
		r.Halted, r.Cause, r.Dock = false, "", ""
		r.Purpose, r.Delivery, r.Loaded = l.Purpose, l.Delivery, l.Loaded
		return nil
	}
	if len(l.Times) != len(l.Route) {
		return fmt.Errorf("a leg over %d edges with %d times", len(l.Route), len(l.Times))
	}
	for _, id := range l.Route {
		if id < 0 || int(id) >= len(net.Edges) {
			return fmt.Errorf("edge %d: map %q has edges 0 to %d; was the run on another map?", id, net.Name, len(net.Edges)-1)
		}
	}
	r.Leg, r.LegAt, r.Known, r.told, r.gap = l, e.T, true, false, 0
	r.Halted, r.Cause, r.Dock = false, "", ""
	r.Purpose, r.Delivery, r.Loaded = l.Purpose, l.Delivery, l.Loaded
	return nil
}

// silence is how long a robot that sends poses may be silent; after more it jumps.
const silence = 10 * clock.Second

func (s *State) pose(e *event.Event, net *maps.Network) error {
	p, err := read[runlog.Pose](e)
	if err != nil {
		return err
	}
	if err := onMap(p.Position, net); err != nil {
		return err
	}
	r := s.robot(e.Entity)
	r.From, r.gap = r.Pos, 0
	if r.Known && r.posAt != 0 && e.T.Sub(r.posAt) <= silence {
		r.gap = e.T.Sub(r.posAt)
	}
	r.Leg, r.Pos, r.posAt, r.Known, r.told = nil, p.Position, e.T, true, false
	r.base, r.Loaded, r.Reported, r.Cause = p.ChargeMWh, p.Loaded, p.Activity, p.Fault
	r.Halted = p.Activity == fleet.Halted || p.Activity == fleet.Broken
	switch {
	case p.Activity != fleet.Charging:
		r.Dock = ""
	case r.Dock == "":
		r.Dock, r.powerMW, r.chargeAt = "dock", 0, e.T
	}
	return nil
}

func (s *State) halt(e *event.Event, net *maps.Network) error {
	h, err := read[runlog.Halt](e)
	if err != nil {
		return err
	}
	return s.standing(e, h.Position, h.ChargeMWh, h.Cause, net)
}

func (s *State) resume(e *event.Event, net *maps.Network) error {
	h, err := read[runlog.Resume](e)
	if err != nil {
		return err
	}
	return s.standing(e, h.Position, h.ChargeMWh, "", net)
}

// standing puts a robot where it stands, on account of cause or without one.
func (s *State) standing(e *event.Event, at maps.Position, charge int64, cause string, net *maps.Network) error {
	if err := onMap(at, net); err != nil {
		return err
	}
	r := s.robot(e.Entity)
	r.Leg, r.Pos, r.Known, r.told, r.gap = nil, at, true, false, 0
	r.base, r.Halted, r.Cause = charge, cause != "", cause
	return nil
}

func (s *State) charging(e *event.Event, net *maps.Network) error {
	c, err := read[runlog.Charging](e)
	if err != nil {
		return err
	}
	if err := onMap(c.Position, net); err != nil {
		return err
	}
	r := s.robot(e.Entity)
	r.Leg, r.Pos, r.Known, r.told, r.gap = nil, c.Position, true, false, 0
	r.Halted, r.Cause = false, ""
	r.Dock, r.powerMW, r.chargeAt, r.base = c.Dock, c.PowerMW, e.T, c.ChargeMWh
	return nil
}

func (s *State) charged(e *event.Event, net *maps.Network) error {
	c, err := read[runlog.Charged](e)
	if err != nil {
		return err
	}
	r := s.robot(e.Entity)
	r.stop(e.T, net)
	r.Dock, r.base = "", c.ChargeMWh
	return nil
}

func (s *State) merchantReady(e *event.Event, _ *maps.Network) error {
	if d := s.Delivery(e.Entity); d != nil {
		d.Ready = e.T
	}
	return nil
}

func (s *State) weather(e *event.Event, _ *maps.Network) (err error) {
	s.Weather, err = read[runlog.Weather](e)
	return err
}

func (s *State) fault(e *event.Event, net *maps.Network) error {
	f, err := read[runlog.Fault](e)
	if err != nil {
		return err
	}
	_ = s.cleared(e, net) // it never fails
	s.Faults = append(s.Faults, Fault{ID: e.Entity, What: f.What, Robot: string(f.Robot), Until: f.Until})
	if len(f.Edges) > 0 {
		s.Closures = append(s.Closures, Closure{ID: e.Entity, Edges: f.Edges, Reason: f.What, Until: f.Until})
	}
	return nil
}

func (s *State) cleared(e *event.Event, _ *maps.Network) error {
	s.Faults = slices.DeleteFunc(s.Faults, func(f Fault) bool { return f.ID == e.Entity })
	s.Closures = slices.DeleteFunc(s.Closures, func(c Closure) bool { return c.ID == e.Entity && len(c.Edges) > 0 })
	return nil
}

func (s *State) closed(e *event.Event, net *maps.Network) error {
	c, err := read[maps.Closed](e)
	if err != nil {
		return err
	}
	_ = s.reopened(e, net) // it never fails
	s.Closures = append(s.Closures, Closure{ID: e.Entity, Reason: c.Reason, Until: c.Until})
	return nil
}

func (s *State) reopened(e *event.Event, _ *maps.Network) error {
	s.Closures = slices.DeleteFunc(s.Closures, func(c Closure) bool { return c.ID == e.Entity && len(c.Edges) == 0 })
	return nil
}

func (s *State) fleetState(e *event.Event, net *maps.Network) error {
	c, err := read[fleet.StateChange](e)
	if err != nil {
		return err
	}
	r := s.robot(e.Entity)
	r.State = c.To
	if r.hearsay() && onMap(c.Position, net) == nil {
		r.Pos, r.base, r.Known, r.told = c.Position, c.ChargeMWh, true, true
	}
	return nil
}

// hearsay reports whether nothing better is known of the robot's place than what services last heard of it.
func (r *Robot) hearsay() bool { return r.Leg == nil && r.Dock == "" && (!r.Known || r.told) }

func (s *State) reserved(e *event.Event, _ *maps.Network) error {
	c, err := read[fleet.Claim](e)
	if err == nil {
		s.robot(e.Entity).Holder = c.Holder
	}
	return err
}

func (s *State) released(e *event.Event, _ *maps.Network) error {
	s.robot(e.Entity).Holder = ""
	return nil
}

// changed is a delivery that has come to another state and is open.
func (s *State) changed(e *event.Event, net *maps.Network) error {
	u, err := readUpdate(e, net)
	if err != nil {
		return err
	}
	d := s.open(e.Entity)
	if u.To == delivery.Requested {
		d.Trouble = ""
	}
	d.State, d.Since = u.To, e.T
	d.take(&u)
	return nil
}

// news is something else that happened to an open delivery.
func (s *State) news(e *event.Event, net *maps.Network) error {
	d := s.Delivery(e.Entity)
	if d == nil {
		return nil
	}
	u, err := readUpdate(e, net)
	if err != nil {
		return err
	}
	d.take(&u)
	switch u.Kind {
	case delivery.Trouble:
		d.Trouble = u.Cause
	case delivery.CustodyMoved:
		d.Trouble, d.Custody = "", true
	}
	return nil
}

func readUpdate(e *event.Event, net *maps.Network) (delivery.Update, error) {
	u, err := read[delivery.Update](e)
	if err == nil {
		err = onMap(u.Pickup, net)
	}
	if err == nil {
		err = onMap(u.Dropoff, net)
	}
	return u, err
}

// take notes what every update says.
func (d *Delivery) take(u *delivery.Update) {
	d.Robot, d.Attempt = string(u.Robot), u.Attempt
	d.Partner, d.External, d.Store = string(u.Partner), u.ExternalID, u.Store
	d.Pickup, d.Dropoff, d.RouteMM = u.Pickup, u.Dropoff, u.RouteMM
	d.Promise, d.Expected, d.ReadyAt = u.Promise, u.Expected, u.ReadyAt
}

func (s *State) over(e *event.Event, _ *maps.Network) error {
	s.closeDelivery(e.Entity)
	return nil
}

func (s *State) decided(e *event.Event, _ *maps.Network) error {
	if d := s.Delivery(e.Entity); d != nil {
		d.decided = e.Data
	}
	return nil
}

func (s *State) undecided(e *event.Event, _ *maps.Network) error {
	if d := s.Delivery(e.Entity); d != nil {
		d.decided = nil
	}
	return nil
}

// onMap says that a position is not on the map.
func onMap(p maps.Position, net *maps.Network) error {
	if p.Edge < 0 || int(p.Edge) >= len(net.Edges) {
		return fmt.Errorf("edge %d: map %q has edges 0 to %d; was the run on another map?", p.Edge, net.Name, len(net.Edges)-1)
	}
	return nil
}
