package rabbit

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/fault"
)

// Options say how to reach a broker and what it is to hold. Publishers and
// consumers of one broker must agree on all but the times.
type Options struct {
	// URL is amqp://user@host:port/vhost, or amqps://, without a password.
	URL string
	// Password gives the password for each new connection, so that it may change
	// while the program runs. Nil: the URL has it, or there is none.
	Password func(context.Context) (string, error)
	// TLS is for amqps. Nil: the system's authorities, TLS 1.2 or later.
	TLS *tls.Config
	// Prefix is put before the name of each exchange and queue, so that several
	// installations can share a virtual host.
	Prefix string
	// Name is what the broker's own pages call this process's connections. "" is "footway".
	Name string
	// CallTimeout bounds each call, reconnecting included. 0 is 5 s.
	CallTimeout time.Duration
	// Heartbeat is how often each side shows that it is there, in whole seconds. A
	// connection that is silent two and a half times as long is lost. 0 is 10 s.
	Heartbeat time.Duration
	// DeliveryLimit is how often an update comes back before the broker gives it
	// up as a dead letter. Every way of not acknowledging counts, a lost
	// connection too, so it is there for updates that kill their consumer and must not
	// be small. 0 is 100.
	DeliveryLimit int
	// MaxLength is about how many updates may wait before the broker refuses more. 0 is 1,000,000.
	MaxLength int
	// Logger is told of what no caller hears. Nil: nobody is.
	Logger *slog.Logger
}

// Broker is a broker's address and the exchanges and queues that it is to
// hold. It has no connection of its own and is safe for concurrent use.
type Broker struct {
	o    Options
	dial dialer
	log  *slog.Logger
}

const (
	defaultCallTimeout = 5 * time.Second
	defaultHeartbeat   = 10 * time.Second
)

// NewBroker checks o. A URL that cannot be read, or that holds a password
// beside a reference to one, is a fault.Invalid, as is a negative limit.
func NewBroker(o Options) (*Broker, error) {
	const op = "rabbit.NewBroker"
	uri, err := amqp.ParseURI(o.URL)
	if err != nil {
		// The error of the library repeats the URL, which may hold a secret.
		return nil, fault.New(op, fault.Invalid, "bad_url", "the address of the broker cannot be read; want amqp://user@host:port/vhost")
	}
	if o.Password != nil && passwordIn(o.URL) {
		return nil, fault.New(op, fault.Invalid, "bad_url", "the address of the broker holds a password, and a reference to one is given too; want the reference only")
	}
	var problems []error
	if o.DeliveryLimit < 0 || o.DeliveryLimit > maxArgument {
		problems = append(problems, fault.New(op, fault.Invalid, "", "delivery limit %d: want 1 to %d, or 0 for %d", o.DeliveryLimit, maxArgument, defaultDeliveryLimit))
	}
	if o.MaxLength < 0 || o.MaxLength > maxArgument {
		problems = append(problems, fault.New(op, fault.Invalid, "", "length %d: want 1 to %d, or 0 for %d", o.MaxLength, maxArgument, defaultMaxLength))
	}
	if len(o.Prefix) > maxPrefix {
		problems = append(problems, fault.New(op, fault.Invalid, "", "prefix of %d bytes: want at most %d", len(o.Prefix), maxPrefix))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fault.New(op, fault.Invalid, "bad_options", "%w", err)
	}
	if o.CallTimeout <= 0 {
		o.CallTimeout = defaultCallTimeout
	}
	if o.Heartbeat < time.Second {
		o.Heartbeat = defaultHeartbeat
	}
	if o.DeliveryLimit == 0 {
		o.DeliveryLimit = defaultDeliveryLimit
	}
	if o.MaxLength == 0 {
		o.MaxLength = defaultMaxLength
	}
	if o.Name == "" {
		o.Name = "footway"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Broker{o: o, log: o.Logger.With("broker", uri.Host, "vhost", uri.Vhost)}
	b.dial = vendorDialer(o)
	return b, nil
}

// call bounds one call.
func (b *Broker) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.o.CallTimeout)
}

// Check reports whether the broker can be reached and holds what it is to
// hold. It makes nothing: where the queues are missing it fails with fault.Conflict.
func (b *Broker) Check(ctx context.Context) error {
	ctx, cancel := b.call(ctx)
	defer cancel()
	s, err := b.begin(ctx, func(ch channel) error {
		for _, queue := range []string{b.queue(), b.deadQueue()} {
			_, err := b.inspect(ch, queue)
			var said *amqp.Error
			if errors.As(err, &said) && said.Code == amqp.NotFound {
				return fault.New("rabbit.Check", fault.Conflict, "missing", "there is no queue %s: run `footway stores prepare`", queue)
			}
			if err != nil {
				return err
			}
		}
		return b.declare(ch) // which compares their arguments
	})
	if err != nil {
		return err
	}
	s.close(ctx)
	return nil
}
