package partner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"footway/core/clock"
	"footway/core/delivery"
)

// Limits of what is read.
const (
	maxBody   = 256 << 10 // bytes
	maxDepth  = 16        // objects and arrays within each other
	maxErrors = 50        // field errors in one answer
	maxID     = 100       // characters of an id
	maxText   = 1000      // characters of instructions
	maxCents  = 1<<31 - 1 // an int32, as Drive has it
	maxItems  = 500       // lines of an order
)

// form is a JSON object that is read field by field. What is wrong with its
// fields is gathered, so that the partner learns of everything at once. Fields
// that nobody asks for are ignored, since Drive grows; null is like missing.
type form struct {
	prefix string // of field names, such as "items[2]."
	fields map[string]json.RawMessage
	errs   *[]FieldError
}

// readForm reads a request's body.
func readForm(body []byte, optional bool) (form, error) {
	f := form{errs: new([]FieldError)}
	if len(body) > maxBody {
		return f, invalidFields([]FieldError{{"body", fmt.Sprintf("%d bytes; want at most %d", len(body), maxBody)}})
	}
	trimmed := bytes.TrimSpace(body)
	if optional && (len(trimmed) == 0 || string(trimmed) == "null") {
		return f, nil
	}
	if depth(trimmed) > maxDepth {
		return f, invalidFields([]FieldError{{"body", fmt.Sprintf("nested too deep; want at most %d levels", maxDepth)}})
	}
	if err := json.Unmarshal(trimmed, &f.fields); err != nil || f.fields == nil {
		return f, invalidFields([]FieldError{{"body", malformed(trimmed, err)}})
	}
	return f, nil
}

// malformed says why body is no JSON object.
func malformed(body []byte, err error) string {
	if len(body) == 0 {
		return "missing; want a JSON object"
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("not valid JSON at byte %d: %v", e.Offset, e)
	}
	return "want a JSON object"
}

// depth returns how deep brackets nest in body, which need not be valid JSON.
func depth(body []byte) int {
	deepest, now, quoted := 0, 0, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			now++
			deepest = max(deepest, now)
		case b == '}' || b == ']':
			now--
		}
	}
	return deepest
}

// wrong notes what is wrong with a field; only the first trouble of a field counts.
func (f form) wrong(name, format string, args ...any) {
	field := f.prefix + name
	for _, e := range *f.errs {
		if e.Field == field {
			return
		}
	}
	if len(*f.errs) < maxErrors {
		*f.errs = append(*f.errs, FieldError{field, fmt.Sprintf(format, args...)})
	}
}

// err returns what is wrong with the fields read so far, or nil.
func (f form) err() error {
	if len(*f.errs) == 0 {
		return nil
	}
	return invalidFields(*f.errs)
}

// has reports whether the field is there.
func (f form) has(name string) bool {
	raw, ok := f.fields[name]
	return ok && string(raw) != "null"
}

// need notes fields that are missing or empty.
func (f form) need(names ...string) {
	for _, name := range names {
		if !f.has(name) {
			f.wrong(name, "missing")
		} else if string(f.fields[name]) == `""` {
			f.wrong(name, "empty")
		}
	}
}

// text reads a string of at most limit characters, without the space around it; "" if it is missing.
func (f form) text(name string, limit int) string {
	if !f.has(name) {
		return ""
	}
	var s string
	if json.Unmarshal(f.fields[name], &s) != nil {
		f.wrong(name, "want a string")
		return ""
	}
	if n := utf8.RuneCountInString(s); n > limit {
		f.wrong(name, "%d characters; want at most %d", n, limit)
		return ""
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			f.wrong(name, "holds the control character %U", r)
			return ""
		}
	}
	return strings.TrimSpace(s)
}

// brief reads text of at most limit bytes.
func (f form) brief(name string, limit int) string {
	s := f.text(name, limit)
	if len(s) > limit {
		f.wrong(name, "%d bytes; want at most %d", len(s), limit)
		return ""
	}
	return s
}

