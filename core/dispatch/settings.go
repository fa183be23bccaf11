package dispatch

import (
	"fmt"

	"footway/core/clock"
)

// Settings are what operators and studies can change of a market's dispatch.
// Weights are permille: 1000 counts a millisecond of what they weigh as one
// millisecond of cost.
type Settings struct {
	Policy string `json:"policy" enum:"nearest,rolling" doc:"How robots are chosen. Default rolling: the best assignment of all requests at once; nearest, one after the other, is the baseline to compare with."`

	RoundEvery clock.Duration `json:"round_every" min:"1s" max:"10m" doc:"Time between two rounds while deliveries wait for a robot. Default 15s: shorter gains nothing when a drive takes minutes."`
	RoundSoon  clock.Duration `json:"round_soon" min:"100ms" max:"1m" doc:"How soon after a new request or a robot that became free the next round is. Default 1s, so that what arrives together is decided together."`
	RoundGap   clock.Duration `json:"round_gap" min:"100ms" max:"5m" doc:"Shortest time between two rounds, however much happens. Default 15s: on an overloaded day of 200 robots 10s made deliveries 11 seconds faster and rounds a fifth of all computing dearer."`
	IdleEvery  clock.Duration `json:"idle_every" min:"5s" max:"30m" doc:"Time between two rounds while nothing waits; they look after charging, ways home and lost robots. Default 1m."`

	Lazy      bool           `json:"lazy" doc:"Whether a robot is sent only when waiting one more round would delay the pickup. Default true: the largest single gain known in rolling assignment."`
	LazySlack clock.Duration `json:"lazy_slack" min:"0s" max:"30m" doc:"How much earlier than just in time a robot is sent under lazy. Default 45s, about the spread of a drive to the pickup."`
	Horizon   clock.Duration `json:"horizon" min:"0s" max:"3h" doc:"How far ahead a busy robot's end is planned with. Default 10m: on a day of 200 robots deliveries were faster by 2.5 minutes than with 25m, whose plans wait for robots that are late, and by one minute than with 5m or 15m."`

	Candidates int `json:"candidates" min:"2" max:"100000" unit:"robots" doc:"How many robots are considered for each request, those of least cost. Default 64: on a day of 200 robots it gave the times of all of them, 32 made pickups a minute and a half later."`

	LateWeight     int64          `json:"late_weight" min:"0" max:"100000" unit:"permille" doc:"Weight of the time that goods which are ready wait for the robot. Default 1000."`
	EarlyWeight    int64          `json:"early_weight" min:"0" max:"100000" unit:"permille" doc:"Weight of the time that a robot sent too early waits for goods; counts only where lazy is off. Default 200."`
	DeadheadWeight int64          `json:"deadhead_weight" min:"0" max:"100000" unit:"permille" doc:"Weight of the drive to the pickup. Default 600: it costs energy and a robot's time, but no customer's."`
	PromiseWeight  int64          `json:"promise_weight" min:"0" max:"100000" unit:"permille" doc:"Weight of the time by which a drop-off is later than promised. Default 3000: a broken promise is the worst."`
	AgeWeight      int64          `json:"age_weight" min:"0" max:"100000" unit:"permille" doc:"By how much each millisecond that a request has waited raises the price of leaving it over. Default 500, so that under overload the oldest go first."`
	LeftOver       clock.Duration `json:"left_over" min:"1m" max:"12h" doc:"A request left over counts as if a robot had to come from this far away. Default 90m."`

	Hold             clock.Duration `json:"hold" min:"5m" max:"24h" doc:"How long a reservation holds unless it is renewed. Default 2h, longer than any delivery; renewal is at half of it."`
	GiveUpAfter      clock.Duration `json:"give_up_after" min:"1m" max:"24h" doc:"How long after the goods are ready a request may wait for a robot before it is given up. Default 45m."`
	LostAfter        clock.Duration `json:"lost_after" min:"10s" max:"2h" doc:"How long a robot on a delivery may be out of contact before it counts as lost. Default 3m: most gaps in coverage are shorter."`
	ContactWithin    clock.Duration `json:"contact_within" min:"5s" max:"1h" doc:"How fresh the telemetry of a robot must be for a new job. Default 2m."`
	IdleReturnAfter  clock.Duration `json:"idle_return_after" min:"30s" max:"24h" doc:"How long a robot waits where it finished before it goes home. Default 10m: the next order often comes from the same streets."`
	UnknownJob       clock.Duration `json:"unknown_job" min:"1m" max:"12h" doc:"When a robot is expected to be free whose job is not known, after a restart. Default 30m."`
	LoadTime         clock.Duration `json:"load_time" min:"0s" max:"1h" doc:"Expected time to load at the pickup once the goods are ready. Default 90s."`
	UnloadTime       clock.Duration `json:"unload_time" min:"0s" max:"1h" doc:"Expected time from arrival until the recipient has the goods. Default 2m30s."`
	MaxRouteMM       int64          `json:"max_route_mm" min:"100000" max:"50000000" unit:"mm" doc:"Longest way from pickup to drop-off. Default 5000000 (5 km): farther the food is cold."`
	MaxPickupWait    clock.Duration `json:"max_pickup_wait" min:"1m" max:"24h" doc:"Longest time that goods may be expected to wait for a robot; else the estimate is refused for lack of capacity. Default 60m."`
	MaxOffMM         int64          `json:"max_off_mm" min:"1000" max:"1000000" unit:"mm" doc:"Farthest that a person may have to walk between their address and the robot. Default 80000 (80 m)."`
	FeedKept         int            `json:"feed_kept" min:"100" max:"1000000" unit:"decisions" doc:"How many decisions the feed keeps for readers that are behind; those of jobs under way are always kept. Default 2000."`
	PromisePermille  int64          `json:"promise_permille" min:"500" max:"999" unit:"permille" doc:"Which share of past deviations a promised time covers. Default 950, so that nine in ten hold: deviations are learned from deliveries quoted half an hour ago, when fewer others were waiting."`
	EstimateMemory   int            `json:"estimate_memory" min:"16" max:"100000" unit:"deliveries" doc:"About how many past deliveries the spread of estimates remembers. Default 400: a lunch rush."`
	ConsideredInWhys int            `json:"considered_in_whys" min:"0" max:"50" unit:"robots" doc:"How many robots the explanation of an assignment lists. Default 5."`
}

