package partner

import (
	"context"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/merchant"
)

func (d *Drive) quote(ctx context.Context, c *call) (any, error) {
	return d.ask(ctx, c, d.Quotes.Quote)
}

func (d *Drive) create(ctx context.Context, c *call) (any, error) {
	return d.ask(ctx, c, d.Quotes.Create)
}

// ask reads an order and has it quoted or created.
func (d *Drive) ask(ctx context.Context, c *call, do func(context.Context, delivery.QuoteRequest) (delivery.Delivery, error)) (any, error) {
	o := readOrder(c.form, d.Clock.Now())
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if err := o.impossible(); err != nil {
		return nil, err
	}
	r, err := d.request(ctx, c, o)
	if err != nil {
		return nil, err
	}
	got, err := do(ctx, r)
	if err != nil {
		return nil, err
	}
	return d.answer(ctx, c, got.ExternalID)
}

// request puts an order into the core's words.
func (d *Drive) request(ctx context.Context, c *call, o order) (delivery.QuoteRequest, error) {
	store, err := d.pickup(ctx, c, &o)
	if err != nil {
		return delivery.QuoteRequest{}, err
	}
	r := delivery.QuoteRequest{
		Market: d.Market, Partner: c.Partner, ExternalID: o.ID, RequestHash: o.hash(),
		Pickup: dispatch.Place{Address: o.Pickup.Address}, Dropoff: dispatch.Place{Address: o.Dropoff.Address},
		Load: loadOf(o.Items), OrderValue: o.Value, Tip: o.Tip, IfUndeliverable: o.Undelivered,
	}
	if store != nil {
		// The hash is of what the partner said, the rest of what the store's record says now.
		r.PickupStore = store.Business + "/" + store.ID
		r.Pickup.Address, o.Pickup.Business, o.Pickup.Phone = store.Address, store.Name, store.Phone
	}
	r.Personal = delivery.Personal{
		PickupName: o.Pickup.Business, PickupPhone: o.Pickup.Phone, PickupInstructions: withTag(o.Pickup),
		DropoffGivenName: o.Dropoff.GivenName, DropoffFamilyName: o.Dropoff.FamilyName, DropoffPhone: o.Dropoff.Phone, DropoffInstructions: o.Dropoff.Instructions,
	}
	for _, i := range o.Items {
		r.Personal.Items = append(r.Personal.Items, delivery.Item{Name: i.Name, Quantity: int(i.Quantity), Price: i.Price})
	}
	o.Proof.unlock(&r, o.Dropoff.Phone)
	r.ReadyAt, err = d.readyAt(ctx, r, o, store)
	return r, err
}

// withTag returns the instructions at one end with what a courier would have asked for.
func withTag(c contact) string {
	switch {
	case c.Tag == "":
		return c.Instructions
	case c.Instructions == "":
		return "Ask for: " + c.Tag
	}
	return c.Instructions + "\nAsk for: " + c.Tag
}

// pickup returns the store where an order is picked up, or nil if it is an address.
func (d *Drive) pickup(ctx context.Context, c *call, o *order) (*merchant.Store, error) {
	if o.Store == "" {
		return nil, nil
	}
	s, err := d.Stores.Store(ctx, merchant.StoreKey{Partner: c.Partner, Business: o.Business, ID: o.Store})
	switch {
	case fault.Is(err, fault.NotFound) && fault.ReasonOf(err) == merchant.UnknownBusiness:
		return nil, invalidFields([]FieldError{{"pickup_external_business_id", "unknown business; create it first"}})
	case fault.Is(err, fault.NotFound):
		return nil, invalidFields([]FieldError{{"pickup_external_store_id", "unknown store of the business; create it first"}})
	case err != nil:
		return nil, err
	case s.Status != merchant.Active:
		return nil, invalidFields([]FieldError{{"pickup_external_store_id", "the store is not active"}})
	}
	return &s, nil
}

