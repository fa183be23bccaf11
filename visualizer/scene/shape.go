package scene

import (
	"image/color"
	"math"
	"slices"
)

// Pen draws into a layer, in pixels.
type Pen struct{ l *Layer }

// vertex adds a vertex and returns its number.
func (p Pen) vertex(x, y float32, c color.RGBA) uint32 {
	p.l.Vertices = append(p.l.Vertices, Vertex{x, y, c})
	return uint32(len(p.l.Vertices) - 1)
}

func (p Pen) triangle(a, b, c uint32) { p.l.Indices = append(p.l.Indices, a, b, c) }

// Quad fills a convex polygon of four corners.
func (p Pen) Quad(ax, ay, bx, by, cx, cy, dx, dy float32, c color.RGBA) {
	i := uint32(len(p.l.Vertices))
	p.l.Vertices = append(p.l.Vertices, Vertex{ax, ay, c}, Vertex{bx, by, c}, Vertex{cx, cy, c}, Vertex{dx, dy, c})
	p.l.Indices = append(p.l.Indices, i, i+1, i+2, i, i+2, i+3)
}

func (p Pen) Rect(x, y, w, h float32, c color.RGBA) { p.Quad(x, y, x+w, y, x+w, y+h, x, y+h, c) }

// Line draws a straight line with square ends.
func (p Pen) Line(ax, ay, bx, by, width float32, c color.RGBA) {
	dx, dy := bx-ax, by-ay
	length := float32(math.Sqrt(float64(dx*dx + dy*dy)))
	if length == 0 {
		return
	}
	nx, ny := -dy/length*width/2, dx/length*width/2
	p.Quad(ax+nx, ay+ny, bx+nx, by+ny, bx-nx, by-ny, ax-nx, ay-ny, c)
}

// Dashed draws a line of dashes that begins at phase.
func (p Pen) Dashed(ax, ay, bx, by, width, dash, gap, phase float32, c color.RGBA) {
	dx, dy := bx-ax, by-ay
	length := float32(math.Sqrt(float64(dx*dx + dy*dy)))
	if length == 0 {
		return
	}
	const most = 400 // of dashes: more are a grey line anyway
	step := max(dash+gap, length/most)
	dash = step * dash / (dash + gap)
	for at := -phase; at < length; at += step {
		from, to := max(at, 0), min(at+dash, length)
		if to > from {
			p.Line(ax+dx*from/length, ay+dy*from/length, ax+dx*to/length, ay+dy*to/length, width, c)
		}
	}
}

// circle has the unit vectors of a circle's corners; the last is the first.
type circle [][2]float32

func newCircle(n int) circle {
	c := make(circle, n+1)
	for i := range c {
		a := 2 * math.Pi * float64(i%n) / float64(n)
		c[i] = [2]float32{float32(math.Sin(a)), float32(-math.Cos(a))} // from the top, clockwise
	}
	return c
}

// Circles by how large they are.
var circle8, circle14, circle28, circle64 = newCircle(8), newCircle(14), newCircle(28), newCircle(64)

func circleOf(r float32) circle {
	switch {
	case r < 3:
		return circle8
	case r < 7:
		return circle14
	case r < 16:
		return circle28
	}
	return circle64
}

// Disc fills a circle.
func (p Pen) Disc(x, y, r float32, c color.RGBA) {
	shape := circleOf(r)
	i := p.vertex(x, y, c)
	for k, u := range shape {
		p.vertex(x+u[0]*r, y+u[1]*r, c)
		if k > 0 {
			p.triangle(i, i+uint32(k), i+uint32(k)+1)
		}
	}
}

// Arc draws a part of a ring, from the top clockwise; share is from 0 to 1.
func (p Pen) Arc(x, y, r, width, share float32, c color.RGBA) {
	shape := circleOf(max(r, 8))
	n := len(shape) - 1
	share = min(max(share, 0), 1)
	whole := share * float32(n)
	outer, inner := r+width/2, r-width/2
	last := uint32(0)
	for k := 0; k <= n; k++ {
		u := shape[k]
		if float32(k) > whole {
			if k == 0 || float32(k-1) >= whole {
				break
			}
			f := whole - float32(k-1)
			v := shape[k-1]
			u = [2]float32{v[0] + (u[0]-v[0])*f, v[1] + (u[1]-v[1])*f}
		}
		a := p.vertex(x+u[0]*outer, y+u[1]*outer, c)
		p.vertex(x+u[0]*inner, y+u[1]*inner, c)
		if k > 0 {
			p.l.Indices = append(p.l.Indices, last, a, a+1, last, a+1, last+1)
		}
		last = a
	}
}

