package maps

import (
	"encoding/json"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/setting"

	gocmp "github.com/google/go-cmp/cmp"
)

func TestProfileProblems(t *testing.T) {
	if errs := setting.Problems("robot", DefaultProfile()); len(errs) > 0 {
		t.Fatalf("the default profile is wrong: %v", errs)
	}
	p := DefaultProfile()
	p.SpeedMMS = 10
	p.Caps.Kerb = 9999
	p.Crossing.SignalGreen = 95 * clock.Second
	p.Crossing.MaxZebra = StreetPedestrian
	p.Unknown.Kerb = "pray"
	p.Crossing.ZebraWait = -1
	want := []string{
		"robot.speed_mm_s: 10",
		"robot.caps.kerb_mm_s: 9999",
		"robot.crossing.max_zebra:",
		"robot.crossing.zebra_wait: -1ms",
		"robot.unknown.kerb:",
		"robot.crossing.signal_green: 1m35s",
	}
	errs := setting.Problems("robot", p)
	if len(errs) != len(want) {
		t.Fatalf("%d problems, want %d: %v", len(errs), len(want), errs)
	}
	for i, w := range want {
		if !strings.HasPrefix(errs[i].Error(), w) {
			t.Errorf("problem %d is %q, want it to begin with %q", i, errs[i], w)
		}
	}
}

func TestProfileJSON(t *testing.T) {
	data, err := json.Marshal(DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	var back Profile
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(DefaultProfile(), back); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := json.Unmarshal([]byte(`{"crossing":{"max_zebra":"motorway"}}`), &back); err == nil || !strings.Contains(err.Error(), "want one of") {
		t.Errorf("an unknown street rank: error %v", err)
	}
}

func TestPrices(t *testing.T) {
	p := DefaultProfile()
	edge := Edge{LengthMM: 150_000, Surface: SurfaceSmooth, WidthMM: 2000}
	for _, c := range []struct {
		name   string
		edit   func(e *Edge)
		millis int64 // driving
		wait   clock.Duration
		cost   int64
	}{
		{"sidewalk at 1.5 m/s", func(*Edge) {}, 100_000, 0, 100_000},
		{"unknown surface costs a fifth more", func(e *Edge) { e.Surface = SurfaceUnknown }, 100_000, 0, 120_000},
		{"5% up", func(e *Edge) { e.InclinePermille = 50 }, 125_000, 0, 125_000},
		{"5% down", func(e *Edge) { e.InclinePermille = -50 }, 111_111, 0, 111_111},
		{"roadway", func(e *Edge) { e.Class, e.Street = Shared, StreetResidential }, 100_000, 0, 200_000},
		{"signal", func(e *Edge) { e.Class, e.Control = Crossing, ControlSignal }, 100_000, 20_000, 123_000},
		{"unmarked over a tertiary street", func(e *Edge) { e.Class, e.Control, e.Street = Crossing, ControlUnmarked, StreetTertiary }, 100_000, 15_000, 127_000},
	} {
		e := edge
		c.edit(&e)
		drive := p.DriveMillis(&e, 1000)
		if cost := p.cost(&e, drive); drive != c.millis || p.Wait(&e) != c.wait || cost != c.cost {
			t.Errorf("%s: %d ms, waits %v, costs %d: want %d, %v, %d", c.name, drive, p.Wait(&e), cost, c.millis, c.wait, c.cost)
		}
	}
	// A kilometre takes 666.7 s at 1.5 m/s: 16 Wh of rolling and 12 W for that time.
	perKM := Edge{LengthMM: 1_000_000, Surface: SurfaceSmooth}
	if e := p.microWh(&perKM, p.DriveMillis(&perKM, 1000)); e != 16_000_000+2_222_223 {
		t.Errorf("a kilometre takes %d µWh, want 18222223", e)
	}
	perKM.InclinePermille = 50 // and 50 m up at 136 mWh each
	if up, flat := p.microWh(&perKM, 0), int64(16_000_000); up != flat+50*136_000 {
		t.Errorf("a kilometre up takes %d µWh, want %d", up, flat+50*136_000)
	}
}
