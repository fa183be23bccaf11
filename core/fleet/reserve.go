package fleet

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
)

// Reserve gives the right to command a robot until q.Until, and returns the
// fencing token, which is higher than every earlier one of the robot. A repeat of an
// attempt returns the same token, and prolongs it if q.Until is later. The same
// holder may start over with another attempt, which ends the earlier one.
//
// It fails with fault.Conflict if another holder has the robot, reason "reserved",
// or if the robot is not fit for work, reason its state.
func (s *Service) Reserve(ctx context.Context, q ReserveRequest) (token uint64, err error) {
	now := s.Clock.Now()
	if q.Holder == "" || q.Attempt == "" || q.Until <= now {
		return 0, fault.New("fleet.Reserve", fault.Invalid, "", "robot %s for holder %q, attempt %q until %s: want a holder, an attempt and a time in the future", q.Robot, q.Holder, q.Attempt, q.Until)
	}
	err = s.change(ctx, q.Robot, now, func(d *draft) error {
		if err := d.reserve(q); err != nil {
			return err
		}
		token = d.Reservation.Token
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("reserve %s: %w", q.Robot, err)
	}
	return token, nil
}

func (d *draft) reserve(q ReserveRequest) error {
	h := d.Reservation
	if h != nil && h.Holder == q.Holder && h.Attempt == q.Attempt {
		d.prolong(q.Until)
		return nil
	}
	if d.Held(d.now) && h.Holder != q.Holder {
		return fault.New("fleet.Reserve", fault.Conflict, "reserved", "held by %s until %s", h.Holder, h.Expires)
	}
	switch d.State {
	case Available, Reserved, Stopped, OnTrip:
	default:
		return fault.New("fleet.Reserve", fault.Conflict, string(d.State), "it is %s since %s", d.State, d.StateSince)
	}
	if h != nil {
		cause := "expired"
		if d.Held(d.now) {
			cause = "superseded"
		}
		d.release(cause)
		d.settle(cause)
	}
	d.LastToken++
	d.Reservation = &Reservation{Holder: q.Holder, Token: d.LastToken, Attempt: q.Attempt, Dock: q.Dock, Expires: q.Until}
	d.notes = append(d.notes, note{"fleet.reserved", Claim{Robot: d.ID, Holder: q.Holder, Token: d.LastToken, Dock: q.Dock, Expires: q.Until}})
	d.settle("")
	return nil
}

// prolong moves the end of the reservation to until, if that is later.
func (d *draft) prolong(until clock.Time) {
	if until > d.Reservation.Expires {
		r := *d.Reservation
		r.Expires = until
		d.Reservation = &r
	}
}

// current returns an error unless token is that of the reservation.
func (d *draft) current(token uint64) error {
	if d.Reservation == nil || d.Reservation.Token != token {
		return fault.New("fleet.token", fault.Conflict, "old_token", "token %d is not the current one; the last given out is %d", token, d.LastToken)
	}
	return nil
}

// Renew prolongs a reservation to until; an earlier end than it has changes
// nothing. It fails with fault.Conflict, reason "old_token", if the token is not
// the current one. One that has expired is renewed if nobody has taken it over or noticed.
func (s *Service) Renew(ctx context.Context, robot RobotID, token uint64, until clock.Time) error {
	err := s.change(ctx, robot, s.Clock.Now(), func(d *draft) error {
		if err := d.current(token); err != nil {
			return err
		}
		d.prolong(until)
		d.settle("")
		return nil
	})
	if err != nil {
		return fmt.Errorf("renew %s: %w", robot, err)
	}
	return nil
}

// Release gives the right to command a robot back. It is no error if the token
// is not the current one any more.
func (s *Service) Release(ctx context.Context, robot RobotID, token uint64) error {
	err := s.change(ctx, robot, s.Clock.Now(), func(d *draft) error {
		if d.current(token) == nil {
			d.release("")
			d.settle("")
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("release %s: %w", robot, err)
	}
	return nil
}

// Command sends an order to a robot. It fails with fault.Conflict if the
// order's token is not that of a reservation that holds, reason "old_token", and with
// fault.Unavailable if the robot has no contact.
func (s *Service) Command(ctx context.Context, o Order) error {
	r, err := s.Store.Robot(ctx, o.Robot)
	if err != nil {
		return fmt.Errorf("command %s: %w", o.Robot, err)
	}
	if !r.Held(s.Clock.Now()) || r.Reservation.Token != o.Token {
		return fault.New("fleet.Command", fault.Conflict, "old_token", "robot %s: order %s with token %d, which holds no more; the last given out is %d", o.Robot, o.Kind, o.Token, r.LastToken)
	}
	switch o.Kind {
	case OrderCharge, OrderGo, OrderHold:
	default:
		return fault.New("fleet.Command", fault.Invalid, "", "robot %s: order kind is %q; want %s, %s or %s", o.Robot, o.Kind, OrderCharge, OrderGo, OrderHold)
	}
	if err := s.Link.Command(ctx, o); err != nil {
		return fmt.Errorf("command %s: %w", o.Robot, err)
	}
	return nil
}
