package memory

import (
	"context"
	"encoding/json"
	stdmaps "maps"
	"slices"
	"sync"

	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// MapStore keeps networks and what changes on them. It is safe for concurrent use.
type MapStore struct {
	mu       sync.Mutex
	networks map[market.ID]*maps.Network
	states   map[market.ID]maps.State

	directories map[market.ID]directory
}

var _ maps.Store = (*MapStore)(nil)

// NewMapStore returns an empty store.
func NewMapStore() *MapStore {
	return &MapStore{networks: map[market.ID]*maps.Network{}, states: map[market.ID]maps.State{}, directories: map[market.ID]directory{}}
}

// Network implements maps.Store.
func (s *MapStore) Network(_ context.Context, m market.ID) (*maps.Network, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.networks[m]; n != nil {
		return n, nil
	}
	return nil, fault.New("memory.Network", fault.NotFound, "unknown_market", "no network of market %q", m)
}

// SaveNetwork implements maps.Store.
func (s *MapStore) SaveNetwork(_ context.Context, m market.ID, n *maps.Network) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.networks[m] = n
	return nil
}

// State implements maps.Store.
func (s *MapStore) State(_ context.Context, m market.ID) (maps.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[m].Clone(), nil
}

// SaveState implements maps.Store.
func (s *MapStore) SaveState(_ context.Context, m market.ID, st maps.State) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.states[m].Revision; stored != st.Revision {
		return 0, fault.New("memory.SaveState", fault.Conflict, "stale", "market %q: revision %d: the stored one is %d", m, st.Revision, stored)
	}
	st = st.Clone()
	st.Revision++
	s.states[m] = st
	return st.Revision, nil
}

// mapState is one market's part of a snapshot.
type mapState struct {
	Market market.ID  `json:"market"`
	State  maps.State `json:"state"`
}

// Snapshot returns all states, the same bytes for the same content. Networks are
// not in it: they never change, and come from where they came from.
func (s *MapStore) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []mapState{}
	for _, m := range slices.Sorted(stdmaps.Keys(s.states)) {
		all = append(all, mapState{m, s.states[m]})
	}
	return json.Marshal(all)
}

// Restore replaces all states by those of a snapshot.
func (s *MapStore) Restore(data []byte) error {
	var all []mapState
	if err := json.Unmarshal(data, &all); err != nil {
		return fault.New("memory.Restore", fault.Invalid, "bad_snapshot", "map states: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states = map[market.ID]maps.State{}
	for _, x := range all {
		s.states[x.Market] = x.State
	}
	return nil
}
