package scenario

import (
	"fmt"
	"slices"
	"strings"

	"footway/core/config"
	"footway/core/fault"
	"footway/core/setting"
)

// Config returns the configuration of the run's services: the defaults, in the market's
// currency, with the scenario's settings over them; or everything that is wrong with those.
func (s *Scenario) Config() (config.Settings, []error) {
	base := config.DefaultSettings()
	if s.Market.Currency != "" {
		base.Delivery.Pricing.Currency = s.Market.Currency
	}
	if s.Settings == nil {
		return base, nil
	}
	return config.Over("settings", base, s.Settings)
}

// Set changes one value of the scenario or of its settings, as a person writes
// it: "fleet.robots=30", "dispatch.round_every=30s" or, in full, "settings.dispatch.round_every=30s".
// It does not check what depends on other values: that is for Problems. On an error, s stays as it was.
func (s *Scenario) Set(assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	path, value = strings.TrimSpace(path), strings.TrimSpace(value)
	if !ok {
		return fault.New("scenario.Set", fault.Invalid, "bad_setting", "%q; want name=value, such as fleet.robots=30", assignment)
	}
	inner, full := strings.CutPrefix(path, "settings.")
	settings, errs := s.Config()
	if len(errs) > 0 {
		return &fault.Error{Op: "scenario.Set", Kind: fault.Invalid, Reason: "bad_setting", Err: errs[0]}
	}
	section, _, _ := strings.Cut(path, ".")
	if full || !names(s, path) && (names(settings, path) || leadsInto(settings, section) && !leadsInto(s, section)) {
		if err := settings.Set(inner + "=" + value); err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		base, _ := (&Scenario{Market: s.Market}).Config()
		s.Settings = config.Difference(base, settings)
		return nil
	}
	if err := setting.Set(s, path, value); err != nil {
		return &fault.Error{Op: "scenario.Set", Kind: fault.Invalid, Reason: "bad_setting", Err: err}
	}
	return nil
}

// leadsInto reports whether v has settings below section.
func leadsInto(v any, section string) bool {
	return slices.ContainsFunc(setting.Fields(v), func(f setting.Field) bool { return strings.HasPrefix(f.Path, section+".") })
}

// names reports whether v has a setting at path, or one that path leads into.
func names(v any, path string) bool {
	return slices.ContainsFunc(setting.Fields(v), func(f setting.Field) bool {
		return f.Path == path || f.Type == "list" && (strings.HasPrefix(path, f.Path+"[") || strings.HasPrefix(path, f.Path+"."))
	})
}
