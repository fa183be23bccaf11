package partner

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/maps"
)

// order is what a partner means by a quote or a delivery, whatever it looked
// like: units, phones, times and defaults are settled. Its JSON is canonical, so that
// equal meanings have equal hashes. What follows from the time of asking or from a
// store's record is not in it.
type order struct {
	ID           string                 `json:"id"`
	Locale       string                 `json:"locale"`
	Fulfillment  string                 `json:"fulfillment"`
	Business     string                 `json:"business"`
	Store        string                 `json:"store"`
	Pickup       contact                `json:"pickup"`
	Dropoff      contact                `json:"dropoff"`
	DropoffPoint *maps.Point            `json:"dropoff_point"`
	Value        delivery.Money         `json:"value"`
	Tip          delivery.Money         `json:"tip"`
	Cash         delivery.Money         `json:"cash"`
	Items        []item                 `json:"items"`
	PickupTime   clock.Time             `json:"pickup_time"`
	DropoffTime  clock.Time             `json:"dropoff_time"`
	PickupWindow window                 `json:"pickup_window"`
	DropWindow   window                 `json:"dropoff_window"`
	Undelivered  delivery.Undeliverable `json:"undelivered"`
	Proof        proof                  `json:"proof"`
	Contains     []string               `json:"contains"`
	Roundtrip    bool                   `json:"roundtrip"`
}

// contact is one end of an order.
type contact struct {
	Address      string `json:"address"`
	Business     string `json:"business"`
	GivenName    string `json:"given_name"`
	FamilyName   string `json:"family_name"`
	Phone        string `json:"phone"`
	Instructions string `json:"instructions"`
	Tag          string `json:"tag"` // what a courier would ask for
}

// window is a span of time; the zero window is none.
type window struct {
	From clock.Time `json:"from"`
	To   clock.Time `json:"to"`
}

