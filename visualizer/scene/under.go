package scene

import (
	"image/color"
	"math"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/play"
)

// drawUnder draws what lies on the streets beneath robots and markers.
func (s *Scene) drawUnder() {
	if s.shows(ShowClosures) {
		for i := range s.in.State.Closures {
			s.closure(&s.in.State.Closures[i])
		}
	}
	if s.shows(ShowTrails) {
		s.trails()
	}
	if s.shows(ShowRoutes) {
		for i := range s.in.State.Deliveries {
			s.assignment(&s.in.State.Deliveries[i])
		}
	}
	s.selectedUnder()
}

// selectedUnder draws the way that the selected robot goes, or the decision on the selected delivery.
func (s *Scene) selectedUnder() {
	robot := ""
	switch sel := s.view.Selection; sel.Kind {
	case Robot:
		robot = sel.ID
	case Delivery:
		if d := s.in.State.Delivery(sel.ID); d != nil {
			robot = d.Robot
		}
		if s.in.Story != nil {
			if x := s.in.Story.Explain(sel.ID); x != nil {
				s.candidates(x)
			}
		}
	}
	if r := s.in.State.Robot(robot); r != nil && r.Leg != nil && s.in.State.T.Sub(r.LegAt) < r.Leg.Duration() {
		s.way(r)
	}
}

func (s *Scene) closure(c *play.Closure) {
	p := s.pen(layerUnder)
	width := max(4*s.px, 3*s.transform.Zoom)
	for _, e := range c.Edges {
		if !s.ground.has(e) {
			continue
		}
		if back := s.net.Edges[e].Reverse; back != maps.NoEdge && back < e && slices.Contains(c.Edges, back) {
			continue // dashes of both ways would fill each other's gaps
		}
		s.line = s.edge(s.line[:0], e, 0, s.ground.ways[e].total)
		s.toPixels()
		if !boxOf(s.line).grown(width).Overlaps(Box{0, 0, s.frame.Width, s.frame.Height}) {
			continue
		}
		p.Ribbon(s.line, width, width, Fade(s.palette.Closed, 0.35), Fade(s.palette.Closed, 0.35))
		for i := 1; i < len(s.line); i++ {
			s.dashed(p, s.line[i-1].X, s.line[i-1].Y, s.line[i].X, s.line[i].Y, 2*s.px, 5*s.px, 4*s.px, s.palette.Closed)
		}
	}
	for i, at := range c.Polygon {
		ax, ay := s.pixel(at)
		bx, by := s.pixel(c.Polygon[(i+1)%len(c.Polygon)])
		s.dashed(p, ax, ay, bx, by, 2*s.px, 7*s.px, 5*s.px, s.palette.Closed)
	}
}

// boxOf returns the box around a line.
func boxOf(line []Place) Box {
	b := emptyBox()
	for _, p := range line {
		b = b.with(p.X, p.Y)
	}
	return b
}

// pixel returns where a point of the earth is on the screen.
func (s *Scene) pixel(at maps.Point) (x, y float32) {
	x, y = s.ground.metres(at)
	return s.transform.Apply(x, y)
}

// at returns where a position of the network is on the screen.
func (s *Scene) at(at maps.Position) (x, y float32) {
	x, y, _, _ = s.ground.at(at)
	return s.transform.Apply(x, y)
}

// edge appends the part of an edge between two lengths along it.
func (s *Scene) edge(line []Place, e maps.EdgeID, from, to float32) []Place {
	for i := s.ground.ways[e].first; i < s.ground.ways[e+1].first; i++ {
		q := &s.ground.piece[i]
		if q.from+q.length < from || q.from > to {
			continue
		}
		a, b := max(from-q.from, 0), min(to-q.from, q.length)
		if len(line) == 0 || a > 0 {
			line = append(line, Place{q.x + q.dx*a, q.y + q.dy*a})
		}
		line = append(line, Place{q.x + q.dx*b, q.y + q.dy*b})
	}
	return line
}

