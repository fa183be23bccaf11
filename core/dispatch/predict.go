package dispatch

import (
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/fleet"
)

// What Dispatch holds robots for when they have no delivery: the beginnings of holders.
const (
	holdsCharge = "charge/"
	holdsMove   = "move/"
)

// scene is what a round has found out about the market.
type scene struct {
	now      clock.Time
	settings Settings
	charge   fleet.ChargeSettings
	version  uint64            // of the map
	robots   []fleet.Candidate // ordered by id
	docks    []fleet.Dock      // ordered by id
	jobs     map[fleet.RobotID]*job
	ready    []Ready // of those robots that can be planned with, ordered by id
}

// reservation returns who holds the robot now, or nil.
func (sc *scene) reservation(c *fleet.Candidate) *fleet.Reservation {
	if !c.Robot.Held(sc.now) {
		return nil
	}
	return c.Robot.Reservation
}

// isChore reports whether a reservation is for charging or moving, which a
// delivery may end at any time.
func isChore(r *fleet.Reservation) bool {
	return strings.HasPrefix(r.Holder, holdsCharge) || strings.HasPrefix(r.Holder, holdsMove)
}

// predict says when, where and with what charge the robots will be free.
func (sc *scene) predict() {
	sc.ready = slices.Grow(sc.ready[:0], len(sc.robots))
	for i := range sc.robots {
		if r, ok := sc.predictOne(&sc.robots[i]); ok {
			sc.ready = append(sc.ready, r)
		}
	}
}

func (sc *scene) predictOne(c *fleet.Candidate) (Ready, bool) {
	t := &c.Telemetry
	if !fit(c) || t.At == 0 || sc.now.Sub(t.At) > sc.settings.ContactWithin {
		return Ready{}, false
	}
	r := Ready{
		Robot: c.Robot.ID, Kind: c.Robot.Kind, Takes: c.Robot.Capability, Capacity: c.Robot.CapacityMWh,
		At: t.Position, Free: sc.now, Usable: fleet.UsableMWh(c.Robot, *t, sc.charge),
	}
	held, j := sc.reservation(c), sc.jobs[c.Robot.ID]
	switch {
	case j != nil && j.Lost:
		return Ready{}, false
	case j != nil && j.Known:
		r.Free, r.At = j.free(sc.now, sc.settings), j.Request.Dropoff
		r.Usable = max(0, r.Usable-j.energyLeft())
		return r, true
	case j != nil, held != nil && !isChore(held):
		r.Free = sc.now.Add(sc.settings.UnknownJob)
		return r, true
	case held != nil:
		r.Chore = held.Token
	}
	r.Idle = true
	if t.Activity == fleet.Charging {
		r.PowerMW = sc.power(t.Dock)
	}
	return r, true
}

// fit reports whether a robot can take jobs, going by its state and report.
func fit(c *fleet.Candidate) bool {
	switch c.Robot.State {
	case fleet.Available, fleet.Reserved, fleet.Stopped, fleet.OnTrip:
	default:
		return false
	}
	return c.Telemetry.Activity != fleet.Halted && c.Telemetry.Activity != fleet.Broken
}

// power returns what a dock's slot gives in mW, 0 if there is no such dock.
func (sc *scene) power(id fleet.DockID) int64 {
	i, ok := slices.BinarySearchFunc(sc.docks, id, func(d fleet.Dock, id fleet.DockID) int { return strings.Compare(string(d.ID), string(id)) })
	if !ok {
		return 0
	}
	return sc.docks[i].PowerMW
}

// free returns when the job will have ended, as far as can be told now.
func (j *job) free(now clock.Time, s Settings) clock.Time {
	trip := clock.Duration(j.Trip.Millis) + s.UnloadTime
	if j.LoadedAt != 0 {
		return max(j.LoadedAt.Add(trip), now.Add(s.UnloadTime/2))
	}
	return max(max(j.Arrive, j.Request.ReadyAt).Add(s.LoadTime), now.Add(s.LoadTime/2)).Add(trip)
}

// energyLeft returns what the job will still take, in mWh: half of the part under way.
func (j *job) energyLeft() int64 {
	if j.LoadedAt != 0 {
		return j.Trip.EnergyMWh / 2
	}
	return j.Deadhead/2 + j.Trip.EnergyMWh
}
