package main

import (
	"fmt"
	"strings"
	"time"

	"footway/core/clock"
	"footway/visualizer/scene"
)

// version is of the log's header.
const version = "view"

// parseAt reads a time of day in the market, or one since the run began.
func parseAt(text string, from, to clock.Time, zone *time.Location) (clock.Time, error) {
	if after, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(after)
		if err != nil {
			return 0, fmt.Errorf("at %s: want a time since the beginning such as +1h20m", text)
		}
		return min(max(from.Add(clock.Duration(d.Milliseconds())), from), to), nil
	}
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

func parseSelection(text string) (scene.Selection, error) {
	kind, id, ok := strings.Cut(text, "/")
	k := scene.ParseKind(kind)
	if !ok || k == scene.Nothing || id == "" {
		return scene.Selection{}, fmt.Errorf("%q: want robot/ID, delivery/ID, merchant/NUMBER or dock/ID", text)
	}
	return scene.Selection{Kind: k, ID: id}, nil
}
