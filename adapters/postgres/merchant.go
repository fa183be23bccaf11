package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
)

// MerchantStore keeps businesses and their stores in the database Deliveries.
// It is safe for concurrent use.
type MerchantStore struct {
	db *DB
}

var (
	_ merchant.BusinessStore = (*MerchantStore)(nil)
	_ merchant.StoreStore    = (*MerchantStore)(nil)
)

// NewMerchantStore returns the store that db holds.
func NewMerchantStore(db *DB) *MerchantStore { return &MerchantStore{db} }

const (
	selectBusiness   = `SELECT partner, id, name, description, status, created_at, updated_at, revision FROM businesses WHERE partner = $1 AND id `
	selectBusinesses = selectBusiness + `> $2 ORDER BY id LIMIT $3`
)

func scanBusiness(row pgx.CollectableRow) (b merchant.Business, err error) {
	err = row.Scan(&b.Partner, &b.ID, &b.Name, &b.Description, &b.Status, &b.CreatedAt, &b.UpdatedAt, &b.Revision)
	return b, err
}

// Business implements merchant.BusinessStore.
func (m *MerchantStore) Business(ctx context.Context, k merchant.BusinessKey) (merchant.Business, error) {
	const op = "postgres.Business"
	all, err := list(ctx, m.db, op, scanBusiness, selectBusiness+`= $2`, k.Partner, k.ID)
	if err != nil || len(all) == 1 {
		return first(all), err
	}
	return merchant.Business{}, fault.New(op, fault.NotFound, merchant.UnknownBusiness, "no business %q of %q", k.ID, k.Partner)
}

// Businesses implements merchant.BusinessStore.
func (m *MerchantStore) Businesses(ctx context.Context, p delivery.PartnerID, after string, limit int) ([]merchant.Business, error) {
	return list(ctx, m.db, "postgres.Businesses", scanBusiness, selectBusinesses, p, after, limit)
}

// CreateBusiness implements merchant.BusinessStore.
func (m *MerchantStore) CreateBusiness(ctx context.Context, b merchant.Business) error {
	const op = "postgres.CreateBusiness"
	written, err := m.db.exec(ctx, op, `INSERT INTO businesses (partner, id, name, description, status, created_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1) ON CONFLICT DO NOTHING`, b.Partner, b.ID, b.Name, b.Description, b.Status, b.CreatedAt, b.UpdatedAt)
	if err == nil && written == 0 {
		err = fault.New(op, fault.Conflict, merchant.DuplicateBusiness, "business %q of %q exists", b.ID, b.Partner)
	}
	return err
}

// SaveBusiness implements merchant.BusinessStore.
func (m *MerchantStore) SaveBusiness(ctx context.Context, b merchant.Business) (uint64, error) {
	return m.db.replace(ctx, "postgres.SaveBusiness", b.Revision, `UPDATE businesses
		SET name = $4, description = $5, status = $6, created_at = $7, updated_at = $8, revision = revision + 1
		WHERE revision = $1 AND partner = $2 AND id = $3 RETURNING revision`,
		b.Partner, b.ID, b.Name, b.Description, b.Status, b.CreatedAt, b.UpdatedAt)
}

const (
	selectStore  = `SELECT partner, business, id, name, address, phone, status, prep_ms, hours, created_at, updated_at, revision FROM stores WHERE partner = $1 AND business = $2 AND id `
	selectStores = selectStore + `> $3 ORDER BY id LIMIT $4`
)

func scanStore(row pgx.CollectableRow) (s merchant.Store, err error) {
	err = row.Scan(&s.Partner, &s.Business, &s.ID, &s.Name, &s.Address, &s.Phone, &s.Status, (*int64)(&s.Prep), &s.Hours, &s.CreatedAt, &s.UpdatedAt, &s.Revision)
	return s, err
}

// Store implements merchant.StoreStore.
func (m *MerchantStore) Store(ctx context.Context, k merchant.StoreKey) (merchant.Store, error) {
	const op = "postgres.Store"
	all, err := list(ctx, m.db, op, scanStore, selectStore+`= $3`, k.Partner, k.Business, k.ID)
	if err != nil || len(all) == 1 {
		return first(all), err
	}
	return merchant.Store{}, fault.New(op, fault.NotFound, merchant.UnknownStore, "no store %q of business %q of %q", k.ID, k.Business, k.Partner)
}

// Stores implements merchant.StoreStore.
func (m *MerchantStore) Stores(ctx context.Context, k merchant.BusinessKey, after string, limit int) ([]merchant.Store, error) {
	return list(ctx, m.db, "postgres.Stores", scanStore, selectStores, k.Partner, k.ID, after, limit)
}

// CreateStore implements merchant.StoreStore.
func (m *MerchantStore) CreateStore(ctx context.Context, s merchant.Store) error {
	const op = "postgres.CreateStore"
	written, err := m.db.exec(ctx, op, `INSERT INTO stores (partner, business, id, name, address, phone, status, prep_ms, hours, created_at, updated_at, revision)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1) ON CONFLICT DO NOTHING`,
		s.Partner, s.Business, s.ID, s.Name, s.Address, s.Phone, s.Status, int64(s.Prep), s.Hours, s.CreatedAt, s.UpdatedAt)
	if err == nil && written == 0 {
		err = fault.New(op, fault.Conflict, merchant.DuplicateStore, "store %q of business %q of %q exists", s.ID, s.Business, s.Partner)
	}
	return err
}

// SaveStore implements merchant.StoreStore.
func (m *MerchantStore) SaveStore(ctx context.Context, s merchant.Store) (uint64, error) {
	return m.db.replace(ctx, "postgres.SaveStore", s.Revision, `UPDATE stores
		SET name = $5, address = $6, phone = $7, status = $8, prep_ms = $9, hours = $10, created_at = $11, updated_at = $12, revision = revision + 1
		WHERE revision = $1 AND partner = $2 AND business = $3 AND id = $4 RETURNING revision`,
		s.Partner, s.Business, s.ID, s.Name, s.Address, s.Phone, s.Status, int64(s.Prep), s.Hours, s.CreatedAt, s.UpdatedAt)
}

// first returns the only element of all, or nothing.
func first[T any](all []T) (one T) {
	if len(all) > 0 {
		one = all[0]
	}
	return one
}

// replace runs a statement that writes one row if it is at a revision, its first
// parameter, and returns the new one; fault.Conflict if it is not there at that revision.
func (db *DB) replace(ctx context.Context, op string, at uint64, statement string, args ...any) (uint64, error) {
	stale := fault.New(op, fault.Conflict, merchant.Stale, "it is not at revision %d", at)
	if at == 0 || at > maxRevision {
		return 0, stale
	}
	ctx, cancel := db.call(ctx)
	defer cancel()
	var revision int64
	err := db.pool.QueryRow(ctx, statement, append([]any{int64(at)}, args...)...).Scan(&revision)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, stale
	}
	return uint64(revision), translate(op, err)
}
