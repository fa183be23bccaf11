package restapi

import (
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/market"
	"footway/core/task"
)

// wirePeople is what is kept of the people in a delivery. It is in bodies only.
type wirePeople struct {
	PickupAddress       string     `json:"pickup_address,omitempty"`
	PickupName          string     `json:"pickup_name,omitempty"`
	PickupPhone         string     `json:"pickup_phone,omitempty"`
	PickupInstructions  string     `json:"pickup_instructions,omitempty"`
	DropoffAddress      string     `json:"dropoff_address,omitempty"`
	DropoffGivenName    string     `json:"dropoff_given_name,omitempty"`
	DropoffFamilyName   string     `json:"dropoff_family_name,omitempty"`
	DropoffPhone        string     `json:"dropoff_phone,omitempty"`
	DropoffInstructions string     `json:"dropoff_instructions,omitempty"`
	Items               []wireItem `json:"items,omitempty"`
	ManifestReference   string     `json:"manifest_reference,omitempty"`
	ExternalReference   string     `json:"external_reference,omitempty"`
	PickupPoint         *wirePoint `json:"pickup_point,omitempty"`
	DropoffPoint        *wirePoint `json:"dropoff_point,omitempty"`
}

type wireItem struct {
	Name       string         `json:"name"`
	Quantity   int            `json:"quantity"`
	PriceCents delivery.Money `json:"price_cents"`
}

func itemTo(i delivery.Item) wireItem { return wireItem{i.Name, i.Quantity, i.Price} }

func (w wireItem) core() delivery.Item {
	return delivery.Item{Name: w.Name, Quantity: w.Quantity, Price: w.PriceCents}
}

func peopleTo(p delivery.Personal) *wirePeople {
	return &wirePeople{p.PickupAddress, p.PickupName, p.PickupPhone, p.PickupInstructions, p.DropoffAddress, p.DropoffGivenName, p.DropoffFamilyName,
		p.DropoffPhone, p.DropoffInstructions, each(p.Items, itemTo), p.ManifestReference, p.ExternalReference, pointTo(p.PickupPoint), pointTo(p.DropoffPoint)}
}

func (w *wirePeople) core(id delivery.ID) delivery.Personal {
	if w == nil {
		return delivery.Personal{Delivery: id}
	}
	return delivery.Personal{Delivery: id, PickupAddress: w.PickupAddress, PickupName: w.PickupName, PickupPhone: w.PickupPhone,
		PickupInstructions: w.PickupInstructions, DropoffAddress: w.DropoffAddress, DropoffGivenName: w.DropoffGivenName, DropoffFamilyName: w.DropoffFamilyName,
		DropoffPhone: w.DropoffPhone, DropoffInstructions: w.DropoffInstructions, Items: each(w.Items, wireItem.core),
		ManifestReference: w.ManifestReference, ExternalReference: w.ExternalReference,
		PickupPoint: w.PickupPoint.core(), DropoffPoint: w.DropoffPoint.core()}
}

type wireQuoteRequest struct {
	Market          market.ID              `json:"market"`
	ExternalID      string                 `json:"external_id,omitempty"`
	RequestHash     string                 `json:"request_hash,omitempty"`
	Pickup          wirePlace              `json:"pickup"`
	Dropoff         wirePlace              `json:"dropoff"`
	PickupStore     string                 `json:"pickup_store,omitempty"`
	Load            wireLoad               `json:"load"`
	OrderValueCents delivery.Money         `json:"order_value_cents,omitempty"`
	TipCents        delivery.Money         `json:"tip_cents,omitempty"`
	ReadyAt         instant                `json:"ready_at,omitzero"`
	IfUndeliverable delivery.Undeliverable `json:"if_undeliverable,omitempty"`
	UnloadPIN       string                 `json:"unload_pin,omitempty"`
	NoUnloadPIN     bool                   `json:"no_unload_pin,omitempty"`
	People          *wirePeople            `json:"people,omitempty"`
}

