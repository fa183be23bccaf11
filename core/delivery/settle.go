package delivery

import (
	"context"
	"fmt"

	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/task"
	"footway/core/trace"
)

// paid is what settle has done and must note.
type paid struct {
	attempt int     // to which the first three belong
	task    task.ID // made
	refused bool    // Task does not take it
	asked   bool    // Dispatch has taken the request
	debts   int     // number of the last debt that was paid
	back    int     // number of the debt by which Task sends the goods back, if it agreed
	stay    int     // the same, if it was too late
}

// settle makes the calls to other services that d owes, and notes which were
// taken. What was not is tried again by a timer; that a service cannot be
// reached is therefore no error.
func (s *Service) settle(ctx context.Context, d Delivery) (Delivery, error) {
	if !d.needsTask() && !d.needsAsking() && len(d.Owed) == 0 {
		return d, nil
	}
	ctx = trace.With(ctx, d.Trace)
	done, err := s.pay(ctx, &d)
	var noteErr error
	if done != (paid{attempt: d.Attempt}) {
		var after Delivery
		if after, noteErr = s.edit(ctx, d.ID, func(t *turn) error { return t.note(done) }); noteErr == nil {
			d = after
		}
	}
	if err == nil {
		err = noteErr
	}
	if err != nil || d.needsTask() || d.needsAsking() || len(d.Owed) > 0 {
		s.Timers.Set(key(d.ID, timerSettle), s.Clock.Now().Add(s.Settings(d.Market).RetryEvery))
	}
	if err != nil && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Exhausted) {
		return d, err
	}
	return d, nil
}

func (d *Delivery) needsTask() bool {
	return d.Robot != "" && d.Task == "" && !d.State.Ended()
}

func (d *Delivery) needsAsking() bool { return d.waiting() && !d.Asked }

// pay makes the calls. The debts are paid in their order; the rest does not wait for them.
func (s *Service) pay(ctx context.Context, d *Delivery) (paid, error) {
	done := paid{attempt: d.Attempt}
	var first error
	note := func(err error) bool {
		if err != nil && first == nil {
			first = fmt.Errorf("settle %s: %w", d.ID, err)
		}
		return err == nil
	}
	id := d.Task
	if d.needsTask() {
		t, err := s.Tasks.Create(ctx, task.CreateRequest{
			Market: d.Market, Delivery: string(d.ID), Attempt: d.Attempt, Robot: d.Robot, Token: d.Token,
			Steps: d.steps(s.Settings(d.Market), s.Clock.Now()),
		})
		if fault.Is(err, fault.Conflict) {
			done.refused, err = true, nil
		}
		if note(err) {
			done.task, id = t.ID, t.ID
		}
	}
	for i := range d.Owed {
		if !note(s.payDebt(ctx, d, &d.Owed[i], id, &done)) {
			break
		}
		done.debts = d.Owed[i].Number
	}
	if d.needsAsking() {
		done.asked = note(s.Dispatcher.Request(ctx, d.request()))
	}
	return done, first
}

// payDebt makes one call that d owes. That there is nothing any more to be told is fine.
func (s *Service) payDebt(ctx context.Context, d *Delivery, o *Debt, current task.ID, done *paid) error {
	var err error
	switch o.Kind {
	case OweCancel:
		err = s.cancelTask(ctx, d, o)
	case OweReplan:
		if o.Attempt != d.Attempt || d.State.Ended() {
			return nil // of a task that is cancelled
		}
		if current == "" {
			return fault.New("delivery.settle", fault.Unavailable, "no_task", "task of %s#%d is not there yet", d.ID, o.Attempt)
		}
		err = s.Tasks.Replan(ctx, task.ReplanRequest{Task: current, Number: o.Replan, From: o.From, Steps: o.Steps})
		switch late := fault.Is(err, fault.Conflict); {
		case late && o.Back:
			done.stay, err = o.Number, nil
		case late:
			err = nil // it ended meanwhile; the feed will tell how
		case err == nil && o.Back:
			done.back = o.Number
		}
	case OweWithdraw:
		err = s.Dispatcher.Withdraw(ctx, d.Market, string(d.ID), o.Attempt)
	case OweFinish:
		err = s.Dispatcher.Finish(ctx, dispatch.Finish{
			Market: d.Market, Delivery: string(d.ID), Attempt: o.Attempt, Robot: o.Robot, Token: o.Token, PickupAt: o.PickupAt, DropoffAt: o.DropoffAt,
		})
	default:
		err = fault.New("delivery.settle", fault.Internal, "", "delivery %s owes an unknown %q", d.ID, o.Kind)
	}
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// cancelTask ends a task. If the answer that had its id was lost, Create finds
// it, or makes one just to cancel it: that is the only way to be sure.
func (s *Service) cancelTask(ctx context.Context, d *Delivery, o *Debt) error {
	id := o.Task
	if id == "" {
		t, err := s.Tasks.Create(ctx, task.CreateRequest{
			Market: d.Market, Delivery: string(d.ID), Attempt: o.Attempt, Robot: o.Robot, Token: o.Token, Steps: o.Steps,
		})
		if fault.Is(err, fault.Conflict) {
			return nil // Task never took it
		}
		if err != nil {
			return err
		}
		id = t.ID
	}
	return s.Tasks.Cancel(ctx, id, o.Cause)
}

// note notes what was paid, unless the delivery has gone on meanwhile.
func (t *turn) note(p paid) error {
	d := t.d
	back, stay := false, false
	for len(d.Owed) > 0 && d.Owed[0].Number <= p.debts {
		back = back || d.Owed[0].Number == p.back
		stay = stay || d.Owed[0].Number == p.stay
		d.Owed, t.changed = d.Owed[1:], true
	}
	if len(d.Owed) == 0 {
		d.Owed = nil
	}
	if p.attempt != d.Attempt {
		return nil
	}
	if p.task != "" && d.Task == "" {
		d.Task, t.changed = p.task, true
	}
	if p.asked && !d.Asked {
		d.Asked, d.AskedAt, t.changed = true, t.now, true
	}
	switch {
	case back && d.GoingBack != "":
		return t.turnBack()
	case stay && d.GoingBack != "":
		t.stayOut()
	}
	if p.refused && d.Task == "" {
		return t.carrierFailed("task_refused", nil)
	}
	return nil
}
