package maps

import (
	"slices"
	"sync"
	"time"

	"footway/core/clock"
)

// place is one market's map, ready for use.
type place struct {
	net        *Network
	index      *Index
	geocoder   *Geocoder
	profile    Profile
	loc        *time.Location
	cacheBytes int
	source     *MetricSource

	routing sync.Mutex // guards router
	router  *Router

	changing sync.Mutex // held over a whole change: read, decide, save, apply
	mu       sync.Mutex // guards the rest
	state    State
	force    force
	version  uint64 // of the metric
}

// force is what of a state is in force: it changes when time passes, too, and
// is kept so that a restored service goes on exactly where it was.
type force struct {
	Closures []string `json:"closures,omitempty"` // ids, sorted
	Areas    []string `json:"areas,omitempty"`    // ids of no-go and slow areas, sorted
}

func newPlace(n *Network, o OpenOptions) *place {
	if o.Location == nil {
		o.Location = time.UTC
	}
	index := NewIndex(n)
	p := &place{
		net: n, index: index, geocoder: NewGeocoder(index),
		profile: o.Profile, loc: o.Location, cacheBytes: o.CacheBytes,
		source: NewMetricSource(NewMetric(n, o.Profile, Live{})),
	}
	p.router = NewRouter(n, p.source, RouterOptions{CacheBytes: o.CacheBytes})
	return p
}

// inForce returns what of s is in force at now.
func (s *State) inForce(now clock.Time, loc *time.Location) force {
	var f force
	for i := range s.Closures {
		if s.Closures[i].holds(now) {
			f.Closures = append(f.Closures, s.Closures[i].ID)
		}
	}
	for i := range s.Areas {
		if a := &s.Areas[i]; a.Kind != ServiceArea && a.holds(now, loc) {
			f.Areas = append(f.Areas, a.ID)
		}
	}
	slices.Sort(f.Closures)
	slices.Sort(f.Areas)
	return f
}

func (f force) equal(g force) bool {
	return slices.Equal(f.Closures, g.Closures) && slices.Equal(f.Areas, g.Areas)
}

// nextChange returns the first instant after now at which something of s
// begins or ends, or 0.
func (s *State) nextChange(now clock.Time, loc *time.Location) clock.Time {
	var next clock.Time
	consider := func(t clock.Time) {
		if t > now && (next == 0 || t < next) {
			next = t
		}
	}
	for i := range s.Closures {
		consider(s.Closures[i].From)
		consider(s.Closures[i].Until)
	}
	for i := range s.Areas {
		if s.Areas[i].Kind != ServiceArea {
			consider(s.Areas[i].nextChange(now, loc))
		}
	}
	return next
}

// rebuild puts a metric of the state and what is in force into force. The
// caller holds mu, or is the only one that knows p.
func (p *place) rebuild() {
	live := Live{Version: p.version, Speeds: p.state.Speeds}
	for i := range p.state.Closures {
		if c := &p.state.Closures[i]; slices.Contains(p.force.Closures, c.ID) {
			live.Closed = append(live.Closed, c.edges(p.net)...)
		}
	}
	for i := range p.state.Areas {
		if a := &p.state.Areas[i]; slices.Contains(p.force.Areas, a.ID) {
			live.Areas = append(live.Areas, LiveArea{Polygon: a.Polygon, Closed: a.Kind == NoGo, Permille: a.SpeedPermille})
		}
	}
	p.source.Set(NewMetric(p.net, p.profile, live))
}
