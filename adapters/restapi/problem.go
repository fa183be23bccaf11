package restapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
)

const (
	problemType = "application/problem+json"
	jsonType    = "application/json"
	problemBase = "https://footway.dev/problems/"
)

// kinds is the table between kinds of errors and statuses.
var kinds = []struct {
	kind   fault.Kind
	word   string // on the wire
	status int
	title  string
}{
	{fault.Internal, "internal", http.StatusInternalServerError, "Something is wrong on our side"},
	{fault.Invalid, "invalid", http.StatusBadRequest, "The request can never succeed"},
	{fault.NotFound, "not_found", http.StatusNotFound, "What the request names does not exist"},
	{fault.Conflict, "conflict", http.StatusConflict, "The state does not allow it"},
	{fault.Unavailable, "unavailable", http.StatusServiceUnavailable, "Try again later"},
	{fault.Forbidden, "forbidden", http.StatusForbidden, "The caller may not do this"},
	{fault.Exhausted, "exhausted", http.StatusTooManyRequests, "A limit is reached; try again later"},
}

// Reasons of problems that the wire itself has.
const (
	reasonUnauthenticated = "unauthenticated"
	reasonNotAllowed      = "not_allowed"
	reasonNoSuchPath      = "no_such_path"
	reasonMethod          = "method_not_allowed"
	reasonContentType     = "unsupported_content_type"
	reasonTooLarge        = "too_large"
	reasonSlow            = "slow_request"
	reasonBadBody         = "bad_body"
	reasonBadQuery        = "bad_query"
	reasonBadHeader       = "bad_header"
	reasonBadCursor       = "bad_cursor"
	reasonBadKey          = "idempotency_key_mismatch"
	reasonBusy            = "busy"
	reasonTooOften        = "too_often"
	reasonNotLeader       = "not_leader"
	reasonDeadline        = "deadline"
	reasonCut             = "cut"
	reasonUnexpected      = "unexpected_answer"
)

// statuses lists the reasons whose status says more than that of their kind.
var statuses = map[string]int{
	reasonUnauthenticated: http.StatusUnauthorized,
	reasonMethod:          http.StatusMethodNotAllowed,
	reasonContentType:     http.StatusUnsupportedMediaType,
	reasonTooLarge:        http.StatusRequestEntityTooLarge,
	reasonSlow:            http.StatusRequestTimeout,
	reasonNotLeader:       http.StatusMisdirectedRequest,
	delivery.Stale:        http.StatusPreconditionFailed,
}

// problem is an error on the wire: RFC 9457, with members of ours.
type problem struct {
	Type     string       `json:"type"`
	Title    string       `json:"title"`
	Status   int          `json:"status"`
	Detail   string       `json:"detail,omitempty"`
	Instance string       `json:"instance,omitempty"`
	Kind     string       `json:"kind"`
	Reason   string       `json:"reason,omitempty"`
	Leader   string       `json:"leader,omitempty"`  // of not_leader: who to ask, as host:port
	Refusal  *wireRefusal `json:"refusal,omitempty"` // why a delivery is not possible, and what would be
}

// later is an error with the time after which a repeat makes sense.
type later struct {
	error
	after  time.Duration
	leader string
}

func (l *later) Unwrap() error { return l.error }

// problemOf returns err as it goes over the wire. The text of an internal error
// is for our own services only.
func problemOf(err error, trusted bool) (p problem, retryAfter time.Duration) {
	kind, reason := fault.KindOf(err), fault.ReasonOf(err)
	row := kinds[0]
	for _, k := range kinds {
		if k.kind == kind {
			row = k
		}
	}
	p = problem{Type: problemBase + strings.ReplaceAll(row.word, "_", "-"), Title: row.title, Status: row.status, Kind: row.word, Reason: reason,
		Detail: clip(strings.ToValidUTF8(err.Error(), "\uFFFD"), 2000)}
	if s, ok := statuses[reason]; ok && fits(s, kind) {
		p.Status = s
	}
	if reason == reasonNotLeader {
		p.Type = problemBase + "not-leader"
	}
	if kind == fault.Internal && !trusted {
		p.Detail = "internal error"
	}
	if r, ok := errors.AsType[*delivery.Refused](err); ok {
		p.Refusal = refusalTo(&r.Refusal)
	}
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		retryAfter = time.Second
	}
	if l, ok := errors.AsType[*later](err); ok {
		retryAfter, p.Leader = l.after, l.leader
		if l.leader == "" && reason == reasonNotLeader {
			p.Status = http.StatusServiceUnavailable
		}
	}
	return p, retryAfter
}

