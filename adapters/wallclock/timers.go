package wallclock

import (
	"container/heap"
	"context"
	"log/slog"
	"sync"
	"time"

	"footway/core/clock"
	"footway/core/fault"
)

// Timers holds timers until they are due, and then has Run call what they are
// for. It is safe for concurrent use.
type Timers struct {
	mu      sync.Mutex
	queue   queue
	byKey   map[clock.Key]*entry
	running map[clock.Key]bool // being called now
	set     uint64             // how many were ever set, for the order of equal instants
	changed chan struct{}      // holds one token: there is something new at the front
}

var _ clock.Timers = (*Timers)(nil)

// entry is one timer.
type entry struct {
	key   clock.Key
	at    clock.Time
	seq   uint64
	tries int // calls that failed, since it was set
	index int // in the queue
}

// NewTimers returns timers of which none is set.
func NewTimers() *Timers {
	return &Timers{byKey: map[clock.Key]*entry{}, running: map[clock.Key]bool{}, changed: make(chan struct{}, 1)}
}

// Set implements clock.Timers.
func (t *Timers) Set(k clock.Key, at clock.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.put(k, at, 0)
}

// put sets a timer. The caller holds the lock.
func (t *Timers) put(k clock.Key, at clock.Time, tries int) {
	t.set++
	e := t.byKey[k]
	if e == nil {
		e = &entry{key: k, at: at, seq: t.set, tries: tries}
		t.byKey[k] = e
		heap.Push(&t.queue, e)
	} else {
		e.at, e.seq, e.tries = at, t.set, tries
		heap.Fix(&t.queue, e.index)
	}
	if t.queue[0] == e {
		t.nudge()
	}
}

// Cancel implements clock.Timers.
func (t *Timers) Cancel(k clock.Key) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byKey[k]; e != nil {
		heap.Remove(&t.queue, e.index)
		delete(t.byKey, k)
	}
}

func (t *Timers) nudge() {
	select {
	case t.changed <- struct{}{}:
	default: // a token is there already
	}
}

// State is how the timers are doing.
type State struct {
	Pending int
	Running int
	Late    time.Duration // by how much the first is overdue, 0 if it is not
}

// State returns how the timers are doing, for metrics.
func (t *Timers) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := State{Pending: len(t.queue), Running: len(t.running)}
	if len(t.queue) > 0 {
		s.Late = max(0, time.Since(t.queue[0].at.Std()))
	}
	return s
}

// Options say how timers are called; the zero value works.
type Options struct {
	Workers int           // most calls at once; 0 is 16
	Timeout time.Duration // of one call; 0 is 30 s
	Logger  *slog.Logger  // is told of calls that failed; nil: slog.Default
}

// A call that failed with fault.Unavailable comes again after a second, then
// after twice as long each time, at most after a minute.
const (
	firstRetry = clock.Second
	lastRetry  = clock.Minute
)

// Run calls fire with the key of each timer that is due, until ctx ends; then it
// waits for the calls that are under way. Calls run side by side, but never two
// of one key. One that fails with fault.Unavailable is made again, later each time, unless the
// timer is set anew meanwhile; another failure is logged, and the timer is gone.
func (t *Timers) Run(ctx context.Context, o Options, fire func(context.Context, clock.Key) error) {
	if o.Workers <= 0 {
		o.Workers = 16
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	slots := make(chan struct{}, o.Workers)
	var calls sync.WaitGroup
	defer calls.Wait()
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		e, ok := t.next(ctx)
		if !ok {
			return
		}
		calls.Go(func() {
			defer func() { <-slots }()
			t.call(ctx, o, e, fire)
		})
	}
}

// next waits for a timer that is due and takes it. It reports false when ctx ended.
func (t *Timers) next(ctx context.Context) (entry, bool) {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	for {
		e, wait := t.take()
		if wait == 0 {
			return e, true
		}
		alarm.Reset(wait)
		select {
		case <-ctx.Done():
			return entry{}, false
		case <-t.changed:
		case <-alarm.C:
		}
	}
}

// take removes the first timer if it is due, and else returns how long to wait. One whose key
// is being called stays until that call has returned, which nudges.
func (t *Timers) take() (entry, time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const idle = time.Hour
	now := Clock{}.Now()
	var busy []*entry
	defer func() {
		for _, e := range busy {
			heap.Push(&t.queue, e)
		}
	}()
	for len(t.queue) > 0 {
		if wait := t.queue[0].at.Sub(now).Std(); wait > 0 {
			return entry{}, wait
		}
		e := heap.Pop(&t.queue).(*entry)
		if t.running[e.key] {
			busy = append(busy, e)
			continue
		}
		delete(t.byKey, e.key)
		t.running[e.key] = true
		return *e, 0
	}
	return entry{}, idle
}

func (t *Timers) call(ctx context.Context, o Options, e entry, fire func(context.Context, clock.Key) error) {
	one, cancel := context.WithTimeout(ctx, o.Timeout)
	err := fire(one, e.key)
	cancel()
	again := fault.Is(err, fault.Unavailable)
	t.mu.Lock()
	delete(t.running, e.key)
	if again && t.byKey[e.key] == nil {
		t.put(e.key, Clock{}.Now().Add(min(lastRetry, firstRetry<<min(e.tries, 10))), e.tries+1)
	}
	t.nudge()
	t.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		o.Logger.Warn("timer", "service", e.key.Service, "entity", e.key.Entity, "what", e.key.What, "again", again, "error", err)
	}
}

// queue is a heap by instant, equal ones in the order in which they were set.
type queue []*entry

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}

func (q queue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

func (q *queue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return e
}
