package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/journal"
	"footway/adapters/live"
	"footway/adapters/restapi"
	"footway/adapters/wallclock"
	"footway/adapters/webhook"
	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/lease"
	city "footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/task"
)

// process is one process with its services.
type process struct {
	Options
	d     stores.Deployment
	kept  *Kept
	clock wallclock.Clock
	log   *slog.Logger

	timers      *wallclock.Timers
	fires       map[string]func(context.Context, clock.Key) error // by clock.Key.Service
	journal     event.Journal
	journals    *journal.Journal
	journalLost uint64 // as last counted
	live        *live.Handler
	sender      *webhook.Sender
	news        *news
	watch       *watch // what is told of this process
	trust       *trust

	settings   config.Source
	follower   *config.Follower // nil where the settings are of the program, or of Config elsewhere
	maps       *city.Service
	fleet      *fleet.Service
	task       *task.Service
	planner    *planner
	deliveries *delivery.Service
	merchants  *merchant.Service
	links      links

	taskBell, configBell *grpcapi.Bell
	dispatchBell, bell   *restapi.Bell // of Dispatch's decisions, of updates

	directory grpcapi.Directory // of robots, for their streams to Task

	listeners map[string]net.Listener // by service; those of gRPC may be the same
	listening map[string]string       // what the deployment calls them

	crew    []member   // run until the process ends
	servers []*server  // listen
	drains  []func()   // end what only waits
	mu      sync.Mutex // guards what follows
	conns   map[string]*grpc.ClientConn
	closers []func() // last opened, first closed
}

// member is a part of a process that runs until its context ends.
type member struct {
	name string
	run  func(context.Context) error
}

// runs reports whether a service runs in this process.
func (p *process) runs(service string) bool { return slices.Contains(p.Services, service) }

// hire adds a member to the crew.
func (p *process) hire(name string, run func(context.Context) error) {
	p.crew = append(p.crew, member{name, run})
}

func (p *process) onClose(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closers = append(p.closers, f)
}

