// Package sums adds products, fused and not.
package sums

import "math"

type metres float64

type leg struct{ cost, toll float64 }

const half = 0.5

func direct(x, y, z float64) float64 {
	_ = x*y + z      // want `the product x \* y may be fused with this sum, and then rounds differently on arm64: write float64\(x\*y\) \+ z`
	_ = z - (x * y)  // want `the product x \* y may be fused`
	_ = -(x * y) - z // want `the product -\(x \* y\) may be fused`
	z += x * y       // want `the product x \* y may be fused`
	z -= x * y       // want `the product x \* y may be fused`
	_ = float64(x*y) + z
	_ = x*y/z + z
	_ = half*2 + z
	_ = z * (x + y)
	return x*half + 1 // want `the product x \* half may be fused`
}

func kinds(i, j int, f, g float32, m metres, c complex64) {
	_ = i*j + i
	_ = f*g + f // want `may be fused`
	_ = m*m + m // want `may be fused`
	_ = c*c + c // want `may be fused`
	_ = metres(m*m) + m
	_ = int64(m*m) + 1
}

func generic[T int | float64](x, y, z T) T {
	return x*y + z // want `may be fused`
}

func throughVariables(x, y, z float64, l *leg) float64 {
	t := x * y
	u := t
	var v = x * z
	w := z
	w *= x
	l.cost = x * y
	_ = t + z      // want `the product t may be fused`
	_ = u - z      // want `the product u may be fused`
	_ = v + z      // want `the product v may be fused`
	_ = w + z      // want `the product w may be fused`
	_ = l.cost + z // want `the product l.cost may be fused`
	_ = l.toll + z
	rounded := float64(x * y)
	return rounded + z
}

func square(x float64) float64  { return x * x }
func rounded(x float64) float64 { return float64(x * x) }
func closes(x float64) func() float64 {
	return func() float64 { return x * x }
}

func throughCalls(x, y float64) float64 {
	_ = square(x) + square(y) // want `the product square\(x\) may be fused`
	return rounded(x) + rounded(y)
}

func approximations(x float64) float64 {
	_ = math.Sin(x)    // want `math.Sin rounds differently on amd64 and arm64`
	_ = math.Pow(x, 2) // want `math.Pow rounds differently`
	_ = math.Log       // want `math.Log rounds differently`
	_ = math.FMA(x, x, x) + math.Float64frombits(1)
	return math.Sqrt(math.Floor(x)) * math.Pi
}
