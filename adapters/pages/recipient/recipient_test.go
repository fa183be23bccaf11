package recipient_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"footway/adapters/pages/recipient"
	"footway/core/clock"
	"footway/core/delivery"
)

const token = "a-secret-that-nobody-guesses"

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

type fixed struct{}

func (fixed) Now() clock.Time { return clock.Of(noon) }

// api is Deliveries' API as far as the pages call it.
type api struct {
	t        *testing.T
	mu       sync.Mutex
	delivery map[string]any
	track    map[string]any
	refuse   map[string]any // a problem instead of any answer
	asked    []string       // method, path and body of what changes something
}

func at(minutes int) string {
	return noon.Add(time.Duration(minutes) * time.Minute).Format("2006-01-02T15:04:05.000Z")
}

func newAPI(t *testing.T) *api {
	return &api{t: t, track: map[string]any{"state": "to_dropoff"}, delivery: map[string]any{
		"id": "d1", "market": "m", "state": "to_dropoff", "sequence": 7, "robot": "r7", "unload_pin": "4821", "if_undeliverable": "return_to_pickup",
		"promise":  map[string]any{"dropoff_p50": at(10), "dropoff_p90": at(14)},
		"expected": map[string]any{"dropoff_p50": at(10), "dropoff_p90": at(14)},
	}}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if got := r.Header.Get("Authorization"); got != "Bearer "+token {
		a.t.Errorf("%s %s shows %q", r.Method, r.URL, got)
	}
	if got := r.Header.Get("Cookie"); got != "" {
		a.t.Errorf("a visitor's cookies are handed on: %q", got)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Internal", "yes")
	send := func(status int, v any) {
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(v); err != nil {
			a.t.Error(err)
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		a.t.Error(err)
	}
	switch {
	case a.refuse != nil && (a.refuse["only"] == nil || r.Method == http.MethodPost):
		status, ok := a.refuse["status"].(int)
		if !ok {
			a.t.Error("the problem has no status")
		}
		send(status, a.refuse)
	case r.Method == http.MethodPost:
		a.asked = append(a.asked, r.URL.Path+" "+strings.TrimSpace(string(body)))
		w.WriteHeader(http.StatusNoContent)
	case strings.HasSuffix(r.URL.Path, "/track"):
		send(http.StatusOK, a.track)
	case strings.HasSuffix(r.URL.Path, "/events"):
		fmt.Fprintf(w, "data: %s %s\n\n", r.URL.RawQuery, r.Header.Get("Last-Event-Id"))
	default:
		send(http.StatusOK, map[string]any{"delivery": a.delivery})
	}
}

func (a *api) set(state delivery.State, more map[string]any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.delivery["state"] = state
	for k, v := range more {
		a.delivery[k] = v
	}
}

func open(t *testing.T) (*api, *recipient.Pages) {
	t.Helper()
	a := newAPI(t)
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, err := recipient.New(recipient.Options{
		API: u, Delivery: func(got string) (delivery.ID, bool) { return "d1", got == token }, Map: "/map/x/map.js", Tiles: "/tiles",
		Clock: fixed{}, Log: slog.New(slog.DiscardHandler), Phone: "+12065550100",
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, p
}

func ask(p http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://footway.example"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func TestEachStateHasItsPage(t *testing.T) {
	for _, tt := range []struct {
		state    delivery.State
		more     map[string]any
		english  string
		spanish  string
		without  []string // what must not be on it
		contains []string
	}{
		{state: delivery.Requested, more: map[string]any{"robot": ""}, english: "being prepared", spanish: "preparando", contains: []string{"choosing a robot", "12:06 – 12:14"}, without: []string{"4821", "/open", "cannot-come"}},
		{state: delivery.AtPickup, english: "being prepared", spanish: "preparando", without: []string{"4821", "/open"}},
		{state: delivery.ToDropoff, english: "on its way", spanish: "en camino", contains: []string{"4821", "in 6–14 min", "back to the store", "r7"}, without: []string{"/open"}},
		{state: delivery.ToDropoff, more: map[string]any{"if_undeliverable": "dispose"}, english: "on its way", spanish: "en camino", contains: []string{"thrown away"}},
		{state: delivery.ToDropoff, more: map[string]any{"expected": map[string]any{"dropoff_p50": at(40), "dropoff_p90": at(44)}}, english: "Later than we first said", spanish: "Más tarde"},
		{state: delivery.ToDropoff, more: map[string]any{"custody": []any{map[string]any{"carrier": "r1"}, map[string]any{"carrier": "r2"}}}, english: "Another robot", spanish: "Otro robot"},
		{state: delivery.AtDropoff, english: "robot is here", spanish: "ha llegado", contains: []string{"4821", "/open?lang=en", "9:00", "until 12:09"}},
		{state: delivery.Delivered, more: map[string]any{"times": map[string]any{"ended": at(-5)}}, english: "Delivered", spanish: "Entregado", contains: []string{"11:55"}, without: []string{"4821", "/open", "cannot-come", "refresh"}},
		{state: delivery.Returning, english: "going back", spanish: "vuelve", without: []string{"4821", "/open"}},
		{state: delivery.Returned, english: "back at the store", spanish: "de vuelta", without: []string{"4821"}},
		{state: delivery.Cancelled, english: "cancelled", spanish: "canceló", without: []string{"4821", "Arrives"}},
	} {
		t.Run(string(tt.state), func(t *testing.T) {
			a, p := open(t)
			a.set(tt.state, tt.more)
			a.track = map[string]any{"robot": map[string]any{"heard_at": at(0)}, "waits_until": at(9)}
			w := ask(p, http.MethodGet, "/r/"+token, "Accept-Language", "de, en-US;q=0.5")
			page := strings.ReplaceAll(w.Body.String(), "\u00a0", " ")
			if w.Code != http.StatusOK || !strings.Contains(page, tt.english) {
				t.Errorf("%d, without %q:\n%s", w.Code, tt.english, page)
			}
			for _, want := range tt.contains {
				if !strings.Contains(page, want) {
					t.Errorf("without %q:\n%s", want, page)
				}
			}
			for _, never := range tt.without {
				if strings.Contains(page, never) {
					t.Errorf("with %q", never)
				}
			}
			if es := ask(p, http.MethodGet, "/r/"+token, "Accept-Language", "es-MX").Body.String(); !strings.Contains(es, tt.spanish) || !strings.Contains(es, `<html lang="es">`) {
				t.Errorf("in Spanish without %q", tt.spanish)
			}
		})
	}
}

func TestLanguage(t *testing.T) {
	_, p := open(t)
	for _, tt := range []struct{ path, accept, want string }{
		{"", "", "en"}, {"", "es", "es"}, {"", "en;q=0.4, es;q=0.6", "es"}, {"", "es;q=0, fr", "en"}, {"", "es;q=x, en;q=0.1", "en"}, {"?lang=en", "es", "en"}, {"?lang=es", "en", "es"}, {"?lang=xx", "es", "es"},
	} {
		if got := ask(p, http.MethodGet, "/r/"+token+tt.path, "Accept-Language", tt.accept).Header().Get("Content-Language"); got != tt.want {
			t.Errorf("%s with %q is in %s, want %s", tt.path, tt.accept, got, tt.want)
		}
	}
}

func TestButtonsWithoutScripts(t *testing.T) {
	a, p := open(t)
	a.set(delivery.AtDropoff, nil)
	if page := ask(p, http.MethodGet, "/r/"+token).Body.String(); !strings.Contains(page, `<noscript><meta http-equiv="refresh" content="15"></noscript>`) {
		t.Error("without scripts the page does not renew itself")
	}
	for button, want := range map[string]string{
		"open": `/v1/deliveries/d1/handoff {"pin":"4821","purpose":"unload","want":"open"}`,
		"done": `/v1/deliveries/d1/handoff {"purpose":"unload","want":"confirm"}`, "cannot-come": `/v1/deliveries/d1/cannot-come {}`,
	} {
		a.asked = nil
		if w := ask(p, http.MethodPost, "/r/"+token+"/"+button); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/r/"+token {
			t.Errorf("%s: %d to %q", button, w.Code, w.Header().Get("Location"))
		}
		if len(a.asked) != 1 || a.asked[0] != want {
			t.Errorf("%s asks %v, want %s", button, a.asked, want)
		}
	}
	a.asked = nil
	if w := ask(p, http.MethodPost, "/r/"+token+"/open", "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden || len(a.asked) > 0 {
		t.Errorf("another site may press the button: %d, %v", w.Code, a.asked)
	}
}

func TestRefusals(t *testing.T) {
	a, p := open(t)
	a.set(delivery.AtDropoff, nil)
	a.refuse = map[string]any{"only": "post", "status": 409, "kind": "conflict", "reason": "hatch_open"}
	if w := ask(p, http.MethodPost, "/r/"+token+"/done", "Accept", "text/fragment"); !strings.Contains(w.Body.String(), "still open") || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("%d:\n%s", w.Code, w.Body)
	}
	a.refuse["reason"] = "something_new"
	if w := ask(p, http.MethodPost, "/r/"+token+"/done?lang=es"); !strings.Contains(w.Body.String(), "No ha funcionado") {
		t.Errorf("%d:\n%s", w.Code, w.Body)
	}
	for _, tt := range []struct {
		status     int
		reason     string
		want       int
		says, more string
	}{
		{403, "expired_link", http.StatusGone, "has expired", ""},
		{401, "unauthenticated", http.StatusNotFound, "does not work", ""},
		{404, "unknown_delivery", http.StatusNotFound, "does not work", ""},
		{503, "", http.StatusServiceUnavailable, "just now", "refresh"},
		{500, "", http.StatusServiceUnavailable, "just now", "refresh"},
	} {
		a.refuse = map[string]any{"status": tt.status, "reason": tt.reason}
		w := ask(p, http.MethodGet, "/r/"+token)
		if w.Code != tt.want || !strings.Contains(w.Body.String(), tt.says) || !strings.Contains(w.Body.String(), tt.more) || strings.Contains(w.Body.String(), "4821") {
			t.Errorf("%d %s: %d, want %d and %q", tt.status, tt.reason, w.Code, tt.want, tt.says)
		}
	}
}

func TestWhatIsHandedOn(t *testing.T) {
	_, p := open(t)
	w := ask(p, http.MethodGet, "/r/"+token+"/events?after=7&robot=false&x=1", "Cookie", "session=1", "Last-Event-ID", "9", "Authorization", "Bearer other")
	if got := strings.TrimSpace(w.Body.String()); got != "data: robot=true&after=7 9" {
		t.Errorf("the stream is asked for with %q", got)
	}
	if w.Header().Get("X-Internal") != "" {
		t.Error("what is between us and the API is handed on")
	}
	if w := ask(p, http.MethodGet, "/r/"+token+"/track"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "to_dropoff") {
		t.Errorf("track: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/r/other", "/r/other/now", "/r/other/track", "/r/other/events", "/r/", "/r/" + token + "/updates", "/r/assets/x/recipient.js", "/r/assets/../" + token + "/x"} {
		if w := ask(p, http.MethodGet, path); w.Code < 300 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestHeaders(t *testing.T) {
	_, p := open(t)
	h := ask(p, http.MethodGet, "/r/"+token).Header()
	for name, want := range map[string]string{"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"} {
		if h.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, h.Get(name), want)
		}
	}
	if csp := h.Get("Content-Security-Policy"); csp == "" || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %q", csp)
	}
}

// TestDocumentation compares the table of buttons and operations with the API's document.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../../docs/recipients/README.md")
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../restapi/openapi/deliveries.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| ([^|]+) \\| `(\\w+)`").FindAllStringSubmatch(string(page), -1)
	if len(rows) != 6 {
		t.Fatalf("the table has %d rows, want 6", len(rows))
	}
	a, p := open(t)
	a.set(delivery.AtDropoff, nil)
	a.track["opened_at"] = at(-1)
	shown := ask(p, http.MethodGet, "/r/"+token).Body.String()
	for _, row := range rows {
		if !strings.Contains(string(document), "operationId: "+row[2]+"\n") {
			t.Errorf("%s: there is no operation %s", row[1], row[2])
		}
		if name := row[1]; name[0] < 'a' && !strings.Contains(strings.ReplaceAll(shown, "Open again", "Open the robot"), name) {
			t.Errorf("there is no button %q", name)
		}
	}
}
