package city

import (
	"math"

	"footway/core/maps"
)

// vec is a place or a direction in millimetres, east and north.
type vec = maps.XY

// one is the length of a unit vector.
const one = 1 << 16

func add(a, b vec) vec          { return vec{X: a.X + b.X, Y: a.Y + b.Y} }
func sub(a, b vec) vec          { return vec{X: a.X - b.X, Y: a.Y - b.Y} }
func cross(a, b vec) int64      { return a.X*b.Y - a.Y*b.X }
func left(a vec) vec            { return vec{X: -a.Y, Y: a.X} }
func scale(a vec, by int64) vec { return vec{X: a.X * by / one, Y: a.Y * by / one} }

// between returns the point permille of the way from a to b.
func between(a, b vec, permille int64) vec {
	return vec{X: a.X + (b.X-a.X)*permille/1000, Y: a.Y + (b.Y-a.Y)*permille/1000}
}

// length returns the length of a in whole millimetres. The root of an integer
// is rounded the same way on every machine.
func length(a vec) int64 { return int64(math.Sqrt(float64(a.X*a.X + a.Y*a.Y))) }

// unit returns the direction of a with length one; east if a has none.
func unit(a vec) vec {
	l := length(a)
	if l == 0 {
		return vec{X: one}
	}
	return vec{X: a.X * one / l, Y: a.Y * one / l}
}

// before orders directions counter-clockwise, beginning in the east.
func before(a, b vec) bool {
	upper := func(v vec) bool { return v.Y > 0 || v.Y == 0 && v.X > 0 }
	if upper(a) != upper(b) {
		return upper(a)
	}
	return cross(a, b) > 0
}
