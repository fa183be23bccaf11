package play

import (
	"cmp"
	"encoding/json"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/core/runlog"
)

// State is how things stand at an instant: the fold of the log, with everything
// that moves at the place where it is then.
type State struct {
	T          clock.Time
	Seq        uint64 // of the last event in it
	Revision   uint64 // changes with everything but poses and charges
	Robots     []Robot
	Deliveries []Delivery // open ones
	Docks      []runlog.BeganDock
	Closures   []Closure
	Faults     []Fault
	Weather    runlog.Weather
	Ended      bool // the run is over

	robots map[string]int // index into Robots
}

// Robot is a robot or courier.
type Robot struct {
	ID          string
	Kind        fleet.Kind
	CapacityMWh int64 // 0 if unknown
	State       fleet.State
	Holder      string // of its reservation, such as "delivery/d7#1"
	Helped      bool   // a remote operator helps it
	Halted      bool
	Cause       string // of the halt
	Purpose     runlog.Purpose
	Delivery    string // that its leg is for
	Loaded      bool
	Dock        fleet.DockID   // where it charges
	Leg         *runlog.Leg    // that it drives, or has come to the end of
	LegAt       clock.Time     // when the leg began
	Reported    fleet.Activity // what its last pose says, if it sends poses
	Known       bool           // whether Pos is a place
	Pos         maps.Position  // at T
	From        maps.Position  // of a robot that sends poses: the one before
	Blend       float32        // how far it has come from From to Pos; 1 for all others
	Moving      bool           // at T
	ChargeMWh   int64          // at T
	Activity    kpi.Activity   // at T

	powerMW  int64
	chargeAt clock.Time // when base was true
	base     int64
	posAt    clock.Time     // of the last pose
	gap      clock.Duration // between the last two poses
	span     span
	told     bool // its place is what services last heard, no more
}

// ChargePermille returns the charge in permille of the capacity, or -1 if it is unknown.
func (r *Robot) ChargePermille() int {
	if r.CapacityMWh <= 0 {
		return -1
	}
	return int(min(1000, max(0, r.ChargeMWh*1000/r.CapacityMWh)))
}

// Delivery is an open delivery.
type Delivery struct {
	ID       string
	State    delivery.State
	Since    clock.Time // of the state
	Robot    string     // that is to carry it, or has it
	Attempt  int
	Partner  string
	External string
	Store    string
	Pickup   maps.Position
	Dropoff  maps.Position
	Promise  delivery.Promise
	Expected delivery.Promise
	ReadyAt  clock.Time // the goods are said to be ready
	Ready    clock.Time // they were; 0 if not yet
	RouteMM  int64
	Trouble  string // cause of the last trouble, until it is over
	Custody  bool   // another carrier took it over

	decided []byte // the decision on the robot, as the log has it; nil if none
}

// Decision returns how the robot was chosen; nil if nothing is known of it. It is read only when somebody asks.
func (d *Delivery) Decision() *dispatch.Decision {
	x := new(dispatch.Decision)
	if d.decided == nil || json.Unmarshal(d.decided, x) != nil {
		return nil
	}
	return x
}

// Left returns the time to the promised drop-off; negative once it is late.
func (d *Delivery) Left(t clock.Time) clock.Duration { return d.Promise.DropoffP90.Sub(t) }

// Loaded reports whether the goods are with a carrier.
func (d *Delivery) Loaded() bool {
	switch d.State {
	case delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff, delivery.Returning, delivery.AtReturn:
		return true
	}
	return false
}

// Closure is a part of the network that is closed.
type Closure struct {
	ID      string
	Edges   []maps.EdgeID
	Polygon []maps.Point
	Reason  string
	Until   clock.Time // 0 if unknown
}

// Fault is something that is wrong on purpose.
type Fault struct {
	ID    string
	What  string
	Robot string
	Until clock.Time
}

// Robot returns a robot by its id, or nil.
func (s *State) Robot(id string) *Robot {
	if i, ok := s.robots[id]; ok {
		return &s.Robots[i]
	}
	return nil
}

// Delivery returns an open delivery by its id, or nil.
func (s *State) Delivery(id string) *Delivery {
	if i, ok := s.find(id); ok {
		return &s.Deliveries[i]
	}
	return nil
}

// Same returns the open delivery of the same order as d, of another run, or nil. Its id may be another there.
func (s *State) Same(d *Delivery) *Delivery {
	same := func(o *Delivery) bool { return o.Partner == d.Partner && o.External == d.External }
	if o := s.Delivery(d.ID); o != nil && same(o) || d.External == "" {
		return o
	}
	for i := range s.Deliveries {
		if o := &s.Deliveries[i]; same(o) {
			return o
		}
	}
	return nil
}

// Dock returns a dock by its id, or nil.
func (s *State) Dock(id string) *runlog.BeganDock {
	for i := range s.Docks {
		if string(s.Docks[i].ID) == id {
			return &s.Docks[i]
		}
	}
	return nil
}

// ByID orders ids as people do: r9 before r10.
func ByID(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }

func (s *State) find(id string) (int, bool) {
	return slices.BinarySearchFunc(s.Deliveries, id, func(d Delivery, id string) int { return ByID(d.ID, id) })
}

// robot returns the robot of an id, which it adds if it is new.
func (s *State) robot(id string) *Robot {
	if r := s.Robot(id); r != nil {
		return r
	}
	i, _ := slices.BinarySearchFunc(s.Robots, id, func(r Robot, id string) int { return ByID(r.ID, id) })
	s.Robots = slices.Insert(s.Robots, i, Robot{ID: id, Kind: fleet.KindRobot, State: fleet.Available, Blend: 1})
	for ; i < len(s.Robots); i++ {
		s.robots[s.Robots[i].ID] = i
	}
	return s.Robot(id)
}

// open returns the delivery of an id, which it adds if it is new.
func (s *State) open(id string) *Delivery {
	i, ok := s.find(id)
	if !ok {
		s.Deliveries = slices.Insert(s.Deliveries, i, Delivery{ID: id})
	}
	return &s.Deliveries[i]
}

func (s *State) closeDelivery(id string) {
	if i, ok := s.find(id); ok {
		s.Deliveries = slices.Delete(s.Deliveries, i, i+1)
	}
}

// clear makes s the state before the first event, and keeps its memory.
func (s *State) clear() {
	clear(s.robots)
	if s.robots == nil {
		s.robots = make(map[string]int)
	}
	*s = State{
		Revision: s.Revision + 1, robots: s.robots,
		Robots: s.Robots[:0], Deliveries: s.Deliveries[:0], Closures: s.Closures[:0], Faults: s.Faults[:0],
	}
}
