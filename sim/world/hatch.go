package world

import (
	"context"

	"footway/core/task"
	"footway/sim/kernel"
)

const hatchJam = "hatch_jam"

// jammed reports whether the lid of r waits for help.
func (r *robot) jammed() bool { return r.Fault == hatchJam }

// openHatch tries to open the lid.
func (w *World) openHatch(ctx context.Context, r *robot) error {
	if r.Open || r.Moving || r.Job.Ended {
		return nil
	}
	r.Job.Opens++
	s, k := w.luck(r, "jam")
	if r.JamNext || s.Chance(k<<20|r.Job.Opens, w.o.Scenario.World.Robots.Jam) {
		r.JamNext = false
		r.Fault = hatchJam
		w.callOperator(r, hatchJam)
		return w.report(ctx, r, task.ReportJammed, hatchJam)
	}
	r.Fault = ""
	w.moveHatch(r, true)
	return nil
}

// moveHatch begins to open or close the lid.
func (w *World) moveHatch(r *robot, open bool) {
	r.Moving = true
	e := kernel.Event{Target: forRobot, Kind: robotHatch, A: int64(r.Index)}
	if open {
		e.B = 1
	}
	w.after(w.o.Scenario.World.Robots.HatchTime, e)
}

// hatchMoved is the end of the lid's way: people at the robot see it.
func (w *World) hatchMoved(ctx context.Context, r *robot, open bool) error {
	if !r.Moving {
		return nil
	}
	r.Moving, r.Open = false, open
	if r.Job == nil {
		return nil
	}
	kind := task.ReportClosed
	if open {
		kind = task.ReportOpened
	}
	if err := w.report(ctx, r, kind, ""); err != nil || r.Job == nil {
		return err // without a job: the task was withdrawn meanwhile
	}
	o := w.orderOf(r.Job.Delivery)
	switch {
	case o != nil && !r.Job.Ended:
		w.seen(o, r, open)
	case o == nil && open:
		// Somebody is there of whom the world knows nothing, and shuts it when done.
		s, k := w.luck(r, "stranger")
		w.after(w.o.Scenario.World.Merchants.Loading.Draw(s, k), kernel.Event{Target: forRobot, Kind: robotShut, A: int64(r.Index)})
	}
	return nil
}
