package porttest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// DispatchTown is a real dispatch.Service with a few robots on a line: a
// position's edge is its distance from the origin in metres, and robots go 1 m/s.
type DispatchTown struct {
	Service *dispatch.Service
	Clock   *fake.Clock
	// Notify is what the service tells that a feed has grown; nil: nobody.
	Notify func(ctx context.Context, m market.ID)

	timers fake.Timers
	mu     sync.Mutex
	robots []fleet.Candidate
	tokens uint64
	fails  error // what Fleet fails with
}

// NewDispatchTown returns a town with n robots, at 0 m, 100 m, 200 m and so on.
func NewDispatchTown(n int) *DispatchTown {
	c := &DispatchTown{Clock: fake.NewClock(fake.Start)}
	for i := range n {
		id := fleet.RobotID(string(rune('a' + i)))
		at := maps.Position{Edge: maps.EdgeID(100 * i)}
		c.robots = append(c.robots, fleet.Candidate{
			Robot: fleet.Robot{ID: id, Market: Market, Account: "own", Kind: fleet.KindRobot, Capability: fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 300, Grams: 10_000},
				CapacityMWh: 1_000_000, SpeedMMS: 1000, State: fleet.Available},
			Telemetry: fleet.Telemetry{Robot: id, At: fake.Start, Position: at, ChargeMWh: 1_000_000, Activity: fleet.Idle, Mode: fleet.Automatic},
		})
	}
	c.Service = dispatch.NewService(dispatch.Deps{
		Fleet: c, Charging: c, Places: c, Ways: c, Notifier: c, Clock: c.Clock, Timers: &c.timers, Journal: &fake.Journal{},
		Settings: func(market.ID) dispatch.Settings {
			s := dispatch.DefaultSettings()
			s.Lazy, s.RoundGap = false, clock.Second
			return s
		},
		Charge: func(market.ID) fleet.ChargeSettings { return fleet.DefaultSettings().Charge },
	})
	return c
}

// Run lets time pass.
func (c *DispatchTown) Run(t testing.TB, d clock.Duration) {
	t.Helper()
	err := c.timers.Run(c.Clock, c.Clock.Now().Add(d), func(k clock.Key) error {
		c.mu.Lock()
		for i := range c.robots {
			c.robots[i].Telemetry.At = c.Clock.Now()
		}
		c.mu.Unlock()
		return c.Service.Fire(context.Background(), k)
	})
	mustDo(t, err)
}

// fail has Fleet fail from now on; nil: not any more.
func (c *DispatchTown) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fails = err
}

// reserved returns how many robots are held for deliveries.
func (c *DispatchTown) reserved() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for i := range c.robots {
		if r := c.robots[i].Robot.Reservation; r != nil && strings.HasPrefix(r.Holder, "delivery/") {
			n++
		}
	}
	return n
}

// Changed implements dispatch.Notifier.
func (c *DispatchTown) Changed(ctx context.Context, m market.ID) {
	if c.Notify != nil {
		c.Notify(ctx, m)
	}
}

// Candidates implements dispatch.Fleet.
func (c *DispatchTown) Candidates(_ context.Context, m market.ID) ([]fleet.Candidate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fails != nil {
		return nil, c.fails
	}
	var all []fleet.Candidate
	for _, r := range c.robots {
		if r.Robot.Reservation != nil {
			held := *r.Robot.Reservation
			r.Robot.Reservation = &held
		}
		if r.Robot.Market = m; m != "" {
			all = append(all, r)
		}
	}
	return all, nil
}

// Reserve implements dispatch.Fleet.
func (c *DispatchTown) Reserve(_ context.Context, q fleet.ReserveRequest) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.robots {
		r := &c.robots[i].Robot
		switch {
		case r.ID != q.Robot:
		case r.Reservation == nil:
			c.tokens++
			r.Reservation = &fleet.Reservation{Holder: q.Holder, Token: 1<<63 + c.tokens, Attempt: q.Attempt, Expires: q.Until}
			return r.Reservation.Token, nil
		case r.Reservation.Attempt == q.Attempt:
			return r.Reservation.Token, nil
		}
	}
	return 0, fault.New("town.Reserve", fault.Conflict, "reserved", "robot %s is taken", q.Robot)
}

// Renew implements dispatch.Fleet.
func (c *DispatchTown) Renew(context.Context, fleet.RobotID, uint64, clock.Time) error { return nil }

// Release implements dispatch.Fleet.
func (c *DispatchTown) Release(_ context.Context, robot fleet.RobotID, token uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.robots {
		if r := &c.robots[i].Robot; r.ID == robot && r.Reservation != nil && r.Reservation.Token == token {
			r.Reservation = nil
		}
	}
	return nil
}

// Docks implements dispatch.Charging.
func (c *DispatchTown) Docks(context.Context, market.ID) ([]fleet.Dock, error) { return nil, nil }

// Command implements dispatch.Charging.
func (c *DispatchTown) Command(context.Context, fleet.Order) error { return nil }

// Geocode implements dispatch.Places: "150" is 150 m from the origin.
func (c *DispatchTown) Geocode(_ context.Context, _ market.ID, query string) (maps.Match, error) {
	at, known := 0, query != ""
	for _, r := range query {
		if r < '0' || r > '9' {
			known = false
			break
		}
		at = 10*at + int(r-'0')
	}
	if !known {
		return maps.Match{}, fault.New("town.Geocode", fault.NotFound, "unknown_address", "no such address")
	}
	return maps.Match{Address: query, At: maps.Position{Edge: maps.EdgeID(at)}}, nil
}

// Snap implements dispatch.Places: latitude is the distance from the line, in mm.
func (c *DispatchTown) Snap(_ context.Context, _ market.ID, p maps.Point) (maps.Match, error) {
	return maps.Match{Point: p, At: maps.Position{Edge: maps.EdgeID(p.Lon)}, OffMM: p.Lat}, nil
}

// Serves implements dispatch.Places: beyond 4 km it opens in an hour, beyond 20 km never.
func (c *DispatchTown) Serves(_ context.Context, _ market.ID, at maps.Position, when clock.Time) (string, clock.Time, error) {
	switch opens := fake.Start.Add(clock.Hour); {
	case at.Edge > 20_000:
		return "area", 0, nil
	case at.Edge > 4_000 && when < opens:
		return "hours", opens, nil
	}
	return "", 0, nil
}

// PointAt implements dispatch.Places.
func (c *DispatchTown) PointAt(_ context.Context, _ market.ID, at maps.Position) (maps.Point, error) {
	return maps.Point{Lon: int32(at.Edge)}, nil
}

// Matrix implements dispatch.Ways.
func (c *DispatchTown) Matrix(_ context.Context, m market.ID, from, to []maps.Position) ([]maps.Leg, error) {
	if strings.HasPrefix(string(m), "no-map") {
		return nil, fault.New("town.Matrix", fault.NotFound, "unknown_market", "market %s has no map", m)
	}
	var legs []maps.Leg
	for _, a := range from {
		for _, b := range to {
			d := max(int64(a.Edge-b.Edge), int64(b.Edge-a.Edge))
			legs = append(legs, maps.Leg{Millis: d * 1000, LengthMM: d * 1000, EnergyMWh: d, OK: true})
		}
	}
	return legs, nil
}

// Version implements dispatch.Ways.
func (c *DispatchTown) Version(context.Context, market.ID) (uint64, error) { return 1, nil }
