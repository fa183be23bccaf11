package grpcapi

import (
	"context"
	"math/rand/v2"
	"time"
)

// Waits between tries of a stream that was cut.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = 10 * time.Second
)

// backoff is how often something failed in a row.
type backoff struct{ tries int }

// next returns how long to wait before the next try: twice as long each time,
// and a random share of it, so that many who were cut at once do not come back at once.
func (b *backoff) next() time.Duration {
	wait := min(firstWait<<min(b.tries, 10), lastWait)
	b.tries++
	return wait/2 + rand.N(wait/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
