package uber

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
)

// TestDirect plays the requests of testdata: "send METHOD PATH" with a body
// beneath, "save NAME FIELD" keeps a field of the last answer, which {NAME} then stands for, and {ret_NAME} for the way back;
// "advance 6m" moves the clock, "detour 9m" makes ways longer, "set ID state=… robot=…" changes a delivery.
func TestDirect(t *testing.T) {
	files := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		files++
		p := &player{town: newTown(t), saved: map[string]string{}}
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string { return p.play(t, td) })
	})
	if files < 6 {
		t.Errorf("%d scripts in testdata; want 6 or more", files)
	}
}

type player struct {
	*town
	saved map[string]string
	last  Response
}

func (p *player) play(t *testing.T, td *datadriven.TestData) string {
	arg := func(i int) string { return p.fill(td.CmdArgs[i].Key) }
	switch td.Cmd {
	case "send":
		p.last = p.send(t, arg(0), arg(1), p.fill(td.Input))
		return show(p.last)
	case "save":
		var all map[string]any
		if err := json.Unmarshal(p.last.Body, &all); err != nil {
			td.Fatalf(t, "%v", err)
		}
		p.saved[arg(0)] = fmt.Sprint(all[arg(1)])
		p.saved["ret_"+arg(0)] = idOf(p.saved[arg(0)], back)
		return p.saved[arg(0)] + "\n"
	case "advance":
		d, err := clock.ParseDuration(arg(0))
		if err != nil {
			td.Fatalf(t, "%v", err)
		}
		p.clock.Advance(d)
		return p.clock.Now().String() + "\n"
	case "detour":
		p.detour = 9_000_000
		return ""
	case "set":
		p.set(t, arg(0), func(d *delivery.Delivery) {
			for _, a := range td.CmdArgs[1:] {
				setField(t, d, a.Key, a.Vals[0], p.clock.Now())
			}
		})
		return ""
	}
	td.Fatalf(t, "unknown command %q", td.Cmd)
	return ""
}

func (p *player) fill(text string) string {
	for name, value := range p.saved {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

func setField(t *testing.T, d *delivery.Delivery, field, value string, now clock.Time) {
	switch field {
	case "state":
		d.State, d.Since = delivery.State(value), now
		switch {
		case d.State == delivery.Loaded:
			d.Times.Loaded = now
		case d.State.Ended():
			d.Times.Ended = now
		}
	case "robot":
		d.Robot, d.At = fleet.RobotID(value), maps.Position{Edge: 7}
		d.Custody = []delivery.Custody{{Carrier: d.Robot, From: now, Cause: "loaded"}}
	case "reason":
		d.CancelReason = delivery.Reason(value)
	case "cause":
		d.CancelCause = value
	default:
		t.Fatalf("unknown field %q", field)
	}
}

// show prints a response, one field a line.
func show(r Response) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d %s\n", r.Status, r.Operation)
	for name, values := range r.Header { // at most one
		fmt.Fprintf(&b, "%s: %s\n", name, values)
	}
	if err := json.Indent(&b, r.Body, "", " "); err != nil {
		return err.Error()
	}
	return b.String() + "\n"
}

// plainWay and plainOrder are request bodies that work.
const (
	plainWay   = `{"pickup_address": "1 Quay, Port Ellery", "dropoff_address": "14 Quay, Port Ellery"}`
	plainOrder = `{"pickup_name": "Café Quay", "pickup_address": "1 Quay, Port Ellery", "pickup_phone_number": "+12065550100",
		"dropoff_name": "Ada Ny", "dropoff_address": "14 Quay, Port Ellery", "dropoff_phone_number": "+12065550123", "manifest_items": [{"name": "Soup", "quantity": 2}]`
)

// orderWith is plainOrder with more fields, written ", name: value".
func orderWith(more string) string { return plainOrder + more + "}" }

// field returns a field of an answer, as text.
func field(t testing.TB, r Response, name string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(r.Body, &all); err != nil {
		t.Fatalf("%v: %s", err, r.Body)
	}
	if all[name] == nil {
		return ""
	}
	return fmt.Sprint(all[name])
}

// want reports unless an answer has a status and, where it is an error, a code.
func want(t testing.TB, what string, r Response, status int, code string) {
	t.Helper()
	if r.Status != status || field(t, r, "code") != code {
		t.Errorf("%s: %d %s; want %d %s", what, r.Status, r.Body, status, code)
	}
}

// TestFaults sees that every kind of failure behind Direct has its answer, and
// that partners do not read what is for our logs.
func TestFaults(t *testing.T) {
	for kind, status := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.NotFound: 404,
		fault.Unavailable: 503, fault.Forbidden: 403, fault.Exhausted: 429,
	} {
		c := newTown(t)
		c.fails = fault.New("secret.Operation", kind, "some_reason", "secret detail")
		r := c.send(t, "POST", "delivery_quotes", plainWay)
		if r.Status != status {
			t.Errorf("%v: status %d, want %d: %s", kind, r.Status, status, r.Body)
		}
		if ours := status >= 500; ours != (r.Err != nil) || ours && bytes.Contains(r.Body, []byte("secret")) {
			t.Errorf("%v: status %d with the error %v for the log and the body %s", kind, r.Status, r.Err, r.Body)
		}
	}
}