// likelyTrip is how long before a wanted drop-off an estimate is asked for.
const likelyTrip = 30 * clock.Minute

// readyAt returns when the goods are expected to be ready. Where the partner
// names the drop-off's time only, it is so much earlier as the way takes.
func (d *Drive) readyAt(ctx context.Context, r delivery.QuoteRequest, o order, store *merchant.Store) (clock.Time, error) {
	switch {
	case o.PickupWindow != window{}:
		return o.PickupWindow.From, nil
	case o.PickupTime != 0:
		return o.PickupTime, nil
	case o.DropoffTime != 0:
		first := o.DropoffTime.Add(-likelyTrip)
		e, err := d.Estimates.Estimate(ctx, dispatch.EstimateRequest{Market: d.Market, Pickup: r.Pickup, Dropoff: r.Dropoff, Load: r.Load, ReadyAt: first})
		if err != nil {
			return 0, err
		}
		if e.Refusal != nil {
			return first, nil // the quote will say why
		}
		return o.DropoffTime.Add(-e.DropoffP50.Sub(e.PickupP50)), nil
	case store != nil:
		return d.Clock.Now().Add(store.Prep), nil
	}
	return d.Clock.Now(), nil
}

func (d *Drive) accept(ctx context.Context, c *call) (any, error) {
	e := readEdit(c.form, acceptFields(), 0)
	r := delivery.AcceptRequest{Tip: e.Tip}
	if e.DropoffPhone != nil {
		r.DropoffPhone = *e.DropoffPhone
	}
	e.Tip, e.DropoffPhone = nil, nil
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if e != (delivery.Edit{}) {
		quote, _, err := d.Quotes.Get(ctx, c.Partner, c.id())
		if err != nil {
			return nil, err
		}
		// A repeat must not edit what is already on its way.
		if quote.State == delivery.Quoted && d.Clock.Now() < quote.ExpiresAt {
			if _, err := d.Changes.Edit(ctx, c.Partner, c.id(), e); err != nil {
				return nil, err
			}
		}
	}
	if _, err := d.Quotes.Accept(ctx, c.Partner, c.id(), r); err != nil {
		return nil, err
	}
	return d.answer(ctx, c, c.id())
}

func (d *Drive) get(ctx context.Context, c *call) (any, error) { return d.answer(ctx, c, c.id()) }

func (d *Drive) update(ctx context.Context, c *call) (any, error) {
	now := d.Clock.Now()
	e := readEdit(c.form, updateFields(), now)
	ready := c.form.instant("order_ready_time", now)
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if ready > now { // that is no news of what is ready, but a plan
		e.ReadyAt, ready = &ready, 0
	}
	if e != (delivery.Edit{}) {
		if _, err := d.Changes.Edit(ctx, c.Partner, c.id(), e); err != nil {
			return nil, err
		}
	}
	if ready != 0 {
		got, _, err := d.Quotes.Get(ctx, c.Partner, c.id())
		if err != nil {
			return nil, err
		}
		if err := d.Changes.Ready(ctx, got.ID, ready); err != nil {
			return nil, err
		}
	}
	return d.answer(ctx, c, c.id())
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// only reports whether s has 1 to most characters, all of them out of set.
func only(s, set string, most int) bool {
	return s != "" && len(s) <= most && strings.Trim(s, set) == ""
}

// isCause reports whether s is a reason for machines, not words for people.
func isCause(s string) bool { return only(s, lower+digits+"_", 40) }

func (d *Drive) cancel(ctx context.Context, c *call) (any, error) {
	cause := c.form.text("reason_code", maxID)
	if cause != "" && !isCause(cause) {
		c.form.wrong("reason_code", "want at most 40 of a-z 0-9 _")
	}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	if _, err := d.Changes.Cancel(ctx, c.Partner, c.id(), cause); err != nil {
		return nil, err
	}
	return d.answer(ctx, c, c.id())
}
