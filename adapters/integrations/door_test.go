package integrations_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"footway/adapters/integrations"
	"footway/adapters/recording"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

func TestBodies(t *testing.T) {
	w := newWorld(t, func(_ *integrations.Deps, o *integrations.Options) { o.Body, o.BodyTime = 4096, 150*time.Millisecond })
	token := "Bearer " + w.token(w.acme).sign(t)
	for _, c := range []struct {
		name, kind, encoding, body string
		want                       int
	}{
		{"JSON", "application/json", "", plainOrder, 200},
		{"JSON in UTF-8", "application/json; charset=UTF-8", "", plainOrder, 200},
		{"JSON in another set", "application/json; charset=latin1", "", plainOrder, 415},
		{"a form", "application/x-www-form-urlencoded", "", plainOrder, 415},
		{"a file", "multipart/form-data; boundary=x", "", plainOrder, 415},
		{"no type", "", "", plainOrder, 415},
		{"no type that can be read", "application/json; =", "", plainOrder, 415},
		{"compressed", "application/json", "gzip", plainOrder, 415},
		{"too large", "application/json", "", `{"a":"` + strings.Repeat("x", 5000) + `"}`, 413},
		{"not JSON", "application/json", "", `{"a"`, 400},
		{"nothing", "", "", "", 400},
	} {
		r := w.request(token, http.MethodPost, "/drive/v2/quotes", c.body)
		r.Header.Set("Content-Type", c.kind)
		if c.encoding != "" {
			r.Header.Set("Content-Encoding", c.encoding)
		}
		g := w.send(r)
		if g.StatusCode != c.want || c.want != 200 && g.field("code") != "validation_error" {
			t.Errorf("%s: %d %s, want %d", c.name, g.StatusCode, g.body, c.want)
		}
	}
	if got := w.raw(t, "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000\r\nAuthorization: "+token+"\r\n\r\n{\"a\""); got != 408 {
		t.Errorf("a body that does not come: %d, want 408", got)
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 5000, strings.Repeat("x", 5000))
	if got := w.raw(t, "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nAuthorization: "+token+"\r\n\r\n"+chunk+"0\r\n\r\n"); got != 413 {
		t.Errorf("a large body that does not say so: %d, want 413", got)
	}
	if got := w.raw(t, "POST /drive/v2/quotes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000000000\r\n\r\n{\"a\""); got != 401 {
		t.Errorf("a stranger's large body: %d, want 401 before anything is read", got)
	}
}

func TestRates(t *testing.T) {
	w := newWorld(t, func(_ *integrations.Deps, o *integrations.Options) { o.PerMinute, o.Burst, o.Buckets = 30, 5, 2 })
	statuses := map[int]int{}
	for range 20 {
		g := w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/D-1", "")
		statuses[g.StatusCode]++
		if g.StatusCode == http.StatusTooManyRequests && (g.Header.Get("Retry-After") != "2" || g.field("code") != "too_many_requests") {
			t.Fatalf("%v %s; want Retry-After 2", g.Header, g.body)
		}
	}
	if statuses[404] < 5 || statuses[404] > 6 || statuses[429] != 20-statuses[404] {
		t.Errorf("answers %v; want 5 let in", statuses)
	}
	wantError(t, "another partner", w.ask(w.other, http.MethodGet, "/drive/v2/deliveries/D-1", ""), http.StatusNotFound, "unknown_delivery_id")
}

