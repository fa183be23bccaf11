package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"footway/adapters/mapdraw"
	"footway/adapters/report"
	"footway/adapters/yamlfile"
	"footway/cmd/twin"
	"footway/core/maps"
	"footway/core/setting"
	"footway/sim/scenario"
)

// results is the folder of a run's files. Without a folder nothing is kept.
type results struct {
	dir  string
	file *os.File // the log, under a name of its own until the run is over
}

// The files in it.
const (
	logFile    = "run.fwlog"
	reportFile = "report.html"
	kpisFile   = "kpis.json"
	// The map and the scenario, so that the run can be looked at, made anew and tuned with nothing but the folder.
	marketMap    = "market.fwnet"
	scenarioText = "scenario.yaml"
)

func openResults(dir string) (*results, error) {
	if dir == "" {
		return &results{}, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, usagef("--out: %w", err)
	}
	f, err := os.CreateTemp(dir, "."+logFile+".*")
	if err != nil {
		return nil, usagef("--out: %w", err)
	}
	return &results{dir: dir, file: f}, nil
}

// log returns where the log goes, or nil.
func (r *results) log() io.Writer {
	if r.file == nil {
		return nil
	}
	return r.file
}

// discard removes a log that was not kept.
func (r *results) discard() {
	if r.file != nil {
		r.file.Close()
		_ = os.Remove(r.file.Name()) // what cannot be removed can still be written over
	}
}

// keep writes report and numbers and gives the log its name.
func (r *results) keep(s *scenarioFile, o twin.Options, res twin.Result, wall time.Duration, command string) error {
	if r.file == nil {
		return nil
	}
	zone, err := time.LoadLocation(s.Market.TimeZone)
	if err != nil {
		return err
	}
	page := report.Report{
		Scenario: s.Name, About: s.About, Seed: s.Seed, Market: s.Market.ID, Version: o.Version, Hash: res.Hash,
		Command: command, Wall: wall, Zone: zone, Run: res.Run,
	}
	for _, x := range res.Outcomes {
		page.Outcomes = append(page.Outcomes, report.Outcome{Name: strings.ReplaceAll(x.Name, "_", " "), Met: x.Met, Detail: fmt.Sprintf("%s, want %s", x.Got, x.Want)})
	}
	if page.Map, err = picture(o.Network); err != nil {
		return err
	}
	err = errors.Join(
		writeFile(filepath.Join(r.dir, reportFile), func(f *os.File) error { return report.Write(f, page) }),
		writeNetwork(filepath.Join(r.dir, marketMap), o.Network),
		writeFile(filepath.Join(r.dir, scenarioText), func(f *os.File) error { return r.writeScenario(f, s, command) }),
		writeFile(filepath.Join(r.dir, kpisFile), func(f *os.File) error { return writeJSON(f, resultJSON(s.Name, s.Seed, res, wall)) }),
		r.file.Chmod(0o644), r.file.Close(),
	)
	if err == nil {
		err = os.Rename(r.file.Name(), filepath.Join(r.dir, logFile))
	}
	if err == nil {
		r.file = nil
	}
	return err
}

// picture draws the market for the report.
func picture(n *maps.Network) (report.Picture, error) {
	var b bytes.Buffer
	if err := mapdraw.Write(&b, mapdraw.PNG, n, mapdraw.Options{Width: 1400}); err != nil {
		return report.Picture{}, fmt.Errorf("picture of the market: %w", err)
	}
	return report.Picture{Type: "image/png", Data: b.Bytes(), Attribution: n.Attribution}, nil
}

// writeScenario writes what the run was made of: the scenario with all that the command line changed.
func (r *results) writeScenario(w io.Writer, s *scenarioFile, command string) error {
	given := s.given
	given.Market.ID, given.Market.Network = s.Market.ID, marketMap
	if s.traffic != nil { // it may have personal data, and so it stays where it is
		at, err := relative(r.dir, s.file)
		if err != nil {
			return err
		}
		given.Demand.Recording = at
	}
	text, err := yamlfile.Write(setting.Difference(scenario.Defaults(), given))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "# Of: %s\n# footway run makes the same run again of this file.\n%s", strings.ReplaceAll(command, "\n", " "), text)
	return err
}

// relative returns the path of a file from a folder.
func relative(folder, file string) (string, error) {
	from, err := filepath.Abs(folder)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	path, err := filepath.Rel(from, to)
	return filepath.ToSlash(path), err
}
