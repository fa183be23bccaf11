package mapdraw

import (
	"image/color"

	"gonum.org/v1/plot/vg"

	"footway/core/maps"
)

// painter draws one picture, from the ground up.
type painter struct {
	vg.Canvas
	view
	net     *maps.Network
	options Options
	text    *lettering
	scale   float64 // metres a pixel
}

func newPainter(c vg.Canvas, v view, n *maps.Network, o Options) *painter {
	return &painter{Canvas: c, view: v, net: n, options: o, text: newLettering(c, v), scale: v.mmPerPixel / 1000}
}

// paint draws everything. What comes later lies on top; what is written first
// keeps its place against later words.
func (p *painter) paint() {
	p.rectangle(0, 0, p.width, p.height, landColor)
	p.areas(maps.BackdropPark, parkColor)
	p.areas(maps.BackdropWater, waterColor)
	p.rivers()
	p.buildings()
	p.rails()
	p.streets()
	p.edges()
	p.route()
	p.furnitureSpace()
	p.merchants()
	p.streetNames()
	p.furniture()
}

// batch strokes many lines as few paths: one line at a time is slow in a
// picture and large in a file.
type batch struct {
	*painter
	path  vg.Path
	lines int
}

const batchLines = 200

func (p *painter) batch(c color.Color, width vg.Length, dashes ...vg.Length) *batch {
	p.SetColor(c)
	p.SetLineWidth(width)
	p.SetLineDash(dashes, 0)
	return &batch{painter: p}
}

func (b *batch) line(points []maps.Point) {
	for i, q := range points {
		if at := b.at(q); i == 0 {
			b.path.Move(at)
		} else {
			b.path.Line(at)
		}
	}
	if b.lines++; b.lines >= batchLines {
		b.flush()
	}
}

func (b *batch) flush() {
	if b.lines > 0 {
		b.Stroke(b.path)
	}
	b.path, b.lines = nil, 0
}

// rectangle fills a rectangle given by its lower left corner and size.
func (p *painter) rectangle(x, y, w, h float64, c color.Color) {
	p.SetColor(c)
	p.Fill(vg.Rectangle{
		Min: vg.Point{X: vg.Length(x), Y: vg.Length(y)},
		Max: vg.Point{X: vg.Length(x + w), Y: vg.Length(y + h)},
	}.Path())
}

// disc fills a circle.
func (p *painter) disc(at vg.Point, radius vg.Length, c color.Color) {
	var path vg.Path
	path.Move(vg.Point{X: at.X + radius, Y: at.Y})
	path.Arc(at, radius, 0, 2*3.141592653589793)
	path.Close()
	p.SetColor(c)
	p.Fill(path)
}

// outline returns a ring as a path.
func (p *painter) outline(points []maps.Point) vg.Path {
	var path vg.Path
	for i, q := range points {
		if i == 0 {
			path.Move(p.at(q))
		} else {
			path.Line(p.at(q))
		}
	}
	path.Close()
	return path
}

// each calls f with the shapes of one kind that can be seen.
func (p *painter) each(kind maps.BackdropKind, f func(s *maps.Backdrop)) {
	for i := range p.net.Backdrop {
		if s := &p.net.Backdrop[i]; s.Kind == kind && p.sees(s.Points) {
			f(s)
		}
	}
}

func (p *painter) areas(kind maps.BackdropKind, c color.Color) {
	p.SetColor(c)
	p.each(kind, func(s *maps.Backdrop) {
		if s.Closed {
			p.Fill(p.outline(s.Points))
		}
	})
}

func (p *painter) rivers() {
	b := p.batch(waterColor, p.metres(5, 0.6, 12))
	p.each(maps.BackdropWater, func(s *maps.Backdrop) {
		if !s.Closed {
			b.line(s.Points)
		}
	})
	b.flush()
}

