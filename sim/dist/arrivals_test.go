package dist

import (
	"math"
	"slices"
	"testing"

	"footway/core/clock"
)

// lunch is a day with a lunch peak and a closed night.
var lunch = Profile{{8 * 60, 0}, {12 * 60, 2000}, {14 * 60, 500}, {22 * 60, 0}}

func TestProfileAt(t *testing.T) {
	for _, c := range []struct {
		p    Profile
		at   clock.Duration
		want int64
	}{
		{nil, 5 * clock.Hour, 1_000_000},
		{Profile{{600, 250}}, 0, 250_000},
		{Profile{{600, 250}}, 23 * clock.Hour, 250_000},
		{lunch, 8 * clock.Hour, 0},
		{lunch, 10 * clock.Hour, 1_000_000},
		{lunch, 12 * clock.Hour, 2_000_000},
		{lunch, 13 * clock.Hour, 1_250_000},
		{lunch, 18 * clock.Hour, 250_000},
		{lunch, 3 * clock.Hour, 0},
		{lunch, 8*clock.Hour + clock.Second, 138},                    // 138.9, rounded down
		{lunch, 12*clock.Hour + clock.Second, 2_000_000 - 209},       // down by 208.3, rounded down
		{Profile{{360, 0}, {1080, 1000}}, 0, 500_000},                // over midnight: from 18:00 to 6:00
		{Profile{{360, 0}, {1080, 1000}}, 21 * clock.Hour, 750_000},  // before it
		{Profile{{360, 0}, {1080, 1000}}, 3 * clock.Hour, 250_000},   // after it
		{Profile{{0, 1000}, {1439, 0}}, clock.Day - 30_000, 500_000}, // in the last minute
	} {
		if got := c.p.At(c.at); got != c.want {
			t.Errorf("%v.At(%s) = %d, want %d", c.p, c.at, got, c.want)
		}
	}
}

// TestArrivalsFollowTheProfile counts arrivals by hour of the day over many
// days and compares them with the area under the profile.
func TestArrivalsFollowTheProfile(t *testing.T) {
	const days = 400
	rate := Rate{PerHour: 20, Profile: lunch, Offset: -5 * clock.Hour}
	a := NewArrivals(stream("arrivals"), rate, 0)
	var counts [24]int
	start := clock.Time(5 * clock.Hour) // local midnight
	for at := a.Next(start); at < start.Add(days*clock.Day); at = a.Next(at) {
		counts[at.Add(rate.Offset)/clock.Time(clock.Hour)%24]++
	}
	for hour, n := range counts {
		want := 0.0
		for m := range 60 {
			want += float64(lunch.At(minutes(hour*60+m)+clock.Minute/2)) / 1e6 / 60 * float64(rate.PerHour) * days
		}
		if math.Abs(float64(n)-want) > 4*math.Sqrt(want) {
			t.Errorf("%d arrivals at %d o'clock, want %.0f within four standard deviations", n, hour, want)
		}
	}
}

func TestArrivalsAtAConstantRate(t *testing.T) {
	for _, perHour := range []int64{1, 417, maxPeakPerHour} {
		a := NewArrivals(stream("constant rate"), Rate{PerHour: perHour}, 0)
		const n = 100_000
		at := clock.Time(0)
		var squares float64
		for range n {
			next := a.Next(at)
			gap := next.Sub(at).Seconds()
			squares += float64(gap * gap)
			at = next
		}
		mean := clock.Duration(at).Seconds() / n
		want := 3600 / float64(perHour)
		if math.Abs(mean/want-1) > 0.015 {
			t.Errorf("%d an hour: mean gap %v s, want %v within 1.5 %%", perHour, mean, want)
		}
		// Exponential gaps have a second moment of twice the square of the mean.
		if got := squares / n / (want * want); math.Abs(got-2) > 0.1 {
			t.Errorf("%d an hour: second moment %v, want 2 within 0.1", perHour, got)
		}
	}
}

func TestArrivalsGoOnFromACheckpoint(t *testing.T) {
	rate := Rate{PerHour: 100, Profile: lunch}
	straight := NewArrivals(stream("checkpoint"), rate, 0)
	resumed := NewArrivals(stream("checkpoint"), rate, 0)
	var a, b []clock.Time
	var atA, atB clock.Time
	for range 500 {
		atA = straight.Next(atA)
		atB = resumed.Next(atB)
		resumed = NewArrivals(stream("checkpoint"), rate, resumed.Candidates())
		a, b = append(a, atA), append(b, atB)
	}
	if !slices.Equal(a, b) || !slices.IsSorted(a) {
		t.Errorf("arrivals differ after a checkpoint or go back in time:\n%d\n%d", a, b)
	}
}

func TestArrivalsBefore1970(t *testing.T) {
	rate := Rate{PerHour: 3600, Profile: Profile{{719, 0}, {720, 1000}, {780, 1000}, {781, 0}}}
	at := NewArrivals(stream("past"), rate, 0).Next(clock.Time(-clock.Day))
	if noon := clock.Time(-clock.Day / 2); at < noon.Add(-clock.Minute) || at > noon.Add(clock.Minute) {
		t.Errorf("first arrival at %s, want it about noon of 1969-12-31", at)
	}
}

func BenchmarkArrivals(b *testing.B) {
	a := NewArrivals(stream("benchmark"), Rate{PerHour: 400}, 0)
	at := clock.Time(0)
	b.ReportAllocs()
	for b.Loop() {
		at = a.Next(at)
	}
}
