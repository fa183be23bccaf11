package world

import (
	"context"
	"slices"

	"footway/core/clock"
	"footway/core/maps"
	"footway/core/rng"
)

func (w *World) length(id maps.EdgeID) int32 { return w.o.Network.Edges[id].LengthMM }

// blockedAt finds the first edge of a route that is closed without the map
// knowing: robots plan on what the map knows and meet what is there.
func (w *World) blockedAt(route []maps.EdgeID) (int, bool) {
	if len(w.hidden) == 0 {
		return 0, false
	}
	for i, id := range route {
		if _, ok := slices.BinarySearch(w.hidden, id); ok && i > 0 {
			return i, true
		}
	}
	return 0, false
}

// holdAt is how long a robot that comes to edge e at t waits before it moves on, and why.
func (w *World) holdAt(e *maps.Edge, t clock.Time, gaps rng.Stream, k uint64) (int64, string) {
	c := w.o.Scenario.World.Crossings
	switch e.Control {
	case maps.ControlSignal:
		// Each signal has a phase of its own, the same in every run of the seed.
		cycle := int64(c.Cycle)
		phase := (int64(t) + w.o.Seed.Stream("signal", "phase").N(uint64(uint32(e.Signal)), cycle)) % cycle
		if phase < int64(c.Green) {
			return 0, ""
		}
		return cycle - phase, "signal"
	case maps.ControlZebra:
		return int64(c.GapTime.Draw(gaps, k)) / 3, "gap"
	case maps.ControlUnmarked:
		wait := int64(c.GapTime.Draw(gaps, k))
		if e.Street >= maps.StreetTertiary {
			wait *= 2
		}
		return wait, "gap"
	}
	return 0, ""
}

// discover tells the map what a robot found closed, as its operator would.
func (w *World) discover(ctx context.Context, edge maps.EdgeID) error {
	if i, ok := w.faults.untold(edge); ok {
		return w.closeOnMap(ctx, i)
	}
	return nil
}
