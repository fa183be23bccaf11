package mapdraw

import (
	"math"

	"gonum.org/v1/plot/vg"

	"footway/core/maps"
)

// frame is the share of the picture left free around a whole network.
const frame = 0.04

// view places the map on the picture.
type view struct {
	plane         maps.Projection
	width, height float64 // pixels
	mmPerPixel    float64
	box           maps.Box // what can be seen
}

// newView fits the box of o, or all of n, into the picture.
func newView(n *maps.Network, o Options) (view, error) {
	box, margin := o.Box, 0.0
	if box == (maps.Box{}) {
		box, margin = n.Bounds(), frame
	}
	if box.Empty() || box.Min.Lon == box.Max.Lon || box.Min.Lat == box.Max.Lat {
		return view{}, invalid("the part to draw is empty: want west < east and south < north")
	}
	v := view{plane: maps.NewProjection(box.Center())}
	low, high := v.plane.XY(box.Min), v.plane.XY(box.Max)
	w, h := float64(high.X-low.X), float64(high.Y-low.Y)
	v.width, v.height = float64(o.Width), float64(o.Height)
	switch {
	case v.width == 0 && v.height == 0:
		v.width = 1600
		v.height = math.Round(min(max(v.width*h/w, 700), 2200))
	case v.width == 0:
		v.width = math.Round(min(max(v.height*w/h, MinSize), MaxSize))
	case v.height == 0:
		v.height = math.Round(min(max(v.width*h/w, MinSize), MaxSize))
	}
	if min(v.width, v.height) < MinSize || max(v.width, v.height) > MaxSize {
		return view{}, invalid("a picture of %.0fx%.0f pixels: want %d to %d each way", v.width, v.height, MinSize, MaxSize)
	}
	v.mmPerPixel = max(w/v.width, h/v.height) / (1 - 2*margin)
	halfW, halfH := int64(v.mmPerPixel*v.width/2), int64(v.mmPerPixel*v.height/2)
	v.box = maps.Box{
		Min: v.plane.Point(maps.XY{X: -halfW, Y: -halfH}),
		Max: v.plane.Point(maps.XY{X: halfW, Y: halfH}),
	}
	return v, nil
}

// at returns where p is on the picture; y grows upwards.
func (v *view) at(p maps.Point) vg.Point {
	xy := v.plane.XY(p)
	return vg.Point{
		X: vg.Length(float64(xy.X)/v.mmPerPixel + v.width/2),
		Y: vg.Length(float64(xy.Y)/v.mmPerPixel + v.height/2),
	}
}

// metres returns how many pixels m metres are, but at least low and at most high.
func (v *view) metres(m, low, high float64) vg.Length {
	return vg.Length(min(max(m*1000/v.mmPerPixel, low), high))
}

// sees reports whether a shape may show on the picture.
func (v *view) sees(points []maps.Point) bool {
	box := maps.EmptyBox()
	for _, p := range points {
		box = box.With(p)
	}
	return !box.Empty() && box.Overlaps(v.box)
}
