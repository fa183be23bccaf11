//go:build !js

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footway/adapters/journal"
	"footway/adapters/live"
	"footway/adapters/zstd"
	"footway/cmd/twin/twintest"
	"footway/cmd/web"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/desk"
	"footway/visualizer/play"
	"footway/visualizer/scene"
	"footway/visualizer/window"
)

const goodToken = "an operator's"

// running is a system that is watched: the run of twintest, told faster than it was.
type running struct {
	*httptest.Server
	journal *journal.Journal
	handler *live.Handler
	stop    context.CancelFunc
	told    chan struct{}
}

// startRunning serves /v1/live and /twin. What happened in the first hour is there at once.
func startRunning(tb testing.TB, options web.Options) *running {
	tb.Helper()
	events, net, err := rushOf()
	if err != nil {
		tb.Fatal(err)
	}
	r, err := newRunning(options, events, net)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.end)
	return r
}

func newRunning(options web.Options, rush []event.Event, net *maps.Network) (*running, error) {
	log := slog.New(slog.DiscardHandler)
	j, err := journal.Open(journal.Options{Codec: &zstd.Codec{}, Log: log, Publish: 20 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	options.Market = func() ([]byte, error) {
		var b bytes.Buffer
		err := maps.Encode(&b, net, &zstd.Codec{})
		return b.Bytes(), err
	}
	r := &running{journal: j, told: make(chan struct{})}
	r.handler = live.New(live.Deps{
		Subscribe: func(after uint64, chain runlog.Hash) live.Feed { return j.Subscribe(after, chain) },
		Auth: func(r *http.Request) (string, error) {
			if r.Header.Get("Authorization") != "Bearer "+goodToken {
				return "", fault.New("test", fault.Forbidden, "unauthenticated", "nobody")
			}
			return "operator", nil
		},
		Log: log,
	}, live.Options{})
	mux := http.NewServeMux()
	mux.Handle("/v1/live", r.handler)
	mux.Handle("/v1/live/", r.handler)
	mux.Handle("/twin", web.New(options))
	mux.Handle("/twin/", web.New(options))
	r.Server = httptest.NewServer(mux)
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go r.tell(ctx, rush)
	return r, nil
}

// rushOf returns what happens, and on which map.
func rushOf() ([]event.Event, *maps.Network, error) {
	rush, err := twintest.Made()
	if err != nil {
		return nil, nil, err
	}
	reader, err := runlog.Open(bytes.NewReader(rush.Log), int64(len(rush.Log)), &zstd.Codec{})
	if err != nil {
		return nil, nil, err
	}
	var all []event.Event
	for e, err := range reader.Events(1) {
		if err != nil {
			return nil, nil, err
		}
		all = append(all, e)
	}
	return all, rush.Network, nil
}

func (r *running) tell(ctx context.Context, rush []event.Event) {
	defer close(r.told)
	const once = 60 * clock.Minute
	for _, e := range rush {
		if e.T.Sub(rush[0].T) > once {
			select {
			case <-time.After(5 * time.Millisecond): // some ten times faster than it was
			case <-ctx.Done():
				return
			}
		}
		e.Seq = 0
		r.journal.Append(ctx, e)
	}
}

func (r *running) end() {
	r.stop()
	<-r.told
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = errors.Join(r.handler.Drain(ctx), r.journal.Close(ctx)) // the test is over
	r.Close()
}

// TestLiveInBrowser watches a running system in a browser: now, back, now again.
func TestLiveInBrowser(t *testing.T) {
	s := startRunning(t, web.Options{Built: os.DirFS(builtProgram(t))})
	b := openTab(t, s.URL+"/twin#live=1&theme=dark&token="+url.QueryEscape(goodToken), 1280, 800)
	first := b.until("the city is shown", func(s status) bool { return s.Robots > 0 && s.Draws > 0 })
	if address := evaluate[string](b, "window.location.href"); strings.Contains(address, "token") {
		t.Errorf("the address keeps the token: %s", address)
	}
	far := b.until("it goes on with the system", func(s status) bool { return s.Playing && s.After > first.After+3*clock.Minute })
	b.shot("win-web-live-dark")
	b.click(40, 746) // the beginning of what was heard
	b.until("it goes back", func(s status) bool { return s.After < far.After-2*clock.Minute })
	b.key("End", "End", "")
	b.until("it is with the system again", func(s status) bool { return s.After > far.After })
}

// TestSourceRestarts gives a watcher what two systems say, one after the other.
func TestSourceRestarts(t *testing.T) {
	events, _, err := rushOf()
	if err != nil {
		t.Fatal(err)
	}
	header := runlog.Header{Scenario: "journal"}
	w := &watcher{log: play.NewLive(buffer)}
	for _, p := range []runlog.Piece{{Header: &header, Events: events[:100]}, {Events: events[100:200]}, {Header: &header, Events: events[:50]}, {Events: events[50:60]}} {
		if err := w.take(p); err != nil {
			t.Fatal(err)
		}
	}
	last := func() uint64 { b := w.log.Blocks(); return b[len(b)-1].Last }
	before := w.before(func(*desk.Desk) window.Opening { return &stages{} })
	if o, err := before(nil); err != nil || o == nil {
		t.Fatalf("the second header: opening %v, error %v; want the desk to be opened anew", o, err)
	}
	if o, err := before(nil); err != nil || o != nil || last() != 60 {
		t.Errorf("then: opening %v, error %v, %d events; want the 60 of the second system", o, err, last())
	}
	if err := w.take(runlog.Piece{Events: events[60:70]}); err != nil {
		t.Fatal(err)
	}
	if o, err := before(nil); err != nil || o != nil || last() != 70 {
		t.Errorf("more of it: opening %v, error %v, %d events; want 70", o, err, last())
	}
}

// TestMapOfTheNextSystem has a desk for one system, and then for the one that takes its place: each with its own map.
func TestMapOfTheNextSystem(t *testing.T) {
	events, net, err := rushOf()
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{log: play.NewLive(buffer)}
	var o window.Options
	var fetched atomic.Int32
	w.onDesk(&o, "ops.example", func() (*maps.Network, error) { fetched.Add(1); return net, nil }, look{Link: desk.NewLink()})
	header := runlog.Header{Scenario: "journal"}
	var d *desk.Desk
	for n := range int32(2) {
		if err := w.take(runlog.Piece{Header: &header, Events: events[:200]}); err != nil {
			t.Fatal(err)
		}
		opening := o.Opening
		if n > 0 {
			closer := d.Link()
			closer.Theme, closer.Zoom, closer.Centre, closer.At, closer.Playing = scene.Dark, 2, net.Merchants[0].Point, events[100].T, false
			closer.Selection = scene.Selection{Kind: scene.Robot, ID: "r2"}
			if err := d.Show(closer); err != nil {
				t.Fatal(err)
			}
			if opening, err = o.Before(d); err != nil || opening == nil {
				t.Fatalf("the next system: opening %v, %v", opening, err)
			}
			d = nil
		}
		for end := time.Now().Add(patience); d == nil; {
			var doing string
			if d, doing, _, err = opening.Step(time.Millisecond); err != nil || time.Now().After(end) {
				t.Fatalf("system %d is not on the desk, but it is %q: %v", n+1, doing, err)
			}
		}
		if s := d.Status(); fetched.Load() != n+1 || !s.Playing || s.Speed != 1 {
			t.Errorf("system %d: %d maps fetched; playing %v, %g times as fast; want %d, and as it happens", n+1, fetched.Load(), s.Playing, s.Speed, n+1)
		}
		if l := d.Link(); n > 0 && (l.Theme != scene.Dark || l.Zoom != 2 || l.Selection.ID != "r2" || l.At != 0) {
			t.Errorf("system %d is looked at as %s; want it as the one before was, now", n+1, l)
		}
	}
}

// liveScript watches a system that restarts.
func liveScript() (func() window.Opening, []act, func(*window.Options)) {
	var system *running
	var w *watcher
	var net *maps.Network
	begin := func() window.Opening {
		events, there, err := rushOf()
		net = there
		if err == nil {
			system, err = newRunning(web.Options{}, events, net)
		}
		if err != nil {
			panic(err) // the child ends, and the test says why
		}
		w = watch(context.Background(), system.URL, func(context.Context) (string, error) { return goodToken, nil })
		return nil // options has it
	}
	acts := []act{
		{name: "is with the system", until: func(s desk.Status) bool { return s.Playing && s.Robots > 0 }, shot: "win-live-light"},
		{name: "goes on", until: func() func(desk.Status) bool {
			var first clock.Time
			return func(s desk.Status) bool {
				if first == 0 {
					first = s.Time
				}
				return s.Time.Sub(first) > 20*clock.Second
			}
		}()},
		{name: "looks back", input: press(300, 845), until: func(s desk.Status) bool { return s.Robots > 0 }, check: func(a, b desk.Status) error {
			if a.Time.Sub(b.Time) < 5*clock.Minute {
				return fmt.Errorf("from %v it went to %v", a.Time, b.Time)
			}
			return nil
		}},
		{name: "now again", input: key(desk.End), until: func(s desk.Status) bool { return s.Playing }},
	}
	return begin, acts, func(o *window.Options) {
		w.onDesk(o, system.URL, func() (*maps.Network, error) { return net, nil }, look{Link: desk.NewLink()})
	}
}
