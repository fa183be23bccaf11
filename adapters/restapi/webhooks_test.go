package restapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footway/adapters/memory"
	"footway/adapters/partner"
	"footway/adapters/webhook"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// Tokens of people of the businesses of partner p, and of one of partner q.
const (
	adaToken    = "token-of-ada-the-admin-of-bakery"
	staffToken  = "token-of-staff-of-the-bakery"
	quayAdmin   = "token-of-an-admin-of-one-store"
	barToken    = "token-of-the-admin-of-the-bar"
	elsewhere   = "token-of-another-partners-bakery"
	strangerOfR = "token-of-an-unregistered-partner"
)

// callersOfWebhooks are who has these tokens.
func callersOfWebhooks(_ context.Context, token string) (Caller, error) {
	c, ok := map[string]Caller{
		adaToken:    {Role: RoleMerchant, Name: "ada", Partner: "p", Business: "bakery", Admin: true},
		staffToken:  {Role: RoleMerchant, Name: "stan", Partner: "p", Business: "bakery"},
		quayAdmin:   {Role: RoleMerchant, Name: "quinn", Partner: "p", Business: "bakery", Store: "quay", Admin: true},
		barToken:    {Role: RoleMerchant, Name: "bea", Partner: "p", Business: "bar", Admin: true},
		elsewhere:   {Role: RoleMerchant, Name: "eve", Partner: "q", Business: "bakery", Admin: true},
		strangerOfR: {Role: RoleMerchant, Name: "rob", Partner: "r", Business: "bakery", Admin: true},
	}[token]
	if !ok {
		return Caller{}, fault.New("test", fault.NotFound, "", "nobody")
	}
	return c, nil
}

// postOffice is the API of webhooks over memory stores, on loopback.
type postOffice struct {
	t        testing.TB
	now      *fake.Clock
	log      *memory.PartnerLog
	registry *integration.Registry
	post     *integration.Post
	address  string
	changed  atomic.Int64
	pong     integration.Outcome
	pinged   []string
}

