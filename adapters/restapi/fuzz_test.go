package restapi

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"footway/core/fault"
	"footway/core/porttest"
	"footway/core/trace"
)

// FuzzBodies decodes anything as each body that the APIs take. What is taken must
// be written and read again as the same.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{`{}`, `{"cause":"x"}`, `{"tip_cents":5,"ready_at":"2026-03-02T12:00:00Z"}`, `{"load":{"grams":1}}`, `{"a":{"a":{"a":[]}}}`, `{"token":"18446744073709551615","robot":"r"}`,
		`{"purpose":"load","want":"open","pin":"1"}`, `{"edge":1,"offset_mm":2}`, "null", "[]", "{", "\xff", `{"people":{"items":[{"name":"x"}]}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, v := range []any{&wireQuoteRequest{}, &wireAccept{}, &wireEdit{}, &wireCancel{}, &wireReady{}, &wireHandoff{}, &struct{}{}, &wireEstimateRequest{}, &wireSearch{}, &wirePosition{},
			&wireNewBusiness{}, &wireBusinessEdit{}, &wireNewStore{}, &wireStoreEdit{}, &wireRequest{}, &wireFinish{}, &wireNewWebhook{}, &wireWebhookEdit{}, &wireRotation{}, &wireResend{}} {
			if err := decode(body, v); err != nil {
				if !fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != reasonBadBody {
					t.Fatalf("%T: %v; want fault.Invalid", v, err)
				}
				continue
			}
			again, err := encode(v)
			if err != nil {
				t.Fatalf("%T was read, and cannot be written: %v", v, err)
			}
			if err := decode(again, v); err != nil {
				t.Fatalf("%T is written as %s, and cannot be read: %v", v, again, err)
			}
		}
	})
}

// FuzzNames reads anything as a segment, a reference, a cursor, a sequence and an entity tag.
func FuzzNames(f *testing.F) {
	for _, seed := range []string{"", "a", "ext:a", "~~YQ", "AQEx", "..", "7", `"7-x"`, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "2026-03-02T12:00:00.000Z"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := name(s); ok && segment(n) != s {
			t.Fatalf("segment %q is %q, which is written %q", s, n, segment(n))
		}
		if n, ok := name(segment(s)); ok != (len(s) <= maxSegment && strings.ToValidUTF8(s, "?") == s) || ok && n != s {
			t.Fatalf("%q is written %q and read as %q, %v", s, segment(s), n, ok)
		}
		if r, ok := readRef(s); ok && r.partners && externalRef(r.external) != s {
			t.Fatalf("reference %q is %+v", s, r)
		}
		if at, ok := eventAt(s); ok && eventMark(at) != s {
			t.Fatalf("the place of an event %q is %d", s, at)
		}
		if m, err := markFrom(s); err == nil && s != "" && markTo(m) != s {
			t.Fatalf("cursor %q is %+v", s, m)
		} else if err != nil && fault.ReasonOf(err) != reasonBadCursor {
			t.Fatal(err)
		}
		if n := sequenceOf(s); n < -1 || n > 1<<20 {
			t.Fatalf("sequence %q is %d", s, n)
		}
		var i instant
		if i.UnmarshalText([]byte(s)) == nil {
			if text, err := i.MarshalText(); err != nil {
				t.Fatalf("time %q is %s, %v", s, text, err)
			}
		}
		r := &http.Request{Header: http.Header{"If-Match": {s}, "Idempotency-Key": {s}}, URL: &url.URL{RawQuery: s}}
		if _, err := ifMatch(r); err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		if key, err := keyed(r, ""); err == nil && (key == "" || len(key) > maxSegment) {
			t.Fatalf("key %q is %q", s, key)
		}
		if q := readQuery(r, "a", "b*"); q.err != nil && !fault.Is(q.err, fault.Invalid) {
			t.Fatal(q.err)
		}
		trace.Valid(s)
		if honest(s) && (strings.Contains(s, "//") || strings.Contains(s, "/../") || strings.Contains(s, "%") || !strings.HasPrefix(s, "/")) {
			t.Fatalf("path %q is taken for plain", s)
		}
	})
}

// FuzzAnswers has the other side answer anything.
func FuzzAnswers(f *testing.F) {
	f.Add(400, problemType, []byte(`{"kind":"invalid","reason":"x","refusal":{"reason":"too_large"}}`), 1)
	f.Add(200, eventStream, []byte("event: state\nid: 7\ndata: {}\n\n: alive\n\n"), 2)
	f.Add(503, "text/html", []byte("<html>"), -1)
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte, after int) {
		h := http.Header{"Content-Type": {contentType}, "Retry-After": {strings.Repeat("9", max(0, after%30))}}
		if err := faultOf("op", status, h, body); err == nil {
			t.Fatal("an answer that is no success is no error")
		}
		var e sentEvent
		for line := range strings.SplitSeq(string(body), "\n") {
			if e.line(line) {
				e = sentEvent{}
			}
		}
		for _, v := range []interface{ unmarshal([]byte) error }{into[wireFound]{}, into[wireDecisions]{}, into[wireEstimate]{}, into[wireBoard]{}, into[wireUpdates]{}} {
			if err := v.unmarshal(body); err != nil && describe(err) == nil {
				t.Fatal("an error that says nothing")
			}
		}
	})
}

// into decodes an answer as clients do, and makes the core's type of it.
type into[T any] struct{}

func (into[T]) unmarshal(b []byte) error {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := any(v).(type) {
	case wireFound:
		v.Delivery.core()
		v.People.core("")
	case wireDecisions:
		each(v.Decisions, wireDecision.core)
	case wireEstimate:
		v.core()
	case wireBoard:
		each(v.Deliveries, wireDelivery.core)
	case wireUpdates:
		each(v.Updates, wireUpdate.core)
	}
	return nil
}

// FuzzRequests sends anything to both APIs: an answer of ours, and never that
// something is wrong on our side.
func FuzzRequests(f *testing.F) {
	for _, seed := range []struct{ method, target, body string }{
		{"GET", "/v1/deliveries/d1", ""}, {"PATCH", "/v1/deliveries/ext:a", `{"tip_cents":1}`}, {"POST", "/v1/quotes", `{"market":"m"}`}, {"GET", "/v1/board?state=x&cursor=AQEx", ""},
		{"PUT", "/v1/markets/m/requests/d/1", `{"kind":"delivery","pickup":{},"dropoff":{},"load":{}}`}, {"GET", "/v1/markets/m/decisions?after=x", ""}, {"DELETE", "/v1/markets/m/requests/~~YS9i/1", ""},
		{"POST", "/v1/businesses/cafe/stores", `{"name":"x","address":"y"}`}, {"POST", "/v1/markets/m/address-searches", `{"query":"1","limit":-1}`}, {"OPTIONS", "*", ""}, {"GET", "//", ""},
	} {
		for token := range 4 {
			f.Add(seed.method, seed.target, seed.body, token)
		}
	}
	h := newBareHouse(f, nil)
	town := porttest.NewDispatchTown(2)
	apis := []*API{h.api, NewDispatch(DispatchDeps{Dispatcher: town.Service, Decisions: town.Service, Bell: NewBell()}, Options{Auth: auth()})}
	tokens := []string{integrationsToken, deliveriesToken, merchantToken, quayToken, ""}
	f.Fuzz(func(t *testing.T, method, target, body string, token int) {
		u, err := url.ParseRequestURI(target)
		if err != nil || strings.Contains(target, "/events") || strings.Contains(target, "wait=") {
			return // no server is asked this, and nobody waits here
		}
		for _, a := range apis {
			r := &http.Request{Method: method, URL: u, Header: http.Header{"Content-Type": {jsonType}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
				Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "x", RequestURI: target}
			if n := token % len(tokens); n >= 0 && tokens[n] != "" {
				r.Header.Set("Authorization", "Bearer "+tokens[n])
			}
			w := httptest.NewRecorder()
			a.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Fatalf("%s %s is answered with %d %s", method, target, w.Code, w.Body)
			}
			if w.Code >= 400 && w.Header().Get("Content-Type") != problemType {
				t.Fatalf("%s %s is answered with %d and no problem", method, target, w.Code)
			}
		}
	})
}
