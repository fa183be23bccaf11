package partner

import (
	"context"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/maps"
)

// answer is a delivery in the words of Drive's DeliveryResponse. What is not
// known, or not so for robots, is left out. The fields at the end are ours.
type answer struct {
	ExternalID         string         `json:"external_delivery_id"`
	Status             string         `json:"delivery_status"`
	CancellationReason string         `json:"cancellation_reason,omitempty"`
	Fee                delivery.Money `json:"fee"`
	FeeComponents      []feeComponent `json:"fee_components"`
	Currency           string         `json:"currency"`
	OrderValue         delivery.Money `json:"order_value"`
	Tip                delivery.Money `json:"tip"`
	UpdatedAt          string         `json:"updated_at"`

	PickupAddress       string `json:"pickup_address,omitempty"`
	PickupBusinessName  string `json:"pickup_business_name,omitempty"`
	PickupPhone         string `json:"pickup_phone_number,omitempty"`
	PickupInstructions  string `json:"pickup_instructions,omitempty"`
	PickupTimeEstimated string `json:"pickup_time_estimated,omitempty"`
	PickupTimeActual    string `json:"pickup_time_actual,omitempty"`

	DropoffAddress       string    `json:"dropoff_address,omitempty"`
	DropoffGivenName     string    `json:"dropoff_contact_given_name,omitempty"`
	DropoffFamilyName    string    `json:"dropoff_contact_family_name,omitempty"`
	DropoffPhone         string    `json:"dropoff_phone_number,omitempty"`
	DropoffInstructions  string    `json:"dropoff_instructions,omitempty"`
	DropoffTimeEstimated string    `json:"dropoff_time_estimated,omitempty"`
	DropoffTimeUpper     string    `json:"dropoff_time_estimated_upper_bound,omitempty"`
	DropoffTimeActual    string    `json:"dropoff_time_actual,omitempty"`
	DropoffPIN           *pinShown `json:"dropoff_pin_code_verification_metadata,omitempty"`

	ReturnAddress    string                 `json:"return_address,omitempty"`
	ReturnTimeActual string                 `json:"return_time_actual,omitempty"`
	IfUndeliverable  delivery.Undeliverable `json:"action_if_undeliverable"`
	Items            []itemShown            `json:"items,omitempty"`
	SupportReference string                 `json:"support_reference"`
	TrackingURL      string                 `json:"tracking_url,omitempty"`
	DasherName       string                 `json:"dasher_name,omitempty"`
	DasherLocation   *location              `json:"dasher_location,omitempty"`

	ExpiresAt   string        `json:"quote_expires_at,omitempty"` // of a quote
	RobotID     fleet.RobotID `json:"robot_id,omitempty"`         // Drive's dasher_id is a number, ours is a name
	RobotReason string        `json:"robot_reason,omitempty"`     // why it was cancelled, more precisely
}

type feeComponent struct {
	Type   string         `json:"type"`
	Amount delivery.Money `json:"amount"`
}

type itemShown struct {
	Name     string         `json:"name"`
	Quantity int            `json:"quantity"`
	Price    delivery.Money `json:"price"`
}

// pinShown tells the PIN that opens the lid, whoever chose it; the partner
// passes it on to the recipient.
type pinShown struct {
	Value string `json:"pin_code_value"`
}

type location struct {
	Lat degrees `json:"lat"`
	Lng degrees `json:"lng"`
}

// degrees are units of 1e-7 degrees.
type degrees int32

// MarshalJSON writes d in degrees, exactly.
func (d degrees) MarshalJSON() ([]byte, error) {
	v, sign := int64(d), ""
	if v < 0 {
		v, sign = -v, "-"
	}
	return []byte(sign + formatDecimal(v, pow10(degreeDigits))), nil
}

func locationOf(p maps.Point) *location { return &location{Lat: degrees(p.Lat), Lng: degrees(p.Lon)} }

