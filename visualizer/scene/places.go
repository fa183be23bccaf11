package scene

import (
	"image/color"
	"strconv"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/maps"
	"footway/visualizer/play"
)

// merchant returns a merchant by its number in the network's list, or nil.
func (s *Scene) merchant(id string) *maps.Merchant {
	n, err := strconv.Atoi(id)
	if err != nil || n < 0 || n >= len(s.net.Merchants) {
		return nil
	}
	return &s.net.Merchants[n]
}

// drawPlaces draws what stands still: merchants, docks, pickups and drop-offs.
func (s *Scene) drawPlaces() {
	if s.shows(ShowMerchants) && s.view.Zoom > 0.12 {
		s.merchants()
	}
	if s.shows(ShowDocks) {
		for i := range s.in.State.Docks {
			s.dock(i)
		}
	}
	if s.shows(ShowDeliveries) {
		for i := range s.in.State.Deliveries {
			s.delivery(&s.in.State.Deliveries[i])
		}
	}
}

func (s *Scene) merchants() {
	p := s.pen(layerPlaces)
	size := float32(min(max(s.view.Zoom*2.2, 1.5), 4)) * s.px
	for i := range s.net.Merchants {
		x, y := s.ground.metres(s.net.Merchants[i].Point)
		if !s.seen.has(x, y) {
			continue
		}
		px, py := s.transform.Apply(x, y)
		v := s.view.Selection
		if v.Kind == Merchant && s.merchant(v.ID) == &s.net.Merchants[i] {
			p.Ring(px, py, size+5*s.px, 2*s.px, s.palette.Accent)
		}
		p.Disc(px, py, size+s.px, s.palette.Outline)
		p.Disc(px, py, size, s.palette.Merchant)
		if s.view.Zoom > 0.6 {
			s.targets = append(s.targets, target{px, py, size, Selection{Merchant, strconv.Itoa(i)}})
		}
	}
}

// dock draws a charging place, with how many of its slots are taken.
func (s *Scene) dock(i int) {
	d := &s.in.State.Docks[i]
	x, y := s.at(d.Position)
	size := float32(min(max(s.view.Zoom*14, 4.5), 9)) * s.px
	if !s.on(x, y, 4*size) {
		return
	}
	p, c := s.pen(layerPlaces), s.palette.Dock
	if v := s.view.Selection; v.Kind == Dock && v.ID == string(d.ID) {
		p.Ring(x, y, size*2, 2*s.px, s.palette.Accent)
	}
	p.Box(x-size-s.px, y-size-s.px, 2*size+2*s.px, 2*size+2*s.px, size*0.45, s.palette.Outline)
	p.Box(x-size, y-size, 2*size, 2*size, size*0.4, c)
	p.bolt(x, y, size*0.72, s.palette.Outline)
	s.targets = append(s.targets, target{x, y, size, Selection{Dock, string(d.ID)}})
	if s.view.Zoom < 0.5 || !s.shows(ShowLabels) {
		return
	}
	taken := 0
	for k := range s.in.State.Robots {
		if s.in.State.Robots[k].Dock == d.ID {
			taken++
		}
	}
	s.label(Text{
		X: x, Y: y + size + 9*s.px, Size: 10 * s.px, S: strconv.Itoa(taken) + " of " + strconv.Itoa(d.Slots), Align: Centre,
		Color: s.palette.InkSoft, Halo: s.palette.NameHalo,
	}, false)
}

// bolt draws a flash of lightning.
func (p Pen) bolt(x, y, r float32, c color.RGBA) {
	i := p.vertex(x+0.15*r, y-r, c)
	p.vertex(x-0.6*r, y+0.15*r, c)
	p.vertex(x+0.05*r, y+0.15*r, c)
	p.vertex(x-0.15*r, y+r, c)
	p.vertex(x+0.6*r, y-0.15*r, c)
	p.vertex(x-0.05*r, y-0.15*r, c)
	p.triangle(i, i+1, i+2)
	p.triangle(i+3, i+4, i+5)
}

// soon is how little time must be left before a promise counts as in danger.
const soon = 5 * clock.Minute

// promiseColor says how a delivery stands to its promise.
func (s *Scene) promiseColor(d *play.Delivery) color.RGBA {
	switch left := d.Left(s.in.State.T); {
	case left < 0:
		return s.palette.Late
	case left < soon:
		return s.palette.Soon
	}
	return s.palette.Good
}

// delivery draws where a delivery is from, while it is not loaded, and where it goes.
func (s *Scene) delivery(d *play.Delivery) {
	c := s.promiseColor(d)
	size := float32(min(max(s.view.Zoom*9, 3), 6.5)) * s.px
	chosen := s.chosen(d)
	if !d.Loaded() {
		x, y := s.at(d.Pickup)
		if s.on(x, y, 4*size) {
			s.pickup(d, x, y, size, c, chosen)
		}
	}
	x, y := s.at(d.Dropoff)
	if d.State == delivery.Returning || d.State == delivery.AtReturn {
		x, y = s.at(d.Pickup)
	}
	if !s.on(x, y, 6*size) {
		return
	}
	s.dropoff(d, x, y, size, c, chosen)
}

