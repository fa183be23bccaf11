package delivery_test

import (
	"strings"
	"testing"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/porttest/fake"
)

// TestPeopleHaveBounds tries what no shop, label or screen has room for, in a quote, an acceptance and an edit.
func TestPeopleHaveBounds(t *testing.T) {
	c := newCity(t, &fake.Losses{})
	long := strings.Repeat("ä", delivery.MaxPersonText)
	refused := func(what, field string, err error) {
		t.Helper()
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v; want %s refused", what, err, field)
		}
		if err != nil && strings.Contains(err.Error(), "ää") {
			t.Errorf("%s: the error repeats what it refuses: %v", what, err)
		}
	}
	for _, x := range []struct {
		what, field string
		with        func(*delivery.Personal)
	}{
		{"a long note", "dropoff_instructions", func(p *delivery.Personal) { p.DropoffInstructions = long + "ä" }},
		{"a long name", "dropoff_given_name", func(p *delivery.Personal) { p.DropoffGivenName = long + "ä" }},
		{"an escape", "pickup_name", func(p *delivery.Personal) { p.PickupName = "\x1b[2J" }},
		{"no UTF-8", "pickup_instructions", func(p *delivery.Personal) { p.PickupInstructions = "\xff" }},
		{"words for a number", "dropoff_phone", func(p *delivery.Personal) { p.DropoffPhone = "call me" }},
		{"a long number", "pickup_phone", func(p *delivery.Personal) { p.PickupPhone = strings.Repeat("1", delivery.MaxPhone+1) }},
		{"too many items", "items", func(p *delivery.Personal) { p.Items = make([]delivery.Item, delivery.MaxItems+1) }},
		{"a negative price", "items", func(p *delivery.Personal) { p.Items = []delivery.Item{{Name: "x", Quantity: 1, Price: -1}} }},
	} {
		r := request("A-" + x.field)
		x.with(&r.Personal)
		_, err := c.Quote(t.Context(), r)
		refused(x.what, x.field, err)
	}

	r := request("A1")
	r.Personal.DropoffInstructions, r.Personal.DropoffPhone = long, "+1 (206) 555-0142 ext 7"
	d, err := c.Quote(t.Context(), r)
	if err != nil {
		t.Fatalf("what is just short enough is refused: %v", err)
	}
	_, err = c.Accept(t.Context(), d.Partner, d.ExternalID, delivery.AcceptRequest{DropoffPhone: "ask Ana"})
	refused("acceptance", "dropoff_phone", err)
	if _, err := c.Accept(t.Context(), d.Partner, d.ExternalID, delivery.AcceptRequest{}); err != nil {
		t.Fatal(err)
	}
	tooLong, words := long+"ä", "ask Ana"
	for field, e := range map[string]delivery.Edit{
		"dropoff_instructions": {DropoffInstructions: &tooLong}, "pickup_instructions": {PickupInstructions: &tooLong},
		"dropoff_phone": {DropoffPhone: &words}, "dropoff_address": {Dropoff: &dispatch.Place{Address: tooLong}},
	} {
		_, err := c.Edit(t.Context(), d.Partner, d.ExternalID, e)
		refused("edit", field, err)
	}
}
