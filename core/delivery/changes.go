package delivery

import (
	"context"
	"fmt"

	"footway/core/event"
	"footway/core/fault"
	"footway/core/task"
)

// hear applies one change of a task. It may be repeated, and late.
func (s *Service) hear(ctx context.Context, c task.Change) error {
	var ignored *IgnoredEvent
	d, err := s.change(ctx, ID(c.Delivery), func(t *turn) error {
		ignored = nil
		state := t.d.State
		err := t.heard(c)
		if fault.Is(err, fault.Conflict) {
			// The task is ahead of what its delivery can become; to stop here would
			// stop every delivery behind it.
			ignored, err = &IgnoredEvent{State: state, Task: string(c.Task), Seq: c.Seq, Change: string(c.Kind)}, nil
			t.changed = true // so that it is ignored once
		}
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil // a task of nobody
	}
	if err != nil {
		return fmt.Errorf("change %d (%s) of task %s: %w", c.Seq, c.Kind, c.Task, err)
	}
	if ignored != nil {
		s.Journal.Append(ctx, event.New(s.Clock.Now(), string(d.Market), "delivery.ignored", string(d.ID), 0, *ignored))
	}
	return nil
}

func (t *turn) heard(c task.Change) error {
	d := t.d
	if f := d.Transfer; f != nil && c.Attempt == f.Attempt && c.Kind == task.Confirmed && !d.State.Ended() {
		return t.handedOver(c)
	}
	if c.Attempt != d.Attempt || c.Robot != d.Robot || c.Seq <= d.TaskSeq || d.State.Ended() {
		return nil
	}
	d.TaskSeq = c.Seq // saved with whatever effect there is; without one, a repeat has none either
	d.At = c.Position
	if d.Task == "" {
		d.Task, t.changed = c.Task, true
	}
	step := c.Step
	if c.Kind == task.Arrived {
		step++ // the exchange begins
	}
	if step != d.Step {
		d.Step, t.changed = step, true
	}
	switch c.Kind {
	case task.Started:
		return t.started(c)
	case task.Arrived:
		return t.arrived(c)
	case task.Confirmed:
		return t.confirmed(c)
	case task.HatchOpened:
		d.Exchange, t.changed = t.now, true
	case task.Overdue:
		return t.overdue(c)
	case task.StepFailed, task.Withdrawn:
		cause := c.Cause
		if cause == "" {
			cause = string(c.Kind)
		}
		return t.carrierFailed(cause, &c.Position)
	}
	return nil
}

func (t *turn) started(c task.Change) error {
	if c.StepKind != task.Drive {
		return nil
	}
	t.changed = true // that it has set off is worth remembering
	if t.d.State.Homeward() {
		return nil
	}
	switch c.Purpose {
	case task.Load:
		return t.advance(outward, ToPickup)
	case task.Unload:
		return t.advance(outward, ToDropoff)
	}
	return nil
}

func (t *turn) arrived(c task.Change) error {
	d := t.d
	d.LateSince, d.Silent = 0, false
	switch {
	case c.Purpose == task.Load:
		return t.advance(outward, AtPickup)
	case c.Purpose == task.Unload && d.State == AtDropoff:
		// Another carrier, after a takeover at the door: the recipient's time begins anew.
		d.Since, d.Exchange, t.changed = t.now, 0, true
	case c.Purpose == task.Unload && !d.State.Homeward():
		return t.advance(outward, AtDropoff)
	case c.Purpose == task.Return && d.State == AtReturn:
		d.Since, d.Exchange, t.changed = t.now, 0, true
	case c.Purpose == task.Return:
		return t.advance(homeward, AtReturn)
	}
	return nil
}

func (t *turn) confirmed(c task.Change) error {
	d := t.d
	switch {
	case c.Purpose == task.Load:
		return t.advance(outward, Loaded)
	case c.Purpose == task.Transfer && d.Transfer != nil:
		t.takeOver()
	case c.Purpose == task.Unload:
		d.GoingBack = "" // somebody took them in the last moment
		if err := t.advance(outward, Delivered); err != nil {
			return err
		}
		t.release("")
	case c.Purpose == task.Return && d.State.Homeward():
		d.charge(ReturnFee, d.Fee*Money(t.set.Pricing.ReturnPermille)/1000)
		if err := t.advance(homeward, Returned); err != nil {
			return err
		}
		t.release("")
	case c.Purpose == task.Return:
		return t.move(Returned, "") // fails, and says why
	}
	return nil
}

// handedOver is a carrier that was given up too early: it has handed over all by
// itself what others are on their way to take from it.
func (t *turn) handedOver(c task.Change) error {
	d, f := t.d, t.d.Transfer
	switch {
	case c.Purpose == task.Return && d.State.Homeward():
	case c.Purpose == task.Unload && !d.State.Homeward():
	default:
		return nil
	}
	if d.Robot != "" {
		t.oweCancel("not_needed")
		t.oweFinish()
	} else {
		t.owe(Debt{Kind: OweWithdraw, Attempt: d.Attempt})
	}
	d.Robot, d.Token, d.Task, d.Attempt, d.Transfer = f.From, f.Token, f.Task, f.Attempt, nil
	return t.confirmed(c)
}

// overdue is a step that took longer than its budget. Exchanges have limits of
// their own, except a takeover, for which nobody else waits.
func (t *turn) overdue(c task.Change) error {
	d := t.d
	switch {
	case c.StepKind == task.Handoff && c.Purpose != task.Transfer:
		return nil
	case d.State.BeforeLoaded() || d.Transfer != nil:
		return t.carrierFailed("overdue", &c.Position)
	case d.LateSince == 0:
		d.LateSince = t.now
		t.tell(Trouble, "overdue")
	}
	return nil
}
