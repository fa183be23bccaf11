package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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
the orders that both runs met. Only whole logs have KPIs: not one whose run was broken
off, and not one that a resumed run wrote.

The exit code is 0 if the logs are equal, 1 if they are not, 2 if one is no run
log or is damaged.`,
		Example: `  footway diff out/nearest out/rolling
  footway diff a.fwlog b.fwlog --json`,
		Args: wants("A", "B"),
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
	if errors.Is(err, fs.ErrNotExist) {
		return nil, usagef("%s: there is no such file; want a run log (.fwlog), or a folder that footway run --out filled", path)
	}
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

// whole reports whether the log has a run from its beginning to its end, and if not, why.
func (l *readLog) whole() (bool, string) {
	if err := l.Broken(); err != nil {
		return false, fmt.Sprintf("%s is damaged or was not closed: %v", l.path, err)
	}
	if after := l.Header().After; after > 0 {
		return false, fmt.Sprintf("%s is of a resumed run: it begins after event %d", l.path, after)
	}
	return true, ""
}

// diffJSON is the object of --json.
type diffJSON struct {
	A        string       `json:"a"`
	B        string       `json:"b"`
	Equal    bool         `json:"equal"`
	PartAt   uint64       `json:"part_at,omitempty"`   // number of the first event that differs
	MatterAt uint64       `json:"matter_at,omitempty"` // of the first after it, if the logs part in the settings of run.began
	Changes  []kpi.Change `json:"changes"`             // empty if a log is not whole
}

func compare(cmd *cobra.Command, a, b *readLog, all, asJSON bool) error {
	w := textOut(cmd, asJSON)
	fmt.Fprintf(w, "A  %s  %s seed %d  %s\nB  %s  %s seed %d  %s\n\n",
		a.Hash().Short(), a.Header().Scenario, a.Header().Seed, a.path, b.Hash().Short(), b.Header().Scenario, b.Header().Seed, b.path)
	out := diffJSON{A: a.Hash().String(), B: b.Hash().String()}
	var err error
	if out.Changes, err = compareNumbers(w, a, b, all); err != nil {
		return err
	}
	if err := compareEvents(w, a, b, &out); err != nil {
		return usageError{err}
	}
	if asJSON {
		if err := writeJSON(cmd.OutOrStdout(), out); err != nil {
			return err
		}
	}
	for _, l := range []*readLog{a, b} {
		if err := l.Broken(); err != nil {
			return usagef("%s: %w", l.path, err)
		}
	}
	if !out.Equal {
		return errUnmet
	}
	return nil
}

// compareNumbers compares KPI by KPI, if both logs have all that KPIs are of.
func compareNumbers(w io.Writer, a, b *readLog, all bool) ([]kpi.Change, error) {
	comparable := true
	for _, l := range []*readLog{a, b} {
		if ok, why := l.whole(); !ok {
			comparable = false
			fmt.Fprintln(w, why)
		}
	}
	if !comparable {
		_, err := fmt.Fprint(w, "so there are no KPIs to compare, only events\n\n")
		return []kpi.Change{}, err
	}
	runA, err := a.numbers()
	if err != nil {
		return nil, err
	}
	runB, err := b.numbers()
	if err != nil {
		return nil, err
	}
	changes := kpi.Compare(runA, runB)
	if err := kpi.ChangeTable(w, changes, all, colored(w)); err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(w)
	return changes, err
}

// compareEvents finds where the logs part. Runs with other settings part at
// their first event, which tells them, so it finds where that began to matter, too.
func compareEvents(w io.Writer, a, b *readLog, out *diffJSON) error {
	d, err := runlog.FirstDifference(a.Reader, b.Reader)
	if err != nil {
		return err
	}
	if out.Equal = d == nil; out.Equal {
		from := ""
		if after := max(a.Header().After, b.Header().After); after > 0 {
			from = fmt.Sprintf(" from event %d on", after+1)
		}
		_, err := fmt.Fprintf(w, "the logs are equal, event by event%s\n", from)
		return err
	}
	out.PartAt = d.Seq
	fmt.Fprint(w, d)
	if d.A == nil || d.B == nil || d.A.Kind != "run.began" || d.B.Kind != "run.began" {
		return nil
	}
	d, err = runlog.DifferenceFrom(a.Reader, b.Reader, d.Seq+1)
	if err != nil {
		return err
	}
	if d == nil {
		_, err := fmt.Fprintln(w, "\nit did not matter: all that follows is equal")
		return err
	}
	out.MatterAt = d.Seq
	_, where, _ := strings.Cut(d.String(), "\n")
	_, err = fmt.Fprintf(w, "\nand it first mattered at event %d\n%s", d.Seq, where)
	return err
}
