package webhook

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/trace"
)

// SenderDeps are what a Sender works with. All but Encoders and Observe are required.
type SenderDeps struct {
	Post     *integration.Post
	Registry *integration.Registry
	Client   *Client
	// Encode writes an entry as a partner reads it, and EventID names it.
	Encode  func(integration.Entry) ([]byte, error)
	EventID func(*delivery.Update) string
	// Encoders are Encode in dialects other than Drive's; nil: there are none.
	Encoders map[integration.Dialect]func(integration.Entry) ([]byte, error)
	Clock    clock.Clock
	Log      *slog.Logger
	// Observe is told of each attempt, for metrics: how long it took, and how long ago it happened what it tells.
	Observe func(e integration.Endpoint, o integration.Outcome, took time.Duration, age clock.Duration)
}

// SenderOptions are how a sender goes about it; the zero value works.
type SenderOptions struct {
	Owner  string        // a name that no other process has, nor this one in another life; "": one by chance
	Rescan time.Duration // how often endpoints are looked for; 0: 5 s
	Poll   time.Duration // how often logs are looked at without news; 0: 2 s
	Most   int           // webhooks under way, to all endpoints; 0: 1024
}

// Sender has endpoints told, one after another each in its own time. Any number
// of them may run at once, here and elsewhere: each endpoint is one's at a time.
type Sender struct {
	SenderDeps
	o      SenderOptions
	places chan struct{}
	again  chan struct{} // look for endpoints that have changed

	mu    sync.Mutex
	lines map[string]*lineTask
}

// lineTask is the goroutine of one endpoint.
type lineTask struct {
	endpoint integration.Endpoint
	news     chan struct{}
	stop     context.CancelFunc
	stat     atomic.Pointer[Stat]
	renewed  bool // it ends to begin anew; guarded by the sender's mu
}

// Stat is how it stands with an endpoint that this sender has its turn at, for metrics.
type Stat struct {
	Endpoint string
	Partner  delivery.PartnerID
	Waiting  int        // webhooks that were read and are not told yet
	Oldest   clock.Time // when the first of them was read; 0 if none waits
	Open     bool       // the breaker: the endpoint does not answer
}

// Stats returns how it stands, by endpoint.
func (s *Sender) Stats() []Stat {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Stat
	for _, l := range s.lines {
		if st := l.stat.Load(); st != nil {
			all = append(all, *st)
		}
	}
	slices.SortFunc(all, func(a, b Stat) int { return cmp.Compare(a.Endpoint, b.Endpoint) })
	return all
}

// NewSender returns a sender; Run makes it send.
func NewSender(d SenderDeps, o SenderOptions) *Sender {
	if o.Owner == "" {
		o.Owner = chanceName()
	}
	if o.Rescan == 0 {
		o.Rescan = 5 * time.Second
	}
	if o.Poll == 0 {
		o.Poll = 2 * time.Second
	}
	if o.Most == 0 {
		o.Most = 1024
	}
	return &Sender{SenderDeps: d, o: o, places: make(chan struct{}, o.Most), again: make(chan struct{}, 1), lines: map[string]*lineTask{}}
}

// News says that a partner's log has grown: its endpoints are told at once.
func (s *Sender) News(p delivery.PartnerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		if l.endpoint.Partner == p {
			select {
			case l.news <- struct{}{}:
			default: // it is about to look
			}
		}
	}
}

// Changed says that an endpoint is new or was changed: endpoints are looked for at once.
func (s *Sender) Changed() {
	select {
	case s.again <- struct{}{}:
	default: // it is about to look
	}
}

// Run sends until ctx ends. Webhooks that are under way then come to their end first.
func (s *Sender) Run(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	again := time.NewTicker(s.o.Rescan)
	defer again.Stop()
	for {
		if err := s.scan(ctx, &running); err != nil && ctx.Err() == nil {
			s.Log.Warn("endpoints cannot be listed; those that are known go on", "error", err)
		}
		select {
		case <-again.C:
		case <-s.again:
		case <-ctx.Done():
			return
		}
	}
}

