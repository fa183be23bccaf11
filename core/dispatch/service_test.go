package dispatch_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/setting"
)

var (
	_ delivery.Dispatcher   = (*dispatch.Service)(nil)
	_ delivery.DecisionFeed = (*dispatch.Service)(nil)
)

// TestEachLossHasNoEffect plays a story in which one call after the other is
// lost, before or after its effect: in the end each delivery has one robot, each
// robot one delivery, and what has ended holds nothing.
func TestEachLossHasNoEffect(t *testing.T) {
	runs := fake.EachLoss(func(l *fake.Losses) {
		w := newWorld(l)
		must(w.fleet.SaveDock(ctx, fleet.Dock{ID: "k1", Market: town, Position: at(0, 0), Slots: 2, PowerMW: 30_000}))
		w.addRobot("r1", fleet.KindRobot, at(0, 0), 900)
		w.addRobot("r2", fleet.KindRobot, at(500, 0), 700)
		w.addRobot("r3", fleet.KindRobot, at(900, 0), 240)
		again := func(do func() error) {
			if err := fake.Again(do); err != nil {
				t.Fatalf("call %d (%s) lost %s its effect: %v", l.At, l.Hit, l.Side, err)
			}
		}
		pass := func(d clock.Duration) {
			until := w.clock.Now().Add(d)
			again(func() error { return w.run(until) })
		}
		again(func() error { return w.service.Resume(ctx, town) })
		pass(2 * clock.Minute) // r3 and r2 go to charge
		for i, id := range []string{"d1", "d2", "d3"} {
			q := request(id, at(int32(100+200*i), 0), at(50, 50), w.clock.Now())
			again(func() error { return w.service.Request(ctx, q) })
		}
		pass(2 * clock.Minute)
		again(func() error { return w.service.Withdraw(ctx, town, "d3", 1) })
		w.holds(t, l, "d1", "d2")
		for _, id := range []string{"d1", "d2"} {
			x := w.last[id]
			w.robot(x.Robot).t.Activity = fleet.Idle
			again(func() error {
				return w.service.Finish(ctx, dispatch.Finish{Market: town, Delivery: id, Attempt: 1, Robot: x.Robot, Token: x.Token})
			})
		}
		pass(3 * clock.Minute)
		w.holds(t, l)
		if n := w.journal.Count("dispatch.assigned"); n < 2 || n > 3 {
			t.Fatalf("call %d (%s) lost %s its effect: %d assignments in the journal, want one for each delivery", l.At, l.Hit, l.Side, n)
		}
	})
	if runs < 50 {
		t.Errorf("%d calls were lost, want at least 50: the story is too short", runs)
	}
}

