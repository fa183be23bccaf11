package maps

// largestComponent marks the nodes of the largest strongly connected component
// of the graph of arcs, by number of nodes; of equal ones that with the lowest
// node. It is Tarjan's algorithm (1972) with an explicit stack, since a
// street network is deeper than a goroutine's first stack.
func largestComponent(nodes int, arcs []arc, report *BuildReport) []bool {
	t := newTarjan(nodes, arcs)
	for v := range nodes {
		if t.order[v] == 0 && t.first[v] != t.first[v+1] {
			t.visit(int32(v))
		}
	}
	size := make([]int, t.components)
	lowest := make([]int, t.components)
	for v := nodes - 1; v >= 0; v-- {
		if c := t.component[v]; c >= 0 {
			size[c]++
			lowest[c] = v
		}
	}
	best := -1
	for c := range size {
		if best < 0 || size[c] > size[best] || size[c] == size[best] && lowest[c] < lowest[best] {
			best = c
		}
	}
	report.Components = t.components
	keep := make([]bool, nodes)
	for v := range keep {
		keep[v] = best >= 0 && int(t.component[v]) == best
	}
	return keep
}

// tarjan is the state of one run. Arcs are kept as heads sorted by tail.
type tarjan struct {
	first      []int32 // arcs out of v: head[first[v]:first[v+1]]
	head       []int32
	order      []int32 // when v was met, from 1; 0 is not yet
	low        []int32 // lowest order known to be reachable from v
	component  []int32 // -1 until v's component is complete
	next       []int32 // the arc of v to look at next
	open       []int32 // nodes met whose component is not complete
	path       []int32 // nodes between the root and the current one
	met        int32
	components int
}

func newTarjan(nodes int, arcs []arc) *tarjan {
	t := &tarjan{
		first: make([]int32, nodes+1), head: make([]int32, len(arcs)),
		order: make([]int32, nodes), low: make([]int32, nodes),
		component: make([]int32, nodes), next: make([]int32, nodes),
	}
	for i := range arcs {
		t.first[arcs[i].edge.From+1]++
	}
	for v := range nodes {
		t.first[v+1] += t.first[v]
		t.next[v] = t.first[v]
		t.component[v] = -1
	}
	fill := append([]int32(nil), t.first...)
	for i := range arcs {
		from := arcs[i].edge.From
		t.head[fill[from]] = int32(arcs[i].edge.To)
		fill[from]++
	}
	return t
}

// visit completes every component reachable from root.
func (t *tarjan) visit(root int32) {
	t.enter(root)
	for len(t.path) > 0 {
		v := t.path[len(t.path)-1]
		if t.next[v] < t.first[v+1] {
			w := t.head[t.next[v]]
			t.next[v]++
			if t.order[w] == 0 {
				t.enter(w)
			} else if t.component[w] < 0 {
				t.low[v] = min(t.low[v], t.order[w])
			}
			continue
		}
		t.path = t.path[:len(t.path)-1]
		if len(t.path) > 0 {
			parent := t.path[len(t.path)-1]
			t.low[parent] = min(t.low[parent], t.low[v])
		}
		if t.low[v] == t.order[v] {
			t.close(v)
		}
	}
}

func (t *tarjan) enter(v int32) {
	t.met++
	t.order[v], t.low[v] = t.met, t.met
	t.open = append(t.open, v)
	t.path = append(t.path, v)
}

// close makes a component of v and everything met after it that is still open.
func (t *tarjan) close(v int32) {
	for {
		w := t.open[len(t.open)-1]
		t.open = t.open[:len(t.open)-1]
		t.component[w] = int32(t.components)
		if w == v {
			break
		}
	}
	t.components++
}
