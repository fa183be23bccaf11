package postgres_test

import (
	"net"
	"net/url"
	"sync"
	"testing"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/core/delivery"
	"footway/core/porttest/fake"
)

// tripCounter passes connections on to a server, and counts how often a client
// speaks after the server has spoken.
type tripCounter struct {
	mu       sync.Mutex
	answered bool
	trips    int
}

func (c *tripCounter) heard(fromServer bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !fromServer && c.answered {
		c.trips++
	}
	c.answered = fromServer
}

func (c *tripCounter) take() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.trips
	c.trips = 0
	return n
}

// serve returns the address at which it passes connections on to server.
func (c *tripCounter) serve(t *testing.T, server string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			up, err := net.Dial("tcp", server)
			if err != nil {
				t.Error(err)
				client.Close()
				return
			}
			go c.pass(up, client, false)
			go c.pass(client, up, true)
		}
	}()
	return listener.Addr().String()
}

// pass copies until either end closes.
func (c *tripCounter) pass(to, from net.Conn, fromServer bool) {
	defer to.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			c.heard(fromServer)
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			from.Close()
			return
		}
	}
}

// TestTakeIsFourRoundTrips counts them for calls of all sizes and outcomes.
func TestTakeIsFourRoundTrips(t *testing.T) {
	backends.Require(t, backends.Postgres)
	u, err := url.Parse(freshDatabase(t, postgres.Integrations))
	if err != nil {
		t.Fatal(err)
	}
	var c tripCounter
	u.Host = c.serve(t, u.Host)
	u.RawQuery = "sslmode=disable"
	db, err := postgres.Open(t.Context(), postgres.Integrations, postgres.Options{URL: u.String(), MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	l := postgres.NewPartnerLog(db, fake.NewClock(fake.Start))
	take := func(what string, most int, u []delivery.Update) {
		t.Helper()
		c.take()
		if err := l.Take(t.Context(), u...); err != nil {
			t.Fatal(err)
		}
		if trips := c.take(); trips > most {
			t.Errorf("%s: %d round trips; want at most %d", what, trips, most)
		}
	}
	for group := range 3 { // the first prepare the statements
		most := []int{20, 4, 4}[group]
		take("one", most, wave(group, 1, 1))
		take("one held", most, wave(group, 1, 3))
		take("one that fills a gap", most, wave(group, 1, 2))
		take("200", most, wave(10+group, 200, 1))
		take("200 held", most, wave(10+group, 200, 3))
		take("200 that fill gaps", most, wave(10+group, 200, 2))
		take("200 duplicates", most, wave(10+group, 200, 2))
		take("none", 0, nil)
	}
}
