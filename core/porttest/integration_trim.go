package porttest

import (
	"testing"

	"footway/core/clock"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

func (l partnerLog) wantTrim(t *testing.T, before clock.Time, want int) {
	t.Helper()
	if n, err := l.Trim(t.Context(), before); n != want || err != nil {
		t.Errorf("Trim(%s) = %d, %v; want %d", before, n, err, want)
	}
}

// atSequence returns the instant at which the updates of that sequence happened.
func atSequence(sequence int) clock.Time {
	return fake.Start.Add(clock.Duration(sequence) * clock.Second)
}

func logTrim(t *testing.T, l partnerLog) {
	l.wantTrim(t, atSequence(9), 0)
	l.mustTake(t, "p/a#1", "p/a#2", "p/a#3", "p/b#1", "p/a#4", "q/a#1", "q/a#2")
	l.wantTrim(t, atSequence(1), 0)
	l.wantTrim(t, atSequence(3), 4)
	l.wantTrim(t, atSequence(3), 0)
	// p/b#1 lies behind p/a#3, which is kept.
	l.wantEntries(t, "p", 0, 10, 3, "p/a#3", "p/b#1", "p/a#4")
	l.wantEntries(t, "p", 1, 1, 3, "p/a#3")
	l.wantEntries(t, "p", 3, 10, 4, "p/b#1", "p/a#4")
	l.wantEntries(t, "q", 0, 10, 0)
	// Duplicates of what was trimmed and what was not, and what comes next.
	l.mustTake(t, "p/a#1", "p/a#2", "p/a#3", "p/b#1", "p/b#2", "p/a#5", "q/b#1")
	l.wantEntries(t, "p", 0, 10, 3, "p/a#3", "p/b#1", "p/a#4", "p/b#2", "p/a#5")
	l.wantEntries(t, "q", 0, 10, 3, "q/b#1")
	l.wantTrim(t, atSequence(6), 6)
	l.wantEntries(t, "p", 0, 10, 0)
	l.mustTake(t, "p/c#1")
	l.wantEntries(t, "p", 0, 10, 8, "p/c#1")
}

func logTrimHeld(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#1", "p/a#3", "p/b#2")
	l.wantTrim(t, atSequence(60), 1)
	a := integration.Gap{Delivery: "p/a", Partner: "p", Missing: 2, Next: 3, Held: 1, Since: fake.Start}
	b := integration.Gap{Delivery: "p/b", Partner: "p", Missing: 1, Next: 2, Held: 1, Since: fake.Start}
	l.wantGaps(t, a, b)
	l.mustTake(t, "p/a#1", "p/b#1", "p/a#2")
	l.wantEntries(t, "p", 0, 10, 2, "p/b#1", "p/b#2", "p/a#2", "p/a#3")
	l.wantGaps(t)
}

func logForgotten(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#1", "p/a#2", "p/b#1", "p/b#9")
	l.wantTrim(t, atSequence(60), 3)
	l.mustTake(t, "p/a#1") // it is told again, as the contract says
	l.mustTake(t, "p/b#1") // it is not: p/b#9 is left of that delivery
	l.wantEntries(t, "p", 0, 10, 4, "p/a#1")
	l.mustTake(t, "p/a#2")
	l.wantEntries(t, "p", 0, 10, 4, "p/a#1", "p/a#2")
}
