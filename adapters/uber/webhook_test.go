package uber

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

func entryOf(change func(*delivery.Update)) integration.Entry {
	u := delivery.Update{
		Delivery: "d1", Sequence: 3, Kind: delivery.StateChanged, At: fake.Start, Market: "m", Partner: "p", ExternalID: "del_1", From: delivery.Requested, To: delivery.Assigned, Robot: "r7", Attempt: 1,
		Promise:  delivery.Promise{PickupP50: fake.Start.Add(clock.Minute), PickupP90: fake.Start.Add(2 * clock.Minute), DropoffP50: fake.Start.Add(20 * clock.Minute), DropoffP90: fake.Start.Add(28 * clock.Minute)},
		Expected: delivery.Promise{PickupP50: fake.Start.Add(3 * clock.Minute), DropoffP50: fake.Start.Add(22 * clock.Minute)}, Fee: 975, Tip: 300, Store: "cafe/quay",
	}
	if change != nil {
		change(&u)
	}
	return integration.Entry{Position: 4711, Update: u}
}

func sandboxOnly(m market.ID) bool { return m == "test" }

// TestEvent shows a whole one.
func TestEvent(t *testing.T) {
	encode := Encoder(sandboxOnly)
	got, err := encode(entryOf(nil))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"kind":"event.delivery_status","id":"evt_d1_3","created":"2026-03-02T12:00:00.000Z","status":"pickup","delivery_id":"del_1","customer_id":"p","live_mode":true,` +
		`"data":{"id":"del_1","kind":"delivery","status":"pickup","complete":false,"courier_imminent":false,"live_mode":true,"updated":"2026-03-02T12:00:00.000Z","fee":1275,"tip":300,` +
		`"pickup_eta":"2026-03-02T12:03:00.000Z","dropoff_eta":"2026-03-02T12:22:00.000Z","dropoff_deadline":"2026-03-02T12:28:00.000Z","courier":{"name":"Robot r7","vehicle_type":"robot"},` +
		`"undeliverable_action":"","undeliverable_reason":"","external_store_id":"cafe/quay","footway_support_reference":"d1"},"footway_sequence":3,"footway_position":4711}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	again, err := encode(entryOf(nil))
	if err != nil || !bytes.Equal(got, again) {
		t.Errorf("a repeat is %s, %v; want the same bytes", again, err)
	}
	test, err := encode(entryOf(func(u *delivery.Update) { u.Market = "test" }))
	if err != nil || strings.Count(string(test), `"live_mode":false`) != 2 {
		t.Errorf("in the sandbox it is %s, %v; want live_mode false", test, err)
	}
}

// TestEventNames sees what partners are told of, and in which words.
func TestEventNames(t *testing.T) {
	move := func(from, to delivery.State) func(*delivery.Update) {
		return func(u *delivery.Update) { u.From, u.To = from, to }
	}
	kind := func(k delivery.UpdateKind) func(*delivery.Update) {
		return func(u *delivery.Update) { u.Kind = k }
	}
	for _, c := range []struct {
		what   string
		change func(*delivery.Update)
		name   string
		status string
		data   map[string]any
	}{
		{"quoted", move("", delivery.Quoted), "", "", nil},
		{"a quote that was used", move(delivery.Quoted, delivery.Cancelled), "", "", nil},
		{"accepted", move(delivery.Quoted, delivery.Requested), deliveryStatus, "pending", map[string]any{"complete": false}},
		{"at the merchant", move(delivery.ToPickup, delivery.AtPickup), deliveryStatus, "pickup", map[string]any{"courier_imminent": true}},
		{"loaded", move(delivery.AtPickup, delivery.Loaded), deliveryStatus, "pickup_complete", nil},
		{"at the recipient", move(delivery.ToDropoff, delivery.AtDropoff), deliveryStatus, "dropoff", map[string]any{"courier_imminent": true}},
		{"delivered", move(delivery.AtDropoff, delivery.Delivered), deliveryStatus, "delivered", map[string]any{"complete": true, "courier": nil}},
		{"nobody came", func(u *delivery.Update) { u.From, u.To, u.Cause = delivery.AtDropoff, delivery.Returning, "no_show" }, deliveryStatus, "returned",
			map[string]any{"complete": true, "undeliverable_reason": "NO_SHOW", "footway_reason": "no_show"}},
		{"returned", move(delivery.AtReturn, delivery.Returned), deliveryStatus, "returned", map[string]any{"undeliverable_action": "returned"}},
		{"cancelled", func(u *delivery.Update) {
			u.From, u.To, u.Reason, u.Cause = delivery.Requested, delivery.Cancelled, delivery.FailedToAssign, "words of a person"
		}, deliveryStatus, "canceled", map[string]any{"cancelation_reason": map[string]any{"primary_reason": "FAILED_TO_ASSIGN_AND_REFUNDED"}}},
		{"later than said", kind(delivery.Expectation), courierUpdate, "pickup", nil},
		{"another robot", kind(delivery.CustodyMoved), courierUpdate, "pickup", nil},
		{"edited", kind(delivery.Edited), "", "", nil},
		{"ready", kind(delivery.Ready), "", "", nil},
		{"of a later version", kind("dance"), "", "", nil},
		{"a state of a later version", move(delivery.Loaded, "flying"), "", "", nil},
	} {
		e := entryOf(c.change)
		if got := EventName(&e.Update); got != c.name {
			t.Errorf("%s: the event is %q, want %q", c.what, got, c.name)
		}
		if c.name == "" {
			continue
		}
		b, err := Encoder(sandboxOnly)(e)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Kind, Status string
			Data         map[string]any
		}
		if err := json.Unmarshal(b, &got); err != nil || got.Kind != c.name || got.Status != c.status || got.Data["status"] != c.status {
			t.Errorf("%s: %s, %v; want %s, %s", c.what, b, err, c.name, c.status)
		}
		for name, value := range c.data {
			want, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			if has, err := json.Marshal(got.Data[name]); err != nil || !bytes.Equal(has, want) {
				t.Errorf("%s: %s is %s, %v; want %s", c.what, name, has, err, want)
			}
		}
		if strings.Contains(string(b), "words of a person") {
			t.Errorf("%s: the event has %s", c.what, b)
		}
	}
}