func (p Pen) Ring(x, y, r, width float32, c color.RGBA) { p.Arc(x, y, r, width, 1, c) }

// corners has a quarter of a circle.
var corners = [5][2]float32{{0, 1}, {0.383, 0.924}, {0.707, 0.707}, {0.924, 0.383}, {1, 0}}

// Box fills a rectangle with round corners.
func (p Pen) Box(x, y, w, h, r float32, c color.RGBA) {
	p.turnedBox(x+w/2, y+h/2, 1, 0, w/2, h/2, r, c)
}

// turnedBox fills a rectangle with round corners around (x, y), whose long side has the direction (ux, uy).
func (p Pen) turnedBox(x, y, ux, uy, halfLong, halfWide, r float32, c color.RGBA) {
	r = min(r, halfLong, halfWide)
	v := p.fan(4 * len(corners))
	long, wide := halfLong-r, halfWide-r
	for i, k := range corners {
		a, b := long+k[0]*r, wide+k[1]*r
		n := len(corners)
		v[i] = Vertex{x + ux*a + uy*b, y + uy*a - ux*b, c}
		v[2*n-1-i] = Vertex{x + ux*a - uy*b, y + uy*a + ux*b, c}
		v[2*n+i] = Vertex{x - ux*a - uy*b, y - uy*a + ux*b, c}
		v[4*n-1-i] = Vertex{x - ux*a + uy*b, y - uy*a - ux*b, c}
	}
}

// fan adds a convex polygon of n corners, which the caller sets, in order.
func (p Pen) fan(n int) []Vertex {
	l := p.l
	first, at := len(l.Vertices), len(l.Indices)
	l.Vertices = slices.Grow(l.Vertices, n)[:first+n]
	l.Indices = slices.Grow(l.Indices, 3*(n-2))[:at+3*(n-2)]
	out := l.Indices[at:]
	i := uint32(first)
	for k := uint32(1); len(out) >= 3; k++ {
		out[0], out[1], out[2] = i, i+k, i+k+1
		out = out[3:]
	}
	return l.Vertices[first:]
}

// Shadow draws what a box throws on what is behind it, soft at its edges.
func (p Pen) Shadow(x, y, w, h, r, soft float32, c color.RGBA) {
	const rings = 5
	for i := range rings {
		k := soft * float32(i) / rings
		p.Box(x-k, y-k+soft/4, w+2*k, h+2*k, r+k, Fade(c, 1.0/rings))
	}
}

// Ribbon draws a line through points that has no overlaps, so that it may be
// seen through. Its width and colour go from those at the begin to those at the end.
func (p Pen) Ribbon(points []Place, from, to float32, a, b color.RGBA) {
	n := len(points)
	if n < 2 {
		return
	}
	last := uint32(0)
	for i, at := range points {
		var nx, ny float32
		if i > 0 {
			ux, uy := unit(points[i-1], at)
			nx, ny = -uy, ux
		}
		if i < n-1 {
			ux, uy := unit(at, points[i+1])
			nx, ny = nx-uy, ny+ux
		}
		if length := float32(math.Sqrt(float64(nx*nx + ny*ny))); length > 0 {
			nx, ny = nx/length, ny/length
		}
		k := float32(i) / float32(n-1)
		half := (from + (to-from)*k) / 2
		if i > 0 && i < n-1 {
			ux, uy := unit(points[i-1], at)
			if dot := -uy*nx + ux*ny; dot > 0.45 {
				half /= dot // a mitre
			}
		}
		c := Mix(a, b, k)
		v := p.vertex(at.X+nx*half, at.Y+ny*half, c)
		p.vertex(at.X-nx*half, at.Y-ny*half, c)
		if i > 0 {
			p.l.Indices = append(p.l.Indices, last, v, v+1, last, v+1, last+1)
		}
		last = v
	}
}

// unit returns the direction from a to b.
func unit(a, b Place) (x, y float32) {
	x, y = b.X-a.X, b.Y-a.Y
	if length := float32(math.Sqrt(float64(x*x + y*y))); length > 0 {
		return x / length, y / length
	}
	return 0, 0
}

func (p Pen) Text(t Text) {
	if t.S != "" {
		p.l.Texts = append(p.l.Texts, t)
	}
}

// NewPen returns a pen for a layer of one's own, such as panels.
func NewPen(l *Layer) Pen { return Pen{l} }
