package lease_test

import (
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/lease"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

func TestMemory(t *testing.T) {
	porttest.LeaseStore(t, func(*testing.T) lease.Store { return memory.NewLeaseStore() })
}

// Two replicas over a minute: who holds the lease, and who believes that it does.
func TestKeepers(t *testing.T) {
	ctx := t.Context()
	store, now := memory.NewLeaseStore(), fake.NewClock(0)
	o := lease.DefaultOptions()
	a := lease.NewKeeper(store, now, o, "a", "a:1")
	b := lease.NewKeeper(store, now, o, "b", "b:1")
	try := func(k *lease.Keeper, want string, holds bool) lease.Lease {
		t.Helper()
		l, err := k.Try(ctx, "m")
		if err != nil || l.Holder != want || k.Holds(l) != holds {
			t.Errorf("at %v: the lease is %s's, %v, and it holds: %v; want %s's and %v", now.Now(), l.Holder, err, k.Holds(l), want, holds)
		}
		return l
	}
	first := try(a, "a", true)
	if l := try(b, "a", false); l.Address != "a:1" {
		t.Errorf("the holder is reached at %q, want a:1", l.Address)
	}
	now.Advance(10 * clock.Second)
	renewed := try(a, "a", true)
	if renewed.Term != first.Term || renewed.Expires != first.Expires.Add(10*clock.Second) {
		t.Errorf("renewed it is %+v after %+v, want the same term and 10 s more", renewed, first)
	}
	now.Advance(o.Life - o.Margin)
	if a.Holds(renewed) {
		t.Error("a counts on its lease within the margin of the expiry")
	}
	try(b, "a", false) // it has not expired for others
	now.Advance(o.Margin)
	taken := try(b, "b", true)
	if taken.Term != first.Term+1 {
		t.Errorf("the term is %d after %d, want one more", taken.Term, first.Term)
	}
	try(a, "b", false)

	if err := a.Leave(ctx, "m"); err != nil { // not its own
		t.Error(err)
	}
	try(b, "b", true)
	if err := b.Leave(ctx, "m"); err != nil {
		t.Error(err)
	}
	try(a, "a", true) // at once
	if err := b.Leave(ctx, "nobody's"); err != nil {
		t.Error(err)
	}
}

// When the answer to a write is lost, Try repeated finds its own lease.
func TestKeeperLosesAnswers(t *testing.T) {
	runs := fake.EachLoss(func(losses *fake.Losses) {
		k := lease.NewKeeper(fake.LossyLeases{Store: memory.NewLeaseStore(), Losses: losses}, fake.NewClock(0), lease.DefaultOptions(), "a", "")
		var l lease.Lease
		if err := fake.Again(func() (err error) { l, err = k.Try(t.Context(), "m"); return err }); err != nil {
			t.Fatal(err)
		}
		if !k.Holds(l) || l.Term != 1 {
			t.Errorf("%s lost %s its effect: the lease is %+v, want it held in its first term", losses.Hit, losses.Side, l)
		}
	})
	if runs != 4 {
		t.Errorf("%d losses, want each side of a read and a write", runs)
	}
}
