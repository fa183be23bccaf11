package merchant

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"footway/core/account"
	"footway/core/delivery"
)

// TestNobody asks for everything without being signed in.
func TestNobody(t *testing.T) {
	d := newDesk(t, nil)
	pages, forms := d.everything()
	d.asked()
	for _, p := range pages {
		d.leads(p, d.stranger().get(p), "/merchant/sign-in")
	}
	for _, p := range forms {
		d.leads(p, d.stranger().post(p), "/merchant/sign-in")
	}
	for _, accept := range []string{"text/fragment", "text/event-stream"} {
		b := d.stranger()
		b.headers = []string{"Accept", accept}
		d.wants("a script", b.get("/board/events"), http.StatusUnauthorized)
	}
	d.wants("the API", d.stranger().get("/api/v1/deliveries/x"), http.StatusUnauthorized)
	if calls := d.asked(); len(calls) != 0 {
		t.Errorf("for nobody the API is asked %v", calls)
	}
}

// TestAnotherSite sends every form as another site would, in the name of an admin.
func TestAnotherSite(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Admin)
	_, forms := d.everything()
	forms = append(forms, "/sign-in", "/sign-in/guest", "/sign-in/provider", "/sign-out", "/invitation/x", "/api/v1/markets/m/address-searches")
	d.asked()
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		b.headers = headers
		for _, p := range forms {
			d.wants(p+" from elsewhere", b.post(p, "email", "ana@gull.example", "password", password), http.StatusForbidden, "another site")
		}
	}
	b.headers = nil
	if calls := d.asked(); len(calls) != 0 {
		t.Errorf("for another site the API is asked %v", calls)
	}
	d.wants("still in", b.get("/settings"), http.StatusOK)
	b.headers = []string{"Sec-Fetch-Site", "same-origin"}
	d.leads("from here", b.post("/theme", "theme", "dark"), "/merchant/settings?note=saved")
}

// TestNothingInline looks for what the policy of the pages forbids.
func TestNothingInline(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Admin)
	d.hire("ben@gull.example", account.Staff)
	pages, _ := d.everything()
	bodies := map[string]string{}
	for _, p := range shown(pages) {
		a := b.get(p)
		d.wants(p, a, http.StatusOK)
		bodies[p] = a.Body.String()
		h := a.Header()
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy+";", want+";") {
				t.Errorf("%s: the policy has no %s: %s", p, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") || strings.Contains(policy, "http") {
			t.Errorf("%s: the policy lets too much in: %s", p, policy)
		}
		for name, want := range map[string]string{"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", p, name, h.Get(name), want)
			}
		}
	}
	bodies["door"], bodies["problem"], bodies["invitation"] = d.stranger().get("/sign-in").Body.String(), b.get("/no-such-page").Body.String(), d.stranger().get("/invitation/x").Body.String()
	bodies["refused"] = b.post("/new", "store", "quay", "address", "9 island", "size", "small").Body.String()
	bodies["team, invited"] = b.post("/team", "name", "Cy", "email", "cy@gull.example").Body.String()
	script := regexp.MustCompile(`(?is)<script[^>]*>`)
	inline := regexp.MustCompile(`(?i)<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:|<iframe|<object|<base|srcdoc|//cdn|https?://`)
	for p, body := range bodies {
		for _, tag := range script.FindAllString(body, -1) {
			if !strings.Contains(tag, ` src="/merchant/assets/`) {
				t.Errorf("%s: %s is not of ours", p, tag)
			}
		}
		body = strings.ReplaceAll(body, "http://footway.example/merchant/invitation/", "")
		if found := inline.FindString(body); found != "" {
			t.Errorf("%s: the page has %q", p, found)
		}
	}
}

