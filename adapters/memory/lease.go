package memory

import (
	"context"
	"sync"

	"footway/core/fault"
	"footway/core/lease"
)

// LeaseStore keeps leases.
type LeaseStore struct {
	mu     sync.Mutex
	leases map[string]lease.Lease
}

var _ lease.Store = (*LeaseStore)(nil)

// NewLeaseStore returns an empty store.
func NewLeaseStore() *LeaseStore { return &LeaseStore{leases: map[string]lease.Lease{}} }

// Lease implements lease.Store.
func (s *LeaseStore) Lease(_ context.Context, name string) (lease.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.leases[name]
	if !ok {
		return lease.Lease{}, fault.New("memory.Lease", fault.NotFound, "", "there is no lease %q", name)
	}
	return l, nil
}

// SaveLease implements lease.Store.
func (s *LeaseStore) SaveLease(_ context.Context, l lease.Lease) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.leases[l.Name].Revision; stored != l.Revision {
		return 0, fault.New("memory.SaveLease", fault.Conflict, "revision", "lease %s is at revision %d, not %d", l.Name, stored, l.Revision)
	}
	l.Revision++
	s.leases[l.Name] = l
	return l.Revision, nil
}
