// Package world is everybody outside the services: robots, merchants,
// recipients, remote operators, the weather and the streets. It drives the
// production core through the same ports as real ones would, on simulated
// time, and decides nothing that the core should decide.
package world

import (
	"context"
	"encoding/json"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/core/task"
	"footway/sim/kernel"
	"footway/sim/scenario"
)

// Services is the core that the world drives.
type Services struct {
	Deliveries *delivery.Service
	Relay      *delivery.Relay
	Dispatch   *dispatch.Service
	Tasks      *task.Service
	Fleet      *fleet.Service
	Maps       *maps.Service
}

// Traffic is recorded partner traffic. Requests are numbered from 0 and ordered by time.
type Traffic interface {
	// Next returns the instant of request i, or false if there is none.
	Next(i int) (clock.Time, bool)
	// Send makes request i of the services, as the partner did.
	Send(ctx context.Context, i int) error
}

// Options say what a world is made of.
type Options struct {
	Market   market.Market
	Network  *maps.Network
	Profile  maps.Profile
	Scenario scenario.Scenario // with its defaults filled in
	Start    clock.Time
	Offset   clock.Duration  // what local time is ahead of UTC
	Settings json.RawMessage // configuration of the services, for the log
	Seed     rng.Seed
	Journal  event.Journal
}

// World is one simulated city. It is not safe for concurrent use.
type World struct {
	o       Options
	kernel  *kernel.Kernel
	timers  *kernel.Timers
	s       *Services // nil where they run elsewhere
	p       Ports
	index   *maps.Index
	hidden  []maps.EdgeID // closed on the ground, sorted, and the map does not know
	docks   []dock
	robots  []*robot
	byRobot map[fleet.RobotID]int
	orders  []*order
	byOrder map[delivery.ID]int
	demand  *demand
	crew    operators
	weather weather
	faults  faults
	check   *checker
	traffic Traffic // nil if none
	pumping bool
	ended   int // orders that have ended
}

// Who a kernel event is for.
const (
	forTimer uint32 = iota + 1
	forRobot
	forOrder
	forDemand
	forOperator
	forFault
	forPump
	forTraffic
)

// New returns a world whose robots stand at their docks. It is silent until
// Attach gives it the services and Begin starts it.
func New(o Options) (*World, error) {
	w := &World{
		o:       o,
		kernel:  kernel.New(o.Start),
		index:   maps.NewIndex(o.Network),
		byRobot: map[fleet.RobotID]int{},
		byOrder: map[delivery.ID]int{},
	}
	w.timers = kernel.NewTimers(w.kernel, forTimer, 1)
	w.check = newChecker(o.Journal)
	w.weather = weathers[0]
	w.crew.OnDuty = o.Scenario.World.Operators.Count
	err := w.buildFleet()
	if err != nil {
		return nil, err
	}
	if w.demand, err = newDemand(w); err != nil {
		return nil, err
	}
	if w.faults, err = newFaults(w); err != nil {
		return nil, err
	}
	return w, nil
}

// Clock returns the world's time for the services.
func (w *World) Clock() clock.Clock { return w.kernel }

// Timers returns the world's timers for the services.
func (w *World) Timers() clock.Timers { return w.timers }

// Journal returns the journal that services write to: the invariants see
// every event before the run log does.
func (w *World) Journal() event.Journal { return w.check }

// Attach gives the world the services that it drives. It must be called once,
// before anything else.
func (w *World) Attach(s Services) {
	w.s = &s
	w.p = Ports{Deliveries: s.Deliveries, Tasks: s.Tasks, Fleet: s.Fleet, Maps: s.Maps}
}

// SetTraffic gives the world the recorded partner traffic of the run. It must be called
// before Begin, and again after Restore.
func (w *World) SetTraffic(t Traffic) { w.traffic = t }

// Changed schedules a look at the feeds. It implements the services' notifiers.
func (w *World) Changed(context.Context, market.ID) {
	if !w.pumping {
		w.pumping = true
		w.kernel.Schedule(w.kernel.Now(), kernel.Event{Target: forPump})
	}
}

// Begin registers the fleet and schedules what comes from outside.
func (w *World) Begin(ctx context.Context) error {
	w.journalBegin()
	if err := w.registerFleet(ctx); err != nil {
		return fmt.Errorf("register the fleet: %w", err)
	}
	w.demand.begin(w)
	w.faults.begin(w)
	w.scheduleTraffic(0)
	return nil
}

