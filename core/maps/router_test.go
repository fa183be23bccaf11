package maps

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"footway/core/fault"
	"footway/core/rng"

	gocmp "github.com/google/go-cmp/cmp"
)

// oracle answers by Floyd and Warshall's algorithm on a graph in which every
// position is a node of its own and splits its edge.
type oracle struct {
	nodes int
	best  [][]label
}

func newOracle(n *Network, m *Metric, positions []Position) *oracle {
	size := len(n.Nodes) + len(positions)
	o := &oracle{nodes: len(n.Nodes), best: make([][]label, size)}
	for i := range o.best {
		o.best[i] = make([]label, size)
		for j := range o.best[i] {
			o.best[i][j].cost = unreached
		}
		o.best[i][i] = label{}
	}
	type stop struct{ mm, node int32 }
	for id := range n.Edges {
		e := &n.Edges[id]
		stops := []stop{{0, int32(e.From)}, {e.LengthMM, int32(e.To)}}
		for i, p := range positions {
			switch EdgeID(id) {
			case p.Edge:
				stops = append(stops, stop{p.OffsetMM, int32(o.nodes + i)})
			case n.Edges[p.Edge].Reverse:
				stops = append(stops, stop{e.LengthMM - p.OffsetMM, int32(o.nodes + i)})
			}
		}
		for _, a := range stops {
			for _, b := range stops {
				if a.mm > b.mm || a.mm != b.mm && !m.Open(EdgeID(id)) {
					continue
				}
				l := m.piece(Piece{Edge: EdgeID(id), FromMM: a.mm, ToMM: b.mm})
				if old := &o.best[a.node][b.node]; l.cost < old.cost {
					*old = l
				}
			}
		}
	}
	o.close()
	return o
}

func (o *oracle) close() {
	for k := range o.best {
		for i := range o.best {
			for j := range o.best {
				a, b := o.best[i][k], o.best[k][j]
				if a.cost == unreached || b.cost == unreached {
					continue
				}
				if a.cost+b.cost < o.best[i][j].cost {
					o.best[i][j] = a.add(b.cost, b.millis, b.length, b.energy)
				}
			}
		}
	}
}

func randomPositions(n *Network, s rng.Stream, count int) []Position {
	var out []Position
	for i := range uint64(count) {
		e := EdgeID(s.N(3*i, int64(len(n.Edges))))
		off := int32(s.N(3*i+1, int64(n.Edges[e].LengthMM)+1))
		switch s.N(3*i+2, 5) {
		case 0:
			off = 0
		case 1:
			off = n.Edges[e].LengthMM
		}
		out = append(out, Position{e, off})
	}
	return out
}

func TestRouterAgainstFloydWarshall(t *testing.T) {
	for seed := range uint64(60) {
		n := randomNetwork(t, seed, 24)
		live := Live{}
		if seed%3 == 1 {
			live.Closed = []EdgeID{EdgeID(seed) % EdgeID(len(n.Edges))}
		}
		m := NewMetric(n, DefaultProfile(), live)
		positions := randomPositions(n, rng.Seed(seed).Stream("positions", "test"), 10)
		for _, c := range live.Closed { // nobody stands on a closed edge here: see TestLeaveClosedEdge
			positions = slices.DeleteFunc(positions, func(p Position) bool { return p.Edge == c || n.Edges[p.Edge].Reverse == c })
		}
		want := newOracle(n, m, positions)
		// A cache of four trees forgets all the time; one of many never. One is asked
		// row by row, the others by matrix.
		small := NewRouter(n, NewMetricSource(m), RouterOptions{CacheBytes: 1})
		large := NewRouter(n, NewMetricSource(m), RouterOptions{})
		legs := large.Matrix(positions, positions)
		for i, p := range positions {
			row := small.Matrix([]Position{p}, positions)
			for j, q := range positions {
				w := want.best[want.nodes+i][want.nodes+j]
				leg := w.leg(w.cost != unreached)
				if legs[i*len(positions)+j] != leg || row[j] != leg {
					t.Fatalf("seed %d: %v to %v: matrix %+v, row %+v, want %+v", seed, p, q, legs[i*len(positions)+j], row[j], leg)
				}
				checkRoute(t, small, m, p, q, leg)
			}
		}
	}
}

