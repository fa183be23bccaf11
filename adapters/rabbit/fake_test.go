package rabbit

import (
	"context"
	"slices"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// fakeServer is a broker in memory: one queue with a delivery limit, one queue
// of dead letters, which is what Get gets from, and confirms. It does what RabbitMQ 3.10 was seen to do, and
// what a test tells it to do wrong.
type fakeServer struct {
	mu     sync.Mutex
	queue  []fakeMessage
	dead   []fakeMessage
	refuse error

	limit     int                             // of deliveries
	onPublish func(m *amqp.Publishing) answer // nil: confirm all
	log       []string                        // what clients did, in order
	dials     int
	links     []*fakeLink
}

type fakeMessage struct {
	amqp.Publishing
	deliveries int
}

// answer is what the fake does with a published message.
type answer int

const (
	ack answer = iota
	nack
	unsaid       // it arrives, and nobody says so
	vanish       // it does not arrive, and nobody says so
	returnAndAck // no queue takes it
	dropTheLink  // the connection ends before an answer
	blockAndWait // it does not arrive, and the broker says that it takes none
)

func (s *fakeServer) note(what string) { s.log = append(s.log, what) }

func (s *fakeServer) did() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// dialed returns how many connections were asked for.
func (s *fakeServer) dialed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// connection returns the i-th connection.
func (s *fakeServer) connection(i int) *fakeLink {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[i]
}

// letters returns the ids of the dead letters.
func (s *fakeServer) letters() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, m := range s.dead {
		ids = append(ids, m.MessageId)
	}
	return ids
}

func (s *fakeServer) dial(ctx context.Context) (link, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	if s.refuse != nil {
		return nil, s.refuse
	}
	l := &fakeLink{server: s, blocked: make(chan amqp.Blocking, 4), closed: make(chan *amqp.Error, 1), gone: make(chan struct{})}
	s.links = append(s.links, l)
	return l, ctx.Err()
}

// newFake returns a broker that is s.
func newFake(s *fakeServer) *Broker {
	b, err := NewBroker(Options{URL: "amqp://fake@fake/"})
	if err != nil {
		panic(err)
	}
	if s.limit == 0 {
		s.limit = 5
	}
	b.dial = s.dial
	return b
}

// fakeLink is a connection.
type fakeLink struct {
	server  *fakeServer
	blocked chan amqp.Blocking
	closed  chan *amqp.Error
	gone    chan struct{} // closed when it has ended
	once    sync.Once
	channel *fakeChannel
}

func (l *fakeLink) Channel() (channel, error) {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	l.channel = &fakeChannel{link: l, deliveries: make(chan amqp.Delivery, 1000)}
	return l.channel, nil
}
func (l *fakeLink) Blocked() <-chan amqp.Blocking { return l.blocked }
func (l *fakeLink) Closed() <-chan *amqp.Error    { return l.closed }
func (l *fakeLink) Abandon()                      { l.end(nil) }
func (l *fakeLink) Close(time.Time)               { l.end(nil) }

// end ends the connection: what was not acknowledged goes back to the front.
func (l *fakeLink) end(why *amqp.Error) {
	l.once.Do(func() {
		s := l.server
		s.mu.Lock()
		defer s.mu.Unlock()
		if why != nil {
			l.closed <- why
		}
		close(l.closed)
		close(l.blocked)
		close(l.gone)
		c := l.channel
		if c == nil {
			return
		}
		c.over = true // first, as the vendor's client does
		for _, p := range c.pending {
			p.settle(false)
		}
		c.giveBack()
		close(c.deliveries)
	})
}

// fakeChannel is a channel.
type fakeChannel struct {
	link       *fakeLink
	deliveries chan amqp.Delivery
	returns    chan amqp.Return
	pending    []*fakeConfirmation
	tag        uint64
	prefetch   int
	consuming  bool
	over       bool
	unacked    []fakeUnacked
}

type fakeUnacked struct {
	tag  uint64
	m    fakeMessage
	dead bool // it was got from the dead letters
}

type fakeConfirmation struct {
	done chan struct{}
	once sync.Once
	ok   bool
}

func (c *fakeConfirmation) settle(ok bool)        { c.once.Do(func() { c.ok = ok; close(c.done) }) }
func (c *fakeConfirmation) Done() <-chan struct{} { return c.done }
func (c *fakeConfirmation) Acked() bool {
	select {
	case <-c.done:
		return c.ok
	default:
		return false
	}
}

func (c *fakeChannel) ExchangeDeclare(string, string, bool, bool, bool, bool, amqp.Table) error {
	return nil
}
func (c *fakeChannel) QueueDeclare(name string, _, _, _, _ bool, _ amqp.Table) (amqp.Queue, error) {
	return amqp.Queue{Name: name}, nil
}
func (c *fakeChannel) QueueDeclarePassive(name string, _, _, _, _ bool, _ amqp.Table) (amqp.Queue, error) {
	c.link.server.mu.Lock()
	defer c.link.server.mu.Unlock()
	return amqp.Queue{Name: name, Messages: len(c.link.server.dead)}, nil
}
func (c *fakeChannel) QueueBind(string, string, string, bool, amqp.Table) error { return nil }
func (c *fakeChannel) Confirm(bool) error                                       { return nil }
func (c *fakeChannel) NotifyReturn(r chan amqp.Return) chan amqp.Return         { c.returns = r; return r }
func (c *fakeChannel) NotifyClose(e chan *amqp.Error) chan *amqp.Error          { return e }
func (c *fakeChannel) Qos(n, _ int, _ bool) error {
	c.link.server.mu.Lock()
	defer c.link.server.mu.Unlock()
	c.prefetch = n
	return nil
}

