package world

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/rng"
	"footway/core/task"
	"footway/sim/kernel"
)

// robot is the truth about one robot or courier. All of it is data, so that a
// checkpoint can hold it.
type robot struct {
	ID       fleet.RobotID  `json:"id"`
	Index    int            `json:"index"`
	Kind     fleet.Kind     `json:"kind"`
	SpeedMMS int64          `json:"speed_mm_s"`
	Capacity int64          `json:"capacity_mwh"`
	Home     maps.Position  `json:"home"`
	HomeDock int            `json:"home_dock"` // index of its dock, or -1
	At       maps.Position  `json:"at"`        // where it stands, when it has no leg
	Charge   int64          `json:"charge_mwh"`
	Since    clock.Time     `json:"since"` // Charge and Activity are of this instant
	Activity fleet.Activity `json:"activity"`
	Mode     fleet.Mode     `json:"mode"`
	Fault    string         `json:"fault,omitempty"`
	Token    uint64         `json:"token"` // highest seen
	Inbox    []message      `json:"inbox,omitempty"`
	Job      *job           `json:"job,omitempty"`
	Order    *fleet.Order   `json:"order,omitempty"`
	Leg      *leg           `json:"leg,omitempty"`
	Goods    string         `json:"goods,omitempty"` // id of the delivery it carries
	Open     bool           `json:"open,omitempty"`  // its hatch
	Moving   bool           `json:"hatch_moving,omitempty"`
	JamNext  bool           `json:"jam_next,omitempty"` // the next opening jams, by the scenario's word
	Reports  uint64         `json:"reports"`            // number of the last report on Job's task
	Unheard  []task.Report  `json:"unheard,omitempty"`  // reports that wait for contact
	Silent   clock.Time     `json:"silent"`             // out of contact until then
	Dock     int            `json:"dock"`               // index of the dock whose slot it holds, or -1
	Queued   bool           `json:"queued,omitempty"`   // waits for a slot of the dock it stands at
	Draws    uint64         `json:"draws"`              // chances taken that belong to no order
	Plan     []incident     `json:"plan,omitempty"`     // what the present leg has coming, in order of time
	Wake     kernel.Handle  `json:"wake"`               // the end of the leg, or of what holds the robot
	Helped   clock.Time     `json:"helped"`             // an operator helps since; 0 if none
}

// job is the step that the robot has been told to do.
type job struct {
	Task     task.ID   `json:"task"`
	Delivery string    `json:"delivery"`
	Token    uint64    `json:"token"`
	Index    int       `json:"index"`
	Step     task.Step `json:"step"`
	Ended    bool      `json:"ended"` // it has reported the step's end
	Opens    uint64    `json:"opens"` // tries to open the hatch in this step
	Legs     uint64    `json:"legs"`  // drives begun in this step: after a halt there is another
}

// message is an instruction or order on its way through the robot's planner.
type message struct {
	Instruction *task.Instruction `json:"instruction,omitempty"`
	Order       *fleet.Order      `json:"order,omitempty"`
}

// What a kernel event for a robot means.
const (
	robotInbox uint32 = iota + 1
	robotTelemetry
	robotLegEnd     // the leg's end, or the incident that stops it
	robotHatch      // the hatch has finished moving; B is 1 for open
	robotContact    // contact is back
	robotRepaired   // out of the workshop
	robotChargeFull // the battery is full
	robotGivesUp    // it looked for goods that are not there
	robotSlotFree   // a slot of the dock it waits at is free
	robotShut       // whoever was at its hatch has gone
)

func (w *World) robotEvent(ctx context.Context, r *robot, e kernel.Event) error {
	switch e.Kind {
	case robotInbox:
		return w.read(ctx, r)
	case robotTelemetry:
		w.after(w.o.Scenario.World.Robots.TelemetryEvery, e)
		return w.telemetry(ctx, r)
	case robotLegEnd:
		return w.legEnd(ctx, r)
	case robotHatch:
		return w.hatchMoved(ctx, r, e.B == 1)
	case robotContact:
		return w.contactBack(ctx, r)
	case robotRepaired:
		return w.repaired(ctx, r)
	case robotChargeFull:
		return w.telemetry(ctx, r)
	case robotGivesUp:
		return w.giveUp(ctx, r)
	case robotSlotFree:
		return w.slotFree(ctx, r)
	case robotShut:
		if r.Open && !r.Moving {
			w.moveHatch(r, false)
		}
		return nil
	}
	return fmt.Errorf("world: robot %s: unknown event %d", r.ID, e.Kind)
}

// Link carries what the services tell robots. It implements task.Link and, by
// its Command, fleet.Link.
type Link struct{ w *World }

// Link returns the way to the robots.
func (w *World) Link() Link { return Link{w} }

