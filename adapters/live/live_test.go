package live_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"go.uber.org/goleak"

	"footway/adapters/journal"
	"footway/adapters/live"
	"footway/adapters/zstd"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/kpi/kpitest"
	"footway/core/runlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var codec = &zstd.Codec{}

// world is a server over a journal, and what its log says.
type world struct {
	t       testing.TB
	journal *journal.Journal
	handler *live.Handler
	server  *httptest.Server
}

func newWorld(t testing.TB, o live.Options, jo journal.Options) *world {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	jo.Codec, jo.Log, jo.Publish = codec, log, time.Millisecond
	j, err := journal.Open(jo)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, journal: j}
	w.handler = live.New(live.Deps{
		Subscribe: func(after uint64, chain runlog.Hash) live.Feed { return j.Subscribe(after, chain) },
		Auth: func(r *http.Request) (string, error) {
			name, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if !ok || name == "stranger" {
				return "", fault.New("test", fault.Forbidden, "unauthenticated", "nobody")
			}
			return name, nil
		},
		Log: log,
	}, o)
	w.server = httptest.NewUnstartedServer(w.handler)
	w.server.Config.WriteTimeout, w.server.Config.ReadTimeout = 500*time.Millisecond, 500*time.Millisecond // none of which counts for a WebSocket
	w.server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := errors.Join(w.handler.Drain(ctx), j.Close(ctx)); err != nil {
			t.Error(err)
		}
		w.server.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return w
}

func (w *world) append(events []event.Event) {
	for _, e := range events {
		w.journal.Append(context.Background(), e)
	}
}

func day(n int) []event.Event {
	all := kpitest.Day{Seed: 1, Robots: 20, Orders: 300, Over: 6 * clock.Hour}.Events()
	return all[:min(n, len(all))]
}

// viewer follows a world, in a goroutine.
type viewer struct {
	t      testing.TB
	mu     sync.Mutex
	seen   []event.Event
	begun  int
	status []live.Status
	cancel func()
	done   chan error
}

func (w *world) target(name string) live.Target {
	return live.Target{Server: w.server.URL, Codec: codec, Token: func(context.Context) (string, error) { return name, nil },
		First: time.Millisecond, Longest: 20 * time.Millisecond, HTTP: w.server.Client()}
}

func follow(t testing.TB, target live.Target) *viewer {
	t.Helper()
	v := &viewer{t: t, done: make(chan error, 1)}
	target.Status = func(s live.Status) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.status = append(v.status, s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	v.cancel = cancel
	go func() { v.done <- live.Follow(ctx, target, v.take) }()
	t.Cleanup(func() {
		cancel()
		if v.done != nil {
			<-v.done
		}
	})
	return v
}

func (v *viewer) take(p runlog.Piece) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if p.Header != nil {
		v.begun++
	}
	v.seen = append(v.seen, p.Events...)
	return nil
}

func (v *viewer) await(what string, done func() bool) {
	v.t.Helper()
	await(v.t, what, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return done()
	})
}

func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func same(a, b event.Event) bool {
	a.Seq, b.Seq = 0, 0
	return bytes.Equal(runlog.AppendLine(nil, a), runlog.AppendLine(nil, b))
}

// TestFollow watches over each way to get in, longer than the server's timeouts for requests.
func TestFollow(t *testing.T) {
	w := newWorld(t, live.Options{Beat: 50 * time.Millisecond}, journal.Options{})
	want := day(600)
	byTicket := w.target("a")
	byTicket.Ticket = true
	viewers := []*viewer{follow(t, w.target("a")), follow(t, byTicket)}
	for _, v := range viewers {
		v.await("the viewer knows how things stand", func() bool { return v.begun == 1 })
	}
	w.append(want[:300])
	for _, v := range viewers {
		v.await("half of it came", func() bool { return len(v.seen) == 300 })
	}
	silent := time.Now()
	await(t, "the server's timeouts have passed, with nothing but beats", func() bool { return time.Since(silent) > 600*time.Millisecond })
	w.append(want[300:])
	for _, v := range viewers {
		v.await("all came", func() bool { return len(v.seen) == 600 })
		if !slices.EqualFunc(v.seen, want, same) || v.begun != 1 {
			t.Errorf("other events than were appended, begun %d times", v.begun)
		}
	}
}

