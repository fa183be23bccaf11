package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/market"
)

// TestUberDialect has a partner told in Uber's words: only of what Uber tells,
// signed as its receivers check it, by the newest secret.
func TestUberDialect(t *testing.T) {
	type heard struct {
		Kind, Status, Signature, Ours string
		Sequence                      uint64 `json:"footway_sequence"`
		body                          []byte
	}
	told := make(chan heard, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		h := heard{Signature: r.Header.Get("X-Uber-Signature"), Ours: r.Header.Get("Webhook-Signature")}
		h.body, _ = io.ReadAll(r.Body)
		if err := json.Unmarshal(h.body, &h); err != nil {
			t.Errorf("%v: %s", err, h.body)
		}
		told <- h
	}))
	defer s.Close()
	o := newOffice(t, nil)
	ctx := t.Context()
	if _, err := o.registry.AddPartner(ctx, integration.Partner{ID: "p", Name: "P", Environment: integration.Live, Dialect: integration.Uber, Markets: []market.ID{"m"}}); err != nil {
		t.Fatal(err)
	}
	e, secret, err := o.registry.AddEndpoint(ctx, integration.NewEndpoint{Partner: "p", URL: s.URL, Events: []string{"event.delivery_status"}})
	if err != nil {
		t.Fatal(err)
	}
	next := func(kind, status string, sequence uint64) {
		t.Helper()
		select {
		case h := <-told:
			mac := hmac.New(sha256.New, []byte(secret.WebhookText()))
			mac.Write(h.body)
			if want := hex.EncodeToString(mac.Sum(nil)); h.Kind != kind || h.Status != status || h.Sequence != sequence || h.Signature != want || h.Ours == "" {
				t.Errorf("heard %+v %s; want %s %s %d, signed %s", h, h.body, kind, status, sequence, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing was heard; want %s %s", kind, status)
		}
	}
	stop := run(o.sender(SenderOptions{}))
	defer func() { stop() }()
	at := realClock{}.Now()
	step := func(sequence uint64, kind delivery.UpdateKind, from, to delivery.State) {
		t.Helper()
		if err := o.log.Take(ctx, delivery.Update{Delivery: "d", Sequence: sequence, Kind: kind, At: at, Market: "m", Partner: "p", ExternalID: "del_1", From: from, To: to}); err != nil {
			t.Fatal(err)
		}
	}
	step(1, delivery.StateChanged, "", delivery.Quoted)
	step(2, delivery.StateChanged, delivery.Quoted, delivery.Requested)
	next("event.delivery_status", "pending", 2)
	step(3, delivery.Expectation, delivery.Requested, delivery.Requested) // the endpoint does not want it
	step(4, delivery.Edited, delivery.Requested, delivery.Requested)
	step(5, delivery.StateChanged, delivery.Requested, delivery.Assigned)
	next("event.delivery_status", "pickup", 5)
	stop()
	if e, secret, err = o.registry.RotateSigning(ctx, e.Owner(), e.ID, clock.Hour); err != nil {
		t.Fatal(err)
	}
	stop = run(o.sender(SenderOptions{}))
	step(6, delivery.StateChanged, delivery.Assigned, delivery.Cancelled)
	next("event.delivery_status", "canceled", 6)
	notices, _, err := o.post.History(ctx, e.Owner(), e.ID, integration.HistoryQuery{Limit: 10})
	if err != nil || len(notices) != 3 || notices[0].Name != "event.delivery_status" {
		t.Errorf("the history is %+v, %v; want the three, in Uber's words", notices, err)
	}
}
