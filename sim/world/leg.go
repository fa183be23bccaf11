package world

import (
	"context"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/core/task"
)

// leg is one drive, laid out when it begins. Where the robot is, what it has
// driven and what its battery holds are functions of time, the very ones that
// readers of the run log use.
type leg struct {
	runlog.Leg
	Start clock.Time    `json:"start"`
	To    maps.Position `json:"to"`
}

// since returns how long the leg has lasted at now.
func (l *leg) since(now clock.Time) clock.Duration { return now.Sub(l.Start) }

// drive sends r to a position, from wherever it is.
func (w *World) drive(ctx context.Context, r *robot, to maps.Position) error {
	now := w.kernel.Now()
	if r.Leg != nil {
		w.stopLeg(r, "redirected")
	}
	r.Charge, r.Since = w.charge(r, now), now
	route, err := w.p.Maps.Route(ctx, w.o.Market.ID, r.At, to)
	if fault.Is(err, fault.NotFound) {
		return w.halt(ctx, r, noWay)
	}
	if err != nil {
		return err
	}
	if r.Job != nil {
		r.Job.Legs++
	}
	r.Activity, r.Fault = fleet.Driving, ""
	r.Leg = w.layOut(r, route, to)
	r.Plan = w.foresee(r)
	w.awaitPlan(r)
	w.journal(runlog.RobotLeg, string(r.ID), r.Leg.Leg)
	return w.telemetry(ctx, r)
}

// layOut turns a route into a timetable: this robot's pace today, the weather,
// and each crossing's signal or gap as it will be when the robot is there.
func (w *World) layOut(r *robot, route maps.Route, to maps.Position) *leg {
	n := len(route.Pieces)
	l := &leg{Start: w.kernel.Now(), To: to, Leg: runlog.Leg{
		Robot: r.ID, Purpose: w.purpose(r), Delivery: r.delivery(), Loaded: r.Goods != "",
		Route: make([]maps.EdgeID, n), Times: make([]int32, n), ChargeFromMWh: r.Charge, LengthMM: route.LengthMM,
	}}
	if n > 0 {
		l.StartMM, l.EndMM = route.Pieces[0].FromMM, route.Pieces[n-1].ToMM
	}
	profile, factor := w.o.Profile, w.pace(r)
	profile.SpeedMMS = int32(r.SpeedMMS)
	gaps, k := w.luck(r, "gap")
	var t, microWh int64
	for i, piece := range route.Pieces {
		e := &w.o.Network.Edges[piece.Edge]
		if piece.FromMM == 0 {
			if hold, why := w.holdAt(e, l.Start.Add(clock.Duration(t)), gaps, k<<20|uint64(i)); hold > 0 {
				l.Waits = append(l.Waits, runlog.Hold{Index: i, Millis: int32(hold), Cause: why})
				t += hold
			}
		}
		mm := int64(piece.ToMM - piece.FromMM)
		t += max(mm*1000/int64(profile.Speed(e, factor)), 1)
		if piece.ToMM == e.LengthMM {
			t += int64(profile.KerbTime(e))
		}
		microWh += profile.RollMicroWh(e, mm)
		l.Route[i], l.Times[i] = piece.Edge, int32(t)
	}
	p := w.o.Scenario.World.Robots
	mWh := microWh * w.weather.Energy / 1000
	if l.Loaded {
		mWh = mWh * p.LoadedEnergy / 1000
	}
	mWh = mWh/1000 + t*p.IdleMW/3_600_000
	if r.Capacity > 0 {
		l.ChargeToMWh = r.Charge - mWh // below zero: foresee stops the leg before
	}
	return l
}

// pace is the share of its cruising speed that r makes on this leg, in permille.
func (w *World) pace(r *robot) int32 {
	p := w.o.Scenario.World.Robots
	v := w.weather.Speed
	if r.Goods != "" {
		v = v * p.LoadedSpeed / 1000
	}
	if p.SpeedSpread > 0 {
		s, k := w.luck(r, "pace")
		v = v * (1000 + s.N(2*k, p.SpeedSpread+1) - s.N(2*k+1, p.SpeedSpread+1)) / 1000
	}
	return int32(max(v, 100))
}

// position is where r is now.
func (w *World) position(r *robot) maps.Position {
	if r.Leg == nil {
		return r.At
	}
	if at, ok := r.Leg.At(r.Leg.since(w.kernel.Now()), w.length); ok {
		return at
	}
	return r.Leg.To // a leg without a way: it was there already
}

// charge is what r's battery holds at now, mWh.
func (w *World) charge(r *robot, now clock.Time) int64 {
	if r.Capacity == 0 {
		return 0
	}
	ms := int64(now.Sub(r.Since))
	switch {
	case r.Leg != nil:
		return max(r.Leg.ChargeAt(r.Leg.since(now)), 0)
	case r.Activity == fleet.Charging:
		return min(r.Charge+w.docks[r.Dock].PowerMW*ms/3_600_000, r.Capacity)
	case r.Activity == fleet.Broken:
		return r.Charge
	}
	return max(r.Charge-w.o.Scenario.World.Robots.IdleMW*ms/3_600_000, 0)
}

// stopLeg ends the leg where the robot is now; why is empty at its own end.
func (w *World) stopLeg(r *robot, why string) {
	now := w.kernel.Now()
	at, charge := w.position(r), w.charge(r, now)
	driven := r.Leg.DrivenAt(r.Leg.since(now))
	w.kernel.Cancel(r.Wake)
	r.Wake, r.Plan, r.Leg = 0, nil, nil
	r.At, r.Charge, r.Since = at, charge, now
	if why != "" {
		w.journal(runlog.RobotHalt, string(r.ID), runlog.Halt{Robot: r.ID, Cause: why, Position: at, ChargeMWh: charge, DrivenMM: driven})
	}
}

// legEnd is the leg's own end, or an incident on it.
func (w *World) legEnd(ctx context.Context, r *robot) error {
	if r.Plan[0].Cause != "" {
		return w.strike(ctx, r)
	}
	to := r.Leg.To
	w.stopLeg(r, "")
	r.At, r.Activity = to, fleet.Idle
	return w.arrived(ctx, r)
}

// arrived is what a robot does where it was sent.
func (w *World) arrived(ctx context.Context, r *robot) error {
	if r.Job != nil && !r.Job.Ended {
		r.Job.Ended = true
		w.rest(r, fleet.AtStop)
		if err := w.report(ctx, r, task.ReportArrived, ""); err != nil {
			return err
		}
		return w.telemetry(ctx, r)
	}
	if r.Order != nil && r.Order.Kind == fleet.OrderCharge {
		return w.reachDock(ctx, r)
	}
	w.rest(r, fleet.Idle)
	return w.telemetry(ctx, r)
}

// purpose says why r drives.
func (w *World) purpose(r *robot) runlog.Purpose {
	switch {
	case r.Job != nil:
		switch r.Job.Step.Purpose {
		case task.Load:
			return runlog.ToPickup
		case task.Unload:
			return runlog.ToDropoff
		case task.Return:
			return runlog.ToReturn
		case task.Transfer:
			return runlog.ToTransfer
		}
	case r.Order != nil && r.Order.Kind == fleet.OrderCharge:
		return runlog.ToCharge
	}
	return runlog.ToGo
}

// delivery returns the delivery that r works for, or "".
func (r *robot) delivery() string {
	if r.Job == nil {
		return ""
	}
	return r.Job.Delivery
}
