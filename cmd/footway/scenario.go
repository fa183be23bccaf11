package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"footway/adapters/yamlfile"
	"footway/adapters/zstd"
	"footway/cmd/replay"
	"footway/cmd/twin"
	"footway/core/config"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/scenarios"
	"footway/sim/scenario"
)

// scenarioFile is a scenario with the file it comes from.
type scenarioFile struct {
	scenario.Scenario
	ref string             // as the person named it
	dir string             // that its paths are relative to; "" for a built-in one
	doc *yamlfile.Document // for errors

	given   scenario.Scenario // with the flags over it, and what follows from others not filled in
	traffic *replay.Recording // that its recording has; nil: not read yet
	file    string            // that traffic was read from
}

// loadScenario reads the scenario that ref names: a file, or a built-in one by its name.
func loadScenario(ref string) (*scenarioFile, error) {
	f := &scenarioFile{ref: ref, Scenario: scenario.Defaults()}
	var err error
	if text, ok := scenarios.Read(ref); ok {
		f.doc, err = yamlfile.Parse(ref+".yaml", text)
	} else {
		f.dir = filepath.Dir(ref)
		f.doc, err = yamlfile.ReadFile(ref)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, noScenario(ref)
	}
	if info, e := os.Stat(ref); e == nil && info.IsDir() {
		return nil, usagef("scenario %q: this is a folder; want one file, or footway test for all that are in it", ref)
	}
	if err == nil {
		err = f.doc.Decode(&f.Scenario)
	}
	if err != nil {
		return nil, usageError{err}
	}
	return f, nil
}

// noScenario says that ref names no scenario, and what does.
func noScenario(ref string) error {
	// What cobra can do for the names of commands, it does for those of scenarios.
	names := &cobra.Command{SuggestionsMinimumDistance: 3}
	for _, name := range scenarios.Names() {
		names.AddCommand(&cobra.Command{Use: name, Run: func(*cobra.Command, []string) {}})
	}
	near := ""
	if found := names.SuggestionsFor(caseName(ref)); len(found) > 0 {
		near = "; did you mean " + strings.Join(found, " or ") + "?"
	}
	return usagef("scenario %q: there is no such file, and no built-in scenario of that name%s\nBuilt in are:\n%s",
		ref, near, strings.TrimRight(columns(scenarios.Names()), "\n"))
}

// runFlags are the flags that run, replay and test share.
type runFlags struct {
	seed   uint64
	set    []string
	setAt  []string
	market string
}

func (f *runFlags) register(cmd *cobra.Command) {
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "`number` that all chance comes from, instead of the scenario's")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "change one `name=value`, such as --set fleet.robots=30 or --set dispatch.policy=nearest; may be repeated")
	cmd.Flags().StringArrayVar(&f.setAt, "set-at", nil, "change a setting during the run: `time:name=value`, such as 1h30m:dispatch.policy=nearest; may be repeated")
	cmd.Flags().StringVar(&f.market, "market", "", "a `network` (.fwnet, .osm.pbf, city, city:SEED) or a market file (.yaml) instead of the scenario's")
}

// apply puts the flags over the scenario and checks the whole.
func (f *runFlags) apply(cmd *cobra.Command, s *scenarioFile) (config.Settings, error) {
	if f.market != "" {
		if err := s.useMarket(f.market); err != nil {
			return config.Settings{}, err
		}
	}
	if cmd.Flags().Changed("seed") {
		s.Seed = f.seed
	}
	for _, assignment := range f.set {
		if err := s.Set(assignment); err != nil {
			return config.Settings{}, usagef("--set: %w", plain(err))
		}
	}
	if err := s.SetAt(f.setAt...); err != nil {
		return config.Settings{}, usagef("--set-at: %w", plain(err))
	}
	s.given = s.Scenario
	s.given.Fleet.Named, s.given.Demand.Orders = slices.Clone(s.Fleet.Named), slices.Clone(s.Demand.Orders)
	s.Fill()                  // last, since what it derives follows from what was set
	settings, _ := s.Config() // Problems tells what is wrong with it
	errs := scenario.Problems(&s.Scenario, kpi.Known)
	if s.doc == nil {
		if err := errors.Join(errs...); err != nil {
			return settings, usageError{err}
		}
		return settings, nil
	}
	if err := s.doc.Explain(errs...); err != nil {
		return settings, usageError{err}
	}
	return settings, nil
}

// marketFile is a market written down: the parts of a scenario that say where it is.
type marketFile struct {
	Market   scenario.Market `json:"market"`
	Fleet    scenario.Fleet  `json:"fleet"`
	World    scenario.World  `json:"world"`
	Settings map[string]any  `json:"settings"`
}

// useMarket replaces the scenario's map, or with a market file its fleet,
// people and settings too.
func (s *scenarioFile) useMarket(path string) error {
	if !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".yml") {
		s.Market.Network, s.dir = path, ""
		s.Market.ID = ""
		return nil
	}
	doc, err := yamlfile.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("--market: %w", plain(err))
	}
	if err != nil {
		return usageError{err}
	}
	m := marketFile{Market: s.Market, Fleet: s.Fleet, World: s.World, Settings: s.Settings}
	if err := doc.Decode(&m); err != nil {
		return usageError{err}
	}
	s.Market, s.Fleet, s.World, s.Settings = m.Market, m.Fleet, m.World, m.Settings
	s.dir = filepath.Dir(path)
	return nil
}

// path makes a path of the scenario one of the program's.
func (s *scenarioFile) path(p string) string {
	if s.dir == "" || filepath.IsAbs(p) || p == "city" || strings.HasPrefix(p, "city:") {
		return p
	}
	return filepath.Join(s.dir, p)
}

// network loads the scenario's map.
func (s *scenarioFile) network() (*maps.Network, error) {
	name := s.Market.Network
	if name == "" {
		name = "city"
	}
	n, err := loadNetwork(s.path(name))
	if err != nil {
		return nil, fmt.Errorf("market.network: %w", err)
	}
	if s.Market.ID == "" {
		s.Market.ID = n.Name
	}
	return n, nil
}

// prepare makes the options of a run: flags applied, everything checked, the map loaded.
func (f *runFlags) prepare(cmd *cobra.Command, s *scenarioFile) (twin.Options, error) {
	settings, err := f.apply(cmd, s)
	if err != nil {
		return twin.Options{}, err
	}
	net, err := s.network()
	if err != nil {
		return twin.Options{}, err
	}
	o := twin.Options{Scenario: s.Scenario, Network: net, Settings: settings, Version: version(), Codec: &zstd.Codec{}}
	if s.Demand.Recording != "" && s.traffic == nil {
		s.file = s.path(s.Demand.Recording)
		if s.traffic, err = readRecording(s.file); err != nil {
			return o, fmt.Errorf("demand.recording: %w", err)
		}
	}
	if s.traffic != nil {
		s.traffic.Into(&o)
	}
	return o, nil
}
