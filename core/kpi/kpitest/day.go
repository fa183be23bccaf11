// Package kpitest makes up the events of a day, for tests of what reads logs.
// It is not a simulator: robots drive straight from job to job, but each event
// has the shape, the order and the proportions of a real one.
package kpitest

import (
	"cmp"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/core/runlog"
)

// Market is the market of the day's events.
const Market = market.ID("wedgwood")

// Start is when the day begins: 11:00 in New York.
const Start = clock.Time(1_781_276_400_000)

// Day is what to make up.
type Day struct {
	Seed   rng.Seed
	Robots int
	Orders int
	Over   clock.Duration // in which the orders come
	Slower clock.Duration // by which each assignment takes longer
}

// Events returns the day's events in order, numbered from 1.
func (d Day) Events() []event.Event {
	m := &maker{day: d}
	m.begin()
	for _, i := range d.arrivals() {
		m.order(i)
	}
	slices.SortStableFunc(m.events, func(a, b event.Event) int { return cmp.Compare(a.T, b.T) })
	last := m.events[len(m.events)-1].T
	m.add(last+1000, runlog.RunEnded, "made-up", runlog.Ended{Why: "done"})
	for i := range m.events {
		m.events[i].Seq = uint64(i + 1)
	}
	return m.events
}

type maker struct {
	day    Day
	events []event.Event
	free   []clock.Time // when each robot is free
	charge []int64
}

const capacity = 1_200_000 // mWh

func (m *maker) add(t clock.Time, kind, entity string, data any) {
	m.events = append(m.events, event.New(t, string(Market), kind, entity, 0, data))
}

func (m *maker) begin() {
	b := runlog.Began{Scenario: "made-up", Seed: uint64(m.day.Seed), Market: string(Market), TimeZone: "America/New_York", Version: "test"}
	for i := range m.day.Robots {
		b.Robots = append(b.Robots, runlog.BeganRobot{ID: robotID(i), Kind: fleet.KindRobot, CapacityMWh: capacity, ChargeMWh: capacity * 95 / 100})
		m.free = append(m.free, Start)
		m.charge = append(m.charge, capacity*95/100)
	}
	m.add(Start, runlog.RunBegan, "made-up", b)
}

func robotID(i int) fleet.RobotID { return fleet.RobotID(fmt.Sprintf("r%d", i+1)) }

// spread draws a duration between least and most, small ones more often.
func spread(s rng.Stream, k uint64, least, most clock.Duration) clock.Duration {
	span := int64(most - least)
	return least + clock.Duration(min(s.N(k, span), s.N(k+1000, span)))
}

// luck returns the draws of order i, and arrival when it comes.
func (d Day) luck(i int) rng.Stream { return d.Seed.Stream(fmt.Sprint("order/", i), "all") }

func (d Day) arrival(i int) clock.Time {
	return Start.Add(clock.Duration(d.luck(i).N(0, int64(d.Over))))
}

// arrivals returns the orders in the order in which they come.
func (d Day) arrivals() []int {
	var all []int
	for i := range d.Orders {
		all = append(all, i)
	}
	slices.SortFunc(all, func(i, j int) int { return cmp.Or(cmp.Compare(d.arrival(i), d.arrival(j)), cmp.Compare(i, j)) })
	return all
}

// order makes up all events of order i.
func (m *maker) order(i int) {
	luck, at := m.day.luck(i), m.day.arrival(i)
	id := delivery.ID(fmt.Sprintf("d%d", i+1))
	if luck.Chance(1, 40) {
		m.add(at, "delivery.refused", string(id), map[string]string{"partner": "doordash", "reason": "distance_too_long"})
		return
	}
	route := 300_000 + luck.N(2, 1_500_000)
	trip := clock.Duration(route / 14 * 10) // 1.4 m/s
	u := delivery.Update{
		Delivery: id, Market: Market, Partner: "doordash", ExternalID: fmt.Sprintf("AE-%04d", i+1),
		RouteMM: route, Store: fmt.Sprintf("store-%d", luck.N(3, 12)), Fee: 975, ReadyAt: at.Add(spread(luck, 4, 5*clock.Minute, 25*clock.Minute)),
	}
	p50 := max(u.ReadyAt, at.Add(8*clock.Minute)).Add(trip + 4*clock.Minute)
	u.Promise = delivery.Promise{PickupP50: u.ReadyAt, PickupP90: u.ReadyAt.Add(6 * clock.Minute), DropoffP50: p50, DropoffP90: p50.Add(9 * clock.Minute)}
	m.move(&u, delivery.Quoted, at)
	if luck.Chance(5, 60) {
		return
	}
	at = at.Add(spread(luck, 6, 2*clock.Second, 2*clock.Minute))
	m.move(&u, delivery.Requested, at)
	if luck.Chance(7, 20) {
		u.Reason, u.Cause = delivery.ByCreator, "cancelled by the partner"
		m.move(&u, delivery.Cancelled, at.Add(3*clock.Minute))
		return
	}
	m.carry(&u, luck, at, trip)
}

// move writes a change of state.
func (m *maker) move(u *delivery.Update, to delivery.State, at clock.Time) {
	u.Kind, u.From, u.To, u.At = delivery.StateChanged, u.To, to, at
	u.Sequence++
	m.add(at, "delivery."+string(to), string(u.Delivery), *u)
}

