package delivery

import "footway/core/clock"

// foresee returns when d will be picked up and delivered, as far as is known
// at now. Until the robot is there, the pickup keeps the spread (P90 - P50) that was
// quoted; from then on the drop-off has only what of the quoted spread the way itself makes.
func (d *Delivery) foresee(now clock.Time) Promise {
	pickup, pickupSpread := d.foreseePickup(now), d.Promise.PickupP90.Sub(d.Promise.PickupP50)
	dropoffSpread := d.Promise.DropoffP90.Sub(d.Promise.DropoffP50)
	if d.Times.AtPickup != 0 {
		dropoffSpread = max(0, dropoffSpread-pickupSpread)
		pickupSpread = 0
	}
	dropoff := d.foreseeDropoff(now, pickup)
	if d.State == Delivered {
		dropoffSpread = 0
	}
	return Promise{PickupP50: pickup, PickupP90: pickup.Add(pickupSpread), DropoffP50: dropoff, DropoffP90: dropoff.Add(dropoffSpread)}
}

func (d *Delivery) foreseePickup(now clock.Time) clock.Time {
	switch {
	case d.Times.AtPickup != 0:
		return d.Times.AtPickup
	case d.State == Assigned || d.State == ToPickup:
		return max(d.PickupAt, now)
	}
	return max(d.Expected.PickupP50, now)
}

func (d *Delivery) foreseeDropoff(now, pickup clock.Time) clock.Time {
	unload := (d.Trip - d.RouteTime) / 2 // the two exchanges share what is not driving
	switch {
	case d.State == Delivered:
		return d.Times.Ended
	case d.Transfer != nil:
		return max(d.PickupAt, now).Add(d.RouteTime + unload)
	case d.State == AtDropoff:
		return max(now, d.Since.Add(unload))
	case d.State == Loaded || d.State == ToDropoff:
		return max(now, d.Custody[len(d.Custody)-1].From.Add(d.RouteTime+unload))
	}
	if d.State == AtPickup {
		pickup = now // it still waits for the goods
	}
	return max(pickup, d.ReadyAt).Add(d.Trip)
}

// moved reports whether a and b differ by more than threshold.
func moved(a, b Promise, threshold clock.Duration) bool {
	far := func(a, b clock.Time) bool { return a.Sub(b) > threshold || b.Sub(a) > threshold }
	return far(a.PickupP50, b.PickupP50) || far(a.DropoffP50, b.DropoffP50)
}
