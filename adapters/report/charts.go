package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"footway/core/clock"
	"footway/core/kpi"
)

// chart is a plot with what stands around it.
type chart struct {
	Title, Note string
	Keys        []key
	Pictures    []template.HTML // one of each size
	Wide        bool            // takes the whole width
}

// key is an entry of a legend.
type key struct{ Ink, Text string }

// painter draws the charts of one run.
type painter struct {
	run  *kpi.Run
	zone *time.Location
}

// draw returns a chart in all sizes, if there is something to draw; paint fills
// the empty plot.
func (c chart) draw(something bool, paint func(p *plot.Plot, s size)) (chart, bool) {
	if !something {
		return c, false
	}
	for _, s := range sizes {
		if c.Wide && s.class == "wide" {
			s.w, s.h = 1140, 260
		}
		p := newPlot()
		paint(p, s)
		c.Pictures = append(c.Pictures, render(p, s, c.Title))
	}
	return c, true
}

// charts returns all charts that the run has something for.
func (d *painter) charts() []chart {
	var all []chart
	for _, make := range []func() (chart, bool){
		d.robots, d.arrivals, d.queue, d.clickToDoor, d.promise, d.quoteError, d.battery,
	} {
		if c, ok := make(); ok {
			all = append(all, c)
		}
	}
	return all
}

// timeAxis marks the x axis with the time of day.
func (d *painter) timeAxis(p *plot.Plot, s size) {
	p.X.Min, p.X.Max = float64(d.run.From), float64(max(d.run.To, d.run.From+1))
	p.X.Tick.Marker = hours{d.zone, int(s.w / 62)}
}

// countAxis marks the y axis from 0 to a little above the largest value.
func countAxis(p *plot.Plot, largest float64, suffix string) {
	p.Y.Min, p.Y.Max = 0, max(largest*1.06, 1)
	p.Y.Tick.Marker = nice{4, suffix}
	grid := plotter.NewGrid()
	grid.Vertical.Width = 0
	grid.Horizontal = draw.LineStyle{Color: inkGrid.color(), Width: 0.75}
	p.Add(grid)
}

// area fills between two lines over the samples.
func (d *painter) area(p *plot.Plot, c ink, low, high func(*kpi.Sample) float64) {
	n := len(d.run.Samples)
	outline := make(plotter.XYs, 0, 2*n)
	for i := range n {
		s := &d.run.Samples[i]
		outline = append(outline, plotter.XY{X: float64(s.T), Y: high(s)})
	}
	for i := range n {
		s := &d.run.Samples[n-1-i]
		outline = append(outline, plotter.XY{X: float64(s.T), Y: low(s)})
	}
	polygon, err := plotter.NewPolygon(outline)
	if err != nil {
		return // values that are not finite; there are none in samples
	}
	polygon.Color, polygon.LineStyle.Width = c.color(), 0
	p.Add(polygon)
}

// line draws a value over the samples.
func (d *painter) line(p *plot.Plot, c ink, width vg.Length, value func(*kpi.Sample) float64) {
	xy := make(plotter.XYs, len(d.run.Samples))
	for i := range xy {
		s := &d.run.Samples[i]
		xy[i] = plotter.XY{X: float64(s.T), Y: value(s)}
	}
	p.Add(&plotter.Line{XYs: xy, LineStyle: draw.LineStyle{Color: c.color(), Width: width}})
}

// bars draws a histogram of equal bins from first on.
func bars(p *plot.Plot, c ink, first, width float64, weights []float64) {
	h := plotter.Histogram{Width: width, FillColor: c.color()}
	gap := width * 0.08
	for i, w := range weights {
		if w != 0 {
			from := first + float64(i)*width
			h.Bins = append(h.Bins, plotter.HistogramBin{Min: from + gap, Max: from + width - gap, Weight: w})
		}
	}
	if len(h.Bins) > 0 {
		p.Add(&h)
	}
}

// upright draws a vertical line over the plot's height.
func upright(p *plot.Plot, c ink, x float64) {
	p.Add(&plotter.Line{
		XYs:       plotter.XYs{{X: x, Y: p.Y.Min}, {X: x, Y: p.Y.Max}},
		LineStyle: draw.LineStyle{Color: c.color(), Width: 1.5, Dashes: []vg.Length{4, 3}},
	})
}

// robots is what robots did, stacked.
func (d *painter) robots() (chart, bool) {
	order := []kpi.Activity{kpi.Carrying, kpi.AtStop, kpi.Deadhead, kpi.Moving, kpi.Charging, kpi.Idle, kpi.Down}
	c := chart{Title: "What robots were doing", Note: "Number of robots by activity, minute by minute.", Wide: true}
	for _, a := range order {
		c.Keys = append(c.Keys, key{fmt.Sprintf("a%d", a), a.String()})
	}
	total := 0.0
	for i := range d.run.Samples {
		total = max(total, sumOf(&d.run.Samples[i], order))
	}
	return c.draw(total > 0 && len(d.run.Samples) > 1, func(p *plot.Plot, s size) {
		countAxis(p, total, "")
		p.Y.Max = max(total, 1)
		for i, a := range slices.Backward(order) { // each from the ground up, so that no seams show between them
			d.area(p, ink(fmt.Sprintf("a%d", a)), zero, func(s *kpi.Sample) float64 { return sumOf(s, order[:i+1]) })
		}
		d.timeAxis(p, s)
	})
}

