package system_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// event is what the tests look at in an event.
type event struct {
	Name      string `json:"event_name"`
	ID        string `json:"event_id"`
	External  string `json:"external_delivery_id"`
	Delivery  string `json:"support_reference"`
	Status    string `json:"delivery_status"`
	Before    string `json:"previous_delivery_status"`
	Sequence  uint64 `json:"sequence"`
	Position  uint64 `json:"position"`
	Robot     string `json:"robot_id"`
	CreatedAt string `json:"created_at"`
}

// receiver is a partner's endpoint: it checks signatures, keeps what it was told, and sometimes does not answer.
type receiver struct {
	server *httptest.Server
	seen   atomic.Pointer[standardwebhooks.Webhook]
	moody  bool // whether it answers 503 now and then

	mu      sync.Mutex
	rand    *rand.Rand
	told    map[string][]event // by delivery, each event once, as they first came
	bodies  map[string]string  // by event id
	repeats int
	wrong   []string
}

func newReceiver(t testing.TB, seed uint64, moody bool) *receiver {
	r := &receiver{moody: moody, rand: rand.New(rand.NewPCG(seed, 2)), told: map[string][]event{}, bodies: map[string]string{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

// trust sets the secret that webhooks are signed with.
func (r *receiver) trust(secret string) error {
	w, err := standardwebhooks.NewWebhook(secret)
	r.seen.Store(w)
	return err
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return // whoever sent it was killed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	mood := r.rand.IntN(25)
	if r.moody && mood == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if err := r.take(q.Header, body); err != nil {
		r.wrong = append(r.wrong, err.Error())
	}
	if r.moody && mood == 1 {
		panic(http.ErrAbortHandler) // taken, and not answered
	}
	w.WriteHeader(http.StatusNoContent)
}

// take keeps a webhook; mu is held.
func (r *receiver) take(h http.Header, body []byte) error {
	if err := r.seen.Load().Verify(body, h); err != nil {
		return fmt.Errorf("a webhook's signature: %w: %s", err, body)
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		return fmt.Errorf("a webhook's body: %w: %s", err, body)
	}
	if e.ID != h.Get("webhook-id") {
		return fmt.Errorf("webhook-id %s of event %s", h.Get("webhook-id"), e.ID)
	}
	if before, known := r.bodies[e.ID]; known {
		r.repeats++
		if before != string(body) {
			return fmt.Errorf("event %s comes again as\n%s\nand was\n%s", e.ID, body, before)
		}
		return nil
	}
	r.bodies[e.ID] = string(body)
	r.told[e.Delivery] = append(r.told[e.Delivery], e)
	return nil
}

// count returns how many different events came.
func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.bodies)
}
