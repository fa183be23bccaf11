package restapi

import (
	"context"
	"sync/atomic"
	"time"

	"footway/core/fault"
)

// class is how long the requests of a route take, and so how many there may be.
type class int

const (
	quick  class = iota // answered at once
	poll                // waits for news, seconds
	stream              // tells news, minutes
	classes
)

// Limits bound how many requests of each class are under way.
type Limits struct {
	Quick, Polls, Streams int           // 0: 256, 4096, 4096
	Queue                 int           // how many quick ones may wait for their turn; 0: as many as Quick
	Wait                  time.Duration // how long at most; 0: a second
}

func (l Limits) orDefaults() Limits {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	set(&l.Quick, 256)
	set(&l.Polls, 4096)
	set(&l.Streams, 4096)
	set(&l.Queue, l.Quick)
	if l.Wait == 0 {
		l.Wait = time.Second
	}
	return l
}

// gate lets so many requests in at once.
type gate struct {
	places  chan struct{}
	waiting atomic.Int64
	queue   int64
	wait    time.Duration
}

func newGates(l Limits) [classes]*gate {
	l = l.orDefaults()
	return [classes]*gate{
		quick:  {places: make(chan struct{}, l.Quick), queue: int64(l.Queue), wait: l.Wait},
		poll:   {places: make(chan struct{}, l.Polls)},
		stream: {places: make(chan struct{}, l.Streams)},
	}
}

// enter takes a place, and waits for one as far as the queue allows. Each
// success is followed by leave.
func (g *gate) enter(ctx context.Context) error {
	select {
	case g.places <- struct{}{}:
		return nil
	default:
	}
	if g.waiting.Add(1) > g.queue {
		g.waiting.Add(-1)
		return busy()
	}
	defer g.waiting.Add(-1)
	t := time.NewTimer(g.wait)
	defer t.Stop()
	select {
	case g.places <- struct{}{}:
		return nil
	case <-t.C:
		return busy()
	case <-ctx.Done():
		return busy()
	}
}

func (g *gate) leave() { <-g.places }

func busy() error {
	return &later{error: fault.New("restapi", fault.Unavailable, reasonBusy, "too many requests are under way; nothing was done"), after: time.Second}
}
