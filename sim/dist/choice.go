package dist

import "footway/core/rng"

// Weighted returns draw number k of s of an index into weights, each with a
// probability of its share of their sum. It panics if a weight is negative
// or their sum is not positive or overflows, which is a bug of the caller.
func Weighted(s rng.Stream, k uint64, weights []int64) int {
	var sum int64
	for _, w := range weights {
		sum += w
		if w < 0 || sum < 0 {
			panic("dist: Weighted needs weights of at least 0 whose sum fits 63 bits")
		}
	}
	if sum == 0 {
		panic("dist: Weighted needs a weight above 0")
	}
	left := s.N(k, sum)
	for i, w := range weights {
		if left < w {
			return i
		}
		left -= w
	}
	panic("dist: Weighted drew beyond the sum of the weights")
}
