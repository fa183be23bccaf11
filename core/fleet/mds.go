package fleet

// Event is a vehicle event of MDS 2.0 delivery-robots: why the state changed.
type Event string

// The events.
const (
	CommsLost             Event = "comms_lost"
	CommsRestored         Event = "comms_restored"
	CustomerCancellation  Event = "customer_cancellation"
	Decommissioned        Event = "decommissioned"
	DriverCancellation    Event = "driver_cancellation"
	Located               Event = "located"
	Maintenance           Event = "maintenance"
	MaintenanceEnd        Event = "maintenance_end"
	MaintenancePickUp     Event = "maintenance_pick_up"
	NotLocated            Event = "not_located"
	OrderDropOff          Event = "order_drop_off"
	OrderPickUp           Event = "order_pick_up"
	ProviderCancellation  Event = "provider_cancellation"
	Recommissioned        Event = "recommissioned" // the list of events says "recommission", the table this
	ReservationStart      Event = "reservation_start"
	ReservationStop       Event = "reservation_stop"
	ServiceEnd            Event = "service_end"
	ServiceStart          Event = "service_start"
	TripEnd               Event = "trip_end"
	TripEnterJurisdiction Event = "trip_enter_jurisdiction"
	TripLeaveJurisdiction Event = "trip_leave_jurisdiction"
	TripPause             Event = "trip_pause"
	TripResume            Event = "trip_resume"
	TripStart             Event = "trip_start"
)

// transition is a row of the MDS table: a change of state and what may cause it.
type transition struct {
	from, to State
	events   []Event
}

// transitions is the table of MDS 2.0.2, modes/delivery-robots.md: every change
// of state that a regulator accepts. compliance_pick_up, which the standard
// names without a transition, is not in it.
var transitions = []transition{
	{Available, Reserved, []Event{ReservationStart}},
	{Available, NonOperational, []Event{ServiceEnd}},
	{Available, Elsewhere, []Event{TripLeaveJurisdiction}},
	{Available, NonContactable, []Event{CommsLost}},
	{Reserved, Stopped, []Event{ReservationStop}},
	{Reserved, Available, []Event{CustomerCancellation, DriverCancellation, ProviderCancellation}},
	{Reserved, Elsewhere, []Event{TripLeaveJurisdiction}},
	{Reserved, NonContactable, []Event{CommsLost}},
	{Stopped, OnTrip, []Event{TripStart, TripResume}},
	{Stopped, Available, []Event{TripEnd, CustomerCancellation, DriverCancellation, ProviderCancellation}},
	{Stopped, NonContactable, []Event{CommsLost}},
	{OnTrip, Stopped, []Event{OrderPickUp, OrderDropOff, TripPause}},
	{OnTrip, Elsewhere, []Event{TripLeaveJurisdiction}},
	{OnTrip, NonContactable, []Event{CommsLost}},
	{NonOperational, Available, []Event{ServiceStart}},
	{NonOperational, NonOperational, []Event{Maintenance, MaintenanceEnd}},
	{NonOperational, Removed, []Event{MaintenancePickUp, Decommissioned}},
	{NonOperational, Elsewhere, []Event{TripLeaveJurisdiction}},
	{NonOperational, NonContactable, []Event{CommsLost}},
	{Removed, NonOperational, []Event{MaintenanceEnd, Recommissioned}},
	{Removed, NonContactable, []Event{CommsLost}},
	{Elsewhere, Available, []Event{TripEnterJurisdiction}},
	{Elsewhere, NonOperational, []Event{TripEnterJurisdiction}},
	{Elsewhere, OnTrip, []Event{TripEnterJurisdiction}},
	{Elsewhere, Reserved, []Event{TripEnterJurisdiction}},
	{Elsewhere, NonContactable, []Event{CommsLost}},
	{NonContactable, Available, []Event{CommsRestored}},
	{NonContactable, Elsewhere, []Event{CommsRestored}},
	{NonContactable, NonOperational, []Event{CommsRestored}},
	{NonContactable, OnTrip, []Event{CommsRestored}},
	{NonContactable, Removed, []Event{CommsRestored}},
	{NonContactable, Reserved, []Event{CommsRestored}},
	{NonContactable, Stopped, []Event{CommsRestored}},
	{NonContactable, Missing, []Event{NotLocated}},
	{Missing, Available, []Event{Located}},
	{Missing, Elsewhere, []Event{Located}},
	{Missing, NonOperational, []Event{Located}},
	{Missing, OnTrip, []Event{Located}},
	{Missing, Removed, []Event{Located}},
	{Missing, Reserved, []Event{Located}},
	{Missing, Stopped, []Event{Located}},
}

// Legal returns the events by which MDS lets a vehicle go from one state to
// another; none if it does not. The caller must not change the result.
func Legal(from, to State) []Event {
	for i := range transitions {
		if t := &transitions[i]; t.from == from && t.to == to {
			return t.events
		}
	}
	return nil
}

// next returns the state to go to first on the way from one state to another
// where MDS has no transition between the two: a stop between reserved and
// on_trip, an end of the trip before a breakdown.
func next(from, to State) State {
	if len(Legal(from, to)) > 0 {
		return to
	}
	if to == Missing {
		return NonContactable
	}
	switch from {
	case Available, Elsewhere:
		if to == Removed {
			return NonOperational
		}
		return Reserved
	case Reserved:
		if to == OnTrip {
			return Stopped
		}
		return Available
	case OnTrip:
		return Stopped
	case Removed:
		return NonOperational
	}
	return Available
}

// event returns which of the legal events takes r from its state to the next.
func (r *Robot) event(to State, t Telemetry) Event {
	switch {
	case r.State == Stopped && to == OnTrip && r.Trip:
		return TripResume
	case r.State == Stopped && to == Available && (!r.Trip || t.Loaded):
		return ProviderCancellation // the trip did not begin, or did not end where it should
	case r.State == Reserved && to == Available:
		return ProviderCancellation
	case r.State == OnTrip && to == Stopped && t.Activity == AtStop:
		return OrderDropOff
	case r.State == OnTrip && to == Stopped:
		return TripPause
	case r.State == NonOperational && to == Removed:
		return Decommissioned
	case r.State == Removed && to == NonOperational:
		return Recommissioned
	}
	return Legal(r.State, to)[0]
}
