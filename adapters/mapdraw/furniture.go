package mapdraw

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"

	"footway/core/maps"
)

const (
	edgeGap    = 20.0 // between panels and the picture's border
	panelInner = 14.0 // between a panel's border and what is in it
	rowHeight  = 20.0
	titleSize  = 19
	bodySize   = 11
)

// panel is a light box on the map, given by its lower left corner and size.
type panel struct{ x, y, w, h float64 }

// legendRows returns the edge styles that the picture shows.
func (p *painter) legendRows() []edgeStyle {
	seen := make([]bool, len(edgeStyles))
	for i := range p.net.Edges {
		e := &p.net.Edges[i]
		for k := range edgeStyles {
			if edgeStyles[k].has(e) {
				seen[k] = true
				break
			}
		}
	}
	var rows []edgeStyle
	for k := len(edgeStyles) - 1; k >= 0; k-- {
		if seen[k] {
			rows = append(rows, edgeStyles[k])
		}
	}
	return rows
}

// titlePanel, with title and numbers, stands in the upper left corner.
func (p *painter) titlePanel() (panel, string) {
	numbers := fmt.Sprintf("%s km of ways  ·  %s  ·  %s", grouped(p.wayKM()),
		counted(len(p.net.Addresses), "address", "addresses"), counted(len(p.net.Merchants), "merchant", "merchants"))
	w := max(p.text.width(p.text.bold, titleSize, p.options.Title), p.text.width(p.text.regular, bodySize, numbers))
	const h = 2*panelInner + titleSize + 6 + bodySize
	return panel{edgeGap, p.height - edgeGap - h, float64(w) + 2*panelInner, h}, numbers
}

// legendPanel stands in the lower left corner.
func (p *painter) legendPanel(rows int) panel {
	return panel{edgeGap, edgeGap, 178, float64(rows)*rowHeight + 2*panelInner - 6}
}

// wayKM is the length of all stretches, each once, in kilometres.
func (p *painter) wayKM() int {
	mm := int64(0)
	for i := range p.net.Edges {
		e := &p.net.Edges[i]
		if e.Reverse == maps.NoEdge || e.Reverse > maps.EdgeID(i) {
			mm += int64(e.LengthMM)
		}
	}
	return int((mm + 500_000) / 1_000_000)
}

// counted writes n of something.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// grouped writes n with thousands apart.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// furnitureSpace keeps words off the places of title, legend and scale bar.
func (p *painter) furnitureSpace() {
	title, _ := p.titlePanel()
	for _, b := range []panel{title, p.legendPanel(len(p.legendRows()) + 1), p.scalePanel()} {
		p.text.cells(vg.Point{X: vg.Length(b.x + b.w/2), Y: vg.Length(b.y + b.h/2)}, vg.Length(b.w), vg.Length(b.h), 0,
			func(cell int) bool { p.text.taken[cell] = true; return true })
	}
}

// furniture draws title, legend, scale bar and attribution.
func (p *painter) furniture() {
	title, numbers := p.titlePanel()
	p.board(title)
	p.words(true, titleSize, title.x+panelInner, title.y+panelInner+bodySize+8, inkColor, p.options.Title)
	p.words(false, bodySize, title.x+panelInner, title.y+panelInner, softInkColor, numbers)
	p.legend()
	p.scaleBar()
}

// board draws a panel with round corners and a fine edge.
func (p *painter) board(b panel) {
	const r = 7
	path := rounded(b.x, b.y, b.w, b.h, r)
	p.SetColor(panelColor)
	p.Fill(path)
	p.SetColor(panelEdge)
	p.SetLineWidth(1)
	p.SetLineDash(nil, 0)
	p.Stroke(path)
}