func quoteRequestTo(r delivery.QuoteRequest) wireQuoteRequest {
	return wireQuoteRequest{r.Market, r.ExternalID, r.RequestHash, placeTo(r.Pickup), placeTo(r.Dropoff), r.PickupStore, wireLoad(r.Load),
		r.OrderValue, r.Tip, instant(r.ReadyAt), r.IfUndeliverable, r.UnloadPIN, r.NoUnloadPIN, peopleTo(r.Personal)}
}

func (w wireQuoteRequest) core(p delivery.PartnerID) delivery.QuoteRequest {
	return delivery.QuoteRequest{Market: w.Market, Partner: p, ExternalID: w.ExternalID, RequestHash: w.RequestHash, Pickup: w.Pickup.core(),
		Dropoff: w.Dropoff.core(), PickupStore: w.PickupStore, Load: w.Load.core(), OrderValue: w.OrderValueCents, Tip: w.TipCents,
		ReadyAt: clock.Time(w.ReadyAt), IfUndeliverable: w.IfUndeliverable, UnloadPIN: w.UnloadPIN, NoUnloadPIN: w.NoUnloadPIN, Personal: w.People.core("")}
}

type wireAccept struct {
	TipCents     *delivery.Money `json:"tip_cents,omitempty"`
	DropoffPhone string          `json:"dropoff_phone,omitempty"`
}

func acceptTo(r delivery.AcceptRequest) wireAccept { return wireAccept{r.Tip, r.DropoffPhone} }

func (w wireAccept) core() delivery.AcceptRequest {
	return delivery.AcceptRequest{Tip: w.TipCents, DropoffPhone: w.DropoffPhone}
}

type wireEdit struct {
	TipCents            *delivery.Money `json:"tip_cents,omitempty"`
	OrderValueCents     *delivery.Money `json:"order_value_cents,omitempty"`
	Dropoff             *wirePlace      `json:"dropoff,omitempty"`
	ReadyAt             *instant        `json:"ready_at,omitempty"`
	DropoffPhone        *string         `json:"dropoff_phone,omitempty"`
	DropoffInstructions *string         `json:"dropoff_instructions,omitempty"`
	PickupInstructions  *string         `json:"pickup_instructions,omitempty"`
}

func editTo(e delivery.Edit) wireEdit {
	w := wireEdit{TipCents: e.Tip, OrderValueCents: e.OrderValue, ReadyAt: (*instant)(e.ReadyAt), DropoffPhone: e.DropoffPhone,
		DropoffInstructions: e.DropoffInstructions, PickupInstructions: e.PickupInstructions}
	if e.Dropoff != nil {
		p := placeTo(*e.Dropoff)
		w.Dropoff = &p
	}
	return w
}

// core returns the edit, with the sequence that If-Match tells.
func (w wireEdit) core(sequence uint64) delivery.Edit {
	e := delivery.Edit{Tip: w.TipCents, OrderValue: w.OrderValueCents, ReadyAt: (*clock.Time)(w.ReadyAt), DropoffPhone: w.DropoffPhone,
		DropoffInstructions: w.DropoffInstructions, PickupInstructions: w.PickupInstructions, Sequence: sequence}
	if w.Dropoff != nil {
		p := w.Dropoff.core()
		e.Dropoff = &p
	}
	return e
}

type wireCancel struct {
	Cause string `json:"cause,omitempty"`
}

type wireReady struct {
	At instant `json:"at,omitzero"`
}

type wireHandoff struct {
	Purpose task.Purpose     `json:"purpose"`
	Want    task.HandoffWant `json:"want"`
	PIN     string           `json:"pin,omitempty"`
	Staff   bool             `json:"staff,omitempty"`
}

func handoffTo(r delivery.HandoffRequest) wireHandoff {
	return wireHandoff{r.Purpose, r.Want, r.PIN, r.Staff}
}

func (w wireHandoff) core() delivery.HandoffRequest {
	return delivery.HandoffRequest{Purpose: w.Purpose, Want: w.Want, PIN: w.PIN, Staff: w.Staff}
}
