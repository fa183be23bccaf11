package fleet

import (
	"math"
	"testing"
)

func TestChargeDecision(t *testing.T) {
	s := ChargeSettings{ReservePermille: 150, MustPermille: 250, TopUpPermille: 750, TargetPermille: 850, RestPermille: 950}
	tests := []struct {
		name     string
		charge   int64 // of 1000 mWh
		activity Activity
		idle     bool
		waiting  int
		want     bool
		until    int64
		why      string
	}{
		{"too low, though deliveries wait", 249, Idle, true, 3, true, 850, ChargeMust},
		{"just enough while deliveries wait", 250, Idle, true, 3, false, 850, ChargeNeeded},
		{"too low, nobody waits", 249, Idle, true, 0, true, 950, ChargeMust},
		{"too low, but it has a job to end", 100, Driving, false, 0, false, 950, ChargeNeeded},
		{"idle and not full", 749, Idle, true, 0, true, 950, ChargeTopUp},
		{"idle and full enough", 750, Idle, true, 0, false, 950, ChargeEnough},
		{"full enough while deliveries wait", 750, Idle, true, 1, false, 850, ChargeEnough},
		{"charging, deliveries wait", 849, Charging, false, 1, true, 850, ChargeGoing},
		{"charged for the rush", 850, Charging, false, 1, false, 850, ChargeEnough},
		{"charging, nobody waits", 850, Charging, false, 0, true, 950, ChargeGoing},
		{"charged", 950, Charging, false, 0, false, 950, ChargeEnough},
	}
	for _, tt := range tests {
		c := Candidate{Robot: Robot{CapacityMWh: 1000}, Telemetry: Telemetry{At: 1, ChargeMWh: tt.charge, Activity: tt.activity}}
		want, until, why := ChargeDecision(c, s, tt.idle, tt.waiting)
		if want != tt.want || until != tt.until || why != tt.why {
			t.Errorf("%s: %v to %d since %s, want %v to %d since %s", tt.name, want, until, why, tt.want, tt.until, tt.why)
		}
	}
	if want, _, why := ChargeDecision(Candidate{Telemetry: Telemetry{At: 1}}, s, true, 0); want || why != ChargeNoNeed {
		t.Errorf("a courier: %v since %s, want no need", want, why)
	}
	if want, _, why := ChargeDecision(Candidate{Robot: Robot{CapacityMWh: 1000}}, s, true, 0); want || why != ChargeNoReport {
		t.Errorf("a robot that never reported: %v since %s, want no report", want, why)
	}
}

func TestUsableMWh(t *testing.T) {
	s := ChargeSettings{ReservePermille: 150}
	for charge, want := range map[int64]int64{0: 0, 149: 0, 150: 0, 151: 1, 1000: 850} {
		if got := UsableMWh(Robot{CapacityMWh: 1000}, Telemetry{ChargeMWh: charge}, s); got != want {
			t.Errorf("UsableMWh at %d of 1000 = %d, want %d", charge, got, want)
		}
	}
	if got := UsableMWh(Robot{}, Telemetry{}, s); got != math.MaxInt64 {
		t.Errorf("UsableMWh of a courier = %d, want no limit", got)
	}
}
