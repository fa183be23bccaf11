package maps

import "cmp"

// A polygon is its corners in order, the first not repeated. All tests are exact:
// products of differences are compared, never subtracted, so that they cannot
// overflow between valid positions.

// inPolygon reports whether p lies in the polygon or on its border, by the even-odd rule.
func inPolygon(polygon []Point, p Point) bool {
	inside := false
	for i, b := range polygon {
		a := polygon[(i+len(polygon)-1)%len(polygon)]
		side := turn(a, b, p)
		if side == 0 && inBoxOf(a, b, p) {
			return true
		}
		if (a.Lat > p.Lat) != (b.Lat > p.Lat) && (side > 0) == (b.Lat > a.Lat) {
			inside = !inside
		}
	}
	return inside
}

// Contains reports whether p lies in the area or on its border, whatever the hours.
func (a *Area) Contains(p Point) bool { return inPolygon(a.Polygon, p) }

// touchesPolygon reports whether the line through points shares a place with
// the polygon or lies within it.
func touchesPolygon(polygon, points []Point) bool {
	if len(points) > 0 && inPolygon(polygon, points[0]) {
		return true
	}
	for i := 1; i < len(points); i++ {
		for j, b := range polygon {
			a := polygon[(j+len(polygon)-1)%len(polygon)]
			if segmentsMeet(points[i-1], points[i], a, b) {
				return true
			}
		}
	}
	return false
}

// turn returns +1 if a, b, c turn left, -1 if they turn right, and 0 if they lie on a line.
func turn(a, b, c Point) int {
	return cmp.Compare(
		(int64(b.Lon)-int64(a.Lon))*(int64(c.Lat)-int64(a.Lat)),
		(int64(b.Lat)-int64(a.Lat))*(int64(c.Lon)-int64(a.Lon)))
}

// segmentsMeet reports whether the segments ab and cd share a point.
func segmentsMeet(a, b, c, d Point) bool {
	t1, t2 := turn(a, b, c), turn(a, b, d)
	t3, t4 := turn(c, d, a), turn(c, d, b)
	if t1*t2 < 0 && t3*t4 < 0 {
		return true
	}
	return t1 == 0 && inBoxOf(a, b, c) || t2 == 0 && inBoxOf(a, b, d) ||
		t3 == 0 && inBoxOf(c, d, a) || t4 == 0 && inBoxOf(c, d, b)
}

// inBoxOf reports whether p lies in the box that a and b span.
func inBoxOf(a, b, p Point) bool {
	return p.Lon >= min(a.Lon, b.Lon) && p.Lon <= max(a.Lon, b.Lon) &&
		p.Lat >= min(a.Lat, b.Lat) && p.Lat <= max(a.Lat, b.Lat)
}

// EdgesTouching returns the edges that share a place with the polygon or lie
// within it, by rising id.
func (n *Network) EdgesTouching(polygon []Point) []EdgeID {
	box := EmptyBox()
	for _, p := range polygon {
		box = box.With(p)
	}
	var out []EdgeID
	var line []Point
	for i := range n.Edges {
		line = n.Line(line[:0], EdgeID(i))
		around := EmptyBox()
		for _, p := range line {
			around = around.With(p)
		}
		if around.Overlaps(box) && touchesPolygon(polygon, line) {
			out = append(out, EdgeID(i))
		}
	}
	return out
}

// Valid reports whether p is a place on Earth.
func (p Point) Valid() bool {
	const quarter = 90 * 1e7
	return p.Lat >= -quarter && p.Lat <= quarter && p.Lon >= -2*quarter && p.Lon <= 2*quarter
}
