package scene

import (
	"image/color"
	"math"
	"slices"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/visualizer/play"
)

// A trail is the last minute of a robot's way.
const (
	trailPoints = 12 // at most
	trailLasts  = clock.Minute
	trailMetres = 90 // that robots go at most
)

// placed is where a robot is and which way it looks, in metres.
type placed struct{ x, y, dx, dy float32 }

// place finds where all robots are.
func (s *Scene) place() {
	s.placed = slices.Grow(s.placed[:0], len(s.in.State.Robots))
	for i := range s.in.State.Robots {
		var at placed
		if r := &s.in.State.Robots[i]; r.Known {
			at.x, at.y, at.dx, at.dy = s.robotAt(r)
		}
		s.placed = append(s.placed, at)
	}
}

// robotAt returns where a robot is and which way it looks, in metres.
func (s *Scene) robotAt(r *play.Robot) (x, y, dx, dy float32) {
	x, y, dx, dy = s.ground.at(r.Pos)
	if r.Blend < 1 {
		fx, fy, _, _ := s.ground.at(r.From)
		if ux, uy := unit(Place{fx, fy}, Place{x, y}); ux != 0 || uy != 0 {
			dx, dy = ux, uy
		}
		x, y = fx+(x-fx)*r.Blend, fy+(y-fy)*r.Blend
	}
	return x, y, dx, dy
}

// robotSize returns half a robot's length in points: more than in nature where that would not be seen.
func robotSize(zoom float64) float32 {
	return float32(min(max(5.2*math.Pow(zoom/0.3, 0.33), 3.4), 13))
}

// spread puts robots that stand at one place beside each other.
type spread struct {
	at    []maps.Position
	count []int32
	round []uint32
	now   uint32
}

// begin forgets all places; n is how many there may be.
func (p *spread) begin(n int) {
	size := 64
	for size < 2*n {
		size *= 2
	}
	if len(p.at) < size {
		p.at, p.count, p.round, p.now = make([]maps.Position, size), make([]int32, size), make([]uint32, size), 0
	}
	p.now++
}

// next returns how many were at a place before.
func (p *spread) next(at maps.Position) int32 {
	mask := uint64(len(p.at) - 1)
	h := (uint64(uint32(at.Edge))<<32 | uint64(uint32(at.OffsetMM))) * 0x9e3779b97f4a7c15 >> 20
	for ; ; h++ {
		i := h & mask
		if p.round[i] != p.now {
			p.round[i], p.at[i], p.count[i] = p.now, at, 0
			return 0
		}
		if p.at[i] == at {
			p.count[i]++
			return p.count[i]
		}
	}
}

// sunflower returns where the n-th of many around a place is, one apart.
func sunflower(n int32) (x, y float32) {
	i := min(int(n), len(seeds)-1)
	return seeds[i][0], seeds[i][1]
}

var seeds = func() (out [128][2]float32) {
	for i := range out {
		r, a := math.Sqrt(float64(i)), float64(i)*2.399963 // the golden angle
		out[i] = [2]float32{float32(r * math.Cos(a)), float32(r * math.Sin(a))}
	}
	return out
}()

// drawRobots puts all robots that are seen into one batch; in a crowd those that do nothing lie beneath the others.
func (s *Scene) drawRobots() {
	if !s.shows(ShowRobots) {
		return
	}
	s.spread.begin(len(s.in.State.Robots))
	all := func(kpi.Activity) bool { return true }
	if !s.crowded() {
		s.robotsThat(all)
		return
	}
	s.robotsThat(func(a kpi.Activity) bool { return a == kpi.Idle })
	s.robotsThat(func(a kpi.Activity) bool { return a != kpi.Idle })
}

// robotsThat draws the robots whose activity passes.
func (s *Scene) robotsThat(passes func(kpi.Activity) bool) {
	size := robotSize(s.view.Zoom) * s.px
	room := 3 * size / s.transform.Zoom
	seen := s.seen.grown(room)
	apart := 1.9 * size
	if s.crowded() {
		apart *= 0.45
	}
	for i := range s.in.State.Robots {
		r := &s.in.State.Robots[i]
		if !r.Known || !passes(r.Activity) {
			continue
		}
		at := &s.placed[i]
		if !seen.has(at.x, at.y) {
			continue
		}
		px, py := s.transform.Apply(at.x, at.y)
		if !r.Moving {
			if n := s.spread.next(r.Pos); n > 0 {
				ox, oy := sunflower(n)
				px, py = px+ox*apart, py+oy*apart
			}
		}
		s.robot(r, px, py, at.dx, -at.dy, size)
		s.targets = append(s.targets, target{px, py, size, Selection{Robot, r.ID}})
	}
}

