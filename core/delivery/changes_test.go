package delivery

import (
	"fmt"
	"testing"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/task"
)

// carried is a delivery of r1 in attempt 2, as far as s, at minute 20.
func carried(s State) Delivery {
	d := base(s)
	d.ID, d.Attempt, d.Token, d.Task, d.TaskSeq, d.Step, d.IfUndeliverable = "d1", 2, 5, "d1.2", 10, 2, ReturnToPickup
	d.FeeParts, d.Fee = []FeePart{{FlatFee, 1000}}, 1000
	if s.BeforeLoaded() {
		d.Custody = nil
	}
	return d
}

func turnOf(d *Delivery) *turn {
	return &turn{d: d, now: clock.Time(20 * clock.Minute), set: DefaultSettings()}
}

func change(kind task.ChangeKind, step task.StepKind, p task.Purpose) task.Change {
	return task.Change{Task: "d1.2", Delivery: "d1", Attempt: 2, Robot: "r1", Seq: 11, Kind: kind, Step: 2, StepKind: step, Purpose: p}
}

func TestHeard(t *testing.T) {
	inTransfer := func(d *Delivery) { d.Transfer = &Transfer{From: "r0", Token: 3, Attempt: 1} }
	tests := []struct {
		name   string
		state  State
		prep   func(*Delivery)
		change task.Change
		edit   func(*task.Change)
		want   string // state, number of updates, robot, late, step, since, debts
	}{
		{"overdue drive before loading", ToPickup, nil, change(task.Overdue, task.Drive, task.Load), nil, "requested 1 robot= late=0 step=0 owed=2"},
		{"overdue loading is the merchant's", AtPickup, nil, change(task.Overdue, task.Handoff, task.Load), nil, "at_pickup 0 robot=r1 late=0 step=2 owed=0"},
		{"overdue unloading is the recipient's", AtDropoff, nil, change(task.Overdue, task.Handoff, task.Unload), nil, "at_dropoff 0 robot=r1 late=0 step=2 owed=0"},
		{"overdue drive when loaded", ToDropoff, nil, change(task.Overdue, task.Drive, task.Unload), nil, "to_dropoff 1 robot=r1 late=20 step=2 owed=0"},
		{"overdue again", ToDropoff, func(d *Delivery) { d.LateSince = 1 }, change(task.Overdue, task.Drive, task.Unload), nil, "to_dropoff 0 robot=r1 late=0 step=2 owed=0"},
		{"overdue takeover", ToDropoff, inTransfer, change(task.Overdue, task.Handoff, task.Transfer), nil, "to_dropoff 1 robot= late=0 step=0 owed=2"},
		{"arrived after all", ToDropoff, func(d *Delivery) { d.LateSince = 60_000 }, change(task.Arrived, task.Drive, task.Unload), nil, "at_dropoff 1 robot=r1 late=0 step=3 owed=0"},
		{"heard before", ToDropoff, nil, change(task.Overdue, task.Drive, task.Unload), func(c *task.Change) { c.Seq = 10 }, "to_dropoff 0 robot=r1 late=0 step=2 owed=0"},
		{"of an older attempt", ToDropoff, nil, change(task.StepFailed, task.Drive, task.Unload), func(c *task.Change) { c.Attempt = 1 }, "to_dropoff 0 robot=r1 late=0 step=2 owed=0"},
		{"of another robot", ToDropoff, nil, change(task.StepFailed, task.Drive, task.Unload), func(c *task.Change) { c.Robot = "r9" }, "to_dropoff 0 robot=r1 late=0 step=2 owed=0"},
		{"after the end", Delivered, nil, change(task.StepFailed, task.Drive, task.Unload), nil, "delivered 0 robot=r1 late=0 step=2 owed=0"},
		{"another carrier at the door", AtDropoff, nil, change(task.Arrived, task.Drive, task.Unload), nil, "at_dropoff 0 robot=r1 late=0 step=3 owed=0 anew"},
		{"another carrier back at the merchant", AtReturn, nil, change(task.Arrived, task.Drive, task.Return), nil, "at_return 0 robot=r1 late=0 step=3 owed=0 anew"},
		{"taken by somebody else's order", AtDropoff, nil, change(task.Withdrawn, task.Handoff, task.Unload), nil, "at_dropoff 1 robot= late=0 step=0 owed=1"},
		{"set off with the same step", Assigned, func(d *Delivery) { d.TaskSeq = 0 }, change(task.Started, task.Drive, task.Transfer), nil, "assigned 0 robot=r1 late=0 step=2 owed=0 changed"},
		{"the hatch is open", AtPickup, nil, change(task.HatchOpened, task.Handoff, task.Load), nil, "at_pickup 0 robot=r1 late=0 step=2 owed=0 changed exchange"},
		{"the hatch is closed", AtPickup, nil, change(task.HatchClosed, task.Handoff, task.Load), nil, "at_pickup 0 robot=r1 late=0 step=2 owed=0"},
		{"an unknown task id", AtPickup, func(d *Delivery) { d.Task = "" }, change(task.HatchClosed, task.Handoff, task.Load), nil, "at_pickup 0 robot=r1 late=0 step=2 owed=0 changed"},
		{"taken over", AtDropoff, inTransfer, change(task.Confirmed, task.Handoff, task.Transfer), nil, "at_dropoff 1 robot=r1 late=0 step=2 owed=1 anew"},
		{"taken over without a takeover", AtDropoff, nil, change(task.Confirmed, task.Handoff, task.Transfer), nil, "at_dropoff 0 robot=r1 late=0 step=2 owed=0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := carried(tt.state)
			if tt.prep != nil {
				tt.prep(&d)
			}
			if tt.edit != nil {
				tt.edit(&tt.change)
			}
			tr := turnOf(&d)
			if err := tr.heard(tt.change); err != nil {
				t.Fatal(err)
			}
			if got := outcome(tr, tt.state); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// outcome writes down what a turn did, "anew" for a wait that began again.
func outcome(t *turn, before State) string {
	d := t.d
	s := fmt.Sprintf("%s %d robot=%s late=%d step=%d owed=%d", d.State, len(t.updates), d.Robot, d.LateSince/60_000, d.Step, len(d.Owed))
	switch {
	case d.State == before && d.Since == t.now:
		s += " anew"
	case t.changed && len(t.updates) == 0:
		s += " changed"
	}
	if d.Exchange == t.now {
		s += " exchange"
	}
	return s
}

func TestMachineRefusesTasksThatAreAhead(t *testing.T) {
	for _, c := range []task.Change{
		change(task.Confirmed, task.Handoff, task.Return), change(task.Arrived, task.Drive, task.Return),
	} {
		d := carried(ToDropoff)
		if err := turnOf(&d).heard(c); err == nil || d.State != ToDropoff || d.Fee != 1000 {
			t.Errorf("%s of a return on the way out = %v, now %s at %d cents; want an error and no change", c.Kind, err, d.State, d.Fee)
		}
	}
	d := carried(Returning)
	if err := turnOf(&d).heard(change(task.Confirmed, task.Handoff, task.Unload)); err == nil || d.State != Returning {
		t.Errorf("unloaded on the way back = %v, now %s; want an error", err, d.State)
	}
}

func TestDecided(t *testing.T) {
	tests := []struct {
		name  string
		state State
		c     dispatch.Decision
		want  string
	}{
		{"lost", ToPickup, dispatch.Decision{Kind: dispatch.Lost, Attempt: 2, Robot: "r1"}, "requested"},
		{"lost in an older attempt", ToPickup, dispatch.Decision{Kind: dispatch.Lost, Attempt: 1, Robot: "r1"}, "to_pickup"},
		{"another robot lost", ToPickup, dispatch.Decision{Kind: dispatch.Lost, Attempt: 2, Robot: "r2"}, "to_pickup"},
		{"lost after the end", Delivered, dispatch.Decision{Kind: dispatch.Lost, Attempt: 2, Robot: "r1"}, "delivered"},
		{"gave up although there is a robot", ToPickup, dispatch.Decision{Kind: dispatch.GaveUp, Attempt: 2}, "to_pickup"},
	}
	for _, tt := range tests {
		d := carried(tt.state)
		if err := turnOf(&d).decided(tt.c); err != nil || string(d.State) != tt.want {
			t.Errorf("%s: %v, now %s; want %s", tt.name, err, d.State, tt.want)
		}
	}
}

// TestSilentCarrierHasTheGraceOfALateOne: a loaded robot out of contact is not
// relieved at once, and not at all once it is heard of again.
func TestSilentCarrierHasTheGraceOfALateOne(t *testing.T) {
	d := carried(ToDropoff)
	lost := dispatch.Decision{Kind: dispatch.Lost, Attempt: 2, Robot: "r1", Cause: outOfContact}
	if err := turnOf(&d).decided(lost); err != nil || d.Transfer != nil || d.LateSince == 0 {
		t.Fatalf("out of contact: %v, transfer %v, late since %v; want it late and not relieved", err, d.Transfer, d.LateSince)
	}
	if d.due(timerLate, DefaultSettings()) == 0 {
		t.Error("nothing waits for the silent carrier's grace to end")
	}
	found := dispatch.Decision{Kind: dispatch.Found, Attempt: 2, Robot: "r1"}
	if err := turnOf(&d).decided(found); err != nil || d.LateSince != 0 || d.Silent {
		t.Errorf("found: %v, late since %v; want no grace running", err, d.LateSince)
	}
	d.LateSince = 1 // overdue, which being in contact does not mend
	if err := turnOf(&d).decided(found); err != nil || d.LateSince != 1 {
		t.Errorf("found when overdue: %v, late since %v; want it overdue still", err, d.LateSince)
	}
}

func TestReliefsAreNotTriedForEver(t *testing.T) {
	d := carried(ToDropoff)
	if err := turnOf(&d).carrierFailed("stuck", nil); err != nil {
		t.Fatal(err)
	}
	for i := 1; i <= 5; i++ {
		if d.State != ToDropoff {
			t.Fatalf("after %d reliefs it is %s", i-1, d.State)
		}
		d.Robot, d.Token = fleet.RobotID(fmt.Sprint("c", i)), uint64(10+i)
		if err := turnOf(&d).carrierFailed("stuck", nil); err != nil {
			t.Fatal(err)
		}
	}
	if d.State != Cancelled || d.CancelReason != FailedToDeliver || d.Fee != 0 {
		t.Errorf("after five reliefs it is %s for %q at %d cents; want cancelled, failed_to_deliver, refunded", d.State, d.CancelReason, d.Fee)
	}
}

func TestTurningBackIsAskedOnce(t *testing.T) {
	d := carried(AtDropoff)
	for range 2 {
		if err := turnOf(&d).giveBack("nobody"); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.Owed) != 1 || d.Owed[0].From != 2 || d.Replans != 1 || d.State != AtDropoff {
		t.Errorf("owed %+v, %s; want one replan from step 2, still at the door", d.Owed, d.State)
	}
	r := carried(ToDropoff)
	r.Transfer, r.Step = &Transfer{From: "r0"}, 0
	if err := turnOf(&r).giveBack("nobody"); err != nil || len(r.Owed) != 1 || r.Owed[0].From != firstAfterPickup {
		t.Errorf("a relief owes %+v, %v; want a replan behind the takeover", r.Owed, err)
	}
}

// TestNote has Task and Dispatch answer when the delivery has gone on.
func TestNote(t *testing.T) {
	d := carried(ToPickup)
	d.Task, d.Owed, d.Debts = "", []Debt{{Number: 1}, {Number: 2}, {Number: 3}}, 3
	if err := turnOf(&d).note(paid{attempt: 1, task: "d1.1", asked: true, refused: true, debts: 2}); err != nil {
		t.Fatal(err)
	}
	if d.Task != "" || d.Asked || d.State != ToPickup || len(d.Owed) != 1 || d.Owed[0].Number != 3 {
		t.Errorf("answers to an older attempt left task %q, asked %v, %s, owed %v; want none of them, and debt 3", d.Task, d.Asked, d.State, d.Owed)
	}
	if err := turnOf(&d).note(paid{attempt: 2, task: "d1.2", debts: 3}); err != nil || d.Task != "d1.2" || d.Owed != nil {
		t.Errorf("answers to this attempt = %v, task %q, owed %v", err, d.Task, d.Owed)
	}
}
