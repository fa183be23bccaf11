package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/config"
)

// Later is settings that hold from an instant of the run on.
type Later struct {
	After    clock.Duration // the start
	Settings config.Settings
}

// Later returns the settings that the scenario's changes make of those at the start, by rising time; or everything that is wrong
// with the changes.
func (s *Scenario) Later(settings config.Settings) ([]Later, []error) {
	order := make([]int, len(s.Changes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.Changes[a].At, s.Changes[b].At) })
	var later []Later
	var errs []error
	for _, i := range order {
		c, path := &s.Changes[i], fmt.Sprintf("changes[%d].settings", i)
		next, wrong := config.Over(path, settings, c.Settings)
		if len(wrong) == 0 && next.Maps != settings.Maps {
			wrong = []error{fmt.Errorf("%s.maps: it holds for a whole run; want no change of it", path)}
		}
		if len(wrong) > 0 {
			errs = append(errs, wrong...)
			continue
		}
		settings = next
		if n := len(later); n > 0 && later[n-1].After == c.At {
			later[n-1].Settings = settings
		} else {
			later = append(later, Later{c.At, settings})
		}
	}
	return later, errs
}

// SetAt adds changes as people write them, such as 1h30m:dispatch.policy=nearest, to the scenario's. On an error, which is about
// the first that is wrong, s stays as it was.
func (s *Scenario) SetAt(texts ...string) error {
	type change struct {
		at         clock.Duration
		assignment string
	}
	var all []change
	for _, text := range texts {
		when, assignment, ok := strings.Cut(text, ":")
		var c change
		if !ok || c.at.UnmarshalText([]byte(when)) != nil || c.at <= 0 {
			return fmt.Errorf("%q: want a time after the start and a setting, such as 1h30m:dispatch.policy=nearest", text)
		}
		c.assignment = strings.TrimPrefix(assignment, "settings.")
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	changed := *s
	changed.Changes = slices.Clone(s.Changes)
	for _, c := range all {
		before, err := changed.at(c.at)
		if err != nil {
			return err
		}
		after := before
		if err := after.Set(c.assignment); err != nil {
			return err
		}
		if what := config.Difference(before, after); len(what) > 0 {
			changed.Changes = append(changed.Changes, Change{c.at, what})
		}
	}
	s.Changes = changed.Changes
	return nil
}

// at returns the settings that hold so long after the start.
func (s *Scenario) at(after clock.Duration) (config.Settings, error) {
	settings, errs := s.Config()
	later, wrong := s.Later(settings)
	if err := errors.Join(append(errs, wrong...)...); err != nil {
		return settings, err
	}
	for _, l := range later {
		if l.After <= after {
			settings = l.Settings
		}
	}
	return settings, nil
}
