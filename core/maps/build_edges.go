package maps

import (
	"cmp"
	"fmt"
	"slices"
)

// maxEdgeMM bounds the length of one edge, so that sums of times and lengths
// along any route stay far from overflow.
const maxEdgeMM = 50_000_000

// arc is an edge between the builder's nodes, before they get their numbers.
type arc struct {
	edge    Edge
	stretch int32
	back    bool // against the stretch's direction
}

// arcs splits the stretches into directed edges and leaves out those that p refuses.
func (b *Builder) arcs(p *Profile, report *BuildReport) ([]arc, error) {
	report.Nodes, report.Stretches = len(b.nodes), len(b.stretches)
	out := make([]arc, 0, 2*len(b.stretches))
	for i := range b.stretches {
		s := &b.stretches[i]
		length, err := b.measure(s)
		if err != nil {
			return nil, fmt.Errorf("stretch %d (%q): %w", i, s.Name, err)
		}
		if s.From == s.To && len(s.Shape) == 0 {
			report.drop("goes nowhere", length)
			continue
		}
		forth := Edge{
			From: s.From, To: s.To, LengthMM: length, WidthMM: s.WidthMM, Reverse: NoEdge,
			Signal: s.Signal, InclinePermille: s.InclinePermille, Class: s.Class, Surface: s.Surface,
			Kerb: s.KerbTo, Control: s.Control, Street: s.Street, Flags: s.Flags,
		}
		directions := []arc{{edge: forth, stretch: int32(i)}}
		if !s.OneWay {
			back := forth
			back.From, back.To = s.To, s.From
			back.Kerb, back.InclinePermille = s.KerbFrom, -s.InclinePermille
			directions = append(directions, arc{edge: back, stretch: int32(i), back: true})
		}
		for _, a := range directions {
			if why := p.Refuses(&a.edge); why != Passable {
				report.drop(why.String(), length)
				continue
			}
			out = append(out, a)
		}
	}
	return out, nil
}

// measure returns the length of s: as given, or along its shape; at least a
// millimetre, so that no edge is free.
func (b *Builder) measure(s *Stretch) (int32, error) {
	length := int64(s.LengthMM)
	if length == 0 {
		at := b.nodes[s.From]
		for _, p := range s.Shape {
			length += Distance(at, p)
			at = p
		}
		length += Distance(at, b.nodes[s.To])
	}
	if length > maxEdgeMM {
		return 0, fmt.Errorf("is %d m long: want at most %d m", length/1000, maxEdgeMM/1000)
	}
	return int32(max(length, 1)), nil
}

// keepArcs returns the arcs within the component whose nodes are in keep.
func keepArcs(arcs []arc, keep []bool, report *BuildReport) []arc {
	kept := arcs[:0]
	for _, a := range arcs {
		if keep[a.edge.From] && keep[a.edge.To] {
			kept = append(kept, a)
		} else {
			report.drop("not connected", a.edge.LengthMM)
		}
	}
	return kept
}

// layOut numbers the nodes in keep along a Hilbert curve, so that neighbours
// on the ground are neighbours in memory, and writes nodes, edges and shapes.
func (b *Builder) layOut(n *Network, arcs []arc, keep []bool) {
	number := make([]NodeID, len(b.nodes))
	for _, old := range hilbertOrder(b.nodes, keep) {
		number[old] = NodeID(len(n.Nodes))
		n.Nodes = append(n.Nodes, b.nodes[old])
	}
	for i := range arcs {
		e := &arcs[i].edge
		e.From, e.To = number[e.From], number[e.To]
	}
	slices.SortFunc(arcs, func(x, y arc) int {
		return cmp.Or(cmp.Compare(x.edge.From, y.edge.From), cmp.Compare(x.edge.To, y.edge.To),
			cmp.Compare(x.stretch, y.stretch), compareBool(x.back, y.back))
	})
	n.Edges = make([]Edge, len(arcs))
	twin := make([]EdgeID, len(b.stretches)) // the first direction met of each stretch, plus one
	for i := range arcs {
		a := &arcs[i]
		s := &b.stretches[a.stretch]
		a.edge.Name = b.nameID(s.Name)
		a.edge.ShapeFirst, a.edge.ShapeCount = int32(len(n.Shape)), int32(len(s.Shape))
		n.Shape = append(n.Shape, s.Shape...)
		if a.back {
			slices.Reverse(n.Shape[a.edge.ShapeFirst:])
		}
		if other := twin[a.stretch] - 1; other >= 0 {
			a.edge.Reverse = other
			n.Edges[other].Reverse = EdgeID(i)
		}
		twin[a.stretch] = EdgeID(i) + 1
		n.Edges[i] = a.edge
	}
	n.FirstOut = firstOut(len(n.Nodes), n.Edges)
}

// firstOut returns where the edges out of each node begin, given edges sorted by From.
func firstOut(nodes int, edges []Edge) []int32 {
	first := make([]int32, nodes+1)
	for i := range edges {
		first[edges[i].From+1]++
	}
	for i := range nodes {
		first[i+1] += first[i]
	}
	return first
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
