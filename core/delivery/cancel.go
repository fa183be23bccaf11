package delivery

import (
	"context"

	"footway/core/fault"
)

// Cancel ends a delivery for its partner. It is possible until the goods are
// loaded; later it fails with fault.Conflict, and a reason out of DeliveryPickedUp,
// DeliveryCompleted and DeliveryCancelled. A repeat returns the cancelled delivery.
func (s *Service) Cancel(ctx context.Context, p PartnerID, externalID, cause string) (Delivery, error) {
	d, err := s.named(ctx, p, externalID)
	if err != nil {
		return Delivery{}, err
	}
	return s.change(ctx, d.ID, func(t *turn) error {
		if t.d.State == Cancelled && t.d.CancelReason == ByCreator {
			return nil
		}
		if err := t.d.refuseChange("delivery.Cancel"); err != nil {
			return err
		}
		return t.cancel(ByCreator, cause, true)
	})
}

// refuseChange fails if the goods are no longer with the merchant.
func (d *Delivery) refuseChange(op string) error {
	var reason string
	switch {
	case d.State == Cancelled:
		reason = DeliveryCancelled
	case d.State.Ended():
		reason = DeliveryCompleted
	case d.State.Carried():
		reason = DeliveryPickedUp
	default:
		return nil
	}
	return fault.New(op, fault.Conflict, reason, "delivery %q is %s", d.ExternalID, d.State)
}
