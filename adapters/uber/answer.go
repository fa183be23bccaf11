package uber

import (
	"context"
	"math"
	"strconv"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/maps"
)

// answer is a delivery in Uber's words. What is not known, or not so for robots,
// is left out. The fields at the end are ours.
type answer struct {
	ID                 string         `json:"id"`
	QuoteID            string         `json:"quote_id,omitempty"` // in the answer to its creation
	Kind               string         `json:"kind"`
	Status             string         `json:"status"`
	Complete           bool           `json:"complete"`
	Imminent           bool           `json:"courier_imminent"`
	LiveMode           bool           `json:"live_mode"`
	Created            string         `json:"created"`
	Updated            string         `json:"updated"`
	Fee                delivery.Money `json:"fee"` // with the tip
	Tip                delivery.Money `json:"tip"`
	Currency           string         `json:"currency"`
	PickupReady        string         `json:"pickup_ready"`
	PickupDeadline     string         `json:"pickup_deadline"`
	PickupETA          string         `json:"pickup_eta,omitempty"`
	DropoffReady       string         `json:"dropoff_ready"`
	DropoffDeadline    string         `json:"dropoff_deadline"`
	DropoffETA         string         `json:"dropoff_eta,omitempty"`
	Pickup             waypoint       `json:"pickup"`
	Dropoff            waypoint       `json:"dropoff"`
	Return             *waypoint      `json:"return,omitempty"`
	Manifest           manifest       `json:"manifest"`
	Items              []itemShown    `json:"manifest_items"`
	ExternalID         string         `json:"external_id,omitempty"`
	Courier            *courier       `json:"courier"`
	DeliverableAction  string         `json:"deliverable_action"`
	UndeliverableDone  string         `json:"undeliverable_action"`         // what became of it, "" if it was delivered
	UndeliverableCause string         `json:"undeliverable_reason"`         // webhooks have it
	Cancellation       *cancellation  `json:"cancelation_reason,omitempty"` // so spelt
	Related            []related      `json:"related_deliveries,omitempty"`
	TrackingURL        string         `json:"tracking_url,omitempty"`
	Identifier         string         `json:"dropoff_identifier"`
	RobotID            fleet.RobotID  `json:"footway_robot_id,omitempty"`
	FeeParts           []feePart      `json:"footway_fee_components,omitempty"`
	SupportReference   delivery.ID    `json:"footway_support_reference"`
}

type waypoint struct {
	Name         string        `json:"name,omitempty"`
	Phone        string        `json:"phone_number,omitempty"`
	Address      string        `json:"address,omitempty"`
	Notes        string        `json:"notes,omitempty"`
	Location     *location     `json:"location,omitempty"`
	Requirements *requirements `json:"verification_requirements,omitempty"`
	Status       string        `json:"status,omitempty"`
	StatusAt     string        `json:"status_timestamp,omitempty"`
	Store        string        `json:"external_store_id,omitempty"`
}

// requirements tell the PIN that opens the lid; the partner passes it on.
type requirements struct {
	PIN pincode `json:"pincode"`
}

type pincode struct {
	Enabled bool   `json:"enabled"`
	Value   string `json:"value"`
}

type manifest struct {
	Reference string         `json:"reference,omitempty"`
	Value     delivery.Money `json:"total_value"`
}

type itemShown struct {
	Name     string         `json:"name"`
	Quantity int            `json:"quantity"`
	Price    delivery.Money `json:"price"`
}

type courier struct {
	Name     string    `json:"name"`
	Vehicle  string    `json:"vehicle_type"`
	Location *location `json:"location,omitempty"`
}

type cancellation struct {
	Primary   string `json:"primary_reason"`
	Secondary string `json:"secondary_reason,omitempty"`
}

type related struct {
	ID           string `json:"id"`
	Relationship string `json:"relationship"`
}

type feePart struct {
	Type   string         `json:"type"`
	Amount delivery.Money `json:"amount"`
}

type location struct {
	Lat degrees `json:"lat"`
	Lng degrees `json:"lng"`
}

// degree is one in the units of maps.Point.
const degree = 1e7

// degrees are units of 1e-7 degrees.
type degrees int32

func (d degrees) text() []byte {
	return strconv.AppendFloat(nil, math.Round(float64(d))/degree, 'f', -1, 64)
}

// MarshalJSON writes d in degrees.
func (d degrees) MarshalJSON() ([]byte, error) { return d.text(), nil }

// vehicle is what carries a delivery: Uber has no word for it.
const vehicle = "robot"

// legOf says which delivery of ours an id of theirs means, and which of its legs.
func legOf(id string) (string, leg) {
	if rest, ok := strings.CutPrefix(id, returnPrefix); ok {
		return deliveryPrefix + rest, back
	}
	return id, outward
}

// idOf is the other way round.
func idOf(externalID string, l leg) string {
	if l == back {
		return returnPrefix + strings.TrimPrefix(externalID, deliveryPrefix)
	}
	return externalID
}

