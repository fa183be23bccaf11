package world

import (
	"cmp"
	"context"
	"slices"
	"sort"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/core/task"
	"footway/sim/kernel"
)

// cause is why a robot stops on its way.
type cause string

// The causes.
const (
	stuck      cause = "stuck"         // cannot go on without a remote operator
	crossing   cause = "crossing"      // a remote operator must watch the crossing
	blocked    cause = "closure"       // the way is closed, and the map did not know
	noWay      cause = "no_way"        // there is no way to where it should go
	breakdown  cause = "breakdown"     // cannot go on at all
	empty      cause = "battery_empty" //
	outOfReach cause = "contact_lost"  // goes on driving, but nobody hears it
)

// incident is what stops a leg, or its own end.
type incident struct {
	At    int32 `json:"at"`              // ms from the leg's start
	Cause cause `json:"cause,omitempty"` // empty: the leg's own end
	Edge  int   `json:"edge,omitempty"`  // index into the leg's route, of blocked and crossing
}

// foresee finds what will stop the leg, in order of time; the last entry is its
// own end. Each hazard is drawn against the distance, on the luck of the order
// or robot, so it does not depend on what else happens in the city.
func (w *World) foresee(r *robot) []incident {
	l := r.Leg
	var plan []incident
	add := func(at int32, c cause, edge int) { plan = append(plan, incident{At: at, Cause: c, Edge: edge}) }
	p := w.o.Scenario.World.Robots
	if r.Kind == fleet.KindRobot {
		if at, ok := w.strikes(r, "stuck", p.Stuck); ok {
			add(at, stuck, 0)
		}
		if at, ok := w.strikes(r, "breakdown", p.Breakdowns); ok {
			add(at, breakdown, 0)
		}
		if at, ok := w.strikes(r, "contact", p.ContactLost); ok {
			add(at, outOfReach, 0)
		}
		if i, ok := w.watched(r); ok {
			add(l.before(i), crossing, i)
		}
		if at, ok := w.runsEmpty(r); ok {
			add(at, empty, 0)
		}
	}
	if i, ok := w.blockedAt(l.Route); ok {
		add(l.before(i), blocked, i)
	}
	add(int32(l.Duration()), "", 0)
	slices.SortStableFunc(plan, func(a, b incident) int { return cmp.Compare(a.At, b.At) })
	return plan
}

// strikes draws whether a hazard that happens so often in 1,000 km happens on
// this leg, and when.
func (w *World) strikes(r *robot, what string, per1000km int64) (int32, bool) {
	if per1000km == 0 || r.Leg.LengthMM == 0 {
		return 0, false
	}
	s, k := w.luck(r, what)
	// Rare, so the chance on a leg is its length over the mean distance between two.
	const mmIn1000km = 1_000_000_000
	mm := s.N(k, max(mmIn1000km/per1000km, 1))
	if mm >= r.Leg.LengthMM {
		return 0, false
	}
	return r.Leg.first(func(d clock.Duration) bool { return r.Leg.DrivenAt(d) >= mm }), true
}

// first returns the first ms of the leg at which reached holds; it must stay
// true from there on.
func (l *leg) first(reached func(clock.Duration) bool) int32 {
	return int32(sort.Search(int(l.Duration()), func(ms int) bool { return reached(clock.Duration(ms)) }))
}

// before returns when the leg comes to edge i of its route, before it waits there.
func (l *leg) before(i int) int32 {
	if i == 0 {
		return 0
	}
	return l.Times[i-1]
}

// watched draws the first crossing of the leg that an operator must watch.
func (w *World) watched(r *robot) (int, bool) {
	share := w.o.Scenario.World.Crossings.AssistShare
	if share == 0 || r.Kind != fleet.KindRobot {
		return 0, false
	}
	s, k := w.luck(r, "watch")
	for i, id := range r.Leg.Route {
		e := &w.o.Network.Edges[id]
		if i > 0 && e.Control == maps.ControlUnmarked && e.Street >= maps.StreetTertiary && s.Chance(k<<20|uint64(id), share) {
			return i, true
		}
	}
	return 0, false
}

// runsEmpty finds when the battery would give out.
func (w *World) runsEmpty(r *robot) (int32, bool) {
	l := r.Leg
	if r.Capacity == 0 || l.ChargeToMWh > 0 {
		return 0, false
	}
	return l.first(func(d clock.Duration) bool { return l.ChargeAt(d) <= 0 }), true
}

// strike is the incident that the leg foresaw.
func (w *World) strike(ctx context.Context, r *robot) error {
	next := r.Plan[0]
	switch next.Cause {
	case outOfReach:
		// It drives on; nobody hears it meanwhile.
		s, k := w.luck(r, "contact-for")
		w.loseContact(r, w.o.Scenario.World.Robots.ContactLostFor.Draw(s, k))
		r.Plan = r.Plan[1:]
		w.awaitPlan(r)
		return nil
	case blocked:
		before, edge := r.Leg.Route[next.Edge-1], r.Leg.Route[next.Edge]
		to := r.Leg.To
		w.stopLeg(r, string(blocked))
		// It stands before what is closed, not in it, where it could drive on to the end.
		r.At = maps.Position{Edge: before, OffsetMM: w.length(before)}
		if err := w.discover(ctx, edge); err != nil {
			return err
		}
		return w.drive(ctx, r, to)
	}
	return w.halt(ctx, r, next.Cause)
}

