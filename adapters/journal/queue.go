package journal

import (
	"sync"

	"footway/core/event"
)

// queue holds events until they are written. Its lock is never held for longer
// than it takes to put one in.
type queue struct {
	most, mostBytes int
	ready           chan struct{} // holds a token if there may be something

	mu      sync.Mutex
	waiting []waiting
	bytes   int
	gap     Gap // of what was dropped since the last that was taken
	dropped uint64
	closed  bool
}

// waiting is an event, and what is missing before it.
type waiting struct {
	event.Event
	gap Gap
}

func newQueue(most, mostBytes int) *queue {
	return &queue{most: most, mostBytes: mostBytes, ready: make(chan struct{}, 1)}
}

func (q *queue) put(e event.Event) {
	q.mu.Lock()
	if q.closed || len(q.waiting) >= q.most || q.bytes+len(e.Data) > q.mostBytes && len(q.waiting) > 0 {
		q.gap = q.gap.with(e)
		q.dropped++
		q.mu.Unlock()
		return
	}
	q.waiting = append(q.waiting, waiting{e, q.gap})
	q.bytes += len(e.Data)
	q.gap = Gap{}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default: // it is known already
	}
}

// take returns what waits, and what is missing behind it, and goes on with the room of spare.
func (q *queue) take(spare []waiting) ([]waiting, Gap) {
	q.mu.Lock()
	defer q.mu.Unlock()
	all, behind := q.waiting, q.gap
	q.waiting, q.bytes, q.gap = spare[:0], 0, Gap{}
	return all, behind
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

func (q *queue) stats() (waiting int, dropped uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting), q.dropped
}
