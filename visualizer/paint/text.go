package paint

import (
	"image"
	"math"

	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"footway/visualizer/scene"
)

var fonts = [2]*sfnt.Font{must(sfnt.Parse(goregular.TTF)), must(sfnt.Parse(gobold.TTF))}

func must(f *sfnt.Font, err error) *sfnt.Font {
	if err != nil {
		panic(err) // the fonts are part of the program
	}
	return f
}

// unit is the size at which outlines are kept.
const unit = 1000

// glyph is the outline of a character in thousandths of the font's size.
type glyph struct {
	segments sfnt.Segments
	advance  float32
}

type glyphKey struct {
	bold bool
	r    rune
}

// typesetter draws texts by the outlines of the Go fonts.
type typesetter struct {
	glyphs map[glyphKey]glyph
	buffer sfnt.Buffer
	raster vector.Rasterizer
	mask   image.Alpha
	halo   image.Alpha
}

func (t *typesetter) glyph(r rune, bold bool) glyph {
	key := glyphKey{bold, r}
	if g, ok := t.glyphs[key]; ok {
		return g
	}
	f := fonts[0]
	if bold {
		f = fonts[1]
	}
	var g glyph
	if index, err := f.GlyphIndex(&t.buffer, r); err == nil {
		if segments, err := f.LoadGlyph(&t.buffer, index, fixed.I(unit), nil); err == nil {
			g.segments = append(sfnt.Segments(nil), segments...)
		}
		if a, err := f.GlyphAdvance(&t.buffer, index, fixed.I(unit), 0); err == nil {
			g.advance = float32(a) / 64 / unit
		}
	}
	if t.glyphs == nil {
		t.glyphs = make(map[glyphKey]glyph)
	}
	t.glyphs[key] = g
	return g
}

// capital is half the height of capitals, in sizes of the font.
const capital = 0.36

// text draws a text on a canvas that has k samples to the pixel.
func (t *typesetter) text(dst *image.RGBA, x *scene.Text, k float32) {
	size := x.Size * k
	width := float32(0)
	for _, r := range x.S {
		width += t.glyph(r, x.Bold).advance * size
	}
	from := float32(0)
	switch x.Align {
	case scene.Centre:
		from = -width / 2
	case scene.Right:
		from = -width
	}
	sin, cos := math.Sincos(float64(x.Angle))
	ux, uy := float32(cos), float32(sin)
	// The box of the text on the canvas, with room for the halo.
	halo := float32(0)
	if x.Halo.A > 0 {
		halo = size / 8
	}
	room := halo + 2
	box := image.Rectangle{Min: image.Pt(1<<30, 1<<30), Max: image.Pt(-1<<30, -1<<30)}
	for _, c := range [4][2]float32{{from - room, -size - room}, {from + width + room, -size - room}, {from - room, size*0.6 + room}, {from + width + room, size*0.6 + room}} {
		px, py := x.X*k+c[0]*ux-c[1]*uy, x.Y*k+c[0]*uy+c[1]*ux
		box.Min = image.Pt(min(box.Min.X, int(px)-1), min(box.Min.Y, int(py)-1))
		box.Max = image.Pt(max(box.Max.X, int(px)+2), max(box.Max.Y, int(py)+2))
	}
	if !box.Overlaps(dst.Rect) || box.Dx() > 1<<14 || box.Dy() > 1<<14 {
		return
	}
	t.raster.Reset(box.Dx(), box.Dy())
	ox, oy := x.X*k-float32(box.Min.X), x.Y*k-float32(box.Min.Y)
	pen := from
	for _, r := range x.S {
		g := t.glyph(r, x.Bold)
		t.outline(g, size, func(gx, gy float32) (float32, float32) {
			gx, gy = gx+pen, gy+capital*size
			return ox + gx*ux - gy*uy, oy + gx*uy + gy*ux
		})
		pen += g.advance * size
	}
	reuse(&t.mask, box.Dx(), box.Dy())
	t.raster.Draw(&t.mask, t.mask.Rect, image.Opaque, image.Point{})
	if halo > 0 {
		reuse(&t.halo, box.Dx(), box.Dy())
		widen(&t.halo, &t.mask, halo)
		blend(dst, &t.halo, box.Min.X, box.Min.Y, x.Halo)
	}
	blend(dst, &t.mask, box.Min.X, box.Min.Y, x.Color)
}

// outline adds a glyph of a size to the rasterizer, placed by at.
func (t *typesetter) outline(g glyph, size float32, at func(x, y float32) (float32, float32)) {
	scale := size / unit / 64
	to := func(p fixed.Point26_6) (float32, float32) { return at(float32(p.X)*scale, float32(p.Y)*scale) }
	for i, s := range g.segments {
		ax, ay := to(s.Args[0])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				t.raster.ClosePath()
			}
			t.raster.MoveTo(ax, ay)
		case sfnt.SegmentOpLineTo:
			t.raster.LineTo(ax, ay)
		case sfnt.SegmentOpQuadTo:
			bx, by := to(s.Args[1])
			t.raster.QuadTo(ax, ay, bx, by)
		case sfnt.SegmentOpCubeTo:
			bx, by := to(s.Args[1])
			cx, cy := to(s.Args[2])
			t.raster.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	if len(g.segments) > 0 {
		t.raster.ClosePath()
	}
}

// reuse makes a mask of a size that is empty.
func reuse(m *image.Alpha, w, h int) {
	if cap(m.Pix) < w*h {
		m.Pix = make([]uint8, w*h)
	}
	m.Pix, m.Stride, m.Rect = m.Pix[:w*h], w, image.Rect(0, 0, w, h)
	clear(m.Pix)
}

// widen makes out the mask grown by a radius in all directions.
func widen(out, mask *image.Alpha, radius float32) {
	w, h := mask.Rect.Dx(), mask.Rect.Dy()
	r := int(radius + 0.5)
	for dy := -r; dy <= r; dy++ {
		reach := int(math.Sqrt(float64(r*r-dy*dy)) + 0.5)
		for y := max(0, -dy); y < min(h, h-dy); y++ {
			from, to := mask.Pix[y*w:(y+1)*w], out.Pix[(y+dy)*w:(y+dy+1)*w]
			spreadRow(to, from, reach)
		}
	}
}

// spreadRow raises each of to to the most of from within reach of it.
func spreadRow(to, from []uint8, reach int) {
	for x, v := range from {
		if v == 0 {
			continue
		}
		for i := max(0, x-reach); i <= min(len(to)-1, x+reach); i++ {
			to[i] = max(to[i], v)
		}
	}
}
