package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/trace"
)

// RoundDone is the data of the journal's "dispatch.round" events. There is one
// for each round in which something waited.
type RoundDone struct {
	Round     uint64 `json:"round"`
	Waiting   int    `json:"waiting"`
	Idle      int    `json:"idle"`      // robots that could have gone at once
	Planned   int    `json:"planned"`   // pairings, with those that are not due yet
	Committed int    `json:"committed"` // robots sent
	Held      int    `json:"held"`      // pairings of idle robots that are not due yet
	Cost      int64  `json:"cost"`      // of all pairings, ms-equivalents
}

// round does everything that is due at a market. Where a call is lost, the
// rest is done all the same; the loss is returned, and the next round makes it good.
func (d *desk) round(ctx context.Context, now clock.Time) error {
	d.state.Number++
	d.state.LastRound = now
	sc, err := d.scene(ctx, now)
	if err != nil {
		return err
	}
	var lost losses
	lost.note(d.track(ctx, sc))
	lost.note(d.settle(ctx, sc))
	lost.note(d.remeasure(ctx, sc))
	d.giveUp(ctx, sc)
	sc.predict()
	d.ready = sc.ready
	r, plan, err := d.plan(ctx, sc)
	lost.note(err)
	busy, err := d.commit(ctx, sc, r, plan)
	lost.note(err)
	lost.note(d.chores(ctx, sc, busy))
	if err := lost.err(); err != nil {
		return err
	}
	return nil
}

// losses collects errors of calls that may be repeated, and the first one that may not.
type losses struct {
	all []error
}

func (l *losses) note(err error) {
	if err != nil {
		l.all = append(l.all, err)
	}
}

