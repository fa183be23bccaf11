package recording

import (
	"bytes"
	"encoding/json"
	"strings"
)

// body scrubs a body: JSON by its fields, and what is no JSON by its text.
func (s *scrubber) body(body []byte) []byte {
	if len(body) == 0 {
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
	case []any:
		for i := range v {
			v[i] = s.value(key, v[i])
		}
	case map[string]any:
		if key == "items" || strings.HasPrefix(key, "item") {
			return s.goods(v)
		}
		s.object(v)
	}
	return v
}

// goods scrubs a line of an order, whose name is that of a thing.
func (s *scrubber) goods(v map[string]any) map[string]any {
	for key, inner := range v {
		if key != "name" && key != "description" {
			v[key] = s.value(key, inner)
		}
	}
	return v
}

// object scrubs the fields of an object. An address and the position that goes
// with it are replaced together; a position alone goes.
func (s *scrubber) object(v map[string]any) {
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
	for key, inner := range v {
		if end, ok := strings.CutSuffix(key, "location"); ok {
			if p, known := places[end]; known && p.Lat != "" {
				v[key] = map[string]any{"lat": json.Number(p.Lat), "lng": json.Number(p.Lng)}
			} else {
				delete(v, key)
			}
			continue
		}
		v[key] = s.value(key, inner)
	}
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

func isAddress(key string) bool { return key == "address" || strings.HasSuffix(key, "_address") }

// word scrubs the text of a key. Of a key that nothing is known of, it is
// taken for words of people, and replaced too.
func (s *scrubber) word(key, word string) string {
	switch {
	case strings.HasSuffix(key, "given_name"):
		return s.name("given", word, givenNames())
	case strings.HasSuffix(key, "family_name"):
		return s.name("family", word, familyNames())
	case key == "name" || strings.HasSuffix(key, "business_name") || key == "description":
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
		return word
	}
	return s.note(word)
}

// isHarmless reports whether a key's words are for machines: ids, times, choices.
func isHarmless(key string) bool {
	switch key {
	case "locale", "action_if_undeliverable", "signature", "id_verification", "proof_of_delivery", "reason_code", "status", "country", "currency", "barcode",
		"lat", "lng", "price", "weight", "volume", "length", "width", "height", "quantity", "tip", "order_value": // numbers in quotes
		return true
	}
	for _, end := range []string{"_id", "_time", "_type", "_method", "_status", "_format"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

// text scrubs what is no JSON: of the words of keys, as far as they can be made
// out, what it would of JSON, the last one cut off or not; of the rest, only what looks like
// JSON stays. Text without any keys is dropped.
func (s *scrubber) text(body string) string {
	if !s.pairs.MatchString(body) {
		return "{scrubbed"
	}
	goods := strings.Index(body, `"items"`)
	out, last := "", 0
	for _, m := range s.pairs.FindAllStringSubmatchIndex(body, -1) {
		key, word := body[m[2]:m[3]], body[m[6]:m[7]]
		thing := key == "name" && goods >= 0 && m[0] > goods
		end := body[m[8]:m[9]]
		switch {
		case end != `"`: // the text ends within the word
			word, end = "", ""
		case !thing:
			word = quoted(s.word(key, unquoted(word)))
		}
		out += s.bones(body[last:m[2]]) + key + body[m[3]:m[6]] + word + end
		last = m[1]
	}
	return out + s.bones(body[last:])
}

// bones returns what there is in text of punctuation, numbers, literals and
// keys, without numbers that place somebody.
func (s *scrubber) bones(text string) string {
	kept := strings.Join(s.structure.FindAllString(text, -1), "")
	return s.loose(s.positions.ReplaceAllString(kept, "${1}0"))
}

// unquoted reads the inside of a JSON string, as far as it is one.
func unquoted(word string) string {
	var s string
	if json.Unmarshal([]byte(`"`+word+`"`), &s) != nil {
		return word
	}
	return s
}

// quoted writes the inside of a JSON string.
func quoted(word string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(word); err != nil {
		panic("recording: a string is not JSON: " + err.Error())
	}
	line := strings.TrimSpace(b.String())
	return line[1 : len(line)-1]
}