// TestStrangers sees that a partner reaches its own things only, whoever it says that it is.
func TestStrangers(t *testing.T) {
	c := newTown(t)
	made := c.send(t, "POST", "deliveries", orderWith(`, "external_id": "E-1"`))
	want(t, "create", made, 200, "")
	quoted := c.send(t, "POST", "delivery_quotes", plainWay)
	id, quote := field(t, made, "id"), field(t, quoted, "id")
	as := func(p delivery.PartnerID, customer, method, path, body string) Response {
		return c.Handle(t.Context(), Request{Partner: p, Method: method, Path: Prefix + customer + "/" + path, Body: []byte(body)})
	}
	for _, r := range [][3]string{
		{"GET", "deliveries/" + id, ""}, {"POST", "deliveries/" + id, `{"tip_by_customer": 5}`}, {"POST", "deliveries/" + id + "/cancel", ""}, {"POST", "deliveries/" + id + "/proof-of-delivery", "{}"},
	} {
		want(t, "another's delivery: "+r[1], as("q", "q", r[0], r[1], r[2]), 404, "delivery_not_found")
		want(t, "in another's name: "+r[1], as("q", "p", r[0], r[1], r[2]), 404, "customer_not_found")
		none := as("q", "q", r[0], strings.Replace(r[1], id, "del_none", 1), r[2])
		if theirs := as("q", "q", r[0], r[1], r[2]); !bytes.Equal(theirs.Body, none.Body) {
			t.Errorf("%s: another's is answered with %s, one that there is not with %s", r[1], theirs.Body, none.Body)
		}
	}
	for _, r := range [][3]string{{"POST", "delivery_quotes", plainWay}, {"POST", "deliveries", orderWith("")}, {"GET", "deliveries", ""}} {
		want(t, "in another's name: "+r[1], as("q", "p", r[0], r[1], r[2]), 404, "customer_not_found")
	}
	want(t, "another's quote", as("q", "q", "POST", "deliveries", orderWith(`, "quote_id": "`+quote+`"`)), 400, "invalid_params")
	if r := as("q", "q", "GET", "deliveries", ""); !bytes.Contains(r.Body, []byte(`"data":[]`)) {
		t.Errorf("another's list has %s", r.Body)
	}
	want(t, "one's own", as("p", "p", "GET", "deliveries/"+id, ""), 200, "")
	want(t, "a quote is no delivery", as("p", "p", "GET", "deliveries/"+quote, ""), 404, "delivery_not_found")
	want(t, "a quote cannot be cancelled", as("p", "p", "POST", "deliveries/"+quote+"/cancel", ""), 404, "delivery_not_found")
}

