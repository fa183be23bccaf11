package restapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/merchant"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

// create makes deliveries, a minute apart, in the order of their names.
func (h *house) create(p delivery.PartnerID, store string, names ...string) {
	h.t.Helper()
	for _, n := range names {
		r := porttest.QuoteFor(p, n)
		r.PickupStore = store
		if _, err := h.service.Create(h.t.Context(), r); err != nil {
			h.t.Fatal(err)
		}
		h.town.Clock.Advance(clock.Minute)
	}
}

func externals(all []delivery.Delivery) string {
	var names []string
	for i := range all {
		names = append(names, all[i].ExternalID)
	}
	return strings.Join(names, " ")
}

func TestBoard(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "cafe/quay", "a", "b")
	h.create("p", "cafe/hill", "c")
	h.create("p", "", "d")
	h.create("q", "cafe/quay", "x")
	if _, err := h.service.Cancel(t.Context(), "p", "b", ""); err != nil {
		t.Fatal(err)
	}
	c := h.client(operatorToken)
	for _, tt := range []struct {
		q    delivery.BoardQuery
		want string
	}{
		{delivery.BoardQuery{Partner: "p", Limit: 10}, "d c b a"},
		{delivery.BoardQuery{Partner: "p", Limit: 3}, "d c b"},
		{delivery.BoardQuery{Partner: "q", Limit: 10}, "x"},
		{delivery.BoardQuery{Partner: "p", Limit: 10, Store: "cafe/"}, "c b a"},
		{delivery.BoardQuery{Partner: "p", Limit: 10, Store: "cafe/hill"}, "c"},
		{delivery.BoardQuery{Partner: "p", Limit: 10, States: []delivery.State{delivery.Cancelled}}, "b"},
		{delivery.BoardQuery{Partner: "p", Limit: 10, States: []delivery.State{delivery.Cancelled, delivery.Requested}, Store: "cafe/quay"}, "b a"},
		{delivery.BoardQuery{Partner: "p", Limit: 10, Market: "n"}, ""},
	} {
		got, err := c.Board(t.Context(), tt.q)
		if err != nil || externals(got) != tt.want {
			t.Errorf("Board(%+v) = %q, %v; want %q", tt.q, externals(got), err, tt.want)
		}
		direct, err := h.store.Board(t.Context(), tt.q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range direct {
			if diff := cmp.Diff(porttest.Outside(direct[i]), got[i]); diff != "" {
				t.Errorf("a delivery on the board (-sent +arrived):\n%s", diff)
			}
		}
	}
	_, err := c.Board(t.Context(), delivery.BoardQuery{Partner: "p", Limit: 1, States: []delivery.State{"odd"}})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("Board of an odd state: %v; want it refused", err)
	}
	h.pagesOfMerchants()
}

// pagesOfMerchants reads boards page by page as people do, each as far as it may.
func (h *house) pagesOfMerchants() {
	h.t.Helper()
	for token, want := range map[string]string{merchantToken: "d c b a", quayToken: "b a"} {
		var names []string
		path := "/v1/board?limit=1"
		for range 10 {
			a := h.send("GET", path, token, "")
			var page wireBoard
			if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 || len(page.Deliveries) > 1 {
				h.t.Fatalf("%s is answered with %d %s", path, a.status, a.body)
			}
			for _, d := range page.Deliveries {
				names = append(names, d.ExternalID)
				if d.UnloadPIN != "" {
					h.t.Errorf("a merchant sees the recipient's PIN of %s", d.ExternalID)
				}
			}
			if page.Next == "" {
				break
			}
			path = "/v1/board?limit=1&cursor=" + page.Next
		}
		if got := strings.Join(names, " "); got != want {
			h.t.Errorf("the board in pages is %q, want %q", got, want)
		}
	}
}

func TestTimeline(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "", "a")
	h.town.Drive(t, "d1", delivery.Delivered, h.pump)
	want, err := h.store.Updates(t.Context(), "d1", 0, 100)
	if err != nil || len(want) < 8 {
		t.Fatalf("the store has %d updates, %v", len(want), err)
	}
	c := h.client(operatorToken)
	got, err := c.Updates(t.Context(), "d1", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the timeline (-sent +arrived):\n%s", diff)
	}
	if got, err := c.Updates(t.Context(), "d1", 3, 2); err != nil || len(got) != 2 || got[0].Sequence != 4 {
		t.Errorf("2 updates after 3 are %+v, %v", got, err)
	}
	if got, err := c.Updates(t.Context(), "nobody", 0, 10); len(got) != 0 || err != nil {
		t.Errorf("updates of an unknown delivery: %d, %v; want none", len(got), err)
	}
}

