package play

import (
	"testing"

	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/runlog"
)

// TestActivityOfReported is of robots of which only reports are known, as of a system that runs.
func TestActivityOfReported(t *testing.T) {
	for _, c := range []struct {
		name string
		r    Robot
		want kpi.Activity
	}{
		{"reserved and empty", Robot{Reported: fleet.Driving, Holder: "delivery/d1#1"}, kpi.Deadhead},
		{"with goods", Robot{Reported: fleet.Driving, Holder: "delivery/d1#1", Loaded: true}, kpi.Carrying},
		{"for nobody", Robot{Reported: fleet.Driving}, kpi.Moving},
		{"to a dock, as it says", Robot{Reported: fleet.Driving, Holder: "delivery/d1#1", Purpose: runlog.ToCharge}, kpi.Moving},
		{"reserved, and stands", Robot{Reported: fleet.AtStop, Holder: "delivery/d1#1"}, kpi.AtStop},
	} {
		if got := c.r.activity(0); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
