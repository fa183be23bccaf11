package fleet_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/porttest/fake"
	"footway/core/setting"
)

func TestDefaultSettings(t *testing.T) {
	if errs := setting.Problems("fleet", fleet.DefaultSettings()); len(errs) > 0 {
		t.Errorf("problems of the default settings: %v", errs)
	}
}

func TestSettingsProblems(t *testing.T) {
	tests := map[string]func(s *fleet.Settings){
		"fleet.missing_after":          func(s *fleet.Settings) { s.MissingAfter = s.SilenceAfter },
		"fleet.charge.must_permille":   func(s *fleet.Settings) { s.Charge.MustPermille = s.Charge.ReservePermille - 1 },
		"fleet.charge.top_up_permille": func(s *fleet.Settings) { s.Charge.TopUpPermille = s.Charge.MustPermille - 1 },
		"fleet.charge.rest_permille":   func(s *fleet.Settings) { s.Charge.RestPermille = s.Charge.TargetPermille - 1 },
		"fleet.charge.target_permille": func(s *fleet.Settings) { s.Charge.MustPermille, s.Charge.TopUpPermille = 850, 850 },
	}
	for path, spoil := range tests {
		s := fleet.DefaultSettings()
		spoil(&s)
		errs := setting.Problems("fleet", s)
		if len(errs) != 1 || len(errs[0].Error()) <= len(path) || errs[0].Error()[:len(path)+1] != path+":" {
			t.Errorf("problems = %v, want one of %s", errs, path)
		}
	}
	s := fleet.DefaultSettings()
	s.Charge.TopUpPermille, s.Charge.RestPermille, s.Charge.TargetPermille = 900, 900, 900
	if errs := setting.Problems("fleet", s); len(errs) != 1 {
		t.Errorf("problems of a rest that is not above the top-up = %v, want one", errs)
	}
}

// TestLostCalls plays a robot's day again and again, each time with another
// call to a store or the robot lost, before or after its effect. Whoever gets
// fault.Unavailable repeats the command. The journal must not differ.
func TestLostCalls(t *testing.T) {
	var want []string
	runs := fake.EachLoss(func(l *fake.Losses) {
		w := newWorld(t, l)
		play(t, w, l)
		var got []string
		for _, e := range w.journal.Events {
			got = append(got, e.Kind+string(e.Data))
		}
		if l.At == 0 {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("call %d lost %v its effect (%s): journal -want +got\n%s", l.At, l.Side, l.Hit, diff)
		}
		if len(w.timers.All()) != 1 {
			t.Errorf("call %d lost %v its effect (%s): %d timers are armed, want the one that watches for silence", l.At, l.Side, l.Hit, len(w.timers.All()))
		}
		if r, err := w.store.Robot(t.Context(), "r1"); err != nil || r.LastToken != 2 || r.Reservation != nil || r.State != fleet.Available {
			t.Errorf("call %d lost %v its effect (%s): the robot ends as %+v, %v; want it available after two tokens", l.At, l.Side, l.Hit, r, err)
		}
	})
	if runs < 60 {
		t.Errorf("%d losses tried, want at least 60: the story has become short", runs)
	}
}

func play(t *testing.T, w *world, l *fake.Losses) {
	t.Helper()
	ctx := t.Context()
	try := func(what string, command func() error) {
		t.Helper()
		if err := fake.Again(command); err != nil {
			t.Errorf("call %d lost %v its effect (%s): %s: %v", l.At, l.Side, l.Hit, what, err)
		}
		w.clock.Advance(clock.Second)
	}
	report := func(a fleet.Activity, token uint64, loaded bool) {
		t.Helper()
		at := w.clock.Now()
		try("report", func() error {
			return w.service.Report(ctx, fleet.Telemetry{Robot: "r1", At: at, Activity: a, Mode: fleet.Automatic, ChargeMWh: 5, Token: token, Loaded: loaded})
		})
	}
	reserve := func(attempt string, want uint64) {
		t.Helper()
		try("reserve", func() error {
			token, err := w.service.Reserve(ctx, fleet.ReserveRequest{Robot: "r1", Holder: "delivery/" + attempt, Attempt: attempt, Until: fake.Start.Add(clock.Hour)})
			if err == nil && token != want {
				t.Errorf("call %d lost %v its effect (%s): token %d, want %d", l.At, l.Side, l.Hit, token, want)
			}
			return err
		})
	}
	release := func(token uint64) {
		t.Helper()
		try("release", func() error { return w.service.Release(ctx, "r1", token) })
	}
	try("register", func() error { return w.service.Register(ctx, robot("r1")) })
	report(fleet.Idle, 0, false)
	reserve("d1", 1)
	try("renew", func() error { return w.service.Renew(ctx, "r1", 1, fake.Start.Add(2*clock.Hour)) })
	try("command", func() error {
		return w.service.Command(ctx, fleet.Order{Robot: "r1", Token: 1, Kind: fleet.OrderGo})
	})
	report(fleet.AtStop, 1, false)
	report(fleet.Driving, 1, true)
	silent := clock.Key{Service: "fleet", Entity: "r1", What: "silence"}
	w.clock.Advance(2 * clock.Minute)
	w.timers.Due(w.clock.Now())
	try("silence", func() error { return w.service.Fire(ctx, silent) })
	report(fleet.AtStop, 1, true)
	report(fleet.Idle, 1, false)
	release(1)
	reserve("d2", 2)
	release(2)
	try("remove", func() error { return w.service.Remove(ctx, "r1") })
	try("register", func() error { return w.service.Register(ctx, robot("r1")) })
	report(fleet.Idle, 2, false)
}