// toPixels places s.line on the screen.
func (s *Scene) toPixels() {
	for i, at := range s.line {
		x, y := s.transform.Apply(at.X, at.Y)
		s.line[i] = Place{x, y}
	}
}

// trails draws where robots that move were just now, in as many points as can be told apart.
func (s *Scene) trails() {
	const apart = 5 // points on the screen
	n := min(int(trailMetres*s.view.Zoom/apart), trailPoints)
	if n < 2 {
		return // robots cover them
	}
	step := trailLasts / clock.Duration(n)
	width := max(1.2, robotSize(s.view.Zoom)*0.42) * s.px
	seen := s.seen.grown(trailMetres)
	p := s.pen(layerUnder)
	for i := range s.in.State.Robots {
		r, at := &s.in.State.Robots[i], &s.placed[i]
		if !r.Known || !r.Moving || r.Leg == nil || !seen.has(at.x, at.y) {
			continue
		}
		s.line = s.line[:0]
		for _, at := range r.Trail(s.trail[:0:n], s.in.State.T, step, s.net) {
			x, y := s.at(at)
			s.line = append(s.line, Place{x, y})
		}
		c := s.palette.Activity[r.Activity]
		p.Ribbon(s.line, width, width*0.3, Fade(c, 0.55), Fade(c, 0))
	}
}

// assignment draws who goes for a delivery, and where it is to go.
func (s *Scene) assignment(d *play.Delivery) {
	ax, ay := s.at(d.Pickup)
	bx, by := s.at(d.Dropoff)
	chosen := s.chosen(d)
	faint, width := 0.30*s.hush(), 1.1*s.px
	if chosen {
		faint, width = 0.9, 1.8*s.px
	}
	p := s.pen(layerUnder)
	c := s.promiseColor(d)
	dashed := s.dashed
	if s.crowded() && !chosen { // dashes of thousands are a grey anyway
		dashed = func(p Pen, ax, ay, bx, by, width, _, _ float32, c color.RGBA) {
			p.Line(ax, ay, bx, by, width, Fade(c, 0.5))
		}
	}
	r := s.in.State.Robot(d.Robot)
	if r == nil || !r.Known {
		if s.seesLine(ax, ay, bx, by) {
			dashed(p, ax, ay, bx, by, width, 2*s.px, 4*s.px, Fade(c, faint))
		}
		return
	}
	x, y, _, _ := s.robotAt(r)
	x, y = s.transform.Apply(x, y)
	switch d.State {
	case delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff:
		if s.seesLine(x, y, bx, by) {
			p.Line(x, y, bx, by, width, Fade(c, faint))
		}
	case delivery.Returning, delivery.AtReturn:
		if s.seesLine(x, y, ax, ay) {
			p.Line(x, y, ax, ay, width, Fade(s.palette.Late, faint))
		}
	default:
		if s.seesLine(x, y, ax, ay) {
			dashed(p, x, y, ax, ay, width, 5*s.px, 4*s.px, Fade(s.palette.Activity[3], faint*1.5))
		}
		if chosen {
			dashed(p, ax, ay, bx, by, width, 2*s.px, 4*s.px, Fade(c, faint))
		}
	}
}

// hush returns how much fainter than alone the lines of assignments are where there are many: else they would hide the city.
func (s *Scene) hush() float32 {
	const few, least = 120, 0.4
	return max(least, float32(math.Sqrt(few/max(few, float64(len(s.in.State.Deliveries))))))
}

// chosen reports whether a delivery or its robot is selected.
func (s *Scene) chosen(d *play.Delivery) bool {
	v := s.view.Selection
	return v.Kind == Delivery && v.ID == d.ID || v.Kind == Robot && d.Robot != "" && v.ID == d.Robot
}

// seesLine reports whether a line may cross the screen.
func (s *Scene) seesLine(ax, ay, bx, by float32) bool {
	return max(ax, bx) >= 0 && max(ay, by) >= 0 && min(ax, bx) <= s.frame.Width && min(ay, by) <= s.frame.Height
}

