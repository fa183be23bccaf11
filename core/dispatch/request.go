package dispatch

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/trace"
)

// Request asks for a robot; the answer comes on the feed. It is idempotent by
// (delivery, attempt): a repeat replaces a request that waits, and is answered
// with the same decision if there is one.
func (s *Service) Request(ctx context.Context, q Request) error {
	if err := q.check(); err != nil {
		return err
	}
	q.Trace = trace.From(ctx)
	return s.command(ctx, q.Market, func(d *desk) error {
		now := d.Clock.Now()
		if j := d.state.job(q.Delivery, q.Attempt); j != nil && j.Decision.Token != 0 {
			d.state.Feed.add(j.Decision)
			d.news = true
			return nil
		}
		d.state.end(q.Delivery, q.Attempt) // what was found after a restart is found again, now with particulars
		d.soon(now)
		if i := d.state.waiting(q.Delivery, q.Attempt); i >= 0 {
			return d.replace(ctx, i, q)
		}
		w := Waiting{Request: q}
		if err := d.measure(ctx, &w); err != nil {
			return fmt.Errorf("request a robot for %s#%d: %w", q.Delivery, q.Attempt, err)
		}
		if err := d.expect(ctx, now, &w); err != nil {
			return fmt.Errorf("request a robot for %s#%d: %w", q.Delivery, q.Attempt, err)
		}
		d.state.wait(w)
		return nil
	})
}

func (q *Request) check() error {
	bad := func(format string, args ...any) error {
		return fault.New("dispatch.Request", fault.Invalid, "bad_request", format, args...)
	}
	switch {
	case q.Market == "":
		return bad("a market is required")
	case q.Delivery == "":
		return bad("a delivery is required")
	case q.Attempt < 1:
		return bad("delivery %s: attempt %d: want 1 or more", q.Delivery, q.Attempt)
	case q.Kind != ForDelivery && q.Kind != ForTransfer:
		return bad("delivery %s: kind %q: want %s or %s", q.Delivery, q.Kind, ForDelivery, ForTransfer)
	}
	return nil
}

// replace gives request i that waits other particulars.
func (d *desk) replace(ctx context.Context, i int, q Request) error {
	w := d.state.Waiting[i]
	if reflect.DeepEqual(w.Request, q) {
		return nil
	}
	moved := w.Request.Pickup != q.Pickup || w.Request.Dropoff != q.Dropoff
	w.Request, w.Held = q, 0
	if moved {
		if err := d.measure(ctx, &w); err != nil {
			return fmt.Errorf("request a robot for %s#%d: %w", q.Delivery, q.Attempt, err)
		}
	}
	d.state.Waiting = slices.Delete(d.state.Waiting, i, i+1)
	d.state.wait(w)
	return nil
}

// measure finds how far a request's trip is, and from its end to a dock.
func (d *desk) measure(ctx context.Context, w *Waiting) error {
	trip, err := d.Ways.Matrix(ctx, d.market, []maps.Position{w.Request.Pickup}, []maps.Position{w.Request.Dropoff})
	if err != nil {
		return fmt.Errorf("trip: %w", err)
	}
	w.Trip = trip[0]
	w.Home, err = d.home(ctx, w.Request.Dropoff)
	return err
}

// home returns the energy from a place to the nearest dock, 0 if there is none.
func (d *desk) home(ctx context.Context, at maps.Position) (int64, error) {
	docks, err := d.Charging.Docks(ctx, d.market)
	if err != nil {
		return 0, fmt.Errorf("docks: %w", err)
	}
	if len(docks) == 0 {
		return 0, nil
	}
	legs, err := d.Ways.Matrix(ctx, d.market, []maps.Position{at}, positions(docks))
	if err != nil {
		return 0, fmt.Errorf("way to a dock: %w", err)
	}
	var best maps.Leg
	for _, l := range legs {
		if l.OK && (!best.OK || l.EnergyMWh < best.EnergyMWh) {
			best = l
		}
	}
	return best.EnergyMWh, nil
}

func positions(docks []fleet.Dock) []maps.Position {
	at := make([]maps.Position, len(docks))
	for i, dock := range docks {
		at[i] = dock.Position
	}
	return at
}

