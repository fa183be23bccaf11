package partner

import (
	"encoding/json"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/integration"
)

// Names of events that Drive has. Partners that know Drive know these.
const (
	dasherConfirmed      = "DASHER_CONFIRMED"
	dasherToPickup       = "DASHER_ENROUTE_TO_PICKUP"
	dasherAtPickup       = "DASHER_CONFIRMED_PICKUP_ARRIVAL"
	dasherPickedUp       = "DASHER_PICKED_UP"
	dasherToDropoff      = "DASHER_ENROUTE_TO_DROPOFF"
	dasherAtDropoff      = "DASHER_CONFIRMED_DROPOFF_ARRIVAL"
	dasherDroppedOff     = "DASHER_DROPPED_OFF"
	deliveryCancelled    = "DELIVERY_CANCELLED"
	returnBegins         = "DELIVERY_RETURN_INITIALIZED"
	dasherAtReturn       = "DASHER_CONFIRMED_RETURN_ARRIVAL"
	deliveryReturned     = "DELIVERY_RETURNED"
	footwayQuoted        = "FOOTWAY_QUOTED"
	footwayCreated       = "FOOTWAY_CREATED"
	footwayUnassigned    = "FOOTWAY_UNASSIGNED" // the robot was lost before it was loaded; another is looked for
	footwayCustodyMoved  = "FOOTWAY_CUSTODY_MOVED"
	footwayTrouble       = "FOOTWAY_TROUBLE"
	footwayExpectation   = "FOOTWAY_ESTIMATE_CHANGED"
	footwayEdited        = "FOOTWAY_EDITED"
	footwayReady         = "FOOTWAY_ORDER_READY"
	footwayUnknownUpdate = "FOOTWAY_UPDATE" // of a later version of ours
)

// DriveEvents returns the names of events that Drive documents, for endpoints of
// partners that want no others. The rest begin with FOOTWAY_.
func DriveEvents() []string {
	return []string{dasherConfirmed, dasherToPickup, dasherAtPickup, dasherPickedUp, dasherToDropoff, dasherAtDropoff, dasherDroppedOff,
		deliveryCancelled, returnBegins, dasherAtReturn, deliveryReturned}
}

// EventNames returns the names of all events, in the order in which most deliveries have them.
func EventNames() []string {
	return []string{footwayQuoted, footwayCreated, dasherConfirmed, dasherToPickup, dasherAtPickup, dasherPickedUp, dasherToDropoff, dasherAtDropoff, dasherDroppedOff,
		deliveryCancelled, returnBegins, dasherAtReturn, deliveryReturned, footwayReady, footwayExpectation, footwayEdited, footwayUnassigned, footwayCustodyMoved,
		footwayTrouble, footwayUnknownUpdate}
}

// EventName returns what an update is called in Drive's words, or in ours
// where Drive has none. Every update has a name, also one of a later version.
func EventName(u *delivery.Update) string {
	switch u.Kind {
	case delivery.StateChanged:
		return changeName(u)
	case delivery.CustodyMoved:
		return footwayCustodyMoved
	case delivery.Trouble:
		return footwayTrouble
	case delivery.Expectation:
		return footwayExpectation
	case delivery.Edited:
		return footwayEdited
	case delivery.Ready:
		return footwayReady
	}
	return footwayUnknownUpdate
}

// changeName names a change of state.
func changeName(u *delivery.Update) string {
	switch u.To {
	case delivery.Quoted:
		return footwayQuoted
	case delivery.Requested:
		if u.From == "" || u.From == delivery.Quoted {
			return footwayCreated
		}
		return footwayUnassigned
	case delivery.Assigned:
		return dasherConfirmed
	case delivery.ToPickup:
		return dasherToPickup
	case delivery.AtPickup:
		return dasherAtPickup
	case delivery.Loaded:
		return dasherPickedUp
	case delivery.ToDropoff:
		return dasherToDropoff
	case delivery.AtDropoff:
		return dasherAtDropoff
	case delivery.Delivered:
		return dasherDroppedOff
	case delivery.Returning:
		return returnBegins
	case delivery.AtReturn:
		return dasherAtReturn
	case delivery.Returned:
		return deliveryReturned
	case delivery.Cancelled:
		return deliveryCancelled
	}
	return footwayUnknownUpdate
}

