package window

import (
	"footway/visualizer/desk"
	"footway/visualizer/scene"
)

// waiting is the picture before there is a desk.
type waiting struct {
	frame scene.Frame
	over  scene.Layer
	last  waited
	shown desk.Picture
}

type waited struct {
	w, h  int
	scale float64
	doing string
	part  int
}

// picture says what goes on.
func (w *waiting) picture(in *desk.Input, theme scene.Theme, title, doing string, part float64, bad bool) *desk.Picture {
	now := waited{in.Width, in.Height, in.Scale, doing, int(part * 200)}
	w.shown.Fresh = now != w.last
	if !w.shown.Fresh {
		return &w.shown
	}
	w.last = now
	p, k := scene.PaletteOf(theme), float32(in.Scale)
	if w.frame.Layers == nil {
		w.frame.Layers = make([]scene.Layer, 1)
	}
	w.frame.Width, w.frame.Height, w.frame.Background = float32(in.Width)*k, float32(in.Height)*k, p.Land
	w.over = scene.Layer{}
	pen := scene.NewPen(&w.over)
	const wide, high = 420, 110
	x, y := (float32(in.Width)-wide)/2, (float32(in.Height)-high)/2
	pen.Shadow(x*k, y*k, wide*k, high*k, 12*k, 12*k, p.Shadow)
	pen.Box(x*k, y*k, wide*k, high*k, 12*k, p.Panel)
	ink := p.InkSoft
	if bad {
		ink = p.Late
	}
	line := func(dy, size float32, bold bool, s string) {
		c := p.Ink
		if dy > 40 {
			c = ink
		}
		pen.Text(scene.Text{X: (x + wide/2) * k, Y: (y + dy) * k, Size: size * k, S: s, Bold: bold, Align: scene.Centre, Color: c})
	}
	line(36, 18, true, scene.Clip(title, 18, wide-40, true))
	lines := desk.Wrap(doing, 12.5, wide-40)
	for i, s := range lines[:min(len(lines), 3)] {
		line(62+float32(i)*17, 12.5, false, s)
	}
	if !bad && part > 0 {
		pen.Box((x+60)*k, (y+84)*k, (wide-120)*k, 4*k, 2*k, scene.Fade(p.InkFaint, 0.4))
		pen.Box((x+60)*k, (y+84)*k, (wide-120)*float32(part)*k, 4*k, 2*k, p.Accent)
	}
	w.shown.Panes = append(w.shown.Panes[:0], desk.Pane{Frame: &w.frame})
	w.shown.Over = &w.over
	return &w.shown
}
