package restapi

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"footway/core/fault"
)

// Pace bounds how often one business calls.
type Pace struct {
	PerMinute int // once the burst is used up
	Burst     int
}

// maxPaces bounds whose pace is remembered.
const maxPaces = 10_000

// paces counts the calls of each caller that a pace is for.
type paces struct {
	Pace
	mu sync.Mutex
	of map[string]*rate.Limiter
}

func newPaces(p Pace) *paces { return &paces{Pace: p, of: map[string]*rate.Limiter{}} }

// take counts a call, and fails with fault.Exhausted if it is one too many.
func (p *paces) take(who string) error {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.of[who]
	if l == nil {
		p.forget(now)
		l = rate.NewLimiter(rate.Limit(float64(p.PerMinute)/60), p.Burst)
		p.of[who] = l
	}
	held := l.ReserveN(now, 1)
	wait := held.DelayFrom(now)
	if wait == 0 {
		return nil
	}
	held.CancelAt(now)
	return &later{error: fault.New("restapi", fault.Exhausted, reasonTooOften, "too many calls of this business; nothing was done"), after: wait}
}

// forget makes room for one more: who has not called for a while has its whole burst again, as a new one has.
func (p *paces) forget(now time.Time) {
	if len(p.of) < maxPaces {
		return
	}
	for who, l := range p.of {
		if l.TokensAt(now) >= float64(p.Burst) || len(p.of) >= 2*maxPaces {
			delete(p.of, who)
		}
	}
}
