package dispatch

import (
	"context"
	"fmt"
	"slices"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
)

// Estimate says what a delivery would be like: when a robot would be at the
// pickup and the goods with the recipient, or why it is not possible. It
// promises nothing and holds nothing.
//
// Others are not kept waiting while it asks Maps: it looks at the market as it is at one instant.
func (s *Service) Estimate(ctx context.Context, q EstimateRequest) (Estimate, error) {
	if q.Market == "" {
		return Estimate{}, missingMarket()
	}
	d := s.desk(q.Market)
	e, err := d.estimate(ctx, d.Clock.Now(), q)
	if err != nil {
		return Estimate{}, fmt.Errorf("estimate: %w", err)
	}
	return e, nil
}

// estimate is Estimate; d.mu is not held.
func (d *desk) estimate(ctx context.Context, now clock.Time, q EstimateRequest) (Estimate, error) {
	q.ReadyAt = max(q.ReadyAt, now)
	var e Estimate
	var err error
	if e.Pickup, e.Refusal, err = d.resolve(ctx, q.Pickup, PickupOutside); err != nil || e.Refusal != nil {
		return e, err
	}
	if e.Dropoff, e.Refusal, err = d.resolve(ctx, q.Dropoff, DropoffOutside); err != nil || e.Refusal != nil {
		return e, err
	}
	if e.Refusal, err = d.served(ctx, e.Pickup, q.ReadyAt, PickupOutside); err != nil || e.Refusal != nil {
		return e, err
	}
	w := Waiting{Request: Request{Kind: ForDelivery, Pickup: e.Pickup, Dropoff: e.Dropoff, Load: q.Load, ReadyAt: q.ReadyAt}}
	if err := d.measure(ctx, &w); err != nil {
		return e, err
	}
	e.RouteMM, e.RouteTime = w.Trip.LengthMM, clock.Duration(w.Trip.Millis)
	f, err := d.outlook(ctx, now)
	if err != nil {
		return e, err
	}
	i, arrive, err := d.first(ctx, now, &f, &w)
	if err != nil {
		return e, err
	}
	if e.Refusal = d.refuse(&w, f.Sizes, i, arrive); e.Refusal != nil {
		return e, nil
	}
	set := d.Settings(d.market)
	d.times(&e, now, max(arrive, q.ReadyAt), dropoff(&w, arrive, set), set.PromisePermille)
	e.Refusal, err = d.served(ctx, e.Dropoff, e.DropoffP50, DropoffOutside)
	return e, err
}

// outlook returns the forecast as it is now, for one who does not hold d.mu.
func (d *desk) outlook(ctx context.Context, now clock.Time) (forecast, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.look(ctx, now); err != nil {
		return forecast{}, err
	}
	f := d.state.Forecast
	f.Robots, f.Sizes = slices.Clone(f.Robots), slices.Clone(f.Sizes)
	return f, nil
}

// resolve finds where a robot would stand for a place.
func (d *desk) resolve(ctx context.Context, p Place, reason string) (maps.Position, *Refusal, error) {
	var match maps.Match
	var err error
	switch {
	case p.Point != nil:
		match, err = d.Places.Snap(ctx, d.market, *p.Point)
	case p.Address != "":
		match, err = d.Places.Geocode(ctx, d.market, p.Address)
	default:
		return maps.Position{}, nil, fault.New("dispatch.Estimate", fault.Invalid, "missing_place", "a pickup and a drop-off need an address or a point each")
	}
	if fault.Is(err, fault.NotFound) {
		return maps.Position{}, &Refusal{Reason: reason, Detail: "the map of this market does not have this place"}, nil
	}
	if err != nil {
		return maps.Position{}, nil, fmt.Errorf("find the place: %w", err)
	}
	limit := d.Settings(d.market).MaxOffMM
	if int64(match.OffMM) <= limit {
		return match.At, nil, nil
	}
	meet, err := d.Places.PointAt(ctx, d.market, match.At)
	if err != nil {
		return maps.Position{}, nil, fmt.Errorf("find a meeting point: %w", err)
	}
	return match.At, &Refusal{
		Reason: reason, MeetingPoint: &meet,
		Detail: fmt.Sprintf("robots come within %d m of this place; at most %d m is acceptable", match.OffMM/1000, limit/1000),
	}, nil
}

// served refuses a place outside the service area or its hours.
func (d *desk) served(ctx context.Context, at maps.Position, when clock.Time, outside string) (*Refusal, error) {
	reason, opens, err := d.Places.Serves(ctx, d.market, at, when)
	switch {
	case err != nil:
		return nil, fmt.Errorf("service area: %w", err)
	case reason == "":
		return nil, nil
	case reason == "hours":
		return &Refusal{Reason: OutsideHours, Detail: "this area is not served at " + when.String(), NearestTime: opens}, nil
	}
	return &Refusal{Reason: outside, Detail: "this place is outside of the service area"}, nil
}

// refuse says why the delivery w is not possible, going by its way, its size
// and robot i, which would arrive first.
func (d *desk) refuse(w *Waiting, sizes []fleet.Load, i int, arrive clock.Time) *Refusal {
	s := d.Settings(d.market)
	if !w.Trip.OK {
		return &Refusal{Reason: DropoffOutside, Detail: "there is no way for robots from the pickup to the drop-off now"}
	}
	if w.Trip.LengthMM > s.MaxRouteMM {
		return &Refusal{Reason: DistanceTooLong, Detail: fmt.Sprintf("the way is %d m; at most %d m is possible", w.Trip.LengthMM/1000, s.MaxRouteMM/1000)}
	}
	fits := len(sizes) == 0
	for _, takes := range sizes {
		fits = fits || Fits(takes, w.Request.Load)
	}
	if !fits {
		return &Refusal{Reason: TooLarge, Detail: "no robot of this market takes goods of this size or weight"}
	}
	if i < 0 {
		return &Refusal{Reason: NoCapacity, Detail: "no robot is in service that could carry this"}
	}
	if wait := arrive.Sub(w.Request.ReadyAt); wait > s.MaxPickupWait {
		return &Refusal{Reason: NoCapacity, NearestTime: arrive,
			Detail: fmt.Sprintf("the goods would wait %v for a robot; at most %v is acceptable", wait, s.MaxPickupWait)}
	}
	return nil
}

// times sets the quantiles around what is forecast, in an order that makes sense. d.mu is not held.
func (d *desk) times(e *Estimate, now, pickup, dropoff clock.Time, promise int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, q := &d.state.Pickups, &d.state.Dropoffs
	trip := e.RouteTime
	e.PickupP50 = max(now, pickup.Add(p.quantile(500)))
	e.PickupP90 = max(e.PickupP50, pickup.Add(p.quantile(promise)))
	e.DropoffP50 = max(e.PickupP50.Add(trip), dropoff.Add(q.quantile(500)))
	e.DropoffP90 = max(e.DropoffP50, e.PickupP90.Add(trip), dropoff.Add(q.quantile(promise)))
}
