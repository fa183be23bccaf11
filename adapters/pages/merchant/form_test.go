package merchant

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"footway/core/account"
	"footway/core/clock"
)

func TestCents(t *testing.T) {
	for text, want := range map[string]int64{"3.50": 350, "$3.5": 350, "3": 300, "3,50": 350, "0.07": 7, "€12.00": 1200, "1000000": 100_000_000} {
		if got, ok := cents(text); !ok || got != want {
			t.Errorf("cents(%q) = %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", ".", ".50", "-3", "3.505", "3.x", "1e3", "99999999999", "3 50", "٣"} {
		if got, ok := cents(text); ok {
			t.Errorf("cents(%q) = %d, want none", text, got)
		}
	}
}

func TestItems(t *testing.T) {
	got, err := json.Marshal(itemsIn("2 Rye loaf\r\n\n Lemon tart \n3x Bun\n12 x Roll\n0 Things\n7up\n999 Crumbs\n" + strings.Repeat("ü", 150)))
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"name":"Rye loaf","quantity":2,"price_cents":0},{"name":"Lemon tart","quantity":1,"price_cents":0},{"name":"Bun","quantity":3,"price_cents":0},{"name":"Roll","quantity":12,"price_cents":0},` +
		`{"name":"0 Things","quantity":1,"price_cents":0},{"name":"7up","quantity":1,"price_cents":0},{"name":"999 Crumbs","quantity":1,"price_cents":0},{"name":"` + strings.Repeat("ü", 100) + `","quantity":1,"price_cents":0}]`
	if string(got) != want {
		t.Errorf("itemsIn is\n%s\nwant\n%s", got, want)
	}
	if n := len(itemsIn(strings.Repeat("x\n", 200))); n != 50 {
		t.Errorf("there are %d items, want 50 at most", n)
	}
}

func TestNumbers(t *testing.T) {
	for given, want := range map[string]string{"1042": "1042", "A-7_b": "A-7_b", "../x y": "xy", strings.Repeat("7", 99): strings.Repeat("7", 24)} {
		id := newExternalID(given)
		if got := number(id); got != want {
			t.Errorf("the order %q is called %q, want %q", given, got, want)
		}
		if id == newExternalID(given) {
			t.Errorf("two quotes for %q have one name", given)
		}
	}
	if got := number(newExternalID("<>")); len(got) != 4 {
		t.Errorf("an order without a number is called %q", got)
	}
	for _, theirs := range []string{"", "plain", ".qabcde", "x.qabcdef", "x.qab"} {
		if got := number(theirs); got != theirs {
			t.Errorf("another program's %q is called %q", theirs, got)
		}
	}
}

// filled is a form of the page for an order.
func filled(more ...string) url.Values {
	v := url.Values{"store": {"quay"}, "number": {"31"}, "address": {"12 Quay"}, "given_name": {"Zelda"}, "phone": {"+12065550142"}, "size": {"small"}, "undeliverable": {"return_to_pickup"}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func (b *browser) fills(path string, form url.Values) *httptest.ResponseRecorder {
	var pairs []string
	for name, values := range form {
		for _, value := range values {
			pairs = append(pairs, name, value)
		}
	}
	return b.post(path, pairs...)
}

// hidden returns what a page would send in a hidden field.
func hidden(a *httptest.ResponseRecorder, name string) string {
	m := regexp.MustCompile(`name="` + name + `" value="([^"]*)"`).FindStringSubmatch(a.Body.String())
	if m == nil {
		return ""
	}
	return m[1]
}

