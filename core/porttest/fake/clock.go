// Package fake is the world that tests of the core's services run in: a clock
// that is moved by hand, timers that can be looked at, a journal that
// remembers, links that record, and losses that strike a chosen call. It is
// for tests only, and its types are not safe for concurrent use.
package fake

import "footway/core/clock"

// Start is when tests begin unless they say otherwise: 2026-03-02 12:00 UTC, a Monday.
const Start clock.Time = 1772452800000

// Clock is a clock.Clock that moves only by Advance and Set.
type Clock struct{ now clock.Time }

var _ clock.Clock = (*Clock)(nil)

// NewClock returns a clock that shows start.
func NewClock(start clock.Time) *Clock { return &Clock{now: start} }

// Now implements clock.Clock.
func (c *Clock) Now() clock.Time { return c.now }

// Advance moves the clock forward by d.
func (c *Clock) Advance(d clock.Duration) { c.now = c.now.Add(d) }

// Set moves the clock to t. It panics if t is in the past, which no service must ever see.
func (c *Clock) Set(t clock.Time) {
	if t < c.now {
		panic("fake: clock set back from " + c.now.String() + " to " + t.String())
	}
	c.now = t
}