// hash returns the request hash of o.
func (o order) hash() string {
	text, err := json.Marshal(o)
	if err != nil {
		panic("partner: an order is not JSON: " + err.Error()) // it is plain fields
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

const maxAddress = maps.MaxQuery

// readOrder reads an order and notes in f what is wrong with it.
func readOrder(f form, now clock.Time) order {
	f.need("external_delivery_id", "dropoff_phone_number")
	o := readWay(f, now)
	o.ID = f.text("external_delivery_id", maxID)
	if o.ID != "" && !only(o.ID, lower+upper+digits+"-._~", maxID) {
		f.wrong("external_delivery_id", "want letters, digits and - . _ ~")
	}
	o.Locale = f.text("locale", maxID)
	o.Fulfillment = f.word("order_fulfillment_method", "standard", "catering", "large_order", "shop_stage", "shop_deliver", "shop_handoff", "parcel")
	if o.Store == "" {
		o.Pickup.Phone = phone(f, "pickup_phone_number")
		o.Pickup.Business = f.text("pickup_business_name", maxText)
	}
	o.Pickup.Instructions = f.text("pickup_instructions", maxText)
	o.Pickup.Tag = f.text("pickup_reference_tag", maxText)
	o.Dropoff.Business = f.text("dropoff_business_name", maxText)
	o.Dropoff.GivenName = personName(f, "dropoff_contact_given_name")
	o.Dropoff.FamilyName = personName(f, "dropoff_contact_family_name")
	o.Dropoff.Phone = phone(f, "dropoff_phone_number")
	o.Dropoff.Instructions = f.text("dropoff_instructions", maxText)
	o.DropoffPoint = readPoint(f, "dropoff_location")
	o.Value = amount(f, "order_value")
	o.Tip = amount(f, "tip")
	o.Cash = amount(f, "dropoff_cash_on_delivery")
	o.Items = readItems(f)
	return o
}

// readWay reads of an order what decides whether it can be delivered at all.
func readWay(f form, now clock.Time) order {
	var o order
	o.Business, o.Store = f.text("pickup_external_business_id", maxID), f.text("pickup_external_store_id", maxID)
	switch {
	case o.Business != "" && o.Store == "":
		f.wrong("pickup_external_store_id", "missing; it goes with pickup_external_business_id")
	case o.Business == "" && o.Store != "":
		f.wrong("pickup_external_business_id", "missing; it goes with pickup_external_store_id")
	case o.Store == "":
		if o.Pickup.Address = address(f, "pickup_address"); o.Pickup.Address == "" {
			f.wrong("pickup_address", "missing; want it, or pickup_external_business_id and pickup_external_store_id")
		}
	}
	if o.Dropoff.Address = address(f, "dropoff_address"); o.Dropoff.Address == "" {
		f.need("dropoff_address")
	}
	o.readTimes(f, now)
	o.Proof = readProof(f)
	o.Undelivered = delivery.Undeliverable(f.word("action_if_undeliverable", string(delivery.ReturnToPickup), string(delivery.Dispose)))
	if o.Undelivered == delivery.ReturnToPickup && f.flag("contactless_dropoff") {
		f.wrong("contactless_dropoff", "want false or none with action_if_undeliverable return_to_pickup")
	}
	if o.Undelivered == "" {
		o.Undelivered = delivery.ReturnToPickup
	}
	o.Roundtrip = f.word("order_route_type", "roundtrip", "oneway") == "roundtrip"
	if contains, ok := f.object("order_contains"); ok {
		for _, what := range []string{"alcohol", "pharmacy_items", "age_restricted_pharmacy_items", "tobacco", "hemp", "otc"} {
			if contains.flag(what) {
				o.Contains = append(o.Contains, what)
			}
		}
	}
	return o
}

// readTimes reads when the goods are to be picked up or brought.
func (o *order) readTimes(f form, now clock.Time) {
	o.PickupTime, o.DropoffTime = f.instant("pickup_time", now), f.instant("dropoff_time", now)
	o.PickupWindow, o.DropWindow = readWindow(f, "pickup_window", now), readWindow(f, "dropoff_window", now)
	none := window{}
	switch {
	case o.PickupWindow == none && o.DropWindow == none:
		return
	case o.PickupWindow == none:
		f.wrong("pickup_window", "missing; it goes with dropoff_window")
	case o.DropWindow == none:
		f.wrong("dropoff_window", "missing; it goes with pickup_window")
	case o.DropWindow.To < o.PickupWindow.From:
		f.wrong("dropoff_window", "ends before pickup_window begins")
	}
	o.PickupTime, o.DropoffTime = 0, 0 // windows override them
}

func readWindow(f form, name string, now clock.Time) window {
	inner, ok := f.object(name)
	if !ok {
		return window{}
	}
	inner.need("start_time", "end_time")
	w := window{inner.instant("start_time", now), inner.instant("end_time", now)}
	if w.To != 0 && w.To < w.From {
		inner.wrong("end_time", "is before start_time")
	}
	return w
}

// address reads an address, from one string or from its components.
func address(f form, name string) string {
	if f.has(name) {
		return f.brief(name, maxAddress)
	}
	inner, ok := f.object(name + "_components")
	if !ok {
		return ""
	}
	street := strings.TrimSpace(inner.text("street_address", maxAddress) + inner.text("street", maxAddress))
	region := strings.TrimSpace(inner.text("state", maxID) + " " + inner.text("zip_code", maxID))
	var parts []string
	for _, part := range []string{street, inner.text("city", maxID), region} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

// phone reads a phone number; "" if it is missing.
func phone(f form, name string) string {
	s := f.text(name, maxID)
	if s == "" {
		return ""
	}
	tidy, ok := tidyPhone(s)
	if !ok {
		f.wrong(name, "not a phone number; want one such as +12065550123")
	}
	return tidy
}

// namesNot are characters that no name has: Drive's list, and those of markup.
const namesNot = "~@#$%^&*+=?;[]{}<>|\\"

// personName reads a name of a person.
func personName(f form, name string) string {
	s := f.text(name, maxID)
	if i := strings.IndexAny(s, namesNot); i >= 0 {
		f.wrong(name, "a name does not hold %q", s[i:i+1])
		return ""
	}
	return s
}

// amount reads an amount in cents; 0 if it is missing.
func amount(f form, name string) delivery.Money {
	if m := f.cents(name); m != nil {
		return *m
	}
	return 0
}

const degreeDigits = 7 // maps.Point counts in 1e-7 degrees

// readPoint reads a point on the earth, or nil.
func readPoint(f form, name string) *maps.Point {
	inner, ok := f.object(name)
	if !ok {
		return nil
	}
	inner.need("lat", "lng")
	lat, okLat := inner.number("lat", degreeDigits, -90*pow10(degreeDigits), 90*pow10(degreeDigits))
	lng, okLng := inner.number("lng", degreeDigits, -180*pow10(degreeDigits), 180*pow10(degreeDigits))
	if !okLat || !okLng {
		return nil
	}
	return &maps.Point{Lon: int32(lng), Lat: int32(lat)}
}
