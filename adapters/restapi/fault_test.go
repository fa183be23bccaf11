package restapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// dropping is a proxy that cuts chosen connections before the request is passed
// on, or after it was answered, when only the answer is lost.
type dropping struct {
	next  http.Handler
	calls atomic.Int32
	at    int32 // number of the call that is cut, from 1
	side  fake.When
}

// ServeHTTP implements http.Handler.
func (d *dropping) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if d.calls.Add(1) != d.at {
		d.next.ServeHTTP(w, r)
		return
	}
	if d.side == fake.After {
		d.next.ServeHTTP(httptest.NewRecorder(), r)
	}
	panic(http.ErrAbortHandler)
}

func newDropping(t testing.TB, address string) (*dropping, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(u)
	d := &dropping{next: p}
	s := httptest.NewServer(d)
	t.Cleanup(s.Close)
	return d, s.URL
}

// TestLostAnswers loses each call of a story, before and after its effect. Who
// repeats what is unavailable finds the effect that is there, once.
func TestLostAnswers(t *testing.T) {
	calls := int32(0)
	for at := int32(0); at <= calls; at++ {
		for _, side := range []fake.When{fake.Before, fake.After} {
			h := newHouse(t, nil)
			d, address := newDropping(t, h.address)
			d.at, d.side = at, side
			c, err := NewDeliveriesClient(address, ClientOptions{Token: secret(integrationsToken)})
			if err != nil {
				t.Fatal(err)
			}
			if err := story(t.Context(), h, c); err != nil {
				t.Errorf("call %d lost %s its effect: %v", at, side, err)
			}
			c.Close()
			if at == 0 {
				calls = d.calls.Load()
			}
			sequence := uint64(0)
			if got, err := h.service.ByID(t.Context(), "d1"); err == nil {
				sequence = got.Sequence
			}
			if _, err := h.service.ByID(t.Context(), "d2"); sequence != 10 || !fault.Is(err, fault.NotFound) {
				t.Errorf("call %d lost %s its effect: %d updates of one delivery, and of another %v; want 10 and none", at, side, sequence, err)
			}
		}
	}
	if calls < 8 {
		t.Errorf("the story has %d calls; want 8 or more", calls)
	}
}

// story is a delivery from quote to end, by somebody who repeats what is unavailable.
func story(ctx context.Context, h *house, c *DeliveriesClient) error {
	tip, one := delivery.Money(77), delivery.ID("d1")
	for _, step := range []func() error{
		func() error { return second(c.Quote(ctx, porttest.QuoteFor("p", "a"))) },
		func() error { return second(c.Accept(ctx, "p", "a", delivery.AcceptRequest{Tip: &tip})) },
		func() error { return second(c.Edit(ctx, "p", "a", delivery.Edit{OrderValue: &tip, Sequence: 2})) },
		func() error { return c.Ready(ctx, one, h.town.Clock.Now()) },
		func() error { h.town.Drive(h.t, one, delivery.ToDropoff, h.pump); return nil },
		func() error {
			return c.Handoff(ctx, one, delivery.HandoffRequest{Purpose: task.Unload, Want: task.WantOpen, PIN: "2222"})
		},
		func() error { _, _, err := c.Get(ctx, "p", "a"); return err },
		func() error { return c.CannotCome(ctx, one) },
		func() error {
			_, err := c.Cancel(ctx, "p", "a", "")
			if fault.ReasonOf(err) == delivery.DeliveryCancelled { // the goods are disposed of
				return nil
			}
			return fmt.Errorf("cancel what has ended: %w", err)
		},
	} {
		if err := fake.Again(step); err != nil {
			return err
		}
	}
	return nil
}

// TestServerDiesMidCall ends a server while it answers.
func TestServerDiesMidCall(t *testing.T) {
	arrived, hold := make(chan struct{}), make(chan struct{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(arrived); <-hold })}
	go s.Serve(l)
	defer close(hold)
	c := dispatchClient(t, "http://"+l.Addr().String())
	done := make(chan error, 1)
	go func() { done <- c.Request(t.Context(), robotFor("d1")) }()
	<-arrived
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !fault.Is(err, fault.Unavailable) {
		t.Errorf("a call whose server died: %v; want it unavailable", err)
	}
	if err := c.Request(t.Context(), robotFor("d1")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a call to nobody: %v; want it unavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Request(ctx, robotFor("d1")); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was given up: %v", err)
	}
}

