package restapi

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// Robots is what the API needs of Fleet, to tell where robots are.
type Robots interface {
	// Candidates returns all robots of a market with what they last said.
	Candidates(ctx context.Context, m market.ID) ([]fleet.Candidate, error)
}

// Ways is what the API needs of Maps, to tell which way a robot takes.
type Ways interface {
	// Way returns the way between two places, and the points that it leads along.
	Way(ctx context.Context, m market.ID, from, to maps.Position) (maps.Route, []maps.Point, error)
}

const (
	lookEvery = time.Second     // how old what is told of a robot's place may be before Fleet is asked again
	lookFor   = 2 * time.Second // how long Fleet may take
)

// sights remembers where the robots of each market are, so that Fleet is asked once
// for all who look at a market.
type sights struct {
	markets sync.Map // by market.ID, *sight
}

type sight struct {
	busy  sync.Mutex // held by who asks Fleet
	asked atomic.Int64
	now   atomic.Pointer[map[fleet.RobotID]fleet.Telemetry]
}

// of returns what a robot last said, as of a second ago, or false if nothing is known.
func (s *sights) of(ctx context.Context, robots Robots, m market.ID, id fleet.RobotID) (fleet.Telemetry, bool) {
	found, _ := s.markets.LoadOrStore(m, &sight{})
	one, ok := found.(*sight)
	if !ok || robots == nil || id == "" {
		return fleet.Telemetry{}, false
	}
	if stale := func() bool { return time.Since(time.UnixMilli(one.asked.Load())) >= lookEvery }; stale() {
		one.look(ctx, robots, m, stale)
	}
	all := one.now.Load()
	if all == nil {
		return fleet.Telemetry{}, false
	}
	t, ok := (*all)[id]
	return t, ok && t.At != 0
}

// look asks Fleet, unless somebody else does just now and there is something to go by meanwhile.
func (s *sight) look(ctx context.Context, robots Robots, m market.ID, stale func() bool) {
	if s.now.Load() == nil {
		s.busy.Lock()
	} else if !s.busy.TryLock() {
		return
	}
	defer s.busy.Unlock()
	if !stale() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookFor) // others wait for the answer too
	defer cancel()
	all, err := robots.Candidates(ctx, m)
	s.asked.Store(time.Now().UnixMilli())
	if err != nil {
		return // what is known gets older, and says so
	}
	now := make(map[fleet.RobotID]fleet.Telemetry, len(all))
	for i := range all {
		now[all[i].Robot.ID] = all[i].Telemetry
	}
	s.now.Store(&now)
}

// wireSight is where a robot was when it was last heard of.
type wireSight struct {
	Point    *wirePoint     `json:"point"`
	HeardAt  instant        `json:"heard_at"`
	SpeedMMS int64          `json:"speed_mm_s"`
	Activity fleet.Activity `json:"activity"`
}

// see returns where the robot of a delivery is, nil if it has none or nobody knows.
func (s *deliveriesAPI) see(ctx context.Context, m market.ID, id fleet.RobotID) (*wireSight, maps.Position, error) {
	t, ok := s.sights.of(ctx, s.Robots, m, id)
	if !ok {
		return nil, maps.Position{}, nil
	}
	p, err := s.Places.PointAt(ctx, m, t.Position)
	if err != nil {
		return nil, t.Position, err
	}
	return &wireSight{Point: pointTo(&p), HeardAt: instant(t.At), SpeedMMS: t.SpeedMMS, Activity: t.Activity}, t.Position, nil
}

type wireTrack struct {
	State   delivery.State `json:"state"`
	Pickup  *wirePoint     `json:"pickup"`
	Dropoff *wirePoint     `json:"dropoff"`
	Robot   *wireSight     `json:"robot,omitempty"`
	Way     []*wirePoint   `json:"way,omitempty"`
	WayMM   int64          `json:"way_mm,omitempty"`
	WayMS   int64          `json:"way_ms,omitempty"`
	// Until when the robot waits where it is, and when its hatch was last opened there.
	WaitsUntil instant `json:"waits_until,omitzero"`
	OpenedAt   instant `json:"opened_at,omitzero"`
}

// track tells where everything of a delivery is.
func (s *deliveriesAPI) track(w http.ResponseWriter, r *http.Request) error {
	if err := noBody(r); err != nil {
		return err
	}
	d, err := s.find(r)
	if err != nil {
		return err
	}
	pickup, err := s.Places.PointAt(r.Context(), d.Market, d.Pickup.Position)
	if err != nil {
		return err
	}
	dropoff, err := s.Places.PointAt(r.Context(), d.Market, d.Dropoff.Position)
	if err != nil {
		return err
	}
	out := wireTrack{State: d.State, Pickup: pointTo(&pickup), Dropoff: pointTo(&dropoff), OpenedAt: instant(d.Exchange)}
	if s.WaitsUntil != nil {
		out.WaitsUntil = instant(s.WaitsUntil(&d))
	}
	if watched(d.State, d.Robot) {
		at, position, err := s.see(r.Context(), d.Market, d.Robot)
		if err != nil {
			return err
		}
		out.Robot = at
		if to, drives := next(&d); drives && at != nil && s.Ways != nil {
			way, points, err := s.Ways.Way(r.Context(), d.Market, position, to)
			if err != nil {
				return err
			}
			out.WayMM, out.WayMS = way.LengthMM, way.Millis
			for i := range points {
				out.Way = append(out.Way, pointTo(&points[i]))
			}
		}
	}
	body, err := encode(out)
	if err != nil {
		return err
	}
	return answer(w, r, body)
}

// watched reports whether it is anybody's business where the robot is.
func watched(state delivery.State, robot fleet.RobotID) bool {
	return robot != "" && !state.Ended()
}

// next returns where the robot of d drives to, if it does.
func next(d *delivery.Delivery) (maps.Position, bool) {
	switch d.State {
	case delivery.Assigned, delivery.ToPickup, delivery.Returning:
		return d.Pickup.Position, true
	case delivery.Loaded, delivery.ToDropoff:
		return d.Dropoff.Position, true
	}
	return maps.Position{}, false
}

// eye watches the robot of one delivery for one reader.
type eye struct {
	market market.ID
	robot  fleet.RobotID
	state  delivery.State
	told   instant // when what was last told was heard
}

// follow takes up what an update says of the robot.
func (e *eye) follow(u *delivery.Update) {
	if e != nil {
		e.robot, e.state = u.Robot, u.To
	}
}

// attend waits until there may be updates, and tells meanwhile where the robot is. It returns
// false when there is no use in waiting.
func (f *following) attend(l *listener, enough <-chan time.Time) bool {
	if f.eye == nil {
		return f.wait(f.r.Context(), l, enough)
	}
	looks := time.NewTicker(lookEvery)
	defer looks.Stop()
	until := time.Now().Add(f.o.Look)
	for time.Now().Before(until) {
		if err := f.glance(); err != nil {
			f.streamBroke(f.r, err)
			return false
		}
		select {
		case <-l.c:
			return true
		case <-looks.C:
		case <-enough:
			return false
		case <-f.r.Context().Done():
			return false
		case <-f.draining:
			return false
		}
	}
	return true
}

// glance tells where the robot is, if it was heard of since.
func (f *following) glance() error {
	if !watched(f.eye.state, f.eye.robot) {
		return nil
	}
	at, _, err := f.see(f.r.Context(), f.eye.market, f.eye.robot)
	if err != nil || at == nil || at.HeardAt <= f.eye.told {
		return err
	}
	f.eye.told = at.HeardAt
	return f.e.send("robot", "", at)
}
