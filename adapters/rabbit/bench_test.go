package rabbit_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/adapters/memory"
	"footway/adapters/rabbit"
	"footway/core/delivery"
)

// These two run against the same broker, so that the one can be read against the other.

// BenchmarkOutboxToConsumer is the way of an update from its commit to the
// outbox of Deliveries until Integrations has taken it: flat out, and at a pace that the
// broker keeps easily, where the delay is what a partner would see.
func BenchmarkOutboxToConsumer(b *testing.B) {
	b.Run("flat out", func(b *testing.B) { outboxToConsumer(b, 0) })
	b.Run("1000 a second", func(b *testing.B) { outboxToConsumer(b, 1000) })
}

// arrivals is when updates were committed and taken.
type arrivals struct {
	mu        sync.Mutex
	committed map[delivery.UpdateKey]time.Time
	delays    []time.Duration
}

func (a *arrivals) commit(u *delivery.Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.committed[u.Key()] = time.Now()
}

func (a *arrivals) take(_ context.Context, u ...delivery.Update) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	for i := range u {
		a.delays = append(a.delays, now.Sub(a.committed[u[i].Key()]))
	}
	return nil
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.delays)
}

func outboxToConsumer(b *testing.B, perSecond int) {
	broker := broker(b, quiet(b))
	p := publisher(b, broker)
	store := memory.NewDeliveryStore()
	relay := delivery.NewRelay(store, p)
	a := arrivals{committed: make(map[delivery.UpdateKey]time.Time, b.N)}
	ctx, cancel := context.WithCancel(b.Context())
	c := rabbit.NewConsumer(broker, a.take, rabbit.ConsumerOptions{})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	eventually(b, 10*time.Second, "a consumer", func() bool { return c.Status().Connected })
	b.ResetTimer()
	began := time.Now()
	for n := 0; n < b.N; {
		group := min(200, b.N-n)
		if perSecond > 0 {
			group = 1 + n%10
			time.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(perSecond))))
		}
		for range min(group, b.N-n) {
			id := fmt.Sprintf("d%08d", n)
			u := update(id, 1)
			a.commit(&u)
			d := delivery.Delivery{ID: u.Delivery, Market: u.Market, Partner: u.Partner, ExternalID: u.ExternalID}
			if err := store.Create(ctx, d, delivery.Personal{Delivery: u.Delivery}, u); err != nil {
				b.Fatal(err)
			}
			n++
		}
		if _, err := relay.Pump(ctx); err != nil {
			b.Fatal(err)
		}
	}
	eventually(b, time.Minute, "all updates", func() bool { return a.count() >= b.N })
	b.StopTimer()
	cancel()
	<-ended
	slices.Sort(a.delays)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
	b.ReportMetric(float64(a.delays[len(a.delays)/2].Microseconds())/1000, "p50-delay-ms")
	b.ReportMetric(float64(a.delays[len(a.delays)*99/100].Microseconds())/1000, "p99-delay-ms")
}

func quiet(b *testing.B) rabbit.Options {
	o := shared(b)
	o.Logger = nil
	return o
}

// BenchmarkBareConfirms is what the broker itself gives: messages of the same
// size into the same kind of queue by the vendor's client, and nothing else.
func BenchmarkBareConfirms(b *testing.B) {
	for _, batch := range []int{200, 1} {
		b.Run(fmt.Sprintf("batch %d", batch), func(b *testing.B) {
			o := quiet(b)
			if err := broker(b, o).Declare(b.Context()); err != nil {
				b.Fatal(err)
			}
			ch := direct(b, o.URL)
			if err := ch.Confirm(false); err != nil {
				b.Fatal(err)
			}
			body, err := delivery.EncodeUpdate(update("d00000000", 1))
			if err != nil {
				b.Fatal(err)
			}
			m := amqp.Publishing{Body: body, DeliveryMode: amqp.Persistent, ContentType: "application/json", MessageId: "d00000000/1"}
			b.SetBytes(int64(len(body)))
			b.ResetTimer()
			for n := 0; n < b.N; n += batch {
				var pending []*amqp.DeferredConfirmation
				for range min(batch, b.N-n) {
					c, err := ch.PublishWithDeferredConfirm(o.Prefix+"footway.deliveries", "delivery.a.b.state", true, false, m)
					if err != nil {
						b.Fatal(err)
					}
					pending = append(pending, c)
				}
				for _, c := range pending {
					if !c.Wait() {
						b.Fatal("the broker refused a message")
					}
				}
			}
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "confirms/s")
		})
	}
}
