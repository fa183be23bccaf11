package dispatch

import (
	"context"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
)

// SentToCharge is the data of the journal's "dispatch.charge" events.
type SentToCharge struct {
	Robot     fleet.RobotID `json:"robot"`
	Token     uint64        `json:"token"`
	Dock      fleet.DockID  `json:"dock"`
	Why       string        `json:"why"` // as fleet.ChargeDecision says it
	ChargeMWh int64         `json:"charge_mwh"`
	UntilMWh  int64         `json:"until_mwh"` // what it charges to
}

// SentAway is the data of the journal's "dispatch.move" events.
type SentAway struct {
	Robot fleet.RobotID `json:"robot"`
	Token uint64        `json:"token"`
	To    maps.Position `json:"to"`
	Why   string        `json:"why"` // "home" after waiting for long, "make_room" at a dock
}

// errand is the work of one round on robots that have no delivery.
type errand struct {
	*desk
	sc    *scene
	taken []int // slots taken of each dock of the scene
}

// chores sends robots that are not needed to charge or home, and ends chores
// that are done. Robots in busy, sorted, have something better to do.
func (d *desk) chores(ctx context.Context, sc *scene, busy []fleet.RobotID) error {
	e := &errand{desk: d, sc: sc, taken: make([]int, len(sc.docks))}
	for i := range sc.robots {
		e.count(&sc.robots[i])
	}
	var lost losses
	for i := range sc.robots {
		c := &sc.robots[i]
		_, needed := slices.BinarySearch(busy, c.Robot.ID)
		if needed || sc.jobs[c.Robot.ID] != nil || !fit(c) || c.Telemetry.At == 0 || sc.now.Sub(c.Telemetry.At) > sc.settings.ContactWithin {
			continue
		}
		held := sc.reservation(c)
		switch {
		case held == nil:
			lost.note(e.idle(ctx, c))
		case isChore(held):
			lost.note(e.check(ctx, c, held))
		}
	}
	return lost.err()
}

// count notes the slot that a robot takes: where it is docked, or where it is going.
func (e *errand) count(c *fleet.Candidate) {
	dock := c.Telemetry.Dock
	if held := e.sc.reservation(c); held != nil && held.Dock != "" {
		dock = held.Dock
	}
	if i := e.dock(dock); i >= 0 {
		e.taken[i]++
	}
}

// dock returns the index of a dock, or -1.
func (e *errand) dock(id fleet.DockID) int {
	if id == "" {
		return -1
	}
	return slices.IndexFunc(e.sc.docks, func(d fleet.Dock) bool { return d.ID == id })
}

// idle finds something to do for a robot that nobody holds.
func (e *errand) idle(ctx context.Context, c *fleet.Candidate) error {
	if c.Telemetry.Activity == fleet.Charging {
		return nil // it goes on until somebody needs it, or its slot
	}
	want, until, why := fleet.ChargeDecision(*c, e.sc.charge, true, len(e.state.Waiting))
	if want {
		return e.charge(ctx, c, until, why)
	}
	idle := c.Robot.State == fleet.Available && c.Telemetry.Activity != fleet.Driving && c.Telemetry.Dock == ""
	if !idle || e.sc.now.Sub(c.Robot.StateSince) < e.sc.settings.IdleReturnAfter {
		return nil
	}
	away, err := e.away(ctx, c)
	if err != nil || !away {
		return err
	}
	return e.move(ctx, c, "home")
}

// near is the length of a way, in mm, below which a robot counts as being there.
const near = 20_000

// away reports whether a robot is not at home but could go there with its charge.
func (e *errand) away(ctx context.Context, c *fleet.Candidate) (bool, error) {
	if c.Telemetry.Position == c.Robot.Home {
		return false, nil
	}
	legs, err := e.Ways.Matrix(ctx, e.market, []maps.Position{c.Telemetry.Position}, []maps.Position{c.Robot.Home})
	if err != nil {
		return false, fmt.Errorf("way home of %s: %w", c.Robot.ID, err)
	}
	l := legs[0]
	return l.OK && l.LengthMM > near && l.EnergyMWh < fleet.UsableMWh(c.Robot, c.Telemetry, e.sc.charge), nil
}

// charge sends a robot to the nearest dock with a free slot that it can reach.
func (e *errand) charge(ctx context.Context, c *fleet.Candidate, until int64, why string) error {
	at, full, err := e.nearestDock(ctx, c)
	if err != nil {
		return err
	}
	if at < 0 {
		if full >= 0 && why == fleet.ChargeMust {
			return e.makeRoom(ctx, full)
		}
		return nil
	}
	dock := &e.sc.docks[at]
	token, err := e.take(ctx, c.Robot.ID, holdsCharge, dock.ID)
	if token == 0 || err != nil {
		return err
	}
	e.taken[at]++
	e.Journal.Append(ctx, event.New(e.sc.now, string(e.market), "dispatch.charge", string(c.Robot.ID), 0, SentToCharge{
		Robot: c.Robot.ID, Token: token, Dock: dock.ID, Why: why, ChargeMWh: c.Telemetry.ChargeMWh, UntilMWh: until,
	}))
	return e.command(ctx, fleet.Order{Robot: c.Robot.ID, Token: token, Kind: fleet.OrderCharge, Dock: dock.ID, To: dock.Position})
}