// TestQuoteOnce uses a quote once, and only while it is good and says the price.
func TestQuoteOnce(t *testing.T) {
	ask := func(c *town) string {
		r := c.send(t, "POST", "delivery_quotes", plainWay)
		want(t, "quote", r, 200, "")
		return field(t, r, "id")
	}
	with := func(quote, more string) string { return orderWith(`, "quote_id": "` + quote + `"` + more) }
	c := newTown(t)
	quote := ask(c)
	first := c.send(t, "POST", "deliveries", with(quote, ""))
	want(t, "first", first, 200, "")
	again := c.send(t, "POST", "deliveries", with(quote, ""))
	if again.Status != 200 || field(t, again, "id") != field(t, first, "id") {
		t.Errorf("a repeat: %d %s; want the same delivery", again.Status, again.Body)
	}
	want(t, "for another delivery", c.send(t, "POST", "deliveries", with(quote, `, "idempotency_key": "k"`)), 400, "used_quote")
	want(t, "for other goods", c.send(t, "POST", "deliveries", with(quote, `, "tip": 5`)), 409, "duplicate_delivery")

	late := ask(c)
	c.clock.Advance(delivery.DefaultSettings().QuoteLife - 1)
	want(t, "in the last moment", c.send(t, "POST", "deliveries", with(late, "")), 200, "")
	late = ask(c)
	c.clock.Advance(delivery.DefaultSettings().QuoteLife)
	want(t, "when it has just expired", c.send(t, "POST", "deliveries", with(late, "")), 400, "expired_quote")
	if r := c.send(t, "GET", "deliveries?filter=pending", ""); strings.Count(string(r.Body), `"kind":"delivery"`) != 2 {
		t.Errorf("the list has %s; want the two deliveries, and no quotes", r.Body)
	}

	c = newTown(t)
	dearer := ask(c)
	c.detour = 9_000_000
	want(t, "when the way has become longer", c.send(t, "POST", "deliveries", with(dearer, "")), 400, "mismatched_price_quote")
	want(t, "with a fresh one", c.send(t, "POST", "deliveries", with(ask(c), "")), 200, "")
	elsewhere := strings.Replace(with(ask(c), ""), "14 Quay", "1400 Quay", 1)
	want(t, "for another address", c.send(t, "POST", "deliveries", elsewhere), 400, "mismatched_price_quote")
	want(t, "one that there is not", c.send(t, "POST", "deliveries", with("dqt_none", "")), 400, "invalid_params")
	made := field(t, c.send(t, "POST", "deliveries", orderWith(`, "external_id": "x"`)), "id")
	want(t, "a delivery as a quote", c.send(t, "POST", "deliveries", with(made, "")), 400, "invalid_params")
}

// TestQuoteOnceUnderLoss has the process die between using a quote and accepting the delivery.
func TestQuoteOnceUnderLoss(t *testing.T) {
	c := newTown(t)
	quote := field(t, c.send(t, "POST", "delivery_quotes", plainWay), "id")
	quotes := c.Quotes
	c.Quotes = deaf{quotes}
	body := orderWith(`, "quote_id": "` + quote + `", "idempotency_key": "k"`)
	want(t, "lost", c.send(t, "POST", "deliveries", body), 503, "service_unavailable")
	c.Quotes = quotes
	c.clock.Advance(clock.Minute)
	want(t, "for another delivery", c.send(t, "POST", "deliveries", orderWith(`, "quote_id": "`+quote+`", "idempotency_key": "l"`)), 400, "used_quote")
	r := c.send(t, "POST", "deliveries", body)
	want(t, "again", r, 200, "")
	if got := field(t, r, "fee"); got != "975" {
		t.Errorf("the fee is %s; want the quoted 975", got)
	}
}

