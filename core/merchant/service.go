package merchant

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// Service keeps a partner's businesses and stores. Every command may be
// repeated: a create that finds its own effect returns it.
type Service struct {
	businesses BusinessStore
	stores     StoreStore
	clock      clock.Clock
}

// NewService returns a service over its stores.
func NewService(b BusinessStore, s StoreStore, c clock.Clock) *Service {
	return &Service{businesses: b, stores: s, clock: c}
}

// maxTries bounds how often an edit is decided again because another writer was
// faster. Two people edit a store at once now and then, never sixteen.
const maxTries = 16

// CreateBusiness registers b, active unless it says otherwise. It fails with
// fault.Conflict, reason DuplicateBusiness, if another business has its id.
func (s *Service) CreateBusiness(ctx context.Context, b Business) (Business, error) {
	if b.Status == "" {
		b.Status = Active
	}
	if err := b.check(); err != nil {
		return Business{}, err
	}
	now := s.clock.Now()
	b.CreatedAt, b.UpdatedAt, b.Revision = now, now, 1
	err := s.businesses.CreateBusiness(ctx, b)
	if err == nil || !fault.Is(err, fault.Conflict) {
		return b, err
	}
	old, err := s.businesses.Business(ctx, b.BusinessKey)
	if err != nil {
		return Business{}, fmt.Errorf("create business %q: %w", b.ID, err)
	}
	if old.Name != b.Name || old.Description != b.Description || old.Status != b.Status {
		return Business{}, fault.New("merchant.CreateBusiness", fault.Conflict, DuplicateBusiness, "business %q of %s exists with other particulars", b.ID, b.Partner)
	}
	return old, nil
}

// Business returns a business. It fails with fault.NotFound, reason UnknownBusiness.
func (s *Service) Business(ctx context.Context, k BusinessKey) (Business, error) {
	b, err := s.businesses.Business(ctx, k)
	if fault.Is(err, fault.NotFound) {
		return b, fault.New(opBusiness, fault.NotFound, UnknownBusiness, "no business %q of %s", k.ID, k.Partner)
	}
	return b, err
}

// Businesses returns a page of a partner's businesses, ordered by id, and the
// token of the next page, "" at the end. The first page's token is "".
func (s *Service) Businesses(ctx context.Context, p delivery.PartnerID, token string) ([]Business, string, error) {
	after, err := readToken(token)
	if err != nil {
		return nil, "", err
	}
	all, err := s.businesses.Businesses(ctx, p, after, PageSize+1)
	if err != nil {
		return nil, "", fmt.Errorf("businesses of %s: %w", p, err)
	}
	if len(all) <= PageSize {
		return all, "", nil
	}
	return all[:PageSize], tokenOf(all[PageSize-1].ID), nil
}

// BusinessEdit is what changes of a business; nil keeps what is there.
type BusinessEdit struct {
	Name        *string
	Description *string
	Status      *Status
}

// EditBusiness changes a business. It fails with fault.NotFound, reason UnknownBusiness.
func (s *Service) EditBusiness(ctx context.Context, k BusinessKey, e BusinessEdit) (Business, error) {
	for range maxTries {
		old, err := s.Business(ctx, k)
		if err != nil {
			return Business{}, err
		}
		b := old
		replace(&b.Name, e.Name)
		replace(&b.Description, e.Description)
		replace(&b.Status, e.Status)
		if b == old {
			return old, nil
		}
		if err := b.check(); err != nil {
			return Business{}, err
		}
		b.UpdatedAt = s.clock.Now()
		revision, err := s.businesses.SaveBusiness(ctx, b)
		if fault.Is(err, fault.Conflict) {
			continue
		}
		b.Revision = revision
		return b, err
	}
	return Business{}, contention(k.ID)
}

