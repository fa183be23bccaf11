package restapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"footway/core/delivery"
	"footway/core/porttest"
)

// sse reads one stream by hand.
type sse struct {
	t     *testing.T
	lines *bufio.Scanner
	end   func()
	code  int
}

func (h *house) stream(t *testing.T, path, token, last string) *sse {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	a, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	end := func() { cancel(); a.Body.Close() }
	t.Cleanup(end)
	return &sse{t, bufio.NewScanner(a.Body), end, a.StatusCode}
}

// next returns the next event, or false at the end of the stream.
func (s *sse) next() (sentEvent, bool) {
	var e sentEvent
	for s.lines.Scan() {
		if e.line(s.lines.Text()) {
			return e, true
		}
	}
	return e, false
}

func (s *sse) want(what ...string) (last string) {
	s.t.Helper()
	for _, w := range what {
		e, ok := s.next()
		if got := e.name + " " + e.id; !ok || e.name != w && got != w {
			s.t.Fatalf("event %q (%s), %v; want %q", got, e.data, ok, w)
		}
		last = e.id
	}
	return last
}

func TestDeliveryEvents(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "", "a")
	s := h.stream(t, "/v1/deliveries/d1/events", recipientToken, "")
	s.want("state 1", "state 2")
	h.town.Drive(t, "d1", delivery.AtPickup, h.pump)
	last := s.want("state 3", "state 4", "state 5")
	s.end()
	// What happens while nobody reads is told to who comes again.
	h.town.Drive(t, "d1", delivery.Delivered, h.pump)
	s = h.stream(t, "/v1/deliveries/d1/events", recipientToken, last)
	for _, want := range []string{"state 6", "state 7", "state 8", "state 9"} {
		s.want(want)
	}
	if e, more := s.next(); more {
		t.Errorf("after the end there is %+v", e)
	}
	for _, path := range []string{"", "?after=9"} {
		last := "9"
		if path != "" {
			last = ""
		}
		if s := h.stream(t, "/v1/deliveries/d1/events"+path, recipientToken, last); s.code != http.StatusNoContent {
			t.Errorf("who knows all is answered with %d, want 204", s.code)
		}
	}
}

// TestForgottenEvents reads a delivery whose updates are gone.
func TestForgottenEvents(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "", "a")
	h.town.Drive(t, "d1", delivery.Delivered, h.pump)
	shot, err := h.store.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.store.Restore(shot); err != nil { // which keeps no history
		t.Fatal(err)
	}
	s := h.stream(t, "/v1/deliveries/d1/events", recipientToken, "3")
	s.want("forgotten 9")
	if e, more := s.next(); more {
		t.Errorf("after the end there is %+v", e)
	}
	if err := h.client(operatorToken).WatchDelivery(t.Context(), "d1", 0, func(u delivery.Update) error { return fmt.Errorf("update %d", u.Sequence) }); err != nil {
		t.Error(err)
	}
}

func TestWatchDelivery(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Life = 150 * time.Millisecond }) // so that the client has to come again
	h.create("p", "", "a")
	var got []uint64
	done := make(chan error, 1)
	go func() {
		done <- h.client(operatorToken).WatchDelivery(t.Context(), "d1", 1, func(u delivery.Update) error {
			got = append(got, u.Sequence)
			return nil
		})
	}()
	for _, to := range []delivery.State{delivery.Assigned, delivery.AtPickup, delivery.Delivered} {
		h.town.Drive(t, "d1", to, h.pump)
		wait := time.NewTimer(200 * time.Millisecond)
		<-wait.C // longer than a stream lives
	}
	select {
	case err := <-done:
		if err != nil || fmt.Sprint(got) != "[2 3 4 5 6 7 8 9]" {
			t.Errorf("updates %v, %v; want 2 to 9, each once", got, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the watch of a delivery that has ended does not end")
	}
	enough := errors.New("enough")
	if err := h.client(operatorToken).WatchDelivery(t.Context(), "d1", 0, func(delivery.Update) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("WatchDelivery = %v, want the error of who takes", err)
	}
}

func TestBoardEvents(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "cafe/quay", "a", "b")
	h.create("p", "cafe/hill", "elsewhere")
	const path = "/v1/board/events?state=requested&state=cancelled&limit=3"
	s := h.stream(t, path, quayToken, "")
	s.want("reset", "delivery", "delivery")
	h.create("p", "cafe/quay", "c")
	h.create("q", "cafe/quay", "not mine")
	last := s.want("delivery")
	s.end()
	// Nothing happened meanwhile: nothing is told but what is new.
	s = h.stream(t, path, quayToken, last)
	if _, err := h.service.Cancel(t.Context(), "p", "a", ""); err != nil {
		t.Fatal(err)
	}
	e, _ := s.next()
	if e.name != "delivery" || !strings.Contains(e.data, `"state":"cancelled"`) {
		t.Fatalf("event %+v, want delivery a, cancelled", e)
	}
	h.create("p", "cafe/quay", "d") // and the oldest leaves the page
	s.want("delivery")
	left, _ := s.next()
	if left.name != "left" || left.data != `{"id":"d1"}` {
		t.Fatalf("event %+v, want that d1 left", left)
	}
	s.end()
	// Something happened meanwhile: the whole page again.
	h.create("p", "cafe/quay", "e")
	s = h.stream(t, path, quayToken, left.id)
	s.want("reset", "delivery", "delivery", "delivery")
	s.end()
	h.stream(t, path, quayToken, "forged").want("reset", "delivery")
}

