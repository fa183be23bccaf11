package demo_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/merchant"
)

// heard is a webhook that a receiver got.
type heard struct {
	Event    string `json:"event_name"`
	Order    string `json:"external_delivery_id"`
	Position uint64 `json:"position"`
	status   int    // with which it was answered
	signed   func(secret string) bool
	proofs   int // signatures
}

// receiver is a shop's own program.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	all    []heard
	answer int
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{answer: http.StatusNoContent}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		h := heard{}
		if err != nil || json.Unmarshal(body, &h) != nil {
			t.Errorf("the receiver got %q, %v", body, err)
		}
		proofs := strings.Fields(q.Header.Get("webhook-signature"))
		h.proofs = len(proofs)
		h.signed = func(secret string) bool {
			key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
			mac := hmac.New(sha256.New, key)
			fmt.Fprintf(mac, "%s.%s.%s", q.Header.Get("webhook-id"), q.Header.Get("webhook-timestamp"), body)
			return err == nil && slices.Contains(proofs, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		h.status = r.answer
		r.all = append(r.all, h)
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

func (r *receiver) heard() []heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.all)
}

// gets waits for a webhook of an order, answered with a status.
func (r *receiver) gets(t testing.TB, event, order string, status int) heard {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		all := r.heard()
		if i := slices.IndexFunc(all, func(h heard) bool { return h.Event == event && h.Order == order && h.status == status }); i >= 0 {
			return all[i]
		}
		if time.Now().After(end) {
			t.Fatalf("the receiver got %d webhooks within two minutes, and no %s of %s answered with %d", len(all), event, order, status)
		}
	}
}

// buys has a customer order from a store of the demo's shop, or of another business of its partner.
func (d *show) buys(t testing.TB, business, order string) {
	t.Helper()
	office := d.office(t)
	shop, err := office.Store(t.Context(), merchant.StoreKey{Partner: shopOf, Business: business, ID: storeOf})
	if err != nil {
		t.Fatal(err)
	}
	near, err := office.Search(t.Context(), "city", d.nearby(t), 1)
	if err != nil || len(near) == 0 {
		t.Fatalf("no address nearby: %v", err)
	}
	ask := delivery.QuoteRequest{Market: "city", Partner: shopOf, ExternalID: order, RequestHash: order, PickupStore: business + "/" + storeOf,
		Pickup: dispatch.Place{Address: shop.Address}, Dropoff: dispatch.Place{Address: near[0].Address}, Load: fleet.Load{LengthMM: 300, WidthMM: 250, HeightMM: 150, Grams: 1500}, OrderValue: 1700,
		Personal: delivery.Personal{PickupAddress: shop.Address, PickupName: shop.Name, PickupPhone: "+12065550111", DropoffAddress: near[0].Address, DropoffGivenName: "Robin", DropoffPhone: "+12065550142"}}
	for end := time.Now().Add(time.Minute); ; time.Sleep(300 * time.Millisecond) { // robots are free in a moment
		if _, err = office.Create(t.Context(), ask); err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// again looks at a page anew until a script comes to true.
func again(page context.Context, t testing.TB, what, text string) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !script[bool](page, t, text); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in two minutes: %s. The page shows:\n%s", what, read(page, t, chromedp.Text(chromedp.CSS("main"))))
		}
		do(page, t, chromedp.Reload())
	}
}

// TestWebhookStory has a shop's own program told of its orders: signed, and of no other business's; it fails, changes its
// secret, and gets what it missed.
func TestWebhookStory(t *testing.T) {
	chrome := browser(t)
	d := begin(t)
	office := d.office(t)
	shop, err := office.Store(t.Context(), merchant.StoreKey{Partner: shopOf, Business: businessOf, ID: storeOf})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := office.CreateBusiness(t.Context(), merchant.Business{BusinessKey: merchant.BusinessKey{Partner: shopOf, ID: "next-door"}, Name: "Next door", Status: merchant.Active}); err != nil {
		t.Fatal(err)
	}
	shop.Business, shop.Name = "next-door", "Next door"
	if _, err := office.CreateStore(t.Context(), shop); err != nil {
		t.Fatal(err)
	}
	if status, docs := get(t, d.url+"/api/integrations"); status != http.StatusOK || !strings.Contains(docs, "createWebhook") {
		t.Errorf("the documentation of the API of webhooks is answered with %d", status)
	}
	to := newReceiver(t)
	page := shopkeeper(chrome, t, d, false, 1280)
	const list = `main a[href$="/settings/webhooks"]`
	do(page, t, chromedp.Navigate(d.url+"/merchant/settings"), see(list), click(list), see("#url"))
	looked(page, t, "webhooks-none")
	fill(page, t, "url", to.URL)
	do(page, t, click(`main form button.button:not([data-copies])`), see("#secret"))
	first := script[string](page, t, `document.getElementById('secret').value`)
	looked(page, t, "webhooks-made")
	do(page, t, click(`.hooks h2 a`), see("#log"), click(`form[action$="/ping"] button`), see("#pong.good"))
	if ping := to.gets(t, "FOOTWAY_PING", "", http.StatusNoContent); !ping.signed(first) {
		t.Error("the test event is not signed with the secret that was shown")
	}

	d.buys(t, "next-door", "theirs-1")
	d.buys(t, businessOf, "mine-1")
	if got := to.gets(t, "FOOTWAY_CREATED", "mine-1", http.StatusNoContent); !got.signed(first) || got.proofs != 1 || got.Position != 0 {
		t.Errorf("the event has %d signatures, signed with the secret: %v, and tells the place %d in the partner's log", got.proofs, got.signed(first), got.Position)
	}

	to.answers(http.StatusInternalServerError)
	d.buys(t, businessOf, "mine-2")
	to.gets(t, "FOOTWAY_QUOTED", "mine-2", http.StatusInternalServerError)
	do(page, t, click(`nav a[href$="show=failed"]`), see("#log"))
	again(page, t, "the log shows what failed", `!!document.querySelector('.hooklog .tag.warn') && document.querySelector('.hooklog').textContent.includes('status 500')`)
	looked(page, t, "webhook-failed")
	do(page, t, click(`.actions details:first-child summary`), see("#grace"), click(`form[action$="/secret"] button`), see("#secret"))
	second := script[string](page, t, `document.getElementById('secret').value`)
	barriers(page, t, "webhook with a new secret")
	to.answers(http.StatusNoContent)
	again(page, t, "what failed can be sent again", `document.querySelectorAll('.hooklog form[action$="/resend"]').length > 0`)
	do(page, t, click(`.hooklog form[action$="/resend"] button`), see(".note.good"))
	got := to.gets(t, "FOOTWAY_CREATED", "mine-2", http.StatusNoContent)
	if got.proofs != 2 || !got.signed(first) || !got.signed(second) || first == second {
		t.Errorf("while both secrets hold the event has %d signatures, of the old one: %v, of the new one: %v", got.proofs, got.signed(first), got.signed(second))
	}
	again(page, t, "the log shows that it arrived", `[...document.querySelectorAll('.hooklog tbody tr')].some((r) => r.textContent.includes('#mine-2') && r.textContent.includes('arrived'))`)
	looked(page, t, "webhook-log")
	for _, h := range to.heard() {
		if h.Order == "theirs-1" {
			t.Errorf("the shop is told of next door's order: %s", h.Event)
		}
	}
}
