package robots

import (
	"context"
	"strconv"
	"sync"
	"time"

	"footway/adapters/grpcapi"
	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/sim/world"
)

// colony is a world whose services are elsewhere. Its lock is what makes it one: who
// brings something from outside first lets the city come to the present, and nobody waits
// for an answer while holding it.
type colony struct {
	o       Options
	began   time.Time
	start   clock.Time
	pool    *grpcapi.RobotPool
	clients map[fleet.RobotID]*grpcapi.RobotClient // by the names that the world has for them; complete before any is called
	wake    chan struct{}                          // somebody outside gave the world something to do
	failed  chan error                             // why it cannot go on
	lanes   chan struct{}                          // calls of people under way
	calls   sync.WaitGroup                         // of people

	mu     sync.Mutex // guards what follows
	w      *world.World
	first  map[fleet.RobotID]fleet.Telemetry // said before there was a connection
	cast   map[delivery.ID]*part
	came   map[string]bool      // wires on which some robot was ever let in
	warned map[string]time.Time // when it was last told that a wire has trouble
	parked bool                 // no time passes any more
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
	// Another life of the city places other orders, and what its robots report is no repeat.
	ports := world.Ports{
		Deliveries: visitors{c}, Tasks: taskUplink{c}, Fleet: fleetUplink{c}, Maps: ways, Account: c.o.Account, Fire: ways.Fire,
		Orders: strconv.FormatInt(c.began.UnixMilli(), 36) + "-", Reports: uint64(c.began.UnixMilli()),
		Ask: func(call func(context.Context) error, then func(context.Context, error) error) {
			c.ask(ctx, call, then)
		},
	}
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

// pass runs what is due in the city, and returns how long nothing will be.
func (c *colony) pass(ctx context.Context) time.Duration {
	const longest = time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.w.Pass(ctx, c.now()); err != nil {
		c.fail(err)
		return longest
	}
	next, ok := c.w.Next()
	if !ok {
		return longest
	}
	wait := time.Duration(float64(next.Sub(c.now()).Std()) / c.o.Speed)
	return min(max(wait, time.Millisecond), longest)
}

// enter lets somebody from outside do something in the city, as it is now.
func (c *colony) enter(ctx context.Context, do func(context.Context) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.parked {
		return fault.New("robots", fault.Unavailable, "parked", "the robots have stopped for good")
	}
	if err := c.w.Pass(ctx, c.now()); err != nil {
		c.fail(err)
		return &fault.Error{Op: "robots", Kind: fault.Unavailable, Err: err}
	}
	defer c.rouse()
	return do(ctx)
}

// fail ends the run; the first reason counts.
func (c *colony) fail(err error) {
	select {
	case c.failed <- err:
	default:
	}
}

// rouse has run look at once whether something is due.
func (c *colony) rouse() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// park stops the city for good.
func (c *colony) park() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parked = true
	if err := c.w.Park(context.Background()); err != nil {
		c.o.Log.Warn("robots could not say where they stopped", "error", err)
	}
}
