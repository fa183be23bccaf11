package rabbit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/delivery"
	"footway/core/fault"
)

// DeadLetter is a message that was given up. It holds no personal data, as updates hold none.
type DeadLetter struct {
	ID     string           `json:"id"`     // DELIVERY/SEQUENCE, or sha256:… of a message without one
	Reason string           `json:"reason"` // "rejected": it can never be taken; "delivery_limit": it came back too often
	Queue  string           `json:"queue"`  // which gave it up
	At     time.Time        `json:"at"`     // when, to the second
	Bytes  int              `json:"bytes"`
	Update *delivery.Update `json:"update,omitempty"`  // nil if it is none
	Wrong  string           `json:"problem,omitempty"` // why it is none
}

// DeadLetters looks after the queue of dead letters. A call goes through all of
// them: RabbitMQ puts what is given back behind what was given back before, so that
// only a whole round leaves the order as it is. Beyond maxWalk they come round in turn.
// Letters that one call looks at another does not see.
type DeadLetters struct{ b *Broker }

// NewDeadLetters returns the dead letters of b's queue.
func NewDeadLetters(b *Broker) *DeadLetters { return &DeadLetters{b} }

// Choice says which dead letters are meant. The zero value means all.
type Choice struct {
	IDs      []string    // these; empty: whatever the id
	Delivery delivery.ID // those of a delivery; "": of all
	Reason   string      // those that were given up for it; "": for any
	Limit    int         // at most so many; 0: as many as there are
}

func (c Choice) means(l *DeadLetter) bool {
	return (len(c.IDs) == 0 || slices.Contains(c.IDs, l.ID)) &&
		(c.Delivery == "" || l.Update != nil && l.Update.Delivery == c.Delivery) &&
		(c.Reason == "" || l.Reason == c.Reason)
}

// List returns the dead letters in their order, at most limit, and leaves them.
func (d *DeadLetters) List(ctx context.Context, limit int) ([]DeadLetter, error) {
	var all []DeadLetter
	err := d.walk(ctx, "rabbit.List", func(_ *walker, m *amqp.Delivery) (gone bool, err error) {
		if len(all) < limit {
			all = append(all, describe(m))
		}
		return false, nil
	})
	return all, err
}

// Replay puts dead letters back into the queue that gave them up, as new, and
// returns how many. Each leaves the dead letters when it is confirmed there: what fails in
// between comes twice, and is not lost.
func (d *DeadLetters) Replay(ctx context.Context, c Choice) (int, error) {
	const op = "rabbit.Replay"
	count := 0
	err := d.walk(ctx, op, func(w *walker, m *amqp.Delivery) (gone bool, err error) {
		l := describe(m)
		if !c.means(&l) || c.Limit > 0 && count >= c.Limit {
			return false, nil
		}
		if err := w.again(m); err != nil {
			return false, err
		}
		count++
		return true, nil
	})
	return count, err
}

// Drop deletes one dead letter for good: no update with this id comes from it any
// more, and the later ones of its delivery wait until it comes from elsewhere.
// It fails with fault.NotFound if there is none.
func (d *DeadLetters) Drop(ctx context.Context, id string) error {
	const op = "rabbit.Drop"
	found := false
	err := d.walk(ctx, op, func(_ *walker, m *amqp.Delivery) (gone bool, err error) {
		l := describe(m)
		gone = l.ID == id && !found // one of two that are the same
		found = found || gone
		return gone, nil
	})
	if err == nil && !found {
		err = fault.New(op, fault.NotFound, "", "there is no dead letter %q", id)
	}
	return err
}

// walker is on its way through the dead letters.
type walker struct {
	*session
	returns chan amqp.Return
	home    string // the queue that they come from
	kept    uint64 // tag of the last one that is to go back
}

// maxWalk bounds how many dead letters one call takes out of their queue at once.
const maxWalk = 10_000