// deaf loses every acceptance.
type deaf struct{ Quotes }

func (deaf) Accept(_ context.Context, _ delivery.PartnerID, _ string, _ delivery.AcceptRequest) (delivery.Delivery, error) {
	return delivery.Delivery{}, fault.New("deaf", fault.Unavailable, "", "lost")
}

// TestQuoteOnceUnderRace has two requests use a quote at once: both have seen that it is free.
func TestQuoteOnceUnderRace(t *testing.T) {
	c := newTown(t)
	quote := field(t, c.send(t, "POST", "delivery_quotes", plainWay), "id")
	body := func(key string) string {
		return orderWith(`, "quote_id": "` + quote + `", "idempotency_key": "` + key + `"`)
	}
	changes := c.Direct.Changes
	c.Direct.Changes = between{changes, func() {
		c.Direct.Changes = changes
		want(t, "who comes between", c.send(t, "POST", "deliveries", body("k")), 200, "")
	}}
	want(t, "who was first to look", c.send(t, "POST", "deliveries", body("l")), 400, "used_quote")
	if r := c.send(t, "GET", "deliveries", ""); strings.Count(string(r.Body), `"kind":"delivery"`) != 1 {
		t.Errorf("the list has %s; want one delivery", r.Body)
	}
}

// between lets something happen just before a cancel.
type between struct {
	Changes
	happen func()
}

func (b between) Cancel(ctx context.Context, p delivery.PartnerID, id, cause string) (delivery.Delivery, error) {
	b.happen()
	return b.Changes.Cancel(ctx, p, id, cause)
}

// TestSameOrder sees which orders are one.
func TestSameOrder(t *testing.T) {
	c := newTown(t)
	make := func(more string) Response { return c.send(t, "POST", "deliveries", orderWith(more)) }
	id := func(more string) string {
		t.Helper()
		r := make(more)
		want(t, more, r, 200, "")
		return field(t, r, "id")
	}
	for _, name := range []string{`, "idempotency_key": "K"`, `, "external_id": "E"`, `, "manifest_reference": "M"`, `, "manifest_reference": "M", "external_id": "E"`} {
		first := id(name)
		if again := id(name); again != first {
			t.Errorf("%s: %s and then %s; want one delivery", name, first, again)
		}
		other := make(name + `, "tip": 7`)
		want(t, name+" with other particulars", other, 409, "duplicate_delivery")
		if !bytes.Contains(other.Body, []byte(`"delivery_id":"`+first+`"`)) {
			t.Errorf("%s: %s does not say that %s is meant", name, other.Body, first)
		}
	}
	if one, other := id(""), id(""); one == other {
		t.Error("two orders without any name are one")
	}
	first := id(`, "external_id": "E"`)
	want(t, "cancel", c.send(t, "POST", "deliveries/"+first+"/cancel", ""), 200, "")
	if id(`, "external_id": "E"`) == first {
		t.Error("references of a cancelled delivery stand in the way of another one")
	}
	key := id(`, "idempotency_key": "K"`)
	want(t, "cancel", c.send(t, "POST", "deliveries/"+key+"/cancel", ""), 200, "")
	if id(`, "idempotency_key": "K"`) != key {
		t.Error("a key makes a second delivery within its hour")
	}
	c.clock.Advance(keyLife)
	if id(`, "idempotency_key": "K"`) == key {
		t.Error("a key is remembered for more than an hour")
	}
	// What was refused does not stand in the way of what is mended.
	want(t, "too large", make(`, "idempotency_key": "L", "dropoff_deadline_dt": "`+c.clock.Now().Add(21*clock.Minute).String()+`"`), 400, "address_undeliverable_limited_couriers")
	id(`, "idempotency_key": "L"`)
}

