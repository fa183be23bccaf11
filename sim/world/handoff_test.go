package world

import (
	"reflect"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/task"
	"footway/sim/scenario"
)

// TestJammedHatch: an operator is called, the person presses again, and the
// delivery goes on.
func TestJammedHatch(t *testing.T) {
	s := calm(1)
	s.Demand.Orders = orders(t, 1)
	s.Events = []scenario.Event{{Do: "jam", Delivery: "o1", When: "at_dropoff"}}
	g := begun(t, s)
	g.finish()
	at := func(k task.ChangeKind) clock.Time {
		return firstOf(g, "task."+string(k), func(c task.Change) bool { return c.Purpose == task.Unload })
	}
	jammed, came, opened := at(task.HatchJammed), at(task.AssistBegan), at(task.HatchOpened)
	if came < jammed || opened <= jammed || at(task.HatchClosed) < opened {
		t.Errorf("the lid jams at %v, an operator comes at %v, and it opens at %v; want it to open after it jammed", jammed, came, opened)
	}
	g.pass(5 * clock.Minute)
	if g.crew.Busy != 0 || g.robots[0].jammed() {
		t.Errorf("afterwards %d operators are busy, and the lid is jammed: %v", g.crew.Busy, g.robots[0].jammed())
	}
	if state, reason, _ := g.OrderEnd("o1"); state != delivery.Delivered {
		t.Errorf("o1 ends %s (%s), want it delivered", state, reason)
	}
}

// TestWrongPIN: it opens for the right one only, however often a wrong one comes before.
func TestWrongPIN(t *testing.T) {
	s := calm(3)
	s.Demand.Orders = orders(t, 6)
	s.World.Recipients.WrongPIN = 600
	g := begun(t, s)
	g.finish()
	again := 0
	for _, o := range g.orders {
		opened := firstOf(g, "task.hatch_opened", func(c task.Change) bool { return c.Delivery == string(o.Delivery) })
		if opened == 0 || o.State != delivery.Delivered && o.State != delivery.Returned {
			t.Errorf("%s ends %s", o.External, o.State)
		}
		if o.State == delivery.Delivered && o.Meeting.Tries > 1 {
			again++
		}
	}
	if again == 0 {
		t.Error("nobody was wrong first and right then, of six with 60% wrong tries")
	}

	s.World.Recipients.WrongPIN = 1000
	g = begun(t, s)
	g.finish()
	_, opened := told[task.Change](g, "task.hatch_opened")
	for _, c := range opened {
		if c.Purpose == task.Unload {
			t.Errorf("delivery %s opens at the door, for a wrong PIN", c.Delivery)
		}
	}
	for _, o := range g.orders {
		if o.State == delivery.Delivered {
			t.Errorf("%s is delivered to somebody who never had the PIN", o.External)
		}
	}
}

// TestRepeatedInstructionsChangeNothing, whatever the robot is doing: the answer
// to the first may have been lost.
func TestRepeatedInstructionsChangeNothing(t *testing.T) {
	s := calm(1)
	s.Demand.Orders = orders(t, 1)
	g := begun(t, s)
	r := g.robots[0]
	repeat := func(when string, kind task.InstructionKind, is func() bool) {
		g.until(when, is)
		before, reports, leg := *r.Job, r.Reports, r.Leg
		for range 3 {
			g.done(g.follow(t.Context(), r, task.Instruction{
				Task: r.Job.Task, Delivery: r.Job.Delivery, Token: r.Job.Token, Kind: kind, Index: r.Job.Index, Step: r.Job.Step,
			}))
		}
		if r.Reports != reports || r.Leg != leg || !reflect.DeepEqual(*r.Job, before) {
			t.Errorf("%s, a repeated %q has an effect: %d reports before, %d after; the job %+v is then %+v", when, kind, reports, r.Reports, before, *r.Job)
		}
	}
	repeat("on its way", task.Do, func() bool { return r.Leg != nil && g.Now() > r.Leg.Start.Add(clock.Minute) })
	repeat("waiting at the merchant's", task.Do, func() bool { return r.Job.Step.Kind == task.Handoff })
	repeat("opening", task.Open, func() bool { return r.Moving && r.Job.Opens == 1 })
	repeat("open", task.Open, func() bool { return r.Open })
	repeat("open", task.Confirm, func() bool { return r.Open })
	repeat("at the door", task.Do, func() bool { return r.Job.Step.Purpose == task.Unload && r.Job.Step.Kind == task.Handoff })
	repeat("done", task.Confirm, func() bool {
		return r.Job.Step.Purpose == task.Unload && r.Job.Step.Kind == task.Handoff && r.Job.Ended
	})
	before := *r.Job
	g.done(g.follow(t.Context(), r, task.Instruction{Task: "another", Token: r.Token, Kind: task.Drop}))
	if !reflect.DeepEqual(*r.Job, before) {
		t.Error("it drops its job when told to drop another")
	}
	g.finish()
}

// TestOvertakenInstruction: what an old holder said is forgotten, even if it was
// taken before the new one spoke.
func TestOvertakenInstruction(t *testing.T) {
	g := begun(t, calm(1))
	r, ctx := g.robots[0], t.Context()
	g.done(g.Link().Instruct(ctx, r.ID, task.Instruction{
		Task: "d9.1", Delivery: "d9", Token: 5, Kind: task.Do, Step: task.Step{Kind: task.Drive, To: farthest(t, g)},
	}))
	g.done(g.Link().Command(ctx, fleet.Order{Robot: r.ID, Token: 6, Kind: fleet.OrderHold}))
	g.pass(clock.Second)
	if r.Job != nil || r.Leg != nil || r.Activity != fleet.Idle || r.Reports != 0 {
		t.Errorf("it is %s with job %+v after %d reports, want it to hold and to have reported nothing", r.Activity, r.Job, r.Reports)
	}
}

// TestImpossibleDeliveryBreaksTheRun: what is stored is checked at every update.
func TestImpossibleDeliveryBreaksTheRun(t *testing.T) {
	s := calm(1)
	s.Demand.Orders = orders(t, 1)
	g := begun(t, s)
	g.until("it is on its way", func() bool { return len(g.orders) > 0 && g.orders[0].State == delivery.ToPickup })
	d, err := g.s.Deliveries.Store.Delivery(t.Context(), g.orders[0].Delivery)
	g.done(err)
	g.done(g.checkDelivery(t.Context(), d.ID))
	g.done(g.check.failure())
	d.Fee++
	_, err = g.s.Deliveries.Store.Save(t.Context(), d)
	g.done(err)
	g.done(g.checkDelivery(t.Context(), d.ID))
	if g.check.failure() == nil {
		t.Error("a fee that is not the sum of its parts breaks nothing")
	}
}
