package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"footway/adapters/osm"
	"footway/adapters/zstd"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/rng"
	"footway/sim/city"
)

// networkHelp says what loadNetwork takes, for commands' help texts.
const networkHelp = `NETWORK is a network file (.fwnet), an OpenStreetMap extract (.osm.pbf), or
"city" for the built-in city; "city:7" is another city, grown from seed 7.`

// citySeed grows the built-in city.
const citySeed = 1

// loadNetwork returns the network that path names: a .fwnet file, an
// OpenStreetMap extract, which it imports, or the generated city.
func loadNetwork(path string) (*maps.Network, error) {
	switch {
	case path == "city":
		return city.Generate(citySeed, city.Options{})
	case strings.HasPrefix(path, "city:"):
		seed, err := strconv.ParseUint(path[len("city:"):], 10, 64)
		if err != nil {
			return nil, usagef("network %q: want a number behind the colon, as in city:7", path)
		}
		return city.Generate(rng.Seed(seed), city.Options{})
	case strings.HasSuffix(path, ".osm.pbf"), strings.HasSuffix(path, ".pbf"):
		n, _, err := importExtract(context.Background(), path, nil)
		return n, err
	case strings.HasSuffix(path, ".fwnet"):
		return readNetwork(path)
	}
	return nil, wrongKind(path)
}

// wrongKind says what to do with a file that holds no network.
func wrongKind(path string) error {
	const want = "want a .fwnet or .osm.pbf file, or city"
	switch {
	case strings.HasSuffix(path, ".osm"), strings.HasSuffix(path, ".osm.bz2"), strings.HasSuffix(path, ".osm.gz"), strings.HasSuffix(path, ".o5m"):
		return usagef("network %q: convert it first with osmium cat %s -o %s.osm.pbf", path, path, networkName(path))
	case strings.HasSuffix(path, ".fwlog"), strings.HasSuffix(path, ".yaml"), strings.HasSuffix(path, ".jsonl"):
		return usagef("network %q: this is no map; %s", path, want)
	}
	if _, err := os.Stat(path); err != nil {
		return missing(path, err)
	}
	return usagef("network %q: unknown kind of file; %s", path, want)
}

// missing explains why path cannot be opened, with the names that come near.
func missing(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return usagef("network %q: %w", path, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return usagef("network %q: there is no folder %q", path, filepath.Dir(path))
	}
	var near []string
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".fwnet") || strings.HasSuffix(name, ".osm.pbf") {
			near = append(near, name)
		}
	}
	if len(near) == 0 {
		return usagef("network %q: there is no such file, and no network beside it", path)
	}
	slices.Sort(near)
	const most = 6
	if len(near) > most {
		near = append(near[:most], "…")
	}
	return usagef("network %q: there is no such file; beside it: %s", path, strings.Join(near, ", "))
}

// networkName is a file's name without folder and endings.
func networkName(path string) string {
	name, _, _ := strings.Cut(filepath.Base(path), ".")
	return name
}

// inFile names the file in an error of reading it, which is the caller's if the
// file is wrong.
func inFile(path string, err error) error {
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Exhausted) {
		return usagef("%s: %w", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

// importExtract reads an OpenStreetMap extract.
func importExtract(ctx context.Context, path string, progress func(done, total int64)) (*maps.Network, *osm.Report, error) {
	f, size, err := openNetwork(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	n, report, err := osm.Import(ctx, networkName(path), f, size, osm.Options{Progress: progress})
	if err != nil {
		return nil, report, inFile(path, err)
	}
	return n, report, nil
}

// openNetwork opens a file of bytes, not a folder or a pipe.
func openNetwork(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, missing(path, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = usagef("network %q: not a regular file", path)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// readNetwork reads a .fwnet file.
func readNetwork(path string) (*maps.Network, error) {
	f, _, err := openNetwork(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := maps.Decode(f, &zstd.Codec{})
	if err != nil {
		return nil, inFile(path, err)
	}
	return n, nil
}

// writeNetwork writes a .fwnet file.
func writeNetwork(path string, n *maps.Network) error {
	return writeFile(path, func(f *os.File) error { return maps.Encode(f, n, &zstd.Codec{}) })
}

// checkFolder finds, before the work, that path will have no folder to be written to.
func checkFolder(flag, path string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usagef("%s %s: there is no folder %s", flag, path, dir)
	}
	return nil
}

// writeFile writes path whole or not at all: into a file beside it that takes
// its name when write has succeeded.
func writeFile(path string, write func(*os.File) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("write %s: there is no folder %s", path, filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644) // CreateTemp gives 0600
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}
