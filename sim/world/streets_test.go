package world

import (
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/scenario"
)

// closing is a calm scenario in which the way of the first robot to the farthest
// merchant is closed, half way, five minutes after it began.
func closing(t *testing.T, known bool) (scenario.Scenario, maps.Position) {
	t.Helper()
	s := calm(1)
	g := begun(t, s)
	to := farthest(t, g)
	route, err := g.s.Maps.Route(t.Context(), "m", g.robots[0].At, to)
	if err != nil {
		t.Fatal(err)
	}
	half := route.Pieces[len(route.Pieces)/2]
	s.Events = []scenario.Event{{
		At: 5 * clock.Minute, Do: "closure", Known: known, RadiusM: 40, For: clock.Hour,
		Around: words(g.o.Network.PointAt(maps.Position{Edge: half.Edge, OffsetMM: half.FromMM})),
	}}
	return s, to
}

// TestClosureThatTheMapKnows: robots turn to another way at once.
func TestClosureThatTheMapKnows(t *testing.T) {
	s, to := closing(t, true)
	g := begun(t, s)
	g.send(g.robots[0], to)
	g.until("it arrives", func() bool { return g.robots[0].Leg == nil })
	at, legs := told[runlog.Leg](g, runlog.RobotLeg)
	if len(legs) != 2 || at[1] != g.o.Start.Add(5*clock.Minute) {
		t.Fatalf("it took %d legs, beginning at %v; want a second when the way is closed", len(legs), at)
	}
	if closed := g.faults.closures[0].Edges; !meets(legs[0], closed) || meets(legs[1], closed) {
		t.Error("want its first way to lead through what is closed, and the second past it")
	}
	if len(g.hidden) != 0 || g.robots[0].At != to {
		t.Errorf("%d edges are hidden, and it stands at %v; want none, %v", len(g.hidden), g.robots[0].At, to)
	}
}

// TestClosureThatTheMapDoesNotKnow: the robot drives there, finds it, tells the
// map and turns to another way. What closes there later is found again.
func TestClosureThatTheMapDoesNotKnow(t *testing.T) {
	s, to := closing(t, false)
	again := s.Events[0]
	again.At = 2 * clock.Hour
	s.Events = append(s.Events, again)
	g := begun(t, s)
	r := g.robots[0]
	home := r.At
	for i, begins := range []clock.Duration{0, 115 * clock.Minute} {
		if wait := begins - g.Now().Sub(g.o.Start); wait > 0 {
			g.pass(wait)
		}
		if len(g.hidden) != 0 {
			t.Fatalf("journey %d: %d edges are hidden beforehand", i, len(g.hidden))
		}
		g.send(r, to)
		g.until("it arrives", func() bool { return r.Leg == nil })
		closed := g.first(t, i)
		var found []clock.Time
		at, halts := told[runlog.Halt](g, runlog.RobotHalt)
		for k := range halts {
			if halts[k].Cause == string(blocked) {
				found = append(found, at[k])
			}
		}
		if len(found) != i+1 || found[i] <= closed {
			t.Fatalf("journey %d: what was closed at %v was found at %v, want once in each journey, on the way", i, closed, found)
		}
		_, legs := told[runlog.Leg](g, runlog.RobotLeg)
		if meets(legs[len(legs)-1], g.faults.closures[i].Edges) || r.At != to {
			t.Errorf("journey %d: from there its way leads through what is closed, or not to the goal", i)
		}
		if !g.faults.Standing[i].Told || len(g.hidden) != 0 {
			t.Errorf("journey %d: the map is not told", i)
		}
		g.send(r, home)
		g.until("it is back", func() bool { return r.Leg == nil })
	}
}

// first returns when closure i began.
func (g *rig) first(t *testing.T, i int) clock.Time {
	t.Helper()
	at, faults := told[runlog.Fault](g, runlog.WorldFault)
	n := 0
	for k := range faults {
		if faults[k].What == "closure" {
			if n == i {
				return at[k]
			}
			n++
		}
	}
	t.Fatalf("closure %d has not begun", i)
	return 0
}

func meets(l runlog.Leg, edges []maps.EdgeID) bool {
	return slices.ContainsFunc(l.Route, func(id maps.EdgeID) bool { return slices.Contains(edges, id) })
}

// TestWeatherBeginsWhenItIsSaid: from then on, legs take longer.
func TestWeatherBeginsWhenItIsSaid(t *testing.T) {
	s := calm(1)
	s.Weather = []scenario.Weather{{At: clock.Hour, Kind: "snow"}}
	g := begun(t, s)
	r := g.robots[0]
	home, to := r.At, farthest(t, g)
	g.send(r, to)
	g.until("it arrives", func() bool { return r.Leg == nil })
	g.send(r, home)
	g.until("it is back", func() bool { return r.Leg == nil })
	g.pass(g.o.Start.Add(clock.Hour + clock.Minute).Sub(g.Now()))
	g.send(r, to)
	_, legs := told[runlog.Leg](g, runlog.RobotLeg)
	clear, snow := legs[0], legs[2]
	moving := func(l runlog.Leg) clock.Duration { return l.Duration() - l.Waiting(l.Duration()) }
	if !slices.Equal(clear.Route, snow.Route) {
		t.Fatal("the two ways differ, so their times cannot be compared")
	}
	if got := float64(moving(clear)) / float64(moving(snow)); got < 0.55 || got > 0.60 {
		t.Errorf("in snow it is at %.3f of its speed, want 0.56, and a little more for kerbs", got)
	}
	if a, b := clear.ChargeFromMWh-clear.ChargeToMWh, snow.ChargeFromMWh-snow.ChargeToMWh; b*100 < a*130 {
		t.Errorf("in snow the way takes %d mWh, in clear weather %d; want a third more at least", b, a)
	}
}
