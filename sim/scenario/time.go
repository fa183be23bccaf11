package scenario

import (
	"fmt"
	"time"
	_ "time/tzdata" // zones are known on a machine that has none installed, too

	"footway/core/clock"
)

// Begin returns the instant of Start in the market's time zone, and what local
// time is ahead of UTC then. A run keeps that offset, whatever the zone does during it.
func (s *Scenario) Begin() (start clock.Time, offset clock.Duration, err error) {
	zone, err := time.LoadLocation(s.Market.TimeZone)
	if err != nil || s.Market.TimeZone == "Local" {
		return 0, 0, fmt.Errorf("market.time_zone: %q is unknown; want an IANA name, such as America/New_York", s.Market.TimeZone)
	}
	if start, err = s.StartIn(zone); err != nil {
		return 0, 0, err
	}
	_, seconds := start.Std().In(zone).Zone()
	return start, clock.Duration(seconds) * clock.Second, nil
}

// startForms are the forms of Start.
var startForms = []string{"2006-01-02T15:04", "2006-01-02T15:04:05"}

// StartIn returns the instant of Start in a time zone.
func (s *Scenario) StartIn(zone *time.Location) (clock.Time, error) {
	for _, form := range startForms {
		if t, err := time.ParseInLocation(form, s.Start, zone); err == nil {
			return clock.Of(t), nil
		}
	}
	return 0, fmt.Errorf("start: %q is no local date and time; want one such as 2026-06-12T11:00", s.Start)
}

// Minute returns the minute of the day that At means, 0 to 1439.
func (p ProfilePoint) Minute() (int, error) {
	t, err := time.Parse("15:04", p.At)
	if err != nil {
		return 0, fmt.Errorf("at: %q is no time of day; want one such as 12:30", p.At)
	}
	return t.Hour()*60 + t.Minute(), nil
}
