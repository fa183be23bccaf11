package world

import (
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/core/task"
	"footway/sim/scenario"
)

// parked returns a world of two robots and a courier that nobody drives.
func parked(t *testing.T) *World {
	t.Helper()
	net, err := town()
	if err != nil {
		t.Fatal(err)
	}
	s := scenario.Defaults()
	s.Name, s.Start, s.Duration, s.Fleet.Robots = "standing", "2026-06-12T11:00", clock.Hour, 2
	s.Market.ID = "m"
	s.Fill()
	start, offset, err := s.Begin()
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(Options{
		Market: market.Market{ID: "m", TimeZone: "UTC"}, Network: net, Profile: maps.DefaultProfile(),
		Scenario: s, Start: start, Offset: offset, Seed: rng.Seed(1), Journal: nowhere{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRobotsRefuseOldTokens: whoever paused and came back cannot command a robot
// that somebody else has had since.
func TestRobotsRefuseOldTokens(t *testing.T) {
	w := parked(t)
	link := w.Link()
	ctx := t.Context()
	if err := link.Command(ctx, fleet.Order{Robot: "r1", Token: 5, Kind: fleet.OrderHold}); err != nil {
		t.Fatal(err)
	}
	if err := link.Instruct(ctx, "r1", task.Instruction{Task: "d1.1", Token: 4, Kind: task.Do}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an instruction with token 4 after 5 = %v, want a conflict", err)
	}
	if err := link.Command(ctx, fleet.Order{Robot: "r1", Token: 4, Kind: fleet.OrderHold}); !fault.Is(err, fault.Conflict) {
		t.Errorf("an order with token 4 after 5 = %v, want a conflict", err)
	}
	if err := link.Instruct(ctx, "r1", task.Instruction{Task: "d1.1", Token: 6, Kind: task.Do}); err != nil {
		t.Errorf("an instruction with token 6 after 5 = %v", err)
	}
	if n := len(w.robots[0].Inbox); n != 2 {
		t.Errorf("%d messages are in the inbox, want the two that were taken", n)
	}
	w.loseContact(w.robots[0], clock.Minute)
	if err := link.Command(ctx, fleet.Order{Robot: "r1", Token: 7}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an order without contact = %v, want unavailable", err)
	}
	if err := link.Command(ctx, fleet.Order{Robot: "r9", Token: 7}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an order to nobody = %v, want not found", err)
	}
}

// driving gives r a leg to the farthest merchant, without sending it off.
func driving(t *testing.T, w *World, r *robot) *leg {
	t.Helper()
	source := maps.NewMetricSource(maps.NewMetric(w.o.Network, w.o.Profile, maps.Live{}))
	router := maps.NewRouter(w.o.Network, source, maps.RouterOptions{})
	var best maps.Route
	for i := range w.o.Network.Merchants {
		to := w.o.Network.Merchants[i].At
		if route, err := router.Route(r.At, to); err == nil && route.LengthMM > best.LengthMM {
			best = route
		}
	}
	if best.LengthMM < 1_000_000 {
		t.Fatalf("the longest way is %d mm", best.LengthMM)
	}
	r.Leg = w.layOut(r, best, best.To)
	return r.Leg
}

// TestBatteryGivesOut: a leg that the battery cannot bear stops where it is
// empty, and a robot that drove on would break an invariant.
func TestBatteryGivesOut(t *testing.T) {
	w := parked(t)
	r := w.robots[0]
	r.Charge = 3000 // mWh: some 150 m
	l := driving(t, w, r)
	var at clock.Duration
	for _, x := range w.foresee(r) {
		if x.Cause == empty {
			at = clock.Duration(x.At)
		}
	}
	if at == 0 || l.ChargeAt(at) > 0 || l.ChargeAt(at-1) <= 0 {
		t.Fatalf("the battery is foreseen to be empty after %v, with %d mWh then and %d just before", at, l.ChargeAt(at), l.ChargeAt(at-1))
	}
	if mm := l.DrivenAt(at); mm < 50_000 || mm > 300_000 {
		t.Errorf("3 Wh last %d mm, want 50 to 300 m", mm)
	}
	w.checkRobot(r)
	if err := w.check.failure(); err != nil {
		t.Fatalf("at the leg's begin: %v", err)
	}
	if err := w.kernel.Run(w.kernel.Now().Add(at+clock.Minute), nil); err != nil {
		t.Fatal(err)
	}
	w.checkRobot(r)
	if err := w.check.failure(); err == nil || !strings.Contains(err.Error(), "below zero") {
		t.Errorf("a robot that drives on when empty: %v, want a breach", err)
	}
}

// TestWaitsAtSignalsAsTheyWillBe: whoever comes in the green goes at once, and
// whoever comes in the red goes when it turns green.
func TestWaitsAtSignalsAsTheyWillBe(t *testing.T) {
	w := parked(t)
	e := maps.Edge{Control: maps.ControlSignal, Signal: 3, Class: maps.Crossing}
	c := w.o.Scenario.World.Crossings
	gaps := w.o.Seed.Stream("order/o1", "gap")
	var longest int64
	for s := range int64(180) {
		at := w.o.Start.Add(clock.Duration(s) * clock.Second)
		hold, why := w.holdAt(&e, at, gaps, 0)
		if hold > 0 && why != "signal" {
			t.Fatalf("a wait of %d ms for %q, want for the signal", hold, why)
		}
		if again, _ := w.holdAt(&e, at.Add(clock.Duration(hold)), gaps, 0); again != 0 {
			t.Errorf("who comes at %d s waits %d ms and then %d ms more", s, hold, again)
		}
		longest = max(longest, hold)
	}
	if most := int64(c.Cycle - c.Green); longest > most || longest < most-1000 {
		t.Errorf("the longest wait is %d ms, want the whole red, %d", longest, most)
	}
}

// TestWeatherAndGoodsSlow a robot by what the scenario says.
func TestWeatherAndGoodsSlow(t *testing.T) {
	w := parked(t)
	w.o.Scenario.World.Robots.SpeedSpread = 0
	r := w.robots[0]
	if got := w.pace(r); got != 1000 {
		t.Errorf("in clear weather and empty the pace is %d permille, want 1000", got)
	}
	w.weather = weathers[3]
	r.Goods = "d1"
	if got, want := w.pace(r), int32(weathers[3].Speed*w.o.Scenario.World.Robots.LoadedSpeed/1000); got != want {
		t.Errorf("in snow with goods the pace is %d permille, want %d", got, want)
	}
}