// TestMoney sees that amounts stay cents, and that the fee has the tip in it.
func TestMoney(t *testing.T) {
	c := newTown(t)
	quote := c.send(t, "POST", "delivery_quotes", plainWay)
	r := c.send(t, "POST", "deliveries", orderWith(`, "tip": 250, "manifest_total_value": 3140, "quote_id": "`+field(t, quote, "id")+`"`))
	if fee, total, tip := field(t, quote, "fee"), field(t, r, "fee"), field(t, r, "tip"); fee != "975" || total != "1225" || tip != "250" {
		t.Errorf("the fee is quoted as %s, then %s with a tip of %s; want 975, 1225, 250", fee, total, tip)
	}
	d, err := c.store.ByExternal(t.Context(), "p", field(t, r, "id"))
	if err != nil || d.Fee != 975 || d.Tip != 250 || d.OrderValue != 3140 {
		t.Errorf("kept are fee %d, tip %d, value %d, error %v; want 975, 250, 3140", d.Fee, d.Tip, d.OrderValue, err)
	}
	if e := c.send(t, "POST", "deliveries/"+d.ExternalID, `{"tip_by_customer": 300}`); field(t, e, "fee") != "1275" {
		t.Errorf("with a tip of 300 the fee is %s, want 1275", field(t, e, "fee"))
	}
	for _, bad := range []string{`"tip": 2.5`, `"tip": -1`, `"tip": "250"`, `"tip": 1e3`, `"tip": 3000000000`, `"manifest_total_value": 10.99`} {
		want(t, bad, c.send(t, "POST", "deliveries", orderWith(", "+bad)), 400, "invalid_params")
	}
}

// TestLoads sees what robots are asked to carry.
func TestLoads(t *testing.T) {
	for _, c := range []struct {
		items string
		want  fleet.Load
	}{
		{`{"name": "a"}`, fleet.Load{LengthMM: 250, WidthMM: 90, HeightMM: 90}},
		{`{"name": "a", "quantity": 10, "weight": 300}`, fleet.Load{LengthMM: 250, WidthMM: 90, HeightMM: 90, Grams: 3000}},
		{`{"name": "a", "size": "medium"}, {"name": "b"}`, fleet.Load{LengthMM: 350, WidthMM: 300, HeightMM: 150}},
		{`{"name": "a", "size": "xlarge"}`, fleet.Load{LengthMM: 1000, WidthMM: 620, HeightMM: 150}},
		{`{"name": "a", "size": "xlarge", "dimensions": {"length": 20, "height": 30, "depth": 10}, "weight": 250, "quantity": 2}`, fleet.Load{LengthMM: 300, WidthMM: 200, HeightMM: 200, Grams: 500}},
		{`{"name": "a", "must_be_upright": true, "dimensions": {"length": 10, "height": 30, "depth": 20}}`, fleet.Load{LengthMM: 200, WidthMM: 100, HeightMM: 300}},
		{`{"name": "a", "quantity": 3, "dimensions": {"length": 10, "height": 10, "depth": 10}}, {"name": "b", "size": "small"}`, fleet.Load{LengthMM: 250, WidthMM: 100, HeightMM: 300}},
	} {
		town := newTown(t)
		r := town.send(t, "POST", "deliveries", strings.Replace(orderWith(""), `{"name": "Soup", "quantity": 2}`, c.items, 1))
		if town.asked.Load != c.want {
			t.Errorf("%s: the load is %+v, want %+v", c.items, town.asked.Load, c.want)
		}
		if fits := r.Status == http.StatusOK; fits != (c.want.LengthMM <= 400) {
			t.Errorf("%s: %d %s", c.items, r.Status, r.Body)
		}
	}
}

