package scene

import "image/color"

// triangle adds the part of a triangle that is in the tile.
func (m *mason) triangle(a, b, c Place, col color.RGBA) {
	box := m.mesh.Box
	if box.has(a.X, a.Y) && box.has(b.X, b.Y) && box.has(c.X, c.Y) {
		m.fan([]Place{a, b, c}, col)
		return
	}
	if max(a.X, b.X, c.X) <= box.MinX || min(a.X, b.X, c.X) >= box.MaxX ||
		max(a.Y, b.Y, c.Y) <= box.MinY || min(a.Y, b.Y, c.Y) >= box.MaxY {
		return
	}
	var one, two [9]Place
	poly := append(one[:0], a, b, c)
	poly, spare := cut(two[:0], poly, func(p Place) float32 { return p.X - box.MinX }), one[:0]
	poly, spare = cut(spare, poly, func(p Place) float32 { return box.MaxX - p.X }), poly[:0]
	poly, spare = cut(spare, poly, func(p Place) float32 { return p.Y - box.MinY }), poly[:0]
	poly = cut(spare, poly, func(p Place) float32 { return box.MaxY - p.Y })
	for i := range poly { // what rounding put outside
		poly[i] = Place{min(max(poly[i].X, box.MinX), box.MaxX), min(max(poly[i].Y, box.MinY), box.MaxY)}
	}
	m.fan(poly, col)
}

// cut appends the part of a convex polygon to out where inside is not negative.
func cut(out, poly []Place, inside func(Place) float32) []Place {
	for i, b := range poly {
		a := poly[(i+len(poly)-1)%len(poly)]
		da, db := inside(a), inside(b)
		if da < 0 != (db < 0) {
			k := da / (da - db)
			out = append(out, Place{a.X + (b.X-a.X)*k, a.Y + (b.Y-a.Y)*k})
		}
		if db >= 0 {
			out = append(out, b)
		}
	}
	return out
}

// fan adds a convex polygon.
func (m *mason) fan(poly []Place, c color.RGBA) {
	if len(poly) < 3 {
		return
	}
	first := uint32(len(m.mesh.Vertices))
	for i, p := range poly {
		m.mesh.Vertices = append(m.mesh.Vertices, Vertex{p.X, p.Y, c})
		if i > 1 {
			m.mesh.Indices = append(m.mesh.Indices, first, first+uint32(i)-1, first+uint32(i))
		}
	}
}

// triangulate cuts a polygon without holes into triangles, by its ears. Where it
// crosses itself something comes out all the same.
func triangulate(line []Place) []uint32 {
	n := len(line)
	left := make([]uint32, n)
	turn := float64(0)
	for i := range line {
		left[i] = uint32(i)
		a, b := line[i], line[(i+1)%n]
		turn += float64(a.X)*float64(b.Y) - float64(b.X)*float64(a.Y)
	}
	if turn < 0 {
		for i, k := 0, n-1; i < k; i, k = i+1, k-1 {
			left[i], left[k] = left[k], left[i]
		}
	}
	out := make([]uint32, 0, 3*n)
	for i, tries := 0, 0; len(left) > 3; {
		n := len(left)
		a, b, c := left[(i+n-1)%n], left[i%n], left[(i+1)%n]
		if tries < n && !ear(line, left, a, b, c) {
			i, tries = (i+1)%n, tries+1
			continue
		}
		if tries < n || cross(line[a], line[b], line[c]) > 0 {
			out = append(out, a, b, c)
		}
		left = append(left[:i%n], left[i%n+1:]...)
		i, tries = max(0, i%n-1)%len(left), 0
	}
	return append(out, left...)
}

// ear reports whether the corner b can be cut off.
func ear(line []Place, left []uint32, a, b, c uint32) bool {
	p, q, r := line[a], line[b], line[c]
	if cross(p, q, r) <= 0 {
		return false
	}
	for _, i := range left {
		x := line[i]
		if i != a && i != b && i != c && x != p && x != q && x != r &&
			cross(p, q, x) >= 0 && cross(q, r, x) >= 0 && cross(r, p, x) >= 0 {
			return false
		}
	}
	return true
}

// cross is positive if c is left of the line from a to b.
func cross(a, b, c Place) float64 {
	return float64(b.X-a.X)*float64(c.Y-a.Y) - float64(b.Y-a.Y)*float64(c.X-a.X)
}