// TestStaff tries what only admins may do.
func TestStaff(t *testing.T) {
	d := newDesk(t, nil)
	d.hire("ana@gull.example", account.Admin)
	b := d.somebody("ben@gull.example", account.Staff)
	ana, ben := d.id("ana@gull.example"), d.id("ben@gull.example")
	d.asked()
	help := []string{"Only admins may do this.", "Back to the board", "Signed in as"}
	d.wants("the team", b.get("/team"), http.StatusForbidden, append(help, "!ana@gull.example")...)
	for path, form := range map[string][]string{
		"/team":                        {"name", "Cy", "email", "cy@gull.example", "role", "admin"},
		"/team/" + ben:                 {"role", "admin"},
		"/team/" + ana:                 {"do", "disable"},
		"/team/" + ana + "/invitation": nil,
		"/stores/quay":                 {"name", "Mine", "address", "1 Quay", "prep", "1", "always", "yes"},
	} {
		d.wants(path, b.post(path, form...), http.StatusForbidden, append(help, "!/merchant/invitation/")...)
	}
	for _, c := range d.asked() {
		if c.method != http.MethodGet {
			t.Errorf("the API is asked %v", c)
		}
	}
	all, err := d.accounts.Members(t.Context(), gull)
	if err != nil || len(all) != 2 || all[1].Role != account.Staff || all[0].Disabled {
		t.Errorf("the team is now %v, %v", all, err)
	}
	d.wants("the stores", b.get("/stores"), http.StatusOK, "The quay", "Admins may change stores.", "!<form method=\"post\" action=\"/merchant/stores")
	d.wants("the menu", b.get("/"), http.StatusOK, `href="/merchant/stores"`, `!href="/merchant/team"`)
	d.wants("the last admin", d.somebodyIn("ana@gull.example").post("/team/"+ana, "role", "staff"), http.StatusConflict, "needs one admin at least")
}

// TestAnotherStore has somebody of one store ask for another's orders, in every way.
func TestAnotherStore(t *testing.T) {
	d := newDesk(t, nil)
	d.open("gull", "hill", "12 Quay")
	d.open("crow", "hut", "12 Quay")
	mine, theirs := string(d.order("quay", "11").ID), string(d.order("hill", "12").ID)
	b := d.somebody("ben@gull.example", account.Staff, "quay")
	both := d.somebody("cy@gull.example", account.Staff, "quay", "hill")
	admin := d.somebody("ana@gull.example", account.Admin)
	d.wants("mine", b.get("/orders/"+mine), http.StatusOK, "Zelda Quux")
	for _, path := range []string{"/orders/" + theirs, "/orders/" + theirs + "/now", "/orders/" + theirs + "/label.pdf", "/orders/" + theirs + "/label.zpl"} {
		d.wants(path, b.get(path), http.StatusNotFound, "belongs to another store", "!Zelda", "!12 Quay")
		d.wants(path+" for an admin", admin.get(path), http.StatusOK)
	}
	for _, do := range []string{"ready", "open", "confirm", "cancel", "edit"} {
		d.wants(do, b.post("/orders/"+theirs+"/"+do, "tip", "3"), http.StatusNotFound, "!Zelda")
	}
	for _, of := range []string{"", "/events", "/track", "/updates"} {
		d.wants("by script"+of, b.get("/api/v1/deliveries/"+theirs+of), http.StatusNotFound, "!Zelda")
	}
	if got, err := d.orders.ByID(t.Context(), delivery.ID(theirs)); err != nil || got.State.Ended() {
		t.Errorf("the other store’s order is now %v, %v", got.State, err)
	}
	d.wants("the board", b.get("/"), http.StatusOK, "#11", "!#12", "!The hill")
	d.wants("the past", b.get("/history"), http.StatusOK, "#11", "!#12")
	d.wants("the table", b.get("/history.csv"), http.StatusOK, "11,", "!gull/hill")
	d.wants("the stores", b.get("/stores"), http.StatusOK, "The quay", "!The hill")
	d.wants("the form", b.get("/new"), http.StatusOK, "The quay", "!The hill")
	d.wants("choosing the other store", b.post("/store", "store", "hill"), http.StatusNotFound)
	b.cookies[storeCookie] = &http.Cookie{Name: storeCookie, Value: "hill"} // as it is not kept from changing it
	d.wants("the board with another cookie", b.get("/"), http.StatusOK, "#11", "!#12")
	d.wants("an order of the other store", b.post("/new", "store", "hill", "address", "12 Quay", "size", "small"), http.StatusOK, "none is active")
	d.asked()
	b.get("/")
	for _, c := range d.asked() {
		if want := "pass|" + d.id("ben@gull.example") + "|p|gull|quay"; c.pass != want {
			t.Errorf("%s %s shows %s, want %s", c.method, c.path, c.pass, want)
		}
	}

	d.open("gull", "pier", "12 Quay")
	d.wants("between two stores one can choose", both.get("/"), http.StatusOK, `<option value="quay"`, `<option value="hill"`, "!pier", "!All stores")
	d.wants("two stores", both.get("/stores"), http.StatusOK, "The quay", "The hill", "!The pier")
	d.leads("one of two", both.post("/store", "store", "hill"), "/merchant/")
	d.wants("an order of the one", both.get("/new"), http.StatusOK, `name="store" value="hill"`, "The hill")
	d.wants("its price", both.post("/new", "store", "hill", "address", "12 Quay", "size", "small"), http.StatusOK, `id="accept"`)
	d.wants("its board", both.get("/"), http.StatusOK, "#12", "!#11")
	d.wants("a store that there is not", both.post("/store", "store", "hut"), http.StatusNotFound)
	d.wants("all stores of an admin", admin.get("/"), http.StatusOK, "#11", "#12", "The hill", "!hut")
}