// DefaultSettings returns the settings that hold where a market sets none.
func DefaultSettings() Settings {
	return Settings{
		Policy:     "rolling",
		RoundEvery: 15 * clock.Second, RoundSoon: clock.Second, RoundGap: 15 * clock.Second, IdleEvery: clock.Minute,
		Lazy: true, LazySlack: 45 * clock.Second, Horizon: 10 * clock.Minute, Candidates: 64,
		LateWeight: 1000, EarlyWeight: 200, DeadheadWeight: 600, PromiseWeight: 3000, AgeWeight: 500, LeftOver: 90 * clock.Minute,
		Hold: 2 * clock.Hour, GiveUpAfter: 45 * clock.Minute, LostAfter: 3 * clock.Minute, ContactWithin: 2 * clock.Minute,
		IdleReturnAfter: 10 * clock.Minute, UnknownJob: 30 * clock.Minute,
		LoadTime: 90 * clock.Second, UnloadTime: 150 * clock.Second,
		MaxRouteMM: 5_000_000, MaxPickupWait: clock.Hour, MaxOffMM: 80_000,
		FeedKept: 2000, PromisePermille: 950, EstimateMemory: 400, ConsideredInWhys: 5,
	}
}

// Problems returns what is wrong between fields; path is where s stands.
func (s Settings) Problems(path string) []error {
	var errs []error
	report := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s.%s: %s", path, name, fmt.Sprintf(format, args...)))
	}
	if s.RoundSoon > s.RoundEvery {
		report("round_soon", "%v is above round_every (%v); a new request would wait longer than an old one", s.RoundSoon, s.RoundEvery)
	}
	if s.RoundGap > s.RoundEvery {
		report("round_gap", "%v is above round_every (%v); want at most that", s.RoundGap, s.RoundEvery)
	}
	if s.IdleEvery < s.RoundEvery {
		report("idle_every", "%v is below round_every (%v); want at least that", s.IdleEvery, s.RoundEvery)
	}
	if s.IdleEvery > s.Hold/4 {
		report("idle_every", "%v is above a quarter of hold (%v); reservations could expire before they are renewed", s.IdleEvery, s.Hold)
	}
	if s.EarlyWeight > s.DeadheadWeight {
		report("early_weight", "%d is above deadhead_weight (%d); a robot would be sent from farther away to make it arrive later", s.EarlyWeight, s.DeadheadWeight)
	}
	if s.DeadheadWeight+s.LateWeight == 0 {
		report("deadhead_weight", "0 with late_weight 0: all robots would be equally good; want one of them above 0")
	}
	return errs
}
