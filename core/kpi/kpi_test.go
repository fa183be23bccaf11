package kpi_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/kpi"
	"footway/core/kpi/kpitest"
	"footway/core/maps"
	"footway/core/rng"
	"footway/core/runlog"
)

var update = flag.Bool("update", false, "rewrite the golden files and docs/kpis.md")

func fold(t testing.TB, events []event.Event) *kpi.Run {
	t.Helper()
	c := kpi.NewCollector()
	for _, e := range events {
		c.Observe(e)
	}
	if err := c.Err(); err != nil {
		t.Fatal(err)
	}
	return c.Run()
}

func day() kpitest.Day {
	return kpitest.Day{Seed: 1, Robots: 20, Orders: 300, Over: 6 * clock.Hour}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not current (run with -update):\n%s", path, diff)
	}
}

func TestDoc(t *testing.T) {
	var b bytes.Buffer
	if err := kpi.WriteDoc(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "../../docs/kpis.md", b.Bytes())
}

func TestDefinitionsAreDistinctAndDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range kpi.Definitions() {
		if seen[d.Name] {
			t.Errorf("%s is defined twice", d.Name)
		}
		seen[d.Name] = true
		if d.Doc == "" || d.Unit == "" || d.Group == "" {
			t.Errorf("%s: doc %q, unit %q, group %q: none may be empty", d.Name, d.Doc, d.Unit, d.Group)
		}
	}
	for _, name := range []string{
		"click_to_door_mean", "click_to_door_p90", "ready_to_pickup_mean", "order_to_assignment_p99", "undelivered_share",
		"on_time_share", "deadhead_share", "deliveries_per_robot_hour", "robot_utilisation", "energy_kwh",
	} {
		if !seen[name] {
			t.Errorf("%s is not defined", name)
		}
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	if err := kpi.Table(&b, kpi.Compute(fold(t, day().Events())), false); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/table.txt", b.Bytes())
}

func TestResultJSON(t *testing.T) {
	want := kpi.Compute(fold(t, day().Events()))
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]struct {
		Value float64 `json:"value"`
		Unit  string  `json:"unit"`
	}
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	if v := object["on_time_share"]; v.Unit != "share" || v.Value <= 0 || v.Value > 1 {
		t.Errorf("on_time_share = %+v, want a share", v)
	}
	var got kpi.Result
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("after JSON (-want +got):\n%s", diff)
	}
}

func TestEmptyRunHasNoMeans(t *testing.T) {
	res := kpi.Compute(fold(t, nil))
	if _, ok := res.Get("click_to_door_mean"); ok {
		t.Error("click_to_door_mean has a value without deliveries")
	}
	for _, v := range res {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			t.Errorf("%s = %v", v.Name, v.Value)
		}
	}
}

func TestPhasesSumToClickToDoor(t *testing.T) {
	n := 0
	for _, r := range fold(t, day().Events()).Records {
		parts, ok := r.Phases()
		if !ok {
			continue
		}
		n++
		var sum clock.Duration
		for p, d := range parts {
			if d < 0 {
				t.Errorf("%s: %s = %s, want at least 0", r.Delivery, kpi.Phase(p), d)
			}
			sum += d
		}
		if want := r.Ended.Sub(r.Requested); sum != want {
			t.Errorf("%s: phases sum to %s, want %s", r.Delivery, sum, want)
		}
	}
	if n < 200 {
		t.Errorf("%d deliveries have phases, want at least 200", n)
	}
}

func TestSamplesAddUp(t *testing.T) {
	run := fold(t, day().Events())
	for _, s := range run.Samples {
		robots := 0
		for _, n := range s.Robots {
			robots += n
		}
		if robots != 20 {
			t.Fatalf("%s: %d robots in %v, want 20", s.T, robots, s.Robots)
		}
		if b := s.Battery; b[0] > b[1] || b[1] > b[2] || b[0] < 0 || b[2] > 1000 {
			t.Fatalf("%s: battery %v permille, want rising within 0 to 1000", s.T, b)
		}
	}
	last := run.Samples[len(run.Samples)-1]
	if want, _ := kpi.Compute(run).Get("delivered"); last.Delivered != int(want) {
		t.Errorf("last sample has %d delivered, want %v", last.Delivered, want)
	}
}

func TestSnapshotGoesOn(t *testing.T) {
	events := day().Events()
	want := fold(t, events)
	for _, at := range []int{0, 1, 700, len(events)} {
		first := kpi.NewCollector()
		for _, e := range events[:at] {
			first.Observe(e)
		}
		b, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		second := kpi.NewCollector()
		if err := second.Restore(b); err != nil {
			t.Fatal(err)
		}
		for _, e := range events[at:] {
			second.Observe(e)
		}
		if diff := cmp.Diff(want, second.Run()); diff != "" {
			t.Fatalf("restored after event %d (-want +got):\n%.2000s", at, diff)
		}
	}
}

func TestBadEventIsReported(t *testing.T) {
	c := kpi.NewCollector()
	c.Observe(event.Event{Seq: 7, T: 1, Kind: "delivery.assigned", Entity: "d1", Data: []byte(`{"to":5}`)})
	if err := c.Err(); err == nil || !bytes.Contains([]byte(err.Error()), []byte(`event 7 (delivery.assigned of "d1")`)) {
		t.Errorf("Err() = %v, want one that names the event", err)
	}
}