func zero(*kpi.Sample) float64 { return 0 }

func sumOf(s *kpi.Sample, which []kpi.Activity) float64 {
	n := 0
	for _, a := range which {
		n += s.Robots[a]
	}
	return float64(n)
}

// arrivals is deliveries over time, those in time above those late.
func (d *painter) arrivals() (chart, bool) {
	width := 10 * clock.Minute
	for d.run.To.Sub(d.run.From)/width > 72 {
		width *= 2
	}
	n := int(d.run.To.Sub(d.run.From)/width) + 1
	all, late, asked := make([]float64, n), make([]float64, n), make([]float64, n)
	for _, r := range d.run.Records {
		if r.Requested != 0 {
			asked[r.Requested.Sub(d.run.From)/width]++
		}
		if r.Delivered() {
			i := r.Ended.Sub(d.run.From) / width
			all[i]++
			if r.Ended > r.Promise.DropoffP90 {
				late[i]++
			}
		}
	}
	most := max(slices.Max(all), slices.Max(asked))
	c := chart{
		Title: "Deliveries over time", Note: fmt.Sprintf("Delivered and accepted in each %.0f minutes.", minutes(width)),
		Keys: []key{{"good", "on time"}, {"bad", "late"}, {"text-soft", "accepted"}},
	}
	return c.draw(most > 0, func(p *plot.Plot, s size) {
		countAxis(p, most, "")
		bars(p, inkGood, float64(d.run.From), float64(width), all)
		bars(p, inkBad, float64(d.run.From), float64(width), late)
		p.Add(steps(float64(d.run.From), float64(width), asked))
		d.timeAxis(p, s)
	})
}

// steps is a line through the middles of bins.
func steps(first, width float64, weights []float64) *plotter.Line {
	l := &plotter.Line{LineStyle: draw.LineStyle{Color: inkText.color(), Width: 1.5}}
	for i, w := range weights {
		l.XYs = append(l.XYs, plotter.XY{X: first + (float64(i)+0.5)*width, Y: w})
	}
	return l
}

// queue is how many deliveries waited for a robot.
func (d *painter) queue() (chart, bool) {
	most := 0.0
	for _, s := range d.run.Samples {
		most = max(most, float64(s.Waiting), float64(s.Active))
	}
	c := chart{
		Title: "Open deliveries", Note: "Waiting for a robot, and with one, minute by minute.",
		Keys: []key{{"bad", "waiting for a robot"}, {"main", "with a robot"}},
	}
	return c.draw(most > 0 && len(d.run.Samples) > 1, func(p *plot.Plot, s size) {
		countAxis(p, most, "")
		d.area(p, inkBad, zero, func(s *kpi.Sample) float64 { return float64(s.Waiting) })
		d.line(p, inkMain, 2, func(s *kpi.Sample) float64 { return float64(s.Active) })
		d.timeAxis(p, s)
	})
}

// battery is the charge of the fleet.
func (d *painter) battery() (chart, bool) {
	some := false
	for _, s := range d.run.Samples {
		some = some || s.Battery[2] > 0
	}
	percent := func(i int) func(*kpi.Sample) float64 {
		return func(s *kpi.Sample) float64 { return float64(s.Battery[i]) / 10 }
	}
	c := chart{
		Title: "Charge of the fleet", Note: "Battery level: the median, and the range that holds 8 of 10 robots.",
		Keys: []key{{"main", "median"}, {"band", "P10 to P90"}},
	}
	return c.draw(some && len(d.run.Samples) > 1, func(p *plot.Plot, s size) {
		countAxis(p, 100, "%")
		p.Y.Max = 100
		d.area(p, inkBand, percent(0), percent(2))
		d.line(p, inkMain, 2, percent(1))
		d.timeAxis(p, s)
	})
}

// clickToDoor is the distribution of the time from acceptance to delivery.
func (d *painter) clickToDoor() (chart, bool) {
	values := d.minutes(func(r *kpi.Record) float64 { return minutes(r.Ended.Sub(r.Requested)) })
	c := chart{Title: "Click to door", Note: "Minutes from acceptance to delivery.", Keys: []key{{"main", "deliveries"}}}
	if len(values) == 0 {
		return c, false
	}
	p50, p90 := rank(values, 0.5), rank(values, 0.9)
	c.Keys = append(c.Keys, key{"alt", fmt.Sprintf("median %.0f min", p50)}, key{"bad", fmt.Sprintf("P90 %.0f min", p90)})
	return c.draw(true, func(p *plot.Plot, s size) {
		first, width, weights := bin(values, 36, 1)
		countAxis(p, slices.Max(weights), "")
		bars(p, inkMain, first, width, weights)
		p.X.Min, p.X.Max = min(first, 0), first+width*float64(len(weights))
		p.X.Tick.Marker = nice{int(s.w / 62), ""}
		upright(p, inkAlt, p50)
		upright(p, inkBad, p90)
	})
}

