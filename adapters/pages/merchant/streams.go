package merchant

import (
	"context"
	"sync"

	"footway/core/account"
	"footway/core/fault"
)

// MaxStreams is how many streams of news an account may have open at a time: a shop's tills and tablets share one.
const MaxStreams = 64

// streams counts the open streams of each account, so that nobody takes up all that the API bears.
type streams struct {
	mu   sync.Mutex
	open map[account.ID]int
}

// enter counts a stream of an account until leave is called. It fails with a fault.Exhausted error if there are too many.
func (s *streams) enter(id account.ID) (leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[id] >= MaxStreams {
		return nil, fault.New("merchant.Stream", fault.Exhausted, "too_many_streams", "the account has %d streams open already; close some pages", MaxStreams)
	}
	if s.open == nil {
		s.open = map[account.ID]int{}
	}
	s.open[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.open[id]--; s.open[id] == 0 {
			delete(s.open, id)
		}
	}, nil
}

// untilDrained returns a context that ends with another, or when the server is to stop.
func (p *Pages) untilDrained(of context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(of)
	go func() {
		select {
		case <-p.draining:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
