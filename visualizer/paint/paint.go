// Package paint paints frames of package scene without a display: for pictures
// in files, and for tests.
package paint

import (
	"image"
	"image/color"

	"footway/visualizer/scene"
)

// Painter paints frames. It keeps memory and glyphs between them. Not for several goroutines.
type Painter struct {
	many   int         // samples to the pixel in each direction
	whole  *image.RGBA // of samples, premultiplied
	canvas *image.RGBA // the part of it that is painted on
	write  typesetter
}

// New returns a painter that takes many×many samples of each pixel; 0 is 3×3.
func New(many int) *Painter {
	if many <= 0 {
		many = 3
	}
	return &Painter{many: many}
}

// Pane is a frame beside others.
type Pane struct {
	X     int // of its left edge, in pixels
	Frame *scene.Frame
}

// Frame returns a picture of f. It is the caller's.
func (p *Painter) Frame(f *scene.Frame) *image.RGBA {
	return p.Picture(int(f.Width), int(f.Height), []Pane{{0, f}}, nil)
}

// Picture returns a picture of panes beside each other, and of a layer over
// them, if it is not nil. It is the caller's.
func (p *Painter) Picture(w, h int, panes []Pane, over *scene.Layer) *image.RGBA {
	n := p.many
	size := image.Rect(0, 0, w*n, h*n)
	if p.whole == nil || p.whole.Rect != size {
		p.whole = image.NewRGBA(size)
	}
	k := float32(n)
	for _, pane := range panes {
		f := pane.Frame
		part := p.whole.SubImage(image.Rect(pane.X*n, 0, (pane.X+int(f.Width))*n, int(f.Height)*n))
		sub, ok := part.(*image.RGBA)
		if !ok || sub.Rect.Empty() {
			continue
		}
		p.canvas = &image.RGBA{Pix: sub.Pix, Stride: sub.Stride, Rect: image.Rect(0, 0, sub.Rect.Dx(), sub.Rect.Dy())}
		p.clear(f.Background)
		for i := range f.Layers {
			l := &f.Layers[i]
			for _, m := range l.Meshes {
				t := f.Transform
				p.triangles(m.Vertices, m.Indices, scene.Transform{Zoom: t.Zoom * k, DX: t.DX * k, DY: t.DY * k}, true)
			}
			p.layer(l, k)
		}
	}
	p.canvas = p.whole
	if over != nil {
		p.layer(over, k)
	}
	return p.shrink(w, h)
}

func (p *Painter) layer(l *scene.Layer, k float32) {
	p.triangles(l.Vertices, l.Indices, scene.Transform{Zoom: k}, false)
	for j := range l.Texts {
		p.write.text(p.canvas, &l.Texts[j], k)
	}
}

func (p *Painter) clear(c color.RGBA) {
	row := p.canvas.Pix[:p.canvas.Rect.Dx()*4]
	for i := 0; i < len(row); i += 4 {
		row[i], row[i+1], row[i+2], row[i+3] = c.R, c.G, c.B, 255
	}
	for y := 1; y < p.canvas.Rect.Dy(); y++ {
		copy(p.canvas.Pix[y*p.canvas.Stride:], row)
	}
}

// triangles fills triangles, placed by t; those of meshes have their y upwards.
func (p *Painter) triangles(v []scene.Vertex, indices []uint32, t scene.Transform, up bool) {
	var c [3]corner
	for i := 0; i+2 < len(indices); i += 3 {
		for k := range c {
			q := &v[indices[i+k]]
			c[k] = corner{x: q.X*t.Zoom + t.DX, y: q.Y*t.Zoom + t.DY, c: q.C}
			if up {
				c[k].y = t.DY - q.Y*t.Zoom
			}
		}
		p.triangle(&c)
	}
}

type corner struct {
	x, y float32
	c    color.RGBA
}

// shrink returns the mean of each pixel's samples.
func (p *Painter) shrink(w, h int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	n := p.many
	many, half := uint32(n*n), uint32(n*n/2)
	for y := range h {
		to := out.Pix[y*out.Stride:]
		for x := range w {
			var r, g, b uint32
			for j := range n {
				from := p.canvas.Pix[(y*n+j)*p.canvas.Stride+x*n*4:]
				for i := range n {
					r, g, b = r+uint32(from[i*4]), g+uint32(from[i*4+1]), b+uint32(from[i*4+2])
				}
			}
			to[x*4], to[x*4+1], to[x*4+2], to[x*4+3] = uint8((r+half)/many), uint8((g+half)/many), uint8((b+half)/many), 255
		}
	}
	return out
}