// scan starts lines of endpoints that are new, and ends those of endpoints that have changed.
func (s *Sender) scan(ctx context.Context, running *sync.WaitGroup) error {
	const page = 200
	there := map[string]bool{}
	for after := ""; ; {
		asking, cancel := context.WithTimeout(ctx, storeTime)
		all, err := s.Registry.Endpoints.Endpoints(asking, integration.Owner{}, after, page)
		cancel()
		if err != nil {
			return err
		}
		for _, e := range all {
			there[e.ID] = e.Status == integration.Active
			if there[e.ID] {
				s.start(ctx, e, running)
			}
			after = e.ID
		}
		if len(all) < page {
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, l := range s.lines {
		if !there[id] {
			l.stop()
		}
	}
	return nil
}

func (s *Sender) start(ctx context.Context, e integration.Endpoint, running *sync.WaitGroup) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[e.ID]; l != nil {
		if l.endpoint.Revision != e.Revision {
			l.renewed = true
			l.stop() // and the next scan, which comes as soon as it has ended, starts it anew
		}
		return
	}
	ctx, stop := context.WithCancel(ctx)
	l := &lineTask{endpoint: e, news: make(chan struct{}, 1), stop: stop}
	s.lines[e.ID] = l
	running.Go(func() {
		defer func() {
			stop()
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.lines, e.ID)
			if l.renewed {
				s.Changed()
			}
		}()
		s.line(ctx, l)
	})
}

// line sends to one endpoint until its turn ends.
func (s *Sender) line(ctx context.Context, l *lineTask) {
	w := &turn{s: s, l: l, results: make(chan result, 64)}
	err := w.run(ctx)
	switch {
	case err == nil, ctx.Err() != nil:
	case fault.ReasonOf(err) == integration.Claimed: // another replica's
	case fault.Is(err, fault.Conflict):
		s.Log.Info("an endpoint's line was changed by another; it is read again", "endpoint", l.endpoint.ID)
	default:
		s.Log.Warn("an endpoint's line cannot go on; it is tried again", "endpoint", l.endpoint.ID, "error", err)
	}
}

const (
	storeTime  = 5 * time.Second
	shortPause = 20 * time.Millisecond // until places are looked for again
)

// result is what came of an attempt.
type result struct {
	position uint64
	outcome  integration.Outcome
}

// turn is one round at one endpoint.
type turn struct {
	s       *Sender
	l       *lineTask
	round   *integration.Round
	results chan result
	flying  int
	short   bool // of places
	proofs  integration.Proofs
	fresh   time.Time // until when proofs are
}

func (w *turn) run(ctx context.Context) error {
	err := w.store(ctx, func(ctx context.Context) (err error) {
		w.round, err = w.s.Post.Open(ctx, w.l.endpoint, w.s.o.Owner)
		return err
	})
	if err != nil {
		return err
	}
	for err == nil && ctx.Err() == nil && w.round.Endpoint().Status == integration.Active {
		if err = w.send(ctx); err == nil {
			err = w.wait(ctx)
		}
	}
	// Nobody may send the next one of a delivery while one is still under way.
	for w.flying > 0 {
		r := <-w.results
		w.flying--
		if err == nil {
			err = w.settle(ctx, r)
		}
	}
	if err != nil {
		return err
	}
	return w.store(ctx, w.round.Close)
}

// store makes a call of the stores, with a deadline of its own. It comes to its
// end even if the turn ends meanwhile: what is known is worth writing down.
func (w *turn) store(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	return do(ctx)
}

