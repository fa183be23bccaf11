package maps

import (
	"context"

	"footway/core/market"
)

// State is what changes on a market's map: its areas, what is closed, and how fast robots
// go. It is small and is read and written as a whole.
type State struct {
	Areas    []Area      `json:"areas,omitempty"`    // by ID, each once
	Closures []Closure   `json:"closures,omitempty"` // by ID, each once
	Speeds   ClassSpeeds `json:"speeds"`
	Revision uint64      `json:"revision"` // raised by each write; 0: never written
}

// Store is what Service needs of persistence. A network once saved is never
// changed; nobody may write to what Network returns.
type Store interface {
	// Network returns the market's network, or a fault.NotFound error.
	Network(ctx context.Context, m market.ID) (*Network, error)
	// SaveNetwork creates or replaces the market's network, whole: a reader gets the
	// old one or the new one. The market's state stays. A fault.Unavailable error
	// leaves open which of the two is there; saving it again is safe.
	SaveNetwork(ctx context.Context, m market.ID, n *Network) error
	// State returns the market's state, the zero State if none was ever saved.
	// The caller owns what it gets.
	State(ctx context.Context, m market.ID) (State, error)
	// SaveState writes s if the stored revision is still s.Revision, and returns the
	// new revision, which is higher; otherwise it writes nothing and fails with
	// fault.Conflict. A fault.Unavailable error leaves open whether the write happened.
	// It keeps a copy of s, exactly: also polygons that cross themselves. It may
	// fail with fault.Invalid where s is none that Area.Check and Closure.Check let in.
	SaveState(ctx context.Context, m market.ID, s State) (revision uint64, err error)
}

// MaxMatches is the most that one call of an AddressBook returns.
const MaxMatches = 50

// MaxNearMM is how far AddressBook.AddressesNear looks at most.
const MaxNearMM = 1_000_000

// AddressBook answers what is where in a market without loading its network,
// for pages that any process serves. A market without a network has no
// addresses. It follows the Store: what SaveNetwork and SaveState wrote is found.
type AddressBook interface {
	// SearchAddresses returns up to limit addresses, and at most MaxMatches, that fit
	// what somebody has typed so far; see Typed. First come those that have most of the
	// words behind the comma, then those with exactly the number, then the
	// nearest to near, if it is not nil, then by street and number. Where these
	// are fewer than limit, addresses that are spelt almost so follow, with a number
	// that begins like the one typed, the most similar first. It fails with
	// fault.Invalid if text is blank or longer than MaxQuery.
	SearchAddresses(ctx context.Context, m market.ID, text string, near *Point, limit int) ([]Match, error)
	// AddressesNear returns up to limit addresses, and at most MaxMatches, within
	// withinMM of p, the nearest first and equally near ones by street and number. It
	// fails with fault.Invalid if withinMM is negative or above MaxNearMM, or p is not on Earth.
	AddressesNear(ctx context.Context, m market.ID, p Point, withinMM int64, limit int) ([]Match, error)
	// AreasAt returns the areas of the market's state in which p lies, or on whose
	// border, by ID and whatever their hours.
	AreasAt(ctx context.Context, m market.ID, p Point) ([]Area, error)
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
