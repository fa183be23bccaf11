package desk

import (
	"strconv"
	"strings"

	"footway/visualizer/scene"
)

// panel is what is open at the right side.
type panel uint8

const (
	closed panel = iota
	layering
	charting
	tuning
	comparing
	searching
)

const sideWide = 340 // points of the panel at the right side

func (d *Desk) panelWide() float32 {
	if d.panel == closed {
		return 0
	}
	return min(sideWide, d.width)
}

// tools draws the buttons that open panels, at the right end of the bar.
func (d *Desk) tools(in *Input, y, high float32) {
	u := &d.ui
	x := float32(in.Width) - barPad
	put := func(id, label string, wide float32, on bool, tip string) bool {
		x -= wide
		clicked := u.button(id, x, y, wide, high, label, on)
		if u.over(x, y, wide, high) {
			u.tip = tip
		}
		x -= 6
		return clicked
	}
	if put("help", "?", 26, d.help, "help: ?") {
		d.help = !d.help
	}
	theme := [...]string{scene.Light: "Dark", scene.Dark: "Light"}[d.view.Theme]
	if put("theme", theme, 46, false, "T") {
		d.view.Theme = 1 - d.view.Theme
	}
	const roomy = 1000 // points, from which on there is a button for what keys do as well
	if in.Width > roomy && put("share", "Link", 44, false, "copy what shows this again: K") {
		d.share()
	}
	for _, t := range [...]struct {
		label string
		wide  float32
		p     panel
		key   string
		shown bool
	}{
		{"Search", 58, searching, "/", true}, {"Compare", 68, comparing, "4", len(d.sides) > 1}, {"Tune", 48, tuning, "3", d.o.Simulator != nil},
		{"Charts", 56, charting, "2", true}, {"Layers", 56, layering, "1", true},
	} {
		if t.shown && put("tool"+t.label, t.label, t.wide, d.panel == t.p, t.key) {
			d.open(t.p)
		}
	}
}

// controls draws everything that lies over the map.
func (d *Desk) controls(in *Input) {
	d.timeBar(in)
	if n, w := d.panes(in); n == 2 {
		k := d.ui.px
		d.ui.pen.Rect((float32(w)-1)*k, 0, 2*k, (float32(in.Height)-barHigh)*k, d.ui.pal.PanelEdge)
	}
	if d.panel != closed {
		d.side(in)
	}
	if d.note != "" {
		w := scene.TextWidth(d.note, 12.5, false) + 28
		x, y, k := (float32(in.Width)-w)/2, float32(in.Height)-barHigh-44, d.ui.px
		d.ui.pen.Box(x*k, y*k, w*k, 30*k, 15*k, scene.Fade(d.ui.pal.Ink, 0.92))
		d.ui.pen.Text(scene.Text{X: (x + w/2) * k, Y: (y + 15) * k, Size: 12.5 * k, S: d.note, Align: scene.Centre, Color: d.ui.pal.Panel})
	}
	if s := d.failed(); s != "" {
		d.ui.write(float32(in.Width)/2, 20, 13, warning, true, scene.Centre, s)
	}
	if d.help {
		d.helpCard(in)
	}
}

func (d *Desk) failed() string {
	for _, s := range d.sides {
		if s.err != nil {
			return s.err.Error()
		}
	}
	return ""
}

// side draws the panel that is open.
func (d *Desk) side(in *Input) {
	u := &d.ui
	w := d.panelWide()
	x, high := float32(in.Width)-w, float32(in.Height)-barHigh
	u.panel(x, 0, w, high, 0)
	title := map[panel]string{layering: "Layers", charting: "Charts", tuning: "Tune", comparing: "Compare", searching: "Search"}[d.panel]
	u.write(x+18, 28, 18, strong, true, scene.Left, title)
	if u.button("close", x+w-42, 15, 26, 26, "×", false) {
		d.panel = closed
		return
	}
	x, w = x+18, w-36
	switch d.panel {
	case layering:
		d.layersPanel(x, 56, w)
	case charting:
		d.chartsPanel(x, 56, w, high)
	case tuning:
		d.tunePanel(in, x, 56, w, high)
	case comparing:
		d.comparePanel(in, x, 56, w, high)
	case searching:
		d.searchPanel(x, 56, w)
	}
}

