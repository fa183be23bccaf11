package world

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/task"
)

// checker sees every event on its way to the run log and holds the run to what
// must always be true. The first breach stops the run.
type checker struct {
	next event.Journal
	err  error

	Holders    map[fleet.RobotID]holder   `json:"holders"`    // who holds each reserved robot
	Tokens     map[fleet.RobotID]uint64   `json:"tokens"`     // highest token given out
	Tasks      map[fleet.RobotID]task.ID  `json:"tasks"`      // the task that each robot works on
	Deliveries map[delivery.ID]lastUpdate `json:"deliveries"` // accepted ones
	Accepted   int                        `json:"accepted"`
	Ended      int                        `json:"ended"`
}

type holder struct {
	Holder  string     `json:"holder"`
	Token   uint64     `json:"token"`
	Expires clock.Time `json:"expires"`
}

type lastUpdate struct {
	State    delivery.State `json:"state"`
	Sequence uint64         `json:"sequence"`
	Fee      delivery.Money `json:"fee"`
}

func newChecker(next event.Journal) *checker {
	return &checker{
		next: next, Holders: map[fleet.RobotID]holder{}, Tokens: map[fleet.RobotID]uint64{},
		Tasks: map[fleet.RobotID]task.ID{}, Deliveries: map[delivery.ID]lastUpdate{},
	}
}

// Append implements event.Journal.
func (c *checker) Append(ctx context.Context, e event.Event) {
	c.next.Append(ctx, e)
	switch {
	case e.Kind == "fleet.reserved" || e.Kind == "fleet.released":
		c.reservation(e)
	case e.Kind == "task.started" || e.Kind == "task.ended" || e.Kind == "task.withdrawn" || e.Kind == "task.step_failed":
		c.task(e)
	}
}

// failure returns the first breach, or nil.
func (c *checker) failure() error { return c.err }

func (c *checker) breach(t clock.Time, format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("invariant broken at %v: %s", t, fmt.Sprintf(format, args...))
	}
}

// reservation: a robot has one holder at a time, and its tokens only rise.
func (c *checker) reservation(e event.Event) {
	var r struct {
		Robot   fleet.RobotID `json:"robot"`
		Holder  string        `json:"holder"`
		Token   uint64        `json:"token"`
		Expires clock.Time    `json:"expires"`
	}
	if err := json.Unmarshal(e.Data, &r); err != nil {
		c.breach(e.T, "%s of %s is unreadable: %v", e.Kind, e.Entity, err)
		return
	}
	h, held := c.Holders[r.Robot]
	if e.Kind == "fleet.released" {
		if held && h.Token == r.Token {
			delete(c.Holders, r.Robot)
		}
		return
	}
	if held && h.Holder != r.Holder && h.Expires > e.T {
		c.breach(e.T, "robot %s is reserved for %s (token %d) while %s holds it (token %d)", r.Robot, r.Holder, r.Token, h.Holder, h.Token)
	}
	if last := c.Tokens[r.Robot]; r.Token <= last {
		c.breach(e.T, "robot %s is reserved under token %d after token %d", r.Robot, r.Token, last)
	}
	c.Tokens[r.Robot] = r.Token
	c.Holders[r.Robot] = holder{Holder: r.Holder, Token: r.Token, Expires: r.Expires}
}

// task: a robot works on one task at a time.
func (c *checker) task(e event.Event) {
	var t task.Change
	if err := json.Unmarshal(e.Data, &t); err != nil {
		c.breach(e.T, "%s of %s is unreadable: %v", e.Kind, e.Entity, err)
		return
	}
	now, works := c.Tasks[t.Robot]
	switch t.Kind {
	case task.Started:
		if works && now != t.Task {
			c.breach(e.T, "robot %s starts task %s while it works on %s", t.Robot, t.Task, now)
		}
		c.Tasks[t.Robot] = t.Task
	case task.Ended, task.Withdrawn, task.StepFailed:
		if now == t.Task {
			delete(c.Tasks, t.Robot)
		}
	}
}

