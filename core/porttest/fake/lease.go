package fake

import (
	"context"

	"footway/core/lease"
)

// LossyLeases is a lease.Store whose calls can be lost.
type LossyLeases struct {
	lease.Store
	*Losses
}

// Lease implements lease.Store.
func (s LossyLeases) Lease(ctx context.Context, name string) (l lease.Lease, err error) {
	err = s.Do("Lease", func() (err error) { l, err = s.Store.Lease(ctx, name); return err })
	return l, err
}

// SaveLease implements lease.Store.
func (s LossyLeases) SaveLease(ctx context.Context, l lease.Lease) (revision uint64, err error) {
	err = s.Do("SaveLease", func() (err error) { revision, err = s.Store.SaveLease(ctx, l); return err })
	return revision, err
}
