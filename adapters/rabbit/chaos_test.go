package rabbit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/adapters/memory"
	"footway/adapters/rabbit"
	"footway/adapters/wallclock"
	"footway/core/delivery"
	"footway/core/fault"
)

// line is the whole way: outbox, relay, broker, consumers, log of the partner.
type line struct {
	t     *testing.T
	store *memory.DeliveryStore
	relay *delivery.Relay
	log   *memory.PartnerLog

	mu       sync.Mutex
	chance   *rand.Rand
	trouble  bool // the store of the integrations fails now and then
	revision map[delivery.ID]uint64
	last     map[delivery.ID]uint64
	written  int
}

func newLine(t *testing.T, p delivery.Publisher, seed uint64) *line {
	l := &line{
		t: t, store: memory.NewDeliveryStore(), log: memory.NewPartnerLog(wallclock.Clock{}),
		chance: rand.New(rand.NewPCG(seed, 1)), revision: map[delivery.ID]uint64{}, last: map[delivery.ID]uint64{},
	}
	l.relay = delivery.NewRelay(l.store, p)
	return l
}

func (l *line) draw(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.chance.IntN(n)
}

func (l *line) setTrouble(on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trouble = on
}

// take is the log's, with a store that fails before or after its effect.
func (l *line) take(ctx context.Context, u ...delivery.Update) error {
	l.mu.Lock()
	trouble := l.trouble
	l.mu.Unlock()
	fails := trouble && l.draw(4) == 0
	if fails && l.draw(2) == 0 {
		return fault.New("log", fault.Unavailable, "lost", "nothing happened")
	}
	if err := l.log.Take(ctx, u...); err != nil {
		return err
	}
	if fails {
		return fault.New("log", fault.Unavailable, "lost", "it happened, and nobody knows")
	}
	return nil
}

// write adds an update to each of n deliveries.
func (l *line) write(n int) {
	l.t.Helper()
	for i := range n {
		id := delivery.ID(fmt.Sprintf("d%03d", i))
		l.last[id]++
		u := update(string(id), l.last[id])
		d := delivery.Delivery{ID: id, Market: u.Market, Partner: u.Partner, ExternalID: u.ExternalID, Revision: l.revision[id]}
		var err error
		if l.last[id] == 1 {
			l.revision[id], err = 1, l.store.Create(l.t.Context(), d, delivery.Personal{Delivery: id}, u)
		} else {
			l.revision[id], err = l.store.Save(l.t.Context(), d, u)
		}
		if err != nil {
			l.t.Fatal(err)
		}
		l.written++
	}
}

// consume starts consumers that run until the test ends.
func (l *line) consume(b *rabbit.Broker, n int) []*rabbit.Consumer {
	var all []*rabbit.Consumer
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(l.t.Context())
	for range n {
		c := rabbit.NewConsumer(b, l.take, rabbit.ConsumerOptions{Batch: 20, Drain: time.Second})
		all = append(all, c)
		wg.Go(func() {
			if err := c.Run(ctx); err != nil {
				l.t.Errorf("Run = %v", err)
			}
		})
	}
	l.t.Cleanup(func() { cancel(); wg.Wait() })
	return all
}

// finish pumps until the outbox is empty, waits for all to arrive, and checks
// that the partner was told everything once, in order.
func (l *line) finish() {
	l.t.Helper()
	eventually(l.t, 60*time.Second, "an empty outbox", func() bool {
		_, err := l.relay.Pump(l.t.Context())
		return err == nil
	})
	told := func() int {
		entries, err := l.log.Entries(l.t.Context(), "dd", 0, l.written+1)
		if err != nil {
			l.t.Fatal(err)
		}
		return len(entries)
	}
	deadline := time.Now().Add(60 * time.Second)
	for told() < l.written && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	entries, err := l.log.Entries(l.t.Context(), "dd", 0, 2*l.written)
	if err != nil {
		l.t.Fatal(err)
	}
	last := map[delivery.ID]uint64{}
	for _, e := range entries {
		if e.Sequence != last[e.Delivery]+1 {
			l.t.Errorf("position %d: %s/%d was told after %d", e.Position, e.Delivery, e.Sequence, last[e.Delivery])
		}
		last[e.Delivery] = e.Sequence
	}
	if len(entries) != l.written {
		gaps, _ := l.log.Gaps(l.t.Context(), 5)
		l.t.Errorf("the partner was told %d updates of %d; gaps: %+v", len(entries), l.written, gaps)
	}
}

// TestNothingLostNothingTwice: outbox, relay, broken connection, broker, broken
// connection, two consumers, a log that loses answers: and the partner is told
// every update once, in the order of each delivery.
func TestNothingLostNothingTwice(t *testing.T) {
	const seed = 20261122
	address := backends.Require(t, backends.RabbitMQ)
	out, in := backends.Proxy(t, address), backends.Proxy(t, address)
	po := options(t, address, out.URL())
	if err := broker(t, po).Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	po.CallTimeout, po.Heartbeat = 500*time.Millisecond, time.Second
	co := po
	co.URL = in.URL()
	l := newLine(t, publisher(t, broker(t, po)), seed)
	consumers := l.consume(broker(t, co), 2)
	l.setTrouble(true)
	faults := []func(*backends.Link, backends.Direction){
		(*backends.Link).BlackHole, (*backends.Link).Reset,
		func(k *backends.Link, d backends.Direction) { k.Latency(150*time.Millisecond, 100*time.Millisecond, d) },
		func(k *backends.Link, _ backends.Direction) { k.Cut() },
	}
	t.Logf("faults by the seed %d", seed)
	var refused int
	for round := range 40 {
		link := []*backends.Link{out, in}[round%2]
		faults[l.draw(len(faults))](link, []backends.Direction{backends.Up, backends.Down}[l.draw(2)])
		for range 4 {
			l.write(40)
			if _, err := l.relay.Pump(t.Context()); err != nil {
				refused++
			}
		}
		link.Heal()
		if _, err := l.relay.Pump(t.Context()); err != nil {
			refused++
		}
	}
	l.setTrouble(false)
	l.finish()
	again := uint64(0)
	for _, c := range consumers {
		again += c.Status().Again
	}
	t.Logf("%d updates, %d times the relay could not go on, %d updates delivered again", l.written, refused, again)
	if refused == 0 || again == 0 {
		t.Error("the faults had no effect")
	}
	if letters, err := rabbit.NewDeadLetters(broker(t, directly(po, address))).List(t.Context(), 10); err != nil || len(letters) > 0 {
		t.Errorf("dead letters: %+v, %v; want none", letters, err)
	}
}

// directly returns the options without the link in between.
func directly(o rabbit.Options, address string) rabbit.Options {
	o.URL, o.CallTimeout = address, 0
	return o
}
