package window

import (
	"image"
	"slices"

	"github.com/hajimehoshi/ebiten/v2"

	"footway/visualizer/paint"
	"footway/visualizer/scene"
)

// atlasSide is the side of the image that glyphs are kept in.
const atlasSide = 2048

// atlas keeps glyphs, and a white corner for triangles, in one image, so that all of
// a picture is one draw. The glyphs are white; vertices give them colour.
type atlas struct {
	image  *ebiten.Image
	glyphs paint.Glyphs
	spots  map[glyphKey]spot
	x, y   int // where the next glyph goes
	high   int // of the row
	pixels []byte
	full   func() // draws what was gathered with glyphs that are about to be forgotten
}

type glyphKey struct {
	r    rune
	size uint16 // in quarters of a pixel
	bold bool
	halo bool
}

// spot is where a glyph is in the atlas, and from where it is drawn.
type spot struct {
	x, y, w, h float32
	left, top  float32
	advance    float32
}

// white is a place in the atlas that is white all around.
const white = 2

// begin prepares for a picture; full draws what was gathered so far.
func (a *atlas) begin(full func()) {
	if a.full = full; a.image == nil {
		a.image = ebiten.NewImage(atlasSide, atlasSide)
		a.clear()
	}
}

// clear forgets all glyphs: there is no more room.
func (a *atlas) clear() {
	a.spots = make(map[glyphKey]spot)
	a.image.Clear()
	const side = 2 * white
	corner := make([]byte, side*side*4)
	for i := range corner {
		corner[i] = 255
	}
	a.write(0, 0, side, side, corner)
	a.x, a.y, a.high = side+1, 0, side+1
}

func (a *atlas) write(x, y, w, h int, pixels []byte) {
	part, ok := a.image.SubImage(image.Rect(x, y, x+w, y+h)).(*ebiten.Image)
	if ok {
		part.WritePixels(pixels)
	}
}

// spot returns where a glyph is, which is made if it is not there.
func (a *atlas) spot(k glyphKey) spot {
	if s, ok := a.spots[k]; ok {
		return s
	}
	size := float32(k.size) / 4
	halo := float32(0)
	if k.halo {
		halo = size / 8
	}
	s := spot{advance: a.glyphs.Advance(k.r, k.bold) * size}
	if mask, left, top := a.glyphs.Mask(k.r, k.bold, size, halo); mask != nil {
		w, h := mask.Rect.Dx(), mask.Rect.Dy()
		x, y := a.place(w, h)
		a.pixels = a.pixels[:0]
		for _, v := range mask.Pix {
			a.pixels = append(a.pixels, v, v, v, v)
		}
		a.write(x, y, w, h, a.pixels)
		s.x, s.y, s.w, s.h, s.left, s.top = float32(x), float32(y), float32(w), float32(h), float32(left), float32(top)
	}
	a.spots[k] = s
	return s
}

// place finds room, with a gap so that neighbours do not shine through.
func (a *atlas) place(w, h int) (x, y int) {
	const gap = 2
	if a.x+w+gap > atlasSide {
		a.x, a.y, a.high = 0, a.y+a.high, 0
	}
	if a.y+h+gap > atlasSide {
		a.full()
		a.clear()
	}
	x, y = a.x, a.y
	a.x, a.high = a.x+w+gap, max(a.high, h+gap)
	return x, y
}

// batch is triangles for one draw, in pixels of what is drawn on.
type batch struct {
	vertices []ebiten.Vertex
	indices  []uint32
}

func (b *batch) reset() { b.vertices, b.indices = b.vertices[:0], b.indices[:0] }

// share has the bytes of colours as parts of one.
var share = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// triangles adds a layer's, k times as large, moved to the right by dx.
func (b *batch) triangles(l *scene.Layer, k, dx float32) {
	first, n := len(b.vertices), len(l.Vertices)
	b.vertices = slices.Grow(b.vertices, n)[:first+n]
	for i := range l.Vertices {
		v, to := &l.Vertices[i], &b.vertices[first+i]
		to.DstX, to.DstY, to.SrcX, to.SrcY = v.X*k+dx, v.Y*k, white, white
		to.ColorR, to.ColorG, to.ColorB, to.ColorA = share[v.C.R], share[v.C.G], share[v.C.B], share[v.C.A]
	}
	from, m := len(b.indices), len(l.Indices)
	b.indices = slices.Grow(b.indices, m)[:from+m]
	for i, x := range l.Indices {
		b.indices[from+i] = uint32(first) + x
	}
}
