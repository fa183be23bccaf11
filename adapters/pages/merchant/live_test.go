package merchant

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"footway/core/account"
	"footway/core/delivery"
	"footway/core/porttest"
)

// watcher reads a stream of the pages by a connection of its own.
type watcher struct {
	t     testing.TB
	lines chan string
	end   func()
	code  int
}

// watch opens a stream for who is signed in.
func (b *browser) watch(url, path string, headers ...string) *watcher {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/merchant"+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	a, err := http.DefaultClient.Do(r) //nolint:bodyclose // end closes it
	if err != nil {
		b.t.Fatal(err)
	}
	w := &watcher{t: b.t, lines: make(chan string, 1000), code: a.StatusCode, end: func() { cancel(); _ = a.Body.Close() }}
	b.t.Cleanup(w.end)
	go func() {
		defer close(w.lines)
		for s := bufio.NewScanner(a.Body); s.Scan(); {
			w.lines <- s.Text()
		}
	}()
	return w
}

// until reads lines until one has a text, and returns it; false if the stream ended before.
func (w *watcher) until(text string) (string, bool) {
	for line := range w.lines {
		if strings.Contains(line, text) {
			return line, true
		}
	}
	return "", false
}

func (w *watcher) wants(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if _, ok := w.until(text); !ok {
			w.t.Fatalf("the stream ended before %q came", text)
		}
	}
}

// ends waits for the end of the stream, which is soon.
func (w *watcher) ends(why string) {
	w.t.Helper()
	for soon := time.After(15 * time.Second); ; {
		select {
		case _, open := <-w.lines:
			if !open {
				return
			}
		case <-soon:
			w.t.Fatalf("the stream goes on after %s", why)
		}
	}
}

func (d *desk) serve() string {
	s := httptest.NewServer(d.pages)
	d.t.Cleanup(s.Close)
	d.t.Cleanup(d.pages.Drain)
	return s.URL
}

// TestBoardStream watches a board from two browsers while a robot comes and goes.
func TestBoardStream(t *testing.T) {
	d := newDesk(t, nil)
	url := d.serve()
	b := d.somebody("ana@gull.example", account.Staff)
	one := d.order("quay", "31")
	all, alerts := b.watch(url, "/board/events"), b.watch(url, "/board/events?only=here")
	all.wants("event: reset", "event: card", `"column":"preparing"`)
	alerts.wants("event: reset")
	pump := func() error { return d.orders.Pump(t.Context(), porttest.Market) }
	d.town.Drive(t, one.ID, delivery.AtPickup, pump)
	line, _ := all.until(`"column":"here"`)
	if !strings.Contains(line, "Robot is here") || !strings.Contains(line, "data-alert") {
		t.Errorf("the board is told %s", line)
	}
	line, _ = alerts.until(`"column":"here"`)
	if !strings.Contains(line, "data-alert") || strings.Contains(line, `"card"`) {
		t.Errorf("the other pages are told %s", line)
	}

	// Who lost the connection is told all that there is when it comes again.
	all.end()
	again := b.watch(url, "/board/events", "Last-Event-ID", "whatever")
	again.wants("event: reset", `"column":"here"`)
	d.town.Drive(t, one.ID, delivery.Loaded, pump)
	again.wants(`"column":"out"`)
	alerts.wants("event: left")

	d.pages.Drain()
	again.ends("the drain")
}

// TestStreamsOfAnother tells nothing to who may not see it.
func TestStreamsOfAnother(t *testing.T) {
	d := newDesk(t, nil)
	d.open("gull", "hill", "12 Quay")
	url := d.serve()
	b := d.somebody("ben@gull.example", account.Staff, "quay")
	w := b.watch(url, "/board/events")
	w.wants("event: reset")
	d.order("hill", "41")
	d.order("quay", "42")
	for line := range w.lines {
		if strings.Contains(line, "#41") {
			t.Fatalf("somebody of another store is told %s", line)
		}
		if strings.Contains(line, "#42") {
			break
		}
	}
}

