package restapi

import (
	"errors"
	"time"

	"footway/core/clock"
)

// instant is a time on the wire: RFC 3339 in UTC with milliseconds. The zero
// value is no time, and left out.
type instant clock.Time

// lastInstant is the last time that RFC 3339 can say.
var lastInstant = clock.Of(time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC))

// MarshalText implements encoding.TextMarshaler.
func (i instant) MarshalText() ([]byte, error) {
	if t := clock.Time(i); t < 0 || t > lastInstant {
		return nil, errors.New("a time before 1970 or after 9999 has no RFC 3339 form")
	}
	return []byte(clock.Time(i).String()), nil
}

var errInstant = errors.New("want a time as RFC 3339, from 1970 on and in whole milliseconds, such as 2026-11-22T18:04:05.000Z")

// UnmarshalText implements encoding.TextUnmarshaler.
func (i *instant) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || len(text) > len("2006-01-02T15:04:05.000000000+00:00") || t.Nanosecond()%1e6 != 0 || t.Unix() < 0 || t.UTC().Year() > 9999 {
		return errInstant
	}
	*i = instant(clock.Of(t))
	return nil
}
