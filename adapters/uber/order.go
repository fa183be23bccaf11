package uber

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/merchant"
)

// wayForm is what quotes and deliveries have in common, as it was sent.
type wayForm struct {
	PickupAddress   string   `json:"pickup_address"`
	DropoffAddress  string   `json:"dropoff_address"`
	PickupLat       *float64 `json:"pickup_latitude"`
	PickupLng       *float64 `json:"pickup_longitude"`
	DropoffLat      *float64 `json:"dropoff_latitude"`
	DropoffLng      *float64 `json:"dropoff_longitude"`
	PickupReady     string   `json:"pickup_ready_dt"`
	PickupDeadline  string   `json:"pickup_deadline_dt"`
	DropoffReady    string   `json:"dropoff_ready_dt"`
	DropoffDeadline string   `json:"dropoff_deadline_dt"`
	PickupPhone     string   `json:"pickup_phone_number"`
	DropoffPhone    string   `json:"dropoff_phone_number"`
	Value           *int64   `json:"manifest_total_value"`
	Store           string   `json:"external_store_id"`
}

// orderForm is a delivery as it was sent.
type orderForm struct {
	wayForm
	PickupName         string         `json:"pickup_name"`
	PickupBusiness     string         `json:"pickup_business_name"`
	PickupNotes        string         `json:"pickup_notes"`
	DropoffName        string         `json:"dropoff_name"`
	DropoffBusiness    string         `json:"dropoff_business_name"`
	DropoffNotes       string         `json:"dropoff_notes"`
	DropoffSellerNotes string         `json:"dropoff_seller_notes"`
	Items              []manifestItem `json:"manifest_items"`
	Manifest           string         `json:"manifest_reference"`
	External           string         `json:"external_id"`
	Key                string         `json:"idempotency_key"`
	Quote              string         `json:"quote_id"`
	Undeliverable      string         `json:"undeliverable_action"`
	Deliverable        string         `json:"deliverable_action"`
	Tip                *int64         `json:"tip"`
	checksForm
}

// order is what a partner means, whatever it looked like. Its JSON is canonical,
// so that equal meanings have equal hashes; what names the order or follows from the time of asking is not in it.
type order struct {
	Pickup      dispatch.Place
	Dropoff     dispatch.Place
	Windows     windows
	Value       *delivery.Money // nil: not said
	Tip         delivery.Money
	Store       string
	Items       []item
	People      delivery.Personal
	Undelivered delivery.Undeliverable
	NoPIN       bool

	key, manifest, external, quote string
}

// hash returns the request hash of o.
func (o *order) hash() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic("uber: an order is not JSON: " + err.Error()) // it is plain fields
	}
	return digest(string(text))
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// way reads what quotes and deliveries have in common.
func (f faults) way(w *wayForm) order {
	f.need("pickup_address", w.PickupAddress)
	f.need("dropoff_address", w.DropoffAddress)
	o := order{
		Pickup:  dispatch.Place{Address: f.address("pickup_address", w.PickupAddress), Point: f.point("pickup", w.PickupLat, w.PickupLng)},
		Dropoff: dispatch.Place{Address: f.address("dropoff_address", w.DropoffAddress), Point: f.point("dropoff", w.DropoffLat, w.DropoffLng)},
		Windows: windows{f.instant("pickup_ready_dt", w.PickupReady), f.instant("pickup_deadline_dt", w.PickupDeadline),
			f.instant("dropoff_ready_dt", w.DropoffReady), f.instant("dropoff_deadline_dt", w.DropoffDeadline)},
		Store: f.text("external_store_id", w.Store, maxRef),
	}
	if w.Value != nil {
		v := f.cents("manifest_total_value", w.Value)
		o.Value = &v
	}
	o.People.PickupPhone, o.People.DropoffPhone = f.phone("pickup_phone_number", w.PickupPhone), f.phone("dropoff_phone_number", w.DropoffPhone)
	return o
}

