package desk

import (
	"image/color"
	"math"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// kpis are the numbers of a run, computed now and then.
type kpis struct {
	result kpi.Result
	upTo   clock.Time
	whole  bool // the run is over, and all of it is counted
}

// update computes the numbers anew where enough has happened since the last time, and once where the run is over.
func (k *kpis) update(run *play.Run, over bool) {
	at := run.Scanned()
	const every = 10 * clock.Minute
	if at.Sub(k.upTo) < every && !(over && !k.whole) || at == k.upTo && k.whole {
		return
	}
	k.upTo, k.whole = at, over
	k.result = run.KPIs()
}

func (k *kpis) values() map[string]float64 {
	m := make(map[string]float64, len(k.result))
	for _, v := range k.result {
		m[v.Name] = v.Value
	}
	return m
}

// headline are the KPIs that a dispatch engineer looks at first.
var headline = [...]string{
	"on_time_share", "click_to_door_mean", "click_to_door_p90", "ready_to_pickup_mean", "undelivered_share", "deadhead_share", "deliveries_per_robot_hour",
}

// chart is lines over the time of the run, from 0 to the most of all of them.
type chart struct {
	title string
	unit  string
	scale float64 // of a sample's number to the unit
	lines []line
}

// line is a line of a chart. Its dashes tell it apart where its colour does not.
type line struct {
	name  string
	color color.RGBA
	dash  dash
	of    func(*kpi.Sample) int
}

// dash is how long a line is drawn and how long it is not, in points.
type dash struct{ on, off float32 }

// The ways of dashing.
var (
	solid  = dash{1, 0}
	dashed = dash{6, 3}
	dotted = dash{1.6, 2.4}
	long   = dash{13, 3}
)

func (d *Desk) charts() []chart {
	pal := d.ui.pal
	count := func(a kpi.Activity) func(*kpi.Sample) int { return func(s *kpi.Sample) int { return s.Robots[a] } }
	return []chart{
		{"Deliveries open", "", 1, []line{
			{"waiting", pal.Late, solid, func(s *kpi.Sample) int { return s.Waiting }}, {"under way", pal.Good, dashed, func(s *kpi.Sample) int { return s.Active }},
		}},
		{"Robots", "", 1, []line{
			{"carrying", pal.Activity[kpi.Carrying], solid, count(kpi.Carrying)}, {"to pickups", pal.Activity[kpi.Deadhead], dashed, count(kpi.Deadhead)},
			{"idle", pal.Activity[kpi.Idle], dotted, count(kpi.Idle)}, {"charging", pal.Activity[kpi.Charging], long, count(kpi.Charging)},
		}},
		{"Delivered so far", "", 1, []line{
			{"all", pal.Good, dashed, func(s *kpi.Sample) int { return s.Delivered }}, {"late", pal.Late, solid, func(s *kpi.Sample) int { return s.Late }},
		}},
		{"Battery", "%", 0.1, []line{
			{"weakest tenth", pal.Late, solid, func(s *kpi.Sample) int { return s.Battery[0] }}, {"median", pal.Good, dashed, func(s *kpi.Sample) int { return s.Battery[1] }},
		}},
	}
}

func (d *Desk) chartsPanel(x, y, w, high float32) {
	u := &d.ui
	charts := d.charts()
	each := min(128, (high-y-float32(len(headline))*20-84)/float32(len(charts)))
	drawn := false
	for i := range charts {
		if each > 50 {
			d.chart(x, y, w, each-14, &charts[i])
			y, drawn = y+each, true
		}
	}
	if drawn {
		from, to := d.span()
		u.write(x, y-6, 10, faint, false, scene.Left, d.local(from))
		u.write(x+w, y-6, 10, faint, false, scene.Right, d.local(to))
		if len(d.sides) > 1 {
			u.write(x+w/2, y-6, 10, faint, false, scene.Centre, "A thick, B thin")
		}
		y += 10
	}
	if len(d.sides) > 1 {
		u.write(x+w, y+6, 10.5, faint, true, scene.Right, "A  →  B")
		y += 12
	}
	d.numbers(x, y+6, w)
}

// most returns the largest number of a chart's lines, of all runs, rounded up so that the scale is one that people read.
func (d *Desk) most(c *chart) int {
	most := 1
	for _, s := range d.sides {
		samples := s.run.Samples()
		for i := range samples {
			for _, l := range c.lines {
				most = max(most, l.of(&samples[i]))
			}
		}
	}
	for step := 1; ; step *= 10 {
		for _, n := range [...]int{1, 2, 3, 4, 5, 6, 8} {
			if n*step >= most {
				return n * step
			}
		}
	}
}

// chart draws lines over the time of the run; where two runs are compared, the other's are thin.
func (d *Desk) chart(x, y, w, h float32, c *chart) {
	u := &d.ui
	k := u.px
	u.write(x, y+6, 11.5, strong, true, scene.Left, c.title)
	from, to := d.span()
	whole := float32(max(to.Sub(from), 1))
	top, high := y+18, h-18
	if now := sampleAt(d.sides[0].run.Samples(), d.t); c.wide(now) > w {
		d.legend(x+w, y+21, c)
		top, high = top+15, high-15
	} else {
		d.legend(x+w, y+6, c)
	}
	u.pen.Box(x*k, top*k, w*k, high*k, 5*k, scene.Fade(u.pal.InkFaint, 0.1))
	u.pen.Rect(x*k, (top+high/2)*k, w*k, 1*k, scene.Fade(u.pal.InkFaint, 0.18))
	most := d.most(c)
	for i, s := range d.sides {
		for _, l := range c.lines {
			d.curve(s.run.Samples(), l, i > 0, func(t clock.Time, v int) scene.Place {
				return scene.Place{X: (x + w*float32(t.Sub(from))/whole) * k, Y: (top + high - 2 - (high-4)*float32(v)/float32(most)) * k}
			})
		}
	}
	for i, text := range [...]string{c.number(most), c.number(most / 2), "0"} {
		if i == 1 && most%2 != 0 && c.scale == 1 {
			continue // half a robot
		}
		at := top + [...]float32{7, high / 2, high - 7}[i]
		u.pen.Text(scene.Text{X: (x + 4) * k, Y: at * k, Size: 9.5 * k, S: text, Color: u.pal.InkSoft, Halo: u.pal.Panel})
	}
	at := x + w*float32(d.t.Sub(from))/whole
	u.pen.Rect((at-0.75)*k, top*k, 1.5*k, high*k, u.pal.Accent)
}

// legend writes what a chart's lines are, and how much now, at the right end of a line of text.
func (d *Desk) legend(right, y float32, c *chart) {
	u, now := &d.ui, sampleAt(d.sides[0].run.Samples(), d.t)
	k := u.px
	for i := len(c.lines) - 1; i >= 0; i-- {
		l := &c.lines[i]
		label := l.label(c, now)
		right -= scene.TextWidth(label, 10.5, false)
		u.pen.Text(scene.Text{X: right * k, Y: y * k, Size: 10.5 * k, S: label, Color: u.pal.InkSoft})
		d.stroke([]scene.Place{{X: (right - 17) * k, Y: y * k}, {X: (right - 4) * k, Y: y * k}}, l.dash, 2*k, l.color)
		right -= sampleWide
	}
}

const sampleWide = 24 // points of a line's sample in a legend

// label returns what a line is and how much at a sample, if there is one.
func (l *line) label(c *chart, now *kpi.Sample) string {
	if now == nil {
		return l.name
	}
	return l.name + " " + c.number(l.of(now))
}

// wide returns how wide title and legend are beside each other.
func (c *chart) wide(now *kpi.Sample) float32 {
	wide := scene.TextWidth(c.title, 11.5, true)
	for i := range c.lines {
		wide += scene.TextWidth(c.lines[i].label(c, now), 10.5, false) + sampleWide
	}
	return wide
}

// number writes a sample's number in the chart's unit.
func (c *chart) number(v int) string { return kpi.Format(float64(v)*c.scale, kpi.Count) + c.unit }

// curve draws one line.
func (d *Desk) curve(samples []kpi.Sample, l line, thin bool, at func(clock.Time, int) scene.Place) {
	if len(samples) < 2 {
		return
	}
	width, c := 1.8*d.ui.px, l.color
	if thin {
		width, c = 0.9*d.ui.px, scene.Fade(c, 0.75)
	}
	step := max(1, len(samples)/240)
	points := make([]scene.Place, 0, len(samples)/step+1)
	for i := 0; i < len(samples); i += step {
		points = append(points, at(samples[i].T, l.of(&samples[i])))
	}
	d.stroke(points, l.dash, width, c)
}

// stroke draws a line through points in dashes.
func (d *Desk) stroke(points []scene.Place, pattern dash, width float32, c color.RGBA) {
	if pattern.off == 0 {
		d.ui.pen.Ribbon(points, width, width, c, c)
		return
	}
	on, left := true, pattern.on*d.ui.px
	piece := append(make([]scene.Place, 0, 16), points[0])
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		for {
			dx, dy := b.X-a.X, b.Y-a.Y
			length := float32(math.Hypot(float64(dx), float64(dy)))
			if length <= left {
				piece, left = append(piece, b), left-length
				break
			}
			a = scene.Place{X: a.X + dx*left/length, Y: a.Y + dy*left/length}
			if on {
				d.ui.pen.Ribbon(append(piece, a), width, width, c, c)
			}
			on, piece = !on, append(piece[:0], a)
			if left = pattern.off * d.ui.px; on {
				left = pattern.on * d.ui.px
			}
		}
	}
	if on {
		d.ui.pen.Ribbon(piece, width, width, c, c)
	}
}

func sampleAt(samples []kpi.Sample, t clock.Time) *kpi.Sample {
	for i := len(samples) - 1; i >= 0; i-- {
		if samples[i].T <= t {
			return &samples[i]
		}
	}
	return nil
}

// numbers writes the KPIs that are looked at first.
func (d *Desk) numbers(x, y, w float32) {
	u := &d.ui
	a := d.sides[0].kpis.result
	for _, name := range headline {
		v, ok := a.Get(name)
		if !ok {
			continue
		}
		def := definition(name)
		u.write(x, y+8, 12, soft, false, scene.Left, kpi.Label(def))
		text := kpi.Format(v, def.Unit)
		if len(d.sides) > 1 {
			if b, ok := d.sides[1].kpis.result.Get(name); ok {
				text += "  →  " + kpi.Format(b, def.Unit)
			}
		}
		u.write(x+w, y+8, 12, strong, true, scene.Right, text)
		y += 20
	}
}

func definition(name string) kpi.Definition {
	for _, def := range kpi.Definitions() {
		if def.Name == name {
			return def
		}
	}
	return kpi.Definition{Name: name}
}
