package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

// AccountStore is a fleet.AccountStore.
type AccountStore struct {
	mu       sync.Mutex
	accounts map[fleet.AccountID]fleet.Account
	docks    map[fleet.DockID]fleet.Dock
	byMarket map[market.ID][]fleet.Dock // ordered by ID
}

// NewAccountStore returns an empty store.
func NewAccountStore() *AccountStore {
	return &AccountStore{accounts: map[fleet.AccountID]fleet.Account{}, docks: map[fleet.DockID]fleet.Dock{}, byMarket: map[market.ID][]fleet.Dock{}}
}

// Account implements fleet.AccountStore.
func (s *AccountStore) Account(_ context.Context, id fleet.AccountID) (fleet.Account, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.accounts[id]
	if !ok {
		return fleet.Account{}, fault.New("memory.Account", fault.NotFound, "", "there is no account %q", id)
	}
	return a, nil
}

// SaveAccount implements fleet.AccountStore.
func (s *AccountStore) SaveAccount(_ context.Context, a fleet.Account) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts[a.ID] = a
	return nil
}

// Docks implements fleet.AccountStore.
func (s *AccountStore) Docks(_ context.Context, m market.ID) ([]fleet.Dock, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.byMarket[m]), nil
}

// SaveDock implements fleet.AccountStore.
func (s *AccountStore) SaveDock(_ context.Context, d fleet.Dock) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.docks[d.ID]; ok {
		s.byMarket[old.Market] = slices.DeleteFunc(s.byMarket[old.Market], func(o fleet.Dock) bool { return o.ID == d.ID })
	}
	s.docks[d.ID] = d
	i, _ := slices.BinarySearchFunc(s.byMarket[d.Market], d, dockOrder)
	s.byMarket[d.Market] = slices.Insert(s.byMarket[d.Market], i, d)
	return nil
}

func dockOrder(a, b fleet.Dock) int { return cmp.Compare(a.ID, b.ID) }

// accountsState is the store as Snapshot writes it.
type accountsState struct {
	Accounts []fleet.Account `json:"accounts"`
	Docks    []fleet.Dock    `json:"docks"`
}

// Snapshot writes down the store.
func (s *AccountStore) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(accountsState{
		Accounts: slices.SortedFunc(maps.Values(s.accounts), func(a, b fleet.Account) int { return cmp.Compare(a.ID, b.ID) }),
		Docks:    slices.SortedFunc(maps.Values(s.docks), dockOrder),
	})
}

// Restore replaces what the store holds by what Snapshot wrote down.
func (s *AccountStore) Restore(snapshot []byte) error {
	var state accountsState
	if err := json.Unmarshal(snapshot, &state); err != nil {
		return fmt.Errorf("restore accounts: %w", err)
	}
	fresh := NewAccountStore()
	for _, a := range state.Accounts {
		fresh.accounts[a.ID] = a
	}
	for _, d := range state.Docks {
		if err := fresh.SaveDock(context.Background(), d); err != nil {
			return fmt.Errorf("restore dock %s: %w", d.ID, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts, s.docks, s.byMarket = fresh.accounts, fresh.docks, fresh.byMarket
	return nil
}
