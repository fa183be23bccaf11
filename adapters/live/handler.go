//go:build !js

package live

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"footway/core/fault"
	"footway/core/runlog"
)

// Feed is what one viewer gets of a log while it grows.
type Feed interface {
	// Next waits for the next piece, as runlog.Stream takes it; lost is how many events are missing before
	// it. It returns io.EOF when there is no more to come. A call that ended with ctx took nothing.
	Next(ctx context.Context) (piece []byte, lost uint64, err error)
	Close()
}

// Deps are what a handler works with; all are required.
type Deps struct {
	// Subscribe returns a feed behind event number after, whose hash is chain; 0 is from now.
	Subscribe func(after uint64, chain runlog.Hash) Feed
	// Auth returns who makes a request, or fails with fault.Forbidden.
	Auth func(*http.Request) (caller string, err error)
	Log  *slog.Logger
}

// Options are what a handler can do without.
type Options struct {
	Origins   []string      // beside the server's own: hosts such as view.example.com, of pages that may open a WebSocket
	Viewers   int           // at once; 0: 64
	PerCaller int           // of them of one caller; 0: 8
	Beat      time.Duration // how long a viewer hears nothing; 0: 10 s
	Write     time.Duration // how long a viewer may take for one piece; 0: 30 s
	Ticket    time.Duration // how long a ticket is good; 0: 30 s
}

func (o Options) orDefaults() Options {
	o.Viewers, o.PerCaller = cmp.Or(o.Viewers, 64), cmp.Or(o.PerCaller, 8)
	o.Beat, o.Write, o.Ticket = cmp.Or(o.Beat, 10*time.Second), cmp.Or(o.Write, 30*time.Second), cmp.Or(o.Ticket, 30*time.Second)
	return o
}

// Handler serves viewers. It is for a server of any timeouts: they end with the handshake.
type Handler struct {
	d       Deps
	o       Options
	mux     *http.ServeMux
	tickets tickets

	mu       sync.Mutex
	viewers  map[string]int // of each caller
	total    int
	draining bool
	stop     chan struct{}
	left     chan struct{} // closed when nobody is left after Drain
}

// New returns a handler of /v1/live and /v1/live/tickets.
func New(d Deps, o Options) *Handler {
	if d.Subscribe == nil || d.Auth == nil || d.Log == nil {
		panic("live: New: a field of Deps is nil; want all of them set")
	}
	h := &Handler{d: d, o: o.orDefaults(), mux: http.NewServeMux(), viewers: map[string]int{}, stop: make(chan struct{}), left: make(chan struct{})}
	h.tickets.life = h.o.Ticket
	h.mux.HandleFunc("GET "+path, h.watch)
	h.mux.HandleFunc("POST "+ticketPath, h.ticket)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// Viewers returns how many are watching.
func (h *Handler) Viewers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.total
}

// Drain tells all viewers to come back, to another process or later, and waits until they are
// gone. http.Server.Shutdown does not know of them. It may be repeated.
func (h *Handler) Drain(ctx context.Context) error {
	h.mu.Lock()
	if !h.draining {
		h.draining = true
		close(h.stop)
		if h.total == 0 {
			close(h.left)
		}
	}
	h.mu.Unlock()
	select {
	case <-h.left:
		return nil
	case <-ctx.Done():
		return fault.New("live.Drain", fault.Unavailable, "viewers", "%d viewers are not gone yet: %w", h.Viewers(), ctx.Err())
	}
}

// enter takes a place.
func (h *Handler) enter(caller string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.draining:
		return fault.New("live", fault.Unavailable, "draining", "this server stops; try again")
	case h.viewers[caller] >= h.o.PerCaller:
		return fault.New("live", fault.Exhausted, "too_many_viewers", "the caller watches %d times already, which is all it may", h.o.PerCaller)
	case h.total >= h.o.Viewers:
		return fault.New("live", fault.Unavailable, "busy", "%d are watching already; try again later", h.total)
	}
	h.viewers[caller]++
	h.total++
	return nil
}

func (h *Handler) leave(caller string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.viewers[caller]--; h.viewers[caller] == 0 {
		delete(h.viewers, caller)
	}
	if h.total--; h.total == 0 && h.draining {
		close(h.left)
	}
}

// ticket gives the caller a ticket.
func (h *Handler) ticket(w http.ResponseWriter, r *http.Request) {
	caller, err := h.d.Auth(r)
	if err != nil {
		refuse(w, err)
		return
	}
	text, err := h.tickets.issue(caller)
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if err := json.NewEncoder(w).Encode(ticketAnswer{text, int(h.o.Ticket.Seconds())}); err != nil {
		h.d.Log.Debug("a ticket did not arrive", "error", err)
	}
}

// who returns who opens a WebSocket: whom the ticket names, if it shows one.
func (h *Handler) who(r *http.Request) (string, error) {
	for _, header := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(header, ",") {
			if text, ok := strings.CutPrefix(strings.TrimSpace(name), ticketPrefix); ok {
				return h.tickets.redeem(text)
			}
		}
	}
	return h.d.Auth(r)
}

// from reads where a viewer goes on.
func from(r *http.Request) (after uint64, chain runlog.Hash, err error) {
	q := r.URL.Query()
	text := q.Get("after")
	if text == "" {
		return 0, chain, nil
	}
	after, err = strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, chain, fault.New("live", fault.Invalid, "bad_query", "after %.40q: want the number of the last event that you have", text)
	}
	if err := chain.UnmarshalText([]byte(q.Get("chain"))); err != nil {
		return 0, chain, fault.New("live", fault.Invalid, "bad_query", "chain: %w", err)
	}
	return after, chain, nil
}

