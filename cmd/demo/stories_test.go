package demo_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"footway/cmd/web"
)

// story is what people do on the pages of a demo, with a browser of their own.
type story = func(chrome context.Context, t *testing.T, d *show)

// TestStories lets people do all that the pages are for, side by side in one city.
func TestStories(t *testing.T) {
	t.Parallel()
	chrome := browser(t)
	d := begin(t)
	for name, tell := range map[string]story{
		"recipient opens": recipientOpens, "recipient cannot come": recipientCannotCome, "recipient loses the connection": recipientLosesTheConnection,
		"map comes late":         mapComesLate,
		"links that do not hold": linksThatDoNotHold, "page is light": pageIsLight, "merchant delivers": merchantDelivers, "merchant cancels": merchantCancels,
		"merchant takes back": merchantTakesBack, "merchant loses the connection": merchantLosesTheConnection, "by keyboard alone": byKeyboardAlone, "every page": everyPage,
		"programs": everythingIsThere,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tell(apart(chrome, t), t, d)
		})
	}
}

// TestStories of stores that change need a shop of their own.
func TestStoriesOfStores(t *testing.T) {
	t.Parallel()
	chrome := browser(t)
	d := begin(t)
	t.Run("another store's order", func(t *testing.T) { anotherStoresOrder(apart(chrome, t), t, d) })
	t.Run("refused", func(t *testing.T) { merchantIsRefused(apart(chrome, t), t, d) })
}

// looked checks a page for barriers and for width, and keeps pictures of it in both themes and on all screens.
func looked(page context.Context, t testing.TB, name string) {
	t.Helper()
	for _, dark := range []bool{false, true} {
		theme := map[bool]string{false: "light", true: "dark"}[dark]
		do(page, t, colours(dark))
		for _, width := range []int64{1280, 390, 320} {
			do(page, t, chromedp.EmulateViewport(width, 844))
			wide(page, t, fmt.Sprintf("%s at %d px", name, width))
			if dark == (width == 390) && width != 320 {
				barriers(page, t, fmt.Sprintf("%s, %s, %d px", name, theme, width))
			}
			shot(page, t, fmt.Sprintf("m-%s-%d-%s", name, width, theme))
		}
	}
	do(page, t, chromedp.EmulateViewport(1280, 844), colours(false))
}

// everyPage looks at the pages on which nothing has to happen first.
func everyPage(chrome context.Context, t *testing.T, d *show) {
	stranger := tab(chrome, t, false, 1280)
	for name, path := range map[string]string{"start": "/", "docs": "/api/deliveries", "docs-dispatch": "/api/dispatch", "invitation-none": "/merchant/invitation/none", "expired": "/r/none"} {
		do(stranger, t, chromedp.Navigate(d.url+path), see("h1"))
		looked(stranger, t, name)
	}
	twin(chrome, t)
	page := shopkeeper(chrome, t, d, false, 1280)
	for _, path := range []string{"board", "new", "history", "stores", "team", "settings", "nothing-here", "orders/none"} {
		do(page, t, chromedp.Navigate(d.url+"/merchant/"+strings.TrimPrefix(path, "board")), see("h1"))
		script[bool](page, t, `(document.querySelectorAll('details').forEach(e => e.open = true), true)`)
		looked(page, t, strings.ReplaceAll(path, "/", "-"))
	}
}

// twin looks at the page around the twin, whose program is another test's.
func twin(chrome context.Context, t testing.TB) {
	t.Helper()
	built := fstest.MapFS{"footway.wasm.gz": {}, "wasm_exec.js": {Data: []byte("class Go { importObject = {} }")}}
	s := httptest.NewServer(web.New(web.Options{Built: built, Log: slog.New(slog.DiscardHandler)}))
	t.Cleanup(s.Close)
	page := tab(chrome, t, false, 1280)
	do(page, t, chromedp.Navigate(s.URL+"/twin"), see("h1"))
	looked(page, t, "twin")
}

// goTo presses Tab until the keyboard is at what a selector finds. Wherever it comes by, one sees where it is.
func goTo(page context.Context, t testing.TB, selector string) {
	t.Helper()
	var way []string
	for range 80 {
		do(page, t, chromedp.KeyEvent(kb.Tab))
		at := script[[]string](page, t, fmt.Sprintf(`(() => {
			const e = document.activeElement, shown = [e, e.parentElement, e.nextElementSibling].filter((x) => x).map((x) => getComputedStyle(x));
			const seen = shown.some((s) => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== 'none');
			return [e.matches(%q) ? 'there' : '', e === document.body || seen ? '' : 'unseen', e.tagName + '#' + e.id + ' ' + (e.textContent || e.name).trim().slice(0, 30)];
		})()`, selector))
		way = append(way, at[2])
		if at[1] != "" {
			t.Errorf("one does not see that the keyboard is at %s", at[2])
		}
		if at[0] != "" {
			return
		}
	}
	t.Fatalf("Tab does not lead to %s, but to %q", selector, slices.Compact(way))
}

// byKeyboardAlone signs in and orders without a pointer.
func byKeyboardAlone(chrome context.Context, t *testing.T, d *show) {
	page := tab(chrome, t, false, 1024)
	enter := chromedp.KeyEvent(kb.Enter)
	do(page, t, chromedp.Navigate(d.url+"/merchant/"), see("#password"))
	goTo(page, t, `form[action$="/sign-in/guest"] button`)
	do(page, t, enter, see("#board"))
	goTo(page, t, `nav a[href$="/new"]`)
	do(page, t, enter, see("#address"))
	eventually(page, t, "a new order begins at the address", `document.activeElement.id === 'address'`)
	do(page, t, chromedp.KeyEvent(d.nearby(t)), see("#matches li"), enter, see("#accept"))
	goTo(page, t, "#number")
	do(page, t, chromedp.KeyEvent("31"), enter)
	const ready = `document.activeElement.id === 'accept'`
	eventually(page, t, "Enter in a field leads to the button, and orders nothing", ready)
	do(page, t, chromedp.Sleep(time.Second)) // by then the price is asked for again, since the number is another
	eventually(page, t, "a new price leaves the keyboard at the button", ready)
	do(page, t, enter, see("[data-order]"))
	if head := read(page, t, text("h1")); head != "#31" {
		t.Errorf("what was ordered by keyboard is called %q", head)
	}
	goTo(page, t, ".actions details:nth-of-type(3) summary")
	do(page, t, enter, see(`form[action$="/cancel"] button`))
	goTo(page, t, `form[action$="/cancel"] button`)
	do(page, t, enter, see(`.state[data-state="cancelled"]`))
}

// everythingIsThere asks for all that the start page links to, and more.
func everythingIsThere(_ context.Context, t *testing.T, d *show) {
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
