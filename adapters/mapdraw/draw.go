// Package mapdraw draws a network as a picture: streets, parks and water
// behind, what robots move on in front, crossings, merchants, and one route if
// wanted. PNG and SVG come out of the same code. It draws what a network is and
// not what happens on it.
package mapdraw

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"strings"
	"unicode"

	"git.sr.ht/~sbinet/gg"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"footway/core/fault"
	"footway/core/maps"
)

// Format is a kind of picture.
type Format uint8

// The formats.
const (
	PNG Format = iota
	SVG
)

// The sizes that a picture may have, in pixels.
const (
	MinSize = 200
	MaxSize = 8000
)

// Options of a drawing. The zero value draws the whole network 1600 pixels wide.
type Options struct {
	// Width and Height in pixels, MinSize to MaxSize. If one is 0 it follows
	// from the other and the shape of what is drawn.
	Width, Height int
	// Box is the part to draw; the zero value is all of it.
	Box maps.Box
	// Title in the corner; empty is the network's name.
	Title string
	// Route to draw on top, from its first to its last point.
	Route []maps.Point
}

// dotsPerInch makes one vg point one pixel.
const dotsPerInch = 72

// Write draws n to w. It fails with fault.Invalid if the options make no picture.
func Write(w io.Writer, f Format, n *maps.Network, o Options) error {
	v, err := newView(n, o)
	if err != nil {
		return err
	}
	if o.Title == "" {
		o.Title = title(n.Name)
	}
	width, height := vg.Length(v.width), vg.Length(v.height)
	if f == SVG {
		c := vgsvg.New(width, height)
		newPainter(c, v, n, o).paint()
		return writeSVG(w, c, v)
	}
	img := image.NewRGBA(image.Rect(0, 0, int(v.width), int(v.height)))
	pen := gg.NewContextForRGBA(img)
	pen.InvertY() // vg counts upwards
	c := vgimg.NewWith(vgimg.UseDPI(dotsPerInch), vgimg.UseImageWithContext(img, pen))
	pen.SetLineCapRound()
	pen.SetLineJoinRound()
	newPainter(c, v, n, o).paint()
	if _, err := (vgimg.PngCanvas{Canvas: c}).WriteTo(w); err != nil {
		return fmt.Errorf("write PNG: %w", err)
	}
	return nil
}

// title makes a heading of a network's name: "seattle-wedgwood" is Seattle Wedgwood.
func title(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	for i, w := range words {
		r := []rune(w)
		r[0] = unicode.ToUpper(r[0])
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// writeSVG writes c with what vg cannot ask for: round line ends, sizes in
// pixels, and fonts of the same widths where Liberation Sans is not installed.
func writeSVG(w io.Writer, c *vgsvg.Canvas, v view) error {
	var out bytes.Buffer
	if _, err := c.WriteTo(&out); err != nil {
		return fmt.Errorf("draw SVG: %w", err)
	}
	inPoints := fmt.Sprintf(`<svg width="%.0fpt" height="%.0fpt"`, v.width, v.height)
	inPixels := fmt.Sprintf(`<svg stroke-linecap="round" stroke-linejoin="round" width="%.0f" height="%.0f"`, v.width, v.height)
	svg := strings.Replace(out.String(), inPoints, inPixels, 1)
	svg = strings.ReplaceAll(svg, "font-family:Liberation Sans", "font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif")
	if _, err := io.WriteString(w, svg); err != nil {
		return fmt.Errorf("write SVG: %w", err)
	}
	return nil
}

// invalid is the error for options that make no picture.
func invalid(format string, args ...any) error {
	return fault.New("mapdraw.Write", fault.Invalid, "bad_picture", format, args...)
}
