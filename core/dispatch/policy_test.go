package dispatch

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/rng"
)

// noon is now.
const noon clock.Time = 1772452800000

// wagon is a robot that can carry anything anywhere, at once.
func wagon(id fleet.RobotID) Ready {
	return Ready{Robot: id, Kind: fleet.KindRobot, Free: noon, Usable: 5000, Capacity: 10_000, Idle: true,
		Takes: fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 200, Grams: 9000}}
}

// order is a request that is ready now, for a trip of 10 minutes.
func order(id string) Waiting {
	return Waiting{Request: Request{Delivery: id, Attempt: 1, Kind: ForDelivery, ReadyAt: noon, RequestedAt: noon},
		Trip: maps.Leg{Millis: 600_000, LengthMM: 900_000, EnergyMWh: 900, OK: true}, Home: 300}
}

func leg(d clock.Duration) maps.Leg {
	return maps.Leg{Millis: int64(d), LengthMM: int64(d), EnergyMWh: int64(d) / 1000, OK: true}
}

func TestOption(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *Ready, w *Waiting, l *maps.Leg)
		arrive clock.Duration // from now; -1: not possible
	}{
		{"a plain one", func(*Ready, *Waiting, *maps.Leg) {}, 5 * clock.Minute},
		{"free later", func(r *Ready, _ *Waiting, _ *maps.Leg) { r.Free = noon.Add(clock.Minute) }, 6 * clock.Minute},
		{"no way to the pickup", func(_ *Ready, _ *Waiting, l *maps.Leg) { *l = maps.Leg{} }, -1},
		{"no way to the drop-off", func(_ *Ready, w *Waiting, _ *maps.Leg) { w.Trip = maps.Leg{} }, -1},
		{"just enough charge", func(r *Ready, _ *Waiting, _ *maps.Leg) { r.Usable = 1500 }, 5 * clock.Minute},
		{"too little charge", func(r *Ready, _ *Waiting, _ *maps.Leg) { r.Usable = 1499 }, -1},
		{"too little charge, at a dock", func(r *Ready, _ *Waiting, _ *maps.Leg) { r.Usable, r.PowerMW = 1499, 60_000 }, 5*clock.Minute + 60},
		{"more than a battery", func(r *Ready, w *Waiting, _ *maps.Leg) { w.Home, r.PowerMW = 9000, 60_000 }, -1},
		{"a courier for a delivery", func(r *Ready, _ *Waiting, _ *maps.Leg) { r.Kind = fleet.KindCourier }, -1},
		{"a courier for a transfer", func(r *Ready, w *Waiting, _ *maps.Leg) {
			r.Kind, r.Capacity, r.Usable, w.Request.Kind = fleet.KindCourier, 0, 0, ForTransfer
		}, 5 * clock.Minute},
		{"one that failed", func(r *Ready, w *Waiting, _ *maps.Leg) { w.Request.Not = []fleet.RobotID{"r0", r.Robot} }, -1},
		{"turned around it fits", func(_ *Ready, w *Waiting, _ *maps.Leg) {
			w.Request.Load = fleet.Load{LengthMM: 300, WidthMM: 400, HeightMM: 200, Grams: 9000}
		}, 5 * clock.Minute},
		{"too long", func(_ *Ready, w *Waiting, _ *maps.Leg) { w.Request.Load.LengthMM = 401 }, -1},
		{"too wide", func(_ *Ready, w *Waiting, _ *maps.Leg) {
			w.Request.Load.LengthMM, w.Request.Load.WidthMM = 301, 301
		}, -1},
		{"too high", func(_ *Ready, w *Waiting, _ *maps.Leg) { w.Request.Load.HeightMM = 201 }, -1},
		{"too heavy", func(_ *Ready, w *Waiting, _ *maps.Leg) { w.Request.Load.Grams = 9001 }, -1},
	} {
		robot, w, l := wagon("r1"), order("d1"), leg(5*clock.Minute)
		c.change(&robot, &w, &l)
		r := Round{Now: noon, Settings: DefaultSettings(), Robots: []Ready{robot}, Requests: []Waiting{w}, Legs: NewLegs(1, 1, []maps.Leg{l})}
		o, ok := r.Option(0, 0)
		if got := o.Arrive.Sub(noon); ok != (c.arrive >= 0) || ok && got != c.arrive {
			t.Errorf("%s: arrives in %v (possible: %v), want %v", c.name, got, ok, c.arrive)
		}
	}
}

