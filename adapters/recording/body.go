package recording

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// body scrubs a body: JSON by its fields, and what is no JSON by its text.
func (s *scrubber) body(body []byte) []byte {
	if len(bytes.TrimSpace(body)) == 0 {
		return body
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber() // an amount of 12.50 stays as it was written
	var v any
	if !json.Valid(body) || dec.Decode(&v) != nil {
		return []byte(s.text(string(body)))
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s.value("", v)); err != nil {
		panic("recording: what was JSON is none any more: " + err.Error())
	}
	return bytes.TrimSpace(out.Bytes())
}

// value scrubs the value of a key.
func (s *scrubber) value(key string, v any) any {
	switch v := v.(type) {
	case string:
		return s.word(key, v)
	case json.Number:
		return s.number(key, v)
	case []any:
		for i := range v {
			v[i] = s.value(key, v[i])
		}
	case map[string]any:
		return s.object(v, key == "items" || key == "manifest_items" || strings.HasPrefix(key, "item"))
	}
	return v
}

// object scrubs the fields of an object; goods have names of things. An address
// and the position that goes with it are replaced together; a position alone goes.
func (s *scrubber) object(v map[string]any, goods bool) map[string]any {
	for key, inner := range v {
		if end, ok := strings.CutSuffix(key, "_address_components"); ok {
			s.components(v, end, inner)
		}
	}
	places := map[string]Place{}
	for key, inner := range v {
		if address, ok := inner.(string); ok && isAddress(key) {
			places[strings.TrimSuffix(key, "address")] = s.place(address)
		}
	}
	out := make(map[string]any, len(v))
	for key, inner := range v {
		end, location := strings.CutSuffix(key, "location")
		switch {
		case location:
			if moved, ok := relocate(inner, places[end]); ok {
				out[key] = moved
			}
		case isPosition(key):
		case goods && (key == "name" || key == "description"):
			out[key] = inner
		default:
			out[s.field(key)] = s.value(key, inner)
		}
	}
	return out
}

// relocate returns the position of p in place of v, or false if p has none. What
// is no position stays none, so that the scrubbed request is refused like the original.
func relocate(v any, p Place) (any, bool) {
	switch v.(type) {
	case string:
		return "", true
	case json.Number:
		return json.Number("0"), true
	case []any:
		return []any{}, true
	case map[string]any:
		return map[string]any{"lat": json.Number(p.Lat), "lng": json.Number(p.Lng)}, p.Lat != ""
	}
	return v, true
}

// isPosition reports whether a key is part of a position that no address goes with.
func isPosition(key string) bool {
	last := key[strings.LastIndexByte(key, '_')+1:]
	switch strings.ToLower(last) {
	case "lat", "lng", "lon", "latitude", "longitude", "coordinates":
		return true
	}
	return false
}

// field returns a key as it is if it can be the name of a field, and another
// one if it is somebody's phone number or e-mail.
func (s *scrubber) field(key string) string {
	if s.fields.MatchString(key) {
		return key
	}
	return "field-" + hex.EncodeToString(s.mac("field", key)[:4])
}

// components turns the components of an address into one address, unless there is one beside them.
func (s *scrubber) components(v map[string]any, end string, inner any) {
	delete(v, end+"_address_components")
	parts, ok := inner.(map[string]any)
	if _, beside := v[end+"_address"]; beside || !ok {
		return
	}
	var words []string
	for _, key := range []string{"street_address", "street", "city", "state", "zip_code"} {
		if word, ok := parts[key].(string); ok {
			words = append(words, word)
		}
	}
	v[end+"_address"] = strings.Join(words, ", ")
}

// oneLine returns an address as one line, which Uber Direct's partners send as a
// JSON object in a string too. Of what is none no more than its beginning is left.
func oneLine(address string) string {
	if !strings.HasPrefix(strings.TrimSpace(address), "{") {
		return address
	}
	var parts struct {
		Street []string `json:"street_address"`
		City   string   `json:"city"`
	}
	if json.Unmarshal([]byte(address), &parts) != nil || len(parts.Street) == 0 {
		return "{"
	}
	return parts.Street[0] + ", " + parts.City
}

func isAddress(key string) bool { return key == "address" || strings.HasSuffix(key, "_address") }

// word scrubs the text of a key. Of a key that nothing is known of, it is
// taken for words of people, and replaced too.
func (s *scrubber) word(key, word string) string {
	switch {
	case strings.HasSuffix(key, "given_name"), key == "dropoff_name":
		return s.name("given", word, givenNames())
	case strings.HasSuffix(key, "family_name"):
		return s.name("family", word, familyNames())
	case key == "name" || key == "pickup_name" || strings.HasSuffix(key, "business_name") || key == "description":
		return s.merchant(word)
	case strings.Contains(key, "phone"):
		return s.phone(word)
	case strings.Contains(key, "email"):
		return s.email(word)
	case isAddress(key):
		return s.place(word).Address
	case strings.HasSuffix(key, "pin_code_value") || key == "verification_code":
		return s.pin(word)
	case isHarmless(key):
		return s.id(word)
	}
	return s.note(word)
}

// number scrubs the number of a key, as partners send them for words too. Of a key that nothing
// is known of, it is taken for one of people's, such as that of a door.
func (s *scrubber) number(key string, n json.Number) json.Number {
	word := n.String()
	switch {
	case !json.Valid([]byte(word)) || isPosition(key):
		return "0"
	case isHarmless(key):
		return n
	case strings.Contains(key, "phone"):
		word = s.phone(word)
	default:
		word = s.digits("number", word)
	}
	if !json.Valid([]byte(word)) { // a phone number may begin with 0, a number not
		return "0"
	}
	return json.Number(word)
}

// isHarmless reports whether a key's words are for machines: ids, times, choices, amounts.
func isHarmless(key string) bool {
	switch key {
	case "locale", "action_if_undeliverable", "signature", "id_verification", "proof_of_delivery", "reason_code", "status", "country", "currency", "barcode",
		"dangerous_goods", "dasher_allowed_vehicles", "order_route_items",
		"price", "weight", "volume", "length", "width", "height", "quantity", "tip", "order_value", "dropoff_cash_on_delivery",
		"max_results", "radius", "limit", "continuationToken",
		// of Uber Direct
		"idempotency_key", "manifest_reference", "manifest_total_value", "undeliverable_action", "deliverable_action", "tip_by_customer", "size", "depth", "min_age", "waypoint", "type", "filter", "offset":
		return true
	}
	for _, end := range []string{"_id", "_dt", "_time", "_type", "_method", "_status", "_format"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}
