package dispatch

import (
	"slices"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
)

// Round is what a policy plans with: everything that Dispatch knows at one
// instant, nothing that it would have to ask for.
type Round struct {
	Number   uint64
	Now      clock.Time
	Settings Settings
	Requests []Waiting // ordered by age: by RequestedAt, then delivery, then attempt
	Robots   []Ready   // ordered by id
	Legs     Legs      // from the robots' places to the requests' pickups
}

// Waiting is a request that has no robot.
type Waiting struct {
	Request Request       `json:"request"`
	Trip    maps.Leg      `json:"trip"`            // pickup to drop-off
	Home    int64         `json:"home_mwh"`        // energy from the drop-off to the nearest dock
	Held    clock.Time    `json:"held,omitempty"`  // since when a robot for it has been kept waiting on purpose
	Pickup  clock.Time    `json:"pickup"`          // when a robot was expected at the pickup as the request came, before calibration
	Dropoff clock.Time    `json:"dropoff"`         // the same of the drop-off
	Tried   fleet.RobotID `json:"tried,omitempty"` // the robot whose reservation got no answer
}

// Ready is a robot that has, or will have, time.
type Ready struct {
	Robot    fleet.RobotID `json:"robot"`
	Kind     fleet.Kind    `json:"kind"`
	Takes    fleet.Load    `json:"takes"`
	At       maps.Position `json:"at"`           // where it will be when it is free
	Free     clock.Time    `json:"free"`         // when that will be; not before now
	Usable   int64         `json:"usable_mwh"`   // charge above the reserve, then
	PowerMW  int64         `json:"power_mw"`     // what it charges with meanwhile; 0 if it is not docked
	Idle     bool          `json:"idle"`         // it can go at once
	Chore    uint64        `json:"chore"`        // token of the charging or moving that a delivery would end; 0 if none
	Capacity int64         `json:"capacity_mwh"` // of the battery; 0 for couriers
}

// Legs is a matrix of legs between places that several robots or requests may share.
type Legs struct {
	cells   []maps.Leg // by place, then by pickup
	pickups int        // number of columns
	ofRobot []int32    // row of each robot
	ofNeed  []int32    // column of each request
}

// Of returns the leg from robot i to the pickup of request k.
func (l *Legs) Of(i, k int) maps.Leg { return l.cells[int(l.ofRobot[i])*l.pickups+int(l.ofNeed[k])] }

// NewLegs returns the matrix with a row for each robot and a column for each request.
func NewLegs(robots, requests int, cells []maps.Leg) Legs {
	l := Legs{cells: cells, pickups: requests}
	for i := range robots {
		l.ofRobot = append(l.ofRobot, int32(i))
	}
	for k := range requests {
		l.ofNeed = append(l.ofNeed, int32(k))
	}
	return l
}

// Option is one robot for one request.
type Option struct {
	Arrive   clock.Time     // at the pickup, if it leaves as soon as it can
	Deadhead clock.Duration // the drive there
	LengthMM int64
	Cost     int64 // ms-equivalents
}

// Pairing is a robot planned for a request. Indices are of the round.
type Pairing struct {
	Request int
	Robot   int
	Commit  bool // now, rather than in a later round
	Option  Option
	Why     Why
}

// Option returns what it takes to send robot i for request k, and whether that is possible.
func (r *Round) Option(i, k int) (Option, bool) {
	robot, w := &r.Robots[i], &r.Requests[k]
	leg := r.Legs.Of(i, k)
	if !leg.OK || !w.Trip.OK || !suits(robot, &w.Request) {
		return Option{}, false
	}
	delay, ok := robot.delay(leg.EnergyMWh + w.Trip.EnergyMWh + w.Home)
	if !ok {
		return Option{}, false
	}
	o := Option{Deadhead: clock.Duration(leg.Millis), LengthMM: leg.LengthMM}
	o.Arrive = max(robot.Free, r.Now).Add(delay + o.Deadhead)
	o.Cost = r.cost(w, o.Arrive, o.Deadhead)
	return o, true
}

// suits reports whether the robot may and can carry what the request is for.
func suits(robot *Ready, q *Request) bool {
	if robot.Kind != fleet.KindRobot && (q.Kind != ForTransfer || robot.Kind != fleet.KindCourier) {
		return false
	}
	return Fits(robot.Takes, q.Load) && !slices.Contains(q.Not, robot.Robot)
}

// Fits reports whether goods of size load go into a robot that takes at most
// takes. Goods may be turned around, not tipped over.
func Fits(takes, load fleet.Load) bool {
	return load.HeightMM <= takes.HeightMM && load.Grams <= takes.Grams &&
		max(load.LengthMM, load.WidthMM) <= max(takes.LengthMM, takes.WidthMM) &&
		min(load.LengthMM, load.WidthMM) <= min(takes.LengthMM, takes.WidthMM)
}

// delay returns how long the robot must go on charging before it has need mWh
// above its reserve, and whether it ever will.
func (robot *Ready) delay(need int64) (clock.Duration, bool) {
	missing := need - robot.Usable
	switch {
	case robot.Capacity == 0 || missing <= 0:
		return 0, true
	case robot.PowerMW <= 0 || need > robot.Capacity:
		return 0, false
	}
	return clock.Duration((missing*3_600_000 + robot.PowerMW - 1) / robot.PowerMW), true
}

// cost weighs a pairing, in ms-equivalents. It grows with arrive and deadhead.
func (r *Round) cost(w *Waiting, arrive clock.Time, deadhead clock.Duration) int64 {
	s, ready := &r.Settings, w.Request.ReadyAt
	cost := int64(deadhead) * s.DeadheadWeight
	if late := arrive.Sub(ready); late > 0 {
		cost += int64(late) * s.LateWeight
	} else if !s.Lazy {
		cost += int64(-late) * s.EarlyWeight
	}
	done := max(arrive, ready).Add(s.LoadTime + clock.Duration(w.Trip.Millis) + s.UnloadTime)
	if late := done.Sub(w.Request.PromiseAt); late > 0 && w.Request.PromiseAt != 0 {
		cost += int64(late) * s.PromiseWeight
	}
	return cost / 1000
}

// leftOver is the price of planning no robot for request k, in ms-equivalents.
func (r *Round) leftOver(k int) int64 {
	w, s := &r.Requests[k], &r.Settings
	age := max(0, r.Now.Sub(w.Request.RequestedAt))
	return r.cost(w, r.Now.Add(s.LeftOver), s.LeftOver) + int64(age)*s.AgeWeight/1000
}

// due reports whether waiting one more round would delay the pickup.
func (r *Round) due(k int, o Option) bool {
	s := &r.Settings
	return !s.Lazy || o.Arrive.Add(s.RoundEvery+s.LazySlack) > r.Requests[k].Request.ReadyAt
}

// can reports whether robot i can be sent with option o at once.
func (r *Round) can(i int, o Option) bool {
	return r.Robots[i].Idle && o.Arrive == r.Now.Add(o.Deadhead)
}