// TestComesBack cuts connections in the middle, again and again.
func TestComesBack(t *testing.T) {
	w := newWorld(t, live.Options{}, journal.Options{})
	cuts := &cutter{}
	target := w.target("a")
	target.HTTP = &http.Client{Transport: &http.Transport{DialContext: cuts.dial, DisableKeepAlives: true}}
	v := follow(t, target)
	v.await("it begins", func() bool { return v.begun == 1 })
	want := day(1000)
	for i, batch := range slices.Collect(slices.Chunk(want, 100)) {
		w.append(batch)
		if i%2 == 1 {
			cuts.cut()
		}
		v.await("the batch came", func() bool { return len(v.seen) >= 100*(i+1) })
	}
	if !slices.EqualFunc(v.seen, want, same) || v.begun != 1 {
		t.Errorf("%d events, begun %d times; want all 1000 once, without another beginning", len(v.seen), v.begun)
	}
	if n := cuts.dialled.Load(); n < 5 {
		t.Errorf("%d connections, want one more for each cut", n)
	}
}

// cutter cuts the connections that it dialled.
type cutter struct {
	dialled atomic.Int64
	mu      sync.Mutex
	open    []net.Conn
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		c.dialled.Add(1)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open = append(c.open, conn)
	}
	return conn, err
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.open {
		_ = conn.Close()
	}
	c.open = nil
}

// TestSlowViewer takes one piece at a time, while the server goes on: in the end it knows what the server knows.
func TestSlowViewer(t *testing.T) {
	w := newWorld(t, live.Options{}, journal.Options{Ring: 3, RingBytes: 1 << 20})
	hold := make(chan struct{})
	var state runlog.State
	var seq atomic.Uint64
	var lost atomic.Uint64
	target := w.target("a")
	target.Status = func(s live.Status) { lost.Store(s.Lost) }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- live.Follow(ctx, target, func(p runlog.Piece) error {
			if p.State != nil {
				state = *p.State
			}
			for _, e := range p.Events {
				if err := state.Apply(e); err != nil {
					return err
				}
			}
			if p.Seq > 0 {
				<-hold
			}
			seq.Store(p.Seq)
			return nil
		})
	}()
	await(t, "it watches", func() bool { return w.handler.Viewers() == 1 })
	random := rand.New(rand.NewPCG(1, 1))
	total := uint64(0)
	for range 60 {
		big := make([]byte, 256<<10) // beyond what the buffers of the connection take, and what a codec makes small
		for i := range big {
			big[i] = byte(random.Uint32())
		}
		w.append([]event.Event{event.New(1, "m", "x", "e", 0, big)})
		total++
		await(t, "it is taken over", func() bool { return w.journal.Stats().Seq == total })
		time.Sleep(2 * time.Millisecond) // a piece of its own
	}
	close(hold)
	await(t, "it knows everything again", func() bool { return seq.Load() == total })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Follow = %v, want that it was cancelled", err)
	}
	if lost.Load() == 0 || state.Seq() != total {
		t.Errorf("%d lost, at event %d; want some lost, told, and %d", lost.Load(), state.Seq(), total)
	}
}