// awaitPlan schedules the next thing that the leg has coming.
func (w *World) awaitPlan(r *robot) {
	at := r.Leg.Start.Add(clock.Duration(r.Plan[0].At))
	r.Wake = w.kernel.Schedule(at, kernel.Event{Target: forRobot, Kind: robotLegEnd, A: int64(r.Index)})
}

// halt stops a robot that cannot go on by itself, and calls for whoever can help.
func (w *World) halt(ctx context.Context, r *robot, c cause) error {
	if r.Leg != nil {
		w.stopLeg(r, string(c))
	} else {
		w.journal(runlog.RobotHalt, string(r.ID), runlog.Halt{Robot: r.ID, Cause: string(c), Position: r.At, ChargeMWh: w.charge(r, w.kernel.Now())})
	}
	w.rest(r, fleet.Halted)
	r.Fault = string(c)
	if c == breakdown || c == empty || c == noWay {
		return w.breakDown(ctx, r)
	}
	w.callOperator(r, string(c))
	return w.telemetry(ctx, r)
}

// breakDown takes a robot out of work until the crew has fetched and repaired it.
func (w *World) breakDown(ctx context.Context, r *robot) error {
	why := r.Fault
	w.leaveDock(r)
	w.rest(r, fleet.Broken)
	r.Fault = why
	r.Order = nil
	if r.Job != nil && !r.Job.Ended {
		r.Job.Ended = true
		if err := w.report(ctx, r, task.ReportFailed, why); err != nil {
			return err
		}
	}
	s, k := w.luck(r, "repair")
	w.after(w.o.Scenario.World.Robots.Repair.Draw(s, k), kernel.Event{Target: forRobot, Kind: robotRepaired, A: int64(r.Index)})
	return w.telemetry(ctx, r)
}

// repaired puts the robot back at its dock, unless goods are still in it: then
// the crew waits for whoever takes them over.
func (w *World) repaired(ctx context.Context, r *robot) error {
	if r.Activity != fleet.Broken {
		return nil
	}
	if o := w.orderOf(r.Goods); o != nil && !o.Ended {
		w.after(5*clock.Minute, kernel.Event{Target: forRobot, Kind: robotRepaired, A: int64(r.Index)})
		return nil
	}
	r.Goods, r.Job, r.Fault, r.Open, r.Unheard = "", nil, "", false, nil
	r.At, r.Charge = r.Home, r.Capacity
	r.Activity, r.Mode = fleet.Idle, fleet.Automatic
	r.Since = w.kernel.Now()
	w.resumed(r, "repaired")
	return w.telemetry(ctx, r)
}

// resumed writes that the robot can go on.
func (w *World) resumed(r *robot, why string) {
	w.journal(runlog.RobotResume, string(r.ID), runlog.Resume{Robot: r.ID, Cause: why, Position: w.position(r), ChargeMWh: w.charge(r, w.kernel.Now())})
}

// checkEmpty breaks a resting robot down whose battery has given out.
func (w *World) checkEmpty(ctx context.Context, r *robot) error {
	if r.Kind != fleet.KindRobot || r.Leg != nil || r.Activity == fleet.Broken || r.Activity == fleet.Charging {
		return nil
	}
	if w.charge(r, w.kernel.Now()) > 0 {
		return nil
	}
	return w.halt(ctx, r, empty)
}

// giveUp reports a transfer that cannot be: the goods are not there.
func (w *World) giveUp(ctx context.Context, r *robot) error {
	if r.Job == nil || r.Job.Ended || r.Job.Step.Purpose != task.Transfer || r.Job.Step.Kind != task.Handoff {
		return nil
	}
	r.Job.Ended = true
	if err := w.report(ctx, r, task.ReportFailed, "goods_not_there"); err != nil {
		return err
	}
	w.rest(r, fleet.Idle)
	return w.telemetry(ctx, r)
}

// loseContact makes a robot unheard for d.
func (w *World) loseContact(r *robot, d clock.Duration) {
	until := w.kernel.Now().Add(d)
	if until <= r.Silent {
		return
	}
	r.Silent = until
	w.journal(runlog.WorldFault, string(r.ID), runlog.Fault{What: string(outOfReach), Robot: r.ID, Until: until})
	w.kernel.Schedule(until, kernel.Event{Target: forRobot, Kind: robotContact, A: int64(r.Index)})
}

// contactBack sends what was not heard, and asks Task what it missed.
func (w *World) contactBack(ctx context.Context, r *robot) error {
	if w.silent(r) {
		return nil // lost again meanwhile, for longer
	}
	w.journal(runlog.WorldCleared, string(r.ID), runlog.Fault{What: string(outOfReach), Robot: r.ID})
	if err := w.telemetry(ctx, r); err != nil {
		return err
	}
	unheard := r.Unheard
	r.Unheard = nil
	for _, rep := range unheard {
		if err := w.deliverReport(ctx, r, rep); err != nil {
			return err
		}
	}
	err := w.p.Tasks.Sync(ctx, r.ID)
	if fault.Is(err, fault.NotFound) {
		// There is no task for it any more: whatever it still does is not wanted.
		if r.Job != nil {
			return w.drop(ctx, r)
		}
		return nil
	}
	return err
}
