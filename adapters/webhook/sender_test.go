package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"footway/adapters/memory"
	"footway/adapters/partner"
	"footway/adapters/uber"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
	"footway/core/porttest/fake"
)

type realClock struct{}

func (realClock) Now() clock.Time { return clock.Of(time.Now()) }

// office is a post on memory stores, with partners as they come.
type office struct {
	t        testing.TB
	log      *memory.PartnerLog
	lines    *memory.LineStore
	registry *integration.Registry
	post     *integration.Post
	client   *Client
}

func newOffice(t testing.TB, change func(*integration.Rules)) *office {
	t.Helper()
	stores := memory.NewRegistry()
	o := &office{t: t, log: memory.NewPartnerLog(realClock{}), lines: memory.NewLineStore(), client: NewClient(Options{Addresses: local, Timeout: 500 * time.Millisecond})}
	o.registry = integration.NewRegistry(integration.RegistryDeps{Partners: stores, Keys: stores, Endpoints: stores, Secrets: stores, Source: &fake.Source{}, Clock: realClock{},
		Environment: func(market.ID) (integration.Environment, error) { return integration.Live, nil }, CheckURL: local.CheckURL})
	rules := integration.DefaultRules()
	rules.First, rules.Rest = 20*clock.Millisecond, 50*clock.Millisecond
	if change != nil {
		change(&rules)
	}
	var err error
	o.post, err = integration.NewPost(integration.PostDeps{Lines: o.lines, Ends: o.lines, Log: o.log, Recent: o.log, Endpoints: o.registry, Clock: realClock{}, Name: partner.EventName,
		Names: map[integration.Dialect]func(*delivery.Update) string{integration.Uber: uber.EventName}}, rules)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// endpoint makes a partner with an endpoint at a server.
func (o *office) endpoint(p delivery.PartnerID, h http.Handler) integration.Endpoint {
	o.t.Helper()
	s := httptest.NewServer(h)
	o.t.Cleanup(s.Close)
	if _, err := o.registry.AddPartner(o.t.Context(), integration.Partner{ID: p, Name: "P", Environment: integration.Live, Markets: []market.ID{"m"}}); err != nil {
		o.t.Fatal(err)
	}
	e, _, err := o.registry.AddEndpoint(o.t.Context(), integration.NewEndpoint{Partner: p, URL: s.URL})
	if err != nil {
		o.t.Fatal(err)
	}
	return e
}

func (o *office) sender(options SenderOptions) *Sender {
	options.Rescan, options.Poll = 20*time.Millisecond, 10*time.Millisecond
	return NewSender(SenderDeps{Post: o.post, Registry: o.registry, Client: o.client, Encode: partner.EncodeEvent, EventID: partner.EventID, Clock: realClock{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Encoders: map[integration.Dialect]func(integration.Entry) ([]byte, error){integration.Uber: uber.Encoder(func(market.ID) bool { return false })}}, options)
}

// run sends until stop is called, which waits for the end.
func run(s *Sender) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

func (o *office) happen(p delivery.PartnerID, deliveries, each int) {
	o.t.Helper()
	for sequence := 1; sequence <= each; sequence++ {
		var batch []delivery.Update
		for d := range deliveries {
			batch = append(batch, delivery.Update{Delivery: delivery.ID(fmt.Sprintf("%s-%d", p, d)), Sequence: uint64(sequence), Kind: delivery.Ready, At: realClock{}.Now(), Market: "m", Partner: p,
				ExternalID: "x", To: delivery.Requested})
		}
		if err := o.log.Take(o.t.Context(), batch...); err != nil {
			o.t.Fatal(err)
		}
	}
}

// listener is an endpoint that notes what it hears, and answers as it is told.
type listener struct {
	mu     sync.Mutex
	heard  map[string][]uint64 // sequences by delivery
	ids    map[string]int
	all    int
	ages   []time.Duration
	answer func(n int, w http.ResponseWriter) // nil: 200
}

func newListener(answer func(int, http.ResponseWriter)) *listener {
	return &listener{heard: map[string][]uint64{}, ids: map[string]int{}, answer: answer}
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e struct {
		ID        string    `json:"event_id"`
		Delivery  string    `json:"support_reference"`
		Sequence  uint64    `json:"sequence"`
		CreatedAt time.Time `json:"created_at"`
	}
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil || r.Header.Get("Webhook-Id") != e.ID {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	l.mu.Lock()
	l.all++
	n := l.all
	l.heard[e.Delivery] = append(l.heard[e.Delivery], e.Sequence)
	l.ids[e.ID]++
	l.ages = append(l.ages, time.Since(e.CreatedAt))
	l.mu.Unlock()
	if l.answer != nil {
		l.answer(n, w)
	}
}

// whole reports whether all of so many deliveries were heard to the end, and what is out of order.
func (l *listener) whole(deliveries, each int) (bool, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	whole := len(l.heard) == deliveries
	for d, all := range l.heard {
		last := uint64(0)
		for _, s := range all {
			if s != last && s != last+1 {
				return false, fmt.Sprintf("%s: %v", d, all)
			}
			last = s
		}
		whole = whole && last == uint64(each)
	}
	return whole, ""
}

// eventually polls until ok, or fails.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

func wantWhole(t testing.TB, l *listener, deliveries, each int) {
	t.Helper()
	eventually(t, "everything is told", func() bool {
		whole, disorder := l.whole(deliveries, each)
		if disorder != "" {
			t.Fatalf("out of order, or with a gap: %s", disorder)
		}
		return whole
	})
}

func TestSenderInOrder(t *testing.T) {
	o := newOffice(t, nil)
	l := newListener(nil)
	o.endpoint("p", l)
	s := o.sender(SenderOptions{})
	defer run(s)()
	o.happen("p", 20, 10)
	s.News("p")
	wantWhole(t, l, 20, 10)
	if l.all != 200 {
		t.Errorf("%d webhooks for 200 updates of an endpoint that takes all", l.all)
	}
}

// TestSenderStubborn has an endpoint that takes every third webhook only, in all ways not to.
func TestSenderStubborn(t *testing.T) {
	o := newOffice(t, func(r *integration.Rules) { r.First, r.Rest, r.LongestRest = 1, 1, 2 })
	l := newListener(func(n int, w http.ResponseWriter) {
		switch n % 6 {
		case 0, 3:
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			w.WriteHeader(http.StatusBadRequest)
		case 4:
			panic(http.ErrAbortHandler)
		case 5:
			http.Redirect(w, &http.Request{}, "http://169.254.169.254/", http.StatusFound)
		}
	})
	o.endpoint("p", l)
	defer run(o.sender(SenderOptions{}))()
	o.happen("p", 10, 5)
	wantWhole(t, l, 10, 5)
	eventually(t, "nothing waits any more", func() bool { return len(o.line(t).Waiting) == 0 })
}

func (o *office) line(t *testing.T) integration.Line {
	t.Helper()
	all, err := o.registry.OwnEndpoints(t.Context(), integration.Owner{Partner: "p"})
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	line, err := o.lines.Line(t.Context(), all[0].ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	return line
}

// TestSenderRestarts ends and starts senders again and again, two at a time.
func TestSenderRestarts(t *testing.T) {
	o := newOffice(t, nil)
	l := newListener(func(int, http.ResponseWriter) { time.Sleep(time.Millisecond) })
	o.endpoint("p", l)
	var over atomic.Bool
	var wg sync.WaitGroup
	for i := range 2 {
		wg.Go(func() {
			for n := 0; !over.Load(); n++ {
				stop := run(o.sender(SenderOptions{Owner: fmt.Sprintf("s%d.%d", i, n)}))
				time.Sleep(30 * time.Millisecond)
				stop()
			}
		})
	}
	o.happen("p", 30, 20)
	wantWhole(t, l, 30, 20)
	over.Store(true)
	wg.Wait()
	if l.all != 600 {
		t.Errorf("%d webhooks for 600 updates, though every sender ended well", l.all)
	}
}

// TestSenderIsolation compares how old webhooks of a live endpoint get, alone and beside dead ones.
func TestSenderIsolation(t *testing.T) {
	p99 := func(dead int) time.Duration {
		o := newOffice(t, nil)
		l := newListener(nil)
		o.endpoint("live", l)
		for i := range dead {
			p := delivery.PartnerID(fmt.Sprint("dead", i))
			o.endpoint(p, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body) // only then the server sees that a client goes
				<-r.Context().Done()
			}))
			o.happen(p, 50, 2)
		}
		s := o.sender(SenderOptions{})
		defer run(s)()
		const deliveries, each = 20, 20
		for sequence := range each {
			var batch []delivery.Update
			for d := range deliveries {
				batch = append(batch, delivery.Update{Delivery: delivery.ID(fmt.Sprint("live-", d)), Sequence: uint64(sequence + 1), Kind: delivery.Ready, At: realClock{}.Now(), Market: "m", Partner: "live", ExternalID: "x", To: delivery.Requested})
			}
			if err := o.log.Take(t.Context(), batch...); err != nil {
				t.Fatal(err)
			}
			s.News("live")
			time.Sleep(20 * time.Millisecond)
		}
		wantWhole(t, l, deliveries, each)
		if dead > 0 {
			eventually(t, "the breakers of the dead endpoints are open", func() bool {
				open := 0
				for _, st := range s.Stats() {
					if st.Open && st.Waiting > 0 && st.Oldest > 0 {
						open++
					}
				}
				return open == dead
			})
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		slices.Sort(l.ages)
		return l.ages[len(l.ages)*99/100]
	}
	alone := p99(0)
	beside := p99(10)
	t.Logf("p99 of the live endpoint: %s alone, %s beside 10 dead ones", alone, beside)
	// Each of the dead ones has a hundred updates and takes half a second for an attempt: whoever
	// stands in a line with them waits for much longer than a loaded machine needs.
	const line = 3 * time.Second
	if beside > 2*alone+line {
		t.Errorf("p99 of the live endpoint is %s beside dead ones, and %s alone", beside, alone)
	}
}

func TestSenderGone(t *testing.T) {
	o := newOffice(t, nil)
	l := newListener(func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusGone) })
	e := o.endpoint("p", l)
	defer run(o.sender(SenderOptions{}))()
	o.happen("p", 1, 3)
	eventually(t, "the endpoint is gone", func() bool {
		got, err := o.registry.OwnEndpoint(t.Context(), integration.Owner{Partner: "p"}, e.ID)
		return err == nil && got.Status == integration.Gone
	})
	eventually(t, "its line is released", func() bool { return o.line(t).Owner == "" })
	if l.all != 1 {
		t.Errorf("%d webhooks to an endpoint that said after the first that it is gone", l.all)
	}
	l.mu.Lock()
	l.answer = nil
	l.mu.Unlock()
	if _, err := o.registry.SetEndpoint(t.Context(), integration.Owner{Partner: "p"}, e.ID, integration.Active); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, l, 1, 3)
}

