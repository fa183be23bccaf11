package delivery

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/trace"
)

// QuoteRequest is what a partner asks for.
type QuoteRequest struct {
	Market          market.ID
	Partner         PartnerID
	ExternalID      string // the partner's own id, unique among its deliveries
	RequestHash     string // of the canonical request, so that a repeat is known from another request with the same id
	Pickup, Dropoff dispatch.Place
	PickupStore     string
	Load            fleet.Load
	OrderValue, Tip Money
	ReadyAt         clock.Time    // when the goods are expected to be ready; 0 or in the past means now
	IfUndeliverable Undeliverable // "" means ReturnToPickup
	UnloadPIN       string        // given by the merchant; "" means from Secrets
	NoUnloadPIN     bool          // the recipient needs none
	Personal        Personal      // Delivery, and what Pickup and Dropoff say, are filled in
}

// Quote says what a delivery would be like and cost, and keeps it for the
// partner to accept. A repeat returns the same quote, or a fresh one in its place if
// it expired unaccepted; another request under the same id fails with fault.Conflict,
// reason DuplicateDelivery. An impossible delivery fails with *Refused.
func (s *Service) Quote(ctx context.Context, r QuoteRequest) (Delivery, error) {
	return s.request(ctx, r, false)
}

// Create is Quote and Accept in one.
func (s *Service) Create(ctx context.Context, r QuoteRequest) (Delivery, error) {
	return s.request(ctx, r, true)
}

func (s *Service) request(ctx context.Context, r QuoteRequest, accept bool) (Delivery, error) {
	if err := r.check(); err != nil {
		return Delivery{}, err
	}
	for range maxTries {
		d, err := s.Store.ByExternal(ctx, r.Partner, r.ExternalID)
		switch {
		case err == nil:
			return s.repeated(ctx, d, r, accept)
		case !fault.Is(err, fault.NotFound):
			return Delivery{}, err
		}
		d, err = s.create(ctx, r, accept)
		if !fault.Is(err, fault.Conflict) {
			return d, err
		}
	}
	return Delivery{}, fault.New("delivery.Quote", fault.Unavailable, "contention", "delivery %q of %s is neither there nor free", r.ExternalID, r.Partner)
}

// repeated answers a request whose id is taken.
func (s *Service) repeated(ctx context.Context, d Delivery, r QuoteRequest, accept bool) (Delivery, error) {
	if !s.Digests.Same(d.RequestHash, r.RequestHash) || d.Market != r.Market {
		return Delivery{}, fault.New("delivery.Quote", fault.Conflict, DuplicateDelivery, "delivery %q of %s exists with other particulars", r.ExternalID, r.Partner)
	}
	if d.State == Quoted && s.Clock.Now() >= d.ExpiresAt {
		var err error
		if d, err = s.renew(ctx, d, r); err != nil {
			return Delivery{}, err
		}
	}
	if d.State == Quoted {
		if err := s.remember(ctx, d.ID, r); err != nil {
			return Delivery{}, err
		}
	}
	if !accept || d.State != Quoted {
		return s.settle(ctx, d)
	}
	return s.accept(ctx, d.ID, nil)
}

// renew replaces an expired quote by a fresh one under the same id.
func (s *Service) renew(ctx context.Context, d Delivery, r QuoteRequest) (Delivery, error) {
	e, err := s.estimate(ctx, r)
	if err != nil {
		return Delivery{}, err
	}
	return s.edit(ctx, d.ID, func(t *turn) error {
		if t.d.State == Quoted && t.now >= t.d.ExpiresAt {
			t.d.quote(r, e, t.now, t.set)
			t.tell(Edited, "renewed")
		}
		return nil
	})
}

// remember keeps the people of a quote again that were forgotten when it had expired.
func (s *Service) remember(ctx context.Context, id ID, r QuoteRequest) error {
	_, err := s.Personal.Personal(ctx, id)
	if fault.Is(err, fault.NotFound) {
		err = s.Personal.SavePersonal(ctx, r.personal(id))
	}
	if err != nil {
		return fmt.Errorf("personal data of %s: %w", id, err)
	}
	return nil
}

// create writes a new delivery. It fails with fault.Conflict if its id was taken meanwhile.
func (s *Service) create(ctx context.Context, r QuoteRequest, accept bool) (Delivery, error) {
	e, err := s.estimate(ctx, r)
	if err != nil {
		return Delivery{}, err
	}
	now, set := s.Clock.Now(), s.Settings(r.Market)
	d := Delivery{
		ID: ID(s.IDs.NewID("delivery")), Market: r.Market, Partner: r.Partner, ExternalID: r.ExternalID, RequestHash: s.Digests.Digest(r.RequestHash),
		State: Quoted, Since: now, Times: Times{Quoted: now}, Trace: trace.From(ctx), Tip: r.Tip, IfUndeliverable: r.IfUndeliverable, UnloadPIN: r.UnloadPIN,
	}
	if d.IfUndeliverable == "" {
		d.IfUndeliverable = ReturnToPickup
	}
	d.LoadPIN = s.Secrets.PIN(string(d.ID), "load")
	if d.UnloadPIN == "" && !r.NoUnloadPIN {
		d.UnloadPIN = s.Secrets.PIN(string(d.ID), "unload")
	}
	d.quote(r, e, now, set)
	t := &turn{d: &d, now: now, set: set}
	first := d.note(StateChanged, now, "")
	first.From = ""
	t.updates = append(t.updates, first)
	if accept {
		if err := t.accept(nil); err != nil {
			return Delivery{}, err
		}
		t.close()
	}
	if err := s.insert(ctx, t, r.personal(d.ID)); err != nil {
		return Delivery{}, err
	}
	s.journal(ctx, t.updates)
	s.arm(Delivery{ID: d.ID}, d, set)
	return s.settle(ctx, d)
}

