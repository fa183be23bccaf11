package restapi

import (
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/market"
)

// wireDelivery is a delivery as others may know it. What only Deliveries needs
// to do its work stays there: debts, tokens and hashes; see the test of round trips for the whole list.
type wireDelivery struct {
	ID              delivery.ID            `json:"id"`
	Market          market.ID              `json:"market"`
	Partner         delivery.PartnerID     `json:"partner"`
	ExternalID      string                 `json:"external_id"`
	State           delivery.State         `json:"state"`
	Since           instant                `json:"since,omitzero"`
	Sequence        uint64                 `json:"sequence"`
	Revision        uint64                 `json:"revision"`
	ExpiresAt       instant                `json:"expires_at,omitzero"`
	Pickup          wireStop               `json:"pickup"`
	Dropoff         wireStop               `json:"dropoff"`
	Load            wireLoad               `json:"load"`
	Currency        string                 `json:"currency"`
	OrderValueCents delivery.Money         `json:"order_value_cents"`
	TipCents        delivery.Money         `json:"tip_cents"`
	FeeCents        delivery.Money         `json:"fee_cents"`
	FeeParts        []wireFeePart          `json:"fee_parts,omitempty"`
	IfUndeliverable delivery.Undeliverable `json:"if_undeliverable"`
	RouteMM         int64                  `json:"route_mm"`
	RouteMS         int64                  `json:"route_ms"`
	TripMS          int64                  `json:"trip_ms"`
	Promise         wirePromise            `json:"promise"`
	Expected        wirePromise            `json:"expected"`
	ReadyAt         instant                `json:"ready_at,omitzero"`
	ReadySaid       instant                `json:"ready_said,omitzero"`
	UnloadPIN       string                 `json:"unload_pin,omitempty"`
	LoadPIN         string                 `json:"load_pin,omitempty"` // told to merchants only, by shown
	Attempt         int                    `json:"attempt"`
	Robot           fleet.RobotID          `json:"robot,omitempty"`
	PickupAt        instant                `json:"pickup_at,omitzero"`
	At              wirePosition           `json:"at"`
	LateSince       instant                `json:"late_since,omitzero"`
	Silent          bool                   `json:"silent,omitempty"`
	GoingBack       string                 `json:"going_back,omitempty"`
	Custody         []wireCustody          `json:"custody,omitempty"`
	CancelReason    delivery.Reason        `json:"cancel_reason,omitempty"`
	CancelCause     string                 `json:"cancel_cause,omitempty"`
	Times           wireTimes              `json:"times"`
}

type wireStop struct {
	Position wirePosition `json:"position"`
	Store    string       `json:"store,omitempty"`
}

func stopTo(s delivery.Stop) wireStop { return wireStop{positionTo(s.Position), s.Store} }

func (w wireStop) core() delivery.Stop {
	return delivery.Stop{Position: w.Position.core(), Store: w.Store}
}

type wireFeePart struct {
	Kind        string         `json:"kind"`
	AmountCents delivery.Money `json:"amount_cents"`
}

func feePartTo(p delivery.FeePart) wireFeePart { return wireFeePart{p.Kind, p.Amount} }

func (w wireFeePart) core() delivery.FeePart {
	return delivery.FeePart{Kind: w.Kind, Amount: w.AmountCents}
}

type wireCustody struct {
	Carrier fleet.RobotID `json:"carrier"`
	From    instant       `json:"from,omitzero"`
	Cause   string        `json:"cause"`
}

func custodyTo(c delivery.Custody) wireCustody {
	return wireCustody{c.Carrier, instant(c.From), c.Cause}
}

func (w wireCustody) core() delivery.Custody {
	return delivery.Custody{Carrier: w.Carrier, From: clock.Time(w.From), Cause: w.Cause}
}

type wireTimes struct {
	Quoted    instant `json:"quoted,omitzero"`
	Requested instant `json:"requested,omitzero"`
	Assigned  instant `json:"assigned,omitzero"`
	AtPickup  instant `json:"at_pickup,omitzero"`
	Loaded    instant `json:"loaded,omitzero"`
	AtDropoff instant `json:"at_dropoff,omitzero"`
	Ended     instant `json:"ended,omitzero"`
}

func timesTo(t delivery.Times) wireTimes {
	return wireTimes{instant(t.Quoted), instant(t.Requested), instant(t.Assigned), instant(t.AtPickup), instant(t.Loaded), instant(t.AtDropoff), instant(t.Ended)}
}

func (w wireTimes) core() delivery.Times {
	return delivery.Times{Quoted: clock.Time(w.Quoted), Requested: clock.Time(w.Requested), Assigned: clock.Time(w.Assigned),
		AtPickup: clock.Time(w.AtPickup), Loaded: clock.Time(w.Loaded), AtDropoff: clock.Time(w.AtDropoff), Ended: clock.Time(w.Ended)}
}

