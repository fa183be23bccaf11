package world

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/rng"
	"footway/sim/dist"
	"footway/sim/kernel"
	"footway/sim/scenario"
)

// twinPartner is the partner on whose behalf generated orders are placed.
const twinPartner delivery.PartnerID = "twin"

func (w *World) partner() delivery.PartnerID { return cmp.Or(w.p.Partner, twinPartner) }

// demand is the partner that asks for deliveries: by chance, by the scenario's
// own hand, or both.
type demand struct {
	spec      scenario.Demand
	arrivals  *dist.Arrivals
	most      int64   // highest factor that the scenario names, permille
	merchants []int32 // indexes into the network's, the most popular first
	weights   []int64
	luck      rng.Seed
	prefix    string // of the ids of generated orders

	Candidates  uint64     `json:"candidates"` // of the arrivals
	N           uint64     `json:"n"`          // generated orders so far
	Factor      int64      `json:"factor"`     // permille on the rate, by the scenario's word
	Until       clock.Time `json:"until"`
	Hand        int        `json:"hand"`    // handwritten orders whose quote was asked for
	Waiting     int        `json:"waiting"` // quotes that may still be accepted
	Over        bool       `json:"over"`    // no generated order comes any more
	TrafficDone bool       `json:"traffic_done"`
}

// What a kernel event for the demand means. A is the order's number: from 0
// the generated ones, below 0 the handwritten ones (-1 is the first).
const (
	demandNext   uint32 = iota + 1 // a generated order comes
	demandQuote                    // a handwritten order comes
	demandAccept                   // a quote is accepted
)

func newDemand(w *World) (*demand, error) {
	d := &demand{spec: w.o.Scenario.Demand, luck: w.o.Seed, Factor: 1000}
	d.Until = w.o.Start.Add(w.o.Scenario.Duration)
	if d.spec.PerHour == 0 {
		d.Over = true
		return d, nil
	}
	if len(w.o.Network.Merchants) == 0 || len(w.o.Network.Addresses) == 0 {
		return nil, fmt.Errorf("demand.per_hour: the map %q has %d merchants and %d addresses; generated demand needs both",
			w.o.Network.Name, len(w.o.Network.Merchants), len(w.o.Network.Addresses))
	}
	d.rankMerchants(w.o.Network)
	rate, err := d.rate(w)
	d.arrivals = dist.NewArrivals(w.o.Seed.Stream("demand", "arrivals"), rate, 0)
	return d, err
}

// rate is the highest rate that the scenario can come to. Orders come at it and
// are thinned to the present factor, so that a change of the factor keeps the luck
// of those that come anyway.
func (d *demand) rate(w *World) (dist.Rate, error) {
	d.most = 1000
	for _, e := range w.o.Scenario.Events {
		if e.Do == "demand" {
			d.most = max(d.most, e.Permille)
		}
	}
	rate := dist.Rate{PerHour: d.spec.PerHour * d.most / 1000, Offset: w.o.Offset}
	for _, p := range d.spec.Profile {
		minute, err := p.Minute()
		if err != nil {
			return rate, err
		}
		rate.Profile = append(rate.Profile, dist.Point{At: minute, Permille: p.Rate})
	}
	return rate, errors.Join(rate.Problems("demand")...)
}

// rankMerchants draws how popular each merchant is: Zipf's law over a random order.
func (d *demand) rankMerchants(net *maps.Network) {
	s := d.luck.Stream("demand", "popularity")
	all := make([]int32, len(net.Merchants))
	for i := range all {
		all[i] = int32(i)
	}
	slices.SortFunc(all, func(a, b int32) int {
		return cmp.Or(cmp.Compare(s.Uint64(uint64(a)), s.Uint64(uint64(b))), cmp.Compare(a, b))
	})
	if n := d.spec.Merchants; n > 0 && n < len(all) {
		all = all[:n]
	}
	d.merchants = all
	for i := range all {
		d.weights = append(d.weights, int64(1_000_000/(i+4)))
	}
}

func (d *demand) begin(w *World) {
	for i := range d.spec.Orders {
		w.after(d.spec.Orders[i].At, kernel.Event{Target: forDemand, Kind: demandQuote, A: int64(-1 - i)})
	}
	if !d.Over {
		d.scheduleNext(w)
	}
}

func (d *demand) scheduleNext(w *World) {
	at := d.arrivals.Next(w.kernel.Now())
	if at >= d.Until {
		d.Over = true
		return
	}
	w.kernel.Schedule(at, kernel.Event{Target: forDemand, Kind: demandNext})
}

// done reports whether no quote will be asked for or accepted any more.
func (d *demand) done() bool { return d.Over && d.Hand == len(d.spec.Orders) && d.Waiting == 0 }

func (d *demand) handle(ctx context.Context, w *World, e kernel.Event) error {
	switch e.Kind {
	case demandNext:
		d.scheduleNext(w)
		n := d.N
		d.N++
		if !d.luck.Stream("demand", "factor").Chance(n, d.Factor*1000/d.most) {
			return nil
		}
		return d.quote(ctx, w, int64(n))
	case demandQuote:
		d.Hand++
		return d.quote(ctx, w, e.A)
	case demandAccept:
		d.Waiting--
		return d.accept(ctx, w, e.A)
	}
	return fmt.Errorf("world: unknown demand event %d", e.Kind)
}

// external returns the partner's id of order n.
func (d *demand) external(n int64) string {
	if n < 0 {
		return d.spec.Orders[-1-n].ID
	}
	return fmt.Sprintf("%sg%d", d.prefix, n)
}

