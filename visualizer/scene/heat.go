package scene

import (
	"image/color"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/visualizer/play"
)

const (
	heatStep   = 12                // points between the corners of the grid
	heatReach  = 5                 // corners that a spot warms on each side
	heatMemory = 45 * clock.Minute // a spot cools down within
	heatLeast  = 1.5               // spots on top of each other that are as warm as it gets, where fewer are seen
)

// heat is a grid of how much there is of something around each of its corners.
type heat struct {
	wide, high int
	value      []float32
	hottest    float32
}

// begin makes the grid cover a frame, all cold.
func (h *heat) begin(width, height, step float32) {
	h.wide, h.high, h.hottest = int(width/step)+2, int(height/step)+2, heatLeast
	n := h.wide * h.high
	if cap(h.value) < n {
		h.value = make([]float32, n)
	}
	h.value = h.value[:n]
	clear(h.value)
}

// add warms what is around (x, y), in steps, by a quartic kernel.
func (h *heat) add(x, y, weight float32) {
	fromX, toX := max(0, int(x)-heatReach+1), min(h.wide-1, int(x)+heatReach)
	fromY, toY := max(0, int(y)-heatReach+1), min(h.high-1, int(y)+heatReach)
	for j := fromY; j <= toY; j++ {
		for i := fromX; i <= toX; i++ {
			dx, dy := (float32(i)-x)/heatReach, (float32(j)-y)/heatReach
			if k := 1 - dx*dx - dy*dy; k > 0 {
				v := &h.value[j*h.wide+i]
				*v += weight * k * k
				h.hottest = max(h.hottest, *v)
			}
		}
	}
}

// drawHeat draws the heat layers that are on.
func (s *Scene) drawHeat() {
	if s.shows(HeatIdle) {
		s.warm(s.palette.Heat[0], func(add func(maps.Position, float32)) {
			for i := range s.in.State.Robots {
				if r := &s.in.State.Robots[i]; r.Known && r.Activity == kpi.Idle {
					add(r.Pos, 1)
				}
			}
		})
	}
	for _, l := range [...]struct {
		layer Layers
		kind  play.SpotKind
	}{{HeatDemand, play.SpotDemand}, {HeatLate, play.SpotLate}, {HeatStuck, play.SpotStuck}} {
		if s.shows(l.layer) && s.in.Story != nil {
			s.warm(s.palette.Heat[1+l.kind], func(add func(maps.Position, float32)) { s.spots(l.kind, add) })
		}
	}
}

// spots adds what happened lately, the older the less.
func (s *Scene) spots(kind play.SpotKind, add func(maps.Position, float32)) {
	t, all := s.in.State.T, s.in.Story.Spots()
	for i := len(all) - 1; i >= 0; i-- {
		age := t.Sub(all[i].T)
		if age > 2*heatMemory {
			return // they are in order, but for a few that are told late
		}
		if all[i].Kind == kind && age >= 0 && age < heatMemory {
			add(all[i].At, 1-float32(age)/float32(heatMemory))
		}
	}
}

// warm fills the grid and paints it in one colour.
func (s *Scene) warm(c color.RGBA, fill func(add func(maps.Position, float32))) {
	step := heatStep * s.px
	h := &s.heat
	h.begin(s.frame.Width, s.frame.Height, step)
	fill(func(p maps.Position, weight float32) {
		x, y, _, _ := s.ground.at(p)
		x, y = s.transform.Apply(x, y)
		h.add(x/step, y/step, weight)
	})
	p := s.pen(layerHeat)
	for j := range h.high - 1 {
		for i := range h.wide - 1 {
			at := j*h.wide + i
			a, b, d, e := h.value[at], h.value[at+1], h.value[at+h.wide], h.value[at+h.wide+1]
			if a+b+d+e == 0 {
				continue
			}
			x, y := float32(i)*step, float32(j)*step
			n := p.vertex(x, y, s.warmth(c, a))
			p.vertex(x+step, y, s.warmth(c, b))
			p.vertex(x+step, y+step, s.warmth(c, e))
			p.vertex(x, y+step, s.warmth(c, d))
			p.triangle(n, n+1, n+2)
			p.triangle(n, n+2, n+3)
		}
	}
}

func (s *Scene) warmth(c color.RGBA, v float32) color.RGBA { return Fade(c, 0.62*v/s.heat.hottest) }
