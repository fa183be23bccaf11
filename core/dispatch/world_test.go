package dispatch_test

import (
	"context"
	"slices"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
)

const town market.ID = "town"

// world is what stories play in: a real Fleet on memory stores, and a plane
// instead of a map.
type world struct {
	clock     *fake.Clock
	timers    *fake.Timers
	journal   *fake.Journal
	notifier  *fake.Notifier
	link      *fake.Link
	set       dispatch.Settings
	fleet     *fleet.Service
	plane     *plane
	losses    *fake.Losses
	service   *dispatch.Service
	robots    []*robot // ordered by id
	reported  clock.Time
	last      map[string]dispatch.Decision // by delivery, the last assignment
	obeyed    int
	ownTimers *fake.Timers // of Fleet
}

// robot is what the world knows of a robot: it moves only by the story's word
// and, at once, by Dispatch's orders.
type robot struct {
	t      fleet.Telemetry
	full   int64
	silent bool
}

func newWorld(l *fake.Losses) *world {
	if l == nil {
		l = &fake.Losses{}
	}
	w := &world{
		clock: fake.NewClock(fake.Start), timers: &fake.Timers{}, journal: &fake.Journal{}, notifier: &fake.Notifier{},
		link: &fake.Link{}, set: dispatch.DefaultSettings(), plane: &plane{reach: 150}, losses: l,
		reported: fake.Start, last: map[string]dispatch.Decision{}, ownTimers: &fake.Timers{},
	}
	// What stories tell does not depend on how the defaults are tuned.
	w.set.RoundEvery, w.set.RoundSoon, w.set.RoundGap, w.set.LazySlack = 15*clock.Second, clock.Second, 5*clock.Second, 45*clock.Second
	accounts := memory.NewAccountStore()
	w.fleet = fleet.NewService(fleet.Deps{
		Store: memory.NewFleetStore(), Telemetry: memory.NewTelemetryStore(), Accounts: accounts, Link: w.link,
		Clock: w.clock, Timers: w.ownTimers, Journal: &fake.Journal{},
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	})
	must(w.fleet.SaveAccount(context.Background(), fleet.Account{ID: "own", Name: "Own"}))
	w.service = w.newService()
	return w
}

// newService returns another dispatcher of the same town.
func (w *world) newService() *dispatch.Service {
	return dispatch.NewService(dispatch.Deps{
		Fleet: lossyFleet{w.fleet, w.losses}, Charging: lossyCharging{w.fleet, w.losses},
		Places: w.plane, Ways: lossyWays{w.plane, w.losses}, Notifier: w.notifier,
		Clock: w.clock, Timers: w.timers, Journal: w.journal,
		Settings: func(market.ID) dispatch.Settings { return w.set },
		Charge:   func(market.ID) fleet.ChargeSettings { return fleet.DefaultSettings().Charge },
	})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fullMWh is the battery of the plane's robots: enough for 10 km.
const fullMWh = 10_000

// crate is what a robot takes unless the story says otherwise.
var crate = fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 300, Grams: 10_000}

func (w *world) addRobot(id fleet.RobotID, kind fleet.Kind, at maps.Position, permille int64) {
	r := fleet.Robot{ID: id, Market: town, Account: "own", Kind: kind, Capability: crate, CapacityMWh: fullMWh, SpeedMMS: 1000, Home: at}
	if kind == fleet.KindCourier {
		r.CapacityMWh = 0
	}
	must(w.fleet.Register(context.Background(), r))
	n := &robot{full: r.CapacityMWh, t: fleet.Telemetry{
		Robot: id, Position: at, ChargeMWh: r.CapacityMWh * permille / 1000, Activity: fleet.Idle, Mode: fleet.Automatic,
	}}
	i, _ := slices.BinarySearchFunc(w.robots, n, func(a, b *robot) int { return compare(a.t.Robot, b.t.Robot) })
	w.robots = slices.Insert(w.robots, i, n)
	w.report(n)
}