// Instruct implements task.Link.
func (l Link) Instruct(_ context.Context, id fleet.RobotID, in task.Instruction) error {
	return l.send(id, in.Token, message{Instruction: &in})
}

// Command implements fleet.Link.
func (l Link) Command(_ context.Context, o fleet.Order) error {
	return l.send(o.Robot, o.Token, message{Order: &o})
}

// send puts m into the robot's inbox, to be read when its planner comes to it.
func (l Link) send(id fleet.RobotID, token uint64, m message) error {
	i, ok := l.w.byRobot[id]
	if !ok {
		return fault.New("world.send", fault.NotFound, "", "there is no robot %q", id)
	}
	r := l.w.robots[i]
	if l.w.silent(r) {
		return fault.New("world.send", fault.Unavailable, "no_contact", "robot %s has no contact", id)
	}
	if token < r.Token {
		return fault.New("world.send", fault.Conflict, "old_token", "robot %s follows token %d, refuses %d", id, r.Token, token)
	}
	r.Token = token
	r.Inbox = append(r.Inbox, m)
	l.w.after(l.w.o.Scenario.World.Robots.Reaction, kernel.Event{Target: forRobot, Kind: robotInbox, A: int64(i)})
	return nil
}

func (w *World) silent(r *robot) bool { return r.Silent > w.kernel.Now() }

// read takes the first message of the inbox.
func (w *World) read(ctx context.Context, r *robot) error {
	if len(r.Inbox) == 0 {
		return nil
	}
	m := r.Inbox[0]
	r.Inbox = append(r.Inbox[:0:0], r.Inbox[1:]...)
	if m.Order != nil {
		return w.obey(ctx, r, *m.Order)
	}
	return w.follow(ctx, r, *m.Instruction)
}

// follow does what Task says, once: a repeated instruction finds it done or under way.
func (w *World) follow(ctx context.Context, r *robot, in task.Instruction) error {
	if in.Token < r.Token {
		return nil // overtaken by a newer holder while it was in the inbox
	}
	same := r.Job != nil && r.Job.Task == in.Task && r.Job.Index == in.Index
	switch in.Kind {
	case task.Do:
		if same || r.Activity == fleet.Broken {
			return nil
		}
		return w.begin(ctx, r, in)
	case task.Open:
		if !same || r.Job.Step.Kind != task.Handoff {
			return nil
		}
		return w.openHatch(ctx, r)
	case task.Confirm:
		if !same || r.Job.Ended || r.Open || r.Moving {
			return nil
		}
		return w.confirm(ctx, r)
	case task.Drop:
		if r.Job == nil || r.Job.Task != in.Task {
			return nil
		}
		return w.drop(ctx, r)
	}
	return fmt.Errorf("world: robot %s: unknown instruction %q", r.ID, in.Kind)
}

// begin starts a step.
func (w *World) begin(ctx context.Context, r *robot, in task.Instruction) error {
	if r.Job == nil || r.Job.Task != in.Task {
		r.Reports = w.p.Reports
		if o := w.orderOf(in.Delivery); o != nil {
			o.Tries++
		}
	}
	w.leaveDock(r)
	r.Order = nil
	r.Job = &job{Task: in.Task, Delivery: in.Delivery, Token: in.Token, Index: in.Index, Step: in.Step}
	if err := w.report(ctx, r, task.ReportStarted, ""); err != nil || r.Job == nil {
		return err // without a job: the task was withdrawn before the robot said so
	}
	switch in.Step.Kind {
	case task.Drive:
		return w.drive(ctx, r, in.Step.To)
	case task.Handoff:
		if r.Leg != nil {
			w.stopLeg(r, "handoff")
		}
		w.rest(r, fleet.AtStop)
		if err := w.telemetry(ctx, r); err != nil {
			return err
		}
		if in.Step.HatchOpen && !r.Open { // as Task remembers it, from before the robot forgot
			if err := w.report(ctx, r, task.ReportClosed, ""); err != nil || r.Job == nil {
				return err
			}
		}
		w.meet(r)
		return nil
	}
	return fmt.Errorf("world: robot %s: step kind %q is not one that robots are given by tasks", r.ID, in.Step.Kind)
}

// confirm ends an exchange: what was loaded is aboard, what was unloaded is gone.
func (w *World) confirm(ctx context.Context, r *robot) error {
	r.Job.Ended = true
	switch r.Job.Step.Purpose {
	case task.Load:
		r.Goods = r.Job.Delivery
	case task.Transfer:
		if from := w.holderOf(r.Job.Delivery, r); from != nil {
			w.unburden(from)
		}
		r.Goods = r.Job.Delivery
	default:
		r.Goods = ""
	}
	if err := w.report(ctx, r, task.ReportConfirmed, ""); err != nil {
		return err
	}
	if r.Goods == "" {
		w.rest(r, fleet.Idle)
	}
	return w.telemetry(ctx, r)
}

