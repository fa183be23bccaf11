package robots

import (
	"context"
	"time"

	"footway/adapters/restapi"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

const (
	peopleWait = 5 * time.Second // for an answer
	boardLimit = 200             // deliveries of a partner that its people look at, the newest
)

// visitors is Deliveries as people call it. The city goes on while they wait for an answer: each call
// lets go of the colony, which its caller holds.
type visitors struct{ c *colony }

// noPeople is what people get where there is no Deliveries for them.
func noPeople() error {
	return fault.New("robots.people", fault.Unavailable, "no_people", "there is no Deliveries for people to call")
}

func ask[T any](ctx context.Context, c *colony, call func(context.Context, People) (T, error)) (T, error) {
	if c.o.People == nil {
		var none T
		return none, noPeople()
	}
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, peopleWait)
	v, err := call(ctx, c.o.People)
	cancel()
	c.mu.Lock()
	if err != nil {
		c.count.PeopleRefused++
	}
	if fault.Is(err, fault.Internal) { // theirs, not ours: it may be better next time
		err = &fault.Error{Op: "robots.people", Kind: fault.Unavailable, Err: err}
	}
	return v, err
}

// settled makes what no repeat would mend the end of what somebody wanted at a robot.
func settled(err error) error {
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) {
		return &fault.Error{Op: "robots.people", Kind: fault.Conflict, Err: err}
	}
	return err
}

// Quote implements world.Deliveries.
func (v visitors) Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error) {
	r.ReadyAt = v.c.outside(r.ReadyAt)
	d, err := ask(ctx, v.c, func(ctx context.Context, p People) (delivery.Delivery, error) { return p.Quote(ctx, r) })
	return d, lenient(err)
}

// Accept implements world.Deliveries.
func (v visitors) Accept(ctx context.Context, of delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error) {
	d, err := ask(ctx, v.c, func(ctx context.Context, p People) (delivery.Delivery, error) {
		return p.Accept(ctx, of, externalID, r)
	})
	return d, lenient(err)
}

// lenient makes an order that nobody could take one that was refused: its partner goes elsewhere.
func lenient(err error) error {
	if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Exhausted) || fault.Is(err, fault.Conflict) {
		return &fault.Error{Op: "robots.people", Kind: fault.Invalid, Reason: "given_up", Err: err}
	}
	return err
}

// Get implements world.Deliveries.
func (v visitors) Get(ctx context.Context, of delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error) {
	d, err := ask(ctx, v.c, func(ctx context.Context, p People) (delivery.Delivery, error) {
		d, _, err := p.Get(ctx, of, externalID)
		return d, err
	})
	return d, delivery.Personal{}, err
}

// Ready implements world.Deliveries.
func (v visitors) Ready(ctx context.Context, id delivery.ID, at clock.Time) error {
	_, err := ask(ctx, v.c, func(ctx context.Context, p People) (struct{}, error) {
		return struct{}{}, p.Ready(ctx, id, v.c.outside(at))
	})
	return settled(err)
}

// Handoff implements world.Deliveries.
func (v visitors) Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error {
	v.c.count.Handoffs++
	_, err := ask(ctx, v.c, func(ctx context.Context, p People) (struct{}, error) { return struct{}{}, p.Handoff(ctx, id, r) })
	return settled(err)
}

// Cancel implements world.Deliveries.
func (v visitors) Cancel(ctx context.Context, of delivery.PartnerID, externalID, cause string) (delivery.Delivery, error) {
	d, err := ask(ctx, v.c, func(ctx context.Context, p People) (delivery.Delivery, error) {
		return p.Cancel(ctx, of, externalID, cause)
	})
	if fault.Is(err, fault.Unavailable) {
		err = &fault.Error{Op: "robots.people", Kind: fault.Conflict, Err: err} // its partner lets it go on
	}
	return d, err
}

// accepted are the states of deliveries that somebody waits for.
var accepted = []delivery.State{
	delivery.Requested, delivery.Assigned, delivery.ToPickup, delivery.AtPickup, delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff,
	delivery.Returning, delivery.AtReturn, delivery.Delivered, delivery.Returned, delivery.Cancelled,
}

// watch shows the people of a partner's deliveries what becomes of them, until ctx ends.
func (c *colony) watch(ctx context.Context, p delivery.PartnerID) {
	q := delivery.BoardQuery{Partner: p, Market: c.o.Market, States: accepted, Limit: boardLimit}
	for ctx.Err() == nil {
		err := c.o.People.WatchBoard(ctx, q, func(n restapi.BoardNews) error {
			if n.Delivery != nil {
				c.see(n.Delivery)
			}
			return nil
		})
		if err != nil && ctx.Err() == nil {
			c.o.Log.Warn("people do not see what becomes of their deliveries; they look again", "partner", p, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
			}
		}
	}
}

// see tells the people of a delivery how it is. Those of one that had ended before they looked are not there.
func (c *colony) see(d *delivery.Delivery) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last, known := c.people[d.ID]
	if known && last == d.State || !known && d.State.Ended() {
		return
	}
	u := delivery.Update{
		Delivery: d.ID, Sequence: d.Sequence, At: clock.Of(time.Now()), Kind: delivery.StateChanged, Market: d.Market, Partner: d.Partner, ExternalID: d.ExternalID,
		Store: d.Pickup.Store, ReadyAt: c.inside(d.ReadyAt), To: delivery.Requested,
	}
	if !known {
		c.count.Deliveries++
		c.w.Hear(u)
	}
	if c.people[d.ID] = d.State; d.State != delivery.Requested {
		u.To, u.Reason = d.State, d.CancelReason
		c.w.Hear(u)
	}
	c.rouse()
}
