package maps

import (
	"math"
	"testing"

	"footway/core/rng"
)

// nearestByForce looks at every segment.
func nearestByForce(x *Index, p Point, maxMM int64, stand bool) (Position, int64, bool) {
	at := x.plane.XY(p)
	best := found{dist2: maxMM*maxMM + 1}
	for i := range x.segments {
		s := &x.segments[i]
		if stand && !s.stand {
			continue
		}
		foot := s.foot(at)
		dx, dy := foot.X-at.X, foot.Y-at.Y
		if f := (found{dx*dx + dy*dy, s, foot}); f.before(&best) {
			best = f
		}
	}
	if best.seg == nil {
		return Position{Edge: NoEdge}, 0, false
	}
	return x.position(best), isqrt(best.dist2), true
}

func TestNearestAgainstBruteForce(t *testing.T) {
	hits := 0
	for seed := range uint64(20) {
		n := randomNetwork(t, seed, 40)
		x := NewIndex(n)
		s := rng.Seed(seed).Stream("points", "test")
		for k := range uint64(300) {
			p := Point{Lon: -300_040_000 + int32(s.N(4*k, 140_000)), Lat: 469_960_000 + int32(s.N(4*k+1, 120_000))}
			limit := []int64{1, 5_000, 60_000, 10_000_000}[s.N(4*k+2, 4)]
			stand := s.N(4*k+3, 2) == 0
			got, dist, ok := x.nearest(p, limit, stand)
			want, wantDist, wantOK := nearestByForce(x, p, limit, stand)
			if got != want || dist != wantDist || ok != wantOK {
				t.Fatalf("seed %d: nearest(%v, %d, %v) = %v, %d, %v; want %v, %d, %v", seed, p, limit, stand, got, dist, ok, want, wantDist, wantOK)
			}
			if !ok {
				continue
			}
			hits++
			if d := Distance(p, n.PointAt(got)); d < dist-30 || d > dist+30+dist/1000 {
				t.Fatalf("seed %d: %v is %d mm from %v, the index says %d", seed, got, d, p, dist)
			}
		}
	}
	if hits < 1000 {
		t.Errorf("only %d of the points found something: the test tests little", hits)
	}
}

func TestNearestFarAway(t *testing.T) {
	x := NewIndex(grid(t, 3, 3))
	for _, p := range []Point{{}, {Lon: 1_800_000_000, Lat: -900_000_000}, {Lon: math.MaxInt32, Lat: math.MinInt32}} {
		if at, d, ok := x.Nearest(p, math.MaxInt64); ok {
			t.Errorf("Nearest(%v) = %v at %d mm: want nothing beyond 2^31 mm", p, at, d)
		}
	}
}

func TestStandKeepsOffCrossings(t *testing.T) {
	n, _ := square(t, func(b *Builder, corner [4]NodeID) {
		b.Stretch(Stretch{From: corner[0], To: corner[2], Class: Crossing, Control: ControlSignal})
	})
	x := NewIndex(n)
	any, _, _ := x.Nearest(at(50, 50), 100_000)
	stand, d, ok := x.NearestStand(at(50, 50), 100_000)
	if n.Edges[any.Edge].Class != Crossing || !ok || n.Edges[stand.Edge].Class == Crossing || d < 49_000 {
		t.Errorf("Nearest is on a %v, NearestStand on a %v %d mm away", n.Edges[any.Edge].Class, n.Edges[stand.Edge].Class, d)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b Point
		want int64 // great circle, mm
	}{
		{Point{}, Point{Lat: 10_000_000}, 111_195_080},
		{Point{Lat: 600_000_000}, Point{Lat: 600_000_000, Lon: 100_000}, 555_975},
		{at(0, 0), at(3, 4), 5000},
	} {
		if got := Distance(c.a, c.b); max(got-c.want, c.want-got) > c.want/10_000+10 { // a unit of Point is 11 mm
			t.Errorf("Distance(%v, %v) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
	for lat := int64(-900_000_000); lat <= 900_000_000; lat += 12_345_678 {
		if got, want := cosine(lat), math.Cos(float64(lat)*math.Pi/180/1e7); math.Abs(got-want) > 1e-14 {
			t.Errorf("cosine(%d) = %v, want %v", lat, got, want)
		}
	}
}

func TestBearing(t *testing.T) {
	for deg := range 360 {
		a := float64(deg) * math.Pi / 180
		to := XY{int64(math.Round(1e7 * math.Sin(a))), int64(math.Round(1e7 * math.Cos(a)))}
		if got := angleOf(to.X, to.Y); got != deg {
			t.Errorf("angleOf(%v) = %d, want %d", to, got, deg)
		}
	}
}

func TestPolygon(t *testing.T) {
	ring := []Point{{0, 0}, {10, 0}, {10, 10}, {5, 3}, {0, 10}} // an M lying on its back
	for _, c := range []struct {
		p    Point
		want bool
	}{
		{Point{1, 1}, true}, {Point{5, 2}, true}, {Point{5, 5}, false}, {Point{5, 3}, true}, {Point{0, 5}, true},
		{Point{11, 1}, false}, {Point{-1, 0}, false}, {Point{10, 10}, true}, {Point{8, 7}, true}, {Point{7, 7}, false},
	} {
		if got := inPolygon(ring, c.p); got != c.want {
			t.Errorf("inPolygon(%v) = %v, want %v", c.p, got, c.want)
		}
	}
	for _, c := range []struct {
		line []Point
		want bool
	}{
		{[]Point{{-5, 5}, {15, 5}}, true}, {[]Point{{4, 9}, {6, 9}}, false}, {[]Point{{5, 9}, {5, 3}}, true},
		{[]Point{{2, 1}, {3, 1}}, true}, {[]Point{{-1, -1}, {11, -1}}, false}, {[]Point{{-1, -1}, {0, 0}}, true},
	} {
		if got := touchesPolygon(ring, c.line); got != c.want {
			t.Errorf("touchesPolygon(%v) = %v, want %v", c.line, got, c.want)
		}
	}
	far := []Point{{-1_800_000_000, -900_000_000}, {1_800_000_000, -900_000_000}, {1_800_000_000, 900_000_000}, {-1_800_000_000, 900_000_000}}
	if !inPolygon(far, Point{}) || inPolygon(far[:3], Point{-1_799_999_999, 899_999_999}) {
		t.Error("a polygon around the Earth overflows")
	}
}
