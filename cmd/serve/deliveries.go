package serve

import (
	"context"
	"fmt"
	"sync"
	"time"

	"footway/adapters/grpcapi"
	"footway/adapters/ident"
	"footway/adapters/observe"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/integration"
	"footway/core/lease"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/task"
)

const (
	pumpEvery  = time.Second            // how old what another process did may be before it is read
	relayEvery = 250 * time.Millisecond // the same of what another replica has put into the outbox
	longPoll   = 25 * time.Second
)

// openDeliveries opens Deliveries, where it runs here.
func (p *process) openDeliveries(context.Context) error {
	if !p.runs("deliveries") {
		return nil
	}
	dispatcher, remote, err := p.dispatchFor("deliveries")
	if err != nil {
		return err
	}
	tasks, err := p.tasksFor("deliveries")
	if err != nil {
		return err
	}
	where, err := p.mapsFor("deliveries")
	if err != nil {
		return err
	}
	digests, err := p.digests()
	if err != nil {
		return err
	}
	robots, err := p.robotsFor("deliveries")
	if err != nil {
		return err
	}
	ways, err := p.waysFor("deliveries")
	if err != nil {
		return err
	}
	p.deliveries = delivery.NewService(delivery.Deps{
		Store: p.kept.Deliveries, Open: p.kept.Deliveries, Personal: p.kept.Deliveries, Cursors: p.kept.Cursors,
		Dispatcher: dispatcher, Decisions: dispatcher, Tasks: tasks, TaskFeed: tasks,
		IDs: ident.IDs{}, Secrets: ident.PINs{}, Digests: digests, Clock: p.clock, Timers: p.timers, Journal: p.journal, Settings: p.deliverySettings,
	})
	p.fires["delivery"] = p.deliveries.Fire
	p.merchants = merchant.NewService(p.kept.Merchants, p.kept.Merchants, p.clock)
	p.hirePumps(remote, tasks)
	p.hire("relay", p.relay)
	auth, err := p.trust.restAuth()
	if err != nil {
		return err
	}
	api := restapi.NewDeliveries(restapi.DeliveriesDeps{
		Quotes: p.deliveries, Changes: p.deliveries, Doors: p.deliveries, Board: p.kept.Deliveries, Estimates: dispatcher,
		Businesses: p.merchants, Stores: p.merchants, Places: where, Clock: p.clock, Bell: p.bell,
		Robots: robots, Ways: ways, WaitsUntil: p.deliveries.WaitsUntil, TrackingURL: p.trackingURL(),
	}, restapi.Options{Auth: auth, Log: p.log, Route: observe.NameRoute})
	p.serveREST("deliveries", api)
	return nil
}

// dispatchFor returns Dispatch as a service of this process knows it, and the client of other
// processes if there are any.
func (p *process) dispatchFor(caller string) (dispatching, *restapi.DispatchClient, error) {
	if p.planner != nil {
		return byMarket{p.planner.anywhere}, p.planner.other, nil
	}
	c, err := p.otherDispatch(caller)
	if err == nil && c == nil {
		err = fmt.Errorf("services.dispatch.address: missing; %s needs it", caller)
	}
	return c, c, err
}

// digests returns what keys the digests of requests, or nil if nothing does.
func (p *process) digests() (delivery.Digests, error) {
	var keys [][]byte
	for _, ref := range []secret.Reference{p.d.Security.Digests, p.d.Security.DigestsBefore} {
		if (ref == secret.Reference{}) {
			continue
		}
		v, err := p.Secrets.Resolve(ref)
		if err != nil {
			return nil, fmt.Errorf("security.digest_key: %w", err)
		}
		keys = append(keys, []byte(v.Reveal()))
	}
	if len(keys) == 0 {
		return nil, nil
	}
	d, err := ident.NewDigests(keys...)
	if err != nil {
		return nil, fmt.Errorf("security.digest_key: %w", err)
	}
	return d, nil
}

// hirePumps has one replica read for each market what was decided and done.
func (p *process) hirePumps(remote *restapi.DispatchClient, tasks delivery.TaskFeed) {
	k := p.keeper(p.reached("deliveries"))
	for _, m := range p.markets() {
		name := "deliveries/" + string(m)
		p.hire(name, func(ctx context.Context) error {
			return p.under(ctx, k, name, nil, func(ctx context.Context, _ lease.Lease) { p.tend(ctx, m, remote, tasks) })
		})
	}
}

