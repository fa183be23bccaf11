package world

import (
	"encoding/json"
	"fmt"

	"footway/core/delivery"
	"footway/core/fleet"
	"footway/sim/dist"
	"footway/sim/kernel"
)

// state is all of a world that changes, as a checkpoint holds it.
type state struct {
	Kernel  kernel.State       `json:"kernel"`
	Timers  kernel.TimersState `json:"timers"`
	Robots  []*robot           `json:"robots"`
	Docks   []dock             `json:"docks"`
	Orders  []*order           `json:"orders"`
	Demand  *demand            `json:"demand"`
	Crew    operators          `json:"crew"`
	Weather weather            `json:"weather"`
	Faults  faults             `json:"faults"`
	Pumping bool               `json:"pumping"`
	Ended   int                `json:"ended"`
	Check   *checker           `json:"check"`
}

// Snapshot writes the world down as it is between two events. The services and
// their stores write themselves down.
func (w *World) Snapshot() ([]byte, error) {
	if w.check.err != nil {
		return nil, fmt.Errorf("world: no checkpoint of a run that has failed: %w", w.check.err)
	}
	if w.demand.arrivals != nil {
		w.demand.Candidates = w.demand.arrivals.Candidates()
	}
	s := state{
		Kernel: w.kernel.State(), Timers: w.timers.State(), Robots: w.robots, Docks: w.docks, Orders: w.orders,
		Demand: w.demand, Crew: w.crew, Weather: w.weather, Faults: w.faults,
		Pumping: w.pumping, Ended: w.ended, Check: w.check,
	}
	return json.Marshal(s)
}

// Restore returns the world that Snapshot wrote down. The options must be those
// of the run. Services are to be made on its clock and timers, then attached; Begin is not
// called again.
func Restore(o Options, snapshot []byte) (*World, error) {
	w, err := New(o)
	if err != nil {
		return nil, err
	}
	s := state{Demand: w.demand, Faults: w.faults, Check: w.check}
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return nil, fmt.Errorf("world: checkpoint: %w", err)
	}
	if len(s.Robots) != len(w.robots) || len(s.Docks) != len(w.docks) || len(s.Faults.Standing) != len(w.faults.closures) {
		return nil, fmt.Errorf("world: the checkpoint is of another scenario: it has %d robots, %d docks and %d events, this one has %d, %d and %d",
			len(s.Robots), len(s.Docks), len(s.Faults.Standing), len(w.robots), len(w.docks), len(w.faults.closures))
	}
	if w.kernel, err = kernel.Restore(s.Kernel); err != nil {
		return nil, fmt.Errorf("world: checkpoint: %w", err)
	}
	if w.timers, err = kernel.RestoreTimers(w.kernel, forTimer, 1, s.Timers); err != nil {
		return nil, fmt.Errorf("world: checkpoint: %w", err)
	}
	w.robots, w.docks, w.orders = s.Robots, s.Docks, s.Orders
	w.crew, w.weather, w.faults = s.Crew, s.Weather, s.Faults
	w.hide()
	w.pumping, w.ended = s.Pumping, s.Ended
	w.byRobot, w.byOrder = map[fleet.RobotID]int{}, map[delivery.ID]int{}
	for i, r := range w.robots {
		w.byRobot[r.ID] = i
	}
	for i, r := range w.orders {
		w.byOrder[r.Delivery] = i
	}
	if w.demand.arrivals != nil {
		rate, err := w.demand.rate(w)
		if err != nil {
			return nil, err
		}
		w.demand.arrivals = dist.NewArrivals(w.o.Seed.Stream("demand", "arrivals"), rate, w.demand.Candidates)
	}
	return w, nil
}
