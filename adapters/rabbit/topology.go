package rabbit

import (
	"context"
	"fmt"
	"math"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	defaultDeliveryLimit = 100
	defaultMaxLength     = 1_000_000
	maxArgument          = math.MaxInt32
	maxPrefix            = 100 // names have at most 255 bytes

	// Dead letters are looked at by being taken and put back, which counts.
	noLimit = 1_000_000_000
)

// The names of what the broker holds.
func (b *Broker) exchange() string     { return b.o.Prefix + "footway.deliveries" }
func (b *Broker) queue() string        { return b.o.Prefix + "footway.integrations" }
func (b *Broker) deadExchange() string { return b.o.Prefix + "footway.integrations.dead" }
func (b *Broker) deadQueue() string    { return b.o.Prefix + "footway.integrations.dead" }

// Declare makes the exchanges and queues that there are not. Where one exists
// with other arguments it changes nothing of it and fails with fault.Conflict.
//
// A node of RabbitMQ 3.10 writes down within three minutes, or when it shuts
// down in good order, which queues it holds. If it is the only one, and killed before, a new
// queue comes back empty, whatever was confirmed: declare before there is something to
// lose, and have three nodes.
func (b *Broker) Declare(ctx context.Context) error {
	ctx, cancel := b.call(ctx)
	defer cancel()
	s, err := b.connect(ctx, func(channel) error { return nil })
	if err != nil {
		return err
	}
	s.close(ctx)
	return nil
}

func (b *Broker) declare(ch channel) error {
	const durable, autoDelete, internal, exclusive, noWait = true, false, false, false, false
	for _, e := range []struct{ name, kind string }{{b.exchange(), amqp.ExchangeTopic}, {b.deadExchange(), amqp.ExchangeFanout}} {
		if err := ch.ExchangeDeclare(e.name, e.kind, durable, autoDelete, internal, noWait, nil); err != nil {
			return fmt.Errorf("exchange %s: %w", e.name, err)
		}
	}
	for _, q := range []struct {
		name, exchange, key string
		args                amqp.Table
	}{
		{b.deadQueue(), b.deadExchange(), "", b.deadArguments()}, // first: what dies must have somewhere to go
		{b.queue(), b.exchange(), "delivery.#", b.arguments()},
	} {
		if _, err := ch.QueueDeclare(q.name, durable, autoDelete, exclusive, noWait, q.args); err != nil {
			return fmt.Errorf("queue %s: %w", q.name, err)
		}
		if err := ch.QueueBind(q.name, q.key, q.exchange, noWait, nil); err != nil {
			return fmt.Errorf("bind queue %s: %w", q.name, err)
		}
	}
	return nil
}

func (b *Broker) arguments() amqp.Table {
	return amqp.Table{
		amqp.QueueTypeArg:        amqp.QueueTypeQuorum,
		"x-delivery-limit":       int32(b.o.DeliveryLimit),
		"x-dead-letter-exchange": b.deadExchange(),
		// A dead letter leaves the queue when the other one has it, which takes
		// an overflow that refuses and does not drop.
		"x-dead-letter-strategy": "at-least-once",
		amqp.QueueOverflowArg:    amqp.QueueOverflowRejectPublish,
		amqp.QueueMaxLenArg:      int32(b.o.MaxLength),
	}
}

func (b *Broker) deadArguments() amqp.Table {
	return amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum, "x-delivery-limit": int32(noLimit)}
}
