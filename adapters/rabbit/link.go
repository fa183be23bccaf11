package rabbit

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// link is what this package needs of a connection. Tests put a broker of their
// own behind it.
type link interface {
	Channel() (channel, error)
	// Blocked tells when the broker stops to take messages, and when it does
	// again. It is closed with the connection, and must be drained until then.
	Blocked() <-chan amqp.Blocking
	// Closed has the reason, if there is one, and is closed, when the connection ends.
	Closed() <-chan *amqp.Error
	// Abandon ends the connection without a word to the broker: whatever waits on
	// it returns with an error. It does not block.
	Abandon()
	// Close takes leave of the broker, until the deadline.
	Close(deadline time.Time)
}

// channel is what this package needs of a channel.
type channel interface {
	ExchangeDeclare(name, kind string, durable, autoDelete, internal, noWait bool, args amqp.Table) error
	QueueDeclare(name string, durable, autoDelete, exclusive, noWait bool, args amqp.Table) (amqp.Queue, error)
	QueueDeclarePassive(name string, durable, autoDelete, exclusive, noWait bool, args amqp.Table) (amqp.Queue, error)
	QueueBind(name, key, exchange string, noWait bool, args amqp.Table) error

	Confirm(noWait bool) error
	// Publish sends a message, which comes to NotifyReturn before it is confirmed if no queue takes it.
	Publish(exchange, key string, m amqp.Publishing) (confirmation, error)
	NotifyReturn(c chan amqp.Return) chan amqp.Return
	NotifyClose(c chan *amqp.Error) chan *amqp.Error
	// IsClosed is true before anybody hears that the channel or its connection has ended.
	IsClosed() bool

	Qos(count, size int, global bool) error
	Consume(queue, consumer string, autoAck, exclusive, noLocal, noWait bool, args amqp.Table) (<-chan amqp.Delivery, error)
	Cancel(consumer string, noWait bool) error
	Get(queue string, autoAck bool) (amqp.Delivery, bool, error)
	Ack(tag uint64, multiple bool) error
	Nack(tag uint64, multiple, requeue bool) error
	Reject(tag uint64, requeue bool) error
}

// confirmation is the broker's word on one published message.
type confirmation interface {
	Done() <-chan struct{}
	// Acked is false before Done, and when the connection ended without a word.
	Acked() bool
}

type dialer func(ctx context.Context) (link, error)

// within calls f, which may block, and abandons the connection when ctx ends first.
func within(ctx context.Context, l link, f func() error) error {
	stop := context.AfterFunc(ctx, l.Abandon)
	err := f()
	if !stop() {
		return context.Cause(ctx)
	}
	return err
}

// vendorLink is a link over the vendor's client.
type vendorLink struct {
	conn    *amqp.Connection
	socket  *socket
	blocked <-chan amqp.Blocking
	closed  <-chan *amqp.Error
}

func newVendorLink(conn *amqp.Connection, s *socket) *vendorLink {
	return &vendorLink{
		conn: conn, socket: s,
		blocked: conn.NotifyBlocked(make(chan amqp.Blocking, 16)),
		closed:  conn.NotifyClose(make(chan *amqp.Error, 1)),
	}
}

// Channel implements link.
func (l *vendorLink) Channel() (channel, error) {
	ch, err := l.conn.Channel()
	if err != nil {
		return nil, err
	}
	return vendorChannel{ch}, nil
}

// Blocked implements link.
func (l *vendorLink) Blocked() <-chan amqp.Blocking { return l.blocked }

// Closed implements link.
func (l *vendorLink) Closed() <-chan *amqp.Error { return l.closed }

// Abandon implements link. The client notices that its socket is closed, and
// ends what it has started.
func (l *vendorLink) Abandon() { _ = l.socket.Close() } // it fails if it is closed

// Close implements link. A broker under an alarm does not answer.
func (l *vendorLink) Close(deadline time.Time) {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	defer l.Abandon()
	// An error says that the connection had ended by itself, or ends now.
	_ = within(ctx, l, func() error { return l.conn.CloseDeadline(deadline) })
}

type vendorChannel struct{ *amqp.Channel }

// Publish implements channel.
func (c vendorChannel) Publish(exchange, key string, m amqp.Publishing) (confirmation, error) {
	const mandatory, immediate = true, false
	d, err := c.PublishWithDeferredConfirm(exchange, key, mandatory, immediate, m)
	if err != nil {
		return nil, err
	}
	return d, nil
}
