package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"gonum.org/v1/plot"

	"footway/core/clock"
)

// hours marks a time axis, in ms since the epoch, with the local time of day.
type hours struct {
	zone *time.Location
	most int // marks
}

// Ticks implements plot.Ticker.
func (h hours) Ticks(from, to float64) []plot.Tick {
	step := clock.Minute
	for _, step = range []clock.Duration{clock.Minute, 5 * clock.Minute, 10 * clock.Minute, 30 * clock.Minute, clock.Hour, 2 * clock.Hour, 3 * clock.Hour, 6 * clock.Hour, 12 * clock.Hour, clock.Day} {
		if (to-from)/float64(step) <= float64(h.most) {
			break
		}
	}
	_, offset := clock.Time(from).Std().In(h.zone).Zone()
	shift := float64(offset) * 1000
	var ticks []plot.Tick
	for t := math.Ceil((from+shift)/float64(step))*float64(step) - shift; t <= to; t += float64(step) {
		local := clock.Time(t).Std().In(h.zone)
		label := local.Format("15:04")
		if to-from > float64(36*clock.Hour) && local.Hour() == 0 {
			label = local.Format("2 Jan")
		}
		ticks = append(ticks, plot.Tick{Value: t, Label: label})
	}
	return ticks
}

// nice marks an axis at multiples of 1, 2 or 5 times a power of ten.
type nice struct {
	most   int
	suffix string
}

// Ticks implements plot.Ticker.
func (n nice) Ticks(from, to float64) []plot.Tick {
	step := niceStep((to-from)/float64(n.most), 0)
	var ticks []plot.Tick
	for k := math.Ceil(from / step); k*step <= to+step/1e6; k++ {
		v := k * step
		if math.Abs(v) < step/2 {
			v = 0 // and not -0
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: strings.Replace(fmt.Sprintf("%g%s", v, n.suffix), "-", "−", 1)})
	}
	return ticks
}

// niceStep returns the smallest of 1, 2, 5, 10, 20, 50, … that is at least v
// and least.
func niceStep(v, least float64) float64 {
	v = max(v, least, 1e-9)
	scale := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if m*scale >= v*(1-1e-9) {
			return m * scale
		}
	}
	return 10 * scale
}
