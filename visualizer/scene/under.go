package scene

import (
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
		if int(e) >= len(s.ground.total) {
			continue
		}
		s.line = s.edge(s.line[:0], e, 0, s.ground.total[e])
		s.toPixels()
		p.Ribbon(s.line, width, width, Fade(s.palette.Closed, 0.35), Fade(s.palette.Closed, 0.35))
		for i := 1; i < len(s.line); i++ {
			p.Dashed(s.line[i-1].X, s.line[i-1].Y, s.line[i].X, s.line[i].Y, 2*s.px, 5*s.px, 4*s.px, 0, s.palette.Closed)
		}
	}
	for i, at := range c.Polygon {
		ax, ay := s.pixel(at)
		bx, by := s.pixel(c.Polygon[(i+1)%len(c.Polygon)])
		p.Dashed(ax, ay, bx, by, 2*s.px, 7*s.px, 5*s.px, 0, s.palette.Closed)
	}
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
	for i := s.ground.first[e]; i < s.ground.first[e+1]; i++ {
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

// trails draws where robots that move were just now.
func (s *Scene) trails() {
	width := max(1.2, robotSize(s.view.Zoom)*0.42) * s.px
	seen := s.seen.grown(60)
	p := s.pen(layerUnder)
	for i := range s.in.State.Robots {
		r := &s.in.State.Robots[i]
		if !r.Known || !r.Moving {
			continue
		}
		x, y, _, _ := s.robotAt(r)
		if !seen.has(x, y) {
			continue
		}
		s.trail = r.Trail(s.trail, s.in.State.T, trailStep, s.net)
		s.line = s.line[:0]
		for _, at := range s.trail {
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
	faint, width := float32(0.30), 1.1*s.px
	if chosen {
		faint, width = 0.9, 1.8*s.px
	}
	p := s.pen(layerUnder)
	c := s.promiseColor(d)
	r := s.in.State.Robot(d.Robot)
	if r == nil || !r.Known {
		if s.seesLine(ax, ay, bx, by) {
			p.Dashed(ax, ay, bx, by, width, 2*s.px, 4*s.px, 0, Fade(c, faint))
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
			p.Dashed(x, y, ax, ay, width, 5*s.px, 4*s.px, 0, Fade(s.palette.Activity[3], faint+0.15))
		}
		if chosen {
			p.Dashed(ax, ay, bx, by, width, 2*s.px, 4*s.px, 0, Fade(c, faint))
		}
	}
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
		from, to := float32(0), s.ground.total[e]
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
	if length := s.net.Edges[p.Edge].LengthMM; length > 0 {
		return s.ground.total[p.Edge] * float32(p.OffsetMM) / float32(length)
	}
	return 0
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
			p.Dashed(cx, cy, px, py, width, 5*s.px, 4*s.px, 0, col)
		}
		p.Disc(cx, cy, size+1.5*s.px, s.palette.Outline)
		p.Ring(cx, cy, size, 2*s.px, col)
		note := c.Robot + " · " + play.Short(c.Pickup)
		if c.Second {
			note += " · next best"
		}
		s.label(Text{X: cx + size + 5*s.px, Y: cy, Size: 11 * s.px, S: note, Bold: c.Chosen, Color: s.palette.Ink, Halo: s.palette.NameHalo}, true)
	}
}
