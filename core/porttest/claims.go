package porttest

import (
	"testing"

	"footway/core/clock"
	"footway/core/fleet"
)

// Claims is the history of what dispatchers asked of Fleet and were told, for tests
// that bring dispatchers of their own. See Reservations.
type Claims struct{ y yard }

// NewClaims returns an empty history of these robots.
func NewClaims(robots ...fleet.RobotID) *Claims { return &Claims{yard{robots: robots}} }

// Claim is a call of Fleet.
type Claim struct {
	Verb            string // reserve, renew, release, command
	Robot           fleet.RobotID
	Holder, Attempt string // of a reservation
	Token           uint64 // of all others
	Now, Until      clock.Time
}

// Made makes a call and notes it. Besides its answer, the call returns how many writes
// within it were not answered.
func (c *Claims) Made(t *testing.T, q Claim, call func() (token uint64, lost int, err error)) (token uint64, err error) {
	t.Helper()
	in := claim{robot: q.Robot, verb: q.Verb, holder: q.Holder, attempt: q.Attempt, token: q.Token, now: q.Now, until: q.Until}
	began := c.y.steps.Add(1)
	token, lost, err := call()
	out, odd := answer{verdict: "done", token: token}.unless(err)
	if odd != nil {
		t.Errorf("%+v: %v", q, odd)
	}
	c.y.record(in, began, out, lost)
	return token, err
}

// Check fails the test if no fenced lock for each robot could have given these answers.
func (c *Claims) Check(t *testing.T) {
	t.Helper()
	c.y.check(t)
}
