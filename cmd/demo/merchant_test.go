package demo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"footway/adapters/restapi"
	"footway/cmd/serve"
	"footway/core/delivery"
	"footway/core/merchant"
)

// shopkeeper signs in on merchants' pages as the demo's shop, in a tab of its own.
func shopkeeper(chrome context.Context, t testing.TB, d *show, dark bool, width int64) context.Context {
	t.Helper()
	page := tab(chrome, t, dark, width)
	do(page, t, chromedp.Navigate(d.url+"/merchant/"), see(`form[action$="/sign-in/guest"]`), click(`form[action$="/sign-in/guest"] button`), see("#board"))
	return page
}

// script runs a script on a page, and returns what it comes to.
func script[T any](ctx context.Context, t testing.TB, text string) T {
	t.Helper()
	return read(ctx, t, chromedp.Evaluate[T](text, chromedp.EvalAwaitPromise))
}

// eventually waits until a script comes to true.
func eventually(ctx context.Context, t testing.TB, what, text string) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); !script[bool](ctx, t, text); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			shown := read(ctx, t, chromedp.Text(chromedp.CSS("body")))
			t.Fatalf("not in 90 seconds: %s. The page shows:\n%s", what, shown)
		}
	}
}

// fill types into a field as a person would, as far as the page's scripts can tell.
func fill(ctx context.Context, t testing.TB, id, value string) {
	t.Helper()
	script[bool](ctx, t, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.focus(); e.value = %q; e.dispatchEvent(new Event('input', {bubbles: true})); e.dispatchEvent(new Event('change', {bubbles: true})); return true; })()`, id, value))
}

// nearby is what to type for an address to which a robot gets from the shop: the beginning of the shop's own street.
func (d *show) nearby(t testing.TB) string {
	t.Helper()
	s, err := d.office(t).Store(t.Context(), merchant.StoreKey{Partner: shopOf, Business: businessOf, ID: storeOf})
	if err != nil {
		t.Fatal(err)
	}
	street := regexp.MustCompile(`^(\d)\d* ([^,]+),`).FindStringSubmatch(s.Address)
	if street == nil {
		t.Fatalf("the shop's address %q is none", s.Address)
	}
	return street[1] + " " + street[2]
}

// What the demo calls its shop.
const (
	shopOf     = delivery.PartnerID("shop")
	businessOf = "corner-shop"
	storeOf    = "quay"
)

// office is a client that may register stores.
func (d *show) office(t testing.TB) *restapi.DeliveriesClient {
	t.Helper()
	c, err := restapi.NewDeliveriesClient(d.url, restapi.ClientOptions{Token: func(context.Context) (string, error) { return os.Getenv(serve.EmbeddedService), nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// asks fills in the form for an order, and waits for the price.
func asks(page context.Context, t testing.TB, d *show, street, number string) {
	t.Helper()
	do(page, t, chromedp.Navigate(d.url+"/merchant/new"), see("#address"))
	for id, value := range map[string]string{"given_name": "Robin", "family_name": "Vale", "phone": "+12065550142", "items": "2 Rye loaf\nLemon tart", "number": number} {
		fill(page, t, id, value)
	}
	script[bool](page, t, `(() => { const r = document.getElementById('ready'); r.selectedIndex = 0; r.dispatchEvent(new Event('input', {bubbles: true})); return true; })()`)
	fill(page, t, "address", street)
	do(page, t, see("#matches li"), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter), see("#offer .price .time, #offer .refusal"))
}

// orders orders from the shop by its page, and returns the address of the order's page.
func orders(page context.Context, t testing.TB, d *show, street, number string) string {
	t.Helper()
	asks(page, t, d, street, number)
	do(page, t, see("#accept"), click("#accept"), see("[data-order]"))
	return strings.TrimSuffix(read(page, t, chromedp.Location()), "?note=ordered")
}

// fetched is what a page's own request is answered with.
func fetched(page context.Context, t testing.TB, path string) (status int, body string) {
	t.Helper()
	got := script[[]any](page, t, fmt.Sprintf(`fetch(%q).then(async a => [a.status, await a.text()])`, path))
	n, _ := got[0].(float64)
	body, _ = got[1].(string)
	return int(n), body
}

// here is where a page tells that the robot of the order on another page has come. Others come, too.
func here(order context.Context, t testing.TB) string {
	t.Helper()
	return "#alert-" + script[string](order, t, `document.querySelector('[data-order]').dataset.order`)
}

// gone says at an open lid that it is closed again, as often as it takes to be believed, and waits for the alert to go.
func gone(page context.Context, t testing.TB, alert string) {
	t.Helper()
	eventually(page, t, "the lid is closed, and the alert is over", fmt.Sprintf(`(document.querySelector('%s.opened form[action$="/confirm"] button')?.click(), !document.querySelector('%s'))`, alert, alert))
}

// merchantDelivers orders, loads the robot when it is there, and finds the order in the past; a second
// person of the shop sees the same on a board of her own.
func merchantDelivers(chrome context.Context, t *testing.T, d *show) {
	street := d.nearby(t)
	door := tab(chrome, t, false, 1280)
	do(door, t, chromedp.Navigate(d.url+"/merchant/"), see("#password"))
	looked(door, t, "signin")
	do(door, t, click(`form[action$="/sign-in/guest"] button`), see("#board"))
	page := door

	staff, name := invited(chrome, page, t, d), "1042"
	address := orders(page, t, d, street, name)
	looked(page, t, "order")
	if strings.Contains(address, "Vale") || strings.Contains(address, "Robin") {
		t.Errorf("the address %s tells who it is for", address)
	}
	card := fmt.Sprintf(`[...document.querySelectorAll('.order h3')].some(e => e.textContent.includes('#%s'))`, name)
	eventually(staff, t, "the order is on the other board", card)

	alert := here(page, t)
	do(page, t, see(alert))
	do(staff, t, see(alert), see(".order.waits"))
	eventually(staff, t, "the title says so", `/robots? (is|are) here/.test(document.title)`)
	looked(staff, t, "here")
	looked(page, t, "order-here")
	pin := read(page, t, text("#now .pin strong"))
	if !regexp.MustCompile(`^\d{4}$`).MatchString(pin) {
		t.Errorf("the PIN for the keypad is %q", pin)
	}
	do(staff, t, chromedp.Focus(chromedp.CSS(alert+" form button")), chromedp.KeyEvent(kb.Enter), see(alert+".opened"))
	eventually(page, t, "the other person sees the open lid", fmt.Sprintf(`!!document.querySelector('%s.opened') || !document.querySelector('%s')`, alert, alert))
	gone(staff, t, alert)
	eventually(page, t, "the order is on its way", `['loaded', 'to_dropoff', 'at_dropoff'].includes(document.querySelector('#now .state')?.dataset.state)`)

	link := script[string](page, t, `document.querySelector('[data-copy]').value`)
	recipient := tab(chrome, t, false, 390)
	do(recipient, t, chromedp.Navigate(link), see(phase("here")), click("#open"), see("#done"))
	eventually(recipient, t, "it was taken, and the lid is closed", `(document.getElementById('done')?.click(), !!document.querySelector('[data-phase="delivered"]'))`)
	eventually(page, t, "the order is delivered", `document.querySelector('#now .state').dataset.state === 'delivered'`)
	looked(page, t, "delivered")

	do(page, t, chromedp.Navigate(d.url+"/merchant/history?q="+name), see("tbody tr"))
	if row := read(page, t, text("tbody tr")); !strings.Contains(row, "#"+name) || !strings.Contains(row, "Delivered") {
		t.Errorf("history shows %q", row)
	}
	looked(page, t, "history")
	printed(page, t, address, name)
}

// printed looks at an order's labels, and at the table of the past.
func printed(page context.Context, t testing.TB, address, number string) {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		at.Path + "/label.pdf":              {"%PDF"},
		at.Path + "/label.zpl":              {"^XA", number, "Robin V.", "^BQ", "^XZ"},
		"/merchant/history.csv?q=" + number: {"order,id,store", number, "delivered"},
	} {
		status, body := fetched(page, t, path)
		if status != http.StatusOK {
			t.Errorf("%s answers %d", path, status)
		}
		for _, w := range want {
			if !strings.Contains(body, w) {
				t.Errorf("%s does not have %q: %.200s", path, w, body)
			}
		}
		if strings.Contains(body, "+12065550142") {
			t.Errorf("%s has the customer's phone", path)
		}
	}
}

// invited has an admin invite somebody to the shop, who then stands before the board in a browser of her own.
func invited(chrome, admin context.Context, t testing.TB, d *show) context.Context {
	t.Helper()
	do(admin, t, chromedp.Navigate(d.url+"/merchant/team"), see("#invite-name"))
	email := fmt.Sprintf("ben-%d@gull.example", time.Now().UnixNano())
	fill(admin, t, "invite-name", "Ben Gull")
	fill(admin, t, "invite-email", email)
	do(admin, t, click(`main > section form[action$="/team"] button`), see("#invitation"))
	link := script[string](admin, t, `document.getElementById('invitation').value`)
	looked(admin, t, "team-invited")
	staff, done := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
	t.Cleanup(done)
	do(staff, t, chromedp.EmulateViewport(1024, 768), chromedp.Navigate(link), see("#password"))
	looked(staff, t, "invitation")
	fill(staff, t, "password", "four words of mine")
	do(staff, t, click("form button"), see("#board"))
	if strings.Contains(read(staff, t, text("nav")), "Team") {
		t.Error("staff sees the page of the team")
	}
	return staff
}

// merchantIsRefused asks for what is not possible, and takes what is offered instead.
func merchantIsRefused(chrome context.Context, t *testing.T, d *show) {
	street := d.nearby(t)
	page := shopkeeper(chrome, t, d, false, 1280)
	asks(page, t, d, street, "77")
	do(page, t, see("#accept"), click(`input[value="huge"]`), see(`[data-reason="too_large"]`))
	looked(page, t, "refused")
	do(page, t, click(`input[value="small"]`), see("#accept"))

	// A store that is closed says when it opens.
	do(page, t, chromedp.Navigate(d.url+"/merchant/stores"), see("summary"), click("summary"), see(`input[name="always"]`), click(`input[name="always"]`))
	script[bool](page, t, `(() => { for (const e of document.querySelectorAll('.day input[type=checkbox]')) e.checked = e.name !== 'on-' + ['su','mo','tu','we','th','fr','sa'][new Date(new Date().toLocaleString('en-US', {timeZone: 'America/New_York'})).getDay()]; return true; })()`)
	do(page, t, click("details form button"), see(".note.good"))
	asks(page, t, d, street, "78")
	if said := read(page, t, text("main")); !strings.Contains(said, "closed now") {
		t.Errorf("nothing says that the store is closed: %s", said)
	}
}

// merchantCancels cancels an order, and edits one.
func merchantCancels(chrome context.Context, t *testing.T, d *show) {
	street := d.nearby(t)
	page := shopkeeper(chrome, t, d, true, 390)
	orders(page, t, d, street, "90")
	do(page, t, click(".actions details:nth-of-type(2) summary"), see("#dropoff_instructions"))
	fill(page, t, "dropoff_instructions", "blue door")
	do(page, t, click(`form[action$="/edit"] button`), see(".noted"))
	eventually(page, t, "the note is kept", `fetch(location.pathname).then(async a => (await a.text()).includes('blue door'))`)
	do(page, t, click(".actions details:nth-of-type(3) summary"), see(`form[action$="/cancel"] button`))
	shot(page, t, "m-cancel-390-dark")
	do(page, t, click(`form[action$="/cancel"] button`), see(`.state[data-state="cancelled"]`))
	barriers(page, t, "cancelled")
}

// merchantTakesBack unloads what nobody took.
func merchantTakesBack(chrome context.Context, t *testing.T, d *show) {
	page := shopkeeper(chrome, t, d, false, 1024)
	orders(page, t, d, d.nearby(t), "55")
	alert := here(page, t)
	do(page, t, click(alert+" form button"), see(alert+".opened"))
	gone(page, t, alert)
	eventually(page, t, "it is on its way", `['to_dropoff', 'at_dropoff'].includes(document.querySelector('#now .state')?.dataset.state)`)
	link := script[string](page, t, `document.querySelector('[data-copy]').value`)
	recipient := tab(chrome, t, false, 390)
	do(recipient, t, chromedp.Navigate(link), see("#cannot summary"), click("#cannot summary"), see("#cannot-come"), click("#cannot-come"))
	eventually(page, t, "it is back", `document.querySelector('#now .state').dataset.state === 'at_return'`)
	do(page, t, see(alert))
	looked(page, t, "back")
	do(page, t, click(alert+" form button"), see(alert+".opened"))
	gone(page, t, alert)
	eventually(page, t, "it is unloaded", `document.querySelector('#now .state').dataset.state === 'returned'`)
}

// merchantLosesTheConnection takes the network away from a board, and gives it back.
func merchantLosesTheConnection(chrome context.Context, t *testing.T, d *show) {
	w := newWire(t, strings.TrimPrefix(d.url, "http://"))
	page := tab(chrome, t, false, 390)
	do(page, t, chromedp.Navigate("http://"+w.address+"/merchant/"), click(`form[action$="/sign-in/guest"] button`), see("#board"))
	eventually(page, t, "the board lives", `document.getElementById('stale').hidden`)
	w.cut()
	do(page, t, see("#stale"))
	barriers(page, t, "a board without a connection")
	shot(page, t, "m-lost-390")
	w.mend()
	do(page, t, chromedp.WaitNotVisible(chromedp.CSS("#stale")))
}

// anotherStoresOrder is not there for who works elsewhere.
func anotherStoresOrder(chrome context.Context, t *testing.T, d *show) {
	office := d.office(t)
	key := merchant.StoreKey{Partner: shopOf, Business: businessOf, ID: storeOf}
	quay, err := office.Store(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	key.ID = "hill"
	if _, err := office.CreateStore(t.Context(), merchant.Store{StoreKey: key, Name: "The hill", Address: quay.Address, Status: merchant.Active}); err != nil {
		t.Fatal(err)
	}
	admin := shopkeeper(chrome, t, d, false, 1280)
	address := orders(admin, t, d, d.nearby(t), "12")
	mine := strings.Contains(read(admin, t, text("main")), quay.Name)
	do(admin, t, chromedp.Navigate(d.url+"/merchant/team"), see("#invite-name"))
	fill(admin, t, "invite-name", "Hilda")
	fill(admin, t, "invite-email", "hilda@gull.example")
	elsewhere := "hill"
	if !mine {
		elsewhere = storeOf
	}
	do(admin, t, click(fmt.Sprintf(`main > section input[name="stores"][value=%q]`, elsewhere)), click(`main > section form[action$="/team"] button`), see("#invitation"))
	link := script[string](admin, t, `document.getElementById('invitation').value`)
	staff, done := chromedp.NewContext(chrome, chromedp.WithNewBrowserContext())
	t.Cleanup(done)
	do(staff, t, chromedp.Navigate(link), see("#password"))
	fill(staff, t, "password", "four words of mine")
	do(staff, t, click("form button"), see("#board"))
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{at.Path, at.Path + "/now", at.Path + "/label.zpl", strings.Replace(at.Path, "/orders/", "/api/v1/deliveries/", 1)} {
		if status, body := fetched(staff, t, path); status != http.StatusNotFound || strings.Contains(body, "Vale") {
			t.Errorf("%s answers %d to somebody of another store", path, status)
		}
		if status, _ := fetched(admin, t, path); status != http.StatusOK {
			t.Errorf("%s answers %d to the admin", path, status)
		}
	}
	for _, path := range []string{"/merchant/team", "/merchant/orders/none", "/merchant/api/v1/businesses"} {
		if status, _ := fetched(staff, t, path); status != http.StatusForbidden && status != http.StatusNotFound {
			t.Errorf("%s answers %d to staff", path, status)
		}
	}
}
