package task

import (
	"footway/core/clock"
	"footway/core/fault"
)

// draft is a task that is being changed: what was decided, and what to tell
// the robot once it is saved. Its rules read no clock and no store.
type draft struct {
	Task
	now  clock.Time
	set  Settings
	send []InstructionKind
}

// step returns the current step. There is one as long as the task is active.
func (d *draft) step() *Step { return &d.Steps[d.Current] }

// note appends what happened to the current step to the task's events.
func (d *draft) note(kind ChangeKind, cause string) {
	s := d.step()
	d.Events = append(d.Events, Change{
		Task: d.ID, Delivery: d.Delivery, Attempt: d.Attempt, Robot: d.Robot, Seq: uint64(len(d.Events)) + 1, At: d.now,
		Kind: kind, Step: d.Current, StepKind: s.Kind, Purpose: s.Purpose, Cause: cause, Position: d.Position,
	})
}

// begin offers the first step of a new task to the robot.
func (d *draft) begin() {
	d.State = Active
	d.send = append(d.send, Do)
}

// start is the robot's word that it took the step up.
func (d *draft) start() {
	s := d.step()
	if s.Status != Pending {
		return
	}
	s.Status, s.StartedAt = Running, d.now
	if s.Budget > 0 {
		s.Deadline = d.now.Add(s.Budget)
	}
	if s.Assisted {
		s.AssistedAt = d.now // what came before costs none of the budget
	}
	d.note(Started, "")
}

// finish ends the current step and goes on to the next, or ends the task.
func (d *draft) finish(kind ChangeKind) {
	s := d.step()
	d.endAssist()
	s.Status, s.DoneAt, s.Cause, s.Asked, s.ConfirmAt = Done, d.now, "", "", 0
	d.note(kind, "")
	if d.Current == len(d.Steps)-1 {
		d.note(Ended, "")
		d.State = Finished
	} else {
		d.send = append(d.send, Do)
	}
	d.Current++
}

// fail ends the task at the current step.
func (d *draft) fail(cause string) {
	d.endAssist()
	d.step().Cause = cause
	d.note(StepFailed, cause)
	d.skip()
	d.step().Status = Failed
	d.State = Broken
}

// cancel ends the task from outside. The robot forgets it.
func (d *draft) cancel(cause string) (changed bool, err error) {
	switch d.State {
	case Finished:
		return false, nil
	case Cancelled, Broken:
		d.send = append(d.send, Drop)
		return false, nil
	}
	d.endAssist()
	d.note(Withdrawn, cause)
	d.skip()
	d.State = Cancelled
	d.send = append(d.send, Drop)
	return true, nil
}

// skip marks what will not be done any more.
func (d *draft) skip() {
	for i := d.Current; i < len(d.Steps); i++ {
		s := &d.Steps[i]
		s.Status, s.Asked, s.ConfirmAt = Skipped, "", 0
	}
}

// replan replaces what is left from index r.From on.
func (d *draft) replan(r ReplanRequest) (changed bool, err error) {
	switch {
	case r.Number == d.Replans && r.Number > 0:
		if d.State == Active && d.step().Status == Pending {
			d.send = append(d.send, Do)
		}
		return false, nil
	case d.State != Active:
		return false, fault.New("task.Replan", fault.Conflict, "ended", "task %s is %s", d.ID, d.State)
	case r.Number < d.Replans:
		return false, fault.New("task.Replan", fault.Conflict, "old_replan", "task %s: replan %d comes after replan %d", d.ID, r.Number, d.Replans)
	case r.From < 0 || r.From > len(d.Steps):
		return false, fault.New("task.Replan", fault.Invalid, "", "task %s: from step %d of %d", d.ID, r.From, len(d.Steps))
	case r.From <= d.Current && d.step().HatchOpen:
		return false, fault.New("task.Replan", fault.Conflict, "hatch_open", "task %s: the hatch is open in step %d", d.ID, d.Current)
	}
	d.Replans = r.Number
	if r.From > d.Current {
		d.Steps = append(d.Steps[:r.From], fresh(r.Steps)...)
		return true, nil
	}
	d.endAssist()
	d.skip()
	d.Current++
	d.Steps = append(d.Steps[:d.Current], fresh(r.Steps)...)
	d.send = append(d.send, Do)
	return true, nil
}

// overdue notes once that the current step takes longer than its budget.
func (d *draft) overdue() (changed bool, err error) {
	if at := d.deadline(); at == 0 || d.now < at {
		return false, nil
	}
	d.step().Overdue = true
	d.note(Overdue, "")
	return true, nil
}

// deadline returns when the current step becomes overdue; 0 if it cannot, or has.
func (t *Task) deadline() clock.Time {
	if t.State != Active {
		return 0
	}
	s := &t.Steps[t.Current]
	if s.Overdue || s.Assisted {
		return 0
	}
	return s.Deadline
}

// assist is a remote operator beginning to help.
func (d *draft) assist(cause string) {
	s := d.step()
	if s.Assisted {
		return
	}
	s.Assisted, s.AssistedAt = true, d.now
	d.note(AssistBegan, cause)
}

// endAssist gives the time that an operator helped back to the step, within
// limits: a robot that is helped again and again would never be overdue.
func (d *draft) endAssist() {
	s := d.step()
	if !s.Assisted {
		return
	}
	s.Assisted = false
	if s.Deadline > 0 {
		latest := max(s.StartedAt.Add(s.Budget+d.set.MaxAssist), s.Deadline)
		s.Deadline = min(s.Deadline.Add(d.now.Sub(s.AssistedAt)), latest)
	}
	d.note(AssistEnded, "")
}

// fresh returns steps as they are before anything happened.
func fresh(steps []Step) []Step {
	out := make([]Step, len(steps))
	for i, s := range steps {
		out[i] = Step{Kind: s.Kind, Purpose: s.Purpose, To: s.To, Budget: s.Budget, PIN: s.PIN, Status: Pending}
	}
	return out
}
