package desk

import (
	"image/color"

	"footway/visualizer/scene"
)

// ui draws controls and takes what is done to them, in one go: a control exists as long as it is drawn.
type ui struct {
	layer  scene.Layer
	pen    scene.Pen
	pal    *scene.Palette
	px     float32
	in     *Input
	down   bool   // the button went down just now
	up     bool   // it went up just now
	active string // control that the button went down on
	focus  string // control that takes what is typed
	taken  bool   // the pointer is on a panel, not on the map
	tip    string // to be said at the pointer
}

// begin starts a new picture.
func (u *ui) begin(in *Input, held bool, theme scene.Theme) {
	u.layer.Vertices, u.layer.Indices, u.layer.Texts = u.layer.Vertices[:0], u.layer.Indices[:0], u.layer.Texts[:0]
	u.pen, u.pal, u.px, u.in = scene.NewPen(&u.layer), scene.PaletteOf(theme), float32(in.Scale), in
	u.down, u.up = in.Held && !held, !in.Held && held
	u.taken, u.tip = false, ""
}

// end forgets what is held once the button is up.
func (u *ui) end() {
	if u.tip != "" {
		u.bubble(u.in.X+12, u.in.Y-26, u.tip)
	}
	if !u.in.Held {
		u.active = ""
	}
}

// over reports whether the pointer is on a rectangle.
func (u *ui) over(x, y, w, h float32) bool {
	return u.in.X >= x && u.in.X < x+w && u.in.Y >= y && u.in.Y < y+h
}

// panel draws what controls stand on; the pointer there is not on the map.
func (u *ui) panel(x, y, w, h, round float32) {
	k := u.px
	u.pen.Shadow(x*k, y*k, w*k, h*k, round*k, 10*k, u.pal.Shadow)
	u.pen.Box((x-1)*k, (y-1)*k, (w+2)*k, (h+2)*k, (round+1)*k, u.pal.PanelEdge)
	u.pen.Box(x*k, y*k, w*k, h*k, round*k, u.pal.Panel)
	if u.over(x, y, w, h) {
		u.taken = true
	}
}

// ink is how strongly a text is written.
type ink uint8

const (
	strong ink = iota
	soft
	faint
	accent
	warning
)

func (u *ui) color(i ink) color.RGBA {
	switch i {
	case soft:
		return u.pal.InkSoft
	case faint:
		return u.pal.InkFaint
	case accent:
		return u.pal.Accent
	case warning:
		return u.pal.Late
	}
	return u.pal.Ink
}

// write draws a line of text, in points; y is the middle of its capitals.
func (u *ui) write(x, y, size float32, i ink, bold bool, align scene.Align, text string) {
	u.pen.Text(scene.Text{X: x * u.px, Y: y * u.px, Size: size * u.px, S: text, Bold: bold, Align: align, Color: u.color(i)})
}

// press reports whether a control was clicked: went down and up on it.
func (u *ui) press(id string, x, y, w, h float32) (hot, clicked bool) {
	hot = u.over(x, y, w, h) && (u.active == "" || u.active == id)
	if hot && u.down {
		u.active = id
	}
	return hot, hot && u.up && u.active == id
}

// button draws a button with a text and reports whether it was clicked.
func (u *ui) button(id string, x, y, w, h float32, label string, on bool) bool {
	hot, clicked := u.press(id, x, y, w, h)
	k := u.px
	back, text := scene.Fade(u.pal.InkFaint, 0.14), strong
	switch {
	case on:
		back, text = scene.Fade(u.pal.Accent, 0.22), strong
	case hot && u.active == id:
		back = scene.Fade(u.pal.InkFaint, 0.45)
	case hot:
		back = scene.Fade(u.pal.InkFaint, 0.3)
	}
	u.pen.Box(x*k, y*k, w*k, h*k, 7*k, back)
	if label != "" {
		u.write(x+w/2, y+h/2, 12, text, on, scene.Centre, label)
	}
	return clicked
}

