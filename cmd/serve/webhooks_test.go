package serve_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"footway/cmd/serve"
	"footway/core/account"
	"footway/core/integration"
	"footway/core/merchant"
)

// TestWebhooksAcrossProcesses has the pages of merchants in one process ask Integrations in another, which answers beside
// the partners' door.
func TestWebhooksAcrossProcesses(t *testing.T) {
	in := install(t)
	in.split()
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("webhook-signature") == "" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer receiver.Close()
	in.start(in.d, "config")
	door := in.start(in.d, "integrations").at["integrations"].String()
	pages := in.start(in.d, "merchant").at["merchant"].String()
	accounts := serve.NewAccounts(in.kept)
	_, invitation, err := accounts.Found(t.Context(), merchant.BusinessKey{Partner: "acme", ID: "bakery"}, account.Person{Email: "ana@gull.example", Name: "Ana", Role: account.Admin})
	if err != nil {
		t.Fatal(err)
	}
	session, _, err := accounts.TakeInvitation(t.Context(), invitation, "four words of mine")
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, address string, form url.Values) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+address, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: "footway-session", Value: session})
		a, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil {
			t.Fatal(err)
		}
		return a.StatusCode, string(b)
	}
	if status, page := ask(http.MethodPost, pages+"/merchant/settings/webhooks", url.Values{"url": {receiver.URL}}); status != http.StatusOK || !strings.Contains(page, "whsec_") {
		t.Fatalf("the page answers %d:\n%s", status, page)
	}
	bakery := integration.Owner{Partner: "acme", Business: "bakery"}
	all, err := in.kept.Partners.Endpoints(t.Context(), bakery, "", 10)
	if err != nil || len(all) != 1 || all[0].Owner() != bakery {
		t.Fatalf("the endpoints are %+v, %v; want one of the bakery", all, err)
	}
	if status, page := ask(http.MethodPost, pages+"/merchant/settings/webhooks/"+all[0].ID+"/ping", url.Values{}); status != http.StatusOK || !strings.Contains(page, "The test event arrived: status 200") {
		t.Errorf("a test event: %d\n%s", status, page)
	}
	for path, want := range map[string]int{"/openapi.json": 200, "/v1/webhooks": 401, "/v1/webhooks/" + all[0].ID: 401, "/v1/webhooksx": 404, "/drive/v2/deliveries/x": 401} {
		if status, body := ask(http.MethodGet, door+path, nil); status != want || want == 200 && !strings.Contains(body, "createWebhook") {
			t.Errorf("%s of Integrations is answered with %d %.200s; want %d", path, status, body, want)
		}
	}
}
