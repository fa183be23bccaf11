package kpi

import (
	"cmp"
	"maps"
	"slices"

	"footway/core/rng"
)

// Verdict says what a change is worth.
type Verdict string

// The verdicts.
const (
	Better  Verdict = "better"
	Worse   Verdict = "worse"
	Same    Verdict = "same"    // equal values
	Unclear Verdict = "unclear" // the interval includes no change, or there is none
)

// Change is a KPI in two runs.
type Change struct {
	Name    string    `json:"name"`
	Unit    Unit      `json:"unit"`
	A       *float64  `json:"a"` // nil if it has no value there
	B       *float64  `json:"b"`
	Diff    float64   `json:"diff"`         // B less A, if both have a value
	CI      *Interval `json:"ci,omitempty"` // of Diff, for statistics over deliveries
	Verdict Verdict   `json:"verdict"`
}

// Interval is where a difference lies with 95% confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// resamples is how often deliveries are drawn anew for an interval: the ends of
// a 95% interval then rest on 12 values each.
const resamples = 500

// Compare returns the KPIs of two runs side by side. The intervals are by the
// bootstrap over deliveries (Efron 1979, percentile method): deliveries are drawn
// with replacement, and each draw is evaluated in both runs, so that runs which
// met the same orders are compared in pairs. Orders are the same if partner and
// external id are. The draws depend on nothing but the runs.
func Compare(a, b *Run) []Change {
	pairs := pair(a, b)
	var changes []Change
	for _, d := range Definitions() {
		va, okA := d.Of(a)
		vb, okB := d.Of(b)
		if !okA && !okB {
			continue
		}
		c := Change{Name: d.Name, Unit: d.Unit}
		if okA {
			c.A = &va
		}
		if okB {
			c.B = &vb
		}
		if okA && okB {
			c.Diff = vb - va
			if d.sample != nil {
				c.CI = pairs.interval(&d)
			}
		}
		c.Verdict = verdict(&d, &c)
		changes = append(changes, c)
	}
	return changes
}

func verdict(d *Definition, c *Change) Verdict {
	switch {
	case c.A == nil || c.B == nil:
		return Unclear
	case *c.A == *c.B:
		return Same
	case d.Better == Neither, c.CI == nil, c.CI.Low <= 0 && c.CI.High >= 0:
		return Unclear
	case (c.Diff < 0) == (d.Better == Lower):
		return Better
	default:
		return Worse
	}
}

// paired are the deliveries of two runs, matched, and how often each was drawn
// in each resample.
type paired struct {
	a, b  []*Record // nil where a run does not have the order
	drawn [][]int32 // by resample and pair
}

// pair matches the accepted deliveries of two runs.
func pair(a, b *Run) *paired {
	inA, inB := byOrder(a), byOrder(b)
	orders := append(slices.Sorted(maps.Keys(inA)), slices.Sorted(maps.Keys(inB))...)
	slices.Sort(orders)
	p := new(paired)
	for _, o := range slices.Compact(orders) {
		p.a, p.b = append(p.a, inA[o]), append(p.b, inB[o])
	}
	n := len(p.a)
	luck := rng.Seed(0).Stream("kpi", "bootstrap")
	for k := range resamples {
		counts := make([]int32, n)
		for i := range n {
			counts[luck.N(uint64(k*n+i), int64(n))]++
		}
		p.drawn = append(p.drawn, counts)
	}
	return p
}

// byOrder returns the accepted deliveries by what identifies their order.
func byOrder(run *Run) map[string]*Record {
	all := make(map[string]*Record)
	for _, r := range run.Records {
		switch {
		case r.Requested == 0:
		case r.ExternalID == "":
			all["\x00"+r.Delivery] = r
		default:
			all[r.Partner+"\x00"+r.ExternalID] = r
		}
	}
	return all
}

// interval returns the interval of a KPI's difference; nil if no resample has
// a value for both runs.
func (p *paired) interval(d *Definition) *Interval {
	a, b := column(p.a, d), column(p.b, d)
	var diffs []float64
	for _, drawn := range p.drawn {
		va, okA := a.stat(d.stat, drawn)
		vb, okB := b.stat(d.stat, drawn)
		if okA && okB {
			diffs = append(diffs, (vb-va)/1000)
		}
	}
	if len(diffs) == 0 {
		return nil
	}
	slices.Sort(diffs)
	tail := len(diffs) * 25 / 1000
	return &Interval{Low: diffs[tail], High: diffs[len(diffs)-1-tail]}
}

// sorted is a sample of many deliveries in rising order, and whose each value is.
type sorted struct {
	values []int64
	pair   []int
}

func column(records []*Record, d *Definition) sorted {
	var c sorted
	for i, r := range records {
		if r == nil {
			continue
		}
		if _, ok := d.sample(r); ok {
			c.pair = append(c.pair, i)
		}
	}
	value := func(i int) int64 {
		v, _ := d.sample(records[i])
		return v
	}
	slices.SortStableFunc(c.pair, func(i, j int) int { return cmp.Or(cmp.Compare(value(i), value(j)), cmp.Compare(i, j)) })
	for _, i := range c.pair {
		c.values = append(c.values, value(i))
	}
	return c
}

func (c sorted) stat(s statistic, drawn []int32) (float64, bool) {
	return s.of(c.values, func(i int) int64 { return int64(drawn[c.pair[i]]) })
}
