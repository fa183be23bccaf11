package merchant

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"footway/adapters/ident"
	"footway/adapters/memory"
	"footway/adapters/restapi"
	"footway/core/account"
	"footway/core/clock"
	"footway/core/delivery"
	coreevent "footway/core/event"
	"footway/core/maps"
	"footway/core/market"
	coremerchant "footway/core/merchant"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

const password = "four words of mine"

var gull = coremerchant.BusinessKey{Partner: "p", ID: "gull"}

// plain hashes at once, and so tests nothing of passwords but who asks.
type plain struct{}

func (plain) Hash(_ context.Context, password string) (string, error) { return "kept " + password, nil }

func (plain) Matches(_ context.Context, kept, password string) (ok, weak bool, err error) {
	return kept == "kept "+password, false, nil
}

// street is where everybody lives.
type street struct{}

func (street) Search(_ context.Context, _ market.ID, query string, limit int) ([]maps.Match, error) {
	var found []maps.Match
	for i, a := range []string{"1 Quay", "12 Quay", "9 island"} {
		if strings.HasPrefix(a, query) && len(found) < limit {
			found = append(found, maps.Match{Address: a, Point: maps.Point{Lon: -5, Lat: int32(i)}, At: maps.Position{Edge: 7, OffsetMM: 3}})
		}
	}
	return found, nil
}

func (street) PointAt(context.Context, market.ID, maps.Position) (maps.Point, error) {
	return maps.Point{Lon: -1222988890, Lat: 476832350}, nil
}

type nowhere struct{}

func (nowhere) Append(context.Context, coreevent.Event) {}

// call is a request that the pages made of the API.
type call struct{ method, path, query, body, pass string }

// desk is the pages before the real API over stores in memory. Where answers has something for "GET /v1/board"
// and the like, the API is not asked.
type desk struct {
	t        testing.TB
	pages    *Pages
	accounts *account.Service
	people   *memory.PeopleStore
	shops    *coremerchant.Service
	orders   *delivery.Service
	town     *porttest.DeliveriesTown
	clock    *fake.Clock

	mu      sync.Mutex
	answers map[string]http.HandlerFunc
	calls   []call
}

func newDesk(t testing.TB, change func(*Options)) *desk {
	t.Helper()
	d := &desk{t: t, people: memory.NewPeopleStore(), town: porttest.NewDeliveriesTown(), answers: map[string]http.HandlerFunc{}}
	d.clock = d.town.Clock
	n := 0
	d.accounts = account.NewService(account.Deps{
		Accounts: d.people, Team: d.people, Sessions: d.people, Tries: d.people, Hasher: plain{}, Source: ident.Tokens{}, Clock: d.clock,
		NewID: func() account.ID { n++; return account.ID(fmt.Sprintf("a%d", n)) },
	})
	store, bell, shops := memory.NewDeliveryStore(), restapi.NewBell(), memory.NewMerchantStore()
	store.KeepHistory()
	d.orders = delivery.NewService(d.town.Deps(store, memory.NewCursors(), bell.Journal(nowhere{})))
	d.shops = coremerchant.NewService(shops, shops, d.clock)
	api := restapi.NewDeliveries(restapi.DeliveriesDeps{Quotes: d.orders, Changes: d.orders, Doors: d.orders, Board: store, Estimates: d.town, Businesses: d.shops,
		Stores: d.shops, Places: street{}, Clock: d.clock, Bell: bell}, restapi.Options{Auth: restapi.Auth{People: d.caller}, Look: 20 * time.Millisecond})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { d.overhear(w, r, api) }))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{API: at, Transport: server.Client().Transport, Accounts: d.accounts, Pass: pass, Markets: []Market{{ID: porttest.Market, Zone: time.UTC}}, Map: "/map/map.js", Tiles: "/tiles", Support: "+12065550199",
		Clock: d.clock, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	if d.pages, err = New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.pages.Drain)
	d.open("gull", "quay", "1 Quay")
	return d
}

// pass is a pass that tells who shows it.
func pass(a *account.Account, store string) (string, error) {
	return strings.Join([]string{"pass", string(a.ID), string(a.Business.Partner), a.Business.ID, store}, "|"), nil
}

func (d *desk) caller(_ context.Context, token string) (restapi.Caller, error) {
	part := strings.Split(token, "|")
	if len(part) != 5 {
		return restapi.Caller{}, errNowhere
	}
	return restapi.Caller{Role: restapi.RoleMerchant, Name: part[1], Partner: delivery.PartnerID(part[2]), Business: part[3], Store: part[4], Customers: true}, nil
}

// overhear notes a call of the API, and answers as a test wants, or as the API does.
func (d *desk) overhear(w http.ResponseWriter, r *http.Request, api http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		d.t.Error(err)
	}
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	if r.Header.Get("Cookie") != "" {
		d.t.Errorf("%s %s: a browser's cookies are handed on", r.Method, r.URL.Path)
	}
	d.mu.Lock()
	d.calls = append(d.calls, call{r.Method, r.URL.Path, r.URL.RawQuery, string(body), strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")})
	h := d.answers[r.Method+" "+r.URL.Path]
	d.mu.Unlock()
	if h == nil {
		h = api.ServeHTTP
	}
	h(w, r)
}

// says has the API answer a call with something.
func (d *desk) says(what string, status int, v any) {
	d.does(what, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			d.t.Error(err)
		}
	})
}

func (d *desk) does(what string, h http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[what] = h
}

// asked returns the calls of the API until now, and forgets them.
func (d *desk) asked() []call {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.calls
	d.calls = nil
	return all
}

