package twin_test

import (
	"context"
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/maps"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/sim/city"
	"footway/sim/scenario"
)

// town is the generated city; it is never changed, so tests share it.
var town = sync.OnceValues(func() (*maps.Network, error) { return city.Generate(1, city.Options{}) })

// noon is a run of 40 minutes with eight robots and some of everything going wrong.
func noon(t *testing.T) twin.Options {
	t.Helper()
	s := scenario.Defaults()
	s.Name, s.Seed, s.Start, s.Duration, s.Drain = "noon", 1, "2026-06-12T11:40", 40*clock.Minute, 8*clock.Hour
	s.Market.ID = "city"
	s.Fleet.Robots, s.Fleet.Couriers = 8, 1
	s.Demand.PerHour, s.Demand.MaxDistance = 24, 900
	s.World.Robots.Stuck, s.World.Robots.ContactLost, s.World.Robots.Jam = 2000, 2000, 60
	s.Weather = []scenario.Weather{{At: 15 * clock.Minute, Kind: "rain"}}
	s.Events = []scenario.Event{
		{At: 5 * clock.Minute, Do: "closure", Around: "47.0,-30.0", RadiusM: 150, For: 20 * clock.Minute},
		{At: 12 * clock.Minute, Do: "operators", Count: 0, For: 10 * clock.Minute},
		{At: 18 * clock.Minute, Do: "breakdown", Robot: "r3"},
	}
	return options(t, s)
}

func options(t *testing.T, s scenario.Scenario) twin.Options {
	t.Helper()
	net, err := town()
	if err != nil {
		t.Fatal(err)
	}
	s.Fill()
	settings, errs := s.Config()
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return twin.Options{Scenario: s, Network: net, Settings: settings}
}

