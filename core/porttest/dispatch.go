package porttest

import (
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// DispatchPorts is what Dispatch does for Deliveries.
type DispatchPorts interface {
	delivery.Dispatcher
	delivery.DecisionFeed
}

// Dispatch tries delivery.Dispatcher and delivery.DecisionFeed. reach returns how
// the town's service is reached: itself, or a client of it.
func Dispatch(t *testing.T, reach func(t *testing.T, town *DispatchTown) DispatchPorts) {
	cases := []struct {
		name string
		run  func(*testing.T, dispatchCase)
	}{
		{"estimate", dispatchEstimate},
		{"estimate of what is impossible", dispatchRefusals},
		{"a request is decided", dispatchRequest},
		{"a request repeated", dispatchRepeat},
		{"bad requests", dispatchInvalid},
		{"withdraw", dispatchWithdraw},
		{"finish", dispatchFinish},
		{"the feed in pages", dispatchFeed},
		{"bad cursors", dispatchCursors},
		{"errors of others keep kind and reason", dispatchErrors},
		{"odd names", dispatchOddNames},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			town := NewDispatchTown(3)
			c.run(t, dispatchCase{reach(t, town), town})
		})
	}
}

// dispatchCase is what a case works with.
type dispatchCase struct {
	DispatchPorts
	town *DispatchTown
}

var parcel = fleet.Load{LengthMM: 300, WidthMM: 200, HeightMM: 100, Grams: 900}

func metres(m int) maps.Position { return maps.Position{Edge: maps.EdgeID(m)} }

func robotFor(id string, attempt int) dispatch.Request {
	return dispatch.Request{Market: Market, Delivery: id, Attempt: attempt, Kind: dispatch.ForDelivery, Pickup: metres(250), Dropoff: metres(900), Load: parcel,
		ReadyAt: fake.Start.Add(2 * clock.Minute), PromiseAt: fake.Start.Add(clock.Hour), RequestedAt: fake.Start, Not: []fleet.RobotID{"z"}}
}

// feed reads a market's whole feed.
func (c dispatchCase) feed(t *testing.T, m market.ID) []dispatch.Decision {
	t.Helper()
	var all []dispatch.Decision
	var after dispatch.Cursor
	for {
		page, next, err := c.Decisions(t.Context(), m, after, 2)
		mustDo(t, err)
		if len(page) == 0 {
			return all
		}
		all, after = append(all, page...), next
	}
}

func dispatchEstimate(t *testing.T, c dispatchCase) {
	q := dispatch.EstimateRequest{Market: Market, Pickup: dispatch.Place{Address: "250"}, Dropoff: dispatch.Place{Point: &maps.Point{Lon: 900}}, Load: parcel, ReadyAt: fake.Start.Add(clock.Minute)}
	e, err := c.Estimate(t.Context(), q)
	mustDo(t, err)
	direct, err := c.town.Service.Estimate(t.Context(), q)
	mustDo(t, err)
	wantEqual(t, "the estimate", direct, e)
	if e.Refusal != nil || e.Pickup != metres(250) || e.Dropoff != metres(900) || e.RouteMM != 650_000 || e.RouteTime != 650*clock.Second {
		t.Errorf("Estimate = %+v, want 650 m from 250 m to 900 m", e)
	}
	if e.PickupP50 > e.PickupP90 || e.DropoffP50 > e.DropoffP90 || e.PickupP50 >= e.DropoffP50 || e.PickupP50 < fake.Start {
		t.Errorf("times are out of order: %+v", e)
	}
}

func dispatchRefusals(t *testing.T, c dispatchCase) {
	big := parcel
	big.Grams = 1_000_000
	for _, r := range []struct {
		from, to dispatch.Place
		load     fleet.Load
		reason   string
		nearest  clock.Time
		meet     *maps.Point
	}{
		{dispatch.Place{Address: "nowhere"}, dispatch.Place{Address: "900"}, parcel, dispatch.PickupOutside, 0, nil},
		{dispatch.Place{Address: "250"}, dispatch.Place{Address: "nowhere"}, parcel, dispatch.DropoffOutside, 0, nil},
		{dispatch.Place{Address: "250"}, dispatch.Place{Point: &maps.Point{Lon: 900, Lat: 500_000}}, parcel, dispatch.DropoffOutside, 0, &maps.Point{Lon: 900}},
		{dispatch.Place{Address: "4500"}, dispatch.Place{Address: "4600"}, parcel, dispatch.OutsideHours, fake.Start.Add(clock.Hour), nil},
		{dispatch.Place{Address: "250"}, dispatch.Place{Address: "9000"}, parcel, dispatch.DistanceTooLong, 0, nil},
		{dispatch.Place{Address: "250"}, dispatch.Place{Address: "900"}, big, dispatch.TooLarge, 0, nil},
	} {
		e, err := c.Estimate(t.Context(), dispatch.EstimateRequest{Market: Market, Pickup: r.from, Dropoff: r.to, Load: r.load})
		if err != nil || e.Refusal == nil {
			t.Errorf("Estimate from %v to %v = %+v, %v; want it refused", r.from, r.to, e, err)
			continue
		}
		if e.Refusal.Reason != r.reason || e.Refusal.NearestTime != r.nearest || e.Refusal.Detail == "" {
			t.Errorf("refusal = %+v, want %s, nearest time %s, and a detail", e.Refusal, r.reason, r.nearest)
		}
		wantEqual(t, "the meeting point", r.meet, e.Refusal.MeetingPoint)
	}
	_, err := c.Estimate(t.Context(), dispatch.EstimateRequest{Market: Market, Dropoff: dispatch.Place{Address: "900"}})
	wantOutcome(t, "Estimate without a pickup", err, fault.Invalid, "missing_place")
	_, err = c.Estimate(t.Context(), dispatch.EstimateRequest{Pickup: dispatch.Place{Address: "1"}, Dropoff: dispatch.Place{Address: "900"}})
	wantOutcome(t, "Estimate without a market", err, fault.Invalid, "missing_market")
}

