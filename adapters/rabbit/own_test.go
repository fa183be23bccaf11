package rabbit_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/adapters/rabbit"
	"footway/core/delivery"
	"footway/core/fault"
)

// TestOwnBroker needs a broker that it may kill and frighten; it takes a while to start one.
func TestOwnBroker(t *testing.T) {
	if testing.Short() {
		t.Skip("starts, kills and restarts a broker of its own: takes a minute")
	}
	server := backends.Own(t, backends.RabbitMQ)
	t.Run("memory alarm", func(t *testing.T) { memoryAlarm(t, server) })
	t.Run("consumer timeout", func(t *testing.T) { consumerTimeout(t, server) })
	t.Run("killed under load", func(t *testing.T) { killedUnderLoad(t, server) })
}

func ctl(t *testing.T, s *backends.Server, args ...string) {
	t.Helper()
	if out, err := s.Ctl(t.Context(), args...); err != nil {
		t.Fatalf("rabbitmqctl %q: %v\n%s", args, err, out)
	}
}

// memoryAlarm: a broker that takes no messages makes no caller wait, and no Close.
func memoryAlarm(t *testing.T, s *backends.Server) {
	o := options(t, s.URL(), s.URL())
	o.CallTimeout = 2 * time.Second
	b := broker(t, o)
	p, other := publisher(t, b), publisher(t, b)
	mustPublish(t, p, updates(1)...)
	mustPublish(t, other, updates(1)...)
	ctl(t, s, "set_vm_memory_high_watermark", "0")
	t.Cleanup(func() { s.Ctl(context.Background(), "set_vm_memory_high_watermark", "absolute", "1GB") })
	for range 10 {
		began := time.Now()
		taken, err := p.Publish(t.Context(), updates(100))
		if slices.Contains(taken, true) || fault.ReasonOf(err) != "blocked" {
			t.Errorf("Publish under the alarm = %d taken, %v; want none, and a fault of the reason blocked", count(taken), err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("Publish took %s under the alarm, want no time", took)
		}
	}
	began := time.Now()
	other.Close()
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Close took %s under the alarm", took)
	}
	ctl(t, s, "set_vm_memory_high_watermark", "absolute", "1GB")
	eventually(t, 20*time.Second, "the end of the alarm", func() bool {
		taken, err := p.Publish(t.Context(), updates(100))
		return err == nil && count(taken) == 100
	})
}

// consumerTimeout: the broker closes the channel of a consumer that holds an
// update for too long. That costs each update one delivery, not one each time,
// because the consumer does not come back before its store does.
func consumerTimeout(t *testing.T, s *backends.Server) {
	ctl(t, s, "eval", "application:set_env(rabbit, consumer_timeout, 1000), application:set_env(rabbit, channel_tick_interval, 500).")
	t.Cleanup(func() {
		s.Ctl(context.Background(), "eval", "application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000).")
	})
	o := options(t, s.URL(), s.URL())
	o.DeliveryLimit = 2
	b := broker(t, o)
	mustPublish(t, publisher(t, b), updates(5)...)
	var seen seen
	up := time.Now().Add(8 * time.Second) // of the store; the broker loses its patience after one
	ctx, cancel := context.WithCancel(t.Context())
	c := rabbit.NewConsumer(b, func(ctx context.Context, u ...delivery.Update) error {
		if time.Now().Before(up) {
			return fault.New("store", fault.Unavailable, "", "down")
		}
		return seen.take(ctx, u...)
	}, rabbit.ConsumerOptions{})
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	eventually(t, 20*time.Second, "the broker's patience to end", func() bool { return c.Status().Err != nil && !c.Status().Connected })
	t.Logf("the broker gave the updates to others: %v", c.Status().Err)
	eventually(t, 30*time.Second, "five updates", func() bool { return c.Status().Taken >= 5 })
	cancel()
	<-ended
	if d, err := b.Depth(t.Context()); err != nil || d.Dead != 0 || seen.count() != 5 {
		t.Errorf("Depth = %+v, %v, %d deliveries taken; want no dead letter and all five", d, err, seen.count())
	}
}

// killedUnderLoad: kill -9 of the broker, and its return, while updates flow.
//
// RabbitMQ 3.10 writes down which queues there are some minutes after they were
// declared, or when it shuts down in good order. A node that is killed before
// comes back with the queues and without what was in them, confirmed or not. So the
// queues are older than that here, as they are in an installation.
func killedUnderLoad(t *testing.T, s *backends.Server) {
	o := options(t, s.URL(), s.URL())
	o.CallTimeout, o.Heartbeat = 2*time.Second, time.Second
	l := newLine(t, publisher(t, broker(t, o)), 7)
	if err := broker(t, o).Declare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.consume(broker(t, o), 2)
	for range 2 {
		back := make(chan error, 1)
		for round := range 400 {
			if round == 20 {
				go func() {
					s.Kill()
					back <- s.Restart(t.Context())
				}()
			}
			l.write(20)
			_, _ = l.relay.Pump(t.Context()) // an error is what the kill is for; finish wants all in the end
		}
		if err := <-back; err != nil {
			t.Fatal(err)
		}
		l.write(20)
	}
	l.finish()
	t.Logf("%d updates over two deaths of the broker", l.written)
}
