package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"footway/adapters/zstd"
	"footway/core/kpi"
	"footway/core/runlog"
)

func newDiffCommand() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "Compare two runs, KPI by KPI, and find the first event where they part",
		Long: `Compare two runs. A and B are run logs (.fwlog), or the folders that --out
filled. KPIs over deliveries have 95% confidence intervals, by the bootstrap over
the orders that both runs met. The exit code is 0 if the logs are equal, 1 if they are not.`,
		Example: `  footway diff out/nearest out/rolling
  footway diff a.fwlog b.fwlog --json`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			a, err := openLog(args[0])
			if err != nil {
				return err
			}
			defer a.file.Close()
			b, err := openLog(args[1])
			if err != nil {
				return err
			}
			defer b.file.Close()
			return compare(cmd, a, b, all, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object on standard output; everything else goes to standard error")
	cmd.Flags().BoolVar(&all, "all", false, "show KPIs that are the same, too")
	return cmd
}

// readLog is a run log that is open.
type readLog struct {
	*runlog.Reader
	path string
	file *os.File
}

// openLog opens a run log, or the one in a folder.
func openLog(path string) (*readLog, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, logFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, usageError{err}
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r, err := runlog.Open(f, info.Size(), &zstd.Codec{})
	if err != nil {
		return nil, errors.Join(usagef("%s: %w", path, err), f.Close())
	}
	return &readLog{Reader: r, path: path, file: f}, nil
}

// numbers folds the log to its KPIs.
func (l *readLog) numbers() (*kpi.Run, error) {
	c := kpi.NewCollector()
	for e, err := range l.Events(1) {
		if err != nil {
			return nil, usagef("%s: %w", l.path, err)
		}
		c.Observe(e)
	}
	if err := c.Err(); err != nil {
		return nil, usagef("%s: %w", l.path, err)
	}
	return c.Run(), nil
}

// diffJSON is the object of --json.
type diffJSON struct {
	A       string       `json:"a"`
	B       string       `json:"b"`
	Equal   bool         `json:"equal"`
	PartAt  uint64       `json:"part_at,omitempty"` // number of the first event that differs
	Changes []kpi.Change `json:"changes"`
}

func compare(cmd *cobra.Command, a, b *readLog, all, asJSON bool) error {
	w := textOut(cmd, asJSON)
	for _, l := range []*readLog{a, b} {
		if err := l.Broken(); err != nil {
			fmt.Fprintf(w, "%s is incomplete: %v\n", l.path, err)
		}
	}
	d, err := runlog.FirstDifference(a.Reader, b.Reader)
	if err != nil {
		return usageError{err}
	}
	runA, err := a.numbers()
	if err != nil {
		return err
	}
	runB, err := b.numbers()
	if err != nil {
		return err
	}
	changes := kpi.Compare(runA, runB)
	fmt.Fprintf(w, "A  %s  %s seed %d  %s\nB  %s  %s seed %d  %s\n\n",
		a.Hash().Short(), a.Header().Scenario, a.Header().Seed, a.path, b.Hash().Short(), b.Header().Scenario, b.Header().Seed, b.path)
	if err := kpi.ChangeTable(w, changes, all, colored(w)); err != nil {
		return err
	}
	fmt.Fprintln(w)
	out := diffJSON{A: a.Hash().String(), B: b.Hash().String(), Equal: d == nil, Changes: changes}
	if d == nil {
		fmt.Fprintln(w, "the logs are equal, event by event")
	} else {
		out.PartAt = d.Seq
		fmt.Fprint(w, d)
	}
	if asJSON {
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	}
	if d != nil {
		return errUnmet
	}
	return nil
}