// carry writes the way from the assignment to the end.
func (m *maker) carry(u *delivery.Update, luck rng.Stream, at clock.Time, trip clock.Duration) {
	r := slices.Index(m.free, slices.Min(m.free))
	robot := string(robotID(r))
	at = max(at.Add(15*clock.Second), m.free[r]).Add(m.day.Slower)
	u.Robot, u.Attempt = robotID(r), 1
	m.add(at, "fleet.reserved", robot, map[string]string{"robot": robot, "holder": "delivery/" + string(u.Delivery) + "#1"})
	m.move(u, delivery.Assigned, at)
	at = m.drive(r, u, runlog.ToPickup, at, 100_000+luck.N(10, 700_000))
	m.move(u, delivery.AtPickup, at)
	ready := u.ReadyAt.Add(spread(luck, 11, -2*clock.Minute, 10*clock.Minute))
	m.add(ready, runlog.MerchantReady, string(u.Delivery), runlog.Ready{Delivery: string(u.Delivery), Store: u.Store})
	at = max(at, ready).Add(spread(luck, 12, 20*clock.Second, 3*clock.Minute))
	m.move(u, delivery.Loaded, at)
	m.move(u, delivery.ToDropoff, at)
	if luck.Chance(13, 60) {
		at = m.trouble(r, u, at, luck)
	}
	at = m.drive(r, u, runlog.ToDropoff, at, int64(trip)*14/10)
	m.move(u, delivery.AtDropoff, at)
	if luck.Chance(14, 15) {
		at = at.Add(10 * clock.Minute)
		u.Reason, u.Cause = delivery.FailedToDeliver, "nobody came"
		m.move(u, delivery.Cancelled, at)
	} else {
		at = at.Add(spread(luck, 15, 20*clock.Second, 6*clock.Minute))
		m.move(u, delivery.Delivered, at)
	}
	m.add(at, "fleet.released", robot, map[string]string{"robot": robot, "holder": "delivery/" + string(u.Delivery) + "#1"})
	m.free[r] = m.rest(r, at)
}

// drive writes a leg and returns when it ends.
func (m *maker) drive(r int, u *delivery.Update, why runlog.Purpose, at clock.Time, mm int64) clock.Time {
	l := runlog.Leg{Robot: robotID(r), Purpose: why, Delivery: string(u.Delivery), Loaded: why == runlog.ToDropoff, LengthMM: mm, ChargeFromMWh: m.charge[r]}
	edges := int(mm/80_000) + 1
	var t int32
	for e := range edges {
		if e%4 == 3 {
			l.Waits = append(l.Waits, runlog.Hold{Index: e, Millis: int32(5000 * (1 + (e+r)%5)), Cause: "signal"})
			t += l.Waits[len(l.Waits)-1].Millis
		}
		t += int32(mm / int64(edges) * 10 / 16)
		l.Route, l.Times = append(l.Route, maps.EdgeID((r*131+e*17)%9000)), append(l.Times, t)
	}
	l.EndMM = 40_000
	m.charge[r] -= mm * 30 / 1000 // 30 Wh/km
	l.ChargeToMWh = m.charge[r]
	m.add(at, runlog.RobotLeg, string(l.Robot), l)
	return at.Add(l.Duration())
}

// trouble writes a robot that needs an operator, and returns when it goes on.
func (m *maker) trouble(r int, u *delivery.Update, at clock.Time, luck rng.Stream) clock.Time {
	at = m.drive(r, u, runlog.ToDropoff, at, 50_000).Add(-5 * clock.Second)
	id := robotID(r)
	m.add(at, runlog.RobotHalt, string(id), runlog.Halt{Robot: id, Cause: runlog.CauseStuck, ChargeMWh: m.charge[r], DrivenMM: 42_000})
	wait := spread(luck, 20, clock.Second, 90*clock.Second)
	m.add(at.Add(wait), runlog.OperatorBegan, string(id), runlog.Assist{Robot: id, Operator: "op1", Cause: runlog.CauseStuck, WaitedMS: int64(wait)})
	at = at.Add(wait + spread(luck, 21, 20*clock.Second, 3*clock.Minute))
	m.add(at, runlog.OperatorEnded, string(id), runlog.Assist{Robot: id, Operator: "op1", Cause: runlog.CauseStuck, WaitedMS: int64(wait)})
	m.add(at, runlog.RobotResume, string(id), runlog.Resume{Robot: id, Cause: runlog.CauseStuck, ChargeMWh: m.charge[r]})
	return at
}

// rest charges a robot that is low, and returns when it is free again.
func (m *maker) rest(r int, at clock.Time) clock.Time {
	if m.charge[r] > capacity/2 {
		return at
	}
	id := robotID(r)
	at = m.drive(r, &delivery.Update{}, runlog.ToCharge, at, 200_000)
	m.add(at, runlog.RobotCharging, string(id), runlog.Charging{Robot: id, Dock: "dock1", ChargeMWh: m.charge[r], PowerMW: 600_000})
	at = at.Add(30 * clock.Minute)
	m.charge[r] = min(m.charge[r]+300_000, capacity)
	m.add(at, runlog.RobotCharged, string(id), runlog.Charged{Robot: id, Dock: "dock1", ChargeMWh: m.charge[r]})
	return at
}
