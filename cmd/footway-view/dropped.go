package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"

	"footway/adapters/zstd"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/desk"
	"footway/visualizer/window"
)

// dropped opens what was dropped on the window: the folder of a run, or the files of one. A second run is laid beside the first.
func dropped(files fs.FS, l look) window.Opening {
	read := later(func() (*[]*opened, error) {
		runs, err := readDropped(files)
		return &runs, err
	})
	return &stages{steps: []stage{{"reading what was dropped", func(time.Duration) (d *desk.Desk, more bool, part float64, err error) {
		runs, err := read()
		if runs == nil || err != nil {
			return nil, err == nil, 0, err
		}
		a, b := (*runs)[0], (*opened)(nil)
		if len(*runs) > 1 {
			if b = (*runs)[1]; a.net.Hash() != b.net.Hash() {
				return nil, false, 0, errors.New("the two runs that were dropped are on different maps")
			}
		}
		link := desk.NewLink()
		link.Theme, link.Run = l.Theme, a.name
		if b != nil {
			link.Compare = b.name
		}
		d, err = file(a, b, look{Link: link, address: l.address})
		return d, false, 1, err
	}}}}
}

// readDropped reads one run or two with their maps, and what they were made of if that is there.
func readDropped(files fs.FS) ([]*opened, error) {
	var logs []string
	byName := map[string]string{} // the first path of each file
	err := fs.WalkDir(files, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		if _, twice := byName[path.Base(p)]; !twice {
			byName[path.Base(p)] = p
		}
		if strings.HasSuffix(p, ".fwlog") {
			logs = append(logs, p)
		}
		if len(byName) > 1000 {
			return errors.New("more than 1,000 files were dropped; want the folder of a run, or of two")
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case len(logs) == 0:
		return nil, errors.New("there is no run among what was dropped; want the folder that footway run --out wrote, with its run.fwlog and market.fwnet")
	case len(logs) > 2:
		return nil, fmt.Errorf("%d runs were dropped; want one, or two to compare", len(logs))
	}
	var runs []*opened
	for _, log := range logs {
		x, err := readDroppedRun(files, log, byName)
		if err != nil {
			return nil, err
		}
		runs = append(runs, x)
	}
	return runs, nil
}

// readDroppedRun reads a log with what is beside it, or was dropped with it.
func readDroppedRun(files fs.FS, log string, byName map[string]string) (*opened, error) {
	beside := func(name string) (string, bool) {
		if p := path.Join(path.Dir(log), name); fs.ValidPath(p) {
			if _, err := fs.Stat(files, p); err == nil {
				return p, true
			}
		}
		p, ok := byName[path.Base(name)]
		return p, ok
	}
	x := &opened{name: log}
	text, err := readAtMost(files, log, maxLog)
	if err == nil {
		x.log, err = runlog.Open(bytes.NewReader(text), int64(len(text)), &zstd.Codec{})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", log, err)
	}
	market, ok := beside("market.fwnet")
	if !ok {
		return nil, fmt.Errorf("%s was dropped without its map; want market.fwnet with it: drop the folder of the run", log)
	}
	if text, err = readAtMost(files, market, maxMap); err == nil {
		x.net, err = maps.Decode(bytes.NewReader(text), &zstd.Codec{})
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", market, err)
	}
	if at, ok := beside(scenarioFile); ok {
		if text, x.wrong = readAtMost(files, at, maxLog); x.wrong == nil {
			x.scenario, x.wrong = read(at, text, func(recording string) ([]byte, error) {
				at, ok := beside(recording)
				if !ok {
					return nil, fmt.Errorf("%s was not dropped with it", recording)
				}
				return readAtMost(files, at, maxLog)
			})
		}
	}
	return x, nil
}

// readAtMost reads a file of at most limit bytes.
func readAtMost(files fs.FS, name string, limit int64) ([]byte, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("it has more than %d MB", limit>>20)
	}
	return b, err
}
