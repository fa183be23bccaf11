package stores_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/core/delivery"
)

// TestNothingAcknowledgedIsLost: partners order, edit and cancel, and repeat what is not answered; relays
// and consumers carry the updates to the partners' logs. Meanwhile every connection is slow, is broken
// and goes silent, in either direction; PostgreSQL and RabbitMQ are killed; relays and consumers are
// stopped and started. In the end everything that was committed was told, once and in order, and
// nothing that identifies people has left its table.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills servers of its own: takes a minute")
	}
	seed := chaosSeed(t)
	length := chaosTime(t, 20*time.Second)
	c := newChain(t)
	ctx, cancel := context.WithTimeout(t.Context(), length+2*time.Minute)
	w := c.begin(ctx, seed)
	t.Cleanup(func() { cancel(); w.end() })

	faults := c.disturb(ctx, seed, length, w)
	for _, l := range c.links.all() {
		l.Heal()
	}
	w.finish()
	if !eventually(ctx, 40*time.Second, c.drained) {
		t.Error("40 s after the last fault there are updates that the partners were not told")
	}
	w.end()
	if t.Context().Err() == nil {
		c.check()
	}
	accepted := 0
	for _, o := range c.orders {
		if o.accepted {
			accepted++
		}
	}
	t.Logf("%d requests (%d without an answer), %d deliveries accepted, %d updates, %d faults; %d publications and %d takings failed, %d updates came again; the longest silence was %s",
		c.requests.Load(), c.unanswered.Load(), accepted, len(c.saved), faults, c.refused.Load(), c.untaken.Load(), c.dupes, c.still.Round(time.Millisecond))
	if accepted < 50 || c.unanswered.Load() == 0 || c.refused.Load() == 0 || c.untaken.Load() == 0 || c.dupes == 0 {
		t.Error("too little happened for this to have shown anything")
	}
}

// working is everybody at work.
type working struct {
	processes []*process
	calm      chan struct{} // closed when partners are to begin nothing new
	calmed    sync.Once
	partners  sync.WaitGroup
	restarts  sync.WaitGroup
	pools     []*postgres.DB
}

const partners = 8

// begin puts everybody to work.
func (c *chain) begin(ctx context.Context, seed uint64) *working {
	w := &working{calm: make(chan struct{}), processes: c.processes(seed)}
	for _, p := range w.processes {
		p.start(ctx)
	}
	var services []*delivery.Service
	for range 2 { // replicas
		db := c.open(postgres.Deliveries, c.links.deliveries.URL())
		w.pools = append(w.pools, db)
		services = append(services, c.service(postgres.NewDeliveryStore(db)))
	}
	for n := range partners {
		p := &partner{chain: c, name: delivery.PartnerID(fmt.Sprintf("p%d", n/2)), rand: rand.New(rand.NewPCG(seed, 10+uint64(n))), services: services}
		p.prefix = fmt.Sprintf("p%d", n)
		w.partners.Go(func() { p.work(ctx, w.calm) })
	}
	return w
}

// disturb does what the seed says, and returns how much that was.
func (c *chain) disturb(ctx context.Context, seed uint64, length time.Duration, w *working) int {
	s := newStorm(seed, length)
	for _, l := range c.links.all() {
		s.disturb(l)
	}
	faults := len(s.acts) / 2 // each is healed
	kill := func(server *backends.Server) func() {
		return func() {
			server.Kill()
			w.restarts.Go(func() {
				if err := server.Restart(ctx); err != nil {
					c.t.Errorf("restart: %v", err)
				}
			})
		}
	}
	s.repeat(length/5, length/5+10*time.Second, kill(c.rabbit))
	s.repeat(length/5, length/5+6*time.Second, kill(c.postgres))
	for _, p := range w.processes {
		s.repeat(1500*time.Millisecond, 5*time.Second, func() {
			w.restarts.Go(func() {
				p.end()
				p.start(ctx)
			})
		})
	}
	s.rage(ctx)
	w.restarts.Wait()
	return faults + len(s.acts) - 2*faults
}

// finish waits for the partners to carry through what they have begun.
func (w *working) finish() {
	w.calmed.Do(func() { close(w.calm) })
	w.partners.Wait()
}

// end stops everybody. It may be called twice.
func (w *working) end() {
	w.restarts.Wait()
	w.finish()
	for _, p := range w.processes {
		p.end()
	}
	for _, db := range w.pools {
		db.Close()
	}
	w.pools = nil
}
