package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/trace"
)

// track looks after the jobs: notes what was loaded, renews reservations, and
// tells of robots that cannot be counted on any more, once for each attempt.
func (d *desk) track(ctx context.Context, sc *scene) error {
	var lost losses
	for i := range d.state.Jobs {
		j := &d.state.Jobs[i]
		c := sc.candidate(j.Robot)
		if j.Lost {
			if sc.lost(c, j) == "" {
				j.Lost = false
				d.tell(ctx, Decision{
					Market: d.market, Delivery: j.Request.Delivery, Attempt: j.Request.Attempt, Kind: Found, At: sc.now,
					Robot: j.Robot, Token: j.Token, Position: position(c),
				})
			}
			continue
		}
		if c != nil && c.Telemetry.Loaded && c.Telemetry.Token == j.Token && j.LoadedAt == 0 {
			j.LoadedAt = sc.now
		}
		cause := sc.lost(c, j)
		if cause == "" {
			var err error
			cause, err = d.renew(ctx, sc, j.Robot, j.Token, &j.Expires)
			lost.note(err)
		}
		if cause != "" {
			j.Lost = true
			d.tell(ctx, Decision{
				Market: d.market, Delivery: j.Request.Delivery, Attempt: j.Request.Attempt, Kind: Lost, At: sc.now,
				Robot: j.Robot, Token: j.Token, Cause: cause, Position: position(c),
			})
		}
	}
	d.state.Jobs = slices.DeleteFunc(d.state.Jobs, func(j job) bool { return j.Lost && j.Expires <= sc.now })
	sc.index(d.state.Jobs)
	return lost.err()
}

// position returns where a robot was last heard of; nil if never.
func position(c *fleet.Candidate) *maps.Position {
	if c == nil || c.Telemetry.At == 0 {
		return nil
	}
	at := c.Telemetry.Position
	return &at
}

// candidate returns a robot of the scene, or nil.
func (sc *scene) candidate(id fleet.RobotID) *fleet.Candidate {
	i, ok := slices.BinarySearchFunc(sc.robots, id, func(c fleet.Candidate, id fleet.RobotID) int {
		return strings.Compare(string(c.Robot.ID), string(id))
	})
	if !ok {
		return nil
	}
	return &sc.robots[i]
}

// lost says why a job's robot cannot be counted on any more, or "". A list of
// robots that is older than the reservation tells nothing of it.
func (sc *scene) lost(c *fleet.Candidate, j *job) string {
	if c == nil {
		return "removed"
	}
	r := &c.Robot
	switch {
	case r.LastToken > j.Token, r.LastToken == j.Token && r.Reservation == nil:
		return "reservation_lost"
	case r.State == fleet.NonContactable && sc.now.Sub(r.StateSince) > sc.settings.LostAfter:
		return "out_of_contact"
	case r.State == fleet.Missing:
		return "missing"
	case r.State == fleet.NonOperational:
		return "out_of_order"
	case r.State == fleet.Removed, r.State == fleet.Elsewhere:
		return string(r.State)
	}
	return ""
}

// renew prolongs a reservation of which half has passed, and returns why it is
// lost if somebody else has the robot.
func (d *desk) renew(ctx context.Context, sc *scene, robot fleet.RobotID, token uint64, expires *clock.Time) (cause string, err error) {
	if expires.Sub(sc.now) > sc.settings.Hold/2 {
		return "", nil
	}
	until := sc.now.Add(sc.settings.Hold)
	err = d.Fleet.Renew(ctx, robot, token, until)
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		return "reservation_lost", nil
	case err != nil:
		return "", fmt.Errorf("renew %s: %w", robot, err)
	}
	*expires = until
	return "", nil
}

// settle finds out what became of reservations whose answer is missing: those
// that this desk tried, and those that an earlier life of it made.
func (d *desk) settle(ctx context.Context, sc *scene) error {
	if len(d.state.Waiting) == 0 {
		return nil
	}
	var lost losses
	for _, w := range slices.Clone(d.state.Waiting) {
		if w.Tried == "" {
			continue
		}
		q := &w.Request
		token, err := d.reserve(trace.With(ctx, q.Trace), w.Tried, q.Delivery, q.Attempt, sc.now)
		switch {
		case err == nil:
			lost.note(d.found(ctx, sc, w, w.Tried, token))
		case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
			d.state.Waiting[d.state.waiting(q.Delivery, q.Attempt)].Tried = ""
		default:
			lost.note(fmt.Errorf("reserve %s for %s#%d: %w", w.Tried, q.Delivery, q.Attempt, err))
		}
	}
	for i := range sc.robots {
		held := sc.reservation(&sc.robots[i])
		if held == nil {
			continue
		}
		if j := sc.jobs[sc.robots[i].Robot.ID]; j != nil && j.Token == held.Token {
			continue // the answer was heard
		}
		delivery, attempt, ok := heldFor(held.Holder)
		if !ok {
			continue
		}
		if k := d.state.waiting(delivery, attempt); k >= 0 {
			lost.note(d.found(ctx, sc, d.state.Waiting[k], sc.robots[i].Robot.ID, held.Token))
		}
	}
	sc.index(d.state.Jobs)
	return lost.err()
}

// found assigns a robot that is reserved for a request already.
func (d *desk) found(ctx context.Context, sc *scene, w Waiting, robot fleet.RobotID, token uint64) error {
	arrive, deadhead := max(sc.now, w.Request.ReadyAt), int64(0)
	if c := sc.candidate(robot); c != nil && c.Telemetry.At != 0 {
		legs, err := d.Ways.Matrix(ctx, d.market, []maps.Position{c.Telemetry.Position}, []maps.Position{w.Request.Pickup})
		if err != nil {
			return fmt.Errorf("leg of %s to its pickup: %w", robot, err)
		}
		if legs[0].OK {
			arrive, deadhead = sc.now.Add(clock.Duration(legs[0].Millis)), legs[0].EnergyMWh
		}
	}
	d.assign(ctx, sc, w, robot, token, nil, arrive, deadhead)
	return nil
}

// adopt counts on the robots that Fleet holds for deliveries of which this
// desk knows nothing, since an earlier life of it sent them.
func (d *desk) adopt(ctx context.Context, now clock.Time) error {
	all, err := d.Fleet.Candidates(ctx, d.market)
	if err != nil {
		return err
	}
	for i := range all {
		r := &all[i].Robot
		if !r.Held(now) {
			continue
		}
		delivery, attempt, ok := heldFor(r.Reservation.Holder)
		if !ok || d.state.job(delivery, attempt) != nil || d.state.waiting(delivery, attempt) >= 0 {
			continue
		}
		d.state.begin(job{
			Request: Request{Market: d.market, Delivery: delivery, Attempt: attempt},
			Robot:   r.ID, Token: r.Reservation.Token, Expires: r.Reservation.Expires,
		})
	}
	return nil
}