func dispatchRequest(t *testing.T, c dispatchCase) {
	mustDo(t, c.Request(t.Context(), robotFor("d1", 1)))
	if got := c.feed(t, Market); len(got) != 0 {
		t.Errorf("before a round there are %d decisions", len(got))
	}
	c.town.Run(t, clock.Minute)
	got := c.feed(t, Market)
	if len(got) != 1 {
		t.Fatalf("there are %d decisions, want 1", len(got))
	}
	d := got[0]
	if d.Kind != dispatch.Assigned || d.Delivery != "d1" || d.Attempt != 1 || d.Market != Market || d.Robot != "c" || d.Token <= 1<<63 || d.PickupAt <= fake.Start || d.At <= fake.Start {
		t.Errorf("decision = %+v, want the nearest robot, c, with a token", d)
	}
	if d.Why == nil || d.Why.Candidates != 3 || d.Why.DeadheadMM != 50_000 || len(d.Why.Considered) == 0 {
		t.Errorf("why = %+v, want 50 m and 3 candidates", d.Why)
	}
	direct, _, err := c.town.Service.Decisions(t.Context(), Market, "", 10)
	mustDo(t, err)
	wantEqual(t, "the feed", direct, got)
}

func dispatchRepeat(t *testing.T, c dispatchCase) {
	for range 3 {
		mustDo(t, c.Request(t.Context(), robotFor("d1", 1)))
	}
	moved := robotFor("d1", 1)
	moved.Pickup = metres(10) // the robot at the origin is nearer now
	mustDo(t, c.Request(t.Context(), moved))
	c.town.Run(t, clock.Minute)
	first := c.feed(t, Market)
	if len(first) != 1 || first[0].Robot != "a" || c.town.reserved() != 1 {
		t.Fatalf("decisions = %+v with %d robots reserved; want one, robot a", first, c.town.reserved())
	}
	mustDo(t, c.Request(t.Context(), moved))
	c.town.Run(t, clock.Minute)
	again := c.feed(t, Market)
	if len(again) < 2 || c.town.reserved() != 1 {
		t.Fatalf("%d decisions and %d robots after a repeat; want the same decision again", len(again), c.town.reserved())
	}
	wantEqual(t, "the decision again", first[0], again[len(again)-1])
	mustDo(t, c.Request(t.Context(), robotFor("d1", 2)))
	c.town.Run(t, clock.Minute)
	if c.town.reserved() != 2 {
		t.Errorf("%d robots after another attempt, want 2", c.town.reserved())
	}
}

func dispatchInvalid(t *testing.T, c dispatchCase) {
	for what, change := range map[string]func(*dispatch.Request){
		"no market":          func(r *dispatch.Request) { r.Market = "" },
		"no delivery":        func(r *dispatch.Request) { r.Delivery = "" },
		"attempt 0":          func(r *dispatch.Request) { r.Attempt = 0 },
		"a negative attempt": func(r *dispatch.Request) { r.Attempt = -1 },
		"no kind":            func(r *dispatch.Request) { r.Kind = "" },
		"an odd kind":        func(r *dispatch.Request) { r.Kind = "odd" },
	} {
		r := robotFor("d1", 1)
		change(&r)
		wantOutcome(t, "Request with "+what, c.Request(t.Context(), r), fault.Invalid, "bad_request")
	}
	wantOutcome(t, "Withdraw without a market", c.Withdraw(t.Context(), "", "d1", 1), fault.Invalid, "missing_market")
	wantOutcome(t, "Finish without a market", c.Finish(t.Context(), dispatch.Finish{Delivery: "d1", Attempt: 1}), fault.Invalid, "missing_market")
}

func dispatchWithdraw(t *testing.T, c dispatchCase) {
	mustDo(t, c.Withdraw(t.Context(), Market, "nobody", 1))
	mustDo(t, c.Request(t.Context(), robotFor("d1", 1)))
	for range 2 {
		mustDo(t, c.Withdraw(t.Context(), Market, "d1", 1))
	}
	c.town.Run(t, clock.Minute)
	if n := len(c.feed(t, Market)); n != 0 {
		t.Errorf("%d decisions on what was withdrawn", n)
	}
	mustDo(t, c.Request(t.Context(), robotFor("d2", 1)))
	c.town.Run(t, clock.Minute)
	if c.town.reserved() != 1 {
		t.Fatalf("%d robots are reserved, want 1", c.town.reserved())
	}
	mustDo(t, c.Withdraw(t.Context(), Market, "d2", 1))
	if c.town.reserved() != 0 {
		t.Error("the robot of a request that was withdrawn is still reserved")
	}
}

