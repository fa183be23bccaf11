package fleet

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
)

// Report takes what a robot says of itself, and moves its state where that
// has changed. Older reports than the last change nothing. It fails with fault.NotFound for a
// robot that nobody registered, and with fault.Conflict, reason "removed", for one that was removed.
//
// It is called for every robot every few seconds, so the common case, that
// nothing but the telemetry changes, is one read and one write.
func (s *Service) Report(ctx context.Context, t Telemetry) error {
	now := s.Clock.Now()
	r, err := s.Store.Robot(ctx, t.Robot)
	if err != nil {
		return err
	}
	if r.State == Removed {
		return fault.New("fleet.Report", fault.Conflict, "removed", "robot %s was removed", t.Robot)
	}
	if t.At > now {
		t.At = now // a fast clock of the robot must not hide its silence
	}
	kept, err := s.Telemetry.SaveTelemetry(ctx, r.Market, t)
	if err != nil {
		return fmt.Errorf("report of %s: %w", t.Robot, err)
	}
	if !kept || r.State == r.stateFor(t, now) {
		return nil
	}
	if !r.State.contactable() {
		s.Timers.Set(silence(t.Robot), t.At.Add(s.Settings(r.Market).SilenceAfter)) // first: a repeat may find the state moved
	}
	err = s.change(ctx, t.Robot, now, func(d *draft) error {
		if d.seen.At > t.At {
			return nil // a later report came in between, and moves the state itself
		}
		d.seen = t
		if d.Reservation != nil && !d.Held(now) {
			d.release("expired")
		}
		d.move(d.stateFor(t, now), t.Fault)
		return nil
	})
	if err != nil {
		return fmt.Errorf("report of %s: %w", t.Robot, err)
	}
	return nil
}

// silence is the timer that finds out that a robot is not heard any more. It
// is armed once and looks, when it fires, when the robot was last heard, so that reports
// need not touch it.
func silence(id RobotID) clock.Key {
	return clock.Key{Service: "fleet", Entity: string(id), What: "silence"}
}

// Fire is called when a timer of Service is due.
func (s *Service) Fire(ctx context.Context, k clock.Key) error {
	if k.What != "silence" {
		return fault.New("fleet.Fire", fault.Invalid, "", "unknown timer %+v", k)
	}
	now := s.Clock.Now()
	if err := s.watch(ctx, RobotID(k.Entity), now); err != nil {
		s.Timers.Set(k, now.Add(clock.Minute)) // a store that fails must not end the watch
		return fmt.Errorf("silence of %s: %w", k.Entity, err)
	}
	return nil
}

// watch moves a robot to non_contactable or missing if it is silent for so
// long, and arms the timer for when it next must be looked at.
func (s *Service) watch(ctx context.Context, id RobotID, now clock.Time) error {
	var again clock.Time
	err := s.change(ctx, id, now, func(d *draft) error {
		set := s.Settings(d.Market)
		again = d.watch(d.heardAt(set), set)
		return nil
	})
	switch {
	case err != nil:
		return err
	case again > 0:
		s.Timers.Set(silence(id), again)
	default:
		s.Timers.Cancel(silence(id))
	}
	return nil
}

// heardAt returns when the robot was last heard. One that never reported, or
// not since it was taken back, counts from its registration.
func (d *draft) heardAt(set Settings) clock.Time {
	switch {
	case d.seen.At == 0 && !d.State.contactable():
		return d.StateSince.Add(-set.SilenceAfter)
	case d.seen.At == 0 || d.State == NonOperational:
		return max(d.seen.At, d.StateSince)
	}
	return d.seen.At
}

// watch decides on a robot that was last heard at since, and returns when to
// look again; 0 for never.
func (d *draft) watch(since clock.Time, set Settings) clock.Time {
	quiet, gone := since.Add(set.SilenceAfter), since.Add(set.MissingAfter)
	if d.State == Removed || d.State == Missing {
		return 0
	}
	if d.State != NonContactable && d.now < quiet {
		return quiet
	}
	d.move(NonContactable, "silence")
	if d.now < gone {
		return gone
	}
	d.move(Missing, "silence")
	return 0
}

// Resume arms the timers of a market's robots, as after a restart.
func (s *Service) Resume(ctx context.Context, m market.ID) error {
	robots, err := s.Store.Robots(ctx, m)
	if err != nil {
		return fmt.Errorf("resume %s: %w", m, err)
	}
	now := s.Clock.Now()
	for i := range robots {
		if err := s.watch(ctx, robots[i].ID, now); err != nil {
			return fmt.Errorf("resume %s: silence of %s: %w", m, robots[i].ID, err)
		}
	}
	return nil
}
