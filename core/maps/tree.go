package maps

import "math"

// label is what the best way between a tree's root and a node takes.
type label struct {
	cost   int64  // weights, so with the digits that break ties
	millis int32  //
	length int32  // mm
	energy uint32 // µWh; stays at its largest value rather than overflow
	via    EdgeID // the edge at the node's end of the way, or rootPiece
}

// rootPiece says that the way is only the piece of the edge on which the root lies.
const rootPiece EdgeID = -1

const unreached = math.MaxInt64

// add returns l with a stretch of the given weights behind (or before) it.
func (l label) add(cost int64, millis, length int32, energy uint32) label {
	l.cost += cost
	l.millis += millis
	l.length += length
	if l.energy += energy; l.energy < energy {
		l.energy = math.MaxUint32
	}
	return l
}

// tree holds the best way from its root to every node, or from every node to its root.
type tree struct {
	root    Position
	forward bool // from the root
	labels  []label
	reached int  // nodes
	tied    bool // some node has two best ways: which one is kept depends on the direction
}

// graph is a network with the edges into each node, for searches both ways.
type graph struct {
	net     *Network
	firstIn []int32
	in      []EdgeID
}

func newGraph(n *Network) *graph {
	g := &graph{net: n, firstIn: make([]int32, len(n.Nodes)+1), in: make([]EdgeID, len(n.Edges))}
	for i := range n.Edges {
		g.firstIn[n.Edges[i].To+1]++
	}
	for v := range n.Nodes {
		g.firstIn[v+1] += g.firstIn[v]
	}
	fill := append([]int32(nil), g.firstIn...)
	for i := range n.Edges {
		to := n.Edges[i].To
		g.in[fill[to]] = EdgeID(i)
		fill[to]++
	}
	return g
}

// search is one run of Dijkstra's algorithm; its heap is used again by the next.
type search struct {
	g    *graph
	m    *Metric
	heap heap
}

// grow fills t, whose root, direction and zero-length labels are set.
func (s *search) grow(t *tree) {
	for i := range t.labels {
		t.labels[i].cost = unreached
	}
	t.reached, t.tied = 0, false
	s.heap = s.heap[:0]
	s.plant(t)
	for len(s.heap) > 0 {
		top := s.heap.pop()
		l := t.labels[top.node]
		if top.cost > l.cost {
			continue
		}
		t.reached++
		if t.forward {
			for e := s.g.net.FirstOut[top.node]; e < s.g.net.FirstOut[top.node+1]; e++ {
				s.relax(t, s.g.net.Edges[e].To, EdgeID(e), l)
			}
			continue
		}
		for _, e := range s.g.in[s.g.firstIn[top.node]:s.g.firstIn[top.node+1]] {
			s.relax(t, s.g.net.Edges[e].From, e, l)
		}
	}
}

// relax offers node v the way of l with edge e added to it.
func (s *search) relax(t *tree, v NodeID, e EdgeID, l label) {
	w := s.m.weight[e]
	if w >= unreached-l.cost {
		return // closed, or longer than can be counted
	}
	cost, old := l.cost+w, &t.labels[v]
	if cost >= old.cost {
		t.tied = t.tied || cost == old.cost
		return
	}
	*old = l.add(w, s.m.millis[e], s.g.net.Edges[e].LengthMM, s.m.energy[e])
	old.via = e
	s.heap.push(heapItem{cost, v})
}

// plant offers the two nodes at the ends of the root's edge the way along it.
func (s *search) plant(t *tree) {
	for _, end := range s.ends(t.root, t.forward) {
		if !end.ok {
			continue
		}
		old := &t.labels[end.node]
		l := end.takes
		if l.cost >= old.cost {
			t.tied = t.tied || l.cost == old.cost
			continue
		}
		l.via = rootPiece
		*old = l
		s.heap.push(heapItem{l.cost, end.node})
	}
}

// end is a way between a position and a node at an end of its edge.
type end struct {
	node  NodeID
	piece Piece
	takes label
	ok    bool
}

// ends returns the ways from p to its edge's From and To node when leaving is
// set, and the ways from those to p when it is not. A robot may turn on the
// spot, so both directions count where the edge has both. An edge that is
// closed may be left but not entered.
func (s *search) ends(p Position, leaving bool) [2]end {
	e := &s.g.net.Edges[p.Edge]
	length, rest := e.LengthMM, e.LengthMM-p.OffsetMM
	toFrom := Piece{Edge: e.Reverse, FromMM: rest, ToMM: length}
	toTo := Piece{Edge: p.Edge, FromMM: p.OffsetMM, ToMM: length}
	if !leaving {
		toFrom = Piece{Edge: p.Edge, FromMM: 0, ToMM: p.OffsetMM}
		toTo = Piece{Edge: e.Reverse, FromMM: 0, ToMM: rest}
	}
	usable := func(x Piece) bool {
		return x.FromMM == x.ToMM || x.Edge != NoEdge && (leaving || s.m.Open(x.Edge))
	}
	out := [2]end{
		{node: e.From, piece: toFrom, ok: usable(toFrom)},
		{node: e.To, piece: toTo, ok: usable(toTo)},
	}
	for i := range out {
		if out[i].ok {
			out[i].takes = s.m.piece(out[i].piece)
		}
	}
	return out
}

// piece returns what a part of an edge takes: the whole's share, cut so that
// parts that fit together add up to the whole exactly. An edge without length is free.
func (m *Metric) piece(x Piece) label {
	if x.FromMM == x.ToMM {
		return label{}
	}
	length := int64(m.net.Edges[x.Edge].LengthMM)
	share := func(v int64) int64 {
		return mulDiv(v, int64(x.ToMM), length) - mulDiv(v, int64(x.FromMM), length)
	}
	return label{
		cost:   share(m.leaveWeight(x.Edge)),
		millis: int32(share(int64(m.millis[x.Edge]))),
		length: x.ToMM - x.FromMM,
		energy: uint32(share(int64(m.energy[x.Edge]))),
	}
}
