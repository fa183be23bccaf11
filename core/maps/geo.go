package maps

import (
	"math"
	"math/bits"
)

// earthRadiusMM is the mean radius of the Earth (IUGG) in millimetres.
const earthRadiusMM = 6_371_008_800

// mmPerUnit is the length of 1e-7 degrees of latitude in millimetres.
const mmPerUnit = earthRadiusMM * math.Pi / 180 / 1e7

// Distance returns the distance between a and b in whole millimetres, by the
// equirectangular approximation at their middle latitude: within 0.1 per mille
// of the great circle for the few kilometres that matter here. The same on
// every machine: each product is rounded before it is added.
func Distance(a, b Point) int64 {
	mid := (int64(a.Lat) + int64(b.Lat)) / 2
	dx := float64(float64(int64(b.Lon)-int64(a.Lon))*mmPerUnit) * cosine(mid)
	dy := float64(int64(b.Lat)-int64(a.Lat)) * mmPerUnit
	return int64(math.Sqrt(float64(dx*dx)+float64(dy*dy)) + 0.5)
}

// cosine returns the cosine of a latitude in units of 1e-7 degrees, by its
// Taylor series to x^22 (error below 1e-15 up to a right angle). math.Cos is not
// used because compilers may fuse its multiplications and additions, and then
// two machines would draw two maps.
func cosine(lat int64) float64 {
	x := float64(lat) * (math.Pi / 180 / 1e7)
	x2 := float64(x * x)
	sum := 1.0
	for k := 22; k >= 2; k -= 2 {
		sum = 1 - float64(float64(x2/float64(k*(k-1)))*sum)
	}
	return sum
}

// XY is a place in millimetres east and north of a Projection's origin.
type XY struct{ X, Y int64 }

// Projection maps points around an origin to a plane in whole millimetres. It
// is made of integers, so that it is the same on every machine.
type Projection struct {
	Origin Point
	scaleX int64 // millimetres per unit of longitude, times 2^projectionBits
	scaleY int64 // the same of latitude
}

const projectionBits = 24

// NewProjection returns the equirectangular projection around origin. Distances
// are true near the origin's latitude, and off by about 1% 50 km north or south of
// it at middle latitudes: good for finding what is near, while lengths come from Distance.
func NewProjection(origin Point) Projection {
	const perUnit = mmPerUnit * (1 << projectionBits)
	scale := perUnit // a variable: Go does not round constants to integers
	return Projection{
		Origin: origin,
		scaleX: int64(float64(scale*cosine(int64(origin.Lat))) + 0.5),
		scaleY: int64(scale + 0.5),
	}
}

// XY returns where p lies on the plane.
func (pr Projection) XY(p Point) XY {
	const half = 1 << (projectionBits - 1)
	return XY{
		X: ((int64(p.Lon)-int64(pr.Origin.Lon))*pr.scaleX + half) >> projectionBits,
		Y: ((int64(p.Lat)-int64(pr.Origin.Lat))*pr.scaleY + half) >> projectionBits,
	}
}

// Point returns the point at xy, to the nearest unit.
func (pr Projection) Point(xy XY) Point {
	return Point{
		Lon: pr.Origin.Lon + int32(divRound(xy.X<<projectionBits, pr.scaleX)),
		Lat: pr.Origin.Lat + int32(divRound(xy.Y<<projectionBits, pr.scaleY)),
	}
}

// divRound returns a/b rounded to the nearest integer, for b > 0.
func divRound(a, b int64) int64 {
	if a < 0 {
		return -((-a + b/2) / b)
	}
	return (a + b/2) / b
}

// mulDiv returns a*b/c, cut to an integer, for 0 <= a, 0 <= b <= c, 0 < c,
// without overflow in between.
func mulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	q, _ := bits.Div64(hi, lo, uint64(c))
	return int64(q)
}

// isqrt returns the integer square root of v >= 0, rounded down.
func isqrt(v int64) int64 {
	r := int64(math.Sqrt(float64(v)))
	for r*r > v {
		r--
	}
	for (r+1)*(r+1) <= v {
		r++
	}
	return r
}
