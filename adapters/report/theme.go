package report

import (
	"fmt"
	"html/template"
	"image/color"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// ink is a colour of the page's style sheet. Plots are drawn with a stand-in
// that no theme uses, which is then replaced by the style sheet's variable: so one
// picture reads well in the light and in the dark.
type ink string

// The inks that are not activities or phases.
const (
	inkText  ink = "text-soft"
	inkGrid  ink = "grid"
	inkGood  ink = "good"
	inkBad   ink = "bad"
	inkMain  ink = "main"
	inkAlt   ink = "alt"
	inkBand  ink = "band"
	inkQuiet ink = "quiet"
)

// inks numbers the stand-ins.
var inks = []ink{
	inkText, inkGrid, inkGood, inkBad, inkMain, inkAlt, inkBand, inkQuiet,
	"a0", "a1", "a2", "a3", "a4", "a5", "a6",
}

// color returns the stand-in of an ink.
func (i ink) color() color.Color {
	for n, other := range inks {
		if other == i {
			return color.NRGBA{R: 0x01, G: 0xfe, B: uint8(n + 1), A: 0xff}
		}
	}
	panic("report: no ink " + string(i))
}

// size is a shape in which a plot is drawn: one for screens, one for phones,
// since text that shrinks with its picture cannot be read.
type size struct {
	class string
	w, h  vg.Length
}

var sizes = []size{{"wide", 560, 235}, {"narrow", 340, 215}}

const fontSize = 11.5

// newPlot returns an empty plot in the page's style.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.Transparent
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Width = 0
		axis.Padding = 5
		axis.Tick.LineStyle.Width = 0
		axis.Tick.Length = 2
		axis.Tick.Label.Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: fontSize}
		axis.Tick.Label.Color = inkText.color()
		axis.Label.TextStyle.Font = axis.Tick.Label.Font
		axis.Label.TextStyle.Color = inkText.color()
		axis.Label.Padding = 4
	}
	return p
}

var (
	standIn = regexp.MustCompile(`#01FE([0-9A-F]{2})`)
	prolog  = regexp.MustCompile(`(?s)^.*?<svg[^>]*>`)
	fonts   = regexp.MustCompile(`font-family:[^;"]*;font-variant:[^;"]*;font-weight:[^;"]*;font-style:[^;"]*;`)
	spaces  = regexp.MustCompile(`\n\s*`)
)

// render draws a plot in one size.
func render(p *plot.Plot, s size, label string) template.HTML {
	c := vgsvg.New(s.w, s.h)
	p.Draw(draw.New(c))
	var b strings.Builder
	if _, err := c.WriteTo(&b); err != nil {
		panic("report: a strings.Builder refused to be written to: " + err.Error())
	}
	svg := prolog.ReplaceAllString(b.String(), fmt.Sprintf(`<svg class=%q viewBox="0 0 %g %g" role="img" aria-label="%s">`, //nolint:gocritic // HTML escapes, Go does not
		s.class, float64(s.w), float64(s.h), template.HTMLEscapeString(label)))
	svg = standIn.ReplaceAllStringFunc(svg, func(hex string) string {
		var n int
		if _, err := fmt.Sscanf(hex, "#01FE%02X", &n); err != nil || n < 1 || n > len(inks) {
			return hex
		}
		return "var(--" + string(inks[n-1]) + ")"
	})
	return template.HTML(spaces.ReplaceAllString(fonts.ReplaceAllString(svg, ""), " ")) // drawn here; texts are escaped by vgsvg
}