// TestProxy sends through the pages what scripts may not ask.
func TestProxy(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Admin)
	id := string(d.order("quay", "11").ID)
	d.wants("an order", b.get("/api/v1/deliveries/"+id), http.StatusOK, id)
	d.wants("what there is", b.get("/api/openapi.json"), http.StatusOK, "openapi")
	d.asked()
	for _, path := range []string{"/api/v1/board", "/api/v1/businesses", "/api/v1/businesses/gull/stores", "/api/v1/deliveries/", "/api/v1/deliveries/x/y/events", "/api/", "/api/v1/deliveries/..%2f..%2fv1%2fboard/track", "/api/v1/deliveries/%2e%2e/events"} {
		d.wants(path, b.get(path), http.StatusNotFound)
	}
	for _, path := range []string{"/api/v1/deliveries/" + id + "/cancel", "/api/v1/deliveries/" + id, "/api/v1/quotes"} {
		d.wants(path, b.post(path), http.StatusNotFound)
	}
	if calls := d.asked(); len(calls) != 0 {
		t.Errorf("the API is asked %v", calls)
	}
	d.does("GET /v1/deliveries/x", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("X-Internal", "yes")
		w.Header().Set("ETag", `"1"`)
	})
	a := b.get("/api/v1/deliveries/x")
	if h := a.Header(); h.Get("X-Internal") != "" || h.Get("Set-Cookie") != "" || h.Get("ETag") != `"1"` {
		t.Errorf("headers of the API come through: %v", h)
	}
}

// TestNothingPersonalInAddresses orders, changes and looks for an order, and then reads all addresses that were asked for.
func TestNothingPersonalInAddresses(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Admin)
	form := []string{"store", "quay", "address", "12 Quay", "given_name", "Zelda", "family_name", "Quux", "phone", "+12065550142", "note", "bluedoor", "items", "2 Ryeloaf", "size", "small", "number", "31"}
	a := b.post("/new", form...)
	d.wants("a quote", a, http.StatusOK, `id="accept"`)
	external := regexp.MustCompile(`name="external_id" value="([^"]*)"`).FindStringSubmatch(a.Body.String())
	a = b.post("/new/accept", append(form, "external_id", external[1])...)
	to := a.Header().Get("Location")
	if a.Code != http.StatusSeeOther {
		t.Fatalf("accepting answers %d: %s", a.Code, a.Body)
	}
	order := strings.TrimSuffix(strings.TrimPrefix(to, "/merchant"), "?note=ordered")
	edited := b.post(order+"/edit", "dropoff_instructions", "greendoor", "dropoff_phone", "+12065550143")
	b.get("/history?q=31")
	b.get("/history.csv?q=31")
	urls := []string{to, edited.Header().Get("Location"), b.get(order).Header().Get("Location"), external[1]}
	for _, c := range d.asked() {
		urls = append(urls, c.path+"?"+c.query)
		if c.method == http.MethodGet && c.body != "" {
			t.Errorf("%s has a body", c.path)
		}
	}
	for _, u := range urls {
		text, err := url.QueryUnescape(u)
		if err != nil {
			t.Fatal(err)
		}
		for _, never := range []string{"Zelda", "Quux", "5550142", "5550143", "door", "12 Quay", "Rye"} {
			if strings.Contains(text, never) {
				t.Errorf("the address %s has %s", text, never)
			}
		}
	}
	// What somebody searches by goes no further than the pages: the API is asked for the whole board.
	d.asked()
	b.get("/history?q=Zelda")
	for _, c := range d.asked() {
		if strings.Contains(c.query, "Zelda") {
			t.Errorf("the API is asked %v", c)
		}
	}
}