// way draws the rest of the leg that a robot drives, along the streets.
func (s *Scene) way(r *play.Robot) {
	s.line = s.legLine(s.line[:0], r.Leg, r.Pos)
	s.toPixels()
	p, c := s.pen(layerUnder), s.palette.Accent
	p.Ribbon(s.line, 6*s.px, 6*s.px, Fade(s.palette.Outline, 0.8), Fade(s.palette.Outline, 0.8))
	p.Ribbon(s.line, 3.2*s.px, 3.2*s.px, c, c)
	if n := len(s.line); n > 0 {
		p.Disc(s.line[n-1].X, s.line[n-1].Y, 4*s.px, c)
	}
}

// legLine appends the rest of a leg from where the robot is, in metres.
func (s *Scene) legLine(line []Place, l *runlog.Leg, at maps.Position) []Place {
	n, found := len(l.Route), false
	for i, e := range l.Route {
		if !found && e != at.Edge {
			continue
		}
		from, to := float32(0), s.ground.ways[e].total
		if !found {
			from, found = s.along(at), true
		}
		if i == n-1 {
			to = s.along(maps.Position{Edge: e, OffsetMM: l.EndMM})
		}
		line = s.edge(line, e, from, max(from, to))
	}
	return line
}

// along returns how far along its edge a position is on the plane.
func (s *Scene) along(p maps.Position) float32 {
	return s.ground.ways[p.Edge].scale * float32(p.OffsetMM)
}

// candidates draws which robots could have gone for a delivery, from where they were.
func (s *Scene) candidates(x *play.Explanation) {
	p := s.pen(layerUnder)
	px, py := s.at(x.Pickup)
	for i := range x.Candidates {
		c := &x.Candidates[i]
		cx, cy := s.at(c.At)
		col, width, size := Fade(s.palette.InkSoft, 0.55), 1.2*s.px, 3.5*s.px
		switch {
		case c.Chosen:
			col, width, size = s.palette.Accent, 2.4*s.px, 5*s.px
		case c.Second:
			col, width, size = s.palette.InkSoft, 1.8*s.px, 4.5*s.px
		}
		if c.Chosen {
			p.Line(cx, cy, px, py, width, col)
		} else {
			s.dashed(p, cx, cy, px, py, width, 5*s.px, 4*s.px, col)
		}
		p.Disc(cx, cy, size+1.5*s.px, s.palette.Outline)
		p.Ring(cx, cy, size, 2*s.px, col)
		note := c.Robot + " · " + took(c.Pickup)
		if c.Second {
			note += " · next best"
		}
		s.beside(cx, cy, size+5*s.px, Text{Size: 11 * s.px, S: note, Bold: c.Chosen, Color: s.palette.Ink, Halo: s.palette.NameHalo}, true)
	}
}

// dashed draws what of a dashed line is seen: the dashes stay where they are on the line.
func (s *Scene) dashed(p Pen, ax, ay, bx, by, width, dash, gap float32, c color.RGBA) {
	from, to, ok := inFrame(ax, ay, bx, by, Box{-width, -width, s.frame.Width + width, s.frame.Height + width})
	if !ok {
		return
	}
	dx, dy := bx-ax, by-ay
	skipped := float64(from) * math.Hypot(float64(dx), float64(dy))
	p.Dashed(ax+dx*from, ay+dy*from, ax+dx*to, ay+dy*to, width, dash, gap, float32(math.Mod(skipped, float64(dash+gap))), c)
}

// inFrame returns which part of a line is in a box, as shares of it.
func inFrame(ax, ay, bx, by float32, b Box) (from, to float32, ok bool) {
	from, to = 0, 1
	for _, side := range [...][2]float32{{ax - b.MinX, bx - ax}, {b.MaxX - ax, ax - bx}, {ay - b.MinY, by - ay}, {b.MaxY - ay, ay - by}} {
		room, way := side[0], side[1] // in while room + share·way >= 0
		switch {
		case way > 0:
			from = max(from, -room/way)
		case way < 0:
			to = min(to, -room/way)
		case room < 0:
			return 0, 0, false
		}
	}
	return from, to, from < to
}