// holds checks that exactly these deliveries hold a robot each.
func (w *world) holds(t *testing.T, l *fake.Losses, want ...string) {
	t.Helper()
	all, err := w.fleet.Candidates(ctx, town)
	check(t, err)
	var got []string
	for _, c := range all {
		if r := c.Robot.Reservation; r != nil && len(r.Holder) > 9 && r.Holder[:9] == "delivery/" {
			got = append(got, r.Holder[9:len(r.Holder)-2])
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("call %d (%s) lost %s its effect: deliveries that hold a robot (-want +got):\n%s", l.At, l.Hit, l.Side, diff)
	}
}

// TestTwoDispatchersShareRobots runs two services on one Fleet, each with
// requests of its own for the same robots.
func TestTwoDispatchersShareRobots(t *testing.T) {
	w := newWorld(nil)
	other := w.newService()
	for i := range 6 {
		w.addRobot(fleet.RobotID(fmt.Sprintf("r%d", i)), fleet.KindRobot, at(int32(100*i), 0), 1000)
	}
	for i := range 10 {
		s := w.service
		if i%2 == 1 {
			s = other
		}
		check(t, s.Request(ctx, request(fmt.Sprintf("d%d", i), at(int32(60*i), 0), at(900, 0), w.clock.Now())))
	}
	round := clock.Key{Service: "dispatch", Entity: string(town), What: "round"}
	for range 4 {
		check(t, w.service.Fire(ctx, round))
		check(t, other.Fire(ctx, round))
		w.clock.Advance(15 * clock.Second)
	}
	busy := map[fleet.RobotID]string{}
	for _, s := range []*dispatch.Service{w.service, other} {
		list, _, err := s.Decisions(ctx, town, "", 100)
		check(t, err)
		for _, x := range list {
			if x.Kind != dispatch.Assigned {
				continue
			}
			if busy[x.Robot] != "" {
				t.Errorf("%s has %s and %s", x.Robot, busy[x.Robot], x.Delivery)
			}
			busy[x.Robot] = x.Delivery
		}
	}
	if len(busy) != 6 {
		t.Errorf("%d robots are busy, want all 6", len(busy))
	}
}

// TestSnapshotGoesOnTheSame writes a service down after each second of a
// story, reads it back into another, and lets that one go on.
func TestSnapshotGoesOnTheSame(t *testing.T) {
	tell := func(stop clock.Duration) []string {
		w := newWorld(nil)
		must(w.fleet.SaveDock(ctx, fleet.Dock{ID: "k1", Market: town, Position: at(0, 0), Slots: 1, PowerMW: 30_000}))
		for i := range 4 {
			w.addRobot(fleet.RobotID(fmt.Sprintf("r%d", i)), fleet.KindRobot, at(int32(300*i), 0), int64(300+200*i))
		}
		check(t, w.service.Resume(ctx, town))
		for i := range 6 {
			check(t, w.service.Request(ctx, request(fmt.Sprintf("d%d", i), at(int32(200*i), 0), at(900, 0), w.clock.Now().Add(clock.Duration(i)*clock.Minute))))
		}
		check(t, w.run(fake.Start.Add(stop)))
		text, err := w.service.Snapshot()
		check(t, err)
		w.service = w.newService()
		check(t, w.service.Restore(text))
		again, err := w.service.Snapshot()
		check(t, err)
		if diff := cmp.Diff(string(text), string(again)); diff != "" {
			t.Fatalf("after %v: read back, it is another (-written +read):\n%s", stop, diff)
		}
		check(t, w.run(fake.Start.Add(20*clock.Minute)))
		var lines []string
		for _, e := range w.journal.Events {
			lines = append(lines, fmt.Sprintf("%s %s %s %s", fake.Time(e.T), e.Kind, e.Entity, e.Data))
		}
		return lines
	}
	want := tell(0)
	if len(want) < 20 {
		t.Fatalf("%d events, want a longer story", len(want))
	}
	for stop := clock.Second; stop < 2*clock.Minute; stop += 7 * clock.Second {
		if diff := cmp.Diff(want, tell(stop)); diff != "" {
			t.Fatalf("written down after %v, it goes on otherwise (-uninterrupted +resumed):\n%s", stop, diff)
		}
	}
	for _, bad := range []string{"{", `{"desks":[{"market":"town","state":7}]}`, `{"desks":[{"market":"town","state":{}}]}`} {
		if err := newWorld(nil).service.Restore([]byte(bad)); err == nil {
			t.Errorf("Restore(%s): no error", bad)
		}
	}
}

func TestRequestIsChecked(t *testing.T) {
	w := newWorld(nil)
	good := request("d1", at(0, 0), at(1, 0), fake.Start)
	for name, spoil := range map[string]func(*dispatch.Request){
		"no market":   func(q *dispatch.Request) { q.Market = "" },
		"no delivery": func(q *dispatch.Request) { q.Delivery = "" },
		"attempt 0":   func(q *dispatch.Request) { q.Attempt = 0 },
		"no kind":     func(q *dispatch.Request) { q.Kind = "" },
	} {
		q := good
		spoil(&q)
		if err := w.service.Request(ctx, q); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Request(%+v) = %v, want %v", name, q, err, fault.Invalid)
		}
	}
	if err := w.service.Fire(ctx, clock.Key{Service: "dispatch", Entity: "town", What: "tea"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Fire of an unknown timer: %v, want %v", err, fault.Invalid)
	}
	if err := w.service.Withdraw(ctx, town, "nobody", 1); err != nil {
		t.Errorf("Withdraw of a request that is not there: %v", err)
	}
}

// TestRepeatReplacesWhatWaits changes a request before it has a robot.
func TestRepeatReplacesWhatWaits(t *testing.T) {
	w := newWorld(nil)
	w.addRobot("r1", fleet.KindRobot, at(0, 0), 1000)
	w.addRobot("r2", fleet.KindRobot, at(800, 0), 1000)
	check(t, w.service.Request(ctx, request("d1", at(100, 0), at(500, 0), fake.Start)))
	check(t, w.service.Request(ctx, request("d1", at(700, 0), at(500, 0), fake.Start)))
	check(t, w.run(fake.Start.Add(2*clock.Second)))
	list := w.decisions()
	if len(list) != 1 || list[0].Robot != "r2" || list[0].Why.Waiting != 1 {
		t.Errorf("decisions %+v, want one for r2, which is next to the new pickup", list)
	}
}

// TestRepeatMeasuresAgain moves a drop-off to where no battery reaches.
func TestRepeatMeasuresAgain(t *testing.T) {
	w := newWorld(nil)
	w.addRobot("r1", fleet.KindRobot, at(0, 0), 1000)
	check(t, w.service.Request(ctx, request("d1", at(100, 0), at(500, 0), fake.Start)))
	check(t, w.service.Request(ctx, request("d1", at(100, 0), at(9000, 0), fake.Start)))
	check(t, w.run(fake.Start.Add(clock.Minute)))
	if list := w.decisions(); len(list) != 0 {
		t.Errorf("decisions %+v, want none: the battery does not last for the new trip", list)
	}
}

// TestFinishFreesTheRobotOfTheAttempt ends attempts whose caller does not know the robot.
func TestFinishFreesTheRobotOfTheAttempt(t *testing.T) {
	w := newWorld(nil)
	w.addRobot("r1", fleet.KindRobot, at(0, 0), 1000)
	check(t, w.service.Request(ctx, request("d1", at(100, 0), at(500, 0), fake.Start)))
	check(t, w.run(fake.Start.Add(2*clock.Second)))
	w.holds(t, w.losses, "d1")
	for range 2 {
		check(t, w.service.Finish(ctx, dispatch.Finish{Market: town, Delivery: "d1", Attempt: 1}))
		w.holds(t, w.losses)
	}
}

// lagging is a Fleet with a bad day: while it is down its list of robots stands
// still, and reserving gets no answer, though it happens.
type lagging struct {
	dispatch.Fleet
	last []fleet.Candidate
	down bool
}

func (f *lagging) Candidates(ctx context.Context, m market.ID) ([]fleet.Candidate, error) {
	if f.down && f.last != nil {
		return f.last, nil
	}
	var err error
	f.last, err = f.Fleet.Candidates(ctx, m)
	return f.last, err
}

func (f *lagging) Reserve(ctx context.Context, r fleet.ReserveRequest) (uint64, error) {
	token, err := f.Fleet.Reserve(ctx, r)
	if f.down {
		return 0, fault.New("lagging", fault.Unavailable, "", "no answer")
	}
	return token, err
}

// TestUnansweredReservationIsKept loses the answers of a Fleet whose list does
// not show what happened either: only asking for the same robot again tells.
func TestUnansweredReservationIsKept(t *testing.T) {
	w := newWorld(nil)
	f := &lagging{Fleet: w.fleet, down: true}
	w.service = dispatch.NewService(dispatch.Deps{
		Fleet: f, Charging: w.fleet, Places: w.plane, Ways: w.plane, Notifier: w.notifier, Clock: w.clock, Timers: w.timers, Journal: w.journal,
		Settings: func(market.ID) dispatch.Settings { return w.set },
		Charge:   func(market.ID) fleet.ChargeSettings { return fleet.DefaultSettings().Charge },
	})
	w.addRobot("r1", fleet.KindRobot, at(0, 0), 1000)
	w.addRobot("r2", fleet.KindRobot, at(10, 0), 1000)
	check(t, w.service.Request(ctx, request("d1", at(0, 0), at(500, 0), fake.Start)))
	for range 50 * 4 { // longer than settings wait before they give up
		if err := w.run(w.clock.Now().Add(15 * clock.Second)); err != nil && !fault.Is(err, fault.Unavailable) {
			t.Fatal(err)
		}
		w.holds(t, w.losses, "d1")
		for i := range f.last { // now the other one is nearer
			f.last[i].Telemetry.At = w.clock.Now()
			if f.last[i].Robot.ID == "r1" {
				f.last[i].Telemetry.Position = at(3000, 0)
			}
		}
	}
	f.down = false
	check(t, w.run(w.clock.Now().Add(clock.Minute)))
	if list := w.decisions(); len(list) != 1 || list[0].Kind != dispatch.Assigned || list[0].Robot != "r1" {
		t.Errorf("decisions %+v, want one: r1 is assigned", list)
	}
	w.holds(t, w.losses, "d1")
}

// TestCursor reads the feed in pieces and from places that it does not have.
func TestCursor(t *testing.T) {
	w := newWorld(nil)
	for i := range 3 {
		w.addRobot(fleet.RobotID(fmt.Sprintf("r%d", i)), fleet.KindRobot, at(int32(100*i), 0), 1000)
		check(t, w.service.Request(ctx, request(fmt.Sprintf("d%d", i), at(int32(100*i), 0), at(900, 0), fake.Start)))
	}
	check(t, w.run(fake.Start.Add(2*clock.Second)))
	read := func(after dispatch.Cursor, limit int) (string, dispatch.Cursor) {
		t.Helper()
		list, next, err := w.service.Decisions(ctx, town, after, limit)
		check(t, err)
		text := ""
		for _, x := range list {
			text += x.Delivery
		}
		return text, next
	}
	first, next := read("", 2)
	rest, end := read(next, 2)
	none, same := read(end, 2)
	if first != "d0d1" || rest != "d2" || none != "" || same != end {
		t.Errorf("read %q, %q, %q, ending at %s and %s; want d0d1, d2, nothing, at one place", first, rest, none, end, same)
	}
	if all, _ := read("another-life:2", 9); all != "d0d1d2" {
		t.Errorf("with the cursor of another life read %q, want all from the beginning", all)
	}
	for _, bad := range []dispatch.Cursor{"x", "a:b", ":"} {
		if _, _, err := w.service.Decisions(ctx, town, bad, 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("Decisions(%q): %v, want %v", bad, err, fault.Invalid)
		}
	}
	if _, _, err := w.service.Decisions(ctx, town, "", 0); !fault.Is(err, fault.Invalid) {
		t.Errorf("Decisions with limit 0: %v, want %v", err, fault.Invalid)
	}
	if w.notifier.Calls[town] != 1 {
		t.Errorf("watchers were told %d times, want once for the round", w.notifier.Calls[town])
	}
}

// TestFeedIsBounded keeps what readers need: the newest, and the jobs under way.
func TestFeedIsBounded(t *testing.T) {
	w := newWorld(nil)
	w.set.FeedKept = 100
	w.addRobot("r0", fleet.KindRobot, at(0, 0), 1000)
	w.addRobot("r1", fleet.KindRobot, at(900, 0), 1000)
	check(t, w.service.Request(ctx, request("long", at(900, 0), at(950, 0), fake.Start)))
	check(t, w.run(fake.Start.Add(2*clock.Second)))
	for i := range 300 {
		id := fmt.Sprintf("d%03d", i)
		check(t, w.service.Request(ctx, request(id, at(0, 0), at(0, 10), w.clock.Now())))
		check(t, w.run(w.clock.Now().Add(6*clock.Second)))
		list := w.decisions()
		x := list[len(list)-1]
		if x.Delivery != id || list[0].Delivery != "long" || len(list) > 201 {
			t.Fatalf("after %s: %d decisions from %s to %s, want at most 201 from the one under way to this one", id, len(list), list[0].Delivery, x.Delivery)
		}
		check(t, w.service.Finish(ctx, dispatch.Finish{Market: town, Delivery: id, Attempt: 1, Robot: x.Robot, Token: x.Token}))
	}
}

// TestReservationsAreRenewed keeps a robot on a long delivery.
func TestReservationsAreRenewed(t *testing.T) {
	w := newWorld(nil)
	w.set.Hold = 8 * clock.Minute
	w.addRobot("r1", fleet.KindRobot, at(0, 0), 1000)
	check(t, w.service.Request(ctx, request("d1", at(0, 0), at(100, 0), fake.Start)))
	check(t, w.run(fake.Start.Add(40*clock.Minute)))
	w.holds(t, w.losses, "d1")
	if n := w.journal.Count("dispatch.lost"); n != 0 {
		t.Errorf("%d robots lost, want none", n)
	}
	// Somebody else takes it: it is lost, once.
	x := w.last["d1"]
	check(t, w.fleet.Release(ctx, x.Robot, x.Token))
	check(t, w.run(fake.Start.Add(50*clock.Minute)))
	if n := w.journal.Count("dispatch.lost"); n != 1 {
		t.Errorf("%d robots lost after the reservation was, want 1", n)
	}
}

// TestEstimatesLearn shows that estimates follow what deliveries really took.
func TestEstimatesLearn(t *testing.T) {
	w := newWorld(nil)
	w.addRobot("r1", fleet.KindRobot, at(0, 0), 1000)
	check(t, w.run(fake.Start.Add(clock.Minute)))
	estimate := func() (pickup, dropoff, spread clock.Duration) {
		t.Helper()
		e, err := w.service.Estimate(ctx, dispatch.EstimateRequest{
			Market: town, Pickup: dispatch.Place{Address: "100/0"}, Dropoff: dispatch.Place{Address: "200/0"}, ReadyAt: w.clock.Now()})
		check(t, err)
		now := w.clock.Now()
		return e.PickupP50.Sub(now), e.DropoffP50.Sub(now), e.DropoffP90.Sub(e.DropoffP50)
	}
	pickup, dropoff, _ := estimate()
	const late = 4 * clock.Minute
	for i := range 60 {
		id := fmt.Sprintf("d%d", i)
		now := w.clock.Now()
		check(t, w.service.Request(ctx, request(id, at(100, 0), at(200, 0), now)))
		check(t, w.run(now.Add(6*clock.Second)))
		x := w.last[id]
		w.robot(x.Robot).t.Activity = fleet.Idle
		check(t, w.service.Finish(ctx, dispatch.Finish{
			Market: town, Delivery: id, Attempt: 1, Robot: x.Robot, Token: x.Token,
			PickupAt: now.Add(100*clock.Second + late), DropoffAt: now.Add(100*clock.Second + 340*clock.Second + 2*late),
		}))
		check(t, w.run(w.clock.Now().Add(clock.Minute)))
	}
	p, d, spread := estimate()
	if off := p - pickup - late; off < -30*clock.Second || off > 30*clock.Second {
		t.Errorf("pickup expected %v ahead, before it was %v; want about %v more", p, pickup, late)
	}
	if off := d - dropoff - 2*late; off < -30*clock.Second || off > 30*clock.Second {
		t.Errorf("drop-off expected %v ahead, before it was %v; want about %v more", d, dropoff, 2*late)
	}
	if spread > 2*clock.Minute {
		t.Errorf("90%% of drop-offs are expected within %v of the median, want less: all were the same", spread)
	}
}

// TestLegsAreAskedOnce counts what rounds ask of the map.
func TestLegsAreAskedOnce(t *testing.T) {
	w := newWorld(nil)
	for i := range 20 {
		w.addRobot(fleet.RobotID(fmt.Sprintf("r%02d", i)), fleet.KindRobot, at(int32(i), 0), 1000)
	}
	for i := range 10 {
		check(t, w.service.Request(ctx, request(fmt.Sprintf("d%d", i), at(int32(100*i), 0), at(900, 0), fake.Start.Add(clock.Hour))))
	}
	check(t, w.run(fake.Start.Add(20*clock.Second)))
	before := w.plane.asked
	check(t, w.run(fake.Start.Add(10*clock.Minute)))
	if n := w.plane.asked - before; n != 0 {
		t.Errorf("rounds in which nothing moved asked for %d legs, want none", n)
	}
	w.plane.version++
	check(t, w.run(fake.Start.Add(11*clock.Minute)))
	if n := w.plane.asked - before; n < 200 {
		t.Errorf("after the map changed %d legs were asked for, want all again", n)
	}
}

func TestSettings(t *testing.T) {
	if errs := setting.Problems("dispatch", dispatch.DefaultSettings()); len(errs) != 0 {
		t.Errorf("the defaults are wrong: %v", errs)
	}
	for change, want := range map[string]string{
		"round_soon=20s":   "dispatch.round_soon: 20s is above round_every (15s); a new request would wait longer than an old one",
		"round_gap=20s":    "dispatch.round_gap: 20s is above round_every (15s); want at most that",
		"idle_every=10s":   "dispatch.idle_every: 10s is below round_every (15s); want at least that",
		"hold=5m":          "", // a quarter of it is above a minute
		"idle_every=30m":   "", // a quarter of 2h
		"early_weight=601": "dispatch.early_weight: 601 is above deadhead_weight (600); a robot would be sent from farther away to make it arrive later",
	} {
		s := dispatch.DefaultSettings()
		path, value, _ := strings.Cut(change, "=")
		check(t, setting.Set(&s, path, value))
		errs := setting.Problems("dispatch", s)
		if want == "" && len(errs) == 0 {
			continue
		}
		if len(errs) == 0 || errs[0].Error() != want {
			t.Errorf("%s: %v, want %s", change, errs, want)
		}
	}
	s := dispatch.DefaultSettings()
	s.IdleEvery, s.Hold = 2*clock.Minute, 5*clock.Minute
	if errs := s.Problems("dispatch"); len(errs) != 1 {
		t.Errorf("idle_every 2m with hold 5m: %v, want one problem", errs)
	}
	s = dispatch.DefaultSettings()
	s.DeadheadWeight, s.LateWeight, s.EarlyWeight = 0, 0, 0
	if errs := s.Problems("dispatch"); len(errs) != 1 {
		t.Errorf("no weights: %v, want one problem", errs)
	}
}
