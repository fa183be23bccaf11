package uber

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"footway/core/fault"
)

// FuzzDirect sends what no partner would, and wants a sensible answer: JSON, with
// Uber's envelope where it is an error, and never one that blames us.
func FuzzDirect(f *testing.F) {
	for _, op := range operations() {
		f.Add(op.method, strings.ReplaceAll(op.path, "{}", "del_x"), []byte(orderWith("")))
	}
	f.Add("POST", "delivery_quotes", []byte(plainWay))
	f.Add("POST", "deliveries", []byte(orderWith(`, "idempotency_key": "k", "quote_id": "dqt_q1", "manifest_total_value": 12, "tip": 3, "pickup_latitude": 47.6, "pickup_longitude": -122.3,
		"pickup_ready_dt": "2026-03-02T12:30:00Z", "pickup_deadline_dt": "2026-03-02T13:00:00Z", "dropoff_ready_dt": "2026-03-02T13:00:00Z", "dropoff_deadline_dt": "2026-03-02T14:00:00Z",
		"dropoff_verification": {"pincode": {"enabled": true}, "barcodes": []}, "undeliverable_action": "discard"`)))
	f.Add("POST", "deliveries", []byte(strings.Replace(orderWith(""), `{"name": "Soup", "quantity": 2}`, `{"name": "a", "weight": 5, "dimensions": {"length": 1, "height": 2, "depth": 3}, "must_be_upright": true}`, 1)))
	f.Add("POST", "deliveries", []byte(strings.Replace(orderWith(""), "1 Quay, Port Ellery", `{\"street_address\":[\"1 Quay\"],\"city\":\"x\"}`, 1)))
	f.Add("GET", "deliveries?filter=ongoing&limit=1&offset=1", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		c := newTown(t)
		made := c.send(t, "POST", "deliveries", orderWith(`, "external_id": "x"`))
		if made.Status != http.StatusOK || c.send(t, "POST", "delivery_quotes", plainWay).Status != http.StatusOK {
			t.Fatal("the town does not work")
		}
		r := c.send(t, method, strings.Replace(path, "del_x", field(t, made, "id"), 1), string(body))
		if !json.Valid(r.Body) {
			t.Fatalf("the body is not JSON: %q", r.Body)
		}
		if r.Status == http.StatusOK {
			return
		}
		if !slices.Contains([]int{400, 404, 405, 409}, r.Status) {
			t.Fatalf("status %d, error %v (%v)", r.Status, r.Err, fault.ReasonOf(r.Err))
		}
		var p struct{ Code, Message, Kind string }
		if err := json.Unmarshal(r.Body, &p); err != nil || p.Code == "" || p.Message == "" || p.Kind != "error" {
			t.Fatalf("%d without Uber's envelope, error %v: %s", r.Status, err, r.Body)
		}
	})
}

// FuzzAddress reads addresses of both forms: what passes can be looked for.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"1 Quay", `{"street_address":["1 Quay","2"],"city":"a","state":"b","zip_code":"c"}`, "{", `{"street_address":[null]}`, "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		wrong := faults{}
		got := wrong.address("pickup_address", text)
		if wrong.err() == nil && (len(got) > 300 || strings.TrimSpace(got) != got || strings.Contains(got, "\x00")) {
			t.Fatalf("%q is read as %q", text, got)
		}
	})
}
