// Package dist turns the draws of core/rng into waits, arrivals and choices in
// integer arithmetic, so that a run has the same bytes on every processor.
// It keeps no generator: a draw is named by its stream and number.
package dist

import (
	"fmt"
	"math/bits"

	"footway/core/clock"
	"footway/core/rng"
)

// Quantiles is a distribution of durations as people know it: the least, what
// half of the cases take, what nine of ten take, and the most. In between the
// inverse distribution function is linear. Four equal values are a constant.
type Quantiles struct {
	Min clock.Duration `json:"min"`
	P50 clock.Duration `json:"p50"`
	P90 clock.Duration `json:"p90"`
	Max clock.Duration `json:"max"`
}

// Constant is the distribution that always gives d.
func Constant(d clock.Duration) Quantiles { return Quantiles{Min: d, P50: d, P90: d, Max: d} }

// Problems returns what is wrong with q, the parameter named path: it must
// neither be negative nor decrease.
func (q Quantiles) Problems(path string) []error {
	var problems []error
	if q.Min < 0 {
		problems = append(problems, fmt.Errorf("%s.min: %s, want at least 0s", path, q.Min))
	}
	for _, c := range []struct {
		name, below string
		d, least    clock.Duration
	}{
		{"p50", "min", q.P50, q.Min},
		{"p90", "p50", q.P90, q.P50},
		{"max", "p90", q.Max, q.P90},
	} {
		if c.d < c.least {
			problems = append(problems, fmt.Errorf("%s.%s: %s, want at least %s, which is %s", path, c.name, c.d, c.below, c.least))
		}
	}
	return problems
}

// The levels 0.5 and 0.9 of a uniform 64-bit draw.
const (
	level50 = 1 << 63
	level90 = 16602069666338596454 // 0.9 · 2^64, rounded
)

// Draw returns draw number k of s, to the nearest millisecond. It needs q
// without Problems, and grows with the uniform draw: the same luck is
// a long wait under every setting.
func (q Quantiles) Draw(s rng.Stream, k uint64) clock.Duration { return q.at(s.Uint64(k)) }

// at is the inverse distribution function at u/2^64.
func (q Quantiles) at(u uint64) clock.Duration {
	switch {
	case u < level50:
		return between(q.Min, q.P50, u, level50)
	case u < level90:
		return between(q.P50, q.P90, u-level50, level90-level50)
	}
	return between(q.P90, q.Max, u-level90, 1<<64-level90)
}

// between returns the point at part of whole on the way from a to b >= a, for
// part < whole, rounded to the nearest millisecond.
func between(a, b clock.Duration, part, whole uint64) clock.Duration {
	hi, lo := bits.Mul64(part, uint64(b-a))
	lo, carry := bits.Add64(lo, whole/2, 0)
	way, _ := bits.Div64(hi+carry, lo, whole)
	return a + clock.Duration(way)
}

// Mean returns the mean of q to the nearest millisecond: each segment has the
// mean of its ends and the weight of its levels, 50, 40 and 10 %.
func (q Quantiles) Mean() clock.Duration {
	return (5*q.Min + 9*q.P50 + 5*q.P90 + q.Max + 10) / 20
}