func (d *Desk) layersPanel(x, y, w float32) {
	for _, l := range scene.AllLayers {
		switch l.Layer {
		case scene.ShowInspector, scene.ShowCharts:
			continue // the desk has its own
		case scene.ShowDifference:
			if len(d.sides) < 2 {
				continue
			}
		case scene.HeatDemand, scene.ShowMerchants, scene.ShowTrails, scene.ShowLabels:
			y += 8 // a group begins
		}
		if d.ui.check("layer"+l.Name, x, y, w, l.Title, d.view.Layers&l.Layer != 0) {
			d.view.Layers ^= l.Layer
		}
		y += 23
	}
}

func (d *Desk) searchPanel(x, y, w float32) {
	u := &d.ui
	entered := u.field("search", x, y, w, "robot, delivery, merchant …", &d.search)
	y += 40
	found := d.find(d.search)
	if len(found) == 0 && d.search != "" {
		u.write(x, y+6, 12, soft, false, scene.Left, "nothing begins with that")
	}
	for i, f := range found {
		_, clicked := u.press("found"+strconv.Itoa(i), x-6, y-4, w+12, 26)
		if u.over(x-6, y-4, w+12, 26) || i == 0 && u.focus == "search" {
			k := u.px
			u.pen.Box((x-6)*k, (y-4)*k, (w+12)*k, 26*k, 6*k, scene.Fade(u.pal.InkFaint, 0.2))
		}
		u.write(x, y+9, 12.5, strong, false, scene.Left, scene.Clip(f.name, 12.5, w-70, false))
		u.write(x+w, y+9, 11, faint, false, scene.Right, f.sel.Kind.String())
		if clicked || entered && i == 0 {
			d.choose(0, f.sel)
			if !d.goThere() {
				d.say("%s is not on the map now", f.name)
			}
			u.focus = ""
		}
		y += 27
	}
}

type found struct {
	name string
	sel  scene.Selection
}

// find returns what a search finds, robots and deliveries before merchants.
func (d *Desk) find(text string) []found {
	const most = 16
	var all []found
	a := d.sides[0]
	if text == "" || a.state == nil {
		return nil
	}
	for _, id := range a.run.Find(text, most) {
		sel := scene.Selection{Kind: scene.Delivery, ID: id}
		if a.state.Robot(id) != nil {
			sel.Kind = scene.Robot
		}
		all = append(all, found{id, sel})
	}
	low := strings.ToLower(text)
	for i := range a.run.Network().Merchants {
		if len(all) >= most {
			break
		}
		if name := a.run.Network().Merchants[i].Name; strings.Contains(strings.ToLower(name), low) {
			all = append(all, found{name, scene.Selection{Kind: scene.Merchant, ID: strconv.Itoa(i)}})
		}
	}
	return all
}

// helpCard shows all shortcuts.
func (d *Desk) helpCard(in *Input) {
	u := &d.ui
	rows := 0
	for _, s := range shortcuts {
		if s.show != "" {
			rows++
		}
	}
	const head = 172 // points of all but the rows
	row := min(24, (float32(in.Height)-barHigh-head)/float32(rows))
	w, h := min(560, float32(in.Width)-20), row*float32(rows)+head
	x, y := (float32(in.Width)-w)/2, max(10, (float32(in.Height)-barHigh-h)/2)
	k := u.px
	u.pen.Rect(0, 0, float32(in.Width)*k, float32(in.Height)*k, scene.Fade(u.pal.Outline, 0.45))
	u.panel(x, y, w, h, 14)
	u.write(x+24, y+32, 18, strong, true, scene.Left, "Keys and gestures")
	y += 62
	for _, s := range shortcuts {
		if s.show == "" {
			continue
		}
		u.write(x+24, y, 12.5, accent, true, scene.Left, s.show)
		u.write(x+130, y, 12.5, strong, false, scene.Left, scene.Clip(s.what, 12.5, w-150, false))
		y += row
	}
	for i, line := range [...]string{
		"Drag or two fingers: move. Wheel or pinch: zoom. Click: select; twice: follow.",
		"Click twice where nothing is: nearer; with Shift farther.",
		"In a field: Enter takes what was found first, Esc leaves.",
		"Drop the folder of a run on the window to open it, two to compare them.",
	} {
		u.write(x+24, y+8+float32(i)*20, 12, soft, false, scene.Left, scene.Clip(line, 12, w-40, false))
	}
	u.taken = true
	if u.up && !u.over(x, y-h, w, 2*h) {
		d.help = false
	}
}