// check draws a switch with its name and reports whether it was clicked.
func (u *ui) check(id string, x, y, w float32, label string, on bool) bool {
	const high = 22
	hot, clicked := u.press(id, x, y, w, high)
	k := u.px
	if hot {
		u.pen.Box((x-6)*k, y*k, (w+12)*k, high*k, 6*k, scene.Fade(u.pal.InkFaint, 0.16))
	}
	edge := u.pal.InkFaint
	if on {
		edge = u.pal.Accent
	}
	u.pen.Box(x*k, (y+4)*k, 14*k, 14*k, 4*k, edge)
	if on {
		u.pen.Line((x+3.4)*k, (y+11)*k, (x+6.2)*k, (y+14)*k, 1.8*k, u.pal.Panel)
		u.pen.Line((x+5.8)*k, (y+14)*k, (x+10.8)*k, (y+8)*k, 1.8*k, u.pal.Panel)
	} else {
		u.pen.Box((x+1.4)*k, (y+5.4)*k, 11.2*k, 11.2*k, 3*k, u.pal.Panel)
	}
	u.write(x+22, y+11, 12, strong, false, scene.Left, label)
	return clicked
}

// slide draws a slider at a share of its way, and returns where it was dragged to.
func (u *ui) slide(id string, x, y, w, share float32) (float32, bool) {
	const high = 18
	hot := u.over(x-8, y, w+16, high) && (u.active == "" || u.active == id)
	if hot && u.down {
		u.active = id
	}
	moved := u.active == id && u.in.Held
	if moved {
		share = min(max((u.in.X-x)/w, 0), 1)
	}
	k := u.px
	mid := y + high/2
	u.pen.Box(x*k, (mid-2)*k, w*k, 4*k, 2*k, scene.Fade(u.pal.InkFaint, 0.4))
	u.pen.Box(x*k, (mid-2)*k, w*share*k, 4*k, 2*k, u.pal.Accent)
	r := float32(6)
	if hot || moved {
		r = 7.5
	}
	u.pen.Disc((x+w*share)*k, mid*k, (r+1.2)*k, u.pal.Panel)
	u.pen.Disc((x+w*share)*k, mid*k, r*k, u.pal.Accent)
	return share, moved
}

// field draws a line of text that can be typed into, and reports whether Enter was pressed in it.
func (u *ui) field(id string, x, y, w float32, hint string, text *string) bool {
	const high = 28
	_, clicked := u.press(id, x, y, w, high)
	switch {
	case clicked:
		u.focus = id
	case u.down && !u.over(x, y, w, high) && u.focus == id:
		u.focus = ""
	}
	entered := false
	if u.focus == id {
		const most = 60
		for _, r := range u.in.Text {
			if len(*text) < most && r >= ' ' {
				*text += string(r)
			}
		}
		for _, key := range u.in.Keys {
			switch key {
			case Delete:
				if r := []rune(*text); len(r) > 0 {
					*text = string(r[:len(r)-1])
				}
			case Enter:
				entered = true
			}
		}
	}
	k := u.px
	edge := u.pal.PanelEdge
	if u.focus == id {
		edge = u.pal.Accent
	}
	u.pen.Box(x*k, y*k, w*k, high*k, 7*k, edge)
	u.pen.Box((x+1.3)*k, (y+1.3)*k, (w-2.6)*k, (high-2.6)*k, 6*k, u.pal.Panel)
	if *text == "" && u.focus != id {
		u.write(x+10, y+high/2, 12, faint, false, scene.Left, hint)
		return entered
	}
	u.write(x+10, y+high/2, 12, strong, false, scene.Left, *text)
	if u.focus == id {
		at := x + 11 + scene.TextWidth(*text, 12, false)
		u.pen.Rect(at*k, (y+7)*k, 1.4*k, 14*k, u.pal.Accent)
	}
	return entered
}

// bubble says something at a place.
func (u *ui) bubble(x, y float32, text string) {
	w := scene.TextWidth(text, 11.5, false) + 16
	x = min(x, float32(u.in.Width)-w-6)
	k := u.px
	u.pen.Box(x*k, y*k, w*k, 22*k, 6*k, scene.Fade(u.pal.Ink, 0.94))
	u.pen.Text(scene.Text{X: (x + w/2) * k, Y: (y + 11) * k, Size: 11.5 * k, S: text, Align: scene.Centre, Color: u.pal.Panel})
}
