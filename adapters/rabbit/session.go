package rabbit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"footway/core/fault"
)

// session is one connection with one channel. It serves until either ends; then
// its owner makes another.
type session struct {
	link link
	channel
	watched chan struct{} // closed when nobody watches the connection any more: it has ended

	mu      sync.Mutex
	blocked string        // why the broker takes no messages, or ""
	why     error         // why the session has ended, or nil
	stopped chan struct{} // closed while blocked or ended
}

// connect makes a session on which the exchanges and queues are declared.
func (b *Broker) connect(ctx context.Context, prepare func(channel) error) (*session, error) {
	return b.begin(ctx, func(ch channel) error {
		if err := b.declare(ch); err != nil {
			return err
		}
		return prepare(ch)
	})
}

// begin makes a session on which prepare has done its work.
func (b *Broker) begin(ctx context.Context, prepare func(channel) error) (*session, error) {
	const op = "rabbit.connect"
	l, err := b.dial(ctx)
	if err != nil {
		return nil, translate(op, err)
	}
	s := &session{link: l, watched: make(chan struct{}), stopped: make(chan struct{})}
	var closed chan *amqp.Error
	err = within(ctx, l, func() (err error) {
		if s.channel, err = l.Channel(); err != nil {
			return err
		}
		closed = s.NotifyClose(make(chan *amqp.Error, 1))
		return prepare(s.channel)
	})
	if err != nil {
		l.Abandon()
		return nil, translate(op, err)
	}
	go s.watch(closed)
	return s, nil
}

// watch drains what the connection tells, until it ends.
func (s *session) watch(closed <-chan *amqp.Error) {
	defer close(s.watched)
	blocked, lost := s.link.Blocked(), s.link.Closed()
	for blocked != nil || lost != nil {
		select {
		case b, ok := <-blocked:
			if !ok {
				blocked = nil
				continue
			}
			s.setBlocked(b)
		case err, ok := <-closed: // of the channel alone: the connection is of no use then
			s.end(err)
			s.link.Abandon()
			if !ok {
				closed = nil
			}
		case err, ok := <-lost:
			s.end(err)
			if !ok {
				lost = nil
			}
		}
	}
}

func (s *session) setBlocked(b amqp.Blocking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.blocked != ""
	s.blocked = ""
	if b.Active {
		s.blocked = "the broker takes no messages: " + b.Reason
	}
	switch {
	case s.why != nil || b.Active == was:
	case b.Active:
		close(s.stopped)
	default:
		s.stopped = make(chan struct{})
	}
}

// end keeps the first reason.
func (s *session) end(err *amqp.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.why != nil {
		return
	}
	s.why = errConnectionEnded
	if err != nil {
		s.why = fmt.Errorf("%w: %w", errConnectionEnded, err)
	}
	if s.blocked == "" {
		close(s.stopped)
	}
}

var errConnectionEnded = errors.New("the connection to the broker ended")

// state returns what is wrong with the session, if anything, and whether it
// serves again when the broker takes messages again.
func (s *session) state() (passes bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.why != nil:
		return false, s.why
	case s.blocked != "":
		return true, fault.New(opPublish, fault.Unavailable, "blocked", "%s", s.blocked)
	case s.IsClosed(): // and watch has not heard why yet
		return false, errConnectionEnded
	}
	return false, nil
}

// reason returns what is wrong with the session, if anything; of one that has
// just ended it waits to hear why.
func (s *session) reason() error {
	if s.IsClosed() {
		<-s.stop()
	}
	_, err := s.state()
	return err
}

// stop returns a channel that is closed while the broker takes no messages from this session.
func (s *session) stop() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// close takes leave of the broker until ctx ends or a second has passed.
func (s *session) close(ctx context.Context) {
	deadline := time.Now().Add(time.Second)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	s.link.Close(deadline)
	<-s.watched
}

// abandon is for a session whose broker need not be asked.
func (s *session) abandon() {
	s.link.Abandon()
	<-s.watched
}