// TestFieldsHaveLimits sends every field of the form for an order as long as the page lets it, longer, and as nonsense.
func TestFieldsHaveLimits(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	page := b.get("/new").Body.String()
	for _, m := range regexp.MustCompile(`<input id="(\w+)" name="(\w+)"[^>]*maxlength="(\d+)"`).FindAllStringSubmatch(page, -1) {
		name := m[2]
		most, err := strconv.Atoi(m[3])
		if err != nil {
			t.Fatal(err)
		}
		if name != "address" && name != "phone" { // what is no address and no number is refused however short it is
			d.wants(name+" as long as may be", b.fills("/new", filled(name, strings.Repeat("x", most))), http.StatusOK, `id="accept"`)
		}
		if name != "value" && name != "tip" { // which say nothing if they are no amount
			d.wants(name+" longer", b.fills("/new", filled(name, strings.Repeat("x", most+1))), http.StatusBadRequest, `role="alert"`)
		}
	}
	for _, tt := range []struct {
		field, value string
		status       int
		says         string
	}{
		{"address", "", http.StatusBadRequest, "Type the customer’s address"},
		{"address", "9 island", http.StatusBadRequest, "No robot gets to this address."},
		{"phone", "call me", http.StatusBadRequest, "This is no phone number."},
		{"phone", "(206) 555-0142", http.StatusOK, `id="accept"`},
		{"phone", "+1206555014212345", http.StatusBadRequest, "This is no phone number."},
		{"note", strings.Repeat("x", 301), http.StatusBadRequest, "The note for the door is too long"},
		{"items", strings.Repeat("x\n", 2500), http.StatusOK, `id="accept"`},
		{"items", strings.Repeat("x\n", 2501), http.StatusBadRequest, "The list of items is too long"},
		{"ready", "-99999999999999", http.StatusOK, `id="accept"`},
		{"ready", "99999999999999999", http.StatusOK, `id="accept"`},
		{"ready", "soon", http.StatusOK, `id="accept"`},
		{"lat", "9999999999999", http.StatusOK, `id="accept"`},
		{"size", "planet", http.StatusOK, `id="accept"`},
		{"undeliverable", "eat", http.StatusOK, `id="accept"`},
		{"value", "-5", http.StatusOK, `id="accept"`},
		{"tip", "much", http.StatusOK, `id="accept"`},
		{"store", "nowhere", http.StatusOK, "none is active"},
		{"number", `"><b>`, http.StatusOK, `id="accept"`},
	} {
		a := b.fills("/new", filled(tt.field, tt.value))
		d.wants(tt.field+" "+strconv.Quote(tt.value[:min(len(tt.value), 20)]), a, tt.status, tt.says)
	}
	// A body that is too long is cut off, and so is no form.
	d.wants("a megabyte", b.fills("/new", filled("note", strings.Repeat("x", 1<<20))), http.StatusBadRequest, "!xxxxx")
	d.wants("an account of a megabyte", b.post("/sign-in", "email", strings.Repeat("x", 1<<20)), http.StatusForbidden, "!xxxxx")
}

// TestOrder orders what was quoted, and nothing else.
func TestOrder(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	form := filled("items", "2 Rye loaf\r\nLemon tart", "tip", "1.50")
	a := b.fills("/new", form)
	d.wants("a quote", a, http.StatusOK, "Order for $", "Robot at your store", "nine of ten", `name="given_name" value="Zelda"`)
	b.headers = []string{"Accept", "text/fragment"}
	d.wants("a quote by script", b.fills("/new", form), http.StatusOK, `id="accept"`, "!<html")
	b.headers = nil
	form.Set("external_id", hidden(a, "external_id"))
	form.Set("quoted", hidden(a, "quoted"))

	changed := url.Values{}
	for name, values := range form {
		changed[name] = values
	}
	changed.Set("phone", "+12065550199")
	d.asked()
	d.wants("a form that was changed", b.fills("/new/accept", changed), http.StatusConflict, "You changed the order since the price was made.", `id="accept"`, `value="&#43;12065550199"`)
	for _, c := range d.asked() {
		if strings.HasSuffix(c.path, "/accept") {
			t.Error("it was ordered all the same")
		}
	}
	form.Set("items", "2 Rye loaf\nLemon tart") // as a script sends lines
	a = b.fills("/new/accept", form)
	to := a.Header().Get("Location")
	if a.Code != http.StatusSeeOther || !strings.HasPrefix(to, "/merchant/orders/") || !strings.HasSuffix(to, "?note=ordered") {
		t.Fatalf("ordering leads to %d %q", a.Code, to)
	}
	d.wants("the order", b.get(strings.TrimPrefix(to, "/merchant")), http.StatusOK, "Ordered. A robot is being chosen.", "#31", "Zelda", "12 Quay", "Rye loaf", "Lemon tart", "$1.50 tip")
	if again := b.fills("/new/accept", form); again.Header().Get("Location") != to {
		t.Errorf("ordering twice leads to %d %q", again.Code, again.Header().Get("Location"))
	}

	// A price that has expired is made anew.
	a = b.fills("/new", filled())
	form = filled("external_id", hidden(a, "external_id"), "quoted", hidden(a, "quoted"))
	d.clock.Advance(clock.Hour)
	d.wants("an hour later", b.fills("/new/accept", form), http.StatusConflict, "Here is a new one.", `id="accept"`)
}

