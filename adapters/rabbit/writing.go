package rabbit

import (
	"context"
	"fmt"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
)

// writing is one call of Publish.
type writing struct {
	*Publisher
	ctx        context.Context
	session    *session
	unanswered bool  // messages are on their way, and the broker has not said what became of them
	refused    int   // how many updates were not taken
	first      error // why the first of them was not
	which      delivery.UpdateKey
}

// send sends at most a window of updates, and notes of each what the broker said.
func (w *writing) send(u []delivery.Update, taken []bool) {
	pending, why := w.write(u)
	w.wait(pending)
	returned := w.returned()
	for i := range u {
		switch c := pending[i]; {
		case c == nil:
			w.refuse(&u[i], why[i])
		case !done(c):
			w.unanswered = true
			w.refuse(&u[i], w.stopped())
		case returned[messageID(u[i].Key())]:
			// It is confirmed too: the broker has done all it could.
			w.refuse(&u[i], fault.New(opPublish, fault.Unavailable, "unroutable", "no queue takes %s of exchange %s: declare the queue of the integrations", routingKey(&u[i]), w.b.exchange()))
		case !c.Acked():
			w.refuse(&u[i], w.nack())
		default:
			taken[i] = true
		}
	}
}

// write puts messages on their way; of those for which it cannot, it says why.
func (w *writing) write(u []delivery.Update) (pending []confirmation, why []error) {
	pending, why = make([]confirmation, len(u)), make([]error, len(u))
	var stopped error
	err := within(w.ctx, w.session.link, func() error {
		for i := range u {
			if stopped == nil {
				stopped = w.stopped()
			}
			if why[i] = stopped; stopped != nil {
				continue
			}
			key, m, err := message(&u[i], w.headers(&u[i]), time.Now())
			if err != nil {
				why[i] = err // the others may be well
				continue
			}
			if pending[i], err = w.session.Publish(w.b.exchange(), key, m); err != nil {
				pending[i], why[i], stopped = nil, err, err
			}
		}
		return nil
	})
	if err != nil || stopped != nil {
		w.unanswered = true
	}
	return pending, why
}

func (w *writing) headers(u *delivery.Update) map[string]string {
	if w.o.Headers == nil {
		return nil
	}
	return w.o.Headers(w.ctx, u)
}

// wait waits until all is answered, or there is no use in waiting.
func (w *writing) wait(pending []confirmation) {
	stop := w.session.stop()
	for _, c := range pending {
		if c == nil {
			continue
		}
		select {
		case <-c.Done():
		case <-stop:
			return
		case <-w.ctx.Done():
			return
		}
	}
}

func done(c confirmation) bool {
	select {
	case <-c.Done():
		return true
	default:
		return false
	}
}

// returned returns the ids of messages that no queue took. The broker returns a
// message before it confirms it, so those of confirmed ones are all there.
func (w *writing) returned() map[string]bool {
	var ids map[string]bool
	for {
		select {
		case r, ok := <-w.returns:
			if !ok {
				return ids
			}
			if ids == nil {
				ids = map[string]bool{}
			}
			ids[r.MessageId] = true
		default:
			return ids
		}
	}
}

// stopped says why nothing can be sent any more, or nothing.
func (w *writing) stopped() error {
	if _, err := w.session.state(); err != nil {
		return err
	}
	if w.ctx.Err() != nil {
		return w.refusal(w.ctx)
	}
	return nil
}

// nack says why a message was not confirmed: the broker did not want it, or
// the connection ended before the broker had said anything, which the client calls the same.
func (w *writing) nack() error {
	if err := w.session.reason(); err != nil {
		return err
	}
	return fault.New(opPublish, fault.Unavailable, "refused", "the broker refused it: queue %s is full (%d wait), or one of its nodes failed", w.b.queue(), w.b.o.MaxLength)
}

func (w *writing) refuse(u *delivery.Update, why error) {
	w.refused++
	if w.first == nil {
		w.first, w.which = translate(opPublish, why), u.Key()
	}
}

// err returns why updates were not taken, or nil.
func (w *writing) err(of int) error {
	if w.first == nil {
		return nil
	}
	return &fault.Error{Op: opPublish, Kind: fault.KindOf(w.first), Reason: fault.ReasonOf(w.first),
		Err: fmt.Errorf("%d of %d updates were not taken, the first %s: %w", w.refused, of, messageID(w.which), w.first)}
}
