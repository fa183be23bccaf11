package rabbit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/delivery"
)

// Take takes updates for good, all or none, however often they come. It fails
// with fault.Conflict or fault.Invalid if one of them can never be taken; after
// any other error the same updates will come again.
type Take func(ctx context.Context, u ...delivery.Update) error

// ConsumerOptions are what a consumer can do without.
type ConsumerOptions struct {
	// Batch is how many updates are taken at once at most. 0 is 200.
	Batch int
	// Gather is how long to wait for more when there is one. 0 is 2 ms.
	Gather time.Duration
	// TakeTimeout bounds each call of Take. 0 is 10 s.
	TakeTimeout time.Duration
	// Hold is how long to keep updates that cannot be taken for now. Then the
	// broker gets them back, once, however long it lasts. It must be below half of the broker's
	// consumer_timeout, which is 30 min. 0 is 10 min.
	Hold time.Duration
	// Drain is how long Run goes on after its context has ended, to finish what it has. 0 is 5 s.
	Drain time.Duration
}

// Consumer gives updates from the queue to Take, and acknowledges what was
// taken. Any number may share a queue.
//
// While Take fails it keeps what it has, unacknowledged, and tries again: to
// hand it back would count against the delivery limit, as every end of a
// connection does. It hands back when the broker would force it to, and does not ask for more
// before Take has taken what it still has in memory: so an outage of the store
// costs each update one delivery, not one each time somebody tries.
type Consumer struct {
	b    *Broker
	take Take
	o    ConsumerOptions
	held []delivery.Update // what could not be taken when the last session ended

	mu     sync.Mutex
	status Status
}

// NewConsumer returns a consumer of b's queue.
func NewConsumer(b *Broker, take Take, o ConsumerOptions) *Consumer {
	if o.Batch <= 0 {
		o.Batch = 200
	}
	o.Batch = min(o.Batch, 10_000) // the prefetch is 16 bits wide
	for _, d := range []struct {
		value *time.Duration
		plain time.Duration
	}{{&o.Gather, 2 * time.Millisecond}, {&o.TakeTimeout, 10 * time.Second}, {&o.Hold, 10 * time.Minute}, {&o.Drain, 5 * time.Second}} {
		if *d.value <= 0 {
			*d.value = d.plain
		}
	}
	return &Consumer{b: b, take: take, o: o}
}

const opConsume = "rabbit.Consume"

// errHeld says that updates were kept for as long as the broker lets them be kept.
var errHeld = errors.New("what cannot be taken was given back to the broker")

// Run consumes until ctx ends, whatever happens to the broker and the store,
// and then finishes what it has begun. What it cannot finish the broker delivers
// again, to another. It returns nil.
func (c *Consumer) Run(ctx context.Context) error {
	// What is under way when ctx ends has until then.
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() {
		pause(work, c.o.Drain)
		stop()
	})()
	var b backoff
	for {
		before := c.Status().Taken
		err := c.session(ctx, work)
		c.disconnected(err)
		if ctx.Err() != nil {
			if err != nil {
				c.b.log.Info("left for the next consumer", "queue", c.b.queue(), "error", err)
			}
			return nil
		}
		if c.Status().Taken > before {
			b.reset()
		}
		wait := b.next()
		c.b.log.Warn("not consuming", "queue", c.b.queue(), "again_in", wait, "error", err)
		pause(ctx, wait)
		c.probe(ctx)
	}
}

// session consumes over one connection. It returns nil only when ctx has ended and nothing is left to do.
func (c *Consumer) session(ctx, work context.Context) error {
	if ctx.Err() != nil {
		return nil
	}
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	var deliveries <-chan amqp.Delivery
	connecting, cancel := c.b.call(ctx)
	defer cancel()
	s, err := c.b.connect(connecting, func(ch channel) (err error) {
		// Twice a batch: the next one arrives while this one is taken.
		if err := ch.Qos(2*c.o.Batch, 0, false); err != nil {
			return err
		}
		deliveries, err = ch.Consume(c.b.queue(), c.b.o.Name, autoAck, exclusive, noLocal, noWait, nil)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			return nil // before anything was begun
		}
		return err
	}
	defer s.close(work)
	c.connected()
	// The broker sends no more; what it has sent already is still in deliveries, which ends behind it.
	defer context.AfterFunc(ctx, func() {
		_ = within(work, s.link, func() error { return s.Cancel(c.b.o.Name, false) }) // an error ends deliveries too
	})()
	for {
		batch := c.gather(deliveries)
		if len(batch) == 0 {
			break
		}
		if err := c.handle(ctx, work, s, batch); err != nil {
			return fmt.Errorf("%d updates: %w", len(batch), err)
		}
	}
	if ctx.Err() != nil && work.Err() == nil {
		return nil
	}
	if err := s.reason(); err != nil {
		return translate(opConsume, err)
	}
	return errCancelled
}

// errCancelled is what a consumer hears when its queue is deleted.
var errCancelled = errors.New("the broker has ended the subscription: the queue was deleted, or has moved")

// gather waits for a message and takes those that come with it. It returns none when there will be none.
func (c *Consumer) gather(from <-chan amqp.Delivery) []amqp.Delivery {
	first, ok := <-from
	if !ok {
		return nil
	}
	batch := append(make([]amqp.Delivery, 0, 16), first)
	enough := time.NewTimer(c.o.Gather)
	defer enough.Stop()
	for len(batch) < c.o.Batch {
		select {
		case d, ok := <-from:
			if !ok {
				return batch
			}
			batch = append(batch, d)
		case <-enough.C:
			return batch
		}
	}
	return batch
}

// probe returns when what was held is taken, or ctx has ended. Until then there
// is no use in asking the broker for more.
func (c *Consumer) probe(ctx context.Context) {
	for b := (backoff{}); len(c.held) > 0 && ctx.Err() == nil; {
		call, cancel := context.WithTimeout(ctx, c.o.TakeTimeout)
		err := c.take(call, c.held...)
		cancel()
		if err == nil || never(err) {
			c.held = nil // it will come again, and be sorted out then
			return
		}
		c.failed(err)
		pause(ctx, b.next())
	}
}
