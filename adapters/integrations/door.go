package integrations

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
)

// Request is what a partner asks for, once it is known who it is.
type Request struct {
	Partner delivery.PartnerID
	Market  market.ID // where: the partner's first, or the one it named
	Method  string
	Path    string // with the query, as on the request line
	Body    []byte
	At      clock.Time
}

// Deps are what a door works with. Those that say so may be left out.
type Deps struct {
	Keys Keys
	// Drive answers whatever is below /drive/ and /developer/.
	Drive func(ctx context.Context, r Request) Answer
	// Uber answers whatever is below /v1/customers/; nil: nothing is there.
	Uber func(ctx context.Context, r Request) Answer
	// Events are the partners' logs, and Encode writes an entry as a webhook has it.
	Events integration.Log
	Encode func(integration.Entry) ([]byte, error)
	// Replay tells an endpoint of a partner again what is behind a position.
	Replay func(ctx context.Context, p delivery.PartnerID, endpoint string, after uint64) error
	// Tokens sign access tokens of OAuth; nil: there are none.
	Tokens TokenKeys
	// Record gets each request for Drive or Uber of a partner that is known; nil: nobody does.
	Record *Recorder
	Clock  clock.Clock
	Log    *slog.Logger
	// Route is told which operation a request was, "" for none, for metrics; nil: nobody is.
	Route func(ctx context.Context, operation string)
}

// Options bound what a door takes on. The zero value is DefaultOptions.
type Options struct {
	PerMinute int // requests of one key in any minute, once its burst is used up
	Burst     int // of requests of one key
	Buckets   int // keys whose rate is remembered
	InFlight  int // requests under way
	Polls     int // requests that wait for events
	Body      int64
	BodyTime  time.Duration // for a body to arrive
	Deadline  time.Duration // for an answer
	LongPoll  time.Duration // the longest wait for events
	PollEvery time.Duration // how often a waiting request looks for events
	CacheFor  time.Duration // how long it may take until a revoked key is refused
}

// DefaultOptions are Drive's limits, and sizes for one process.
func DefaultOptions() Options {
	return Options{PerMinute: 300, Burst: 60, Buckets: 10_000, InFlight: 256, Polls: 1024, Body: 256 << 10, BodyTime: 10 * time.Second,
		Deadline: 15 * time.Second, LongPoll: 30 * time.Second, PollEvery: 500 * time.Millisecond, CacheFor: 5 * time.Second}
}

func (o Options) orDefaults() Options {
	d := DefaultOptions()
	for _, f := range [...]struct{ v, otherwise *int }{
		{&o.PerMinute, &d.PerMinute}, {&o.Burst, &d.Burst}, {&o.Buckets, &d.Buckets}, {&o.InFlight, &d.InFlight}, {&o.Polls, &d.Polls},
	} {
		if *f.v == 0 {
			*f.v = *f.otherwise
		}
	}
	if o.Body == 0 {
		o.Body = d.Body
	}
	for _, f := range [...]struct{ v, otherwise *time.Duration }{
		{&o.BodyTime, &d.BodyTime}, {&o.Deadline, &d.Deadline}, {&o.LongPoll, &d.LongPoll}, {&o.PollEvery, &d.PollEvery}, {&o.CacheFor, &d.CacheFor},
	} {
		if *f.v == 0 {
			*f.v = *f.otherwise
		}
	}
	return o
}

// Door is an http.Handler for partners.
type Door struct {
	Deps
	o       Options
	guard   guard
	rates   *rates
	quick   chan struct{}
	polls   chan struct{}
	closing chan struct{}
	close   sync.Once
}

// New returns a door.
func New(d Deps, o Options) *Door {
	o = o.orDefaults()
	return &Door{Deps: d, o: o, guard: guard{newCache(d.Keys, d.Clock, o.CacheFor, o.Buckets), d.Clock, d.Tokens},
		rates: newRates(o), quick: make(chan struct{}, o.InFlight), polls: make(chan struct{}, o.Polls), closing: make(chan struct{})}
}

// Drain ends requests that only wait for events, so that a server can shut down.
func (d *Door) Drain() { d.close.Do(func() { close(d.closing) }) }

// NewServer returns a server with the door in it, and with the time limits that it counts on.
func NewServer(d *Door, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: d, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: d.o.Deadline + d.o.LongPoll + 15*time.Second,
		IdleTimeout: 75 * time.Second, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// ServeHTTP implements http.Handler.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	if len(r.TransferEncoding) > 0 {
		// It may have had a length too, which net/http does not tell: nothing behind it is to be
		// taken for a request (RFC 9112, 6.1).
		w.Header().Set("Connection", "close")
	}
	v := &visit{d: d, w: w, r: r, id: requestID(r)}
	a := v.safely()
	v.write(a)
	level := slog.LevelInfo
	if d.Route != nil {
		d.Route(r.Context(), a.Operation)
	}
	attrs := []any{"request", v.id, "partner", v.who.Partner.ID, "operation", a.Operation, "status", a.Status, "ms", time.Since(began).Milliseconds()}
	if a.Err != nil {
		level, attrs = slog.LevelError, append(attrs, "error", a.Err)
	}
	d.Log.Log(r.Context(), level, "partner request", attrs...)
}

