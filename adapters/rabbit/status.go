package rabbit

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Status is how a consumer does, for readiness and metrics.
type Status struct {
	Connected bool
	Since     time.Time // when that began; zero before the first connection
	Err       error     // the last trouble, or nil if updates were taken since
	Held      int       // updates that are kept because Take fails; 0 if it does not
	HeldSince time.Time
	Taken     uint64        // updates taken, those that came twice included
	Again     uint64        // of these, how many had been delivered before
	Dead      uint64        // updates given up as dead letters
	Lag       time.Duration // how long the oldest update of the last batch had waited since it was published
}

// Status returns how the consumer does now.
func (c *Consumer) Status() Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

func (c *Consumer) connected() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Connected, c.status.Since = true, time.Now()
}

func (c *Consumer) disconnected(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status.Connected {
		c.status.Connected, c.status.Since = false, time.Now()
	}
	if err != nil {
		c.status.Err = err
	}
}

// failed notes that Take failed, and says so once for each time of trouble.
func (c *Consumer) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Err = err
	if c.status.HeldSince.IsZero() {
		c.status.HeldSince = time.Now()
		c.b.log.Warn("updates wait: they cannot be taken", "queue", c.b.queue(), "updates", len(c.held), "error", err)
	}
	c.status.Held = len(c.held)
}

// handled notes that a batch was answered.
func (c *Consumer) handled(batch []amqp.Delivery, dead int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.status.HeldSince.IsZero() {
		c.b.log.Info("updates are taken again", "queue", c.b.queue(), "after", time.Since(c.status.HeldSince))
	}
	c.status.Err, c.status.Held, c.status.HeldSince = nil, 0, time.Time{}
	c.status.Taken += uint64(len(batch) - dead)
	c.status.Dead += uint64(dead)
	c.status.Lag = 0
	for i := range batch {
		if batch[i].Redelivered {
			c.status.Again++
		}
		if at, ok := publishedAt(&batch[i]); ok {
			c.status.Lag = max(c.status.Lag, time.Since(at))
		}
	}
}

// Depth is how much waits on the broker.
type Depth struct {
	Waiting   int // updates that are not on their way to a consumer
	Consumers int
	Dead      int // dead letters
}

// Depth asks the broker how much waits.
func (b *Broker) Depth(ctx context.Context) (Depth, error) {
	ctx, cancel := b.call(ctx)
	defer cancel()
	var d Depth
	s, err := b.connect(ctx, func(ch channel) error {
		live, err := b.inspect(ch, b.queue())
		if err != nil {
			return err
		}
		dead, err := b.inspect(ch, b.deadQueue())
		d = Depth{Waiting: live.Messages, Consumers: live.Consumers, Dead: dead.Messages}
		return err
	})
	if err != nil {
		return Depth{}, err
	}
	s.close(ctx)
	return d, nil
}

func (b *Broker) inspect(ch channel, queue string) (amqp.Queue, error) {
	const durable, autoDelete, exclusive, noWait = true, false, false, false
	return ch.QueueDeclarePassive(queue, durable, autoDelete, exclusive, noWait, nil)
}