func compare(a, b fleet.RobotID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (w *world) robot(id fleet.RobotID) *robot {
	for _, r := range w.robots {
		if r.t.Robot == id {
			return r
		}
	}
	panic("no robot " + string(id))
}

func (w *world) report(r *robot) {
	if r.silent {
		return
	}
	r.t.At = w.clock.Now()
	must(w.fleet.Report(context.Background(), r.t))
}

// reportEvery is the time between two reports of all robots.
const reportEvery = 15 * clock.Second

// run lets time pass: robots report, orders are obeyed, timers fire.
func (w *world) run(until clock.Time) error {
	for {
		next := w.reported.Add(reportEvery)
		for _, t := range []*fake.Timers{w.timers, w.ownTimers} {
			if first, ok := t.Next(); ok && first.At < next {
				next = max(first.At, w.clock.Now())
			}
		}
		if next > until {
			w.clock.Set(until)
			return nil
		}
		w.clock.Set(next)
		if err := w.tick(next); err != nil {
			return err
		}
	}
}

func (w *world) tick(now clock.Time) error {
	for _, k := range w.ownTimers.Due(now) {
		must(w.fleet.Fire(context.Background(), k))
	}
	if now >= w.reported.Add(reportEvery) {
		w.reported = now
		for _, r := range w.robots {
			if r.t.Activity == fleet.Charging {
				r.t.ChargeMWh = min(r.full, r.t.ChargeMWh+500*int64(reportEvery)/60_000) // 30 W: 500 mWh a minute
			}
			w.report(r)
		}
	}
	for _, k := range w.timers.Due(now) {
		if err := w.service.Fire(context.Background(), k); err != nil {
			return err
		}
		w.obey()
	}
	return nil
}

// obey does what Dispatch has told robots and deliveries, at once.
func (w *world) obey() {
	for _, o := range w.link.Orders[w.obeyed:] {
		r := w.robot(o.Robot)
		r.t.Token, r.t.Position, r.t.Activity, r.t.Dock = o.Token, o.To, fleet.Idle, ""
		if o.Kind == fleet.OrderCharge {
			r.t.Activity, r.t.Dock = fleet.Charging, o.Dock
		}
	}
	w.obeyed = len(w.link.Orders)
	for _, x := range w.decisions() {
		if x.Kind != dispatch.Assigned {
			continue
		}
		if w.last[x.Delivery].Token != x.Token {
			r := w.robot(x.Robot)
			r.t.Token, r.t.Activity, r.t.Dock = x.Token, fleet.Driving, ""
		}
		w.last[x.Delivery] = x
	}
}

// decisions reads the whole feed.
func (w *world) decisions() []dispatch.Decision {
	var all []dispatch.Decision
	var after dispatch.Cursor
	for {
		list, next, err := w.service.Decisions(context.Background(), town, after, 3)
		must(err)
		if len(list) == 0 {
			return all
		}
		all, after = append(all, list...), next
	}
}

// plane is a map without streets: a position is x metres on Edge and y metres
// on OffsetMM, robots go along the axes at 1 m/s and take 1 mWh for each metre.
type plane struct {
	version uint64
	wall    maps.EdgeID // nobody passes from below to above, if it is not 0
	reach   int32       // metres from a point to the next place that robots reach
	opens   clock.Time  // before then nothing is served, if it is not 0
	border  maps.EdgeID // beyond it nothing is served, if it is not 0
	asked   int         // legs
}

func (p *plane) Matrix(_ context.Context, _ market.ID, from, to []maps.Position) ([]maps.Leg, error) {
	var legs []maps.Leg
	for _, a := range from {
		for _, b := range to {
			p.asked++
			d := abs(int64(a.Edge-b.Edge)) + abs(int64(a.OffsetMM-b.OffsetMM))
			if p.wall != 0 && (a.Edge < p.wall) != (b.Edge < p.wall) {
				legs = append(legs, maps.Leg{})
				continue
			}
			legs = append(legs, maps.Leg{Millis: d * 1000, LengthMM: d * 1000, EnergyMWh: d, OK: true})
		}
	}
	return legs, nil
}

func abs(v int64) int64 { return max(v, -v) }

func (p *plane) Version(context.Context, market.ID) (uint64, error) { return p.version, nil }

func (p *plane) Geocode(_ context.Context, _ market.ID, query string) (maps.Match, error) {
	at, ok := parsePosition(query)
	if !ok {
		return maps.Match{}, fault.New("plane", fault.NotFound, "unknown_address", "no %q", query)
	}
	return maps.Match{At: at}, nil
}

// Snap finds places on the even kilometres of longitude only, reach metres about them.
func (p *plane) Snap(_ context.Context, _ market.ID, at maps.Point) (maps.Match, error) {
	off := abs(int64(at.Lat)) // metres off the street
	if off > int64(p.reach) {
		return maps.Match{}, fault.New("plane", fault.NotFound, "off_network", "%d m off", off)
	}
	return maps.Match{Point: at, At: maps.Position{Edge: maps.EdgeID(at.Lon)}, OffMM: int32(off * 1000)}, nil
}

func (p *plane) Serves(_ context.Context, _ market.ID, at maps.Position, when clock.Time) (string, clock.Time, error) {
	switch {
	case p.border != 0 && at.Edge > p.border:
		return "area", 0, nil
	case when < p.opens:
		return "hours", p.opens, nil
	}
	return "", 0, nil
}

func (p *plane) PointAt(_ context.Context, _ market.ID, at maps.Position) (maps.Point, error) {
	return maps.Point{Lon: int32(at.Edge), Lat: at.OffsetMM}, nil
}

// lossyFleet, lossyCharging and lossyWays lose calls on purpose.
type lossyFleet struct {
	dispatch.Fleet
	l *fake.Losses
}

func (f lossyFleet) Candidates(ctx context.Context, m market.ID) (all []fleet.Candidate, err error) {
	err = f.l.Do("Candidates", func() (err error) { all, err = f.Fleet.Candidates(ctx, m); return err })
	return all, err
}

func (f lossyFleet) Reserve(ctx context.Context, r fleet.ReserveRequest) (token uint64, err error) {
	err = f.l.Do("Reserve", func() (err error) { token, err = f.Fleet.Reserve(ctx, r); return err })
	if err != nil {
		return 0, err
	}
	return token, nil
}

func (f lossyFleet) Renew(ctx context.Context, robot fleet.RobotID, token uint64, until clock.Time) error {
	return f.l.Do("Renew", func() error { return f.Fleet.Renew(ctx, robot, token, until) })
}

func (f lossyFleet) Release(ctx context.Context, robot fleet.RobotID, token uint64) error {
	return f.l.Do("Release", func() error { return f.Fleet.Release(ctx, robot, token) })
}

type lossyCharging struct {
	dispatch.Charging
	l *fake.Losses
}

func (c lossyCharging) Command(ctx context.Context, o fleet.Order) error {
	return c.l.Do("Command", func() error { return c.Charging.Command(ctx, o) })
}

type lossyWays struct {
	dispatch.Ways
	l *fake.Losses
}

func (m lossyWays) Matrix(ctx context.Context, id market.ID, from, to []maps.Position) (legs []maps.Leg, err error) {
	err = m.l.Do("Matrix", func() (err error) { legs, err = m.Ways.Matrix(ctx, id, from, to); return err })
	return legs, err
}

// request is a delivery between two places, ready at once.
func request(id string, from, to maps.Position, ready clock.Time) dispatch.Request {
	return dispatch.Request{
		Market: town, Delivery: id, Attempt: 1, Kind: dispatch.ForDelivery, Pickup: from, Dropoff: to,
		ReadyAt: ready, RequestedAt: fake.Start,
	}
}

func at(x, y int32) maps.Position { return maps.Position{Edge: maps.EdgeID(x), OffsetMM: y} }

var ctx = context.Background()

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
