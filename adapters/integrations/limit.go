package integrations

import (
	"container/list"
	"context"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"footway/core/clock"
	"footway/core/integration"
)

// recent is a bounded table: what was not asked for longest makes way.
type recent[V any] struct {
	mu   sync.Mutex
	of   map[string]*list.Element // of *slot[V]
	all  *list.List               // the latest first
	most int
}

type slot[V any] struct {
	key   string
	value V
}

func newRecent[V any](most int) *recent[V] {
	return &recent[V]{of: map[string]*list.Element{}, all: list.New(), most: most}
}

// get returns what is kept under key, or what make makes.
func (r *recent[V]) get(key string, make func() V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.of[key]; ok {
		r.all.MoveToFront(e)
		return e.Value.(*slot[V]).value
	}
	v := make()
	r.put(key, v)
	return v
}

// put keeps v; r.mu is held.
func (r *recent[V]) put(key string, v V) {
	r.of[key] = r.all.PushFront(&slot[V]{key, v})
	for len(r.of) > r.most {
		last := r.all.Back()
		r.all.Remove(last)
		delete(r.of, last.Value.(*slot[V]).key)
	}
}

// rates bounds how often each key asks.
type rates struct {
	limit   rate.Limit
	burst   int
	buckets *recent[*rate.Limiter]
}

func newRates(o Options) *rates {
	return &rates{limit: rate.Limit(float64(o.PerMinute) / 60), burst: o.Burst, buckets: newRecent[*rate.Limiter](o.Buckets)}
}

// take counts a request of a key. Only keys that there are get here, so nobody can push others out.
func (r *rates) take(key string) error {
	l := r.buckets.get(key, func() *rate.Limiter { return rate.NewLimiter(r.limit, r.burst) })
	now := time.Now()
	held := l.ReserveN(now, 1)
	wait := held.DelayFrom(now)
	if held.OK() && wait == 0 {
		return nil
	}
	held.CancelAt(now)
	return &problem{status: http.StatusTooManyRequests, after: max(wait, time.Second), Code: codeThrottled, Message: "too many requests of this key; wait as long as the header Retry-After says"}
}

// cache remembers for a moment what keys prove, and which do not exist.
type cache struct {
	keys  Keys
	clock clock.Clock
	life  clock.Duration
	seen  *recent[*proved]
}

type proved struct {
	mu    sync.Mutex
	until clock.Time
	found integration.Credential
	known bool
}

func newCache(k Keys, c clock.Clock, life time.Duration, most int) *cache {
	return &cache{keys: k, clock: c, life: clock.Duration(life.Milliseconds()), seen: newRecent[*proved](most)}
}

// Credential implements Keys.
func (c *cache) Credential(ctx context.Context, id string) (integration.Credential, bool, error) {
	p, now := c.seen.get(id, func() *proved { return &proved{} }), c.clock.Now()
	p.mu.Lock()
	found, known, until := p.found, p.known, p.until
	p.mu.Unlock()
	if now < until {
		return found, known && found.Key.Usable(now), nil
	}
	found, known, err := c.keys.Credential(ctx, id) // without the lock: a slow store holds up nobody else
	if err != nil {
		return found, false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found, p.known, p.until = found, known, now.Add(c.life)
	return found, known, nil
}