func TestCost(t *testing.T) {
	s := Settings{LateWeight: 1000, EarlyWeight: 100, DeadheadWeight: 500, PromiseWeight: 3000, LoadTime: clock.Minute, UnloadTime: clock.Minute}
	for _, c := range []struct {
		name   string
		arrive clock.Duration
		change func(s *Settings, q *Request)
		want   int64
	}{
		{"in time", 0, func(*Settings, *Request) {}, 60_000},
		{"goods wait", 30_000, func(*Settings, *Request) {}, 60_000 + 30_000},
		{"the robot waits", 0, func(_ *Settings, q *Request) { q.ReadyAt += 20_000 }, 60_000 + 2000},
		{"it would wait, but is sent later", 0, func(s *Settings, q *Request) { q.ReadyAt += 20_000; s.Lazy = true }, 60_000},
		{"the promise holds", 0, func(_ *Settings, q *Request) { q.PromiseAt = noon.Add(12 * clock.Minute) }, 60_000},
		{"the promise breaks", 0, func(_ *Settings, q *Request) { q.PromiseAt = noon.Add(12*clock.Minute - 1000) }, 60_000 + 3000},
		{"ready late, the promise breaks", 0, func(s *Settings, q *Request) {
			q.ReadyAt, q.PromiseAt, s.Lazy = noon.Add(clock.Second), noon.Add(12*clock.Minute), true
		}, 60_000 + 3000},
	} {
		set, w := s, order("d1")
		c.change(&set, &w.Request)
		r := Round{Now: noon, Settings: set}
		if got := r.cost(&w, noon.Add(c.arrive), 2*clock.Minute); got != c.want {
			t.Errorf("%s: costs %d, want %d", c.name, got, c.want)
		}
	}
}

// TestOldestGoFirst has one robot and more than it can do.
func TestOldestGoFirst(t *testing.T) {
	for _, name := range []string{"nearest", "rolling"} {
		r := Round{Now: noon.Add(10 * clock.Minute), Settings: DefaultSettings(), Robots: []Ready{wagon("r1")}}
		r.Settings.Policy = name
		for k := range 3 {
			w := order(fmt.Sprintf("d%d", k))
			w.Request.RequestedAt += clock.Time(k) * 60_000
			w.Request.ReadyAt = w.Request.RequestedAt
			r.Requests = append(r.Requests, w)
		}
		// The younger ones are a little nearer.
		r.Legs = NewLegs(1, 3, []maps.Leg{leg(5 * clock.Minute), leg(5*clock.Minute - 10_000), leg(5*clock.Minute - 20_000)})
		plan := NewPolicy(name).Plan(&r)
		if len(plan) != 1 || plan[0].Request != 0 || !plan[0].Commit {
			t.Errorf("%s: plan %+v, want the oldest request at once", name, plan)
		}
	}
}

// TestWhoIsSentNow tells plans from commitments.
func TestWhoIsSentNow(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(r *Round)
		want   bool
	}{
		{"idle, the goods are ready", func(*Round) {}, true},
		{"free now by the forecast, not by Fleet", func(r *Round) { r.Robots[0].Idle = false }, false},
		{"must charge first", func(r *Round) { r.Robots[0].Usable, r.Robots[0].PowerMW = 100, 60_000 }, false},
		{"a round later is early enough", func(r *Round) { r.Requests[0].Request.ReadyAt = noon.Add(6 * clock.Minute) }, false},
		{"a round later would be too late", func(r *Round) { r.Requests[0].Request.ReadyAt = noon.Add(6*clock.Minute - 1) }, true},
		{"early enough, but not lazy", func(r *Round) {
			r.Requests[0].Request.ReadyAt = noon.Add(6 * clock.Hour)
			r.Settings.Lazy = false
		}, true},
	} {
		r := Round{Now: noon, Settings: DefaultSettings(), Robots: []Ready{wagon("r1")}, Requests: []Waiting{order("d1")},
			Legs: NewLegs(1, 1, []maps.Leg{leg(5 * clock.Minute)})}
		r.Settings.RoundEvery, r.Settings.LazySlack = 20*clock.Second, 40*clock.Second
		c.change(&r)
		plan := NewPolicy("rolling").Plan(&r)
		if len(plan) != 1 || plan[0].Commit != c.want {
			t.Errorf("%s: plan %+v, want one pairing, committed: %v", c.name, plan, c.want)
		}
	}
}

