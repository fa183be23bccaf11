package merchant

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// size is how large an order is, as people think of it.
type size struct {
	ID, Name, Hint string
	load
}

// sizes fit into a robot's compartment; what does not is refused with a reason.
var sizes = []size{
	{"small", "Small", "a sandwich, a coffee", load{250, 200, 150, 1_000}},
	{"medium", "Medium", "a meal for two", load{300, 250, 200, 3_000}},
	{"large", "Large", "groceries, a full bag", load{380, 300, 260, 8_000}},
	{"huge", "Very large", "a crate of drinks", load{550, 450, 400, 20_000}},
}

// orderForm is the form as it was filled in.
type orderForm struct {
	Store, Number, Address, Lat, Lon   string
	GivenName, FamilyName, Phone, Note string
	Items, Size, Value, Tip, Ready     string
	Undeliverable                      string
}

// readForm reads the form.
func (v *visit) readForm() orderForm {
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n") // forms and scripts send them as they like
	get := func(name string) string { return lines.Replace(strings.TrimSpace(v.r.PostFormValue(name))) }
	return orderForm{
		Store: get("store"), Number: get("number"), Address: get("address"), Lat: get("lat"), Lon: get("lon"),
		GivenName: get("given_name"), FamilyName: get("family_name"), Phone: get("phone"), Note: get("note"),
		Items: get("items"), Size: get("size"), Value: get("value"), Tip: get("tip"), Ready: get("ready"), Undeliverable: get("undeliverable"),
	}
}

// wrong says what of a form cannot be meant; "" is nothing. The lengths are those of the fields on the page.
func (f *orderForm) wrong() string {
	for _, field := range []struct {
		name, text string
		most       int
	}{
		{"address", f.Address, 300}, {"first name", f.GivenName, 80}, {"last name", f.FamilyName, 80}, {"note for the door", f.Note, 300}, {"order number", f.Number, 24}, {"list of items", f.Items, 5000},
	} {
		if utf8.RuneCountInString(field.text) > field.most {
			return fmt.Sprintf("The %s is too long: want %d letters at most.", field.name, field.most)
		}
	}
	if f.Phone != "" && !phone(f.Phone) {
		return "This is no phone number. Want one such as +12065550123."
	}
	return ""
}

// phone reports whether text can be a phone number, however it is grouped.
func phone(text string) bool {
	digits := strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "", "/", "").Replace(strings.TrimPrefix(text, "+"))
	return len(digits) >= 7 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}

// digest tells forms apart. When it is ready is not in it: a page offers the next minutes anew each time.
func (f orderForm) digest() string {
	f.Ready = ""
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", f))
	return hex.EncodeToString(sum[:8])
}

// request is what the API is asked.
func (v *visit) request(d *newPage, at where) map[string]any {
	f := &d.Form
	chosen := sizes[1]
	for _, s := range sizes {
		if s.ID == f.Size {
			chosen = s
		}
	}
	to := place{Address: f.Address}
	if lat, err1 := strconv.ParseInt(f.Lat, 10, 32); err1 == nil {
		if lon, err2 := strconv.ParseInt(f.Lon, 10, 32); err2 == nil {
			to.Point = &point{int32(lat), int32(lon)}
		}
	}
	in := map[string]any{
		"market": at.market, "external_id": newExternalID(f.Number), "pickup": place{Address: d.Chosen.Address, Point: at.point}, "dropoff": to,
		"pickup_store": v.who.Account.Business.ID + "/" + d.Chosen.ID, "load": chosen.load,
		"people": people{
			PickupAddress: d.Chosen.Address, PickupName: d.Chosen.Name, PickupPhone: d.Chosen.Phone,
			Address: f.Address, GivenName: f.GivenName, FamilyName: f.FamilyName, Phone: f.Phone, Note: f.Note, Items: itemsIn(f.Items),
		},
	}
	if n, ok := cents(f.Value); ok {
		in["order_value_cents"] = n
	}
	if n, ok := cents(f.Tip); ok {
		in["tip_cents"] = n
	}
	if ready, ok := v.readyIn(f.Ready); ok {
		in["ready_at"] = ready
	}
	if f.Undeliverable == "dispose" || f.Undeliverable == "return_to_pickup" {
		in["if_undeliverable"] = f.Undeliverable
	}
	return in
}

// readyIn reads when an order is to be ready: not before now, and within a year.
func (v *visit) readyIn(text string) (time.Time, bool) {
	ms, err := strconv.ParseInt(text, 10, 64)
	now := v.o.Clock.Now().Std().UTC()
	if err != nil || ms > now.AddDate(1, 0, 0).UnixMilli() {
		return time.Time{}, false
	}
	if ready := time.UnixMilli(ms).UTC(); ready.After(now) {
		return ready, true
	}
	return now, true
}

// itemsIn reads items, one a line, such as "2 Rye loaf".
func itemsIn(text string) []item {
	var all []item
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || len(all) == 50 {
			continue
		}
		n := 1
		if first, rest, ok := strings.Cut(line, " "); ok {
			if k, err := strconv.ParseUint(strings.TrimSuffix(strings.ToLower(first), "x"), 10, 8); err == nil && k > 0 {
				n, line = int(k), strings.TrimPrefix(strings.TrimSpace(rest), "x ")
			}
		}
		all = append(all, item{Name: clip(line, 200), Quantity: n})
	}
	return all
}

// newExternalID makes the id of an order out of the shop's own number for it. Each quote is
// another one, so that a form may change.
func newExternalID(number string) string {
	var clean strings.Builder
	for _, r := range number {
		if (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9') || r == '-' || r == '_' {
			clean.WriteRune(r)
		}
	}
	text := clean.String()
	if text == "" {
		text = rand.Text()[:4]
	}
	return text[:min(len(text), 24)] + lastPart + strings.ToLower(rand.Text()[:5])
}

// cents reads an amount, such as 3.50.
func cents(text string) (int64, bool) {
	text = strings.TrimLeft(strings.TrimSpace(text), "$€£ ")
	whole, part, _ := strings.Cut(strings.ReplaceAll(text, ",", "."), ".")
	for len(part) < 2 {
		part += "0"
	}
	n, err := strconv.ParseUint(whole+part[:2], 10, 32)
	return int64(n), err == nil && whole != "" && len(part) == 2
}
