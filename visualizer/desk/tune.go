package desk

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/core/setting"
	"footway/visualizer/scene"
)

// change is a setting that a new run would have otherwise.
type change struct{ path, value string }

// value returns what a setting is, or would be.
func (d *Desk) value(f *setting.Field) (string, bool) {
	for _, c := range d.changes {
		if c.path == f.Path {
			return c.value, true
		}
	}
	return f.Default, false
}

// set changes a setting, or forgets the change where it is what it was.
func (d *Desk) set(f *setting.Field, value string) {
	d.changes = slices.DeleteFunc(d.changes, func(c change) bool { return c.path == f.Path })
	if value != f.Default {
		d.changes = append(d.changes, change{f.Path, value})
	}
}

// tunePanel is made from what the settings say of themselves.
func (d *Desk) tunePanel(in *Input, x, y, w, high float32) {
	u := &d.ui
	if d.o.Simulator == nil {
		for i, part := range wrap("This run cannot be made anew here"+d.why()+".", 12, w) {
			u.write(x, y+8+float32(i)*18, 12, soft, false, scene.Left, part)
		}
		return
	}
	y = d.tuneHead(x, y, w)
	u.field("filter", x, y, w, "find a setting", &d.filter)
	y += 40
	fields := d.fields()
	const rowPoints = 46
	top := y
	if u.over(x-18, top, w+36, high-top) && in.WheelY != 0 {
		d.scroll -= float32(in.WheelY) * 40
	}
	d.scroll = min(max(d.scroll, 0), max(0, float32(len(fields))*rowPoints-(high-top)))
	for i := range fields {
		row := top + float32(i)*rowPoints - d.scroll
		if row < top-2 || row+rowPoints > high {
			continue
		}
		d.tuneRow(&fields[i], x, row, w)
	}
	if more := float32(len(fields))*rowPoints - (high - top); more > 0 {
		k, track := u.px, high-top
		size := track * track / (track + more)
		u.pen.Box((x+w+9)*k, (top+(track-size)*d.scroll/more)*k, 4*k, size*k, 2*k, scene.Fade(u.pal.InkFaint, 0.6))
	}
}

// why says why nothing can be made anew, behind a sentence that says that it cannot.
func (d *Desk) why() string {
	if d.o.Fixed == "" {
		return ""
	}
	return ": " + d.o.Fixed
}

// fields returns the settings that the filter lets through and that a control can show.
func (d *Desk) fields() []setting.Field {
	var out []setting.Field
	for _, f := range d.o.Simulator.Fields() {
		switch f.Type {
		case "duration", "integer", "number":
			if f.Min == "" || f.Max == "" {
				continue
			}
		case "boolean":
		default:
			if len(f.Enum) == 0 {
				continue
			}
		}
		if strings.Contains(f.Path, strings.ToLower(d.filter)) {
			out = append(out, f)
		}
	}
	return out
}

// tuneHead has the buttons that do something with what was changed.
func (d *Desk) tuneHead(x, y, w float32) float32 {
	u := &d.ui
	half := (w - 8) / 2
	if u.button("fork", x, y, half, 30, "From here", false) {
		d.tryOut(true)
	}
	if u.button("anew", x+half+8, y, half, 30, "From the start", false) {
		d.tryOut(false)
	}
	if u.over(x, y, half, 30) {
		u.tip = "run on from " + d.local(d.t) + " with these settings"
	}
	y += 38
	if u.button("save", x, y, half, 26, "Save settings", false) {
		d.saveSettings()
	}
	if u.button("reset", x+half+8, y, half, 26, "Reset", false) {
		d.changes, d.tuneErr = nil, ""
	}
	y += 36
	if d.tuneErr != "" {
		for _, part := range wrap(d.tuneErr, 11.5, w) {
			u.write(x, y+4, 11.5, warning, false, scene.Left, part)
			y += 16
		}
		y += 8
	}
	return y
}

// wrap breaks a text into lines no wider than w, at spaces.
func wrap(text string, size, w float32) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		next := strings.TrimSpace(line + " " + word)
		if line != "" && scene.TextWidth(next, size, false) > w {
			lines = append(lines, line)
			next = word
		}
		line = next
	}
	return append(lines, line)
}