// quoteError is the distribution of how far quotes were off.
func (d *painter) quoteError() (chart, bool) {
	values := d.minutes(func(r *kpi.Record) float64 { return minutes(r.Ended.Sub(r.Promise.DropoffP50)) })
	c := chart{
		Title: "Quote error", Note: "Minutes between the quoted P50 and the actual drop-off; right of 0 is later than quoted.",
		Keys: []key{{"good", "earlier"}, {"alt", "later"}},
	}
	return c.draw(len(values) > 0, func(p *plot.Plot, s size) {
		first, width, weights := bin(values, 36, 1)
		later := slices.Clone(weights)
		for i := range later {
			if first+float64(i)*width < -1e-9 {
				later[i] = 0
			}
		}
		countAxis(p, slices.Max(weights), "")
		bars(p, inkGood, first, width, weights)
		bars(p, inkAlt, first, width, later)
		p.X.Min, p.X.Max = first, first+width*float64(len(weights))
		p.X.Tick.Marker = nice{int(s.w / 62), ""}
		upright(p, inkText, 0)
	})
}

// promise is by how much each delivery kept or missed its promise.
func (d *painter) promise() (chart, bool) {
	const most = 1500 // points; more make a page that nobody can load
	var kept, missed plotter.XYs
	var delivered []*kpi.Record
	for _, r := range d.run.Records {
		if r.Delivered() && r.Promise.DropoffP90 != 0 {
			delivered = append(delivered, r)
		}
	}
	every := len(delivered)/most + 1
	for i := 0; i < len(delivered); i += every {
		r := delivered[i]
		xy := plotter.XY{X: float64(r.Ended), Y: minutes(r.Ended.Sub(r.Promise.DropoffP90))}
		if xy.Y <= 0 {
			kept = append(kept, xy)
		} else {
			missed = append(missed, xy)
		}
	}
	c := chart{
		Title: "Promises kept", Note: "Each delivery by the minutes between the promised P90 and the actual drop-off; below the line is on time.",
		Keys: []key{{"good", "on time"}, {"bad", "late"}},
	}
	if every > 1 {
		c.Note += fmt.Sprintf(" One of %d deliveries is drawn.", every)
	}
	return c.draw(len(delivered) > 0, func(p *plot.Plot, s size) {
		low, high := span(append(slices.Clone(kept), missed...))
		countAxis(p, 1, "")
		p.Y.Min, p.Y.Max = low-1, high+1
		p.Y.Tick.Marker = nice{5, ""}
		dots(p, inkGood, kept)
		dots(p, inkBad, missed)
		d.timeAxis(p, s)
		p.Add(&plotter.Line{
			XYs:       plotter.XYs{{X: p.X.Min, Y: 0}, {X: p.X.Max, Y: 0}},
			LineStyle: draw.LineStyle{Color: inkText.color(), Width: 1.25},
		})
	})
}

func dots(p *plot.Plot, c ink, xy plotter.XYs) {
	if len(xy) > 0 {
		p.Add(&plotter.Scatter{XYs: xy, GlyphStyle: draw.GlyphStyle{Color: c.color(), Radius: 1.9, Shape: draw.CircleGlyph{}}})
	}
}

func span(xy plotter.XYs) (low, high float64) {
	for _, v := range xy {
		low, high = math.Min(low, v.Y), math.Max(high, v.Y)
	}
	return low, high
}

// minutes returns a measure of all delivered deliveries, sorted.
func (d *painter) minutes(of func(*kpi.Record) float64) []float64 {
	var values []float64
	for _, r := range d.run.Records {
		if r.Delivered() && r.Requested != 0 {
			values = append(values, of(r))
		}
	}
	slices.Sort(values)
	return values
}

func minutes(d clock.Duration) float64 { return float64(d) / float64(clock.Minute) }

// rank returns the quantile of sorted values by nearest rank.
func rank(sorted []float64, q float64) float64 {
	return sorted[max(int(math.Ceil(q*float64(len(sorted)))), 1)-1]
}

// bin counts sorted values in at most about most bins, whose width is a nice
// number of at least least; 0 is the edge of a bin.
func bin(sorted []float64, most int, least float64) (first, width float64, weights []float64) {
	low, high := sorted[0], sorted[len(sorted)-1]
	width = niceStep((high-low)/float64(most), least)
	first = math.Floor(low/width) * width
	weights = make([]float64, int((high-first)/width)+1)
	for _, v := range sorted {
		weights[int((v-first)/width)]++
	}
	return first, width, weights
}
