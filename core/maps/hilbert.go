package maps

import (
	"cmp"
	"slices"
)

// hilbertOrder returns the indexes of the points in keep along a Hilbert curve
// over their bounding square; equal places by index.
func hilbertOrder(points []Point, keep []bool) []int32 {
	type ranked struct {
		key   uint64
		index int32
	}
	box := EmptyBox()
	for i, p := range points {
		if keep[i] {
			box = box.With(p)
		}
	}
	side := max(int64(box.Max.Lon)-int64(box.Min.Lon), int64(box.Max.Lat)-int64(box.Min.Lat), 1)
	var order []ranked
	for i, p := range points {
		if keep[i] {
			x := (int64(p.Lon) - int64(box.Min.Lon)) * hilbertMax / side
			y := (int64(p.Lat) - int64(box.Min.Lat)) * hilbertMax / side
			order = append(order, ranked{hilbert(uint32(x), uint32(y)), int32(i)})
		}
	}
	slices.SortFunc(order, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.index, b.index))
	})
	out := make([]int32, len(order))
	for i, r := range order {
		out[i] = r.index
	}
	return out
}

// hilbertMax is the largest coordinate of the curve.
const hilbertMax = 1<<16 - 1

// hilbert returns how far along the Hilbert curve of order 16 the cell (x, y) lies:
// from the largest quadrant to the smallest, turning into each one's frame.
func hilbert(x, y uint32) uint64 {
	var d uint64
	for s := uint32(1 << 15); s > 0; s >>= 1 {
		rx, ry := (x&s)/s, (y&s)/s
		d = d<<2 | uint64((3*rx)^ry)
		x, y = x&(s-1), y&(s-1)
		if ry == 0 {
			if rx == 1 {
				x, y = s-1-x, s-1-y
			}
			x, y = y, x
		}
	}
	return d
}
