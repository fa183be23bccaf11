package restapi

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"footway/core/fault"
	coretrace "footway/core/trace"
)

// rig is an API with one route, which is access's public one.
func rig(o Options, c class, handle func(http.ResponseWriter, *http.Request) error) *API {
	a := newAPI(o, []byte("{}"))
	a.routes[0].class, a.routes[0].handle = c, handle
	return a
}

func get(a *API, headers ...string) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(http.MethodGet, "/openapi.json", nil), httptest.NewRecorder()
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	a.ServeHTTP(w, r)
	return w
}

// TestShedding fills a class up: some wait for their turn, the others come again later.
func TestShedding(t *testing.T) {
	hold, inside := make(chan struct{}), make(chan struct{}, 10)
	a := rig(Options{Limits: Limits{Quick: 2, Queue: 1, Wait: 10 * time.Second}}, quick, func(w http.ResponseWriter, _ *http.Request) error {
		inside <- struct{}{}
		<-hold
		w.WriteHeader(http.StatusNoContent)
		return nil
	})
	codes := make(chan int, 10)
	var all sync.WaitGroup
	ask := func() { all.Go(func() { codes <- get(a).Code }) }
	ask()
	ask()
	<-inside
	<-inside
	ask()
	eventually(t, "one waits", func() bool { return a.gates[quick].waiting.Load() == 1 })
	w := get(a)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), reasonBusy) {
		t.Errorf("one too many is answered with %d %s", w.Code, w.Body)
	}
	close(hold)
	all.Wait()
	for range 3 {
		if code := <-codes; code != http.StatusNoContent {
			t.Errorf("one of those who fit is answered with %d", code)
		}
	}
	if len(a.gates[quick].places) != 0 {
		t.Error("places are taken by nobody")
	}
	short := rig(Options{Limits: Limits{Quick: 1, Queue: 1, Wait: 10 * time.Millisecond}}, quick, nil)
	short.gates[quick].places <- struct{}{}
	if w := get(short); w.Code != http.StatusServiceUnavailable {
		t.Errorf("who waits too long is answered with %d", w.Code)
	}
}

func TestPanics(t *testing.T) {
	var log lockedBuffer
	a := rig(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, quick, func(http.ResponseWriter, *http.Request) error { panic("secret of the house") })
	w := get(a)
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != problemType || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("a panic is answered with %d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret of the house") || !strings.Contains(log.String(), "api_test.go") || !strings.Contains(log.String(), "status=500") {
		t.Errorf("the log does not tell of the panic: %s", log.String())
	}
	half := rig(Options{}, quick, func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		panic("in the middle")
	})
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // a panic's value, not an error
			t.Error("half an answer ends as if it were whole")
		}
		if len(a.gates[quick].places)+len(half.gates[quick].places) != 0 {
			t.Error("a panic keeps its place")
		}
	}()
	get(half)
}

func TestDeadlines(t *testing.T) {
	a := rig(Options{Timeout: 20 * time.Millisecond}, quick, func(_ http.ResponseWriter, r *http.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	})
	w := get(a)
	err := faultOf("op", w.Code, w.Header(), w.Body.Bytes())
	if w.Code != http.StatusServiceUnavailable || !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != reasonDeadline {
		t.Errorf("a handler beyond its deadline is answered with %d %s", w.Code, w.Body)
	}
}

// TestTraces follows a request's ids through a service and its client.
func TestTraces(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var request, trace string
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request, trace = r.Header.Get("Request-Id"), r.Header.Get("Traceparent")
		w.WriteHeader(http.StatusNoContent)
	}))
	defer behind.Close()
	c := dispatchClient(t, behind.URL)
	a := rig(Options{}, quick, func(w http.ResponseWriter, r *http.Request) error {
		return c.Withdraw(r.Context(), "m", "d", 1)
	})
	if w := get(a, "Request-Id: abc-1", "Traceparent: "+parent); w.Header().Get("Request-Id") != "abc-1" || request != "abc-1" || trace != parent {
		t.Errorf("the next service sees %q and %q, and the caller %q", request, trace, w.Header().Get("Request-Id"))
	}
	for _, odd := range []string{"", "a b", strings.Repeat("x", 65), "a\"b", "é"} {
		if w := get(a, "Request-Id: "+odd, "Traceparent: "+odd); w.Header().Get("Request-Id") == odd || request != w.Header().Get("Request-Id") || trace != "" {
			t.Errorf("Request-Id %q is passed on as %q, Traceparent as %q", odd, request, trace)
		}
	}
	for p, want := range map[string]bool{parent: true, "": false, strings.ToUpper(parent): false, "ff" + parent[2:]: false, parent + "-x": false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false, "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false} {
		if got := coretrace.Valid(p); got != want {
			t.Errorf("traceparent %q is valid: %v, want %v", p, got, want)
		}
	}
	if RequestID(context.Background()) != "" || coretrace.From(context.Background()) != "" {
		t.Error("nobody's request has an id")
	}
}

func TestDocumentIsServed(t *testing.T) {
	h := newHouse(t, nil)
	a := h.send(http.MethodGet, "/openapi.json", "", "")
	var doc struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || a.status != 200 || doc.OpenAPI != "3.1.0" || len(doc.Paths) < 10 {
		t.Errorf("the document is answered with %d, version %q, %d paths, %v", a.status, doc.OpenAPI, len(doc.Paths), err)
	}
	if b := h.send(http.MethodGet, "/openapi.json", "", "", "If-None-Match: "+a.header.Get("ETag")); b.status != http.StatusNotModified {
		t.Errorf("the document that one has is answered with %d", b.status)
	}
	o := h.send(http.MethodOptions, "/v1/deliveries/x", merchantToken, "")
	if o.status != http.StatusNoContent || o.header.Get("Allow") != "GET, HEAD, OPTIONS, PATCH" {
		t.Errorf("OPTIONS is answered with %d, Allow %q", o.status, o.header.Get("Allow"))
	}
	if p := h.send(http.MethodPut, "/v1/deliveries/x", merchantToken, "{}"); p.header.Get("Allow") != "GET, HEAD, OPTIONS, PATCH" {
		t.Errorf("PUT is answered with %d, Allow %q", p.status, p.header.Get("Allow"))
	}
}

// TestBellForgets keeps nothing of those who listened.
func TestBellForgets(t *testing.T) {
	b := NewBell()
	var all []*listener
	for range 100 {
		all = append(all, b.listen("x"))
	}
	b.ring("x")
	b.ring("x")
	for _, l := range all {
		select {
		case <-l.c:
		default:
			t.Error("a listener was not told")
		}
		select {
		case <-l.c:
			t.Error("a listener was told twice of what it had not looked at yet")
		default:
		}
		l.close()
	}
	if b.heard() {
		t.Error("the bell remembers listeners that are gone")
	}
}