func deliveryTo(d delivery.Delivery) wireDelivery {
	return wireDelivery{
		ID: d.ID, Market: d.Market, Partner: d.Partner, ExternalID: d.ExternalID, State: d.State, Since: instant(d.Since),
		Sequence: d.Sequence, Revision: d.Revision, ExpiresAt: instant(d.ExpiresAt), Pickup: stopTo(d.Pickup), Dropoff: stopTo(d.Dropoff),
		Load: wireLoad(d.Load), Currency: d.Currency, OrderValueCents: d.OrderValue, TipCents: d.Tip, FeeCents: d.Fee, FeeParts: each(d.FeeParts, feePartTo),
		IfUndeliverable: d.IfUndeliverable, RouteMM: d.RouteMM, RouteMS: int64(d.RouteTime), TripMS: int64(d.Trip),
		Promise: promiseTo(d.Promise), Expected: promiseTo(d.Expected), ReadyAt: instant(d.ReadyAt), ReadySaid: instant(d.ReadySaid), UnloadPIN: d.UnloadPIN,
		Attempt: d.Attempt, Robot: d.Robot, PickupAt: instant(d.PickupAt), At: positionTo(d.At), LateSince: instant(d.LateSince), Silent: d.Silent,
		GoingBack: d.GoingBack, Custody: each(d.Custody, custodyTo), CancelReason: d.CancelReason, CancelCause: d.CancelCause, Times: timesTo(d.Times),
	}
}

func (w wireDelivery) core() delivery.Delivery {
	return delivery.Delivery{
		ID: w.ID, Market: w.Market, Partner: w.Partner, ExternalID: w.ExternalID, State: w.State, Since: clock.Time(w.Since),
		Sequence: w.Sequence, Revision: w.Revision, ExpiresAt: clock.Time(w.ExpiresAt), Pickup: w.Pickup.core(), Dropoff: w.Dropoff.core(),
		Load: w.Load.core(), Currency: w.Currency, OrderValue: w.OrderValueCents, Tip: w.TipCents, Fee: w.FeeCents, FeeParts: each(w.FeeParts, wireFeePart.core),
		IfUndeliverable: w.IfUndeliverable, RouteMM: w.RouteMM, RouteTime: clock.Duration(w.RouteMS), Trip: clock.Duration(w.TripMS),
		Promise: w.Promise.core(), Expected: w.Expected.core(), ReadyAt: clock.Time(w.ReadyAt), ReadySaid: clock.Time(w.ReadySaid), UnloadPIN: w.UnloadPIN,
		Attempt: w.Attempt, Robot: w.Robot, PickupAt: clock.Time(w.PickupAt), At: w.At.core(), LateSince: clock.Time(w.LateSince), Silent: w.Silent,
		GoingBack: w.GoingBack, Custody: each(w.Custody, wireCustody.core), CancelReason: w.CancelReason, CancelCause: w.CancelCause, Times: w.Times.core(),
	}
}

// wireUpdate is one update of a delivery, as the timeline and the streams tell it.
type wireUpdate struct {
	Delivery   delivery.ID         `json:"delivery"`
	Sequence   uint64              `json:"sequence"`
	Kind       delivery.UpdateKind `json:"kind"`
	At         instant             `json:"at,omitzero"`
	Market     market.ID           `json:"market"`
	Partner    delivery.PartnerID  `json:"partner"`
	ExternalID string              `json:"external_id"`
	From       delivery.State      `json:"from,omitempty"`
	To         delivery.State      `json:"to"`
	Cause      string              `json:"cause,omitempty"`
	Reason     delivery.Reason     `json:"reason,omitempty"`
	Robot      fleet.RobotID       `json:"robot,omitempty"`
	Attempt    int                 `json:"attempt,omitempty"`
	Promise    wirePromise         `json:"promise"`
	Expected   wirePromise         `json:"expected"`
	ReadyAt    instant             `json:"ready_at,omitzero"`
	FeeCents   delivery.Money      `json:"fee_cents"`
	TipCents   delivery.Money      `json:"tip_cents"`
	RouteMM    int64               `json:"route_mm"`
	Pickup     wirePosition        `json:"pickup"`
	Dropoff    wirePosition        `json:"dropoff"`
	Store      string              `json:"store,omitempty"`
}

func updateTo(u delivery.Update) wireUpdate {
	return wireUpdate{u.Delivery, u.Sequence, u.Kind, instant(u.At), u.Market, u.Partner, u.ExternalID, u.From, u.To, u.Cause, u.Reason, u.Robot, u.Attempt,
		promiseTo(u.Promise), promiseTo(u.Expected), instant(u.ReadyAt), u.Fee, u.Tip, u.RouteMM, positionTo(u.Pickup), positionTo(u.Dropoff), u.Store}
}

func (w wireUpdate) core() delivery.Update {
	return delivery.Update{Delivery: w.Delivery, Sequence: w.Sequence, Kind: w.Kind, At: clock.Time(w.At), Market: w.Market, Partner: w.Partner,
		ExternalID: w.ExternalID, From: w.From, To: w.To, Cause: w.Cause, Reason: w.Reason, Robot: w.Robot, Attempt: w.Attempt,
		Promise: w.Promise.core(), Expected: w.Expected.core(), ReadyAt: clock.Time(w.ReadyAt), Fee: w.FeeCents, Tip: w.TipCents, RouteMM: w.RouteMM,
		Pickup: w.Pickup.core(), Dropoff: w.Dropoff.core(), Store: w.Store}
}
