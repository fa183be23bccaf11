package kpi

import (
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
)

func robotDefinitions() []Definition {
	return []Definition{
		{Name: "deliveries_per_robot_hour", Group: robots, Unit: PerHour, Better: Higher,
			Doc: "Delivered deliveries, divided by the number of robots times the hours from the first to the last event.",
			value: func(run *Run) (float64, bool) {
				delivered, _ := counting((*Record).Delivered)(run)
				return ratio(delivered*float64(clock.Hour), robotTime(run))
			}},
		{Name: "robot_utilisation", Group: robots, Unit: Share, Better: Higher,
			Doc:   "Part of the robots' time in which they were reserved for a delivery.",
			value: overRobotTime(func(c *Carrier) int64 { return int64(c.Reserved) })},
		{Name: "charging_share", Group: robots, Unit: Share, Better: Lower,
			Doc:   "Part of the robots' time spent at a charging slot.",
			value: overRobotTime(func(c *Carrier) int64 { return int64(c.Charging) })},
		{Name: "deadhead_share", Group: robots, Unit: Share, Better: Lower,
			Doc: "Distance that robots drove without goods (to pickups, docks and places to wait at), divided by all that they drove.",
			value: func(run *Run) (float64, bool) {
				empty := total(run, func(c *Carrier) int64 { return c.EmptyMM })
				return ratio(float64(empty), float64(empty+total(run, func(c *Carrier) int64 { return c.LoadedMM })))
			}},
		{Name: "distance_km", Group: robots, Unit: KM,
			Doc: "Distance that robots drove.",
			value: func(run *Run) (float64, bool) {
				return float64(total(run, func(c *Carrier) int64 { return c.EmptyMM + c.LoadedMM })) / 1e6, true
			}},
		{Name: "energy_kwh", Group: robots, Unit: KWh, Better: Lower,
			Doc: "Energy that robots took from their batteries, driving and at rest.",
			value: func(run *Run) (float64, bool) {
				return float64(total(run, func(c *Carrier) int64 { return c.UsedMWh })) / 1e6, true
			}},
		{Name: "energy_per_km", Group: robots, Unit: WhPerKM, Better: Lower,
			Doc: "Energy that robots took from their batteries, divided by the distance that they drove.",
			value: func(run *Run) (float64, bool) {
				used := total(run, func(c *Carrier) int64 { return c.UsedMWh })
				return ratio(float64(used*1000), float64(total(run, func(c *Carrier) int64 { return c.EmptyMM + c.LoadedMM })))
			}},
	}
}

func peopleDefinitions() []Definition {
	return []Definition{
		{Name: "operator_minutes", Group: people, Unit: Minutes, Better: Lower,
			Doc:   "Time that remote operators spent helping robots.",
			value: func(run *Run) (float64, bool) { return float64(run.AssistTime) / float64(clock.Minute), true }},
		{Name: "operator_calls", Group: people, Unit: Count, Better: Lower,
			Doc:   "How often a remote operator helped.",
			value: func(run *Run) (float64, bool) { return float64(run.Assists), true }},
		{Name: "operator_wait_mean", Group: people, Unit: Seconds, Better: Lower,
			Doc: "From a robot's call for help to an operator's beginning. Mean.",
			value: func(run *Run) (float64, bool) {
				v, ok := mean.of(run.AssistWait, once)
				return v / 1000, ok
			}},
		{Name: "halts", Group: people, Unit: Count, Better: Lower,
			Doc: "How often a robot stopped on its way and could not go on by itself at once.",
			value: func(run *Run) (float64, bool) {
				return float64(total(run, func(c *Carrier) int64 { return int64(c.Halts) })), true
			}},
		{Name: "redispatches", Group: people, Unit: Count, Better: Lower,
			Doc:   "How often a delivery lost its robot before loading and another was looked for.",
			value: summing(func(r *Record) int { return r.Redispatches })},
		{Name: "custody_transfers", Group: people, Unit: Count, Better: Lower,
			Doc:   "How often goods went over from a failed robot to another carrier.",
			value: summing(func(r *Record) int { return r.Transfers })},
	}
}

