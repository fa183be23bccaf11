package robots

import (
	"context"
	"fmt"
	"time"

	"footway/adapters/restapi"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

const (
	peopleWait   = 5 * time.Second // for an answer
	peopleAtOnce = 64              // calls under way; more wait for their turn
)

// ask makes a call of people beside the life of the city, which then goes on with its answer.
func (c *colony) ask(ctx context.Context, call func(context.Context) error, then func(context.Context, error) error) {
	c.calls.Go(func() {
		select {
		case c.lanes <- struct{}{}:
		case <-ctx.Done():
			return
		}
		within, cancel := context.WithTimeout(ctx, peopleWait)
		answer := call(within)
		cancel()
		<-c.lanes
		if ctx.Err() != nil {
			return // nobody goes on
		}
		err := c.enter(ctx, func(ctx context.Context) error {
			if answer != nil {
				c.count.PeopleRefused++
			}
			return then(ctx, answer)
		})
		if err != nil && ctx.Err() == nil {
			c.fail(err)
		}
	})
}

// visitors is Deliveries as people call it. Whatever it answers, the city goes on: each call
// returns only errors that its people know what to do with.
type visitors struct{ c *colony }

// as makes err one of a kind that people understand.
func as(k fault.Kind, err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Op: "robots.people", Kind: k, Reason: fault.ReasonOf(err), Err: err}
}

// Quote implements world.Deliveries. Who gets none goes elsewhere.
func (v visitors) Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error) {
	r.ReadyAt = v.c.outside(r.ReadyAt)
	d, err := v.c.o.People.Quote(ctx, r)
	return d, as(fault.Invalid, err)
}

// Accept implements world.Deliveries. Who is refused goes elsewhere.
func (v visitors) Accept(ctx context.Context, of delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error) {
	d, err := v.c.o.People.Accept(ctx, of, externalID, r)
	return d, as(fault.Conflict, err)
}

// Get implements world.Deliveries. Who does not see the PIN looks again.
func (v visitors) Get(ctx context.Context, of delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error) {
	d, _, err := v.c.o.People.Get(ctx, of, externalID)
	return d, delivery.Personal{}, as(fault.Unavailable, err)
}

// Ready implements world.Deliveries. Who is not heard does not say it again.
func (v visitors) Ready(ctx context.Context, id delivery.ID, at clock.Time) error {
	return as(fault.Conflict, v.c.o.People.Ready(ctx, id, v.c.outside(at)))
}

// Handoff implements world.Deliveries. Who is refused tries again while the robot is there.
func (v visitors) Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error {
	v.c.mu.Lock()
	v.c.count.Handoffs++
	v.c.mu.Unlock()
	err := v.c.o.People.Handoff(ctx, id, r)
	if fault.Is(err, fault.Forbidden) {
		return err // the PIN
	}
	return as(fault.Unavailable, err)
}

// Cancel implements world.Deliveries. Who cannot cancel lets it go on.
func (v visitors) Cancel(ctx context.Context, of delivery.PartnerID, externalID, cause string) (delivery.Delivery, error) {
	d, err := v.c.o.People.Cancel(ctx, of, externalID, cause)
	return d, as(fault.Conflict, err)
}

// open are the states of deliveries that somebody waits for.
var open = []delivery.State{
	delivery.Requested, delivery.Assigned, delivery.ToPickup, delivery.AtPickup, delivery.Loaded, delivery.ToDropoff, delivery.AtDropoff,
	delivery.Returning, delivery.AtReturn,
}

// part is a delivery as its people last saw it.
type part struct {
	partner  delivery.PartnerID
	external string
	state    delivery.State
	sequence uint64
	shown    bool // on the board, which tells when something changes
}

// watch shows the people of a partner's deliveries what becomes of them, until ctx ends.
func (c *colony) watch(ctx context.Context, p delivery.PartnerID) {
	q := delivery.BoardQuery{Partner: p, Market: c.o.Market, States: open, Limit: restapi.MaxPage}
	heard := false
	for ctx.Err() == nil {
		err := c.o.People.WatchBoard(ctx, q, func(n restapi.BoardNews) error {
			heard = true
			c.read(ctx, p, n)
			return nil
		})
		if ctx.Err() != nil {
			return
		}
		if !heard && (fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound)) {
			c.fail(fmt.Errorf("deliveries does not let the people of partner %s in: %w; want the token of simulated people, and a deployment whose markets are all sandboxes", p, err))
			return
		}
		c.o.Log.Warn("people do not see what becomes of their deliveries; they look again", "partner", p, "error", err)
		pause(ctx, 2*time.Second)
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// read takes what a board shows.
func (c *colony) read(ctx context.Context, p delivery.PartnerID, n restapi.BoardNews) {
	if n.Delivery != nil {
		c.see(ctx, n.Delivery, true)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.cast[n.Left]; s != nil {
		s.shown = false
	}
	if n.Reset {
		for _, s := range c.cast {
			s.shown = s.shown && s.partner != p
		}
	}
}

// lookUp asks after deliveries that are on the board no more: they have ended, or there are too many.
func (c *colony) lookUp(ctx context.Context, p delivery.PartnerID) {
	for ; ctx.Err() == nil; pause(ctx, 500*time.Millisecond) {
		for _, external := range c.unseen(p) {
			within, cancel := context.WithTimeout(ctx, peopleWait)
			d, _, err := c.o.People.Get(within, p, external)
			cancel()
			if err == nil {
				c.see(ctx, &d, false)
			} else if ctx.Err() != nil || !fault.Is(err, fault.NotFound) {
				break // later
			}
		}
	}
}

// unseen returns some deliveries of a partner that are open as far as anybody knows, and not on its board.
func (c *colony) unseen(p delivery.PartnerID) (external []string) {
	const most = 50
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.cast { // in an order by chance, so that each has its turn
		if s.partner == p && !s.shown && !s.state.Ended() && len(external) < most {
			external = append(external, s.external)
		}
	}
	return external
}

// see tells the people of a delivery how it is. Those of one that had ended before they looked are not there.
func (c *colony) see(ctx context.Context, d *delivery.Delivery, shown bool) {
	err := c.enter(ctx, func(context.Context) error {
		s, known := c.cast[d.ID]
		if !known && d.State.Ended() || known && d.Sequence < s.sequence {
			return nil
		}
		u := delivery.Update{
			Delivery: d.ID, Sequence: d.Sequence, At: clock.Of(time.Now()), Kind: delivery.StateChanged, Market: d.Market, Partner: d.Partner, ExternalID: d.ExternalID,
			Store: d.Pickup.Store, ReadyAt: c.inside(d.ReadyAt), To: delivery.Requested,
		}
		if !known {
			s = &part{partner: d.Partner, external: d.ExternalID, state: delivery.Requested}
			c.cast[d.ID] = s
			c.count.Deliveries++
			c.w.Hear(u)
		}
		if s.state != d.State {
			u.To, u.Reason = d.State, d.CancelReason
			c.w.Hear(u)
		}
		s.state, s.sequence, s.shown = d.State, d.Sequence, shown
		return nil
	})
	if err != nil && !fault.Is(err, fault.Unavailable) {
		c.fail(err)
	}
}
