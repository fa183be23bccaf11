package delivery

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"footway/core/fault"
)

// Bounds of what is kept of people. The partners' door has narrower ones, in the words of its contract.
const (
	MaxPersonText  = 1000 // characters of an address, a name or instructions
	MaxPhone       = 40   // bytes
	MaxItems       = 500  // lines of an order
	MaxItemName    = 200  // characters
	MaxItemsOfLine = 1000
)

// check refuses what is longer than anybody needs, and what no screen or label can show.
func (p *Personal) check(op string) error {
	for _, f := range []struct{ name, text string }{
		{"pickup_address", p.PickupAddress}, {"pickup_name", p.PickupName}, {"pickup_instructions", p.PickupInstructions},
		{"dropoff_address", p.DropoffAddress}, {"dropoff_given_name", p.DropoffGivenName}, {"dropoff_family_name", p.DropoffFamilyName},
		{"dropoff_instructions", p.DropoffInstructions}, {"manifest_reference", p.ManifestReference}, {"external_reference", p.ExternalReference},
	} {
		if err := checkText(op, f.name, f.text, MaxPersonText); err != nil {
			return err
		}
	}
	if err := checkPhone(op, "pickup_phone", p.PickupPhone); err != nil {
		return err
	}
	if err := checkPhone(op, "dropoff_phone", p.DropoffPhone); err != nil {
		return err
	}
	if len(p.Items) > MaxItems {
		return invalid(op, "items", "%d lines; want at most %d", len(p.Items), MaxItems)
	}
	for i := range p.Items {
		item := &p.Items[i]
		if err := checkText(op, "items", item.Name, MaxItemName); err != nil {
			return err
		}
		if item.Quantity < 0 || item.Quantity > MaxItemsOfLine || item.Price < 0 {
			return invalid(op, "items", "line %d: want a quantity of 0 to %d, and a price of at least 0 cents", i+1, MaxItemsOfLine)
		}
	}
	return nil
}

// check refuses in an edit what would be refused in a quote.
func (e *Edit) check(op string) error {
	var p Personal
	replace(&p.DropoffPhone, e.DropoffPhone)
	replace(&p.DropoffInstructions, e.DropoffInstructions)
	replace(&p.PickupInstructions, e.PickupInstructions)
	if e.Dropoff != nil {
		p.DropoffAddress = e.Dropoff.Address
	}
	return p.check(op)
}

func checkText(op, field, text string, most int) error {
	switch {
	case !utf8.ValidString(text):
		return invalid(op, field, "want UTF-8")
	case len(text) > most && utf8.RuneCountInString(text) > most:
		return invalid(op, field, "%d characters; want at most %d", utf8.RuneCountInString(text), most)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		return invalid(op, field, "want no control characters")
	}
	return nil
}

// checkPhone takes numbers as people write them: whether somebody answers there only a call shows.
func checkPhone(op, field, text string) error {
	odd := strings.Trim(text, "+0123456789 ()-./#*,")
	if len(text) > MaxPhone || odd != "" && odd != "x" && odd != "ext" {
		return invalid(op, field, "want a phone number such as +12065550100, of at most %d characters", MaxPhone)
	}
	return nil
}

func invalid(op, field, format string, args ...any) error {
	return fault.New(op, fault.Invalid, ValidationError, field+": "+format, args...)
}
