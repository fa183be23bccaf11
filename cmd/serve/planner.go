package serve

import (
	"context"
	"sync"
	"time"

	"footway/adapters/observe"
	"footway/adapters/restapi"
	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/lease"
	"footway/core/market"
)

// planner is Dispatch in this process: for each market a service, as long as this replica holds the
// market's lease. A service that has lost its lease is thrown away: what it knew is rebuilt
// from Deliveries' requests and Fleet's reservations.
type planner struct {
	p     *process
	deps  dispatch.Deps
	keep  *lease.Keeper
	other *restapi.DispatchClient // the other replicas; nil: there are none

	mu      sync.RWMutex
	terms   map[market.ID]*dispatch.Service
	timed   map[market.ID]*dispatch.Service // whose timers fire: of terms, and one that is being resumed
	leaders map[market.ID]lease.Lease       // as last seen
}

// openDispatch opens Dispatch, where it runs here.
func (p *process) openDispatch(context.Context) error {
	if !p.runs("dispatch") {
		return nil
	}
	robots, err := p.robotsFor("dispatch")
	if err != nil {
		return err
	}
	ways, err := p.mapsFor("dispatch")
	if err != nil {
		return err
	}
	other, err := p.otherDispatch("deliveries") // on whose behalf it is asked
	if err != nil {
		return err
	}
	p.planner = &planner{
		p: p, keep: p.keeper(p.reached("dispatch")), other: other, terms: map[market.ID]*dispatch.Service{}, timed: map[market.ID]*dispatch.Service{}, leaders: map[market.ID]lease.Lease{},
		deps: dispatch.Deps{
			Fleet: robots, Charging: robots, Places: ways, Ways: ways, Notifier: decided{p.dispatchBell, p.news},
			Clock: p.clock, Timers: p.timers, Journal: p.journal, Settings: p.dispatchSettings, Charge: p.chargeSettings,
		},
	}
	p.fires["dispatch"] = p.planner.fire
	for _, m := range p.markets() {
		name := "dispatch/" + string(m)
		p.hire(name, func(ctx context.Context) error {
			return p.under(ctx, p.planner.keep, name, p.planner.seen(m), func(ctx context.Context, _ lease.Lease) { p.planner.lead(ctx, m) })
		})
	}
	auth, err := p.trust.restAuth()
	if err != nil {
		return err
	}
	api := restapi.NewDispatch(restapi.DispatchDeps{
		Dispatcher: byMarket{p.planner.here}, Decisions: byMarket{p.planner.here}, Bell: p.dispatchBell, Leader: p.planner.leader,
	}, restapi.Options{Auth: auth, Log: p.log, Route: observe.NameRoute})
	p.serveREST("dispatch", api)
	return nil
}

// otherDispatch returns a client of Dispatch in other processes, or nil if there is no address.
func (p *process) otherDispatch(caller string) (*restapi.DispatchClient, error) {
	address := p.d.Services.Dispatch.Address
	if address == "" {
		return nil, nil
	}
	o, err := p.restClient(caller)
	if err != nil {
		return nil, err
	}
	c, err := restapi.NewDispatchClient(address, o)
	if err != nil {
		return nil, err
	}
	p.onClose(c.Close)
	return c, nil
}

// restClient returns how a service of this process calls a REST API.
func (p *process) restClient(caller string) (restapi.ClientOptions, error) {
	tls, err := p.trust.clientTLS()
	return restapi.ClientOptions{Token: p.trust.tokenOf(caller), TLS: tls, Transport: p.watch.Transport(caller)}, err
}

// lead plans the rounds of a market until ctx ends.
func (l *planner) lead(ctx context.Context, m market.ID) {
	s := dispatch.NewService(l.deps)
	l.time(m, s) // its first round may be due before it is resumed
	l.p.resuming(ctx, "dispatch/"+string(m), func(ctx context.Context) error {
		if l.of(m) == s {
			return nil // once is enough: its timers are its own
		}
		if err := s.Resume(ctx, m); err != nil {
			return err
		}
		l.put(m, s)
		l.p.news.pump(m).rouse()
		return nil
	})
	l.put(m, nil)
}

func (l *planner) time(m market.ID, s *dispatch.Service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timed[m] = s
}

func (l *planner) put(m market.ID, s *dispatch.Service) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s == nil {
		delete(l.terms, m)
		delete(l.timed, m)
		return
	}
	l.terms[m] = s
}

// of returns the service of a market, nil if another replica plans it.
func (l *planner) of(m market.ID) *dispatch.Service {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.terms[m]
}

func (l *planner) seen(m market.ID) func(lease.Lease) {
	return func(at lease.Lease) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.leaders[m] = at
	}
}

// leader reports whether this replica plans a market, and if not who does.
func (l *planner) leader(m market.ID) (mine bool, address string) {
	if l.of(m) != nil {
		return true, ""
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if at := l.leaders[m]; at.Holder != l.p.Replica && l.p.clock.Now() < at.Expires {
		return false, at.Address
	}
	return false, ""
}

// fire takes a timer of Dispatch. One of a lease that was lost is of nobody.
func (l *planner) fire(ctx context.Context, k clock.Key) error {
	l.mu.RLock()
	s := l.timed[market.ID(k.Entity)]
	l.mu.RUnlock()
	if s == nil {
		return nil
	}
	began := time.Now()
	err := s.Fire(ctx, k)
	l.p.watch.RoundSeconds.WithLabelValues(k.Entity).Observe(time.Since(began).Seconds())
	return err
}

// here returns Dispatch for a market that this replica plans. What another plans is asked for there.
func (l *planner) here(m market.ID) (dispatching, error) {
	if s := l.of(m); s != nil {
		return s, nil
	}
	return nil, fault.New("serve.Dispatch", fault.Unavailable, "not_leader", "this replica does not plan market %s", m)
}

// anywhere returns Dispatch for a market, whoever plans it.
func (l *planner) anywhere(m market.ID) (dispatching, error) {
	if s := l.of(m); s != nil || l.other == nil {
		return l.here(m)
	}
	return l.other, nil
}