// Withdraw takes a request back. A robot that was reserved for it is released.
// It is no error if there is none.
func (s *Service) Withdraw(ctx context.Context, m market.ID, delivery string, attempt int) error {
	return s.command(ctx, m, func(d *desk) error {
		if j := d.state.job(delivery, attempt); j != nil {
			return d.release(ctx, delivery, attempt, j.Robot, j.Token)
		}
		robot, token, err := d.reserved(ctx, delivery, attempt)
		if err != nil {
			return fmt.Errorf("withdraw %s#%d: %w", delivery, attempt, err)
		}
		return d.release(ctx, delivery, attempt, robot, token)
	})
}

// reserved looks up at Fleet which robot is held for an attempt.
func (d *desk) reserved(ctx context.Context, delivery string, attempt int) (fleet.RobotID, uint64, error) {
	if i := d.state.waiting(delivery, attempt); i >= 0 && d.state.Waiting[i].Tried != "" {
		// The answer of a reservation was lost: asking again tells what became of it.
		robot := d.state.Waiting[i].Tried
		token, err := d.reserve(ctx, robot, delivery, attempt, d.Clock.Now())
		if fault.Is(err, fault.Conflict) {
			return "", 0, nil
		}
		return robot, token, err
	}
	all, err := d.Fleet.Candidates(ctx, d.market)
	if err != nil {
		return "", 0, err
	}
	key := holder(delivery, attempt)
	for i := range all {
		if r := all[i].Robot.Reservation; r != nil && r.Attempt == key {
			return all[i].Robot.ID, r.Token, nil
		}
	}
	return "", 0, nil
}

// release gives a robot back, if there is one, and forgets the attempt.
func (d *desk) release(ctx context.Context, delivery string, attempt int, robot fleet.RobotID, token uint64) error {
	if robot != "" {
		if err := d.Fleet.Release(ctx, robot, token); err != nil {
			return fmt.Errorf("release %s of %s#%d: %w", robot, delivery, attempt, err)
		}
	}
	d.state.end(delivery, attempt)
	if i := d.state.waiting(delivery, attempt); i >= 0 {
		d.state.Waiting = slices.Delete(d.state.Waiting, i, i+1)
	}
	d.soon(d.Clock.Now())
	return nil
}

// Finish says that an attempt has ended; its robot is released, and estimates
// learn from how it went. It may be repeated.
func (s *Service) Finish(ctx context.Context, f Finish) error {
	return s.command(ctx, f.Market, func(d *desk) error {
		var done job
		if j := d.state.job(f.Delivery, f.Attempt); j != nil {
			done = *j
		}
		if done.Robot != "" && (done.Robot != f.Robot || done.Token != f.Token) {
			if err := d.Fleet.Release(ctx, done.Robot, done.Token); err != nil {
				return fmt.Errorf("release %s of %s#%d: %w", done.Robot, f.Delivery, f.Attempt, err)
			}
		}
		if err := d.release(ctx, f.Delivery, f.Attempt, f.Robot, f.Token); err != nil {
			return err
		}
		d.learn(&done, f)
		return nil
	})
}

// learn compares a job with what was forecast of it.
func (d *desk) learn(j *job, f Finish) {
	if !j.Known || j.Request.Kind != ForDelivery {
		return
	}
	memory := d.Settings(d.market).EstimateMemory
	if j.Pickup != 0 && f.PickupAt != 0 {
		d.state.Pickups.add(f.PickupAt.Sub(j.Pickup), memory)
	}
	if j.Dropoff != 0 && f.DropoffAt != 0 {
		d.state.Dropoffs.add(f.DropoffAt.Sub(j.Dropoff), memory)
	}
}

// reserve takes a robot for an attempt; repeating it finds the same token.
func (d *desk) reserve(ctx context.Context, robot fleet.RobotID, delivery string, attempt int, now clock.Time) (uint64, error) {
	key := holder(delivery, attempt)
	return d.Fleet.Reserve(ctx, fleet.ReserveRequest{Robot: robot, Holder: key, Attempt: key, Until: now.Add(d.Settings(d.market).Hold)})
}

// tell puts a decision on the feed and into the journal.
func (d *desk) tell(ctx context.Context, x Decision) {
	d.state.Feed.add(x)
	d.state.Feed.trim(d.Settings(d.market).FeedKept, func(x Decision) bool { return d.state.job(x.Delivery, x.Attempt) != nil })
	d.Journal.Append(ctx, event.New(x.At, string(d.market), "dispatch."+string(x.Kind), x.Delivery, uint64(x.Attempt), x))
	d.news = true
}
