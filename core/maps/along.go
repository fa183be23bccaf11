package maps

// point returns point i of e's line: 0 is its From node, then its shape, and
// ShapeCount+1 its To node.
func (n *Network) point(e *Edge, i int32) Point {
	switch {
	case i == 0:
		return n.Nodes[e.From]
	case i <= e.ShapeCount:
		return n.Shape[e.ShapeFirst+i-1]
	}
	return n.Nodes[e.To]
}

// Line appends the points of edge id, from its From node to its To node, to
// buf and returns it.
func (n *Network) Line(buf []Point, id EdgeID) []Point {
	e := &n.Edges[id]
	buf = append(buf, n.Nodes[e.From])
	buf = append(buf, n.Shape[e.ShapeFirst:e.ShapeFirst+e.ShapeCount]...)
	return append(buf, n.Nodes[e.To])
}

// Check reports whether p is a place on n.
func (n *Network) Check(p Position) bool {
	return p.Edge >= 0 && int(p.Edge) < len(n.Edges) && p.OffsetMM >= 0 && p.OffsetMM <= n.Edges[p.Edge].LengthMM
}

// PointAt returns where p is. It panics if p is not on the network.
func (n *Network) PointAt(p Position) Point {
	at, _ := n.locate(p)
	return at
}

// Heading returns the direction of travel at p in degrees clockwise from
// north, 0 to 359. It panics if p is not on the network.
func (n *Network) Heading(p Position) int {
	e := &n.Edges[p.Edge]
	_, part := n.locate(p)
	return Bearing(n.point(e, part), n.point(e, part+1))
}

// locate returns where p is and the piece of its edge on which it lies.
func (n *Network) locate(p Position) (Point, int32) {
	e := &n.Edges[p.Edge]
	var total int64
	for part := int32(0); part <= e.ShapeCount; part++ {
		total += Distance(n.point(e, part), n.point(e, part+1))
	}
	left := mulDiv(total, int64(min(max(p.OffsetMM, 0), e.LengthMM)), int64(e.LengthMM))
	for part := int32(0); ; part++ {
		a, b := n.point(e, part), n.point(e, part+1)
		length := Distance(a, b)
		if left <= length && (length > 0 || part == e.ShapeCount) || part == e.ShapeCount {
			return between(a, b, min(left, length), length), part
		}
		left -= length
	}
}

// between returns the point d of length along the straight line from a to b.
func between(a, b Point, d, length int64) Point {
	if length == 0 {
		return a
	}
	return Point{
		Lon: a.Lon + int32(divRound((int64(b.Lon)-int64(a.Lon))*d, length)),
		Lat: a.Lat + int32(divRound((int64(b.Lat)-int64(a.Lat))*d, length)),
	}
}

// Bearing returns the direction from a to b in whole degrees clockwise from
// north, 0 to 359; 0 if they are the same place.
func Bearing(a, b Point) int {
	pr := NewProjection(a)
	to := pr.XY(b)
	return angleOf(to.X, to.Y)
}

// angleOf returns atan2(east, north) in whole degrees, by comparing with a
// table of tangents: integers only, so the same everywhere.
func angleOf(east, north int64) int {
	ae, an := max(east, -east), max(north, -north)
	if ae == 0 && an == 0 {
		return 0
	}
	small, large := min(ae, an), max(ae, an)
	deg := 0
	for deg < 45 && small*tangentScale >= large*halfTangents[deg] {
		deg++ // halfTangents[d] is the tangent of d + 0.5 degrees
	}
	if ae > an {
		deg = 90 - deg
	}
	if north < 0 {
		deg = 180 - deg
	}
	if east < 0 {
		deg = 360 - deg
	}
	return deg % 360
}

const tangentScale = 1_000_000

// halfTangents holds a million times the tangent of 0.5, 1.5, … 44.5 degrees.
var halfTangents = [45]int64{
	8727, 26186, 43661, 61163, 78702, 96289, 113936, 131652, 149451, 167343, 185339, 203452, 221695, 240079, 258618,
	277325, 296213, 315299, 334595, 354119, 373885, 393910, 414214, 434812, 455726, 476976, 498582, 520567, 542956,
	565773, 589045, 612801, 637070, 661886, 687281, 713293, 739961, 767327, 795436, 824336, 854081, 884725, 916331,
	948965, 982697,
}