// err returns the first error that is not fault.Unavailable, or else all of them.
func (l *losses) err() error {
	for _, err := range l.all {
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	if len(l.all) == 0 {
		return nil
	}
	return fault.New("dispatch", fault.Unavailable, "lost", "%w", errors.Join(l.all...))
}

// scene asks for everything that a round looks at.
func (d *desk) scene(ctx context.Context, now clock.Time) (*scene, error) {
	sc := &scene{now: now, settings: d.Settings(d.market), charge: d.Charge(d.market), ready: d.ready}
	var err error
	if sc.robots, err = d.Fleet.Candidates(ctx, d.market); err != nil {
		return nil, fmt.Errorf("candidates: %w", err)
	}
	if sc.docks, err = d.Charging.Docks(ctx, d.market); err != nil {
		return nil, fmt.Errorf("docks: %w", err)
	}
	if sc.version, err = d.Ways.Version(ctx, d.market); err != nil {
		return nil, fmt.Errorf("version of the map: %w", err)
	}
	sc.index(d.state.Jobs)
	return sc, nil
}

// index finds each robot's job: the one with the highest token if there are several.
func (sc *scene) index(jobs []job) {
	sc.jobs = make(map[fleet.RobotID]*job, len(jobs))
	for i := range jobs {
		j := &jobs[i]
		if other := sc.jobs[j.Robot]; other == nil || other.Token < j.Token {
			sc.jobs[j.Robot] = j
		}
	}
}

// remeasure finds the trips of waiting requests again if the map has changed.
func (d *desk) remeasure(ctx context.Context, sc *scene) error {
	if d.state.Map == sc.version {
		return nil
	}
	for i := range d.state.Waiting {
		if err := d.measure(ctx, &d.state.Waiting[i]); err != nil {
			return err
		}
	}
	d.state.Map = sc.version
	return nil
}

// giveUp ends the requests that have waited for too long.
func (d *desk) giveUp(ctx context.Context, sc *scene) {
	kept := d.state.Waiting[:0]
	for _, w := range d.state.Waiting {
		q := &w.Request
		since := max(q.ReadyAt, q.RequestedAt)
		if sc.now.Sub(since) <= sc.settings.GiveUpAfter || w.Tried != "" {
			kept = append(kept, w)
			continue
		}
		cause := "no_robot"
		if !w.Trip.OK {
			cause = "no_way"
		}
		d.tell(ctx, Decision{Market: d.market, Delivery: q.Delivery, Attempt: q.Attempt, Kind: GaveUp, At: sc.now, Cause: cause})
	}
	clear(d.state.Waiting[len(kept):])
	d.state.Waiting = kept
}

// plan lets the policy choose among the robots that are free within the
// horizon. Under lazy commitment it leaves out requests that will be ready so late that
// no robot worth sending could be due.
func (d *desk) plan(ctx context.Context, sc *scene) (*Round, []Pairing, error) {
	r := &Round{Number: d.state.Number, Now: sc.now, Settings: sc.settings, Requests: d.requests[:0], Robots: d.robots[:0]}
	far := sc.now.Add(sc.settings.LeftOver)
	for i := range d.state.Waiting {
		w := &d.state.Waiting[i]
		if w.Tried == "" && (!sc.settings.Lazy || w.Request.ReadyAt <= far) {
			r.Requests = append(r.Requests, *w)
		}
	}
	d.requests = r.Requests
	if len(r.Requests) == 0 {
		return r, nil, nil
	}
	until := sc.now.Add(sc.settings.Horizon)
	for _, robot := range sc.ready {
		if robot.Free <= until {
			r.Robots = append(r.Robots, robot)
		}
	}
	d.robots = r.Robots
	var err error
	if r.Legs, err = d.legsOf(ctx, sc.version, r.Robots, r.Requests); err != nil {
		return &Round{Number: r.Number, Now: r.Now, Settings: r.Settings}, nil, err
	}
	if d.policy == nil || d.policy.Name() != sc.settings.Policy {
		d.policy = NewPolicy(sc.settings.Policy)
	}
	return r, d.policy.Plan(r), nil
}

// commit sends the robots that are due, and returns which robots have
// something before them, sorted.
func (d *desk) commit(ctx context.Context, sc *scene, r *Round, plan []Pairing) ([]fleet.RobotID, error) {
	var lost losses
	var busy []fleet.RobotID
	done := RoundDone{Round: r.Number, Waiting: len(d.state.Waiting), Planned: len(plan)}
	for i := range r.Robots {
		if r.Robots[i].Idle {
			done.Idle++
		}
	}
	for _, p := range plan {
		busy = append(busy, r.Robots[p.Robot].Robot)
		done.Cost += p.Option.Cost
		switch {
		case p.Commit:
			sent, err := d.send(ctx, sc, r, p)
			lost.note(err)
			if sent {
				done.Committed++
			}
		case r.Robots[p.Robot].Idle:
			done.Held++
			d.hold(r, p)
		}
	}
	if done.Committed > 0 {
		sc.index(d.state.Jobs)
	}
	d.survey(sc, r, plan)
	if done.Waiting > 0 {
		d.Journal.Append(ctx, event.New(sc.now, string(d.market), "dispatch.round", string(d.market), r.Number, done))
	}
	slices.Sort(busy)
	return busy, lost.err()
}

// hold notes that a request could have its robot, and waits on purpose.
func (d *desk) hold(r *Round, p Pairing) {
	q := &r.Requests[p.Request].Request
	if i := d.state.waiting(q.Delivery, q.Attempt); i >= 0 && d.state.Waiting[i].Held == 0 && r.can(p.Robot, p.Option) {
		d.state.Waiting[i].Held = r.Now
	}
}

// send reserves the robot of a pairing and tells the decision. It reports
// false if somebody else was faster, or the answer is lost.
func (d *desk) send(ctx context.Context, sc *scene, r *Round, p Pairing) (bool, error) {
	robot, w := &r.Robots[p.Robot], r.Requests[p.Request]
	q := &w.Request
	if robot.Chore != 0 {
		if err := d.Fleet.Release(ctx, robot.Robot, robot.Chore); err != nil {
			return false, fmt.Errorf("end the chore of %s: %w", robot.Robot, err)
		}
	}
	token, err := d.reserve(trace.With(ctx, q.Trace), robot.Robot, q.Delivery, q.Attempt, sc.now)
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		return false, nil
	case fault.Is(err, fault.Unavailable):
		if i := d.state.waiting(q.Delivery, q.Attempt); i >= 0 {
			d.state.Waiting[i].Tried = robot.Robot
		}
		return false, fmt.Errorf("reserve %s for %s#%d: %w", robot.Robot, q.Delivery, q.Attempt, err)
	case err != nil:
		return false, fmt.Errorf("reserve %s for %s#%d: %w", robot.Robot, q.Delivery, q.Attempt, err)
	}
	leg := r.Legs.Of(p.Robot, p.Request)
	d.state.Forecast.Typical += (leg.Millis - d.state.Forecast.Typical) / 8
	why := p.Why
	d.assign(ctx, sc, w, robot.Robot, token, &why, p.Option.Arrive, leg.EnergyMWh)
	return true, nil
}

// assign turns a waiting request into a job and tells the decision.
func (d *desk) assign(ctx context.Context, sc *scene, w Waiting, robot fleet.RobotID, token uint64, why *Why, arrive clock.Time, deadhead int64) {
	q := &w.Request
	x := Decision{
		Market: d.market, Delivery: q.Delivery, Attempt: q.Attempt, Kind: Assigned, At: sc.now,
		Robot: robot, Token: token, PickupAt: arrive, Why: why,
	}
	d.state.begin(job{
		Request: *q, Known: true, Robot: robot, Token: token, Expires: sc.now.Add(sc.settings.Hold),
		Arrive: arrive, Deadhead: deadhead, Trip: w.Trip, Pickup: w.Pickup, Dropoff: w.Dropoff, Decision: x,
	})
	if i := d.state.waiting(q.Delivery, q.Attempt); i >= 0 {
		d.state.Waiting = slices.Delete(d.state.Waiting, i, i+1)
	}
	d.tell(ctx, x)
}