// event is one update in the words of Drive's webhooks. It holds no personal
// data; who needs that asks for the delivery. The fields at the end are ours.
type event struct {
	// Drive's pages and those who write about them differ on the name of this field, so it is there twice.
	Name       string `json:"event_name"`
	Type       string `json:"event_type"`
	CreatedAt  string `json:"created_at"`
	ExternalID string `json:"external_delivery_id"`
	Status     string `json:"delivery_status,omitempty"`
	Reason     string `json:"cancellation_reason,omitempty"`

	Fee                  delivery.Money `json:"fee"`
	Tip                  delivery.Money `json:"tip"`
	PickupTimeEstimated  string         `json:"pickup_time_estimated,omitempty"`
	DropoffTimeEstimated string         `json:"dropoff_time_estimated,omitempty"`
	DropoffTimeUpper     string         `json:"dropoff_time_estimated_upper_bound,omitempty"`
	PickupTimeActual     string         `json:"pickup_time_actual,omitempty"`
	DropoffTimeActual    string         `json:"dropoff_time_actual,omitempty"`
	ReturnTimeActual     string         `json:"return_time_actual,omitempty"`
	OrderReadyTime       string         `json:"order_ready_time,omitempty"`
	SupportReference     string         `json:"support_reference"`
	DasherName           string         `json:"dasher_name,omitempty"`

	EventID        string        `json:"event_id"`
	Sequence       uint64        `json:"sequence"`           // per delivery, from 1, without gaps
	Position       uint64        `json:"position,omitempty"` // in the partner's log, for GET /events?after=; a business is not told
	PreviousStatus string        `json:"previous_delivery_status,omitempty"`
	Market         string        `json:"market"`
	RobotID        fleet.RobotID `json:"robot_id,omitempty"`
	RobotReason    string        `json:"robot_reason,omitempty"`
	Attempt        int           `json:"attempt,omitempty"` // of finding a robot
}

// EventID returns the id of an update's event: the same however often it is told.
func EventID(u *delivery.Update) string { return fmt.Sprintf("evt_%s_%d", u.Delivery, u.Sequence) }

// EncodeEvent returns an entry of a partner's log as a webhook's body, the same
// bytes for the same entry.
func EncodeEvent(e integration.Entry) ([]byte, error) {
	u := &e.Update
	out := event{
		Name: EventName(u), Type: EventName(u), CreatedAt: isoTime(u.At), ExternalID: u.ExternalID, Status: statusIn(u.To), Reason: string(u.Reason),
		Fee: u.Fee, Tip: u.Tip, OrderReadyTime: known(u.ReadyAt), SupportReference: string(u.Delivery),
		EventID: EventID(u), Sequence: u.Sequence, Position: e.Position, Market: string(u.Market), RobotID: u.Robot, Attempt: u.Attempt,
	}
	if u.Kind == delivery.StateChanged {
		out.PreviousStatus = statusIn(u.From)
		switch u.To {
		case delivery.Loaded:
			out.PickupTimeActual = out.CreatedAt
		case delivery.Delivered:
			out.DropoffTimeActual = out.CreatedAt
		case delivery.Returned:
			out.ReturnTimeActual = out.CreatedAt
		}
	}
	if !u.To.Ended() {
		out.PickupTimeEstimated = known(u.Expected.PickupP50)
		out.DropoffTimeEstimated, out.DropoffTimeUpper = known(u.Expected.DropoffP50), known(u.Expected.DropoffP90)
	}
	if u.Robot != "" {
		out.DasherName = "Robot " + string(u.Robot)
	}
	if isCause(u.Cause) {
		out.RobotReason = robotPrefix + u.Cause
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", out.EventID, err)
	}
	return b, nil
}

// ping is the name of events of which nothing happened.
const ping = "FOOTWAY_PING"

// EncodePing returns the body of a webhook that only tries an endpoint, and its event's id.
func EncodePing(id string, at clock.Time) (body []byte, eventID string, err error) {
	eventID = "evt_ping_" + id
	body, err = json.Marshal(struct {
		Name      string `json:"event_name"`
		Type      string `json:"event_type"`
		CreatedAt string `json:"created_at"`
		EventID   string `json:"event_id"`
	}{ping, ping, isoTime(at), eventID})
	if err != nil {
		return nil, "", fmt.Errorf("event %s: %w", eventID, err)
	}
	return body, eventID, nil
}

// statusIn is statusOf for what came over a wire: "" for a state of another version.
func statusIn(s delivery.State) string {
	switch s {
	case delivery.Quoted, delivery.Requested, delivery.Assigned, delivery.ToPickup, delivery.AtPickup, delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff,
		delivery.Delivered, delivery.Returning, delivery.AtReturn, delivery.Returned, delivery.Cancelled:
		return statusOf(s)
	}
	return ""
}