func volumeDefinitions() []Definition {
	all := []Definition{
		{Name: "quotes", Group: volume, Unit: Count, Doc: "Quotes given.",
			value: func(run *Run) (float64, bool) { return float64(run.Quoted), true }},
		{Name: "accepted", Group: volume, Unit: Count, Doc: "Deliveries that partners accepted.",
			value: counting(func(*Record) bool { return true })},
		{Name: "delivered", Group: volume, Unit: Count, Better: Higher, Doc: "Deliveries whose goods reached the recipient.",
			value: counting((*Record).Delivered)},
		{Name: "open_at_end", Group: volume, Unit: Count, Better: Lower, Doc: "Accepted deliveries that had not ended when the log did.",
			value: counting(func(r *Record) bool { return r.Ended == 0 })},
		{Name: "undelivered_share", Group: lost, Unit: Share, Better: Lower, sample: undelivered, stat: mean,
			Doc: "Part of the ended deliveries whose goods did not reach the recipient. Those that the partner cancelled count in neither."},
		{Name: "cancelled_by_creator", Group: lost, Unit: Count, Doc: "Accepted deliveries that the partner cancelled before loading.",
			value: endedBy(delivery.ByCreator)},
		{Name: "undelivered_returned", Group: lost, Unit: Count, Better: Lower, Doc: "Deliveries whose goods went back to the merchant.",
			value: counting(func(r *Record) bool { return r.State == delivery.Returned })},
	}
	for _, v := range []struct {
		reason delivery.Reason
		doc    string
	}{
		{delivery.FailedToAssign, "Deliveries for which no robot was found in time."},
		{delivery.FailedToPickup, "Deliveries whose goods a robot could not get at the merchant's."},
		{delivery.FailedToDeliver, "Deliveries whose goods were lost to the recipient after loading and were not returned."},
		{delivery.FailedToReturn, "Deliveries whose goods reached neither recipient nor merchant."},
	} {
		all = append(all, Definition{Name: "undelivered_" + string(v.reason), Group: lost, Unit: Count, Better: Lower, Doc: v.doc, value: endedBy(v.reason)})
	}
	return append(all, refusalDefinitions()...)
}

func refusalDefinitions() []Definition {
	all := []Definition{{Name: "refused_share", Group: refusals, Unit: Share, Better: Lower,
		Doc: "Part of the requests for a quote that were refused.",
		value: func(run *Run) (float64, bool) {
			refused := 0
			for _, reason := range refusedReasons(run) {
				refused += run.Refused[reason]
			}
			return ratio(float64(refused), float64(refused+run.Quoted))
		}}}
	for _, reason := range refusalReasons {
		all = append(all, Definition{Name: "refused_" + reason, Group: refusals, Unit: Count, Better: Lower,
			Doc:   "Requests for a quote refused because: " + strings.ReplaceAll(reason, "_", " ") + ".",
			value: func(run *Run) (float64, bool) { return float64(run.Refused[reason]), true }})
	}
	return all
}

// robotTime returns the milliseconds of all robots from the first to the last event.
func robotTime(run *Run) float64 {
	n := total(run, func(*Carrier) int64 { return 1 })
	return float64(n * int64(run.To.Sub(run.From)))
}

// total sums over robots; couriers do not count.
func total(run *Run, of func(*Carrier) int64) int64 {
	var sum int64
	for _, c := range run.Carriers {
		if c.Kind == fleet.KindRobot {
			sum += of(c)
		}
	}
	return sum
}

func overRobotTime(of func(*Carrier) int64) func(*Run) (float64, bool) {
	return func(run *Run) (float64, bool) { return ratio(float64(total(run, of)), robotTime(run)) }
}

func summing(of func(*Record) int) func(*Run) (float64, bool) {
	return func(run *Run) (float64, bool) {
		sum := 0
		for _, r := range run.Records {
			sum += of(r)
		}
		return float64(sum), true
	}
}

// ratio returns a / b, if b is not 0.
func ratio(a, b float64) (float64, bool) {
	if b == 0 {
		return 0, false
	}
	return a / b, true
}
