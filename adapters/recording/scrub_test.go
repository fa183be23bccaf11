package recording

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// street is a map of a street whose houses are each other's neighbours.
type street []Place

func (s street) Neighbours(address string) []Place {
	if strings.Contains(address, "Quay") {
		return s
	}
	return nil
}

func pier() street {
	return street{{"20 Pier, Port Ellery", "47.1", "-122.1"}, {"21 Pier, Port Ellery", "47.2", "-122.2"}, {"22 Pier, Port Ellery", "47.3", "-122.3"}}
}

// scrub runs bodies through Scrub and returns what they became.
func scrub(t *testing.T, seed uint64, o ScrubOptions, bodies ...string) []string {
	t.Helper()
	var in, out bytes.Buffer
	w := NewWriter(&in)
	for _, b := range bodies {
		if err := w.Write(Request{Partner: "p", Method: "POST", Path: "/drive/v2/quotes", Body: []byte(b)}); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Scrub(NewWriter(&out), NewReader(&in), seed, o); err != nil || n != len(bodies) {
		t.Fatalf("%d requests, error %v; want %d", n, err, len(bodies))
	}
	requests, err := Read(&out)
	if err != nil {
		t.Fatal(err)
	}
	var after []string
	for _, r := range requests {
		after = append(after, string(r.Body))
	}
	return after
}

// full is a body with everything that must not come through; see secrets.
const full = `{"external_delivery_id": "AE-1-00393", "locale": "en-US", "dropoff_address": "6551 Quay, Port Ellery, WA 98115", "dropoff_phone_number": "+1 (206) 867-5309",
 "dropoff_contact_given_name": "Quinnley", "dropoff_contact_family_name": "Sønderborg", "dropoff_instructions": "Gate code 4321, mail quinnley@mail.example", "order_value": 9295, "tip": 12.50,
 "items": [{"name": "Latte", "quantity": 1, "weight": 0.90, "special_instructions": "for Quinnley"}], "pickup_address": "99 Unknown Street, Port Ellery", "pickup_business_name": "Van Gogh Coffeehouse",
 "dropoff_location": {"lat": 47.683235, "lng": -122.298947}, "pickup_location": {"lat": 47.683236, "lng": -122.298948}, "pickup_time": "2026-06-12T07:38:23.936Z",
 "dropoff_pin_code_verification_metadata": {"pin_code_type": "merchant_provided_number", "pin_code_value": "8642"}, "comment": "or call 206-867-5309", "customer_email": "quinnley@mail.example",
 "session_token": "s3cr3t", "pickup_address_components": {"street_address": "99 Unknown Street"}, "nested": {"dropoff_contact_given_name": ["Quinnley"]}}`

func secrets() []string {
	return []string{"6551", "Quay", "867", "5309", "Quinnley", "quinnley", "Sønderborg", "4321", "Unknown", "Gogh", "47.6832", "122.2989", "8642", "s3cr3t"}
}

func TestScrubJSON(t *testing.T) {
	o := ScrubOptions{Addresses: pier()}
	got := scrub(t, 7, o, full, full)
	for _, secret := range secrets() {
		if strings.Contains(got[0], secret) {
			t.Errorf("%q came through: %s", secret, got[0])
		}
	}
	for _, kept := range []string{`"AE-1-00393"`, `"en-US"`, `9295`, `12.50`, `0.90`, `"Latte"`, `"2026-06-12T07:38:23.936Z"`, `Pier, Port Ellery`, `, Port Ellery"`} {
		if !strings.Contains(got[0], kept) {
			t.Errorf("%q was lost: %s", kept, got[0])
		}
	}
	if got[0] != got[1] || got[0] != scrub(t, 7, o, full)[0] {
		t.Error("the same request is not scrubbed the same way")
	}
	if got[0] == scrub(t, 8, o, full)[0] {
		t.Error("another seed changes nothing")
	}
	var body struct {
		Address string                          `json:"dropoff_address"`
		At      *struct{ Lat, Lng json.Number } `json:"dropoff_location"`
		Pickup  any                             `json:"pickup_location"`
		Phone   string                          `json:"dropoff_phone_number"`
	}
	if err := json.Unmarshal([]byte(got[0]), &body); err != nil {
		t.Fatal(err)
	}
	for _, p := range pier() {
		if p.Address == body.Address && (body.At == nil || body.At.Lat.String() != p.Lat || body.At.Lng.String() != p.Lng) {
			t.Errorf("the position %v is not that of the address %s", body.At, body.Address)
		}
	}
	if body.Pickup != nil {
		t.Errorf("the position of an unknown address is %v", body.Pickup)
	}
	if !regexp.MustCompile(`^\+1 \([2-9]\d\d\) 555-01\d\d$`).MatchString(body.Phone) {
		t.Errorf("the phone number is %q; want the same form with 555-01xx", body.Phone)
	}
}

// TestScrubText cuts a body off at every byte: nothing may come through.
func TestScrubText(t *testing.T) {
	var cut []string
	for n := 1; n < len(full); n++ {
		cut = append(cut, full[:n])
	}
	cut = append(cut, strings.ReplaceAll(full, `"`, `'`), "call Quinnley at 206-867-5309", full+full, "{"+full)
	for i, got := range scrub(t, 7, ScrubOptions{}, cut...) {
		for _, secret := range secrets() {
			if strings.Contains(got, secret) {
				t.Errorf("cut at %d: %q came through: %s", i+1, secret, got)
			}
		}
	}
}

// TestScrubWrongTypes sends what partners send by mistake: numbers for words,
// people in keys, positions in odd places.
func TestScrubWrongTypes(t *testing.T) {
	got := scrub(t, 7, ScrubOptions{},
		`{"dropoff_phone_number": 12068675309, "gate": 4321, "tip": 600, "weight": 0.90, "+12068675309": 1, "a b@mail.example": 1}`,
		`{"dropoff_lat": 47.6832, "geometry": {"coordinates": [-122.2989, 47.6832]}, "place": {"lat": "47.6832", "lng": "122.2989"}}`,
		`{"pickup_phone_number": "206-867-5309 206-867-1111", "external_delivery_id": "quinnley@mail.example"}`,
		`{"dropoff_location": "47.6832", "pickup_location": [47.6832], "location": 47.6832, "home_location": null}`,
		`{"a": "b", "tags": ["quinnley", "6551 quay"], "gate": 4321, "dropoff_location": {"lat": 47.6832`,
		`{"items": [], "customer": {"name": "quinnley"}`,
		`{"a": "b", "dropoff_phone_number": 206-867-5309`,
	)
	for i, body := range got {
		for _, secret := range append(secrets(), "206", "1111", "mail") {
			if strings.Contains(body, secret) {
				t.Errorf("body %d: %q came through: %s", i, secret, body)
			}
		}
	}
	for i, want := range []string{`"tip":600,"weight":0.90`, `{"geometry":{},"place":{}}`, `"external_delivery_id":"user-`,
		`{"dropoff_location":"","home_location":null,"location":0,"pickup_location":[]}`, `"dropoff_location": {"lat": 0`} {
		if !strings.Contains(got[i], want) {
			t.Errorf("body %d is %s; want it to hold %s", i, got[i], want)
		}
	}
	if !regexp.MustCompile(`"dropoff_phone_number":1[2-9]\d\d55501\d\d,`).MatchString(got[0]) {
		t.Errorf("a number for a phone became another kind of thing: %s", got[0])
	}
}

// TestScrubKeepsMalformed takes away the very words that made bodies malformed.
func TestScrubKeepsMalformed(t *testing.T) {
	bodies := []string{`{"a_id": "x"} Quinnley`, `Quinnley {"a_id": "x"}`, `{"a_id": "x", "b": 'Quinnley'}`, `Quinnley`, `"Quinnley`}
	for i, got := range scrub(t, 7, ScrubOptions{}, bodies...) {
		if json.Valid([]byte(got)) || strings.Contains(got, "uinnley") {
			t.Errorf("%s became %s", bodies[i], got)
		}
	}
}

// TestScrubRequest scrubs what stands around the body.
func TestScrubRequest(t *testing.T) {
	in := Request{Partner: "p", Method: "GET", Path: "/drive/v2/deliveries/quinnley@mail.example?limit=5&phone=%2B12068675309&name=Quinnley&lat=47.6832",
		Headers: map[string]string{"Content-Type": "application/json", "X-Forwarded-For": "198.51.100.7", "User-Agent": "Quinnley's shop"}}
	var file, out bytes.Buffer
	if err := NewWriter(&file).Write(in); err != nil {
		t.Fatal(err)
	}
	if _, err := Scrub(NewWriter(&out), NewReader(&file), 7, ScrubOptions{}); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`"path":"/drive/v2/deliveries/user-[0-9a-f]{8}@example\.com\?limit=5&name=Merchant\+[0-9a-f]{6}&phone=%2B1[0-9]{3}55501[0-9]{2}","headers":{"Content-Type":"application/json"}}`)
	if !want.Match(out.Bytes()) {
		t.Errorf("scrubbed to %s; want %v", out.Bytes(), want)
	}
}

