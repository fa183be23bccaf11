package scene

import (
	"fmt"
	"image/color"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/visualizer/play"
)

// Fact is a line of what is known of something.
type Fact struct{ Name, Value string }

// Facts returns what is known now of something, the most important first: for inspectors.
func (s *Scene) Facts(in Input, what Selection) (title, subtitle string, facts []Fact) {
	if in.State == nil {
		return "", "", nil
	}
	switch what.Kind {
	case Robot:
		if r := in.State.Robot(what.ID); r != nil {
			return r.ID, robotKind(r), robotFacts(r)
		}
	case Delivery:
		if d := in.State.Delivery(what.ID); d != nil {
			return d.ID, strings.ReplaceAll(string(d.State), "_", " "), deliveryFacts(in, d)
		}
		return what.ID, "is not under way now", nil
	case Merchant:
		if m := s.merchant(what.ID); m != nil {
			return m.Name, strings.ReplaceAll(m.Kind, "_", " "), s.merchantFacts(in, m.Name)
		}
	case Dock:
		if d := in.State.Dock(what.ID); d != nil {
			return string(d.ID), "charging dock", dockFacts(in.State, d.Slots, string(d.ID))
		}
	}
	return "", "", nil
}

func robotKind(r *play.Robot) string {
	kind := strings.ReplaceAll(string(r.Kind), "_", " ")
	return kind + ", " + activityNames[r.Activity]
}

func robotFacts(r *play.Robot) []Fact {
	f := []Fact{{"state", strings.ReplaceAll(string(r.State), "_", " ")}}
	if share := r.ChargePermille(); share >= 0 {
		f = append(f, Fact{"charge", fmt.Sprintf("%d%%  (%.0f of %.0f Wh)", share/10, float64(r.ChargeMWh)/1000, float64(r.CapacityMWh)/1000)})
	}
	if r.Holder != "" {
		f = append(f, Fact{"held by", r.Holder})
	}
	if r.Delivery != "" {
		load := "empty"
		if r.Loaded {
			load = "loaded"
		}
		f = append(f, Fact{"drives for", r.Delivery + ", " + load})
	}
	if r.Halted {
		f = append(f, Fact{"stopped", strings.ReplaceAll(r.Cause, "_", " ")})
	}
	if r.Helped {
		f = append(f, Fact{"operator", "helps"})
	}
	if r.Dock != "" {
		f = append(f, Fact{"at dock", string(r.Dock)})
	}
	return f
}

func deliveryFacts(in Input, d *play.Delivery) []Fact {
	t := in.State.T
	at := func(x clock.Time) string { return in.Local(x).Format("15:04") }
	f := []Fact{{"since", at(d.Since) + ", for " + play.Short(t.Sub(d.Since))}}
	if d.Promise.DropoffP90 > 0 {
		left := d.Left(t)
		state := play.Short(left) + " left"
		if left < 0 {
			state = play.Short(-left) + " late"
		}
		f = append(f, Fact{"promised by", at(d.Promise.DropoffP90) + ", " + state})
	}
	if d.Expected.DropoffP50 > 0 {
		f = append(f, Fact{"expected at", at(d.Expected.DropoffP50)})
	}
	switch {
	case d.Ready > 0:
		f = append(f, Fact{"goods", "ready since " + at(d.Ready)})
	case d.ReadyAt > 0:
		f = append(f, Fact{"goods", "to be ready at " + at(d.ReadyAt)})
	}
	if d.Robot != "" {
		f = append(f, Fact{"robot", d.Robot + ", attempt " + strconv.Itoa(d.Attempt)})
	}
	f = append(f, Fact{"route", play.Distance(d.RouteMM)})
	if d.Partner != "" {
		f = append(f, Fact{"partner", d.Partner + " · " + d.External})
	}
	if d.Trouble != "" {
		f = append(f, Fact{"trouble", strings.ReplaceAll(d.Trouble, "_", " ")})
	}
	return f
}

func (s *Scene) merchantFacts(in Input, name string) []Fact {
	open := 0
	for i := range in.State.Deliveries {
		if in.State.Deliveries[i].Store == name {
			open++
		}
	}
	if open == 0 {
		return nil
	}
	return []Fact{{"deliveries", strconv.Itoa(open) + " under way"}}
}

func dockFacts(st *play.State, slots int, id string) []Fact {
	var who []string
	for i := range st.Robots {
		if string(st.Robots[i].Dock) == id {
			who = append(who, st.Robots[i].ID)
		}
	}
	f := []Fact{{"slots", fmt.Sprintf("%d of %d taken", len(who), slots)}}
	if len(who) > 0 {
		f = append(f, Fact{"robots", strings.Join(who, ", ")})
	}
	return f
}

