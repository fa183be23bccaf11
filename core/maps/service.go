package maps

import (
	"context"
	"sync"
	"time"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/setting"
)

// SnapReachMM is how far from a point Snap looks for a place to stand, in millimetres.
const SnapReachMM = 150_000

// Service answers for the maps of markets. What it holds can be rebuilt from its
// Store: networks with their indexes, and the metric in force, which is
// replaced whole when a closure, an area's hours or a speed changes. It is safe
// for concurrent use.
type Service struct {
	store   Store
	clock   clock.Clock
	timers  clock.Timers
	journal event.Journal

	mu     sync.RWMutex
	places map[market.ID]*place
}

// OpenOptions say how a market's map is used.
type OpenOptions struct {
	Profile    Profile
	Location   *time.Location // the market's time zone; nil is UTC
	CacheBytes int            // see RouterOptions
}

// NewService returns a service without markets.
func NewService(store Store, clk clock.Clock, timers clock.Timers, journal event.Journal) *Service {
	return &Service{store: store, clock: clk, timers: timers, journal: journal, places: map[market.ID]*place{}}
}

// Open reads a market's network and state and makes them ready. It sets no
// timer; see Arm. Opening again replaces the network.
func (s *Service) Open(ctx context.Context, m market.ID, o OpenOptions) error {
	if errs := setting.Problems("profile", o.Profile); len(errs) > 0 {
		return fault.New("maps.Open", fault.Invalid, "bad_profile", "%w", errs[0])
	}
	n, err := s.store.Network(ctx, m)
	if err != nil {
		return err
	}
	state, err := s.store.State(ctx, m)
	if err != nil {
		return err
	}
	p := newPlace(n, o)
	p.state = state
	p.force = state.inForce(s.clock.Now(), p.loc)
	p.rebuild()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places[m] = p
	return nil
}

func (s *Service) place(m market.ID) (*place, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if p := s.places[m]; p != nil {
		return p, nil
	}
	return nil, fault.New("maps", fault.NotFound, "unknown_market", "market %q has no map here", m)
}

// Network returns the market's network.
func (s *Service) Network(m market.ID) (*Network, error) {
	p, err := s.place(m)
	if err != nil {
		return nil, err
	}
	return p.net, nil
}

// Router returns a router of the caller's own that follows the market's metric,
// for callers in the same process.
func (s *Service) Router(m market.ID) (*Router, error) {
	p, err := s.place(m)
	if err != nil {
		return nil, err
	}
	return NewRouter(p.net, p.source, RouterOptions{CacheBytes: p.cacheBytes}), nil
}

// Geocode finds an address; see Geocoder.Geocode.
func (s *Service) Geocode(_ context.Context, m market.ID, query string) (Match, error) {
	p, err := s.place(m)
	if err != nil {
		return Match{}, err
	}
	return p.geocoder.Geocode(query)
}

// Search completes an address as somebody types; see Geocoder.Search.
func (s *Service) Search(_ context.Context, m market.ID, query string, limit int) ([]Match, error) {
	p, err := s.place(m)
	if err != nil {
		return nil, err
	}
	return p.geocoder.Search(query, limit)
}

// Snap returns the place nearest to point where a robot can stand. It fails with
// fault.NotFound and the reason "off_network" if none is within SnapReachMM.
func (s *Service) Snap(_ context.Context, m market.ID, point Point) (Match, error) {
	p, err := s.place(m)
	if err != nil {
		return Match{}, err
	}
	at, off, ok := p.index.NearestStand(point, SnapReachMM)
	if !ok {
		return Match{}, fault.New("maps.Snap", fault.NotFound, "off_network",
			"no place to stand within %d m of lon %d, lat %d (1e-7 degrees)", SnapReachMM/1000, point.Lon, point.Lat)
	}
	return Match{Point: point, At: at, OffMM: int32(off)}, nil
}

// Route returns the best way now; see Router.Route.
func (s *Service) Route(_ context.Context, m market.ID, from, to Position) (Route, error) {
	p, err := s.place(m)
	if err != nil {
		return Route{}, err
	}
	p.routing.Lock()
	defer p.routing.Unlock()
	return p.router.Route(from, to)
}

// maxMatrix bounds the size of one matrix.
const maxMatrix = 4_000_000

// Matrix returns what the best ways from each of from to each of to take now; see Router.Matrix.
func (s *Service) Matrix(_ context.Context, m market.ID, from, to []Position) ([]Leg, error) {
	p, err := s.place(m)
	if err != nil {
		return nil, err
	}
	if len(to) > 0 && len(from) > maxMatrix/len(to) {
		return nil, fault.New("maps.Matrix", fault.Invalid, "too_large", "%d × %d pairs: want at most %d", len(from), len(to), maxMatrix)
	}
	p.routing.Lock()
	defer p.routing.Unlock()
	return p.router.Matrix(from, to), nil
}

// Areas returns the market's areas by id.
func (s *Service) Areas(_ context.Context, m market.ID) ([]Area, error) {
	state, err := s.current(m)
	return state.Areas, err
}

// Closures returns the market's closures by id, also those that begin later.
func (s *Service) Closures(_ context.Context, m market.ID) ([]Closure, error) {
	state, err := s.current(m)
	return state.Closures, err
}

func (s *Service) current(m market.ID) (State, error) {
	p, err := s.place(m)
	if err != nil {
		return State{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.Clone(), nil
}

// Serves reports whether deliveries may begin or end at a position at a time.
// If not, the reason is "area" or "hours", and for "hours" opens is when the
// area next opens.
func (s *Service) Serves(_ context.Context, m market.ID, at Position, when clock.Time) (reason string, opens clock.Time, err error) {
	p, err := s.place(m)
	if err != nil {
		return "", 0, err
	}
	if !p.net.Check(at) {
		return "", 0, fault.New("maps.Serves", fault.Invalid, "bad_position", "position %d mm along edge %d is not on the map", at.OffsetMM, at.Edge)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	reason, opens = p.state.serves(p.net.PointAt(at), when, p.loc)
	return reason, opens, nil
}

// serves is Serves at a point.
func (s *State) serves(at Point, when clock.Time, loc *time.Location) (reason string, opens clock.Time) {
	inside, limited, open := false, false, false
	for i := range s.Areas {
		a := &s.Areas[i]
		limited = limited || a.Kind == ServiceArea
		if !a.Contains(at) {
			continue
		}
		switch {
		case a.Kind == NoGo && a.holds(when, loc):
			return "area", 0
		case a.Kind == ServiceArea && a.holds(when, loc):
			inside, open = true, true
		case a.Kind == ServiceArea:
			inside = true
			if next := a.nextOpening(when, loc); opens == 0 || next < opens {
				opens = next
			}
		}
	}
	switch {
	case open || !limited:
		return "", 0
	case !inside:
		return "area", 0
	}
	return "hours", opens
}
