package uber

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/maps"
)

// Limits of what is read.
const (
	maxBody  = 256 << 10 // bytes
	maxNotes = 280       // characters, as Uber has it
	maxName  = 200       // characters of a name of a person or a place
	maxRef   = 200       // characters of a reference
	maxCents = 1<<31 - 1
	maxItems = delivery.MaxItems
)

// read decodes one JSON object. Fields that nobody asks for are ignored, since
// Uber's interface grows; null is like missing.
func read(body []byte, into any) error {
	trimmed := bytes.TrimSpace(body)
	if len(body) > maxBody || len(trimmed) == 0 || trimmed[0] != '{' {
		return invalid("body", "Want a JSON object of at most 256 KiB.")
	}
	err := json.Unmarshal(trimmed, into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		field := strings.TrimPrefix(strings.TrimPrefix(wrong.Field, "wayForm."), "checksForm.") // partners know no names of ours
		return invalid(field, "Want "+wantOf(wrong)+".")
	}
	if err != nil {
		return invalid("body", "It is not valid JSON.")
	}
	return nil
}

// wantOf says in words what a field of the wrong type should have been.
func wantOf(e *json.UnmarshalTypeError) string {
	switch e.Type.Kind().String() {
	case "string":
		return "a string"
	case "bool":
		return "true or false"
	case "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "slice":
		return "an array"
	}
	return "an object"
}

// faults gathers what is wrong with the fields of a request, so that the partner
// learns of everything at once; only the first trouble of a field counts.
type faults map[string]string

func (f faults) add(field, text string) {
	if _, there := f[field]; !there && len(f) < 50 {
		f[field] = text
	}
}

// err returns what is wrong, or nil.
func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return problem{status: http.StatusBadRequest, Code: "invalid_params", Message: badParams, Metadata: f}
}

// need notes a field that is missing.
func (f faults) need(field, text string) {
	if text == "" {
		f.add(field, "This field is required.")
	}
}

// text tidies a text of at most limit characters.
func (f faults) text(field, s string, limit int) string {
	s = strings.TrimSpace(s)
	switch {
	case utf8.RuneCountInString(s) > limit:
		f.add(field, "It is too long.")
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		f.add(field, "It holds control characters.")
	}
	return s
}

// phone checks a number that must have the form of E.164.
func (f faults) phone(field, s string) string {
	s = strings.TrimSpace(s)
	digits, plus := strings.CutPrefix(s, "+")
	if s != "" && (!plus || len(digits) < 8 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "") {
		f.add(field, "Want a number such as +12065550123.")
	}
	return s
}

// cents checks an amount; 0 if it is missing.
func (f faults) cents(field string, v *int64) delivery.Money {
	if v == nil {
		return 0
	}
	if *v < 0 || *v > maxCents {
		f.add(field, "Want an amount in cents, from 0 to 2147483647.")
	}
	return delivery.Money(*v)
}

// instant reads a time, or 0.
func (f faults) instant(field, s string) clock.Time {
	if s == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.Year() < 1971 || t.Year() > 9000 {
		f.add(field, "Want a time such as 2026-06-12T18:30:00Z.")
		return 0
	}
	return clock.Of(t)
}

// point checks a position, which has both numbers or none; nil if it is missing.
func (f faults) point(end string, lat, lng *float64) *maps.Point {
	switch {
	case lat == nil && lng == nil:
		return nil
	case lat == nil:
		f.add(end+"_latitude", "It goes with the longitude.")
	case lng == nil:
		f.add(end+"_longitude", "It goes with the latitude.")
	case !(*lat >= -90 && *lat <= 90):
		f.add(end+"_latitude", "Want degrees from -90 to 90.")
	case !(*lng >= -180 && *lng <= 180):
		f.add(end+"_longitude", "Want degrees from -180 to 180.")
	default:
		return &maps.Point{Lon: int32(math.Round(*lng * degree)), Lat: int32(math.Round(*lat * degree))}
	}
	return nil
}

// address reads the two forms of an address: a JSON object in a string, or one line.
func (f faults) address(field, s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "{") {
		s = f.structured(field, s)
	}
	if len(s) > maps.MaxQuery || !utf8.ValidString(s) {
		f.add(field, "It is too long, or no text.")
	}
	return f.text(field, s, maps.MaxQuery)
}

// structured puts a structured address into one line.
func (f faults) structured(field, s string) string {
	var a struct {
		Street  []string `json:"street_address"`
		City    string   `json:"city"`
		State   string   `json:"state"`
		Zip     string   `json:"zip_code"`
		Country string   `json:"country"`
	}
	if err := json.Unmarshal([]byte(s), &a); err != nil {
		f.add(field, "Want a JSON object with street_address (an array), city, state, zip_code and country, or one line.")
		return ""
	}
	if len(a.Street) == 0 || strings.TrimSpace(a.Street[0]) == "" {
		f.add(field, "street_address: want at least one line.")
		return ""
	}
	// Who lives on which floor does not help to find the kerb, and is not in the map.
	parts := []string{strings.TrimSpace(a.Street[0])}
	for _, part := range []string{a.City, strings.TrimSpace(a.State + " " + a.Zip)} {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}