func (p *painter) buildings() {
	if p.scale > houseDetail {
		return
	}
	p.SetLineWidth(0.5)
	p.SetLineDash(nil, 0)
	p.each(maps.BackdropBuilding, func(s *maps.Backdrop) {
		path := p.outline(s.Points)
		p.SetColor(buildingColor)
		p.Fill(path)
		if p.scale < houseDetail/3 {
			p.SetColor(buildingEdge)
			p.Stroke(path)
		}
	})
}

func (p *painter) rails() {
	b := p.batch(railColor, p.metres(1.5, 0.6, 3))
	p.each(maps.BackdropRail, func(s *maps.Backdrop) { b.line(s.Points) })
	b.flush()
	if p.scale > 4 {
		return
	}
	b = p.batch(landColor, p.metres(0.8, 0.3, 1.6), p.metres(4, 2, 8), p.metres(4, 2, 8))
	p.each(maps.BackdropRail, func(s *maps.Backdrop) { b.line(s.Points) })
	b.flush()
}

// streets draws the edges of all streets before the first one's surface, so
// that they join at junctions.
func (p *painter) streets() {
	for _, casing := range [...]bool{true, false} {
		for _, st := range streetStyles {
			if p.scale > st.coarsest {
				continue
			}
			width, c := p.metres(st.metres, st.low, st.high), st.fill
			if casing {
				width, c = width+max(1, width/8), st.casing
			}
			b := p.batch(c, width)
			p.each(maps.BackdropRoad, func(s *maps.Backdrop) {
				if s.Rank == st.rank {
					b.line(s.Points)
				}
			})
			b.flush()
		}
	}
}

// edges draws what robots move on, each stretch once.
func (p *painter) edges() {
	lines := make([][][]maps.Point, len(edgeStyles))
	for i := range p.net.Edges {
		e := &p.net.Edges[i]
		if e.Reverse != maps.NoEdge && e.Reverse < maps.EdgeID(i) {
			continue
		}
		points := p.net.Line(nil, maps.EdgeID(i))
		if !p.sees(points) {
			continue
		}
		for k := range edgeStyles {
			if edgeStyles[k].has(e) {
				lines[k] = append(lines[k], points)
				break
			}
		}
	}
	for k, st := range edgeStyles {
		low := st.low
		if p.scale > overview {
			low /= 2
		}
		width := p.metres(st.metres, low, st.high)
		var dashes []vg.Length
		if st.dashed && p.scale < dashDetail {
			dashes = []vg.Length{2.5 * width, 2 * width}
		}
		b := p.batch(st.color, width, dashes...)
		for _, points := range lines[k] {
			b.line(points)
		}
		b.flush()
	}
}

// route draws the route with its two ends.
func (p *painter) route() {
	points := p.options.Route
	if len(points) < 2 {
		return
	}
	width := p.metres(5, 4, 9)
	for _, layer := range []struct {
		c     color.Color
		width vg.Length
	}{{routeCasing, width + 4}, {routeColor, width}} {
		b := p.batch(layer.c, layer.width)
		b.line(points)
		b.flush()
	}
	for _, end := range []struct {
		point maps.Point
		c     color.Color
	}{{points[0], startColor}, {points[len(points)-1], routeColor}} {
		at := p.at(end.point)
		p.disc(at, width*1.7, routeCasing)
		p.disc(at, width*1.35, end.c)
		p.disc(at, width*0.5, routeCasing)
	}
}

// merchants draws a dot for each merchant, and its name where there is room.
func (p *painter) merchants() {
	if p.scale > merchantDetail {
		return
	}
	radius := p.metres(4, 1.6, 5)
	for i := range p.net.Merchants {
		m := &p.net.Merchants[i]
		if !p.box.Has(m.Point) {
			continue
		}
		at := p.at(m.Point)
		p.disc(at, radius+1, routeCasing)
		p.disc(at, radius, merchantColor)
		p.text.block(at, radius+1)
	}
	if p.scale > merchantNames {
		return
	}
	for i := range p.net.Merchants {
		if m := &p.net.Merchants[i]; p.box.Has(m.Point) {
			p.text.beside(p.at(m.Point), radius+3, m.Name, merchantColor)
		}
	}
}
