package play

import (
	"sort"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/core/runlog"
)

// span is the piece of a leg that a robot is on: an edge driven at constant
// speed, with the hold before it. It saves looking for it again each frame.
type span struct {
	leg    *runlog.Leg
	enter  clock.Duration // when the edge is reached
	left   clock.Duration // when the hold before it is over
	right  clock.Duration // when its end is reached
	edge   maps.EdgeID
	fromMM int32
	toMM   int32
}

// at returns the place since after the leg's begin, as Leg.At does.
func (p *span) at(since clock.Duration) maps.Position {
	took := p.right - p.left
	if since <= p.left || took <= 0 {
		return maps.Position{Edge: p.edge, OffsetMM: p.fromMM}
	}
	done := int64(p.toMM-p.fromMM) * int64(since-p.left) / int64(took)
	return maps.Position{Edge: p.edge, OffsetMM: p.fromMM + int32(done)}
}

// find sets p to the piece of l that is driven since after its begin, which is
// before its end.
func (p *span) find(l *runlog.Leg, since clock.Duration, net *maps.Network) {
	n := len(l.Route)
	i := sort.Search(n, func(i int) bool { return clock.Duration(l.Times[i]) > since })
	*p = span{leg: l, right: clock.Duration(l.Times[i]), edge: l.Route[i], toMM: net.Edges[l.Route[i]].LengthMM}
	if i > 0 {
		p.enter = clock.Duration(l.Times[i-1])
	} else {
		p.fromMM = l.StartMM
	}
	if i == n-1 {
		p.toMM = l.EndMM
	}
	p.left = p.enter
	j := sort.Search(len(l.Waits), func(j int) bool { return l.Waits[j].Index >= i })
	if j < len(l.Waits) && l.Waits[j].Index == i {
		p.left += clock.Duration(l.Waits[j].Millis)
	}
}

// move sets what depends on the time alone: place, charge and activity at t.
func (r *Robot) move(t clock.Time, net *maps.Network) {
	r.Blend, r.Moving = 1, false
	switch {
	case r.Leg != nil:
		since := max(0, t.Sub(r.LegAt))
		if since >= r.Leg.Duration() {
			r.Pos = end(r.Leg)
		} else {
			p := &r.span
			if p.leg != r.Leg || since < p.enter || since >= p.right {
				p.find(r.Leg, since, net)
			}
			r.Pos = p.at(since)
			r.Moving = since >= p.left
		}
	case r.gap > 0:
		if since := t.Sub(r.posAt); since < r.gap {
			r.Blend = float32(since) / float32(r.gap)
			r.Moving = r.From != r.Pos
		}
	}
	r.ChargeMWh = r.charge(t)
	r.Activity = r.activity(t)
}

// end returns where a leg leads.
func end(l *runlog.Leg) maps.Position {
	return maps.Position{Edge: l.Route[len(l.Route)-1], OffsetMM: l.EndMM}
}

// charge returns the charge at t, between what was reported.
func (r *Robot) charge(t clock.Time) int64 {
	switch {
	case r.Dock != "":
		got := r.powerMW * int64(t.Sub(r.chargeAt)) / int64(clock.Hour)
		return max(r.base, min(r.base+got, r.CapacityMWh))
	case r.Leg != nil:
		return r.Leg.ChargeAt(t.Sub(r.LegAt))
	}
	return r.base
}

// activity returns what the robot does at t, in the sense of package kpi.
func (r *Robot) activity(t clock.Time) kpi.Activity {
	switch r.State {
	case fleet.NonOperational, fleet.NonContactable, fleet.Missing, fleet.Elsewhere, fleet.Removed:
		if r.Dock == "" {
			return kpi.Down
		}
	}
	switch {
	case r.Halted:
		return kpi.Down
	case r.Dock != "":
		return kpi.Charging
	case r.Leg != nil && t.Sub(r.LegAt) < r.Leg.Duration():
		return driving(r.Leg.Loaded, r.Leg.Purpose)
	case r.Reported == fleet.Driving && r.Purpose == "" && !r.Loaded && r.claimed():
		return kpi.Deadhead // who tells no legs tells no purposes: it drives for whom it is reserved
	case r.Reported == fleet.Driving:
		return driving(r.Loaded, r.Purpose)
	case r.claimed():
		return kpi.AtStop
	}
	return kpi.Idle
}

func driving(loaded bool, p runlog.Purpose) kpi.Activity {
	switch {
	case loaded:
		return kpi.Carrying
	case p == runlog.ToPickup || p == runlog.ToTransfer:
		return kpi.Deadhead
	}
	return kpi.Moving
}

// claimed reports whether the robot is reserved for a delivery.
func (r *Robot) claimed() bool {
	const prefix = "delivery/"
	return len(r.Holder) > len(prefix) && r.Holder[:len(prefix)] == prefix
}

// Trail returns where the robot was before: points along its leg, the newest first, at most
// len(buf), step apart. A robot that has arrived has a trail until its end is reached by it.
func (r *Robot) Trail(buf []maps.Position, t clock.Time, step clock.Duration, net *maps.Network) []maps.Position {
	buf = buf[:0]
	if r.Leg == nil {
		return buf
	}
	since, whole := t.Sub(r.LegAt), r.Leg.Duration()
	p := r.span
	for range cap(buf) {
		if since < whole {
			if since < 0 {
				break
			}
			if p.leg != r.Leg || since < p.enter || since >= p.right {
				p.find(r.Leg, since, net)
			}
			buf = append(buf, p.at(since))
		} else if len(buf) == 0 || buf[len(buf)-1] != r.Pos {
			buf = append(buf, r.Pos)
		}
		since -= step
	}
	return buf
}