func (c *fakeChannel) IsClosed() bool {
	c.link.server.mu.Lock()
	defer c.link.server.mu.Unlock()
	return c.over
}

func (c *fakeChannel) Publish(_, _ string, m amqp.Publishing) (confirmation, error) {
	s := c.link.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.over {
		return nil, amqp.ErrClosed
	}
	p := &fakeConfirmation{done: make(chan struct{})}
	c.pending = append(c.pending, p)
	what := ack
	if s.onPublish != nil {
		what = s.onPublish(&m)
	}
	s.note("publish " + m.MessageId)
	switch what {
	case ack:
		s.arrive(fakeMessage{Publishing: m})
		p.settle(true)
	case nack:
		p.settle(false)
	case unsaid:
		s.arrive(fakeMessage{Publishing: m})
	case vanish:
	case returnAndAck:
		c.returns <- amqp.Return{MessageId: m.MessageId}
		p.settle(true)
	case dropTheLink:
		go c.link.end(&amqp.Error{Code: amqp.ConnectionForced, Reason: "shut down", Server: true})
	case blockAndWait:
		c.link.blocked <- amqp.Blocking{Active: true, Reason: "low on memory"}
	}
	return p, nil
}

// arrive puts a message into the queue. s.mu is held.
func (s *fakeServer) arrive(m fakeMessage) {
	s.queue = append(s.queue, m)
	s.feed()
}

// feed gives consumers what they have room for. s.mu is held.
func (s *fakeServer) feed() {
	for _, l := range s.links {
		for c := l.channel; c != nil && c.consuming && !c.over && len(s.queue) > 0 && len(c.unacked) < c.prefetch; {
			c.deliveries <- c.hand()
		}
	}
}

// hand takes the first message out of the queue for c. s.mu is held.
func (c *fakeChannel) hand() amqp.Delivery {
	s := c.link.server
	m := s.queue[0]
	s.queue = s.queue[1:]
	c.tag++
	c.unacked = append(c.unacked, fakeUnacked{c.tag, m, false})
	return amqp.Delivery{DeliveryTag: c.tag, MessageId: m.MessageId, Body: m.Body, Headers: m.Headers, Redelivered: m.deliveries > 0}
}

func (c *fakeChannel) Consume(string, string, bool, bool, bool, bool, amqp.Table) (<-chan amqp.Delivery, error) {
	s := c.link.server
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note("consume")
	c.consuming = true
	s.feed()
	return c.deliveries, nil
}

func (c *fakeChannel) Cancel(string, bool) error {
	s := c.link.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.over || !c.consuming {
		return amqp.ErrClosed
	}
	s.note("cancel")
	c.consuming = false
	close(c.deliveries)
	c.deliveries = make(chan amqp.Delivery)
	return nil
}

func (c *fakeChannel) Get(string, bool) (amqp.Delivery, bool, error) {
	s := c.link.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.over {
		return amqp.Delivery{}, false, amqp.ErrClosed
	}
	if len(s.dead) == 0 {
		return amqp.Delivery{}, false, nil
	}
	m := s.dead[0]
	s.dead = s.dead[1:]
	c.tag++
	c.unacked = append(c.unacked, fakeUnacked{c.tag, m, true})
	return amqp.Delivery{DeliveryTag: c.tag, MessageId: m.MessageId, Body: m.Body, Headers: m.Headers}, true, nil
}

func (c *fakeChannel) Ack(tag uint64, multiple bool) error {
	return c.settle("ack", tag, multiple, func(fakeMessage) {})
}

func (c *fakeChannel) Reject(tag uint64, requeue bool) error {
	return c.Nack(tag, false, requeue)
}

func (c *fakeChannel) Nack(tag uint64, multiple, requeue bool) error {
	s := c.link.server
	if requeue {
		return c.settle("requeue", tag, multiple, func(m fakeMessage) { s.requeue([]fakeMessage{m}) })
	}
	return c.settle("reject", tag, multiple, func(m fakeMessage) { s.dead = append(s.dead, m) })
}

func (c *fakeChannel) settle(what string, tag uint64, multiple bool, each func(fakeMessage)) error {
	s := c.link.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.over {
		return amqp.ErrClosed
	}
	rest := c.unacked[:0:0]
	for _, u := range c.unacked {
		if u.tag == tag || multiple && u.tag < tag {
			s.note(what + " " + u.m.MessageId)
			if u.dead && what != "ack" {
				s.dead = append(s.dead, u.m)
			} else {
				each(u.m)
			}
			continue
		}
		rest = append(rest, u)
	}
	c.unacked = rest
	s.feed()
	return nil
}

// giveBack puts all that is not acknowledged back, which counts. s.mu is held.
func (c *fakeChannel) giveBack() {
	var back []fakeMessage
	for _, u := range c.unacked {
		if u.dead {
			c.link.server.dead = append(c.link.server.dead, u.m)
			continue
		}
		back = append(back, u.m)
	}
	c.unacked = nil
	c.consuming = false
	c.link.server.requeue(back)
}

func (s *fakeServer) requeue(back []fakeMessage) {
	var again []fakeMessage
	for _, m := range back {
		if m.deliveries++; m.deliveries > s.limit {
			s.dead = append(s.dead, m)
			continue
		}
		again = append(again, m)
	}
	s.queue = append(again, s.queue...)
	s.feed()
}
