package task

import (
	"crypto/subtle"

	"footway/core/fault"
)

// hatch moves the exchange by what the robot says of its hatch. Only opening
// and confirming again undo or end it: closing does not.
func (d *draft) hatch(r Report) {
	s := d.step()
	switch r.Kind {
	case ReportOpened:
		s.Asked, s.ConfirmAt = "", 0
		if s.HatchOpen {
			return
		}
		s.HatchOpen, s.Opened, s.Status, s.Cause = true, true, Running, ""
		d.note(HatchOpened, "")
	case ReportClosed:
		if !s.HatchOpen {
			return
		}
		s.HatchOpen = false
		if d.set.AutoConfirm {
			s.ConfirmAt = d.now.Add(d.set.ConfirmAfterClose)
		}
		d.note(HatchClosed, "")
	case ReportJammed:
		s.Asked = ""
		s.Tries++
		s.Status, s.Cause = Retriable, r.Cause
		d.note(HatchJammed, r.Cause)
		if s.Tries >= d.set.MaxHatchTries {
			d.fail("hatch_jammed")
		}
	}
}

// handoff does what a person at the robot wants.
func (d *draft) handoff(r HandoffRequest) (changed bool, err error) {
	switch r.Want {
	case WantOpen:
		if err := d.exchange(r.Purpose); err != nil {
			return false, err
		}
		return d.open(r)
	case WantConfirm:
		if d.confirmed(r.Purpose) {
			return false, nil
		}
		if err := d.exchange(r.Purpose); err != nil {
			return false, err
		}
		return d.confirm()
	}
	return false, fault.New("task.Handoff", fault.Invalid, "", "task %s: want is %q; want %s or %s", d.ID, r.Want, WantOpen, WantConfirm)
}

// exchange returns an error unless the robot waits for this exchange.
func (d *draft) exchange(p Purpose) error {
	refuse := func(reason, format string, args ...any) error {
		return fault.New("task.Handoff", fault.Conflict, reason, "task "+string(d.ID)+": "+format, args...)
	}
	if d.State != Active {
		return refuse("ended", "it is %s", d.State)
	}
	s := d.step()
	switch {
	case s.Kind == Drive:
		return refuse("moving", "the robot drives to the %s", s.Purpose)
	case s.Kind != Handoff || s.Purpose != p:
		return refuse("not_its_turn", "its current step is %s %s, not a handoff to %s", s.Kind, s.Purpose, p)
	case s.Status == Pending:
		return refuse("not_ready", "the robot has not begun the handoff yet")
	}
	return nil
}

// open asks the robot to open its hatch, if the person may.
func (d *draft) open(r HandoffRequest) (changed bool, err error) {
	s := d.step()
	if s.HatchOpen {
		return false, nil
	}
	if !r.Staff && s.PIN != "" {
		if changed, err := d.checkPIN(r.PIN); err != nil {
			return changed, err
		}
	}
	d.send = append(d.send, Open)
	s.Asked, s.AskedAt, s.ConfirmAt, s.WrongPINs = Open, d.now, 0, 0 // who asks again stands there still
	return true, nil
}

// checkPIN returns an error unless pin is the step's. After too many wrong
// ones in a row it accepts none for a while, since four digits can be guessed.
func (d *draft) checkPIN(pin string) (changed bool, err error) {
	s := d.step()
	switch {
	case d.now < s.LockedUntil:
		return false, fault.New("task.Handoff", fault.Forbidden, "pin_locked", "task %s: too many wrong PINs; none is accepted until %s", d.ID, s.LockedUntil)
	case subtle.ConstantTimeCompare([]byte(pin), []byte(s.PIN)) == 1:
		return false, nil
	case pin == "":
		return false, fault.New("task.Handoff", fault.Forbidden, "pin_wrong", "task %s: a PIN is needed", d.ID)
	}
	s.WrongPINs++
	if s.WrongPINs < d.set.MaxWrongPINs {
		d.note(PINWrong, "")
		return true, fault.New("task.Handoff", fault.Forbidden, "pin_wrong", "task %s: wrong PIN, number %d of %d", d.ID, s.WrongPINs, d.set.MaxWrongPINs)
	}
	s.WrongPINs, s.LockedUntil = 0, d.now.Add(d.set.PINLock)
	d.note(PINWrong, "locked")
	return true, fault.New("task.Handoff", fault.Forbidden, "pin_locked", "task %s: %d wrong PINs; none is accepted until %s", d.ID, d.set.MaxWrongPINs, s.LockedUntil)
}

// confirm asks the robot to end the exchange.
func (d *draft) confirm() (changed bool, err error) {
	s := d.step()
	switch {
	case s.HatchOpen:
		return false, fault.New("task.Handoff", fault.Conflict, "hatch_open", "task %s: the hatch is open; close it first", d.ID)
	case !s.Opened:
		return false, fault.New("task.Handoff", fault.Conflict, "never_opened", "task %s: the hatch was not open yet", d.ID)
	}
	d.send = append(d.send, Confirm)
	if s.Asked == Confirm {
		return false, nil
	}
	s.Asked, s.AskedAt, s.ConfirmAt = Confirm, d.now, 0
	return true, nil
}

// confirmed reports whether the latest exchange for the purpose is over already.
func (d *draft) confirmed(p Purpose) bool {
	for i := min(d.Current, len(d.Steps)-1); i >= 0; i-- {
		if s := &d.Steps[i]; s.Kind == Handoff && s.Purpose == p {
			return s.Status == Done
		}
	}
	return false
}

// closed takes a hatch that stayed closed for a while as the person's word
// that the exchange is over.
func (d *draft) closed() (changed bool, err error) {
	if d.State != Active || d.step().ConfirmAt == 0 || d.now < d.step().ConfirmAt {
		return false, nil
	}
	return d.confirm()
}