// build puts a process together. It waits for what must be there, as long as Options.Grace.
func build(ctx context.Context, d stores.Deployment, kept *Kept, o Options) (*process, error) {
	own, set := *kept, *kept.Set // what watches this process's stores is not for others that share them
	own.Set = &set
	p := &process{
		Options: o, d: d, kept: &own, log: o.Log, timers: wallclock.NewTimers(), fires: map[string]func(context.Context, clock.Key) error{},
		taskBell: grpcapi.NewBell(), configBell: grpcapi.NewBell(), dispatchBell: restapi.NewBell(), bell: restapi.NewBell(), listening: map[string]string{}, conns: map[string]*grpc.ClientConn{}, news: newNews(),
	}
	ctx, cancel := context.WithTimeout(ctx, o.Grace)
	defer cancel()
	err := p.assemble(ctx)
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *process) assemble(ctx context.Context) error {
	var err error
	if p.trust, err = newTrust(p.d, p.Secrets, p.Services); err != nil {
		return err
	}
	if p.watch, err = p.newWatch(ctx); err != nil {
		return err
	}
	if err := p.listen(); err != nil {
		return err
	}
	if err := p.openJournal(); err != nil {
		return err
	}
	all := several{p.journals, p.watch}
	if p.Journal != nil {
		all = append(all, p.Journal)
	}
	p.journal = told{p.bell.Journal(all), p.news}
	p.kept.Publisher = publish{p.kept.Publisher, p.watch}
	if err := p.await(ctx, "what it keeps things in", p.checkNeeds); err != nil {
		return err
	}
	for _, step := range []struct {
		name string
		open func(context.Context) error
	}{
		{"config", p.openConfig}, {"maps", p.openMaps}, {"fleet", p.openFleet}, {"task", p.openTask},
		{"dispatch", p.openDispatch}, {"deliveries", p.openDeliveries}, {"integrations", p.openIntegrations},
		{"merchant", p.openMerchant},
	} {
		if err := step.open(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	p.hire("timers", p.runTimers)
	p.openAdmin()
	return p.openGRPC()
}

// checkNeeds asks once whether everything is there that the services keep things in.
func (p *process) checkNeeds(ctx context.Context) error {
	seen := map[string]bool{}
	for _, service := range p.Services {
		for _, n := range p.kept.Needs(service) {
			if seen[n.Name] {
				continue
			}
			seen[n.Name] = true
			if err := n.Check(ctx); err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
			p.watch.health(n.Name, n.Check)
		}
	}
	return nil
}

// await calls try until it succeeds, fails for good, or ctx ends.
func (p *process) await(ctx context.Context, what string, try func(context.Context) error) error {
	for wait, told := 100*time.Millisecond, false; ; wait = min(2*wait, 2*time.Second) {
		err := try(ctx)
		if err == nil || !fault.Is(err, fault.Unavailable) {
			return err
		}
		if !told {
			p.log.InfoContext(ctx, "waiting for "+what, "error", err)
			told = true
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not there after %v: %w", p.Grace, err)
		case <-time.After(wait):
		}
	}
}

// runTimers calls the services whose timers are due.
func (p *process) runTimers(ctx context.Context) error {
	p.timers.Run(ctx, wallclock.Options{Logger: p.log}, func(ctx context.Context, k clock.Key) error {
		fire, ok := p.fires[k.Service]
		if !ok {
			return fault.New("serve.Fire", fault.Internal, "unknown_timer", "timer %s/%s/%s is of a service that does not run here", k.Service, k.Entity, k.What)
		}
		return fire(ctx, k)
	})
	return nil
}

// run runs what build has put together.
func (p *process) run(ctx context.Context, started func(map[string]net.Addr)) error {
	// Members end after the servers: an update that a request made still leaves.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var crew sync.WaitGroup
	for _, m := range p.crew {
		crew.Go(func() { p.supervise(working, m) })
	}
	failed := make(chan error, len(p.servers))
	for _, s := range p.servers {
		go func() { failed <- s.serve() }()
	}
	p.watch.started()
	addresses := map[string]net.Addr{}
	for name, l := range p.listeners {
		addresses[name] = l.Addr()
	}
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		p.log.Info("listening", "service", name, "address", addresses[name].String())
	}
	if started != nil {
		started(addresses)
	}
	running := len(p.servers)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
		running--
	}
	p.log.Info("draining", "within", p.Drain.String())
	p.drain()
	for ; running > 0; running-- {
		err = errors.Join(err, <-failed)
	}
	stop()
	crew.Wait()
	p.log.Info("ended")
	return err
}

// drain takes nothing new and waits for what is under way.
func (p *process) drain() {
	p.watch.ending()
	for _, d := range p.drains {
		d()
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.Drain)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range p.servers {
		all.Go(func() { s.stop(ctx) })
	}
	all.Wait()
}

// supervise runs a member until ctx ends, and again whenever it ends by itself.
func (p *process) supervise(ctx context.Context, m member) {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		began := time.Now()
		err := m.run(ctx)
		if ctx.Err() != nil {
			return
		}
		p.watch.restarted(m.name)
		p.log.Error("a part of the process ended, and is started again", "part", m.name, "error", err, "after", wait.String())
		if time.Since(began) > time.Minute {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// close gives back what was opened, the last first.
func (p *process) close() {
	p.mu.Lock()
	all := p.closers
	p.closers = nil
	p.mu.Unlock()
	for _, f := range slices.Backward(all) {
		f()
	}
	if p.watch != nil {
		p.watch.close()
	}
}

// markets returns the markets of the deployment.
func (p *process) markets() []market.ID {
	ids := make([]market.ID, len(p.d.Markets))
	for i := range p.d.Markets {
		ids[i] = p.d.Markets[i].ID
	}
	return ids
}

// keeper returns a keeper of leases for this process, which others reach at an address.
func (p *process) keeper(address string) *lease.Keeper {
	return lease.NewKeeper(p.kept.Leases, p.clock, p.Leases, p.Replica, address)
}
