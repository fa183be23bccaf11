package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

var (
	_ fleet.Store          = (*FleetStore)(nil)
	_ fleet.TelemetryStore = (*TelemetryStore)(nil)
	_ fleet.AccountStore   = (*AccountStore)(nil)
)

// FleetStore is a fleet.Store.
type FleetStore struct {
	mu       sync.Mutex
	byID     map[fleet.RobotID]*fleet.Robot
	byMarket map[market.ID][]*fleet.Robot // ordered by ID
}

// NewFleetStore returns an empty store.
func NewFleetStore() *FleetStore {
	return &FleetStore{byID: map[fleet.RobotID]*fleet.Robot{}, byMarket: map[market.ID][]*fleet.Robot{}}
}

// Robot implements fleet.Store.
func (s *FleetStore) Robot(_ context.Context, id fleet.RobotID) (fleet.Robot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.byID[id]
	if !ok {
		return fleet.Robot{}, fault.New("memory.Robot", fault.NotFound, "", "there is no robot %q", id)
	}
	return copyRobot(r), nil
}

// Robots implements fleet.Store.
func (s *FleetStore) Robots(_ context.Context, m market.ID) ([]fleet.Robot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]fleet.Robot, len(s.byMarket[m]))
	held := make([]fleet.Reservation, len(all)) // one allocation for all: rounds ask every few seconds
	for i, r := range s.byMarket[m] {
		all[i] = *r
		if r.Reservation != nil {
			held[i] = *r.Reservation
			all[i].Reservation = &held[i]
		}
	}
	return all, nil
}

// SaveRobot implements fleet.Store.
func (s *FleetStore) SaveRobot(_ context.Context, r fleet.Robot) (revision uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.byID[r.ID]
	var stored uint64
	if known {
		stored = old.Revision
	}
	if r.Revision != stored {
		return 0, fault.New("memory.SaveRobot", fault.Conflict, "revision", "robot %s is at revision %d, not %d", r.ID, stored, r.Revision)
	}
	r = copyRobot(&r)
	r.Revision++
	s.put(r)
	return r.Revision, nil
}

func (s *FleetStore) put(r fleet.Robot) {
	old, known := s.byID[r.ID]
	if known && old.Market == r.Market {
		*old = r
		return
	}
	if known {
		i, _ := slices.BinarySearchFunc(s.byMarket[old.Market], r.ID, robotOrder)
		s.byMarket[old.Market] = slices.Delete(s.byMarket[old.Market], i, i+1)
	}
	s.byID[r.ID] = &r
	i, _ := slices.BinarySearchFunc(s.byMarket[r.Market], r.ID, robotOrder)
	s.byMarket[r.Market] = slices.Insert(s.byMarket[r.Market], i, &r)
}

func robotOrder(r *fleet.Robot, id fleet.RobotID) int {
	return strings.Compare(string(r.ID), string(id))
}

// copyRobot returns r with a reservation of its own.
func copyRobot(r *fleet.Robot) fleet.Robot {
	c := *r
	if r.Reservation != nil {
		h := *r.Reservation
		c.Reservation = &h
	}
	return c
}

// Snapshot writes down the store.
func (s *FleetStore) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(slices.SortedFunc(maps.Values(s.byID), func(a, b *fleet.Robot) int { return cmp.Compare(a.ID, b.ID) }))
}

// Restore replaces what the store holds by what Snapshot wrote down.
func (s *FleetStore) Restore(snapshot []byte) error {
	var all []fleet.Robot
	if err := json.Unmarshal(snapshot, &all); err != nil {
		return fmt.Errorf("restore robots: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byID, s.byMarket = map[fleet.RobotID]*fleet.Robot{}, map[market.ID][]*fleet.Robot{}
	for _, r := range all {
		s.put(r)
	}
	return nil
}

// TelemetryStore is a fleet.TelemetryStore.
type TelemetryStore struct {
	mu       sync.Mutex
	byRobot  map[fleet.RobotID]*heard
	byMarket map[market.ID][]*heard // ordered by robot
}

// heard is the last telemetry of a robot, and the market it was saved in.
type heard struct {
	Market    market.ID       `json:"market"`
	Telemetry fleet.Telemetry `json:"telemetry"`
}

// NewTelemetryStore returns an empty store.
func NewTelemetryStore() *TelemetryStore {
	return &TelemetryStore{byRobot: map[fleet.RobotID]*heard{}, byMarket: map[market.ID][]*heard{}}
}

// SaveTelemetry implements fleet.TelemetryStore.
func (s *TelemetryStore) SaveTelemetry(_ context.Context, m market.ID, t fleet.Telemetry) (kept bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h, ok := s.byRobot[t.Robot]; ok && h.Telemetry.At > t.At {
		return false, nil
	}
	s.put(m, t)
	return true, nil
}

func (s *TelemetryStore) put(m market.ID, t fleet.Telemetry) {
	h, known := s.byRobot[t.Robot]
	if known && h.Market == m {
		h.Telemetry = t
		return
	}
	if known {
		i, _ := slices.BinarySearchFunc(s.byMarket[h.Market], t.Robot, heardOrder)
		s.byMarket[h.Market] = slices.Delete(s.byMarket[h.Market], i, i+1)
	}
	h = &heard{Market: m, Telemetry: t}
	s.byRobot[t.Robot] = h
	i, _ := slices.BinarySearchFunc(s.byMarket[m], t.Robot, heardOrder)
	s.byMarket[m] = slices.Insert(s.byMarket[m], i, h)
}

func heardOrder(h *heard, id fleet.RobotID) int {
	return strings.Compare(string(h.Telemetry.Robot), string(id))
}

// Telemetry implements fleet.TelemetryStore.
func (s *TelemetryStore) Telemetry(_ context.Context, id fleet.RobotID) (fleet.Telemetry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.byRobot[id]
	if !ok {
		return fleet.Telemetry{}, fault.New("memory.Telemetry", fault.NotFound, "", "robot %q never reported", id)
	}
	return h.Telemetry, nil
}

// AllTelemetry implements fleet.TelemetryStore.
func (s *TelemetryStore) AllTelemetry(_ context.Context, m market.ID) ([]fleet.Telemetry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]fleet.Telemetry, len(s.byMarket[m]))
	for i, h := range s.byMarket[m] {
		all[i] = h.Telemetry
	}
	return all, nil
}

// Snapshot writes down the store.
func (s *TelemetryStore) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(slices.SortedFunc(maps.Values(s.byRobot), func(a, b *heard) int {
		return cmp.Compare(a.Telemetry.Robot, b.Telemetry.Robot)
	}))
}

// Restore replaces what the store holds by what Snapshot wrote down.
func (s *TelemetryStore) Restore(snapshot []byte) error {
	var all []heard
	if err := json.Unmarshal(snapshot, &all); err != nil {
		return fmt.Errorf("restore telemetry: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byRobot, s.byMarket = map[fleet.RobotID]*heard{}, map[market.ID][]*heard{}
	for _, h := range all {
		s.put(h.Market, h.Telemetry)
	}
	return nil
}