// nearestDock returns the nearest dock that has a free slot and that the robot
// can reach, or -1; and the nearest one that it could reach if it were not full, or -1.
func (e *errand) nearestDock(ctx context.Context, c *fleet.Candidate) (at, full int, err error) {
	at, full = -1, -1
	if len(e.sc.docks) == 0 {
		return at, full, nil
	}
	legs, err := e.Ways.Matrix(ctx, e.market, []maps.Position{c.Telemetry.Position}, positions(e.sc.docks))
	if err != nil {
		return at, full, fmt.Errorf("way to a dock of %s: %w", c.Robot.ID, err)
	}
	for i, l := range legs {
		if !l.OK || l.EnergyMWh > c.Telemetry.ChargeMWh {
			continue
		}
		best := &at
		// The slot that it stands in is its own.
		if e.taken[i] >= e.sc.docks[i].Slots && c.Telemetry.Dock != e.sc.docks[i].ID {
			best = &full
		}
		if *best < 0 || l.Millis < legs[*best].Millis {
			*best = i
		}
	}
	return at, full, nil
}

// makeRoom sends the fullest robot home that stands in a dock without need.
func (e *errand) makeRoom(ctx context.Context, dock int) error {
	var best *fleet.Candidate
	for i := range e.sc.robots {
		c := &e.sc.robots[i]
		if c.Telemetry.Dock != e.sc.docks[dock].ID || e.sc.reservation(c) != nil || e.sc.jobs[c.Robot.ID] != nil || !fit(c) {
			continue
		}
		if best == nil || c.Telemetry.ChargeMWh > best.Telemetry.ChargeMWh {
			best = c
		}
	}
	if best == nil {
		return nil
	}
	return e.move(ctx, best, "make_room")
}

// move sends a robot home.
func (e *errand) move(ctx context.Context, c *fleet.Candidate, why string) error {
	token, err := e.take(ctx, c.Robot.ID, holdsMove, "")
	if token == 0 || err != nil {
		return err
	}
	e.Journal.Append(ctx, event.New(e.sc.now, string(e.market), "dispatch.move", string(c.Robot.ID), 0,
		SentAway{Robot: c.Robot.ID, Token: token, To: c.Robot.Home, Why: why}))
	return e.command(ctx, fleet.Order{Robot: c.Robot.ID, Token: token, Kind: fleet.OrderGo, To: c.Robot.Home})
}

// take reserves a robot for a chore; the token is 0 if somebody else has it.
func (e *errand) take(ctx context.Context, robot fleet.RobotID, purpose string, dock fleet.DockID) (uint64, error) {
	key := purpose + string(robot)
	token, err := e.Fleet.Reserve(ctx, fleet.ReserveRequest{
		Robot: robot, Holder: key, Attempt: key + "@" + e.sc.now.String(), Dock: dock, Until: e.sc.now.Add(e.sc.settings.Hold),
	})
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("reserve %s for %s: %w", robot, purpose, err)
	}
	return token, nil
}

// command sends an order. A robot without contact gets it in a later round.
func (e *errand) command(ctx context.Context, o fleet.Order) error {
	err := e.Charging.Command(ctx, o)
	switch {
	case err == nil, fault.Is(err, fault.Unavailable), fault.Is(err, fault.Conflict):
		return nil
	}
	return fmt.Errorf("order %s to %s: %w", o.Robot, o.Kind, err)
}

// hearing is how long it may take until a robot's telemetry shows that it
// follows an order.
const hearing = 45 * clock.Second

// check looks after a chore: ends it when it is done, tells the robot again
// if it has not heard, and renews it.
func (e *errand) check(ctx context.Context, c *fleet.Candidate, held *fleet.Reservation) error {
	if age := e.sc.settings.Hold - held.Expires.Sub(e.sc.now); age >= 0 && age < hearing {
		return nil
	}
	if c.Telemetry.Token < held.Token {
		return e.command(ctx, e.order(c, held))
	}
	done := c.Telemetry.Activity == fleet.Idle
	if held.Dock != "" {
		want, _, _ := fleet.ChargeDecision(*c, e.sc.charge, true, len(e.state.Waiting))
		done = !want && c.Telemetry.Activity != fleet.Driving
	}
	if done {
		if err := e.Fleet.Release(ctx, c.Robot.ID, held.Token); err != nil {
			return fmt.Errorf("end the chore of %s: %w", c.Robot.ID, err)
		}
		return nil
	}
	expires := held.Expires
	_, err := e.renew(ctx, e.sc, c.Robot.ID, held.Token, &expires)
	return err
}

// order is what a chore's reservation is for.
func (e *errand) order(c *fleet.Candidate, held *fleet.Reservation) fleet.Order {
	if i := e.dock(held.Dock); i >= 0 {
		return fleet.Order{Robot: c.Robot.ID, Token: held.Token, Kind: fleet.OrderCharge, Dock: held.Dock, To: e.sc.docks[i].Position}
	}
	return fleet.Order{Robot: c.Robot.ID, Token: held.Token, Kind: fleet.OrderGo, To: c.Robot.Home}
}
