package maps

import "footway/core/fault"

// Router finds best ways under the metric in force. It is exact: Dijkstra's
// algorithm from one end to every node, the resulting trees kept for as long as the
// metric holds, since a merchant is asked about all day. What is kept never
// changes an answer. It is not safe for concurrent use; give each user its own.
//
// Consumers should declare the methods they call as an interface of their own,
// so that a contraction hierarchy can take its place.
type Router struct {
	net    *Network
	source *MetricSource
	search search
	cache  *treeCache
}

// RouterOptions are the optional settings of a Router.
type RouterOptions struct {
	CacheBytes int // memory for trees kept; 0 is 64 MiB
}

// labelBytes is the size of one label.
const labelBytes = 24

// NewRouter returns a router over n that follows the metric of source, which
// must be a metric of n.
func NewRouter(n *Network, source *MetricSource, o RouterOptions) *Router {
	if o.CacheBytes == 0 {
		o.CacheBytes = 64 << 20
	}
	return &Router{
		net: n, source: source,
		search: search{g: newGraph(n), m: source.Metric()},
		cache:  newTreeCache(o.CacheBytes / (labelBytes * max(len(n.Nodes), 1))),
	}
}

// Network returns the network it routes over.
func (r *Router) Network() *Network { return r.net }

// Metric returns the metric in force.
func (r *Router) Metric() *Metric { return r.source.Metric() }

// follow drops what belongs to an old metric.
func (r *Router) follow() {
	if m := r.source.Metric(); m != r.search.m {
		r.search.m = m
		r.cache.clear()
	}
}

// Route returns the best way between two positions, piece by piece. It fails
// with fault.Invalid if a position is not on the network, and with fault.NotFound
// and the reason "no_route" if there is none now.
func (r *Router) Route(from, to Position) (Route, error) {
	const op = "maps.Route"
	for _, p := range []Position{from, to} {
		if !r.net.Check(p) {
			return Route{}, fault.New(op, fault.Invalid, "bad_position",
				"position %d mm along edge %d is not on map %q, which has %d edges", p.OffsetMM, p.Edge, r.net.Name, len(r.net.Edges))
		}
	}
	r.follow()
	from, to = r.net.Canonical(from), r.net.Canonical(to)
	t := r.pick(from, to)
	far := r.far(t.forward, from, to)
	w := r.join(t, from, to, &far)
	if t.forward && w.ok && (t.tied || w.tied) {
		t = r.tree(treeKey{root: to})
		w = r.joinBackward(t, from, to)
	}
	if !w.ok {
		return Route{}, r.noRoute(op, from, to)
	}
	return r.trace(t, w, from, to), nil
}

// Leg returns the totals of the best way between two positions, or false if there is none.
func (r *Router) Leg(from, to Position) (Leg, bool) {
	legs := r.Matrix([]Position{from}, []Position{to})
	return legs[0], legs[0].OK
}

// Matrix returns the totals of the best ways from each of from to each of to,
// row by row. Pairs without a way, or off the network, have OK false. It grows the trees of
// the side that has fewer of them missing.
func (r *Router) Matrix(from, to []Position) []Leg {
	r.follow()
	legs := make([]Leg, len(from)*len(to))
	from, to = r.canonicals(from), r.canonicals(to)
	if r.forwardIsCheaper(from, to) {
		ends := r.allEnds(to, false)
		for i, p := range from {
			r.eachTo(p, to, ends, legs[i*len(to):(i+1)*len(to)])
		}
		return legs
	}
	ends := r.allEnds(from, true)
	for j, q := range to {
		if q.Edge == NoEdge {
			continue
		}
		t := r.tree(treeKey{root: q})
		for i, p := range from {
			if p.Edge != NoEdge {
				w := r.join(t, p, q, &ends[i])
				legs[i*len(to)+j] = w.total.leg(w.ok)
			}
		}
	}
	return legs
}

// eachTo fills legs with the ways from p to each of to, by the tree from p. Where
// two ways tie, the tree to the destination decides, as everywhere.
func (r *Router) eachTo(p Position, to []Position, ends [][2]end, legs []Leg) {
	if p.Edge == NoEdge {
		return
	}
	for j, q := range to {
		if q.Edge == NoEdge {
			continue
		}
		t := r.tree(treeKey{p, true})
		w := r.join(t, p, q, &ends[j])
		if w.ok && (t.tied || w.tied) {
			w = r.joinBackward(r.tree(treeKey{root: q}), p, q)
		}
		legs[j] = w.total.leg(w.ok)
	}
}

// joinBackward returns the best way from from to to by the tree to to.
func (r *Router) joinBackward(t *tree, from, to Position) way {
	far := r.far(false, from, to)
	return r.join(t, from, to, &far)
}

// allEnds returns the ends of each position.
func (r *Router) allEnds(ps []Position, leaving bool) [][2]end {
	out := make([][2]end, len(ps))
	for i, p := range ps {
		if p.Edge != NoEdge {
			out[i] = r.search.ends(p, leaving)
		}
	}
	return out
}

// canonicals returns the canonical positions, with NoEdge for those off the network.
func (r *Router) canonicals(ps []Position) []Position {
	out := make([]Position, len(ps))
	for i, p := range ps {
		out[i] = Position{Edge: NoEdge}
		if r.net.Check(p) {
			out[i] = r.net.Canonical(p)
		}
	}
	return out
}

// forwardIsCheaper reports whether growing trees from the origins takes fewer
// new ones than growing trees to the destinations; where it is equal, whether
// the first origin was asked for more often than the first destination.
func (r *Router) forwardIsCheaper(from, to []Position) bool {
	if len(from) == 0 || len(to) == 0 {
		return false
	}
	missing := func(ps []Position, forward bool) (n int) {
		for _, p := range ps {
			if p.Edge != NoEdge && !r.cache.has(treeKey{p, forward}) {
				n++
			}
		}
		return n
	}
	out, in := missing(from, true), missing(to, false)
	askedFrom, askedTo := r.cache.ask(treeKey{from[0], true}), r.cache.ask(treeKey{root: to[0]})
	if out == 0 && in == 0 {
		return len(from) < len(to) // both are there; fewer look-ups
	}
	return out < in || out == in && askedFrom > askedTo
}

// pick returns a tree that knows the way from from to to.
func (r *Router) pick(from, to Position) *tree {
	if r.forwardIsCheaper([]Position{from}, []Position{to}) {
		return r.tree(treeKey{from, true})
	}
	return r.tree(treeKey{root: to})
}

// tree returns the tree of k, growing it if need be. It is valid until the
// next call that grows one.
func (r *Router) tree(k treeKey) *tree {
	if t := r.cache.get(k); t != nil {
		return t
	}
	t := r.cache.put(k, len(r.net.Nodes))
	r.search.grow(t)
	return t
}

// noRoute says why there is no way from from to to.
func (r *Router) noRoute(op string, from, to Position) error {
	closed := true
	for _, e := range r.search.ends(to, false) {
		closed = closed && !e.ok
	}
	if closed {
		return fault.New(op, fault.NotFound, "no_route", "the way at the destination (edge %d) is closed to this robot now", to.Edge)
	}
	out, in := r.tree(treeKey{from, true}).reached, r.tree(treeKey{root: to}).reached
	return fault.New(op, fault.NotFound, "no_route",
		"closures part the two places: of %d junctions the origin reaches %d, the destination is reached from %d", len(r.net.Nodes), out, in)
}