// Step executes the next pending event, or reports false if there is none at or before until.
func (w *World) Step(ctx context.Context, until clock.Time) (bool, error) {
	at, ok := w.kernel.Peek()
	if !ok || at > until {
		return false, nil
	}
	return w.kernel.Step(func(e kernel.Event) error { return w.handle(ctx, e) })
}

// Executed returns how many kernel events have been executed.
func (w *World) Executed() uint64 { return w.kernel.Executed() }

// Now returns the world's time.
func (w *World) Now() clock.Time { return w.kernel.Now() }

// Progress counts deliveries that were accepted, and of these the ended ones.
func (w *World) Progress() (accepted, ended int) { return len(w.orders), w.ended }

// OrderEnd returns the state and, if it was cancelled, the reason of the
// delivery that a partner knows by external; false if none was accepted.
func (w *World) OrderEnd(external string) (delivery.State, delivery.Reason, bool) {
	for _, o := range w.orders {
		if o.External == external {
			return o.State, o.Reason, true
		}
	}
	return "", "", false
}

// JournalEnd writes that the run is over, and whether it was broken off.
func (w *World) JournalEnd(broken error) {
	why := "done"
	if broken != nil {
		why = broken.Error()
	}
	w.journal(runlog.RunEnded, w.o.Scenario.Name, runlog.Ended{Why: why})
}

// Quiet reports whether nothing more can come: no demand, no traffic, no open delivery.
func (w *World) Quiet() bool {
	return w.demand.done() && w.demand.TrafficDone && w.ended == len(w.orders)
}

func (w *World) handle(ctx context.Context, e kernel.Event) error {
	var err error
	switch e.Target {
	case forTimer:
		err = w.fire(ctx, e)
	case forRobot:
		err = w.robotEvent(ctx, w.robots[e.A], e)
		w.checkRobot(w.robots[e.A])
	case forOrder:
		err = w.orderEvent(ctx, w.orders[e.A], e)
	case forDemand:
		err = w.demand.handle(ctx, w, e)
	case forOperator:
		err = w.assisted(ctx, e)
	case forFault:
		err = w.faults.handle(ctx, w, e)
	case forPump:
		w.pumping = false
		if w.s != nil {
			err = w.s.Deliveries.Pump(ctx, w.o.Market.ID)
		}
	case forTraffic:
		if err = w.traffic.Send(ctx, int(e.A)); err == nil {
			w.scheduleTraffic(int(e.A) + 1)
		}
	default:
		err = fmt.Errorf("world: event for unknown target %d", e.Target)
	}
	if err != nil {
		return err
	}
	if w.s != nil {
		if _, err := w.s.Relay.Pump(ctx); err != nil {
			return err
		}
	}
	return w.check.failure()
}

// fire calls the service whose timer is due.
func (w *World) fire(ctx context.Context, e kernel.Event) error {
	k, ok := w.timers.Due(e)
	if !ok {
		return nil
	}
	if w.s == nil {
		return w.p.Fire(ctx, k)
	}
	switch k.Service {
	case "delivery":
		return w.s.Deliveries.Fire(ctx, k)
	case "dispatch":
		return w.s.Dispatch.Fire(ctx, k)
	case "task":
		return w.s.Tasks.Fire(ctx, k)
	case "fleet":
		return w.s.Fleet.Fire(ctx, k)
	case "maps":
		return w.s.Maps.Fire(ctx, k)
	}
	return fmt.Errorf("world: timer %v is for an unknown service", k)
}

func (w *World) scheduleTraffic(i int) {
	if w.traffic == nil {
		w.demand.TrafficDone = true
		return
	}
	at, ok := w.traffic.Next(i)
	if !ok {
		w.demand.TrafficDone = true
		return
	}
	w.kernel.Schedule(at, kernel.Event{Target: forTraffic, A: int64(i)})
}

// after schedules e in d.
func (w *World) after(d clock.Duration, e kernel.Event) {
	w.kernel.Schedule(w.kernel.Now().Add(d), e)
}

// journal writes a truth that only the world knows.
func (w *World) journal(kind, entity string, data any) {
	w.check.Append(context.Background(), event.New(w.kernel.Now(), string(w.o.Market.ID), kind, entity, 0, data))
}
