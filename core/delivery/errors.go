package delivery

import (
	"footway/core/dispatch"
	"footway/core/fault"
)

// Reasons of errors, for partners and tests.
const (
	DuplicateDelivery = "duplicate_delivery_id" // the external id is taken by another request
	UnknownDelivery   = "unknown_delivery_id"
	QuoteExpired      = "quote_expired"
	ValidationError   = "validation_error"

	// Why a delivery cannot be edited or cancelled any more, in Drive's words; which of
	// update_not_allowed and cancel_not_allowed it is follows from the call.
	DeliveryCancelled = "delivery_cancelled"
	DeliveryCompleted = "delivery_completed"
	DeliveryPickedUp  = "delivery_picked_up"

	NotAccepted = "delivery_not_accepted" // it is still a quote
	NotUnderWay = "not_under_way"         // nobody could come or not come to it now
	NoCarrier   = "no_carrier"            // no robot works for it, so there is no hatch to open
	Stale       = "stale_sequence"        // it has changed since the caller looked
)

// Refused is the error for a delivery that is not possible: a fault.Invalid
// whose reason is the refusal's.
type Refused struct {
	Refusal dispatch.Refusal
	err     error
}

// Refuse returns the error for a delivery that is not possible because of r.
func Refuse(r dispatch.Refusal) *Refused {
	return &Refused{Refusal: r, err: fault.New("delivery.Quote", fault.Invalid, r.Reason, "%s: %s", r.Reason, r.Detail)}
}

// Error returns why the delivery is not possible.
func (r *Refused) Error() string { return r.err.Error() }

// Unwrap returns the fault within.
func (r *Refused) Unwrap() error { return r.err }

// RefusedEvent is the data of the journal's events "delivery.refused", whose
// entity is the partner's own id, since no delivery exists.
type RefusedEvent struct {
	Partner PartnerID `json:"partner"`
	Reason  string    `json:"reason"`
}

// IgnoredEvent is the data of the journal's events "delivery.ignored": a change
// of a task that its delivery's state does not allow.
type IgnoredEvent struct {
	State  State  `json:"state"`
	Task   string `json:"task"`
	Seq    uint64 `json:"seq"`
	Change string `json:"change"`
}
