package integration_test

import (
	"testing"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// TestDialects sees in whose words whom is told.
func TestDialects(t *testing.T) {
	for name, want := range map[string]integration.Dialect{"": integration.Drive, "drive": integration.Drive, "uber": integration.Uber} {
		if got, err := integration.ParseDialect(name); got != want || err != nil {
			t.Errorf("ParseDialect(%q) = %q, %v", name, got, err)
		}
	}
	if _, err := integration.ParseDialect("Uber"); !fault.Is(err, fault.Invalid) {
		t.Errorf("ParseDialect(Uber): %v, want invalid", err)
	}
	r := newRegistry(fake.NewClock(fake.Start))
	p := integration.Partner{ID: "p", Name: "P", Environment: integration.Live, Dialect: integration.Uber, Markets: []market.ID{"m"}}
	if _, err := r.AddPartner(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.Dialect = integration.Drive
	if _, err := r.AddPartner(t.Context(), p); !fault.Is(err, fault.Conflict) {
		t.Errorf("the same partner in another dialect: %v, want a conflict", err)
	}
	p.ID, p.Dialect = "q", "klingon"
	if _, err := r.AddPartner(t.Context(), p); !fault.Is(err, fault.Invalid) {
		t.Errorf("a dialect that there is not: %v, want invalid", err)
	}
	for business, want := range map[string]integration.Dialect{"": integration.Uber, "cafe": integration.Drive} {
		e, _, err := r.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", Business: business, URL: "https://a.example/" + business})
		if err != nil || e.Dialect != want {
			t.Errorf("an endpoint of %q speaks %q, %v; want %q", business, e.Dialect, err, want)
		}
	}
	for business, event := range map[string]string{"": "DASHER_PICKED_UP", "cafe": "event.delivery_status"} {
		if _, _, err := r.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", Business: business, URL: "https://b.example/", Events: []string{event}}); !fault.Is(err, fault.Invalid) {
			t.Errorf("an endpoint of %q that wants %s: %v, want invalid", business, event, err)
		}
	}
	e := integration.Endpoint{Partner: "p"}
	if e.Wants(&delivery.Update{Partner: "p"}, "") || !e.Wants(&delivery.Update{Partner: "p"}, "X") {
		t.Error("what has no name in a dialect is told all the same, or what has one is not")
	}
}
