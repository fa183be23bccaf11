package integrations_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"footway/adapters/integrations"
)

// wantEnvelope fails unless an answer is JSON, ours is not to blame, and an error has Drive's envelope.
func wantEnvelope(t *testing.T, r *httptest.ResponseRecorder) {
	t.Helper()
	if !json.Valid(r.Body.Bytes()) || r.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v, no JSON: %q", r.Code, r.Header(), r.Body)
	}
	if r.Code >= 500 {
		t.Fatalf("%d %s", r.Code, r.Body)
	}
	if r.Code < 300 {
		return
	}
	var p struct{ Code, Message string }
	if err := json.Unmarshal(r.Body.Bytes(), &p); err != nil || p.Code == "" || p.Message == "" {
		t.Fatalf("%d without Drive's envelope: %s", r.Code, r.Body)
	}
}

// FuzzDoor sends any method, path, type and body, signed by a partner.
func FuzzDoor(f *testing.F) {
	for _, s := range [][3]string{
		{"POST", "/drive/v2/quotes", plainOrder}, {"POST", "/drive/v2/quotes/D-1/accept", "{}"}, {"GET", "/drive/v2/deliveries/D-1", ""}, {"PATCH", "/drive/v2/deliveries/D-1", `{"tip":1}`},
		{"PUT", "/drive/v2/deliveries/D-1/cancel", ""}, {"GET", "/events?after=0&limit=2&wait=0", ""}, {"POST", "/events/replay", `{"endpoint_id":"x","after":1}`},
		{"POST", "/oauth/v2/token", "grant_type=client_credentials&client_id=x&client_secret=y"}, {"GET", "/drive/v2/deliveries/%2e%2e%2f", ""}, {"OPTIONS", "*", ""},
	} {
		f.Add(s[0], s[1], "application/json", []byte(s[2]))
	}
	w := newWorld(f, nil)
	f.Fuzz(func(t *testing.T, method, target, kind string, body []byte) {
		if strings.Contains(target, "wait") { // it would
			return
		}
		// What net/http would refuse before us is not ours.
		r, err := http.NewRequestWithContext(context.Background(), method, "http://x/", bytes.NewReader(body))
		if err != nil {
			return
		}
		line, err := http.NewRequestWithContext(context.Background(), http.MethodGet, target, nil)
		if err != nil || strings.ContainsAny(target, " \r\n") {
			return
		}
		r.URL, r.RequestURI = line.URL, target
		r.Header.Set("Authorization", "Bearer "+w.token(w.acme).sign(t))
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		out := httptest.NewRecorder()
		w.door.ServeHTTP(out, r)
		wantEnvelope(t, out)
	})
}

// FuzzToken sends anything as a token. None but those that a key signs get in.
func FuzzToken(f *testing.F) {
	w := newWorld(f, nil)
	good := w.token(w.acme).sign(f)
	f.Add(good)
	for _, change := range []func(*jot){
		func(j *jot) { j.claims["exp"] = 1e300 }, func(j *jot) { j.claims["kid"] = []int{1} }, func(j *jot) { j.header["typ"] = "at+jwt" }, func(j *jot) { j.header["kid"] = w.tokens[0].ID; j.header["typ"] = "at+jwt" },
		func(j *jot) { j.claims["aud"] = nil }, func(j *jot) { j.header["alg"] = 7 }, func(j *jot) { j.claims["iat"] = "x" },
	} {
		j := w.token(w.acme)
		change(&j)
		f.Add(j.sign(f))
	}
	f.Add("..")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/drive/v2/deliveries/D-1", nil)
		r.Header["Authorization"] = []string{"Bearer " + token}
		out := httptest.NewRecorder()
		w.door.ServeHTTP(out, r)
		wantEnvelope(t, out)
		if out.Code != http.StatusUnauthorized && token != good {
			t.Fatalf("%q gets in: %d %s", token, out.Code, out.Body)
		}
	})
}

// BenchmarkDoor is what the door adds to a request: token, limits, envelope.
func BenchmarkDoor(b *testing.B) {
	w := newWorld(b, func(d *integrations.Deps, _ *integrations.Options) {
		d.Drive = func(context.Context, integrations.Request) integrations.Answer {
			return integrations.Answer{Status: http.StatusOK, Body: []byte("{}"), Operation: "get"}
		}
	})
	token := "Bearer " + w.token(w.acme).sign(b)
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/drive/v2/deliveries/D-1", nil)
		r.Header.Set("Authorization", token)
		out := httptest.NewRecorder()
		w.door.ServeHTTP(out, r)
		if out.Code != http.StatusOK {
			b.Fatal(out.Code, out.Body)
		}
	}
}