// word reads a string that is one of words, or "" if it is missing.
func (f form) word(name string, words ...string) string {
	s := f.text(name, maxID)
	for _, w := range words {
		if s == w {
			return s
		}
	}
	if s != "" {
		f.wrong(name, "%q is unknown; want one of %s", s, strings.Join(words, ", "))
	}
	return ""
}

// number reads a number as an integer of units of 10^-digits, rounded up; false if it is missing or wrong.
func (f form) number(name string, digits int, least, most int64) (int64, bool) {
	if !f.has(name) {
		return 0, false
	}
	raw := string(f.fields[name])
	v, exact, err := parseDecimal(raw, digits)
	switch scale := pow10(digits); {
	case err != nil && strings.HasPrefix(raw, `"`):
		f.wrong(name, "want a number, not text")
	case err != nil:
		f.wrong(name, "want a number")
	case !exact && digits == 0:
		f.wrong(name, "%.40s is no whole number", raw)
	case v < least || v > most:
		f.wrong(name, "%.40s is out of range; want %s to %s", raw, formatDecimal(least, scale), formatDecimal(most, scale))
	default:
		return v, true
	}
	return 0, false
}

// whole reads a whole number, or returns otherwise.
func (f form) whole(name string, least, most, otherwise int64) int64 {
	if v, ok := f.number(name, 0, least, most); ok {
		return v
	}
	return otherwise
}

// cents reads an amount, or nil.
func (f form) cents(name string) *delivery.Money {
	v, ok := f.number(name, 0, 0, maxCents)
	if !ok {
		return nil
	}
	m := delivery.Money(v)
	return &m
}

// flag reads a boolean; false if it is missing.
func (f form) flag(name string) bool {
	if !f.has(name) {
		return false
	}
	switch string(f.fields[name]) {
	case "true":
		return true
	case "false":
	default:
		f.wrong(name, "want true or false")
	}
	return false
}

// maxAhead is how far ahead a delivery may be asked for.
const maxAhead = 30 * clock.Day

// instant reads a time, or 0. One that is long past is as good as now.
func (f form) instant(name string, now clock.Time) clock.Time {
	s := f.text(name, maxID)
	if s == "" {
		return 0
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	switch {
	case err != nil:
		f.wrong(name, "want a time such as 2026-06-12T18:30:00Z")
	case t.Year() < 1971:
		f.wrong(name, "the year %d is out of range", t.Year())
	case clock.Of(t) > now.Add(maxAhead):
		f.wrong(name, "want a time within 30 days")
	default:
		return clock.Of(t)
	}
	return 0
}

// object reads an object; false if it is missing or wrong.
func (f form) object(name string) (form, bool) {
	inner := form{prefix: f.prefix + name + ".", errs: f.errs}
	if !f.has(name) {
		return inner, false
	}
	if json.Unmarshal(f.fields[name], &inner.fields) != nil {
		f.wrong(name, "want an object")
		return inner, false
	}
	return inner, true
}

// list reads an array of objects.
func (f form) list(name string, most int) []form {
	if !f.has(name) {
		return nil
	}
	var raw []json.RawMessage
	if json.Unmarshal(f.fields[name], &raw) != nil {
		f.wrong(name, "want an array")
		return nil
	}
	if len(raw) > most {
		f.wrong(name, "%d entries; want at most %d", len(raw), most)
		return nil
	}
	forms := make([]form, 0, len(raw))
	for i, r := range raw {
		entry := fmt.Sprintf("%s[%d]", name, i)
		inner := form{prefix: f.prefix + entry + ".", errs: f.errs}
		if json.Unmarshal(r, &inner.fields) != nil || inner.fields == nil {
			f.wrong(entry, "want an object")
			continue
		}
		forms = append(forms, inner)
	}
	return forms
}
