package porttest

import (
	"fmt"
	"sync"
	"testing"

	"footway/core/fault"
	"footway/core/lease"
)

// LeaseStore tries lease.Store; open returns an empty store for each case.
func LeaseStore(t *testing.T, open func(t *testing.T) lease.Store) {
	t.Run("write and read back", func(t *testing.T) { leaseReadBack(t, open(t)) })
	t.Run("writes need the stored revision", func(t *testing.T) { leaseStale(t, open(t)) })
	t.Run("one of many wins", func(t *testing.T) { leaseRace(t, open(t)) })
}

func sampleLease(name string) lease.Lease {
	return lease.Lease{Name: name, Holder: "host/1", Address: "10.0.0.1:7000", Expires: 15_000, Term: 1<<63 + 1}
}

func leaseReadBack(t *testing.T, s lease.Store) {
	ctx := t.Context()
	_, err := s.Lease(ctx, "a")
	wantKind(t, "Lease of an unknown name", err, fault.NotFound)
	l := sampleLease("a")
	for range 3 {
		revision, err := s.SaveLease(ctx, l)
		if err != nil || revision <= l.Revision {
			t.Fatalf("SaveLease at revision %d = %d, %v; want a higher one", l.Revision, revision, err)
		}
		l.Revision = revision
		got, err := s.Lease(ctx, "a")
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "Lease", l, got)
		l.Holder, l.Expires = l.Holder+"x", 0
	}
	_, err = s.Lease(ctx, "b")
	wantKind(t, "Lease of another name", err, fault.NotFound)
}

func leaseStale(t *testing.T, s lease.Store) {
	ctx := t.Context()
	first := sampleLease("a")
	revision, err := s.SaveLease(ctx, first)
	if err != nil {
		t.Fatal(err)
	}
	thief := first
	thief.Holder = "thief"
	for _, stale := range []uint64{0, revision - 1, revision + 1} {
		if stale == revision {
			continue
		}
		thief.Revision = stale
		_, err := s.SaveLease(ctx, thief)
		wantKind(t, fmt.Sprintf("SaveLease at revision %d where %d is stored", stale, revision), err, fault.Conflict)
	}
	missing := sampleLease("b")
	missing.Revision = 1
	_, err = s.SaveLease(ctx, missing)
	wantKind(t, "SaveLease at revision 1 of a lease that there is not", err, fault.Conflict)
	if got, err := s.Lease(ctx, "a"); err != nil || got.Holder != first.Holder {
		t.Errorf("the lease is %s's, %v; want %s's", got.Holder, err, first.Holder)
	}
}

func leaseRace(t *testing.T, s lease.Store) {
	ctx := t.Context()
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		won []string
	)
	for i := range 8 {
		wg.Go(func() {
			l := sampleLease("a")
			l.Holder = fmt.Sprint("host/", i)
			_, err := s.SaveLease(ctx, l)
			switch {
			case err == nil:
				mu.Lock()
				won = append(won, l.Holder)
				mu.Unlock()
			case !fault.Is(err, fault.Conflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, err := s.Lease(ctx, "a")
	if err != nil || len(won) != 1 || got.Holder != won[0] {
		t.Errorf("%q wrote a lease that there was not, %v, and it is %s's; want one of them", won, err, got.Holder)
	}
}
