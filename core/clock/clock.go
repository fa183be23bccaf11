// Package clock is how time reaches the core: instants and durations in whole
// milliseconds, a clock to read and timers that are data. It never reads the
// wall clock and never waits.
package clock

import (
	"fmt"
	"strings"
	"time"
)

// Time is an instant: milliseconds since 1970-01-01T00:00:00Z.
type Time int64

// Duration is a span of time in milliseconds.
type Duration int64

// Common spans.
const (
	Millisecond Duration = 1
	Second               = 1000 * Millisecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
	Day                  = 24 * Hour
)

// Of returns the instant of a time.Time, cut to the millisecond.
func Of(t time.Time) Time { return Time(t.UnixMilli()) }

// Add returns the instant d after t.
func (t Time) Add(d Duration) Time { return t + Time(d) }

// Sub returns the span from u to t.
func (t Time) Sub(u Time) Duration { return Duration(t - u) }

// Std returns t as a time.Time in UTC.
func (t Time) Std() time.Time { return time.UnixMilli(int64(t)).UTC() }

// String formats t as RFC 3339 in UTC with milliseconds.
func (t Time) String() string { return t.Std().Format("2006-01-02T15:04:05.000Z07:00") }

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) * time.Millisecond }

// Seconds returns d in seconds.
func (d Duration) Seconds() float64 { return float64(d) / 1000 }

// String formats d the way ParseDuration reads it, such as "1h30m" or "250ms".
func (d Duration) String() string {
	s := d.Std().String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText writes d as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a duration such as "90s", "1h30m" or "250ms". A unit is
// required, since a bare number is the commonest mistake in a configuration.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// ParseDuration reads a duration with units ms, s, m and h, such as "1h30m".
func ParseDuration(s string) (Duration, error) {
	v, err := time.ParseDuration(s)
	if err != nil || (s == "0" || s == "-0" || s == "+0") {
		return 0, fmt.Errorf("duration %q: want a number with a unit, such as 90s, 15m or 1h30m", s)
	}
	if v%time.Millisecond != 0 {
		return 0, fmt.Errorf("duration %q: finer than a millisecond", s)
	}
	return Duration(v / time.Millisecond), nil
}

// Clock tells the time. In production it is the wall clock, in the twin the
// simulator's kernel.
type Clock interface {
	Now() Time
}

// Key names a timer: whose it is, what it is about, and what for. It is plain
// data, so that timers survive a restart, a checkpoint and a fork.
type Key struct {
	Service string `json:"service"` // the service to call, such as "task"
	Entity  string `json:"entity"`  // what it is about, such as a task's id
	What    string `json:"what"`    // what for, such as "handoff-wait"
}

// Timers holds the timers of the services. A due timer is delivered as a call
// of the service's Fire method with its key, at or after its instant, possibly
// more than once; equal instants in the order in which they were set.
type Timers interface {
	// Set arms the timer k for the instant at, replacing an earlier instant of the same key.
	// An instant that has passed fires as soon as possible, never inside Set.
	Set(k Key, at Time)
	// Cancel disarms the timer k. It is no error if there is none.
	Cancel(k Key)
}
