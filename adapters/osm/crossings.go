package osm

import (
	"cmp"
	"slices"

	"footway/core/maps"
)

// crossingMM is how long a crossing of a street is, by its rank.
var crossingMM = map[maps.Street]int32{
	maps.StreetResidential: 8_000, maps.StreetTertiary: 10_000, maps.StreetSecondary: 13_000,
	maps.StreetPrimary: 16_000, maps.StreetTrunk: 20_000,
}

// signalNearMM is how far from the middle of a junction its lights may be
// mapped: many mappers put them at the stop lines.
const signalNearMM = 25_000

// bearCrossings decides for each mapped crossing where its waiting is paid:
// once for each roadway that it meets, on the first of its pieces there.
func (g *graph) bearCrossings() {
	taken := make(map[int32]bool)
	meets := make(map[int32]bool) // walks that meet a roadway at a node
	for i := range g.pieces {
		p := &g.pieces[i]
		if g.walks[p.walk].class != maps.Crossing {
			continue
		}
		g.atCrossing[g.end(p, 0)], g.atCrossing[g.end(p, 1)] = true, true
		for k := p.first; k <= p.last; k++ {
			s := g.slots[k]
			if g.road[s] < 0 {
				continue
			}
			meets[p.walk] = true
			if p.bearer == noBearer && !taken[s] {
				p.bearer, taken[s] = s, true
			}
		}
	}
	last := int32(-1)
	for i := range g.pieces {
		p := &g.pieces[i]
		if g.walks[p.walk].class == maps.Crossing && !meets[p.walk] && p.walk != last {
			p.bearer, last = onTheWay, p.walk
		}
	}
}

// arm is a way out of a node where a street passes.
type arm struct {
	slot  int32
	walk  int32
	piece int32 // -1 if robots do not move along it
	end   int
	dir   maps.XY
}

// inferCrossings finds where ways pass straight over a street that has no
// mapped crossing there, and lays a crossing on one arm of each such way.
func (g *graph) inferCrossings() {
	arms := g.arms()
	for len(arms) > 0 {
		n := 1
		for n < len(arms) && arms[n].slot == arms[0].slot {
			n++
		}
		if n >= 3 {
			g.crossAt(arms[:n])
		}
		arms = arms[n:]
	}
}

// arms returns the arms at all nodes of streets worth a crossing, by node.
func (g *graph) arms() []arm {
	great := func(slot int32) bool {
		return g.road[slot] >= 0 && g.walks[g.road[slot]].street >= maps.StreetResidential
	}
	var arms []arm
	for i := range g.pieces {
		p := &g.pieces[i]
		for end := range 2 {
			if s := g.end(p, end); great(s) {
				arms = append(arms, arm{s, p.walk, int32(i), end, g.leaving(p, end)})
			}
		}
	}
	for i := range g.walks {
		w := &g.walks[i]
		if w.why == "" || w.street < maps.StreetResidential {
			continue
		}
		g.eachSegment(w.line, func(a, b int32) {
			if g.uses[a] > 0 {
				arms = append(arms, arm{a, int32(i), -1, 0, minus(g.xy(b), g.xy(a))})
			}
			if g.uses[b] > 0 {
				arms = append(arms, arm{b, int32(i), -1, 0, minus(g.xy(a), g.xy(b))})
			}
		})
	}
	slices.SortStableFunc(arms, func(a, b arm) int { return cmp.Compare(a.slot, b.slot) })
	return arms
}

// crossAt pairs the arms of one node that continue each other and infers the
// crossing between them.
func (g *graph) crossAt(arms []arm) {
	paired := make([]bool, len(arms))
	for i := range arms {
		if paired[i] || !g.passes(&arms[i]) {
			continue
		}
		j := g.straightOn(arms, paired, i)
		if j < 0 {
			continue
		}
		paired[i], paired[j] = true, true
		crossed := g.crossed(arms, i, j)
		if crossed < 0 {
			continue
		}
		w := &g.walks[crossed]
		at := arms[i].slot
		g.pieces[arms[i].piece].stub[arms[i].end] = stub{w.street, w.name, g.controlAt(at, maps.ControlNone)}
		g.report.InferredCrossings++
	}
}

// passes reports whether robots move along a, and not on a mapped crossing.
func (g *graph) passes(a *arm) bool { return a.piece >= 0 && g.walks[a.walk].class != maps.Crossing }

// straightOn returns the arm that continues arm i: within 45 degrees of
// straight, of the same sort, the straightest; -1 if there is none.
func (g *graph) straightOn(arms []arm, paired []bool, i int) int {
	best, bestCos := -1, -0.7
	for j := range arms {
		if j == i || paired[j] || !g.passes(&arms[j]) || g.walks[arms[j].walk].isStreet != g.walks[arms[i].walk].isStreet {
			continue
		}
		if cos, _ := turn(arms[i].dir, arms[j].dir); cos < bestCos {
			best, bestCos = j, cos
		}
	}
	return best
}

// crossed returns the street, as a walk, that lies on both sides of the way
// from arm i to arm j: the lesser of the greatest on either side, for where a
// great street ends in a small one, only the small one must be crossed. It
// returns -1 if there is none.
func (g *graph) crossed(arms []arm, i, j int) int32 {
	side := [2]int32{-1, -1}
	for k := range arms {
		w := &g.walks[arms[k].walk]
		if k == i || k == j || !w.isStreet || w.street < maps.StreetResidential {
			continue
		}
		cosI, sin := turn(arms[i].dir, arms[k].dir)
		cosJ, _ := turn(arms[j].dir, arms[k].dir)
		if cosI > 0.9 || cosJ > 0.9 {
			continue // a fork, not a street across
		}
		s := 0
		if sin < 0 {
			s = 1
		}
		if side[s] < 0 || g.walks[side[s]].street < w.street {
			side[s] = arms[k].walk
		}
	}
	if side[0] < 0 || side[1] < 0 {
		return -1
	}
	if g.walks[side[1]].street < g.walks[side[0]].street {
		return side[1]
	}
	return side[0]
}

// controlAt returns how a crossing at slot is regulated whose own tags say
// known.
func (g *graph) controlAt(slot int32, known maps.Control) maps.Control {
	if known != maps.ControlNone {
		return known
	}
	s := g.spots[slot]
	switch {
	case s.control != maps.ControlNone:
		return s.control
	case s.signal || g.signals.nearest(g.xy(slot), signalNearMM, func(*segment) bool { return true }) != nil:
		return maps.ControlSignal
	}
	return maps.ControlUnmarked
}

// signalReachMM is the size of a junction: crossings whose middles are this
// near to the first one's share a signal.
const signalReachMM = 40_000

// signalNumbers gives the crossings of one junction one number.
type signalNumbers struct {
	grid *grid
	next int32
}

func newSignalNumbers() signalNumbers { return signalNumbers{newGrid(), 1} }

// at returns the number of the signal that controls a crossing at p.
func (n *signalNumbers) at(p maps.XY) int32 {
	if s := n.grid.nearest(p, signalReachMM, func(*segment) bool { return true }); s != nil {
		return s.owner
	}
	n.grid.add(p, p, n.next)
	n.next++
	return n.next - 1
}
