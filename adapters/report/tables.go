package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/kpi"
)

// tile is a number at the top of the page.
type tile struct{ Title, Value, Note string }

// headline returns the numbers that a reader looks for first.
func headline(run *kpi.Run) []tile {
	res := kpi.Compute(run)
	text := func(name string) string {
		for _, v := range res {
			if v.Name == name {
				return kpi.Format(v.Value, v.Unit)
			}
		}
		return "–"
	}
	return []tile{
		{"Delivered", text("delivered"), "of " + text("accepted") + " accepted"},
		{"On time", text("on_time_share"), "by the promised P90"},
		{"Click to door", text("click_to_door_p50"), "median; P90 " + text("click_to_door_p90")},
		{"Ready to pickup", text("ready_to_pickup_p50"), "median; P90 " + text("ready_to_pickup_p90")},
		{"Per robot", text("deliveries_per_robot_hour"), text("robot_utilisation") + " of time reserved"},
		{"Deadhead", text("deadhead_share"), "of " + text("distance_km")},
	}
}

// kpiGroup is the KPIs below one heading.
type kpiGroup struct {
	Name string
	Rows []kpiRow
}

// kpiRow is one KPI.
type kpiRow struct{ Name, Label, Value, Doc, Better string }

func groups(run *kpi.Run) []kpiGroup {
	var all []kpiGroup
	for _, d := range kpi.Definitions() {
		v, ok := d.Of(run)
		if !ok {
			continue
		}
		if len(all) == 0 || all[len(all)-1].Name != d.Group {
			all = append(all, kpiGroup{Name: d.Group})
		}
		g := &all[len(all)-1]
		g.Rows = append(g.Rows, kpiRow{d.Name, kpi.Label(d), kpi.Format(v, d.Unit), d.Doc, string(d.Better)})
	}
	return all
}

// phase is a part of the time from click to door.
type phase struct {
	Class, Name, Doc string
}

func phases() []phase {
	docs := [kpi.Phases]string{
		"until the robot that came was assigned", "until the robot was at the pickup", "until the goods were ready",
		"until the goods were loaded", "driving to the recipient", "waiting at crossings", "until the recipient had the goods",
	}
	var all []phase
	for p := range kpi.Phases {
		all = append(all, phase{fmt.Sprintf("p%d", p), p.String(), docs[p]})
	}
	return all
}

// part is a stretch of a bar.
type part struct {
	Class, Text, Title string
	Percent            float64 // of the bar's full width
}

// breakdown is a bar: where a group of deliveries spent its time.
type breakdown struct {
	Name, Total string
	Parts       []part
}

// breakdowns returns the mean of all deliveries, and of the slowest tenth.
func breakdowns(run *kpi.Run) []breakdown {
	type timed struct {
		parts [kpi.Phases]clock.Duration
		total clock.Duration
		id    string
	}
	var all []timed
	for _, r := range run.Records {
		if parts, ok := r.Phases(); ok && r.Delivered() {
			all = append(all, timed{parts, r.Ended.Sub(r.Requested), r.Delivery})
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.SortFunc(all, func(a, b timed) int { return cmp.Or(cmp.Compare(b.total, a.total), cmp.Compare(a.id, b.id)) })
	meanOf := func(group []timed) (mean [kpi.Phases]clock.Duration) {
		for _, t := range group {
			for p, d := range t.parts {
				mean[p] += d
			}
		}
		for p := range mean {
			mean[p] /= clock.Duration(len(group))
		}
		return mean
	}
	slow := meanOf(all[:max(len(all)/10, 1)])
	var full clock.Duration
	for _, d := range slow {
		full += d
	}
	return []breakdown{bar("All deliveries", meanOf(all), full), bar("The slowest tenth", slow, full)}
}

// bar draws phases as parts of full.
func bar(name string, durations [kpi.Phases]clock.Duration, full clock.Duration) breakdown {
	b := breakdown{Name: name}
	var total clock.Duration
	for p, d := range durations {
		total += d
		percent := float64(d) * 100 / float64(max(full, 1))
		text := ""
		if percent >= 6 {
			text = span60(d)
		}
		b.Parts = append(b.Parts, part{fmt.Sprintf("p%d", p), text, kpi.Phase(p).String() + " " + span60(d), percent})
	}
	b.Total = span60(total)
	return b
}

// span60 writes a duration as m:ss.
func span60(d clock.Duration) string { return kpi.Format(d.Seconds(), kpi.Seconds) }

// worst is a delivery that went badly.
type worst struct {
	ID, Store, Robot, Accepted, Promised, Ended, Late, Total, Note string
	Failed                                                         bool
	Bar                                                            breakdown
}

// worst returns the n deliveries that went worst: those that failed, and those
// that missed their promise by most.
func (r Report) worst(n int) []worst {
	var all []*kpi.Record
	for _, d := range r.Run.Records {
		if d.Undelivered() || d.Delivered() && d.Ended > d.Promise.DropoffP90 {
			all = append(all, d)
		}
	}
	slices.SortFunc(all, func(a, b *kpi.Record) int {
		return cmp.Or(
			-compareBool(a.Undelivered(), b.Undelivered()),
			-cmp.Compare(a.Ended.Sub(a.Promise.DropoffP90), b.Ended.Sub(b.Promise.DropoffP90)),
			cmp.Compare(a.Delivery, b.Delivery))
	})
	failed := slices.IndexFunc(all, func(d *kpi.Record) bool { return !d.Undelivered() })
	if failed > n/2 { // room for the late ones
		all = slices.Delete(all, n/2, failed)
	}
	all = all[:min(n, len(all))]
	var longest clock.Duration
	for _, d := range all {
		longest = max(longest, d.Ended.Sub(d.Requested))
	}
	var rows []worst
	for _, d := range all {
		rows = append(rows, r.row(d, longest))
	}
	return rows
}

func (r Report) row(d *kpi.Record, longest clock.Duration) worst {
	w := worst{
		ID: d.Delivery, Store: d.Store, Robot: d.Robot, Failed: d.Undelivered(), Note: note(d),
		Accepted: r.local(d.Requested).Format("15:04"), Promised: r.local(d.Promise.DropoffP90).Format("15:04"),
		Ended: r.local(d.Ended).Format("15:04"), Total: span60(d.Ended.Sub(d.Requested)),
	}
	if d.Delivered() {
		w.Late = kpi.FormatChange(d.Ended.Sub(d.Promise.DropoffP90).Seconds(), kpi.Seconds)
	}
	if parts, ok := d.Phases(); ok {
		w.Bar = bar("", parts, longest)
	}
	return w
}

// note says what was special about a delivery.
func note(d *kpi.Record) string {
	var words []string
	switch {
	case d.Undelivered() && d.Reason != "":
		words = append(words, strings.ReplaceAll(string(d.Reason), "_", " "))
	case d.Undelivered():
		words = append(words, string(d.State))
	}
	if d.Undelivered() && d.Cause != "" {
		words = append(words, strings.ReplaceAll(d.Cause, "_", " "))
	}
	for _, c := range []struct {
		n    int
		text string
	}{{d.Redispatches, "redispatched"}, {d.Transfers, "changed carrier"}, {d.Troubles, "in trouble"}} {
		if c.n > 0 {
			words = append(words, fmt.Sprintf("%s %d×", c.text, c.n))
		}
	}
	return strings.Join(words, "; ")
}

// compareBool orders false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}