func TestOtherEventsOfADeliveryChangeNothing(t *testing.T) {
	events := day().Events()
	want := kpi.Compute(fold(t, events))
	for _, kind := range []string{"delivery.ignored", "delivery.expired"} {
		more := slices.Insert(slices.Clone(events), 900, event.New(events[900].T, "wedgwood", kind, events[900].Entity, 0, map[string]string{"partner": "x", "reason": "y"}))
		if diff := cmp.Diff(want, kpi.Compute(fold(t, more))); diff != "" {
			t.Errorf("with %s (-want +got):\n%s", kind, diff)
		}
	}
}

// TestBrokenLegs drives one robot 1,000 m, of which what is counted depends on
// what comes between.
func TestBrokenLegs(t *testing.T) {
	leg := runlog.Leg{Robot: "r1", Purpose: runlog.ToPickup, Route: []maps.EdgeID{1}, Times: []int32{600_000}, LengthMM: 1_000_000, ChargeFromMWh: 60_000, ChargeToMWh: 30_000}
	halt := runlog.Halt{Robot: "r1", Cause: runlog.CauseStuck, DrivenMM: 123_000, ChargeMWh: 55_000}
	for _, c := range []struct {
		name       string
		after      clock.Duration
		kind       string
		data       any
		km, energy float64
	}{
		{"nothing comes between", 20 * clock.Minute, runlog.RunEnded, runlog.Ended{}, 1, 0.03},
		{"the log ends half way", 5 * clock.Minute, runlog.RunEnded, runlog.Ended{}, 0.5, 0.015},
		{"a halt says how far it came", 5 * clock.Minute, runlog.RobotHalt, halt, 0.123, 0.015},
		{"a halt after it arrived", 15 * clock.Minute, runlog.RobotHalt, halt, 1, 0.03},
		{"another leg half way", 5 * clock.Minute, runlog.RobotLeg, runlog.Leg{Robot: "r1", ChargeFromMWh: 45_000, ChargeToMWh: 45_000}, 0.5, 0.015},
	} {
		res := kpi.Compute(fold(t, []event.Event{
			event.New(1, "m", runlog.RobotLeg, "r1", 0, leg),
			event.New(clock.Time(1).Add(c.after), "m", c.kind, "r1", 0, c.data),
		}))
		if km, _ := res.Get("distance_km"); km != c.km {
			t.Errorf("%s: %v km, want %v", c.name, km, c.km)
		}
		if kwh, _ := res.Get("energy_kwh"); kwh != c.energy {
			t.Errorf("%s: %v kWh, want %v", c.name, kwh, c.energy)
		}
	}
}

func TestCompareWithItself(t *testing.T) {
	run := fold(t, day().Events())
	for _, c := range kpi.Compare(run, run) {
		if c.Verdict != kpi.Same || c.Diff != 0 || c.CI != nil && (c.CI.Low != 0 || c.CI.High != 0) {
			t.Errorf("%s: %+v, want no change", c.Name, c)
		}
	}
}

func TestCompareFindsWhatIsWorse(t *testing.T) {
	slow := day()
	slow.Slower = 90 * clock.Second
	a, b := fold(t, day().Events()), fold(t, slow.Events())
	verdicts := map[string]kpi.Change{}
	changes := kpi.Compare(a, b)
	for _, c := range changes {
		verdicts[c.Name] = c
	}
	if c := verdicts["order_to_assignment_mean"]; c.Verdict != kpi.Worse || c.CI.Low < 60 {
		t.Errorf("order_to_assignment_mean: %s, %+v, want worse by about 90 s", c.Verdict, c.CI)
	}
	if c := verdicts["quote_error_mean"]; c.Verdict != kpi.Unclear {
		t.Errorf("quote_error_mean: %s, want no verdict: neither direction is better", c.Verdict)
	}
	for _, c := range kpi.Compare(b, a) {
		if c.Name == "order_to_assignment_mean" && c.Verdict != kpi.Better {
			t.Errorf("the other way round: %s, want better", c.Verdict)
		}
	}
	var text bytes.Buffer
	if err := kpi.ChangeTable(&text, changes, false, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/compare.txt", text.Bytes())
}

// TestIntervalCovers draws many pairs of runs that differ by chance only: about
// 1 in 20 intervals may exclude 0.
func TestIntervalCovers(t *testing.T) {
	const runs = 40
	wrong := 0
	for i := range runs {
		d := day()
		d.Orders, d.Robots = 100, 60
		d.Seed = 100 + rng.Seed(2*i)
		a := fold(t, d.Events())
		d.Seed++
		b := fold(t, d.Events())
		for _, r := range b.Records {
			r.ExternalID = "other-" + r.ExternalID // other luck, other orders
		}
		for _, c := range kpi.Compare(a, b) {
			if c.Name == "click_to_door_mean" && (c.CI.Low > 0 || c.CI.High < 0) {
				wrong++
			}
		}
	}
	if wrong > 7 { // 2 expected; P(more than 7) is below 0.2%
		t.Errorf("%d of %d intervals exclude 0 for equal systems, want about 2", wrong, runs)
	}
}

func BenchmarkObserve(b *testing.B) {
	events := kpitest.Day{Seed: 1, Robots: 200, Orders: 5000, Over: 12 * clock.Hour}.Events()
	b.ReportAllocs()
	for b.Loop() {
		fold(b, events)
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkCompare(b *testing.B) {
	d := kpitest.Day{Seed: 1, Robots: 200, Orders: 5000, Over: 12 * clock.Hour}
	x := fold(b, d.Events())
	d.Slower = 5000
	y := fold(b, d.Events())
	for b.Loop() {
		kpi.Compare(x, y)
	}
}
