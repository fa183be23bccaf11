package dist

import (
	"fmt"

	"footway/core/clock"
	"footway/core/rng"
)

// Point is a corner of a Profile.
type Point struct {
	At       int   `json:"at"`       // minute of the local day, 0 to 1439
	Permille int64 `json:"permille"` // of the base rate
}

// Profile is how a rate goes up and down over the local day: linear from point
// to point, and from the last over midnight to the first. Without points it is
// 1000 permille all day.
type Profile []Point

const minutesPerDay = 24 * 60

// Problems returns what is wrong with p, the parameter named path: points must
// follow each other in the day, none be negative and not all be zero.
func (p Profile) Problems(path string) []error {
	var problems []error
	report := func(i int, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s[%d]."+format, append([]any{path, i}, args...)...))
	}
	for i, c := range p {
		if c.At < 0 || c.At >= minutesPerDay {
			report(i, "at: minute %d, want 0 to %d", c.At, minutesPerDay-1)
		}
		if i > 0 && c.At <= p[i-1].At {
			report(i, "at: minute %d, want above the point before it, %d", c.At, p[i-1].At)
		}
		if c.Permille < 0 || c.Permille > maxPermille {
			report(i, "permille: %d, want 0 to %d", c.Permille, maxPermille)
		}
	}
	if len(p) > 0 && p.Peak() == 0 {
		problems = append(problems, fmt.Errorf("%s: 0 permille all day, want some rate at some time", path))
	}
	return problems
}

const maxPermille = 1_000_000 // a thousand times the base rate

// Peak returns the greatest permille of the day.
func (p Profile) Peak() int64 {
	if len(p) == 0 {
		return 1000
	}
	peak := p[0].Permille
	for _, c := range p[1:] {
		peak = max(peak, c.Permille)
	}
	return peak
}

// At returns the profile at a time since local midnight, in millionths of the
// base rate, rounded down. It needs p without Problems.
func (p Profile) At(sinceMidnight clock.Duration) int64 {
	if len(p) == 0 {
		return 1_000_000
	}
	i := 0
	for i < len(p) && minutes(p[i].At) <= sinceMidnight {
		i++
	}
	// The time is in the segment that ends at point i, perhaps over midnight.
	from, to := p[(i+len(p)-1)%len(p)], p[i%len(p)]
	part := sinceMidnight - minutes(from.At)
	whole := minutes(to.At - from.At)
	if part < 0 {
		part += clock.Day
	}
	if whole <= 0 {
		whole += clock.Day
	}
	rise := (to.Permille - from.Permille) * 1000
	return from.Permille*1000 + floorDiv(rise*int64(part), int64(whole))
}

// Rate is how often something arrives.
type Rate struct {
	// PerHour is the expected number an hour where the profile is at 1000.
	PerHour int64 `json:"per_hour"`
	// Profile is how that goes over the day.
	Profile Profile `json:"profile,omitempty"`
	// Offset is what local time is ahead of UTC.
	Offset clock.Duration `json:"utc_offset,omitempty"`
}

// maxPeakPerHour is a hundred a second. With ten milliseconds between them, on
// average, the clock's grain does not show: it makes gaps 0.04 % shorter.
const maxPeakPerHour = 100 * 3600

// Problems returns what is wrong with r, the parameter named path.
func (r Rate) Problems(path string) []error {
	problems := r.Profile.Problems(path + ".profile")
	if r.PerHour < 1 || r.PerHour > maxPeakPerHour {
		problems = append(problems, fmt.Errorf("%s.per_hour: %d, want 1 to %d", path, r.PerHour, maxPeakPerHour))
	} else if len(problems) == 0 && r.PerHour*r.Profile.Peak() > maxPeakPerHour*1000 {
		problems = append(problems, fmt.Errorf("%s: %d an hour at a peak of %d permille, want at most %d an hour",
			path, r.PerHour, r.Profile.Peak(), maxPeakPerHour))
	}
	if r.Offset <= -clock.Day || r.Offset >= clock.Day {
		problems = append(problems, fmt.Errorf("%s.utc_offset: %s, want less than a day", path, r.Offset))
	}
	return problems
}

// at returns the rate at t in millionths an hour.
func (r Rate) at(t clock.Time) int64 {
	sinceMidnight := clock.Duration(t.Add(r.Offset)) % clock.Day
	if sinceMidnight < 0 { // before 1970
		sinceMidnight += clock.Day
	}
	return r.PerHour * r.Profile.At(sinceMidnight)
}

// Arrivals is a Poisson process whose rate changes over the day. It is drawn by
// thinning (P. A. W. Lewis and G. S. Shedler, "Simulation of nonhomogeneous
// Poisson processes by thinning", Naval Research Logistics Quarterly 26, 1979):
// candidates come at a constant rate no lower than the peak, and one at t is
// kept with the probability rate(t) / that rate. Candidate i takes the draws 2i
// and 2i+1 of the stream, so the number of candidates is all its state.
type Arrivals struct {
	stream     rng.Stream
	rate       Rate
	gap        clock.Duration // mean, between candidates
	candidates uint64
}

// NewArrivals returns the arrivals of rate on the stream s from candidate number
// candidates on: 0 at the start, or what Candidates said at a checkpoint. It
// needs a rate without Problems.
func NewArrivals(s rng.Stream, rate Rate, candidates uint64) *Arrivals {
	// Rounded down, so that candidates are rather more than too few.
	gap := int64(clock.Hour) * 1000 / (rate.PerHour * rate.Profile.Peak())
	return &Arrivals{stream: s, rate: rate, gap: clock.Duration(gap), candidates: candidates}
}

// Candidates returns how many candidates have been drawn.
func (a *Arrivals) Candidates() uint64 { return a.candidates }

// Next returns the first arrival after the instant after, which should be the
// one before it, or the start. It is never before it, and at the same
// millisecond when two arrive that close.
func (a *Arrivals) Next(after clock.Time) clock.Time {
	for t := after; ; {
		k := 2 * a.candidates
		a.candidates++
		t = t.Add(Exponential(a.stream, k, a.gap))
		if a.stream.N(k+1, int64(clock.Hour)*1_000_000) < a.rate.at(t)*int64(a.gap) {
			return t
		}
	}
}

func minutes(n int) clock.Duration { return clock.Duration(n) * clock.Minute }

// floorDiv returns a/b rounded towards minus infinity, for b > 0.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
