package kpi

import (
	"strings"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/runlog"
)

// Activity is what a robot is doing, as plots show it.
type Activity int

// The activities.
const (
	Idle       Activity = iota
	Charging            // at a dock
	Moving              // to a dock or a place to wait at
	Deadhead            // to a pickup, empty
	AtStop              // at a merchant or recipient
	Carrying            // on the way with goods
	Down                // stopped on the way, broken, or without contact
	Activities          // how many there are
)

// String returns the activity in words.
func (a Activity) String() string {
	return [...]string{"idle", "charging", "repositioning", "to pickup", "at a stop", "carrying", "down"}[a]
}

// Carrier is what a robot or courier did.
type Carrier struct {
	ID          string         `json:"id"`
	Kind        fleet.Kind     `json:"kind"`
	CapacityMWh int64          `json:"capacity_mwh"`
	EmptyMM     int64          `json:"empty_mm"`  // driven without goods
	LoadedMM    int64          `json:"loaded_mm"` // driven with goods
	UsedMWh     int64          `json:"used_mwh"`  // taken from the battery
	Reserved    clock.Duration `json:"reserved"`  // time reserved for deliveries
	Charging    clock.Duration `json:"charging"`  // time at a charging slot
	Halts       int            `json:"halts"`     // stops on the way
	Delivered   int            `json:"delivered"` // deliveries it ended well

	Claimed  bool             `json:"claimed"`        // reserved for a delivery now
	Since    clock.Time       `json:"since"`          // of the claim
	Dock     *runlog.Charging `json:"dock,omitempty"` // charging now
	DockedAt clock.Time       `json:"docked_at"`
	Leg      *runlog.Leg      `json:"leg,omitempty"` // driving now, or having arrived
	LegAt    clock.Time       `json:"leg_at"`
	Halted   bool             `json:"halted"`
	State    fleet.State      `json:"state"`
	Charge   int64            `json:"charge"` // last known, mWh
	Known    bool             `json:"known"`  // whether Charge is
}

// claim begins the time reserved, if the holder is a delivery.
func (c *Carrier) claim(holder string, t clock.Time) {
	c.release(t)
	if strings.HasPrefix(holder, "delivery/") {
		c.Claimed, c.Since = true, t
	}
}

func (c *Carrier) release(t clock.Time) {
	if c.Claimed {
		c.Reserved += t.Sub(c.Since)
		c.Claimed = false
	}
}

// drive begins a leg, which breaks off what came before.
func (c *Carrier) drive(l *runlog.Leg, t clock.Time) {
	c.leave(t)
	c.stop(t, -1)
	c.seen(l.ChargeFromMWh)
	c.Leg, c.LegAt, c.Halted = l, t, false
}

// stop ends the leg after drivenMM, or what it would have driven by then if
// that is negative or the leg was over anyway.
func (c *Carrier) stop(t clock.Time, drivenMM int64) {
	l := c.Leg
	if l == nil {
		return
	}
	if since := t.Sub(c.LegAt); drivenMM < 0 || since >= l.Duration() {
		drivenMM = l.DrivenAt(since)
	}
	if l.Loaded {
		c.LoadedMM += drivenMM
	} else {
		c.EmptyMM += drivenMM
	}
	c.seen(l.ChargeAt(t.Sub(c.LegAt)))
	c.Leg = nil
}

// dock begins charging.
func (c *Carrier) dock(d *runlog.Charging, t clock.Time) {
	c.leave(t)
	c.stop(t, -1)
	c.seen(d.ChargeMWh)
	c.Dock, c.DockedAt, c.Halted = d, t, false
}

// leave ends charging, if that is going on.
func (c *Carrier) leave(t clock.Time) {
	if c.Dock == nil {
		return
	}
	c.Charging += t.Sub(c.DockedAt)
	c.Charge = c.ChargeAt(t)
	c.Dock = nil
}

// seen notes a charge: what is missing since the last was used.
func (c *Carrier) seen(mwh int64) {
	if c.Known && mwh < c.Charge {
		c.UsedMWh += c.Charge - mwh
	}
	c.Charge, c.Known = mwh, true
}

// ChargeAt returns the charge in mWh at an instant, between what was reported.
func (c *Carrier) ChargeAt(t clock.Time) int64 {
	switch {
	case c.Dock != nil:
		const msPerHour = int64(clock.Hour)
		got := c.Dock.PowerMW * int64(t.Sub(c.DockedAt)) / msPerHour
		return max(c.Charge, min(c.Charge+got, c.CapacityMWh))
	case c.Leg != nil:
		return c.Leg.ChargeAt(t.Sub(c.LegAt))
	default:
		return c.Charge
	}
}

// ActivityAt returns what the carrier is doing at an instant.
func (c *Carrier) ActivityAt(t clock.Time) Activity {
	switch c.State {
	case fleet.NonOperational, fleet.NonContactable, fleet.Missing, fleet.Elsewhere, fleet.Removed:
		if c.Dock == nil { // a robot that charges may well be out of operation
			return Down
		}
	}
	switch {
	case c.Halted:
		return Down
	case c.Dock != nil:
		return Charging
	case c.Leg != nil && t.Sub(c.LegAt) < c.Leg.Duration():
		return drivingFor(c.Leg)
	case c.Claimed:
		return AtStop
	default:
		return Idle
	}
}

func drivingFor(l *runlog.Leg) Activity {
	switch {
	case l.Loaded:
		return Carrying
	case l.Purpose == runlog.ToPickup || l.Purpose == runlog.ToTransfer:
		return Deadhead
	default:
		return Moving
	}
}