func dispatchFinish(t *testing.T, c dispatchCase) {
	mustDo(t, c.Request(t.Context(), robotFor("d1", 1)))
	c.town.Run(t, clock.Minute)
	d := c.feed(t, Market)[0]
	f := dispatch.Finish{Market: Market, Delivery: "d1", Attempt: 1, Robot: d.Robot, Token: d.Token - 1}
	f.Token = d.Token
	f.PickupAt, f.DropoffAt = fake.Start.Add(3*clock.Minute), fake.Start.Add(20*clock.Minute)
	for range 2 {
		mustDo(t, c.Finish(t.Context(), f))
		if c.town.reserved() != 0 {
			t.Error("the robot of an attempt that has ended is still reserved")
		}
	}
}

func dispatchFeed(t *testing.T, c dispatchCase) {
	for _, id := range []string{"d1", "d2", "d3"} {
		mustDo(t, c.Request(t.Context(), robotFor(id, 1)))
		c.town.Run(t, clock.Minute)
	}
	all, end, err := c.Decisions(t.Context(), Market, "", 10)
	mustDo(t, err)
	if len(all) != 3 || all[0].Delivery != "d1" || all[2].Delivery != "d3" {
		t.Fatalf("the feed has %d entries, want d1, d2, d3", len(all))
	}
	var paged []dispatch.Decision
	var after dispatch.Cursor
	for range 3 {
		page, next, err := c.Decisions(t.Context(), Market, after, 1)
		mustDo(t, err)
		if len(page) != 1 {
			t.Fatalf("a page of 1 has %d entries", len(page))
		}
		paged, after = append(paged, page...), next
	}
	wantEqual(t, "the feed in pages", all, paged)
	if after != end {
		t.Errorf("cursor behind the pages is %q, want %q", after, end)
	}
	none, still, err := c.Decisions(t.Context(), Market, end, 10)
	if len(none) != 0 || still != end || err != nil {
		t.Errorf("behind the end: %d entries, cursor %q, %v; want none and %q", len(none), still, err, end)
	}
	if other, _, err := c.Decisions(t.Context(), "elsewhere", "", 10); len(other) != 0 || err != nil {
		t.Errorf("the feed of another market: %d entries, %v; want none", len(other), err)
	}
}

func dispatchCursors(t *testing.T, c dispatchCase) {
	mustDo(t, c.Request(t.Context(), robotFor("d1", 1)))
	c.town.Run(t, clock.Minute)
	for _, bad := range []dispatch.Cursor{"x", "x:", "x:-1", "x:y", "a b", "é:", "?after=1&x"} {
		_, _, err := c.Decisions(t.Context(), Market, bad, 10)
		wantOutcome(t, "cursor "+string(bad), err, fault.Invalid, "bad_cursor")
	}
	for _, limit := range []int{0, -1} {
		_, _, err := c.Decisions(t.Context(), Market, "", limit)
		wantOutcome(t, "a limit below 1", err, fault.Invalid, "bad_limit")
	}
	if got, _, err := c.Decisions(t.Context(), Market, "another life:7", 10); len(got) != 1 || err != nil {
		t.Errorf("a cursor of an earlier life: %d entries, %v; want all", len(got), err)
	}
	_, _, err := c.Decisions(t.Context(), "", "", 10)
	wantOutcome(t, "no market", err, fault.Invalid, "missing_market")
}

func dispatchErrors(t *testing.T, c dispatchCase) {
	for _, k := range []fault.Kind{fault.Internal, fault.Invalid, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Forbidden, fault.Exhausted} {
		c.town.fail(oddFault(k, "odd_"+k.String()))
		wantOutcome(t, "Withdraw while Fleet fails", c.Withdraw(t.Context(), Market, "d1", 1), k, "odd_"+k.String())
	}
	c.town.fail(nil)
	r := robotFor("d1", 1)
	r.Market = "no-map"
	wantOutcome(t, "Request in a market without a map", c.Request(t.Context(), r), fault.NotFound, "unknown_market")
}

func dispatchOddNames(t *testing.T, c dispatchCase) {
	for _, m := range []market.ID{"m/n", "..", "Ünïcode", "~~bQ"} {
		for _, id := range []string{"a/b", "..", "a%2fb", "?x#y", "ä€ "} {
			r := robotFor(id, 1)
			r.Market = m
			mustDo(t, c.Request(t.Context(), r))
			c.town.Run(t, clock.Minute)
			all := c.feed(t, m)
			if len(all) == 0 || all[len(all)-1].Delivery != id || all[len(all)-1].Market != m {
				t.Errorf("the feed of %q does not end with %q", m, id)
			}
			mustDo(t, c.Withdraw(t.Context(), m, id, 1))
		}
	}
}