// insert writes a new delivery. When the answer is lost, it looks whether the write happened.
func (s *Service) insert(ctx context.Context, t *turn, p Personal) error {
	t.d.Revision = 1
	err := s.Store.Create(ctx, *t.d, p, t.updates...)
	if !fault.Is(err, fault.Unavailable) {
		return err
	}
	stored, lookErr := s.Store.Delivery(ctx, t.d.ID)
	if lookErr != nil || !same(stored, *t.d) {
		return err
	}
	return nil
}

// estimate asks Dispatch, and turns a refusal into an error.
func (s *Service) estimate(ctx context.Context, r QuoteRequest) (dispatch.Estimate, error) {
	e, err := s.Dispatcher.Estimate(ctx, dispatch.EstimateRequest{Market: r.Market, Pickup: r.Pickup, Dropoff: r.Dropoff, Load: r.Load, ReadyAt: r.ReadyAt})
	if err != nil {
		return e, fmt.Errorf("estimate %q: %w", r.ExternalID, err)
	}
	if e.Refusal != nil {
		s.Journal.Append(ctx, event.New(s.Clock.Now(), string(r.Market), "delivery.refused", r.ExternalID, 0, RefusedEvent{r.Partner, e.Refusal.Reason}))
		return e, Refuse(*e.Refusal)
	}
	return e, nil
}

// quote puts the particulars of r, as estimated, into d.
func (d *Delivery) quote(r QuoteRequest, e dispatch.Estimate, now clock.Time, set Settings) {
	d.Pickup, d.Dropoff = Stop{Position: e.Pickup, Store: r.PickupStore}, Stop{Position: e.Dropoff}
	d.Load, d.OrderValue = r.Load, r.OrderValue
	d.ReadyAt, d.ExpiresAt = max(r.ReadyAt, now), now.Add(set.QuoteLife)
	d.adopt(e)
	d.setPrice(set.Pricing)
}

// adopt takes the way and the times of an estimate over.
func (d *Delivery) adopt(e dispatch.Estimate) {
	d.RouteMM, d.RouteTime = e.RouteMM, e.RouteTime
	d.Trip = max(e.RouteTime, e.DropoffP50.Sub(max(e.PickupP50, d.ReadyAt)))
	d.Promise = Promise{PickupP50: e.PickupP50, PickupP90: e.PickupP90, DropoffP50: e.DropoffP50, DropoffP90: e.DropoffP90}
	d.Expected = d.Promise
}

// personal returns what is kept of the people in r.
func (r QuoteRequest) personal(id ID) Personal {
	p := r.Personal.Clone()
	p.Delivery = id
	p.PickupPoint, p.DropoffPoint = r.Pickup.Point, r.Dropoff.Point
	if p.PickupAddress == "" {
		p.PickupAddress = r.Pickup.Address
	}
	if p.DropoffAddress == "" {
		p.DropoffAddress = r.Dropoff.Address
	}
	return p
}

// check refuses what can never be a delivery.
func (r QuoteRequest) check() error {
	bad := func(field, want string) error {
		return fault.New("delivery.Quote", fault.Invalid, ValidationError, "%s: %s", field, want)
	}
	l := r.Load
	switch {
	case r.Market == "":
		return bad("market", "missing")
	case r.Partner == "":
		return bad("partner", "missing")
	case r.ExternalID == "":
		return bad("external_id", "missing")
	case r.RequestHash == "":
		return bad("request_hash", "missing")
	case l.LengthMM < 0 || l.WidthMM < 0 || l.HeightMM < 0 || l.Grams < 0:
		return bad("load", "want sizes and weight of at least 0")
	case r.OrderValue < 0 || r.Tip < 0:
		return bad("order_value, tip", "want at least 0 cents")
	case r.IfUndeliverable != "" && r.IfUndeliverable != ReturnToPickup && r.IfUndeliverable != Dispose:
		return bad("if_undeliverable", fmt.Sprintf("%q is unknown; want %s or %s", r.IfUndeliverable, ReturnToPickup, Dispose))
	case r.UnloadPIN != "" && !validPIN(r.UnloadPIN):
		return bad("unload_pin", "want four digits")
	case r.UnloadPIN != "" && r.NoUnloadPIN:
		return bad("unload_pin", "given, although none is wanted")
	}
	return r.Personal.check("delivery.Quote")
}

// validPIN reports whether s is four digits.
func validPIN(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return len(s) == 4
}
