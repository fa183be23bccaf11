package recording

import (
	"strings"
	"testing"
)

// uberFull is a body of Uber Direct with everything that must not come through.
const uberFull = `{"pickup_name": "Van Gogh Coffeehouse", "pickup_address": "{\"street_address\":[\"99 Unknown Street\",\"Unit 4321\"],\"city\":\"Port Ellery\",\"state\":\"WA\",\"zip_code\":\"98115\"}",
 "pickup_phone_number": "+12068675309", "dropoff_name": "Quinnley Sønderborg", "dropoff_address": "{\"street_address\":[\"6551 Quay\",\"Apt 8642\"],\"city\":\"Port Ellery\"}", "dropoff_phone_number": "+12068675309",
 "dropoff_latitude": 47.683235, "dropoff_longitude": -122.298947, "dropoff_notes": "Gate code 4321", "dropoff_seller_notes": "for Quinnley", "manifest_items": [{"name": "Latte", "quantity": 1, "size": "small",
 "weight": 250, "dimensions": {"length": 20, "height": 7, "depth": 15}}], "manifest_reference": "REF-61", "external_id": "EI-1", "idempotency_key": "K-7", "quote_id": "dqt_1", "tip": 500,
 "pickup_ready_dt": "2026-06-12T14:00:00Z", "undeliverable_action": "discard", "external_user_info": {"merchant_account": {"email": "quinnley@mail.example"}, "device": {"id": "s3cr3t"}}}`

// TestScrubUber sees that people in the words of Uber Direct do not come through, and what machines read does.
func TestScrubUber(t *testing.T) {
	for _, o := range []ScrubOptions{{}, {Addresses: pier()}} {
		got := scrub(t, 7, o, uberFull)[0]
		for _, secret := range append(secrets(), "Sønderborg", "Apt", "Unit") {
			if strings.Contains(got, secret) {
				t.Errorf("%q came through: %s", secret, got)
			}
		}
		for _, kept := range []string{`"Latte"`, `"small"`, `250`, `"length":20`, `"depth":15`, `"REF-61"`, `"EI-1"`, `"K-7"`, `"dqt_1"`, `"tip":500`, `"2026-06-12T14:00:00Z"`, `"discard"`, `, Port Ellery"`} {
			if !strings.Contains(got, kept) {
				t.Errorf("%q was lost: %s", kept, got)
			}
		}
	}
	broken := scrub(t, 7, ScrubOptions{}, `{"dropoff_address": "{\"street_address\":[\"6551 Quay\",\"Apt 8642\"", "pickup_address": "{\"street\": \"6551 Quay, Apt 8642\"}"}`)[0]
	if strings.Contains(broken, "Quay") || strings.Contains(broken, "8642") {
		t.Errorf("a broken address came through: %s", broken)
	}
	if got := operation("POST", "/v1/customers/acme/deliveries/del_1/cancel"); got != "POST /v1/customers/{}/deliveries/{}/cancel" {
		t.Errorf("the operation is %s", got)
	}
}
