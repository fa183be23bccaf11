package uber

import (
	"context"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
)

// Beginnings of ids. What is behind them is ours.
const (
	quotePrefix    = "dqt_"
	deliveryPrefix = "del_"
	returnPrefix   = "ret_"
	maxID          = 100 // characters
)

// quoteAnswer is a quote in Uber's words.
type quoteAnswer struct {
	Kind            string         `json:"kind"`
	ID              string         `json:"id"`
	Created         string         `json:"created"`
	Expires         string         `json:"expires"`
	Fee             delivery.Money `json:"fee"`
	Currency        string         `json:"currency"`
	CurrencyType    string         `json:"currency_type"`
	DropoffETA      string         `json:"dropoff_eta"`
	Duration        int64          `json:"duration"`        // minutes until the drop-off
	PickupDuration  int64          `json:"pickup_duration"` // minutes until the pickup
	DropoffDeadline string         `json:"dropoff_deadline"`
	ExternalStore   string         `json:"external_store_id,omitempty"`
}

// quote says what a delivery would be like, and keeps it under an id of its own.
func (d *Direct) quote(ctx context.Context, c *call) (any, error) {
	var form wayForm
	if err := read(c.Body, &form); err != nil {
		return nil, err
	}
	f, now := faults{}, d.Clock.Now()
	o := f.way(&form)
	if err := f.err(); err != nil {
		return nil, err
	}
	if err := o.Windows.check(now); err != nil {
		return nil, err
	}
	r, err := d.request(ctx, c, &o)
	if err != nil {
		return nil, err
	}
	r.PickupStore = "" // a quote is nothing that a merchant works on
	r.ExternalID = quotePrefix + d.IDs.NewID("quote")
	got, err := d.Quotes.Quote(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := o.Windows.promised(&got); err != nil {
		return nil, err
	}
	p := got.Promise
	return quoteAnswer{
		Kind: "delivery_quote", ID: got.ExternalID, Created: got.Times.Quoted.String(), Expires: got.ExpiresAt.String(), Fee: got.Fee,
		Currency: strings.ToLower(got.Currency), CurrencyType: got.Currency, DropoffETA: p.DropoffP50.String(), DropoffDeadline: p.DropoffP90.String(),
		Duration: minutes(p.DropoffP50.Sub(now)), PickupDuration: minutes(max(p.PickupP50, got.ReadyAt).Sub(now)), ExternalStore: o.Store,
	}, nil
}

// minutes rounds up: nobody is told of less than it takes.
func minutes(d clock.Duration) int64 {
	return int64((max(d, 0) + clock.Minute - 1) / clock.Minute)
}

// promised returns the error for a promise that comes too late for w, or nil.
func (w windows) promised(d *delivery.Delivery) error {
	late := w.DropoffDeadline != 0 && d.Promise.DropoffP50 > w.DropoffDeadline
	if !late && (w.PickupDeadline == 0 || d.Promise.PickupP50 <= w.PickupDeadline) {
		return nil
	}
	p := refused("address_undeliverable_limited_couriers", "No robot can be there within the time that was asked for.")
	p.Metadata = map[string]string{robotReason: "deadline_too_early", nearestTime: d.Promise.DropoffP50.String()}
	return p
}
