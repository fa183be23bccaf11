package integrations_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"footway/adapters/integrations"
	"footway/core/integration"
)

// TestUberDirectSDK drives the door with the client that partners of Uber Direct have.
func TestUberDirectSDK(t *testing.T) {
	w := newWorld(t, nil)
	out := w.run(t, "uber-direct", "uber.js", "CUSTOMER=acme", "UBER_DIRECT_CLIENT_ID="+w.acme.ID, "UBER_DIRECT_CLIENT_SECRET="+w.acme.Secret.Text())
	type answer struct {
		ID, Status string
		Fee, Tip   int
		Quote      string `json:"quote_id"`
		External   string `json:"external_id"`
		Live       bool   `json:"live_mode"`
		Dropoff    struct{ Notes string }
	}
	var told []struct {
		Step     string
		Answer   answer
		Error    string
		Status   int
		Metadata map[string]string
	}
	if err := json.Unmarshal(out, &told); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := []struct{ step, status, err string }{
		{"quote", "", ""}, {"create", "pending", ""}, {"again", "pending", ""}, {"get", "pending", ""}, {"list", "pending", ""}, {"update", "pending", ""}, {"cancel", "canceled", ""},
		{"used", "", "used_quote"}, {"afresh", "pending", ""}, {"duplicate", "", "duplicate_delivery"}, {"unknown", "", "delivery_not_found"}, {"invalid", "", "invalid_params"},
		{"proof", "", "invalid_params"}, {"elsewhere", "", "customer_not_found"}, {"stranger", "", "unauthorized"},
	}
	if len(told) != len(want) {
		t.Fatalf("%d steps, want %d: %s", len(told), len(want), out)
	}
	for i, s := range told {
		if s.Step != want[i].step || s.Answer.Status != want[i].status || s.Error != want[i].err {
			t.Errorf("step %d is %+v; want %+v", i+1, s, want[i])
		}
	}
	quote, made := told[0].Answer, told[1].Answer
	if !strings.HasPrefix(quote.ID, "dqt_") || !strings.HasPrefix(made.ID, "del_") || made.Quote != quote.ID || made.External != "EI-1" || !made.Live {
		t.Errorf("the quote is %+v, the delivery %+v", quote, made)
	}
	for i := 2; i < 7; i++ {
		if told[i].Answer.ID != made.ID {
			t.Errorf("step %s is of %s, want %s", told[i].Step, told[i].Answer.ID, made.ID)
		}
	}
	if updated := told[5].Answer; quote.Fee <= 0 || made.Fee != quote.Fee+500 || updated.Fee != quote.Fee+600 || updated.Tip != 600 || updated.Dropoff.Notes != "Call when you arrive" {
		t.Errorf("quoted %+v, created %+v, changed %+v; want the quoted fee, and it with tips of 500 and 600", quote, made, updated)
	}
	if told[9].Metadata["delivery_id"] != told[8].Answer.ID {
		t.Errorf("a duplicate names %v, want %s", told[9].Metadata, told[8].Answer.ID)
	}
	for i, status := range map[int]int{7: 400, 9: 409, 10: 404, 11: 400, 13: 404, 14: 401} {
		if told[i].Status != status {
			t.Errorf("step %s has status %d, want %d", told[i].Step, told[i].Status, status)
		}
	}
}

// customer begins the paths of a partner in Uber's words.
const customer = "/v1/customers/acme/"

const uberOrder = `{"pickup_name": "Café Quay", "pickup_address": "1 Quay", "pickup_phone_number": "+12065550100", "dropoff_name": "Ada", "dropoff_address": "14 Quay",
	"dropoff_phone_number": "+12065550123", "manifest_items": [{"name": "Soup"}], "external_id": "E", "tip": 250}`

// access returns an access token of a key, as clients of Uber Direct have them.
func (w *world) access(t testing.TB, k integration.Issued, scope string) got {
	t.Helper()
	form := url.Values{"client_id": {k.ID}, "client_secret": {k.Secret.Text()}, "grant_type": {"client_credentials"}, "scope": {scope}}
	r := w.request("", http.MethodPost, "/oauth/v2/token", form.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.send(r)
}

// TestScopes sees which tokens are given out.
func TestScopes(t *testing.T) {
	w := newWorld(t, nil)
	for scope, want := range map[string]int{"eats.deliveries": 200, "direct.organizations eats.deliveries": 200, "": 200, "direct.organizations": 400, "eats.deliveries all": 400} {
		g := w.access(t, w.acme, scope)
		if g.StatusCode != want || want == 200 && g.field("scope") != "eats.deliveries" {
			t.Errorf("%q: %d %s, want %d and no more than eats.deliveries", scope, g.StatusCode, g.body, want)
		}
	}
}

// wantUber reports unless an answer is an error in Uber's envelope.
func wantUber(t testing.TB, what string, g got, status int, code string) {
	t.Helper()
	if g.StatusCode != status || g.field("code") != code || g.field("message") == "" || g.field("kind") != "error" || g.Header.Get("Content-Type") != "application/json" || g.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s: %d %v %s; want %d %s in Uber's envelope", what, g.StatusCode, g.Header, g.body, status, code)
	}
}

