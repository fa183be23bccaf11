package uber

import (
	"encoding/json"
	"fmt"
	"strings"

	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/market"
)

// Names of events.
const (
	deliveryStatus = "event.delivery_status"
	courierUpdate  = "event.courier_update"
)

// EventName returns what an update is called in Uber's words; "" if Uber tells
// nobody of such a thing: quotes, and what partners did themselves.
func EventName(u *delivery.Update) string {
	switch u.Kind {
	case delivery.StateChanged:
		if u.To == delivery.Quoted || u.From == delivery.Quoted && u.To == delivery.Cancelled || statusOf(u.To, outward) == "" {
			return ""
		}
		return deliveryStatus
	case delivery.Expectation, delivery.CustodyMoved, delivery.Trouble:
		return courierUpdate
	case delivery.Edited, delivery.Ready:
	}
	return ""
}

// event is one update in the words of Uber's webhooks.
type event struct {
	Kind       string             `json:"kind"`
	ID         string             `json:"id"`
	Created    string             `json:"created"`
	Status     string             `json:"status"`
	DeliveryID string             `json:"delivery_id"`
	CustomerID delivery.PartnerID `json:"customer_id"`
	LiveMode   bool               `json:"live_mode"`
	Data       eventData          `json:"data"`
	Sequence   uint64             `json:"footway_sequence"`           // per delivery, from 1; what Uber tells nobody of is left out
	Position   uint64             `json:"footway_position,omitempty"` // in the partner's log
}

// eventData is the delivery as of an update. It holds no personal data; who
// needs that asks for the delivery.
type eventData struct {
	ID                 string         `json:"id"`
	Kind               string         `json:"kind"`
	Status             string         `json:"status"`
	Complete           bool           `json:"complete"`
	Imminent           bool           `json:"courier_imminent"`
	LiveMode           bool           `json:"live_mode"`
	Updated            string         `json:"updated"`
	Fee                delivery.Money `json:"fee"` // with the tip
	Tip                delivery.Money `json:"tip"`
	PickupETA          string         `json:"pickup_eta,omitempty"`
	DropoffETA         string         `json:"dropoff_eta,omitempty"`
	DropoffDeadline    string         `json:"dropoff_deadline,omitempty"`
	Courier            *courier       `json:"courier"`
	Cancellation       *cancellation  `json:"cancelation_reason,omitempty"`
	UndeliverableDone  string         `json:"undeliverable_action"`
	UndeliverableCause string         `json:"undeliverable_reason"`
	Related            []related      `json:"related_deliveries,omitempty"`
	Store              string         `json:"external_store_id,omitempty"`
	Reason             string         `json:"footway_reason,omitempty"`
	SupportReference   delivery.ID    `json:"footway_support_reference"`
}

// Encoder returns what writes entries of partners' logs as webhooks' bodies, the
// same bytes for the same entry. sandbox says which markets have simulated robots.
func Encoder(sandbox func(market.ID) bool) func(integration.Entry) ([]byte, error) {
	return func(e integration.Entry) ([]byte, error) {
		u := &e.Update
		live := !sandbox(u.Market)
		out := event{
			Kind: EventName(u), ID: fmt.Sprintf("evt_%s_%d", u.Delivery, u.Sequence), Created: u.At.String(), Status: statusOf(u.To, outward), DeliveryID: u.ExternalID,
			CustomerID: u.Partner, LiveMode: live, Data: dataOf(u), Sequence: u.Sequence, Position: e.Position,
		}
		out.Data.LiveMode = live
		b, err := json.Marshal(out)
		if err != nil {
			return nil, fmt.Errorf("event %s: %w", out.ID, err)
		}
		return b, nil
	}
}

func dataOf(u *delivery.Update) eventData {
	d := eventData{
		ID: u.ExternalID, Kind: "delivery", Status: statusOf(u.To, outward), Complete: completeIn(u.To, outward), Imminent: imminentIn(u.To, outward), Updated: u.At.String(),
		Fee: u.Fee + u.Tip, Tip: u.Tip, DropoffDeadline: known(u.Promise.DropoffP90), Store: u.Store, Reason: strings.ToLower(wordOf(u.Cause)), SupportReference: u.Delivery,
	}
	if !d.Complete {
		d.PickupETA, d.DropoffETA = known(u.Expected.PickupP50), known(u.Expected.DropoffP50)
	}
	if u.Robot != "" && !u.To.Ended() {
		d.Courier = &courier{Name: "Robot " + string(u.Robot), Vehicle: vehicle}
	}
	if u.To == delivery.Cancelled {
		d.Cancellation = &cancellation{Primary: strings.ToUpper(string(u.Reason)), Secondary: wordOf(u.Cause)}
	}
	if homeward(u.To) {
		d.Related = []related{{idOf(u.ExternalID, back), "return"}}
		switch u.To {
		case delivery.Returning:
			d.UndeliverableCause = wordOf(u.Cause)
		case delivery.Returned:
			d.UndeliverableDone = "returned"
		}
	}
	return d
}
