package world

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/core/task"
	"footway/sim/city"
	"footway/sim/dist"
	"footway/sim/scenario"
)

// town is the generated city; it is never changed, so tests share it.
var town = sync.OnceValues(func() (*maps.Network, error) { return city.Generate(1, city.Options{}) })

// rig is a world around the real services on memory stores, with its journal kept.
type rig struct {
	*World
	t      *testing.T
	events []event.Event
}

// Append implements event.Journal.
func (g *rig) Append(_ context.Context, e event.Event) { g.events = append(g.events, e) }

// calm is a scenario in which nothing happens by chance: people take always the
// same time, and robots drive at their cruising speed.
func calm(robots int) scenario.Scenario {
	always := func(d clock.Duration) dist.Quantiles { return dist.Quantiles{Min: d, P50: d, P90: d, Max: d} }
	s := scenario.Defaults()
	s.Name, s.Start, s.Duration, s.Drain = "calm", "2026-06-12T11:00", 2*clock.Hour, 6*clock.Hour
	s.Market.ID = "m"
	s.Fleet.Robots, s.Fleet.Docks = robots, 1
	w := &s.World
	w.Robots.Stuck, w.Robots.Breakdowns, w.Robots.ContactLost, w.Robots.Jam, w.Robots.SpeedSpread = 0, 0, 0, 0, 0
	w.Robots.Repair = always(30 * clock.Minute)
	w.Merchants.Late, w.Recipients.NoShow, w.Recipients.WrongPIN, w.Crossings.AssistShare = 0, 0, 0, 0
	w.Operators.Assist = always(2 * clock.Minute)
	return s
}

// begun returns a rig whose scenario has begun: robots are registered.
func begun(t *testing.T, s scenario.Scenario) *rig {
	t.Helper()
	net, err := town()
	if err != nil {
		t.Fatal(err)
	}
	s.Fill()
	start, offset, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	g := &rig{t: t}
	g.World, err = New(Options{
		Market: market.Market{ID: "m", TimeZone: "UTC"}, Network: net, Profile: maps.DefaultProfile(),
		Scenario: s, Start: start, Offset: offset, Seed: rng.Seed(1), Journal: g,
	})
	if err != nil {
		t.Fatal(err)
	}
	g.connect()
	if err := g.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

// connect attaches the services.
func (g *rig) connect() {
	w := g.World
	set, errs := w.o.Scenario.Config()
	if len(errs) > 0 {
		g.t.Fatal(errs)
	}
	clk, timers, journal := w.Clock(), w.Timers(), w.Journal()
	deliveries, tasks, networks := memory.NewDeliveryStore(), memory.NewTaskStore(), memory.NewMapStore()
	if err := networks.SaveNetwork(g.t.Context(), "m", w.o.Network); err != nil {
		g.t.Fatal(err)
	}
	s := Services{Relay: delivery.NewRelay(deliveries, w), Maps: maps.NewService(networks, clk, timers, journal)}
	if err := s.Maps.Open(g.t.Context(), "m", maps.OpenOptions{Profile: set.Maps, Location: time.UTC, CacheBytes: 16 << 20}); err != nil {
		g.t.Fatal(err)
	}
	s.Fleet = fleet.NewService(fleet.Deps{
		Store: memory.NewFleetStore(), Telemetry: memory.NewTelemetryStore(), Accounts: memory.NewAccountStore(),
		Link: w.Link(), Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) fleet.Settings { return set.Fleet },
	})
	s.Tasks = task.NewService(task.Deps{
		Store: tasks, Active: tasks, Link: w.Link(), Notifier: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) task.Settings { return set.Task },
	})
	s.Dispatch = dispatch.NewService(dispatch.Deps{
		Fleet: s.Fleet, Charging: s.Fleet, Places: s.Maps, Ways: s.Maps, Notifier: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) dispatch.Settings { return set.Dispatch },
		Charge:   func(market.ID) fleet.ChargeSettings { return set.Fleet.Charge },
	})
	s.Deliveries = delivery.NewService(delivery.Deps{
		Store: deliveries, Open: deliveries, Personal: deliveries, Cursors: memory.NewCursors(),
		Dispatcher: s.Dispatch, Decisions: s.Dispatch, Tasks: s.Tasks, TaskFeed: s.Tasks,
		IDs: memory.NewIDs(), Secrets: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) delivery.Settings { return set.Delivery },
	})
	w.Attach(s)
}

// step executes the next event.
func (g *rig) step() {
	g.t.Helper()
	more, err := g.Step(g.t.Context(), g.o.Start.Add(48*clock.Hour))
	if err != nil {
		g.t.Fatal(err)
	}
	if !more {
		g.t.Fatal("nothing more comes")
	}
}

// until steps until it is true, within a day.
func (g *rig) until(what string, it func() bool) {
	g.t.Helper()
	for end := g.Now().Add(24 * clock.Hour); !it(); g.step() {
		if g.Now() > end {
			g.t.Fatalf("not within a day: %s", what)
		}
	}
}

// pass steps through d.
func (g *rig) pass(d clock.Duration) {
	g.t.Helper()
	for end := g.Now().Add(d); ; g.step() {
		if at, ok := g.kernel.Peek(); !ok || at > end {
			return
		}
	}
}

// finish steps to the end of the run.
func (g *rig) finish() {
	g.t.Helper()
	g.until("every delivery ends", g.Quiet)
	if err := g.World.Finish(); err != nil {
		g.t.Fatal(err)
	}
}

// done must be nil.
func (g *rig) done(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// told returns the events of some kinds in order, with their data as T.
func told[T any](g *rig, kinds ...string) (at []clock.Time, data []T) {
	g.t.Helper()
	for _, e := range g.events {
		if !slices.Contains(kinds, e.Kind) {
			continue
		}
		var d T
		if err := json.Unmarshal(e.Data, &d); err != nil {
			g.t.Fatalf("%s: %v", e.Kind, err)
		}
		at, data = append(at, e.T), append(data, d)
	}
	return at, data
}

// orders writes n orders by hand, minutes apart, between merchants and
// addresses that are some 300 to 700 m away from each other.
func orders(t *testing.T, n int) []scenario.Order {
	t.Helper()
	net, err := town()
	if err != nil {
		t.Fatal(err)
	}
	var out []scenario.Order
	for i := range net.Addresses {
		from, to := net.Merchants[len(out)].Point, net.Addresses[i].Point
		if mm := maps.Distance(from, to); mm > 300_000 && mm < 700_000 {
			out = append(out, scenario.Order{
				ID: fmt.Sprintf("o%d", len(out)+1), At: clock.Duration(len(out)) * 3 * clock.Minute,
				From: words(from), To: words(to), ReadyIn: 5 * clock.Minute, Return: true,
			})
		}
		if len(out) == n {
			return out
		}
	}
	t.Fatalf("the city has no %d pairs of merchant and address", n)
	return nil
}

// words names a point as a scenario does.
func words(p maps.Point) string {
	return fmt.Sprintf("%.7f,%.7f", float64(p.Lat)/1e7, float64(p.Lon)/1e7)
}
