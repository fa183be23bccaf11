package partner

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"footway/core/fault"
)

// FuzzDrive sends what no partner would, and wants a sensible answer: JSON, with
// Drive's envelope where it is an error, and never one that blames us.
func FuzzDrive(f *testing.F) {
	for _, op := range operations() {
		f.Add(op.method, op.path, []byte(plainOrder))
	}
	f.Add("POST", "/drive/v2/quotes", []byte(`{"external_delivery_id": "D-1", "pickup_external_business_id": "cafe", "pickup_external_store_id": "quay",
		"dropoff_address_components": {"street": "14 Quay"}, "dropoff_phone_number": "+12065550123", "dropoff_location": {"lat": 47.683235, "lng": -122.29},
		"items": [{"name": "a", "quantity": 2, "weight": 1.25, "volume": 0.5, "length": 3, "width": 2.5, "height": 1e1, "dangerous_goods": []}],
		"dropoff_options": {"proof_of_delivery": "pin_code"}, "dropoff_pin_code_verification_metadata": {"pin_code_type": "merchant_provided_number", "pin_code_value": "1234"},
		"pickup_window": {"start_time": "2026-03-02T14:00:00Z", "end_time": "2026-03-02T15:00:00Z"}, "dropoff_window": {"start_time": "2026-03-02T14:00:00Z", "end_time": "2026-03-02T15:00:00Z"}}`))
	f.Add("PATCH", "/drive/v2/deliveries/D-1", []byte(`{"tip": 5e2, "dropoff_address": "12 Quay", "order_ready_time": "2026-03-02T12:00:00+01:00"}`))
	f.Add("PUT", "/drive/v2/deliveries/D-1/cancel", []byte(`{"reason_code": "cold_chain"}`))
	f.Add("GET", "/developer/v1/businesses?continuationToken=after.abc", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path string, body []byte) {
		c := newTown()
		c.send(t, "POST", "/developer/v1/businesses", `{"external_business_id": "cafe", "name": "Café"}`)
		c.send(t, "POST", "/developer/v1/businesses/cafe/stores", `{"external_store_id": "quay", "name": "Quay", "address": "1 Quay"}`)
		if c.send(t, "POST", "/drive/v2/quotes", plainOrder).Status != http.StatusOK {
			t.Fatal("the town does not work")
		}
		r := c.Handle(t.Context(), Request{Partner: "p", Method: method, Path: path, Body: body})
		if !json.Valid(r.Body) {
			t.Fatalf("the body is not JSON: %q", r.Body)
		}
		if r.Status == http.StatusOK {
			return
		}
		if !slices.Contains([]int{400, 404, 405, 409, 422}, r.Status) {
			t.Fatalf("status %d, error %v (%v)", r.Status, r.Err, fault.ReasonOf(r.Err))
		}
		var p problem
		if err := json.Unmarshal(r.Body, &p); err != nil || p.Code == "" || p.Message == "" {
			t.Fatalf("%d without Drive's envelope, error %v: %s", r.Status, err, r.Body)
		}
	})
}
