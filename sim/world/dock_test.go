package world

import (
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/fleet"
)

// charging sends r, which stands at dock-1, to a slot there.
func (g *rig) charging(r *robot) {
	g.t.Helper()
	o := fleet.Order{Robot: r.ID, Token: r.Token + 1, Kind: fleet.OrderCharge, Dock: "dock-1", To: g.docks[0].Position}
	g.done(g.Link().Command(g.t.Context(), o))
	g.pass(clock.Second)
}

// TestDockQueue: whoever comes first charges first, and who has left is not waited for.
func TestDockQueue(t *testing.T) {
	s := calm(4)
	s.Fleet.SlotsPerDock, s.Fleet.Charge = 1, 800
	g := begun(t, s)
	for _, i := range []int{2, 0, 3, 1} {
		g.charging(g.robots[i])
	}
	d := &g.docks[0]
	if d.Taken != 1 || g.robots[2].Activity != fleet.Charging || !slices.Equal(d.Queue, []int{0, 3, 1}) {
		t.Fatalf("%d slots are taken, r3 is %s, the queue is %v; want 1, charging, 0 3 1", d.Taken, g.robots[2].Activity, d.Queue)
	}
	before := g.robots[2].Charge
	g.pass(10 * clock.Minute)
	if got := g.charge(g.robots[2], g.Now()) - before; got < 41_000 || got > 42_500 {
		t.Errorf("10 minutes at 250 W gave %d mWh, want about 41,667", got)
	}
	g.leaveDock(g.robots[0]) // it does not want to wait
	g.leaveDock(g.robots[2])
	g.pass(clock.Second)
	if r := g.robots[3]; r.Activity != fleet.Charging || r.Dock != 0 || !slices.Equal(d.Queue, []int{1}) {
		t.Errorf("the next is %s at dock %d, the queue is %v; want r4 charging and only r2 waiting", r.Activity, r.Dock, d.Queue)
	}
	if g.robots[0].Queued || g.robots[0].Activity != fleet.Idle || d.Taken != 1 {
		t.Errorf("r1, which left, is %s (queued: %v), and %d slots are taken", g.robots[0].Activity, g.robots[0].Queued, d.Taken)
	}
}

// TestFullBattery: a robot is full exactly when its slot says so, and stays full.
func TestFullBattery(t *testing.T) {
	s := calm(1)
	s.Fleet.Charge = 990
	g := begun(t, s)
	r := g.robots[0]
	g.charging(r)
	missing := r.Capacity - r.Charge
	full := r.Since.Add(clock.Duration((missing*3600 + 249) / 250))
	if a, b := g.charge(r, full-1), g.charge(r, full); a >= r.Capacity || b != r.Capacity {
		t.Errorf("it holds %d mWh a moment before it is full and %d then, of %d", a, b, r.Capacity)
	}
	g.pass(clock.Hour)
	if got := g.charge(r, g.Now()); got != r.Capacity {
		t.Errorf("an hour later it holds %d mWh of %d", got, r.Capacity)
	}
}
