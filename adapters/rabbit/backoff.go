package rabbit

import (
	"context"
	"math/rand/v2"
	"time"
)

// Between attempts to connect, or to have updates taken.
const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
)

// backoff is how long to wait after a number of failures in a row: twice as
// long each time, and between half of it and all of it, so that those that
// failed together do not come back together.
type backoff struct{ failures int }

func (b *backoff) next() time.Duration {
	d := lastBackoff
	if b.failures < 7 {
		d = min(lastBackoff, firstBackoff<<b.failures)
	}
	b.failures++
	return d/2 + rand.N(d/2)
}

func (b *backoff) reset() { b.failures = 0 }

// pause waits until d has passed or ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