// rounded returns a rectangle with round corners.
func rounded(x, y, w, h, r float64) vg.Path {
	at := func(x, y float64) vg.Point { return vg.Point{X: vg.Length(x), Y: vg.Length(y)} }
	var path vg.Path
	path.Move(at(x+r, y))
	path.Line(at(x+w-r, y))
	path.Arc(at(x+w-r, y+r), vg.Length(r), -math.Pi/2, math.Pi/2)
	path.Line(at(x+w, y+h-r))
	path.Arc(at(x+w-r, y+h-r), vg.Length(r), 0, math.Pi/2)
	path.Line(at(x+r, y+h))
	path.Arc(at(x+r, y+h-r), vg.Length(r), math.Pi/2, math.Pi/2)
	path.Line(at(x, y+r))
	path.Arc(at(x+r, y+r), vg.Length(r), math.Pi, math.Pi/2)
	path.Close()
	return path
}

func (p *painter) words(bold bool, size vg.Length, x, y float64, c color.Color, s string) {
	f := p.text.regular
	if bold {
		f = p.text.bold
	}
	p.text.write(f, size, vg.Point{X: vg.Length(x), Y: vg.Length(y)}, c, s)
}

// legend explains the colours, from the top down.
func (p *painter) legend() {
	rows := p.legendRows()
	b := p.legendPanel(len(rows) + 1)
	p.board(b)
	y := b.y + b.h - panelInner - 8
	for _, st := range rows {
		p.SetColor(st.color)
		p.SetLineWidth(3.5)
		p.SetLineDash(nil, 0)
		if st.dashed {
			p.SetLineDash([]vg.Length{7, 6}, 0)
		}
		var path vg.Path
		path.Move(vg.Point{X: vg.Length(b.x + panelInner), Y: vg.Length(y + 4)})
		path.Line(vg.Point{X: vg.Length(b.x + panelInner + 24), Y: vg.Length(y + 4)})
		p.Stroke(path)
		p.words(false, bodySize, b.x+panelInner+36, y, inkColor, st.label)
		y -= rowHeight
	}
	p.disc(vg.Point{X: vg.Length(b.x + panelInner + 12), Y: vg.Length(y + 4)}, 4.5, merchantColor)
	p.words(false, bodySize, b.x+panelInner+36, y, inkColor, "Merchant")
}

// barMetres returns the roundest length that takes 90 to 220 pixels.
func (p *painter) barMetres() float64 {
	for ten := 1.0; ; ten *= 10 {
		for _, k := range [...]float64{1, 2, 5} {
			if k*ten/p.scale >= 90 {
				return k * ten
			}
		}
	}
}

// scalePanel stands in the lower right corner.
func (p *painter) scalePanel() panel {
	bar := p.barMetres() / p.scale
	w := max(bar, float64(p.text.width(p.text.regular, 10, p.net.Attribution))) + 2*panelInner
	return panel{p.width - edgeGap - w, edgeGap, w, 2*panelInner + 34}
}

// scaleBar draws the scale, and below it who made the data.
func (p *painter) scaleBar() {
	b := p.scalePanel()
	p.board(b)
	metres := p.barMetres()
	bar := metres / p.scale
	label := fmt.Sprintf("%.0f m", metres)
	if metres >= 1000 {
		label = fmt.Sprintf("%.0f km", metres/1000)
	}
	x, y := b.x+b.w-panelInner-bar, b.y+panelInner+22
	p.SetColor(inkColor)
	p.SetLineWidth(2)
	p.SetLineDash(nil, 0)
	var path vg.Path
	path.Move(vg.Point{X: vg.Length(x), Y: vg.Length(y + 5)})
	path.Line(vg.Point{X: vg.Length(x), Y: vg.Length(y)})
	path.Line(vg.Point{X: vg.Length(x + bar), Y: vg.Length(y)})
	path.Line(vg.Point{X: vg.Length(x + bar), Y: vg.Length(y + 5)})
	p.Stroke(path)
	w := float64(p.text.width(p.text.regular, bodySize, label))
	p.words(false, bodySize, x+bar/2-w/2, y+6, inkColor, label)
	w = float64(p.text.width(p.text.regular, 10, p.net.Attribution))
	p.words(false, 10, b.x+b.w-panelInner-w, b.y+panelInner, softInkColor, p.net.Attribution)
}
