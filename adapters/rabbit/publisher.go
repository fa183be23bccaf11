package rabbit

import (
	"context"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/delivery"
	"footway/core/fault"
)

// window is how many messages may be on their way at once. It bounds what may
// be returned at once, too: the vendor's client drops a return for which
// there is no room, and the message would pass for routed.
const window = 256

// PublisherOptions are what a publisher can do without.
type PublisherOptions struct {
	// Headers gives headers to put on the message of an update, such as those of a trace.
	Headers func(context.Context, *delivery.Update) map[string]string
}

// Publisher sends updates over one connection, which it makes when it needs one.
// It may be used concurrently: one call at a time is on its way. A caller that
// goes on after an error is what makes it try again.
type Publisher struct {
	b *Broker
	o PublisherOptions

	closing context.Context // ends with Close
	close   context.CancelFunc
	turn    chan struct{} // holds one element while somebody uses what is below
	session *session      // nil if there is none
	returns chan amqp.Return
	spent   bool // the session has messages on their way that nobody waits for
	backoff backoff
	retryAt time.Time // no new connection before
	failed  error     // why the last attempt to connect failed
}

var _ delivery.Publisher = (*Publisher)(nil)

// NewPublisher returns a publisher to b. It connects when it is first used.
func NewPublisher(b *Broker, o PublisherOptions) *Publisher {
	p := &Publisher{b: b, o: o, turn: make(chan struct{}, 1)}
	p.closing, p.close = context.WithCancel(context.Background())
	return p
}

const opPublish = "rabbit.Publish"

// Publish implements delivery.Publisher. An update counts as taken when a
// quorum of the broker's nodes has written it into a queue. The call ends
// within CallTimeout, and at once while the broker takes no messages or, for
// some seconds, after it could not be reached.
func (p *Publisher) Publish(ctx context.Context, u []delivery.Update) (taken []bool, err error) {
	taken = make([]bool, len(u))
	if len(u) == 0 {
		return taken, nil
	}
	ctx, cancel := p.b.call(ctx)
	defer cancel()
	defer context.AfterFunc(p.closing, cancel)()
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return taken, p.refusal(ctx)
	}
	s, err := p.connected(ctx)
	if err != nil {
		return taken, err
	}
	w := writing{Publisher: p, ctx: ctx, session: s}
	for from := 0; from < len(u); from += window {
		to := min(len(u), from+window)
		w.send(u[from:to], taken[from:to])
	}
	p.spent = w.unanswered
	return taken, w.err(len(u))
}

// refusal says why ctx ended.
func (p *Publisher) refusal(ctx context.Context) error {
	if p.closing.Err() != nil {
		return fault.New(opPublish, fault.Unavailable, "closed", "the publisher is closed")
	}
	return translate(opPublish, context.Cause(ctx))
}

// connected returns a session that can be used, a new one if need be.
func (p *Publisher) connected(ctx context.Context) (*session, error) {
	if ctx.Err() != nil {
		return nil, p.refusal(ctx)
	}
	if s := p.session; s != nil {
		passes, err := s.state()
		switch {
		case passes:
			return nil, err
		case err == nil && !p.spent:
			return s, nil
		}
		s.abandon()
		p.session = nil
	}
	if wait := time.Until(p.retryAt); wait > 0 {
		return nil, fault.New(opPublish, fault.Unavailable, "waiting", "the broker could not be reached, and will be tried again in %s: %w", wait.Round(time.Millisecond), p.failed)
	}
	returns := make(chan amqp.Return, window)
	s, err := p.b.connect(ctx, func(ch channel) error {
		ch.NotifyReturn(returns)
		return ch.Confirm(false)
	})
	if err != nil {
		if p.closing.Err() != nil {
			err = p.refusal(ctx)
		}
		p.failed, p.retryAt = err, time.Now().Add(p.backoff.next())
		return nil, err
	}
	p.session, p.returns, p.spent = s, returns, false
	p.backoff.reset()
	p.failed, p.retryAt = nil, time.Time{}
	return s, nil
}

// Close ends calls that are under way, and the connection. It takes a second at most.
func (p *Publisher) Close() {
	p.close()
	p.turn <- struct{}{}
	defer func() { <-p.turn }()
	if p.session != nil {
		p.session.close(context.Background())
		p.session = nil
	}
}