func TestWhoGetsIn(t *testing.T) {
	w := newWorld(t, live.Options{Origins: []string{"view.example.com"}, PerCaller: 2, Ticket: time.Minute}, journal.Options{})
	ticket := func(token string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/v1/live/tickets", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := w.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var a struct{ Ticket string }
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, a.Ticket
	}
	if status, _ := ticket("stranger"); status != http.StatusUnauthorized {
		t.Errorf("a ticket for a stranger: %d, want 401", status)
	}
	_, good := ticket("a")
	for _, c := range []struct {
		name, token, ticket, origin, query string
		want                               int
	}{
		{name: "nobody", want: 401},
		{name: "a stranger", token: "stranger", want: 401},
		{name: "a ticket that was made up", ticket: "AAAA", want: 401},
		{name: "another's page", token: "b", origin: "https://evil.example.com", want: 403},
		{name: "a page without a home", token: "b", origin: "null", want: 403},
		{name: "the ticket", ticket: good, origin: "https://view.example.com", want: 101},
		{name: "the ticket once more", ticket: good, want: 401},
		{name: "a bad ticket beside a good token", ticket: "AAAA", token: "b", want: 401},
		{name: "a number that is none", token: "b", query: "?after=x", want: 400},
		{name: "a number without a hash", token: "b", query: "?after=5", want: 400},
		{name: "another path", token: "b", query: "/other", want: 404},
		{name: "a", token: "a", want: 101},
		{name: "a for the third time", token: "a", want: 429},
		{name: "b", token: "b", origin: w.server.URL, want: 101},
	} {
		conn, status := w.dial(c.token, c.ticket, c.origin, c.query)
		if status != c.want {
			t.Errorf("%s: %d, want %d", c.name, status, c.want)
		}
		if conn != nil {
			t.Cleanup(func() { _ = conn.CloseNow() })
		}
	}
}

// dial opens a WebSocket as anybody can, and returns the status of the answer.
func (w *world) dial(token, ticket, origin, query string) (*websocket.Conn, int) {
	w.t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{"footway.live.v1"}, HTTPHeader: http.Header{}, HTTPClient: w.server.Client()}
	if token != "" {
		o.HTTPHeader.Set("Authorization", "Bearer "+token)
	}
	if ticket != "" {
		o.Subprotocols = append(o.Subprotocols, "ticket."+ticket)
	}
	if origin != "" {
		o.HTTPHeader.Set("Origin", origin)
	}
	conn, resp, err := websocket.Dial(w.t.Context(), w.server.URL+"/v1/live"+query, o) //nolint:bodyclose // the library closes it
	if resp == nil {
		w.t.Fatal(err)
	}
	return conn, resp.StatusCode
}

// TestTicketsEnd lets tickets get old, and asks for too many.
func TestTicketsEnd(t *testing.T) {
	w := newWorld(t, live.Options{Ticket: time.Nanosecond}, journal.Options{})
	target := w.target("a")
	target.Ticket = true
	v := follow(t, target)
	v.await("it is refused and tries again", func() bool { return len(v.status) > 4 })
	if v.begun != 0 {
		t.Error("a ticket that is too old lets somebody in")
	}
}

func TestClientSaysNothing(t *testing.T) {
	w := newWorld(t, live.Options{}, journal.Options{})
	conn, _ := w.dial("a", "", "", "")
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		_, _, err = conn.Read(t.Context())
	}
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("a message of the client: %v, want the connection closed with 1008", err)
	}
	await(t, "its place is free", func() bool { return w.handler.Viewers() == 0 })
	other, resp, err := websocket.Dial(t.Context(), w.server.URL+"/v1/live", &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPHeader: http.Header{"Authorization": {"Bearer a"}}})
	if err != nil {
		t.Fatal(resp, err)
	}
	defer other.CloseNow()
	if _, _, err := other.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("without the subprotocol: %v, want 1008", err)
	}
}

// TestBeats hears that all is well, and a server that says nothing is left.
func TestBeats(t *testing.T) {
	w := newWorld(t, live.Options{Beat: 10 * time.Millisecond}, journal.Options{})
	conn, _ := w.dial("a", "", "", "")
	defer conn.CloseNow()
	beats := 0
	for beats < 3 {
		kind, b, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if kind == websocket.MessageText && strings.HasPrefix(string(b), `{"beat":`) {
			beats++
		}
	}
	mute := newWorld(t, live.Options{Beat: time.Hour}, journal.Options{})
	target := mute.target("a")
	target.Silence = 50 * time.Millisecond
	v := follow(t, target)
	v.await("it came back to a silent server", func() bool {
		return slices.ContainsFunc(v.status, func(s live.Status) bool { return s.State == live.Waiting && s.Err != nil })
	})
}