// TestWindows breaks each rule of the windows, and none.
func TestWindows(t *testing.T) {
	c := newTown(t)
	at := func(minutes int) string { return c.clock.Now().Add(clock.Duration(minutes) * clock.Minute).String() }
	way := func(more string) Response {
		return c.send(t, "POST", "delivery_quotes", strings.TrimSuffix(plainWay, "}")+more+"}")
	}
	window := func(pairs ...any) (text string) {
		for i := 0; i < len(pairs); i += 2 {
			text += fmt.Sprintf(`, "%s_dt": %q`, pairs[i], at(pairs[i+1].(int)))
		}
		return text
	}
	for _, w := range []struct{ fields, code string }{
		{window("pickup_ready", -10), "pickup_ready_too_early"},
		{window("pickup_ready", 30*24*60), "pickup_ready_too_late"},
		{window("pickup_ready", 30, "pickup_deadline", 39), "pickup_window_too_small"},
		{window("pickup_deadline", 19), "pickup_deadline_too_early"},
		{window("pickup_deadline", 30, "dropoff_ready", 31), "dropoff_ready_after_pickup_deadline"},
		{window("dropoff_ready", 30, "dropoff_deadline", 49), "dropoff_deadline_too_early"},
		{window("pickup_ready", 10, "pickup_deadline", 60, "dropoff_deadline", 59), "dropoff_deadline_before_pickup_deadline"},
		{window("dropoff_deadline", 25), "address_undeliverable_limited_couriers"},
		{window("pickup_ready", 30*24*60-1), ""},
		{window("pickup_ready", 30, "pickup_deadline", 40, "dropoff_ready", 40, "dropoff_deadline", 60), ""},
		{window("pickup_ready", -1, "pickup_deadline", 20), ""},
		{`, "pickup_ready_dt": "tomorrow"`, "invalid_params"},
	} {
		r := way(w.fields)
		status := 400
		if w.code == "" {
			status = 200
		}
		want(t, w.fields, r, status, w.code)
	}
	if r := way(window("dropoff_ready", 120)); field(t, r, "dropoff_eta") != at(120) {
		t.Errorf("expected at %s it comes at %s", at(120), field(t, r, "dropoff_eta"))
	}
}

// TestWrongTypes sees that a field of the wrong type is named as the partner wrote it.
func TestWrongTypes(t *testing.T) {
	c := newTown(t)
	for body, says := range map[string]string{
		`{"pickup_address": 7}`:                        `"pickup_address":"Want a string."`,
		`{"tip": "x"}`:                                 `"tip":"Want a whole number."`,
		`{"pickup_latitude": "x"}`:                     `"pickup_latitude":"Want a number."`,
		`{"requires_id": 3}`:                           `"requires_id":"Want true or false."`,
		`{"dropoff_verification": {"picture": 1}}`:     `"dropoff_verification.picture":"Want true or false."`,
		`{"dropoff_verification": true}`:               `"dropoff_verification":"Want an object."`,
		`{"manifest_items": {}}`:                       `"manifest_items":"Want an array."`,
		`{"manifest_items": [{"quantity": "x"}]}`:      `"manifest_items.quantity":"Want a whole number."`,
		`{"manifest_items": [null], "pickup_name": 7}`: `"pickup_name":"Want a string."`,
		`7`:              `"body":"Want a JSON object of at most 256 KiB."`,
		`{"tip": 1} {}`:  `"body":"It is not valid JSON."`,
		`{"tip": 1, "a"`: `"body":"It is not valid JSON."`,
	} {
		if r := c.send(t, "POST", "deliveries", body); r.Status != 400 || !strings.Contains(string(r.Body), says) {
			t.Errorf("%s: %d %s; want it to say %s", body, r.Status, r.Body, says)
		}
	}
}

