package recording

import (
	"encoding/json"
	"net/url"
	"strings"
)

// operation names what a request asks for: its method, and its path with {} in place of ids.
func operation(method, path string) string {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	for i := 1; i < len(segments); i++ {
		if isCollection(segments[i-1]) {
			segments[i] = "{}"
		}
	}
	return method + " " + strings.Join(segments, "/")
}

func isCollection(segment string) bool {
	return segment == "quotes" || segment == "deliveries" || segment == "businesses" || segment == "stores" || segment == "customers"
}

// The operations that Inspect looks into.
const (
	opQuote         = "POST /drive/v2/quotes"
	opAccept        = "POST /drive/v2/quotes/{}/accept"
	opCreate        = "POST /drive/v2/deliveries"
	opCancel        = "PUT /drive/v2/deliveries/{}/cancel"
	opCreateStore   = "POST /developer/v1/businesses/{}/stores"
	opUpdate        = "PATCH /drive/v2/deliveries/{}"
	deliverySegment = 4 // of a path, where a delivery's id stands
)

// segment returns the i-th segment of a path, from 1, or "".
func segment(path string, i int) string {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	if i >= len(segments) {
		return ""
	}
	s, err := url.PathUnescape(segments[i])
	if err != nil {
		return segments[i]
	}
	return s
}

// about returns the id of the delivery that a request is about, or "".
func (e *Request) about() string {
	if id := segment(e.Path, deliverySegment); id != "" && segment(e.Path, 1) == "drive" {
		return id
	}
	return e.texts("external_delivery_id")[0]
}

// texts returns fields of the body that are strings, "" for those that are not.
func (e *Request) texts(names ...string) []string {
	var fields map[string]json.RawMessage
	out := make([]string, len(names))
	if json.Unmarshal(e.Body, &fields) != nil {
		return out
	}
	for i, name := range names {
		if json.Unmarshal(fields[name], &out[i]) != nil {
			out[i] = ""
		}
	}
	return out
}
