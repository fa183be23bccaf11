package play_test

import (
	"encoding/json"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/play"
)

// TestKeyframesHold: a log cut short says of robots and deliveries what all of it says, after the turns that are hard to cut.
func TestKeyframesHold(t *testing.T) {
	net := &maps.Network{
		Name: "street", Nodes: []maps.Point{{}, {Lon: 10_000}, {Lon: 20_000}},
		Edges: []maps.Edge{{From: 0, To: 1, LengthMM: 111_000}, {From: 1, To: 2, LengthMM: 111_000}},
	}
	drive := runlog.Leg{Purpose: runlog.ToPickup, Route: []maps.EdgeID{0, 1}, EndMM: 50_000, Times: []int32{60_000, 90_000}, ChargeFromMWh: 900, ChargeToMWh: 800, LengthMM: 161_000}
	there := runlog.Leg{Purpose: runlog.ToDropoff, Delivery: "d1", Loaded: true, Route: []maps.EdgeID{}, Times: []int32{}, ChargeFromMWh: 790, ChargeToMWh: 790}
	dock := maps.Position{Edge: 1, OffsetMM: 7000}
	requested := delivery.Update{Kind: delivery.StateChanged, From: delivery.Quoted, To: delivery.Requested, ExternalID: "x"}
	assigned := delivery.Update{Kind: delivery.StateChanged, From: delivery.Requested, To: delivery.Assigned, Robot: "r1"}
	trouble := delivery.Update{Kind: delivery.Trouble, Cause: "merchant_late", Robot: "r1"}
	story := []struct {
		kind, entity string
		data         any
	}{
		{runlog.RunBegan, "day", runlog.Began{Robots: []runlog.BeganRobot{{ID: "r1", CapacityMWh: 1000}, {ID: "r2", CapacityMWh: 1000}, {ID: "r3", CapacityMWh: 1000}}}},
		{runlog.RobotLeg, "r1", drive},
		{runlog.RobotLeg, "r2", drive},
		{"delivery.requested", "d1", requested},
		{"delivery.requested", "d2", requested},
		{"dispatch.assigned", "d1", dispatch.Decision{Delivery: "d1", Robot: "r1", Kind: "assigned"}},
		{"delivery.assigned", "d1", assigned},
		{runlog.RobotHalt, "r2", runlog.Halt{Robot: "r2", Cause: runlog.CauseStuck, Position: maps.Position{OffsetMM: 3000}, ChargeMWh: 890}},
		{runlog.RobotCharging, "r2", runlog.Charging{Robot: "r2", Dock: "dock-1", Position: dock, ChargeMWh: 880, PowerMW: 60_000}}, // it was carried there
		{runlog.MerchantReady, "d1", runlog.Ready{Delivery: "d1"}},
		{"delivery.trouble", "d1", trouble},
		{"delivery.expectation", "d1", delivery.Update{Kind: delivery.Expectation, Robot: "r1"}},
		{runlog.RobotCharged, "r2", runlog.Charged{Robot: "r2", Dock: "dock-1", ChargeMWh: 900}},
		{runlog.RobotLeg, "r1", there},
		{"fleet.state", "r1", fleet.StateChange{To: fleet.Stopped, Position: maps.Position{OffsetMM: 1}, ChargeMWh: 1}},
		{"fleet.state", "r2", fleet.StateChange{To: fleet.Available, Position: maps.Position{OffsetMM: 1}, ChargeMWh: 1}},
		{"delivery.trouble", "d2", trouble},
		{"delivery.custody", "d2", delivery.Update{Kind: delivery.CustodyMoved, Robot: "r3"}},
		{"delivery.expectation", "d2", delivery.Update{Kind: delivery.Expectation, Robot: "r3"}},
		{"delivery.trouble", "d2", trouble},
		{"delivery.requested", "d2", requested},
		{"delivery.expectation", "d2", delivery.Update{Kind: delivery.Expectation}},
		{runlog.RobotLeg, "r1", drive},
		{"delivery.delivered", "d1", delivery.Update{Kind: delivery.StateChanged, To: delivery.Delivered}},
	}
	live := play.NewLive(1 << 20)
	s := newSource(t, "day", 1_000_000)
	for _, x := range story {
		s.t = s.t.Add(61 * clock.Second) // a chunk for each
		data, err := json.Marshal(x.data)
		if err != nil {
			t.Fatal(err)
		}
		s.log.Append(t.Context(), event.Event{T: s.t, Market: "m", Kind: x.kind, Entity: x.entity, Data: data})
	}
	p := s.news()
	h := s.header
	p.Header = &h
	mustAdd(t, live, p)
	played, err := play.Open(live, net)
	if err != nil {
		t.Fatal(err)
	}
	for robot, want := range map[string]maps.Position{"r1": {Edge: 1, OffsetMM: 50_000}, "r2": dock} {
		if got := at(t, played, s.t.Add(-7*clock.Minute)).Robot(robot).Pos; got != want {
			t.Errorf("%s is at %v; want %v, where itself says, not what services heard", robot, got, want)
		}
	}
	from, to := played.Span()
	for x := from; x <= to; x = x.Add(20 * clock.Second) {
		sought, err := play.Open(live, net)
		if err != nil {
			t.Fatal(err)
		}
		at(t, sought, to) // and back, to nothing that it knows yet
		if diff := gocmp.Diff(*at(t, played, x), *at(t, sought, x), seen, always); diff != "" {
			t.Fatalf("%v after the beginning (-played +sought):\n%s", x.Sub(from), diff)
		}
	}
}
