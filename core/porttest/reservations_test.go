package porttest

import (
	"testing"

	"github.com/anishathalye/porcupine"

	"footway/core/clock"
)

// TestFencedLock shows which histories the model takes and which it does not.
func TestFencedLock(t *testing.T) {
	type op struct {
		in        claim
		out       answer
		call, end int64
	}
	reserve := func(holder, attempt string, now, until int64) claim {
		return claim{verb: "reserve", holder: holder, attempt: attempt, now: 1000 + clock.Time(now), until: 1000 + clock.Time(until)}
	}
	with := func(verb string, token uint64) claim { return claim{verb: verb, token: token, until: 1099} }
	done := func(token uint64) answer { return answer{verdict: "done", token: token} }
	refused, unknown := answer{verdict: "refused"}, answer{verdict: "unknown"}
	for name, c := range map[string]struct {
		history []op
		want    bool
	}{
		"one after the other":           {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {with("release", 1), done(0), 3, 4}, {reserve("b", "1", 1, 10), done(2), 5, 6}}, true},
		"taken over when it expired":    {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {reserve("b", "1", 10, 20), done(2), 3, 4}, {with("renew", 1), refused, 5, 6}}, true},
		"a repeat":                      {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {reserve("a", "1", 5, 20), done(1), 3, 4}}, true},
		"lost, and it happened":         {[]op{{reserve("a", "1", 0, 10), unknown, 1, forever}, {reserve("b", "1", 5, 20), refused, 3, 4}}, true},
		"lost, and it did not":          {[]op{{reserve("a", "1", 0, 10), unknown, 1, forever}, {reserve("b", "1", 5, 20), done(1), 3, 4}}, true},
		"lost, and late":                {[]op{{reserve("a", "1", 0, 10), unknown, 1, forever}, {reserve("b", "1", 5, 20), done(1), 3, 4}, {with("release", 1), done(0), 5, 6}, {reserve("c", "1", 5, 20), refused, 7, 8}}, true},
		"two hold it":                   {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {reserve("b", "1", 5, 20), done(2), 3, 4}}, false},
		"two hold it, at the same time": {[]op{{reserve("a", "1", 0, 10), done(1), 1, 4}, {reserve("b", "1", 5, 20), done(1), 2, 3}}, false},
		"a token twice":                 {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {with("release", 1), done(0), 3, 4}, {reserve("b", "1", 1, 10), done(1), 5, 6}}, false},
		"refused for nobody":            {[]op{{reserve("a", "1", 0, 10), refused, 1, 2}}, false},
		"an old token renews":           {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {reserve("b", "1", 10, 20), done(2), 3, 4}, {with("renew", 1), done(0), 5, 6}}, false},
		"an old token releases":         {[]op{{reserve("a", "1", 0, 10), done(1), 1, 2}, {reserve("b", "1", 10, 20), done(2), 3, 4}, {with("release", 1), done(0), 5, 6}, {reserve("c", "1", 11, 20), done(3), 7, 8}}, false},
		"lost, and forgotten":           {[]op{{reserve("a", "1", 0, 10), unknown, 1, forever}, {reserve("a", "2", 5, 20), done(3), 3, 4}}, false},
	} {
		var history []porcupine.Operation
		for n, o := range c.history {
			history = append(history, porcupine.Operation{ClientId: n, Input: o.in, Call: o.call, Output: o.out, Return: o.end})
		}
		if got := porcupine.CheckOperations(fencedLock(), history); got != c.want {
			t.Errorf("%s: a lock could have answered so: %v, want %v\n%s", name, got, c.want, story(history))
		}
	}
}