// TestUberIntrusions tries to get at what is another's, or past the door.
func TestUberIntrusions(t *testing.T) {
	w := newWorld(t, nil)
	made := w.ask(w.acme, http.MethodPost, customer+"deliveries", uberOrder)
	if made.StatusCode != http.StatusOK {
		t.Fatal(string(made.body))
	}
	at := customer + "deliveries/" + made.field("id")
	token := w.access(t, w.acme, "eats.deliveries").field("access_token")
	theirs := w.access(t, w.other, "eats.deliveries").field("access_token")
	old := w.token(w.acme)
	old.claims["iat"], old.claims["exp"] = w.clock.Now().Std().Unix()-120, w.clock.Now().Std().Unix()-60
	send := func(authorization, method, path, body, kind string) got {
		r := w.request(authorization, method, path, body)
		if kind != "" {
			r.Header.Set("Content-Type", kind)
		}
		return w.send(r)
	}
	for _, c := range []struct {
		name, authorization, method, path, body, kind string
		status                                        int
		code                                          string
	}{
		{"no token", "", "GET", at, "", "", 401, "unauthorized"},
		{"no token at all", "Bearer x", "GET", at, "", "", 401, "unauthorized"},
		{"an expired token", "Bearer " + old.sign(t), "GET", at, "", "", 401, "unauthorized"},
		{"a changed token", "Bearer " + token[:len(token)-2] + "xx", "GET", at, "", "", 401, "unauthorized"},
		{"another's token for one's path", "Bearer " + theirs, "GET", at, "", "", 404, "customer_not_found"},
		{"another's token to cancel", "Bearer " + theirs, "POST", at + "/cancel", "", "", 404, "customer_not_found"},
		{"another's delivery below one's own path", "Bearer " + theirs, "GET", strings.Replace(at, "acme", "other", 1), "", "", 404, "delivery_not_found"},
		{"the sandbox's path", "Bearer " + token, "GET", strings.Replace(at, "acme", "acme-test", 1), "", "", 404, "customer_not_found"},
		{"a path that another may read differently", "Bearer " + token, "GET", customer + "../acme/deliveries", "", "", 404, "unknown_operation"},
		{"an encoded slash", "Bearer " + token, "GET", strings.Replace(at, "/deliveries/", "%2Fdeliveries%2F", 1), "", "", 404, "unknown_operation"},
		{"a method that there is not", "Bearer " + token, "DELETE", at, "", "", 405, "method_not_allowed"},
		{"nothing", "Bearer " + token, "GET", customer + "organizations", "", "", 404, "unknown_operation"},
		{"a huge body", "Bearer " + token, "POST", customer + "deliveries", `{"x":"` + strings.Repeat("x", 300<<10) + `"}`, "", 413, "invalid_params"},
		{"a form", "Bearer " + token, "POST", customer + "deliveries", "a=b", "application/x-www-form-urlencoded", 415, "invalid_params"},
		{"deep nesting", "Bearer " + token, "POST", customer + "deliveries", `{"manifest_items":` + strings.Repeat("[", 50_000), "", 400, "invalid_params"},
		{"another's market", "Bearer " + token, "POST", customer + "delivery_quotes", "{}", "", 403, "customer_blocked"},
	} {
		r := w.request(c.authorization, c.method, c.path, c.body)
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		if c.name == "another's market" {
			r.Header.Set("Footway-Market", "test")
		}
		wantUber(t, c.name, w.send(r), c.status, c.code)
	}
	if g := send("Bearer "+token, "GET", at, "", ""); g.StatusCode != http.StatusOK || g.field("status") != "pending" {
		t.Errorf("one's own afterwards: %d %s; want it pending", g.StatusCode, g.body)
	}
	w.clock.advance(61 * time.Minute)
	wantUber(t, "an access token after its hour", send("Bearer "+token, "GET", at, "", ""), 401, "unauthorized")
	if logged := w.logged.String(); strings.Contains(logged, "+1206555") || strings.Contains(logged, token) {
		t.Error("a phone number or a token is in the log")
	}
}

