package integrations_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"footway/adapters/integrations"
	"footway/adapters/memory"
	"footway/adapters/partner"
	"footway/adapters/uber"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/task"
)

// wallClock shows the real time, by which partners' clients sign their tokens, and what was added.
type wallClock struct {
	mu    sync.Mutex
	added time.Duration
}

func (c *wallClock) Now() clock.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return clock.Of(time.Now().Add(c.added))
}

func (c *wallClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.added += d
}

// world is a door over the real services on memory stores, with two partners.
type world struct {
	t        testing.TB
	door     *integrations.Door
	server   *httptest.Server
	clock    *wallClock
	registry *integration.Registry
	stores   *memory.Registry
	log      *memory.PartnerLog
	store    *memory.DeliveryStore
	logged   *safeBuffer
	tokens   []integrations.TokenKey
	acme     integration.Issued // a key of partner acme
	other    integration.Issued // a key of partner other
	sandbox  integration.Issued // a key of partner acme-test, which has simulated robots
	replayed []uint64
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newWorld opens a door. change may alter what it is made of.
func newWorld(t testing.TB, change func(*integrations.Deps, *integrations.Options)) *world {
	t.Helper()
	w := &world{t: t, clock: &wallClock{}, stores: memory.NewRegistry(), store: memory.NewDeliveryStore(), logged: &safeBuffer{}}
	w.log = memory.NewPartnerLog(w.clock)
	w.registry = integration.NewRegistry(integration.RegistryDeps{
		Partners: w.stores, Keys: fussyKeys{w.stores}, Endpoints: w.stores, Secrets: w.stores, Source: integrations.Source{}, Clock: w.clock,
		Environment: func(m market.ID) (integration.Environment, error) {
			switch m {
			case "wedgwood", "ballard":
				return integration.Live, nil
			case "test":
				return integration.Sandbox, nil
			}
			return "", fault.New("world", fault.NotFound, "", "no market %q", m)
		},
		CheckURL: func(string) error { return nil },
	})
	w.acme = w.join("acme", integration.Live, "wedgwood", "ballard")
	w.other = w.join("other", integration.Live, "wedgwood")
	w.sandbox = w.join("acme-test", integration.Sandbox, "test")
	for range 2 {
		w.tokens = append(w.tokens, integrations.TokenKey{ID: integrations.Source{}.NewID(), Secret: integrations.Source{}.NewSecret()})
	}
	drives, directs := map[market.ID]*partner.Drive{}, map[market.ID]*uber.Direct{}
	for _, m := range []market.ID{"wedgwood", "ballard", "test"} {
		drives[m] = newDrive(m, w.store, w.clock)
		directs[m] = newDirect(drives[m], w.store, w.clock)
	}
	d := integrations.Deps{
		Keys: w.registry, Events: w.log, Clock: w.clock, Log: slog.New(slog.NewTextHandler(w.logged, nil)),
		Drive: func(ctx context.Context, r integrations.Request) integrations.Answer {
			a := drives[r.Market].Handle(ctx, partner.Request{Partner: r.Partner, Method: r.Method, Path: r.Path, Body: r.Body})
			return integrations.Answer{Status: a.Status, Header: a.Header, Body: a.Body, Operation: a.Operation, Err: a.Err}
		},
		Uber: func(ctx context.Context, r integrations.Request) integrations.Answer {
			a := directs[r.Market].Handle(ctx, uber.Request{Partner: r.Partner, Method: r.Method, Path: r.Path, Body: r.Body})
			return integrations.Answer{Status: a.Status, Header: a.Header, Body: a.Body, Operation: a.Operation, Err: a.Err}
		},
		Encode: func(e integration.Entry) ([]byte, error) { return json.Marshal(e) },
		Replay: func(ctx context.Context, p delivery.PartnerID, endpoint string, after uint64) error {
			_, err := w.registry.OwnEndpoint(ctx, integration.Owner{Partner: p}, endpoint)
			if err == nil {
				w.replayed = append(w.replayed, after)
			}
			return err
		},
		Tokens: func(context.Context) ([]integrations.TokenKey, error) { return w.tokens, nil },
	}
	o := integrations.Options{PerMinute: 1_000_000, Burst: 1_000_000, PollEvery: 5 * time.Millisecond, CacheFor: time.Millisecond}
	if change != nil {
		change(&d, &o)
	}
	w.door = integrations.New(d, o)
	w.server = httptest.NewUnstartedServer(nil)
	w.server.Config = integrations.NewServer(w.door, d.Log)
	w.server.Start()
	t.Cleanup(func() {
		w.door.Drain()
		w.server.Close()
	})
	return w
}

// join makes a partner with a key.
func (w *world) join(id delivery.PartnerID, e integration.Environment, markets ...market.ID) integration.Issued {
	w.t.Helper()
	if _, err := w.registry.AddPartner(w.t.Context(), integration.Partner{ID: id, Name: string(id), Environment: e, Markets: markets}); err != nil {
		w.t.Fatal(err)
	}
	k, err := w.registry.IssueKey(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// jot is a token that can be forged in any way.
type jot struct {
	method jwt.SigningMethod
	header map[string]any
	claims jwt.MapClaims
	secret any
}

// token is a good one.
func (w *world) token(k integration.Issued) jot {
	now := w.clock.Now().Std().Unix()
	return jot{jwt.SigningMethodHS256, map[string]any{"dd-ver": "DD-JWT-V1"},
		jwt.MapClaims{"aud": "doordash", "iss": k.Developer, "kid": k.ID, "iat": now, "exp": now + 60}, k.Secret.Bytes()}
}

func (j jot) sign(t testing.TB) string {
	t.Helper()
	token := jwt.NewWithClaims(j.method, j.claims)
	for name, value := range j.header {
		if value == nil {
			delete(token.Header, name)
		} else {
			token.Header[name] = value
		}
	}
	text, err := token.SignedString(j.secret)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// got is an answer that was read.
type got struct {
	*http.Response
	body []byte
}

func (g got) field(name string) string {
	var all map[string]any
	if json.Unmarshal(g.body, &all) != nil {
		return ""
	}
	text, _ := all[name].(string)
	return text
}

// ask makes a request with a good token of a key.
func (w *world) ask(k integration.Issued, method, path, body string) got {
	w.t.Helper()
	return w.send(w.request("Bearer "+w.token(k).sign(w.t), method, path, body))
}

func (w *world) request(authorization, method, path, body string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.server.URL+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (w *world) send(r *http.Request) got {
	w.t.Helper()
	resp, err := w.server.Client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return got{resp, body}
}

// wantError reports unless an answer is an error in Drive's envelope.
func wantError(t testing.TB, what string, g got, status int, code string) {
	t.Helper()
	if g.StatusCode != status || g.field("code") != code || g.field("message") == "" || g.Header.Get("Content-Type") != "application/json" || g.Header.Get("X-Request-Id") == "" {
		t.Errorf("%s: %d %v %s; want %d %s in Drive's envelope", what, g.StatusCode, g.Header, g.body, status, code)
	}
}

const plainOrder = `{"external_delivery_id": "D-1", "pickup_address": "1 Quay, Port Ellery", "dropoff_address": "14 Quay, Port Ellery", "dropoff_phone_number": "+12065550123"}`

// newDrive is a Drive over the real service; what is behind Deliveries agrees to everything.
func newDrive(m market.ID, store *memory.DeliveryStore, c clock.Clock) *partner.Drive {
	b := behind{c}
	deliveries := delivery.NewService(delivery.Deps{
		Store: store, Open: store, Personal: store, Cursors: memory.NewCursors(), Dispatcher: b, Decisions: b, Tasks: b, TaskFeed: b,
		IDs: sourceIDs{}, Secrets: b, Clock: c, Timers: noTimers{}, Journal: noJournal{},
		Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	})
	shops := memory.NewMerchantStore()
	merchants := merchant.NewService(shops, shops, c)
	d := partner.Deps{Market: m, Quotes: deliveries, Changes: deliveries, Estimates: b, Businesses: merchants, Stores: merchants, Places: b, Clock: c}
	if m == "test" {
		d.Sandbox = deliveries
	}
	return partner.NewDrive(d)
}

// newDirect returns a Direct over the services of a Drive.
func newDirect(d *partner.Drive, store *memory.DeliveryStore, c clock.Clock) *uber.Direct {
	return uber.NewDirect(uber.Deps{Market: d.Market, Quotes: d.Quotes, Changes: d.Changes, Board: store, Estimates: d.Estimates, Stores: d.Stores, Places: d.Places,
		IDs: sourceIDs{}, Clock: c, Sandbox: d.Sandbox != nil})
}

type sourceIDs struct{}

func (sourceIDs) NewID(string) string { return integrations.Source{}.NewID() }

type behind struct{ clock.Clock }

func (b behind) Estimate(_ context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	at := max(r.ReadyAt, b.Now()).Add(6 * clock.Minute)
	return dispatch.Estimate{PickupP50: at, PickupP90: at, DropoffP50: at.Add(20 * clock.Minute), DropoffP90: at.Add(28 * clock.Minute), RouteMM: 2_000_000, RouteTime: 15 * clock.Minute}, nil
}
func (behind) Request(context.Context, dispatch.Request) error        { return nil }
func (behind) Withdraw(context.Context, market.ID, string, int) error { return nil }
func (behind) Finish(context.Context, dispatch.Finish) error          { return nil }
func (behind) Replan(context.Context, task.ReplanRequest) error       { return nil }
func (behind) Cancel(context.Context, task.ID, string) error          { return nil }
func (behind) Handoff(context.Context, task.HandoffRequest) error     { return nil }
func (behind) Create(context.Context, task.CreateRequest) (task.Task, error) {
	return task.Task{}, nil
}
func (behind) PIN(string, string) string { return "4711" }
func (behind) Decisions(context.Context, market.ID, dispatch.Cursor, int) ([]dispatch.Decision, dispatch.Cursor, error) {
	return nil, "", nil
}
func (behind) Changes(context.Context, market.ID, task.Cursor, int) ([]task.Change, task.Cursor, error) {
	return nil, "", nil
}
func (behind) Search(context.Context, market.ID, string, int) ([]maps.Match, error) { return nil, nil }
func (behind) PointAt(context.Context, market.ID, maps.Position) (maps.Point, error) {
	return maps.Point{}, nil
}

type noTimers struct{}

func (noTimers) Set(clock.Key, clock.Time) {}
func (noTimers) Cancel(clock.Key)          {}

type noJournal struct{}

func (noJournal) Append(context.Context, event.Event) {}

func (w *world) marketsOf(t testing.TB, id delivery.PartnerID) []market.ID {
	t.Helper()
	p, err := w.stores.Partner(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return p.Markets
}

// fussyKeys cannot look for what is no text, like a real database.
type fussyKeys struct{ integration.KeyStore }

func (k fussyKeys) Key(ctx context.Context, id string) (integration.Key, error) {
	if !utf8.ValidString(id) || strings.Contains(id, "\x00") {
		return integration.Key{}, fault.New("keys", fault.Internal, "sql_22021", "this is no text")
	}
	return k.KeyStore.Key(ctx, id)
}