// pickup draws a square on its corner, filled once the goods are ready.
func (s *Scene) pickup(d *play.Delivery, x, y, size float32, c color.RGBA, chosen bool) {
	p := s.pen(layerPlaces)
	k := size * 1.25
	if chosen {
		p.Ring(x, y, size*2.3, 2*s.px, s.palette.Accent)
	}
	edge := 1.3 * s.px
	p.Quad(x, y-k-edge, x+k+edge, y, x, y+k+edge, x-k-edge, y, s.palette.Outline)
	p.Quad(x, y-k, x+k, y, x, y+k, x-k, y, c)
	if d.Ready == 0 {
		k *= 0.5
		p.Quad(x, y-k, x+k, y, x, y+k, x-k, y, s.palette.Outline)
	}
	s.targets = append(s.targets, target{x, y, size, Selection{Delivery, d.ID}})
	if d.State == delivery.Requested && s.view.Zoom > 0.35 && s.shows(ShowLabels) {
		s.beside(x, y, size+6*s.px, Text{
			Size: 10.5 * s.px, S: "waits " + play.Short(s.in.State.T.Sub(d.Since)), Color: s.palette.InkSoft, Halo: s.palette.NameHalo,
		}, chosen)
	}
}

// dropoff draws a pin whose ring empties as the promised time comes near.
func (s *Scene) dropoff(d *play.Delivery, x, y, size float32, c color.RGBA, chosen bool) {
	p := s.pen(layerPlaces)
	left := d.Left(s.in.State.T)
	if size < 4*s.px && !chosen { // far away: a dot
		if r := size * 0.7; s.crowded() {
			p.polygon(circle8[:8], x, y, r, c)
		} else {
			p.disc8(x, y, r+s.px, s.palette.Outline)
			p.disc8(x, y, r, c)
		}
	} else {
		head := size * 1.5
		top := y - head*1.7
		if chosen {
			p.Disc(x, top, head+5*s.px, Fade(s.palette.Accent, 0.3))
		}
		p.pin(x, y, head+1.3*s.px, top, s.palette.Outline)
		p.pin(x, y, head, top, c)
		p.Disc(x, top, head*0.62, s.palette.Outline)
		share := float32(1)
		if whole := d.Promise.DropoffP90.Sub(d.Since); left >= 0 && whole > 0 {
			share = float32(left) / float32(max(whole, 30*clock.Minute))
		}
		p.pie(x, top, head*0.5, share, c)
		y = top
	}
	s.targets = append(s.targets, target{x, y, size, Selection{Delivery, d.ID}})
	if !chosen && (s.view.Zoom < 0.35 || !s.shows(ShowLabels)) {
		return
	}
	note := play.Short(left) + " left"
	if left < 0 {
		note = play.Short(-left) + " late"
	}
	s.beside(x, y, size*1.5+6*s.px, Text{Size: 11 * s.px, S: note, Bold: left < soon, Color: Mix(c, s.palette.Ink, 0.45), Halo: s.palette.NameHalo}, chosen)
}

// pin fills a circle at top with a point at (x, y).
func (p Pen) pin(x, y, r, top float32, c color.RGBA) {
	p.Disc(x, top, r, c)
	i := p.vertex(x-r*0.86, top+r*0.5, c)
	p.vertex(x+r*0.86, top+r*0.5, c)
	p.vertex(x, y+(r-(y-top)/1.7)*1.2, c)
	p.triangle(i, i+1, i+2)
}

// pie fills a part of a circle, from the top clockwise.
func (p Pen) pie(x, y, r, share float32, c color.RGBA) { p.Arc(x, y, r/2, r, share, c) }

// drawDifference shows where another run has come to: its robots, and which deliveries are ahead in it.
func (s *Scene) drawDifference() {
	if !s.shows(ShowDifference) || s.in.Other == nil {
		return
	}
	p := s.pen(layerLabels)
	const near = 8 // metres that do not matter
	for i := range s.in.State.Robots {
		r := &s.in.State.Robots[i]
		o := s.in.Other.Robot(r.ID)
		if o == nil || !o.Known || !r.Known {
			continue
		}
		ax, ay, _, _ := s.robotAt(r)
		bx, by, _, _ := s.robotAt(o)
		if (ax-bx)*(ax-bx)+(ay-by)*(ay-by) < near*near {
			continue
		}
		ax, ay = s.transform.Apply(ax, ay)
		bx, by = s.transform.Apply(bx, by)
		if s.seesLine(ax, ay, bx, by) {
			p.Line(ax, ay, bx, by, s.px, Fade(s.palette.Accent, 0.35))
			p.Ring(bx, by, 3*s.px, 1.4*s.px, Fade(s.palette.Accent, 0.8))
		}
	}
	for i := range s.in.State.Deliveries {
		d := &s.in.State.Deliveries[i]
		c := s.palette.Good // ended there: ahead
		if o := s.in.Other.Same(d); o != nil {
			switch a, b := stage(d.State), stage(o.State); {
			case a == b:
				continue
			case a > b:
				c = s.palette.Late
			}
		}
		x, y := s.at(d.Dropoff)
		if s.on(x, y, 20) {
			p.Ring(x, y, 9*s.px, 2.4*s.px, c)
		}
	}
}

// stage orders the states of open deliveries by how far they have come.
func stage(st delivery.State) int {
	for i, x := range stages {
		if x == st {
			return i
		}
	}
	return -1
}

var stages = [...]delivery.State{
	delivery.Requested, delivery.Assigned, delivery.ToPickup, delivery.AtPickup, delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff,
	delivery.Returning, delivery.AtReturn,
}
