package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"footway/adapters/ident"
	"footway/cmd/demo"
	"footway/cmd/serve"
	"footway/core/clock"
	"footway/core/market"
	"footway/core/rng"
	"footway/sim/city"
	"footway/sim/scenario"
)

// show is a demo that runs.
type show struct {
	url  string
	data string
	end  func() error
}

// begin starts a demo of a small city, and ends it with the test.
func begin(t testing.TB) *show {
	t.Helper()
	n, err := city.Generate(rng.Seed(3), city.Options{WidthM: 1500, HeightM: 1200, Merchants: 12})
	if err != nil {
		t.Fatal(err)
	}
	s := scenario.Defaults()
	s.Name, s.Start, s.Duration, s.Seed = "demo", "2026-01-01T00:00", 100*24*clock.Hour, 1
	s.Fleet.Robots, s.Fleet.Couriers, s.Demand.PerHour = 15, 0, 0
	s.World.Robots.Stuck, s.World.Robots.Breakdowns, s.World.Robots.ContactLost, s.World.Robots.Jam = 0, 0, 0, 0
	s.Fill()
	log := &lockedLog{}
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	data := t.TempDir()
	go func() {
		ended <- demo.Run(ctx, demo.Options{
			Listen: "127.0.0.1:0", Market: market.Market{ID: "city", Name: n.Name, TimeZone: "America/New_York"}, Network: n, Scenario: s, Speed: 60, Orders: 2,
			Data: data, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})), Version: "test", Started: func(url string) { started <- url },
		})
	}()
	d := &show{data: data, end: sync.OnceValue(func() error { cancel(); return <-ended })}
	t.Cleanup(func() {
		if err := d.end(); err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("its log:\n%s", log)
		}
	})
	select {
	case d.url = <-started:
	case err := <-ended:
		t.Fatalf("the demo did not start: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the demo did not start within a minute")
	}
	return d
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// get reads a page.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	a, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(body)
}

func TestEverythingThatTheStartPageLinksToIsThere(t *testing.T) {
	d := begin(t)
	status, page := get(t, d.url)
	links := regexp.MustCompile(`(?:href|src)="(/[^"]*)"`).FindAllStringSubmatch(page, -1)
	if status != http.StatusOK || len(links) < 4 {
		t.Fatalf("the start page answers %d with %d links", status, len(links))
	}
	for _, path := range append(links, []string{"", "/api/dispatch"}, []string{"", "/api/deliveries/openapi.json"}, []string{"", "/readyz"}, []string{"", "/tiles/tiles.json"}) {
		if status, body := get(t, d.url+path[1]); status != http.StatusOK || body == "" {
			t.Errorf("%s answers %d with %d bytes", path[1], status, len(body))
		}
	}
	if status, _ := get(t, d.url+"/nothing"); status != http.StatusNotFound {
		t.Errorf("what is not there is answered with %d", status)
	}
}

func TestItLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	d := begin(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Get(d.url + "/demo/recipient") // a page with a stream that does not end by itself
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	stream, err := client.Get(a.Request.URL.String() + "/events")
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", stream, err)
	}
	began := time.Now()
	if err := d.end(); err != nil {
		t.Error(err)
	}
	_ = stream.Body.Close()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v to end", took)
	}
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
	logs, err := filepath.Glob(filepath.Join(d.data, "*.fwlog"))
	if err != nil || len(logs) == 0 {
		t.Errorf("--data keeps %v, %v; want the log", logs, err)
	}
}

// TestRecipient orders something to the door, and opens the robot there.
func TestRecipient(t *testing.T) {
	chrome := browser(t)
	d := begin(t)
	page := tab(chrome, t, false, 390)
	do(page, t, chromedp.Navigate(d.url), see("form button"))
	barriers(page, t, "start page")
	wide(page, t, "start page")
	shot(page, t, "d-start-390")
	do(page, t, click("form button"), see(phase("preparing")))
	barriers(page, t, "preparing")
	address := read(page, t, chromedp.Location())
	do(page, t, see("body[data-mapped=true] .maplibregl-canvas"), see(phase("coming")), see(".fw-robot"))
	if strings.Contains(address, "Vale") || strings.Contains(address, "%") {
		t.Errorf("the address %s says more than it should", address)
	}
	wide(page, t, "coming")
	barriers(page, t, "coming")
	moves(page, t)
	shot(page, t, "d-coming-390")

	// The same in Spanish, on a tablet, in the dark, beside it.
	other := tab(chrome, t, true, 1024)
	do(other, t, chromedp.Navigate(address+"?lang=es"), see(phase("here")))
	barriers(other, t, "here, in Spanish")
	shot(other, t, "d-here-es-dark-1024")
	if head := read(other, t, text("h1")); head != "El robot ha llegado" {
		t.Errorf("in Spanish it says %q", head)
	}
	do(page, t, see(phase("here")), see("[data-until]"))
	pin := read(page, t, text(".digits"))
	do(page, t, chromedp.Focus(chromedp.CSS("#open")), chromedp.KeyEvent("\r"), see("#done"))
	if !regexp.MustCompile(`^\d{4}$`).MatchString(pin) {
		t.Errorf("the PIN is %q", pin)
	}
	barriers(page, t, "open")
	shot(page, t, "d-open-390")
	do(page, t, see(phase("delivered")))
	do(other, t, see(phase("delivered")))
	barriers(page, t, "delivered")
	if status, now := get(t, address+"/now"); status != http.StatusOK || strings.Contains(now, pin) {
		t.Errorf("after the end the page answers %d and still shows the PIN: %v", status, strings.Contains(now, pin))
	}
}