// update: updates of a delivery are numbered without a gap, each state follows
// from the one before, and the price stays what was promised.
func (c *checker) update(now clock.Time, u delivery.Update) {
	last, known := c.Deliveries[u.Delivery]
	switch {
	case !known && u.To == delivery.Requested:
		c.Accepted++
	case !known:
		return // not accepted yet
	case u.Sequence != last.Sequence+1:
		c.breach(now, "delivery %s: update %d follows update %d", u.Delivery, u.Sequence, last.Sequence)
	case u.From != last.State:
		c.breach(now, "delivery %s: update %d comes from %s, but the state was %s", u.Delivery, u.Sequence, u.From, last.State)
	case final(last.State) && u.To != last.State:
		c.breach(now, "delivery %s: goes on to %s after %s", u.Delivery, u.To, last.State)
	case u.Fee != last.Fee && u.Kind != delivery.Edited && !priced(last.State, u):
		c.breach(now, "delivery %s: the fee changes from %d to %d at %s without an edit", u.Delivery, last.Fee, u.Fee, u.To)
	}
	if known && final(u.To) && !final(last.State) {
		c.Ended++
	}
	c.Deliveries[u.Delivery] = lastUpdate{State: u.To, Sequence: u.Sequence, Fee: u.Fee}
}

// priced reports whether the fee may change at u: a cancelled delivery may cost
// less or nothing, and a way back costs more.
func priced(last delivery.State, u delivery.Update) bool {
	return last != u.To && (u.To == delivery.Cancelled || u.To == delivery.Returning || u.To == delivery.Returned)
}

func final(s delivery.State) bool {
	return s == delivery.Delivered || s == delivery.Returned || s == delivery.Cancelled
}

// checkDelivery: a delivery is possible in itself after every change.
func (w *World) checkDelivery(ctx context.Context, id delivery.ID) error {
	d, err := w.s.Deliveries.Store.Delivery(ctx, id)
	if err != nil {
		return fmt.Errorf("check delivery %s: %w", id, err)
	}
	if wrong := errors.Join(d.Check()...); wrong != nil {
		w.check.breach(w.kernel.Now(), "%v", wrong)
	}
	return nil
}

// checkRobot: nothing is charged below zero, everything is somewhere on the map,
// and goods are in the robot that its delivery knows.
func (w *World) checkRobot(r *robot) {
	now := w.kernel.Now()
	if r.Capacity > 0 && r.Leg != nil && r.Leg.ChargeAt(r.Leg.since(now)) < 0 {
		w.check.breach(now, "robot %s is charged below zero: %d mWh", r.ID, r.Leg.ChargeAt(r.Leg.since(now)))
	}
	if r.Charge < 0 || r.Charge > r.Capacity {
		w.check.breach(now, "robot %s holds %d mWh of %d", r.ID, r.Charge, r.Capacity)
	}
	if at := w.position(r); !w.o.Network.Check(at) {
		w.check.breach(now, "robot %s stands at %v, which is not on the map", r.ID, at)
	}
}

// Finish checks what must be true at the end: every accepted delivery has ended,
// and the counts add up.
func (w *World) Finish() error {
	var open []string
	for _, o := range w.orders {
		if !o.Ended {
			open = append(open, fmt.Sprintf("%s (%s)", o.External, o.State))
		}
	}
	slices.Sort(open)
	var errs []error
	if len(open) > 0 {
		shown := open
		if len(shown) > 10 {
			shown = append(slices.Clone(shown[:10]), "…")
		}
		errs = append(errs, fmt.Errorf("invariant broken at the end: %d of %d accepted deliveries have not ended: %s",
			len(open), len(w.orders), strings.Join(shown, ", ")))
	}
	if w.check.Accepted != len(w.orders) || w.check.Ended != w.ended {
		errs = append(errs, fmt.Errorf("invariant broken at the end: %d accepted and %d ended by the updates, %d and %d by the people",
			w.check.Accepted, w.check.Ended, len(w.orders), w.ended))
	}
	return errors.Join(append(errs, w.check.failure())...)
}
