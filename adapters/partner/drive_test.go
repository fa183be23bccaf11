package partner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
)

// TestDrive plays the requests of testdata: "send METHOD PATH" with a body
// beneath; "advance 6m" moves the clock, "set ID state=… robot=…" a delivery.
func TestDrive(t *testing.T) {
	files := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		if strings.Contains(path, "fuzz") {
			return
		}
		files++
		c := newTown()
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string { return c.play(t, td) })
	})
	if files < 5 {
		t.Errorf("%d scripts in testdata; want 5 or more", files)
	}
}

func (c *town) play(t *testing.T, td *datadriven.TestData) string {
	arg := func(i int) string { return td.CmdArgs[i].Key }
	switch td.Cmd {
	case "send":
		return show(c.send(t, arg(0), arg(1), td.Input))
	case "advance":
		d, err := clock.ParseDuration(arg(0))
		if err != nil {
			td.Fatalf(t, "%v", err)
		}
		c.clock.Advance(d)
		return c.clock.Now().String() + "\n"
	case "set":
		c.set(t, arg(0), func(d *delivery.Delivery) {
			for _, a := range td.CmdArgs[1:] {
				setField(t, d, a.Key, a.Vals[0], c.clock.Now())
			}
		})
		return ""
	}
	td.Fatalf(t, "unknown command %q", td.Cmd)
	return ""
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

// plainOrder is a request body that works.
const plainOrder = `{"external_delivery_id": "D-1", "pickup_address": "1 Quay, Port Ellery", "dropoff_address": "14 Quay, Port Ellery", "dropoff_phone_number": "+12065550123"}`

// TestFaults sees that every kind of failure behind Drive has its answer, and
// that partners do not read what is for our logs.
func TestFaults(t *testing.T) {
	for kind, want := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 400, fault.NotFound: 404, fault.Conflict: 409,
		fault.Unavailable: 503, fault.Forbidden: 403, fault.Exhausted: 429,
	} {
		c := newTown()
		c.fails = fault.New("secret.Operation", kind, "some_reason", "secret detail")
		r := c.send(t, "POST", "/drive/v2/serviceability", plainOrder)
		if r.Status != want {
			t.Errorf("%v: status %d, want %d: %s", kind, r.Status, want, r.Body)
		}
		if ours := want >= 500; ours != (r.Err != nil) || ours && bytes.Contains(r.Body, []byte("secret")) {
			t.Errorf("%v: status %d with the error %v for the log and the body %s", kind, r.Status, r.Err, r.Body)
		}
	}
}

// TestStrangers sees that a partner can neither see nor change another's things.
func TestStrangers(t *testing.T) {
	c := newTown()
	for _, r := range [][3]string{
		{"POST", "/developer/v1/businesses", `{"external_business_id": "cafe", "name": "Café"}`},
		{"POST", "/developer/v1/businesses/cafe/stores", `{"external_store_id": "quay", "name": "Quay", "address": "1 Quay"}`},
		{"POST", "/drive/v2/deliveries", plainOrder},
	} {
		if got := c.send(t, r[0], r[1], r[2]); got.Status != http.StatusOK {
			t.Fatalf("%s %s: %d %s", r[0], r[1], got.Status, got.Body)
		}
	}
	for _, r := range [][3]string{
		{"GET", "/drive/v2/deliveries/D-1", ""}, {"PATCH", "/drive/v2/deliveries/D-1", `{"tip": 5}`}, {"PUT", "/drive/v2/deliveries/D-1/cancel", ""},
		{"POST", "/drive/v2/quotes/D-1/accept", ""}, {"GET", "/developer/v1/businesses/cafe", ""}, {"PATCH", "/developer/v1/businesses/cafe", `{"name": "Mine"}`},
		{"GET", "/developer/v1/businesses/cafe/stores", ""}, {"GET", "/developer/v1/businesses/cafe/stores/quay", ""},
		{"PATCH", "/developer/v1/businesses/cafe/stores/quay", `{"name": "Mine"}`},
		{"POST", "/developer/v1/businesses/cafe/stores", `{"external_store_id": "mine", "name": "Mine", "address": "2 Quay"}`},
	} {
		got := c.Handle(t.Context(), Request{Partner: "stranger", Method: r[0], Path: r[1], Body: []byte(r[2])})
		if got.Status != http.StatusNotFound {
			t.Errorf("a stranger's %s %s: %d %s, want 404", r[0], r[1], got.Status, got.Body)
		}
		if bytes.Contains(got.Body, []byte("Quay")) || bytes.Contains(got.Body, []byte("Café")) {
			t.Errorf("a stranger's %s %s tells too much: %s", r[0], r[1], got.Body)
		}
	}
	if got := c.Handle(t.Context(), Request{Partner: "stranger", Method: "POST", Path: "/drive/v2/deliveries", Body: []byte(plainOrder)}); got.Status != http.StatusOK {
		t.Errorf("a stranger cannot use an id that p has used: %d %s", got.Status, got.Body)
	}
}

