package restapi

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/maps"
	"footway/core/merchant"
	"footway/core/porttest"
)

// fill sets everything within v to values that are not zero.
func fill(v reflect.Value, r *rand.Rand) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), r)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), r)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), r)
		}
	case reflect.String:
		v.SetString("s<&>\"é" + string(rune('a'+r.IntN(26))) + string(rune('a'+r.IntN(26))))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		n := 1 + r.Int64N(1<<31-2)
		if v.Type() == reflect.TypeFor[clock.Time]() {
			n = 1 + r.Int64N(int64(lastInstant)-1)
		}
		v.SetInt(n)
	case reflect.Uint64:
		v.SetUint(1 + r.Uint64N(1<<53-1))
	default:
		panic("fill: " + v.Type().String())
	}
}

// roundTrip sends values through the wire and compares what arrives. A field of
// the core that the wire forgets fails it.
func roundTrip[C, W any](t *testing.T, to func(C) W, from func(W) C, outside func(C) C) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		var c C
		fill(reflect.ValueOf(&c).Elem(), r)
		body, err := encode(to(c))
		if err != nil {
			t.Fatal(err)
		}
		if err := shape(body); err != nil {
			t.Fatalf("%T: %v: %s", c, err, body)
		}
		var w W
		if err := json.Unmarshal(body, &w); err != nil {
			t.Fatalf("%T: %v: %s", c, err, body)
		}
		if diff := cmp.Diff(outside(c), from(w)); diff != "" {
			t.Fatalf("%T (-sent +arrived):\n%s", c, diff)
		}
	}
	var zero C
	body, err := encode(to(zero))
	if err != nil {
		t.Fatal(err)
	}
	var w W
	if err := json.Unmarshal(body, &w); err != nil {
		t.Fatalf("%T: %v: %s", zero, err, body)
	}
	if diff := cmp.Diff(outside(zero), from(w)); diff != "" {
		t.Errorf("the zero %T (-sent +arrived):\n%s", zero, diff)
	}
}

func same[T any](v T) T { return v }

func TestRoundTrips(t *testing.T) {
	roundTrip(t, deliveryTo, wireDelivery.core, porttest.Outside)
	roundTrip(t, updateTo, wireUpdate.core, func(u delivery.Update) delivery.Update { u.Trace = ""; return u })
	roundTrip(t, peopleTo, func(w *wirePeople) delivery.Personal { return w.core("") },
		func(p delivery.Personal) delivery.Personal { p.Delivery = ""; return p })
	roundTrip(t, quoteRequestTo, func(w wireQuoteRequest) delivery.QuoteRequest { return w.core("") }, func(r delivery.QuoteRequest) delivery.QuoteRequest {
		r.Partner, r.Personal.Delivery = "", "" // it is in a header, and filled in
		return r
	})
	roundTrip(t, acceptTo, wireAccept.core, same)
	roundTrip(t, editTo, func(w wireEdit) delivery.Edit { return w.core(0) }, func(e delivery.Edit) delivery.Edit {
		e.Sequence = 0 // it is in If-Match
		return e
	})
	roundTrip(t, handoffTo, wireHandoff.core, same)
	roundTrip(t, estimateRequestTo, func(w wireEstimateRequest) dispatch.EstimateRequest { return dispatchEstimate("", w) }, func(r dispatch.EstimateRequest) dispatch.EstimateRequest {
		r.Market = ""
		return r
	})
	roundTrip(t, estimateTo, wireEstimate.core, same)
	roundTrip(t, func(r dispatch.Refusal) *wireRefusal { return refusalTo(&r) }, (*wireRefusal).core, same)
	roundTrip(t, requestTo, func(w wireRequest) dispatch.Request { return w.core("", "", 0) }, func(r dispatch.Request) dispatch.Request {
		r.Market, r.Delivery, r.Attempt = "", "", 0 // they are in the path
		r.Trace = ""                                // it is in traceparent
		return r
	})
	roundTrip(t, finishTo, func(w wireFinish) dispatch.Finish { return w.core("", "", 0) }, func(f dispatch.Finish) dispatch.Finish {
		f.Market, f.Delivery, f.Attempt = "", "", 0
		return f
	})
	roundTrip(t, decisionTo, wireDecision.core, same)
	roundTrip(t, matchTo, wireMatch.core, same)
	roundTrip(t, func(p maps.Point) *wirePoint { return pointTo(&p) }, func(w *wirePoint) maps.Point { return *w.core() }, same)
	roundTrip(t, businessTo, wireBusiness.core, same)
	roundTrip(t, storeTo, wireStore.core, same)
	roundTrip(t, func(e merchant.BusinessEdit) wireBusinessEdit { return wireBusinessEdit(e) }, func(w wireBusinessEdit) merchant.BusinessEdit { return merchant.BusinessEdit(w) }, same)
}

// TestTokens sends tokens of any size: they are above what JSON numbers hold everywhere.
func TestTokens(t *testing.T) {
	for _, token := range []uint64{0, 1, 1 << 53, 1<<53 + 1, 1<<63 + 1, 1<<64 - 1} {
		body, err := encode(finishTo(dispatch.Finish{Token: token}))
		if err != nil {
			t.Fatal(err)
		}
		var w wireFinish
		if err := decode(body, &w); err != nil || w.Token != token {
			t.Errorf("token %d arrives as %d, %v", token, w.Token, err)
		}
	}
}

func TestInstants(t *testing.T) {
	for text, want := range map[string]clock.Time{
		"2026-03-02T12:00:00Z": 1772452800000, "2026-03-02T12:00:00.120Z": 1772452800120, "2026-03-02T13:00:00.120+01:00": 1772452800120,
		"1970-01-01T00:00:00Z": 0, "9999-12-31T23:59:59.999Z": lastInstant,
	} {
		var i instant
		if err := i.UnmarshalText([]byte(text)); err != nil || clock.Time(i) != want {
			t.Errorf("%q is %d, %v; want %d", text, i, err, want)
		}
	}
	for _, text := range []string{"", "now", "2026-03-02", "2026-03-02T12:00:00", "2026-03-02T12:00:00.0001Z", "1969-12-31T23:59:59Z", "2026-13-02T12:00:00Z",
		"10000-01-01T00:00:00Z", "9999-12-31T23:59:59.999-01:00", "2026-03-02T12:00:00.1200000000000000000000000000Z", "1772452800000"} {
		var i instant
		if err := i.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %s", text, clock.Time(i))
		}
	}
	for _, i := range []instant{-1, instant(lastInstant) + 1} {
		if text, err := i.MarshalText(); err == nil {
			t.Errorf("%d is written %s", i, text)
		}
	}
}

func TestSegments(t *testing.T) {
	for _, n := range []string{"", "a", ".", "..", "...", "a/b", "%2f", "~", "~~", "~~YQ", "ä", "a b", "ext:a", "A-Z_.~9"} {
		s := segment(n)
		if !honest("/x/" + s) {
			t.Errorf("%q is written %q, which is no plain segment", n, s)
		}
		if got, ok := name(s); !ok || got != n {
			t.Errorf("%q is read back as %q, %v", n, got, ok)
		}
	}
	for _, s := range []string{"", ".", "..", "a b", "a/b", "%41", "~~YQ", "~~YR", "~~!", "~~YQ==", "ä", "a:b"} {
		if n, ok := name(s); ok {
			t.Errorf("segment %q is taken for %q; want one form of each name only", s, n)
		}
	}
}
