// Package robots lets the robots of the simulator, and the people at their
// hatches, live beside services that run elsewhere: robots over the streams that
// real ones use, people over the REST API. Services live at wall time; the city may live faster.
package robots

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/memory"
	"footway/adapters/restapi"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/sim/scenario"
	"footway/sim/world"
)

// Options say which robots live where.
type Options struct {
	Market   market.ID
	Network  *maps.Network
	Scenario scenario.Scenario // its fleet, people and demand, with defaults filled in
	Account  fleet.AccountID
	Prefix   string // begins the names of robots and docks, so that several fleets share a market
	// Speed is how much faster than the wall clock the city lives. Services do not: robots then drive
	// faster than they plan with, and their promises are kept too easily. Above 20 their deadlines begin to mean little.
	Speed float64

	// Fleet and Task make connections to the doors for robots.
	Fleet, Task func() (*grpc.ClientConn, error)
	// Setup registers the account, the docks and the robots; nil: they are registered.
	Setup world.Fleet
	// People is Deliveries as merchants and recipients know it; nil: nobody comes to the robots.
	People People
	// Partners are whose deliveries the people look after.
	Partners []delivery.PartnerID

	Log *slog.Logger
	// Show, if not nil, is called about every second.
	Show func(Stats)
	// Journal takes what only the city knows; nil: nobody does.
	Journal event.Journal
}

// People is what people ask of Deliveries.
type People interface {
	world.Deliveries
	WatchBoard(ctx context.Context, q delivery.BoardQuery, take func(restapi.BoardNews) error) error
}

// drainFor is how long robots try to say what they have not been heard with.
const drainFor = 10 * time.Second

// Run lets robots live until ctx ends. Then reports that nobody has acknowledged are sent, for a
// while, and robots stay where they are.
func Run(ctx context.Context, o Options) (Stats, error) {
	if o.Speed <= 0 {
		o.Speed = 1
	}
	c := &colony{o: o, began: time.Now(), people: map[delivery.ID]delivery.State{}, wake: make(chan struct{}, 1)}
	if err := c.build(ctx); err != nil {
		return c.stats(), err
	}
	defer c.leave()
	c.connect()
	// Setting up and the first telemetry are calls of the world like any other.
	c.mu.Lock()
	err := c.w.Begin(ctx)
	c.mu.Unlock()
	if err != nil {
		return c.stats(), fmt.Errorf("begin: %w", err)
	}
	return c.run(ctx)
}

// colony is a world whose services are elsewhere.
type colony struct {
	o       Options
	began   time.Time
	start   clock.Time
	pool    *grpcapi.RobotPool
	clients map[fleet.RobotID]*grpcapi.RobotClient
	wake    chan struct{} // somebody outside gave the world something to do

	mu     sync.Mutex // guards what follows
	w      *world.World
	people map[delivery.ID]delivery.State // as their screens last showed them
	count  Stats
}

// build makes the world. Robots find their way by maps of their own, on the same network.
func (c *colony) build(ctx context.Context) error {
	c.start = clock.Of(c.began)
	s := c.o.Scenario
	w, err := world.New(world.Options{
		Market: market.Market{ID: c.o.Market, Name: string(c.o.Market), TimeZone: "UTC", Currency: "USD"}, Network: c.o.Network,
		Profile: config.DefaultSettings().Maps, Scenario: s, Start: c.start, Seed: rng.Seed(s.Seed), Journal: c.journal(),
	})
	if err != nil {
		return err
	}
	c.w = w
	store := memory.NewMapStore()
	if err := store.SaveNetwork(ctx, c.o.Market, c.o.Network); err != nil {
		return err
	}
	ways := maps.NewService(store, w.Clock(), w.Timers(), c.journal())
	if err := ways.Open(ctx, c.o.Market, maps.OpenOptions{Profile: config.DefaultSettings().Maps, Location: time.UTC, CacheBytes: 32 << 20}); err != nil {
		return err
	}
	ports := world.Ports{Deliveries: visitors{c}, Tasks: taskUplink{c}, Fleet: fleetUplink{c}, Maps: ways, Account: c.o.Account, Fire: ways.Fire,
		Orders: strconv.FormatInt(c.began.Unix(), 36) + "-"} // another life of the city places other orders
	if len(c.o.Partners) > 0 {
		ports.Partner = c.o.Partners[0]
	}
	w.AttachPorts(ports)
	return nil
}

func (c *colony) journal() event.Journal {
	if c.o.Journal != nil {
		return c.o.Journal
	}
	return nowhere{}
}

// nowhere is a journal that keeps nothing.
type nowhere struct{}

// Append implements event.Journal.
func (nowhere) Append(context.Context, event.Event) {}

// now returns what time it is in the city.
func (c *colony) now() clock.Time {
	return c.start.Add(clock.Duration(float64(time.Since(c.began).Milliseconds()) * c.o.Speed))
}

// outside returns an instant of the city as services know it.
func (c *colony) outside(t clock.Time) clock.Time {
	return c.start.Add(clock.Duration(float64(t.Sub(c.start)) / c.o.Speed))
}

// inside returns an instant of the services as the city knows it.
func (c *colony) inside(t clock.Time) clock.Time {
	return c.start.Add(clock.Duration(float64(t.Sub(c.start)) * c.o.Speed))
}

// run lets time pass in the city until ctx ends.
func (c *colony) run(ctx context.Context) (Stats, error) {
	watching, stop := context.WithCancel(ctx)
	var watchers sync.WaitGroup
	if c.o.People != nil {
		for _, p := range c.o.Partners {
			watchers.Go(func() { c.watch(watching, p) })
		}
	}
	defer watchers.Wait()
	defer stop()
	shown := time.Now()
	for ctx.Err() == nil {
		wait, err := c.pass(ctx)
		if err != nil && ctx.Err() == nil {
			return c.stats(), err
		}
		if c.o.Show != nil && time.Since(shown) > time.Second {
			shown = time.Now()
			c.o.Show(c.stats())
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-t.C:
		}
		t.Stop()
	}
	c.drain()
	return c.stats(), nil
}

// pass runs what is due in the city, and returns how long nothing will be.
func (c *colony) pass(ctx context.Context) (time.Duration, error) {
	const longest = time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.w.Pass(ctx, c.now()); err != nil {
		return 0, err
	}
	next, ok := c.w.Next()
	if !ok {
		return longest, nil
	}
	wait := time.Duration(float64(next.Sub(c.now()).Std()) / c.o.Speed)
	return min(max(wait, time.Millisecond), longest), nil
}

// rouse has the world look at once, after somebody outside gave it something to do.
func (c *colony) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// drain waits until every report has been acknowledged, for a while.
func (c *colony) drain() {
	end := time.Now().Add(drainFor)
	for c.stats().Pending > 0 && time.Now().Before(end) {
		time.Sleep(20 * time.Millisecond)
	}
}

// leave ends all connections.
func (c *colony) leave() {
	for _, r := range c.clients {
		r.Close()
	}
	if c.pool != nil {
		if err := c.pool.Close(); err != nil {
			c.o.Log.Warn("robots' connections did not close", "error", err)
		}
	}
}
