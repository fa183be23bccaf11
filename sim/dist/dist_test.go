package dist

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/rng"
)

const draws = 200_000

var preparation = Quantiles{Min: 3 * clock.Minute, P50: 5 * clock.Minute, P90: 9 * clock.Minute, Max: 15 * clock.Minute}

func stream(purpose string) rng.Stream { return rng.Seed(42).Stream("dist", purpose) }

func TestQuantilesAtLevels(t *testing.T) {
	for _, c := range []struct {
		level float64
		want  clock.Duration
	}{
		{0, 3 * clock.Minute},
		{0.25, 4 * clock.Minute},
		{0.5, 5 * clock.Minute},
		{0.7, 7 * clock.Minute},
		{0.9, 9 * clock.Minute},
		{0.95, 12 * clock.Minute},
		{0x1.fffffffffffffp-1, 15 * clock.Minute},
	} {
		if got := preparation.at(uint64(c.level * (1 << 63) * 2)); got != c.want {
			t.Errorf("at level %v: %s, want %s", c.level, got, c.want)
		}
	}
}

func TestQuantilesDrawGrowsWithLuckWithinBounds(t *testing.T) {
	s := stream("luck")
	us := []uint64{0, level50 - 1, level50, level90 - 1, level90, math.MaxUint64}
	for k := range uint64(2000) {
		us = append(us, s.Uint64(k))
	}
	slices.Sort(us)
	last := preparation.Min
	for _, u := range us {
		got := preparation.at(u)
		if got < last || got > preparation.Max {
			t.Fatalf("at(%d) = %s, want %s to %s", u, got, last, preparation.Max)
		}
		last = got
	}
	if last != preparation.Max {
		t.Errorf("at the top: %s, want %s", last, preparation.Max)
	}
}

func TestQuantilesSample(t *testing.T) {
	s := stream("preparation")
	sample := make([]clock.Duration, draws)
	var sum clock.Duration
	for k := range sample {
		sample[k] = preparation.Draw(s, uint64(k))
		sum += sample[k]
	}
	slices.Sort(sample)
	for _, c := range []struct {
		name      string
		got, want clock.Duration
	}{
		{"mean", sum / draws, preparation.Mean()},
		{"median", sample[draws/2], preparation.P50},
		{"90th percentile", sample[draws*9/10], preparation.P90},
	} {
		if off := (c.got - c.want).Seconds(); math.Abs(off) > 2 {
			t.Errorf("%s %s, want %s within 2s", c.name, c.got, c.want)
		}
	}
}

func TestQuantilesMean(t *testing.T) {
	for _, c := range []struct {
		q    Quantiles
		want clock.Duration
	}{
		{Constant(4 * clock.Minute), 4 * clock.Minute},
		{Constant(0), 0},
		{preparation, 6 * clock.Minute}, // (5·3 + 9·5 + 5·9 + 15) / 20
		{Quantiles{0, 0, 0, 10}, 1},     // 0.5, rounded up
	} {
		if got := c.q.Mean(); got != c.want {
			t.Errorf("%v.Mean() = %s, want %s", c.q, got, c.want)
		}
	}
	s := stream("constant")
	for k := range uint64(100) {
		if got := Constant(7).Draw(s, k); got != 7 {
			t.Fatalf("Constant(7).Draw(%d) = %d", k, got)
		}
	}
}

func TestQuantilesText(t *testing.T) {
	const text = `{"min":"3m","p50":"5m","p90":"9m","max":"15m"}`
	var q Quantiles
	if err := json.Unmarshal([]byte(text), &q); err != nil || q != preparation {
		t.Errorf("read %v, %v; want %v", q, err, preparation)
	}
	if got, err := json.Marshal(q); err != nil || string(got) != text {
		t.Errorf("wrote %s, %v; want %s", got, err, text)
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		got  []error
		want []string
	}{
		{preparation.Problems("p"), nil},
		{Constant(0).Problems("p"), nil},
		{Quantiles{-1, 5000, 4000, 3000}.Problems("merchant.preparation"), []string{
			"merchant.preparation.min: -1ms, want at least 0s",
			"merchant.preparation.p90: 4s, want at least p50, which is 5s",
			"merchant.preparation.max: 3s, want at least p90, which is 4s",
		}},
		{Rate{PerHour: 400, Profile: Profile{{0, 0}, {1439, 1500}}}.Problems("demand"), nil},
		{Rate{PerHour: 0, Offset: clock.Day, Profile: Profile{{60, -1}, {60, 0}, {1440, 0}}}.Problems("demand"), []string{
			"demand.profile[0].permille: -1, want 0 to 1000000",
			"demand.profile[1].at: minute 60, want above the point before it, 60",
			"demand.profile[2].at: minute 1440, want 0 to 1439",
			"demand.profile: 0 permille all day, want some rate at some time",
			"demand.per_hour: 0, want 1 to 360000",
			"demand.utc_offset: 24h, want less than a day",
		}},
		{Rate{PerHour: 300_000, Profile: Profile{{0, 1201}}}.Problems("demand"), []string{
			"demand: 300000 an hour at a peak of 1201 permille, want at most 360000 an hour",
		}},
	} {
		var got []string
		for _, err := range c.got {
			got = append(got, err.Error())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("problems %q, want %q", got, c.want)
		}
	}
}

