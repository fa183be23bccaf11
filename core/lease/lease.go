// Package lease decides which of several replicas does what one should do,
// such as planning the rounds of a market. It is for economy, not for safety: a
// process that was paused may believe for a moment that it still holds a lease
// which another has taken, so whatever is done under a lease must be fenced elsewhere.
package lease

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
)

// Lease is the claim of one holder on one name.
type Lease struct {
	Name     string     `json:"name"`    // such as "dispatch/wedgwood"
	Holder   string     `json:"holder"`  // the process, another one after each start
	Address  string     `json:"address"` // where the holder can be reached
	Expires  clock.Time `json:"expires"` // 0: it was given back
	Term     uint64     `json:"term"`    // how often the holder has changed
	Revision uint64     `json:"revision"`
}

// Store keeps leases. Writes of one lease are conditional on its revision.
type Store interface {
	// Lease returns the lease of that name, or a fault.NotFound error. It is never an earlier
	// one than was returned or written before.
	Lease(ctx context.Context, name string) (Lease, error)
	// SaveLease writes l if the stored revision is still l.Revision (0: there must be none), and
	// returns the new revision; otherwise it writes nothing and fails with fault.Conflict. A fault.Unavailable
	// error leaves open whether the write happened.
	SaveLease(ctx context.Context, l Lease) (revision uint64, err error)
}

// Options say how long leases hold.
type Options struct {
	// Life is from a renewal to the expiry. A crashed holder's work rests that long.
	Life clock.Duration
	// Margin is how long before the expiry, by its own clock, a holder stops to count on its lease:
	// more than clocks of replicas differ.
	Margin clock.Duration
}

// DefaultOptions suit renewals every few seconds.
func DefaultOptions() Options { return Options{Life: 15 * clock.Second, Margin: 3 * clock.Second} }

// Keeper takes and renews leases for one process.
type Keeper struct {
	store   Store
	clock   clock.Clock
	o       Options
	holder  string
	address string
}

// NewKeeper returns a keeper for the process called holder, a name that no
// other process ever had, which others reach at address.
func NewKeeper(s Store, c clock.Clock, o Options, holder, address string) *Keeper {
	return &Keeper{store: s, clock: c, o: o, holder: holder, address: address}
}

// Try takes the lease of that name if it is free or has expired, renews it if
// this process has it, and returns it as it then is. Call it every third of Life or more often.
func (k *Keeper) Try(ctx context.Context, name string) (Lease, error) {
	now := k.clock.Now()
	l, err := k.store.Lease(ctx, name)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Lease{}, fmt.Errorf("lease %s: %w", name, err)
	}
	if l.Holder != k.holder && now < l.Expires {
		return l, nil
	}
	if l.Holder != k.holder {
		l.Term++
	}
	l.Name, l.Holder, l.Address, l.Expires = name, k.holder, k.address, now.Add(k.o.Life)
	revision, err := k.store.SaveLease(ctx, l)
	switch {
	case err == nil:
		l.Revision = revision
		return l, nil
	case fault.Is(err, fault.Conflict):
		l, err = k.store.Lease(ctx, name) // another was faster, or the answer to our own write was lost and it was repeated
	}
	if err != nil {
		return Lease{}, fmt.Errorf("lease %s: %w", name, err)
	}
	return l, nil
}

// Holds reports whether this process may count on l now.
func (k *Keeper) Holds(l Lease) bool {
	return l.Holder == k.holder && k.clock.Now() < l.Expires.Add(-k.o.Margin)
}

// Leave gives a lease back, so that another need not wait for its expiry. It is no
// error if this process does not have it.
func (k *Keeper) Leave(ctx context.Context, name string) error {
	l, err := k.store.Lease(ctx, name)
	if fault.Is(err, fault.NotFound) || err == nil && l.Holder != k.holder {
		return nil
	}
	if err == nil {
		l.Expires = 0
		_, err = k.store.SaveLease(ctx, l)
	}
	if err != nil && !fault.Is(err, fault.Conflict) {
		return fmt.Errorf("leave lease %s: %w", name, err)
	}
	return nil
}
