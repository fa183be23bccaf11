package serve

import (
	"context"
	"math/rand/v2"
	"time"

	"footway/core/lease"
)

// under runs work whenever this process holds the lease of a name, and ends it when the lease is
// lost; seen, if not nil, is told of the lease as it is, whoever has it. It returns when ctx has ended, the work too, and the lease is given back.
func (p *process) under(ctx context.Context, k *lease.Keeper, name string, seen func(lease.Lease), work func(context.Context, lease.Lease)) error {
	every := p.Leases.Life.Std() / 3
	var held lease.Lease
	var stop context.CancelFunc
	var done chan struct{}
	end := func() {
		if stop != nil {
			stop()
			<-done
			stop = nil
		}
	}
	defer func() {
		end()
		p.leave(ctx, k, name)
	}()
	for {
		l, err := k.Try(ctx, name)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			p.log.WarnContext(ctx, "a lease could not be renewed", "lease", name, "error", err)
		default:
			if stop != nil && l.Term != held.Term {
				end() // it was another's in between
			}
			held = l
			if seen != nil {
				seen(l)
			}
		}
		switch {
		case k.Holds(held) && stop == nil:
			p.log.InfoContext(ctx, "this replica has the lease", "lease", name, "term", held.Term)
			p.watch.holds(name, true)
			var working context.Context
			working, stop = context.WithCancel(ctx)
			done = make(chan struct{})
			go func(l lease.Lease, done chan struct{}) {
				defer close(done)
				work(working, l)
			}(held, done)
		case !k.Holds(held) && stop != nil:
			p.log.WarnContext(ctx, "this replica has lost the lease", "lease", name, "holder", held.Holder)
			p.watch.holds(name, false)
			end()
		}
		if !p.sleep(ctx, p.nextTry(held, every, stop != nil)) {
			return nil
		}
	}
}

// nextTry returns how long to wait until the lease is tried again: holders renew in time, and
// look soon enough to stop in time where they cannot.
func (p *process) nextTry(held lease.Lease, every time.Duration, working bool) time.Duration {
	wait := every - rand.N(every/4+1) // so that replicas do not come together; chance decides nothing else here
	if working {
		left := held.Expires.Add(-p.Leases.Margin).Sub(p.clock.Now()).Std()
		wait = min(wait, max(left, 10*time.Millisecond))
	}
	return wait
}

// leave gives a lease back, so that another replica need not wait.
func (p *process) leave(ctx context.Context, k *lease.Keeper, name string) {
	p.watch.holds(name, false)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	if err := k.Leave(ctx, name); err != nil {
		p.log.WarnContext(ctx, "a lease could not be given back; it expires by itself", "lease", name, "error", err)
	}
}

// sleep waits, and reports whether ctx goes on.
func (p *process) sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// resuming calls resume at once and then every Options.Resume until ctx ends: a timer that another
// replica has set and lost is found in the stores.
func (p *process) resuming(ctx context.Context, name string, resume func(context.Context) error) {
	for {
		err := resume(ctx)
		wait := p.Resume
		if err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "not everything could be taken up again; it is tried again soon", "what", name, "error", err)
			wait = min(wait, 2*time.Second)
		}
		if !p.sleep(ctx, wait-rand.N(wait/10+1)) {
			return
		}
	}
}
