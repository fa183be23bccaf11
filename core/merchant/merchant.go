// Package merchant owns the businesses and stores that partners register, so
// that a delivery may name its pickup by store. It does not know deliveries,
// and moves nothing.
package merchant

import (
	"context"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// PageSize is how many businesses or stores a page of a listing has at most.
const PageSize = 100

// Status says whether a business or store takes part.
type Status string

// The statuses.
const (
	Active   Status = "active"
	Inactive Status = "inactive" // known, but nothing can be picked up there
)

// Reasons of errors, for partners and tests.
const (
	UnknownBusiness   = "unknown_business_id"
	UnknownStore      = "unknown_store_id_under_business_id"
	DuplicateBusiness = "duplicate_business_id" // the id is taken by another one
	DuplicateStore    = "duplicate_store_id"
	BadToken          = "bad_continuation_token"
	Stale             = "stale" // another writer was faster
)

// BusinessKey names a business: its partner, and the partner's own id.
type BusinessKey struct {
	Partner delivery.PartnerID `json:"partner"`
	ID      string             `json:"id"`
}

// StoreKey names a store within its business.
type StoreKey struct {
	Partner  delivery.PartnerID `json:"partner"`
	Business string             `json:"business"`
	ID       string             `json:"id"`
}

// Of returns the key of the business that k's store belongs to.
func (k StoreKey) Of() BusinessKey { return BusinessKey{Partner: k.Partner, ID: k.Business} }

// Business is a merchant: a chain, a restaurant, a marketplace's seller.
type Business struct {
	BusinessKey
	Name        string     `json:"name"`
	Description string     `json:"description,omitempty"`
	Status      Status     `json:"status"`
	CreatedAt   clock.Time `json:"created_at"`
	UpdatedAt   clock.Time `json:"updated_at"`
	Revision    uint64     `json:"revision"`
}

// Store is a place of a business where goods are picked up.
type Store struct {
	StoreKey
	Name      string         `json:"name"`
	Address   string         `json:"address"`
	Phone     string         `json:"phone,omitempty"` // E.164
	Status    Status         `json:"status"`
	Prep      clock.Duration `json:"prep"` // from an order to when its goods are ready, where the order does not say; 0 is at once
	Hours     Hours          `json:"hours,omitempty"`
	CreatedAt clock.Time     `json:"created_at"`
	UpdatedAt clock.Time     `json:"updated_at"`
	Revision  uint64         `json:"revision"`
}

// BusinessStore keeps businesses.
type BusinessStore interface {
	// Business returns the business, or a fault.NotFound error.
	Business(ctx context.Context, k BusinessKey) (Business, error)
	// Businesses returns the businesses of a partner with an id above after, ordered by id, at most limit.
	Businesses(ctx context.Context, p delivery.PartnerID, after string, limit int) ([]Business, error)
	// CreateBusiness writes a new business, whose revision is then 1, whatever b.Revision says. It
	// fails with fault.Conflict if the key is taken. A fault.Unavailable error leaves open whether the write happened.
	CreateBusiness(ctx context.Context, b Business) error
	// SaveBusiness writes b if the stored revision is still b.Revision, and returns the new
	// revision, which is higher; otherwise, or if there is no such business, it writes nothing and fails with
	// fault.Conflict. A fault.Unavailable error leaves open whether the write happened.
	SaveBusiness(ctx context.Context, b Business) (revision uint64, err error)
}

// StoreStore keeps stores. It does not look whether their businesses exist.
type StoreStore interface {
	// Store returns the store, or a fault.NotFound error.
	Store(ctx context.Context, k StoreKey) (Store, error)
	// Stores returns the stores of a business with an id above after, ordered by id, at most limit.
	Stores(ctx context.Context, k BusinessKey, after string, limit int) ([]Store, error)
	// CreateStore is to stores what CreateBusiness is to businesses.
	CreateStore(ctx context.Context, s Store) error
	// SaveStore is to stores what SaveBusiness is to businesses.
	SaveStore(ctx context.Context, s Store) (revision uint64, err error)
}

// ValidID reports whether id may name a business or a store: 3 to 64 of A-Z a-z 0-9 _ -.
func ValidID(id string) bool {
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' {
			return false
		}
	}
	return len(id) >= 3 && len(id) <= 64
}

// Limits of what is registered.
const (
	MaxName        = 200                 // bytes
	MaxDescription = 500                 // bytes
	MaxAddress     = 300                 // bytes
	MaxPrep        = 24 * clock.Hour     // longest preparation
	opBusiness     = "merchant.Business" // for errors
	opStore        = "merchant.Store"
)

func (b Business) check() error {
	switch {
	case b.Partner == "":
		return invalid(opBusiness, "partner", "missing")
	case !ValidID(b.ID):
		return invalid(opBusiness, "id", "want 3 to 64 of A-Z a-z 0-9 _ -")
	case b.Name == "" || len(b.Name) > MaxName:
		return invalid(opBusiness, "name", "want 1 to 200 bytes")
	case len(b.Description) > MaxDescription:
		return invalid(opBusiness, "description", "want at most 500 bytes")
	}
	return b.Status.check(opBusiness)
}

func (s Store) check() error {
	switch {
	case s.Partner == "" || s.Business == "":
		return invalid(opStore, "partner, business", "missing")
	case !ValidID(s.ID):
		return invalid(opStore, "id", "want 3 to 64 of A-Z a-z 0-9 _ -")
	case s.Name == "" || len(s.Name) > MaxName:
		return invalid(opStore, "name", "want 1 to 200 bytes")
	case s.Address == "" || len(s.Address) > MaxAddress:
		return invalid(opStore, "address", "want 1 to 300 bytes")
	case s.Prep < 0 || s.Prep > MaxPrep:
		return invalid(opStore, "prep", "want 0s to 24h")
	}
	if _, err := s.Hours.Parse(); err != nil {
		return err
	}
	return s.Status.check(opStore)
}

func (s Status) check(op string) error {
	if s != Active && s != Inactive {
		return invalid(op, "status", "want active or inactive")
	}
	return nil
}

func invalid(op, field, want string) error {
	return fault.New(op, fault.Invalid, delivery.ValidationError, "%s: %s", field, want)
}
