package desk_test

import (
	"errors"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/runlog"
	"footway/core/setting"
	"footway/visualizer/desk"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// person sits at a desk: a screen of 1440 by 900 points.
type person struct {
	t   *testing.T
	d   *desk.Desk
	in  desk.Input
	pic *desk.Picture
	run *play.Run
}

func opened(t *testing.T) *play.Run {
	t.Helper()
	reader, r := twintest.Open(t)
	run, err := play.Open(play.NewFile(reader), r.Network)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func sit(t *testing.T, change func(*desk.Options)) *person {
	t.Helper()
	o := desk.Options{Run: opened(t), Name: "out/rush"}
	from, _ := o.Run.Span()
	o.At = from.Add(50 * clock.Minute)
	if change != nil {
		change(&o)
	}
	p := &person{t: t, d: desk.New(o), run: o.Run, in: desk.Input{Width: 1440, Height: 900, Scale: 1, X: 5, Y: 400, Elapsed: 16 * time.Millisecond}}
	p.frames(3)
	return p
}

func (p *person) frame(change func(*desk.Input)) {
	in := p.in
	if change != nil {
		change(&in)
	}
	p.pic = p.d.Update(in)
	p.in.X, p.in.Y = in.X, in.Y
}

func (p *person) frames(n int) {
	for range n {
		p.frame(nil)
	}
}

func (p *person) press(keys ...desk.Key) {
	p.frame(func(in *desk.Input) { in.Keys = keys })
	p.frames(40) // until the camera stands
}

// click moves to a place and presses there.
func (p *person) click(x, y float32) {
	p.frame(func(in *desk.Input) { in.X, in.Y = x, y })
	p.frame(func(in *desk.Input) { in.Held = true })
	p.frame(nil)
	p.frames(40)
}

// button clicks on the control with a label.
func (p *person) button(label string) {
	p.t.Helper()
	p.frame(nil)
	for _, x := range p.pic.Over.Texts {
		if x.S == label {
			p.click(x.X, x.Y)
			return
		}
	}
	p.t.Fatalf("there is no button %q", label)
}

// says reports whether a text is on the screen.
func (p *person) says(text string) bool {
	for _, x := range p.pic.Over.Texts {
		if strings.Contains(x.S, text) {
			return true
		}
	}
	for _, pane := range p.pic.Panes {
		for _, l := range pane.Frame.Layers {
			for _, x := range l.Texts {
				if strings.Contains(x.S, text) {
					return true
				}
			}
		}
	}
	return false
}

// TestTime plays, stops, changes the speed and scrubs.
func TestTime(t *testing.T) {
	p := sit(t, nil)
	at := p.d.Status().Time
	p.frames(60)
	if got := p.d.Status(); got.Time != at || got.Playing {
		t.Errorf("before anybody plays: %v, playing %v; want %v", got.Time, got.Playing, at)
	}
	p.frame(func(in *desk.Input) { in.Keys = []desk.Key{desk.Space} })
	for range 99 {
		p.frame(func(in *desk.Input) { in.Elapsed = 10 * time.Millisecond })
	}
	s := p.d.Status()
	if took, want := s.Time.Sub(at).Seconds(), (16+99*10)/1000.0*s.Speed; math.Abs(took-want) > 0.5 || !s.Playing {
		t.Errorf("in %.2f s at %v× %.1f s of the city have passed; want %.1f", want/s.Speed, s.Speed, took, want)
	}
	p.press(desk.Up)
	if got := p.d.Status().Speed; got <= s.Speed {
		t.Errorf("faster is %v×, after %v×", got, s.Speed)
	}
	p.press(desk.Space, desk.Home)
	from, to := p.run.Span()
	if got := p.d.Status().Time; got != from {
		t.Errorf("Home is %v; want %v", got, from)
	}
	// In the middle of the track, with the button held, to its end and beyond.
	const trackY = 900 - 74 + 20
	p.frame(func(in *desk.Input) { in.X, in.Y = 720, trackY })
	p.frame(func(in *desk.Input) { in.Held = true })
	if got, want := p.d.Status().Time, from.Add(to.Sub(from)/2); got.Sub(want) > clock.Minute || want.Sub(got) > clock.Minute {
		t.Errorf("scrubbed to the middle: %v; want about %v", got, want)
	}
	p.frame(func(in *desk.Input) { in.Held, in.X, in.Y = true, 5000, 100 })
	p.frame(nil)
	if got := p.d.Status().Time; got != to {
		t.Errorf("scrubbed beyond the end: %v; want %v", got, to)
	}
	p.press(desk.Home)
	next, _ := p.run.Next(from)
	p.frame(func(in *desk.Input) { in.Keys, in.Shift = []desk.Key{desk.Right}, true })
	if got := p.d.Status().Time; got != next {
		t.Errorf("one event on is %v; want %v", got, next)
	}
}

// TestJumps goes from late delivery to late delivery, and to bookmarks.
func TestJumps(t *testing.T) {
	p := sit(t, nil)
	p.press(desk.Home)
	for range 3 {
		before := p.d.Status().Time
		want, ok := p.run.Jump(before, play.Late, false)
		p.press("L")
		if s := p.d.Status(); !ok || s.Time != want.T || s.Selection != "delivery/"+want.Entity {
			t.Fatalf("the next late delivery after %v is %s at %v; want %s at %v", before, s.Selection, s.Time, want.Entity, want.T)
		}
	}
	at := p.d.Status().Time
	p.press("B")
	p.press(desk.Home)
	p.press("N")
	if got := p.d.Status().Time; got != at {
		t.Errorf("the bookmark is at %v; want %v", got, at)
	}
}

// robotOnScreen returns where a robot is drawn, by the label that large ones have.
func (p *person) robotOnScreen() (x, y float32, id string) {
	p.t.Helper()
	s := p.pic.Panes[0].Frame
	for _, l := range s.Layers {
		if l.Name != "labels" {
			continue
		}
		for _, text := range l.Texts {
			if strings.HasPrefix(text.S, "r") && text.Align == scene.Centre && text.X > 300 && text.X < 1000 && text.Y > 200 && text.Y < 700 {
				return text.X, text.Y + 25, text.S
			}
		}
	}
	p.t.Fatal("no robot is in the middle of the screen")
	return 0, 0, ""
}

// TestSelect searches a robot, follows it, clicks on it, and lets go.
func TestSelect(t *testing.T) {
	p := sit(t, nil)
	p.press("/")
	p.frame(func(in *desk.Input) { in.Text = "r7" })
	p.press(desk.Enter)
	if got := p.d.Status().Selection; got != "robot/r7" || !p.says("held by") && !p.says("charge") {
		t.Fatalf("searching r7 selects %q, or says nothing of it", got)
	}
	p.press("/") // closes
	for range 3 {
		p.press(desk.Plus)
	}
	x, y, id := p.robotOnScreen()
	p.press(desk.Escape, desk.Escape)
	if got := p.d.Status().Selection; got != "" {
		t.Fatalf("after Escape %q is selected", got)
	}
	p.click(x, y)
	if got := p.d.Status().Selection; got != "robot/"+id {
		t.Errorf("a click on %s selects %q", id, got)
	}
	p.press("F")
	p.press(desk.Space)
	p.frames(100)
	if x, y, _ = p.labelOf(id); absf(x-720) > 260 || absf(y-450) > 260 {
		t.Errorf("followed for a while %s is at %.0f, %.0f; want about the middle", id, x, y)
	}
}

func (p *person) labelOf(id string) (x, y float32, ok bool) {
	for _, l := range p.pic.Panes[0].Frame.Layers {
		for _, text := range l.Texts {
			if l.Name == "labels" && text.S == id {
				return text.X, text.Y, true
			}
		}
	}
	return 0, 0, false
}

func absf(v float32) float32 { return max(v, -v) }

// TestCamera: what is under the pointer stays under it, however one zooms, and under the hand that drags.
func TestCamera(t *testing.T) {
	p := sit(t, nil)
	under := func(x, y float32) (float32, float32) { return p.pic.Panes[0].Frame.Transform.Invert(x, y) }
	x0, y0 := under(900, 300)
	p.frame(func(in *desk.Input) { in.X, in.Y, in.WheelY = 900, 300, 3 })
	p.frames(80)
	if x, y := under(900, 300); absf(x-x0) > 2 || absf(y-y0) > 2 {
		t.Errorf("the wheel moved the place under the pointer by %.1f, %.1f m", x-x0, y-y0)
	}
	x0, y0 = under(700, 400)
	p.frame(func(in *desk.Input) { in.X, in.Y = 700, 400 })
	p.frame(func(in *desk.Input) { in.Held = true })
	p.frame(func(in *desk.Input) { in.Held, in.X, in.Y = true, 780, 350 })
	p.frame(func(in *desk.Input) { in.Held, in.X, in.Y = true, 780, 350 })
	if x, y := under(780, 350); absf(x-x0) > 2 || absf(y-y0) > 2 {
		t.Errorf("dragging moved the place under the hand by %.1f, %.1f m", x-x0, y-y0)
	}
	p.frame(nil)
	zoom := p.pic.Panes[0].Frame.Transform.Zoom
	p.frame(func(in *desk.Input) { in.Touches = []desk.Touch{{1, 600, 400}, {2, 700, 400}} })
	p.frame(func(in *desk.Input) { in.Touches = []desk.Touch{{1, 550, 400}, {2, 750, 400}} })
	p.frames(2)
	if got := p.pic.Panes[0].Frame.Transform.Zoom; absf(got/zoom-2) > 0.02 {
		t.Errorf("two fingers twice as far apart zoom by %.2f; want 2", got/zoom)
	}
}

// TestPanels opens every panel, in both themes, and the help.
func TestPanels(t *testing.T) {
	other := opened(t)
	p := sit(t, func(o *desk.Options) { o.Other, o.OtherName, o.Simulator = other, "again", &lab{t: t} })
	for key, want := range map[desk.Key]string{"1": "Heat: demand", "2": "click to door", "3": "From here", "4": "side by side", "/": "robot, delivery", "?": "Keys and gestures"} {
		p.press(key)
		if key != "/" && !p.says(want) {
			t.Errorf("after %s nothing says %q", key, want)
		}
		p.press(desk.Escape)
		p.press(desk.Escape)
		p.press("T")
	}
	p.press("V")
	if len(p.pic.Panes) != 2 {
		t.Errorf("side by side are %d panes; want 2", len(p.pic.Panes))
	}
	p.press("1")
	before := p.pic.Panes[0].Frame.Revision
	p.button("Trails")
	if p.pic.Panes[0].Frame.Revision == before {
		t.Error("switching a layer changed nothing")
	}
}

// TestNothingChanges: a desk that nobody touches costs nothing.
func TestNothingChanges(t *testing.T) {
	p := sit(t, nil)
	p.frames(20)
	in := p.in
	if n := testing.AllocsPerRun(50, func() {
		if p.d.Update(in).Fresh {
			t.Error("the picture is said to be another")
		}
	}); n > 0 {
		t.Errorf("a frame in which nothing changes allocates %v times", n)
	}
}

// TestFixed: a run that cannot be made anew says why.
func TestFixed(t *testing.T) {
	p := sit(t, func(o *desk.Options) { o.Fixed = "because" })
	p.press("3")
	if !p.says("here: because.") && !p.says("because.") {
		t.Error("the panel does not say why there is nothing to be tuned")
	}
}

// lab is a simulator whose future is the run itself, in pieces.
type lab struct {
	t     *testing.T
	after clock.Duration
	asked []string
	fails error
}

func (l *lab) Fields() []setting.Field { return setting.Fields(config.DefaultSettings()) }

func (l *lab) Fork(after clock.Duration, assignments []string) (desk.Future, error) {
	l.after, l.asked = after, assignments
	if l.fails != nil {
		return nil, l.fails
	}
	reader, _ := twintest.Open(l.t)
	file := play.NewFile(reader)
	return &future{file: file, live: play.NewLive(1 << 30)}, nil
}

type future struct {
	file *play.File
	live *play.Live
	next int
}

func (f *future) Step(time.Duration) (bool, error) {
	if f.next == len(f.file.Blocks()) {
		return true, nil
	}
	events, err := f.file.Events(f.next)
	f.next++
	if err != nil {
		return false, err
	}
	return false, f.live.Add(runlog.Piece{Events: events})
}

func (f *future) Log() play.Log                  { return f.live }
func (f *future) Command() string                { return "footway run rush" }
func (f *future) Configuration() ([]byte, error) { return []byte("version: 1\n"), nil }
func (f *future) Stop()                          {}

// TestTune changes a setting by its slider and runs on from the cursor.
func TestTune(t *testing.T) {
	l := &lab{t: t}
	p := sit(t, func(o *desk.Options) { o.Simulator = l })
	p.press("3")
	p.button("From here")
	if !p.says("nothing is changed yet") {
		t.Error("a run with nothing changed is not refused")
	}
	p.button("find a setting")
	p.frame(func(in *desk.Input) { in.Text = "dispatch.policy" })
	p.button("nearest")
	from, _ := p.run.Span()
	at := p.d.Status().Time
	p.button("From here")
	if len(l.asked) != 1 || l.asked[0] != "dispatch.policy=nearest" || l.after != at.Sub(from) {
		t.Fatalf("the simulator was asked for %v after %v; want dispatch.policy=nearest after %v", l.asked, l.after, at.Sub(from))
	}
	if s := p.d.Status(); s.Runs != 2 || len(p.pic.Panes) != 2 {
		t.Errorf("%d runs in %d panes; want 2 in 2", s.Runs, len(p.pic.Panes))
	}
	p.frames(400)
	if s := p.d.Status(); s.Growing || len(s.Other) == 0 || s.Error != "" {
		t.Errorf("the new run grows: %v, has %d KPIs, %q", s.Growing, len(s.Other), s.Error)
	} else if !maps.Equal(s.Other, s.KPIs) {
		t.Errorf("the numbers of the new run, which is the old one anew, are not those of the old one whole:\n%v\n%v", s.Other, s.KPIs)
	}
	p.button("Save settings")
	if r := p.d.Requests(); len(r) == 0 || string(r[len(r)-1].Data) != "version: 1\n" {
		t.Errorf("saving asks for %v", r)
	}
	p.press("K")
	if r := p.d.Requests(); len(r) != 1 || !strings.HasSuffix(r[0].Copy, "change=dispatch.policy=nearest'\nfootway run rush") {
		t.Errorf("copying asks for %v", r)
	}
	l.fails = errors.New("dispatch.policy: want nearest or rolling")
	p.button("From the start")
	if !p.says("want nearest or rolling") {
		t.Error("what is wrong with a setting is not said")
	}
}