// TestCrowd has more requests at once than the door takes: the rest is sent away at once.
func TestCrowd(t *testing.T) {
	hold, held := make(chan struct{}), make(chan struct{}, 100)
	w := newWorld(t, func(d *integrations.Deps, o *integrations.Options) {
		o.InFlight = 3
		d.Drive = func(context.Context, integrations.Request) integrations.Answer {
			held <- struct{}{}
			<-hold
			return integrations.Answer{Status: http.StatusOK, Body: []byte("{}")}
		}
	})
	var wg sync.WaitGroup
	var ok atomic.Int64
	for range 3 {
		wg.Go(func() {
			if g := w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/D-1", ""); g.StatusCode == http.StatusOK {
				ok.Add(1)
			}
		})
	}
	for range 3 {
		<-held
	}
	g := w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/D-1", "")
	wantError(t, "the fourth", g, http.StatusServiceUnavailable, "service_fault")
	if g.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q, want 1", g.Header.Get("Retry-After"))
	}
	if g := w.ask(w.acme, http.MethodGet, "/events", ""); g.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("events without a wait are let in: %d", g.StatusCode)
	}
	if g := w.ask(w.acme, http.MethodGet, "/events?wait=0s", ""); g.StatusCode != http.StatusOK {
		t.Errorf("events with a wait have places of their own: %d", g.StatusCode)
	}
	close(hold)
	wg.Wait()
	if ok.Load() != 3 {
		t.Errorf("%d of the three were answered", ok.Load())
	}
}

// TestTrouble wants partners to read nothing of what is for our logs.
func TestTrouble(t *testing.T) {
	broken := map[string]func(*integrations.Deps){
		"the keys cannot be read": func(d *integrations.Deps) { d.Keys = noKeys{} },
		"a panic": func(d *integrations.Deps) {
			d.Drive = func(context.Context, integrations.Request) integrations.Answer { panic("secret detail") }
		},
		"Deliveries is away": func(d *integrations.Deps) {
			d.Drive = func(context.Context, integrations.Request) integrations.Answer {
				return integrations.Answer{Status: 503, Body: []byte(`{"code":"service_fault","message":"x"}`), Err: errors.New("secret detail")}
			}
		},
	}
	for name, spoil := range broken {
		w := newWorld(t, func(d *integrations.Deps, _ *integrations.Options) { spoil(d) })
		g := w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/D-1", "")
		want := map[bool]int{true: 500, false: 503}[name == "a panic"]
		wantError(t, name, g, want, "service_fault")
		if strings.Contains(string(g.body), "secret") || !strings.Contains(w.logged.String(), "secret detail") || (g.Header.Get("Retry-After") == "1") != (want == 503) {
			t.Errorf("%s: %v %s, logged: %s", name, g.Header, g.body, w.logged)
		}
	}
}

type noKeys struct{}

func (noKeys) Credential(context.Context, string) (integration.Credential, bool, error) {
	return integration.Credential{}, false, fault.New("keys", fault.Unavailable, "", "secret detail")
}

// TestDeadline wants a request's deadline to reach whoever answers it.
func TestDeadline(t *testing.T) {
	w := newWorld(t, func(d *integrations.Deps, o *integrations.Options) {
		o.Deadline = 50 * time.Millisecond
		d.Drive = func(ctx context.Context, _ integrations.Request) integrations.Answer {
			<-ctx.Done()
			return integrations.Answer{Status: 503, Body: []byte(`{"code":"service_fault","message":"x"}`)}
		}
	})
	wantError(t, "too slow", w.ask(w.acme, http.MethodGet, "/drive/v2/deliveries/D-1", ""), http.StatusServiceUnavailable, "service_fault")
}

func TestRequestID(t *testing.T) {
	w := newWorld(t, nil)
	for id, kept := range map[string]bool{"abcdef-012345": true, "": false, "short": false, strings.Repeat("x", 65): false, "with space 1234": false} {
		r := w.request("Bearer "+w.token(w.acme).sign(t), http.MethodGet, "/drive/v2/deliveries/D-1", "")
		r.Header.Set("X-Request-Id", id)
		g := w.send(r)
		if got := g.Header.Get("X-Request-Id"); (got == id) != kept || got == "" || !strings.Contains(w.logged.String(), got) {
			t.Errorf("request id %q is answered as %q; want it kept: %t, and logged", id, got, kept)
		}
	}
}

