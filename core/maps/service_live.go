package maps

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	stdmaps "maps"
	"slices"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/market"
)

// Closed is the data of the journal's "maps.closed", Reopened of "maps.reopened".
type Closed struct {
	Closure string     `json:"closure"`
	Edges   int        `json:"edges"` // directions closed
	Until   clock.Time `json:"until"`
	Reason  string     `json:"reason"`
}

// Reopened is the data of the journal's "maps.reopened".
type Reopened struct {
	Closure string `json:"closure"`
}

// SpeedChanged is the data of the journal's "maps.speed".
type SpeedChanged struct {
	Class    Class `json:"class"`
	Permille int32 `json:"permille"`
}

// timerKey is the market's timer: for the next instant at which something begins or ends.
func timerKey(m market.ID) clock.Key {
	return clock.Key{Service: "maps", Entity: string(m), What: "change"}
}

// Arm sets the market's timer, after a start or restart.
func (s *Service) Arm(_ context.Context, m market.ID) error {
	p, err := s.place(m)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.arm(m, p, s.clock.Now())
	return nil
}

func (s *Service) arm(m market.ID, p *place, now clock.Time) {
	if next := p.state.nextChange(now, p.loc); next != 0 {
		s.timers.Set(timerKey(m), next)
	} else {
		s.timers.Cancel(timerKey(m))
	}
}

// Close adds a closure, or replaces the one of the same id. It is in force from
// its From to its Until. It fails with fault.Invalid if it names what the map does not have.
func (s *Service) Close(ctx context.Context, m market.ID, c Closure) error {
	p, err := s.place(m)
	if err != nil {
		return err
	}
	if err := c.Check(p.net); err != nil {
		return &fault.Error{Op: "maps.Close", Kind: fault.Invalid, Reason: "bad_closure", Err: err}
	}
	return s.change(ctx, m, func(st *State) {
		st.Closures = put(st.Closures, c, func(c Closure) string { return c.ID })
	})
}

// Reopen takes a closure away. It is no error if there is none.
func (s *Service) Reopen(ctx context.Context, m market.ID, id string) error {
	return s.change(ctx, m, func(st *State) {
		st.Closures = slices.DeleteFunc(st.Closures, func(c Closure) bool { return c.ID == id })
	})
}

// SetArea adds an area, or replaces the one of the same id.
func (s *Service) SetArea(ctx context.Context, m market.ID, a Area) error {
	if err := a.Check(); err != nil {
		return &fault.Error{Op: "maps.SetArea", Kind: fault.Invalid, Reason: "bad_area", Err: err}
	}
	return s.change(ctx, m, func(st *State) {
		st.Areas = put(st.Areas, a, func(a Area) string { return a.ID })
	})
}

// SetSpeed leaves robots the given share of their speed on a class of ways,
// 50 to 1000 permille, for instance when it rains.
func (s *Service) SetSpeed(ctx context.Context, m market.ID, c Class, permille int32) error {
	if c >= classes || permille < 50 || permille > 1000 {
		return fault.New("maps.SetSpeed", fault.Invalid, "bad_speed", "%d permille on class %v: want 50 to 1000 on a known class", permille, c)
	}
	return s.change(ctx, m, func(st *State) { st.Speeds[c] = permille })
}

// put returns list with v in the place of the element with its id, or added, sorted by id.
func put[T any](list []T, v T, id func(T) string) []T {
	i, found := slices.BinarySearchFunc(list, id(v), func(x T, key string) int { return cmp.Compare(id(x), key) })
	if found {
		list[i] = v
		return list
	}
	return slices.Insert(list, i, v)
}

// maxTries bounds how often a change meets another writer before it gives up.
const maxTries = 5

