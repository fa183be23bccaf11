package osm

import (
	"footway/core/maps"
)

// leapMM is the longest straight piece of a way: more is an error of mapping,
// or of a file whose parts do not belong together.
const leapMM = 10_000_000

// piece is a part of a walk between two vertices of the graph.
type piece struct {
	walk        int32
	first, last int32 // positions in extract.slots, first < last
	stub        [2]stub
	bearer      int32 // of a crossing: slot of the roadway where its waiting is paid; -1 nowhere, -2 on the way
}

// stub is a crossing inferred at the end of a piece.
type stub struct {
	street  maps.Street // StreetNone: there is none
	name    string
	control maps.Control
}

// noBearer and onTheWay are the values of piece.bearer that are no slot.
const (
	noBearer = -1
	onTheWay = -2
)

// graph turns walks into stretches.
type graph struct {
	*extract
	plane   maps.Projection
	uses    []uint8 // by slot: how many pieces would end there, up to 2
	road    []int32 // by slot: the greatest street there, as an index into walks, or -1
	runs    []run
	pieces  []piece
	streets *grid // of all streets, owner is the walk
	signals *grid // of traffic lights, owner is the slot
	numbers signalNumbers
	// atCrossing holds the slots where a mapped crossing ends.
	atCrossing map[int32]bool
	nodes      []maps.NodeID // by slot, -1 before its first use
	builder    *maps.Builder
}

// newGraph prepares the graph; the stretches follow with addStretches.
func newGraph(e *extract, b *maps.Builder) *graph {
	g := &graph{
		extract: e, builder: b, streets: newGrid(), signals: newGrid(), atCrossing: map[int32]bool{},
		uses: make([]uint8, len(e.ids)), road: make([]int32, len(e.ids)), nodes: make([]maps.NodeID, len(e.ids)),
	}
	for i := range g.road {
		g.road[i], g.nodes[i] = -1, -1
	}
	g.plane = maps.NewProjection(e.center())
	g.numbers = newSignalNumbers()
	g.findStreets()
	g.findSignals()
	g.settleStreets()
	g.findRuns()
	g.countUses()
	g.cut()
	g.bearCrossings()
	g.inferCrossings()
	return g
}

// center returns the middle of what the walks cover.
func (e *extract) center() maps.Point {
	box := e.bounds()
	if box.Empty() {
		return maps.Point{}
	}
	return box.Center()
}

// bounds returns the box around all walks that robots move along.
func (e *extract) bounds() maps.Box {
	box := maps.EmptyBox()
	for i := range e.walks {
		if e.walks[i].why != "" {
			continue
		}
		for _, s := range e.slotsOf(e.walks[i].line) {
			if s >= 0 {
				box = box.With(e.points[s])
			}
		}
	}
	return box
}

func (g *graph) xy(slot int32) maps.XY { return g.plane.XY(g.points[slot]) }

// eachSegment calls f with the ends of each straight piece of l.
func (g *graph) eachSegment(l line, f func(a, b int32)) {
	slots := g.slotsOf(l)
	for i := 1; i < len(slots); i++ {
		if slots[i-1] >= 0 && slots[i] >= 0 && slots[i-1] != slots[i] {
			f(slots[i-1], slots[i])
		}
	}
}

// findStreets notes the carriageways: which is the greatest at each node, and
// where they run.
func (g *graph) findStreets() {
	for i := range g.walks {
		w := &g.walks[i]
		if !w.isStreet {
			continue
		}
		for _, s := range g.slotsOf(w.line) {
			if s >= 0 && (g.road[s] < 0 || g.walks[g.road[s]].street < w.street) {
				g.road[s] = int32(i)
			}
		}
		g.eachSegment(w.line, func(a, b int32) { g.streets.add(g.xy(a), g.xy(b), int32(i)) })
	}
}

// findSignals notes where traffic lights stand.
func (g *graph) findSignals() {
	for slot := range g.points {
		if s, ok := g.spots[int32(slot)]; ok && s.signal && g.found[slot] {
			p := g.xy(int32(slot))
			g.signals.add(p, p, int32(slot))
		}
	}
}

