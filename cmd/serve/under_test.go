package serve

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"footway/adapters/memory"
	"footway/adapters/observe"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/lease"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// quickly are leases that change hands within a test's patience.
var quickly = lease.Options{Life: 600 * clock.Millisecond, Margin: 200 * clock.Millisecond}

// replica is a process with nothing but leases.
func replica(t *testing.T, name string, s lease.Store) *process {
	t.Helper()
	o, err := Options{Services: []string{"task"}, Replica: name, Leases: quickly, Log: slog.New(slog.DiscardHandler)}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	tel, err := observe.New(t.Context(), observe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := InMemory()
	if err != nil {
		t.Fatal(err)
	}
	kept.Leases = s
	p := &process{Options: o, log: o.Log, kept: kept}
	p.watch = &watch{tel, p}
	return p
}

// moody is a store of leases that is away when it is told to be.
type moody struct {
	lease.Store
	away atomic.Bool
}

func (m *moody) SaveLease(ctx context.Context, l lease.Lease) (uint64, error) {
	if m.away.Load() {
		return 0, fault.New("moody", fault.Unavailable, "", "away")
	}
	return m.Store.SaveLease(ctx, l)
}

func (m *moody) Lease(ctx context.Context, name string) (lease.Lease, error) {
	if m.away.Load() {
		return lease.Lease{}, fault.New("moody", fault.Unavailable, "", "away")
	}
	return m.Store.Lease(ctx, name)
}

// shift counts who works.
type shift struct {
	working, most atomic.Int32
	turns         atomic.Int32
}

func (s *shift) work(ctx context.Context, _ lease.Lease) {
	s.turns.Add(1)
	n := s.working.Add(1)
	for m := s.most.Load(); n > m && !s.most.CompareAndSwap(m, n); m = s.most.Load() {
	}
	<-ctx.Done()
	s.working.Add(-1)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// TestOneWorks has three replicas want one lease: one works at a time, and another goes on when it leaves.
func TestOneWorks(t *testing.T) {
	store, s := memory.NewLeaseStore(), &shift{}
	var all sync.WaitGroup
	var stops []context.CancelFunc
	for _, name := range []string{"a", "b", "c"} {
		ctx, stop := context.WithCancel(t.Context())
		stops = append(stops, stop)
		p := replica(t, name, store)
		k := p.keeper(name + ":1")
		all.Go(func() {
			if err := p.under(ctx, k, "work", nil, s.work); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for i := range stops {
		eventually(t, "one works", func() bool { return s.working.Load() == 1 })
		l, err := store.Lease(t.Context(), "work")
		if err != nil {
			t.Fatal(err)
		}
		holder := int(l.Holder[0] - 'a')
		if l.Address != l.Holder+":1" {
			t.Errorf("the lease of %s says that it is reached at %q", l.Holder, l.Address)
		}
		stops[holder]()
		if i < len(stops)-1 {
			eventually(t, "another has the lease", func() bool {
				l, err := store.Lease(t.Context(), "work")
				return err == nil && int(l.Holder[0]-'a') != holder && l.Expires != 0
			})
		}
	}
	all.Wait()
	if s.most.Load() != 1 || s.turns.Load() != 3 || s.working.Load() != 0 {
		t.Errorf("%d worked at once, in %d turns, and %d still do; want 1, 3 and 0", s.most.Load(), s.turns.Load(), s.working.Load())
	}
	if l, err := store.Lease(t.Context(), "work"); err != nil || l.Expires != 0 {
		t.Errorf("the last one left the lease as %+v, %v; want it given back", l, err)
	}
}

// TestWhoCannotRenewStops takes the store away from a holder: it stops before the lease could be another's.
func TestWhoCannotRenewStops(t *testing.T) {
	store, s := &moody{Store: memory.NewLeaseStore()}, &shift{}
	p := replica(t, "a", store)
	k := p.keeper("a:1")
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		if err := p.under(ctx, k, "work", nil, s.work); err != nil {
			t.Error(err)
		}
	})
	eventually(t, "it works", func() bool { return s.working.Load() == 1 })
	store.away.Store(true)
	var expires clock.Time
	eventually(t, "it stops", func() bool {
		if s.working.Load() == 0 {
			return true
		}
		if l, err := store.Store.Lease(t.Context(), "work"); err == nil {
			expires = l.Expires
		}
		return false
	})
	if now := p.clock.Now(); expires == 0 || now >= expires.Add(quickly.Life/2) { // half a life more is for a loaded machine
		t.Errorf("it stopped at %v; its lease was good until %v", now, expires)
	}
	store.away.Store(false)
	eventually(t, "it works again", func() bool { return s.working.Load() == 1 })
	stop()
	done.Wait()
}

// TestResumingTriesAgain has what could not be taken up tried again soon, and then now and then.
func TestResumingTriesAgain(t *testing.T) {
	p := replica(t, "a", memory.NewLeaseStore())
	p.Resume = 30 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	calls := 0
	p.resuming(ctx, "m", func(context.Context) error {
		if calls++; calls == 5 {
			stop()
		}
		if calls == 1 {
			return fault.New("test", fault.Unavailable, "", "away")
		}
		return nil
	})
	if calls != 5 {
		t.Errorf("it was tried %d times, want 5", calls)
	}
}
