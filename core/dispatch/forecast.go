package dispatch

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
)

// forecast is when and where robots will be free once everything that waits
// is carried out: what a new delivery finds. Each round makes it afresh; a
// request in between takes its robot out of it.
type forecast struct {
	Made    bool         `json:"made"`
	Robots  []Ready      `json:"robots"`
	Sizes   []fleet.Load `json:"sizes"`    // what robots of the market take, each once
	PowerMW int64        `json:"power_mw"` // of the strongest dock
	Typical int64        `json:"typical"`  // recent drive to a pickup, ms, smoothed
}

// chargeDetour is what a forecast adds for the way to a dock and back where a
// robot must charge first.
const chargeDetour = 10 * clock.Minute

// firstDeadhead is the drive to a pickup that is assumed before any was seen.
const firstDeadhead = 6 * clock.Minute

// survey makes the forecast from a round's scene and what it planned.
func (d *desk) survey(sc *scene, r *Round, plan []Pairing) {
	f := &d.state.Forecast
	f.Robots = append(f.Robots[:0], sc.ready...)
	f.Made = true
	f.Sizes, f.PowerMW = f.Sizes[:0], 0
	for i := range sc.robots {
		f.know(&sc.robots[i].Robot)
	}
	for i := range sc.docks {
		f.PowerMW = max(f.PowerMW, sc.docks[i].PowerMW)
	}
	if f.Typical == 0 {
		f.Typical = int64(firstDeadhead)
	}
	if r == nil {
		return
	}
	planned := make([]bool, len(r.Requests))
	at := make(map[fleet.RobotID]int, len(f.Robots))
	for i := range f.Robots {
		at[f.Robots[i].Robot] = i
	}
	for _, p := range plan {
		planned[p.Request] = true
		f.take(at[r.Robots[p.Robot].Robot], &r.Requests[p.Request], p.Option.Arrive, r.Settings)
	}
	for k := range r.Requests {
		if !planned[k] {
			f.queue(&r.Requests[k], r.Settings)
		}
	}
}

// know notes what a robot takes, if it is one that carries deliveries.
func (f *forecast) know(r *fleet.Robot) {
	if r.Kind != fleet.KindRobot || r.State == fleet.Removed {
		return
	}
	for _, s := range f.Sizes {
		if s == r.Capability {
			return
		}
	}
	f.Sizes = append(f.Sizes, r.Capability)
}

// take lets robot i carry w out, from its arrival at the pickup.
func (f *forecast) take(i int, w *Waiting, arrive clock.Time, s Settings) {
	r := &f.Robots[i]
	r.Free = dropoff(w, arrive, s)
	r.At, r.PowerMW, r.Idle = w.Request.Dropoff, 0, false
	if r.Capacity > 0 {
		r.Usable = max(0, r.Usable-w.Trip.EnergyMWh)
	}
}

// dropoff returns when the recipient of w will have the goods.
func dropoff(w *Waiting, arrive clock.Time, s Settings) clock.Time {
	return max(arrive, w.Request.ReadyAt).Add(s.LoadTime + clock.Duration(w.Trip.Millis) + s.UnloadTime)
}

// queue lets the robot that is free first carry out a request for which the
// round had none, after a drive of typical length.
func (f *forecast) queue(w *Waiting, s Settings) {
	first := -1
	for i := range f.Robots {
		if suits(&f.Robots[i], &w.Request) && (first < 0 || f.Robots[i].Free < f.Robots[first].Free) {
			first = i
		}
	}
	if first >= 0 {
		f.take(first, w, f.Robots[first].Free.Add(clock.Duration(f.Typical)), s)
	}
}

// first returns the robot of the forecast that would be at the pickup of w
// first, and when; -1 if there is none.
func (d *desk) first(ctx context.Context, now clock.Time, f *forecast, w *Waiting) (int, clock.Time, error) {
	from := make([]maps.Position, len(f.Robots))
	for i := range f.Robots {
		from[i] = f.Robots[i].At
	}
	legs, err := d.Ways.Matrix(ctx, d.market, from, []maps.Position{w.Request.Pickup})
	if err != nil {
		return -1, 0, fmt.Errorf("legs to the pickup: %w", err)
	}
	best, at := -1, clock.Time(0)
	for i := range f.Robots {
		r := &f.Robots[i]
		if !legs[i].OK || !suits(r, &w.Request) {
			continue
		}
		delay, ok := f.delay(r, legs[i].EnergyMWh+w.Trip.EnergyMWh+w.Home)
		if !ok {
			continue
		}
		if arrive := max(r.Free, now).Add(delay + clock.Duration(legs[i].Millis)); best < 0 || arrive < at {
			best, at = i, arrive
		}
	}
	return best, at, nil
}

// delay is Ready.delay, where a robot that is not docked goes to a dock first.
func (f *forecast) delay(r *Ready, need int64) (clock.Duration, bool) {
	if delay, ok := r.delay(need); ok {
		return delay, true
	}
	docked := *r
	docked.PowerMW = f.PowerMW
	delay, ok := docked.delay(need)
	return delay + chargeDetour, ok
}

// look makes a forecast if there has been no round yet.
func (d *desk) look(ctx context.Context, now clock.Time) error {
	if d.state.Forecast.Made {
		return nil
	}
	sc, err := d.scene(ctx, now)
	if err != nil {
		return err
	}
	sc.predict()
	d.survey(sc, nil, nil)
	return nil
}

// expect notes when a new request may expect its robot, and takes that robot
// out of the forecast.
func (d *desk) expect(ctx context.Context, now clock.Time, w *Waiting) error {
	if err := d.look(ctx, now); err != nil {
		return err
	}
	i, arrive, err := d.first(ctx, now, &d.state.Forecast, w)
	if err != nil || i < 0 {
		return err
	}
	s := d.Settings(d.market)
	w.Pickup, w.Dropoff = max(arrive, w.Request.ReadyAt), dropoff(w, arrive, s)
	d.state.Forecast.take(i, w, arrive, s)
	return nil
}
