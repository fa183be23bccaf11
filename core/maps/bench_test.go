package maps

import (
	"bytes"
	"testing"

	"footway/core/rng"
)

// bigGrid has 12,000 nodes and 47,560 edges, about a city of Baltimore's size.
func bigGrid(b *testing.B) *Network { return grid(b, 120, 100) }

func BenchmarkTree(b *testing.B) {
	n := bigGrid(b)
	r := NewRouter(n, NewMetricSource(NewMetric(n, DefaultProfile(), Live{})), RouterOptions{})
	t := &tree{root: Position{Edge: 12_345, OffsetMM: 1000}, forward: true, labels: make([]label, len(n.Nodes))}
	b.ReportAllocs()
	for b.Loop() {
		r.search.grow(t)
	}
}

// BenchmarkMatrix asks for 200 robots at places of their own and 50 pickups that come again.
func BenchmarkMatrix(b *testing.B) {
	n := bigGrid(b)
	r := NewRouter(n, NewMetricSource(NewMetric(n, DefaultProfile(), Live{})), RouterOptions{})
	robots := randomPositions(n, rng.Seed(1).Stream("robots", "bench"), 200)
	pickups := randomPositions(n, rng.Seed(1).Stream("pickups", "bench"), 50)
	r.Matrix(robots, pickups)
	b.ReportAllocs()
	for b.Loop() {
		r.Matrix(robots, pickups)
	}
}

func BenchmarkRouteCached(b *testing.B) {
	n := bigGrid(b)
	r := NewRouter(n, NewMetricSource(NewMetric(n, DefaultProfile(), Live{})), RouterOptions{})
	ps := randomPositions(n, rng.Seed(2).Stream("places", "bench"), 2)
	for b.Loop() {
		if _, err := r.Route(ps[0], ps[1]); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMetric(b *testing.B) {
	n := bigGrid(b)
	for b.Loop() {
		NewMetric(n, DefaultProfile(), Live{})
	}
}

func BenchmarkNearest(b *testing.B) {
	x := NewIndex(bigGrid(b))
	s := rng.Seed(3).Stream("points", "bench")
	k := uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		k++
		x.Nearest(at(s.N(2*k, 11_900), s.N(2*k+1, 9_900)), SnapLimitMM)
	}
}

func BenchmarkDecode(b *testing.B) {
	data := encoded(b, bigGrid(b))
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Decode(bytes.NewReader(data), deflate{}); err != nil {
			b.Fatal(err)
		}
	}
}
