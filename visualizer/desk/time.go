package desk

import (
	"strconv"
	"time"

	"footway/core/clock"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// speeds are how much faster than in the city time passes.
var speeds = [...]float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000}

// usualSpeed is how fast a run is played at first.
const usualSpeed = 20

func speedOf(x float64) int {
	for i, v := range speeds {
		if v >= x {
			return i
		}
	}
	return len(speeds) - 1
}

// span returns the times of the first and the last event of all sides.
func (d *Desk) span() (from, to clock.Time) {
	from, to = d.sides[0].run.Span()
	for _, s := range d.sides[1:] {
		if _, end := s.run.Span(); end > to {
			to = end
		}
	}
	return from, to
}

// pass lets time pass.
func (d *Desk) pass(elapsed time.Duration) {
	if d.noteLeft > 0 {
		if d.noteLeft -= elapsed; d.noteLeft <= 0 {
			d.note, d.noteLeft = "", 0
		}
	}
	from, to := d.span()
	if d.playing {
		ms := elapsed.Seconds()*1000*speeds[d.speed] + d.rest
		d.rest = ms - float64(int64(ms))
		d.t = d.t.Add(clock.Duration(ms))
		const behind = 5 * clock.Second
		if d.atEnd && to.Sub(d.t) > behind {
			d.t = to.Add(-clock.Second)
		}
	}
	if d.t >= to {
		d.t = to
		if d.playing && d.o.Live == nil && !d.growing() {
			d.playing = false
		}
	}
	d.t = max(d.t, from)
}

// seek goes to a time.
func (d *Desk) seek(t clock.Time) {
	from, to := d.span()
	d.t, d.rest, d.atEnd = min(max(t, from), to), 0, false
}

// jump goes to the next mark of a kind, selects what it is of, and goes there.
func (d *Desk) jump(k play.MarkKind, back bool) {
	m, ok := d.sides[0].run.Jump(d.t, k, back)
	if !ok {
		d.say("no %s %s", map[bool]string{false: "further", true: "earlier"}[back], k)
		return
	}
	d.seek(m.T)
	d.playing = false
	d.lookAt(m.Entity)
	d.say("%s: %s %s", k, m.Entity, m.Note)
}

// lookAt selects a robot or delivery by its id and goes there.
func (d *Desk) lookAt(id string) {
	st, err := d.sides[0].run.At(d.t)
	if err != nil {
		d.sides[0].err = err
		return
	}
	d.sides[0].state = st
	sel := scene.Selection{Kind: scene.Delivery, ID: id}
	if st.Robot(id) != nil {
		sel.Kind = scene.Robot
	}
	d.choose(0, sel)
	d.goThere()
}

// goThere looks where what is selected is, near enough to see it. It reports whether it is anywhere.
func (d *Desk) goThere() bool {
	const near = 0.8 // points to the metre
	p, ok := d.where(d.view.Selection)
	if ok {
		d.lookAside(p, near)
	}
	return ok
}

// bookmark marks the time, or unmarks it.
func (d *Desk) bookmark() {
	for i, t := range d.marks {
		if abs(t.Sub(d.t)) < clock.Second {
			d.marks = append(d.marks[:i], d.marks[i+1:]...)
			d.say("bookmark removed")
			return
		}
	}
	d.marks = append(d.marks, d.t)
	d.say("bookmark at %s; N goes to the next one", d.local(d.t))
}

func (d *Desk) nextBookmark() {
	best, found := clock.Time(0), false
	for _, t := range d.marks {
		if t > d.t && (!found || t < best) {
			best, found = t, true
		}
	}
	if !found && len(d.marks) > 0 {
		best, found = d.marks[0], true
	}
	if found {
		d.seek(best)
	} else {
		d.say("no bookmarks: B makes one")
	}
}

func abs(v clock.Duration) clock.Duration { return max(v, -v) }

func (d *Desk) local(t clock.Time) string {
	in := scene.Input{Zone: d.o.Zone}
	return in.Local(t).Format("15:04:05")
}

const (
	barHigh = 74 // points of the bar at the lower edge
	barPad  = 14
)

// timeBar draws the controls of time.
func (d *Desk) timeBar(in *Input) {
	u := &d.ui
	y := float32(in.Height) - barHigh
	w := float32(in.Width)
	u.panel(0, y, w, barHigh, 0)
	d.track1(in, barPad, y+10, w-2*barPad)
	d.buttons(in, barPad, y+38)
}

