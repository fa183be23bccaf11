// Package config is the configuration of the services: typed, checked all at
// once, versioned, and per market over defaults. It knows no files and no
// environment; what reads a format hands it a document.
package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	city "footway/core/maps"
	"footway/core/market"
	"footway/core/setting"
	"footway/core/task"
)

// Settings are all settings of one market. They are a plain value: no slices,
// maps or pointers, so that a copy shares nothing and costs little.
type Settings struct {
	Delivery delivery.Settings `json:"delivery" doc:"Deliveries: waits, retries, prices."`
	Dispatch dispatch.Settings `json:"dispatch" doc:"Dispatch: rounds, weights, limits."`
	Fleet    fleet.Settings    `json:"fleet" doc:"Fleet: silence, charging."`
	Task     task.Settings     `json:"task" doc:"Tasks: PINs, hatches, repeats."`
	Maps     city.Profile      `json:"maps" doc:"Maps: what robots pass, and at which price."`
}

// DefaultSettings returns the settings that hold where nobody sets any.
func DefaultSettings() Settings {
	return Settings{
		Delivery: delivery.DefaultSettings(), Dispatch: dispatch.DefaultSettings(), Fleet: fleet.DefaultSettings(),
		Task: task.DefaultSettings(), Maps: city.DefaultProfile(),
	}
}

// Over returns base with the values that doc names in their place. doc is a
// document as setting.Decode takes it, a part of a Settings; path is where it
// stands. All errors are returned: of shape, of bounds and between fields.
func Over(path string, base Settings, doc any) (Settings, []error) {
	s := base
	if errs := setting.Decode(path, doc, &s); len(errs) > 0 {
		return base, errs
	}
	if errs := setting.Problems(path, s); len(errs) > 0 {
		return base, errs
	}
	return s, nil
}

// Set changes one setting as a person writes it, such as
// "dispatch.round_every=30s". If s would be wrong afterwards, it stays as it was.
func (s *Settings) Set(assignment string) error {
	path, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fault.New("config.Set", fault.Invalid, "bad_setting", "%q; want name=value, such as dispatch.round_every=30s", assignment)
	}
	changed := *s
	err := setting.Set(&changed, strings.TrimSpace(path), strings.TrimSpace(value))
	if err == nil {
		err = errors.Join(setting.Problems("", changed)...)
	}
	if err != nil {
		return &fault.Error{Op: "config.Set", Kind: fault.Invalid, Reason: "bad_setting", Err: err}
	}
	*s = changed
	return nil
}

// Config is one version of the configuration of all markets.
type Config struct {
	version  uint64
	defaults Settings
	markets  map[market.ID]Settings
}

// New returns the configuration without any change: version 0, all defaults.
func New() *Config { return &Config{defaults: DefaultSettings()} }

// File is the shape of a configuration file. Settings in it are parts: what
// they do not mention stays as it is.
type File struct {
	Version  uint64         `json:"version" doc:"Number of this version; each new one is higher. Default 0: written by hand."`
	Defaults any            `json:"defaults" doc:"Settings that hold in all markets, over those of the program."`
	Markets  map[string]any `json:"markets" doc:"Settings of single markets by their ids, over the defaults."`
}

// Load reads a configuration: "version", "defaults" over DefaultSettings, and for each of
// "markets" its settings over those. doc is a document as setting.Decode takes it. The error
// is fault.Invalid and joins everything that is wrong, each by its path.
func Load(doc any) (*Config, error) {
	var f File
	errs := setting.Decode("", doc, &f)
	c := &Config{version: f.Version, markets: make(map[market.ID]Settings, len(f.Markets))}
	var more []error
	c.defaults, more = Over("defaults", DefaultSettings(), f.Defaults)
	errs = append(errs, more...)
	for _, id := range slices.Sorted(maps.Keys(f.Markets)) {
		if id == "" {
			errs = append(errs, errors.New("markets: a market without a name; want one such as wedgwood"))
			continue
		}
		s, more := Over("markets."+id, c.defaults, f.Markets[id])
		errs = append(errs, more...)
		c.markets[market.ID(id)] = s
	}
	if len(errs) > 0 {
		return nil, &fault.Error{Op: "config.Load", Kind: fault.Invalid, Reason: "bad_configuration", Err: errors.Join(errs...)}
	}
	return c, nil
}

// LoadJSON is Load of JSON text.
func LoadJSON(text []byte) (*Config, error) {
	doc, err := documentOf(text)
	if err != nil {
		return nil, &fault.Error{Op: "config.LoadJSON", Kind: fault.Invalid, Reason: "bad_configuration", Err: err}
	}
	return Load(doc)
}

// documentOf reads JSON text as a document. Encoding/json keeps the last of two
// equal keys; for people's files there is an adapter that refuses them.
func documentOf(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var doc any
	if err := d.Decode(&doc); err != nil {
		return nil, fmt.Errorf("want JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("byte %d: something follows the document; want one document", d.InputOffset())
	}
	return doc, nil
}

// Version returns the number of this version; a later one is higher.
func (c *Config) Version() uint64 { return c.version }

// Get returns the settings of a market: its own where it has some, else the defaults.
func (c *Config) Get(m market.ID) Settings {
	if s, ok := c.markets[m]; ok {
		return s
	}
	return c.defaults
}

// Markets returns the markets with settings of their own, ordered by id.
func (c *Config) Markets() []market.ID { return slices.Sorted(maps.Keys(c.markets)) }

// With returns the next version, in which a market has the settings s; with
// market "" they are the defaults, for markets without settings of their own.
// Settings that are wrong are fault.Invalid.
func (c *Config) With(m market.ID, s Settings) (*Config, error) {
	if errs := setting.Problems("", s); len(errs) > 0 {
		return nil, &fault.Error{Op: "config.With", Kind: fault.Invalid, Reason: "bad_setting", Err: errors.Join(errs...)}
	}
	next := &Config{version: c.version + 1, defaults: c.defaults, markets: maps.Clone(c.markets)}
	if m == "" {
		next.defaults = s
		return next, nil
	}
	if next.markets == nil {
		next.markets = map[market.ID]Settings{}
	}
	next.markets[m] = s
	return next, nil
}