// TestEntityTags reads and edits as a browser does.
func TestEntityTags(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "cafe/quay", "a")
	const path = "/v1/deliveries/ext:a"
	first := h.send("GET", path, merchantToken, "")
	etag := first.header.Get("ETag")
	if first.status != 200 || etag == "" || !strings.HasPrefix(etag, `"2-`) {
		t.Fatalf("GET is answered with %d, ETag %q; want one of update 2", first.status, etag)
	}
	for _, condition := range []string{etag, "W/" + etag, `"x", ` + etag, "*"} {
		if a := h.send("GET", path, merchantToken, "", "If-None-Match: "+condition); a.status != http.StatusNotModified || a.body != "" || a.header.Get("ETag") != etag {
			t.Errorf("If-None-Match %s is answered with %d %q", condition, a.status, a.body)
		}
	}
	if a := h.send("HEAD", path, merchantToken, ""); a.status != 200 || a.body != "" || a.header.Get("ETag") != etag || a.header.Get("Content-Length") != fmt.Sprint(len(first.body)) {
		t.Errorf("HEAD is answered with %d, %v", a.status, a.header)
	}
	if a := h.send("GET", path, integrationsToken, "", "Footway-Partner: p", "If-None-Match: "+etag); a.status != 200 {
		t.Errorf("somebody who sees more has another body, and is answered with %d", a.status)
	}
	edited := h.send("PATCH", path, merchantToken, `{"tip_cents":900}`, "If-Match: "+etag)
	if edited.status != 200 || edited.header.Get("ETag") == etag {
		t.Errorf("PATCH of what is known is answered with %d %s", edited.status, edited.body)
	}
	if a := h.send("PATCH", path, merchantToken, `{"tip_cents":900}`, "If-Match: "+etag); a.status != 200 {
		t.Errorf("the same PATCH repeated is answered with %d %s", a.status, a.body)
	}
	a := h.send("PATCH", path, merchantToken, `{"tip_cents":100}`, "If-Match: "+etag)
	if a.status != http.StatusPreconditionFailed || !strings.Contains(a.body, delivery.Stale) {
		t.Errorf("PATCH of what is not known any more is answered with %d %s", a.status, a.body)
	}
	if a := h.send("PATCH", path, merchantToken, `{"tip_cents":100}`, "If-Match: *"); a.status != 200 {
		t.Errorf("PATCH whatever there is is answered with %d %s", a.status, a.body)
	}
	if a := h.send("GET", path, merchantToken, "", "If-None-Match: "+etag); a.status != 200 {
		t.Errorf("an old ETag is answered with %d", a.status)
	}
}

// TestIdempotencyKeys sends what creates something twice, under the same key.
func TestIdempotencyKeys(t *testing.T) {
	h := newHouse(t, nil)
	body := func(id, tip string) string {
		return `{"market":"m",` + id + `"pickup":{"address":"1 Quay"},"dropoff":{"address":"12 Hill Street"},"load":{"length_mm":1,"width_mm":1,"height_mm":1,"grams":1},"tip_cents":` + tip + `}`
	}
	first := h.send("POST", "/v1/deliveries", merchantToken, body("", "5"), `Idempotency-Key: "order-7"`)
	if first.status != 200 || !strings.Contains(first.body, `"external_id":"order-7"`) {
		t.Fatalf("POST with a key is answered with %d %s", first.status, first.body)
	}
	for _, again := range []answered{
		h.send("POST", "/v1/deliveries", merchantToken, body("", "5"), `Idempotency-Key: "order-7"`),
		h.send("POST", "/v1/deliveries", merchantToken, body("", "5"), `Idempotency-Key: order-7`),
		h.send("POST", "/v1/deliveries", merchantToken, body(`"external_id":"order-7",`, "5")),
		h.send("POST", "/v1/deliveries", merchantToken, body(`"external_id":"order-7",`, "5"), `Idempotency-Key: "order-7"`),
	} {
		if again.status != 200 || again.body != first.body {
			t.Errorf("the same again is answered with %d %s, want what was answered first", again.status, again.body)
		}
	}
	if other := h.send("POST", "/v1/deliveries", merchantToken, body("", "6"), `Idempotency-Key: "order-7"`); other.status != 409 || !strings.Contains(other.body, delivery.DuplicateDelivery) {
		t.Errorf("another body under the key is answered with %d %s, want 409", other.status, other.body)
	}
	if missing := h.send("POST", "/v1/deliveries", merchantToken, body("", "5")); missing.status != 400 {
		t.Errorf("no name at all is answered with %d, want 400", missing.status)
	}
}

