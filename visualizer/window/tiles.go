package window

import (
	"slices"

	"github.com/hajimehoshi/ebiten/v2"

	"footway/visualizer/scene"
)

// tiles keeps parts of the map as images.
type tiles struct {
	kept   map[tileKey]*tile
	pixels int // of all of them
	clock  uint64
	batch  batch
}

type tileKey struct {
	id   uint64
	side int // in pixels
}

type tile struct {
	image    *ebiten.Image
	revision uint32
	used     uint64
}

// Bounds of tiles.
const (
	maxPixels  = 72 << 20 // of all that are kept: 288 MB
	sideStep   = 256      // sides are multiples of it, so that a glide of the zoom does not make each anew
	maxSide    = 2048
	madeAtOnce = 3 // tiles made in a frame, beside the first
)

// image returns a mesh as an image for a zoom of so many pixels to the metre; nil if there is none yet
// and so many were made in this frame already.
func (t *tiles) image(m *scene.Mesh, zoom float32, white *ebiten.Image, made *int) *ebiten.Image {
	want := (m.Box.MaxX - m.Box.MinX) * zoom
	side := min(maxSide, (int(want)/sideStep+1)*sideStep)
	key := tileKey{m.ID, side}
	x := t.kept[key]
	if x == nil || x.revision != m.Revision {
		if *made > madeAtOnce {
			return t.other(m.ID)
		}
		*made++
		x = t.make(x, m, side, white)
		t.kept[key] = x
	}
	x.used = t.clock
	return x.image
}

// other returns the mesh in another size, to be shown until the right one is there.
func (t *tiles) other(id uint64) *ebiten.Image {
	for side := maxSide; side > 0; side -= sideStep {
		if x := t.kept[tileKey{id, side}]; x != nil {
			return x.image
		}
	}
	return nil
}

func (t *tiles) make(x *tile, m *scene.Mesh, side int, white *ebiten.Image) *tile {
	if x == nil {
		x = &tile{image: ebiten.NewImageWithOptions(imageRect(side, side), &ebiten.NewImageOptions{Unmanaged: true})}
		t.pixels += side * side
	} else {
		x.image.Clear()
	}
	x.revision = m.Revision
	scale := float32(side) / (m.Box.MaxX - m.Box.MinX)
	t.batch.reset()
	const one = 1.0 / 255
	for i := range m.Vertices {
		v := &m.Vertices[i]
		t.batch.vertices = append(t.batch.vertices, ebiten.Vertex{
			DstX: (v.X - m.Box.MinX) * scale, DstY: (m.Box.MaxY - v.Y) * scale, SrcX: 2, SrcY: 2,
			ColorR: float32(v.C.R) * one, ColorG: float32(v.C.G) * one, ColorB: float32(v.C.B) * one, ColorA: float32(v.C.A) * one,
		})
	}
	x.image.DrawTriangles32(t.batch.vertices, m.Indices, white, &solid)
	return x
}

// solid draws triangles in the colours of their corners.
var solid = ebiten.DrawTrianglesOptions{ColorScaleMode: ebiten.ColorScaleModePremultipliedAlpha}

// forget drops what was not used for long while there is too much.
func (t *tiles) forget() {
	if t.pixels <= maxPixels {
		return
	}
	var old []tileKey
	for key, x := range t.kept {
		if x.used != t.clock {
			old = append(old, key)
		}
	}
	slices.SortFunc(old, func(a, b tileKey) int { return int(int64(t.kept[a].used) - int64(t.kept[b].used)) })
	for _, key := range old {
		if t.pixels <= maxPixels/2 {
			return
		}
		t.pixels -= key.side * key.side
		t.kept[key].image.Deallocate()
		delete(t.kept, key)
	}
}