// tuneRow draws one setting with its control.
func (d *Desk) tuneRow(f *setting.Field, x, y, w float32) {
	u := &d.ui
	value, changed := d.value(f)
	i := soft
	if changed {
		i = accent
	}
	shown := value
	if f.Unit != "" {
		shown += " " + f.Unit
	}
	u.write(x, y+10, 12, strong, changed, scene.Left, scene.Clip(f.Path, 12, w-scene.TextWidth(shown, 12, changed)-10, changed))
	u.write(x+w, y+10, 12, i, changed, scene.Right, shown)
	if u.over(x, y, w, 20) {
		u.tip = scene.Clip(f.Doc, 11.5, float32(u.in.Width)-60, false)
	}
	switch {
	case f.Type == "boolean":
		if u.check("set"+f.Path, x, y+20, w, map[string]string{"true": "on", "false": "off"}[value], value == "true") {
			d.set(f, strconv.FormatBool(value != "true"))
		}
	case len(f.Enum) > 0:
		at := x
		for _, e := range f.Enum {
			wide := scene.TextWidth(e, 12, true) + 18
			if u.button("set"+f.Path+e, at, y+20, wide, 20, e, e == value) {
				d.set(f, e)
			}
			at += wide + 6
		}
	default:
		s := scaleOf(f)
		if share, moved := u.slide("set"+f.Path, x+6, y+20, w-12, s.share(value)); moved {
			d.set(f, s.value(share))
		}
	}
}

// scale is a slider's way from a setting's least value to its most: by powers where they are far apart.
type scale struct {
	low, high float64
	duration  bool
	whole     bool
	powers    bool
}

func scaleOf(f *setting.Field) scale {
	s := scale{duration: f.Type == "duration", whole: f.Type == "integer"}
	s.low, s.high = s.number(f.Min), s.number(f.Max)
	const far = 200
	s.powers = s.low > 0 && s.high/s.low > far || s.low == 0 && s.high > far
	return s
}

// number reads a value: a duration in ms.
func (s *scale) number(text string) float64 {
	if s.duration {
		var d clock.Duration
		if d.UnmarshalText([]byte(text)) != nil {
			return 0
		}
		return float64(d)
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return v
}

// bend maps a value so that a powers' scale is even; it is defined at 0.
func (s *scale) bend(v float64) float64 {
	if !s.powers {
		return v
	}
	return math.Log1p(v / s.knee())
}

// knee is where a scale of powers begins to be one.
func (s *scale) knee() float64 { return max(s.low, s.high/10_000) }

func (s *scale) share(text string) float32 {
	v := min(max(s.number(text), s.low), s.high)
	return float32((s.bend(v) - s.bend(s.low)) / (s.bend(s.high) - s.bend(s.low)))
}

// value returns the setting at a share of the way, rounded as people would.
func (s *scale) value(share float32) string {
	b := s.bend(s.low) + float64(share)*(s.bend(s.high)-s.bend(s.low))
	v := b
	if s.powers {
		v = math.Expm1(b) * s.knee()
	}
	if s.duration {
		v = round(v, 100)
		if v >= 10_000 {
			v = round(v, 1000)
		}
		if v >= 600_000 {
			v = round(v, 60_000)
		}
		return clock.Duration(min(max(v, s.low), s.high)).String()
	}
	if s.whole {
		step := math.Pow(10, math.Floor(math.Log10(max(v, 1)))-1)
		v = round(v, max(1, step))
		return strconv.FormatInt(int64(min(max(v, s.low), s.high)), 10)
	}
	return strconv.FormatFloat(min(max(round(v, (s.high-s.low)/1000), s.low), s.high), 'g', 6, 64)
}

func round(v, step float64) float64 { return math.Round(v/step) * step }

// saveSettings saves a configuration file that production loads.
func (d *Desk) saveSettings() {
	if d.made.future == nil {
		d.tuneErr = "run it first: what is saved is what was tried"
		return
	}
	text, err := d.made.future.Configuration()
	if err != nil {
		d.tuneErr = err.Error()
		return
	}
	d.outbox = append(d.outbox, Request{Save: "footway-settings.yaml", Data: text})
	d.say("saved footway-settings.yaml; footway config check reads it")
}
