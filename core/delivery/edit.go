package delivery

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
)

// Edit is what a partner changes of a delivery; nil keeps what is there.
type Edit struct {
	Tip                 *Money
	OrderValue          *Money
	Dropoff             *dispatch.Place
	ReadyAt             *clock.Time
	DropoffPhone        *string
	DropoffInstructions *string
	PickupInstructions  *string
	Sequence            uint64 // of the last update that the caller knows; 0: it does not matter what happened since
}

// atMerchant reports whether e changes what only counts until the goods are loaded.
func (e Edit) atMerchant() bool {
	return e.Dropoff != nil || e.ReadyAt != nil || e.PickupInstructions != nil || e.OrderValue != nil
}

// onlyPeople reports whether e changes nothing that an update tells.
func (e Edit) onlyPeople() bool {
	return e.Tip == nil && e.OrderValue == nil && e.Dropoff == nil && e.ReadyAt == nil
}

// Edit changes a delivery that has not ended; the drop-off, the goods and what
// concerns the pickup only until they are loaded. It fails like Cancel, or with *Refused
// if the new drop-off is not possible, or with fault.Conflict, reason Stale, if
// there were updates after e.Sequence, other than the edit's own when it is repeated.
// The fee follows the new way and value, and the promise the new drop-off.
func (s *Service) Edit(ctx context.Context, p PartnerID, externalID string, e Edit) (Delivery, error) {
	if e.Tip != nil && *e.Tip < 0 || e.OrderValue != nil && *e.OrderValue < 0 {
		return Delivery{}, fault.New("delivery.Edit", fault.Invalid, ValidationError, "order_value, tip: want at least 0 cents")
	}
	if err := e.check("delivery.Edit"); err != nil {
		return Delivery{}, err
	}
	d, err := s.named(ctx, p, externalID)
	if err != nil {
		return Delivery{}, err
	}
	if err := d.refuseEdit(e); err != nil {
		return Delivery{}, err
	}
	if e.onlyPeople() {
		if err := d.refuseStale(e); err != nil {
			return Delivery{}, err
		}
	}
	var estimate *dispatch.Estimate
	if e.Dropoff != nil {
		replace(&d.ReadyAt, e.ReadyAt)
		if estimate, err = s.reestimate(ctx, d, *e.Dropoff); err != nil {
			return Delivery{}, err
		}
	}
	d, err = s.change(ctx, d.ID, func(t *turn) error { return t.edit(e, estimate) })
	if err != nil {
		return Delivery{}, err
	}
	return d, s.editPersonal(ctx, d.ID, e)
}

func (d *Delivery) refuseEdit(e Edit) error {
	if d.State.Carried() && !e.atMerchant() {
		return nil
	}
	return d.refuseChange("delivery.Edit")
}

// refuseStale fails if there were updates that whoever edits does not know.
func (d *Delivery) refuseStale(e Edit) error {
	if e.Sequence == 0 || e.Sequence == d.Sequence {
		return nil
	}
	return fault.New("delivery.Edit", fault.Conflict, Stale, "delivery %q is at update %d, not %d; look again and decide again", d.ExternalID, d.Sequence, e.Sequence)
}

// reestimate asks Dispatch what the delivery would be like with another drop-off.
func (s *Service) reestimate(ctx context.Context, d Delivery, to dispatch.Place) (*dispatch.Estimate, error) {
	p, err := s.Personal.Personal(ctx, d.ID)
	if err != nil {
		return nil, fmt.Errorf("personal data of %s: %w", d.ID, err)
	}
	e, err := s.estimate(ctx, QuoteRequest{
		Market: d.Market, Partner: d.Partner, ExternalID: d.ExternalID, Load: d.Load, ReadyAt: d.ReadyAt,
		Pickup: dispatch.Place{Address: p.PickupAddress, Point: p.PickupPoint}, Dropoff: to,
	})
	return &e, err
}

func (t *turn) edit(e Edit, estimate *dispatch.Estimate) error {
	d := t.d
	if err := d.refuseEdit(e); err != nil {
		return err
	}
	before := *d
	replace(&d.Tip, e.Tip)
	replace(&d.OrderValue, e.OrderValue)
	replace(&d.ReadyAt, e.ReadyAt)
	if estimate != nil && estimate.Dropoff != d.Dropoff.Position {
		t.newDropoff(*estimate)
	}
	if before.OrderValue != d.OrderValue || before.RouteMM != d.RouteMM {
		d.setPrice(t.set.Pricing)
	}
	if before.Tip == d.Tip && before.OrderValue == d.OrderValue && before.ReadyAt == d.ReadyAt && before.Dropoff == d.Dropoff {
		return nil
	}
	if err := d.refuseStale(e); err != nil {
		return err
	}
	if d.State == Requested && (before.ReadyAt != d.ReadyAt || before.Dropoff != d.Dropoff) {
		d.Asked = false // with the new particulars
	}
	t.tell(Edited, "")
	return nil
}

// newDropoff sends the goods elsewhere. Once a robot is on its way, the pickup
// stays as promised, and the drop-off moves by the difference between the ways.
func (t *turn) newDropoff(e dispatch.Estimate) {
	d := t.d
	d.Dropoff.Position = e.Dropoff
	pickup := d.Promise
	d.adopt(e)
	if d.Robot == "" {
		return
	}
	p50, p90 := e.DropoffP50.Sub(e.PickupP50), e.DropoffP90.Sub(e.PickupP50)
	d.Promise = Promise{PickupP50: pickup.PickupP50, PickupP90: pickup.PickupP90,
		DropoffP50: pickup.PickupP50.Add(p50), DropoffP90: pickup.PickupP50.Add(p90)}
	d.Expected = d.Promise
	d.Replans++
	t.owe(Debt{Kind: OweReplan, Attempt: d.Attempt, Replan: d.Replans, From: firstAfterPickup, Steps: d.wayOut(t.set)})
}

// replace puts what from points to into to, unless it is nil.
func replace[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// editPersonal changes what is kept of the people.
func (s *Service) editPersonal(ctx context.Context, id ID, e Edit) error {
	if e.Dropoff == nil && e.DropoffPhone == nil && e.DropoffInstructions == nil && e.PickupInstructions == nil {
		return nil
	}
	return s.setPersonal(ctx, id, func(p *Personal) {
		replace(&p.DropoffPhone, e.DropoffPhone)
		replace(&p.DropoffInstructions, e.DropoffInstructions)
		replace(&p.PickupInstructions, e.PickupInstructions)
		if e.Dropoff != nil {
			p.DropoffAddress, p.DropoffPoint = e.Dropoff.Address, e.Dropoff.Point
		}
	})
}

// Ready is the merchant's word that the goods are ready since at. It may be
// repeated, and changes nothing once they are loaded. It fails with fault.Conflict
// for a quote (reason NotAccepted) and a cancelled delivery (DeliveryCancelled).
func (s *Service) Ready(ctx context.Context, id ID, at clock.Time) error {
	_, err := s.change(ctx, id, func(t *turn) error {
		d := t.d
		switch {
		case d.State == Quoted:
			return fault.New("delivery.Ready", fault.Conflict, NotAccepted, "delivery %s is only a quote", id)
		case d.State == Cancelled:
			return d.refuseChange("delivery.Ready")
		case d.ReadySaid != 0 || !d.State.BeforeLoaded():
			return nil
		}
		d.ReadyAt, d.ReadySaid = at, at
		if d.State == Requested {
			d.Asked = false // so that Dispatch learns of it
		}
		t.tell(Ready, "")
		return nil
	})
	return err
}
