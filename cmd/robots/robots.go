// Package robots lets the robots of the simulator, and the people at their
// hatches, live beside services that run elsewhere: robots over the streams that
// real ones use, people over the REST API. Services live at wall time; the city may live faster.
package robots

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/restapi"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
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
	// Speed is how much faster than the wall clock the city lives; 0 is 1. Services do not: robots then drive
	// faster than they plan with, and their promises are kept too easily. Above 20 their deadlines begin to mean little.
	Speed float64

	// Fleet and Task make connections to the doors for robots.
	Fleet, Task func() (*grpc.ClientConn, error)
	// Setup registers the account, the docks and the robots; nil: they are registered.
	Setup world.Fleet
	// People is Deliveries as merchants and recipients know it; nil: nobody comes to the robots.
	People People
	// Partners are whose deliveries the people look after. The orders of the scenario's demand are the first one's.
	Partners []delivery.PartnerID

	Log *slog.Logger // nil: slog.Default
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

var _ People = (*restapi.DeliveriesClient)(nil)

func (o *Options) check() error {
	orders := o.Scenario.Demand.PerHour > 0 || len(o.Scenario.Demand.Orders) > 0
	switch {
	case o.Speed < 0:
		return fmt.Errorf("speed %g: want more than 0", o.Speed)
	case o.Fleet == nil || o.Task == nil:
		return errors.New("robots need a way to Fleet and one to Task")
	case o.People != nil && len(o.Partners) == 0:
		return errors.New("people look after the deliveries of partners: want at least one")
	case orders && o.People == nil:
		return errors.New("somebody orders, and there is no Deliveries for people to order from")
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return nil
}

// Run lets robots live until ctx ends. Then they stop where they are, and reports that nobody has
// acknowledged are sent for a while. It fails if the services do not let its robots or people in, or cannot
// register them; where nobody answers it tries again until ctx ends.
func Run(ctx context.Context, o Options) (Stats, error) {
	if err := o.check(); err != nil {
		return Stats{}, err
	}
	life, end := context.WithCancel(ctx)
	defer end()
	c := &colony{
		o: o, began: time.Now(), first: map[fleet.RobotID]fleet.Telemetry{}, cast: map[delivery.ID]*part{}, came: map[string]bool{},
		warned: map[string]time.Time{}, wake: make(chan struct{}, 1), failed: make(chan error, 1), lanes: make(chan struct{}, peopleAtOnce),
	}
	if err := c.build(life); err != nil {
		return c.stats(), err
	}
	if err := c.settle(life); err != nil {
		return c.stats(), err
	}
	defer c.leave()
	var watchers sync.WaitGroup
	if o.People != nil {
		for _, p := range o.Partners {
			watchers.Go(func() { c.watch(life, p) })
			watchers.Go(func() { c.lookUp(life, p) })
		}
	}
	err := c.run(life)
	c.park()
	end()
	watchers.Wait()
	c.calls.Wait()
	if err == nil {
		c.drain()
	}
	return c.stats(), err
}

// settle registers the fleet, as far as that is ours, and brings it in.
func (c *colony) settle(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.w.Begin(ctx); err != nil {
		return err
	}
	c.pool = grpcapi.NewRobotPool(c.o.Fleet, c.o.Task)
	c.clients = map[fleet.RobotID]*grpcapi.RobotClient{}
	for _, id := range c.w.Robots() {
		h := &handler{c: c, id: id, came: map[string]bool{}}
		c.clients[id] = c.pool.Connect(grpcapi.RobotOptions{
			ID: c.out(id), Account: c.o.Account, Handler: h, Log: c.o.Log, Connected: h.connected,
		})
		if t, ok := c.first[id]; ok {
			c.clients[id].Telemetry(c.tell(t))
		}
	}
	return nil
}

// run lets time pass in the city until ctx ends or it cannot go on.
func (c *colony) run(ctx context.Context) error {
	shown := time.Now()
	for {
		wait := c.pass(ctx)
		if c.o.Show != nil && time.Since(shown) > time.Second {
			shown = time.Now()
			c.o.Show(c.stats())
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case err := <-c.failed:
			t.Stop()
			if ctx.Err() == nil { // or it was on its way out
				return err
			}
			return nil
		case <-c.wake:
		case <-t.C:
		}
		t.Stop()
	}
}

// drainFor is how long robots try to say what they have not been heard with.
const drainFor = 10 * time.Second

// drain waits until everything that robots said is acknowledged, for a while.
func (c *colony) drain() {
	for end := time.Now().Add(drainFor); !c.heard() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
}

// heard reports whether all that robots said is acknowledged.
func (c *colony) heard() bool {
	for _, r := range c.clients {
		if r.Pending() > 0 || r.Telling() {
			return false
		}
	}
	return true
}

// leave ends all connections.
func (c *colony) leave() {
	var all sync.WaitGroup
	for _, r := range c.clients {
		all.Go(r.Close)
	}
	all.Wait()
	if err := c.pool.Close(); err != nil {
		c.o.Log.Warn("robots' connections did not close", "error", err)
	}
}