func TestOAuth(t *testing.T) {
	w := newWorld(t, nil)
	ask := func(form url.Values, user, password string) got {
		r := w.request("", http.MethodPost, "/oauth/v2/token", form.Encode())
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if user != "" {
			r.SetBasicAuth(user, password)
		}
		return w.send(r)
	}
	form := func(id, secret string, more ...string) url.Values {
		f := url.Values{"grant_type": {"client_credentials"}, "scope": {"eats.deliveries"}}
		if id != "" {
			f.Set("client_id", id)
			f.Set("client_secret", secret)
		}
		for i := 0; i < len(more); i += 2 {
			f.Set(more[i], more[i+1])
		}
		return f
	}
	secret := w.acme.Secret.Text()
	for _, c := range []struct {
		name           string
		form           url.Values
		user, password string
		status         int
		says           string
	}{
		{"a wrong secret", form(w.acme.ID, "x"+secret), "", "", 401, "invalid_client"},
		{"another's secret", form(w.acme.ID, w.other.Secret.Text()), "", "", 401, "invalid_client"},
		{"no such client", form("nobody", secret), "", "", 401, "invalid_client"},
		{"the decoy", form("nobody", base64.RawURLEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))), "", "", 401, "invalid_client"},
		{"a client that no store can look for", form("\xff\x00", secret), "", "", 401, "invalid_client"},
		{"no secret", form(w.acme.ID, ""), "", "", 401, "invalid_client"},
		{"nobody", form("", ""), "", "", 401, "invalid_client"},
		{"another grant", form(w.acme.ID, secret, "grant_type", "password"), "", "", 400, "unsupported_grant_type"},
		{"another scope", form(w.acme.ID, secret, "scope", "admin"), "", "", 400, "invalid_scope"},
		{"two ways at once", form(w.acme.ID, secret), w.acme.ID, secret, 400, "invalid_request"},
		{"a parameter twice", url.Values{"grant_type": {"client_credentials", "password"}}, "", "", 400, "invalid_request"},
	} {
		g := ask(c.form, c.user, c.password)
		if g.StatusCode != c.status || g.field("error") != c.says || g.field("code") == "" || g.field("message") == "" {
			t.Errorf("%s: %d %s; want %d %s", c.name, g.StatusCode, g.body, c.status, c.says)
		}
	}
	var token string
	for _, g := range []got{ask(form(w.acme.ID, secret), "", ""), ask(form("", ""), w.acme.ID, secret)} {
		if token = g.field("access_token"); g.StatusCode != http.StatusOK || token == "" || g.field("token_type") != "Bearer" || g.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%d %v %s", g.StatusCode, g.Header, g.body)
		}
	}
	look := func(token string) got {
		return w.send(w.request("Bearer "+token, http.MethodGet, "/drive/v2/deliveries/D-1", ""))
	}
	wantError(t, "with the token", look(token), http.StatusNotFound, "unknown_delivery_id")
	w.tokens[0], w.tokens[1] = integrations.TokenKey{ID: "newest", Secret: integrations.Source{}.NewSecret()}, w.tokens[0]
	wantError(t, "with a token of the key before", look(token), http.StatusNotFound, "unknown_delivery_id")
	w.tokens[1] = integrations.TokenKey{ID: "another", Secret: integrations.Source{}.NewSecret()}
	wantError(t, "with a token of a key that is gone", look(token), http.StatusUnauthorized, "authentication_error")
	token = ask(form(w.acme.ID, secret), "", "").field("access_token")
	var c jwt.MapClaims
	parsed, _, err := jwt.NewParser().ParseUnverified(token, &c)
	if err != nil {
		t.Fatal(err)
	}
	forge := func(secret integration.Secret, change func()) string {
		change()
		text, err := parsed.SignedString(secret.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	wantError(t, "signed again as it was", look(forge(w.tokens[0].Secret, func() {})), http.StatusNotFound, "unknown_delivery_id")
	wantError(t, "signed by somebody else", look(forge(w.acme.Secret, func() {})), http.StatusUnauthorized, "authentication_error")
	wantError(t, "for another partner", look(forge(w.tokens[0].Secret, func() { c["sub"] = "other" })), http.StatusUnauthorized, "authentication_error")
	w.clock.advance(2 * time.Hour)
	wantError(t, "expired", look(token), http.StatusUnauthorized, "authentication_error")
	token = ask(form(w.acme.ID, secret), "", "").field("access_token")
	if _, err := w.registry.RevokeKey(t.Context(), "acme", w.acme.ID); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(10 * time.Millisecond)
	wantError(t, "of a key that was revoked", look(token), http.StatusUnauthorized, "authentication_error")
}

func (w *world) happen(p delivery.PartnerID, id delivery.ID, sequence uint64) {
	w.t.Helper()
	u := delivery.Update{Delivery: id, Sequence: sequence, Kind: delivery.StateChanged, At: w.clock.Now(), Market: "wedgwood", Partner: p, ExternalID: "x", To: delivery.Requested}
	if err := w.log.Take(w.t.Context(), u); err != nil {
		w.t.Fatal(err)
	}
}

func TestEvents(t *testing.T) {
	w := newWorld(t, nil)
	type page struct {
		Events []struct {
			Position uint64
			Delivery string
		}
		Next, Forgotten uint64
	}
	ask := func(k integration.Issued, query string) page {
		t.Helper()
		g := w.ask(k, http.MethodGet, "/events"+query, "")
		var p page
		if err := json.Unmarshal(g.body, &p); err != nil || g.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", g.StatusCode, g.body)
		}
		return p
	}
	if p := ask(w.acme, ""); len(p.Events) != 0 || p.Next != 0 {
		t.Errorf("an empty log: %+v", p)
	}
	for i := range uint64(5) {
		w.happen("acme", "a", i+1)
	}
	w.happen("other", "secret", 1)
	if p := ask(w.acme, "?after=1&limit=2"); len(p.Events) != 2 || p.Events[0].Position != 2 || p.Next != 3 || p.Forgotten != 0 {
		t.Errorf("after 1, limit 2: %+v", p)
	}
	if p := ask(w.acme, "?after=0"); len(p.Events) != 5 || p.Next != 5 {
		t.Errorf("all: %+v", p)
	}
	if p := ask(w.other, ""); len(p.Events) != 1 || p.Events[0].Delivery != "secret" {
		t.Errorf("another partner's: %+v", p)
	}
	later := make(chan page, 1)
	go func() { later <- ask(w.acme, "?after=5&wait=20") }()
	w.happen("acme", "a", 6)
	if p := <-later; len(p.Events) != 1 || p.Next != 6 {
		t.Errorf("a long poll: %+v", p)
	}
	if p := ask(w.acme, "?after=6&wait=20ms"); len(p.Events) != 0 || p.Next != 6 {
		t.Errorf("a long poll in vain: %+v", p)
	}
	go func() { later <- ask(w.acme, "?after=6&wait=20") }()
	w.door.Drain()
	select {
	case p := <-later:
		if p.Next != 6 {
			t.Errorf("a long poll that is drained: %+v", p)
		}
	case <-time.After(10 * time.Second):
		t.Error("a long poll outlives the drain")
	}
	w.clock.advance(time.Hour)
	w.happen("acme", "b", 1)
	if _, err := w.log.Trim(t.Context(), w.clock.Now().Add(-60_000)); err != nil {
		t.Fatal(err)
	}
	if p := ask(w.acme, "?after=2"); p.Forgotten != 4 || p.Next != 7 {
		t.Errorf("after what was forgotten: %+v; want 4 forgotten", p)
	}
	wantError(t, "another method", w.ask(w.acme, http.MethodPost, "/events", "{}"), http.StatusMethodNotAllowed, "method_not_allowed")
	for _, body := range []string{"", "{", "[]", "null", `{"endpoint_id": 7}`, `{"endpoint_id": "x"}`, `{"endpoint_id": "x", "after": -1}`, `{"endpoint_id": "x", "after": 1} {}`, `{"after": 1}`} {
		wantError(t, "replay "+body, w.ask(w.acme, http.MethodPost, "/events/replay", body), http.StatusBadRequest, "validation_error")
	}
}

