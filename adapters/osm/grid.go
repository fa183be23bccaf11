package osm

import (
	"math"

	"footway/core/maps"
)

// cellMM is the side of a grid cell, and longestMM the longest segment that is
// put into one: longer ones are no streets, and would fill the memory.
const (
	cellMM    = 64_000
	longestMM = 5_000_000
)

// segment is a straight piece of a way, on the plane.
type segment struct {
	a, b  maps.XY
	owner int32
}

// grid finds segments near a place.
type grid struct {
	segments []segment
	cells    map[[2]int64][]int32
}

func newGrid() *grid { return &grid{cells: map[[2]int64][]int32{}} }

func cellOf(p maps.XY) [2]int64 {
	return [2]int64{int64(math.Floor(float64(p.X) / cellMM)), int64(math.Floor(float64(p.Y) / cellMM))}
}

// add puts the segment into every cell that it is sampled in, twice a cell.
func (g *grid) add(a, b maps.XY, owner int32) {
	d := dist(a, b)
	if d > longestMM {
		return
	}
	id := int32(len(g.segments))
	g.segments = append(g.segments, segment{a, b, owner})
	steps := d/(cellMM/2) + 1
	var last [2]int64
	for i := int64(0); i <= steps; i++ {
		c := cellOf(maps.XY{X: a.X + (b.X-a.X)*i/steps, Y: a.Y + (b.Y-a.Y)*i/steps})
		if i == 0 || c != last {
			g.cells[c] = append(g.cells[c], id)
			last = c
		}
	}
}

// near calls f with each segment whose distance from p is at most radius, in a
// fixed order; one may come twice. It stops when f returns false.
func (g *grid) near(p maps.XY, radius int64, f func(s *segment, mm int64) bool) {
	reach := radius + cellMM/4 // a segment strays at most this far from its samples' cells
	low := cellOf(maps.XY{X: p.X - reach, Y: p.Y - reach})
	high := cellOf(maps.XY{X: p.X + reach, Y: p.Y + reach})
	for y := low[1]; y <= high[1]; y++ {
		for x := low[0]; x <= high[0]; x++ {
			for _, id := range g.cells[[2]int64{x, y}] {
				s := &g.segments[id]
				if mm := distToSegment(p, s.a, s.b); mm <= radius && !f(s, mm) {
					return
				}
			}
		}
	}
}

// nearest returns the nearest segment to p within radius that fits, ties by
// order of adding; nil if there is none.
func (g *grid) nearest(p maps.XY, radius int64, fits func(*segment) bool) *segment {
	var best *segment
	bestMM := radius + 1
	g.near(p, radius, func(s *segment, mm int64) bool {
		if (mm < bestMM || mm == bestMM && best != nil && s.owner < best.owner) && fits(s) {
			best, bestMM = s, mm
		}
		return true
	})
	return best
}

// dist is the distance of two places in millimetres.
func dist(a, b maps.XY) int64 {
	dx, dy := float64(a.X-b.X), float64(a.Y-b.Y)
	return int64(math.Sqrt(float64(dx*dx)+float64(dy*dy)) + 0.5)
}

// distToSegment is the distance of p from the segment ab.
func distToSegment(p, a, b maps.XY) int64 {
	dx, dy := float64(b.X-a.X), float64(b.Y-a.Y)
	px, py := float64(p.X-a.X), float64(p.Y-a.Y)
	square := float64(dx*dx) + float64(dy*dy)
	if square == 0 {
		return dist(p, a)
	}
	t := (float64(px*dx) + float64(py*dy)) / square
	t = min(max(t, 0), 1)
	ex, ey := px-float64(t*dx), py-float64(t*dy)
	return int64(math.Sqrt(float64(ex*ex)+float64(ey*ey)) + 0.5)
}

// turn describes how direction v lies to direction u: the cosine and the sine
// of the angle, positive when v points to the left of u.
func turn(u, v maps.XY) (cos, sin float64) {
	ux, uy, vx, vy := float64(u.X), float64(u.Y), float64(v.X), float64(v.Y)
	size := math.Sqrt(float64(ux*ux)+float64(uy*uy)) * math.Sqrt(float64(vx*vx)+float64(vy*vy))
	if size == 0 {
		return 0, 0
	}
	return (float64(ux*vx) + float64(uy*vy)) / size, (float64(ux*vy) - float64(uy*vx)) / size
}

func minus(a, b maps.XY) maps.XY { return maps.XY{X: a.X - b.X, Y: a.Y - b.Y} }
