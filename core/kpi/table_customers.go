package kpi

import "footway/core/delivery"

func customerDefinitions() []Definition {
	all := overDeliveries(Definition{
		Name: "click_to_door", Group: customers, Unit: Seconds, Better: Lower, sample: clickToDoor,
		Doc: "From the partner's acceptance to the goods being with the recipient, over delivered deliveries.",
	}, mean, p50, p90, p99)
	all = append(all, overDeliveries(Definition{
		Name: "ready_to_pickup", Group: customers, Unit: Seconds, Better: Lower,
		sample: func(r *Record) (int64, bool) {
			d, ok := between(r.ReadyAt(), r.Loaded)
			return max(d, 0), ok
		},
		Doc: "From the goods being ready (truly, or as expected where the merchant's kitchen is not known) to their being loaded: how long food gets cold. 0 if they were ready while being loaded.",
	}, mean, p50, p90, p99)...)
	return append(all, overDeliveries(Definition{
		Name: "order_to_assignment", Group: customers, Unit: Seconds, Better: Lower,
		sample: func(r *Record) (int64, bool) { return between(r.Requested, r.FirstAssigned) },
		Doc:    "From the partner's acceptance to the first robot being assigned. Includes holding back on purpose while goods are not ready.",
	}, mean, p50, p90, p99)...)
}

func promiseDefinitions() []Definition {
	onTime := func(r *Record) (int64, bool) {
		by, ok := late(r)
		if by <= 0 {
			return 1000, ok
		}
		return 0, ok
	}
	quoteError := func(r *Record) (int64, bool) {
		d, ok := between(r.Promise.DropoffP50, r.Ended)
		return d, ok && r.Delivered()
	}
	all := []Definition{
		{Name: "on_time_share", Group: promises, Unit: Share, Better: Higher, sample: onTime, stat: mean,
			Doc: "Part of the delivered deliveries that arrived by the P90 drop-off time quoted to the partner. A well calibrated quote gives 0.9 or more."},
		{Name: "late_minutes", Group: promises, Unit: Minutes, Better: Lower, value: lateMinutes,
			Doc: "Minutes past the quoted P90 drop-off time, summed over delivered deliveries."},
	}
	all = append(all, overDeliveries(Definition{
		Name: "quote_error", Group: promises, Unit: Seconds, sample: quoteError,
		Doc: "Actual drop-off less the P50 drop-off time quoted; positive is later than quoted, near 0 is good.",
	}, mean, p90)...)
	return append(all, overDeliveries(Definition{
		Name: "quote_error_abs", Group: promises, Unit: Seconds, Better: Lower,
		sample: func(r *Record) (int64, bool) {
			d, ok := quoteError(r)
			return max(d, -d), ok
		},
		Doc: "Distance of the actual drop-off from the P50 drop-off time quoted, early or late.",
	}, mean, p90)...)
}

func handoffDefinitions() []Definition {
	all := overDeliveries(Definition{
		Name: "pickup_wait", Group: handoffs, Unit: Seconds, Better: Lower,
		sample: func(r *Record) (int64, bool) { return between(r.AtPickup, r.Loaded) },
		Doc:    "Time the robot stood at the merchant until it was loaded.",
	}, mean, p90)
	all = append(all, overDeliveries(Definition{
		Name: "dropoff_wait", Group: handoffs, Unit: Seconds, Better: Lower,
		sample: func(r *Record) (int64, bool) {
			d, ok := between(r.AtDropoff, r.Ended)
			return d, ok && r.Delivered()
		},
		Doc: "Time the robot stood at the recipient's until the goods were taken.",
	}, mean, p90)...)
	return append(all, overDeliveries(Definition{
		Name: "crossing_wait", Group: handoffs, Unit: Seconds, Better: Lower,
		sample: func(r *Record) (int64, bool) { return int64(r.Crossings), r.Delivered() },
		Doc:    "Time a delivery waited at crossings with the goods aboard.",
	}, mean)...)
}

// undelivered is 1 for a delivery that failed, 0 for one that was delivered,
// and nothing for one that the partner cancelled or that is still open.
func undelivered(r *Record) (int64, bool) {
	if r.Undelivered() {
		return 1000, true
	}
	return 0, r.Delivered()
}

func lateMinutes(run *Run) (float64, bool) {
	var sum int64
	for _, by := range samples(run.Records, late) {
		sum += max(by, 0)
	}
	return float64(sum) / 60_000, true
}

// endedBy counts deliveries with a reason.
func endedBy(reason delivery.Reason) func(*Run) (float64, bool) {
	return counting(func(r *Record) bool { return r.State == delivery.Cancelled && r.Reason == reason })
}

// counting counts accepted deliveries.
func counting(which func(*Record) bool) func(*Run) (float64, bool) {
	return func(run *Run) (float64, bool) {
		n := 0
		for _, r := range run.Records {
			if r.Requested != 0 && which(r) {
				n++
			}
		}
		return float64(n), true
	}
}
