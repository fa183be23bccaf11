package world

import (
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/runlog"
	"footway/core/task"
	"footway/sim/scenario"
)

// TestOneOperatorHelpsInTurn: three robots are stuck, one after the other, and
// one person helps them in that order for two minutes each. Then they go on.
func TestOneOperatorHelpsInTurn(t *testing.T) {
	s := calm(3)
	s.World.Operators.Count = 1
	g := begun(t, s)
	to := farthest(t, g)
	for _, r := range g.robots[:3] {
		g.send(r, to)
	}
	g.pass(clock.Minute)
	var called []clock.Time
	for _, i := range []int{1, 0, 2} {
		called = append(called, g.Now())
		g.done(g.halt(t.Context(), g.robots[i], stuck))
		g.pass(10 * clock.Second)
	}
	g.until("all arrive", func() bool {
		return !slices.ContainsFunc(g.robots[:3], func(r *robot) bool { return r.At != to || r.Activity != fleet.Idle })
	})
	at, began := told[runlog.Assist](g, runlog.OperatorBegan)
	if len(began) != 3 {
		t.Fatalf("help began %d times, want 3", len(began))
	}
	for i, robot := range []fleet.RobotID{"r2", "r1", "r3"} {
		when := called[0].Add(clock.Duration(i) * 2 * clock.Minute)
		want := runlog.Assist{Robot: robot, Cause: "stuck", WaitedMS: int64(when.Sub(called[i]))}
		if began[i] != want || at[i] != when {
			t.Errorf("help %d began at %v for %+v, want at %v for %+v", i, at[i], began[i], when, want)
		}
	}
	if g.crew.Busy != 0 || len(g.crew.Calls) != 0 {
		t.Errorf("afterwards %d operators are busy and %d calls wait", g.crew.Busy, len(g.crew.Calls))
	}
}

// TestNobodyIsHelpedTwiceAtOnce by two operators who hear two calls of one robot.
func TestNobodyIsHelpedTwiceAtOnce(t *testing.T) {
	s := calm(1)
	s.World.Operators.Count = 2
	g := begun(t, s)
	r := g.robots[0]
	g.send(r, farthest(t, g))
	g.done(g.halt(t.Context(), r, stuck))
	g.callOperator(r, string(stuck))
	g.pass(clock.Minute)
	if g.crew.Busy != 1 {
		t.Errorf("%d operators are busy with one robot", g.crew.Busy)
	}
	g.pass(2 * clock.Minute)
	if r.Leg == nil || g.crew.Busy != 0 {
		t.Errorf("after the help it is %s, and %d operators are busy; want it to drive", r.Activity, g.crew.Busy)
	}
}

// TestBreakdownAtTheDock frees the slot, so that the next robot charges and the
// repaired one can be sent to charge again.
func TestBreakdownAtTheDock(t *testing.T) {
	s := calm(2)
	s.Fleet.SlotsPerDock = 1
	g := begun(t, s)
	r1, r2 := g.robots[0], g.robots[1]
	g.charging(r1)
	g.charging(r2)
	down := scenario.Event{Do: "breakdown", Robot: "r1"}
	g.done(g.faults.strikeRobots(t.Context(), g.World, down))
	g.pass(clock.Second)
	if r1.Activity != fleet.Broken || r1.Dock >= 0 || r2.Activity != fleet.Charging || g.docks[0].Taken != 1 {
		t.Fatalf("r1 is %s at dock %d, r2 is %s, %d slots are taken; want it broken down at none, r2 charging", r1.Activity, r1.Dock, r2.Activity, g.docks[0].Taken)
	}
	g.pass(20 * clock.Minute)
	g.done(g.faults.strikeRobots(t.Context(), g.World, down)) // it is broken already
	g.pass(11 * clock.Minute)
	if r1.Activity != fleet.Idle || r1.At != r1.Home || r1.Charge != r1.Capacity {
		t.Errorf("31 minutes after the breakdown r1 is %s at %v with %d mWh, want it repaired at its dock %v", r1.Activity, r1.At, r1.Charge, r1.Home)
	}
	if _, resumed := told[runlog.Resume](g, runlog.RobotResume); len(resumed) != 1 {
		t.Errorf("it was repaired %d times, want once", len(resumed))
	}
	g.leaveDock(r2)
	g.charging(r1)
	if r1.Activity != fleet.Charging {
		t.Errorf("sent to charge again, r1 is %s", r1.Activity)
	}
}

