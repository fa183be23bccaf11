package restapi

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

// Tokens of the tests, by who shows them.
const (
	integrationsToken = "token-of-integrations-0001"
	olderToken        = "token-of-integrations-0000"
	deliveriesToken   = "token-of-deliveries-00001"
	operatorToken     = "token-of-operator-0000001"
	merchantToken     = "token-of-merchant-of-p-01"
	quayToken         = "token-of-cafe-quay-of-p-1"
	recipientToken    = "token-of-a-recipient-0001"
)

func secret(s string) Secret { return func(context.Context) (string, error) { return s, nil } }

// auth believes the tokens of the tests.
func auth() Auth {
	service := func(token, name string) Token { return Token{secret(token), Caller{Role: RoleService, Name: name}} }
	return Auth{
		Tokens: []Token{service(olderToken, "integrations"), service(integrationsToken, "integrations"), service(deliveriesToken, "deliveries"), service(operatorToken, "operator")},
		People: func(_ context.Context, token string) (Caller, error) {
			switch token {
			case merchantToken:
				return Caller{Role: RoleMerchant, Name: "chef", Partner: "p"}, nil
			case quayToken:
				return Caller{Role: RoleMerchant, Name: "cook", Partner: "p", Business: "cafe", Store: "quay"}, nil
			case recipientToken:
				return Caller{Role: RoleRecipient, Name: "link", Delivery: "d1"}, nil
			}
			return Caller{}, fault.New("test", fault.NotFound, "", "nobody")
		},
	}
}

// house is the API of Deliveries over memory stores, on loopback.
type house struct {
	t         testing.TB
	town      *porttest.DeliveriesTown
	store     *memory.DeliveryStore
	service   *delivery.Service
	merchants *merchant.Service
	api       *API
	contract  *contract
	address   string
	log       *lockedBuffer
}

// lockedBuffer collects the log.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// lockedJournal is a journal for many callers at once.
type lockedJournal struct {
	mu sync.Mutex
	j  fake.Journal
}

func (l *lockedJournal) Append(ctx context.Context, e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.j.Append(ctx, e)
}

// newHouse starts the API of Deliveries behind its contract. change may set options before.
func newHouse(t testing.TB, change func(*Options)) *house {
	t.Helper()
	h := makeHouse(t, change)
	h.contract = newContract(t, "deliveries", h.api)
	h.address = serve(t, h.api, h.contract)
	return h
}

// newBareHouse is newHouse without the contract, for tests that look at time and memory.
func newBareHouse(t testing.TB, change func(*Options)) *house {
	t.Helper()
	h := makeHouse(t, change)
	h.address = serve(t, h.api, h.api)
	return h
}

func makeHouse(t testing.TB, change func(*Options)) *house {
	h := &house{t: t, town: porttest.NewDeliveriesTown(), store: memory.NewDeliveryStore(), log: &lockedBuffer{}}
	h.store.KeepHistory()
	bell, shops := NewBell(), memory.NewMerchantStore()
	h.service = delivery.NewService(h.town.Deps(h.store, memory.NewCursors(), bell.Journal(&lockedJournal{})))
	h.merchants = merchant.NewService(shops, shops, h.town.Clock)
	o := Options{Auth: auth(), Log: slog.New(slog.NewTextHandler(h.log, nil)), Look: 50 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	h.api = NewDeliveries(DeliveriesDeps{Quotes: h.service, Changes: h.service, Doors: h.service, Board: h.store, Estimates: h.town, Businesses: h.merchants,
		Stores: h.merchants, Places: street{}, Clock: h.town.Clock, Bell: bell}, o)
	return h
}

// serve starts a server of an API with a handler before it, until the test ends.
func serve(t testing.TB, a *API, h http.Handler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer(a)
	s.HTTP().Handler = h
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return "http://" + l.Addr().String()
}

func (h *house) client(token string) *DeliveriesClient {
	h.t.Helper()
	c, err := NewDeliveriesClient(h.address, ClientOptions{Token: secret(token)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(c.Close)
	return c
}

func (h *house) pump() error { return h.service.Pump(context.Background(), porttest.Market) }

// street is a map with three addresses.
type street struct{}

// Search implements Places.
func (street) Search(_ context.Context, m market.ID, query string, limit int) ([]maps.Match, error) {
	if m != porttest.Market {
		return nil, fault.New("street", fault.NotFound, "unknown_market", "no market %s", m)
	}
	var found []maps.Match
	for i, a := range []string{"1 Quay", "12 Quay", "14 Quay & Sons <x>"} {
		if strings.HasPrefix(a, query) && len(found) < limit {
			found = append(found, maps.Match{Address: a, Point: maps.Point{Lon: -5, Lat: int32(i)}, At: maps.Position{Edge: 7, OffsetMM: 3}, OffMM: 12, Approximate: i == 1})
		}
	}
	return found, nil
}

// PointAt implements Places.
func (street) PointAt(_ context.Context, _ market.ID, at maps.Position) (maps.Point, error) {
	if at.Edge < 0 {
		return maps.Point{}, fault.New("street", fault.Invalid, "bad_position", "edge %d", at.Edge)
	}
	return maps.Point{Lon: -1222988890, Lat: int32(at.Edge)}, nil
}

// answered is an answer to a request that a test makes by hand.
type answered struct {
	status int
	header http.Header
	body   string
}

// send makes a request by hand. Headers are "Name: value".
func (h *house) send(method, path, token, body string, headers ...string) answered {
	h.t.Helper()
	return send(h.t, method, h.address+path, token, body, headers...)
}

func send(t testing.TB, method, address, token, body string, headers ...string) answered {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body == "" {
		r.Body, r.ContentLength = nil, 0
	} else {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, address, err)
	}
	return answered{a.StatusCode, a.Header, string(b)}
}

// serveDispatch starts the API of Dispatch over a town. change may set options before.
func serveDispatch(t testing.TB, town *porttest.DispatchTown, leader func(market.ID) (bool, string), change func(*Options)) string {
	t.Helper()
	o := Options{Auth: auth(), Look: 50 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	bell := NewBell()
	town.Notify = bell.Changed
	a := NewDispatch(DispatchDeps{Dispatcher: town.Service, Decisions: town.Service, Bell: bell, Leader: leader}, o)
	return serve(t, a, newContract(t, "dispatch", a))
}

func dispatchClient(t testing.TB, address string) *DispatchClient {
	t.Helper()
	c, err := NewDispatchClient(address, ClientOptions{Token: secret(deliveriesToken)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
