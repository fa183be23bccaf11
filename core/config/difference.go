package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// Difference returns what must be written over base to get s: a part of a
// Settings as Over takes it, empty if they are equal.
func Difference(base, s Settings) map[string]any {
	return differ(tree(base), tree(s))
}

// MarshalDiff writes c as JSON that LoadJSON reads, and a configuration file holds:
// only what differs from the defaults of the program, and for each market only what
// differs from the defaults of the file.
func (c *Config) MarshalDiff() ([]byte, error) {
	f := struct {
		Version  uint64                    `json:"version"`
		Defaults map[string]any            `json:"defaults,omitempty"`
		Markets  map[string]map[string]any `json:"markets,omitempty"`
	}{Version: c.version, Defaults: Difference(DefaultSettings(), c.defaults), Markets: map[string]map[string]any{}}
	for _, m := range c.Markets() {
		f.Markets[string(m)] = Difference(c.defaults, c.markets[m])
	}
	return json.MarshalIndent(f, "", "  ")
}

// differ returns the values of b that are others in a. Both are trees of the
// same type, so they have the same keys, but for maps that grew.
func differ(a, b map[string]any) map[string]any {
	d := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		below, isTree := b[k].(map[string]any)
		if before, ok := a[k].(map[string]any); ok && isTree {
			if inner := differ(before, below); len(inner) > 0 {
				d[k] = inner
			}
		} else if !reflect.DeepEqual(a[k], b[k]) {
			d[k] = b[k]
		}
	}
	return d
}

// tree returns s as a document.
func tree(s Settings) map[string]any {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("config: settings are not JSON: %v", err))
	}
	t, err := documentOf(text)
	if err != nil {
		panic(fmt.Sprintf("config: settings are not a document: %v", err))
	}
	return t.(map[string]any)
}
