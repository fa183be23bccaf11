package desk

import (
	"footway/core/clock"
	"footway/visualizer/scene"
)

// shortcut is what a key does.
type shortcut struct {
	key  Key
	show string // how people read it
	what string
	do   func(d *Desk, in *Input)
}

// shortcuts are all keys, in the order of the help.
var shortcuts []shortcut

func init() {
	const step, leap = 10 * clock.Second, 5 * clock.Minute
	shortcuts = []shortcut{
		{Space, "Space", "play or pause", func(d *Desk, _ *Input) { d.playing = !d.playing }},
		{Left, "←  →", "10 s back or on; with Shift one event", func(d *Desk, in *Input) { d.back(in, step) }},
		{Right, "", "", func(d *Desk, in *Input) { d.on(in, step) }},
		{"[", "[  ]", "5 min back or on", func(d *Desk, _ *Input) { d.seek(d.t.Add(-leap)) }},
		{"]", "", "", func(d *Desk, _ *Input) { d.seek(d.t.Add(leap)) }},
		{Up, "↑  ↓", "faster or slower", func(d *Desk, _ *Input) { d.speed = min(len(speeds)-1, d.speed+1) }},
		{Down, "", "", func(d *Desk, _ *Input) { d.speed = max(0, d.speed-1) }},
		{Home, "Home  End", "the beginning, the end (live: now)", func(d *Desk, _ *Input) { from, _ := d.span(); d.seek(from) }},
		{End, "", "", func(d *Desk, _ *Input) { d.toEnd() }},
		{"L", "L  S  C", "next late delivery, stuck robot, custody transfer; with Shift the one before", func(d *Desk, in *Input) { d.jump(jumps[0].kind, in.Shift) }},
		{"S", "", "", func(d *Desk, in *Input) { d.jump(jumps[1].kind, in.Shift) }},
		{"C", "", "", func(d *Desk, in *Input) { d.jump(jumps[2].kind, in.Shift) }},
		{"B", "B  N", "bookmark, next bookmark", func(d *Desk, _ *Input) { d.bookmark() }},
		{"N", "", "", func(d *Desk, _ *Input) { d.nextBookmark() }},
		{"/", "/", "search a robot, delivery or merchant", func(d *Desk, _ *Input) { d.openSearch() }},
		{"F", "F", "follow what is selected", func(d *Desk, _ *Input) { d.toggleFollow() }},
		{"1", "1  2  3  4", "layers, charts, tuning, comparison", func(d *Desk, _ *Input) { d.open(layering) }},
		{"2", "", "", func(d *Desk, _ *Input) { d.open(charting) }},
		{"3", "", "", func(d *Desk, _ *Input) { d.open(tuning) }},
		{"4", "", "", func(d *Desk, _ *Input) { d.open(comparing) }},
		{"V", "V  D", "two runs side by side, their differences", func(d *Desk, in *Input) { d.toggleSplit(in) }},
		{"D", "", "", func(d *Desk, _ *Input) { d.view.Layers ^= scene.ShowDifference }},
		{Plus, "+  −  0", "nearer, farther, all of the map", func(d *Desk, _ *Input) { d.nearer(1.6) }},
		{Minus, "", "", func(d *Desk, _ *Input) { d.nearer(1 / 1.6) }},
		{"0", "", "", func(d *Desk, in *Input) { d.follow = false; d.fit(in) }},
		{"T", "T", "light or dark", func(d *Desk, _ *Input) { d.view.Theme = 1 - d.view.Theme }},
		{"P", "P", "save a picture", func(d *Desk, _ *Input) { d.outbox = append(d.outbox, Request{Save: "footway.png"}) }},
		{"K", "K", "copy a link and the command that show this again", func(d *Desk, _ *Input) { d.share() }},
		{"?", "?", "this help", func(d *Desk, _ *Input) { d.help = !d.help }},
		{Escape, "Esc", "close, let go", func(d *Desk, _ *Input) { d.escape() }},
	}
}

// keys does what keys ask for.
func (d *Desk) keys(in *Input) {
	if d.ui.focus != "" {
		for _, k := range in.Keys {
			if k == Escape {
				d.ui.focus = ""
			}
		}
		return
	}
	for _, k := range in.Keys {
		for i := range shortcuts {
			if shortcuts[i].key == k {
				shortcuts[i].do(d, in)
			}
		}
	}
}

func (d *Desk) back(in *Input, step clock.Duration) {
	if in.Shift {
		d.stepEvent(true)
		return
	}
	d.seek(d.t.Add(-step))
}

func (d *Desk) on(in *Input, step clock.Duration) {
	if in.Shift {
		d.stepEvent(false)
		return
	}
	d.seek(d.t.Add(step))
}

func (d *Desk) toEnd() {
	if d.o.Live != nil {
		d.goLive()
		return
	}
	_, to := d.span()
	d.seek(to)
}

func (d *Desk) toggleFollow() {
	d.follow = !d.follow && d.view.Selection.Kind != scene.Nothing
	if d.follow {
		d.say("following %s", d.view.Selection.ID)
	}
}

func (d *Desk) toggleSplit(in *Input) {
	if len(d.sides) < 2 {
		d.say("there is one run only: drop the folders of two on the window, or tune and run it anew (3)")
		return
	}
	d.split = !d.split
	d.fit(in)
}

// open opens a panel, or closes it if it is open.
func (d *Desk) open(p panel) {
	if d.panel == p {
		p = closed
	}
	d.panel, d.scroll, d.ui.focus = p, 0, ""
}

func (d *Desk) openSearch() {
	d.open(searching)
	if d.panel == searching {
		d.ui.focus = "search"
	}
}

// escape closes or lets go of one thing.
func (d *Desk) escape() {
	switch {
	case d.help:
		d.help = false
	case d.panel != closed:
		d.panel = closed
	case d.follow:
		d.follow = false
	default:
		d.choose(0, scene.Selection{})
	}
}
