package partner

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

// TestEventNames wants a name for every state and kind there is, and every event of Drive's to be used.
func TestEventNames(t *testing.T) {
	var used []string
	name := func(u delivery.Update) {
		n := EventName(&u)
		if n == footwayUnknownUpdate || n == "" || strings.Trim(n, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" {
			t.Errorf("%s to %q is called %q", u.Kind, u.To, n)
		}
		used = append(used, n)
	}
	for _, s := range constantsOf(t, "State") {
		name(delivery.Update{Kind: delivery.StateChanged, From: delivery.Quoted, To: delivery.State(s)})
		if statusIn(delivery.State(s)) != statusOf(delivery.State(s)) {
			t.Errorf("state %s has no status in events", s)
		}
	}
	name(delivery.Update{Kind: delivery.StateChanged, From: delivery.ToPickup, To: delivery.Requested})
	for _, k := range constantsOf(t, "UpdateKind") {
		if k != string(delivery.StateChanged) {
			name(delivery.Update{Kind: delivery.UpdateKind(k), From: delivery.Loaded, To: delivery.Loaded})
		}
	}
	for _, want := range DriveEvents() {
		if !slices.Contains(used, want) {
			t.Errorf("nothing is called %s", want)
		}
	}
	slices.Sort(used)
	if all := slices.Compact(slices.Clone(used)); len(all) != len(used) {
		t.Errorf("one name for two things: %v", used)
	}
	used = append(used, footwayUnknownUpdate)
	slices.Sort(used)
	if listed := slices.Sorted(slices.Values(EventNames())); !slices.Equal(listed, used) {
		t.Errorf("EventNames lists %v, and there are %v", listed, used)
	}
}

func TestEncodePing(t *testing.T) {
	const want = `{"event_name":"FOOTWAY_PING","event_type":"FOOTWAY_PING","created_at":"2026-03-02T12:00:00.000Z","event_id":"evt_ping_7"}`
	if body, id, err := EncodePing("7", fake.Start); err != nil || string(body) != want || id != "evt_ping_7" {
		t.Errorf("EncodePing = %s, %q, %v; want %s", body, id, err, want)
	}
	if slices.Contains(EventNames(), ping) {
		t.Error("endpoints can want pings, which they get only when somebody asks")
	}
}

func TestEncodeEvent(t *testing.T) {
	at := fake.Start
	u := delivery.Update{Delivery: "d7", Sequence: 9, Kind: delivery.StateChanged, At: at, Market: "m", Partner: "p", ExternalID: "D-1", From: delivery.ToPickup, To: delivery.Cancelled,
		Cause: "no_robot", Reason: delivery.FailedToAssign, Robot: "r1", Attempt: 2, Expected: delivery.Promise{PickupP50: at.Add(clock.Minute), DropoffP50: at.Add(clock.Hour), DropoffP90: at.Add(2 * clock.Hour)}, Fee: 975, Tip: 100}
	for name, c := range map[string]struct {
		change func(*delivery.Update)
		want   string
	}{
		"cancelled": {func(*delivery.Update) {}, `{"event_name":"DELIVERY_CANCELLED","event_type":"DELIVERY_CANCELLED","created_at":"2026-03-02T12:00:00.000Z","external_delivery_id":"D-1","delivery_status":"cancelled",` +
			`"cancellation_reason":"failed_to_assign_and_refunded","fee":975,"tip":100,"support_reference":"d7","dasher_name":"Robot r1","event_id":"evt_d7_9","sequence":9,"position":4,` +
			`"previous_delivery_status":"enroute_to_pickup","market":"m","robot_id":"r1","robot_reason":"footway.no_robot","attempt":2}`},
		"picked up": {func(u *delivery.Update) {
			u.From, u.To, u.Cause, u.Reason = delivery.AtPickup, delivery.Loaded, "the words of a person", ""
		}, `{"event_name":"DASHER_PICKED_UP","event_type":"DASHER_PICKED_UP","created_at":"2026-03-02T12:00:00.000Z","external_delivery_id":"D-1","delivery_status":"picked_up",` +
			`"fee":975,"tip":100,"pickup_time_estimated":"2026-03-02T12:01:00.000Z","dropoff_time_estimated":"2026-03-02T13:00:00.000Z","dropoff_time_estimated_upper_bound":"2026-03-02T14:00:00.000Z",` +
			`"pickup_time_actual":"2026-03-02T12:00:00.000Z","support_reference":"d7","dasher_name":"Robot r1","event_id":"evt_d7_9","sequence":9,"position":4,"previous_delivery_status":"arrived_at_pickup",` +
			`"market":"m","robot_id":"r1","attempt":2}`},
		"of tomorrow": {func(u *delivery.Update) {
			*u = delivery.Update{Delivery: "d7", Sequence: 1, Kind: "teleported", At: at, Market: "m", Partner: "p", ExternalID: "D-1", From: "here", To: "there"}
		}, `{"event_name":"FOOTWAY_UPDATE","event_type":"FOOTWAY_UPDATE","created_at":"2026-03-02T12:00:00.000Z","external_delivery_id":"D-1","fee":0,"tip":0,"support_reference":"d7",` +
			`"event_id":"evt_d7_1","sequence":1,"position":4,"market":"m"}`},
	} {
		e := integration.Entry{Position: 4, Update: u}
		c.change(&e.Update)
		got, err := EncodeEvent(e)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: error %v\ngot  %s\nwant %s", name, err, got, c.want)
		}
	}
}

// FuzzEncodeEvent encodes whatever update the broker may bring.
func FuzzEncodeEvent(f *testing.F) {
	f.Add([]byte(`{"delivery":"d","sequence":1,"kind":"state","at":1,"market":"m","partner":"p","external_id":"x","from":"","to":"quoted"}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		u, err := delivery.DecodeUpdate(message)
		if err != nil {
			return
		}
		first, err := EncodeEvent(integration.Entry{Position: 1, Update: u})
		second, err2 := EncodeEvent(integration.Entry{Position: 1, Update: u})
		if err != nil || err2 != nil || !json.Valid(first) || !bytes.Equal(first, second) {
			t.Fatalf("EncodeEvent(%+v) = %s, %v", u, first, err)
		}
	})
}
