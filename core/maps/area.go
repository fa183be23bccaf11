package maps

import (
	"fmt"
	"time"

	"footway/core/clock"
)

// AreaKind is what an area means for robots.
type AreaKind string

// The kinds.
const (
	ServiceArea AreaKind = "service" // where pickups and drop-offs may be; a market without any serves its whole network
	NoGo        AreaKind = "no_go"   // closed to robots
	Slow        AreaKind = "slow"    // robots keep to a share of their speed
)

// Area is a part of a market with a rule of its own.
type Area struct {
	ID            string   `json:"id"`
	Kind          AreaKind `json:"kind"`
	Polygon       []Point  `json:"polygon"` // corners in order, the first not repeated
	SpeedPermille int32    `json:"speed_permille,omitempty"`
	Hours         []Hours  `json:"hours,omitempty"` // when it holds; none: always
}

// Hours is a time of each day, From to To after local midnight; where To is
// not after From, it ends on the next day.
type Hours struct {
	From clock.Duration `json:"from"`
	To   clock.Duration `json:"to"`
}

// Closure takes edges out of use for a while. An edge is closed with its reverse.
type Closure struct {
	ID      string     `json:"id"`
	Edges   []EdgeID   `json:"edges,omitempty"`
	Polygon []Point    `json:"polygon,omitempty"` // and every edge that touches it
	From    clock.Time `json:"from"`
	Until   clock.Time `json:"until"` // 0: until it is reopened
	Reason  string     `json:"reason"`
}

// holds reports whether the closure is in force at t.
func (c *Closure) holds(t clock.Time) bool { return t >= c.From && (c.Until == 0 || t < c.Until) }

// maxCorners bounds a polygon.
const maxCorners = 1000

func checkPolygon(polygon []Point) error {
	if len(polygon) < 3 || len(polygon) > maxCorners {
		return fmt.Errorf("polygon has %d corners: want 3 to %d", len(polygon), maxCorners)
	}
	for i, p := range polygon {
		if !p.Valid() {
			return fmt.Errorf("corner %d (lon %d, lat %d) is not on Earth: want 1e-7 degrees within ±180 and ±90", i, p.Lon, p.Lat)
		}
	}
	return nil
}

// Check reports what is wrong with a.
func (a *Area) Check() error {
	if a.ID == "" {
		return fmt.Errorf("area without an id")
	}
	if err := checkPolygon(a.Polygon); err != nil {
		return fmt.Errorf("area %q: %w", a.ID, err)
	}
	switch a.Kind {
	case ServiceArea, NoGo:
	case Slow:
		if a.SpeedPermille < 50 || a.SpeedPermille > 1000 {
			return fmt.Errorf("area %q: speed_permille %d: want 50 to 1000", a.ID, a.SpeedPermille)
		}
	default:
		return fmt.Errorf("area %q: kind %q: want service, no_go or slow", a.ID, a.Kind)
	}
	for _, h := range a.Hours {
		if h.From < 0 || h.From >= clock.Day || h.To <= 0 || h.To > clock.Day {
			return fmt.Errorf("area %q: hours %v to %v: want times within a day", a.ID, h.From, h.To)
		}
	}
	return nil
}

// Check reports what is wrong with c on network n.
func (c *Closure) Check(n *Network) error {
	switch {
	case c.ID == "":
		return fmt.Errorf("closure without an id")
	case len(c.Edges) == 0 && len(c.Polygon) == 0:
		return fmt.Errorf("closure %q: neither edges nor polygon", c.ID)
	case c.Until != 0 && c.Until <= c.From:
		return fmt.Errorf("closure %q: until %v is not after from %v", c.ID, c.Until, c.From)
	}
	for _, e := range c.Edges {
		if e < 0 || int(e) >= len(n.Edges) {
			return fmt.Errorf("closure %q: edge %d: map %q has edges 0 to %d", c.ID, e, n.Name, len(n.Edges)-1)
		}
	}
	if len(c.Polygon) > 0 {
		if err := checkPolygon(c.Polygon); err != nil {
			return fmt.Errorf("closure %q: %w", c.ID, err)
		}
	}
	return nil
}

// edges returns all edges that c closes on n, with their reverses.
func (c *Closure) edges(n *Network) []EdgeID {
	var out []EdgeID
	for _, e := range c.Edges {
		out = append(out, e)
		if r := n.Edges[e].Reverse; r != NoEdge {
			out = append(out, r)
		}
	}
	if len(c.Polygon) > 0 {
		out = append(out, n.EdgesTouching(c.Polygon)...)
	}
	return out
}

// holds reports whether a is in force at t in the zone loc.
func (a *Area) holds(t clock.Time, loc *time.Location) bool {
	if len(a.Hours) == 0 {
		return true
	}
	for _, h := range a.Hours {
		for day := -1; day <= 0; day++ {
			if from, to := h.on(t, day, loc); t >= from && t < to {
				return true
			}
		}
	}
	return false
}

// nextChange returns the first instant after t at which one of a's hours begins
// or ends, or 0 if it has none.
func (a *Area) nextChange(t clock.Time, loc *time.Location) clock.Time {
	var next clock.Time
	for _, h := range a.Hours {
		for day := -1; day <= 1; day++ {
			from, to := h.on(t, day, loc)
			for _, at := range []clock.Time{from, to} {
				if at > t && (next == 0 || at < next) {
					next = at
				}
			}
		}
	}
	return next
}

// nextOpening returns the first instant after t at which one of a's hours begins.
func (a *Area) nextOpening(t clock.Time, loc *time.Location) clock.Time {
	var next clock.Time
	for _, h := range a.Hours {
		for day := 0; day <= 1; day++ {
			if from, _ := h.on(t, day, loc); from > t && (next == 0 || from < next) {
				next = from
			}
		}
	}
	return next
}

// on returns when h begins and ends on the local day of t, or days after it. A
// day with a change of clocks keeps the times on the clock.
func (h Hours) on(t clock.Time, days int, loc *time.Location) (from, to clock.Time) {
	local := t.Std().In(loc)
	at := func(days int, d clock.Duration) clock.Time {
		ms := int(d)
		return clock.Of(time.Date(local.Year(), local.Month(), local.Day()+days,
			ms/3_600_000, ms/60_000%60, ms/1000%60, ms%1000*1_000_000, loc))
	}
	from, to = at(days, h.From), at(days, h.To)
	if h.To <= h.From {
		to = at(days+1, h.To)
	}
	return from, to
}