// drop forgets the job and stops where it is. Goods that are still wanted stay
// locked in it until another carrier takes them over; others the crew takes out.
func (w *World) drop(ctx context.Context, r *robot) error {
	r.Job = nil
	if r.Leg != nil {
		w.stopLeg(r, "dropped")
	}
	if r.Activity == fleet.Broken {
		return w.telemetry(ctx, r)
	}
	r.Fault = ""
	if o := w.orderOf(r.Goods); o != nil && !o.Ended {
		w.rest(r, fleet.Halted)
		r.Fault = waitsForRelief
	} else {
		r.Goods = ""
		w.rest(r, fleet.Idle)
	}
	return w.telemetry(ctx, r)
}

// waitsForRelief is the fault of a robot whose goods another one comes to take.
const waitsForRelief = "waits_for_relief"

// obey does what Fleet says: charge, go somewhere, or hold.
func (w *World) obey(ctx context.Context, r *robot, o fleet.Order) error {
	if o.Token < r.Token || r.Activity == fleet.Broken || r.Job != nil && !r.Job.Ended {
		return nil
	}
	r.Job = nil
	r.Order = &o
	switch o.Kind {
	case fleet.OrderHold:
		if r.Leg != nil {
			w.stopLeg(r, "hold")
		}
		w.rest(r, fleet.Idle)
		return w.telemetry(ctx, r)
	case fleet.OrderCharge:
		if r.Dock >= 0 && w.docks[r.Dock].ID == o.Dock {
			return nil
		}
	case fleet.OrderGo:
	default:
		return fmt.Errorf("world: robot %s: unknown order %q", r.ID, o.Kind)
	}
	w.leaveDock(r)
	return w.drive(ctx, r, o.To)
}

// report tells Task, or keeps the report until contact is back.
func (w *World) report(ctx context.Context, r *robot, kind task.ReportKind, cause string) error {
	r.Reports++
	rep := task.Report{
		Robot: r.ID, Task: r.Job.Task, Token: r.Job.Token, Step: r.Job.Index, Number: r.Reports,
		Kind: kind, Cause: cause, Position: w.position(r),
	}
	if w.silent(r) || len(r.Unheard) > 0 {
		r.Unheard = append(r.Unheard, rep)
		return nil
	}
	return w.deliverReport(ctx, r, rep)
}

func (w *World) deliverReport(ctx context.Context, r *robot, rep task.Report) error {
	err := w.p.Tasks.Report(ctx, rep)
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) {
		// The task has gone to somebody else meanwhile.
		if r.Job != nil && r.Job.Task == rep.Task {
			return w.drop(ctx, r)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("robot %s reports %s: %w", r.ID, rep.Kind, err)
	}
	return nil
}

// telemetry tells Fleet how the robot is. Without contact nobody hears it.
func (w *World) telemetry(ctx context.Context, r *robot) error {
	now := w.kernel.Now()
	if err := w.checkEmpty(ctx, r); err != nil {
		return err
	}
	if w.silent(r) {
		return nil
	}
	t := fleet.Telemetry{
		Robot: r.ID, At: now, Position: w.position(r), ChargeMWh: w.charge(r, now),
		Activity: r.Activity, Mode: r.Mode, Loaded: r.Goods != "", Fault: r.Fault, Token: r.Token,
	}
	if r.Leg != nil {
		t.SpeedMMS = r.SpeedMMS
	}
	if r.Dock >= 0 {
		t.Dock = w.docks[r.Dock].ID
	}
	if err := w.p.Fleet.Report(ctx, t); err != nil {
		return fmt.Errorf("telemetry of %s: %w", r.ID, err)
	}
	return nil
}

// rest makes the robot stand still and do a.
func (w *World) rest(r *robot, a fleet.Activity) {
	now := w.kernel.Now()
	if r.Leg != nil {
		w.stopLeg(r, "")
	}
	r.Charge = w.charge(r, now)
	r.Since = now
	r.Activity = a
}

// luck returns the stream of r's chances for purpose and the number of the next
// draw. On a delivery they belong to the order, so that whichever robot a
// policy sends meets the same.
func (w *World) luck(r *robot, purpose string) (rng.Stream, uint64) {
	if r.Job != nil {
		if o := w.orderOf(r.Job.Delivery); o != nil {
			n := o.Tries&0xff<<16 | uint64(r.Job.Index)&0xff<<8 | r.Job.Legs&0xff
			return w.o.Seed.Stream(o.Luck, purpose), n
		}
	}
	r.Draws++
	return w.o.Seed.Stream("robot/"+string(r.ID), purpose), r.Draws
}