// watch serves one viewer.
func (h *Handler) watch(w http.ResponseWriter, r *http.Request) {
	caller, err := h.who(r)
	if err != nil {
		refuse(w, err)
		return
	}
	after, chain, err := from(r)
	if err == nil {
		err = h.enter(caller)
	}
	if err != nil {
		refuse(w, err)
		return
	}
	defer h.leave(caller)
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol}, OriginPatterns: h.o.Origins})
	if err != nil {
		h.d.Log.Info("no WebSocket for a viewer", "caller", caller, "error", err)
		return // Accept has told the caller
	}
	began := time.Now()
	h.d.Log.Info("a viewer comes", "caller", caller, "after", after)
	v := &viewer{h: h, conn: conn, feed: h.d.Subscribe(after, chain)}
	defer v.feed.Close()
	code, reason, err := v.serve(context.WithoutCancel(r.Context()))
	if errors.Is(err, errSlow) || code == websocket.StatusNormalClosure {
		_ = conn.CloseNow() // nobody hears what we say
	} else if closing := conn.Close(code, reason); err == nil {
		err = closing
	}
	h.d.Log.Info("a viewer leaves", "caller", caller, "seconds", int(time.Since(began).Seconds()), "bytes", v.bytes, "lost", v.lost, "why", reason, "error", err)
}

// viewer is one WebSocket.
type viewer struct {
	h           *Handler
	conn        *websocket.Conn
	feed        Feed
	bytes, lost uint64
}

// serve passes on the feed until one side has enough, and returns with what to end.
// Reading and writing does not end with the feed: the library would drop the connection
// without a word.
func (v *viewer) serve(wire context.Context) (code websocket.StatusCode, reason string, err error) {
	ctx, cancel := context.WithCancelCause(wire)
	defer cancel(nil)
	go func() {
		select {
		case <-v.h.stop:
			cancel(errStop)
		case <-ctx.Done():
		}
	}()
	go func() { // also for pongs
		if _, _, err := v.conn.Reader(wire); err == nil {
			cancel(errTalks)
			return
		}
		cancel(errGone)
		_ = v.conn.CloseNow() // so that nothing waits for it any more
	}()
	if v.conn.Subprotocol() != protocol {
		return websocket.StatusPolicyViolation, "want the subprotocol " + protocol, nil
	}
	for err == nil {
		err = v.pass(ctx, wire)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	switch {
	case errors.Is(err, io.EOF):
		return websocket.StatusGoingAway, "the journal ends", nil
	case errors.Is(err, errStop):
		return websocket.StatusGoingAway, "the server stops; come back", nil
	case errors.Is(err, errTalks):
		return websocket.StatusPolicyViolation, "viewers send nothing", nil
	case errors.Is(err, errGone):
		return websocket.StatusNormalClosure, "the viewer has gone", nil
	case errors.Is(err, errSlow):
		return websocket.StatusPolicyViolation, "the viewer takes too long", err
	}
	return websocket.StatusInternalError, "something is wrong on our side", err
}

// Why a viewer is not served any more.
var (
	errStop  = errors.New("the server stops")
	errTalks = errors.New("the viewer sent something")
	errGone  = errors.New("the viewer has gone")
	errSlow  = errors.New("the viewer does not take what is sent")
)

// pass sends the next piece, or a beat when there is none for a while.
func (v *viewer) pass(ctx, wire context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, v.h.o.Beat)
	piece, lost, err := v.feed.Next(waiting)
	cancel()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return v.beat(wire)
	}
	if err != nil {
		return err
	}
	if lost > 0 {
		v.lost += lost
		if err := v.note(wire, note{Lost: lost}); err != nil {
			return err
		}
	}
	return v.send(wire, websocket.MessageBinary, piece)
}

// beat finds out whether the viewer is there, and lets it find out that we are.
func (v *viewer) beat(ctx context.Context) error {
	if err := v.note(ctx, note{Beat: time.Now().UnixMilli()}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, v.h.o.Write)
	defer cancel()
	if err := v.conn.Ping(ctx); err != nil {
		return errors.Join(errSlow, err)
	}
	return nil
}

func (v *viewer) note(ctx context.Context, n note) error {
	b, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return v.send(ctx, websocket.MessageText, b)
}

func (v *viewer) send(ctx context.Context, kind websocket.MessageType, b []byte) error {
	ctx, cancel := context.WithTimeout(ctx, v.h.o.Write)
	defer cancel()
	if err := v.conn.Write(ctx, kind, b); err != nil {
		return errors.Join(errSlow, err)
	}
	v.bytes += uint64(len(b))
	return nil
}

// refuse answers with an error, as RFC 9457 has it.
func refuse(w http.ResponseWriter, err error) {
	status, detail := http.StatusInternalServerError, "something is wrong on our side"
	switch fault.KindOf(err) {
	case fault.Forbidden:
		status, detail = http.StatusUnauthorized, "want a bearer token or a ticket that is good"
		w.Header().Set("WWW-Authenticate", `Bearer realm="footway"`)
	case fault.Invalid:
		status, detail = http.StatusBadRequest, err.Error()
	case fault.Exhausted:
		status, detail = http.StatusTooManyRequests, err.Error()
		w.Header().Set("Retry-After", "10")
	case fault.Unavailable:
		status, detail = http.StatusServiceUnavailable, "try again later"
		w.Header().Set("Retry-After", "2")
	case fault.Internal, fault.NotFound, fault.Conflict:
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail, "reason": fault.ReasonOf(err)}) // the caller may be gone
}
