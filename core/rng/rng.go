// Package rng is counter-based chance: a draw is a pure function of the run's
// seed, the entity, the purpose and a counter. Nothing is consumed, so a new
// draw in one place moves nothing elsewhere, two policies meet the same luck,
// and a checkpoint has no generator state to keep.
package rng

import "math/bits"

// Seed is the one seed of a run.
type Seed uint64

// Stream is the stream of draws of one entity for one purpose.
type Stream uint64

// Stream returns the stream of entity, such as "robot/r7" or "order/AE-1",
// for purpose, such as "speed".
func (s Seed) Stream(entity, purpose string) Stream {
	h := mix(uint64(s) ^ 0x9e3779b97f4a7c15)
	h = hashString(h, entity)
	h = hashString(h, purpose)
	return Stream(h)
}

// Uint64 returns draw number k: 64 uniform bits.
func (s Stream) Uint64(k uint64) uint64 {
	return mix(mix(uint64(s)+k*0x9e3779b97f4a7c15) ^ uint64(s))
}

// N returns draw number k as a uniform integer in [0, n). It panics if n <= 0.
// The bias is below n/2^64.
func (s Stream) N(k uint64, n int64) int64 {
	if n <= 0 {
		panic("rng: N needs n > 0")
	}
	hi, _ := bits.Mul64(s.Uint64(k), uint64(n))
	return int64(hi)
}

// Chance reports whether draw number k falls within permille of 1000.
func (s Stream) Chance(k uint64, permille int64) bool { return s.N(k, 1000) < permille }

// hashString folds v into h with a length prefix, so that ("a","bc") and
// ("ab","c") differ.
func hashString(h uint64, v string) uint64 {
	h = mix(h ^ uint64(len(v)))
	for len(v) >= 8 {
		w := uint64(v[0]) | uint64(v[1])<<8 | uint64(v[2])<<16 | uint64(v[3])<<24 |
			uint64(v[4])<<32 | uint64(v[5])<<40 | uint64(v[6])<<48 | uint64(v[7])<<56
		h = mix(h ^ w)
		v = v[8:]
	}
	var w uint64
	for i := len(v) - 1; i >= 0; i-- {
		w = w<<8 | uint64(v[i])
	}
	return mix(h ^ w)
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
