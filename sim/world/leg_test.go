package world

import (
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
)

// TestLegIsLaidOutToTheMillisecond on half a block, a crossing with a signal and
// a kerb, and half of a block uphill.
func TestLegIsLaidOutToTheMillisecond(t *testing.T) {
	g := begun(t, calm(1))
	g.o.Network = &maps.Network{Edges: []maps.Edge{
		{LengthMM: 160_000, Class: maps.Sidewalk, Kerb: maps.KerbNone},
		{LengthMM: 16_000, Class: maps.Crossing, Kerb: maps.KerbLowered, Control: maps.ControlSignal, Signal: 1},
		{LengthMM: 80_000, Class: maps.Sidewalk, Kerb: maps.KerbNone, InclinePermille: 20},
	}}
	route := maps.Route{LengthMM: 136_000, Pieces: []maps.Piece{
		{Edge: 0, FromMM: 80_000, ToMM: 160_000}, {Edge: 1, ToMM: 16_000}, {Edge: 2, ToMM: 40_000},
	}}
	r := g.robots[0] // 1.6 m/s
	l := g.layOut(r, route, maps.Position{Edge: 2, OffsetMM: 40_000})

	const toSignal = 50_000 // ms: 80 m
	c := g.o.Scenario.World.Crossings
	shift := clock.Time(g.o.Seed.Stream("signal", "phase").N(1, int64(c.Cycle)))
	phase := clock.Duration((g.kernel.Now().Add(toSignal) + shift) % clock.Time(c.Cycle))
	var hold int32
	if phase >= c.Green {
		hold = int32(c.Cycle - phase)
	}
	// 16 m and 2 s of kerb; then 40 m at 8% less speed for 2% up: 1472 mm/s.
	over := toSignal + hold + 10_000 + 2000
	if want := []int32{toSignal, over, over + 27_173}; !slices.Equal(l.Times, want) {
		t.Errorf("the times are %v, want %v (of which %d ms at the signal)", l.Times, want, hold)
	}
	if waited := l.Waiting(l.Duration()); waited != clock.Duration(hold) {
		t.Errorf("it waits %d ms, want %d", waited, hold)
	}
	// 136 m at 16 mWh, 0.8 m up at 136 mWh, and 12 W all the time.
	want := (136_000*16+800*136)/1000 + int64(l.Duration())*12_000/3_600_000
	if used := l.ChargeFromMWh - l.ChargeToMWh; used != want {
		t.Errorf("it takes %d mWh, want %d", used, want)
	}
	for _, tt := range []struct {
		after clock.Duration
		want  maps.Position
	}{
		{0, maps.Position{Edge: 0, OffsetMM: 80_000}},
		{25_000, maps.Position{Edge: 0, OffsetMM: 120_000}},
		{clock.Duration(toSignal + hold), maps.Position{Edge: 1, OffsetMM: 0}},
		{l.Duration(), maps.Position{Edge: 2, OffsetMM: 40_000}},
	} {
		if at, ok := l.At(tt.after, g.length); !ok || at != tt.want {
			t.Errorf("after %v it is at %v, want %v", tt.after, at, tt.want)
		}
	}
}

// TestChargeIsAFunctionOfTime: what a robot holds depends on what it does since when.
func TestChargeIsAFunctionOfTime(t *testing.T) {
	g := begun(t, calm(1))
	r := g.robots[0]
	hour := r.Since.Add(clock.Hour)
	for _, tt := range []struct {
		name     string
		activity fleet.Activity
		charge   int64
		want     int64
	}{
		{"at rest it draws 12 W", fleet.Idle, 600_000, 588_000},
		{"halted too", fleet.Halted, 600_000, 588_000},
		{"never below zero", fleet.Idle, 5000, 0},
		{"charging at 250 W", fleet.Charging, 600_000, 850_000},
		{"never above what it can hold", fleet.Charging, 1_100_000, 1_200_000},
		{"broken down it is switched off", fleet.Broken, 600_000, 600_000},
	} {
		r.Activity, r.Charge, r.Dock = tt.activity, tt.charge, 0
		if got := g.charge(r, hour); got != tt.want {
			t.Errorf("%s: %d mWh after an hour, want %d", tt.name, got, tt.want)
		}
	}
	if c := g.robots[1]; c.Kind != fleet.KindCourier || g.charge(c, hour) != 0 {
		t.Errorf("%s, a %s, holds %d mWh, want none", c.ID, c.Kind, g.charge(c, hour))
	}
}

// TestDrivesAsWritten: what the log says of a leg is where and how the robot then is.
func TestDrivesAsWritten(t *testing.T) {
	g := begun(t, calm(1))
	r := g.robots[0]
	g.send(r, farthest(t, g))
	g.until("it arrives", func() bool {
		l := r.Leg
		if l == nil {
			return true
		}
		before, now := l.since(g.Now()), g.Now()
		if charge := g.charge(r, now); charge != max(l.ChargeAt(before), 0) {
			t.Fatalf("at %v it holds %d mWh, the leg says %d", now, charge, l.ChargeAt(before))
		}
		return false
	})
	_, legs := told[runlog.Leg](g, runlog.RobotLeg)
	if len(legs) != 1 {
		t.Fatalf("it took %d legs, want 1", len(legs))
	}
	if r.At != farthest(t, g) || r.Activity != fleet.Idle || r.Charge != legs[0].ChargeToMWh {
		t.Errorf("it is %s at %v with %d mWh, want idle at %v with %d", r.Activity, r.At, r.Charge, farthest(t, g), legs[0].ChargeToMWh)
	}
}

// send orders r to a place, as Fleet would, and steps until it drives.
func (g *rig) send(r *robot, to maps.Position) {
	g.t.Helper()
	g.done(g.Link().Command(g.t.Context(), fleet.Order{Robot: r.ID, Token: r.Token + 1, Kind: fleet.OrderGo, To: to}))
	g.until("it drives", func() bool { return r.Leg != nil })
}

// farthest returns where the merchant is that is farthest from the first robot's home.
func farthest(t *testing.T, g *rig) maps.Position {
	t.Helper()
	home := g.o.Network.PointAt(g.robots[0].Home)
	best := g.robots[0].Home
	for i := range g.o.Network.Merchants {
		if m := &g.o.Network.Merchants[i]; maps.Distance(home, m.Point) > maps.Distance(home, g.o.Network.PointAt(best)) {
			best = m.At
		}
	}
	return best
}
