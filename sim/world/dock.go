package world

import (
	"context"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/kernel"
)

// dock is a place with charging slots.
type dock struct {
	ID       fleet.DockID  `json:"id"`
	Position maps.Position `json:"position"`
	Slots    int           `json:"slots"`
	PowerMW  int64         `json:"power_mw"`
	Taken    int           `json:"taken"`
	Queue    []int         `json:"queue,omitempty"` // robots that wait for a slot
}

// reachDock plugs the robot in, or lets it wait for a slot.
func (w *World) reachDock(ctx context.Context, r *robot) error {
	for i := range w.docks {
		d := &w.docks[i]
		if d.ID != r.Order.Dock {
			continue
		}
		if d.Taken < d.Slots {
			return w.plugIn(ctx, r, i)
		}
		r.Queued = true
		d.Queue = append(d.Queue, r.Index)
		w.rest(r, fleet.Idle)
		return w.telemetry(ctx, r)
	}
	w.rest(r, fleet.Idle) // no such dock here: it waits where it was sent
	return w.telemetry(ctx, r)
}

func (w *World) plugIn(ctx context.Context, r *robot, i int) error {
	d := &w.docks[i]
	d.Taken++
	r.Queued = false
	r.Dock = i
	w.rest(r, fleet.Charging)
	if missing := r.Capacity - r.Charge; d.PowerMW > 0 && missing > 0 {
		full := clock.Duration((missing*3_600_000 + d.PowerMW - 1) / d.PowerMW)
		w.after(full, kernel.Event{Target: forRobot, Kind: robotChargeFull, A: int64(r.Index)})
	}
	w.journal(runlog.RobotCharging, string(r.ID), runlog.Charging{Robot: r.ID, Dock: d.ID, Position: r.At, ChargeMWh: r.Charge, PowerMW: d.PowerMW})
	return w.telemetry(ctx, r)
}

// leaveDock frees the robot's slot, or its place in the queue.
func (w *World) leaveDock(r *robot) {
	now := w.kernel.Now()
	if r.Queued {
		r.Queued = false
		for i := range w.docks {
			w.docks[i].forget(r.Index)
		}
	}
	if r.Dock < 0 {
		return
	}
	d := &w.docks[r.Dock]
	w.rest(r, fleet.Idle)
	w.journal(runlog.RobotCharged, string(r.ID), runlog.Charged{Robot: r.ID, Dock: d.ID, ChargeMWh: r.Charge})
	r.Dock = -1
	d.Taken--
	if len(d.Queue) > 0 {
		next := d.Queue[0]
		d.Queue = append(d.Queue[:0:0], d.Queue[1:]...)
		w.kernel.Schedule(now, kernel.Event{Target: forRobot, Kind: robotSlotFree, A: int64(next)})
	}
}

// forget takes robot i out of the queue.
func (d *dock) forget(i int) {
	for k, q := range d.Queue {
		if q == i {
			d.Queue = append(d.Queue[:k:k], d.Queue[k+1:]...)
			return
		}
	}
}

// slotFree lets a robot that waited have the slot, if it still wants it.
func (w *World) slotFree(ctx context.Context, r *robot) error {
	if !r.Queued || r.Order == nil {
		return nil
	}
	return w.reachDock(ctx, r)
}
