package partner

import (
	"slices"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
)

// acceptFields are those that an accept may change of its quote.
func acceptFields() []string {
	return []string{"tip", "order_value", "dropoff_phone_number", "dropoff_instructions", "pickup_instructions"}
}

// updateFields are those that an update may change of a delivery.
func updateFields() []string {
	return append(acceptFields(), "dropoff_address", "dropoff_address_components", "pickup_time")
}

// orderFields are those that a quote is made of. To change one that is not
// allowed is an error: to ignore a wish that we understand would be worse.
func orderFields() []string {
	return append(updateFields(),
		"pickup_address", "pickup_address_components", "pickup_external_business_id", "pickup_external_store_id", "pickup_phone_number",
		"pickup_business_name", "pickup_reference_tag", "pickup_window", "dropoff_window", "dropoff_time", "dropoff_business_name",
		"dropoff_contact_given_name", "dropoff_contact_family_name", "dropoff_location", "dropoff_options", "dropoff_pin_code_verification_metadata",
		"items", "action_if_undeliverable", "contactless_dropoff", "order_contains", "order_fulfillment_method")
}

// readEdit reads what changes of a delivery, which may be fields of allowed only.
func readEdit(f form, allowed []string, now clock.Time) delivery.Edit {
	for _, name := range orderFields() {
		if f.has(name) && !slices.Contains(allowed, name) {
			f.wrong(name, "cannot be changed; cancel and create a new delivery")
		}
	}
	e := delivery.Edit{Tip: f.cents("tip"), OrderValue: f.cents("order_value")}
	if f.has("dropoff_phone_number") {
		number := phone(f, "dropoff_phone_number")
		f.need("dropoff_phone_number")
		e.DropoffPhone = &number
	}
	e.DropoffInstructions = changed(f, "dropoff_instructions", maxText)
	e.PickupInstructions = changed(f, "pickup_instructions", maxText)
	if slices.Contains(allowed, "dropoff_address") && (f.has("dropoff_address") || f.has("dropoff_address_components")) {
		place := dispatch.Place{Address: address(f, "dropoff_address")}
		if place.Address == "" {
			f.wrong("dropoff_address", "empty")
		}
		e.Dropoff = &place
	}
	if slices.Contains(allowed, "pickup_time") && f.has("pickup_time") {
		at := f.instant("pickup_time", now)
		e.ReadyAt = &at
	}
	return e
}
