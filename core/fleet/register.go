package fleet

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fault"
)

// Register takes a robot into a market, or updates what it can do; State and
// what follows it in r are ignored. The robot is non_operational until it first
// reports. A robot that was removed is taken back. It fails with fault.Invalid
// for particulars that make no sense, with fault.Forbidden if the account does not
// exist or is suspended, with fault.Exhausted if it has MaxRobots already,
// and with fault.Conflict if another account or market has the robot.
func (s *Service) Register(ctx context.Context, r Robot) error {
	now := s.Clock.Now()
	if err := checkRobot(r); err != nil {
		return err
	}
	a, err := s.Accounts.Account(ctx, r.Account)
	switch {
	case fault.Is(err, fault.NotFound):
		return fault.New("fleet.Register", fault.Forbidden, "unknown_account", "robot %s: there is no account %q", r.ID, r.Account)
	case err != nil:
		return fmt.Errorf("register %s: %w", r.ID, err)
	case a.Suspended:
		return fault.New("fleet.Register", fault.Forbidden, "suspended", "robot %s: account %s is suspended", r.ID, a.ID)
	}
	err = s.enlist(ctx, a, r, now)
	if err != nil {
		return fmt.Errorf("register %s: %w", r.ID, err)
	}
	return s.watch(ctx, r.ID, now)
}

// enlist updates a robot that is known, and adds one that is not.
func (s *Service) enlist(ctx context.Context, a Account, r Robot, now clock.Time) error {
	for range maxTries {
		err := s.change(ctx, r.ID, now, func(d *draft) error { return d.register(r) })
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		if done, err := s.add(ctx, a, r, now); done || err != nil {
			return err
		}
	}
	return contended(r.ID)
}

// register gives a known robot the particulars of r.
func (d *draft) register(r Robot) error {
	if d.Market != r.Market || d.Account != r.Account {
		return fault.New("fleet.Register", fault.Conflict, "taken", "robot %s belongs to account %s in market %s", d.ID, d.Account, d.Market)
	}
	d.Kind, d.Capability, d.CapacityMWh, d.SpeedMMS, d.Home = r.Kind, r.Capability, r.CapacityMWh, r.SpeedMMS, r.Home
	if d.State == Removed {
		d.move(NonOperational, "registered")
	}
	return nil
}

// add writes a robot that is not known yet. It reports false where it must be tried again.
func (s *Service) add(ctx context.Context, a Account, r Robot, now clock.Time) (done bool, err error) {
	if a.MaxRobots > 0 {
		robots, err := s.Store.Robots(ctx, r.Market)
		if err != nil {
			return false, err
		}
		n := 0
		for i := range robots {
			if robots[i].Account == a.ID && robots[i].State != Removed && robots[i].ID != r.ID {
				n++
			}
		}
		if n >= a.MaxRobots {
			return false, fault.New("fleet.Register", fault.Exhausted, "max_robots", "account %s has %d robots in market %s and may have %d", a.ID, n, r.Market, a.MaxRobots)
		}
	}
	d := draft{now: now, Robot: Robot{
		ID: r.ID, Market: r.Market, Account: r.Account, Kind: r.Kind, Capability: r.Capability, CapacityMWh: r.CapacityMWh,
		SpeedMMS: r.SpeedMMS, Home: r.Home, State: NonOperational, StateSince: now,
	}}
	d.notes = []note{{"fleet.registered", d.Robot}}
	return s.save(ctx, &d)
}

func checkRobot(r Robot) error {
	bad := func(format string, args ...any) error {
		return fault.New("fleet.Register", fault.Invalid, "", "robot %q: "+format, append([]any{r.ID}, args...)...)
	}
	switch {
	case r.ID == "" || r.Market == "" || r.Account == "":
		return bad("id, market (%q) and account (%q) must be given", r.Market, r.Account)
	case r.Kind != KindRobot && r.Kind != KindCourier:
		return bad("kind is %q; want %s or %s", r.Kind, KindRobot, KindCourier)
	case r.Kind == KindRobot && r.CapacityMWh <= 0:
		return bad("capacity is %d mWh; want what the battery holds when full", r.CapacityMWh)
	case r.Kind == KindCourier && r.CapacityMWh != 0:
		return bad("capacity is %d mWh; a courier has no battery", r.CapacityMWh)
	case r.SpeedMMS <= 0:
		return bad("speed is %d mm/s; want its cruising speed", r.SpeedMMS)
	case r.Capability.LengthMM <= 0 || r.Capability.WidthMM <= 0 || r.Capability.HeightMM <= 0 || r.Capability.Grams <= 0:
		return bad("capability is %+v; want four positive numbers", r.Capability)
	}
	return nil
}

// Remove takes a robot out of work for good. It is no error if it is out already; a robot
// that is reserved is refused with fault.Conflict, reason "reserved".
func (s *Service) Remove(ctx context.Context, id RobotID) error {
	now := s.Clock.Now()
	err := s.change(ctx, id, now, func(d *draft) error {
		if d.Held(now) {
			return fault.New("fleet.Remove", fault.Conflict, "reserved", "held by %s until %s", d.Reservation.Holder, d.Reservation.Expires)
		}
		if d.Reservation != nil {
			d.release("expired")
		}
		d.move(Removed, "removed")
		return nil
	})
	if err != nil {
		return fmt.Errorf("remove %s: %w", id, err)
	}
	s.Timers.Cancel(silence(id))
	return nil
}

// SaveAccount creates or replaces a provider's account.
func (s *Service) SaveAccount(ctx context.Context, a Account) error {
	if a.ID == "" || a.MaxRobots < 0 {
		return fault.New("fleet.SaveAccount", fault.Invalid, "", "account %q with max_robots %d: want an id and a limit of 0 (none) or more", a.ID, a.MaxRobots)
	}
	return s.Accounts.SaveAccount(ctx, a)
}

// SaveDock creates or replaces a dock.
func (s *Service) SaveDock(ctx context.Context, d Dock) error {
	if d.ID == "" || d.Market == "" || d.Slots < 1 || d.PowerMW < 1 {
		return fault.New("fleet.SaveDock", fault.Invalid, "", "dock %q in market %q with %d slots of %d mW: want an id, a market, a slot and power", d.ID, d.Market, d.Slots, d.PowerMW)
	}
	return s.Accounts.SaveDock(ctx, d)
}