func newPostOffice(t testing.TB, change func(*WebhooksDeps)) *postOffice {
	t.Helper()
	now, stores, lines := fake.NewClock(fake.Start), memory.NewRegistry(), memory.NewLineStore()
	o := &postOffice{t: t, now: now, log: memory.NewPartnerLog(now), pong: integration.Outcome{Cause: "status 204"}}
	o.registry = integration.NewRegistry(integration.RegistryDeps{Partners: stores, Keys: stores, Endpoints: stores, Secrets: stores, Source: &fake.Source{}, Clock: now,
		CheckURL:    webhook.Addresses{}.CheckURL,
		Environment: func(market.ID) (integration.Environment, error) { return integration.Live, nil }})
	for _, p := range []delivery.PartnerID{"p", "q"} {
		if _, err := o.registry.AddPartner(t.Context(), integration.Partner{ID: p, Name: "P", Environment: integration.Live, Markets: []market.ID{"m"}}); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	o.post, err = integration.NewPost(integration.PostDeps{Lines: lines, Ends: lines, Log: o.log, Recent: o.log, Endpoints: o.registry, Clock: now, Name: partner.EventName}, integration.DefaultRules())
	if err != nil {
		t.Fatal(err)
	}
	d := WebhooksDeps{Registry: o.registry, Post: o.post, Names: partner.EventNames(), EventID: partner.EventID, Clock: now, Changed: func() { o.changed.Add(1) },
		Calls: Pace{PerMinute: 1, Burst: 1000}, Ping: func(_ context.Context, e integration.Endpoint) (integration.Outcome, error) {
			o.pinged = append(o.pinged, e.ID)
			return o.pong, nil
		}}
	if change != nil {
		change(&d)
	}
	api := NewWebhooks(d, Options{Auth: Auth{People: callersOfWebhooks}, Log: slog.New(slog.DiscardHandler)})
	o.address = serve(t, api, newContract(t, "webhooks", api))
	return o
}

// ask makes a request, and reads the answer into out unless that is nil.
func (o *postOffice) ask(method, path, token, body string, status int, out any) {
	o.t.Helper()
	a := send(o.t, method, o.address+path, token, body)
	if a.status != status {
		o.t.Fatalf("%s %s is answered with %d %s; want %d", method, path, a.status, a.body, status)
	}
	if out == nil {
		return
	}
	if err := json.Unmarshal([]byte(a.body), out); err != nil {
		o.t.Fatalf("%s %s is answered with %s: %v", method, path, a.body, err)
	}
}

// makes makes a webhook.
func (o *postOffice) makes(token, url string) wireIssuedWebhook {
	o.t.Helper()
	var made wireIssuedWebhook
	o.ask("POST", WebhooksPath, token, fmt.Sprintf(`{"url":%q}`, url), 200, &made)
	return made
}

// happen takes the first update of a delivery of a store.
func (o *postOffice) happen(store string, id delivery.ID) {
	o.t.Helper()
	u := delivery.Update{Delivery: id, Sequence: 1, Kind: delivery.StateChanged, At: o.now.Now(), Market: "m", Partner: "p", ExternalID: "order " + string(id), To: delivery.Requested, Store: store}
	if err := o.log.Take(o.t.Context(), u); err != nil {
		o.t.Fatal(err)
	}
}

// turn has all webhooks of an endpoint tried that are due.
func (o *postOffice) turn(id string, say integration.Outcome) (told []string) {
	o.t.Helper()
	e, err := o.registry.OwnEndpoint(o.t.Context(), integration.Owner{Partner: "p"}, id)
	if err != nil {
		o.t.Fatal(err)
	}
	r, err := o.post.Open(o.t.Context(), e, "the test")
	if err != nil {
		o.t.Fatal(err)
	}
	due, err := r.Due(o.t.Context(), 100)
	for _, d := range due {
		told = append(told, string(d.Delivery))
		if err == nil {
			err = r.Settle(o.t.Context(), d.Position, say)
		}
	}
	if err == nil {
		err = r.Close(o.t.Context())
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return told
}

func (o *postOffice) eventsOf(path string) (page wireEvents, fates []string) {
	o.t.Helper()
	o.ask("GET", path, adaToken, "", 200, &page)
	for _, e := range page.Events {
		fates = append(fates, fmt.Sprintf("%s %s %d %s", e.ExternalID, e.Fate, e.Attempts, e.Answer))
	}
	return page, fates
}

func wantFates(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q; want %q", what, got, want)
	}
}

// TestWebhooks is the life of a webhook.
func TestWebhooks(t *testing.T) {
	o := newPostOffice(t, nil)
	o.ask("GET", "/openapi.json", "", "", 200, nil)
	var all wireWebhooks
	o.ask("GET", WebhooksPath, adaToken, "", 200, &all)
	if len(all.Webhooks) != 0 {
		t.Fatalf("there are %+v before any was made", all)
	}
	o.happen("bakery/quay", "before")
	made := o.makes(adaToken, "https://hooks.example.com/a?key=x")
	one := WebhooksPath + "/" + made.Webhook.ID
	if !strings.HasPrefix(made.Secret, "whsec_") || made.Webhook.Status != integration.Active || o.changed.Load() != 1 {
		t.Errorf("it was made as %+v, and %d were told; want a secret, active, one", made.Webhook, o.changed.Load())
	}
	for _, path := range []string{WebhooksPath, one} {
		if a := send(t, "GET", o.address+path, adaToken, ""); strings.Contains(a.body, made.Secret) || !strings.Contains(a.body, made.Webhook.ID) {
			t.Errorf("GET %s is answered with %s; want the webhook, and no secret", path, a.body)
		}
	}
	o.happen("bakery/quay", "d1")
	o.happen("bar/quay", "d2")
	o.happen("bakery/hill", "d3")
	_, fates := o.eventsOf(one + "/events")
	wantFates(t, "before a turn", fates, "order d3 waiting 0 ", "order d1 waiting 0 ")
	wantFates(t, "told", o.turn(made.Webhook.ID, integration.Outcome{Cause: "status 200"}), "d1", "d3")
	page, fates := o.eventsOf(one + "/events")
	wantFates(t, "after a turn", fates, "order d3 told 1 status 200", "order d1 told 1 status 200")
	if e := page.Events[1]; e.Name != "FOOTWAY_CREATED" || e.EventID != "evt_d1_1" || e.Store != "bakery/quay" || e.EndedAt == 0 || page.Next != "" {
		t.Errorf("the event is %+v, next %q", e, page.Next)
	}
	o.ask("POST", one+"/events/"+page.Events[1].Place+"/resend", adaToken, "{}", 204, nil)
	wantFates(t, "sent again", o.turn(made.Webhook.ID, integration.Outcome{Verdict: integration.Refused, Cause: "status 400"}), "d1")
	_, fates = o.eventsOf(one + "/events?failed=true")
	wantFates(t, "what failed", fates, "order d1 waiting 1 status 400")
	o.now.Advance(clock.Hour)
	o.ask("POST", one+"/resend", adaToken, fmt.Sprintf(`{"from":%q}`, page.Events[1].Place), 204, nil)
	wantFates(t, "all sent again", o.turn(made.Webhook.ID, integration.Outcome{}), "d1", "d3")
	page, _ = o.eventsOf(one + "/events?limit=1")
	rest, fates := o.eventsOf(one + "/events?limit=1&cursor=" + page.Next)
	wantFates(t, "the second page", fates, "order d1 told 1 ")
	if last, fates := o.eventsOf(one + "/events?cursor=" + rest.Next); len(fates) != 0 || last.Next != "" {
		t.Errorf("behind the last page there is %q", fates)
	}
	o.ask("DELETE", one, adaToken, "", 204, nil)
	o.ask("GET", one, adaToken, "", 404, nil)
	if got := o.changed.Load(); got != 4 {
		t.Errorf("the sender was told of %d changes; want 4", got)
	}
}

func TestWebhookRotates(t *testing.T) {
	o := newPostOffice(t, nil)
	made := o.makes(adaToken, "https://hooks.example.com/")
	one := WebhooksPath + "/" + made.Webhook.ID
	signs := func() (all []string) {
		t.Helper()
		e, err := o.registry.OwnEndpoint(t.Context(), integration.Owner{Partner: "p"}, made.Webhook.ID)
		if err != nil {
			t.Fatal(err)
		}
		p, err := o.registry.Proofs(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range p.Signing {
			all = append(all, s.WebhookText())
		}
		return all
	}
	var second, third wireIssuedWebhook
	o.ask("POST", one+"/secret", adaToken, "{}", 200, &second)
	wantFates(t, "both sign", signs(), second.Secret, made.Secret)
	if want := o.now.Now().Add(24 * clock.Hour); clock.Time(second.Webhook.OldUntil) != want {
		t.Errorf("the old secret holds until %s; want %s", clock.Time(second.Webhook.OldUntil), want)
	}
	o.ask("POST", one+"/secret", adaToken, `{"grace_s":60}`, 200, &third)
	wantFates(t, "the two newest sign", signs(), third.Secret, second.Secret)
	o.now.Advance(clock.Minute)
	wantFates(t, "after its time", signs(), third.Secret)
	var now wireWebhook
	if o.ask("GET", one, adaToken, "", 200, &now); now.OldUntil != 0 {
		t.Errorf("an old secret is said to hold until %s, which is over", clock.Time(now.OldUntil))
	}
	for _, grace := range []string{"-1", "604801", "9223372036854775807"} {
		o.ask("POST", one+"/secret", adaToken, `{"grace_s":`+grace+`}`, 400, nil)
	}
	wantFates(t, "after what was refused", signs(), third.Secret)
}

func TestWebhookPausesAndPings(t *testing.T) {
	o := newPostOffice(t, func(d *WebhooksDeps) { d.Pings = Pace{PerMinute: 1, Burst: 3} })
	made := o.makes(adaToken, "https://hooks.example.com/")
	one := WebhooksPath + "/" + made.Webhook.ID
	var now wireWebhook
	if o.ask("PATCH", one, adaToken, `{"status":"paused"}`, 200, &now); now.Status != integration.Paused {
		t.Errorf("it is %s, want paused", now.Status)
	}
	o.happen("bakery/quay", "d1")
	page, _ := o.eventsOf(one + "/events")
	o.ask("POST", one+"/events/"+page.Events[0].Place+"/resend", adaToken, "{}", 409, nil)
	var pong wirePong
	if o.ask("POST", one+"/ping", adaToken, "{}", 200, &pong); !pong.Taken || pong.Answer != "status 204" {
		t.Errorf("ping while it is paused = %+v", pong)
	}
	o.ask("PATCH", one, adaToken, `{"status":"active"}`, 200, nil)
	o.pong = integration.Outcome{Verdict: integration.Failed, Cause: "timeout"}
	if o.ask("POST", one+"/ping", adaToken, "{}", 200, &pong); pong.Taken || pong.Answer != "timeout" || len(o.pinged) != 2 {
		t.Errorf("ping of one that does not answer = %+v, after %d", pong, len(o.pinged))
	}
	if _, err := o.registry.SetEndpoint(t.Context(), integration.Owner{Partner: "p"}, made.Webhook.ID, integration.Suspended); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/ping", ""} {
		method, body := "POST", "{}"
		if path == "" {
			method, body = "PATCH", `{"status":"active"}`
		}
		o.ask(method, one+path, adaToken, body, 409, nil)
	}
	if _, err := o.registry.SetEndpoint(t.Context(), integration.Owner{Partner: "p"}, made.Webhook.ID, integration.Active); err != nil {
		t.Fatal(err)
	}
	o.ask("POST", one+"/ping", adaToken, "{}", 200, nil)
	a := send(t, "POST", o.address+one+"/ping", adaToken, "{}")
	if a.status != 429 || a.header.Get("Retry-After") == "" || len(o.pinged) != 3 {
		t.Errorf("the fourth ping is answered with %d, Retry-After %q, after %d attempts; want 429, when, 3", a.status, a.header.Get("Retry-After"), len(o.pinged))
	}
}

// TestWebhookIntrusions is the table of what those get who want another's webhooks, or more than they may.
func TestWebhookIntrusions(t *testing.T) {
	o := newPostOffice(t, nil)
	made := o.makes(adaToken, "https://hooks.example.com/")
	theirs := o.makes(barToken, "https://hooks.example.com/")
	partners, _, err := o.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", URL: "https://hooks.example.com/"})
	if err != nil {
		t.Fatal(err)
	}
	o.happen("bar/quay", "d1")
	o.happen("bakery/quay", "d2")
	one := WebhooksPath + "/" + made.Webhook.ID
	_, fates := o.eventsOf(one + "/events")
	wantFates(t, "events of the bakery", fates, "order d2 waiting 0 ")
	type call struct {
		what, method, path, token, body string
		status                          int
		reason                          string
	}
	all := []call{
		{"another business's event, by my webhook", "POST", one + "/events/" + eventMark(1) + "/resend", adaToken, "{}", 404, integration.UnknownEvent},
		{"an event that never was", "POST", one + "/events/" + eventMark(77) + "/resend", adaToken, "{}", 404, integration.UnknownEvent},
		{"a forged event", "POST", one + "/events/AAAA/resend", adaToken, "{}", 404, integration.UnknownEvent},
		{"a forged cursor", "GET", one + "/events?cursor=AAAA", adaToken, "", 400, "bad_cursor"},
		{"a forged place", "POST", one + "/resend", adaToken, `{"from":"AQAA"}`, 400, "bad_cursor"},
		{"a limit too high", "GET", one + "/events?limit=101", adaToken, "", 400, "bad_query"},
		{"an odd filter", "GET", one + "/events?failed=1", adaToken, "", 400, "bad_query"},
		{"an unknown query", "GET", WebhooksPath + "?business=bar", adaToken, "", 400, "bad_query"},
		{"a partner that is not registered", "POST", WebhooksPath, strangerOfR, `{"url":"https://hooks.example.com/"}`, 404, integration.UnknownPartner},
		{"the same URL twice", "POST", WebhooksPath, adaToken, `{"url":"https://hooks.example.com/"}`, 409, integration.DuplicateURL},
		{"an event that there is not", "POST", WebhooksPath, adaToken, `{"url":"https://b.example.com/","events":["X"]}`, 400, integration.BadEndpoint},
		{"a status of ours", "PATCH", one, adaToken, `{"status":"gone"}`, 400, integration.BadEndpoint},
		{"a business in the body", "POST", WebhooksPath, adaToken, `{"url":"https://b.example.com/","business":"bar"}`, 400, "bad_body"},
		{"a large body", "POST", WebhooksPath, adaToken, `{"url":"` + strings.Repeat("x", MaxBody) + `"}`, 413, "too_large"},
		{"another method", "PUT", one, adaToken, "{}", 405, "method_not_allowed"},
		{"dots", "GET", WebhooksPath + "/../webhooks", adaToken, "", 404, "no_such_path"},
	}
	for _, url := range []string{"http://hooks.example.com/", "https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://localhost/", "https://2130706433/",
		"https://router.lan/", "https://u:p@hooks.example.com/", "https://hooks.example.com:22/", "ftp://hooks.example.com/", "javascript:alert(1)", "", "https://[::ffff:10.0.0.1]/"} {
		all = append(all, call{"to " + url, "POST", WebhooksPath, adaToken, fmt.Sprintf(`{"url":%q}`, url), 400, integration.BadEndpoint})
	}
	for _, c := range []struct{ method, tail, body string }{{"GET", "", ""}, {"PATCH", "", `{"status":"paused"}`}, {"DELETE", "", ""}, {"POST", "/secret", "{}"}, {"POST", "/ping", "{}"},
		{"GET", "/events", ""}, {"POST", "/events/" + eventMark(1) + "/resend", "{}"}, {"POST", "/resend", `{"from":"` + eventMark(1) + `"}`}} {
		what := c.method + " " + c.tail
		all = append(all, call{what + " without a token", c.method, one + c.tail, "", c.body, 401, "unauthenticated"},
			call{what + " with a guess", c.method, one + c.tail, "guess", c.body, 401, "unauthenticated"},
			call{what + " as staff", c.method, one + c.tail, staffToken, c.body, 403, "not_allowed"},
			call{what + " as an admin of one store", c.method, one + c.tail, quayAdmin, c.body, 403, "not_allowed"},
			call{what + " as another business", c.method, one + c.tail, barToken, c.body, 404, integration.UnknownEndpoint},
			call{what + " as another partner's business of that name", c.method, one + c.tail, elsewhere, c.body, 404, integration.UnknownEndpoint},
			call{what + " of the whole partner's", c.method, WebhooksPath + "/" + partners.ID + c.tail, adaToken, c.body, 404, integration.UnknownEndpoint},
			call{what + " of none", c.method, WebhooksPath + "/none" + c.tail, adaToken, c.body, 404, integration.UnknownEndpoint})
	}
	for _, token := range []string{staffToken, quayAdmin} {
		all = append(all, call{"a list for " + token, "GET", WebhooksPath, token, "", 403, "not_allowed"}, call{"a new one of " + token, "POST", WebhooksPath, token, `{"url":"https://b.example.com/"}`, 403, "not_allowed"})
	}
	for _, tt := range all {
		a := send(t, tt.method, o.address+tt.path, tt.token, tt.body)
		var p problem
		if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != tt.status || p.Reason != tt.reason || a.header.Get("Content-Type") != problemType {
			t.Errorf("%s: %s %s is answered with %d %s; want %d, %s", tt.what, tt.method, tt.path, a.status, a.body, tt.status, tt.reason)
		}
	}
	for token, want := range map[string]string{adaToken: made.Webhook.ID, barToken: theirs.Webhook.ID} {
		var mine wireWebhooks
		if o.ask("GET", WebhooksPath, token, "", 200, &mine); len(mine.Webhooks) != 1 || mine.Webhooks[0].ID != want || mine.Webhooks[0].Status != integration.Active {
			t.Errorf("after all of it the list is %+v; want %s as it was", mine, want)
		}
	}
	if len(o.pinged) != 0 {
		t.Errorf("intruders had us call %v", o.pinged)
	}
}

// TestOthersWebhooksDoNotExist compares the answers for another's and for none byte by byte.
func TestOthersWebhooksDoNotExist(t *testing.T) {
	o := newPostOffice(t, nil)
	made := o.makes(barToken, "https://hooks.example.com/")
	for _, what := range []struct{ method, tail, body string }{{"GET", "", ""}, {"PATCH", "", `{"status":"paused"}`}, {"DELETE", "", ""}, {"POST", "/secret", "{}"}, {"POST", "/ping", "{}"}, {"GET", "/events", ""}} {
		const id = "Request-Id: one-and-the-same"
		there := send(t, what.method, o.address+WebhooksPath+"/"+made.Webhook.ID+what.tail, adaToken, what.body, id)
		nowhere := send(t, what.method, o.address+WebhooksPath+"/never"+what.tail, adaToken, what.body, id)
		there.header.Del("Date")
		nowhere.header.Del("Date")
		if there.status != 404 || there.body != nowhere.body || fmt.Sprint(there.header) != fmt.Sprint(nowhere.header) {
			t.Errorf("%s %s tells another's webhook from none:\n%+v\n%+v", what.method, what.tail, there, nowhere)
		}
	}
}

// TestWebhookPace has a business call too often, and another at its own pace.
func TestWebhookPace(t *testing.T) {
	o := newPostOffice(t, func(d *WebhooksDeps) { d.Calls = Pace{PerMinute: 1, Burst: 3} })
	for range 3 {
		o.ask("GET", WebhooksPath, adaToken, "", 200, nil)
	}
	a := send(t, "GET", o.address+WebhooksPath, adaToken, "")
	if a.status != 429 || !strings.Contains(a.body, reasonTooOften) || a.header.Get("Retry-After") == "" {
		t.Errorf("the fourth call is answered with %d %s", a.status, a.body)
	}
	o.ask("GET", WebhooksPath, barToken, "", 200, nil)
	o.ask("GET", WebhooksPath, elsewhere, "", 200, nil)
	p := newPaces(Pace{PerMinute: 60, Burst: 1})
	for i := range maxPaces + 10 {
		if err := p.take(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.of) > maxPaces+10 {
		t.Errorf("%d paces are remembered", len(p.of))
	}
	p.forget(time.Now().Add(time.Hour))
	if len(p.of) != 0 {
		t.Errorf("%d paces are remembered of those that have their whole burst again", len(p.of))
	}
}

// TestEventNames compares the document's names of events with those that there are.
func TestEventNames(t *testing.T) {
	schema := loadDocument(t, "webhooks").Components.Schemas["EventName"].Value
	var documented []string
	for _, v := range schema.Enum {
		documented = append(documented, fmt.Sprint(v))
	}
	if !slices.Equal(documented, partner.EventNames()) {
		t.Errorf("documented are %v, and there are %v", documented, partner.EventNames())
	}
}
