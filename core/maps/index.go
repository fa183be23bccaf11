package maps

import "math"

// Index finds the place on a network that is nearest to a point: a packed grid
// over the segments of the edges, in whole millimetres. It is immutable. Of an
// edge and its reverse it knows the one with the lower number.
type Index struct {
	net      *Network
	plane    Projection
	origin   XY    // lower left corner of cell 0
	cellMM   int64 // side of a cell
	columns  int64
	rows     int64
	first    []int32 // the segments of cell c: entries[first[c]:first[c+1]]
	entries  []int32
	segments []segment
}

// segment is one straight piece of an edge.
type segment struct {
	ax, ay, bx, by int32 // its ends on the plane
	edge           EdgeID
	part           int32 // 0 is the piece at the edge's From node
	stand          bool  // whether a robot may wait there
}

// found is the best candidate of a search so far, ordered by distance, edge and part.
type found struct {
	dist2 int64
	seg   *segment
	foot  XY
}

// NewIndex returns the index of n.
func NewIndex(n *Network) *Index {
	x := &Index{net: n, plane: n.Projection()}
	for id := range n.Edges {
		if r := n.Edges[id].Reverse; r == NoEdge || int(r) > id {
			x.addEdge(EdgeID(id))
		}
	}
	x.layGrid()
	return x
}

func (x *Index) addEdge(id EdgeID) {
	e := &x.net.Edges[id]
	a := x.plane.XY(x.net.Nodes[e.From])
	for part := int32(0); part <= e.ShapeCount; part++ {
		b := x.plane.XY(x.net.point(e, part+1))
		x.segments = append(x.segments, segment{
			ax: int32(a.X), ay: int32(a.Y), bx: int32(b.X), by: int32(b.Y),
			edge: id, part: part, stand: e.Standable(),
		})
		a = b
	}
}

// Standable reports whether a robot may stop on e to wait or to be served:
// anywhere but on a roadway's crossing or a kerb.
func (e *Edge) Standable() bool { return e.Class != Crossing && e.Class != KerbStep }

// layGrid chooses the cells and sorts the segments into them by counting.
func (x *Index) layGrid() {
	low, high := XY{math.MaxInt32, math.MaxInt32}, XY{math.MinInt32, math.MinInt32}
	for i := range x.segments {
		s := &x.segments[i]
		low = XY{min(low.X, int64(s.ax), int64(s.bx)), min(low.Y, int64(s.ay), int64(s.by))}
		high = XY{max(high.X, int64(s.ax), int64(s.bx)), max(high.Y, int64(s.ay), int64(s.by))}
	}
	x.origin = low
	x.cellMM = 50_000
	size := func(span int64) int64 { return max(span, 0)/x.cellMM + 1 }
	for size(high.X-low.X)*size(high.Y-low.Y) > int64(4*len(x.segments)+64) {
		x.cellMM *= 2
	}
	x.columns, x.rows = size(high.X-low.X), size(high.Y-low.Y)
	x.first = make([]int32, x.columns*x.rows+1)
	for i := range x.segments {
		x.eachCell(&x.segments[i], func(c int64) { x.first[c+1]++ })
	}
	for c := range x.columns * x.rows {
		x.first[c+1] += x.first[c]
	}
	x.entries = make([]int32, x.first[len(x.first)-1])
	fill := append([]int32(nil), x.first...)
	for i := range x.segments {
		x.eachCell(&x.segments[i], func(c int64) {
			x.entries[fill[c]] = int32(i)
			fill[c]++
		})
	}
}

// eachCell calls visit with every cell that s touches, row by row. A row's
// columns are those between where s enters and leaves it, a millimetre wider.
func (x *Index) eachCell(s *segment, visit func(cell int64)) {
	a := XY{int64(s.ax) - x.origin.X, int64(s.ay) - x.origin.Y}
	b := XY{int64(s.bx) - x.origin.X, int64(s.by) - x.origin.Y}
	if a.Y > b.Y {
		a, b = b, a
	}
	for row := a.Y / x.cellMM; row <= b.Y/x.cellMM; row++ {
		enter, leave := a.X, b.X
		if b.Y > a.Y {
			at := func(y int64) int64 { return a.X + (b.X-a.X)*(y-a.Y)/(b.Y-a.Y) }
			enter = at(max(a.Y, row*x.cellMM))
			leave = at(min(b.Y, (row+1)*x.cellMM))
		}
		left, right := max(min(enter, leave)-1, 0), max(enter, leave)+1
		for column := left / x.cellMM; column <= min(right/x.cellMM, x.columns-1); column++ {
			visit(row*x.columns + column)
		}
	}
}

// Nearest returns the position on the network nearest to p and its distance in
// millimetres, or false if none is within maxMM. Equal distances go to the lower edge.
func (x *Index) Nearest(p Point, maxMM int64) (Position, int64, bool) {
	return x.nearest(p, maxMM, false)
}

