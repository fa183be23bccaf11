package scenario

import (
	"footway/core/clock"
	"footway/sim/dist"
)

// World is how everybody outside the services behaves. Distributions are given by
// quantiles, since those are what a fleet measures.
type World struct {
	Robots     Robots     `json:"robots" doc:"Robots."`
	Merchants  Merchants  `json:"merchants" doc:"Merchants."`
	Recipients Recipients `json:"recipients" doc:"Recipients."`
	Operators  Operators  `json:"operators" doc:"Remote operators and the crew in the field."`
	Crossings  Crossings  `json:"crossings" doc:"Crossings."`
}

// Robots is how robots behave.
type Robots struct {
	TelemetryEvery clock.Duration `json:"telemetry_every" min:"1s" max:"10m" doc:"Interval of telemetry. Default 20s; between reports a pose is a function of time."`
	SpeedSpread    int64          `json:"speed_spread_permille" min:"0" max:"500" unit:"permille" doc:"Largest deviation of a leg's speed from the robot's cruising speed, triangular. Default 80: other people on the sidewalk."`
	LoadedSpeed    int64          `json:"loaded_speed_permille" min:"300" max:"1000" unit:"permille" doc:"Speed with goods aboard. Default 950: gentler acceleration."`
	LoadedEnergy   int64          `json:"loaded_energy_permille" min:"1000" max:"3000" unit:"permille" doc:"Energy with goods aboard. Default 1080: about 4 kg on a 50 kg robot."`
	IdleMW         int64          `json:"idle_mw" min:"0" max:"500000" unit:"mW" doc:"Power drawn at rest: computer, radios, lights. Default 12000, as the map's profile has it."`
	Stuck          int64          `json:"stuck_per_1000_km" min:"0" max:"1000000" doc:"Times in 1,000 km that a robot stops and cannot go on without a remote operator. Default 60 (one in 17 km)."`
	Breakdowns     int64          `json:"breakdowns_per_1000_km" min:"0" max:"100000" doc:"Times in 1,000 km that a robot breaks down for good. Default 2."`
	ContactLost    int64          `json:"contact_lost_per_1000_km" min:"0" max:"1000000" doc:"Times in 1,000 km that a robot loses contact. Default 20: holes in the mobile network."`
	ContactLostFor dist.Quantiles `json:"contact_lost_for" doc:"How long contact is lost. Default 5s, 25s, 2m, 8m."`
	Jam            int64          `json:"jam_permille" min:"0" max:"1000" unit:"permille" doc:"Share of hatch openings that jam. Default 4."`
	HatchTime      clock.Duration `json:"hatch_time" min:"0s" max:"2m" doc:"Time the hatch takes to open or close. Default 3s."`
	Repair         dist.Quantiles `json:"repair" doc:"Time from a breakdown until the robot is back at its dock, working. Default 30m, 75m, 3h, 6h."`
	Reaction       clock.Duration `json:"reaction" min:"0s" max:"10s" doc:"Time from an instruction to its effect: the network and the robot's planner. Default 400ms."`
}

// Merchants is how merchants behave.
type Merchants struct {
	Late    int64          `json:"late_permille" min:"0" max:"1000" unit:"permille" doc:"Share of orders that are ready later than said. Default 250."`
	LateBy  dist.Quantiles `json:"late_by" doc:"By how much those are late. Default 30s, 4m, 12m, 30m."`
	Early   dist.Quantiles `json:"early_by" doc:"By how much the others are early. Default 0s, 45s, 3m, 6m."`
	Says    int64          `json:"says_permille" min:"0" max:"1000" unit:"permille" doc:"Share of orders whose merchant says when the goods are ready. Default 600."`
	Notice  dist.Quantiles `json:"notice" doc:"Time from the robot's arrival (or the goods being ready) until somebody stands at it. Default 5s, 35s, 2m, 6m."`
	Loading dist.Quantiles `json:"loading" doc:"Time the hatch is open for loading or taking back. Default 8s, 20s, 45s, 2m."`
}

// Recipients is how recipients behave.
type Recipients struct {
	NoShow   int64          `json:"no_show_permille" min:"0" max:"1000" unit:"permille" doc:"Share of recipients that never come out. Default 8."`
	ComeOut  dist.Quantiles `json:"come_out" doc:"Time from the robot's arrival until the recipient stands at it. Default 5s, 75s, 4m, 9m."`
	WrongPIN int64          `json:"wrong_pin_permille" min:"0" max:"1000" unit:"permille" doc:"Share of tries with a wrong PIN. Default 30."`
	Unload   dist.Quantiles `json:"unload" doc:"Time the hatch is open for unloading. Default 6s, 18s, 45s, 2m."`
}

// Operators is the remote operators and the crew in the field.
type Operators struct {
	Count    int            `json:"count" min:"0" max:"10000" doc:"Remote operators on duty. 0, the default, is one for 12 robots, at least 1; an event can send them all home."`
	Assist   dist.Quantiles `json:"assist" doc:"Time an operator takes to help. Default 15s, 50s, 3m, 8m."`
	Transfer dist.Quantiles `json:"transfer" doc:"Time the goods take from one carrier to another, once both are there. Default 20s, 60s, 3m, 5m."`
}

// Crossings is what robots meet at crossings.
type Crossings struct {
	Cycle       clock.Duration `json:"cycle" min:"10s" max:"5m" doc:"Cycle of a signal. Default 90s."`
	Green       clock.Duration `json:"green" min:"5s" max:"4m" doc:"Its green for those on foot. Default 25s."`
	GapTime     dist.Quantiles `json:"gap" doc:"Wait for a gap where there is no signal. Default 0s, 4s, 14s, 45s."`
	AssistShare int64          `json:"assist_permille" min:"0" max:"1000" unit:"permille" doc:"Share of crossings without signal over tertiary and larger streets that a remote operator must watch. Default 30."`
}

// DefaultWorld returns the defaults that the fields' documents name.
func DefaultWorld() World {
	const s, m, h = clock.Second, clock.Minute, clock.Hour
	q := func(least, p50, p90, most clock.Duration) dist.Quantiles {
		return dist.Quantiles{Min: least, P50: p50, P90: p90, Max: most}
	}
	return World{
		Robots: Robots{
			TelemetryEvery: 20 * s, SpeedSpread: 80, LoadedSpeed: 950, LoadedEnergy: 1080, IdleMW: 12_000,
			Stuck: 60, Breakdowns: 2, ContactLost: 20, ContactLostFor: q(5*s, 25*s, 2*m, 8*m),
			Jam: 4, HatchTime: 3 * s, Repair: q(30*m, 75*m, 3*h, 6*h), Reaction: 400,
		},
		Merchants: Merchants{
			Late: 250, LateBy: q(30*s, 4*m, 12*m, 30*m), Early: q(0, 45*s, 3*m, 6*m), Says: 600,
			Notice: q(5*s, 35*s, 2*m, 6*m), Loading: q(8*s, 20*s, 45*s, 2*m),
		},
		Recipients: Recipients{
			NoShow: 8, ComeOut: q(5*s, 75*s, 4*m, 9*m), WrongPIN: 30, Unload: q(6*s, 18*s, 45*s, 2*m),
		},
		Operators: Operators{Assist: q(15*s, 50*s, 3*m, 8*m), Transfer: q(20*s, 60*s, 3*m, 5*m)},
		Crossings: Crossings{Cycle: 90 * s, Green: 25 * s, GapTime: q(0, 4*s, 14*s, 45*s), AssistShare: 30},
	}
}
