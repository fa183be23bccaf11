package fake

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
)

// Timer is an armed timer.
type Timer struct {
	Key clock.Key
	At  clock.Time
	seq uint64
}

// Timers is a clock.Timers that fires nothing by itself: tests take what is due.
type Timers struct {
	armed []Timer // ordered by instant, then by the order of Set
	seq   uint64
}

var _ clock.Timers = (*Timers)(nil)

// Set implements clock.Timers.
func (t *Timers) Set(k clock.Key, at clock.Time) {
	t.Cancel(k)
	t.seq++
	n := Timer{Key: k, At: at, seq: t.seq}
	i, _ := slices.BinarySearchFunc(t.armed, n, func(a, b Timer) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.seq, b.seq))
	})
	t.armed = slices.Insert(t.armed, i, n)
}

// Cancel implements clock.Timers.
func (t *Timers) Cancel(k clock.Key) {
	t.armed = slices.DeleteFunc(t.armed, func(a Timer) bool { return a.Key == k })
}

// Armed returns the instant of the timer k, if it is armed.
func (t *Timers) Armed(k clock.Key) (clock.Time, bool) {
	for _, a := range t.armed {
		if a.Key == k {
			return a.At, true
		}
	}
	return 0, false
}

// All returns the armed timers in the order in which they will fire.
func (t *Timers) All() []Timer { return slices.Clone(t.armed) }

// Next returns the timer that fires first, if any is armed.
func (t *Timers) Next() (Timer, bool) {
	if len(t.armed) == 0 {
		return Timer{}, false
	}
	return t.armed[0], true
}

// Due disarms the timers of now and earlier, and returns their keys in order.
func (t *Timers) Due(now clock.Time) []clock.Key {
	var keys []clock.Key
	for len(t.armed) > 0 && t.armed[0].At <= now {
		keys = append(keys, t.armed[0].Key)
		t.armed = t.armed[1:]
	}
	return keys
}

// Clear disarms all timers, as the death of a process does.
func (t *Timers) Clear() { t.armed = nil }

// String lists the timers one a line: "12:01:00 fleet/r1/silence".
func (t *Timers) String() string {
	var b strings.Builder
	for _, a := range t.armed {
		fmt.Fprintf(&b, "%s %s/%s/%s\n", Time(a.At), a.Key.Service, a.Key.Entity, a.Key.What)
	}
	return b.String()
}

// Time writes an instant as tests show it: the time of day in UTC, with
// milliseconds only where there are any.
func Time(t clock.Time) string {
	if t%1000 == 0 {
		return t.Std().Format("15:04:05")
	}
	return t.Std().Format("15:04:05.000")
}

// Run moves c to until, stopping at each timer on the way to call fire with
// its key. An error of fire stops it; the clock then shows when.
func (t *Timers) Run(c *Clock, until clock.Time, fire func(clock.Key) error) error {
	for {
		next, ok := t.Next()
		if !ok || next.At > until {
			c.Set(max(until, c.Now()))
			return nil
		}
		c.Set(max(next.At, c.Now()))
		t.armed = t.armed[1:]
		if err := fire(next.Key); err != nil {
			return fmt.Errorf("%s %s/%s/%s: %w", Time(c.Now()), next.Key.Service, next.Key.Entity, next.Key.What, err)
		}
	}
}
