package paint

import (
	"image"
	"math"
)

// Glyphs rasterises single characters of the Go fonts, for painters that keep
// them. Not for several goroutines.
type Glyphs struct{ write typesetter }

// Advance returns how far the next character is, in sizes of the font.
func (g *Glyphs) Advance(r rune, bold bool) float32 { return g.write.glyph(r, bold).advance }

// Mask returns the coverage of a character of a size in pixels, grown by halo pixels, and where the mask's
// upper left corner is from the left end of the baseline. It is the caller's; nil if there is nothing to see.
func (g *Glyphs) Mask(r rune, bold bool, size, halo float32) (mask *image.Alpha, left, top int) {
	x := g.write.glyph(r, bold)
	if len(x.segments) == 0 {
		return nil, 0, 0
	}
	box := x.segments.Bounds()
	scale := size / unit / 64
	room := int(halo+0.5) + 1
	left, top = int(math.Floor(float64(float32(box.Min.X)*scale)))-room, int(math.Floor(float64(float32(box.Min.Y)*scale)))-room
	w := int(math.Ceil(float64(float32(box.Max.X)*scale))) + room - left
	h := int(math.Ceil(float64(float32(box.Max.Y)*scale))) + room - top
	g.write.raster.Reset(w, h)
	g.write.outline(x, size, func(gx, gy float32) (float32, float32) { return gx - float32(left), gy - float32(top) })
	mask = image.NewAlpha(image.Rect(0, 0, w, h))
	g.write.raster.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	if halo > 0 {
		grown := image.NewAlpha(mask.Rect)
		widen(grown, mask, halo)
		mask = grown
	}
	return mask, left, top
}

// Capital is half the height of capitals, in sizes of the font: from the middle of a text down to its baseline.
const Capital = capital
