//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"footway/adapters/osm"
	"footway/adapters/zstd"
	"footway/core/maps"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/sim/city"
)

// readRun is a run in a file.
type readRun struct {
	opened
	file *os.File
}

// openRun opens a log, or the folder it is in, with its map.
func openRun(ctx context.Context, path, market string) (*readRun, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "run.fwlog")
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such run log, nor a folder with a run.fwlog", path)
	}
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*readRun, error) { return nil, errors.Join(err, f.Close()) }
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	x := &readRun{file: f}
	x.name = path
	if x.log, err = runlog.Open(f, info.Size(), &zstd.Codec{}); err != nil {
		return fail(fmt.Errorf("%s: %w", path, err))
	}
	if market == "" {
		market = filepath.Join(filepath.Dir(path), "market.fwnet")
		if _, err := os.Stat(market); err != nil {
			return fail(fmt.Errorf("%s: there is no market.fwnet beside it; name the run's map with --market", path))
		}
	}
	if x.net, err = loadNetwork(ctx, market); err != nil {
		return fail(err)
	}
	beside := filepath.Join(filepath.Dir(path), scenarioFile)
	if _, err := os.Stat(beside); !errors.Is(err, fs.ErrNotExist) {
		x.scenario, x.wrong = readScenario(beside)
	}
	return x, nil
}

// loadNetwork returns the map that path names.
func loadNetwork(ctx context.Context, path string) (*maps.Network, error) {
	if path == "city" {
		path = "city:1"
	}
	if seed, ok := strings.CutPrefix(path, "city:"); ok {
		n, err := strconv.ParseUint(seed, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("map %q: want city, or city: and a number", path)
		}
		return city.Generate(rng.Seed(n), city.Options{})
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	defer f.Close()
	if !strings.HasSuffix(path, ".osm.pbf") {
		n, err := maps.Decode(f, &zstd.Codec{})
		if err != nil {
			return nil, fmt.Errorf("map %s: %w", path, err)
		}
		return n, nil
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	n, _, err := osm.Import(ctx, name, f, info.Size(), osm.Options{})
	return n, err
}

// readScenario reads what a run was made of, with the recording that it names.
func readScenario(path string) (*source, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return read(path, text, func(recording string) ([]byte, error) {
		if !filepath.IsAbs(recording) {
			recording = filepath.Join(filepath.Dir(path), recording)
		}
		return os.ReadFile(recording)
	})
}
