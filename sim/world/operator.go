package world

import (
	"context"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/runlog"
	"footway/core/task"
	"footway/sim/kernel"
)

// operators is the limited pool of people who help robots from afar. Calls are
// answered in the order in which they come.
type operators struct {
	OnDuty int    `json:"on_duty"`
	Busy   int    `json:"busy"`
	Calls  []call `json:"calls,omitempty"` // waiting
}

// call is a robot that waits for an operator.
type call struct {
	Robot int        `json:"robot"`
	Cause string     `json:"cause"`
	Since clock.Time `json:"since"`
}

// callOperator queues r for help.
func (w *World) callOperator(r *robot, why string) {
	w.crew.Calls = append(w.crew.Calls, call{Robot: r.Index, Cause: why, Since: w.kernel.Now()})
	w.kernel.Schedule(w.kernel.Now(), kernel.Event{Target: forOperator, Kind: operatorLooks})
}

const (
	operatorLooks uint32 = iota + 1 // somebody may be free for a waiting call
	operatorDone                    // A: the robot that was helped
)

// assisted begins and ends help.
func (w *World) assisted(ctx context.Context, e kernel.Event) error {
	if e.Kind == operatorDone {
		w.crew.Busy--
		if err := w.helped(ctx, w.robots[e.A]); err != nil {
			return err
		}
	}
	for w.crew.Busy < w.crew.OnDuty && len(w.crew.Calls) > 0 {
		c := w.crew.Calls[0]
		w.crew.Calls = append(w.crew.Calls[:0:0], w.crew.Calls[1:]...)
		r := w.robots[c.Robot]
		if r.Activity != fleet.Halted && !r.jammed() || r.Helped != 0 {
			continue // it was dropped, or broke down, while it waited; or somebody helps it already
		}
		if err := w.help(ctx, r, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) help(ctx context.Context, r *robot, c call) error {
	now := w.kernel.Now()
	w.crew.Busy++
	r.Helped, r.Mode = now, fleet.Intervened
	s, k := w.luck(r, "assist")
	w.after(w.o.Scenario.World.Operators.Assist.Draw(s, k), kernel.Event{Target: forOperator, Kind: operatorDone, A: int64(r.Index)})
	w.journal(runlog.OperatorBegan, string(r.ID), runlog.Assist{Robot: r.ID, Cause: c.Cause, WaitedMS: int64(now.Sub(c.Since))})
	if r.Job != nil && !r.Job.Ended {
		if err := w.report(ctx, r, task.ReportAssistBegan, c.Cause); err != nil {
			return err
		}
	}
	return w.telemetry(ctx, r)
}

// helped lets the robot go on with what it was doing.
func (w *World) helped(ctx context.Context, r *robot) error {
	w.journal(runlog.OperatorEnded, string(r.ID), runlog.Assist{Robot: r.ID, Cause: r.Fault})
	r.Helped, r.Mode = 0, fleet.Automatic
	if r.Job != nil && !r.Job.Ended {
		if err := w.report(ctx, r, task.ReportAssistEnded, ""); err != nil {
			return err
		}
	}
	if r.jammed() {
		r.Fault = ""
		return w.telemetry(ctx, r)
	}
	return w.goOn(ctx, r)
}

// goOn continues after a halt.
func (w *World) goOn(ctx context.Context, r *robot) error {
	if r.Activity != fleet.Halted {
		return nil
	}
	w.resumed(r, r.Fault)
	r.Fault = ""
	switch {
	case r.Job != nil && !r.Job.Ended && r.Job.Step.Kind == task.Drive:
		return w.drive(ctx, r, r.Job.Step.To)
	case r.Job == nil && r.Order != nil && r.Order.Kind != fleet.OrderHold:
		return w.drive(ctx, r, r.Order.To)
	}
	w.rest(r, fleet.Idle)
	return w.telemetry(ctx, r)
}