func TestRegister(t *testing.T) {
	ctx := t.Context()
	refused := map[string]struct {
		spoil func(r *fleet.Robot)
		kind  fault.Kind
	}{
		"no id":                  {func(r *fleet.Robot) { r.ID = "" }, fault.Invalid},
		"no market":              {func(r *fleet.Robot) { r.Market = "" }, fault.Invalid},
		"no account":             {func(r *fleet.Robot) { r.Account = "" }, fault.Invalid},
		"unknown kind":           {func(r *fleet.Robot) { r.Kind = "drone" }, fault.Invalid},
		"no battery":             {func(r *fleet.Robot) { r.CapacityMWh = 0 }, fault.Invalid},
		"courier with a battery": {func(r *fleet.Robot) { r.Kind = fleet.KindCourier }, fault.Invalid},
		"no speed":               {func(r *fleet.Robot) { r.SpeedMMS = 0 }, fault.Invalid},
		"no length":              {func(r *fleet.Robot) { r.Capability.LengthMM = 0 }, fault.Invalid},
		"no width":               {func(r *fleet.Robot) { r.Capability.WidthMM = 0 }, fault.Invalid},
		"no height":              {func(r *fleet.Robot) { r.Capability.HeightMM = 0 }, fault.Invalid},
		"no weight":              {func(r *fleet.Robot) { r.Capability.Grams = 0 }, fault.Invalid},
		"unknown account":        {func(r *fleet.Robot) { r.Account = "nobody" }, fault.Forbidden},
		"suspended account":      {func(r *fleet.Robot) { r.Account = "late" }, fault.Forbidden},
		"another account's":      {func(r *fleet.Robot) { r.ID, r.Account = "taken", "two" }, fault.Conflict},
		"another market's":       {func(r *fleet.Robot) { r.ID, r.Market = "taken", "other" }, fault.Conflict},
	}
	w := newWorld(t, nil)
	for _, a := range []fleet.Account{{ID: "late", Suspended: true}, {ID: "two", MaxRobots: 2}} {
		if err := w.service.SaveAccount(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.service.Register(ctx, robot("taken")); err != nil {
		t.Fatal(err)
	}
	for name, c := range refused {
		r := robot("r1")
		c.spoil(&r)
		if err := w.service.Register(ctx, r); !fault.Is(err, c.kind) {
			t.Errorf("%s: Register = %v, want it refused as %v", name, err, c.kind)
		}
	}
	if all, err := w.service.Robots(ctx, "m"); err != nil || len(all) != 1 {
		t.Errorf("Robots after refusals = %v, %v, want one", all, err)
	}
	w.registerTwo(t)
}

// registerTwo fills an account that may have two robots.
func (w *world) registerTwo(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	for i, want := range []bool{true, true, false} {
		r := robot(fleet.RobotID(fmt.Sprintf("two%d", i)))
		r.Account = "two"
		if err := w.service.Register(ctx, r); (err == nil) != want || err != nil && !fault.Is(err, fault.Exhausted) {
			t.Errorf("robot %d of an account that may have two: %v", i+1, err)
		}
	}
	if err := w.service.Remove(ctx, "two0"); err != nil {
		t.Fatal(err)
	}
	r := robot("two2")
	r.Account, r.SpeedMMS = "two", 2000
	for range 2 { // the second is a repeat
		if err := w.service.Register(ctx, r); err != nil {
			t.Errorf("a robot in the place of one that was removed: %v", err)
		}
	}
	r.SpeedMMS, r.State, r.LastToken = 2500, fleet.OnTrip, 99
	if err := w.service.Register(ctx, r); err != nil {
		t.Error(err)
	}
	if got, err := w.service.Robot(ctx, "two2"); err != nil || got.SpeedMMS != 2500 || got.State != fleet.NonOperational || got.LastToken != 0 {
		t.Errorf("Robot = %+v, %v, want its new speed, and nothing else of what was sent", got, err)
	}
}

func TestAccountsAndDocksAreChecked(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	for _, a := range []fleet.Account{{}, {ID: "a", MaxRobots: -1}} {
		if err := w.service.SaveAccount(ctx, a); !fault.Is(err, fault.Invalid) {
			t.Errorf("SaveAccount(%+v) = %v, want it refused as invalid", a, err)
		}
	}
	good := fleet.Dock{ID: "d1", Market: "m", Slots: 1, PowerMW: 1}
	for i, spoil := range []func(d *fleet.Dock){
		func(d *fleet.Dock) { d.ID = "" }, func(d *fleet.Dock) { d.Market = "" }, func(d *fleet.Dock) { d.Slots = 0 }, func(d *fleet.Dock) { d.PowerMW = 0 },
	} {
		d := good
		spoil(&d)
		if err := w.service.SaveDock(ctx, d); !fault.Is(err, fault.Invalid) {
			t.Errorf("case %d: SaveDock(%+v) = %v, want it refused as invalid", i, d, err)
		}
	}
	if err := w.service.SaveDock(ctx, good); err != nil {
		t.Error(err)
	}
	if all, err := w.service.Docks(ctx, "m"); err != nil || len(all) != 1 || all[0] != good {
		t.Errorf("Docks = %v, %v, want %v", all, err, good)
	}
}

func TestCandidates(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	for _, id := range []fleet.RobotID{"r3", "r1", "r2"} {
		if err := w.service.Register(ctx, robot(id)); err != nil {
			t.Fatal(err)
		}
	}
	// Telemetry of a robot that the index of robots does not have yet must not shift the others.
	for _, id := range []fleet.RobotID{"r0", "r1", "r3", "r9"} {
		if _, err := w.telemetry.SaveTelemetry(ctx, "m", fleet.Telemetry{Robot: id, At: 5, Position: maps.Position{Edge: maps.EdgeID(id[1])}}); err != nil {
			t.Fatal(err)
		}
	}
	all, err := w.service.Candidates(ctx, "m")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range all {
		got = append(got, fmt.Sprintf("%s %s %d", c.Robot.ID, c.Telemetry.Robot, c.Telemetry.At))
	}
	if diff := cmp.Diff([]string{"r1 r1 5", "r2  0", "r3 r3 5"}, got); diff != "" {
		t.Errorf("candidates -want +got\n%s", diff)
	}
}

// TestClocksAhead has a robot whose clock is an hour fast: its silence must be found all the same.
func TestClocksAhead(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if err := w.service.Register(ctx, robot("r1")); err != nil {
		t.Fatal(err)
	}
	fast := fleet.Telemetry{Robot: "r1", At: w.clock.Now().Add(clock.Hour), Activity: fleet.Idle, Mode: fleet.Automatic}
	if err := w.service.Report(ctx, fast); err != nil {
		t.Fatal(err)
	}
	until := w.clock.Now().Add(fleet.DefaultSettings().SilenceAfter)
	if err := w.timers.Run(w.clock, until, func(k clock.Key) error { return w.service.Fire(ctx, k) }); err != nil {
		t.Fatal(err)
	}
	if r, err := w.service.Robot(ctx, "r1"); err != nil || r.State != fleet.NonContactable {
		t.Errorf("a minute later the robot is %s, %v, want non_contactable", r.State, err)
	}
}

func TestFireRefusesUnknownTimers(t *testing.T) {
	w := newWorld(t, nil)
	if err := w.service.Fire(t.Context(), clock.Key{Service: "fleet", Entity: "r1", What: "tea"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Fire = %v, want it refused as invalid", err)
	}
	silent := clock.Key{Service: "fleet", Entity: "r1", What: "silence"}
	if err := w.service.Fire(t.Context(), silent); !fault.Is(err, fault.NotFound) {
		t.Errorf("Fire for a robot that nobody knows = %v, want not found", err)
	}
	if err := w.service.Report(t.Context(), fleet.Telemetry{Robot: "r1"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("Report of a robot that nobody knows = %v, want not found", err)
	}
}

// TestReserveNeverGivesTwo lets many dispatchers want the same robot at once: each token has one holder.
func TestReserveNeverGivesTwo(t *testing.T) {
	const dispatchers, rounds = 4, 50
	w := newWorld(t, nil)
	ctx := t.Context()
	if err := w.service.Register(ctx, robot("r1")); err != nil {
		t.Fatal(err)
	}
	if err := w.service.Report(ctx, fleet.Telemetry{Robot: "r1", At: 1, Activity: fleet.Idle, Mode: fleet.Automatic}); err != nil {
		t.Fatal(err)
	}
	d := w.service.Deps
	d.Journal, d.Timers = &locked{journal: w.journal}, &fake.Timers{}
	var mu sync.Mutex
	holding, granted := 0, map[uint64]bool{}
	var wg sync.WaitGroup
	for i := range dispatchers {
		s := fleet.NewService(d)
		wg.Go(func() {
			for n := range rounds {
				token, err := s.Reserve(ctx, fleet.ReserveRequest{Robot: "r1", Holder: fmt.Sprint("h", i), Attempt: fmt.Sprint(n), Until: fake.Start.Add(clock.Hour)})
				if err != nil {
					if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Unavailable) {
						t.Errorf("Reserve: %v", err)
					}
					continue
				}
				mu.Lock()
				if holding++; holding > 1 || granted[token] {
					t.Errorf("token %d was given out while another held, or twice", token)
				}
				granted[token] = true
				holding--
				mu.Unlock()
				if err := fake.Again(func() error { return s.Release(ctx, "r1", token) }); err != nil {
					t.Errorf("Release: %v", err)
				}
			}
		})
	}
	wg.Wait()
	if len(granted) == 0 {
		t.Error("nobody ever got the robot")
	}
	if r, err := w.store.Robot(ctx, "r1"); err != nil || r.LastToken != uint64(len(granted)) {
		t.Errorf("the last token is %d, %v, and %d were given out", r.LastToken, err, len(granted))
	}
}

func TestContentionEnds(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if err := w.service.Register(ctx, robot("r1")); err != nil {
		t.Fatal(err)
	}
	d := w.service.Deps
	d.Store = refusing{w.store}
	if err := fleet.NewService(d).Remove(ctx, "r1"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Remove against a store that always conflicts: %v, want unavailable", err)
	}
	if err := fleet.NewService(d).Register(ctx, robot("r2")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Register against a store that always conflicts: %v, want unavailable", err)
	}
}

// refusing is a store whose every write meets another writer.
type refusing struct{ fleet.Store }

func (refusing) SaveRobot(context.Context, fleet.Robot) (uint64, error) {
	return 0, fault.New("refusing.SaveRobot", fault.Conflict, "", "always")
}

func TestNewServiceWantsEverything(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("NewService accepted a Deps without a link")
		}
	}()
	d := newWorld(t, nil).service.Deps
	d.Link = nil
	fleet.NewService(d)
}

// BenchmarkReport is the common case: nothing but the telemetry changes.
func BenchmarkReport(b *testing.B) {
	w := newWorld(b, nil)
	ctx := b.Context()
	if err := w.service.Register(ctx, robot("r1")); err != nil {
		b.Fatal(err)
	}
	if _, err := w.service.Reserve(ctx, fleet.ReserveRequest{Robot: "r1", Holder: "h", Attempt: "a", Until: fake.Start.Add(clock.Hour)}); !fault.Is(err, fault.Conflict) {
		b.Fatal(err)
	}
	t := fleet.Telemetry{Robot: "r1", At: 1, Activity: fleet.Idle, Mode: fleet.Automatic}
	for b.Loop() {
		t.At++
		if err := w.service.Report(ctx, t); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCandidates is what a round of Dispatch asks for: 200 robots, half of them reserved.
func BenchmarkCandidates(b *testing.B) {
	w := newWorld(b, nil)
	ctx := b.Context()
	for i := range 200 {
		id := fleet.RobotID(fmt.Sprintf("r%d", i))
		if err := w.service.Register(ctx, robot(id)); err != nil {
			b.Fatal(err)
		}
		if err := w.service.Report(ctx, fleet.Telemetry{Robot: id, At: 1, Activity: fleet.Idle, Mode: fleet.Automatic}); err != nil {
			b.Fatal(err)
		}
		if i%2 == 0 {
			if _, err := w.service.Reserve(ctx, fleet.ReserveRequest{Robot: id, Holder: "h", Attempt: "a", Until: fake.Start.Add(clock.Hour)}); err != nil {
				b.Fatal(err)
			}
		}
	}
	for b.Loop() {
		if all, err := w.service.Candidates(ctx, "m"); err != nil || len(all) != 200 {
			b.Fatal(len(all), err)
		}
	}
}

// locked makes a journal safe for many writers.
type locked struct {
	mu      sync.Mutex
	journal event.Journal
}

// Append implements event.Journal.
func (l *locked) Append(ctx context.Context, e event.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.journal.Append(ctx, e)
}
