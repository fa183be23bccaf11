package observe

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	checkEvery  = 5 * time.Second // how old an answer of /readyz may be
	checkWithin = 4 * time.Second
)

// Health says whether a process wants requests.
type Health struct {
	mu     sync.Mutex
	checks []check
	ready  bool // started, and not asked to end
	asking sync.Mutex
	at     time.Time
	wrong  map[string]string
}

type check struct {
	name string
	ask  func(context.Context) error
}

func newHealth() *Health { return &Health{} }

// Register adds something without which the process wants no requests. It is asked every few seconds
// at most, however often somebody wants to know.
func (h *Health) Register(name string, ask func(context.Context) error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks = append(h.checks, check{name, ask})
}

// SetReady says whether the process has started and was not asked to end.
func (h *Health) SetReady(ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready = ready
}

// livez answers that the process runs: nothing that it depends on makes it dead, since
// a restart would not mend that.
func (h *Health) livez(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, "alive", nil)
}

func (h *Health) readyz(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	ready := h.ready
	h.mu.Unlock()
	if !ready {
		answer(w, http.StatusServiceUnavailable, "not ready", map[string]string{"process": "it is starting or ending"})
		return
	}
	if wrong := h.look(r.Context()); len(wrong) > 0 {
		answer(w, http.StatusServiceUnavailable, "not ready", wrong)
		return
	}
	answer(w, http.StatusOK, "ready", nil)
}

// look returns what is wrong, as it was found a moment ago. One asks at a time.
func (h *Health) look(ctx context.Context) map[string]string {
	h.asking.Lock()
	defer h.asking.Unlock()
	if time.Since(h.at) < checkEvery {
		return h.wrong
	}
	h.mu.Lock()
	checks := slices.Clone(h.checks)
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkWithin)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	wrong := map[string]string{}
	for _, c := range checks {
		all.Go(func() {
			if err := c.ask(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				wrong[c.name] = strings.ToValidUTF8(err.Error(), "")
			}
		})
	}
	all.Wait()
	h.wrong, h.at = wrong, time.Now()
	return wrong
}

func answer(w http.ResponseWriter, code int, state string, wrong map[string]string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	body, err := json.Marshal(struct {
		Status string            `json:"status"`
		Wrong  map[string]string `json:"wrong,omitempty"`
	}{state, wrong})
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n')) // whoever asked has gone
}