// FuzzScrub puts anything before a body with secrets: none may come through, what was no JSON is none
// afterwards, what was stays it, and scrubbing once more changes nothing but words.
func FuzzScrub(f *testing.F) {
	for _, before := range []string{"", " ", "{", `{"a`, `{"a_id": "`, `{"tip": `, `["`, `\`, `"name": "\`, `{"quantity": 1, 'x': "`, `{"items": [{"name": "`} {
		f.Add([]byte(before), uint16(len(full)))
		f.Add([]byte(before), uint16(len(full)/2))
	}
	f.Fuzz(func(t *testing.T, before []byte, cut uint16) {
		s := newScrubber(7, ScrubOptions{})
		body := append(bytes.Clone(before), full[:min(int(cut), len(full))]...)
		once := s.body(body)
		if json.Valid(body) != json.Valid(once) {
			t.Fatalf("%q became %q: one is JSON, the other not", body, once)
		}
		for _, secret := range []string{"Quinnley", "Sønderborg", "Gogh", "s3cr3t", "8675309", "47.6832"} {
			if !bytes.Contains(before, []byte(secret)) && bytes.Contains(once, []byte(secret)) {
				t.Fatalf("%q came through: %q became %q", secret, body, once)
			}
		}
		if again := s.body(body); !bytes.Equal(once, again) {
			t.Fatalf("%q became %q and then %q", body, once, again)
		}
		if json.Valid(once) {
			if a, b := shape(t, once), shape(t, s.body(once)); a != b {
				t.Fatalf("scrubbed once it has the shape %s, twice %s", a, b)
			}
		}
	})
}

// shape returns a JSON text with its keys, and the types of its values.
func shape(t *testing.T, text []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	out, err := json.Marshal(hollow(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func hollow(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = hollow(v[key])
		}
	case []any:
		for i := range v {
			v[i] = hollow(v[i])
		}
	case string:
		return "string"
	case float64:
		return 0
	}
	return v
}

func TestScrubKeepsPersons(t *testing.T) {
	s := newScrubber(3, ScrubOptions{})
	for _, same := range [][2]string{{"+1 206 867 5309", "206-867-5309"}, {"+12068675309", "1.206.867.5309"}} {
		a, b := s.phone(same[0]), s.phone(same[1])
		digits := func(s string) string { return regexp.MustCompile(`\D`).ReplaceAllString(s, "") }
		if x, y := digits(a), digits(b); x[len(x)-10:] != y[len(y)-10:] {
			t.Errorf("%s and %s are one number; became %s and %s", same[0], same[1], a, b)
		}
	}
	if a, b := s.word("dropoff_contact_given_name", "Nils"), s.word("dropoff_contact_given_name", " nils "); a != b {
		t.Errorf("Nils is %s here and %s there", a, b)
	}
	if a, b := s.place("1 Elm,  Town").Address, s.place("1 elm, Town").Address; a != b {
		t.Errorf("one address became %q and %q", a, b)
	}
	for in, keep := range map[string]string{"+120655500197": `^\+12[2-9]\d\d55501\d\d$`, "911": `^\d{3}$`, "call me": `^x$`, "": `^$`} {
		if got := s.phone(in); !regexp.MustCompile(keep).MatchString(got) {
			t.Errorf("phone %q became %q; want %s", in, got, keep)
		}
	}
	if got := s.word("dropoff_contact_given_name", "<script>alert(1)</script>"); !strings.HasPrefix(got, "<>") || strings.Contains(got, "script") {
		t.Errorf("markup became %q; want it to stay no name", got)
	}
}