// tend looks after the deliveries of a market until ctx ends.
func (p *process) tend(ctx context.Context, m market.ID, remote *restapi.DispatchClient, tasks delivery.TaskFeed) {
	var all sync.WaitGroup
	all.Go(func() {
		p.resuming(ctx, "deliveries/"+string(m), func(ctx context.Context) error { return p.deliveries.Resume(ctx, m) })
	})
	if remote != nil {
		all.Go(func() { p.watchDecisions(ctx, m, remote) })
	}
	if wire, ok := tasks.(*grpcapi.TaskClient); ok {
		all.Go(func() { p.watchTasks(ctx, m, wire) })
	}
	if p.sandbox(m) {
		all.Go(func() { p.sweep(ctx, m) })
	}
	p.pump(ctx, m)
	all.Wait()
}

func (p *process) sandbox(m market.ID) bool {
	for i := range p.d.Markets {
		if p.d.Markets[i].ID == m {
			return p.d.Markets[i].Sandbox
		}
	}
	return false
}

// sweep ends test deliveries that their partners have forgotten.
func (p *process) sweep(ctx context.Context, m market.ID) {
	for p.sleep(ctx, time.Minute) {
		if _, err := integration.Sweep(ctx, m, p.kept.Deliveries, p.deliveries, p.clock.Now()); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "old test deliveries could not all be cancelled", "market", m, "error", err)
		}
	}
}

// pump reads the feeds of a market whenever there may be something new.
func (p *process) pump(ctx context.Context, m market.ID) {
	wake := p.news.pump(m)
	for failures := 0; ; {
		call, cancel := context.WithTimeout(ctx, 30*time.Second)
		err := p.deliveries.Pump(call, m)
		cancel()
		wait := pumpEvery
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failures++
			wait = min(pumpEvery<<min(failures, 4), 10*time.Second)
			p.log.WarnContext(ctx, "what was decided and done could not all be taken up; it is tried again", "market", m, "error", err, "failures", failures)
		default:
			failures = 0
		}
		if !p.sleepOr(ctx, wait, wake, failures > 0) {
			return
		}
	}
}

// sleepOr waits until it is woken or the time is over, which it always waits for after a failure.
func (p *process) sleepOr(ctx context.Context, d time.Duration, wake rouser, whole bool) bool {
	if whole {
		return p.sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	case <-t.C:
	}
	return true
}

// watchDecisions wakes the pump when Dispatch in another process has decided something.
func (p *process) watchDecisions(ctx context.Context, m market.ID, remote *restapi.DispatchClient) {
	for wait := pumpEvery; ctx.Err() == nil; {
		at, err := p.kept.Cursors.Cursor(ctx, delivery.DecisionCursor(m))
		var list []dispatch.Decision
		if err == nil {
			call, cancel := context.WithTimeout(ctx, longPoll+5*time.Second)
			list, _, err = remote.Wait(call, m, dispatch.Cursor(at), 1, longPoll)
			cancel()
		}
		if err != nil { // the pump says what is wrong
			p.sleep(ctx, wait)
			wait = min(2*wait, 10*time.Second)
			continue
		}
		wait = pumpEvery
		if len(list) > 0 {
			p.news.pump(m).rouse()
			p.sleep(ctx, 50*time.Millisecond) // until the cursor has moved
		}
	}
}

// watchTasks wakes the pump when something happened to a task in another process.
func (p *process) watchTasks(ctx context.Context, m market.ID, remote *grpcapi.TaskClient) {
	for ctx.Err() == nil {
		at, err := p.kept.Cursors.Cursor(ctx, delivery.ChangeCursor(m))
		if err == nil {
			err = remote.Watch(ctx, m, task.Cursor(at), func([]task.Change, task.Cursor) error {
				p.news.pump(m).rouse()
				return nil
			})
		}
		if err != nil {
			p.sleep(ctx, pumpEvery)
		}
	}
}

// relay publishes what is in the outbox, while no other replica does.
func (p *process) relay(ctx context.Context) error {
	r := delivery.NewRelay(p.kept.Deliveries, p.kept.Publisher)
	for ctx.Err() == nil {
		err := p.kept.Relaying(ctx, func(ctx context.Context) error {
			p.watch.holds("relay", true)
			defer p.watch.holds("relay", false)
			for failures := 0; ; {
				_, err := r.Pump(ctx)
				wait := relayEvery
				switch {
				case ctx.Err() != nil:
					return nil
				case err != nil:
					failures++
					wait = min(relayEvery<<min(failures, 5), 5*time.Second)
					p.log.WarnContext(ctx, "updates could not be published; they stay in the outbox", "error", err, "failures", failures)
				default:
					failures = 0
				}
				if !p.sleepOr(ctx, wait, p.news.relay, failures > 0) {
					return nil
				}
			}
		})
		if err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "the relay has lost its lease", "error", err)
			p.sleep(ctx, time.Second)
		}
	}
	return nil
}
