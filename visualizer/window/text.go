package window

import (
	"image/color"
	"math"

	"github.com/hajimehoshi/ebiten/v2"

	"footway/visualizer/paint"
	"footway/visualizer/scene"
)

// texts adds texts to a batch whose pixels are k to one of the texts'. Glyphs are fine times as large
// in the atlas; where that is 1 they lie on whole pixels, unless they are turned.
func (a *atlas) texts(b *batch, list []scene.Text, k, dx, fine float32) {
	for i := range list {
		t := &list[i]
		if t.Halo.A > 0 {
			a.text(b, t, k, dx, fine, true, t.Halo)
		}
		a.text(b, t, k, dx, fine, false, t.Color)
	}
}

func (a *atlas) text(b *batch, t *scene.Text, k, dx, fine float32, halo bool, c color.RGBA) {
	size := uint16(t.Size*k*fine*4 + 0.5)
	if size == 0 {
		return
	}
	key := glyphKey{size: size, bold: t.Bold, halo: halo}
	from := float32(0)
	if t.Align != scene.Left {
		for _, key.r = range t.S {
			from -= a.spot(key).advance
		}
		if t.Align == scene.Centre {
			from /= 2
		}
	}
	p := placed{
		batch: b, x: t.X*k + dx, y: t.Y * k, ux: 1, scale: 1 / fine, whole: fine == 1 && t.Angle == 0,
		down: float32(size) / 4 * paint.Capital,
		r:    float32(c.R) / 255, g: float32(c.G) / 255, b: float32(c.B) / 255, a: float32(c.A) / 255,
	}
	if t.Angle != 0 {
		sin, cos := math.Sincos(float64(t.Angle))
		p.ux, p.uy = float32(cos), float32(sin)
	}
	for _, key.r = range t.S {
		s := a.spot(key)
		if s.w > 0 {
			p.glyph(&s, from)
		}
		from += s.advance
	}
}

// placed is a text being laid into a batch.
type placed struct {
	batch      *batch
	x, y       float32 // of its left end's middle
	ux, uy     float32 // its direction
	scale      float32 // from the atlas to the batch
	down       float32 // from the middle of capitals to the baseline
	whole      bool
	r, g, b, a float32
}

// glyph adds a character that begins at so many pixels of the atlas.
func (p *placed) glyph(s *spot, at float32) {
	x, y := (at+s.left)*p.scale, (p.down+s.top)*p.scale
	w, h := s.w*p.scale, s.h*p.scale
	if p.whole {
		x, y = round(p.x+x)-p.x, round(p.y+y)-p.y
	}
	first := uint32(len(p.batch.vertices))
	for _, c := range [4][2]float32{{0, 0}, {1, 0}, {1, 1}, {0, 1}} {
		gx, gy := x+w*c[0], y+h*c[1]
		p.batch.vertices = append(p.batch.vertices, ebiten.Vertex{
			DstX: p.x + gx*p.ux - gy*p.uy, DstY: p.y + gx*p.uy + gy*p.ux, SrcX: s.x + s.w*c[0], SrcY: s.y + s.h*c[1],
			ColorR: p.r, ColorG: p.g, ColorB: p.b, ColorA: p.a,
		})
	}
	p.batch.indices = append(p.batch.indices, first, first+1, first+2, first, first+2, first+3)
}

func round(v float32) float32 { return float32(math.Floor(float64(v) + 0.5)) }