func TestWatchBoard(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Life = 300 * time.Millisecond })
	h.create("p", "", "a")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	board, resets := map[string]delivery.State{}, 0
	err := h.client(operatorToken).WatchBoard(ctx, delivery.BoardQuery{Partner: "p", Limit: 1}, func(n BoardNews) error {
		switch {
		case n.Reset:
			resets++
			clear(board)
		case n.Delivery != nil:
			board[n.Delivery.ExternalID] = n.Delivery.State
			if n.Delivery.ExternalID == "a" {
				h.create("p", "", "b")
			}
		default:
			delete(board, "a")
			if n.Left != "d1" || fmt.Sprint(board) != "map[b:requested]" {
				return fmt.Errorf("%s left, and there is %v", n.Left, board)
			}
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || resets != 1 {
		t.Errorf("WatchBoard = %v after %d resets", err, resets)
	}
}

// TestStreamsEndWithTheServer shuts down while streams are open.
func TestStreamsEndWithTheServer(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Look = time.Hour })
	h.create("p", "", "a")
	one := h.stream(t, "/v1/deliveries/d1/events", recipientToken, "")
	one.want("state", "state")
	board := h.stream(t, "/v1/board/events", merchantToken, "")
	board.want("reset", "delivery")
	start := time.Now()
	h.api.Drain()
	for _, s := range []*sse{one, board} {
		if e, more := s.next(); more || s.lines.Err() != nil {
			t.Errorf("after the drain there is %+v, %v; want a clean end", e, s.lines.Err())
		}
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("streams ended after %v", took)
	}
}

// TestOtherReplicas reads what no bell tells of.
func TestOtherReplicas(t *testing.T) {
	h := newHouse(t, nil)
	h.create("p", "", "a")
	s := h.stream(t, "/v1/deliveries/d1/events", recipientToken, "")
	s.want("state", "state")
	other := delivery.NewService(h.town.Deps(h.store, nil, &lockedJournal{}))
	if _, err := other.Cancel(t.Context(), "p", "a", ""); err != nil {
		t.Fatal(err)
	}
	s.want("state 3")
}

// TestStreamsOutliveDeadlines keeps a stream and a long poll open for longer than
// ordinary requests may take to be read and answered.
func TestStreamsOutliveDeadlines(t *testing.T) {
	h := makeHouse(t, func(o *Options) { o.Look = time.Hour })
	h.create("p", "", "a")
	h.address = serveBriefly(t, h.api)
	s := h.stream(t, "/v1/deliveries/d1/events", recipientToken, "")
	s.want("state", "state")
	town := porttest.NewDispatchTown(1)
	d := NewDispatch(DispatchDeps{Dispatcher: town.Service, Decisions: town.Service, Bell: NewBell()}, Options{Auth: auth(), Look: time.Hour})
	start := time.Now()
	if _, _, err := dispatchClient(t, serveBriefly(t, d)).Wait(t.Context(), porttest.Market, "", 1, 600*time.Millisecond); err != nil || time.Since(start) < 550*time.Millisecond {
		t.Errorf("a poll that is longer than the deadlines: %v after %v", err, time.Since(start))
	}
	if _, err := h.service.Cancel(t.Context(), "p", "a", ""); err != nil {
		t.Fatal(err)
	}
	s.want("state 3")
}

// serveBriefly serves an API with deadlines of 200 ms.
func serveBriefly(t *testing.T, a *API) (address string) {
	t.Helper()
	s := httptest.NewUnstartedServer(a)
	s.Config.ReadTimeout, s.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	s.Start()
	t.Cleanup(func() { a.Drain(); s.Close() })
	return s.URL
}
