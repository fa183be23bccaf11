package journal

import (
	"context"
	"sync"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/runlog"
)

// idlePose is how often the pose of a robot is told of which nothing but the charge changes.
const idlePose = clock.Minute

// poses remembers which pose of each robot was told last.
type poses struct {
	every clock.Duration
	mu    sync.Mutex
	told  map[fleet.RobotID]fleet.Telemetry
}

// due reports whether t is to be told, and takes it that it is.
func (p *poses) due(t fleet.Telemetry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	last, known := p.told[t.Robot]
	age := t.At.Sub(last.At)
	due := !known || age >= idlePose || last.Activity != t.Activity || last.Loaded != t.Loaded || last.Fault != t.Fault ||
		last.Position != t.Position && age >= p.every
	if !due {
		return false
	}
	if p.told == nil {
		p.told = make(map[fleet.RobotID]fleet.Telemetry)
	}
	p.told[t.Robot] = t
	return true
}

// telemetry is a TelemetryStore that tells the journal where robots are.
type telemetry struct {
	fleet.TelemetryStore
	journal *Journal
}

// Telemetry returns a store that passes everything on to s, and writes now and then into
// the journal where a robot is: Fleet emits no event for what only telemetry says.
func (j *Journal) Telemetry(s fleet.TelemetryStore) fleet.TelemetryStore { return &telemetry{s, j} }

// SaveTelemetry implements fleet.TelemetryStore.
func (t *telemetry) SaveTelemetry(ctx context.Context, m market.ID, x fleet.Telemetry) (bool, error) {
	kept, err := t.TelemetryStore.SaveTelemetry(ctx, m, x)
	if err == nil && kept && t.journal.poses.due(x) {
		t.journal.Append(ctx, event.New(x.At, string(m), runlog.RobotPose, string(x.Robot), 0, runlog.Pose{
			Robot: x.Robot, Position: x.Position, SpeedMMS: x.SpeedMMS, ChargeMWh: x.ChargeMWh, Activity: x.Activity, Loaded: x.Loaded, Fault: x.Fault,
		}))
	}
	return kept, err
}
