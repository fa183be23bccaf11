package fleet

import "math"

// Why a robot should charge or not, as ChargeDecision says it.
const (
	ChargeMust     = "must"     // too little for another delivery
	ChargeTopUp    = "top_up"   // nobody needs it, and it is not full
	ChargeGoing    = "charging" // it charges and has not had enough
	ChargeEnough   = "enough"   // it has what it needs
	ChargeNeeded   = "needed"   // it could use more, but deliveries wait or it has a job
	ChargeNoNeed   = "no_need"  // it has no battery
	ChargeNoReport = "no_report"
)

// ChargeDecision is the charging rule: whether the robot of c should charge
// now, up to which charge in mWh, and why. Idle means that it has no job but
// charging or waiting; waiting is how many deliveries have no robot yet.
//
// Below MustPermille it charges whoever waits. A robot that charges goes on to
// TargetPermille if deliveries wait, to RestPermille if not. Where none waits, an
// idle robot below TopUpPermille goes to charge too.
func ChargeDecision(c Candidate, s ChargeSettings, idle bool, waiting int) (want bool, until int64, why string) {
	full := c.Robot.CapacityMWh
	switch {
	case full == 0:
		return false, 0, ChargeNoNeed
	case c.Telemetry.At == 0:
		return false, 0, ChargeNoReport
	}
	until = share(full, s.RestPermille)
	if waiting > 0 {
		until = share(full, s.TargetPermille)
	}
	charge, charging := c.Telemetry.ChargeMWh, c.Telemetry.Activity == Charging
	switch {
	case charge >= until:
		return false, until, ChargeEnough
	case charging:
		return true, until, ChargeGoing
	case !idle:
		return false, until, ChargeNeeded
	case charge < share(full, s.MustPermille):
		return true, until, ChargeMust
	case charge >= share(full, s.TopUpPermille):
		return false, until, ChargeEnough
	case waiting > 0:
		return false, until, ChargeNeeded
	}
	return true, until, ChargeTopUp
}

// UsableMWh returns the charge in mWh that a plan may use: what is above the
// reserve, never below 0; math.MaxInt64 for couriers, who need none.
func UsableMWh(r Robot, t Telemetry, s ChargeSettings) int64 {
	if r.CapacityMWh == 0 {
		return math.MaxInt64
	}
	return max(0, t.ChargeMWh-share(r.CapacityMWh, s.ReservePermille))
}

func share(whole, permille int64) int64 { return whole * permille / 1000 }