// Decision returns how the decision on a delivery came about, as lines to read.
func Decision(x *play.Explanation) []Fact {
	if x == nil || x.Decision.Why == nil {
		return nil
	}
	w := x.Decision.Why
	f := []Fact{
		{"policy", w.Policy + ", round " + strconv.FormatUint(w.Round, 10)},
		{"choice", fmt.Sprintf("%d requests, %d robots", w.Waiting, w.Candidates)},
		{"deadhead", took(w.Deadhead) + ", " + play.Distance(w.DeadheadMM)},
		{"cost", worth(w.Cost)},
		{"price", worth(w.Price)},
	}
	if w.RunnerUp != "" {
		how := "as good"
		if w.RunnerUpCloser >= clock.Second {
			how = "wins if " + took(w.RunnerUpCloser) + " closer"
		}
		f = append(f, Fact{"next best", string(w.RunnerUp) + ", " + how})
	}
	if w.Held > 0 {
		f = append(f, Fact{"held back", took(w.Held)})
	}
	return f
}

// took writes a time that was measured or reckoned, as KPIs are: 2:20. How long there is to go, and how long something
// has lasted, is rounded by play.Short.
func took(d clock.Duration) string { return kpi.Format(d.Seconds(), kpi.Seconds) }

// worth writes a cost or price, which is in milliseconds' worth.
func worth(v int64) string { return took(clock.Duration(v)) + " of robot time" }

// InspectorWide is how much of the right edge the inspector takes, in points.
const InspectorWide = panelWide + margin

const panelWide = 320

// drawPanel draws the inspector of what is selected.
func (s *Scene) drawPanel() {
	if !s.shows(ShowInspector) || s.view.Selection.Kind == Nothing || s.in.State == nil {
		return
	}
	title, subtitle, facts := s.Facts(s.in, s.view.Selection)
	if title == "" {
		return
	}
	var why []Fact
	var lines []play.Line
	if s.in.Story != nil {
		lines = until(s.in.Story.Timeline(s.view.Selection.ID), s.in.State.T)
		if s.view.Selection.Kind == Delivery {
			why = Decision(s.in.Story.Explain(s.view.Selection.ID))
		}
	}
	high := float32(58 + len(facts)*rowHigh)
	if len(why) > 0 {
		high += float32(28 + len(why)*rowHigh)
	}
	if room := int((float32(s.view.Height) - s.view.InsetBottom - 2*margin - 50 - high - 40) / rowHigh); len(lines) > max(room, 0) {
		lines = lines[len(lines)-max(room, 0):]
	}
	if len(lines) > 0 {
		high += float32(28 + len(lines)*rowHigh)
	}
	x := float32(s.view.Width) - s.view.InsetRight - margin - panelWide
	s.card(layerPanel, x, margin, panelWide, high+6)
	w := writer{s, x + cardPad, margin + cardPad + 8}
	w.line(17, s.palette.Ink, true, Clip(title, 17, panelWide-2*cardPad, true))
	w.y += 4
	w.line(11.5, s.palette.InkSoft, false, subtitle)
	w.y += 4
	w.facts(facts)
	if len(why) > 0 {
		w.head("DECISION")
		w.facts(why)
	}
	if len(lines) > 0 {
		w.head("TIMELINE")
		w.timeline(lines)
	}
}

// until returns the lines that have happened by t.
func until(lines []play.Line, t clock.Time) []play.Line {
	n := len(lines)
	for n > 0 && lines[n-1].T > t {
		n--
	}
	return lines[:n]
}

// writer writes rows of a card, in points.
type writer struct {
	s    *Scene
	x, y float32
}

func (w *writer) line(size float32, c color.RGBA, isBold bool, text string) {
	w.s.words(layerPanel, w.x, w.y, size, c, isBold, Left, text)
	w.y += rowHigh
}

func (w *writer) head(text string) {
	w.y += 8
	w.line(10.5, w.s.palette.InkFaint, true, text)
}

func (w *writer) facts(facts []Fact) {
	const at = 82
	for _, f := range facts {
		w.s.words(layerPanel, w.x, w.y, 11.5, w.s.palette.InkSoft, false, Left, f.Name)
		w.s.words(layerPanel, w.x+at, w.y, 11.5, w.s.palette.Ink, false, Left, Clip(f.Value, 11.5, panelWide-2*cardPad-at, false))
		w.y += rowHigh
	}
}

func (w *writer) timeline(lines []play.Line) {
	const at = 54
	for i := range lines {
		l := &lines[i]
		w.s.words(layerPanel, w.x, w.y, 11, w.s.palette.InkFaint, false, Left, w.s.in.Local(l.T).Format("15:04:05"))
		text := l.What
		if l.Note != "" {
			text += "  ·  " + l.Note
		}
		w.s.words(layerPanel, w.x+at, w.y, 11.5, w.s.palette.Ink, false, Left, Clip(text, 11.5, panelWide-2*cardPad-at, false))
		w.y += rowHigh
	}
}
