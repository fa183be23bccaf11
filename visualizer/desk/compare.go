package desk

import (
	"fmt"
	"strconv"

	"footway/core/clock"
	"footway/core/kpi"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// comparison is how two runs differ, computed when both are known far enough.
type comparison struct {
	changes []kpi.Change
	upTo    [2]clock.Time

	orders   play.Comparison
	ordersAt [3]clock.Time // the second that is of, and up to when the runs were known
}

// orders returns how the orders of the runs differ at the time.
func (d *Desk) orders() *play.Comparison {
	c := &d.comparison
	a, b := d.sides[0], d.sides[1]
	if at := [3]clock.Time{d.t - d.t%clock.Time(clock.Second), a.kpis.upTo, b.kpis.upTo}; at != c.ordersAt {
		c.orders, c.ordersAt = play.Compare(a.run, b.run, d.t), at
	}
	return &c.orders
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
	y = d.ordersPart(x, y, w)
	d.numbersPart(x, y, w, high)
}

// ordersPart says how many orders are earlier and later in B by now, and which the most.
func (d *Desk) ordersPart(x, y, w float32) float32 {
	u, c := &d.ui, d.orders()
	n := c.Tally()
	u.write(x, y+6, 10.5, faint, true, scene.Left, "ORDERS DELIVERED BY "+d.local(d.t))
	y += 19
	for i, row := range [...]struct {
		what  string
		count int
		ink   ink
	}{{"earlier in B", n.Earlier, accent}, {"only in A so far", n.OnlyA, soft}, {"later in B", n.Later, warning}, {"only in B so far", n.OnlyB, soft}, {"at the same time", n.Same, soft}, {"robots elsewhere", n.Elsewhere, soft}} {
		half := (w - 24) / 2
		at := x + float32(i%2)*(half+24)
		u.write(at, y+6, 11.5, strong, false, scene.Left, row.what)
		u.write(at+half, y+6, 11.5, row.ink, true, scene.Right, strconv.Itoa(row.count))
		y += float32(i%2) * 18
	}
	y += 8
	const most = 5
	big := c.Biggest(most)
	if len(big) > 0 {
		u.write(x, y+6, 10.5, faint, true, scene.Left, "MOST APART")
		u.write(x+w-62, y+6, 10.5, faint, true, scene.Right, "A → B")
		u.write(x+w, y+6, 10.5, faint, true, scene.Right, "LATER BY")
		y += 17
	}
	for i := range big {
		d.orderRow(&big[i], i, x, y, w)
		y += 20
	}
	return y + 10
}

// orderRow writes when an order was delivered in both runs; a click selects it in both.
func (d *Desk) orderRow(o *play.Order, i int, x, y, w float32) {
	u := &d.ui
	side, id := 0, o.A
	if id == "" {
		side, id = 1, o.B
	}
	hot, clicked := u.press("order"+strconv.Itoa(i), x-6, y-3, w+12, 20)
	sel := scene.Selection{Kind: scene.Delivery, ID: id}
	if chosen := side == d.chosen && d.view.Selection == sel; hot || chosen {
		k := u.px
		u.pen.Box((x-6)*k, (y-3)*k, (w+12)*k, 20*k, 5*k, scene.Fade(u.pal.InkFaint, 0.2))
	}
	end := func(t clock.Time) string {
		if t == 0 {
			return "open"
		}
		return d.local(t)
	}
	later, atLeast := o.Apart(d.comparison.orders.T)
	text, i2 := kpi.FormatChange(later.Seconds(), kpi.Seconds), warning
	if later < 0 {
		i2 = accent
	}
	if atLeast {
		text = "> " + text
	}
	u.write(x, y+7, 11.5, strong, false, scene.Left, scene.Clip(id, 11.5, w-220, false))
	u.write(x+w-66, y+7, 11.5, soft, false, scene.Right, end(o.EndA)+" → "+end(o.EndB))
	u.write(x+w, y+7, 11.5, i2, true, scene.Right, text)
	if !clicked {
		return
	}
	d.choose(side, sel)
	if side == 1 && !d.split { // A has nothing to show of it
		d.split, d.refit = true, true
	}
	d.goThere()
}

// numbersPart writes the KPIs that differ, with their intervals.
func (d *Desk) numbersPart(x, y, w, high float32) {
	u := &d.ui
	if !d.sides[0].scanned || !d.sides[1].scanned || d.growing() {
		u.write(x, y+6, 11.5, accent, false, scene.Left, "so far; the intervals narrow as the runs go on")
		y += 22
	}
	u.write(x, y+6, 10.5, faint, true, scene.Left, "KPI")
	u.write(x+w-120, y+6, 10.5, faint, true, scene.Right, "A")
	u.write(x+w-62, y+6, 10.5, faint, true, scene.Right, "B")
	u.write(x+w, y+6, 10.5, faint, true, scene.Right, "CHANGE")
	y += 20
	shown, left := 0, 0
	for _, c := range d.compared() {
		switch {
		case c.A == nil || c.B == nil || c.Verdict == kpi.Same:
		case y > high-56:
			left++
		default:
			y = d.changeRow(&c, x, y, w)
			shown++
		}
	}
	if shown+left == 0 && len(d.sides[1].kpis.result) > 0 {
		u.write(x, y+6, 11.5, soft, false, scene.Left, "No number is another one.")
	}
	if left > 0 {
		u.write(x, y+8, 11, faint, false, scene.Left, fmt.Sprintf("and %d more: footway diff A B", left))
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
	was, is, change := kpi.Format(*c.A, c.Unit), kpi.Format(*c.B, c.Unit), kpi.FormatChange(c.Diff, c.Unit)
	size := float32(11.5)
	if max(scene.TextWidth(is, size, false), scene.TextWidth(change, size, true)) > 56 { // of the column
		size = 10
	}
	u.write(x, y+6, 11.5, strong, false, scene.Left, scene.Clip(kpi.Label(definition(c.Name)), 11.5, w-178, false))
	u.write(x+w-120, y+6, size, soft, false, scene.Right, was)
	u.write(x+w-62, y+6, size, strong, false, scene.Right, is)
	u.write(x+w, y+6, size, i, true, scene.Right, change)
	if c.CI != nil {
		u.write(x+w, y+20, 10, faint, false, scene.Right, kpi.FormatChange(c.CI.Low, c.Unit)+" … "+kpi.FormatChange(c.CI.High, c.Unit))
		return y + 34
	}
	return y + 20
}
