package demo_test

import (
	"bytes"
	"context"
	"flag"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"footway/cmd/demo"
	"footway/core/clock"
	"footway/core/market"
	"footway/core/rng"
	"footway/sim/city"
	"footway/sim/scenario"
)

// show is a demo that runs.
type show struct {
	url  string
	data string
	end  func() error
}

// begin starts a demo of a small city, and ends it with the test.
func begin(t testing.TB) *show {
	t.Helper()
	n, err := city.Generate(rng.Seed(3), city.Options{WidthM: 1500, HeightM: 1200, Merchants: 12})
	if err != nil {
		t.Fatal(err)
	}
	s := scenario.Defaults()
	s.Name, s.Start, s.Duration, s.Seed = "demo", "2026-01-01T00:00", 100*24*clock.Hour, 1
	s.Fleet.Robots, s.Fleet.Couriers, s.Demand.PerHour = 15, 0, 0
	s.World.Robots.Stuck, s.World.Robots.Breakdowns, s.World.Robots.ContactLost, s.World.Robots.Jam = 0, 0, 0, 0
	s.Fill()
	log := &lockedLog{}
	ctx, cancel := context.WithCancel(context.Background())
	started, ended := make(chan string, 1), make(chan error, 1)
	data := t.TempDir()
	go func() {
		ended <- demo.Run(ctx, demo.Options{
			Listen: "127.0.0.1:0", Market: market.Market{ID: "city", Name: n.Name, TimeZone: "America/New_York"}, Network: n, Scenario: s, Speed: 60, Orders: 2,
			Data: data, Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})), Version: "test", Started: func(url string) { started <- url },
		})
	}()
	d := &show{data: data, end: sync.OnceValue(func() error { cancel(); return <-ended })}
	t.Cleanup(func() {
		if err := d.end(); err != nil {
			t.Errorf("the demo ended with: %v", err)
		}
		if t.Failed() {
			t.Logf("its log:\n%s", log)
		}
	})
	select {
	case d.url = <-started:
	case err := <-ended:
		t.Fatalf("the demo did not start: %v", err)
	case <-time.After(time.Minute):
		t.Fatal("the demo did not start within a minute")
	}
	return d
}

type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestMain lets more stories be told at a time than there are processors: what they do most is to wait for robots.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "16"); err != nil {
		panic(err) // the flag is of package testing
	}
	os.Exit(m.Run())
}

// get reads a page.
func get(t testing.TB, url string) (int, string) {
	t.Helper()
	a, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return a.StatusCode, string(body)
}

func TestItLeavesNothingBehind(t *testing.T) {
	before := goleak.IgnoreCurrent()
	d := begin(t)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := client.Get(d.url + "/demo/recipient") // a page with a stream that does not end by itself
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	stream, err := client.Get(a.Request.URL.String() + "/events")
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", stream, err)
	}
	began := time.Now()
	if err := d.end(); err != nil {
		t.Error(err)
	}
	_ = stream.Body.Close()
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v to end", took)
	}
	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before)
	logs, err := filepath.Glob(filepath.Join(d.data, "*.fwlog"))
	if err != nil || len(logs) == 0 {
		t.Errorf("--data keeps %v, %v; want the log", logs, err)
	}
}

// wire forwards connections, and can be cut.
type wire struct {
	t           testing.TB
	address, to string

	mu    sync.Mutex
	l     net.Listener
	conns []net.Conn
}

func newWire(t testing.TB, to string) *wire {
	t.Helper()
	w := &wire{t: t, address: "127.0.0.1:0", to: to}
	w.mend()
	t.Cleanup(w.cut)
	return w
}

// mend listens again.
func (w *wire) mend() {
	w.t.Helper()
	l, err := net.Listen("tcp", w.address)
	if err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.l, w.address = l, l.Addr().String()
	w.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.forward(c)
		}
	}()
}

func (w *wire) forward(c net.Conn) {
	defer c.Close()
	up, err := net.Dial("tcp", w.to)
	if err != nil {
		return
	}
	defer up.Close()
	w.mu.Lock()
	if w.l == nil { // it was cut meanwhile
		w.mu.Unlock()
		return
	}
	w.conns = append(w.conns, c, up)
	w.mu.Unlock()
	go func() {
		_, _ = io.Copy(up, c) // until one of the two is closed
		_ = up.Close()
	}()
	_, _ = io.Copy(c, up)
}

// cut ends all connections, and takes no new ones.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.l == nil {
		return
	}
	_ = w.l.Close()
	w.l = nil
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}
