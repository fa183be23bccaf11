package task

import "footway/core/fault"

// hear takes a report of the robot.
func (d *draft) hear(r Report) (changed bool, err error) {
	switch {
	case r.Robot != d.Robot:
		return false, fault.New("task.Report", fault.Conflict, "other_robot", "task %s is that of robot %s, not of %s", d.ID, d.Robot, r.Robot)
	case r.Token != d.Token:
		return false, fault.New("task.Report", fault.Conflict, "old_token", "task %s has token %d, robot %s reports under %d", d.ID, d.Token, r.Robot, r.Token)
	case d.State == Cancelled:
		return false, fault.New("task.Report", fault.Conflict, "cancelled", "task %s is cancelled", d.ID)
	case r.Number == 0:
		return false, fault.New("task.Report", fault.Invalid, "", "task %s: a report without a number; they count from 1", d.ID)
	case d.State != Active || r.Number <= d.Heard:
		return false, nil
	case r.Step < 0 || r.Step > d.Current:
		return false, fault.New("task.Report", fault.Invalid, "", "task %s: report %q of step %d while step %d is the current one", d.ID, r.Kind, r.Step, d.Current)
	}
	if r.Step == d.Current {
		if err := d.fits(r.Kind); err != nil {
			return false, err
		}
	}
	d.Heard, d.Position = r.Number, r.Position
	if r.Step == d.Current {
		d.apply(r)
	}
	return true, nil
}

// fits reports what is wrong with a report of the kind in the current step.
func (d *draft) fits(kind ReportKind) error {
	s := d.step()
	switch kind {
	case ReportArrived:
		if s.Kind == Drive {
			return nil
		}
	case ReportConfirmed:
		if s.HatchOpen {
			return fault.New("task.Report", fault.Conflict, "hatch_open", "task %s: confirmed while the hatch is open in step %d", d.ID, d.Current)
		}
		if s.Kind != Drive {
			return nil
		}
	case ReportStarted, ReportFailed, ReportAssistBegan, ReportAssistEnded, ReportOpened, ReportClosed, ReportJammed:
		return nil
	}
	return fault.New("task.Report", fault.Invalid, "", "task %s: report %q does not fit step %d, a %s", d.ID, kind, d.Current, s.Kind)
}

// apply lets a report that fits move the current step.
func (d *draft) apply(r Report) {
	switch r.Kind {
	case ReportStarted:
		d.start()
	case ReportArrived:
		d.start()
		d.finish(Arrived)
	case ReportConfirmed:
		d.start()
		d.finish(Confirmed)
	case ReportFailed:
		d.fail(r.Cause)
	case ReportAssistBegan:
		d.assist(r.Cause)
	case ReportAssistEnded:
		d.endAssist()
	case ReportOpened, ReportClosed, ReportJammed:
		// In another step it is the end of a movement that a replan overtook.
		if d.step().Kind == Handoff {
			d.start()
			d.hatch(r)
		}
	}
}
