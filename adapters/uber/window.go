package uber

import "footway/core/clock"

// windows are when goods may be picked up and dropped off; 0 where nothing was said.
type windows struct {
	PickupReady     clock.Time `json:"pickup_ready"`
	PickupDeadline  clock.Time `json:"pickup_deadline"`
	DropoffReady    clock.Time `json:"dropoff_ready"`
	DropoffDeadline clock.Time `json:"dropoff_deadline"`
}

// The rules of Uber's windows.
const (
	maxAhead     = 30 * clock.Day
	leastPickup  = 10 * clock.Minute // of the pickup's window
	leastNotice  = 20 * clock.Minute // from now to its end
	leastDropoff = 20 * clock.Minute // of the drop-off's window
	// A clock may be behind ours, and a request takes a while: that much is not in the past.
	maxPast = 5 * clock.Minute
)

// check returns what keeps windows from being possible, by the name that Uber has for it.
func (w windows) check(now clock.Time) error {
	ready := w.PickupReady
	if ready == 0 {
		ready = now
	}
	switch {
	case ready < now.Add(-maxPast):
		return refused("pickup_ready_too_early", "The pickup ready time cannot be in the past.")
	case ready >= now.Add(maxAhead):
		return refused("pickup_ready_too_late", "The pickup ready time needs to be within the next 30 days.")
	case w.PickupDeadline != 0 && w.PickupDeadline.Sub(ready) < leastPickup:
		return refused("pickup_window_too_small", "The pickup window needs to be at least 10 minutes long.")
	case w.PickupDeadline != 0 && w.PickupDeadline.Sub(now) < leastNotice:
		return refused("pickup_deadline_too_early", "The pickup deadline needs to be at least 20 minutes from now.")
	case w.DropoffReady != 0 && w.PickupDeadline != 0 && w.DropoffReady > w.PickupDeadline:
		return refused("dropoff_ready_after_pickup_deadline", "The dropoff ready time needs to be at or before the pickup deadline.")
	case w.DropoffReady >= now.Add(maxAhead):
		return invalid("dropoff_ready_dt", "Want a time within the next 30 days.")
	case w.DropoffDeadline != 0 && w.DropoffDeadline.Sub(max(w.DropoffReady, ready)) < leastDropoff:
		return refused("dropoff_deadline_too_early", "The dropoff deadline needs to be at least 20 minutes after the dropoff ready time.")
	case w.DropoffDeadline != 0 && w.DropoffDeadline < w.PickupDeadline:
		return refused("dropoff_deadline_before_pickup_deadline", "The dropoff deadline needs to be after the pickup deadline.")
	}
	return nil
}
