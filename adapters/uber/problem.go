package uber

import (
	"errors"
	"net/http"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
)

// problem is an error as partners see it: Uber's envelope. What only robots have
// to say is in the metadata, under names that begin with footway_.
type problem struct {
	status int
	allow  string // of status 405

	Code     string            `json:"code"`
	Message  string            `json:"message"` // for people who debug
	Kind     kindOfError       `json:"kind"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// kindOfError writes itself as what all errors have there.
type kindOfError struct{}

// MarshalText implements encoding.TextMarshaler.
func (kindOfError) MarshalText() ([]byte, error) { return []byte("error"), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (*kindOfError) UnmarshalText([]byte) error { return nil }

// Error returns the code and the message.
func (p problem) Error() string { return p.Code + ": " + p.Message }

// Names in the metadata. paramDetails is Uber's, for what is no field's fault.
const (
	paramDetails = "param_details"
	robotReason  = "footway_reason"
	nearestTime  = "footway_nearest_time"
	meetingPoint = "footway_meeting_point"
)

const badParams = "The parameters of your request were invalid."

// invalid answers a request with a field that cannot be read.
func invalid(field, text string) problem {
	return problem{status: http.StatusBadRequest, Code: "invalid_params", Message: badParams, Metadata: map[string]string{field: text}}
}

// refused answers what Uber has a code for.
func refused(code, message string) problem {
	return problem{status: http.StatusBadRequest, Code: code, Message: message}
}

// impossible answers a request that no robot can do, whatever the time and the place.
func impossible(field, reason, text string) problem {
	p := invalid(field, text)
	p.Metadata[robotReason] = reason
	return p
}

func nothing() problem {
	return problem{status: http.StatusNotFound, Code: "unknown_operation", Message: "There is nothing at this path."}
}

func notFound() problem {
	return problem{status: http.StatusNotFound, Code: "delivery_not_found", Message: "The requested delivery does not exist."}
}

// duplicate answers a request for a delivery that there is already, with other particulars.
func duplicate(id string) problem {
	return problem{status: http.StatusConflict, Code: "duplicate_delivery", Message: "An active delivery like this already exists.", Metadata: map[string]string{"delivery_id": id}}
}

// problem translates an error into what the partner is told.
func (c *call) problem(err error) problem {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*delivery.Refused](err); ok {
		return refusal(r.Refusal)
	}
	switch fault.KindOf(err) {
	case fault.Invalid:
		return invalid(paramDetails, err.Error())
	case fault.NotFound:
		return notFound()
	case fault.Conflict:
		if c.op.name == "uber_cancel" {
			return refused("noncancelable_delivery", "Delivery cannot be cancelled: "+fault.ReasonOf(err)+".")
		}
		p := invalid(paramDetails, "The provided fields cannot be updated in the current job state.")
		p.Metadata[robotReason] = fault.ReasonOf(err)
		return p
	case fault.Forbidden:
		return problem{status: http.StatusForbidden, Code: "customer_blocked", Message: "Your account may not do this."}
	case fault.Exhausted:
		return problem{status: http.StatusTooManyRequests, Code: "customer_limited", Message: "Your account's limits have been exceeded."}
	case fault.Unavailable:
		return problem{status: http.StatusServiceUnavailable, Code: "service_unavailable", Message: "Service is currently unavailable."}
	case fault.Internal:
	}
	return problem{status: http.StatusInternalServerError, Code: "internal_server_error", Message: "We have experienced a problem."}
}

// refusal answers a delivery that is not possible.
func refusal(r dispatch.Refusal) problem {
	var p problem
	switch r.Reason {
	case dispatch.TooLarge:
		p = invalid("manifest_items", "No robot here takes goods of this size or weight.")
	case dispatch.NoCapacity, dispatch.OutsideHours:
		p = refused("address_undeliverable_limited_couriers", "The specified location is not in a deliverable area at this time.")
	default:
		p = refused("address_undeliverable", "The specified location is not in a deliverable area.")
	}
	if p.Metadata == nil {
		p.Metadata = map[string]string{}
	}
	p.Metadata[robotReason] = r.Reason
	if r.NearestTime != 0 {
		p.Metadata[nearestTime] = r.NearestTime.String()
	}
	if m := r.MeetingPoint; m != nil {
		p.Metadata[meetingPoint] = string(degrees(m.Lat).text()) + "," + string(degrees(m.Lon).text())
	}
	return p
}
