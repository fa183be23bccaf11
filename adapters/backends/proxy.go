package backends

import (
	"context"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2/client"
)

// Direction is a way through a proxy.
type Direction string

// Up is what the client sends, Down what the server answers. A fault of the
// one is not a fault of the other: with Down alone, a request takes effect and
// only its answer is lost.
const (
	Up   Direction = "upstream"
	Down Direction = "downstream"
)

// Link is a connection to a server that a test can disturb. It is a process of
// its own, so that the disturbance does not share a scheduler with the test.
// Faults add up until Heal.
type Link struct {
	tb       testing.TB
	upstream string
	listen   string
	proxy    *toxiproxy.Proxy // written by every call of it
}

// Proxy opens a link to upstream, a host:port or a URL with one, for the
// duration of the test. Without toxiproxy it skips the test; under CI=true it
// fails it.
func Proxy(tb testing.TB, upstream string) *Link {
	tb.Helper()
	path, err := toxiproxyPath()
	if err != nil {
		notRun(tb, "%v", err)
	}
	target := upstream
	if strings.Contains(upstream, "://") {
		u, err := url.Parse(upstream)
		if err != nil {
			tb.Fatal("proxy: the address is not a URL") // not its text, which may hold a password
		}
		target = u.Host
	}
	l := &Link{tb: tb, upstream: upstream}
	l.listen = l.freeAddress()
	client := l.serve(path)
	if l.proxy, err = client.CreateProxy("link", l.listen, target); err != nil {
		tb.Fatalf("proxy to %s: %v", target, err)
	}
	return l
}

func (l *Link) freeAddress() string {
	l.tb.Helper()
	port, err := freePort()
	if err != nil {
		l.tb.Fatal(err)
	}
	return address(port)
}

// serve starts the proxy's process and returns a client of it.
func (l *Link) serve(path string) *toxiproxy.Client {
	l.tb.Helper()
	port, err := freePort()
	if err != nil {
		l.tb.Fatal(err)
	}
	dir := l.tb.TempDir()
	log := filepath.Join(dir, "toxiproxy.log")
	p, err := spawn(command{
		path: path, args: []string{"-host", loopback, "-port", strconv.Itoa(port)}, dir: dir,
		account: account{name: "oneself"}, env: []string{"LOG_LEVEL=warn"}, quit: syscall.SIGKILL, orphan: syscall.SIGKILL,
	}, log)
	if err != nil {
		l.tb.Fatal(err)
	}
	l.tb.Cleanup(p.kill)
	ctx, cancel := context.WithTimeout(l.tb.Context(), 20*time.Second)
	defer cancel()
	client := toxiproxy.NewClient(address(port))
	for {
		_, err := client.Version()
		if err == nil {
			return client
		}
		if p.ended() || !pause(ctx, poll/5) {
			l.tb.Fatalf("toxiproxy does not answer: %v; its log ends:\n%s", err, tailOf(log))
		}
	}
}

// Addr returns the address to connect to instead of the upstream's. Like URL it may be called while
// another goroutine disturbs the link.
func (l *Link) Addr() string { return l.listen }

// URL returns the upstream's URL with the link's address in it.
func (l *Link) URL() string {
	l.tb.Helper()
	u, err := url.Parse(l.upstream)
	if err != nil || u.Host == "" {
		l.tb.Fatal("proxy: the upstream was not given as a URL")
	}
	u.Host = l.Addr()
	return u.String()
}

// Latency delays whatever goes in direction d by delay, give or take jitter.
func (l *Link) Latency(delay, jitter time.Duration, d Direction) {
	l.tb.Helper()
	l.toxic("latency", d, toxiproxy.Attributes{"latency": delay.Milliseconds(), "jitter": jitter.Milliseconds()})
}

// Reset makes the first bytes in direction d break their connection, as a
// firewall or a crashed host does.
func (l *Link) Reset(d Direction) {
	l.tb.Helper()
	l.toxic("reset_peer", d, toxiproxy.Attributes{"timeout": 0})
}

// BlackHole swallows whatever goes in direction d; connections stay open.
func (l *Link) BlackHole(d Direction) {
	l.tb.Helper()
	l.toxic("timeout", d, toxiproxy.Attributes{"timeout": 0})
}

func (l *Link) toxic(kind string, d Direction, a toxiproxy.Attributes) {
	l.tb.Helper()
	if _, err := l.proxy.AddToxic(kind+"-"+string(d), kind, string(d), 1, a); err != nil {
		l.tb.Fatalf("proxy: add %s %s: %v", kind, d, err)
	}
}

// Cut closes every connection and refuses new ones until Restore.
func (l *Link) Cut() {
	l.tb.Helper()
	if err := l.proxy.Disable(); err != nil {
		l.tb.Fatalf("proxy: cut: %v", err)
	}
}

// Restore lets connections through again after Cut.
func (l *Link) Restore() {
	l.tb.Helper()
	if err := l.proxy.Enable(); err != nil {
		l.tb.Fatalf("proxy: restore: %v", err)
	}
}

// Heal takes every fault away, Cut too. What a black hole swallowed does not
// come back, so connections that went through one are closed.
func (l *Link) Heal() {
	l.tb.Helper()
	toxics, err := l.proxy.Toxics()
	if err != nil {
		l.tb.Fatalf("proxy: heal: %v", err)
	}
	for _, toxic := range toxics {
		if err := l.proxy.RemoveToxic(toxic.Name); err != nil {
			l.tb.Fatalf("proxy: heal %s: %v", toxic.Name, err)
		}
	}
	l.Restore()
}