// TestDeafViewer does not even answer pings.
func TestDeafViewer(t *testing.T) {
	w := newWorld(t, live.Options{Beat: 10 * time.Millisecond, Write: 50 * time.Millisecond}, journal.Options{})
	conn, _ := w.dial("a", "", "", "") // nobody reads
	defer conn.CloseNow()
	await(t, "it came", func() bool { return w.handler.Viewers() == 1 || w.journal.Stats().Subscribers == 0 })
	await(t, "its place is free", func() bool { return w.handler.Viewers() == 0 && w.journal.Stats().Subscribers == 0 })
}

func TestDrain(t *testing.T) {
	w := newWorld(t, live.Options{}, journal.Options{})
	v := follow(t, w.target("a"))
	v.await("it begins", func() bool { return v.begun == 1 })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := w.handler.Drain(ctx); err != nil || w.handler.Viewers() != 0 {
		t.Errorf("Drain = %v with %d viewers left", err, w.handler.Viewers())
	}
	v.await("it is told and tries again", func() bool {
		return slices.ContainsFunc(v.status, func(s live.Status) bool {
			return s.State == live.Waiting && websocket.CloseStatus(s.Err) == websocket.StatusGoingAway
		})
	})
	if _, status := w.dial("b", "", "", ""); status != http.StatusServiceUnavailable {
		t.Errorf("a viewer who comes now: %d, want 503", status)
	}
}

func TestFollowEnds(t *testing.T) {
	w := newWorld(t, live.Options{}, journal.Options{})
	enough := errors.New("enough")
	if err := live.Follow(t.Context(), w.target("a"), func(runlog.Piece) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("an error of take: %v", err)
	}
	for _, ticket := range []bool{false, true} {
		target := w.target("stranger")
		target.Ticket = ticket
		if err := live.Follow(t.Context(), target, nil); !fault.Is(err, fault.Forbidden) {
			t.Errorf("a stranger (ticket %v): %v, want forbidden", ticket, err)
		}
	}
	for _, server := range []string{"", "ops.example.com", "ftp://ops.example.com", "http://"} {
		if err := live.Follow(t.Context(), live.Target{Server: server}, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("server %q: %v, want invalid", server, err)
		}
	}
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	if err := live.Follow(t.Context(), live.Target{Server: away.URL}, nil); !fault.Is(err, fault.Invalid) {
		t.Errorf("a server without /v1/live: %v, want invalid", err)
	}
}

// TestLiar sends how things stand and then what is no piece: the client begins anew each time, and
// does not ask for what follows what it cannot trust.
func TestLiar(t *testing.T) {
	l, err := runlog.New(nil, runlog.Header{}, runlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range day(5) {
		l.Append(t.Context(), e)
	}
	begin, err := l.Beginning(runlog.Header{})
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.URL.RawQuery)
		mu.Unlock()
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"footway.live.v1"}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		_ = conn.Write(r.Context(), websocket.MessageBinary, begin) // the client looks at what comes
		_ = conn.Write(r.Context(), websocket.MessageBinary, bytes.Repeat([]byte("FWLOG"), 10000))
		_, _, _ = conn.Read(r.Context())
	}))
	defer server.Close()
	v := follow(t, live.Target{Server: server.URL, First: time.Millisecond, Longest: time.Millisecond})
	v.await("it tried several times", func() bool { return len(v.status) > 8 })
	v.cancel()
	if err := <-v.done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	v.done = nil
	mu.Lock()
	defer mu.Unlock()
	if v.begun < 2 || slices.ContainsFunc(asked, func(q string) bool { return q != "" }) {
		t.Errorf("begun %d times, asked %q; want it each time from how things stand", v.begun, asked)
	}
	if s := v.status[2]; s.State != live.Waiting || fault.ReasonOf(s.Err) != "bad_piece" {
		t.Errorf("status %+v, want that a piece was bad", s)
	}
}