// TestClientDeadline has a server that never answers.
func TestClientDeadline(t *testing.T) {
	hold := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }))
	defer s.Close()
	defer close(hold)
	c, err := NewDispatchClient(s.URL, ClientOptions{Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := c.Request(t.Context(), robotFor("d1")); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != reasonDeadline || time.Since(start) > 3*time.Second {
		t.Errorf("%v after %v; want it unavailable at the deadline", err, time.Since(start))
	}
}

// TestAnswersThatAreNone has a server that answers anything.
func TestAnswersThatAreNone(t *testing.T) {
	for what, answer := range map[string]func(http.ResponseWriter){
		"no JSON":      func(w http.ResponseWriter) { w.Header().Set("Content-Type", jsonType); io.WriteString(w, "<html>") },
		"another type": func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/html"); io.WriteString(w, "{}") },
		"a wrong type": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", jsonType)
			io.WriteString(w, `{"delivery":7}`)
		},
		"a redirect": func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://169.254.169.254/")
			w.WriteHeader(http.StatusFound)
		},
		"an endless body": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", jsonType)
			w.Write(make([]byte, maxAnswer+2))
		},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w) }))
		c, err := NewDeliveriesClient(s.URL, ClientOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ByID(t.Context(), "d"); !fault.Is(err, fault.Internal) || fault.ReasonOf(err) != reasonUnexpected {
			t.Errorf("%s is %v; want an internal error", what, err)
		}
		s.Close()
	}
}

// TestManyWait has 2,000 long polls and streams in one process.
func TestManyWait(t *testing.T) {
	const polls, streams = 1000, 1000
	town := porttest.NewDispatchTown(2)
	bell := NewBell()
	town.Notify = bell.Changed
	a := NewDispatch(DispatchDeps{Dispatcher: town.Service, Decisions: town.Service, Bell: bell}, Options{Auth: auth(), Look: time.Hour})
	d := dispatchClient(t, serve(t, a, a))
	h := newBareHouse(t, func(o *Options) { o.Look = time.Hour })
	h.create("p", "", "a")
	w := h.client(operatorToken)
	goroutines, memory := runtime.NumGoroutine(), inUse()
	var got, told atomic.Int32
	var all sync.WaitGroup
	for range polls {
		all.Go(func() {
			if list, _, err := d.Wait(t.Context(), porttest.Market, "", 10, time.Minute); err == nil && len(list) == 1 {
				got.Add(1)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range streams {
		all.Go(func() {
			err := w.WatchDelivery(ctx, "d1", 0, func(u delivery.Update) error { told.Add(1); return nil })
			if err != nil {
				told.Add(-1000)
			}
		})
	}
	eventually(t, "all streams are open", func() bool { return told.Load() == 2*streams })
	eventually(t, "all polls wait", func() bool { return len(a.gates[poll].places) == polls })
	runtime.GC()
	perOne := (inUse() - memory) / (polls + streams)
	t.Logf("%d goroutines and %d KiB for each of %d that wait, client and server in one process", (runtime.NumGoroutine()-goroutines)/(polls+streams), perOne>>10, polls+streams)
	if perOne > 256<<10 {
		t.Errorf("each that waits takes %d KiB, want at most 256", perOne>>10)
	}
	start := time.Now()
	if err := d.Request(t.Context(), robotFor("d1")); err != nil {
		t.Fatal(err)
	}
	town.Run(t, clock.Minute)
	if _, err := h.service.Cancel(t.Context(), "p", "a", ""); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	t.Logf("all were told within %v", time.Since(start))
	if got.Load() != polls || told.Load() != 3*streams {
		t.Errorf("%d polls got the decision, and streams told %d updates; want %d and %d", got.Load(), told.Load(), polls, 3*streams)
	}
}

func inUse() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
