package partner

import "footway/core/delivery"

// statusOf is a delivery's state in Drive's words.
func statusOf(s delivery.State) string {
	switch s {
	case delivery.Quoted:
		return "quote"
	case delivery.Requested:
		return "created"
	case delivery.Assigned:
		return "confirmed"
	case delivery.ToPickup:
		return "enroute_to_pickup"
	case delivery.AtPickup:
		return "arrived_at_pickup"
	case delivery.Loaded:
		return "picked_up"
	case delivery.ToDropoff:
		return "enroute_to_dropoff"
	case delivery.AtDropoff:
		return "arrived_at_dropoff"
	case delivery.Delivered:
		return "delivered"
	case delivery.Returning:
		return "enroute_to_return"
	case delivery.AtReturn:
		return "arrived_at_return"
	case delivery.Returned:
		return "returned"
	case delivery.Cancelled:
		return "cancelled"
	}
	panic("partner: a delivery is in the unknown state " + string(s))
}

// cancellationOf is why a delivery was cancelled in Drive's words, which are also ours.
func cancellationOf(r delivery.Reason) string {
	switch r {
	case "", delivery.ByCreator, delivery.FailedToAssign, delivery.FailedToPickup, delivery.FailedToDeliver, delivery.FailedToReturn:
		return string(r)
	}
	panic("partner: a delivery was cancelled for the unknown reason " + string(r))
}