// order reads a delivery.
func (f faults) order(w *orderForm) order {
	for _, n := range [...]struct{ field, text string }{
		{"pickup_name", w.PickupName}, {"pickup_phone_number", w.PickupPhone}, {"dropoff_name", w.DropoffName}, {"dropoff_phone_number", w.DropoffPhone},
	} {
		f.need(n.field, n.text)
	}
	o := f.way(&w.wayForm)
	o.People.PickupName = f.text("pickup_name", w.PickupName, maxName)
	if business := f.text("pickup_business_name", w.PickupBusiness, maxName); business != "" {
		o.People.PickupName = business
	}
	o.People.DropoffGivenName = f.text("dropoff_name", w.DropoffName, maxName)
	o.People.PickupInstructions = f.text("pickup_notes", w.PickupNotes, maxNotes)
	o.People.DropoffInstructions = joined(f.text("dropoff_business_name", w.DropoffBusiness, maxName), f.text("dropoff_notes", w.DropoffNotes, maxNotes),
		f.text("dropoff_seller_notes", w.DropoffSellerNotes, maxNotes))
	o.manifest, o.external = f.text("manifest_reference", w.Manifest, maxRef), f.text("external_id", w.External, maxRef)
	o.key, o.quote = f.text("idempotency_key", w.Key, maxRef), f.text("quote_id", w.Quote, maxID)
	o.People.ManifestReference, o.People.ExternalReference = o.manifest, o.external
	o.Items = f.items(w.Items)
	for _, i := range o.Items {
		o.People.Items = append(o.People.Items, i.Item)
	}
	o.Tip = f.cents("tip", w.Tip)
	switch w.Undeliverable {
	case "", "return":
		o.Undelivered = delivery.ReturnToPickup
	case "discard":
		o.Undelivered = delivery.Dispose
	case "leave_at_door": // refused below: a robot cannot
	default:
		f.add("undeliverable_action", "Want return or discard.")
	}
	switch w.Deliverable {
	case "", "deliverable_action_meet_at_door", "deliverable_action_leave_at_door":
	default:
		f.add("deliverable_action", "Want deliverable_action_meet_at_door.")
	}
	o.NoPIN = w.noPIN()
	return o
}

// joined puts texts that are not empty on lines of their own.
func joined(texts ...string) string {
	var lines []string
	for _, t := range texts {
		if t != "" {
			lines = append(lines, t)
		}
	}
	return strings.Join(lines, "\n")
}

// request puts an order into the core's words, under a name.
func (d *Direct) request(ctx context.Context, c *call, o *order) (delivery.QuoteRequest, error) {
	r := delivery.QuoteRequest{
		Market: d.Market, Partner: c.Partner, RequestHash: o.hash(), Pickup: o.Pickup, Dropoff: o.Dropoff, Load: loadOf(o.Items),
		Tip: o.Tip, IfUndeliverable: o.Undelivered, NoUnloadPIN: o.NoPIN, Personal: o.People,
	}
	if o.Value != nil {
		r.OrderValue = *o.Value
	}
	var err error
	if r.PickupStore, err = d.store(ctx, c.Partner, o.Store); err != nil {
		return r, err
	}
	r.ReadyAt, err = d.readyAt(ctx, &r, o.Windows)
	return r, err
}

// store returns the registered store that a reference names, "business/store"; "" if it is another's word.
func (d *Direct) store(ctx context.Context, p delivery.PartnerID, reference string) (string, error) {
	business, store, within := strings.Cut(reference, "/")
	if !within {
		return "", nil
	}
	s, err := d.Stores.Store(ctx, merchant.StoreKey{Partner: p, Business: business, ID: store})
	switch {
	case fault.Is(err, fault.NotFound), fault.Is(err, fault.Invalid), err == nil && s.Status != merchant.Active:
		return "", nil
	case err != nil:
		return "", err
	}
	return reference, nil
}

// readyAt returns when a robot should find the goods ready: so late that it is
// not with the recipient before they expect it.
func (d *Direct) readyAt(ctx context.Context, r *delivery.QuoteRequest, w windows) (clock.Time, error) {
	ready := max(w.PickupReady, d.Clock.Now())
	if w.DropoffReady == 0 {
		return ready, nil
	}
	e, err := d.Estimates.Estimate(ctx, dispatch.EstimateRequest{Market: d.Market, Pickup: r.Pickup, Dropoff: r.Dropoff, Load: r.Load, ReadyAt: ready})
	if err != nil || e.Refusal != nil {
		return ready, err // the quote will say why
	}
	return max(ready, w.DropoffReady.Add(-e.DropoffP50.Sub(e.PickupP50))), nil
}