// walk shows see the dead letters that there are now. Those that see says are
// gone are deleted; all others go back, also when an error ends the walk.
func (d *DeadLetters) walk(ctx context.Context, op string, see func(*walker, *amqp.Delivery) (gone bool, err error)) error {
	w := walker{returns: make(chan amqp.Return, 1), home: d.b.queue()}
	connecting, cancel := d.b.call(ctx)
	defer cancel()
	var err error
	w.session, err = d.b.connect(connecting, func(ch channel) error {
		ch.NotifyReturn(w.returns)
		return ch.Confirm(false)
	})
	if err != nil {
		return err
	}
	more := true
	for n := 0; more && err == nil && n < maxWalk; n++ {
		more, err = w.step(ctx, d.b, see)
	}
	return translate(op, errors.Join(err, w.leave(ctx, d.b)))
}

// step takes one dead letter out of their queue, if there is one.
func (w *walker) step(ctx context.Context, b *Broker, see func(*walker, *amqp.Delivery) (gone bool, err error)) (some bool, err error) {
	ctx, cancel := b.call(ctx)
	defer cancel()
	err = within(ctx, w.link, func() error {
		var m amqp.Delivery
		if m, some, err = w.Get(b.deadQueue(), false); err != nil || !some {
			return err
		}
		gone, err := see(w, &m)
		if err != nil || !gone {
			w.kept = m.DeliveryTag
			return err
		}
		return w.Ack(m.DeliveryTag, false)
	})
	return some, err
}

// leave gives back what was kept. The end of the connection would do that too,
// but some time later, and who looks next would find nothing.
func (w *walker) leave(ctx context.Context, b *Broker) error {
	ctx, cancel := b.call(context.WithoutCancel(ctx))
	defer cancel()
	defer w.close(ctx)
	if w.kept == 0 || w.IsClosed() {
		return nil
	}
	return within(ctx, w.link, func() error {
		if err := w.Nack(w.kept, true, true); err != nil {
			return err
		}
		_, err := b.inspect(w, b.deadQueue()) // it is on its way when this is answered
		return err
	})
}

// again publishes a dead letter to the queue that it comes from, and waits until it is there.
func (w *walker) again(m *amqp.Delivery) error {
	fresh := amqp.Publishing{
		Headers: amqp.Table{}, ContentType: m.ContentType, DeliveryMode: amqp.Persistent, MessageId: m.MessageId,
		Timestamp: m.Timestamp, Type: m.Type, AppId: m.AppId, Body: m.Body,
	}
	for name, value := range m.Headers {
		if !ofBroker(name) {
			fresh.Headers[name] = value
		}
	}
	c, err := w.Publish(amqp.DefaultExchange, w.home, fresh)
	if err != nil {
		return err
	}
	select {
	case <-c.Done():
	case <-w.stop():
	}
	if err := w.reason(); err != nil {
		return err
	}
	select {
	case <-w.returns:
		return fault.New("rabbit.Replay", fault.Unavailable, "unroutable", "there is no queue %s", w.home)
	default:
	}
	if !c.Acked() {
		return fault.New("rabbit.Replay", fault.Unavailable, "refused", "queue %s refused it: it is full, or one of its nodes failed", w.home)
	}
	return nil
}

// ofBroker reports whether a header is the broker's own record of a message's
// former life. A message that keeps it would be at its limit from the start.
func ofBroker(header string) bool {
	switch header {
	case "x-death", "x-delivery-count", "x-first-death-exchange", "x-first-death-queue", "x-first-death-reason",
		"x-last-death-exchange", "x-last-death-queue", "x-last-death-reason":
		return true
	}
	return false
}

func describe(m *amqp.Delivery) DeadLetter {
	l := DeadLetter{ID: m.MessageId, Bytes: len(m.Body)}
	if l.ID == "" {
		sum := sha256.Sum256(m.Body)
		l.ID = "sha256:" + hex.EncodeToString(sum[:8])
	}
	if deaths, ok := m.Headers["x-death"].([]any); ok && len(deaths) > 0 {
		if last, ok := deaths[0].(amqp.Table); ok {
			l.Reason, _ = last["reason"].(string)
			l.Queue, _ = last["queue"].(string)
			l.At, _ = last["time"].(time.Time)
		}
	}
	u, err := delivery.DecodeUpdate(m.Body)
	if err != nil {
		l.Wrong = err.Error()
	} else {
		l.Update = &u
	}
	return l
}
