package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/cmd/twin"
	"footway/scenarios"
)

// hashFile, beside scenarios, holds the hash that each must have.
const hashFile = "hashes.txt"

func newTestCommand() *cobra.Command {
	var flags runFlags
	var junit, only string
	var asJSON, update bool
	cmd := &cobra.Command{
		Use:   "test PATH...",
		Short: "Run scenarios as regression tests",
		Long: `Run scenarios and hold each to the outcomes that it expects, to the invariants
that hold in every run, and to its hash in ` + hashFile + ` beside it, if that file
has one. PATH is a scenario or a folder of them.

The hash is a contract: when a change moves it on purpose, write the new ones
with --update and say why in the commit.`,
		Example: `  footway test scenarios/
  footway test scenarios/ --junit out/junit.xml
  footway test scenarios/lunch-rush.yaml --json
  footway test scenarios/ --update`,
		Args: wants("PATH..."),
		RunE: func(cmd *cobra.Command, args []string) error {
			paths, err := scenarioPaths(args, only)
			if err != nil {
				return err
			}
			if junit != "" {
				if err := checkFolder("--junit", junit); err != nil {
					return err
				}
			}
			golden := !cmd.Flags().Changed("seed") && len(flags.set) == 0 && len(flags.setAt) == 0 && flags.market == ""
			if update && !golden {
				return usagef("--update: the hashes are of the scenarios as they are; leave out --seed, --set, --set-at and --market")
			}
			w := textOut(cmd, asJSON)
			var all []*testCase
			for _, p := range paths {
				c := runCase(cmd.Context(), cmd, &flags, p)
				if err := cmd.Context().Err(); err != nil {
					return err
				}
				if golden && !update {
					c.holdToHash()
				}
				c.tell(w)
				all = append(all, c)
			}
			return conclude(cmd, w, all, junit, asJSON, update)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&junit, "junit", "", "write the results to this `file` as JUnit XML")
	cmd.Flags().StringVar(&only, "run", "", "only scenarios whose name contains this `text`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "a JSON array on standard output; everything else goes to standard error")
	cmd.Flags().BoolVar(&update, "update", false, "write the hashes of scenarios that did as expected to "+hashFile)
	return cmd
}

// scenarioPaths returns the scenario files that args mean, in order of name.
func scenarioPaths(args []string, only string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if errors.Is(err, fs.ErrNotExist) {
			if !slices.Contains(scenarios.Names(), arg) {
				return nil, noScenario(arg)
			}
			paths = append(paths, arg)
			continue
		}
		if err != nil {
			return nil, usageError{err}
		}
		if !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		found, err := filepath.Glob(filepath.Join(arg, "*.yaml"))
		if err != nil {
			return nil, usageError{err}
		}
		if len(found) == 0 {
			return nil, usagef("%s: a folder without scenarios (*.yaml)", arg)
		}
		paths = append(paths, found...)
	}
	paths = slices.DeleteFunc(paths, func(p string) bool { return !strings.Contains(caseName(p), only) })
	if len(paths) == 0 {
		return nil, usagef("--run %q: no scenario's name contains it", only)
	}
	return paths, nil
}

// testCase is one scenario and what came of it.
type testCase struct {
	path    string
	dir     string // where its hash is written down; "" for a built-in scenario
	name    string
	hash    string
	events  uint64
	took    time.Duration
	checked int      // outcomes and hash
	wrong   []string // what did not hold; empty if all did
}

// runCase runs the scenario at path.
func runCase(ctx context.Context, cmd *cobra.Command, flags *runFlags, path string) *testCase {
	c := &testCase{path: path, name: caseName(path)}
	began := time.Now()
	defer func() { c.took = time.Since(began) }()
	s, err := loadScenario(path)
	if err != nil {
		c.wrong = append(c.wrong, err.Error())
		return c
	}
	c.dir = s.dir
	o, err := flags.prepare(cmd, s)
	if err != nil {
		c.wrong = append(c.wrong, err.Error())
		return c
	}
	run, err := twin.New(ctx, o)
	if err == nil {
		err = run.All(ctx, nil)
	}
	if err != nil {
		c.wrong = append(c.wrong, err.Error())
	}
	if run == nil {
		return c
	}
	res := run.Result()
	c.hash, c.events, c.checked = res.Hash.String(), res.Events, len(res.Outcomes)
	for _, x := range res.Outcomes {
		if !x.Met {
			c.wrong = append(c.wrong, fmt.Sprintf("%s: got %s, want %s", x.Name, x.Got, x.Want))
		}
	}
	if len(s.Expect) == 0 {
		c.wrong = append(c.wrong, "expect: the scenario expects nothing, so it can only fail by an invariant; say what must come out")
	}
	return c
}

// caseName is the name of the file at path, without its ending.
func caseName(path string) string { return strings.TrimSuffix(filepath.Base(path), ".yaml") }

// holdToHash compares the hash with the one written down beside the scenario.
func (c *testCase) holdToHash() {
	if c.dir == "" {
		return
	}
	want, err := readHashes(c.dir)
	if err != nil {
		c.wrong = append(c.wrong, err.Error())
		return
	}
	if want == nil || c.hash == "" {
		return
	}
	c.checked++
	switch h, ok := want[c.name]; {
	case !ok:
		c.wrong = append(c.wrong, fmt.Sprintf("hash: %s has none for it; write it with footway test --update %s", hashFile, c.path))
	case h != c.hash:
		c.wrong = append(c.wrong, fmt.Sprintf("hash: got %.16s, want %.16s; if the change is meant, write the new one with footway test --update %s, and say why in the commit", c.hash, h, c.path))
	}
}

func (c *testCase) tell(w io.Writer) {
	if len(c.wrong) == 0 {
		fmt.Fprintf(w, "ok    %-32s %6.2fs  %8d events  %2d checks  %.16s\n", c.name, c.took.Seconds(), c.events, c.checked, c.hash)
		return
	}
	fmt.Fprintf(w, "FAIL  %-32s %6.2fs  %8d events\n", c.name, c.took.Seconds(), c.events)
	for _, x := range c.wrong {
		fmt.Fprintf(w, "      %s\n", strings.ReplaceAll(x, "\n", "\n      "))
	}
}

// conclude writes the files and the last line.
func conclude(cmd *cobra.Command, w io.Writer, all []*testCase, junit string, asJSON, update bool) error {
	failed := 0
	for _, c := range all {
		if len(c.wrong) > 0 {
			failed++
		}
	}
	if update {
		if err := writeHashes(w, all); err != nil {
			return err
		}
	}
	if junit != "" {
		if err := writeFile(junit, func(f *os.File) error { return writeJUnit(f, all) }); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "%d passed, %d failed\n", len(all)-failed, failed)
	if asJSON {
		if err := writeJSON(cmd.OutOrStdout(), casesJSON(all)); err != nil {
			return err
		}
	}
	if failed > 0 {
		return errUnmet
	}
	return nil
}

// readHashes reads the hash file of a folder; an absent one holds none.
func readHashes(dir string) (map[string]string, error) {
	path := filepath.Join(dir, hashFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	hashes := map[string]string{}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		name, hash, ok := strings.Cut(strings.TrimSpace(line), " ")
		if hash = strings.TrimSpace(hash); !ok || len(hash) != 64 {
			return nil, fmt.Errorf("%s:%d: %q; want a scenario's name and its hash of 64 digits", path, i+1, line)
		}
		hashes[name] = hash
	}
	return hashes, nil
}

// writeHashes puts the hashes of the cases that passed into their folders' files,
// and tells w.
func writeHashes(w io.Writer, all []*testCase) error {
	byDir := map[string]map[string]string{}
	for _, c := range all {
		dir := c.dir
		if dir == "" {
			continue
		}
		if byDir[dir] == nil {
			old, err := readHashes(dir)
			if err != nil {
				return err
			}
			byDir[dir] = map[string]string{}
			for name, h := range old {
				if _, err := os.Stat(filepath.Join(dir, name+".yaml")); err == nil {
					byDir[dir][name] = h
				}
			}
		}
		if len(c.wrong) == 0 {
			byDir[dir][c.name] = c.hash
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(byDir)) {
		path, hashes := filepath.Join(dir, hashFile), byDir[dir]
		err := writeFile(path, func(f *os.File) error {
			for _, name := range slices.Sorted(maps.Keys(hashes)) {
				if _, err := fmt.Fprintf(f, "%-32s %s\n", name, hashes[name]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s: %d hashes written\n", path, len(hashes))
	}
	return nil
}
