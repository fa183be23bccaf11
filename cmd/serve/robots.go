package serve

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/lease"
	"footway/core/market"
	"footway/core/task"
)

// links are how robots are told what to do.
type links struct {
	fleet *grpcapi.FleetLink
	task  *grpcapi.TaskLink
}

// openFleet opens Fleet, where it runs here.
func (p *process) openFleet(context.Context) error {
	if !p.runs("fleet") {
		return nil
	}
	p.links.fleet = grpcapi.NewFleetLink(p.linkOptions("fleet"))
	p.fleet = fleet.NewService(fleet.Deps{
		Store: p.kept.Robots, Telemetry: p.kept.Telemetry, Accounts: p.kept.Accounts, Link: p.links.fleet,
		Clock: p.clock, Timers: p.timers, Journal: p.journal, Settings: p.fleetSettings,
	})
	p.fires["fleet"] = p.fleet.Fire
	p.resume("fleet", p.fleet.Resume, p.watch.countRobots)
	return nil
}

// openTask opens Task, where it runs here.
func (p *process) openTask(context.Context) error {
	if !p.runs("task") {
		return nil
	}
	p.links.task = grpcapi.NewTaskLink(p.linkOptions("task"))
	p.task = task.NewService(task.Deps{
		Store: p.kept.Tasks, Active: p.kept.Tasks, Link: p.links.task, Notifier: decided{p.taskBell, p.news},
		Clock: p.clock, Timers: p.timers, Journal: p.journal, Settings: p.taskSettings,
	})
	p.fires["task"] = p.task.Fire
	p.resume("task", p.task.Resume, nil)
	if p.fleet != nil {
		p.directory = grpcapi.FleetDirectory{Service: p.fleet}
		return nil
	}
	cc, err := p.dial("fleet", "footway.v1.Fleet", "task")
	if err != nil {
		return err
	}
	p.directory = grpcapi.NewFleetClient(cc)
	return nil
}

// resume has one replica take up what others may have left in each market, and do what beside does.
func (p *process) resume(service string, resume func(context.Context, market.ID) error, beside func(context.Context, market.ID)) {
	k := p.keeper(p.reached(service))
	for _, m := range p.markets() {
		name := service + "/" + string(m)
		p.hire(name, func(ctx context.Context) error {
			return p.under(ctx, k, name, nil, func(ctx context.Context, _ lease.Lease) {
				var all sync.WaitGroup
				if beside != nil {
					all.Go(func() { beside(ctx, m) })
				}
				p.resuming(ctx, name, func(ctx context.Context) error { return resume(ctx, m) })
				all.Wait()
			})
		})
	}
}

func (p *process) linkOptions(service string) grpcapi.LinkOptions {
	return grpcapi.LinkOptions{
		Log: p.log, Seats: p.kept.Leases, Clock: p.clock, Replica: p.Replica, Address: p.reached(service),
		Peer: func(address string) (grpc.ClientConnInterface, error) { return p.dialAt(address, "", service) },
	}
}

// robotsFor returns Fleet as Dispatch needs it.
func (p *process) robotsFor(caller string) (interface {
	dispatch.Fleet
	dispatch.Charging
}, error) {
	if p.fleet != nil {
		return p.fleet, nil
	}
	cc, err := p.dial("fleet", "footway.v1.Fleet", caller)
	if err != nil {
		return nil, err
	}
	return grpcapi.NewFleetClient(cc), nil
}

// tasksFor returns Task as Deliveries needs it.
func (p *process) tasksFor(caller string) (interface {
	delivery.Tasks
	delivery.TaskFeed
}, error) {
	if p.task != nil {
		return p.task, nil
	}
	cc, err := p.dial("task", "footway.v1.Tasks", caller)
	if err != nil {
		return nil, err
	}
	return grpcapi.NewTaskClient(cc), nil
}

// dial returns the connection of a caller in this process to a service elsewhere. health is the
// gRPC name whose health decides which replicas are called.
func (p *process) dial(service, health, caller string) (*grpc.ClientConn, error) {
	target := p.d.Services.Of(service).Address
	if target == "" {
		return nil, fmt.Errorf("services.%s.address: missing; %s needs it", service, caller)
	}
	return p.dialAt(target, health, caller)
}

// dialAt returns the one connection of a caller to a target.
func (p *process) dialAt(target, health, caller string) (*grpc.ClientConn, error) {
	key := caller + " " + target
	p.mu.Lock()
	defer p.mu.Unlock()
	if cc, ok := p.conns[key]; ok {
		return cc, nil
	}
	cc, err := grpcapi.Dial(target, grpcapi.DialOptions{
		TLS: p.trust.grpcFiles(), Insecure: p.trust.plain(), Token: p.trust.tokenOf(caller), Health: health, Log: p.log, GRPC: p.watch.dialOptions(caller),
	})
	if err != nil {
		return nil, err
	}
	p.conns[key] = cc
	p.closers = append(p.closers, func() {
		if err := cc.Close(); err != nil {
			p.log.Warn("a connection did not close", "target", target, "error", err)
		}
	})
	return cc, nil
}