// finish runs o to its end.
func finish(t *testing.T, o twin.Options) twin.Result {
	t.Helper()
	r, err := twin.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.All(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	return r.Result()
}

func TestSameScenarioSameHash(t *testing.T) {
	o := noon(t)
	want := finish(t, o)
	if got := finish(t, o); got.Hash != want.Hash {
		t.Errorf("the second run has hash %s, the first %s", got.Hash.Short(), want.Hash.Short())
	}
	before := runtime.GOMAXPROCS(1)
	got := finish(t, o)
	runtime.GOMAXPROCS(before)
	if got.Hash != want.Hash {
		t.Errorf("with one processor the hash is %s, else %s", got.Hash.Short(), want.Hash.Short())
	}
	o.Scenario.Seed++
	if got := finish(t, o); got.Hash == want.Hash {
		t.Error("another seed gives the same hash")
	}
}

// TestResumeAnywhere writes a run down after each of many numbers of events, and
// goes on from there to the hash of the uninterrupted run. Taking a checkpoint
// changes nothing either.
func TestResumeAnywhere(t *testing.T) {
	o := noon(t)
	r, err := twin.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.All(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want, total := r.Result(), r.Progress().Events
	stops := rng.Seed(7).Stream("test", "stops")
	for i := range uint64(14) {
		at := uint64(stops.N(i, int64(total))) + 1
		written := writtenDown(t, o, at, want.Hash)
		back, err := twin.Resume(t.Context(), o, written)
		if err != nil {
			t.Fatalf("resume after event %d: %v", at, err)
		}
		if err := back.All(t.Context(), nil); err != nil {
			t.Fatalf("after resuming at event %d: %v", at, err)
		}
		got := back.Result()
		if got.Hash != want.Hash {
			t.Errorf("resumed after event %d of %d: hash %s, want %s", at, total, got.Hash.Short(), want.Hash.Short())
		}
		if a, b := mustJSON(t, got.KPIs), mustJSON(t, want.KPIs); a != b {
			t.Errorf("resumed after event %d of %d: KPIs\n%s\nwant\n%s", at, total, a, b)
		}
	}
}

// writtenDown runs o for so many events, takes a checkpoint, and checks that the
// run goes on as if it had not been taken.
func writtenDown(t *testing.T, o twin.Options, events uint64, want runlog.Hash) []byte {
	t.Helper()
	r, err := twin.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	for r.Progress().Events < events {
		if _, err := r.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	written, err := r.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.All(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := r.Result().Hash; got != want {
		t.Errorf("after a checkpoint at event %d the run ends with hash %s, want %s", events, got.Short(), want.Short())
	}
	return written
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestCheckpointOfAnotherRunIsRefused(t *testing.T) {
	o := noon(t)
	r, err := twin.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Checkpoint(); err == nil {
		t.Error("a run that has not begun gives a checkpoint")
	}
	for range 500 {
		if _, err := r.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	written, err := r.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	small, err := city.Generate(2, city.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		change     func(*twin.Options, *[]byte)
	}{
		{"another seed", "seed 2", func(o *twin.Options, _ *[]byte) { o.Scenario.Seed = 2 }},
		{"another scenario", `"dusk"`, func(o *twin.Options, _ *[]byte) { o.Scenario.Name = "dusk" }},
		{"another map", "another map", func(o *twin.Options, _ *[]byte) { o.Network = small }},
		{"another fleet", "other parameters", func(o *twin.Options, _ *[]byte) { o.Scenario.Fleet.Robots++ }},
		{"other settings", "other parameters", func(o *twin.Options, _ *[]byte) { o.Settings.Dispatch.Policy = "nearest" }},
		{"cut off", "checkpoint", func(_ *twin.Options, b *[]byte) { *b = (*b)[:len(*b)/2] }},
		{"no checkpoint", "checkpoint", func(_ *twin.Options, b *[]byte) { *b = []byte("{}") }},
	} {
		o, b := o, written
		tt.change(&o, &b)
		if _, err := twin.Resume(t.Context(), o, b); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// fates collects what chance had in store for each order, from the log.
func fates(t *testing.T, o twin.Options) map[string][2]clock.Time {
	t.Helper()
	var log seeing
	o.Observe = log.see
	finish(t, o)
	promised, names := map[string]clock.Time{}, map[string]string{}
	out := map[string][2]clock.Time{}
	for _, e := range log.events {
		switch e.Kind {
		case "delivery.requested":
			var u delivery.Update
			if err := json.Unmarshal(e.Data, &u); err != nil {
				t.Fatal(err)
			}
			if _, known := promised[e.Entity]; !known {
				promised[e.Entity], names[e.Entity] = u.ReadyAt, u.ExternalID
			}
		case runlog.MerchantReady:
			out[names[e.Entity]] = [2]clock.Time{promised[e.Entity], e.T}
		}
	}
	return out
}

type seeing struct{ events []event.Event }

func (s *seeing) see(e event.Event) { s.events = append(s.events, e) }

// TestPoliciesMeetTheSameLuck: the same orders come, and each merchant is late
// by the same, whichever robots are sent.
func TestPoliciesMeetTheSameLuck(t *testing.T) {
	o := noon(t)
	rolling := fates(t, o)
	o.Settings.Dispatch.Policy = "nearest"
	nearest := fates(t, o)
	both := 0
	for name, a := range rolling {
		b, ok := nearest[name]
		if !ok {
			continue // ended before its goods were ready
		}
		both++
		if a != b {
			t.Errorf("order %s: ready at %v under rolling, at %v under nearest", name, a, b)
		}
	}
	if both < 8 {
		t.Errorf("only %d orders came in both runs (%d and %d); want most of them", both, len(rolling), len(nearest))
	}
}

// TestStorm lets everything go wrong at once, in many small runs: invariants
// hold and every accepted delivery ends. A failure names its seed.
func TestStorm(t *testing.T) {
	runs := 14
	if n, err := strconv.Atoi(os.Getenv("FOOTWAY_STORMS")); err == nil {
		runs = n // a night's work
	}
	for seed := range uint64(runs) {
		o := options(t, storm(seed))
		r, err := twin.New(t.Context(), o)
		if err != nil {
			t.Fatalf("storm %d: %v", seed, err)
		}
		if err := r.All(context.WithoutCancel(t.Context()), nil); err != nil {
			t.Errorf("storm %d: %v", seed, err)
		}
	}
}

// storm returns a scenario whose parameters are drawn from a seed.
func storm(seed uint64) scenario.Scenario {
	luck := rng.Seed(seed).Stream("storm", "parameters")
	n := uint64(0)
	upTo := func(most int64) int64 { n++; return luck.N(n, most+1) }
	s := scenario.Defaults()
	s.Name, s.Seed, s.Start, s.Duration, s.Drain = "storm", seed, "2026-06-12T12:00", 35*clock.Minute, 8*clock.Hour
	s.Market.ID = "city"
	s.Fleet.Robots, s.Fleet.Couriers, s.Fleet.Charge = int(3+upTo(6)), int(upTo(2)), 200+upTo(700)
	s.Demand.PerHour, s.Demand.MaxDistance = 15+upTo(25), 700
	s.Demand.Cancel, s.Demand.ReturnShare = upTo(300), upTo(1000)
	w := &s.World
	w.Robots.Stuck, w.Robots.Breakdowns, w.Robots.ContactLost, w.Robots.Jam = upTo(6000), upTo(1500), upTo(6000), upTo(400)
	w.Robots.ContactLostFor.Max = 8*clock.Minute + clock.Duration(upTo(int64(40*clock.Minute)))
	w.Merchants.Late, w.Recipients.NoShow, w.Recipients.WrongPIN = upTo(900), upTo(400), upTo(600)
	w.Operators.Count = int(1 + upTo(2))
	w.Crossings.AssistShare = upTo(400)
	s.Weather = []scenario.Weather{{At: 10 * clock.Minute, Kind: "snow"}}
	s.Events = []scenario.Event{
		{At: 8 * clock.Minute, Do: "contact_lost", Robot: "all", For: clock.Duration(upTo(int64(25 * clock.Minute)))},
		{At: 15 * clock.Minute, Do: "breakdown", Robot: "r2"},
		{At: 20 * clock.Minute, Do: "operators", Count: 0, For: 15 * clock.Minute},
		{At: 12 * clock.Minute, Do: "closure", Around: "47.0,-30.0", RadiusM: 120 + upTo(200), Known: upTo(1) == 1, For: 20 * clock.Minute},
		{At: 25 * clock.Minute, Do: "closure", Around: "47.0,-30.0", RadiusM: 120 + upTo(200), Known: upTo(1) == 1, For: 20 * clock.Minute},
	}
	return s
}

// TestSettingsReachTheServices: what a run is given is what its services use.
func TestSettingsReachTheServices(t *testing.T) {
	o := noon(t)
	usual := finish(t, o).Hash
	o.Settings = config.DefaultSettings()
	o.Settings.Delivery.Pricing.FlatFee = 1234
	var log seeing
	o.Observe = log.see
	if finish(t, o).Hash == usual {
		t.Error("another fee gives the same hash")
	}
	for _, e := range log.events {
		if e.Kind == "delivery.requested" && strings.Contains(string(e.Data), `"fee":1234`) {
			return
		}
	}
	t.Error("no delivery costs the fee that was set")
}
