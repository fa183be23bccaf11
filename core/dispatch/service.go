package dispatch

import (
	"context"
	"fmt"
	"sync"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

// timerService is the Service of Dispatch's timer keys.
const timerService = "dispatch"

// roundTimer is the What of the timer of a market's next round.
const roundTimer = "round"

// Deps are the ports that Service stands on. All are required.
type Deps struct {
	Fleet    Fleet
	Charging Charging
	Places   Places
	Ways     Ways
	Notifier Notifier
	Clock    clock.Clock
	Timers   clock.Timers
	Journal  event.Journal
	Settings func(market.ID) Settings             // in force now
	Charge   func(market.ID) fleet.ChargeSettings // in force now
}

// Service takes requests, plans rounds and decides. Markets do not wait for
// each other; commands of one market run one after the other, estimates beside them. It is safe for
// concurrent use.
type Service struct {
	deps  Deps
	mu    sync.Mutex
	desks map[market.ID]*desk
}

// NewService returns a service without requests. Resume starts a market's rounds.
func NewService(deps Deps) *Service {
	return &Service{deps: deps, desks: make(map[market.ID]*desk)}
}

// desk is where one market's dispatching happens.
type desk struct {
	Deps
	mu     sync.Mutex
	market market.ID
	news   bool // the feed has grown since Notifier was told
	legs   legTable
	policy Policy
	state  state

	// Memory of one round for the next.
	ready    []Ready
	robots   []Ready
	requests []Waiting
}

// desk returns the market's desk, opening it if need be.
func (s *Service) desk(m market.ID) *desk {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.desks[m]
	if d == nil {
		d = &desk{Deps: s.deps, market: m, state: newState(s.deps.Clock.Now())}
		s.desks[m] = d
	}
	return d
}

// command runs do at the market's desk, and then tells watchers if there is news:
// afterwards, so that they may come back with commands of their own at once.
func (s *Service) command(ctx context.Context, m market.ID, do func(d *desk) error) error {
	if m == "" {
		return missingMarket()
	}
	d := s.desk(m)
	d.mu.Lock()
	err := do(d)
	news := d.news
	d.news = false
	d.mu.Unlock()
	if news {
		s.deps.Notifier.Changed(ctx, m)
	}
	return err
}

func missingMarket() error {
	return fault.New("dispatch", fault.Invalid, "missing_market", "a market is required")
}

// Fire takes a due timer. Where a call was lost, it returns fault.Unavailable;
// the round has gone on without it, and the next one, which is set, makes it good.
func (s *Service) Fire(ctx context.Context, k clock.Key) error {
	if k.Service != timerService || k.What != roundTimer {
		return fault.New("dispatch.Fire", fault.Invalid, "unknown_timer", "timer %s/%s/%s is not of dispatch", k.Service, k.Entity, k.What)
	}
	m := market.ID(k.Entity)
	return s.command(ctx, m, func(d *desk) error {
		now := d.Clock.Now()
		d.state.NextRound = 0
		err := d.round(ctx, now)
		d.next(now)
		if err != nil {
			return fmt.Errorf("round %d of %s: %w", d.state.Number, m, err)
		}
		return nil
	})
}

// Resume takes a market up after a start: it counts on the robots that Fleet
// holds for deliveries, and starts the rounds. Open requests come again from Deliveries.
func (s *Service) Resume(ctx context.Context, m market.ID) error {
	return s.command(ctx, m, func(d *desk) error {
		now := d.Clock.Now()
		d.state.NextRound = 0
		d.soon(now)
		if err := d.adopt(ctx, now); err != nil {
			return fmt.Errorf("resume dispatch of %s: %w", m, err)
		}
		return nil
	})
}

// soon asks for a round as soon as settings allow.
func (d *desk) soon(now clock.Time) {
	s := d.Settings(d.market)
	d.arm(max(now.Add(s.RoundSoon), d.state.LastRound.Add(s.RoundGap)))
}

// next asks for the next regular round.
func (d *desk) next(now clock.Time) {
	s := d.Settings(d.market)
	if len(d.state.Waiting) > 0 {
		d.arm(now.Add(s.RoundEvery))
	} else {
		d.arm(now.Add(s.IdleEvery))
	}
}

// arm sets the timer of the next round, unless it fires earlier already.
func (d *desk) arm(at clock.Time) {
	if d.state.NextRound != 0 && d.state.NextRound <= at {
		return
	}
	d.state.NextRound = at
	d.Timers.Set(clock.Key{Service: timerService, Entity: string(d.market), What: roundTimer}, at)
}