// TestRecording writes requests down in the form that the twin replays, and reads them back.
func TestRecording(t *testing.T) {
	var file strings.Builder
	out := recording.NewWriter(&file)
	rec := integrations.NewRecorder(func(r integrations.Recorded) error {
		return out.Write(recording.Request{At: r.At, Partner: string(r.Partner), Method: r.Method, Path: r.Path, Headers: r.Headers, Body: r.Body})
	}, 10, slog.New(slog.DiscardHandler))
	w := newWorld(t, func(d *integrations.Deps, _ *integrations.Options) { d.Record = rec })
	w.ask(w.acme, http.MethodPost, "/drive/v2/quotes", plainOrder)
	w.ask(w.acme, http.MethodPost, "/drive/v2/quotes", `{"broken`)
	w.send(w.request("Bearer nobody", http.MethodGet, "/drive/v2/deliveries/D-1", ""))
	w.ask(w.acme, http.MethodGet, "/events", "")
	rec.Close()
	all, err := recording.Read(strings.NewReader(file.String()))
	if err != nil || len(all) != 2 {
		t.Fatalf("%d requests, %v:\n%s", len(all), err, file.String())
	}
	if r := all[0]; r.Partner != "acme" || r.Path != "/drive/v2/quotes" || !json.Valid(r.Body) || r.Headers["Content-Type"] != "application/json" {
		t.Errorf("recorded %+v", r)
	}
	if string(all[1].Body) != `{"broken` || strings.Contains(file.String(), "Bearer") || strings.Contains(strings.ToLower(file.String()), "authorization") {
		t.Errorf("recorded:\n%s", file.String())
	}
}

