package rabbit_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"footway/adapters/backends"
	"footway/adapters/rabbit"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var prefixes atomic.Int64

// options returns options for an empty part of the broker at address, which is
// deleted at the end of the test through the connection at direct.
func options(tb testing.TB, direct, address string) rabbit.Options {
	tb.Helper()
	prefix := fmt.Sprintf("test-%d-%d.", os.Getpid(), prefixes.Add(1))
	tb.Cleanup(func() { remove(tb, direct, prefix) })
	return rabbit.Options{URL: address, Prefix: prefix, Logger: slog.New(slog.NewTextHandler(tb.Output(), nil))}
}

func shared(tb testing.TB) rabbit.Options {
	tb.Helper()
	address := backends.Require(tb, backends.RabbitMQ)
	return options(tb, address, address)
}

func remove(tb testing.TB, address, prefix string) {
	tb.Helper()
	ch := direct(tb, address)
	for _, q := range []string{"footway.integrations", "footway.integrations.dead"} {
		if _, err := ch.QueueDelete(prefix+q, false, false, false); err != nil {
			tb.Errorf("delete queue: %v", err)
		}
	}
	for _, e := range []string{"footway.deliveries", "footway.integrations.dead"} {
		if err := ch.ExchangeDelete(prefix+e, false, false); err != nil {
			tb.Errorf("delete exchange: %v", err)
		}
	}
}

// direct returns a channel of the vendor's own.
func direct(tb testing.TB, address string) *amqp.Channel {
	tb.Helper()
	conn, err := amqp.DialConfig(address, amqp.Config{Dial: amqp.DefaultDial(10 * time.Second)})
	if err != nil {
		tb.Fatalf("connect to the broker: %v", err)
	}
	tb.Cleanup(func() { conn.CloseDeadline(time.Now().Add(5 * time.Second)) })
	ch, err := conn.Channel()
	if err != nil {
		tb.Fatalf("open a channel: %v", err)
	}
	return ch
}

func broker(tb testing.TB, o rabbit.Options) *rabbit.Broker {
	tb.Helper()
	b, err := rabbit.NewBroker(o)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func publisher(tb testing.TB, b *rabbit.Broker) *rabbit.Publisher {
	tb.Helper()
	p := rabbit.NewPublisher(b, rabbit.PublisherOptions{})
	tb.Cleanup(p.Close)
	return p
}

func update(id string, sequence uint64) delivery.Update {
	return delivery.Update{
		Delivery: delivery.ID(id), Sequence: sequence, Kind: delivery.StateChanged, At: clock.Time(sequence), Market: "seattle", Partner: "dd",
		ExternalID: "x-" + id, From: delivery.Loaded, To: delivery.ToDropoff, Robot: "r1", Attempt: 1, Fee: 975,
	}
}

func updates(n int) []delivery.Update {
	all := make([]delivery.Update, n)
	for i := range all {
		all[i] = update(fmt.Sprintf("d%04d", i), 1)
	}
	return all
}

func mustPublish(tb testing.TB, p delivery.Publisher, u ...delivery.Update) {
	tb.Helper()
	taken, err := p.Publish(tb.Context(), u)
	if err != nil || count(taken) != len(u) {
		tb.Fatalf("Publish took %d of %d updates: %v", count(taken), len(u), err)
	}
}

func count(taken []bool) (n int) {
	for _, t := range taken {
		if t {
			n++
		}
	}
	return n
}

func eventually(tb testing.TB, within time.Duration, what string, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			tb.Fatalf("%s: not within %s", what, within)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func wantFault(tb testing.TB, what string, err error, k fault.Kind, reason string) {
	tb.Helper()
	if !fault.Is(err, k) || fault.ReasonOf(err) != reason {
		tb.Errorf("%s: got error %v, want one of kind %v for the reason %q", what, err, k, reason)
	}
}

func TestBroker(t *testing.T) {
	porttest.Broker(t, func(t *testing.T) porttest.BrokerPorts {
		b := broker(t, shared(t))
		return porttest.BrokerPorts{
			Publisher: publisher(t, b),
			Consume: func(ctx context.Context, take func(context.Context, ...delivery.Update) error) error {
				return rabbit.NewConsumer(b, take, rabbit.ConsumerOptions{}).Run(ctx)
			},
			Dead: func(ctx context.Context) ([]delivery.UpdateKey, error) {
				letters, err := rabbit.NewDeadLetters(b).List(ctx, 100)
				var keys []delivery.UpdateKey
				for _, l := range letters {
					keys = append(keys, l.Update.Key())
				}
				return keys, err
			},
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	secret := func(context.Context) (string, error) { return "hunter2", nil }
	for _, c := range []struct {
		name string
		o    rabbit.Options
		want string
	}{
		{"no address", rabbit.Options{}, "amqp://user@host:port/vhost"},
		{"an address that cannot be read", rabbit.Options{URL: "amqp://footway:hunter2@ho st/"}, "amqp://user@host:port/vhost"},
		{"password twice", rabbit.Options{URL: "amqp://footway:hunter2@host/", Password: secret}, "the reference only"},
		{"a limit below zero", rabbit.Options{URL: "amqp://footway@host/", DeliveryLimit: -1}, "delivery limit -1"},
		{"a length below zero", rabbit.Options{URL: "amqp://footway@host/", MaxLength: -1}, "length -1"},
		{"a prefix that no name has room for", rabbit.Options{URL: "amqp://footway@host/", Prefix: strings.Repeat("p", 200)}, "prefix of 200 bytes"},
	} {
		_, err := rabbit.NewBroker(c.o)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: got %v, want a fault.Invalid with %q", c.name, err, c.want)
		}
		if strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the error repeats the password: %v", c.name, err)
		}
	}
}
