package paint

import (
	"image"
	"image/color"
	"math"
)

// triangle fills a triangle over what is there. A sample belongs to the triangle that its middle is in, and to one of two
// that share an edge, so that there is neither a seam nor an overlap.
func (p *Painter) triangle(c *[3]corner) {
	a, b, d := c[0], c[1], c[2]
	area := (b.x-a.x)*(d.y-a.y) - (b.y-a.y)*(d.x-a.x)
	if area == 0 || a.c.A|b.c.A|d.c.A == 0 {
		return
	}
	if area < 0 {
		b, d, area = d, b, -area
	}
	fromY := max(0, ceil(min(a.y, b.y, d.y)-0.5))
	toY := min(p.canvas.Rect.Dy(), ceil(max(a.y, b.y, d.y)-0.5))
	flat := a.c == b.c && b.c == d.c
	for y := fromY; y < toY; y++ {
		left, right := math.Inf(-1), math.Inf(1)
		mid := float64(y) + 0.5
		for _, e := range [3][2]*corner{{&a, &b}, {&b, &d}, {&d, &a}} {
			left, right = within(left, right, e[0], e[1], mid)
		}
		fromX, toX := max(0, ceil64(left-0.5)), min(p.canvas.Rect.Dx(), ceil64(right-0.5))
		if fromX >= toX {
			continue
		}
		row := p.canvas.Pix[y*p.canvas.Stride+fromX*4 : y*p.canvas.Stride+toX*4]
		if flat {
			fill(row, a.c)
		} else {
			shade(row, &a, &b, &d, area, float32(fromX)+0.5, float32(mid))
		}
	}
}

// within narrows the stretch of a row that is inside of a triangle by its edge from a to b, which runs clockwise on the screen.
func within(left, right float64, a, b *corner, y float64) (l, r float64) {
	ay, by := float64(a.y), float64(b.y)
	switch {
	case ay > y && by <= y: // upwards: the triangle is to its right
		return max(left, crossing(a, b, y)), right
	case ay <= y && by > y:
		return left, min(right, crossing(a, b, y))
	}
	return left, right
}

// crossing returns where an edge crosses a row: to the bit the same for both triangles of an edge.
func crossing(a, b *corner, y float64) float64 {
	if a.y > b.y {
		a, b = b, a
	}
	ax, ay := float64(a.x), float64(a.y)
	return ax + (float64(b.x)-ax)*(y-ay)/(float64(b.y)-ay)
}

func ceil(v float32) int { return int(math.Ceil(float64(v))) }

func ceil64(v float64) int {
	switch {
	case v > 1<<30:
		return 1 << 30
	case v < -1<<30:
		return -1 << 30
	}
	return int(math.Ceil(v))
}

func fill(row []uint8, c color.RGBA) {
	if c.A == 255 {
		for i := 0; i < len(row); i += 4 {
			row[i], row[i+1], row[i+2] = c.R, c.G, c.B
		}
		return
	}
	for i := 0; i < len(row); i += 4 {
		over(row[i:i+4:i+4], c)
	}
}

// over puts a premultiplied colour over a sample.
func over(at []uint8, c color.RGBA) {
	rest := 255 - uint32(c.A)
	at[0] = uint8(uint32(c.R) + (uint32(at[0])*rest+127)/255)
	at[1] = uint8(uint32(c.G) + (uint32(at[1])*rest+127)/255)
	at[2] = uint8(uint32(c.B) + (uint32(at[2])*rest+127)/255)
}

// shade fills a row with what lies between three corners' colours.
func shade(row []uint8, a, b, d *corner, area, x, y float32) {
	// Barycentric weights of the first sample, and what a step to the right adds.
	wb := ((x-a.x)*(d.y-a.y) - (y-a.y)*(d.x-a.x)) / area
	wd := ((b.x-a.x)*(y-a.y) - (b.y-a.y)*(x-a.x)) / area
	sb, sd := (d.y-a.y)/area, -(b.y-a.y)/area
	between := func(p, q, r uint8) uint8 {
		v := float32(p) + wb*(float32(q)-float32(p)) + wd*(float32(r)-float32(p))
		return uint8(min(max(v+0.5, 0), 255))
	}
	for i := 0; i < len(row); i += 4 {
		over(row[i:i+4:i+4], color.RGBA{
			between(a.c.R, b.c.R, d.c.R), between(a.c.G, b.c.G, d.c.G), between(a.c.B, b.c.B, d.c.B), between(a.c.A, b.c.A, d.c.A),
		})
		wb, wd = wb+sb, wd+sd
	}
}

// blend puts a colour over what a mask says, from (x, y) on.
func blend(dst *image.RGBA, mask *image.Alpha, x, y int, c color.RGBA) {
	r := mask.Rect.Add(image.Pt(x, y)).Intersect(dst.Rect)
	for j := r.Min.Y; j < r.Max.Y; j++ {
		from := mask.Pix[(j-y)*mask.Stride:]
		to := dst.Pix[j*dst.Stride:]
		for i := r.Min.X; i < r.Max.X; i++ {
			a := uint32(from[i-x])
			if a == 0 {
				continue
			}
			m := func(v uint8) uint8 { return uint8((uint32(v)*a + 127) / 255) }
			over(to[i*4:i*4+4:i*4+4], color.RGBA{m(c.R), m(c.G), m(c.B), m(c.A)})
		}
	}
}