// change reads the market's state, edits and saves it, and applies what came of it.
// An edit must find its own effect: it is repeated when another writer was faster.
func (s *Service) change(ctx context.Context, m market.ID, edit func(*State)) error {
	p, err := s.place(m)
	if err != nil {
		return err
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	for try := 1; ; try++ {
		state, err := s.store.State(ctx, m)
		if err != nil {
			return err
		}
		edit(&state)
		state.Revision, err = s.store.SaveState(ctx, m, state)
		if err == nil {
			s.apply(ctx, m, p, state)
			return nil
		}
		if !fault.Is(err, fault.Conflict) || try == maxTries {
			return fmt.Errorf("change the map of %s: %w", m, err)
		}
	}
}

// apply makes state the market's, journals what that changes, swaps the metric
// if it is another now, and sets the timer.
func (s *Service) apply(ctx context.Context, m market.ID, p *place, state State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := s.clock.Now()
	old, was := p.state, p.force
	p.state, p.force = state.Clone(), state.inForce(now, p.loc)
	p.version++
	p.rebuild()
	emit := func(kind, entity string, data any) {
		s.journal.Append(ctx, event.New(now, string(m), kind, entity, p.version, data))
	}
	for _, id := range was.Closures {
		if !slices.Contains(p.force.Closures, id) {
			emit("maps.reopened", id, Reopened{id})
		}
	}
	for i := range p.state.Closures {
		c := &p.state.Closures[i]
		if slices.Contains(p.force.Closures, c.ID) && !slices.Contains(was.Closures, c.ID) {
			emit("maps.closed", c.ID, Closed{c.ID, len(c.edges(p.net)), c.Until, c.Reason})
		}
	}
	for c, v := range p.state.Speeds {
		if v != old.Speeds[c] {
			emit("maps.speed", Class(c).String(), SpeedChanged{Class(c), v})
		}
	}
	s.arm(m, p, now)
}

// Fire takes the market's timer: it forgets closures that are over and puts
// what is due into force. A timer that comes twice changes nothing.
func (s *Service) Fire(ctx context.Context, k clock.Key) error {
	m := market.ID(k.Entity)
	if k != timerKey(m) {
		return fault.New("maps.Fire", fault.Invalid, "unknown_timer", "timer %+v: want service maps and change", k)
	}
	p, err := s.place(m)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	p.mu.Lock()
	due := !p.state.inForce(now, p.loc).equal(p.force) || slices.ContainsFunc(p.state.Closures, over(now))
	if !due {
		s.arm(m, p, now)
	}
	p.mu.Unlock()
	if !due {
		return nil
	}
	return s.change(ctx, m, func(st *State) { st.Closures = slices.DeleteFunc(st.Closures, over(now)) })
}

// over returns whether a closure has ended by now.
func over(now clock.Time) func(Closure) bool {
	return func(c Closure) bool { return c.Until != 0 && c.Until <= now }
}

// Refresh reads the market's state again, for when another process changed it.
func (s *Service) Refresh(ctx context.Context, m market.ID) error {
	p, err := s.place(m)
	if err != nil {
		return err
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	state, err := s.store.State(ctx, m)
	if err != nil {
		return err
	}
	if state.Revision != p.state.Revision {
		s.apply(ctx, m, p, state)
	}
	return nil
}

// snapshot is what a service knows beyond its store.
type snapshot struct {
	Market  market.ID `json:"market"`
	Version uint64    `json:"version"`
	Force   force     `json:"force"`
}

// Snapshot returns what the service knows beyond its Store, the same bytes for
// the same state.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []snapshot
	for _, m := range slices.Sorted(stdmaps.Keys(s.places)) {
		p := s.places[m]
		p.mu.Lock()
		all = append(all, snapshot{m, p.version, p.force})
		p.mu.Unlock()
	}
	return json.Marshal(all)
}

// Restore takes what Snapshot returned. Its markets must have been opened, on a
// Store that holds what it held then. It sets no timer and journals nothing.
func (s *Service) Restore(data []byte) error {
	var all []snapshot
	if err := json.Unmarshal(data, &all); err != nil {
		return fault.New("maps.Restore", fault.Invalid, "bad_snapshot", "%w", err)
	}
	for _, x := range all {
		p, err := s.place(x.Market)
		if err != nil {
			return err
		}
		p.mu.Lock()
		p.version, p.force = x.Version, x.Force
		p.rebuild()
		p.mu.Unlock()
	}
	return nil
}