// answer returns what a partner is told of its delivery.
func (d *Drive) answer(ctx context.Context, c *call, externalID string) (any, error) {
	got, people, err := d.Quotes.Get(ctx, c.Partner, externalID)
	if err != nil {
		return nil, err
	}
	a := answer{
		ExternalID: got.ExternalID, Status: statusOf(got.State), CancellationReason: cancellationOf(got.CancelReason),
		Fee: got.Fee, FeeComponents: []feeComponent{}, Currency: got.Currency, OrderValue: got.OrderValue, Tip: got.Tip, UpdatedAt: isoTime(got.Since),
		PickupAddress: people.PickupAddress, PickupBusinessName: people.PickupName, PickupPhone: people.PickupPhone, PickupInstructions: people.PickupInstructions,
		DropoffAddress: people.DropoffAddress, DropoffGivenName: people.DropoffGivenName, DropoffFamilyName: people.DropoffFamilyName,
		DropoffPhone: people.DropoffPhone, DropoffInstructions: people.DropoffInstructions,
		IfUndeliverable: got.IfUndeliverable, SupportReference: string(got.ID),
	}
	for _, p := range got.FeeParts {
		a.FeeComponents = append(a.FeeComponents, feeComponent{p.Kind, p.Amount})
	}
	for _, i := range people.Items {
		a.Items = append(a.Items, itemShown{i.Name, i.Quantity, i.Price})
	}
	if got.CancelReason != "" && isCause(got.CancelCause) {
		a.RobotReason = robotPrefix + got.CancelCause
	}
	a.setTimes(got)
	d.setProgress(&a, got, people)
	return a, d.setCarrier(ctx, &a, got)
}

// setTimes says when things happened or are expected.
func (a *answer) setTimes(d delivery.Delivery) {
	ended := ""
	if d.State.Ended() {
		ended = isoTime(d.Times.Ended)
	}
	switch d.State {
	case delivery.Quoted:
		a.ExpiresAt = isoTime(d.ExpiresAt)
	case delivery.Delivered:
		a.DropoffTimeActual = ended
	case delivery.Returned:
		a.ReturnTimeActual = ended
	}
	if d.Times.Loaded != 0 {
		a.PickupTimeActual = isoTime(d.Times.Loaded)
	}
	if d.State == delivery.Cancelled {
		return // nothing is expected any more
	}
	a.PickupTimeEstimated = known(max(d.Expected.PickupP50, min(d.ReadyAt, d.Expected.DropoffP50)))
	a.DropoffTimeEstimated, a.DropoffTimeUpper = known(d.Expected.DropoffP50), known(d.Expected.DropoffP90)
}

// known formats t, unless it is 0.
func known(t clock.Time) string {
	if t == 0 {
		return ""
	}
	return isoTime(t)
}

// setProgress fills in what there is only once a delivery was accepted.
func (d *Drive) setProgress(a *answer, got delivery.Delivery, people delivery.Personal) {
	if got.UnloadPIN != "" {
		a.DropoffPIN = &pinShown{got.UnloadPIN}
	}
	if got.State == delivery.Quoted {
		return
	}
	if d.TrackingURL != nil {
		a.TrackingURL = d.TrackingURL(&got)
	}
	if got.State == delivery.Returning || got.State == delivery.AtReturn || got.State == delivery.Returned {
		a.ReturnAddress = people.PickupAddress
	}
}

// setCarrier says who has the job, while somebody has it.
func (d *Drive) setCarrier(ctx context.Context, a *answer, got delivery.Delivery) error {
	if got.Robot == "" || got.State.Ended() {
		return nil
	}
	a.RobotID, a.DasherName = got.Robot, "Robot "+string(got.Robot)
	if got.At == (maps.Position{}) {
		return nil // it was not heard of yet
	}
	p, err := d.Places.PointAt(ctx, got.Market, got.At)
	if err != nil {
		return err
	}
	a.DasherLocation = locationOf(p)
	return nil
}