// TestRepeats sends everything twice and wants the same answer, byte for byte.
func TestRepeats(t *testing.T) {
	c := newTown()
	for _, r := range [][3]string{
		{"POST", "/developer/v1/businesses", `{"external_business_id": "cafe", "name": "Café"}`},
		{"POST", "/developer/v1/businesses/cafe/stores", `{"external_store_id": "quay", "name": "Quay", "address": "1 Quay"}`},
		{"POST", "/drive/v2/quotes", plainOrder},
		{"POST", "/drive/v2/quotes/D-1/accept", `{"tip": 200}`},
		{"PATCH", "/drive/v2/deliveries/D-1", `{"dropoff_instructions": "blue door", "dropoff_address": "12 Quay, Port Ellery"}`},
		{"PUT", "/drive/v2/deliveries/D-1/cancel", `{}`},
		{"POST", "/drive/v2/deliveries", strings.Replace(plainOrder, "D-1", "D-2", 1)},
	} {
		first := c.send(t, r[0], r[1], r[2])
		c.clock.Advance(clock.Second)
		second := c.send(t, r[0], r[1], r[2])
		if first.Status != http.StatusOK || second.Status != http.StatusOK || !bytes.Equal(first.Body, second.Body) {
			t.Errorf("%s %s:\nfirst  %d %s\nrepeat %d %s", r[0], r[1], first.Status, first.Body, second.Status, second.Body)
		}
	}
}

// TestMeaning sees which differences between two requests with one id matter.
func TestMeaning(t *testing.T) {
	base := `{"external_delivery_id": "D-1", "pickup_address": "1 Quay", "dropoff_address": "14 Quay", "dropoff_phone_number": "+12065550123",
		"order_value": 100, "pickup_time": "2026-03-02T13:00:00Z", "items": [{"name": "soup", "weight": 1.50}]}`
	for _, same := range [][2]string{
		{`"+12065550123"`, `"+1 (206) 555-0123"`}, {`"+12065550123"`, `"206.555.0123"`}, {`1.50`, `1.5`}, {`1.50`, `15e-1`}, {`100`, `100.0`},
		{`13:00:00Z`, `14:00:00+01:00`}, {`"name": "soup",`, `"name": "soup", "quantity": 1, "colour": "red",`}, {`"14 Quay"`, `" 14 Quay\n"`},
		{`"order_value"`, `"tip": null, "brand_new_field": {"a": [1]}, "order_value"`}, {`"order_value"`, `"action_if_undeliverable": "return_to_pickup", "order_value"`},
	} {
		c := newTown()
		first := c.send(t, "POST", "/drive/v2/quotes", base)
		if got := c.send(t, "POST", "/drive/v2/quotes", strings.Replace(base, same[0], same[1], 1)); got.Status != http.StatusOK || first.Status != http.StatusOK {
			t.Errorf("%s for %s: %d %s, want the quote again", same[1], same[0], got.Status, got.Body)
		}
	}
	for _, other := range [][2]string{
		{`0123"`, `0124"`}, {`1.50`, `1.51`}, {`100`, `101`}, {`13:00:00Z`, `13:00:01Z`}, {`"soup"`, `"salad"`}, {`"14 Quay"`, `"15 Quay"`}, {`"1 Quay"`, `"2 Quay"`},
		{`"order_value"`, `"tip": 1, "order_value"`}, {`"order_value"`, `"action_if_undeliverable": "dispose", "order_value"`},
		{`"order_value"`, `"dropoff_instructions": "unit A", "order_value"`}, {`"order_value"`, `"dropoff_location": {"lat": 1, "lng": 2}, "order_value"`},
	} {
		c := newTown()
		c.send(t, "POST", "/drive/v2/quotes", base)
		got := c.send(t, "POST", "/drive/v2/quotes", strings.Replace(base, other[0], other[1], 1))
		if got.Status != http.StatusConflict || !bytes.Contains(got.Body, []byte(`"duplicate_delivery_id"`)) {
			t.Errorf("%s for %s: %d %s, want 409 duplicate_delivery_id", other[1], other[0], got.Status, got.Body)
		}
	}
}

func TestBodyLimits(t *testing.T) {
	c := newTown()
	for name, body := range map[string]string{
		"too large":        `{"dropoff_instructions": "` + strings.Repeat("x", maxBody) + `"}`,
		"nested too deep":  strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000),
		"brackets only":    strings.Repeat("[", 200_000),
		"empty":            "",
		"null":             "null",
		"an array":         "[]",
		"a string":         `"x"`,
		"cut off":          plainOrder[:60],
		"two objects":      plainOrder + plainOrder,
		"a trailing comma": `{"a": 1,}`,
	} {
		r := c.send(t, "POST", "/drive/v2/quotes", body)
		var p problem
		if err := json.Unmarshal(r.Body, &p); err != nil || r.Status != http.StatusBadRequest || len(p.FieldErrors) != 1 || p.FieldErrors[0].Field != "body" {
			t.Errorf("%s: %d %s, error %v; want 400 with the field body", name, r.Status, r.Body, err)
		}
	}
	many := `{"items": [` + strings.Repeat(`{},`, 400) + `{}]}`
	r := c.send(t, "POST", "/drive/v2/quotes", many)
	var p problem
	if err := json.Unmarshal(r.Body, &p); err != nil || len(p.FieldErrors) != maxErrors {
		t.Errorf("%d field errors, error %v; want %d", len(p.FieldErrors), err, maxErrors)
	}
}