func TestPredict(t *testing.T) {
	s := DefaultSettings()
	work := job{Robot: "r1", Token: 7, Known: true, Arrive: noon.Add(4 * clock.Minute), Deadhead: 200, Trip: order("d1").Trip,
		Request: Request{ReadyAt: noon.Add(5 * clock.Minute), Dropoff: maps.Position{Edge: 9}}}
	home := maps.Position{Edge: 1}
	held := func(holder string) *fleet.Reservation {
		return &fleet.Reservation{Holder: holder, Token: 7, Expires: noon.Add(clock.Hour)}
	}
	for _, c := range []struct {
		name   string
		change func(c *fleet.Candidate, j *job)
		job    bool
		want   *Ready
	}{
		{"idle", func(*fleet.Candidate, *job) {}, false, &Ready{At: home, Free: noon, Usable: 3500, Idle: true}},
		{"charging by Dispatch's word", func(c *fleet.Candidate, _ *job) {
			c.Robot.Reservation, c.Telemetry.Activity, c.Telemetry.Dock = held("charge/r1"), fleet.Charging, "k2"
		}, false, &Ready{At: home, Free: noon, Usable: 3500, Idle: true, Chore: 7, PowerMW: 250}},
		{"on its way to the dock", func(c *fleet.Candidate, _ *job) { c.Robot.Reservation = held("charge/r1") }, false,
			&Ready{At: home, Free: noon, Usable: 3500, Idle: true, Chore: 7}},
		{"a reservation that has expired", func(c *fleet.Candidate, _ *job) {
			c.Robot.Reservation = held("delivery/d9#1")
			c.Robot.Reservation.Expires = noon
		}, false, &Ready{At: home, Free: noon, Usable: 3500, Idle: true}},
		{"a job that nobody here knows", func(c *fleet.Candidate, _ *job) { c.Robot.Reservation = held("delivery/d9#1") }, false,
			&Ready{At: home, Free: noon.Add(s.UnknownJob), Usable: 3500}},
		{"to the pickup", func(*fleet.Candidate, *job) {}, true,
			&Ready{At: maps.Position{Edge: 9}, Free: noon.Add(15*clock.Minute + s.LoadTime + s.UnloadTime), Usable: 3500 - 100 - 900}},
		{"late at the pickup", func(_ *fleet.Candidate, j *job) { j.Arrive, j.Request.ReadyAt = noon-100_000, noon-200_000 }, true,
			&Ready{At: maps.Position{Edge: 9}, Free: noon.Add(s.LoadTime/2 + 10*clock.Minute + s.UnloadTime), Usable: 3500 - 100 - 900}},
		{"loaded", func(_ *fleet.Candidate, j *job) { j.LoadedAt = noon.Add(-clock.Minute) }, true,
			&Ready{At: maps.Position{Edge: 9}, Free: noon.Add(9*clock.Minute + s.UnloadTime), Usable: 3500 - 450}},
		{"loaded, and late", func(_ *fleet.Candidate, j *job) { j.LoadedAt = noon.Add(-clock.Hour) }, true,
			&Ready{At: maps.Position{Edge: 9}, Free: noon.Add(s.UnloadTime / 2), Usable: 3500 - 450}},
		{"lost", func(_ *fleet.Candidate, j *job) { j.Lost = true }, true, nil},
		{"out of order", func(c *fleet.Candidate, _ *job) { c.Robot.State = fleet.NonOperational }, false, nil},
		{"stuck", func(c *fleet.Candidate, _ *job) { c.Telemetry.Activity = fleet.Halted }, false, nil},
		{"never heard", func(c *fleet.Candidate, _ *job) { c.Telemetry.At = 0 }, false, nil},
		{"not heard for long", func(c *fleet.Candidate, _ *job) { c.Telemetry.At = noon.Add(-s.ContactWithin - 1) }, false, nil},
	} {
		j := work
		x := fleet.Candidate{
			Robot:     fleet.Robot{ID: "r1", Kind: fleet.KindRobot, CapacityMWh: 10_000, State: fleet.Available},
			Telemetry: fleet.Telemetry{Robot: "r1", At: noon.Add(-s.ContactWithin), Position: home, ChargeMWh: 5000, Activity: fleet.Idle},
		}
		c.change(&x, &j)
		sc := scene{now: noon, settings: s, charge: fleet.DefaultSettings().Charge,
			docks: []fleet.Dock{{ID: "k1", PowerMW: 100}, {ID: "k2", PowerMW: 250}}, robots: []fleet.Candidate{x}}
		if c.job {
			sc.jobs = map[fleet.RobotID]*job{"r1": &j}
		}
		sc.predict()
		var want []Ready
		if c.want != nil {
			w := *c.want
			w.Robot, w.Kind, w.Capacity = "r1", fleet.KindRobot, 10_000
			want = []Ready{w}
		}
		if diff := cmp.Diff(want, append([]Ready(nil), sc.ready...)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestPlansAreTheSame runs each policy twice, once on memory that was used.
func TestPlansAreTheSame(t *testing.T) {
	for _, name := range []string{"nearest", "rolling"} {
		r := crowd(30, 20, name)
		p := NewPolicy(name)
		p.Plan(crowd(40, 25, name))
		first, again := NewPolicy(name).Plan(r), p.Plan(r)
		if diff := cmp.Diff(first, again); diff != "" || len(first) < 10 {
			t.Errorf("%s: %d pairings (-fresh +used):\n%s", name, len(first), diff)
		}
		seen := map[int]bool{}
		for _, x := range first {
			if seen[x.Robot] {
				t.Errorf("%s: robot %d has two requests", name, x.Robot)
			}
			seen[x.Robot] = true
		}
	}
	if plan := NewPolicy("rolling").Plan(crowd(0, 5, "rolling")); len(plan) != 0 {
		t.Errorf("without robots: %v", plan)
	}
}

// TestRunnerUpIsExact makes the runner-up closer by what the explanation says:
// then, and not a second before, it is sent.
func TestRunnerUpIsExact(t *testing.T) {
	const slack = clock.Second
	tried := 0
	for seed := range 12 {
		r := crowd(8+seed, 4+seed/2, "rolling")
		for _, x := range NewPolicy("rolling").Plan(r) {
			if x.Why.RunnerUp == "" {
				continue
			}
			i := 0
			for r.Robots[i].Robot != x.Why.RunnerUp {
				i++
			}
			was := r.Legs.Of(i, x.Request)
			if x.Why.RunnerUpCloser >= clock.Duration(was.Millis) {
				continue // not even next door it would have gone
			}
			for _, closer := range []clock.Duration{x.Why.RunnerUpCloser - slack, x.Why.RunnerUpCloser + slack} {
				cell := &r.Legs.cells[int(r.Legs.ofRobot[i])*r.Legs.pickups+int(r.Legs.ofNeed[x.Request])]
				cell.Millis = was.Millis - int64(closer)
				sent := false
				for _, y := range NewPolicy("rolling").Plan(r) {
					sent = sent || y.Request == x.Request && y.Robot == i
				}
				if sent != (closer > x.Why.RunnerUpCloser) {
					t.Fatalf("crowd %d: %s was said to be %v too far for %s; %v closer it goes: %v",
						seed, x.Why.RunnerUp, x.Why.RunnerUpCloser, r.Requests[x.Request].Request.Delivery, closer, sent)
				}
				*cell = was
				tried++
			}
		}
	}
	if tried < 50 {
		t.Errorf("only %d cases tried", tried)
	}
}

// crowd is a round of idle robots and ready requests in a town of 4 by 4 km.
func crowd(robots, requests int, policy string) *Round {
	s := rng.Seed(uint64(robots*1000+requests)).Stream("crowd", "place")
	r := &Round{Number: 1, Now: noon, Settings: DefaultSettings()}
	r.Settings.Policy = policy
	var cells []maps.Leg
	for i := range robots {
		robot := wagon(fleet.RobotID(fmt.Sprintf("r%04d", i)))
		robot.Usable, robot.Capacity = 50_000, 100_000
		r.Robots = append(r.Robots, robot)
	}
	for k := range requests {
		r.Requests = append(r.Requests, order(fmt.Sprintf("d%04d", k)))
	}
	for i := range robots {
		for k := range requests {
			x := s.N(uint64(i), 4000) - s.N(uint64(k)+1<<20, 4000)
			y := s.N(uint64(i)+1<<21, 4000) - s.N(uint64(k)+1<<22, 4000)
			cells = append(cells, leg(clock.Duration(max(x, -x)+max(y, -y))*667)) // 1.5 m/s
		}
	}
	r.Legs = NewLegs(robots, requests, cells)
	return r
}

func TestHistogram(t *testing.T) {
	h := newHistogram()
	if m := h.quantile(500); m < -30*clock.Second || m > 30*clock.Second {
		t.Errorf("the prior's median is %v, want about 0", m)
	}
	if q := h.quantile(900); q < 2*clock.Minute || q > 8*clock.Minute {
		t.Errorf("the prior's 90%% is %v, want some minutes", q)
	}
	for i := range 1000 {
		h.add(clock.Duration(i%100)*3*clock.Second, 400) // evenly from 0 to 5 minutes
	}
	for permille, want := range map[int64]clock.Duration{100: 30 * clock.Second, 500: 150 * clock.Second, 900: 270 * clock.Second} {
		if got := h.quantile(permille); got < want-20*clock.Second || got > want+20*clock.Second {
			t.Errorf("%d permille: %v, want about %v", permille, got, want)
		}
	}
	if h.Sum > 400*unit {
		t.Errorf("weight %d, want at most that of 400 deliveries, %d", h.Sum, 400*unit)
	}
	var sum int64
	for i, w := range h.Bins {
		if w < 0 {
			t.Errorf("bin %d weighs %d", i, w)
		}
		sum += int64(w)
	}
	if sum != h.Sum {
		t.Errorf("the bins weigh %d, the sum says %d", sum, h.Sum)
	}
	h.add(-5*clock.Hour, 400)
	h.add(5*clock.Hour, 400)
	if low, high := h.quantile(0), h.quantile(999); low > -19*clock.Minute || high < 59*clock.Minute {
		t.Errorf("far off deviations count at %v and %v, want at the ends", low, high)
	}
}

func TestHeldFor(t *testing.T) {
	for _, c := range []struct {
		holder   string
		delivery string
		attempt  int
		ok       bool
	}{
		{holder("d1", 2), "d1", 2, true},
		{holder("a#b", 13), "a#b", 13, true},
		{"charge/r1", "", 0, false},
		{"delivery/d1", "", 0, false},
		{"delivery/d1#x", "d1", 0, false},
	} {
		delivery, attempt, ok := heldFor(c.holder)
		if ok != c.ok || ok && (delivery != c.delivery || attempt != c.attempt) {
			t.Errorf("heldFor(%q) = %q, %d, %v, want %q, %d, %v", c.holder, delivery, attempt, ok, c.delivery, c.attempt, c.ok)
		}
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, size := range [][2]int{{200, 50}, {1000, 500}} {
		for _, name := range []string{"nearest", "rolling"} {
			r := crowd(size[0], size[1], name)
			for k := range r.Requests { // most need not leave yet, as in an ordinary round
				if k%10 != 0 {
					r.Requests[k].Request.ReadyAt = noon.Add(2 * clock.Hour)
				}
			}
			p := NewPolicy(name)
			b.Run(fmt.Sprintf("%s/robots=%d/requests=%d", name, size[0], size[1]), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p.Plan(r)
				}
			})
		}
	}
}

// TestKth compares kth with sorting.
func TestKth(t *testing.T) {
	luck := rng.Seed(5).Stream("test", "kth")
	for n := 1; n < 60; n++ {
		v := make([]int64, n)
		for i := range v {
			v[i] = luck.N(uint64(n*100+i), 20)
		}
		want := slices.Sorted(slices.Values(v))
		for k := range v {
			if got := kth(slices.Clone(v), k); got != want[k] {
				t.Fatalf("kth(%v, %d) = %d, want %d", v, k, got, want[k])
			}
		}
	}
}