// fits reports whether a kind may be answered with a status of the table of reasons:
// a service's own reason of the same name says nothing about the wire.
func fits(status int, k fault.Kind) bool {
	switch status {
	case http.StatusUnauthorized:
		return k == fault.Forbidden
	case http.StatusPreconditionFailed:
		return k == fault.Conflict
	case http.StatusMisdirectedRequest:
		return k == fault.Unavailable
	}
	return k == fault.Invalid
}

// writeProblem answers with an error.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	c, _ := CallerOf(r.Context())
	p, retryAfter := problemOf(err, c.Role == RoleService)
	if s, ok := r.Context().Value(seenKey{}).(*seen); ok {
		s.reason = p.Reason
	}
	if id := RequestID(r.Context()); id != "" {
		p.Instance = "urn:footway:request:" + id
	}
	h := w.Header()
	h.Del("ETag")
	if retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int((retryAfter+time.Second-1)/time.Second))))
	}
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="footway"`)
	}
	body, bad := json.Marshal(p)
	if bad != nil {
		panic("restapi: a problem is not JSON: " + bad.Error()) // it is plain fields
	}
	write(w, p.Status, problemType, body)
}

// write sends an answer.
func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the caller is gone, which the access log does not know either
}

// maxAnswer bounds what a client reads, in bytes.
const maxAnswer = 16 << 20

// refused is an error that the other side answered with.
type refused struct {
	text   string
	after  time.Duration
	leader string
}

func (r *refused) Error() string { return r.text }

// RetryAfter returns how long the other side asked to wait before a repeat.
func RetryAfter(err error) (time.Duration, bool) {
	r, ok := errors.AsType[*refused](err)
	return r.wait(), ok && r.after > 0
}

func (r *refused) wait() time.Duration {
	if r == nil {
		return 0
	}
	return r.after
}

// faultOf returns what an answer that is no success means, with the kind and
// reason that the other side gave it.
func faultOf(op string, status int, h http.Header, body []byte) error {
	after := retryAfterOf(h)
	var p problem
	if mediaType(h.Get("Content-Type")) == problemType && json.Unmarshal(body, &p) == nil {
		for _, row := range kinds {
			if row.word != p.Kind {
				continue
			}
			if p.Refusal != nil && row.kind == fault.Invalid {
				return delivery.Refuse(p.Refusal.core())
			}
			return &fault.Error{Op: op, Kind: row.kind, Reason: clip(p.Reason, 64), Err: &refused{clip(p.Detail, 2000), after, clip(p.Leader, 256)}}
		}
	}
	kind, reason := foreign(status)
	text := "the other side answered with status " + strconv.Itoa(status) + ", and it is none of our problems"
	return &fault.Error{Op: op, Kind: kind, Reason: reason, Err: &refused{text: text, after: after}}
}

// foreign says what a status means that somebody between gave.
func foreign(status int) (k fault.Kind, reason string) {
	switch status {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusRequestTimeout, http.StatusMisdirectedRequest:
		return fault.Unavailable, reasonCut
	case http.StatusTooManyRequests:
		return fault.Exhausted, ""
	case http.StatusUnauthorized:
		return fault.Forbidden, reasonUnauthenticated
	case http.StatusForbidden:
		return fault.Forbidden, ""
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		return fault.Invalid, reasonTooLarge
	}
	return fault.Internal, reasonUnexpected
}

// retryAfterOf reads Retry-After in seconds; a date counts as none.
func retryAfterOf(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// mediaType returns a content type without its parameters.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// clip cuts text to at most n bytes.
func clip(text string, n int) string {
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "")
	}
	return text
}

// encode writes v as JSON without escaping what only HTML minds.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, &fault.Error{Op: "restapi.encode", Kind: fault.Internal, Err: err}
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