// settleStreets decides about streets whose tags do not speak of sidewalks: a
// mapped sidewalk along half of the street's length or more counts as tagged.
func (g *graph) settleStreets() {
	sidewalks := newGrid()
	for i := range g.walks {
		if w := &g.walks[i]; w.beside && w.why == "" {
			g.eachSegment(w.line, func(a, b int32) { sidewalks.add(g.xy(a), g.xy(b), int32(i)) })
		}
	}
	for i := range g.walks {
		w := &g.walks[i]
		if !w.isStreet || w.why != "" || w.street < maps.StreetResidential || w.sides != sidesUnknown {
			continue
		}
		if !g.accompanied(w, sidewalks) {
			continue
		}
		w.flags &^= maps.Inferred
		if w.why = w.setStreetClass(true); w.why != "" {
			g.report.drop(w.why)
		}
	}
}

// accompanied samples street w every 20 m and reports whether at least half of
// the samples have a sidewalk within 25 m that runs the same way.
func (g *graph) accompanied(w *walk, sidewalks *grid) bool {
	const every, reach = 20_000, 25_000
	samples, hits := 0, 0
	g.eachSegment(w.line, func(a, b int32) {
		from, to := g.xy(a), g.xy(b)
		d := dist(from, to)
		if d > longestMM {
			return
		}
		along := minus(to, from)
		n := d/every + 1
		for k := int64(0); k < n; k++ {
			p := maps.XY{X: from.X + along.X*(2*k+1)/(2*n), Y: from.Y + along.Y*(2*k+1)/(2*n)}
			samples++
			hit := false
			sidewalks.near(p, reach, func(s *segment, _ int64) bool {
				hit = parallel(along, minus(s.b, s.a))
				return !hit
			})
			if hit {
				hits++
			}
		}
	})
	return samples > 0 && 2*hits >= samples
}

// parallel reports whether two directions differ by less than 30 degrees,
// either way round.
func parallel(u, v maps.XY) bool {
	cos, _ := turn(u, v)
	return cos > 0.866 || cos < -0.866
}

// run is a part of a walk that has all its nodes, no barrier and no leap.
type run struct {
	walk        int32
	first, last int32 // positions in extract.slots, first < last
}

// findRuns cuts the walks that robots move along into runs.
func (g *graph) findRuns() {
	for i := range g.walks {
		w := &g.walks[i]
		if w.why != "" {
			continue
		}
		first := w.first // of the run under way
		end := func(last int32) {
			if last > first {
				g.runs = append(g.runs, run{int32(i), first, last})
			}
		}
		for k := w.first; k < w.first+w.count; k++ {
			s := g.slots[k]
			switch {
			case s < 0:
				end(k - 1)
				first = k + 1
			case g.spots[s].blocked:
				g.report.Barriers++
				end(k - 1)
				first = k + 1
			case k > first && maps.Distance(g.points[g.slots[k-1]], g.points[s]) > leapMM:
				g.report.Leaps++
				end(k - 1)
				first = k
			}
		}
		end(w.first + w.count - 1)
	}
}

// countUses finds the vertices: ends, nodes that several ways share, kerbs, and
// nodes where a footway meets a roadway.
func (g *graph) countUses() {
	add := func(slot int32, n uint8) { g.uses[slot] = min(g.uses[slot]+n, 2) }
	for _, r := range g.runs {
		w := &g.walks[r.walk]
		add(g.slots[r.first], 2)
		add(g.slots[r.last], 2)
		for _, s := range g.slots[r.first : r.last+1] {
			add(s, 1)
			if g.spots[s].kerb != maps.KerbNone || !w.isStreet && w.class != maps.Crossing && g.road[s] >= 0 {
				add(s, 2)
			}
		}
	}
}

// cut makes the pieces. A way that comes back to where it began is a piece too,
// unless it has not been anywhere.
func (g *graph) cut() {
	for _, r := range g.runs {
		from := r.first
		for k := r.first + 1; k <= r.last; k++ {
			if g.uses[g.slots[k]] < 2 {
				continue
			}
			if k-from > 1 || g.slots[from] != g.slots[k] {
				g.pieces = append(g.pieces, piece{walk: r.walk, first: from, last: k, bearer: noBearer})
			}
			from = k
		}
	}
}

// end returns the slot at a piece's first (0) or last (1) end.
func (g *graph) end(p *piece, end int) int32 {
	if end == 0 {
		return g.slots[p.first]
	}
	return g.slots[p.last]
}

// leaving returns the direction in which p leaves its end.
func (g *graph) leaving(p *piece, end int) maps.XY {
	if end == 0 {
		return minus(g.xy(g.slots[p.first+1]), g.xy(g.slots[p.first]))
	}
	return minus(g.xy(g.slots[p.last-1]), g.xy(g.slots[p.last]))
}
