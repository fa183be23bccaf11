package maps

import "fmt"

// maxSpan is the largest extent of a map, 10 degrees in units of 1e-7, so that
// coordinates on its plane fit 32 bits.
const maxSpan = 100_000_000

// Validate derives FirstOut and reports the first thing that is wrong with n: every
// index must lie within what it points into, every number within its range, and
// an edge and its reverse must be each other's. All other methods rely on it.
func (n *Network) Validate() error {
	if len(n.Nodes) == 0 || len(n.Edges) == 0 {
		return fmt.Errorf("network %q: no nodes or no edges", n.Name)
	}
	if len(n.Names) == 0 || n.Names[0] != "" {
		return fmt.Errorf("network %q: the first name is not empty", n.Name)
	}
	if err := n.checkPoints(); err != nil {
		return err
	}
	for i := range n.Edges {
		if err := n.checkEdge(EdgeID(i)); err != nil {
			return fmt.Errorf("edge %d: %w", i, err)
		}
	}
	if last := &n.Edges[len(n.Edges)-1]; int(last.ShapeFirst)+int(last.ShapeCount) != len(n.Shape) {
		return fmt.Errorf("%d points of shape: the edges name %d", len(n.Shape), last.ShapeFirst+last.ShapeCount)
	}
	n.FirstOut = firstOut(len(n.Nodes), n.Edges)
	return n.checkPlaces()
}

func (n *Network) checkPoints() error {
	for _, list := range [][]Point{n.Nodes, n.Shape} {
		for i, p := range list {
			if !p.Valid() {
				return fmt.Errorf("point %d (lon %d, lat %d) is not on Earth", i, p.Lon, p.Lat)
			}
		}
	}
	return checkSpan(n.Bounds())
}

func checkSpan(b Box) error {
	if int64(b.Max.Lon)-int64(b.Min.Lon) > maxSpan || int64(b.Max.Lat)-int64(b.Min.Lat) > maxSpan {
		return fmt.Errorf("the map spans from %+v to %+v: want at most 10 degrees; cut it into markets", b.Min, b.Max)
	}
	return nil
}

func (n *Network) checkEdge(id EdgeID) error {
	e := &n.Edges[id]
	node := func(v NodeID) bool { return v >= 0 && int(v) < len(n.Nodes) }
	switch {
	case !node(e.From) || !node(e.To):
		return fmt.Errorf("joins nodes %d and %d of %d", e.From, e.To, len(n.Nodes))
	case id > 0 && (e.From < n.Edges[id-1].From || e.From == n.Edges[id-1].From && e.To < n.Edges[id-1].To):
		return fmt.Errorf("is not in order")
	case e.LengthMM < 1 || e.LengthMM > maxEdgeMM || e.WidthMM < 0 || e.Signal < 0:
		return fmt.Errorf("length %d mm, width %d mm, signal %d: want 1 to %d mm and nothing negative", e.LengthMM, e.WidthMM, e.Signal, maxEdgeMM)
	case e.Name < 0 || int(e.Name) >= len(n.Names):
		return fmt.Errorf("name %d of %d", e.Name, len(n.Names))
	case e.Class >= classes || e.Surface >= surfaces || e.Kerb >= kerbs || e.Control >= controls || e.Street >= streets || e.Flags&^allFlags != 0:
		return fmt.Errorf("class %d, surface %d, kerb %d, control %d, street %d or flags %d do not exist", e.Class, e.Surface, e.Kerb, e.Control, e.Street, e.Flags)
	case e.ShapeFirst < 0 || e.ShapeCount < 0 || int(e.ShapeFirst)+int(e.ShapeCount) > len(n.Shape):
		return fmt.Errorf("shape %d+%d of %d", e.ShapeFirst, e.ShapeCount, len(n.Shape))
	case e.Reverse == NoEdge:
		return nil
	case e.Reverse < 0 || int(e.Reverse) >= len(n.Edges) || e.Reverse == id:
		return fmt.Errorf("reverse %d of %d", e.Reverse, len(n.Edges))
	}
	if r := &n.Edges[e.Reverse]; r.Reverse != id || r.From != e.To || r.To != e.From || r.LengthMM != e.LengthMM {
		return fmt.Errorf("edge %d is not its reverse", e.Reverse)
	}
	return nil
}

func (n *Network) checkPlaces() error {
	for i := range n.Addresses {
		if a := &n.Addresses[i]; !a.Point.Valid() || !n.Check(a.At) || a.OffMM < 0 {
			return fmt.Errorf("address %d (%s) is not on the network", i, a)
		}
	}
	for i := range n.Merchants {
		m := &n.Merchants[i]
		if !m.Point.Valid() || !n.Check(m.At) || m.OffMM < 0 || m.Address < -1 || int(m.Address) >= len(n.Addresses) {
			return fmt.Errorf("merchant %d (%s) is not on the network", i, m.Name)
		}
	}
	for i := range n.Backdrop {
		b := &n.Backdrop[i]
		if b.Kind > BackdropRail || b.Rank >= streets || b.Name < 0 || int(b.Name) >= len(n.Names) {
			return fmt.Errorf("backdrop %d: kind %d, rank %d or name %d do not exist", i, b.Kind, b.Rank, b.Name)
		}
		for _, p := range b.Points {
			if !p.Valid() {
				return fmt.Errorf("backdrop %d: a point is not on Earth", i)
			}
		}
	}
	return nil
}
