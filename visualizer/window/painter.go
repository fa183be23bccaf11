package window

import (
	"image"

	"github.com/hajimehoshi/ebiten/v2"

	"footway/visualizer/desk"
	"footway/visualizer/scene"
)

// painter paints a desk's pictures.
type painter struct {
	atlas   atlas
	tiles   tiles
	white   *ebiten.Image
	fine    *ebiten.Image // what moves, larger than the screen where that has few pixels
	grounds []ground
	batch   batch
	on      *ebiten.Image // what is painted on
	draws   int           // of the last picture
	rough   bool          // some tile is not what it should be yet
}

// ground is the map of a pane, painted, as long as nobody moves it.
type ground struct {
	image *ebiten.Image
	key   groundKey
	whole bool // all its tiles were there
}

type groundKey struct {
	w, h      int
	transform scene.Transform
	meshes    uint64 // a hash of what they are
	texts     int
}

func imageRect(w, h int) image.Rectangle { return image.Rect(0, 0, w, h) }

func newPainter() *painter { return &painter{tiles: tiles{kept: make(map[tileKey]*tile)}} }

var smooth = ebiten.DrawTrianglesOptions{
	ColorScaleMode: ebiten.ColorScaleModePremultipliedAlpha, Filter: ebiten.FilterLinear, DisableMipmaps: true,
}

// paint paints a picture on the screen. scale is pixels to the point: where there are
// few, edges are smoothed by painting twice as large, unless it is to be coarse.
func (p *painter) paint(screen *ebiten.Image, pic *desk.Picture, scale float64, coarse bool) {
	p.begin()
	over := 1
	if scale < 1.75 && !coarse {
		over = 2
	}
	size := screen.Bounds().Size()
	on := screen
	if over > 1 {
		if p.fine == nil || p.fine.Bounds().Size() != size.Mul(over) {
			if p.fine != nil {
				p.fine.Deallocate()
			}
			p.fine = ebiten.NewImageWithOptions(imageRect(size.X*over, size.Y*over), &ebiten.NewImageOptions{Unmanaged: true})
		}
		p.fine.Clear()
		on = p.fine
		p.draws++
	}
	for len(p.grounds) < len(pic.Panes) {
		p.grounds = append(p.grounds, ground{})
	}
	p.rough = false
	for i := range pic.Panes {
		p.paintGround(screen, &p.grounds[i], &pic.Panes[i], over)
	}
	p.batch.reset()
	for i := range pic.Panes {
		pane := &pic.Panes[i]
		if p.on = on; len(pic.Panes) > 1 { // one does not reach into the other
			x, w := pane.X*over, int(pane.Frame.Width)*over
			p.on = part(on, image.Rect(x, 0, x+w, size.Y*over))
		}
		for k := 1; k < len(pane.Frame.Layers); k++ {
			p.layer(&pane.Frame.Layers[k], float32(over), float32(pane.X*over))
		}
		if len(pic.Panes) > 1 {
			p.flush()
		}
	}
	p.on = on
	if pic.Over != nil {
		p.layer(pic.Over, float32(over), 0)
	}
	p.flush()
	if over > 1 {
		o := &ebiten.DrawImageOptions{Filter: ebiten.FilterLinear, DisableMipmaps: true}
		o.GeoM.Scale(1/float64(over), 1/float64(over))
		screen.DrawImage(p.fine, o)
		p.draws++
	}
	p.tiles.forget()
}

func (p *painter) begin() {
	p.atlas.begin(p.flush)
	p.tiles.clock++
	p.draws = 0
	if p.white == nil {
		p.white = part(p.atlas.image, image.Rect(0, 0, 2*white, 2*white))
	}
}

func part(of *ebiten.Image, r image.Rectangle) *ebiten.Image {
	x, ok := of.SubImage(r).(*ebiten.Image)
	if !ok {
		panic("window: a part of an image is no image")
	}
	return x
}

func (p *painter) layer(l *scene.Layer, k, dx float32) {
	p.batch.triangles(l, k, dx)
	p.atlas.texts(&p.batch, l.Texts, k, dx, 1)
}

// flush draws what was gathered.
func (p *painter) flush() {
	if len(p.batch.indices) > 0 {
		p.on.DrawTriangles32(p.batch.vertices, p.batch.indices, p.atlas.image, &smooth)
		p.draws++
	}
	p.batch.reset()
}

// paintGround paints a pane's map and the names on it.
func (p *painter) paintGround(screen *ebiten.Image, g *ground, pane *desk.Pane, over int) {
	f := pane.Frame
	l := &f.Layers[0]
	key := groundKey{w: int(f.Width), h: int(f.Height), transform: f.Transform, texts: len(l.Texts)}
	for _, m := range l.Meshes {
		key.meshes = (key.meshes^m.ID^uint64(m.Revision)<<40)*1099511628211 + 1
	}
	if g.image == nil || g.key.w != key.w || g.key.h != key.h {
		if g.image != nil {
			g.image.Deallocate()
		}
		g.image, g.whole = ebiten.NewImageWithOptions(imageRect(key.w, key.h), &ebiten.NewImageOptions{Unmanaged: true}), false
	}
	if g.key != key || !g.whole {
		g.key = key
		g.whole = p.drawGround(g.image, f, over)
		p.rough = p.rough || !g.whole
	}
	o := &ebiten.DrawImageOptions{Blend: ebiten.BlendCopy}
	o.GeoM.Translate(float64(pane.X), 0)
	screen.DrawImage(g.image, o)
	p.draws++
}

func (p *painter) drawGround(on *ebiten.Image, f *scene.Frame, over int) (whole bool) {
	on.Fill(f.Background)
	p.draws++
	l, t := &f.Layers[0], f.Transform
	made := 0
	whole = true
	for _, m := range l.Meshes {
		img := p.tiles.image(m, t.Zoom*float32(over), p.white, &made)
		if made > madeAtOnce {
			whole = false
		}
		if img == nil {
			continue
		}
		x, y := t.Apply(m.Box.MinX, m.Box.MaxY)
		side := (m.Box.MaxX - m.Box.MinX) * t.Zoom
		k := float64(side) / float64(img.Bounds().Dx())
		o := &ebiten.DrawImageOptions{Filter: ebiten.FilterLinear, DisableMipmaps: true}
		o.GeoM.Scale(k, k)
		o.GeoM.Translate(float64(x), float64(y))
		on.DrawImage(img, o)
		p.draws++
	}
	p.on = on
	p.batch.reset()
	p.atlas.texts(&p.batch, l.Texts, 1, 0, 2)
	p.flush()
	return whole
}
