package dist

import (
	"math/bits"

	"footway/core/clock"
	"footway/core/rng"
)

// longestMean bounds Exponential's mean, so that 45 means fit a Duration: two
// million years.
const longestMean clock.Duration = 1 << 56

// Exponential returns draw number k of s of the exponential distribution with
// the given mean, by inversion: mean · -ln U, with U uniform in (0, 1] in
// steps of 2^-64. The result is at most 44.4 means, rounded to the
// nearest millisecond, and beyond the rounding at most mean · 2^-47 off. It
// panics if mean is negative or over 2^56 ms, which is a bug of the caller.
func Exponential(s rng.Stream, k uint64, mean clock.Duration) clock.Duration {
	if mean < 0 || mean > longestMean {
		panic("dist: Exponential needs a mean from 0 to 2^56 ms")
	}
	hi, lo := bits.Mul64(negLn(s.Uint64(k)), uint64(mean))
	lo, carry := bits.Add64(lo, 1<<(fraction-1), 0)
	return clock.Duration((hi+carry)<<(64-fraction) | lo>>fraction)
}

// fraction is the number of binary digits of negLn behind the point.
const fraction = 48

// ln2 is the natural logarithm of 2 in units of 2^-64, rounded.
const ln2 = 0xb17217f7d1cf79ac

// negLn returns -ln((u+1)/2^64) in units of 2^-48, never less than it is and
// less than two units more.
//
// log2(u+1) is found digit by digit, by squaring (D. E. Knuth, The Art of
// Computer Programming, volume 1, section 1.2.2): with u+1 = 2^n · x and
// 1 <= x < 2, n is what stands before the point; then x² >= 2 tells whether the
// next digit is a 1, and x² or x²/2 is the new x. Each step cuts off less than
// 2^-62 of x, and weighs half as much in the logarithm as the one before:
// together less than 2^-60, against the last digit's 2^-48.
func negLn(u uint64) uint64 {
	v := u + 1
	if v == 0 {
		return 0 // u+1 is 2^64
	}
	shift := bits.LeadingZeros64(v)
	log2 := uint64(63 - shift)
	x := v << shift // 1 is 2^63
	for range fraction {
		x, _ = bits.Mul64(x, x) // 1 is 2^62
		digit := x >> 63
		x <<= 1 - digit
		log2 = log2<<1 | digit
	}
	ln, _ := bits.Mul64(64<<fraction-log2, ln2)
	return ln + 1 // at most the product's cut-off fraction, so that it is never less
}
