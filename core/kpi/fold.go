package kpi

import (
	"encoding/json"

	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/runlog"
)

func (c *Collector) foldDelivery(e event.Event, what string) error {
	if what == "refused" {
		var r refusal
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return err
		}
		c.run.Refused[r.Reason]++
		return nil
	}
	if what == "ignored" || what == "expired" {
		return nil // not updates of a delivery
	}
	r := c.record(e.Entity)
	// What an update says over and over is compared with what is known, not copied.
	u := delivery.Update{Partner: delivery.PartnerID(r.Partner), ExternalID: r.ExternalID, Store: r.Store}
	if err := readUpdate(&u, e.Data); err != nil {
		return err
	}
	r.Partner, r.ExternalID, r.Store = string(u.Partner), u.ExternalID, u.Store
	r.Promise, r.RouteMM, r.ReadySaid = u.Promise, u.RouteMM, u.ReadyAt
	switch u.Kind {
	case delivery.StateChanged:
		c.move(r, &u, e)
	case delivery.CustodyMoved:
		r.Transfers++
		r.Robot = string(u.Robot)
	case delivery.Trouble:
		r.Troubles++
	}
	return nil
}

// move notes a change of state.
func (c *Collector) move(r *Record, u *delivery.Update, e event.Event) {
	c.tally(r, -1)
	r.State = u.To
	if u.Robot != "" {
		r.Robot = string(u.Robot)
	}
	switch u.To {
	case delivery.Quoted:
		c.run.Quoted++
	case delivery.Requested:
		if r.Requested == 0 {
			r.Requested = e.T
		} else {
			r.Redispatches++
			r.Assigned, r.AtPickup, r.Robot = 0, 0, ""
		}
	case delivery.Assigned:
		r.Assigned = e.T
		if r.FirstAssigned == 0 {
			r.FirstAssigned = e.T
		}
	case delivery.AtPickup:
		r.AtPickup = e.T
	case delivery.Loaded:
		r.Loaded = e.T
	case delivery.AtDropoff:
		r.AtDropoff = e.T
	case delivery.Delivered, delivery.Returned, delivery.Cancelled:
		r.Ended, r.Reason, r.Cause = e.T, u.Reason, u.Cause
		c.finish(r)
	}
	c.tally(r, +1)
}

func (c *Collector) finish(r *Record) {
	if !r.Delivered() {
		return
	}
	c.done++
	if by, ok := late(r); ok && by > 0 {
		c.late++
	}
	if r.Robot != "" {
		c.carrier(r.Robot).Delivered++
	}
}

// tally takes a delivery into the counts of open ones, or out of them.
func (c *Collector) tally(r *Record, by int) {
	switch r.State {
	case delivery.Quoted, delivery.Delivered, delivery.Returned, delivery.Cancelled:
	case delivery.Requested:
		c.waiting += by
	default:
		c.active += by
	}
}

func (c *Collector) foldRobot(e event.Event) error {
	k := c.carrier(e.Entity)
	switch e.Kind {
	case runlog.RobotLeg:
		l := new(runlog.Leg)
		if err := readLeg(l, e.Data); err != nil {
			return err
		}
		c.endLeg(k, e, -1)
		k.drive(l, e.T)
	case runlog.RobotHalt:
		var h runlog.Halt
		if err := json.Unmarshal(e.Data, &h); err != nil {
			return err
		}
		c.endLeg(k, e, h.DrivenMM)
		k.seen(h.ChargeMWh)
		k.Halted = true
		k.Halts++
	case runlog.RobotResume:
		var r runlog.Resume
		if err := json.Unmarshal(e.Data, &r); err != nil {
			return err
		}
		k.seen(r.ChargeMWh)
		k.Halted = false
	case runlog.RobotCharging:
		d := new(runlog.Charging)
		if err := json.Unmarshal(e.Data, d); err != nil {
			return err
		}
		c.endLeg(k, e, -1)
		k.dock(d, e.T)
	case runlog.RobotCharged:
		var d runlog.Charged
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		k.leave(e.T)
		k.Charge, k.Known = d.ChargeMWh, true
	}
	return nil
}

// endLeg ends the leg of a carrier and gives its delivery the time at crossings.
func (c *Collector) endLeg(k *Carrier, e event.Event, drivenMM int64) {
	if l := k.Leg; l != nil && l.Loaded {
		if r := c.records[l.Delivery]; r != nil {
			r.Crossings += l.Waiting(e.T.Sub(k.LegAt))
		}
	}
	k.stop(e.T, drivenMM)
}

// claim is what the collector reads of "fleet.reserved" and "fleet.state".
type claim struct {
	Robot  fleet.RobotID `json:"robot"`
	Holder string        `json:"holder"`
	To     fleet.State   `json:"to"`
}

func (c *Collector) foldFleet(e event.Event, what string) error {
	switch what {
	case "state", "reserved", "released":
	default:
		return nil
	}
	var v claim
	if err := readClaim(&v, e.Data); err != nil {
		return err
	}
	k := c.carrier(string(v.Robot))
	switch what {
	case "state":
		k.State = v.To
	case "reserved":
		k.claim(v.Holder, e.T)
	case "released":
		k.release(e.T)
	}
	return nil
}