// robot draws a robot at a pixel, looking in a direction.
func (s *Scene) robot(r *play.Robot, x, y, ux, uy, size float32) {
	p, c := s.pen(layerRobots), s.palette.Activity[r.Activity]
	selected := s.view.Selection.Kind == Robot && s.view.Selection.ID == r.ID
	switch {
	case selected:
		p.Ring(x, y, size*1.75, 2.2*s.px, s.palette.Accent)
		p.Disc(x, y, size*1.6, Fade(s.palette.Accent, 0.18))
	case s.view.Hover.Kind == Robot && s.view.Hover.ID == r.ID:
		p.Ring(x, y, size*1.6, 1.6*s.px, s.palette.InkSoft)
	}
	points := size / s.px
	switch {
	case r.Kind == fleet.KindCourier:
		p.Disc(x, y, size*0.85+1.3*s.px, s.palette.Outline)
		p.Disc(x, y, size*0.85, c)
		p.Disc(x, y, size*0.4, s.palette.Outline)
	case points < 7:
		s.smallRobot(p, r, x, y, ux, uy, size, c)
	default:
		s.largeRobot(p, r, x, y, ux, uy, size, c)
	}
	if selected || points >= 9 && s.shows(ShowLabels) {
		s.label(Text{
			X: x, Y: y - size*1.75 - 7*s.px, Size: 11 * s.px, S: r.ID, Align: Centre, Bold: true, Color: s.palette.Ink, Halo: s.palette.NameHalo,
		}, selected)
	}
}

// crowd is of how many robots on the screen and off it each is drawn as simply as can be.
const crowd = 3000

func (s *Scene) crowded() bool { return len(s.in.State.Robots) > crowd }

// smallRobot is a drop that points where the robot goes; one that stands is a dot.
func (s *Scene) smallRobot(p Pen, r *play.Robot, x, y, ux, uy, size float32, c color.RGBA) {
	edge := 1.1 * s.px
	switch {
	case s.crowded() && r.Activity != kpi.Down: // four corners each: more cost more than all else, and nobody sees them
		k := size + edge/2
		if r.Moving {
			vx, vy := -uy*k*0.8, ux*k*0.8
			bx, by := x-ux*k*0.45, y-uy*k*0.45
			p.Quad(x+ux*k*1.45, y+uy*k*1.45, bx+vx, by+vy, x-ux*k*0.7, y-uy*k*0.7, bx-vx, by-vy, c)
		} else {
			k *= 0.5
			if r.Activity == kpi.Idle {
				k *= 0.6
			}
			p.Quad(x-k, y-k, x+k, y-k, x+k, y+k, x-k, y+k, c)
		}
		return
	case r.Moving:
		p.drop(x, y, ux, uy, size+edge, s.palette.Outline)
		p.drop(x, y, ux, uy, size, c)
	default:
		shape := size * 0.78
		if r.Activity == kpi.Idle {
			shape = size * 0.66
		}
		p.disc8(x, y, shape+edge, s.palette.Outline)
		p.disc8(x, y, shape, c)
	}
	switch {
	case r.Activity == kpi.Down:
		p.Line(x, y-size*0.42, x, y+size*0.1, 1.5*s.px, s.palette.Outline)
		p.Rect(x-0.75*s.px, y+size*0.25, 1.5*s.px, 1.5*s.px, s.palette.Outline)
	case r.Loaded && r.Activity == kpi.Carrying:
		k := size * 0.26
		p.Quad(x-k, y-k, x+k, y-k, x+k, y+k, x-k, y+k, s.palette.Outline)
	}
}

// drop fills a circle with a point in front.
func (p Pen) drop(x, y, ux, uy, size float32, c color.RGBA) {
	shape := dropShape[:]
	if size < 5 { // pixels
		shape = smallDrop[:]
	}
	p.dropOf(shape, x, y, ux, uy, size, c)
}

