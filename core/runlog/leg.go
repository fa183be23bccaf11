package runlog

import (
	"sort"

	"footway/core/clock"
	"footway/core/maps"
)

// Duration returns how long the leg takes if nothing comes between.
func (l *Leg) Duration() clock.Duration {
	if len(l.Times) == 0 {
		return 0
	}
	return clock.Duration(l.Times[len(l.Times)-1])
}

// Waiting returns the time of the leg that passes in holds which begin before since.
func (l *Leg) Waiting(since clock.Duration) clock.Duration {
	var sum clock.Duration
	for _, h := range l.Waits {
		if from := l.enter(h.Index); from < since {
			sum += min(clock.Duration(h.Millis), since-from)
		}
	}
	return sum
}

// At returns where the robot is since after the leg's begin: constant speed
// over each edge after the hold before it. lengthMM gives the length of an
// edge. ok is false for a leg without a route, or with Times of another length.
func (l *Leg) At(since clock.Duration, lengthMM func(maps.EdgeID) int32) (at maps.Position, ok bool) {
	n := len(l.Route)
	if n == 0 || len(l.Times) != n {
		return maps.Position{}, false
	}
	i := sort.Search(n, func(i int) bool { return clock.Duration(l.Times[i]) > since })
	if i == n {
		return maps.Position{Edge: l.Route[n-1], OffsetMM: l.EndMM}, true
	}
	from, to := l.span(i, lengthMM)
	left := l.enter(i) + l.holdBefore(i)
	took := clock.Duration(l.Times[i]) - left
	if since <= left || took <= 0 {
		return maps.Position{Edge: l.Route[i], OffsetMM: from}, true
	}
	done := int64(to-from) * int64(since-left) / int64(took)
	return maps.Position{Edge: l.Route[i], OffsetMM: from + int32(done)}, true
}

// ChargeAt returns the charge since after the leg's begin, taken to fall evenly.
func (l *Leg) ChargeAt(since clock.Duration) int64 {
	d := l.Duration()
	if d <= 0 || since >= d {
		return l.ChargeToMWh
	}
	return l.ChargeFromMWh + (l.ChargeToMWh-l.ChargeFromMWh)*int64(max(since, 0))/int64(d)
}

// DrivenAt returns the millimetres driven since after the leg's begin, taken at
// constant speed outside its holds.
func (l *Leg) DrivenAt(since clock.Duration) int64 {
	d := l.Duration()
	if since >= d {
		return l.LengthMM
	}
	moving := d - l.Waiting(d)
	if since <= 0 || moving <= 0 {
		return 0
	}
	return l.LengthMM * int64(since-l.Waiting(since)) / int64(moving)
}

// enter returns when the robot reaches the beginning of edge i.
func (l *Leg) enter(i int) clock.Duration {
	if i <= 0 || i > len(l.Times) {
		return 0
	}
	return clock.Duration(l.Times[i-1])
}

func (l *Leg) holdBefore(i int) clock.Duration {
	j := sort.Search(len(l.Waits), func(j int) bool { return l.Waits[j].Index >= i })
	if j < len(l.Waits) && l.Waits[j].Index == i {
		return clock.Duration(l.Waits[j].Millis)
	}
	return 0
}

// span returns the offsets between which edge i is driven.
func (l *Leg) span(i int, lengthMM func(maps.EdgeID) int32) (from, to int32) {
	to = lengthMM(l.Route[i])
	if i == 0 {
		from = l.StartMM
	}
	if i == len(l.Route)-1 {
		to = l.EndMM
	}
	return from, to
}
