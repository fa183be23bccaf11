package delivery

import (
	"fmt"

	"footway/core/clock"
)

// Check returns what is impossible about d: it must be empty after every change,
// in production and in every simulated run.
func (d Delivery) Check() []error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf("delivery %s (%s): "+format, append([]any{d.ID, d.State}, args...)...))
		}
	}
	_, known := next[d.State]
	bad(!known && !d.State.Ended(), "no such state")
	bad(d.Sequence == 0, "has no update")
	bad(sum(d.FeeParts) != d.Fee, "fee %d is not the sum of its parts %v", d.Fee, d.FeeParts)
	bad(d.UnloadPIN != "" && !validPIN(d.UnloadPIN) || d.LoadPIN != "" && !validPIN(d.LoadPIN), "a PIN is not four digits")
	bad((d.State == Cancelled) != (d.CancelReason != ""), "cancelled for %q", d.CancelReason)
	d.checkTimes(bad)
	d.checkCarrier(bad)
	for i, o := range d.Owed {
		bad(o.Number > d.Debts || i > 0 && o.Number <= d.Owed[i-1].Number, "debt %d is out of order", o.Number)
	}
	return errs
}

func (d *Delivery) checkTimes(bad func(bool, string, ...any)) {
	last := clock.Time(0)
	for _, t := range [...]clock.Time{d.Times.Quoted, d.Times.Requested, d.Times.Assigned, d.Times.AtPickup, d.Times.Loaded, d.Times.AtDropoff, d.Times.Ended} {
		bad(t != 0 && t < last, "times are out of order: %+v", d.Times)
		last = max(last, t)
	}
	bad(d.State.Ended() != (d.Times.Ended != 0), "ended at %d", d.Times.Ended)
	bad(d.State.Carried() && d.Times.Loaded == 0, "carried, but never loaded")
	for _, p := range [...]Promise{d.Promise, d.Expected} {
		bad(p.PickupP50 > p.PickupP90 || p.DropoffP50 > p.DropoffP90, "a P50 is above its P90: %+v", p)
	}
}

func (d *Delivery) checkCarrier(bad func(bool, string, ...any)) {
	handed := d.State.Carried() || d.State == Delivered || d.State == Returned
	switch d.State {
	case Quoted:
		bad(d.Attempt != 0 || d.Robot != "", "a quote has attempt %d and robot %q", d.Attempt, d.Robot)
	case Requested:
		bad(d.Attempt == 0 || d.Robot != "", "waits for a robot, with attempt %d and robot %q", d.Attempt, d.Robot)
	case Assigned, ToPickup, AtPickup, Loaded, ToDropoff, AtDropoff, Returning, AtReturn:
		bad(d.Robot == "" && d.Transfer == nil, "has no carrier")
	}
	bad((d.Robot == "") != (d.Token == 0), "robot %q has token %d", d.Robot, d.Token)
	bad(d.Robot == "" && d.Task != "", "task %s has no robot", d.Task)
	bad(d.Transfer != nil && !d.State.Carried(), "a takeover of goods that nobody carries")
	bad(handed && len(d.Custody) == 0, "nobody ever had the goods")
	if len(d.Custody) == 0 {
		return
	}
	holder := d.Custody[len(d.Custody)-1].Carrier
	bad(d.Transfer != nil && d.Transfer.From != holder, "%s has the goods, but %s is to hand them over", holder, fromOf(d.Transfer))
	bad(handed && d.Transfer == nil && d.Robot != holder, "%s has the goods, but %s carries them", holder, d.Robot)
}

func fromOf(t *Transfer) string {
	if t == nil {
		return "nobody"
	}
	return string(t.From)
}