// checkRoute checks that the route's pieces join up and take what the leg says.
func checkRoute(t *testing.T, r *Router, m *Metric, p, q Position, leg Leg) {
	t.Helper()
	n := r.Network()
	route, err := r.Route(p, q)
	if !leg.OK {
		if !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != "no_route" {
			t.Fatalf("%v to %v: error %v, want no_route", p, q, err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := (Leg{route.Millis, route.LengthMM, route.EnergyMWh, true}); got != leg {
		t.Fatalf("%v to %v: route %+v, want %+v", p, q, got, leg)
	}
	at := n.PointAt(p)
	var millis, length int64
	for _, x := range route.Pieces {
		if d := Distance(at, n.PointAt(Position{x.Edge, x.FromMM})); d > 25 {
			t.Fatalf("%v to %v: piece %+v begins %d mm from where the one before ended", p, q, x, d)
		}
		at = n.PointAt(Position{x.Edge, x.ToMM})
		millis += int64(x.Millis)
		length += int64(x.ToMM - x.FromMM)
	}
	if d := Distance(at, n.PointAt(q)); d > 25 || millis != leg.Millis || length != leg.LengthMM {
		t.Fatalf("%v to %v: pieces end %d mm away after %d ms, %d mm: want %+v", p, q, d, millis, length, leg)
	}
}

// On a grid without tie-breaking numbers all ways round a block cost the same;
// what is cached must still not decide which one is taken.
func TestRouteDoesNotDependOnCache(t *testing.T) {
	n := grid(t, 9, 9)
	m := NewMetric(n, DefaultProfile(), Live{})
	for i := range m.weight {
		m.weight[i] = m.weight[i] >> tieBits << tieBits
	}
	positions := randomPositions(n, rng.Seed(5).Stream("positions", "test"), 30)
	fresh := func(p, q Position) Route {
		r, err := NewRouter(n, NewMetricSource(m), RouterOptions{}).Route(p, q)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	warm := NewRouter(n, NewMetricSource(m), RouterOptions{})
	tied := 0
	for _, p := range positions {
		for _, q := range positions {
			warm.cache.clear()
			if warm.tree(treeKey{n.Canonical(p), true}).tied { // so that only the tree from p is there
				tied++
			}
			got, err := warm.Route(p, q)
			if err != nil {
				t.Fatal(err)
			}
			if leg, ok := warm.Leg(p, q); !ok || leg.LengthMM != got.LengthMM || leg.Millis != got.Millis {
				t.Fatalf("%v to %v: leg %+v, route %+v", p, q, leg, got)
			}
			if diff := gocmp.Diff(fresh(p, q), got); diff != "" {
				t.Fatalf("%v to %v (-fresh +warm):\n%s", p, q, diff)
			}
		}
	}
	if tied == 0 {
		t.Error("no tree has a tie: the test tests nothing")
	}
}

func TestLeaveClosedEdge(t *testing.T) {
	n := grid(t, 3, 3)
	source := NewMetricSource(NewMetric(n, DefaultProfile(), Live{}))
	r := NewRouter(n, source, RouterOptions{})
	from, to := Position{0, 40_000}, Position{EdgeID(len(n.Edges) - 1), 10_000}
	before, err := r.Route(from, to)
	if err != nil {
		t.Fatal(err)
	}
	closed := []EdgeID{0, n.Edges[0].Reverse}
	source.Set(NewMetric(n, DefaultProfile(), Live{Version: 1, Closed: closed}))
	after, err := r.Route(from, to)
	if err != nil {
		t.Fatalf("a robot on an edge that was closed cannot leave it: %v", err)
	}
	if after.LengthMM != before.LengthMM {
		t.Errorf("leaving a closed edge takes %d mm, want %d", after.LengthMM, before.LengthMM)
	}
	if _, err := r.Route(to, from); fault.ReasonOf(err) != "no_route" {
		t.Errorf("going to a closed edge: %v, want no_route", err)
	}
}

func TestRouterFollowsMetric(t *testing.T) {
	n := grid(t, 4, 2)
	source := NewMetricSource(NewMetric(n, DefaultProfile(), Live{}))
	r := NewRouter(n, source, RouterOptions{})
	from, to := Position{0, 1000}, Position{EdgeID(len(n.Edges) - 1), 1000}
	dry, ok := r.Leg(from, to)
	if !ok {
		t.Fatal("no way over an open grid")
	}
	source.Set(NewMetric(n, DefaultProfile(), Live{Version: 1, Speeds: ClassSpeeds{Sidewalk: 500}}))
	wet, _ := r.Leg(from, to)
	if wet.LengthMM != dry.LengthMM || wet.Millis < 2*dry.Millis-10 || wet.Millis > 2*dry.Millis+10 {
		t.Errorf("at half speed: %+v, want twice the time of %+v", wet, dry)
	}
}

func TestBadPositions(t *testing.T) {
	n := grid(t, 2, 2)
	r := NewRouter(n, NewMetricSource(NewMetric(n, DefaultProfile(), Live{})), RouterOptions{})
	good := Position{0, 0}
	for _, bad := range []Position{{-1, 0}, {EdgeID(len(n.Edges)), 0}, {0, -1}, {0, math.MaxInt32}} {
		if _, err := r.Route(good, bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("Route to %v: %v, want invalid", bad, err)
		}
		if legs := r.Matrix([]Position{bad, good}, []Position{good}); legs[0].OK || !legs[1].OK {
			t.Errorf("Matrix from %v: %+v, want only the second", bad, legs)
		}
	}
}

func TestHeap(t *testing.T) {
	s := rng.Seed(1).Stream("heap", "test")
	var h heap
	var want []heapItem
	for i := range uint64(5000) {
		x := heapItem{s.N(2*i, 500), NodeID(s.N(2*i+1, 100))}
		h.push(x)
		want = append(want, x)
	}
	slices.SortFunc(want, func(a, b heapItem) int { return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(a.node, b.node)) })
	for i, w := range want {
		if got := h.pop(); got != w {
			t.Fatalf("pop %d = %v, want %v", i, got, w)
		}
	}
}
