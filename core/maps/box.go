package maps

import "math"

// Box is an axis-parallel rectangle of points, its edges included.
type Box struct{ Min, Max Point }

// EmptyBox returns the box that holds nothing and grows by With.
func EmptyBox() Box {
	return Box{
		Min: Point{Lon: math.MaxInt32, Lat: math.MaxInt32},
		Max: Point{Lon: math.MinInt32, Lat: math.MinInt32},
	}
}

// With returns the smallest box that holds b and p.
func (b Box) With(p Point) Box {
	return Box{
		Min: Point{Lon: min(b.Min.Lon, p.Lon), Lat: min(b.Min.Lat, p.Lat)},
		Max: Point{Lon: max(b.Max.Lon, p.Lon), Lat: max(b.Max.Lat, p.Lat)},
	}
}

// Has reports whether p lies in b.
func (b Box) Has(p Point) bool {
	return p.Lon >= b.Min.Lon && p.Lon <= b.Max.Lon && p.Lat >= b.Min.Lat && p.Lat <= b.Max.Lat
}

// Overlaps reports whether b and c share a point.
func (b Box) Overlaps(c Box) bool {
	return b.Min.Lon <= c.Max.Lon && c.Min.Lon <= b.Max.Lon && b.Min.Lat <= c.Max.Lat && c.Min.Lat <= b.Max.Lat
}

// Empty reports whether b holds nothing.
func (b Box) Empty() bool { return b.Min.Lon > b.Max.Lon || b.Min.Lat > b.Max.Lat }

// Center returns the middle of b.
func (b Box) Center() Point {
	return Point{
		Lon: int32((int64(b.Min.Lon) + int64(b.Max.Lon)) / 2),
		Lat: int32((int64(b.Min.Lat) + int64(b.Max.Lat)) / 2),
	}
}

// Bounds returns the box around the nodes and shapes of n.
func (n *Network) Bounds() Box {
	b := EmptyBox()
	for _, p := range n.Nodes {
		b = b.With(p)
	}
	for _, p := range n.Shape {
		b = b.With(p)
	}
	return b
}

// Projection returns the projection around the middle of n.
func (n *Network) Projection() Projection { return NewProjection(n.Bounds().Center()) }
