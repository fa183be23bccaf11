package tiles

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/maptile"

	"footway/core/maps"
)

// indexZoom is the zoom whose tiles the features are filed under.
const indexZoom maptile.Zoom = 14

// atlas is a network as features, filed by where they are.
type atlas struct {
	bound       orb.Bound
	attribution string
	features    []feature
	drawer      map[maptile.Tile][]int32 // features that touch a tile of indexZoom, in order
}

// feature is something that a tile shows from a zoom on.
type feature struct {
	layer layer
	from  maptile.Zoom
	shape orb.Geometry // of WGS 84
	bound orb.Bound
	props map[string]any
}

func newAtlas(n *maps.Network) *atlas {
	a := &atlas{attribution: n.Attribution, drawer: map[maptile.Tile][]int32{}, bound: boundOf(n.Bounds())}
	a.backdrop(n)
	a.ways(n)
	a.addresses(n)
	a.merchants(n)
	for i := range a.features {
		f := &a.features[i]
		a.bound = a.bound.Union(f.bound)
		low, high := maptile.At(f.bound.LeftTop(), indexZoom), maptile.At(f.bound.RightBottom(), indexZoom)
		for x := low.X; x <= high.X; x++ {
			for y := low.Y; y <= high.Y; y++ {
				at := maptile.New(x, y, indexZoom)
				a.drawer[at] = append(a.drawer[at], int32(i))
			}
		}
	}
	return a
}

func (a *atlas) add(l layer, from maptile.Zoom, shape orb.Geometry, props map[string]any) {
	a.features = append(a.features, feature{l, from, shape, shape.Bound(), props})
}

// draw puts what lies on a sheet on it.
func (a *atlas) draw(s *sheet) {
	if !a.bound.Intersects(s.bound) {
		return
	}
	for _, i := range a.near(s) {
		if f := &a.features[i]; f.from <= s.at.Z {
			s.put(f.layer, f.shape, f.bound, f.props)
		}
	}
}

// near returns the features that may lie on a sheet, in order.
func (a *atlas) near(s *sheet) []int32 {
	low, high := maptile.At(s.bound.LeftTop(), indexZoom), maptile.At(s.bound.RightBottom(), indexZoom)
	if wide := uint64(high.X-low.X+1) * uint64(high.Y-low.Y+1); wide > 64 {
		all := make([]int32, len(a.features))
		for i := range all {
			all[i] = int32(i)
		}
		return all
	}
	var found []int32
	for x := low.X; x <= high.X; x++ {
		for y := low.Y; y <= high.Y; y++ {
			found = append(found, a.drawer[maptile.New(x, y, indexZoom)]...)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func degrees(p maps.Point) orb.Point {
	return orb.Point{float64(p.Lon) / 1e7, float64(p.Lat) / 1e7}
}

func boundOf(b maps.Box) orb.Bound {
	return orb.Bound{Min: degrees(b.Min), Max: degrees(b.Max)}
}

func lineOf(points []maps.Point) orb.LineString {
	line := make(orb.LineString, len(points))
	for i, p := range points {
		line[i] = degrees(p)
	}
	return line
}

// ringOf closes an outline, and turns it so that it is one from outside (RFC 7946).
func ringOf(points []maps.Point) orb.Polygon {
	ring := orb.Ring(append(lineOf(points), degrees(points[0])))
	if ring.Orientation() == orb.CW {
		ring.Reverse()
	}
	return orb.Polygon{ring}
}

// squareMetres returns about how large an outline is.
func squareMetres(p orb.Polygon) float64 {
	var sum float64
	r := p[0]
	for i := 1; i < len(r); i++ {
		sum += float64(r[i-1][0]*r[i][1]) - float64(r[i][0]*r[i-1][1])
	}
	const perDegree = 111_195
	return math.Abs(sum) / 2 * perDegree * perDegree * math.Cos(r[0][1]*math.Pi/180)
}
