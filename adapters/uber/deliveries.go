package uber

import (
	"context"
	"encoding/json"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// create makes a delivery: it is quoted with all its particulars, compared with
// the quote that it names, and accepted.
func (d *Direct) create(ctx context.Context, c *call) (any, error) {
	var form orderForm
	if err := read(c.Body, &form); err != nil {
		return nil, err
	}
	f := faults{}
	o := f.order(&form)
	if err := f.err(); err != nil {
		return nil, err
	}
	if err := form.impossible(); err != nil {
		return nil, err
	}
	r, err := d.request(ctx, c, &o)
	if err != nil {
		return nil, err
	}
	got, err := d.reserve(ctx, r, d.nameFor(&o))
	if err != nil {
		return nil, err
	}
	if got.State == delivery.Quoted {
		if err := d.commit(ctx, &o, &got); err != nil {
			return nil, err
		}
	}
	return d.answer(ctx, c, got.ExternalID, outward, o.quote)
}

// name is what a delivery is called, and how long what bears it stands in the way of another.
type name struct {
	base string
	over func(*delivery.Delivery) bool
}

// keyLife is how long an idempotency key is remembered.
const keyLife = 60 * clock.Minute

// nameFor finds a name that a repeat of the same order has too: by the key for
// that, by the references that only one active delivery may have, by the quote, which is used once.
func (d *Direct) nameFor(o *order) name {
	now := d.Clock.Now()
	switch {
	case o.key != "":
		return name{deliveryPrefix + digest("key\x00" + o.key)[:32], func(d *delivery.Delivery) bool { return now.Sub(d.Times.Requested) >= keyLife }}
	case o.manifest != "" || o.external != "":
		pair, err := json.Marshal([]string{o.manifest, o.external})
		if err != nil {
			panic("uber: two texts are not JSON: " + err.Error())
		}
		return name{deliveryPrefix + digest("references\x00" + string(pair))[:32], func(d *delivery.Delivery) bool { return d.State.Ended() }}
	case o.quote != "":
		return name{deliveryPrefix + digest("quote\x00" + o.quote)[:32], func(*delivery.Delivery) bool { return false }}
	}
	return name{deliveryPrefix + d.IDs.NewID("delivery"), func(*delivery.Delivery) bool { return false }}
}

// maxSame bounds how many deliveries had the same name before.
const maxSame = 100

// reserve quotes an order with all its particulars under the first form of its
// name that no other one stands in the way of. The repeat of an order gets what there is.
func (d *Direct) reserve(ctx context.Context, r delivery.QuoteRequest, n name) (delivery.Delivery, error) {
	r.ExternalID = n.base
	for i := range maxSame {
		if i > 0 {
			r.ExternalID = fmt.Sprintf("%s_%d", n.base, i)
		}
		got, err := d.Quotes.Quote(ctx, r)
		other := fault.Is(err, fault.Conflict) && fault.ReasonOf(err) == delivery.DuplicateDelivery
		if other {
			got, _, err = d.Quotes.Get(ctx, r.Partner, r.ExternalID)
		}
		asked := got.Times.Requested != 0
		switch {
		case err != nil:
			return delivery.Delivery{}, err
		case asked && n.over(&got), !asked && (other || got.State != delivery.Quoted): // given up, or never begun
		case other:
			return delivery.Delivery{}, duplicate(r.ExternalID)
		default:
			return got, nil
		}
	}
	return delivery.Delivery{}, fault.New("uber.create", fault.Exhausted, "too_many_of_one_name", "%d deliveries had this reference before; want another", maxSame)
}

// commit accepts what was reserved, if it is what was asked for.
func (d *Direct) commit(ctx context.Context, o *order, got *delivery.Delivery) error {
	if err := o.Windows.check(d.Clock.Now()); err != nil {
		return err
	}
	if err := o.Windows.promised(got); err != nil {
		return err
	}
	if o.quote != "" {
		if err := d.use(ctx, o.quote, got); err != nil {
			return err
		}
	}
	_, err := d.Quotes.Accept(ctx, got.Partner, got.ExternalID, delivery.AcceptRequest{})
	return err
}

// use takes a quote for a delivery, which only one can. A quote that is used is
// a cancelled one whose cause names the delivery.
func (d *Direct) use(ctx context.Context, quote string, got *delivery.Delivery) error {
	used, mine := refused("used_quote", "The price quote specified has been used."), "used_"+digest(got.ExternalID)[:32]
	q, _, err := d.Quotes.Get(ctx, got.Partner, quote)
	switch {
	case fault.Is(err, fault.NotFound), err == nil && q.Times.Requested != 0:
		return invalid("quote_id", "There is no such quote.")
	case err != nil:
		return err
	case q.State == delivery.Cancelled && q.CancelCause == mine:
		return nil // the first time the answer was lost
	case q.State != delivery.Quoted:
		return used
	case d.Clock.Now() >= q.ExpiresAt:
		return refused("expired_quote", "The price quote specified has expired.")
	case q.Fee != got.Fee || q.Currency != got.Currency || q.Pickup.Position != got.Pickup.Position || q.Dropoff.Position != got.Dropoff.Position:
		return refused("mismatched_price_quote", "Quote mismatch, please recreate the quote.")
	}
	taken, err := d.Changes.Cancel(ctx, got.Partner, quote, mine)
	switch {
	case fault.Is(err, fault.Conflict), err == nil && taken.CancelCause != mine:
		return used
	}
	return err
}

func (d *Direct) get(ctx context.Context, c *call) (any, error) {
	id, l := legOf(c.id)
	return d.answer(ctx, c, id, l, "")
}

// cancel ends a delivery that is not loaded yet; its body is of no interest.
func (d *Direct) cancel(ctx context.Context, c *call) (any, error) {
	if _, _, err := d.find(ctx, c.Partner, c.id); err != nil {
		return nil, err
	}
	if _, err := d.Changes.Cancel(ctx, c.Partner, c.id, ""); err != nil {
		return nil, err
	}
	return d.answer(ctx, c, c.id, outward, "")
}

// proof answers for the proofs of couriers. A robot has none of them: its lid
// opens for who has the PIN, and which was entered is not kept.
func (d *Direct) proof(ctx context.Context, c *call) (any, error) {
	id, _ := legOf(c.id)
	if _, _, err := d.find(ctx, c.Partner, id); err != nil {
		return nil, err
	}
	return nil, impossible("type", "no_proof_document", "A robot takes no picture and no signature; the delivery's status says that its lid was opened and closed.")
}

// find returns a delivery of a partner; a quote is none.
func (d *Direct) find(ctx context.Context, p delivery.PartnerID, id string) (delivery.Delivery, delivery.Personal, error) {
	got, people, err := d.Quotes.Get(ctx, p, id)
	if err == nil && got.Times.Requested == 0 {
		return got, people, notFound()
	}
	return got, people, err
}