// TestStores has an admin change a store, and make mistakes.
func TestStores(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Admin)
	form := func(more ...string) []string {
		return append([]string{"active", "yes", "name", "Gull at the quay", "address", "1 Quay", "phone", "+12065550111", "prep", "12"}, more...)
	}
	d.leads("hours", b.post("/stores/quay", form("on-mo", "yes", "from-mo", "08:00", "to-mo", "12:30", "on-su", "yes", "from-su", "10:00", "to-su", "14:00")...), "/merchant/stores?note=saved")
	d.wants("the store", b.get("/stores"), http.StatusOK, "Gull at the quay", "12 min", "08:00", "12:30", "14:00", "takes orders")
	d.leads("always", b.post("/stores/quay", form("always", "yes")...), "/merchant/stores?note=saved")
	d.wants("always", b.get("/stores"), http.StatusOK, "always open")
	for what, f := range map[string][]string{
		"no day":               form(),
		"an end before it was": form("on-mo", "yes", "from-mo", "25:00", "to-mo", "12:00"),
		"no minutes":           {"name", "x", "address", "1 Quay", "prep", "soon", "always", "yes"},
		"less than none":       {"name", "x", "address", "1 Quay", "prep", "-5", "always", "yes"},
		"no name":              {"name", "", "address", "1 Quay", "prep", "5", "always", "yes"},
		"no number":            {"name", "x", "address", "1 Quay", "prep", "5", "phone", "call", "always", "yes"},
		"much too long":        {"name", strings.Repeat("x", 5000), "address", "1 Quay", "prep", "5", "always", "yes"},
	} {
		d.wants(what, b.post("/stores/quay", f...), http.StatusBadRequest, "Gull at the quay", `role="alert"`)
	}
	d.wants("another's store", b.post("/stores/hut", form("always", "yes")...), http.StatusNotFound)
	d.leads("off", b.post("/stores/quay", "name", "Gull", "address", "1 Quay", "prep", "5", "always", "yes"), "/merchant/stores?note=saved")
	d.wants("a store that is off", b.get("/new"), http.StatusOK, "none is active")
}

func FuzzOrderForm(f *testing.F) {
	d := newDesk(f, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	f.Add("store=quay&address=12+Quay&size=small&items=2+Rye%0aTart&value=3.50&ready=1&number=1")
	f.Add("store=&address=%ff&lat=1&lon=x&tip=.&ready=99999999999999999999&size=&given_name=%00")
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/new", "/stores/quay", "/store", "/theme", "/sign-in"} {
			r := httptest.NewRequest(http.MethodPost, "http://footway.example/merchant"+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if a := b.send(r); a.Code >= http.StatusInternalServerError && a.Code != http.StatusServiceUnavailable || a.Code == http.StatusServiceUnavailable && utf8.ValidString(body) {
				t.Errorf("%s: %q is answered with %d: %.200s", path, body, a.Code, a.Body)
			}
		}
	})
}

func FuzzHoursForm(f *testing.F) {
	f.Add("08:00", "18:00")
	f.Add("24:00", "-1:99")
	f.Fuzz(func(t *testing.T, from, to string) {
		text, ok := hoursIn(func(name string) string {
			switch name {
			case "on-mo", "on-su":
				return "yes"
			case "from-mo", "from-su":
				return from
			case "to-mo", "to-su":
				return to
			}
			return ""
		})
		if !ok && text != "" {
			t.Errorf("%s to %s is %q, and no hours", from, to, text)
		}
		if ok && !strings.Contains(text, "Mo") {
			t.Errorf("%s to %s is %q", from, to, text)
		}
	})
}
