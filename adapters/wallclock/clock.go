// Package wallclock is time in production: the clock of the machine, and
// timers that call the services when they are due. Timers live in memory only:
// what set them sets them again after a restart, from the stores.
package wallclock

import (
	"time"

	"footway/core/clock"
)

// Clock reads the clock of the machine.
type Clock struct{}

var _ clock.Clock = Clock{}

// Now implements clock.Clock.
func (Clock) Now() clock.Time { return clock.Of(time.Now()) }
