package delivery

import (
	"context"

	"footway/core/fault"
	"footway/core/task"
)

// HandoffRequest is what a person at the robot wants.
type HandoffRequest struct {
	Purpose task.Purpose
	Want    task.HandoffWant
	PIN     string
	Staff   bool // the person is known to the system, so no PIN is needed
}

// Handoff passes on what a person at the robot wants; what the robot then reports
// moves the delivery. A repeat of a confirmation that has had its effect is no
// error. Otherwise it fails as Task does: fault.Conflict at the wrong moment,
// fault.Forbidden for a wrong PIN.
func (s *Service) Handoff(ctx context.Context, id ID, r HandoffRequest) error {
	d, err := s.ByID(ctx, id)
	if err != nil {
		return err
	}
	if r.Want == task.WantConfirm && d.exchanged(r.Purpose) {
		return nil
	}
	if d.Task == "" || d.State.Ended() {
		return fault.New("delivery.Handoff", fault.Conflict, NoCarrier, "delivery %s is %s: no robot waits for %s", id, d.State, r.Purpose)
	}
	return s.Tasks.Handoff(ctx, task.HandoffRequest{Task: d.Task, Purpose: r.Purpose, Want: r.Want, PIN: r.PIN, Staff: r.Staff})
}

// exchanged reports whether an exchange is over.
func (d *Delivery) exchanged(p task.Purpose) bool {
	switch p {
	case task.Load:
		return d.State.Carried() || d.State == Delivered || d.State == Returned
	case task.Unload:
		return d.State == Delivered
	case task.Return:
		return d.State == Returned
	case task.Transfer:
		return len(d.Custody) > 1 && d.Transfer == nil
	}
	return false
}

// CannotCome is the recipient's word that nobody will take the goods: as if the
// robot had waited in vain. It is possible while the goods are on their way or at the
// door; a repeat changes nothing. Otherwise it fails with fault.Conflict, reason NotUnderWay.
func (s *Service) CannotCome(ctx context.Context, id ID) error {
	_, err := s.change(ctx, id, func(t *turn) error {
		d := t.d
		switch {
		case d.State == ToDropoff || d.State == AtDropoff:
			return t.giveBack(recipientCannotCome)
		case d.State.Homeward() || d.State == Returned || d.CancelReason == FailedToReturn || d.CancelCause == recipientCannotCome:
			return nil
		}
		return fault.New("delivery.CannotCome", fault.Conflict, NotUnderWay, "delivery %s is %s; want %s or %s", id, d.State, ToDropoff, AtDropoff)
	})
	return err
}

const recipientCannotCome = "recipient_cannot_come"
