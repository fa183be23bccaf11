package desk

import (
	"footway/core/clock"
	"footway/core/kpi"
	"footway/visualizer/scene"
)

// comparison is how two runs differ, computed when both are known far enough.
type comparison struct {
	changes []kpi.Change
	upTo    [2]clock.Time
}

// compared returns how the runs differ. While one grows, it is computed now and then.
func (d *Desk) compared() []kpi.Change {
	c := &d.comparison
	a, b := d.sides[0], d.sides[1]
	at := [2]clock.Time{a.kpis.upTo, b.kpis.upTo}
	if at == c.upTo && c.changes != nil {
		return c.changes
	}
	c.upTo = at
	c.changes = kpi.Compare(a.run.Record(), b.run.Record())
	return c.changes
}

func (d *Desk) comparePanel(in *Input, x, y, w, high float32) {
	u := &d.ui
	if len(d.sides) < 2 {
		u.write(x, y+8, 12, soft, false, scene.Left, "There is one run only.")
		return
	}
	for i, s := range d.sides {
		u.write(x, y+8, 12.5, strong, true, scene.Left, string(rune('A'+i)))
		u.write(x+18, y+8, 12.5, soft, false, scene.Left, scene.Clip(s.name, 12.5, w-18, false))
		y += 22
	}
	y += 4
	if u.check("split", x, y, w, "side by side", d.split) {
		d.toggleSplit(in)
	}
	y += 24
	if u.check("difference", x, y, w, "difference on the map", d.view.Layers&scene.ShowDifference != 0) {
		d.view.Layers ^= scene.ShowDifference
	}
	y += 34
	if !d.sides[0].scanned || !d.sides[1].scanned || d.growing() {
		u.write(x, y+6, 11.5, accent, false, scene.Left, "so far; the intervals narrow as the runs go on")
		y += 22
	}
	u.write(x, y+6, 10.5, faint, true, scene.Left, "KPI")
	u.write(x+w-120, y+6, 10.5, faint, true, scene.Right, "A")
	u.write(x+w-62, y+6, 10.5, faint, true, scene.Right, "B")
	u.write(x+w, y+6, 10.5, faint, true, scene.Right, "CHANGE")
	y += 20
	for _, c := range d.compared() {
		if y > high-30 {
			break
		}
		if c.A == nil || c.B == nil || c.Verdict == kpi.Same {
			continue
		}
		y = d.changeRow(&c, x, y, w)
	}
}

// changeRow writes one KPI of both runs, and its interval below it.
func (d *Desk) changeRow(c *kpi.Change, x, y, w float32) float32 {
	u := &d.ui
	i := soft
	switch c.Verdict {
	case kpi.Better:
		i = accent
	case kpi.Worse:
		i = warning
	}
	u.write(x, y+6, 11.5, strong, false, scene.Left, scene.Clip(kpi.Label(definition(c.Name)), 11.5, w-178, false))
	u.write(x+w-120, y+6, 11.5, soft, false, scene.Right, kpi.Format(*c.A, c.Unit))
	u.write(x+w-62, y+6, 11.5, strong, false, scene.Right, kpi.Format(*c.B, c.Unit))
	u.write(x+w, y+6, 11.5, i, true, scene.Right, kpi.FormatChange(c.Diff, c.Unit))
	if c.CI != nil {
		u.write(x+w, y+20, 10, faint, false, scene.Right, kpi.FormatChange(c.CI.Low, c.Unit)+" … "+kpi.FormatChange(c.CI.High, c.Unit))
		return y + 34
	}
	return y + 20
}
