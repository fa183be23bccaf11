package osm

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"footway/core/maps"
)

func at(lon, lat int32) maps.Point { return maps.Point{Lon: lon, Lat: lat} }

// square is a ring around a point, with its inside at the left.
func square(lon, lat, half int32) []maps.Point {
	return []maps.Point{at(lon-half, lat-half), at(lon+half, lat-half), at(lon+half, lat+half), at(lon-half, lat+half)}
}

// size returns the area of a ring in units of the map squared, with its sign.
func size(ring []maps.Point) float64 {
	twice := 0.0
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		twice += float64(a.Lon)*float64(b.Lat) - float64(b.Lon)*float64(a.Lat)
	}
	return twice / 2
}

// TestSeaward: the water is right of the coast, whatever edges of the box it goes to.
func TestSeaward(t *testing.T) {
	box := maps.Box{Min: at(0, 0), Max: at(1000, 1000)}
	reversed := func(line []maps.Point) []maps.Point { r := slices.Clone(line); slices.Reverse(r); return r }
	north := []maps.Point{at(300, 0), at(300, 1000)}
	corner := []maps.Point{at(0, 600), at(400, 600), at(400, 1000)} // around the north-west
	for _, tt := range []struct {
		name  string
		lines [][]maps.Point
		want  []float64
	}{
		{"none", nil, nil},
		{"to the north", [][]maps.Point{north}, []float64{700_000}},
		{"to the south", [][]maps.Point{reversed(north)}, []float64{300_000}},
		{"around a corner", [][]maps.Point{corner}, []float64{840_000}},
		{"around it the other way", [][]maps.Point{reversed(corner)}, []float64{160_000}},
		{"a strait", [][]maps.Point{north, {at(700, 1000), at(700, 0)}}, []float64{400_000}},
		{"a spit between two seas", [][]maps.Point{reversed(north), {at(700, 0), at(700, 1000)}}, []float64{300_000, 300_000}},
		{"a bay that begins and ends in the south", [][]maps.Point{{at(400, 0), at(400, 500), at(600, 500), at(600, 0)}}, []float64{100_000}},
		{"a cape from there", [][]maps.Point{{at(600, 0), at(600, 500), at(400, 500), at(400, 0)}}, []float64{900_000}},
	} {
		var got []float64
		for _, ring := range seaward(box, tt.lines) {
			got = append(got, math.Abs(size(ring)))
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: seas of %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestClipTo: lines are cut at the edges, and led to them where they end before.
func TestClipTo(t *testing.T) {
	box := maps.Box{Min: at(0, 0), Max: at(1000, 1000)}
	for _, tt := range []struct {
		name string
		line []maps.Point
		want [][]maps.Point
	}{
		{"beside it", []maps.Point{at(-10, 0), at(-10, 1000)}, nil},
		{"through it, twice", []maps.Point{at(-100, 100), at(1100, 100), at(1100, 200), at(-100, 200)}, [][]maps.Point{{at(0, 100), at(1000, 100)}, {at(1000, 200), at(0, 200)}}},
		{"ends in it", []maps.Point{at(-100, 500), at(300, 500)}, [][]maps.Point{{at(0, 500), at(300, 500), at(0, 500)}}},
		{"begins in it", []maps.Point{at(900, 400), at(500, 400), at(500, 2000)}, [][]maps.Point{{at(1000, 400), at(900, 400), at(500, 400), at(500, 1000)}}},
		{"a ring across its edge", []maps.Point{at(500, 500), at(500, 1500), at(700, 1500), at(700, 500), at(500, 500)}, [][]maps.Point{{at(700, 1000), at(700, 500), at(500, 500), at(500, 1000)}}},
	} {
		if got := clipTo(box, tt.line); !slices.EqualFunc(got, tt.want, slices.Equal[[]maps.Point]) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestKeyhole: an outline with its holes has the area of the one without that of the others.
func TestKeyhole(t *testing.T) {
	g := &graph{plane: maps.NewProjection(at(0, 0))}
	random := rand.New(rand.NewPCG(7, 1))
	for n := range 60 {
		outline := square(0, 0, 100_000)
		if n%2 == 0 {
			slices.Reverse(outline)
		}
		want := 4e10
		var holes [][]maps.Point
		for range random.IntN(40) {
			hole := square(random.Int32N(180_000)-90_000, random.Int32N(180_000)-90_000, 100+random.Int32N(6_000))
			if slices.ContainsFunc(holes, func(h []maps.Point) bool { return boxOf(h).Overlaps(boxOf(hole)) }) {
				continue
			}
			want += -size(hole)
			if random.IntN(2) == 0 {
				slices.Reverse(hole)
			}
			holes = append(holes, hole)
		}
		ring := g.keyhole(outline, holes)
		if got := math.Abs(size(ring)); got != want || len(holes) > 0 && len(ring) != 4+6*len(holes) {
			t.Errorf("%d holes: area %g in %d corners, want %g", len(holes), got, len(ring), want)
		}
		for _, h := range holes {
			if boxOf(h).Has(at(0, 0)) {
				continue
			}
			if middle := boxOf(h).Center(); inRing(ring, middle) {
				t.Errorf("the middle of a hole, %v, is in the outline", middle)
			}
		}
	}
}

// TestCoast imports a town by the sea: with an island before it, with a coastline in two ways, with one that the file lacks a part
// of, and with one the wrong way round, by which the town would lie in the sea.
func TestCoast(t *testing.T) {
	coastline := []string{"natural", "coastline"}
	shore := []testNode{{30, -0.01, 0.003, nil}, {31, -0.002, 0.003, nil}, {32, 0.002, 0.003, nil}, {33, 0.01, 0.003, nil}}
	island := []testNode{{40, 0, 0.004, nil}, {41, 0, 0.0046, nil}, {42, 0.0006, 0.0046, nil}, {43, 0.0006, 0.004, nil}}
	const sea, isle = 25_000 * 100_000, 6_000 * 6_000
	for _, tt := range []struct {
		name   string
		ways   []testWay
		want   []float64
		broken int
	}{
		{"a coast", []testWay{{200, []int64{30, 31, 32, 33}, coastline}}, []float64{sea}, 0},
		{"in two ways", []testWay{{201, []int64{32, 33}, coastline}, {200, []int64{30, 31, 32}, coastline}}, []float64{sea}, 0},
		{"with an island", []testWay{{200, []int64{30, 33}, coastline}, {202, []int64{40, 41, 42, 43, 40}, coastline}}, []float64{sea - isle}, 0},
		{"a lagoon on land, not a sea", []testWay{{202, []int64{40, 43, 42, 41, 40}, coastline}}, []float64{isle}, 0},
		{"an island far from the town alone", []testWay{{202, []int64{40, 41, 42, 43, 40}, coastline}}, nil, 0},
		{"the wrong way round", []testWay{{200, []int64{33, 32, 31, 30}, coastline}}, nil, 1},
		{"without a node", []testWay{{200, []int64{30, 31, 99, 32, 33}, coastline}}, []float64{sea}, 0},
	} {
		x := town()
		x.nodes = append(append(x.nodes, shore...), island...)
		x.ways = append(x.ways, tt.ways...)
		n, report := importTown(t, x)
		var got []float64
		for _, b := range n.Backdrop {
			if b.Kind == maps.BackdropWater && b.Closed {
				got = append(got, math.Abs(size(b.Points)))
			}
		}
		if !slices.Equal(got, tt.want) || report.BrokenOutlines != tt.broken {
			t.Errorf("%s: water of %.0f, %d broken outlines; want %.0f and %d", tt.name, got, report.BrokenOutlines, tt.want, tt.broken)
		}
	}
}
