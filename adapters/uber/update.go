package uber

import (
	"context"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
)

// updateForm is what may change of a delivery, as it was sent.
type updateForm struct {
	DropoffNotes       *string  `json:"dropoff_notes"`
	DropoffSellerNotes *string  `json:"dropoff_seller_notes"`
	PickupNotes        *string  `json:"pickup_notes"`
	Tip                *int64   `json:"tip_by_customer"`
	DropoffLat         *float64 `json:"dropoff_latitude"`
	DropoffLng         *float64 `json:"dropoff_longitude"`
	Manifest           *string  `json:"manifest_reference"`
	checksForm
}

// update changes a delivery.
func (d *Direct) update(ctx context.Context, c *call) (any, error) {
	var form updateForm
	if err := read(c.Body, &form); err != nil {
		return nil, err
	}
	f := faults{}
	e := f.edit(&form)
	to := f.point("dropoff", form.DropoffLat, form.DropoffLng)
	got, people, err := d.find(ctx, c.Partner, c.id)
	if err != nil {
		return nil, err
	}
	if form.Manifest != nil && *form.Manifest != people.ManifestReference {
		f.add("manifest_reference", "It cannot be changed; cancel and create a new delivery.")
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	if err := form.impossible(); err != nil {
		return nil, err
	}
	if to != nil { // the same address, and where exactly that is
		e.Dropoff = &dispatch.Place{Address: people.DropoffAddress, Point: to}
	}
	if e == (delivery.Edit{}) {
		return d.answer(ctx, c, c.id, outward, "")
	}
	if _, err := d.Changes.Edit(ctx, c.Partner, c.id, e); err != nil {
		if fault.Is(err, fault.Conflict) && e == (delivery.Edit{Tip: e.Tip}) {
			return nil, refused("invalid_tipping_state", "Tip cannot be updated in the current job state: the delivery is "+statusOf(got.State, outward)+".")
		}
		return nil, err
	}
	return d.answer(ctx, c, c.id, outward, "")
}

// edit reads what changes of a delivery, but for where it goes.
func (f faults) edit(form *updateForm) delivery.Edit {
	var e delivery.Edit
	if form.PickupNotes != nil {
		text := f.text("pickup_notes", *form.PickupNotes, maxNotes)
		e.PickupInstructions = &text
	}
	if form.DropoffNotes != nil || form.DropoffSellerNotes != nil {
		text := joined(f.text("dropoff_notes", value(form.DropoffNotes), maxNotes), f.text("dropoff_seller_notes", value(form.DropoffSellerNotes), maxNotes))
		e.DropoffInstructions = &text
	}
	if form.Tip != nil {
		tip := f.cents("tip_by_customer", form.Tip)
		e.Tip = &tip
	}
	return e
}

// value returns what p points to, or nothing.
func value(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}