func (p Pen) dropOf(shape [][2]float32, x, y, ux, uy, size float32, c color.RGBA) {
	ux, uy = ux*size, uy*size
	v := p.fan(len(shape) + 1)
	v[0] = Vertex{x + ux*1.45, y + uy*1.45, c}
	for i, k := range shape {
		v[i+1] = Vertex{x + ux*k[0] - uy*k[1], y + uy*k[0] + ux*k[1], c}
	}
}

// dropShape goes around the back of a drop, from its right shoulder to its left one.
var dropShape = [...][2]float32{{0.45, 0.70}, {0.05, 0.84}, {-0.42, 0.73}, {-0.75, 0.40}, {-0.86, 0}, {-0.75, -0.40}, {-0.42, -0.73}, {0.05, -0.84}, {0.45, -0.70}}

// smallDrop is one of some pixels.
var smallDrop = [...][2]float32{{0.30, 0.78}, {-0.35, 0.78}, {-0.86, 0}, {-0.35, -0.78}, {0.30, -0.78}}

// disc8 fills a small circle, without a vertex in its middle.
func (p Pen) disc8(x, y, r float32, c color.RGBA) {
	shape := circle14[:14]
	if r < 3.5 { // pixels
		shape = circle8[:8]
	}
	p.polygon(shape, x, y, r, c)
}

func (p Pen) polygon(shape [][2]float32, x, y, r float32, c color.RGBA) {
	v := p.fan(len(shape))
	for i, u := range shape {
		v[i] = Vertex{x + u[0]*r, y + u[1]*r, c}
	}
}

// largeRobot shows body, window, load, charge and state.
func (s *Scene) largeRobot(p Pen, r *play.Robot, x, y, ux, uy, size float32, c color.RGBA) {
	pal := s.palette
	edge := 1.4 * s.px
	p.turnedBox(x, y+1.6*s.px, ux, uy, size+edge, size*0.72+edge, size*0.4, pal.Shadow)
	for _, side := range [...]float32{-1, 1} { // wheels
		for _, at := range [...]float32{-0.55, 0, 0.55} {
			wx, wy := x+ux*size*at-uy*size*0.72*side, y+uy*size*at+ux*size*0.72*side
			p.turnedBox(wx, wy, ux, uy, size*0.2, size*0.14, size*0.08, Mix(pal.Ink, pal.Land, 0.25))
		}
	}
	p.turnedBox(x, y, ux, uy, size+edge, size*0.66+edge, size*0.42, pal.Outline)
	p.turnedBox(x, y, ux, uy, size, size*0.66, size*0.4, c)
	p.turnedBox(x+ux*size*0.66, y+uy*size*0.66, ux, uy, size*0.14, size*0.42, size*0.1, Fade(color.RGBA{10, 14, 22, 255}, 0.75)) // eyes in front
	if r.Loaded {
		p.turnedBox(x-ux*size*0.2, y-uy*size*0.2, ux, uy, size*0.42, size*0.38, size*0.1, color.RGBA{255, 255, 255, 255})
		p.Line(x-ux*size*0.2+uy*size*0.38, y-uy*size*0.2-ux*size*0.38, x-ux*size*0.2-uy*size*0.38, y-uy*size*0.2+ux*size*0.38, size*0.12, c)
	}
	if share := r.ChargePermille(); share >= 0 {
		ring := size * 1.45
		charge := pal.Good
		if share < 200 {
			charge = pal.Late
		} else if share < 400 {
			charge = pal.Soon
		}
		p.Ring(x, y, ring, 1.8*s.px, Fade(pal.InkFaint, 0.35))
		p.Arc(x, y, ring, 1.8*s.px, float32(share)/1000, charge)
	}
	if r.Activity == kpi.Down {
		bx, by := x+size*1.1, y-size*1.1
		p.Disc(bx, by, 6.5*s.px, pal.Outline)
		p.Disc(bx, by, 5.3*s.px, pal.Activity[kpi.Down])
		p.Rect(bx-0.8*s.px, by-3.2*s.px, 1.6*s.px, 3.8*s.px, color.RGBA{255, 255, 255, 255})
		p.Rect(bx-0.8*s.px, by+1.6*s.px, 1.6*s.px, 1.6*s.px, color.RGBA{255, 255, 255, 255})
	}
}
