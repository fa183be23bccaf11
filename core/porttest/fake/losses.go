package fake

import "footway/core/fault"

// When says on which side of a call's effect a loss strikes.
type When uint8

// The sides.
const (
	Before When = iota // nothing happened
	After              // it happened, and nobody knows
)

// String returns the side in words.
func (w When) String() string {
	if w == Before {
		return "before"
	}
	return "after"
}

// Losses fails one chosen call of all that go through Do with
// fault.Unavailable, before or after its effect. The zero value fails none.
// Decorators of ports share one, so that its count runs over all of them.
type Losses struct {
	At    int  // number of the call that fails, from 1; 0 for none
	Side  When // whether its effect happens
	Calls int  // calls so far
	Hit   string
}

// Do runs effect as the next call, which op names.
func (l *Losses) Do(op string, effect func() error) error {
	l.Calls++
	if l.Calls != l.At {
		return effect()
	}
	l.Hit = op
	if l.Side == After {
		if err := effect(); err != nil {
			return err
		}
	}
	return fault.New(op, fault.Unavailable, "lost", "call %d lost %s its effect", l.Calls, l.Side)
}

// EachLoss runs story once without a loss, to count its calls, and then twice
// for each call, losing it before and after its effect. The story must make a
// new world each time, pass l to its decorators, and repeat what fails with
// fault.Unavailable.
func EachLoss(story func(l *Losses)) (runs int) {
	plain := &Losses{}
	story(plain)
	for at := 1; at <= plain.Calls; at++ {
		for _, side := range []When{Before, After} {
			story(&Losses{At: at, Side: side})
			runs++
		}
	}
	return runs
}

// Again calls command until it stops failing with fault.Unavailable, as its
// callers do, at most ten times.
func Again(command func() error) error {
	var err error
	for range 10 {
		if err = command(); !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	return err
}
