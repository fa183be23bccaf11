package desk

import (
	"math"

	"footway/visualizer/scene"
)

// grip is the map being held by a pointer or by two fingers.
type grip struct {
	on    bool
	x, y  float32 // where the pointer was last
	moved float32 // how far it went
	pinch float32 // distance of two fingers; 0: there are not two
	since float64 // seconds since the last click
}

// clickReach is how far a pointer may move, in points, between down and up of a click.
const clickReach = 5

// touch takes what is done to the map.
func (d *Desk) touch(in *Input) {
	g, u := &d.grip, &d.ui
	g.since += in.Elapsed.Seconds()
	_, wide := d.panes(in)
	w := float32(wide)
	x := within(in.X, w)
	fx, fy := float64(x-w/2), float64(in.Y-float32(in.Height)/2)
	if len(in.Touches) == 2 {
		d.pinch(in)
		return
	}
	g.pinch = 0
	d.picture.Pointer = Arrow
	if !u.taken && u.active == "" && !d.help {
		if in.WheelY != 0 {
			d.cam.zoom(math.Pow(1.0018, in.WheelY*60), fx, fy)
		}
		if in.WheelX != 0 {
			d.cam.pan(-in.WheelX*20, 0)
		}
		d.hover(in, x)
	}
	switch {
	case u.down && !u.taken && u.active == "":
		g.on, g.x, g.y, g.moved = true, in.X, in.Y, 0
	case g.on && in.Held:
		dx, dy := in.X-g.x, in.Y-g.y
		g.x, g.y, g.moved = in.X, in.Y, g.moved+absf(dx)+absf(dy)
		if g.moved > clickReach {
			d.follow = false
			d.cam.drag(float64(dx), float64(dy))
			d.picture.Pointer = Grab
		}
	case g.on:
		g.on = false
		if g.moved <= clickReach {
			d.click(in, x, fx, fy)
		}
	}
}

// within returns where x is in its pane, all of which are w wide.
func within(x, w float32) float32 {
	for x >= w && w > 0 {
		x -= w
	}
	return x
}

// pinch zooms and moves by two fingers.
func (d *Desk) pinch(in *Input) {
	g := &d.grip
	a, b := in.Touches[0], in.Touches[1]
	apart := float32(math.Hypot(float64(a.X-b.X), float64(a.Y-b.Y)))
	x, y := (a.X+b.X)/2, (a.Y+b.Y)/2
	if g.pinch > 0 && apart > 0 {
		d.follow = false
		d.cam.drag(float64(x-g.x), float64(y-g.y))
		_, wide := d.panes(in)
		w := float32(wide)
		d.cam.zoom(float64(apart/g.pinch), float64(within(x, w)-w/2), float64(y)-float64(in.Height)/2)
		d.cam.at = d.cam.to
	}
	g.on, g.pinch, g.x, g.y, g.moved = false, apart, x, y, clickReach+1
}

// under returns which side's map the pointer is on.
func (d *Desk) under(in *Input) int {
	if n, w := d.panes(in); n == 2 && in.X >= float32(w) {
		return 1
	}
	return 0
}

// pick returns what of the map is under the pointer; x is in the pane.
func (d *Desk) pick(in *Input, x float32) (scene.Selection, bool) {
	return d.sides[d.under(in)].scene.Pick(x*float32(in.Scale), in.Y*float32(in.Scale))
}

// hover marks what the pointer is on; x is in the pane.
func (d *Desk) hover(in *Input, x float32) {
	what, ok := d.pick(in, x)
	d.view.Hover = scene.Selection{}
	if ok && len(in.Touches) == 0 {
		d.view.Hover = what
		d.picture.Pointer = Hand
	}
}

// click selects what is there; twice on nothing zooms in.
func (d *Desk) click(in *Input, x float32, fx, fy float64) {
	g := &d.grip
	const double = 0.35
	again := g.since < double
	g.since = 0
	what, ok := d.pick(in, x)
	switch {
	case ok && again && d.same(d.under(in), d.view.Selection) == what:
		d.follow = true
	case ok:
		d.choose(d.under(in), what)
		d.follow = false
	case again:
		factor := 2.0
		if in.Shift {
			factor = 0.5
		}
		d.cam.zoom(factor, fx, fy)
	default:
		d.choose(0, scene.Selection{})
		d.follow = false
	}
}

func absf(v float32) float32 { return max(v, -v) }