// TestUberLimits sees that the door's limits hold in Uber's words too.
func TestUberLimits(t *testing.T) {
	w := newWorld(t, func(_ *integrations.Deps, o *integrations.Options) { o.PerMinute, o.Burst = 1, 1 })
	if g := w.ask(w.acme, http.MethodGet, customer+"deliveries", ""); g.StatusCode != http.StatusOK {
		t.Fatalf("the first: %d %s", g.StatusCode, g.body)
	}
	g := w.ask(w.acme, http.MethodGet, customer+"deliveries", "")
	wantUber(t, "the second", g, http.StatusTooManyRequests, "customer_limited")
	if g.Header.Get("Retry-After") == "" {
		t.Errorf("429 with %v; want Retry-After", g.Header)
	}
	recorded := make(chan integrations.Recorded, 1)
	w = newWorld(t, func(d *integrations.Deps, _ *integrations.Options) {
		d.Record = integrations.NewRecorder(func(r integrations.Recorded) error { recorded <- r; return nil }, 1, d.Log)
	})
	w.ask(w.acme, http.MethodPost, customer+"delivery_quotes", "{}")
	if r := <-recorded; r.Partner != "acme" || r.Path != customer+"delivery_quotes" {
		t.Errorf("recorded is %+v", r)
	}
	w = newWorld(t, func(d *integrations.Deps, _ *integrations.Options) { d.Uber = nil })
	wantUber(t, "where it is not served", w.ask(w.acme, http.MethodGet, customer+"deliveries", ""), http.StatusNotFound, "unknown_operation")
	w = newWorld(t, func(d *integrations.Deps, _ *integrations.Options) {
		d.Uber = func(context.Context, integrations.Request) integrations.Answer { panic("of no importance") }
	})
	wantUber(t, "when it breaks", w.ask(w.acme, http.MethodGet, customer+"deliveries", ""), http.StatusInternalServerError, "internal_server_error")
}

// TestBothDialects looks at one delivery in the words of both.
func TestBothDialects(t *testing.T) {
	w := newWorld(t, nil)
	made := w.ask(w.acme, http.MethodPost, customer+"deliveries", uberOrder)
	id := made.field("id")
	see := func(what, drive, uber string) {
		t.Helper()
		d, u := w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/"+id, ""), w.ask(w.acme, http.MethodGet, customer+"deliveries/"+id, "")
		if d.field("delivery_status") != drive || u.field("status") != uber || d.field("external_delivery_id") != u.field("id") {
			t.Errorf("%s: %s and %s; want %s and %s of one delivery", what, d.body, u.body, drive, uber)
		}
		var a struct{ Fee, Tip int }
		var b struct{ Fee, Tip int }
		if json.Unmarshal(d.body, &a) != nil || json.Unmarshal(u.body, &b) != nil || a.Fee+a.Tip != b.Fee || a.Tip != b.Tip || a.Fee <= 0 {
			t.Errorf("%s: the amounts are %+v and %+v; want Drive's fee and tip to be Uber's fee", what, a, b)
		}
	}
	see("made", "created", "pending")
	if g := w.ask(w.acme, http.MethodPatch, "/drive/v2/deliveries/"+id, `{"tip": 700}`); g.StatusCode != http.StatusOK {
		t.Fatal(string(g.body))
	}
	see("changed by Drive", "created", "pending")
	if g := w.ask(w.acme, http.MethodPost, customer+"deliveries/"+id+"/cancel", ""); g.StatusCode != http.StatusOK {
		t.Fatal(string(g.body))
	}
	if d := w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/"+id, ""); d.field("delivery_status") != "cancelled" || d.field("cancellation_reason") != "cancelled_by_creator" {
		t.Errorf("cancelled by Uber's words, Drive says %s", d.body)
	}
	if g := w.ask(w.acme, http.MethodPost, "/drive/v2/deliveries", plainOrder); g.StatusCode != http.StatusOK {
		t.Fatal(string(g.body))
	}
	if u := w.ask(w.acme, http.MethodGet, customer+"deliveries/D-1", ""); u.field("id") != "D-1" || u.field("status") != "pending" {
		t.Errorf("a delivery of Drive's is %s in Uber's words", fmt.Sprint(string(u.body)))
	}
}