func TestSenderReplay(t *testing.T) {
	o := newOffice(t, nil)
	l := newListener(nil)
	e := o.endpoint("p", l)
	defer run(o.sender(SenderOptions{}))()
	o.happen("p", 1, 5)
	wantWhole(t, l, 1, 5)
	if err := fake.Again(func() error { return o.post.Rewind(t.Context(), integration.Owner{Partner: "p"}, e.ID, 2) }); err != nil {
		t.Fatal(err)
	}
	eventually(t, "3 to 5 are told again", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return slices.Equal(l.heard["p-0"], []uint64{1, 2, 3, 4, 5, 3, 4, 5})
	})
	if n := l.ids["evt_p-0_4"]; n != 2 {
		t.Errorf("the 4th was told %d times under its id; want 2", n)
	}
}

// TestSenderBusiness tells a business of its own deliveries, and not where they are in its partner's log.
func TestSenderBusiness(t *testing.T) {
	o := newOffice(t, nil)
	o.endpoint("p", newListener(nil))
	var mu sync.Mutex
	var heard []string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || bytes.Contains(body, []byte("position")) {
			t.Errorf("a business is told %s, %v", body, err)
		}
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, r.Header.Get("webhook-id"))
	}))
	defer s.Close()
	// Nobody looks for endpoints by itself within the time of this test.
	sender := NewSender(SenderDeps{Post: o.post, Registry: o.registry, Client: o.client, Encode: partner.EncodeEvent, EventID: partner.EventID, Clock: realClock{}, Log: slog.New(slog.DiscardHandler)},
		SenderOptions{Rescan: time.Hour, Poll: 10 * time.Millisecond})
	defer run(sender)()
	e, _, err := o.registry.AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "p", Business: "bakery", URL: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	sender.Changed()
	for i, store := range []string{"bar/quay", "bakery/quay", "bakery/hill", "bar/hill"} {
		u := delivery.Update{Delivery: delivery.ID(fmt.Sprint("d", i)), Sequence: 1, Kind: delivery.Ready, At: realClock{}.Now(), Market: "m", Partner: "p", ExternalID: "x", To: delivery.Requested, Store: store}
		if err := o.log.Take(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	told := func(want ...string) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			slices.Sort(heard)
			return slices.Equal(heard, want)
		}
	}
	eventually(t, "the bakery is told of its own", told("evt_d1_1", "evt_d2_1"))
	// Until it is written down that they were taken, somebody else's change of the line has them sent again.
	eventually(t, "and that is written down", func() bool {
		return slices.ContainsFunc(sender.Stats(), func(s Stat) bool { return s.Endpoint == e.ID && s.Waiting == 0 })
	})
	if err := fake.Again(func() error { return o.post.Resend(t.Context(), e.Owner(), e.ID, 3) }); err != nil {
		t.Fatal(err)
	}
	sender.Changed()
	eventually(t, "one is told again, though endpoints are not looked for", told("evt_d1_1", "evt_d2_1", "evt_d2_1"))
}

// BenchmarkSender tells a local endpoint.
func BenchmarkSender(b *testing.B) {
	for _, endpoints := range []int{1, 8} {
		b.Run(fmt.Sprint(endpoints, " endpoints"), func(b *testing.B) {
			o := newOffice(b, nil)
			var told atomic.Int64
			each := b.N/endpoints/20 + 1
			for i := range endpoints {
				p := delivery.PartnerID(fmt.Sprint("p", i))
				o.endpoint(p, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told.Add(1) }))
				o.happen(p, 20, each)
			}
			want := int64(endpoints * 20 * each)
			b.ReportAllocs()
			b.ResetTimer()
			stop := run(o.sender(SenderOptions{}))
			eventually(b, "everything is told", func() bool { return told.Load() >= want })
			b.ReportMetric(float64(told.Load())/b.Elapsed().Seconds(), "webhooks/s")
			b.StopTimer()
			stop()
		})
	}
}
