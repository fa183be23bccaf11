package config

import (
	"fmt"
	"slices"
	"strings"

	"footway/core/fault"
	"footway/core/market"
	"footway/core/setting"
)

// Change is one setting that is another in a later configuration.
type Change struct {
	Market market.ID `json:"market,omitempty"` // "" for all markets without settings of their own
	Path   string    `json:"path"`             // such as "dispatch.round_every"
	From   string    `json:"from"`             // the values, as people write them
	To     string    `json:"to"`
}

// String writes the change with its path in a configuration file.
func (c Change) String() string {
	where := "defaults"
	if c.Market != "" {
		where = "markets." + string(c.Market)
	}
	return fmt.Sprintf("%s.%s: %s -> %s", where, c.Path, c.From, c.To)
}

// Changes returns what is another for anybody in b than in a: first the defaults,
// then market by market what changes there and not in the same way by default.
// It is empty if every market has the same settings in both.
func Changes(a, b *Config) []Change {
	common := changes("", a.defaults, b.defaults)
	byDefault := make(map[Change]bool, len(common))
	for _, c := range common {
		byDefault[c] = true
	}
	all := common
	ids := append(a.Markets(), b.Markets()...)
	slices.Sort(ids)
	for _, m := range slices.Compact(ids) {
		for _, c := range changes(m, a.Get(m), b.Get(m)) {
			if !byDefault[Change{Path: c.Path, From: c.From, To: c.To}] {
				all = append(all, c)
			}
		}
	}
	return all
}

// changes compares the settings of one market, in the order of the reference.
func changes(m market.ID, a, b Settings) []Change {
	if a == b {
		return nil
	}
	var all []Change
	before := setting.Fields(a)
	for i, after := range setting.Fields(b) {
		if before[i].Default != after.Default {
			all = append(all, Change{Market: m, Path: after.Path, From: before[i].Default, To: after.Default})
		}
	}
	return all
}

// summary names the first few changes in a line.
func summary(all []Change) string {
	const most = 3
	var parts []string
	for _, c := range all[:min(most, len(all))] {
		parts = append(parts, c.String())
	}
	if len(all) > most {
		parts = append(parts, fmt.Sprintf("%d more", len(all)-most))
	}
	return strings.Join(parts, ", ")
}

// Follows returns why next may not take the place of c in a fleet that follows
// c, which is fault.Conflict, or nil if it may. Every change needs a higher version.
func Follows(c, next *Config) error {
	const op = "config.Follows"
	changes, v := Changes(c, next), c.version
	switch {
	case next.version > v, next.version == v && len(changes) == 0:
		return nil
	case next.version == 0 && v > 0:
		return fault.New(op, fault.Conflict, "version_missing", "it has no version, and version %d is in force; want the line 'version: %d'", v, v+1)
	case next.version < v:
		return fault.New(op, fault.Conflict, "version_older",
			"version %d is older than version %d, which is in force; want a number above that, also to go back to older settings", next.version, v)
	case v == 0:
		return fault.New(op, fault.Conflict, "version_missing",
			"other settings than those in force (%s), and neither has a version; want the line 'version: 1', and a higher number with each change", summary(changes))
	}
	return fault.New(op, fault.Conflict, "version_reused", "version %d is in force with other settings (%s); want 'version: %d'", v, summary(changes), v+1)
}