// visit is one request on its way to an answer.
type visit struct {
	d   *Door
	w   http.ResponseWriter
	r   *http.Request
	id  string
	who integration.Credential
}

// safely answers a request, whatever happens meanwhile.
func (v *visit) safely() (a Answer) {
	defer func() {
		if p := recover(); p != nil {
			a = broken(fmt.Errorf("panic: %v\n%s", p, debug.Stack())).in(tongueOf(v.r)).answer("")
		}
	}()
	a, err := v.answer()
	if err == nil {
		return a
	}
	return problemOf(err).in(tongueOf(v.r)).answer(a.Operation)
}

// answer finds out what is asked for, and by whom.
func (v *visit) answer() (Answer, error) {
	if err := checkTarget(v.r); err != nil {
		return Answer{}, err
	}
	s, err := serviceOf(v.d, v.r)
	if err != nil {
		return Answer{}, err
	}
	leave, err := enter(v.places(s))
	if err != nil {
		return Answer{Operation: s.name}, err
	}
	defer leave()
	limit := v.d.o.Deadline
	if s.waits {
		limit += v.d.o.LongPoll
	}
	ctx, cancel := context.WithTimeout(v.r.Context(), limit)
	defer cancel()
	if !s.open {
		if v.who, err = v.d.guard.who(ctx, v.r); err != nil {
			return Answer{Operation: s.name}, err
		}
		if err := v.d.rates.take(v.who.Key.ID); err != nil {
			return Answer{Operation: s.name}, err
		}
	}
	body, err := v.body(s)
	if err != nil {
		return Answer{Operation: s.name}, err
	}
	a, err := s.handle(v, ctx, body)
	if a.Operation == "" {
		a.Operation = s.name
	}
	return a, err
}

func (v *visit) places(s service) chan struct{} {
	if s.waits {
		return v.d.polls
	}
	return v.d.quick
}

// enter takes a place, and never waits for one: who comes back in a second
// finds the door less crowded than who stands in it.
func enter(places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, busy(nil)
	}
}

// drive passes a request on to who speaks Drive.
func (v *visit) drive(ctx context.Context, body []byte) (Answer, error) {
	return v.passOn(ctx, v.d.Drive, body)
}

// uber passes a request on to who speaks Uber Direct.
func (v *visit) uber(ctx context.Context, body []byte) (Answer, error) {
	return v.passOn(ctx, v.d.Uber, body)
}

func (v *visit) passOn(ctx context.Context, to func(context.Context, Request) Answer, body []byte) (Answer, error) {
	v.record(body)
	at, err := v.market()
	if err != nil {
		return Answer{}, err
	}
	a := to(ctx, Request{Partner: v.who.Partner.ID, Market: at, Method: v.r.Method, Path: v.r.URL.RequestURI(), Body: body, At: v.d.Clock.Now()})
	if (a.Status == http.StatusServiceUnavailable || a.Status == http.StatusTooManyRequests) && a.Header.Get("Retry-After") == "" {
		if a.Header == nil {
			a.Header = http.Header{}
		}
		a.Header.Set("Retry-After", "1")
	}
	return a, nil
}

// headerMarket is where a partner of several markets says which one it means.
const headerMarket = "Footway-Market"

func (v *visit) market() (market.ID, error) {
	mine, named := v.who.Partner.Markets, v.r.Header.Values(headerMarket)
	switch {
	case len(mine) == 0:
		return "", broken(fmt.Errorf("partner %s has no market", v.who.Partner.ID))
	case len(named) == 0:
		return mine[0], nil
	case len(named) == 1 && slices.Contains(mine, market.ID(named[0])):
		return market.ID(named[0]), nil
	}
	return "", &problem{status: http.StatusForbidden, Code: codeAuthorization, Message: headerMarket + ": want one of the partner's markets"}
}

// write sends an answer.
func (v *visit) write(a Answer) {
	h := v.w.Header()
	for name, values := range a.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	h.Set("X-Request-Id", v.id)
	h.Set("X-Content-Type-Options", "nosniff")
	v.w.WriteHeader(a.Status)
	v.w.Write(a.Body) //nolint:errcheck // the partner is gone, which the log does not know either
}

// problemOf translates an error of the core into Drive's words.
func problemOf(err error) *problem {
	if p, ok := err.(*problem); ok { //nolint:errorlint // our own are never wrapped
		return p
	}
	p := &problem{Message: err.Error(), Reason: fault.ReasonOf(err)}
	switch fault.KindOf(err) {
	case fault.Invalid:
		p.status, p.Code = http.StatusBadRequest, codeValidation
	case fault.NotFound:
		p.status, p.Code = http.StatusNotFound, fault.ReasonOf(err)
		if p.Code == "" {
			p.Code = "unknown_id"
		}
	case fault.Conflict:
		p.status, p.Code = http.StatusConflict, "update_not_allowed"
	case fault.Forbidden:
		p.status, p.Code = http.StatusForbidden, codeAuthorization
	case fault.Exhausted:
		p.status, p.Code, p.after = http.StatusTooManyRequests, codeThrottled, time.Second
	case fault.Unavailable:
		return busy(err)
	case fault.Internal:
		return broken(err)
	}
	return p
}