// TestHostileText writes text that would be more than text on every page.
func TestHostileText(t *testing.T) {
	d := newDesk(t, nil)
	const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`
	b := d.somebody("ana@gull.example", account.Admin)
	if _, token, err := d.accounts.Found(t.Context(), gull, account.Person{Email: "x@gull.example", Name: evil, Role: account.Admin}); err != nil || token == "" {
		t.Fatal(err)
	}
	d.says("GET /v1/businesses/gull/stores", http.StatusOK, map[string]any{"stores": []any{
		map[string]any{"id": "quay", "name": evil, "address": evil, "phone": evil, "status": "active", "hours": evil}, map[string]any{"id": "hill", "name": evil, "address": evil, "status": evil},
	}})
	one := map[string]any{"id": "x", "market": "m", "external_id": evil, "state": "at_pickup", "robot": evil, "load_pin": evil, "currency": evil, "going_back": evil, "cancel_cause": evil, "pickup": map[string]any{"store": "gull/quay"}}
	d.says("GET /v1/board", http.StatusOK, map[string]any{"deliveries": []any{one}})
	d.says("GET /v1/deliveries/x", http.StatusOK, map[string]any{"delivery": one, "tracking_url": "javascript:" + evil, "people": map[string]any{
		"pickup_name": evil, "pickup_address": evil, "dropoff_given_name": evil, "dropoff_address": evil, "dropoff_phone": evil, "dropoff_instructions": evil, "items": []any{map[string]any{"name": evil, "quantity": 1}}}})
	d.says("GET /v1/deliveries/x/updates", http.StatusOK, map[string]any{"updates": []any{map[string]any{"kind": evil}, map[string]any{"kind": "trouble", "cause": evil}, map[string]any{"kind": "state", "to": "assigned", "robot": evil}}})
	d.says("GET /v1/deliveries/x/track", http.StatusOK, map[string]any{})
	d.says("GET /v1/deliveries/y", http.StatusOK, map[string]any{"delivery": map[string]any{"id": "y", "market": "m", "external_id": evil, "state": "cancelled", "cancel_cause": evil, "cancel_reason": evil, "going_back": evil}})
	d.says("GET /v1/deliveries/y/updates", http.StatusOK, map[string]any{})
	d.wants("a cancelled order", b.get("/orders/y"), http.StatusOK, "Because &lt;script&gt;", "!<script>alert", "!<img")
	for _, p := range []string{"/", "/new", "/orders/x", "/orders/x/now", "/history?q=" + url.QueryEscape(evil), "/stores", "/team", "/settings", "/?note=" + url.QueryEscape(evil)} {
		d.wants(p, b.get(p), http.StatusOK, "!<script>alert", "!<img", `!href="javascript:`)
	}
	for p, form := range map[string][]string{
		"/new":  {"address", evil, "given_name", evil, "items", evil, "number", evil, "size", evil, "undeliverable", evil, "ready", evil, "value", evil, "store", "quay", "note", evil, "lat", evil},
		"/team": {"name", evil, "email", evil, "role", evil}, "/stores/quay": {"name", evil, "prep", evil},
	} {
		d.wants(p, b.post(p, form...), http.StatusBadRequest, "!<script>alert", "!<img")
	}
	d.wants("the door", d.stranger().post("/sign-in", "email", evil), http.StatusForbidden, "!<script>alert", "!<img")
	_, token, err := d.accounts.Found(t.Context(), gull, account.Person{Email: "y@gull.example", Name: evil, Role: account.Staff})
	if err != nil {
		t.Fatal(err)
	}
	d.wants("an invitation", d.stranger().get("/invitation/"+token), http.StatusOK, "&lt;script&gt;", "!<script>alert", "!<img")
}
