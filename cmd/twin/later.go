package twin

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/config"
	"footway/core/setting"
)

// Later is settings that hold from an instant of the run on. Up to then the
// run is the one without them, event by event: so a run is forked.
type Later struct {
	After    clock.Duration // the start
	Settings config.Settings
}

// ParseLater reads changes such as 1h30m:dispatch.policy=nearest: each holds
// from so long after the start on, beside those before it. The error says what is wrong with the first that is.
func ParseLater(settings config.Settings, changes []string) ([]Later, error) {
	type change struct {
		after      clock.Duration
		assignment string
	}
	var all []change
	for _, text := range changes {
		when, assignment, ok := strings.Cut(text, ":")
		var c change
		if !ok || c.after.UnmarshalText([]byte(when)) != nil || c.after <= 0 {
			return nil, fmt.Errorf("%q: want a time after the start and a setting, such as 1h30m:dispatch.policy=nearest", text)
		}
		c.assignment = strings.TrimPrefix(assignment, "settings.")
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b change) int { return cmp.Compare(a.after, b.after) })
	var later []Later
	for _, c := range all {
		if err := settings.Set(c.assignment); err != nil {
			return nil, err
		}
		if n := len(later); n > 0 && later[n-1].After == c.after {
			later[n-1].Settings = settings
			continue
		}
		later = append(later, Later{c.after, settings})
	}
	for _, l := range later {
		if err := errors.Join(setting.Problems("settings", l.Settings)...); err != nil {
			return nil, err
		}
	}
	return later, nil
}
