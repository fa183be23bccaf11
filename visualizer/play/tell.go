package play

import (
	"fmt"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/runlog"
)

// plain writes a word of the log as people do.
func plain[T ~string](s T) string { return strings.ReplaceAll(string(s), "_", " ") }

// Short writes a duration as people say it: 45 s, 7 min, 1 h 20.
func Short(d clock.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "−", -d
	}
	switch {
	case d < clock.Minute:
		return fmt.Sprintf("%s%d s", sign, d/clock.Second)
	case d < clock.Hour:
		return fmt.Sprintf("%s%d min", sign, d/clock.Minute)
	}
	return fmt.Sprintf("%s%d h %02d", sign, d/clock.Hour, d%clock.Hour/clock.Minute)
}

// Distance writes millimetres as people say them: 350 m, 1.4 km.
func Distance(mm int64) string {
	const kilometre = 1_000_000
	if mm < kilometre-500 {
		return strconv.FormatInt((mm+500)/1000, 10) + " m"
	}
	return strconv.FormatFloat(float64(mm)/kilometre, 'f', 1, 64) + " km"
}

// seeDelivery takes what a delivery's events say. What cannot be read is the
// business of At, which says so.
func (x *index) seeDelivery(e *event.Event, what string) {
	switch what {
	case "refused":
		if v, err := read[delivery.RefusedEvent](e); err == nil {
			x.mark(e, Refusal, e.Entity, plain(v.Reason))
			x.tell(e, e.Entity, "refused", plain(v.Reason))
		}
		return
	case "expired", "ignored", "expectation":
		return
	}
	u, err := read[delivery.Update](e)
	if err != nil {
		return
	}
	note := plain(u.Cause)
	switch u.Kind {
	case delivery.CustodyMoved:
		note = strings.TrimSpace("to " + string(u.Robot) + " " + note)
		x.mark(e, Custody, e.Entity, note)
		x.tell(e, string(u.Robot), "takes over "+e.Entity, plain(u.Cause))
	case delivery.Trouble:
		x.mark(e, Trouble, e.Entity, note)
	case delivery.StateChanged:
		note = x.moved(e, &u, note)
	}
	x.tell(e, e.Entity, plain(what), note)
}

// moved notes a change of state and returns what there is to say of it.
func (x *index) moved(e *event.Event, u *delivery.Update, note string) string {
	switch u.To {
	case delivery.Quoted:
		return "promised in " + Short(u.Promise.DropoffP90.Sub(e.T))
	case delivery.Requested:
		if u.From == delivery.Quoted {
			x.spots = append(x.spots, Spot{e.T, SpotDemand, u.Pickup})
		}
	case delivery.Assigned:
		return "to " + string(u.Robot)
	case delivery.Delivered:
		late := e.T.Sub(u.Promise.DropoffP90)
		if late <= 0 {
			return Short(-late) + " early"
		}
		x.mark(e, Late, e.Entity, Short(late)+" late")
		x.spots = append(x.spots, Spot{e.T, SpotLate, u.Dropoff})
		return Short(late) + " late"
	case delivery.Cancelled:
		note = plain(u.Reason)
		x.mark(e, Cancelled, e.Entity, note)
	}
	return note
}

func (x *index) seeDispatch(e *event.Event) {
	switch e.Kind {
	case "dispatch.assigned", "dispatch.lost", "dispatch.found", "dispatch.gave_up":
	default:
		return
	}
	d, err := read[dispatch.Decision](e)
	if err != nil {
		return
	}
	if d.Why == nil {
		x.tell(e, e.Entity, "dispatch: "+plain(d.Kind)+" "+string(d.Robot), plain(d.Cause))
		x.tell(e, string(d.Robot), "dispatch: "+plain(d.Kind)+" for "+e.Entity, plain(d.Cause))
		return
	}
	x.tell(e, string(d.Robot), "chosen for "+e.Entity, fmt.Sprintf("of %d, %s away", d.Why.Candidates, Short(d.Why.Deadhead)))
}

func (x *index) seeTask(e *event.Event, what string) {
	switch what {
	case "hatch_jammed", "pin_wrong", "overdue", "assist_began", "step_failed", "withdrawn":
	default:
		return
	}
	id, _, _ := strings.Cut(e.Entity, ".")
	x.tell(e, id, plain(what), "")
}

func (x *index) seeRobot(e *event.Event) {
	switch e.Kind {
	case "fleet.registered":
		if r, err := read[fleet.Robot](e); err == nil {
			x.registered[e.Entity] = r
		}
	case runlog.RobotLeg:
		if l, err := read[runlog.Leg](e); err == nil {
			note := Distance(l.LengthMM) + ", " + Short(l.Duration())
			x.tell(e, e.Entity, strings.TrimSpace(purpose(l.Purpose)+" "+l.Delivery), note)
		}
	case runlog.RobotHalt:
		if h, err := read[runlog.Halt](e); err == nil {
			x.mark(e, Stuck, e.Entity, plain(h.Cause))
			x.spots = append(x.spots, Spot{e.T, SpotStuck, h.Position})
			x.tell(e, e.Entity, "stops: "+plain(h.Cause), "")
		}
	case runlog.RobotResume:
		x.tell(e, e.Entity, "goes on", "")
	case runlog.RobotCharging:
		if c, err := read[runlog.Charging](e); err == nil {
			x.tell(e, e.Entity, "charges", "at "+string(c.Dock))
		}
	case runlog.RobotCharged:
		x.tell(e, e.Entity, "leaves the dock", "")
	case runlog.OperatorBegan:
		if a, err := read[runlog.Assist](e); err == nil {
			x.tell(e, e.Entity, "operator helps", "after "+Short(clock.Duration(a.WaitedMS)))
		}
	case runlog.OperatorEnded:
		x.tell(e, e.Entity, "operator is done", "")
	}
}

// purpose says where a drive leads.
func purpose(p runlog.Purpose) string {
	switch p {
	case runlog.ToPickup:
		return "to the pickup of"
	case runlog.ToDropoff:
		return "to the drop-off of"
	case runlog.ToReturn:
		return "drives to return"
	case runlog.ToCharge:
		return "to a dock"
	case runlog.ToTransfer:
		return "drives to take over"
	}
	return "drives to wait"
}
