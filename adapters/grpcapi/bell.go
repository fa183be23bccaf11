package grpcapi

import (
	"context"
	"sync"

	"footway/core/market"
	"footway/core/task"
)

// Bell wakes up who watches a market's feed in this process. It implements the
// Notifier ports of the core. It is safe for concurrent use.
type Bell struct {
	mu   sync.Mutex
	rung map[market.ID]chan struct{}
}

var _ task.Notifier = (*Bell)(nil)

// NewBell returns a bell that nobody waits for.
func NewBell() *Bell { return &Bell{rung: map[market.ID]chan struct{}{}} }

// Changed implements task.Notifier: it wakes up everybody who waits for m.
func (b *Bell) Changed(_ context.Context, m market.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.rung[m]; c != nil {
		close(c)
		delete(b.rung, m)
	}
}

// Next returns a channel that is closed by the next change of m. Who looks at the
// feed after the call misses nothing.
func (b *Bell) Next(m market.ID) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.rung[m]
	if c == nil {
		c = make(chan struct{})
		b.rung[m] = c
	}
	return c
}
