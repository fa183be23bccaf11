package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"footway/core/delivery"
	"footway/core/fault"
)

// Broker carries updates from the outbox to whoever takes them, at least once.
// An update stays until it was taken; what can never be taken is put aside.
type Broker struct {
	most int

	turn sync.Mutex // held by who delivers

	mu    sync.Mutex
	queue []delivery.Update
	dead  []delivery.Update
	news  chan struct{} // has an element when there may be something in queue
}

var _ delivery.Publisher = (*Broker)(nil)

// NewBroker returns an empty broker that refuses more than most waiting updates.
func NewBroker(most int) *Broker { return &Broker{most: most, news: make(chan struct{}, 1)} }

// Publish implements delivery.Publisher.
func (b *Broker) Publish(ctx context.Context, u []delivery.Update) ([]bool, error) {
	const op = "memory.Publish"
	taken := make([]bool, len(u))
	if err := ctx.Err(); err != nil {
		return taken, fault.New(op, fault.Unavailable, "cancelled", "the caller gave up: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var refused error
	for i := range u {
		if err := u[i].Check(); err != nil {
			refused = &fault.Error{Op: op, Kind: fault.Invalid, Reason: "bad_update", Err: err}
			continue
		}
		if len(b.queue) >= b.most {
			refused = fault.New(op, fault.Unavailable, "refused", "%d updates wait already", b.most)
			break
		}
		b.queue = append(b.queue, u[i])
		taken[i] = true
	}
	select {
	case b.news <- struct{}{}:
	default:
	}
	return taken, refused
}

// Waiting returns how many updates nobody has taken yet.
func (b *Broker) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// Deliver gives what waits to take, and returns how many updates that were. It
// stops at the first error after which take may be tried again.
func (b *Broker) Deliver(ctx context.Context, take func(context.Context, ...delivery.Update) error) (int, error) {
	const most = 200
	b.turn.Lock()
	defer b.turn.Unlock()
	for n := 0; ; {
		b.mu.Lock()
		batch := slices.Clone(b.queue[:min(most, len(b.queue))])
		b.mu.Unlock()
		if len(batch) == 0 {
			return n, nil
		}
		err := take(ctx, batch...)
		if fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid) {
			batch = batch[:1] // one of them is to blame: one at a time, until it is out of the way
			err = take(ctx, batch...)
		}
		hopeless := fault.Is(err, fault.Conflict) || fault.Is(err, fault.Invalid)
		if err != nil && !hopeless {
			return n, fmt.Errorf("deliver %d updates, the first %s/%d: %w", len(batch), batch[0].Delivery, batch[0].Sequence, err)
		}
		b.mu.Lock()
		b.queue = slices.Delete(b.queue, 0, len(batch))
		if hopeless {
			b.dead = append(b.dead, batch...)
		}
		b.mu.Unlock()
		n += len(batch)
	}
}

// Consume delivers until ctx ends, and tries again when take fails.
func (b *Broker) Consume(ctx context.Context, take func(context.Context, ...delivery.Update) error) error {
	const first, last = 10 * time.Millisecond, time.Second
	for wait := first; ; {
		var again <-chan time.Time
		if _, err := b.Deliver(ctx, take); err != nil {
			again, wait = time.After(wait), min(2*wait, last)
		} else {
			wait = first
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case <-b.news:
		}
	}
}

// Dead returns the updates that could never be taken.
func (b *Broker) Dead() []delivery.Update {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.dead)
}
