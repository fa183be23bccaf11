// Package desk is what a dispatch engineer sits at: a city of robots at a
// time, the controls around it, and what they do. It is pure: it takes what a person did and gives shapes, so
// that it is the same in a window, in a browser and in a test.
package desk

import (
	"fmt"
	"time"

	"footway/core/clock"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// Options say what is on the desk at first.
type Options struct {
	Run       *play.Run
	Name      string         // of the run, for people: its file
	Source    Source         // where the runs are from, for links
	Address   string         // that links begin with, without a fragment; "": command lines only
	Zone      *time.Location // nil: UTC
	Other     *play.Run      // to compare with; nil: none
	OtherName string
	Simulator Simulator     // nil: nothing can be run anew
	Fixed     string        // why not, and what can be done about it; "": nobody knows
	Growing   Future        // makes Run, which is not over yet; nil: it is
	Live      func() string // of a log that grows: how the connection is, in words; nil: it is a file
	Theme     scene.Theme
	At        clock.Time // 0: the beginning
	Selection scene.Selection
	Follow    bool
}

// Desk is the program without a screen. Not for several goroutines.
type Desk struct {
	o     Options
	sides []*side // A, and B when there is something to compare with
	cam   camera
	sized bool // whether the camera was pointed at the whole map

	t          clock.Time
	rest       float64 // of a millisecond that has not been played
	playing    bool
	speed      int  // index into speeds
	atEnd      bool // follow the end of a log that grows
	marks      []clock.Time
	view       scene.View // theme, layers, selection
	chosen     int        // side whose names the selection has
	follow     bool
	split      bool
	panel      panel
	search     string
	filter     string // of the tuning panel
	scroll     float32
	changes    []change // to the settings, that a new run would have
	tuneErr    string
	made       made
	refit      bool // the panes have changed
	comparison comparison
	help       bool
	note       string // said for a while
	noteLeft   time.Duration

	ui      ui
	in      Input
	last    Input
	drawn   bool
	elapsed time.Duration
	again   bool // something was pressed: what was drawn before it took effect is drawn anew
	held    bool
	grip    grip
	outbox  []Request
	picture Picture
	width   float32 // of the screen in points
}

// side is one run on the desk.
type side struct {
	run     *play.Run
	name    string
	scene   *scene.Scene
	state   *play.State
	scanned bool
	future  Future // that still grows; nil: none
	kpis    kpis
	err     error
}

// Picture is what is to be seen: panes of maps, and what lies over them.
type Picture struct {
	Panes   []Pane
	Over    *scene.Layer
	Pointer Pointer
	Fresh   bool // something has changed since the last one
}

// Pane is a part of the screen with a map, in pixels of the device.
type Pane struct {
	X, Y  int
	Frame *scene.Frame
}

// Pointer is how the pointer should look.
type Pointer uint8

// The pointers.
const (
	Arrow Pointer = iota
	Hand
	Grab
)

// Request is something that only a screen's system can do.
type Request struct {
	Copy string // text for the clipboard
	Save string // name of a file to be saved
	Data []byte // its content; nil: a picture of the screen
}

// New returns a desk with a run on it.
func New(o Options) *Desk {
	d := &Desk{o: o, speed: speedOf(usualSpeed), follow: o.Follow}
	d.view = scene.View{Theme: o.Theme, Layers: scene.DefaultLayers, Selection: o.Selection}
	d.add(o.Run, o.Name).future = o.Growing
	if o.Other != nil {
		d.add(o.Other, o.OtherName)
	}
	from, to := o.Run.Span()
	d.t = min(max(o.At, from), to)
	d.cam.bounds = d.sides[0].scene.Bounds()
	if o.Live != nil {
		d.atEnd, d.playing, d.speed = true, true, speedOf(1)
	}
	return d
}

func (d *Desk) add(run *play.Run, name string) *side {
	s := &side{run: run, name: name}
	if len(d.sides) > 0 && d.sides[0].run.Network() == run.Network() {
		s.scene = d.sides[0].scene.Beside()
	} else {
		s.scene = scene.New(run.Network())
	}
	d.sides = append(d.sides, s)
	return s
}

// Play starts or stops the time.
func (d *Desk) Play(on bool) { d.playing = on }

// Status is what the desk shows, for tests and for whoever embeds it.
type Status struct {
	Time      clock.Time         `json:"time"`
	After     clock.Duration     `json:"after"` // the beginning
	Dark      bool               `json:"dark"`
	Playing   bool               `json:"playing"`
	Speed     float64            `json:"speed"`
	Selection string             `json:"selection"`
	Runs      int                `json:"runs"`
	Robots    int                `json:"robots"`
	Open      int                `json:"open"`    // deliveries under way
	Growing   bool               `json:"growing"` // a new run is under way
	KPIs      map[string]float64 `json:"kpis"`
	Other     map[string]float64 `json:"other_kpis"`
	Said      string             `json:"said"` // what the desk says now
	Error     string             `json:"error"`
}

// Status returns what the desk shows.
func (d *Desk) Status() Status {
	s := Status{Time: d.t, Playing: d.playing, Speed: speeds[d.speed], Runs: len(d.sides)}
	from, _ := d.span()
	s.After, s.Dark = d.t.Sub(from), d.view.Theme == scene.Dark
	s.Selection = d.view.Selection.String()
	a := d.sides[0]
	if a.state != nil {
		s.Robots, s.Open = len(a.state.Robots), len(a.state.Deliveries)
	}
	if s.Said = d.note; d.panel == tuning && d.tuneErr != "" {
		s.Said = d.tuneErr
	}
	s.KPIs, s.Growing = a.kpis.values(), d.growing()
	if len(d.sides) > 1 {
		b := d.sides[1]
		s.Other = b.kpis.values()
	}
	for _, x := range d.sides {
		if x.err != nil {
			s.Error = x.err.Error()
		}
	}
	return s
}

// Requests returns what is to be done outside since the last call.
func (d *Desk) Requests() []Request {
	out := d.outbox
	d.outbox = nil
	return out
}

// Update takes what a person did, lets time pass, and returns what is to be seen. The
// picture is the desk's, and changes with the next call.
func (d *Desk) Update(now Input) *Picture {
	d.in = now
	in := &d.in
	if in.Scale <= 0 {
		in.Scale = 1
	}
	in.Width, in.Height = max(in.Width, 1), max(in.Height, 1)
	d.elapsed = in.Elapsed
	worked := d.work()
	if d.drawn && !d.again && !worked && !d.playing && d.noteLeft == 0 && in.quiet(&d.last) && !d.cam.step(in.Elapsed.Seconds()) {
		d.picture.Fresh = false
		return &d.picture
	}
	d.width = float32(in.Width)
	if !d.sized || d.refit {
		d.sized, d.refit = true, false
		d.fit(in)
	}
	before := d.view
	d.keys(in)
	d.ui.begin(in, d.held, d.view.Theme)
	d.pass(in.Elapsed)
	d.cam.step(in.Elapsed.Seconds())
	d.states()
	d.track(in)
	d.maps(in)
	d.controls(in)
	d.ui.end()
	d.touch(in)
	d.picture.Over, d.picture.Fresh = &d.ui.layer, true
	d.last, d.held = *in, in.Held
	d.drawn = d.view == before // what was clicked on shows in the next one
	return &d.picture
}

// fit points the camera at the whole map.
func (d *Desk) fit(in *Input) {
	d.cam.home = true
	_, w := d.panes(in)
	v := scene.View{Width: w, Height: in.Height - barHigh, Scale: 1}.Fit(d.cam.bounds)
	v.Centre.Y -= barHigh / 2 / float32(v.Zoom)
	d.cam.see(v)
}

// panes returns how many maps there are, and how wide each is in points. One map goes on
// behind an open panel; two make room for it.
func (d *Desk) panes(in *Input) (n, wide int) {
	if !d.split || len(d.sides) < 2 {
		return 1, in.Width
	}
	return 2, max(1, (in.Width-int(d.panelWide()))/2)
}

// states brings every side to the time.
func (d *Desk) states() {
	for _, s := range d.sides {
		st, err := s.run.At(d.t)
		if err != nil {
			s.err = err
			continue
		}
		s.state = st
	}
}

// track keeps what is followed in the middle.
func (d *Desk) track(in *Input) {
	if !d.follow || d.view.Selection.Kind == scene.Nothing || d.sides[d.chosen].state == nil {
		return
	}
	if p, ok := d.where(d.view.Selection); ok {
		d.lookAside(p, 0)
		if d.playing && in.Elapsed > 0 {
			d.cam.at.x, d.cam.at.y = d.cam.to.x, d.cam.to.y
		}
	}
}

// maps draws the panes.
func (d *Desk) maps(in *Input) {
	d.picture.Panes = d.picture.Panes[:0]
	n, w := d.panes(in)
	for i := range n {
		s := d.sides[i]
		v := d.view
		v.Selection = d.same(i, v.Selection)
		v.Centre, v.Zoom, v.Scale = d.cam.place(), d.cam.at.zoom, in.Scale
		v.Width, v.Height = w, in.Height
		v.InsetBottom = barHigh
		v.Layers |= scene.ShowInspector
		if n == 1 {
			v.InsetRight = d.panelWide()
		}
		if i > 0 {
			v.Layers &^= scene.ShowLegend
		}
		input := scene.Input{State: s.state, Story: s.run, Title: d.title(i), Zone: d.o.Zone}
		if v.Layers&scene.ShowDifference != 0 && len(d.sides) > 1 {
			input.Other, input.Than = d.sides[1-i].state, d.title(1-i)
		}
		d.picture.Panes = append(d.picture.Panes, Pane{X: int(float64(i*w) * in.Scale), Frame: s.scene.Frame(input, v)})
	}
}

// choose selects what a side calls so.
func (d *Desk) choose(side int, what scene.Selection) { d.chosen, d.view.Selection = side, what }

// where returns where what is selected is, or would be.
func (d *Desk) where(what scene.Selection) (scene.Place, bool) {
	s := d.sides[d.chosen]
	if s.state == nil {
		return scene.Place{}, false
	}
	return s.scene.Where(s.state, what)
}

// aside returns how far, in points, the middle of what neither bar, panel nor inspector covers is from the screen's.
func (d *Desk) aside() (x, y float32) {
	covered := float32(0)
	if len(d.picture.Panes) < 2 {
		covered = d.panelWide()
	}
	if d.view.Selection.Kind != scene.Nothing {
		covered += scene.InspectorWide
	}
	const least = 0.3 // of the screen must be free for that to matter
	if covered > (1-least)*d.width {
		covered = 0
	}
	return -covered / 2, -barHigh / 2
}

// lookAside goes to a place, which comes to the middle of what is not covered.
func (d *Desk) lookAside(p scene.Place, zoom float64) {
	x, y := d.aside()
	zoom = max(d.cam.to.zoom, zoom)
	d.cam.look(scene.Place{X: p.X - x/float32(zoom), Y: p.Y + y/float32(zoom)}, zoom)
}

// nearer zooms around what is selected, if that is on the screen, or else around the middle of what is not covered.
func (d *Desk) nearer(factor float64) {
	x, y := d.aside()
	if p, ok := d.where(d.view.Selection); ok {
		at := d.cam.to
		px, py := (p.X-float32(at.x))*float32(at.zoom), (float32(at.y)-p.Y)*float32(at.zoom)
		_, w := d.panes(&d.in)
		if 2*absf(px) < float32(w) && 2*absf(py) < float32(d.in.Height) {
			x, y = px, py
		}
	}
	d.cam.zoom(factor, float64(x), float64(y))
}

// same returns what a side calls what is selected: an order may be another delivery there.
func (d *Desk) same(side int, what scene.Selection) scene.Selection {
	if what.Kind != scene.Delivery || side == d.chosen || len(d.sides) < 2 {
		return what
	}
	if what.ID = d.orders().Same(what.ID, d.chosen == 1); what.ID == "" {
		return scene.Selection{}
	}
	return what
}

func (d *Desk) title(i int) string {
	s := d.sides[i]
	if len(d.sides) == 1 {
		if name := s.run.Network().Name; d.o.Live != nil && name != "" {
			return "live · " + name
		}
		return s.run.Header().Scenario
	}
	return fmt.Sprintf("%c  %s", 'A'+i, s.name)
}

// say shows a sentence for a while.
func (d *Desk) say(format string, args ...any) {
	d.note, d.noteLeft = fmt.Sprintf(format, args...), 4*time.Second
}

// Say shows a sentence for a while.
func (d *Desk) Say(text string) { d.say("%s", text) }

// Spot returns where a robot is on the screen that can be clicked on, in points: for tests
// that have hands only.
func (d *Desk) Spot() (x, y float32, ok bool) {
	s := d.sides[0]
	if s.state == nil || len(d.picture.Panes) == 0 {
		return 0, 0, false
	}
	t, k := d.picture.Panes[0].Frame.Transform, float32(d.last.Scale)
	for i := range s.state.Robots {
		sel := scene.Selection{Kind: scene.Robot, ID: s.state.Robots[i].ID}
		p, known := s.scene.Where(s.state, sel)
		if !known {
			continue
		}
		px, py := t.Apply(p.X, p.Y)
		x, y = px/k, py/k
		// Not at the edges, where cards and panels lie.
		if x < d.width*0.3 || x > d.width*0.6 || y < 80 || y > float32(d.last.Height)*0.7 {
			continue
		}
		if hit, _ := s.scene.Pick(px, py); hit == sel {
			return x, y, true
		}
	}
	return 0, 0, false
}

// Labels returns where the texts of the controls are on the screen, in points: for tests that have hands only.
func (d *Desk) Labels() map[string][2]float32 {
	at := make(map[string][2]float32, len(d.ui.layer.Texts))
	k := float32(max(d.last.Scale, 0.1))
	for i := range d.ui.layer.Texts {
		t := &d.ui.layer.Texts[i]
		at[t.S] = [2]float32{t.X / k, t.Y / k}
	}
	return at
}
