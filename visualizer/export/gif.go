package export

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"io"
	"slices"
)

// Limits of an animation, so that it can be made in memory and shown by whatever opens it.
const (
	MostFrames = 1500
	mostPixels = 4 << 20 // of a picture
	mostWhole  = 1 << 28 // of what changes, over all pictures
)

// GIF is an animation being made from pictures of one size. Of each it keeps what has changed.
type GIF struct {
	delay   int // in hundredths of a second
	colors  color.Palette
	nearest map[color.RGBA]uint8
	film    gif.GIF
	shown   *image.Paletted // as the last picture left it
	kept    int             // pixels
}

// NewGIF begins an animation of so many pictures a second, 1 to 50. Its colours are the most frequent
// ones of samples, which are some of its pictures.
func NewGIF(perSecond int, samples ...*image.RGBA) (*GIF, error) {
	if perSecond < 1 || perSecond > 50 {
		return nil, fmt.Errorf("export: %d pictures a second, want 1 to 50", perSecond)
	}
	return &GIF{delay: 100 / perSecond, colors: palette(samples), nearest: make(map[color.RGBA]uint8)}, nil
}

// Add appends a picture, which may be changed afterwards.
func (g *GIF) Add(picture *image.RGBA) error {
	size := picture.Rect.Size()
	switch {
	case len(g.film.Image) >= MostFrames:
		return fmt.Errorf("export: an animation of more than %d pictures", MostFrames)
	case size.X*size.Y > mostPixels:
		return fmt.Errorf("export: pictures of %d×%d pixels, want at most %d in all", size.X, size.Y, mostPixels)
	case g.shown != nil && g.shown.Rect.Size() != size:
		return fmt.Errorf("export: a picture of %d×%d pixels in an animation of %d×%d", size.X, size.Y, g.shown.Rect.Dx(), g.shown.Rect.Dy())
	}
	next := g.flatten(picture)
	part := next
	if g.shown != nil {
		part = difference(g.shown, next)
	}
	if g.kept += len(part.Pix); g.kept > mostWhole {
		return fmt.Errorf("export: an animation too large to be made in memory after %d pictures: want fewer or smaller ones", len(g.film.Image))
	}
	g.shown = next
	if last := len(g.film.Image) - 1; len(part.Pix) == 0 { // nothing has changed
		g.film.Delay[last] += g.delay
		return nil
	}
	g.film.Image = append(g.film.Image, part)
	g.film.Delay = append(g.film.Delay, g.delay)
	g.film.Disposal = append(g.film.Disposal, gif.DisposalNone)
	return nil
}

// Encode writes the animation, which repeats for ever.
func (g *GIF) Encode(w io.Writer) error {
	if g.shown == nil {
		return fmt.Errorf("export: an animation without pictures")
	}
	g.film.Config = image.Config{ColorModel: g.colors, Width: g.shown.Rect.Dx(), Height: g.shown.Rect.Dy()}
	return gif.EncodeAll(w, &g.film)
}

// flatten returns a picture in the animation's colours.
func (g *GIF) flatten(picture *image.RGBA) *image.Paletted {
	w, h := picture.Rect.Dx(), picture.Rect.Dy()
	flat := image.NewPaletted(image.Rect(0, 0, w, h), g.colors)
	var last color.RGBA
	index := g.index(last)
	for y := range h {
		row := picture.Pix[y*picture.Stride : y*picture.Stride+4*w]
		for x := range w {
			if c := (color.RGBA{row[4*x], row[4*x+1], row[4*x+2], 255}); c != last {
				last, index = c, g.index(c)
			}
			flat.Pix[y*flat.Stride+x] = index
		}
	}
	return flat
}

// index returns the colour of the palette that is nearest to c.
func (g *GIF) index(c color.RGBA) uint8 {
	i, ok := g.nearest[c]
	if !ok {
		best := 1 << 30
		for k, p := range g.colors[1:] {
			q, _ := p.(color.RGBA)
			if d := distance(c, q); d < best {
				best, i = d, uint8(k+1)
			}
		}
		g.nearest[c] = i
	}
	return i
}

// difference returns the smallest part of next that is not as shown, with what is the same in it left out: there
// it has colour 0, through which one sees what is below.
func difference(shown, next *image.Paletted) *image.Paletted {
	box := image.Rectangle{}
	w := next.Rect.Dx()
	for y := range next.Rect.Dy() {
		a, b := shown.Pix[y*w:(y+1)*w], next.Pix[y*w:(y+1)*w]
		first := 0
		for first < w && a[first] == b[first] {
			first++
		}
		if first == w {
			continue
		}
		last := w
		for a[last-1] == b[last-1] {
			last--
		}
		box = box.Union(image.Rect(first, y, last, y+1))
	}
	part := image.NewPaletted(box, next.Palette)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			if i := next.Pix[y*w+x]; i != shown.Pix[y*w+x] {
				part.Pix[part.PixOffset(x, y)] = i
			}
		}
	}
	return part
}

// palette returns the colours of an animation: the most frequent ones of samples, but none that is hardly
// apart from another. The first leaves what is below.
func palette(samples []*image.RGBA) color.Palette {
	const most = 255
	counts := make(map[color.RGBA]int)
	for _, s := range samples {
		for i := 0; i+3 < len(s.Pix); i += 4 {
			counts[color.RGBA{s.Pix[i], s.Pix[i+1], s.Pix[i+2], 255}]++
		}
	}
	type entry struct {
		c color.RGBA
		n int
	}
	all := make([]entry, 0, len(counts))
	for c, n := range counts {
		all = append(all, entry{c, n})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.c.R, b.c.R), cmp.Compare(a.c.G, b.c.G), cmp.Compare(a.c.B, b.c.B))
	})
	chosen := color.Palette{color.RGBA{}}
	for apart := 14 * 14 * 3; apart > 0 && len(chosen) <= most; apart /= 4 {
		for _, e := range all {
			if len(chosen) > most {
				break
			}
			if !slices.ContainsFunc(chosen[1:], func(p color.Color) bool {
				q, _ := p.(color.RGBA)
				return distance(e.c, q) < apart
			}) {
				chosen = append(chosen, e.c)
			}
		}
	}
	return chosen
}

// distance returns how far apart colours are, roughly as people see them.
func distance(a, b color.RGBA) int {
	r, g, u := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return (2*r*r + 4*g*g + 3*u*u) / 3
}
