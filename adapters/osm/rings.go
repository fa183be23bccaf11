package osm

import (
	"cmp"
	"slices"

	"footway/core/maps"
)

// sideOf is positive where c lies left of the line from a to b, in units of the map squared: exact.
func sideOf(a, b, c maps.Point) int64 {
	return int64(b.Lon-a.Lon)*int64(c.Lat-a.Lat) - int64(b.Lat-a.Lat)*int64(c.Lon-a.Lon)
}

// leftward reports whether a ring, without a repeated last point, has its inside at the left.
func leftward(ring []maps.Point) bool {
	twice := 0.0
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		twice += float64(a.Lon-ring[0].Lon)*float64(b.Lat-ring[0].Lat) - float64(b.Lon-ring[0].Lon)*float64(a.Lat-ring[0].Lat)
	}
	return twice > 0
}

// inRing reports whether p lies in a ring: whether a line from it to the east crosses the ring an odd number of times.
func inRing(ring []maps.Point, p maps.Point) bool {
	in := false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a.Lat > p.Lat) == (b.Lat > p.Lat) {
			continue
		}
		if b.Lat > a.Lat == (sideOf(a, b, p) > 0) {
			in = !in
		}
	}
	return in
}

// crosses reports whether the inside of the line from a to b meets the line from c to d.
func crosses(a, b, c, d maps.Point) bool {
	if a == c || a == d || b == c || b == d {
		return false
	}
	return sideOf(a, b, c) > 0 != (sideOf(a, b, d) > 0) && sideOf(c, d, a) > 0 != (sideOf(c, d, b) > 0)
}

// Each hole costs a look at all corners, so there are at most maxHoles, and of outlines with many corners fewer: the largest ones.
const (
	maxHoles = 200
	maxLooks = 10_000_000
)

// largest returns the n largest of some rings.
func (g *graph) largest(rings [][]maps.Point, n int) [][]maps.Point {
	if len(rings) <= n {
		return rings
	}
	size := make(map[*maps.Point]float64, len(rings))
	for _, r := range rings {
		size[&r[0]] = areaM2(g.plane, r)
	}
	rings = slices.Clone(rings)
	slices.SortStableFunc(rings, func(a, b []maps.Point) int { return cmp.Compare(size[&b[0]], size[&a[0]]) })
	return rings[:n]
}

// keyhole makes one outline of a ring and the holes in it, each joined to the rest by a cut of no width, as triangulations of
// shapes with holes begin (Eberly, Triangulation by Ear Clipping, 2002). A hole that cannot be reached is left out.
func (g *graph) keyhole(ring []maps.Point, holes [][]maps.Point) []maps.Point {
	if len(holes) == 0 {
		return ring
	}
	holes = g.largest(holes, min(maxHoles, maxLooks/len(ring)))
	out := slices.Clone(ring)
	if !leftward(out) {
		slices.Reverse(out)
	}
	// From east to west: what lies between a hole and the outline in the east is joined already.
	east := func(hole []maps.Point) int {
		best := 0
		for i, p := range hole {
			if p.Lon > hole[best].Lon || p.Lon == hole[best].Lon && p.Lat < hole[best].Lat {
				best = i
			}
		}
		return best
	}
	holes = slices.Clone(holes)
	slices.SortStableFunc(holes, func(a, b []maps.Point) int { return cmp.Compare(b[east(b)].Lon, a[east(a)].Lon) })
	for i, hole := range holes {
		from := east(hole)
		to := bridge(g.plane, out, holes[i:], hole[from])
		if to < 0 {
			continue
		}
		loop := make([]maps.Point, 0, len(hole)+2)
		step := 1
		if leftward(hole) { // holes go the other way around
			step = len(hole) - 1
		}
		for k := range len(hole) + 1 {
			loop = append(loop, hole[(from+k*step)%len(hole)])
		}
		out = slices.Insert(out, to+1, append(loop, out[to])...)
	}
	return out
}

// bridge returns the nearest corner of an outline that can be reached from p without crossing it or a hole; -1 if there is none.
func bridge(plane maps.Projection, outline []maps.Point, holes [][]maps.Point, p maps.Point) int {
	at := plane.XY(p)
	order := make([]int, len(outline))
	far := make([]float64, len(outline))
	for i, q := range outline {
		d := minus(plane.XY(q), at)
		order[i], far[i] = i, float64(d.X)*float64(d.X)+float64(d.Y)*float64(d.Y)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(far[a], far[b]) })
	blocked := func(ring []maps.Point, q maps.Point) bool {
		for i, a := range ring {
			if crosses(p, q, a, ring[(i+1)%len(ring)]) {
				return true
			}
		}
		return false
	}
	const enough = 64 // of the nearest corners
	for _, i := range order[:min(enough, len(order))] {
		q := outline[i]
		if !blocked(outline, q) && !slices.ContainsFunc(holes, func(h []maps.Point) bool { return blocked(h, q) }) {
			return i
		}
	}
	return -1
}