// track1 draws the run's time from its beginning to its end, and takes scrubbing.
func (d *Desk) track1(in *Input, x, y, w float32) {
	u := &d.ui
	const high = 20
	k := u.px
	from, to := d.span()
	whole := float32(max(to.Sub(from), 1))
	at := func(t clock.Time) float32 { return x + w*float32(t.Sub(from))/whole }
	u.pen.Box(x*k, y*k, w*k, high*k, 5*k, scene.Fade(u.pal.InkFaint, 0.16))
	d.density(x, y, high, at)
	for _, m := range d.sides[0].run.Marks() {
		c := u.pal.Soon
		switch m.Kind {
		case play.Late:
			c = u.pal.Late
		case play.Stuck, play.Trouble:
			c = u.pal.Activity[6]
		case play.Custody:
			c = u.pal.Accent
		case play.Refusal, play.Cancelled:
			continue
		case play.Gap:
			u.pen.Rect((at(m.T)-2)*k, y*k, 4*k, high*k, u.pal.Late)
			continue
		}
		u.pen.Rect((at(m.T)-0.7)*k, (y+high-6)*k, 1.4*k, 6*k, c)
	}
	for _, t := range d.marks {
		u.pen.Disc(at(t)*k, (y-1)*k, 3.4*k, u.pal.Accent)
	}
	now := at(d.t)
	u.pen.Rect((now-1)*k, (y-4)*k, 2*k, (high+8)*k, u.pal.Accent)
	u.pen.Disc(now*k, (y-4)*k, 5*k, u.pal.Accent)
	hot := u.over(x-6, y-8, w+12, high+14)
	when := from.Add(clock.Duration(float32(to.Sub(from)) * min(max((in.X-x)/w, 0), 1)))
	if hot && u.down {
		u.active = "scrub"
	}
	if u.active == "scrub" && in.Held {
		d.seek(when)
	}
	if hot || u.active == "scrub" {
		u.bubble(in.X-30, y-32, d.local(when))
	}
}

// density draws how many events there were when, and how far a new run has come.
func (d *Desk) density(x, y, high float32, at func(clock.Time) float32) {
	u := &d.ui
	k := u.px
	from, _ := d.span()
	all := d.sides[0].run.Density()
	most := 1
	for _, n := range all {
		most = max(most, n)
	}
	step := max(1, len(all)/int(max(1, d.width/2)))
	for i := 0; i < len(all); i += step {
		n := 0
		for _, v := range all[i:min(i+step, len(all))] {
			n = max(n, v)
		}
		a, b := at(from.Add(clock.Duration(i)*clock.Minute)), at(from.Add(clock.Duration(i+step)*clock.Minute))
		h := high * float32(n) / float32(most)
		u.pen.Rect(a*k, (y+high-h)*k, max(b-a-0.4, 0.6)*k, h*k, scene.Fade(u.pal.InkFaint, 0.5))
	}
	if len(d.sides) > 1 && d.sides[1].future != nil {
		_, end := d.sides[1].run.Span()
		u.pen.Rect(x*k, (y+high+2)*k, (at(end)-x)*k, 2*k, u.pal.Accent)
	}
}

// buttons draws the row of buttons below the track.
func (d *Desk) buttons(in *Input, x, y float32) {
	u := &d.ui
	const high = 26
	label := "Play"
	if d.playing {
		label = "Pause"
	}
	put := func(id string, w float32, label string, on bool, tip string) bool {
		clicked := u.button(id, x, y, w, high, label, on)
		if u.over(x, y, w, high) && !in.Held {
			u.tip = tip
		}
		x += w + 6
		return clicked
	}
	if put("play", 62, label, d.playing, "Space") {
		d.playing = !d.playing
	}
	if put("slower", 26, "−", false, "slower: Down") {
		d.speed = max(0, d.speed-1)
	}
	u.write(x+24, y+high/2, 12.5, strong, true, scene.Centre, strconv.FormatFloat(speeds[d.speed], 'g', -1, 64)+"×")
	x += 54
	if put("faster", 26, "+", false, "faster: Up") {
		d.speed = min(len(speeds)-1, d.speed+1)
	}
	if in.Width > 620 {
		x += 8
		if put("prev", 26, "‹", false, "event before: Shift+Left") {
			d.stepEvent(true)
		}
		if put("next", 26, "›", false, "next event: Shift+Right") {
			d.stepEvent(false)
		}
	}
	if in.Width > 900 {
		x += 8
		for _, j := range jumps {
			if put("jump"+j.label, j.wide, j.label, false, "next "+j.kind.String()+": "+string(j.key)) {
				d.jump(j.kind, in.Shift)
			}
		}
	}
	if d.o.Live != nil {
		if put("live", 52, "Live", d.atEnd, "as it happens: End") {
			d.goLive()
		}
		if in.Width > 1100 {
			u.write(x+4, y+high/2, 11.5, soft, false, scene.Left, d.o.Live())
		}
	}
	d.tools(in, y, high)
}

func (d *Desk) goLive() {
	_, d.t = d.span()
	d.atEnd, d.playing, d.speed = true, true, speedOf(1)
}

// stepEvent goes to the next or the last event.
func (d *Desk) stepEvent(back bool) {
	d.playing = false
	next := d.sides[0].run.Next
	if back {
		next = d.sides[0].run.Prev
	}
	if t, ok := next(d.t); ok {
		d.seek(t)
	}
}

// jumps are the kinds of marks that one jumps to.
var jumps = [...]struct {
	label string
	wide  float32
	key   Key
	kind  play.MarkKind
}{{"Late", 46, "L", play.Late}, {"Stuck", 52, "S", play.Stuck}, {"Custody", 66, "C", play.Custody}}
