package integrations

import (
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
)

// Recorded is a request of a partner as it is recorded.
type Recorded struct {
	At      clock.Time
	Partner delivery.PartnerID
	Method  string
	Path    string            // with the query
	Headers map[string]string // without those that prove who somebody is
	Body    []byte
}

// Recorder hands requests to whoever writes them down, and never holds one up
// for it: what there is no room for is dropped and counted.
type Recorder struct {
	queue   chan Recorded
	write   func(Recorded) error
	log     *slog.Logger
	dropped atomic.Uint64
	failed  atomic.Uint64
	mu      sync.RWMutex
	closed  bool
	done    chan struct{}
}

// NewRecorder returns a recorder that calls write, one request after another, and has
// room for so many that wait.
func NewRecorder(write func(Recorded) error, room int, log *slog.Logger) *Recorder {
	r := &Recorder{queue: make(chan Recorded, room), write: write, log: log, done: make(chan struct{})}
	go r.run()
	return r
}

func (r *Recorder) run() {
	defer close(r.done)
	var toldAt time.Time
	var told uint64
	for e := range r.queue {
		if err := r.write(e); err != nil {
			if r.failed.Add(1) == 1 {
				r.log.Error("a partner's request was not recorded; further ones are only counted", "error", err)
			}
		}
		if n := r.dropped.Load(); n > told && time.Since(toldAt) > 10*time.Second {
			r.log.Warn("requests of partners come faster than they are recorded", "dropped", n)
			told, toldAt = n, time.Now()
		}
	}
}

// Put takes a request, or drops it.
func (r *Recorder) Put(e Recorded) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		r.dropped.Add(1)
		return
	}
	select {
	case r.queue <- e:
	default:
		r.dropped.Add(1)
	}
}

// Lost returns how many requests were dropped, and how many could not be written.
func (r *Recorder) Lost() (dropped, failed uint64) { return r.dropped.Load(), r.failed.Load() }

// Close writes what is waiting, takes nothing more, and says in the log what was lost.
func (r *Recorder) Close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	<-r.done
	if dropped, failed := r.Lost(); dropped+failed > 0 {
		r.log.Warn("the recording is not whole", "dropped", dropped, "failed", failed)
	}
}

// record passes a request on to the recorder.
func (v *visit) record(body []byte) {
	if v.d.Record == nil {
		return
	}
	v.d.Record.Put(Recorded{At: v.d.Clock.Now(), Partner: v.who.Partner.ID, Method: v.r.Method, Path: v.r.URL.RequestURI(), Headers: scrubbed(v.r.Header), Body: body})
}

// scrubbed returns the headers that say what a request is like, not whose it is.
func scrubbed(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range [...]string{"Content-Type", "Accept", "User-Agent", headerMarket} {
		if values := h.Values(name); len(values) > 0 {
			kept[name] = strings.Join(values, ", ")
		}
	}
	return kept
}