// moves waits until the robot on the map has moved by itself.
func moves(page context.Context, t testing.TB) {
	t.Helper()
	const where = `document.querySelector('.fw-robot')?.style.transform`
	at := read(page, t, chromedp.Evaluate[string](where))
	do(page, t, chromedp.Poll[chromedp.Void](fmt.Sprintf("%s !== %q", where, at), chromedp.WithPollingTimeout(90*time.Second)))
}

// TestRecipientCannotCome sends a delivery back.
func TestRecipientCannotCome(t *testing.T) {
	chrome := browser(t)
	d := begin(t)
	page := tab(chrome, t, true, 320)
	do(page, t, chromedp.Navigate(d.url), click("form button"), see(phase("coming")), click("#cannot summary"), see("#cannot-come"))
	wide(page, t, "coming at 320 px")
	shot(page, t, "d-cannot-dark-320")
	do(page, t, click("#cannot-come"), see(phase("back")))
	barriers(page, t, "going back")
	shot(page, t, "d-back-dark-320")
}

// TestConnectionLostAndBack takes the network away from a page, and gives it back.
func TestConnectionLostAndBack(t *testing.T) {
	chrome := browser(t)
	d := begin(t)
	w := newWire(t, strings.TrimPrefix(d.url, "http://"))
	page := tab(chrome, t, false, 390)
	do(page, t, chromedp.Navigate("http://"+w.address), click("form button"), see(".state"))
	before := read(page, t, chromedp.Evaluate[string](`document.getElementById('asof').dateTime`))
	w.cut()
	do(page, t, see("#stale"))
	shot(page, t, "d-lost-390")
	barriers(page, t, "without a connection")
	if stale, asOf := read(page, t, text("#stale")), read(page, t, text("#asof")); !strings.Contains(stale, asOf) {
		t.Errorf("it says %q, and not that it is of %s", stale, asOf)
	}
	w.mend()
	do(page, t, chromedp.WaitNotVisible(chromedp.CSS("#stale")))
	do(page, t, see("body[data-mapped=true] .maplibregl-canvas"))
	if after := read(page, t, chromedp.Evaluate[string](`document.getElementById('asof').dateTime`)); after == before {
		t.Errorf("it is as of %s still", after)
	}
}

// wire forwards connections, and can be cut.
type wire struct {
	t           testing.TB
	address, to string

	mu    sync.Mutex
	l     net.Listener
	conns []net.Conn
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	w := &wire{t: t, address: "127.0.0.1:0", to: to}
	w.mend()
	t.Cleanup(w.cut)
	return w
}

// mend listens again.
func (w *wire) mend() {
	w.t.Helper()
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.l, w.address = l, l.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.forward(c)
		}
	}()
}

func (w *wire) forward(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer up.Close()
	w.mu.Lock()
	w.conns = append(w.conns, c, up)
	w.mu.Unlock()
	go func() {
		_, _ = io.Copy(up, c) // until one of the two is closed
		_ = up.Close()
	}()
	_, _ = io.Copy(c, up)
}

// cut ends all connections, and takes no new ones.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.l.Close()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// TestLinksThatDoNotHold opens a link that has expired, and one that is none.
func TestLinksThatDoNotHold(t *testing.T) {
	d := begin(t)
	links, err := ident.NewLinks([]byte(os.Getenv(serve.EmbeddedLinks)))
	if err != nil {
		t.Fatal(err)
	}
	const id = "01a20721-724b-7aed-9cd6-80ab3e9121fa"
	now := clock.Of(time.Now())
	for _, tt := range []struct {
		name, token, says string
		status            int
	}{
		{"expired", links.Token(id, now.Add(-clock.Hour)), "This link has expired", http.StatusGone},
		{"of a delivery that there is not", links.Token(id, now.Add(clock.Hour)), "does not work", http.StatusNotFound},
		{"cut off", links.Token(id, now.Add(clock.Hour))[:30], "does not work", http.StatusNotFound},
		{"no link", "hello", "does not work", http.StatusNotFound},
	} {
		for _, path := range []string{"", "/now"} {
			if status, body := get(t, d.url+"/r/"+tt.token+path); status != tt.status || !strings.Contains(body, tt.says) {
				t.Errorf("%s%s: %d, want %d and %q:\n%s", tt.name, path, status, tt.status, tt.says, body)
			}
		}
		for _, path := range []string{"/track", "/events"} {
			if status, body := get(t, d.url+"/r/"+tt.token+path); status < 400 || strings.Contains(body, "lat_e7") {
				t.Errorf("%s%s: %d", tt.name, path, status)
			}
		}
	}
	page := tab(browser(t), t, false, 390)
	do(page, t, chromedp.Navigate(d.url+"/r/"+links.Token(id, now.Add(-clock.Hour))), see(phase("problem")))
	barriers(page, t, "expired")
	shot(page, t, "d-expired-390")
}

// TestPageIsLight counts what a page needs before its map.
func TestPageIsLight(t *testing.T) {
	d := begin(t)
	status, page := get(t, d.url+"/demo/recipient")
	if status != http.StatusOK {
		t.Fatalf("%d:\n%s", status, page)
	}
	size := len(page)
	for _, m := range regexp.MustCompile(`(?:href|src)="(/r/assets/[^"]*)"`).FindAllStringSubmatch(page, -1) {
		_, body := get(t, d.url+m[1])
		size += len(body)
	}
	if size > 60_000 {
		t.Errorf("the page has %d bytes before its map, want at most 60,000", size)
	}
	for _, never := range []string{"<style", " style=", "onclick=", "://"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	t.Logf("%d bytes unpacked", size)
}
