package rng

import (
	"fmt"
	"math"
	"math/bits"
	"testing"
)

// TestGolden fixes the draws: runs, hashes and recorded scenarios depend on them.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		seed            Seed
		entity, purpose string
		k               uint64
		want            uint64
	}{
		{0, "", "", 0, 0x4e4414f6ff2d2b31},
		{1, "robot/r7", "speed", 0, 0x766b2665bbe013f3},
		{1, "robot/r7", "speed", 1, 0xed8441a443143ca},
		{1, "robot/r7", "jam", 0, 0xec87691335ff1d79},
		{2, "robot/r7", "speed", 0, 0x9a190e20736fb53e},
		{42, "order/AE-1234567", "preparation", math.MaxUint64, 0x81b8c243aa42c942},
	} {
		if got := c.seed.Stream(c.entity, c.purpose).Uint64(c.k); got != c.want {
			t.Errorf("Seed(%d).Stream(%q, %q).Uint64(%d) = %#x, want %#x", c.seed, c.entity, c.purpose, c.k, got, c.want)
		}
	}
}

// TestMix compares with the first outputs of SplitMix64 from the state 0, as its
// authors' program prints them.
func TestMix(t *testing.T) {
	state := uint64(0)
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f} {
		if got := mix(state); got != want {
			t.Errorf("output %d = %#x, want %#x", i, got, want)
		}
		state += 0x9e3779b97f4a7c15
	}
}

func TestDrawsAreAFunctionOfTheirNumber(t *testing.T) {
	s := Seed(9).Stream("robot/r1", "speed")
	late := s.Uint64(1000)
	for k := range uint64(1000) {
		_ = s.Uint64(k)
	}
	if got := s.Uint64(1000); got != late {
		t.Errorf("draw 1000 = %#x after drawing others, want %#x", got, late)
	}
}

// TestNamesMakeStreams checks that every way to cut and extend names
// gives a stream of its own.
func TestNamesMakeStreams(t *testing.T) {
	names := []string{"", "\x00", "\x00\x00", "a", "ab", "abc", "b", "bc", "c", "abcdefgh", "abcdefg", "abcdefgh\x00",
		"abcdefghi", "robot/r1", "robot/r10", "robot/r11", "robot/r2"}
	seen := map[Stream]string{}
	for seed := range Seed(3) {
		for _, entity := range names {
			for _, purpose := range names {
				name := fmt.Sprintf("Seed(%d).Stream(%q, %q)", seed, entity, purpose)
				s := seed.Stream(entity, purpose)
				if other, ok := seen[s]; ok {
					t.Errorf("%s is %s", name, other)
				}
				seen[s] = name
			}
		}
	}
}

// TestUniform counts draws in 256 cells by their upper and by their lower bits,
// within one stream and across the first draws of many. Chi-square with 255
// degrees of freedom is within 160 and 375 but for one case in a million.
func TestUniform(t *testing.T) {
	const n, cells = 1 << 18, 256
	one := Seed(1).Stream("robot/r1", "speed")
	for _, c := range []struct {
		name string
		draw func(k uint64) uint64
	}{
		{"one stream, upper bits", func(k uint64) uint64 { return one.Uint64(k) >> 56 }},
		{"one stream, lower bits", func(k uint64) uint64 { return one.Uint64(k) & 255 }},
		{"one stream, N", func(k uint64) uint64 { return uint64(one.N(k, cells)) }},
		{"steps of 2^32", func(k uint64) uint64 { return one.Uint64(k<<32) >> 56 }},
		{"many entities", func(k uint64) uint64 { return Seed(1).Stream(fmt.Sprint("robot/r", k), "speed").Uint64(0) >> 56 }},
		{"many seeds", func(k uint64) uint64 { return Seed(k).Stream("robot/r1", "speed").Uint64(0) >> 56 }},
	} {
		var counts [cells]float64
		for k := range uint64(n) {
			counts[c.draw(k)]++
		}
		chi2 := 0.0
		for _, got := range counts {
			off := got - n/cells
			chi2 += float64(off*off) / (n / cells)
		}
		if chi2 < 160 || chi2 > 375 {
			t.Errorf("%s: chi-square %.1f with 255 degrees of freedom, want 160 to 375", c.name, chi2)
		}
	}
}

// TestStreamsAreIndependent correlates neighbours: streams of like names, next
// seeds, next draws. Of n independent pairs the correlation is below 5/√n.
func TestStreamsAreIndependent(t *testing.T) {
	const n = 1 << 16
	a := Seed(1).Stream("robot/r1", "speed")
	for _, c := range []struct {
		name string
		b    Stream
		lag  uint64
	}{
		{"next entity", Seed(1).Stream("robot/r2", "speed"), 0},
		{"other purpose", Seed(1).Stream("robot/r1", "jam"), 0},
		{"next seed", Seed(2).Stream("robot/r1", "speed"), 0},
		{"next draw", a, 1},
		{"next draw of the next entity", Seed(1).Stream("robot/r2", "speed"), 1},
	} {
		sum, flips := 0.0, 0
		for k := range uint64(n) {
			x, y := a.Uint64(k), c.b.Uint64(k+c.lag)
			u, v := float64(x>>11)/(1<<53)-0.5, float64(y>>11)/(1<<53)-0.5
			sum += float64(u * v)
			flips += bits.OnesCount64(x ^ y)
		}
		if r := 12 * sum / n; math.Abs(r) > 5/math.Sqrt(n) {
			t.Errorf("%s: correlation %.4f, want below %.4f", c.name, r, 5/math.Sqrt(n))
		}
		// 32 of 64 bits differ on average, with a standard deviation of 4 a pair.
		if mean := float64(flips) / n; math.Abs(mean-32) > 5*4/math.Sqrt(n) {
			t.Errorf("%s: %.3f of 64 bits differ, want 32", c.name, mean)
		}
	}
}

func TestNStaysInBounds(t *testing.T) {
	s := Seed(3).Stream("bounds", "n")
	for _, n := range []int64{1, 2, 3, 1000, 1 << 40, math.MaxInt64} {
		low, high := false, false
		for k := range uint64(10_000) {
			got := s.N(k, n)
			if got < 0 || got >= n {
				t.Fatalf("N(%d, %d) = %d", k, n, got)
			}
			low = low || got < (n/100+1)
			high = high || got >= n-(n/100+1)
		}
		if !low || !high {
			t.Errorf("N(k, %d): reached the lowest hundredth %t, the highest %t; want both", n, low, high)
		}
	}
	for _, n := range []int64{0, -1, math.MinInt64} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("N(0, %d): want a panic", n)
				}
			}()
			s.N(0, n)
		}()
	}
}

func TestChance(t *testing.T) {
	s := Seed(4).Stream("robot/r1", "jam")
	const n = 100_000
	for _, permille := range []int64{-5, 0, 1, 250, 999, 1000, 2000} {
		hits := 0
		for k := range uint64(n) {
			if s.Chance(k, permille) {
				hits++
			}
		}
		p := float64(min(max(permille, 0), 1000)) / 1000
		if got := float64(hits) / n; math.Abs(got-p) > 5*math.Sqrt(p*(1-p)/n) {
			t.Errorf("Chance(%d) in %.4f of draws, want %.4f", permille, got, p)
		}
	}
}

func BenchmarkUint64(b *testing.B) {
	s, k := Seed(1).Stream("robot/r1", "speed"), uint64(0)
	for b.Loop() {
		k++
		_ = s.Uint64(k)
	}
}

func BenchmarkStream(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Seed(1).Stream("order/AE-1234567", "preparation")
	}
}
