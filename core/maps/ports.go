package maps

import (
	"context"

	"footway/core/market"
)

// State is what changes on a market's map: its areas, what is closed, and how fast robots
// go. It is small and is read and written as a whole.
type State struct {
	Areas    []Area      `json:"areas,omitempty"`    // by ID
	Closures []Closure   `json:"closures,omitempty"` // by ID
	Speeds   ClassSpeeds `json:"speeds"`
	Revision uint64      `json:"revision"` // raised by each write; 0: never written
}

// Store is what Service needs of persistence. A network once saved is never
// changed; nobody may write to what Network returns.
type Store interface {
	// Network returns the market's network, or a fault.NotFound error.
	Network(ctx context.Context, m market.ID) (*Network, error)
	// SaveNetwork creates or replaces the market's network. The market's state stays.
	SaveNetwork(ctx context.Context, m market.ID, n *Network) error
	// State returns the market's state, the zero State if none was ever saved.
	// The caller owns what it gets.
	State(ctx context.Context, m market.ID) (State, error)
	// SaveState writes s if the stored revision is still s.Revision, and returns the
	// new revision, which is higher; otherwise it writes nothing and fails with
	// fault.Conflict. A fault.Unavailable error leaves open whether the write happened.
	// It keeps a copy of s.
	SaveState(ctx context.Context, m market.ID, s State) (revision uint64, err error)
}

// Clone returns a copy of s that shares nothing with it.
func (s State) Clone() State {
	areas, closures := s.Areas, s.Closures
	s.Areas, s.Closures = nil, nil
	for _, a := range areas {
		a.Polygon, a.Hours = append([]Point(nil), a.Polygon...), append([]Hours(nil), a.Hours...)
		s.Areas = append(s.Areas, a)
	}
	for _, c := range closures {
		c.Edges, c.Polygon = append([]EdgeID(nil), c.Edges...), append([]Point(nil), c.Polygon...)
		s.Closures = append(s.Closures, c)
	}
	return s
}
