package stores_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"footway/adapters/wallclock"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// What identifies people is marked in the requests, so that it is found where it must not be.
const (
	secretWord   = "Zyxwvut"
	secretPhone  = "+12065550142"
	secretPhone2 = "+12065550143"
)

// order is what a partner wants, and what it was told.
type order struct {
	partner  delivery.PartnerID
	external string
	twins    bool // each request is sent twice at once
	fickle   bool // the partner gives up when it gets no answer

	mu        sync.Mutex
	ids       map[delivery.ID]bool // of the delivery, as it was told
	gaveUp    bool
	accepted  bool // the partner was told so
	cancelled bool
	tip       delivery.Money
	edits     int
}

func (o *order) told(d delivery.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ids == nil {
		o.ids = map[delivery.ID]bool{}
	}
	o.ids[d.ID] = true
}

// updates is how many there must be of an order that was carried through.
func (o *order) updates() int {
	n := 2 + o.edits // quoted, requested
	if o.cancelled {
		n++
	}
	return n
}

// partner orders one delivery after the other, and repeats each request until it has an answer.
type partner struct {
	*chain
	name     delivery.PartnerID
	prefix   string // of its own ids
	rand     *rand.Rand
	services []*delivery.Service
}

// work orders until calm is closed, and carries through what it has begun.
func (p *partner) work(ctx context.Context, calm <-chan struct{}) {
	for n := 0; ctx.Err() == nil; n++ {
		select {
		case <-calm:
			return
		default:
		}
		o := &order{partner: p.name, external: fmt.Sprintf("%s-%04d", p.prefix, n), twins: p.rand.IntN(6) == 0, fickle: p.rand.IntN(12) == 0}
		p.ordered(o)
		p.carry(ctx, o)
	}
}

// carry takes an order from quote to its end.
func (p *partner) carry(ctx context.Context, o *order) {
	create := p.rand.IntN(5) == 0
	ok := p.ask(ctx, o, func(ctx context.Context, s *delivery.Service) (delivery.Delivery, error) {
		if create {
			return s.Create(ctx, request(o))
		}
		return s.Quote(ctx, request(o))
	})
	ok = ok && p.ask(ctx, o, func(ctx context.Context, s *delivery.Service) (delivery.Delivery, error) {
		if create {
			return s.Create(ctx, request(o))
		}
		return s.Accept(ctx, o.partner, o.external, delivery.AcceptRequest{DropoffPhone: secretPhone2})
	})
	if !ok {
		return
	}
	o.accepted = true
	for range p.rand.IntN(4) {
		tip, note := o.tip+100, "by the "+secretWord+" door"
		if !p.ask(ctx, o, func(ctx context.Context, s *delivery.Service) (delivery.Delivery, error) {
			return s.Edit(ctx, o.partner, o.external, delivery.Edit{Tip: &tip, DropoffInstructions: &note})
		}) {
			return
		}
		o.tip, o.edits = tip, o.edits+1
	}
	if p.rand.IntN(4) == 0 && p.ask(ctx, o, func(ctx context.Context, s *delivery.Service) (delivery.Delivery, error) {
		return s.Cancel(ctx, o.partner, o.external, "changed_mind")
	}) {
		o.cancelled = true
	}
}

// ask sends a request until there is an answer, and reports whether there was one.
func (p *partner) ask(ctx context.Context, o *order, send func(context.Context, *delivery.Service) (delivery.Delivery, error)) bool {
	if !o.twins {
		return p.insist(ctx, o, p.rand.IntN(2), send)
	}
	var wg sync.WaitGroup
	var answered [2]bool
	for n := range answered {
		wg.Go(func() { answered[n] = p.insist(ctx, o, n, send) })
	}
	wg.Wait()
	return answered[0] && answered[1]
}

func (p *partner) insist(ctx context.Context, o *order, at int, send func(context.Context, *delivery.Service) (delivery.Delivery, error)) bool {
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(ctx, 3*time.Second)
		d, err := send(call, p.services[at%len(p.services)])
		cancel()
		p.requests.Add(1)
		switch {
		case err == nil:
			o.told(d)
			return true
		case !fault.Is(err, fault.Unavailable):
			p.odd("order %s: %v", o.external, err)
			return false
		}
		p.unanswered.Add(1)
		p.hear(err)
		if o.fickle {
			o.mu.Lock()
			o.gaveUp = true
			o.mu.Unlock()
			return false
		}
		pause(ctx, 20*time.Millisecond)
		at++ // perhaps another replica answers
	}
	p.odd("order %s: no answer before the test's end", o.external)
	return false
}

func request(o *order) delivery.QuoteRequest {
	return delivery.QuoteRequest{
		Market: "m", Partner: o.partner, ExternalID: o.external, RequestHash: "hash-of-" + o.external, PickupStore: "Deli",
		Pickup: dispatch.Place{Address: "1 Pike St"}, Dropoff: dispatch.Place{Address: "17 " + secretWord + " St"},
		Load: fleet.Load{LengthMM: 300, WidthMM: 200, HeightMM: 100, Grams: 900}, OrderValue: 2500,
		Personal: delivery.Personal{
			DropoffPhone: secretPhone, DropoffGivenName: secretWord, DropoffFamilyName: "Mc" + secretWord,
			DropoffInstructions: "ring at " + secretWord, Items: []delivery.Item{{Name: secretWord + " soup", Quantity: 1, Price: 2500}},
		},
	}
}

// service returns one replica of Deliveries. No robot ever comes, so it has no Task.
func (c *chain) service(s store) *delivery.Service {
	return delivery.NewService(delivery.Deps{
		Store: s, Open: s, Personal: s, Dispatcher: desk{chain: c}, IDs: c, Secrets: c,
		Clock: wallclock.Clock{}, Timers: noTimers{}, Journal: c,
		Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	})
}

// store is what Deliveries keeps things in.
type store interface {
	delivery.Store
	delivery.OpenStore
	delivery.PersonalStore
}

// NewID implements delivery.IDs.
func (c *chain) NewID(string) string { return fmt.Sprintf("d%06d", c.named.Add(1)) }

// PIN implements delivery.Secrets.
func (c *chain) PIN(string, string) string { return "1234" }

// desk is a Dispatch that takes every request, and finds no robot.
type desk struct {
	delivery.Dispatcher
	*chain
}

// Estimate implements delivery.Dispatcher.
func (desk) Estimate(context.Context, dispatch.EstimateRequest) (dispatch.Estimate, error) {
	now := wallclock.Clock{}.Now()
	at := func(d clock.Duration) clock.Time { return now.Add(d) }
	return dispatch.Estimate{Pickup: maps.Position{Edge: 1}, Dropoff: maps.Position{Edge: 2}, RouteMM: 1_200_000, RouteTime: 12 * clock.Minute,
		PickupP50: at(10 * clock.Minute), PickupP90: at(15 * clock.Minute), DropoffP50: at(26 * clock.Minute), DropoffP90: at(36 * clock.Minute)}, nil
}

// Request implements delivery.Dispatcher.
func (d desk) Request(_ context.Context, r dispatch.Request) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted[delivery.ID(r.Delivery)] = true
	return nil
}

// Withdraw implements delivery.Dispatcher.
func (desk) Withdraw(context.Context, market.ID, string, int) error { return nil }

// noTimers never fire: what they would repeat is not looked at.
type noTimers struct{}

// Set implements clock.Timers.
func (noTimers) Set(clock.Key, clock.Time) {}

// Cancel implements clock.Timers.
func (noTimers) Cancel(clock.Key) {}