// TestBreakdownWithGoods: somebody comes for the goods, and only then is the
// robot taken to the workshop.
func TestBreakdownWithGoods(t *testing.T) {
	s := calm(1)
	s.World.Robots.Repair.Min, s.World.Robots.Repair.P50 = clock.Minute, clock.Minute
	s.World.Robots.Repair.P90, s.World.Robots.Repair.Max = clock.Minute, clock.Minute
	s.Demand.Orders = orders(t, 1)
	s.Events = []scenario.Event{{At: 2 * clock.Minute, Do: "breakdown", Delivery: "o1", When: "to_dropoff"}}
	g := begun(t, s)
	g.finish()
	if state, reason, _ := g.OrderEnd("o1"); state != delivery.Delivered {
		t.Fatalf("o1 ends %s (%s), want it delivered", state, reason)
	}
	r := g.robots[0]
	g.until("it is repaired", func() bool { return r.Activity == fleet.Idle })
	taken := firstOf(g, "task.confirmed", func(c task.Change) bool { return c.Purpose == task.Transfer })
	back := firstOf(g, runlog.RobotResume, func(c runlog.Resume) bool { return c.Robot == "r1" && c.Cause == "repaired" })
	if back < taken {
		t.Errorf("it is repaired at %v, before its goods are taken at %v", back, taken)
	}
	if r.Goods != "" || r.At != r.Home || r.Charge < r.Capacity-1000 {
		t.Errorf("repaired, it has goods %q at %v with %d mWh, want none, home %v, full", r.Goods, r.At, r.Charge, r.Home)
	}
}

// TestSilentRobotReportsLater, in the order in which it happened.
func TestSilentRobotReportsLater(t *testing.T) {
	s := calm(1)
	s.Demand.Orders = orders(t, 1)
	s.Settings = map[string]any{"dispatch": map[string]any{"lost_after": "30m"}}
	s.Events = []scenario.Event{
		{At: 12 * clock.Minute, Do: "contact_lost", Delivery: "o1", When: "to_pickup", For: 8 * clock.Minute},
		{At: 13 * clock.Minute, Do: "stuck", Delivery: "o1", When: "to_pickup"},
	}
	g := begun(t, s)
	r := g.robots[0]
	g.until("it is at the merchant's without contact", func() bool { return g.silent(r) && r.Activity == fleet.AtStop })
	if n := len(r.Unheard); n != 3 {
		t.Errorf("it keeps %d reports, want 3", n)
	}
	g.finish()
	at, heard := told[task.Change](g, "task.assist_began", "task.assist_ended", "task.arrived")
	cleared := firstOf(g, runlog.WorldCleared, func(f runlog.Fault) bool { return f.Robot == "r1" })
	for i, want := range []task.ChangeKind{task.AssistBegan, task.AssistEnded, task.Arrived} {
		if heard[i].Kind != want || at[i] != cleared {
			t.Errorf("report %d is %s at %v, want %s when contact is back, at %v", i, heard[i].Kind, at[i], want, cleared)
		}
	}
	if state, _, _ := g.OrderEnd("o1"); state != delivery.Delivered {
		t.Errorf("o1 ends %s, want it delivered", state)
	}
}

// firstOf returns the time of the first event of a kind whose data is as wanted.
func firstOf[T any](g *rig, kind string, is func(T) bool) clock.Time {
	g.t.Helper()
	at, data := told[T](g, kind)
	i := slices.IndexFunc(data, is)
	if i < 0 {
		g.t.Fatalf("no such event of kind %s, of %d", kind, len(data))
	}
	return at[i]
}

// TestFateBelongsToTheOrder: whatever fleet serves it, a merchant is late by the
// same and the same recipients stay away.
func TestFateBelongsToTheOrder(t *testing.T) {
	fates := func(robots int) map[string]order {
		s := calm(robots)
		s.Duration, s.Demand.PerHour, s.Demand.MaxDistance = 40*clock.Minute, 40, 900
		s.World.Merchants.Late, s.World.Recipients.NoShow = 500, 400
		g := begun(t, s)
		g.pass(s.Duration)
		out := map[string]order{}
		for _, o := range g.orders {
			out[o.External] = order{ReadyAt: o.ReadyAt, NoShow: o.NoShow}
		}
		return out
	}
	few, many := fates(3), fates(9)
	both, stay := 0, 0
	for name, a := range few {
		b, ok := many[name]
		if !ok {
			continue
		}
		both++
		if a.ReadyAt != b.ReadyAt || a.NoShow != b.NoShow {
			t.Errorf("%s: ready at %v, no show %v with few robots; %v, %v with many", name, a.ReadyAt, a.NoShow, b.ReadyAt, b.NoShow)
		}
		if a.NoShow {
			stay++
		}
	}
	if both < 10 || stay == 0 || stay == both {
		t.Errorf("%d orders came in both runs, %d without a recipient; want at least 10, some of them", both, stay)
	}
}
