package demo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"footway/adapters/ident"
	"footway/cmd/serve"
	"footway/core/clock"
)

// recipientOpens orders something to the door, and opens the robot there.
func recipientOpens(chrome context.Context, t *testing.T, d *show) {
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
	eventually(page, t, "it was taken, and the lid is closed", `(document.getElementById('done')?.click(), !!document.querySelector('[data-phase="delivered"]'))`)
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

// recipientCannotCome sends a delivery back.
func recipientCannotCome(chrome context.Context, t *testing.T, d *show) {
	page := tab(chrome, t, true, 320)
	do(page, t, chromedp.Navigate(d.url), click("form button"), see(phase("coming")), click("#cannot summary"), see("#cannot-come"))
	wide(page, t, "coming at 320 px")
	shot(page, t, "d-cannot-dark-320")
	do(page, t, click("#cannot-come"), see(phase("back")))
	barriers(page, t, "going back")
	shot(page, t, "d-back-dark-320")
}

// recipientLosesTheConnection takes the network away from a page, and gives it back.
func recipientLosesTheConnection(chrome context.Context, t *testing.T, d *show) {
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

// mapComesLate loses whatever a map is made of once, and sees that both pages with a map get it all the same.
func mapComesLate(chrome context.Context, t *testing.T, d *show) {
	page := tab(chrome, t, false, 1280)
	do(page, t, chromedp.Navigate(badNetwork(t, d)), click("form button"), see("body[data-mapped=true] .maplibregl-canvas"))
	shop := &show{url: badNetwork(t, d)}
	page = shopkeeper(apart(chrome, t), t, shop, false, 1280)
	orders(page, t, shop, shop.nearby(t), "1407")
	do(page, t, see("[data-mapped=true] .maplibregl-canvas"))
}

// badNetwork returns another address of a demo, at which each thing that a map is made of is lost when it is asked for first.
func badNetwork(t *testing.T, d *show) string {
	t.Helper()
	to, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	lost := map[*regexp.Regexp]*atomic.Bool{}
	for _, part := range []string{`/map\.[^/]*js$`, `-csp\.js$`, `-worker\.js$`, `/tiles/\w+\.json$`, `\.mvt$`} {
		lost[regexp.MustCompile(part)] = new(atomic.Bool)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for part, once := range lost {
			if part.MatchString(r.URL.Path) && once.CompareAndSwap(false, true) {
				panic(http.ErrAbortHandler)
			}
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
		for part, once := range lost {
			if !once.Load() {
				t.Errorf("nothing that is called %v was asked for", part)
			}
		}
	})
	return s.URL
}

// linksThatDoNotHold opens a link that has expired, and one that is none.
func linksThatDoNotHold(chrome context.Context, t *testing.T, d *show) {
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
	page := tab(chrome, t, false, 390)
	do(page, t, chromedp.Navigate(d.url+"/r/"+links.Token(id, now.Add(-clock.Hour))), see(phase("problem")))
	barriers(page, t, "expired")
	shot(page, t, "d-expired-390")
}

// pageIsLight counts what a page needs before its map.
func pageIsLight(_ context.Context, t *testing.T, d *show) {
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
