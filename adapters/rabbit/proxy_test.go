package rabbit_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/adapters/rabbit"
	"footway/core/delivery"
	"footway/core/fault"
)

// listen returns the address of somebody who accepts connections and says nothing.
func listen(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all = append(all, c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
		for _, c := range all {
			c.Close()
		}
	})
	return l.Addr().String()
}

// disturbed returns options whose connections go through a link, and the link.
func disturbed(t *testing.T) (rabbit.Options, *backends.Link) {
	t.Helper()
	address := backends.Require(t, backends.RabbitMQ)
	link := backends.Proxy(t, address)
	o := options(t, address, link.URL())
	o.CallTimeout, o.Heartbeat = time.Second, time.Second
	return o, link
}

// TestFaultsOnTheWay: whatever happens to the connection, a call ends in time,
// what counts as taken is in the queue, and when all is well again it goes on.
func TestFaultsOnTheWay(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault func(*backends.Link)
		all   bool // all may be taken
	}{
		{"what we send vanishes", func(l *backends.Link) { l.BlackHole(backends.Up) }, false},
		{"what the broker says vanishes", func(l *backends.Link) { l.BlackHole(backends.Down) }, false},
		{"reset when we send", func(l *backends.Link) { l.Reset(backends.Up) }, false},
		{"reset when the broker answers", func(l *backends.Link) { l.Reset(backends.Down) }, false},
		{"cut", func(l *backends.Link) { l.Cut() }, false},
		{"slow there", func(l *backends.Link) { l.Latency(100*time.Millisecond, 50*time.Millisecond, backends.Up) }, true},
		{"slow back", func(l *backends.Link) { l.Latency(100*time.Millisecond, 50*time.Millisecond, backends.Down) }, true},
		{"too slow", func(l *backends.Link) { l.Latency(3*time.Second, 0, backends.Down) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o, link := disturbed(t)
			b := broker(t, o)
			p := publisher(t, b)
			mustPublish(t, p, update("before", 1))
			c.fault(link)
			began := time.Now()
			taken, err := p.Publish(t.Context(), updates(150))
			took := time.Since(began)
			switch {
			case c.all && (err != nil || count(taken) != 150):
				t.Errorf("%d of 150 updates were taken, %v; want all", count(taken), err)
			case !c.all && (count(taken) != 0 || !fault.Is(err, fault.Unavailable)):
				t.Errorf("%d of 150 updates were taken, %v; want none, and a fault.Unavailable", count(taken), err)
			case took > 2*time.Second:
				t.Errorf("Publish took %s, want a second", took)
			}
			link.Heal()
			eventually(t, 30*time.Second, "a good end", func() bool {
				taken, err := p.Publish(t.Context(), updates(150))
				return err == nil && count(taken) == 150
			})
			closing := time.Now()
			p.Close()
			if took := time.Since(closing); took > 2*time.Second {
				t.Errorf("Close took %s", took)
			}
			seen := seen{}
			consume(t, b, seen.take, func(*rabbit.Consumer) bool { return seen.count() == 151 })
		})
	}
}

// seen is which deliveries were taken.
type seen struct {
	mu  sync.Mutex
	all map[delivery.ID]bool
}

func (s *seen) take(_ context.Context, u ...delivery.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[delivery.ID]bool{}
	}
	for i := range u {
		s.all[u[i].Delivery] = true
	}
	return nil
}

func (s *seen) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}

// TestCloseDoesNotHang: not even when the broker cannot be heard.
func TestCloseDoesNotHang(t *testing.T) {
	o, link := disturbed(t)
	p := publisher(t, broker(t, o))
	mustPublish(t, p, updates(1)...)
	link.BlackHole(backends.Down)
	began := time.Now()
	p.Close()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Close took %s, want a second", took)
	}
}

// TestConsumerNotices: a connection on which nothing comes any more is not
// waited on for ever, in either direction.
func TestConsumerNotices(t *testing.T) {
	for _, d := range []backends.Direction{backends.Up, backends.Down} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			o, link := disturbed(t)
			seen := seen{}
			c := rabbit.NewConsumer(broker(t, o), seen.take, rabbit.ConsumerOptions{Drain: time.Second})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- c.Run(ctx) }()
			eventually(t, 10*time.Second, "a connection", func() bool { return c.Status().Connected })
			link.BlackHole(d)
			eventually(t, 10*time.Second, "a lost connection", func() bool { return !c.Status().Connected })
			link.Heal()
			mustPublish(t, publisher(t, broker(t, o)), updates(3)...)
			eventually(t, 30*time.Second, "three updates", func() bool { return seen.count() == 3 })
			link.BlackHole(d)
			began := time.Now()
			cancel()
			<-ended
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("Run took %s to end, want a second or two", took)
			}
		})
	}
}
