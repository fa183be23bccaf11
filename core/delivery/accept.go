package delivery

import (
	"context"
	"fmt"

	"footway/core/fault"
	"footway/core/trace"
)

// AcceptRequest is what a partner may change when it accepts a quote.
type AcceptRequest struct {
	Tip          *Money
	DropoffPhone string // "" keeps the one of the quote
}

// Accept turns a quote into a delivery that will be carried out. It works once;
// a repeat returns the delivery as it is. It fails with fault.NotFound, reason
// UnknownDelivery, and fault.Conflict, reason QuoteExpired.
func (s *Service) Accept(ctx context.Context, p PartnerID, externalID string, r AcceptRequest) (Delivery, error) {
	if r.Tip != nil && *r.Tip < 0 {
		return Delivery{}, fault.New("delivery.Accept", fault.Invalid, ValidationError, "tip: want at least 0 cents")
	}
	if err := checkPhone("delivery.Accept", "dropoff_phone", r.DropoffPhone); err != nil {
		return Delivery{}, err
	}
	d, err := s.named(ctx, p, externalID)
	if err != nil {
		return Delivery{}, err
	}
	if d.State == Quoted && r.DropoffPhone != "" && s.Clock.Now() < d.ExpiresAt {
		if err := s.setPersonal(ctx, d.ID, func(p *Personal) { p.DropoffPhone = r.DropoffPhone }); err != nil {
			return Delivery{}, err
		}
	}
	return s.accept(ctx, d.ID, r.Tip)
}

func (s *Service) accept(ctx context.Context, id ID, tip *Money) (Delivery, error) {
	return s.change(ctx, id, func(t *turn) error {
		if from := trace.From(ctx); from != "" && t.d.State == Quoted {
			t.d.Trace = from
		}
		return t.accept(tip)
	})
}

func (t *turn) accept(tip *Money) error {
	d := t.d
	if d.State != Quoted {
		return nil // it was accepted before
	}
	if t.now >= d.ExpiresAt {
		return fault.New("delivery.Accept", fault.Conflict, QuoteExpired, "quote %q expired at %v; ask for a new one", d.ExternalID, d.ExpiresAt)
	}
	if tip != nil {
		d.Tip = *tip
	}
	d.Attempt = 1
	return t.move(Requested, "")
}

// setPersonal changes what is kept of the people in a delivery.
func (s *Service) setPersonal(ctx context.Context, id ID, change func(*Personal)) error {
	p, err := s.Personal.Personal(ctx, id)
	if err != nil {
		return fmt.Errorf("personal data of %s: %w", id, err)
	}
	change(&p)
	if err := s.Personal.SavePersonal(ctx, p); err != nil {
		return fmt.Errorf("personal data of %s: %w", id, err)
	}
	return nil
}
