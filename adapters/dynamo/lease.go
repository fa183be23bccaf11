package dynamo

import (
	"context"

	"footway/core/fault"
	"footway/core/lease"
)

// LeaseStore is a lease.Store in the table leases. It decides by revisions
// alone; whether a lease has expired its readers decide, each by its own clock, for
// which lease.Options has a margin.
type LeaseStore struct{ db *DB }

var _ lease.Store = (*LeaseStore)(nil)

// NewLeaseStore returns the store in the tables of db.
func NewLeaseStore(db *DB) *LeaseStore { return &LeaseStore{db} }

const leasePrefix = "lease/"

// Lease implements lease.Store.
func (s *LeaseStore) Lease(ctx context.Context, name string) (l lease.Lease, err error) {
	const op = "dynamo.Lease"
	if err := checkID(op, "lease", name); err != nil {
		return l, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	i, err := s.db.get(ctx, op, s.db.tables.leases(), leasePrefix+name)
	if err != nil {
		return l, err
	}
	if i == nil {
		return l, fault.New(op, fault.NotFound, "", "there is no lease %q", name)
	}
	if err := parse(op, i, &l); err != nil {
		return lease.Lease{}, err
	}
	if k := keyOf(i); k != leasePrefix+l.Name {
		return lease.Lease{}, badItem(op, k, "it holds lease %s", quote(l.Name))
	}
	l.Revision, err = revisionOf(op, i)
	return l, err
}

// SaveLease implements lease.Store.
func (s *LeaseStore) SaveLease(ctx context.Context, l lease.Lease) (uint64, error) {
	const op = "dynamo.SaveLease"
	if err := checkID(op, "lease", l.Name); err != nil {
		return 0, err
	}
	given := l.Revision
	l.Revision = 0 // kept in an attribute of its own
	doc, err := document(op, leasePrefix+l.Name, l)
	if err != nil {
		return 0, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	return s.db.save(ctx, write{op: op, table: s.db.tables.leases(), key: leasePrefix + l.Name, revision: given, item: item{attrDoc: doc}})
}