func TestMerchants(t *testing.T) {
	h := newHouse(t, nil)
	c, ctx := h.client(integrationsToken), t.Context()
	cafe := merchant.Business{BusinessKey: merchant.BusinessKey{Partner: "p", ID: "cafe"}, Name: "Café <&> Quay", Description: "by the sea"}
	made, err := c.CreateBusiness(ctx, cafe)
	if err != nil || made.Status != merchant.Active || made.CreatedAt != fake.Start || made.Revision != 1 {
		t.Fatalf("CreateBusiness = %+v, %v", made, err)
	}
	if again, err := c.CreateBusiness(ctx, cafe); err != nil || again != made {
		t.Errorf("CreateBusiness repeated = %+v, %v", again, err)
	}
	quay := merchant.Store{StoreKey: merchant.StoreKey{Partner: "p", Business: "cafe", ID: "quay"}, Name: "Quay", Address: "1 Quay", Phone: "+12065550100", Prep: 10 * clock.Minute}
	shop, err := c.CreateStore(ctx, quay)
	if err != nil || shop.Prep != quay.Prep {
		t.Fatalf("CreateStore = %+v, %v", shop, err)
	}
	name, off, prep := "Quay 2", merchant.Inactive, clock.Duration(0)
	if b, err := c.EditBusiness(ctx, cafe.BusinessKey, merchant.BusinessEdit{Name: &name, Status: &off}); err != nil || b.Name != name || b.Status != off || b.Description != "by the sea" {
		t.Errorf("EditBusiness = %+v, %v", b, err)
	}
	if s, err := c.EditStore(ctx, quay.StoreKey, merchant.StoreEdit{Name: &name, Prep: &prep}); err != nil || s.Name != name || s.Prep != 0 || s.Phone != quay.Phone {
		t.Errorf("EditStore = %+v, %v", s, err)
	}
	for i := range merchant.PageSize + 1 {
		for _, make := range []func() error{
			func() error {
				b := cafe
				b.ID = fmt.Sprintf("more-%03d", i)
				_, err := h.merchants.CreateBusiness(ctx, b)
				return err
			},
			func() error {
				s := quay
				s.ID = fmt.Sprintf("more-%03d", i)
				_, err := h.merchants.CreateStore(ctx, s)
				return err
			},
		} {
			if err := make(); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.sameMerchants(c)
	if b, err := c.Business(ctx, cafe.BusinessKey); err != nil || b.Name != name {
		t.Errorf("Business = %+v, %v", b, err)
	}
	if s, err := c.Store(ctx, quay.StoreKey); err != nil || s.Name != name || s.Address != quay.Address {
		t.Errorf("Store = %+v, %v", s, err)
	}
	for what, err := range map[string]error{
		merchant.UnknownBusiness: second(c.Business(ctx, merchant.BusinessKey{Partner: "q", ID: "cafe"})),
		merchant.UnknownStore:    second(c.Store(ctx, merchant.StoreKey{Partner: "p", Business: "cafe", ID: "none"})),
	} {
		if !fault.Is(err, fault.NotFound) || fault.ReasonOf(err) != what {
			t.Errorf("%v; want reason %s", err, what)
		}
	}
	cafe.Name = "another"
	if _, err := c.CreateBusiness(ctx, cafe); fault.ReasonOf(err) != merchant.DuplicateBusiness {
		t.Errorf("another business with the id: %v", err)
	}
	if _, _, err := c.Businesses(ctx, "p", "forged"); fault.ReasonOf(err) != merchant.BadToken {
		t.Errorf("a forged token: %v", err)
	}
	if a := h.send("GET", "/v1/businesses", quayToken, ""); a.status != 200 || strings.Count(a.body, `"id"`) != 1 {
		t.Errorf("somebody of one business sees %s", a.body)
	}
	if a := h.send("GET", "/v1/businesses/cafe/stores", quayToken, ""); a.status != 200 || strings.Count(a.body, `"id"`) != 1 {
		t.Errorf("somebody of one store sees %s", a.body)
	}
}

func second[T any](_ T, err error) error { return err }

// sameMerchants compares what the service and the client list.
func (h *house) sameMerchants(c *DeliveriesClient) {
	h.t.Helper()
	ctx, token, cafe := h.t.Context(), "", merchant.BusinessKey{Partner: "p", ID: "cafe"}
	for pages := 0; pages == 0 || token != ""; pages++ {
		want, next, err := h.merchants.Businesses(ctx, "p", token)
		got, gotNext, gotErr := c.Businesses(ctx, "p", token)
		if err != nil || gotErr != nil || gotNext != next || !cmp.Equal(want, got) {
			h.t.Errorf("Businesses(%q) = %d and %q, %v; want %d and %q, %v", token, len(got), gotNext, gotErr, len(want), next, err)
		}
		wantStores, nextStores, err := h.merchants.Stores(ctx, cafe, token)
		gotStores, gotNextStores, gotErr := c.Stores(ctx, cafe, token)
		if err != nil || gotErr != nil || gotNextStores != nextStores || !cmp.Equal(wantStores, gotStores) {
			h.t.Errorf("Stores(%q) = %d and %q, %v; want %d and %q, %v", token, len(gotStores), gotNextStores, gotErr, len(wantStores), nextStores, err)
		}
		token = next
	}
}

func TestPlaces(t *testing.T) {
	h := newHouse(t, nil)
	c, ctx := h.client(integrationsToken), t.Context()
	for _, query := range []string{"1", "14 Quay & ", "none"} {
		want, err := (street{}).Search(ctx, porttest.Market, query, 2)
		got, gotErr := c.Search(ctx, porttest.Market, query, 2)
		if err != nil || gotErr != nil || externalsOf(got) != externalsOf(want) {
			t.Errorf("Search(%q) = %v, %v; want %v", query, got, gotErr, want)
		}
	}
	if _, err := c.Search(ctx, "elsewhere", "1", 1); fault.ReasonOf(err) != "unknown_market" {
		t.Errorf("Search elsewhere: %v", err)
	}
	if p, err := c.PointAt(ctx, porttest.Market, maps.Position{Edge: 9, OffsetMM: 1}); err != nil || p != (maps.Point{Lon: -1222988890, Lat: 9}) {
		t.Errorf("PointAt = %v, %v", p, err)
	}
	if _, err := c.PointAt(ctx, porttest.Market, maps.Position{Edge: -1}); fault.ReasonOf(err) != "bad_position" {
		t.Errorf("PointAt nowhere: %v", err)
	}
}

func externalsOf(all []maps.Match) string { return fmt.Sprintf("%+v", all) }

// TestPeopleAtTheRobot is who may open what.
func TestPeopleAtTheRobot(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "cafe/quay", "a")
	h.town.Drive(t, "d1", delivery.AtPickup, h.pump)
	const one = "/v1/deliveries/d1"
	for _, tt := range []struct{ token, body string }{
		{merchantToken, `{"purpose":"load","want":"open"}`}, {quayToken, `{"purpose":"return","want":"confirm"}`},
		{recipientToken, `{"purpose":"unload","want":"open","pin":"2222"}`}, {integrationsToken, `{"purpose":"unload","want":"open","pin":"2222"}`},
	} {
		if a := h.send("POST", one+"/handoff", tt.token, tt.body); a.status != http.StatusNoContent {
			t.Errorf("%s is answered with %d %s", tt.body, a.status, a.body)
		}
	}
	if a := h.send("GET", one, recipientToken, ""); a.status != 200 || strings.Contains(a.body, "people") || !strings.Contains(a.body, `"unload_pin":"2222"`) {
		t.Errorf("the recipient sees %s; want the PIN and nobody", a.body)
	}
	if a := h.send("GET", one, quayToken, ""); a.status != 200 || strings.Contains(a.body, "Ada") || strings.Contains(a.body, "Hill") || !strings.Contains(a.body, "soup") {
		t.Errorf("the merchant sees %s; want the goods and nothing of the recipient", a.body)
	}
	if a := h.send("POST", one+"/ready", quayToken, "{}"); a.status != http.StatusNoContent {
		t.Errorf("ready now is answered with %d %s", a.status, a.body)
	}
	d, err := h.service.ByID(t.Context(), "d1")
	if err != nil || d.ReadySaid != h.town.Clock.Now() {
		t.Errorf("ready was said at %s, %v; want now", d.ReadySaid, err)
	}
	if _, err := h.client(integrationsToken).ByID(t.Context(), "d1"); err != nil {
		t.Error(err)
	}
}

func TestClientErrors(t *testing.T) {
	for _, bad := range []string{"", "deliveries:80", "ftp://x", "http://", "http://x/path", "http://u:p@x", "http://x?q", "http://[::1"} {
		if _, err := NewDeliveriesClient(bad, ClientOptions{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a client of %q: %v; want it refused", bad, err)
		}
	}
	h := newHouse(t, nil)
	big := porttest.QuoteFor("p", "a")
	big.Personal.DropoffInstructions = strings.Repeat("x", MaxBody)
	_, err := h.client(integrationsToken).Quote(t.Context(), big)
	if !fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != reasonTooLarge {
		t.Errorf("a quote that is too large: %v", err)
	}
	late := porttest.QuoteFor("p", "a")
	late.ReadyAt = -5
	if _, err := h.client(integrationsToken).Quote(t.Context(), late); !fault.Is(err, fault.Invalid) {
		t.Errorf("a time before 1970: %v", err)
	}
	_, err = h.client("of-nobody").Quote(t.Context(), porttest.QuoteFor("p", "a"))
	if !fault.Is(err, fault.Forbidden) || fault.ReasonOf(err) != reasonUnauthenticated {
		t.Errorf("a quote for a stranger: %v", err)
	}
	if _, ok := errors.AsType[*refused](err); !ok || strings.Contains(err.Error(), h.address) {
		t.Errorf("the error is %v; want what the other side said, and no address", err)
	}
}
