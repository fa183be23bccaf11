package desk

import (
	"image/color"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// kpis are the numbers of a run, computed now and then.
type kpis struct {
	result kpi.Result
	upTo   clock.Time
	whole  bool
}

// update computes the numbers anew where enough has happened since the last time.
func (k *kpis) update(run *play.Run, done bool) {
	at := run.Scanned()
	const every = 10 * clock.Minute
	if at.Sub(k.upTo) < every && !(done && !k.whole) || at == k.upTo && k.whole {
		return
	}
	k.upTo, k.whole = at, done
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

// line is a line of a chart.
type line struct {
	name  string
	color color.RGBA
	of    func(*kpi.Sample) int
}

func (d *Desk) chartsPanel(x, y, w, high float32) {
	u := &d.ui
	pal := u.pal
	count := func(a kpi.Activity) func(*kpi.Sample) int { return func(s *kpi.Sample) int { return s.Robots[a] } }
	charts := []struct {
		title string
		lines []line
	}{
		{"Deliveries", []line{
			{"waiting", pal.Late, func(s *kpi.Sample) int { return s.Waiting }}, {"under way", pal.Good, func(s *kpi.Sample) int { return s.Active }},
		}},
		{"Robots", []line{
			{"carrying", pal.Activity[kpi.Carrying], count(kpi.Carrying)}, {"to pickups", pal.Activity[kpi.Deadhead], count(kpi.Deadhead)},
			{"idle", pal.Activity[kpi.Idle], count(kpi.Idle)}, {"charging", pal.Activity[kpi.Charging], count(kpi.Charging)},
		}},
		{"Delivered", []line{
			{"all", pal.Good, func(s *kpi.Sample) int { return s.Delivered }}, {"late", pal.Late, func(s *kpi.Sample) int { return s.Late }},
		}},
		{"Battery, permille", []line{
			{"weakest tenth", pal.Late, func(s *kpi.Sample) int { return s.Battery[0] }}, {"median", pal.Good, func(s *kpi.Sample) int { return s.Battery[1] }},
		}},
	}
	each := min(128, (high-y-float32(len(headline))*20-56)/float32(len(charts)))
	for _, c := range charts {
		if each > 50 {
			d.chart(x, y, w, each-14, c.title, c.lines)
			y += each
		}
	}
	d.numbers(x, y+6, w)
}

// chart draws lines over the time of the run; where two runs are compared, the other's are thin.
func (d *Desk) chart(x, y, w, h float32, title string, lines []line) {
	u := &d.ui
	k := u.px
	u.write(x, y+6, 11.5, strong, true, scene.Left, title)
	from, to := d.span()
	whole := float32(max(to.Sub(from), 1))
	top, high := y+18, h-18
	u.pen.Box(x*k, top*k, w*k, high*k, 5*k, scene.Fade(u.pal.InkFaint, 0.1))
	most := 1
	for _, s := range d.sides {
		samples := s.run.Samples()
		for i := range samples {
			for _, l := range lines {
				most = max(most, l.of(&samples[i]))
			}
		}
	}
	for i, s := range d.sides {
		for _, l := range lines {
			d.curve(s.run.Samples(), l, i > 0, func(t clock.Time, v int) scene.Place {
				return scene.Place{X: (x + w*float32(t.Sub(from))/whole) * k, Y: (top + high - 2 - (high-6)*float32(v)/float32(most)) * k}
			})
		}
	}
	at := x + w*float32(d.t.Sub(from))/whole
	u.pen.Rect((at-0.75)*k, top*k, 1.5*k, high*k, u.pal.Accent)
	now := sampleAt(d.sides[0].run.Samples(), d.t)
	right := x + w
	for i := len(lines) - 1; i >= 0; i-- {
		label := lines[i].name
		if now != nil {
			label += " " + kpi.Format(float64(lines[i].of(now)), kpi.Count)
		}
		right -= scene.TextWidth(label, 10.5, false)
		u.pen.Text(scene.Text{X: right * k, Y: (y + 6) * k, Size: 10.5 * k, S: label, Color: u.pal.InkSoft})
		u.pen.Disc((right-6)*k, (y+6)*k, 3*k, lines[i].color)
		right -= 16
	}
}

// curve draws one line.
func (d *Desk) curve(samples []kpi.Sample, l line, thin bool, at func(clock.Time, int) scene.Place) {
	if len(samples) < 2 {
		return
	}
	width, c := 1.7*d.ui.px, l.color
	if thin {
		width, c = 0.9*d.ui.px, scene.Mix(c, d.ui.pal.Accent, 0.35)
	}
	step := max(1, len(samples)/240)
	points := make([]scene.Place, 0, len(samples)/step+1)
	for i := 0; i < len(samples); i += step {
		points = append(points, at(samples[i].T, l.of(&samples[i])))
	}
	d.ui.pen.Ribbon(points, width, width, c, c)
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