// TestStreamEndsWithTheSession signs somebody out elsewhere.
func TestStreamEndsWithTheSession(t *testing.T) {
	d := newDesk(t, nil)
	url := d.serve()
	b := d.somebody("ben@gull.example", account.Staff)
	w := b.watch(url, "/board/events")
	w.wants("event: reset")
	if err := d.accounts.SignOut(t.Context(), b.cookies[sessionCookie].Value); err != nil {
		t.Fatal(err)
	}
	w.wants("event: out")
}

// TestScriptsStream resumes the stream of one order where it was.
func TestScriptsStream(t *testing.T) {
	d := newDesk(t, nil)
	url := d.serve()
	b := d.somebody("ben@gull.example", account.Staff)
	one := d.order("quay", "31")
	path := "/api/v1/deliveries/" + string(one.ID) + "/events"
	b.watch(url, path).wants("id: 1", "id: 2")
	w := b.watch(url, path+"?after=0", "Last-Event-ID", "1")
	if line, ok := w.until("id: "); !ok || line != "id: 2" {
		t.Errorf("after 1 comes %q", line)
	}
	d.pages.Drain()
	w.ends("the drain")
}

// TestStreamsAreBounded opens as many streams as an account may have, and one more.
func TestStreamsAreBounded(t *testing.T) {
	d := newDesk(t, nil)
	url := d.serve()
	b, other := d.somebody("ana@gull.example", account.Staff), d.somebody("ben@gull.example", account.Staff)
	one := string(d.order("quay", "31").ID)
	var open []*watcher
	for i := range MaxStreams {
		path := "/board/events?only=here"
		if i%2 == 1 {
			path = "/api/v1/deliveries/" + one + "/events"
		}
		w := b.watch(url, path)
		if w.code != http.StatusOK {
			t.Fatalf("stream %d is answered with %d", i+1, w.code)
		}
		open = append(open, w)
	}
	for _, path := range []string{"/board/events", "/api/v1/deliveries/" + one + "/events"} {
		if w := b.watch(url, path); w.code != http.StatusTooManyRequests {
			t.Errorf("one more stream is answered with %d", w.code)
		}
		if w := other.watch(url, path); w.code != http.StatusOK {
			t.Errorf("somebody else gets %d", w.code)
		}
	}
	d.wants("a page", b.get("/"), http.StatusOK)
	for _, w := range open {
		w.end()
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if w := b.watch(url, "/board/events"); w.code == http.StatusOK {
			break
		}
		if time.Now().After(end) {
			t.Fatal("streams that ended are still counted")
		}
	}
}

// TestRefusedStream hands on that the API has no room.
func TestRefusedStream(t *testing.T) {
	d := newDesk(t, nil)
	b := d.somebody("ana@gull.example", account.Staff)
	d.says("GET /v1/board/events", http.StatusTooManyRequests, map[string]any{"kind": "exhausted", "reason": "too_many"})
	b.headers = []string{"Accept", "text/event-stream"}
	if a := b.get("/board/events"); a.Code != http.StatusTooManyRequests {
		t.Errorf("the answer is %d", a.Code)
	}
}

func TestReadEvents(t *testing.T) {
	var got []string
	text := "retry: 5\n:\n\nevent: a\nid: 1\ndata: {\"x\":\ndata: 1}\n\n: word\nevent:b\ndata:2\n\ndata: cut off"
	if err := readEvents(strings.NewReader(text), func(e event) bool {
		got = append(got, fmt.Sprintf("%s=%s", e.name, e.data))
		return true
	}); err != nil {
		t.Fatal(err)
	}
	if want := "= a={\"x\":1} = b=2"; strings.Join(got, " ") != want {
		t.Errorf("read %q, want %q", strings.Join(got, " "), want)
	}
}

func FuzzReadEvents(f *testing.F) {
	f.Add("event: a\ndata: 1\n\n")
	f.Add(":\n\n\ndata")
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		_ = readEvents(strings.NewReader(text), func(e event) bool { // what is too long is an error
			if strings.ContainsAny(string(e.data)+e.name, "\n") {
				t.Errorf("an event has a line in it: %q", e.data)
			}
			n++
			return n < 100
		})
	})
}