// NearestStand is Nearest among the edges where a robot may stop and wait.
func (x *Index) NearestStand(p Point, maxMM int64) (Position, int64, bool) {
	return x.nearest(p, maxMM, true)
}

// nearest looks at the cells around p in growing rings, until the next ring
// can hold nothing as near as what was found.
func (x *Index) nearest(p Point, maxMM int64, stand bool) (Position, int64, bool) {
	at := x.plane.XY(p)
	limit := min(max(maxMM, 0), math.MaxInt32)
	best := found{dist2: limit*limit + 1}
	column, row := floorDiv(at.X-x.origin.X, x.cellMM), floorDiv(at.Y-x.origin.Y, x.cellMM)
	ring := max(0, -column, -row, column-x.columns+1, row-x.rows+1)
	last := max(column, row, x.columns-1-column, x.rows-1-row)
	for ; ring <= last; ring++ {
		if gap := (ring - 1) * x.cellMM; gap > 0 && (gap > limit || gap*gap > best.dist2) {
			break
		}
		x.searchRing(column, row, ring, at, stand, &best)
	}
	if best.seg == nil {
		return Position{Edge: NoEdge}, 0, false
	}
	return x.position(best), isqrt(best.dist2), true
}

// searchRing looks at the cells whose larger offset from (column, row) is ring.
func (x *Index) searchRing(column, row, ring int64, at XY, stand bool, best *found) {
	for r := max(row-ring, 0); r <= min(row+ring, x.rows-1); r++ {
		step := int64(1)
		if r != row-ring && r != row+ring {
			step = max(2*ring, 1) // only the two ends of a middle row
		}
		for c := column - ring; c <= column+ring; c += step {
			if c >= 0 && c < x.columns {
				x.searchCell(r*x.columns+c, at, stand, best)
			}
		}
	}
}

func (x *Index) searchCell(cell int64, at XY, stand bool, best *found) {
	for _, i := range x.entries[x.first[cell]:x.first[cell+1]] {
		s := &x.segments[i]
		if stand && !s.stand {
			continue
		}
		foot := s.foot(at)
		dx, dy := foot.X-at.X, foot.Y-at.Y
		if max(dx, -dx, dy, -dy) > math.MaxInt32 {
			continue // further than any limit; its square would overflow
		}
		d := found{dist2: dx*dx + dy*dy, seg: s, foot: foot}
		if d.before(best) {
			*best = d
		}
	}
}

func (f *found) before(g *found) bool {
	if f.dist2 != g.dist2 || g.seg == nil {
		return f.dist2 < g.dist2
	}
	if f.seg.edge != g.seg.edge {
		return f.seg.edge < g.seg.edge
	}
	return f.seg.part < g.seg.part
}

// foot returns the point of s nearest to p, to the millimetre.
func (s *segment) foot(p XY) XY {
	dx, dy := int64(s.bx)-int64(s.ax), int64(s.by)-int64(s.ay)
	dot := (p.X-int64(s.ax))*dx + (p.Y-int64(s.ay))*dy
	len2 := dx*dx + dy*dy
	switch {
	case dot <= 0:
		return XY{int64(s.ax), int64(s.ay)}
	case dot >= len2:
		return XY{int64(s.bx), int64(s.by)}
	}
	return XY{int64(s.ax) + signedMulDiv(dx, dot, len2), int64(s.ay) + signedMulDiv(dy, dot, len2)}
}

// position turns the foot on a segment into an offset along its edge, in the
// edge's own millimetres.
func (x *Index) position(f found) Position {
	e := &x.net.Edges[f.seg.edge]
	var before, total int64
	for part := int32(0); part <= e.ShapeCount; part++ {
		length := Distance(x.net.point(e, part), x.net.point(e, part+1))
		if part < f.seg.part {
			before += length
		}
		if part == f.seg.part {
			whole := hypot(int64(f.seg.bx)-int64(f.seg.ax), int64(f.seg.by)-int64(f.seg.ay))
			within := hypot(f.foot.X-int64(f.seg.ax), f.foot.Y-int64(f.seg.ay))
			if whole > 0 {
				before += mulDiv(length, min(within, whole), whole)
			}
		}
		total += length
	}
	offset := int64(0)
	if total > 0 {
		offset = mulDiv(int64(e.LengthMM), min(before, total), total)
	}
	return Position{Edge: f.seg.edge, OffsetMM: int32(offset)}
}

// hypot returns the length of (dx, dy), rounded down.
func hypot(dx, dy int64) int64 { return isqrt(dx*dx + dy*dy) }

func signedMulDiv(a, b, c int64) int64 {
	if a < 0 {
		return -mulDiv(-a, b, c)
	}
	return mulDiv(a, b, c)
}

// floorDiv returns a/b rounded down, for b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
