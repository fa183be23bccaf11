package main

import (
	"fmt"
	"time"

	"footway/core/clock"
)

// version is of the log's header.
const version = "view"

// timeOfDay reads a time of day in the market.
func timeOfDay(text string, from, to clock.Time, zone *time.Location) (clock.Time, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		day := from.Std().In(zone)
		t := time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), 0, zone)
		if clock.Of(t) < from { // of a run over midnight
			t = t.AddDate(0, 0, 1)
		}
		if clock.Of(t) > to {
			return 0, fmt.Errorf("at %s: the run goes from %s to %s", text, day.Format("15:04"), to.Std().In(zone).Format("15:04 on 2 January"))
		}
		return clock.Of(t), nil
	}
	return 0, fmt.Errorf("at %s: want a time of day such as 12:30, or one since the beginning such as +1h20m", text)
}