func TestNegLnAgainstMath(t *testing.T) {
	us := []uint64{0, 1, 2, 3, 1<<32 - 1, 1<<63 - 1, 1 << 63, math.MaxUint64 - 1, math.MaxUint64}
	s := stream("logarithm")
	for k := range uint64(100_000) {
		us = append(us, s.Uint64(k), s.Uint64(k)>>(k%64))
	}
	for _, u := range us {
		got := float64(negLn(u)) / (1 << fraction)
		// math.Log of the nearest float64 is itself off by some 2^-47 at 44.
		want := 64*math.Ln2 - math.Log(float64(u)+1)
		if u >= 1<<63 { // near 1 the difference cancels: go by the distance from 1
			want = -math.Log1p(-float64(math.MaxUint64-u) / (1 << 64))
		}
		if off := got - want; math.Abs(off) > 0x1p-45 {
			t.Fatalf("negLn(%d) = %.17g, want %.17g: off by %g", u, got, want, off)
		}
	}
}

// TestNegLnErrorBound checks the documented bound, finer than float64 sees:
// 2^-48 · negLn(u) must be at least -ln((u+1)/2^64) and less than two units
// more, for u+1 a power of two, where the logarithm is a multiple of ln 2.
func TestNegLnErrorBound(t *testing.T) {
	ln2, ok := new(big.Float).SetPrec(200).SetString("0.693147180559945309417232121458176568075500134360255254120680")
	if !ok {
		t.Fatal("bad literal")
	}
	for n := range 64 {
		want := new(big.Float).SetPrec(200).SetInt64(int64(64 - n))
		want.Mul(want, ln2).SetMantExp(want, fraction)
		got := new(big.Float).SetPrec(200).SetUint64(negLn(1<<n - 1))
		off, _ := got.Sub(got, want).Float64()
		if off < 0 || off >= 2 {
			t.Errorf("negLn(2^%d - 1) is %v units off, want 0 to 2", n, off)
		}
	}
}

func TestNegLnNeverGrows(t *testing.T) {
	s := stream("order")
	us := []uint64{0, math.MaxUint64}
	for k := range uint64(50_000) {
		u := s.Uint64(k) >> (k % 50)
		us = append(us, u, u+1)
	}
	slices.Sort(us)
	last := uint64(math.MaxUint64)
	for _, u := range us {
		got := negLn(u)
		if got > last {
			t.Fatalf("negLn(%d) = %d, above that of a smaller number, %d", u, got, last)
		}
		last = got
	}
}

func TestExponentialSample(t *testing.T) {
	const mean = 10 * clock.Minute
	s := stream("exponential")
	var sum float64
	over := 0 // beyond three means
	for k := range uint64(draws) {
		d := Exponential(s, k, mean)
		sum += d.Seconds()
		if d > 3*mean {
			over++
		}
	}
	if got := sum / draws; math.Abs(got-600) > 6 { // 4.5 standard errors
		t.Errorf("mean %.1f s, want 600 within 6", got)
	}
	if got, want := float64(over)/draws, math.Exp(-3); math.Abs(got-want) > 0.0022 {
		t.Errorf("share beyond three means %.4f, want %.4f within 0.0022", got, want)
	}
}

func TestExponentialAtTheBounds(t *testing.T) {
	s := stream("bounds")
	if got := Exponential(s, 1, 0); got != 0 {
		t.Errorf("mean 0: %d, want 0", got)
	}
	want := -math.Log((float64(s.Uint64(1)) + 1) / (1 << 64))
	if got := float64(Exponential(s, 1, longestMean)) / float64(longestMean); math.Abs(got-want) > 1e-12 {
		t.Errorf("longest mean: %v means, want %v", got, want)
	}
	for _, mean := range []clock.Duration{-1, longestMean + 1} {
		panics(t, fmt.Sprintf("Exponential with mean %d", mean), func() { Exponential(s, 1, mean) })
	}
}

// TestGolden fixes draws, which runs and their hashes depend on.
func TestGolden(t *testing.T) {
	s := stream("golden")
	a := NewArrivals(s, Rate{PerHour: 60, Profile: Profile{{0, 200}, {720, 1000}}}, 0)
	var got []int64
	for k := range uint64(3) {
		got = append(got, int64(preparation.Draw(s, k)), int64(Exponential(s, k, clock.Hour)),
			int64(Weighted(s, k, []int64{5, 3, 2})), int64(a.Next(clock.Time(k)*1000)))
	}
	want := []int64{
		463657, 928025, 1, 1100918,
		317299, 2293503, 1, 819885,
		230581, 5605422, 0, 353060,
	}
	if !slices.Equal(got, want) {
		t.Errorf("draws %d, want %d", got, want)
	}
}

func TestWeightedSample(t *testing.T) {
	weights := []int64{0, 5, 0, 3, 2, 0}
	counts := make([]int, len(weights))
	s := stream("weighted")
	for k := range uint64(draws) {
		counts[Weighted(s, k, weights)]++
	}
	for i, w := range weights {
		if got, want := float64(counts[i])/draws, float64(w)/10; math.Abs(got-want) > 0.005 || w == 0 && counts[i] > 0 {
			t.Errorf("index %d drawn with %.4f, want %.4f", i, got, want)
		}
	}
}

func TestWeightedRefusesNonsense(t *testing.T) {
	for _, weights := range [][]int64{nil, {0, 0}, {3, -1}, {math.MaxInt64, 1}, {-5, 9}} {
		panics(t, fmt.Sprintf("Weighted(%d)", weights), func() { Weighted(stream("none"), 0, weights) })
	}
}

func panics(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: want a panic", what)
		}
	}()
	f()
}

func BenchmarkExponential(b *testing.B) {
	s, k := stream("benchmark"), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		k++
		Exponential(s, k, clock.Minute)
	}
}

func BenchmarkQuantiles(b *testing.B) {
	s, k := stream("benchmark"), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		k++
		preparation.Draw(s, k)
	}
}