// send sends what is due, as far as there are places.
func (w *turn) send(ctx context.Context) error {
	places := w.s.take(w.round.Room())
	w.short = places < w.round.Room()
	var due []integration.Entry
	err := w.store(ctx, func(ctx context.Context) (err error) {
		if time.Now().After(w.fresh) {
			if w.proofs, err = w.s.Registry.Proofs(ctx, w.round.Endpoint()); err != nil {
				return err
			}
			w.fresh = time.Now().Add(w.s.o.Rescan)
		}
		due, err = w.round.Due(ctx, places)
		return err
	})
	w.s.give(places - len(due))
	if err != nil {
		return err
	}
	waiting, since, open := w.round.Waiting()
	w.l.stat.Store(&Stat{Endpoint: w.l.endpoint.ID, Partner: w.l.endpoint.Partner, Waiting: waiting, Oldest: since, Open: open})
	for _, e := range due {
		w.flying++
		go w.attempt(context.WithoutCancel(ctx), e, w.proofs)
	}
	return nil
}

// take takes up to n places, without waiting for any.
func (s *Sender) take(n int) int {
	for i := range n {
		select {
		case s.places <- struct{}{}:
		default:
			return i
		}
	}
	return n
}

func (s *Sender) give(n int) {
	for range n {
		<-s.places
	}
}

// attempt makes one.
func (w *turn) attempt(ctx context.Context, e integration.Entry, p integration.Proofs) {
	began := time.Now()
	o := w.try(ctx, e, p)
	w.s.give(1)
	if w.s.Observe != nil {
		w.s.Observe(w.l.endpoint, o, time.Since(began), w.s.Clock.Now().Sub(e.At))
	}
	if o.Verdict != integration.Taken {
		w.s.Log.Info("a webhook was not taken", "endpoint", w.l.endpoint.ID, "partner", w.l.endpoint.Partner, "delivery", e.Delivery, "sequence", e.Sequence, "cause", o.Cause)
	}
	w.results <- result{e.Position, o}
}

func (w *turn) try(ctx context.Context, e integration.Entry, p integration.Proofs) (o integration.Outcome) {
	defer func() {
		if r := recover(); r != nil {
			w.s.Log.Error("a webhook panicked", "endpoint", w.l.endpoint.ID, "panic", fmt.Sprint(r))
			o = failed("internal error")
		}
	}()
	if w.l.endpoint.Business != "" {
		e.Position = 0 // it counts what others of the partner are told, too
	}
	encode := w.s.Encode
	if other, ok := w.s.Encoders[w.l.endpoint.Dialect]; ok {
		encode = other
	}
	body, err := encode(e)
	if err != nil {
		w.s.Log.Error("an event cannot be encoded", "delivery", e.Delivery, "sequence", e.Sequence, "error", err)
		return integration.Outcome{Verdict: integration.Refused, Cause: "the event cannot be encoded"}
	}
	return w.s.Client.Send(trace.With(ctx, e.Trace), w.l.endpoint, p, Message{ID: w.s.EventID(&e.Update), At: w.s.Clock.Now(), Body: body})
}

// wait waits for results, for news, and for what is due later, and settles what has come.
func (w *turn) wait(ctx context.Context) error {
	pause := w.s.o.Poll
	if at := w.round.Wake(); at != 0 {
		pause = min(pause, max(at.Sub(w.s.Clock.Now()).Std(), time.Millisecond))
	}
	if w.short {
		pause = shortPause
	}
	later := time.NewTimer(pause)
	defer later.Stop()
	select {
	case r := <-w.results:
		w.flying--
		if err := w.settle(ctx, r); err != nil {
			return err
		}
	case <-w.l.news:
		w.round.News()
	case <-later.C:
		w.round.News()
	case <-ctx.Done():
	}
	for { // what else has come: one write for all
		select {
		case r := <-w.results:
			w.flying--
			if err := w.settle(ctx, r); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (w *turn) settle(ctx context.Context, r result) error {
	return w.store(ctx, func(ctx context.Context) error { return w.round.Settle(ctx, r.position, r.outcome) })
}

// chanceName returns a name that nobody else has.
func chanceName() string {
	var b [12]byte
	rand.Read(b[:]) // which never fails
	return hex.EncodeToString(b[:])
}