// answer returns what a partner is told of one leg of its delivery.
func (d *Direct) answer(ctx context.Context, c *call, id string, l leg, quote string) (any, error) {
	got, people, err := d.find(ctx, c.Partner, id)
	switch {
	case err != nil:
		return nil, err
	case l == back && !homeward(got.State):
		return nil, notFound()
	}
	a := d.summary(&got, l)
	a.QuoteID = quote
	a.Manifest.Reference, a.ExternalID = people.ManifestReference, people.ExternalReference
	for _, i := range people.Items {
		a.Items = append(a.Items, itemShown{i.Name, i.Quantity, i.Price})
	}
	merchant := waypoint{Name: people.PickupName, Phone: people.PickupPhone, Address: people.PickupAddress, Notes: people.PickupInstructions, Location: locationOf(people.PickupPoint)}
	recipient := waypoint{Name: strings.TrimSpace(people.DropoffGivenName + " " + people.DropoffFamilyName), Phone: people.DropoffPhone,
		Address: people.DropoffAddress, Notes: people.DropoffInstructions, Location: locationOf(people.DropoffPoint)}
	if got.UnloadPIN != "" && l == outward {
		recipient.Requirements = &requirements{pincode{true, got.UnloadPIN}}
	}
	a.setStops(&got, l, merchant, recipient)
	return a, d.setCourier(ctx, &a, &got)
}

// homeward reports whether a delivery in s has a way back.
func homeward(s delivery.State) bool { return s.Homeward() || s == delivery.Returned }

// summary returns what is told of a delivery without its people.
func (d *Direct) summary(got *delivery.Delivery, l leg) answer {
	a := answer{
		ID: idOf(got.ExternalID, l), Kind: "delivery", Status: statusOf(got.State, l), Complete: completeIn(got.State, l), Imminent: imminentIn(got.State, l),
		LiveMode: !d.Sandbox, Created: got.Times.Requested.String(), Updated: max(got.Since, got.ToldAt, got.Times.Requested).String(),
		Fee: got.Fee + got.Tip, Tip: got.Tip, Currency: strings.ToLower(got.Currency),
		PickupReady: got.ReadyAt.String(), PickupDeadline: got.Promise.PickupP90.String(), DropoffReady: got.ReadyAt.String(), DropoffDeadline: got.Promise.DropoffP90.String(),
		Manifest: manifest{Value: got.OrderValue}, Items: []itemShown{}, DeliverableAction: "deliverable_action_meet_at_door", SupportReference: got.ID,
	}
	for _, p := range got.FeeParts {
		a.FeeParts = append(a.FeeParts, feePart{p.Kind, p.Amount})
	}
	if l == back { // its price is the delivery's, and nobody was promised when it is over
		a.Fee, a.Tip, a.FeeParts = 0, 0, nil
	} else if !a.Complete {
		a.PickupETA, a.DropoffETA = known(got.Expected.PickupP50), known(got.Expected.DropoffP50)
	}
	a.setStops(got, l, waypoint{}, waypoint{})
	a.setEnd(got, l)
	if d.TrackingURL != nil {
		a.TrackingURL = d.TrackingURL(got)
	}
	if got.Robot != "" && !got.State.Ended() {
		a.RobotID, a.Courier = got.Robot, &courier{Name: "Robot " + string(got.Robot), Vehicle: vehicle}
	}
	return a
}

// known formats t, unless it is 0.
func known(t clock.Time) string {
	if t == 0 {
		return ""
	}
	return t.String()
}

// setEnd says what became of a delivery that was not handed over, and what belongs to it.
func (a *answer) setEnd(got *delivery.Delivery, l leg) {
	if got.State == delivery.Cancelled {
		a.Cancellation = &cancellation{Primary: strings.ToUpper(string(got.CancelReason)), Secondary: wordOf(got.CancelCause)}
	}
	if !homeward(got.State) {
		return
	}
	if l == back {
		a.Related = []related{{idOf(got.ExternalID, outward), "original"}}
		return
	}
	a.Related = []related{{idOf(got.ExternalID, back), "return"}}
	if got.State == delivery.Returned {
		a.UndeliverableDone = "returned"
	}
}

// wordOf returns a cause as Uber writes reasons, "" unless it is a word of ours for machines.
func wordOf(cause string) string {
	if len(cause) > 40 || strings.Trim(cause, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return ""
	}
	return strings.ToUpper(cause)
}

// setStops fills in both ends, which change places on the way back.
func (a *answer) setStops(got *delivery.Delivery, l leg, merchant, recipient waypoint) {
	merchant.Store = got.Pickup.Store
	if l == back {
		a.Pickup, a.Dropoff = recipient, merchant
		if got.State == delivery.Returned {
			a.Dropoff.done(got.Times.Ended)
		}
		return
	}
	if got.Times.Loaded != 0 {
		merchant.done(got.Times.Loaded)
	}
	switch {
	case got.State == delivery.Delivered:
		recipient.done(got.Times.Ended)
	case homeward(got.State):
		recipient.Status = "failed"
		way := merchant
		way.Status, way.StatusAt = "", ""
		a.Return = &way
	}
	a.Pickup, a.Dropoff = merchant, recipient
}

func (w *waypoint) done(at clock.Time) { w.Status, w.StatusAt = "completed", known(at) }

// setCourier says where the robot is, while one has the job.
func (d *Direct) setCourier(ctx context.Context, a *answer, got *delivery.Delivery) error {
	if a.Courier == nil || got.At == (maps.Position{}) {
		return nil
	}
	p, err := d.Places.PointAt(ctx, got.Market, got.At)
	if err != nil {
		return err
	}
	a.Courier.Location = locationOf(&p)
	return nil
}

func locationOf(p *maps.Point) *location {
	if p == nil {
		return nil
	}
	return &location{degrees(p.Lat), degrees(p.Lon)}
}