// open registers a store, and its business where it has none.
func (d *desk) open(business, store, address string) {
	d.t.Helper()
	key := coremerchant.BusinessKey{Partner: "p", ID: business}
	if _, err := d.shops.Business(d.t.Context(), key); err != nil {
		if _, err := d.shops.CreateBusiness(d.t.Context(), coremerchant.Business{BusinessKey: key, Name: business, Status: coremerchant.Active}); err != nil {
			d.t.Fatal(err)
		}
	}
	_, err := d.shops.CreateStore(d.t.Context(), coremerchant.Store{StoreKey: coremerchant.StoreKey{Partner: "p", Business: business, ID: store}, Name: "The " + store, Address: address,
		Status: coremerchant.Active, Phone: "+12065550111", Prep: 8 * clock.Minute})
	if err != nil {
		d.t.Fatal(err)
	}
}

// hire makes an account of the shop that has taken its invitation.
func (d *desk) hire(email string, role account.Role, stores ...string) account.Account {
	d.t.Helper()
	_, token, err := d.accounts.Found(d.t.Context(), gull, account.Person{Email: email, Name: "Ana Gull", Role: role, Stores: stores})
	if err != nil {
		d.t.Fatal(err)
	}
	_, in, err := d.accounts.TakeInvitation(d.t.Context(), token, password)
	if err != nil {
		d.t.Fatal(err)
	}
	return in.Account
}

// id is whose an email address is.
func (d *desk) id(email string) string {
	d.t.Helper()
	a, err := d.people.Find(d.t.Context(), account.Wanted{Email: email})
	if err != nil {
		d.t.Fatal(err)
	}
	return string(a.ID)
}

// somebody signs in an account, and returns its browser.
func (d *desk) somebody(email string, role account.Role, stores ...string) *browser {
	d.t.Helper()
	d.hire(email, role, stores...)
	return d.somebodyIn(email)
}

// somebodyIn signs in an account that there is.
func (d *desk) somebodyIn(email string) *browser {
	d.t.Helper()
	b := &browser{desk: d, cookies: map[string]*http.Cookie{}}
	if a := b.post("/sign-in", "email", email, "password", password); a.Code != http.StatusSeeOther {
		d.t.Fatalf("signing in answers %d: %s", a.Code, a.Body)
	}
	return b
}

func (d *desk) stranger() *browser { return &browser{desk: d, cookies: map[string]*http.Cookie{}} }

// order orders something in a store, for somebody with a name that is nobody else's.
func (d *desk) order(store, number string) delivery.Delivery {
	d.t.Helper()
	q := porttest.QuoteFor("p", number+lastPart+"abcde")
	q.PickupStore = "gull/" + store
	q.Personal = delivery.Personal{PickupAddress: "1 Quay", DropoffAddress: "12 Quay", DropoffGivenName: "Zelda", DropoffFamilyName: "Quux", DropoffPhone: "+12065550142", Items: []delivery.Item{{Name: "Rye loaf", Quantity: 2}}}
	got, err := d.orders.Create(d.t.Context(), q)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// browser keeps the cookies of the pages.
type browser struct {
	*desk
	cookies map[string]*http.Cookie
	headers []string // of each request: names and values
}

func (b *browser) send(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	for i := 0; i < len(b.headers); i += 2 {
		r.Header.Set(b.headers[i], b.headers[i+1])
	}
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c
		}
	}
	return w
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.send(httptest.NewRequest(http.MethodGet, "http://footway.example/merchant"+path, nil))
}

// post sends a form of names and values.
func (b *browser) post(path string, form ...string) *httptest.ResponseRecorder {
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Add(form[i], form[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "http://footway.example/merchant"+path, strings.NewReader(values.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

// wants checks an answer: its status, and what its body has and has not ("!" before).
func (d *desk) wants(what string, a *httptest.ResponseRecorder, status int, parts ...string) {
	d.t.Helper()
	if a.Code != status {
		d.t.Errorf("%s: %d, want %d: %.300s", what, a.Code, status, a.Body)
	}
	for _, p := range parts {
		if not, is := strings.CutPrefix(p, "!"); is {
			if strings.Contains(a.Body.String(), not) {
				d.t.Errorf("%s: the page has %q", what, not)
			}
		} else if !strings.Contains(a.Body.String(), p) {
			d.t.Errorf("%s: the page does not have %q: %.2000s", what, p, a.Body)
		}
	}
}

// leads checks that an answer sends the browser to a page of ours.
func (d *desk) leads(what string, a *httptest.ResponseRecorder, to string) {
	d.t.Helper()
	if got := a.Header().Get("Location"); a.Code != http.StatusSeeOther || got != to {
		d.t.Errorf("%s: %d to %q, want 303 to %q", what, a.Code, got, to)
	}
}

// everything is each page and form there is, with a path that is about something.
func (d *desk) everything() (pages, forms []string) {
	id := string(d.order("quay", "77").ID)
	pages = []string{"/", "/board/events", "/new", "/orders/" + id, "/orders/" + id + "/now", "/orders/" + id + "/label.pdf", "/orders/" + id + "/label.zpl", "/history", "/history.csv", "/stores", "/team", "/settings"}
	forms = []string{"/store", "/theme", "/new", "/new/accept", "/stores/quay", "/team", "/team/a1", "/team/a1/invitation", "/settings/password"}
	for _, do := range []string{"ready", "open", "confirm", "cancel", "edit"} {
		forms = append(forms, "/orders/"+id+"/"+do)
	}
	return pages, forms
}

// shown are the pages that are HTML.
func shown(pages []string) []string {
	return slices.DeleteFunc(slices.Clone(pages), func(p string) bool {
		return strings.HasSuffix(p, "/events") || strings.Contains(p, "label.") || strings.HasSuffix(p, ".csv")
	})
}
