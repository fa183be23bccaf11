package world

import (
	"context"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/task"
	"footway/sim/kernel"
)

// Deliveries is what the people of a city ask of Deliveries.
type Deliveries interface {
	Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Accept(ctx context.Context, p delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error)
	Get(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error)
	Ready(ctx context.Context, id delivery.ID, at clock.Time) error
	Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error
	Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error)
}

// Tasks is what robots tell Task.
type Tasks interface {
	Report(ctx context.Context, r task.Report) error
	Sync(ctx context.Context, robot fleet.RobotID) error
}

// Fleet is what robots tell Fleet, and those who set them up.
type Fleet interface {
	SaveAccount(ctx context.Context, a fleet.Account) error
	SaveDock(ctx context.Context, d fleet.Dock) error
	Register(ctx context.Context, r fleet.Robot) error
	Report(ctx context.Context, t fleet.Telemetry) error
}

// Maps is what robots find their way by, and what is told of the city.
type Maps interface {
	Route(ctx context.Context, m market.ID, from, to maps.Position) (maps.Route, error)
	Close(ctx context.Context, m market.ID, c maps.Closure) error
	Reopen(ctx context.Context, m market.ID, id string) error
	SetSpeed(ctx context.Context, m market.ID, c maps.Class, permille int32) error
}

// Ports are how robots and people reach services that run elsewhere, in a time of their own.
type Ports struct {
	Deliveries Deliveries
	Tasks      Tasks
	Fleet      Fleet
	Maps       Maps
	Account    fleet.AccountID    // of the robots; "" is the twin's own
	Partner    delivery.PartnerID // on whose behalf orders are generated; "" is the twin's own
	Orders     string             // begins the ids of generated orders
	// Reports is what robots count their reports on a task from. It is higher in each life of the city, so that
	// Task takes what a robot says that has forgotten its last life.
	Reports uint64
	// Fire takes timers that were set with Timers.
	Fire func(context.Context, clock.Key) error
	// Ask makes a call of Deliveries, which may last, beside the life of the city; its answer is then
	// given to then, as part of that life. Nil: people's calls take no time.
	Ask func(call func(context.Context) error, then func(context.Context, error) error)
}

// AttachPorts is Attach for services that run elsewhere: what they decide comes
// by Link, Refused, NoTask and Hear.
func (w *World) AttachPorts(p Ports) {
	w.p = p
	w.demand.prefix = p.Orders
}

// ask makes a call of Deliveries and goes on with its answer. The call must not touch the world.
func (w *World) ask(ctx context.Context, call func(context.Context) error, then func(context.Context, error) error) error {
	if w.p.Ask == nil {
		return then(ctx, call(ctx))
	}
	w.p.Ask(call, then)
	return nil
}

// Hear tells the people of a delivery what became of it. Who hears of it when a robot
// already stands at the door goes out to it all the same.
func (w *World) Hear(u delivery.Update) {
	known := w.orderOf(string(u.Delivery)) != nil
	w.hear(u)
	if known {
		return
	}
	for _, r := range w.robots {
		if j := r.Job; j != nil && j.Delivery == string(u.Delivery) && j.Step.Kind == task.Handoff && !j.Ended {
			w.meet(r)
		}
	}
}

// Park stops all robots where they are, and lets them say so.
func (w *World) Park(ctx context.Context) error {
	for _, r := range w.robots {
		if r.Leg == nil {
			continue
		}
		w.stopLeg(r, "parked")
		w.rest(r, fleet.Halted)
		r.Fault = "parked"
		if err := w.telemetry(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// Refused is the answer of a Task elsewhere to a report that it will never take: the task has
// gone to somebody else meanwhile, and the robot forgets it.
func (w *World) Refused(ctx context.Context, rep task.Report, err error) error {
	if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
		return nil // the report was wrong; its repeat would be too
	}
	i, ok := w.byRobot[rep.Robot]
	if !ok || w.robots[i].Job == nil || w.robots[i].Job.Task != rep.Task {
		return nil
	}
	return w.drop(ctx, w.robots[i])
}

// NoTask is the word of a Task elsewhere that a robot has no task: whatever it still does is not wanted.
func (w *World) NoTask(ctx context.Context, id fleet.RobotID) error {
	i, ok := w.byRobot[id]
	if !ok || w.robots[i].Job == nil || w.robots[i].Job.Ended {
		return nil
	}
	return w.drop(ctx, w.robots[i])
}

// Robots returns the ids of the robots.
func (w *World) Robots() []fleet.RobotID {
	ids := make([]fleet.RobotID, len(w.robots))
	for i, r := range w.robots {
		ids[i] = r.ID
	}
	return ids
}

// Next returns the instant of the next event, false if there is none.
func (w *World) Next() (clock.Time, bool) { return w.kernel.Peek() }

// Pass lets the time pass until an instant at which nothing happens any more.
func (w *World) Pass(ctx context.Context, until clock.Time) error {
	return w.kernel.Run(until, func(e kernel.Event) error { return w.handle(ctx, e) })
}