// quote asks for order n.
func (d *demand) quote(ctx context.Context, w *World, n int64) error {
	q, ok, err := d.request(w, n)
	if err != nil || !ok {
		return err
	}
	return w.ask(ctx, func(ctx context.Context) error {
		_, err := w.p.Deliveries.Quote(ctx, q)
		return err
	}, func(_ context.Context, err error) error {
		if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Exhausted) {
			return nil // refused; the services have written why
		}
		if err != nil {
			return fmt.Errorf("quote %s: %w", q.ExternalID, err)
		}
		d.consider(w, n)
		return nil
	})
}

// consider decides whether the quote of order n will be accepted.
func (d *demand) consider(w *World, n int64) {
	s := d.luck.Stream("order/"+d.external(n), "accept")
	if n >= 0 && s.Chance(0, d.spec.Abandon) {
		return
	}
	in := d.spec.AcceptIn.Draw(s, 1)
	if n < 0 {
		in = 0
		if d.spec.Orders[-1-n].CancelAt == string(delivery.Quoted) {
			return // handwritten orders are accepted at once, unless the partner thinks better of it
		}
	}
	d.Waiting++
	w.after(in, kernel.Event{Target: forDemand, Kind: demandAccept, A: n})
}

func (d *demand) accept(ctx context.Context, w *World, n int64) error {
	partner, external := w.partner(), d.external(n)
	return w.ask(ctx, func(ctx context.Context) error {
		_, err := w.p.Deliveries.Accept(ctx, partner, external, delivery.AcceptRequest{})
		return err
	}, func(_ context.Context, err error) error {
		if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
			return nil // expired, or not possible any more
		}
		if err != nil {
			return fmt.Errorf("accept %s: %w", external, err)
		}
		return nil
	})
}

// request makes the quote request of order n; false if chance found no address.
func (d *demand) request(w *World, n int64) (delivery.QuoteRequest, bool, error) {
	q := delivery.QuoteRequest{Market: w.o.Market.ID, Partner: w.partner(), ExternalID: d.external(n)}
	s := d.luck.Stream("order/"+q.ExternalID, "order")
	share := 250 + s.N(0, 751)
	most, readyIn, returned := d.spec.Load, d.spec.ReadyIn.Draw(s, 1), s.Chance(2, d.spec.ReturnShare)
	q.OrderValue = delivery.Money(d.spec.Value/2 + s.N(3, d.spec.Value+1))
	if n < 0 {
		o := d.spec.Orders[-1-n]
		readyIn, returned, share = o.ReadyIn, o.Return, 1000
		if o.Load != (scenario.Load{}) {
			most = o.Load
		}
		var err error
		if q.Pickup, q.PickupStore, err = w.place(o.From); err != nil {
			return q, false, fmt.Errorf("order %s: from: %w", o.ID, err)
		}
		if q.Dropoff, _, err = w.place(o.To); err != nil {
			return q, false, fmt.Errorf("order %s: to: %w", o.ID, err)
		}
	} else if !d.draw(w.o.Network, s, &q) {
		return q, false, nil
	}
	q.ReadyAt = w.kernel.Now().Add(readyIn)
	q.IfUndeliverable = delivery.Dispose
	if returned {
		q.IfUndeliverable = delivery.ReturnToPickup
	}
	part := func(v int32) int32 { return int32(int64(v) * share / 1000) }
	q.Load = fleet.Load{LengthMM: part(most.LengthMM), WidthMM: part(most.WidthMM), HeightMM: part(most.HeightMM), Grams: part(most.Grams)}
	b, err := json.Marshal(q)
	if err != nil {
		return q, false, err
	}
	h := sha256.Sum256(b)
	q.RequestHash = hex.EncodeToString(h[:])
	return q, true, nil
}

// draw picks a merchant by popularity and an address within the distances.
func (d *demand) draw(net *maps.Network, s rng.Stream, q *delivery.QuoteRequest) bool {
	m := &net.Merchants[d.merchants[dist.Weighted(s, 4, d.weights)]]
	from := m.Point
	q.Pickup, q.PickupStore = dispatch.Place{Point: &from}, m.Name
	for k := uint64(0); k < 200; k++ {
		a := &net.Addresses[s.N(16+k, int64(len(net.Addresses)))]
		if mm := maps.Distance(from, a.Point); mm < d.spec.MinDistance*1000 || mm > d.spec.MaxDistance*1000 {
			continue
		}
		to := a.Point
		q.Dropoff = dispatch.Place{Point: &to, Address: a.String()}
		return true
	}
	return false
}

// fate overrides chance for handwritten orders, and schedules a cancellation.
func (d *demand) fate(partner delivery.PartnerID, o *order, u delivery.Update) {
	for i := range d.spec.Orders {
		h := &d.spec.Orders[i]
		if u.Partner != partner || h.ID != u.ExternalID {
			continue
		}
		o.Hand = i + 1
		o.NoShow = h.NoShow
		o.ReadyAt = u.ReadyAt.Add(h.Late)
		return
	}
}

// seen lets the partner cancel: at a state that the scenario names, or by chance.
func (d *demand) seen(w *World, o *order, accepted bool) {
	at := kernel.Event{Target: forOrder, Kind: orderCancel, A: int64(o.Index)}
	if o.Hand > 0 {
		h := d.spec.Orders[o.Hand-1]
		if h.CancelAt == string(o.State) {
			w.after(0, at)
		}
		if accepted && h.CancelIn > 0 {
			w.after(h.CancelIn, at)
		}
		return
	}
	if s := d.luck.Stream(o.Luck, "cancel"); accepted && o.Partner == w.partner() && s.Chance(0, d.spec.Cancel) {
		w.after(d.spec.CancelIn.Draw(s, 1), at)
	}
}