// TestAddresses reads both forms.
func TestAddresses(t *testing.T) {
	for in, want := range map[string]string{
		"1 Quay, Port Ellery":   "1 Quay, Port Ellery",
		"  1 Quay, Port Ellery": "1 Quay, Port Ellery",
		`{"street_address":["1 Quay"],"city":"Port Ellery","state":"WA","zip_code":"98101","country":"US"}`: "1 Quay, Port Ellery, WA 98101",
		`{"street_address":["1 Quay","Floor 2"],"city":"Port Ellery"}`:                                      "1 Quay, Port Ellery",
		`{"street_address":[" 1 Quay "],"zip_code":"98101"}`:                                                "1 Quay, 98101",
	} {
		f := faults{}
		if got := f.address("pickup_address", in); got != want || f.err() != nil {
			t.Errorf("%s is %q, %v; want %q", in, got, f.err(), want)
		}
	}
	for _, bad := range []string{`{`, `{"street_address":"1 Quay"}`, `{"street_address":[]}`, `{"street_address":[" "],"city":"x"}`, `{"city":7}`, strings.Repeat("x", 301), "a\x00b", "\xff"} {
		f := faults{}
		if f.address("pickup_address", bad); f.err() == nil {
			t.Errorf("%.40q passes as an address", bad)
		}
	}
}

// TestStatesHaveWords sees that every state of the core has a status.
func TestStatesHaveWords(t *testing.T) {
	for _, s := range append(accepted(), delivery.Quoted) {
		for _, l := range []leg{outward, back} {
			if !slices.Contains([]string{"pending", "pickup", "pickup_complete", "dropoff", "delivered", "canceled", "returned"}, statusOf(s, l)) {
				t.Errorf("%s is %q", s, statusOf(s, l))
			}
		}
	}
	if _, ok := statesOf("nonsense"); ok {
		t.Error("nonsense is a filter")
	}
}

// TestList turns the pages of a list.
func TestList(t *testing.T) {
	c := newTown(t)
	var made []string
	for i := range 5 {
		c.clock.Advance(clock.Second)
		made = append(made, field(t, c.send(t, "POST", "deliveries", orderWith(fmt.Sprintf(`, "external_id": "E%d"`, i))), "id"))
		want(t, "quote", c.send(t, "POST", "delivery_quotes", plainWay), 200, "")
	}
	slices.Reverse(made)
	want(t, "cancel", c.send(t, "POST", "deliveries/"+made[1]+"/cancel", ""), 200, "")
	page := func(path string) (ids []string, next string) {
		t.Helper()
		var l struct {
			Data []struct{ ID, Status string }
			Next string `json:"next_href"`
		}
		r := c.send(t, "GET", path, "")
		if err := json.Unmarshal(r.Body, &l); err != nil || r.Status != 200 {
			t.Fatalf("%s: %d %s, %v", path, r.Status, r.Body, err)
		}
		for _, d := range l.Data {
			ids = append(ids, d.ID)
		}
		return ids, strings.TrimPrefix(l.Next, Prefix+"p/")
	}
	var all []string
	for path := "deliveries?limit=2"; path != ""; {
		var ids []string
		ids, path = page(path)
		all = append(all, ids...)
	}
	if !slices.Equal(all, made) {
		t.Errorf("page by page: %v, want %v", all, made)
	}
	if ids, next := page("deliveries?filter=canceled"); !slices.Equal(ids, made[1:2]) || next != "" {
		t.Errorf("canceled are %v and more at %q; want %v", ids, next, made[1:2])
	}
	if ids, next := page("deliveries?filter=ongoing&limit=4"); len(ids) != 4 || next != "" {
		t.Errorf("ongoing are %v and more at %q; want the four others", ids, next)
	}
	if ids, _ := page("deliveries?Offset=4"); !slices.Equal(ids, made[4:]) {
		t.Errorf("behind the fourth there are %v, want %v", ids, made[4:])
	}
	if ids, _ := page("deliveries?offset=5"); len(ids) != 0 {
		t.Errorf("behind the last there are %v", ids)
	}
	for _, secret := range []string{"Ada", "+1206", "14 Quay", "4711"} {
		if r := c.send(t, "GET", "deliveries", ""); strings.Contains(string(r.Body), secret) {
			t.Errorf("a list tells %q: %s", secret, r.Body)
		}
	}
}
