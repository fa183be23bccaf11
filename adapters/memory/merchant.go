package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
)

// MerchantStore is a merchant.BusinessStore and a merchant.StoreStore.
type MerchantStore struct {
	mu         sync.Mutex
	businesses []merchant.Business // ordered by key
	stores     []merchant.Store    // ordered by key
}

var (
	_ merchant.BusinessStore = (*MerchantStore)(nil)
	_ merchant.StoreStore    = (*MerchantStore)(nil)
)

// NewMerchantStore returns an empty store.
func NewMerchantStore() *MerchantStore { return &MerchantStore{} }

func businessOrder(b merchant.Business, k merchant.BusinessKey) int {
	return cmp.Or(cmp.Compare(b.Partner, k.Partner), cmp.Compare(b.ID, k.ID))
}

func storeOrder(s merchant.Store, k merchant.StoreKey) int {
	return cmp.Or(cmp.Compare(s.Partner, k.Partner), cmp.Compare(s.Business, k.Business), cmp.Compare(s.ID, k.ID))
}

// Business implements merchant.BusinessStore.
func (m *MerchantStore) Business(_ context.Context, k merchant.BusinessKey) (merchant.Business, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearchFunc(m.businesses, k, businessOrder)
	if !ok {
		return merchant.Business{}, fault.New("memory.Business", fault.NotFound, merchant.UnknownBusiness, "no business %q of %q", k.ID, k.Partner)
	}
	return m.businesses[i], nil
}

// Businesses implements merchant.BusinessStore.
func (m *MerchantStore) Businesses(_ context.Context, p delivery.PartnerID, after string, limit int) ([]merchant.Business, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearchFunc(m.businesses, merchant.BusinessKey{Partner: p, ID: after}, businessOrder)
	if ok {
		i++
	}
	page := []merchant.Business{}
	for ; i < len(m.businesses) && m.businesses[i].Partner == p && len(page) < limit; i++ {
		page = append(page, m.businesses[i])
	}
	return page, nil
}

// CreateBusiness implements merchant.BusinessStore.
func (m *MerchantStore) CreateBusiness(_ context.Context, b merchant.Business) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, taken := slices.BinarySearchFunc(m.businesses, b.BusinessKey, businessOrder)
	if taken {
		return fault.New("memory.CreateBusiness", fault.Conflict, merchant.DuplicateBusiness, "business %q of %q exists", b.ID, b.Partner)
	}
	b.Revision = 1
	m.businesses = slices.Insert(m.businesses, i, b)
	return nil
}

// SaveBusiness implements merchant.BusinessStore.
func (m *MerchantStore) SaveBusiness(_ context.Context, b merchant.Business) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearchFunc(m.businesses, b.BusinessKey, businessOrder)
	if !ok || m.businesses[i].Revision != b.Revision {
		return 0, fault.New("memory.SaveBusiness", fault.Conflict, merchant.Stale, "business %q of %q is not at revision %d", b.ID, b.Partner, b.Revision)
	}
	b.Revision++
	m.businesses[i] = b
	return b.Revision, nil
}

// Store implements merchant.StoreStore.
func (m *MerchantStore) Store(_ context.Context, k merchant.StoreKey) (merchant.Store, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearchFunc(m.stores, k, storeOrder)
	if !ok {
		return merchant.Store{}, fault.New("memory.Store", fault.NotFound, merchant.UnknownStore, "no store %q of business %q of %q", k.ID, k.Business, k.Partner)
	}
	return m.stores[i], nil
}

// Stores implements merchant.StoreStore.
func (m *MerchantStore) Stores(_ context.Context, k merchant.BusinessKey, after string, limit int) ([]merchant.Store, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearchFunc(m.stores, merchant.StoreKey{Partner: k.Partner, Business: k.ID, ID: after}, storeOrder)
	if ok {
		i++
	}
	page := []merchant.Store{}
	for ; i < len(m.stores) && m.stores[i].Of() == k && len(page) < limit; i++ {
		page = append(page, m.stores[i])
	}
	return page, nil
}

// CreateStore implements merchant.StoreStore.
func (m *MerchantStore) CreateStore(_ context.Context, s merchant.Store) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, taken := slices.BinarySearchFunc(m.stores, s.StoreKey, storeOrder)
	if taken {
		return fault.New("memory.CreateStore", fault.Conflict, merchant.DuplicateStore, "store %q of business %q of %q exists", s.ID, s.Business, s.Partner)
	}
	s.Revision = 1
	m.stores = slices.Insert(m.stores, i, s)
	return nil
}

// SaveStore implements merchant.StoreStore.
func (m *MerchantStore) SaveStore(_ context.Context, s merchant.Store) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := slices.BinarySearchFunc(m.stores, s.StoreKey, storeOrder)
	if !ok || m.stores[i].Revision != s.Revision {
		return 0, fault.New("memory.SaveStore", fault.Conflict, merchant.Stale, "store %q of business %q is not at revision %d", s.ID, s.Business, s.Revision)
	}
	s.Revision++
	m.stores[i] = s
	return s.Revision, nil
}

// merchantsState is the store as Snapshot writes it.
type merchantsState struct {
	Businesses []merchant.Business `json:"businesses"`
	Stores     []merchant.Store    `json:"stores"`
}

// Snapshot writes down the store.
func (m *MerchantStore) Snapshot() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return json.Marshal(merchantsState{Businesses: m.businesses, Stores: m.stores})
}

// Restore replaces what the store holds by what Snapshot wrote down.
func (m *MerchantStore) Restore(snapshot []byte) error {
	var state merchantsState
	if err := json.Unmarshal(snapshot, &state); err != nil {
		return fmt.Errorf("restore merchants: %w", err)
	}
	slices.SortFunc(state.Businesses, func(a, b merchant.Business) int { return businessOrder(a, b.BusinessKey) })
	slices.SortFunc(state.Stores, func(a, b merchant.Store) int { return storeOrder(a, b.StoreKey) })
	m.mu.Lock()
	defer m.mu.Unlock()
	m.businesses, m.stores = state.Businesses, state.Stores
	return nil
}
