package osm

import (
	"math"

	"footway/core/maps"
)

// lengthOf returns the length of a line in millimetres.
func lengthOf(points []maps.Point) int64 {
	sum := int64(0)
	for i := 1; i < len(points); i++ {
		sum += maps.Distance(points[i-1], points[i])
	}
	return sum
}

// splitAt cuts a line of two or more points mm from its beginning,
// 0 < mm < its length. Both parts have the point of the cut.
func splitAt(points []maps.Point, mm int64) (head, tail []maps.Point) {
	for i := 1; i < len(points); i++ {
		d := maps.Distance(points[i-1], points[i])
		if mm > d || d == 0 {
			mm -= d
			continue
		}
		cut := between(points[i-1], points[i], mm, d)
		head = append(append([]maps.Point{}, points[:i]...), cut)
		tail = append([]maps.Point{cut}, points[i:]...)
		return head, tail
	}
	end := points[len(points)-1]
	return points, []maps.Point{end, end}
}

// between returns the point at num/den of the way from a to b.
func between(a, b maps.Point, num, den int64) maps.Point {
	return maps.Point{
		Lon: a.Lon + int32((int64(b.Lon)-int64(a.Lon))*num/den),
		Lat: a.Lat + int32((int64(b.Lat)-int64(a.Lat))*num/den),
	}
}

// inner returns the points of a line between its ends.
func inner(points []maps.Point) []maps.Point { return points[1 : len(points)-1] }

// ringOf returns a closed outline without its repeated last point; nil if fewer
// than three points remain.
func ringOf(points []maps.Point) []maps.Point {
	if n := len(points); n > 1 && points[0] == points[n-1] {
		points = points[:n-1]
	}
	if len(points) < 3 {
		return nil
	}
	return points
}

// areaM2 returns the area of a ring in square metres.
func areaM2(plane maps.Projection, ring []maps.Point) float64 {
	twice := 0.0
	origin := plane.XY(ring[0])
	at := func(i int) (x, y float64) {
		p := minus(plane.XY(ring[i%len(ring)]), origin)
		return float64(p.X) / 1000, float64(p.Y) / 1000
	}
	for i := range ring {
		x1, y1 := at(i)
		x2, y2 := at(i + 1)
		twice += float64(x1*y2) - float64(x2*y1)
	}
	return math.Abs(twice) / 2
}

// centerOf returns the mean of a line's points; ok is false if it has none.
func centerOf(points []maps.Point) (p maps.Point, ok bool) {
	if len(points) == 0 {
		return p, false
	}
	if ring := ringOf(points); ring != nil {
		points = ring
	}
	var lon, lat int64
	for _, q := range points {
		lon += int64(q.Lon)
		lat += int64(q.Lat)
	}
	n := int64(len(points))
	return maps.Point{Lon: int32(lon / n), Lat: int32(lat / n)}, true
}

// simplify drops points of a line that lie within mm of the line without them
// (Douglas and Peucker 1973). The ends stay.
func simplify(plane maps.Projection, points []maps.Point, mm int64) []maps.Point {
	if len(points) < 3 {
		return points
	}
	xy := make([]maps.XY, len(points))
	for i, p := range points {
		xy[i] = plane.XY(p)
	}
	keep := make([]bool, len(points))
	keep[0], keep[len(points)-1] = true, true
	stack := [][2]int{{0, len(points) - 1}}
	for len(stack) > 0 {
		span := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		far, at := mm, -1
		for i := span[0] + 1; i < span[1]; i++ {
			if d := distToSegment(xy[i], xy[span[0]], xy[span[1]]); d > far {
				far, at = d, i
			}
		}
		if at >= 0 {
			keep[at] = true
			stack = append(stack, [2]int{span[0], at}, [2]int{at, span[1]})
		}
	}
	kept := points[:0:0]
	for i, p := range points {
		if keep[i] {
			kept = append(kept, p)
		}
	}
	return kept
}

// joinRings puts lines that share ends together to closed rings of slots, each
// with its first slot repeated at the end. Lines that close nothing are counted
// in open.
func joinRings(lines [][]int32) (rings [][]int32, open int) {
	used := make([]bool, len(lines))
	ends := map[int32][]int{}
	for i, l := range lines {
		ends[l[0]] = append(ends[l[0]], i)
		ends[l[len(l)-1]] = append(ends[l[len(l)-1]], i)
	}
	for i := range lines {
		if used[i] {
			continue
		}
		used[i] = true
		ring := append([]int32{}, lines[i]...)
		for ring[0] != ring[len(ring)-1] {
			next := -1
			for _, j := range ends[ring[len(ring)-1]] {
				if !used[j] {
					next = j
					break
				}
			}
			if next < 0 {
				break
			}
			used[next] = true
			ring = append(ring, following(lines[next], ring[len(ring)-1])...)
		}
		if ring[0] == ring[len(ring)-1] && len(ring) > 3 {
			rings = append(rings, ring)
		} else {
			open++
		}
	}
	return rings, open
}

// following returns the slots of line after its end at, in the order away from it.
func following(line []int32, at int32) []int32 {
	if line[0] == at {
		return line[1:]
	}
	back := make([]int32, 0, len(line)-1)
	for i := len(line) - 2; i >= 0; i-- {
		back = append(back, line[i])
	}
	return back
}
