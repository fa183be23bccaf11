package uber

import "footway/core/delivery"

// leg is which of the two deliveries that Uber would see a request is about: the
// way to the recipient, or that back to the merchant.
type leg bool

const (
	outward leg = false
	back    leg = true
)

// statusOf is a delivery's state in Uber's words. The way out ends where the way back begins.
func statusOf(s delivery.State, l leg) string {
	switch s {
	case delivery.Quoted, delivery.Requested:
		return "pending"
	case delivery.Assigned, delivery.ToPickup, delivery.AtPickup:
		return "pickup"
	case delivery.Loaded:
		return "pickup_complete"
	case delivery.ToDropoff, delivery.AtDropoff:
		return "dropoff"
	case delivery.Delivered:
		return "delivered"
	case delivery.Cancelled:
		return "canceled"
	case delivery.Returning, delivery.AtReturn:
		if l == back {
			return "dropoff"
		}
		return "returned"
	case delivery.Returned:
		if l == back {
			return "delivered"
		}
		return "returned"
	}
	return "" // of another version of ours
}

// completeIn reports whether a leg has ended.
func completeIn(s delivery.State, l leg) bool {
	return s.Ended() || l == outward && s.Homeward()
}

// imminentIn reports whether the robot is at the next stop of a leg.
func imminentIn(s delivery.State, l leg) bool {
	return s == delivery.AtPickup || s == delivery.AtDropoff || s == delivery.AtReturn && l == back
}

// statesOf returns the states that a filter of a list asks for, false if it is no filter.
func statesOf(filter string) ([]delivery.State, bool) {
	var found []delivery.State
	for _, s := range accepted() {
		switch status := statusOf(s, outward); {
		case filter == "" || filter == status:
			found = append(found, s)
		case filter == "ongoing" && !completeIn(s, outward):
			found = append(found, s)
		}
	}
	return found, len(found) > 0
}

// accepted are the states of what is more than a quote.
func accepted() []delivery.State {
	return []delivery.State{delivery.Requested, delivery.Assigned, delivery.ToPickup, delivery.AtPickup, delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff,
		delivery.Delivered, delivery.Returning, delivery.AtReturn, delivery.Returned, delivery.Cancelled}
}
