package system_test

import (
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// front is the one address of a service's replicas, as a load balancer has it: connections go
// to the replicas in turn, past those where nobody listens.
type front struct {
	l        net.Listener
	replicas []string
	turn     atomic.Uint64
	conns    sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]bool // nil once closed
}

func newFront(t testing.TB, replicas ...string) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &front{l: l, replicas: replicas, open: map[net.Conn]bool{}}
	f.conns.Go(f.accept)
	t.Cleanup(f.close)
	return f
}

func (f *front) address() string { return f.l.Addr().String() }

func (f *front) accept() {
	for {
		c, err := f.l.Accept()
		if err != nil {
			return
		}
		f.conns.Go(func() { f.join(c) })
	}
}

// join carries what one side says to the other, until both are silent.
func (f *front) join(c net.Conn) {
	if !f.hold(c) {
		return
	}
	defer f.drop(c)
	r := f.reach()
	if r == nil || !f.hold(r) {
		return
	}
	defer f.drop(r)
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{c, r}, {r, c}} {
		both.Go(func() {
			if _, err := io.Copy(way[0], way[1]); err != nil {
				c.Close()
				r.Close()
				return
			}
			if w, ok := way[0].(*net.TCPConn); ok {
				_ = w.CloseWrite() // if it fails, the other way ends too
			}
		})
	}
	both.Wait()
}

// reach connects to the next replica that listens, or to none.
func (f *front) reach() net.Conn {
	first := f.turn.Add(1)
	for i := range f.replicas {
		c, err := net.DialTimeout("tcp", f.replicas[(first+uint64(i))%uint64(len(f.replicas))], time.Second)
		if err == nil {
			return c
		}
	}
	return nil
}

func (f *front) hold(c net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open == nil {
		c.Close()
		return false
	}
	f.open[c] = true
	return true
}

func (f *front) drop(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c.Close()
	delete(f.open, c)
}

func (f *front) close() {
	f.l.Close()
	f.mu.Lock()
	for c := range f.open {
		c.Close()
	}
	f.open = nil
	f.mu.Unlock()
	f.conns.Wait()
}

// freeAddress returns an address of this machine where nobody listens. Its port is below those that
// systems give to outgoing connections, which could take it while a process is away.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000)))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("there is no free port between 10000 and 30000")
	return ""
}
