package maps

import "slices"

// Route is a way between two positions.
type Route struct {
	From      Position `json:"from"`
	To        Position `json:"to"`
	Pieces    []Piece  `json:"pieces"` // what to drive, in order; none if the two places are the same
	Millis    int64    `json:"ms"`
	LengthMM  int64    `json:"mm"`
	EnergyMWh int64    `json:"mwh"`
	Crossings int      `json:"crossings"` // streets crossed
}

// Piece is a part of an edge in its direction, 0 <= FromMM < ToMM <= its length.
type Piece struct {
	Edge   EdgeID `json:"edge"`
	FromMM int32  `json:"from_mm"`
	ToMM   int32  `json:"to_mm"`
	Millis int32  `json:"ms"` // expected, with waiting and kerb
}

// Leg is what a route takes, without the route.
type Leg struct {
	Millis    int64 `json:"ms"`
	LengthMM  int64 `json:"mm"`
	EnergyMWh int64 `json:"mwh"` // rounded up
	OK        bool  `json:"ok"`  // false: there is no way, and the rest is 0
}

func (l label) leg(ok bool) Leg {
	if !ok {
		return Leg{}
	}
	return Leg{Millis: int64(l.millis), LengthMM: int64(l.length), EnergyMWh: (int64(l.energy) + 999) / 1000, OK: true}
}

// Canonical returns the same place on the lower numbered of an edge and its reverse.
func (n *Network) Canonical(p Position) Position {
	e := &n.Edges[p.Edge]
	if e.Reverse != NoEdge && e.Reverse < p.Edge {
		return Position{Edge: e.Reverse, OffsetMM: e.LengthMM - p.OffsetMM}
	}
	return p
}

// way is the best way between two positions, as a tree knows it.
type way struct {
	ok     bool
	tied   bool  // two candidates cost the same
	total  label // what it takes
	direct bool  // along the common edge, piece only
	piece  Piece // at the end that is not the tree's root
	node   NodeID
}

// offer keeps the cheaper of w and x, and w if they cost the same.
func (w *way) offer(x way) {
	switch {
	case !w.ok || x.total.cost < w.total.cost:
		*w = x
	case x.total.cost == w.total.cost:
		w.tied = true
	}
}

// far returns the ends of the one of from and to that is not the root of a
// tree of the given direction.
func (r *Router) far(forward bool, from, to Position) [2]end {
	if forward {
		return r.search.ends(to, false)
	}
	return r.search.ends(from, true)
}

// join returns the best way from from to to, canonical positions one of which is
// t's root, and far the ends of the other.
func (r *Router) join(t *tree, from, to Position, far *[2]end) way {
	var best way
	if from.Edge == to.Edge {
		for _, x := range r.directs(from, to) {
			best.offer(x)
		}
	}
	for i := range far {
		end := &far[i]
		l := &t.labels[end.node]
		if !end.ok || end.takes.cost >= unreached-l.cost {
			continue
		}
		best.offer(way{
			ok: true, total: l.add(end.takes.cost, end.takes.millis, end.takes.length, end.takes.energy),
			piece: end.piece, node: end.node,
		})
	}
	return best
}

// directs returns the ways along the edge that holds both positions.
func (r *Router) directs(from, to Position) []way {
	e := &r.net.Edges[from.Edge]
	x := Piece{Edge: from.Edge, FromMM: from.OffsetMM, ToMM: to.OffsetMM}
	if to.OffsetMM < from.OffsetMM {
		x = Piece{Edge: e.Reverse, FromMM: e.LengthMM - from.OffsetMM, ToMM: e.LengthMM - to.OffsetMM}
	}
	if x.FromMM != x.ToMM && (x.Edge == NoEdge || !r.search.m.Open(x.Edge)) {
		return nil
	}
	return []way{{ok: true, total: r.search.m.piece(x), direct: true, piece: x}}
}

// trace writes w down piece by piece.
func (r *Router) trace(t *tree, w way, from, to Position) Route {
	leg := w.total.leg(true)
	out := Route{From: from, To: to, Millis: leg.Millis, LengthMM: leg.LengthMM, EnergyMWh: leg.EnergyMWh}
	pieces := []Piece{w.piece}
	if !w.direct {
		pieces = append(pieces, r.walk(t, w.node)...)
	}
	if t.forward && !w.direct {
		slices.Reverse(pieces)
	}
	for _, x := range pieces {
		if x.FromMM == x.ToMM {
			continue
		}
		x.Millis = r.search.m.piece(x).millis
		if e := &r.net.Edges[x.Edge]; e.Class == Crossing && e.Control != ControlNone {
			out.Crossings++
		}
		out.Pieces = append(out.Pieces, x)
	}
	return out
}

// walk returns the pieces from node v to the root of t, v's first.
func (r *Router) walk(t *tree, v NodeID) []Piece {
	var pieces []Piece
	for t.labels[v].via != rootPiece {
		id := t.labels[v].via
		e := &r.net.Edges[id]
		pieces = append(pieces, Piece{Edge: id, ToMM: e.LengthMM})
		v = e.To
		if t.forward {
			v = e.From
		}
	}
	return append(pieces, r.rootEnd(t, v))
}

// rootEnd returns the piece between the root of t and v, a node at an end of its edge.
func (r *Router) rootEnd(t *tree, v NodeID) Piece {
	var best end
	for _, x := range r.search.ends(t.root, t.forward) {
		if x.ok && x.node == v && (!best.ok || x.takes.cost < best.takes.cost) {
			best = x
		}
	}
	return best.piece
}