// CreateStore registers a store, active unless it says otherwise. It fails with
// fault.NotFound, reason UnknownBusiness, and with fault.Conflict, reason
// DuplicateStore, if another store of the business has its id.
func (s *Service) CreateStore(ctx context.Context, st Store) (Store, error) {
	if st.Status == "" {
		st.Status = Active
	}
	if err := st.check(); err != nil {
		return Store{}, err
	}
	if _, err := s.Business(ctx, st.Of()); err != nil {
		return Store{}, err
	}
	now := s.clock.Now()
	st.CreatedAt, st.UpdatedAt, st.Revision = now, now, 1
	err := s.stores.CreateStore(ctx, st)
	if err == nil || !fault.Is(err, fault.Conflict) {
		return st, err
	}
	old, err := s.stores.Store(ctx, st.StoreKey)
	if err != nil {
		return Store{}, fmt.Errorf("create store %q: %w", st.ID, err)
	}
	if old.Name != st.Name || old.Address != st.Address || old.Phone != st.Phone || old.Prep != st.Prep || old.Hours != st.Hours || old.Status != st.Status {
		return Store{}, fault.New("merchant.CreateStore", fault.Conflict, DuplicateStore, "store %q of %s exists with other particulars", st.ID, st.Business)
	}
	return old, nil
}

// Store returns a store. It fails with fault.NotFound, reason UnknownBusiness or UnknownStore.
func (s *Service) Store(ctx context.Context, k StoreKey) (Store, error) {
	st, err := s.stores.Store(ctx, k)
	if !fault.Is(err, fault.NotFound) {
		return st, err
	}
	if _, err := s.Business(ctx, k.Of()); err != nil {
		return Store{}, err
	}
	return Store{}, fault.New(opStore, fault.NotFound, UnknownStore, "no store %q of business %q", k.ID, k.Business)
}

// Stores returns a page of a business's stores, like Businesses. It fails with
// fault.NotFound, reason UnknownBusiness.
func (s *Service) Stores(ctx context.Context, k BusinessKey, token string) ([]Store, string, error) {
	after, err := readToken(token)
	if err != nil {
		return nil, "", err
	}
	if _, err := s.Business(ctx, k); err != nil {
		return nil, "", err
	}
	all, err := s.stores.Stores(ctx, k, after, PageSize+1)
	if err != nil {
		return nil, "", fmt.Errorf("stores of %q: %w", k.ID, err)
	}
	if len(all) <= PageSize {
		return all, "", nil
	}
	return all[:PageSize], tokenOf(all[PageSize-1].ID), nil
}

// StoreEdit is what changes of a store; nil keeps what is there.
type StoreEdit struct {
	Name    *string
	Address *string
	Phone   *string
	Status  *Status
	Prep    *clock.Duration
	Hours   *Hours
}

// EditStore changes a store. It fails with fault.NotFound, reason UnknownBusiness or UnknownStore.
func (s *Service) EditStore(ctx context.Context, k StoreKey, e StoreEdit) (Store, error) {
	for range maxTries {
		old, err := s.Store(ctx, k)
		if err != nil {
			return Store{}, err
		}
		st := old
		replace(&st.Name, e.Name)
		replace(&st.Address, e.Address)
		replace(&st.Phone, e.Phone)
		replace(&st.Status, e.Status)
		replace(&st.Prep, e.Prep)
		replace(&st.Hours, e.Hours)
		if st == old {
			return old, nil
		}
		if err := st.check(); err != nil {
			return Store{}, err
		}
		st.UpdatedAt = s.clock.Now()
		revision, err := s.stores.SaveStore(ctx, st)
		if fault.Is(err, fault.Conflict) {
			continue
		}
		st.Revision = revision
		return st, err
	}
	return Store{}, contention(k.ID)
}

// replace puts what from points to into to, unless it is nil.
func replace[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func contention(id string) error {
	return fault.New("merchant.Edit", fault.Unavailable, Stale, "%q: another writer was faster %d times", id, maxTries)
}

// A token is the last id of the page before, marked so that nobody takes one for an id.
const tokenMark = "after."

func tokenOf(last string) string { return tokenMark + last }

func readToken(token string) (after string, err error) {
	if token == "" {
		return "", nil
	}
	if len(token) <= len(tokenMark) || token[:len(tokenMark)] != tokenMark || !ValidID(token[len(tokenMark):]) {
		return "", fault.New("merchant.List", fault.Invalid, BadToken, "continuation token %.80q is not one of ours", token)
	}
	return token[len(tokenMark):], nil
}
