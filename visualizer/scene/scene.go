package scene

import (
	"footway/core/maps"
	"footway/visualizer/play"
)

// Scene makes frames of one network. It keeps what does not change between them.
// Not for several goroutines.
type Scene struct {
	net     *maps.Network
	ground  *ground
	base    *basemap
	frame   Frame
	targets []target // what can be picked on the last frame
	labels  []Box    // where labels are on it

	last       View
	lastT      int64
	lastRev    uint64
	lastSeen   *play.State
	lastOther  *play.State
	lastOtherT int64
	lastTitle  [2]string

	transform Transform
	px        float32 // pixels of the device to the point
	view      View
	palette   *Palette
	in        Input
	seen      Box // the part of the map that is seen, in metres
	spread    spread
	line      []Place
	trail     [trailPoints]maps.Position
	placed    []placed // of each robot of the state
	heat      heat
}

// New returns a scene of a network.
func New(net *maps.Network) *Scene {
	g := newGround(net)
	return &Scene{net: net, ground: g, base: newBasemap(net, g)}
}

// Bounds returns the part of the plane that the network covers.
func (s *Scene) Bounds() Box { return s.ground.box }

// Frame draws how things stand. The frame is the scene's, and changes with the
// next call; if nothing has changed since the last one, it is the same to its Revision and nothing is allocated.
func (s *Scene) Frame(in Input, v View) *Frame {
	v = v.normal()
	if s.same(in, v) {
		return &s.frame
	}
	s.view, s.in, s.palette = v, in, &palettes[v.Theme]
	s.transform, s.px, s.seen = v.Transform(), float32(v.Scale), v.box()
	s.targets, s.labels = s.targets[:0], s.labels[:0]
	f := &s.frame
	f.reset()
	f.Revision++
	f.Width, f.Height = float32(float64(v.Width)*v.Scale), float32(float64(v.Height)*v.Scale)
	f.Background, f.Transform = s.palette.Land, s.transform
	s.drawMap()
	if in.State != nil {
		s.place()
		s.drawHeat()
		s.drawUnder()
		s.drawPlaces()
		s.drawRobots()
		s.drawDifference()
	}
	s.drawHUD()
	s.drawPanel()
	return f
}

// same reports whether a frame of in and v is the last one, and notes them if not.
func (s *Scene) same(in Input, v View) bool {
	var t, other int64
	var rev uint64
	if in.State != nil {
		t, rev = int64(in.State.T), in.State.Revision
	}
	if in.Other != nil {
		other = int64(in.Other.T)
	}
	same := s.frame.Revision > 0 && s.last == v && s.lastT == t && s.lastRev == rev && s.lastSeen == in.State &&
		s.lastOther == in.Other && s.lastOtherT == other && s.lastTitle == [2]string{in.Title, in.Than}
	s.last, s.lastT, s.lastRev, s.lastSeen = v, t, rev, in.State
	s.lastOther, s.lastOtherT, s.lastTitle = in.Other, other, [2]string{in.Title, in.Than}
	return same
}

func (s *Scene) pen(layer int) Pen { return Pen{&s.frame.Layers[layer]} }

func (s *Scene) shows(l Layers) bool { return s.view.Layers&l != 0 }

// mpp returns metres to the point.
func (s *Scene) mpp() float64 { return 1 / s.view.Zoom }

// on reports whether a pixel is on the screen, or within room of it.
func (s *Scene) on(x, y, room float32) bool {
	return x >= -room && y >= -room && x <= s.frame.Width+room && y <= s.frame.Height+room
}

// target is something that can be picked.
type target struct {
	x, y, r float32
	what    Selection
}

// Pick returns what of the last frame is on top at a pixel of the device, or else nearest to it within reach of a finger.
func (s *Scene) Pick(x, y float32) (Selection, bool) {
	near, best := Selection{}, float32(0)
	for i := len(s.targets) - 1; i >= 0; i-- { // what was drawn last is on top
		t := &s.targets[i]
		d := (t.x-x)*(t.x-x) + (t.y-y)*(t.y-y)
		if d <= t.r*t.r {
			return t.what, true
		}
		if reach := t.r + 6*s.px; d <= reach*reach && (near.Kind == Nothing || d < best) {
			near, best = t.what, d
		}
	}
	return near, near.Kind != Nothing
}

// Where returns where something is; false if it is nowhere now.
func (s *Scene) Where(st *play.State, what Selection) (Place, bool) {
	switch what.Kind {
	case Robot:
		if r := st.Robot(what.ID); r != nil && r.Known {
			x, y, _, _ := s.robotAt(r)
			return Place{x, y}, true
		}
	case Delivery:
		d := st.Delivery(what.ID)
		if d == nil {
			return Place{}, false
		}
		if r := st.Robot(d.Robot); r != nil && r.Known {
			x, y, _, _ := s.robotAt(r)
			return Place{x, y}, true
		}
		return s.PlaceOf(d.Pickup), true
	case Merchant:
		if m := s.merchant(what.ID); m != nil {
			x, y := s.ground.metres(m.Point)
			return Place{x, y}, true
		}
	case Dock:
		if d := st.Dock(what.ID); d != nil {
			return s.PlaceOf(d.Position), true
		}
	}
	return Place{}, false
}

// Beside returns another scene of the same network, which shares the map with s: its tiles are
// made once for both. Both are for one goroutine.
func (s *Scene) Beside() *Scene {
	return &Scene{net: s.net, ground: s.ground, base: s.base}
}

// PointAt returns which point of the earth is at a place.
func (s *Scene) PointAt(p Place) maps.Point {
	return s.ground.plane.Point(maps.XY{X: int64(float64(p.X) * 1000), Y: int64(float64(p.Y) * 1000)})
}
