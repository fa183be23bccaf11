package maps

import (
	"fmt"
	"testing"

	"footway/core/rng"
)

// randomNetwork returns a small network with everything that makes routing
// hard: ways that go one way only, loops, parallel ways, slopes, all classes.
func randomNetwork(t testing.TB, seed uint64, nodes int) *Network {
	t.Helper()
	s := rng.Seed(seed).Stream("network", "test")
	k := uint64(0)
	draw := func(n int64) int64 { k++; return s.N(k, n) }
	b := NewBuilder(fmt.Sprintf("random-%d", seed), "nobody")
	for range nodes {
		b.Node(Point{Lon: -300_000_000 + int32(draw(60_000)), Lat: 470_000_000 + int32(draw(40_000))})
	}
	for i := range nodes * 2 {
		from, to := NodeID(i%nodes), NodeID(draw(int64(nodes)))
		x := Stretch{
			From: from, To: to, Name: fmt.Sprintf("Way %d", draw(7)), Class: Class(draw(int64(classes))),
			Surface: Surface(draw(int64(SurfaceSoft))), Street: Street(draw(int64(StreetSecondary))),
			KerbTo: Kerb(draw(int64(KerbRolled))), InclinePermille: int16(draw(120) - 60),
			Control: Control(draw(int64(controls))), OneWay: draw(4) == 0,
		}
		for range draw(3) {
			x.Shape = append(x.Shape, Point{Lon: -300_000_000 + int32(draw(60_000)), Lat: 470_000_000 + int32(draw(40_000))})
		}
		b.Stretch(x)
	}
	n, _, err := b.Build(DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// grid returns a network of w by h nodes, 100 m apart, with sidewalks between them.
func grid(t testing.TB, w, h int) *Network {
	t.Helper()
	b := NewBuilder("grid", "nobody")
	pr := NewProjection(Point{Lon: -300_000_000, Lat: 470_000_000})
	for y := range h {
		for x := range w {
			b.Node(pr.Point(XY{int64(x) * 100_000, int64(y) * 100_000}))
		}
	}
	for y := range h {
		for x := range w {
			at := NodeID(y*w + x)
			if x+1 < w {
				b.Stretch(Stretch{From: at, To: at + 1, Name: fmt.Sprintf("%d Street", y), Surface: SurfaceSmooth, LengthMM: 100_000})
			}
			if y+1 < h {
				b.Stretch(Stretch{From: at, To: at + NodeID(w), Name: fmt.Sprintf("%d Avenue", x), Surface: SurfaceSmooth, LengthMM: 100_000})
			}
		}
	}
	n, _, err := b.Build(DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
