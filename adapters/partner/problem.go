package partner

import (
	"errors"
	"net/http"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
)

// FieldError says what is wrong with one field; Field is "body" where no field is to blame.
type FieldError struct {
	Field string `json:"field"`
	Error string `json:"error"`
}

// problem is an error as partners see it: Drive's envelope, with what only robots have to say.
type problem struct {
	status int
	allow  string // of status 405

	Code        string       `json:"code"`
	Message     string       `json:"message"` // for people who debug
	Reason      string       `json:"reason,omitempty"`
	FieldErrors []FieldError `json:"field_errors,omitempty"`
	DeliveryID  string       `json:"external_delivery_id,omitempty"`
	BusinessID  string       `json:"external_business_id,omitempty"`
	StoreID     string       `json:"external_store_id,omitempty"`
	// The reason in our own words, with what would be possible instead.
	RobotReason  string    `json:"robot_reason,omitempty"`
	NearestTime  string    `json:"nearest_time,omitempty"`
	MeetingPoint *location `json:"meeting_point,omitempty"`
}

// Error returns the code and the message.
func (p problem) Error() string { return p.Code + ": " + p.Message }

// robotPrefix marks reasons that are ours and not Drive's.
const robotPrefix = "footway."

// answerTo returns the HTTP status and the code for a kind of fault.
func answerTo(k fault.Kind) (status int, code string) {
	switch k {
	case fault.Invalid:
		return http.StatusBadRequest, "validation_error"
	case fault.NotFound:
		return http.StatusNotFound, "unknown_id"
	case fault.Conflict:
		return http.StatusConflict, "update_not_allowed"
	case fault.Unavailable:
		return http.StatusServiceUnavailable, "service_fault"
	case fault.Forbidden:
		return http.StatusForbidden, "authorization_error"
	case fault.Exhausted:
		return http.StatusTooManyRequests, "too_many_requests"
	}
	return http.StatusInternalServerError, "service_fault"
}

// isCode reports whether the reason of a fault is a code of Drive's, or one in its manner.
func isCode(reason string) bool {
	switch reason {
	case delivery.DuplicateDelivery, delivery.UnknownDelivery, merchant.DuplicateBusiness, merchant.UnknownBusiness, merchant.DuplicateStore, merchant.UnknownStore:
		return true
	}
	return false
}

// problem translates an error into what the partner is told.
func (c *call) problem(err error) problem {
	if p, ok := errors.AsType[problem](err); ok {
		return p
	}
	if r, ok := errors.AsType[*delivery.Refused](err); ok {
		return refusal(r)
	}
	kind, reason := fault.KindOf(err), fault.ReasonOf(err)
	p := problem{Message: err.Error()}
	p.status, p.Code = answerTo(kind)
	switch {
	case p.status >= http.StatusInternalServerError:
		p.Message = "Internal service failure, please try again later."
	case isCode(reason):
		p.Code = reason
		c.name(&p)
	case kind == fault.Invalid:
		p.FieldErrors = []FieldError{{"body", err.Error()}}
	case kind == fault.Conflict:
		p.Reason = reason
		if c.op.name == "cancel" {
			p.Code = "cancel_not_allowed"
		}
	}
	return p
}

// name says in p which thing it is about.
func (c *call) name(p *problem) {
	switch p.Code {
	case delivery.UnknownDelivery, delivery.DuplicateDelivery:
		p.DeliveryID = c.named(0, "external_delivery_id")
	case merchant.UnknownBusiness, merchant.DuplicateBusiness:
		p.BusinessID = c.named(0, "external_business_id")
	case merchant.UnknownStore, merchant.DuplicateStore:
		p.BusinessID, p.StoreID = c.named(0, "external_business_id"), c.named(1, "external_store_id")
	}
}

// named returns the id that stands in the path as the i-th, or else in the field.
func (c *call) named(i int, field string) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return c.form.text(field, maxID)
}

// refusal answers a delivery that is not possible.
func refusal(r *delivery.Refused) problem {
	p := impossible(r.Refusal.Reason, r.Refusal.Detail)
	if r.Refusal.NearestTime != 0 {
		p.NearestTime = isoTime(r.Refusal.NearestTime)
	}
	if m := r.Refusal.MeetingPoint; m != nil {
		p.MeetingPoint = locationOf(*m)
	}
	return p
}

// impossible answers a request that no robot can do, whatever the time and the place.
func impossible(reason, message string) problem {
	return problem{status: http.StatusUnprocessableEntity, Code: "invalid_delivery_parameters", Message: message, Reason: reason, RobotReason: robotPrefix + reason}
}

// invalidFields answers a request whose fields cannot be read.
func invalidFields(errs []FieldError) problem {
	return problem{status: http.StatusBadRequest, Code: "validation_error", Message: "One or more request values couldn't be validated.", FieldErrors: errs}
}

// isoTime formats t as Drive does, in UTC.
func isoTime(t clock.Time) string { return t.String() }