// TestRecorderNeverWaits has a disk that hangs.
func TestRecorderNeverWaits(t *testing.T) {
	hang, began := make(chan struct{}), make(chan struct{}, 1)
	var logged safeBuffer
	rec := integrations.NewRecorder(func(integrations.Recorded) error {
		select {
		case began <- struct{}{}:
		default:
		}
		<-hang
		return io.ErrShortWrite
	}, 2, slog.New(slog.NewTextHandler(&logged, nil)))
	rec.Put(integrations.Recorded{})
	<-began
	for range 10 {
		rec.Put(integrations.Recorded{})
	}
	if dropped, _ := rec.Lost(); dropped != 8 {
		t.Errorf("%d dropped of ten with room for two; want 8", dropped)
	}
	close(hang)
	rec.Close()
	rec.Put(integrations.Recorded{})
	if dropped, failed := rec.Lost(); dropped != 9 || failed != 3 || !strings.Contains(logged.String(), "not whole") {
		t.Errorf("%d dropped, %d failed, logged: %s", dropped, failed, logged.String())
	}
}

// TestUnknownKeyCostsTheSame counts what is asked of the stores for keys that there are and are not.
func TestUnknownKeyCostsTheSame(t *testing.T) {
	w := newWorld(t, nil)
	count := func(id string) int {
		c := &countingStores{Registry: w.registry}
		r := integration.NewRegistry(integration.RegistryDeps{Partners: c.partners(), Keys: w.stores, Endpoints: w.stores, Secrets: c.secrets(), Clock: w.clock})
		if _, _, err := r.Credential(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		return c.calls
	}
	if known, unknown := count(w.acme.ID), count("nobody"); known != unknown || known != 2 {
		t.Errorf("%d calls for a key that there is, %d for one that there is not", known, unknown)
	}
}

type countingStores struct {
	*integration.Registry
	calls int
}

type countedPartners struct {
	integration.PartnerStore
	c *countingStores
}

func (p countedPartners) Partner(ctx context.Context, id delivery.PartnerID) (integration.Partner, error) {
	p.c.calls++
	return p.PartnerStore.Partner(ctx, id)
}

type countedSecrets struct {
	integration.SecretStore
	c *countingStores
}

func (s countedSecrets) Secret(ctx context.Context, name string) (integration.Secret, error) {
	s.c.calls++
	return s.SecretStore.Secret(ctx, name)
}

func (c *countingStores) partners() integration.PartnerStore {
	return countedPartners{c.Registry.Partners, c}
}
func (c *countingStores) secrets() integration.SecretStore {
	return countedSecrets{c.Registry.Secrets, c}
}
