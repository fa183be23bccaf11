package rabbit

import (
	"context"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/delivery"
	"footway/core/fault"
)

// never reports whether err says that an update can never be taken. An error
// that nobody classified is not of that kind: a bug of ours, or of the store's adapter,
// must not turn a queue into dead letters.
func never(err error) bool { return fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) }

// letter is a message of a batch.
type letter struct {
	tag      uint64
	id       string
	update   delivery.Update
	hopeless error // why it can never be taken, or nil
}

// handle has a batch taken and tells the broker. An error means that the rest
// of it was not acknowledged, and will come again.
func (c *Consumer) handle(ctx, work context.Context, s *session, batch []amqp.Delivery) error {
	letters := make([]letter, len(batch))
	var good []*letter
	for i := range batch {
		letters[i] = letter{tag: batch[i].DeliveryTag, id: batch[i].MessageId}
		if letters[i].update, letters[i].hopeless = delivery.DecodeUpdate(batch[i].Body); letters[i].hopeless == nil {
			good = append(good, &letters[i])
		}
	}
	h := holding{Consumer: c, ctx: ctx, work: work, session: s, until: time.Now().Add(c.o.Hold)}
	if err := h.sift(good); err != nil {
		return err
	}
	return c.acknowledge(work, s, letters, batch)
}

// acknowledge tells the broker which of a batch were taken and which never can be. All
// before the batch has been answered, so that one answer serves for all that were taken.
func (c *Consumer) acknowledge(work context.Context, s *session, letters []letter, batch []amqp.Delivery) error {
	dead := 0
	err := within(work, s.link, func() error {
		for _, l := range letters {
			if l.hopeless == nil {
				continue
			}
			dead++
			c.b.log.Error("an update becomes a dead letter", "queue", c.b.queue(), "message", l.id, "error", l.hopeless)
			if err := s.Reject(l.tag, false); err != nil {
				return err
			}
		}
		if dead == len(letters) {
			return nil
		}
		last := len(letters) - 1
		for letters[last].hopeless != nil {
			last--
		}
		return s.Ack(letters[last].tag, true)
	})
	if err != nil {
		return translate(opConsume, err)
	}
	c.handled(batch, dead)
	return nil
}

// holding is a batch that is being taken.
type holding struct {
	*Consumer
	ctx, work context.Context
	session   *session
	until     time.Time // when to give it back
	backoff   backoff
}

// sift has letters taken, and finds those that never can be by taking ever
// smaller parts: Take says that there is one, and not which.
func (h *holding) sift(letters []*letter) error {
	if len(letters) == 0 {
		return nil
	}
	updates := make([]delivery.Update, len(letters))
	for i, l := range letters {
		updates[i] = l.update
	}
	err := h.insist(updates)
	switch {
	case err == nil:
		return nil
	case !never(err):
		return err
	case len(letters) == 1:
		letters[0].hopeless = err
		return nil
	}
	half := len(letters) / 2
	if err := h.sift(letters[:half]); err != nil {
		return err
	}
	return h.sift(letters[half:])
}

// insist calls Take until it takes u, or says that it never will, or there is no use any more.
func (h *holding) insist(u []delivery.Update) error {
	for {
		call, cancel := context.WithTimeout(h.work, h.o.TakeTimeout)
		err := h.take(call, u...)
		cancel()
		if err == nil || never(err) {
			h.held = nil
			return err
		}
		h.held = u
		h.failed(err)
		if ended := h.wait(h.backoff.next()); ended != nil {
			return fmt.Errorf("%w: %w", ended, err)
		}
	}
}

// wait returns nil when it is time to try again, and otherwise why there is no use in it.
func (h *holding) wait(d time.Duration) error {
	if time.Now().Add(d).After(h.until) {
		return errHeld
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-h.ctx.Done():
		return h.ctx.Err()
	case <-h.session.stop():
		return errConnectionEnded
	}
}
