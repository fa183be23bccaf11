package integrations

import (
	"encoding/json"
	"net/http"
	"strings"
)

// tongue is in whose words a request is refused at the door.
type tongue int

const (
	driveTongue tongue = iota
	uberTongue
)

// uberPrefix begins all paths of Uber Direct.
const uberPrefix = "/v1/customers/"

// tongueOf returns the words that a path is in.
func tongueOf(r *http.Request) tongue {
	if strings.HasPrefix(r.URL.EscapedPath(), uberPrefix) {
		return uberTongue
	}
	return driveTongue
}

// in returns p as it is told in t.
func (p *problem) in(t tongue) *problem {
	told := *p
	told.tongue = t
	return &told
}

// asUber is p in Uber's envelope, with Uber's code.
func (p *problem) asUber() []byte {
	metadata := map[string]string{}
	for _, f := range p.FieldErrors {
		metadata[f.Field] = f.Error
	}
	body, err := json.Marshal(struct {
		Code     string            `json:"code"`
		Message  string            `json:"message"`
		Kind     string            `json:"kind"`
		Metadata map[string]string `json:"metadata,omitempty"`
	}{uberCode(p), p.Message, "error", metadata})
	if err != nil {
		panic("integrations: a problem is not JSON: " + err.Error()) // it is plain text
	}
	return body
}

// uberCode is what Uber calls a problem with a status.
func uberCode(p *problem) string {
	switch p.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		return "invalid_params"
	case http.StatusUnauthorized:
		return "unauthorized"
	case http.StatusForbidden:
		return "customer_blocked"
	case http.StatusRequestTimeout:
		return "request_timeout"
	case http.StatusTooManyRequests:
		return "customer_limited"
	case http.StatusServiceUnavailable:
		return "service_unavailable"
	case http.StatusInternalServerError:
		return "internal_server_error"
	}
	return p.Code
}
