package integration

import (
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/rng"
)

// Rules say how hard it is tried to tell an endpoint.
type Rules struct {
	// InFlight is how many webhooks are under way to one endpoint, each of another delivery.
	InFlight int
	// Window is how many may wait for one endpoint; the log is read on when there is room.
	Window int
	// The wait after a failed attempt is drawn from nothing up to a bound, which begins with First,
	// doubles with each attempt and ends with Longest.
	First, Longest clock.Duration
	// MaxAge is how long after its first attempt a webhook is given up and becomes a dead letter.
	MaxAge clock.Duration
	// After Trips failures in a row an endpoint is left alone for Rest, which doubles
	// while one attempt after another fails, up to LongestRest.
	Trips             int
	Rest, LongestRest clock.Duration
	// Claim is how long nobody else sends to an endpoint once somebody does: well above what one attempt takes.
	Claim clock.Duration
	// Seed is of the chance in waits.
	Seed rng.Seed
}

// DefaultRules try for three days: a partner's weekend.
func DefaultRules() Rules {
	return Rules{InFlight: 8, Window: 1000, First: 5 * clock.Second, Longest: clock.Hour, MaxAge: 72 * clock.Hour,
		Trips: 5, Rest: 10 * clock.Second, LongestRest: 15 * clock.Minute, Claim: clock.Minute}
}

// Check returns what keeps the rules from working, or nil.
func (r Rules) Check() error {
	switch {
	case r.InFlight < 1 || r.Window < r.InFlight || r.Trips < 1:
		return badRules("in flight %d, window %d, trips %d; want at least 1, and a window no smaller than what is in flight", r.InFlight, r.Window, r.Trips)
	case r.First <= 0 || r.Longest < r.First || r.MaxAge < r.Longest:
		return badRules("first %s, longest %s, max age %s; want each above 0 and at least the one before", r.First, r.Longest, r.MaxAge)
	case r.Rest <= 0 || r.LongestRest < r.Rest:
		return badRules("rest %s, longest rest %s; want them above 0, and the longest no shorter", r.Rest, r.LongestRest)
	case r.Claim < 4*MaxAttempt:
		return badRules("claim %s; want at least %s, four times what one attempt may take", r.Claim, 4*MaxAttempt)
	}
	return nil
}

// MaxAttempt is how long one attempt may take, whoever makes it.
const MaxAttempt = 10 * clock.Second

func badRules(format string, args ...any) error {
	return fault.New("integration.Rules", fault.Invalid, "bad_rules", format, args...)
}

// backoff returns how long to wait after an attempt, which counts from 1.
func (r Rules) backoff(endpoint string, position uint64, attempt int) clock.Duration {
	bound := doubled(r.First, attempt-1, r.Longest)
	return 1 + clock.Duration(r.Seed.Stream("webhook/"+endpoint, "backoff").N(position<<16+uint64(attempt), int64(bound)))
}

// rest returns how long an endpoint is left alone for the n-th time in a row, from 1: the
// upper half of its bound by chance, so that endpoints of one host do not wake together.
func (r Rules) rest(endpoint string, n int) clock.Duration {
	bound := doubled(r.Rest, n-1, r.LongestRest)
	return bound - clock.Duration(r.Seed.Stream("webhook/"+endpoint, "rest").N(uint64(n), int64(bound/2)+1))
}

// doubled returns d doubled so many times, at most most.
func doubled(d clock.Duration, times int, most clock.Duration) clock.Duration {
	for ; times > 0 && d < most; times-- {
		d *= 2
	}
	return min(d, most)
}
