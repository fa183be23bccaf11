package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/kpi"
	"footway/scenarios"
)

// output is where a run's results go.
type output struct {
	dir        string
	json       bool
	checkpoint string         // file to write when the run comes to stopAt
	stopAt     clock.Duration // after the start
	resume     string         // checkpoint file to go on from
}

func (o *output) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.dir, "out", "", "`folder` for run.fwlog, report.html, kpis.json, scenario.yaml, of which the run can be made again, and market.fwnet, the map")
	cmd.Flags().BoolVar(&o.json, "json", false, "one JSON object on standard output; everything else goes to standard error")
	cmd.Flags().StringVar(&o.checkpoint, "checkpoint", "", "stop at --stop-at and write the run down in this `file`")
	cmd.Flags().TextVar(&o.stopAt, "stop-at", clock.Duration(0), "`time` after the start at which --checkpoint stops, such as 1h30m")
	cmd.Flags().Lookup("stop-at").DefValue = "" // "default 0s" would only puzzle
	cmd.Flags().StringVar(&o.resume, "resume", "", "go on from this checkpoint `file` of the same scenario, seed and settings")
}

func newRunCommand() *cobra.Command {
	var flags runFlags
	var out output
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario as fast as it goes",
		Long: `Run a scenario as fast as it goes, and show what came of it. SCENARIO is a file,
or the name of one that the program carries:

` + columns(scenarios.Names()) + `
The exit code is 0 if all went as the scenario expects, 1 if an outcome was not
met or an invariant broke, 2 if the scenario or the command line is wrong.`,
		Example: `  footway run lunch-rush
  footway run lunch-rush --seed 7 --set fleet.robots=30 --out out/thirty
  footway run my.yaml --json | jq .kpis.click_to_door_p90
  footway run lunch-rush --stop-at 90m --checkpoint noon.cp
  footway run lunch-rush --resume noon.cp`,
		Args: wants("SCENARIO"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := loadScenario(args[0])
			if err != nil {
				return err
			}
			o, err := flags.prepare(cmd, s)
			if err != nil {
				return err
			}
			return runAndTell(cmd, s, o, &out, nil)
		},
	}
	flags.register(cmd)
	out.register(cmd)
	return cmd
}

// check finds what is wrong before the run takes its time.
func (o *output) check() error {
	switch {
	case o.checkpoint == "" && o.stopAt == 0:
		return nil
	case o.checkpoint == "":
		return usagef("--stop-at: --checkpoint is missing, the file to write the run down in")
	case o.stopAt <= 0:
		return usagef("--checkpoint: --stop-at is missing, a time after the start such as 1h30m")
	}
	return checkFolder("--checkpoint", o.checkpoint)
}

// runAndTell runs what o says and writes what came of it. more, if not nil,
// adds to what the terminal shows.
func runAndTell(cmd *cobra.Command, s *scenarioFile, o twin.Options, out *output, more func(io.Writer) error) error {
	if err := out.check(); err != nil {
		return err
	}
	ctx := cmd.Context()
	results, err := openResults(out.dir)
	if err != nil {
		return err
	}
	defer results.discard()
	o.Log = results.log()
	run, err := startRun(ctx, o, out.resume)
	if err != nil {
		return err
	}
	began := time.Now()
	bar := newProgress(cmd.ErrOrStderr(), s.Name)
	stopped, err := stepThrough(ctx, run, bar, out.stopAt)
	bar.done()
	if stopped {
		return writeCheckpoint(cmd, run, out)
	}
	if out.checkpoint != "" && err == nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "--stop-at %v: the run was over after %v; no checkpoint written\n", out.stopAt, toSeconds(run.Elapsed()))
	}
	wall := time.Since(began)
	broken := err
	if ctx.Err() != nil {
		return ctx.Err()
	}
	res := run.Result()
	if err := results.keep(s, o, res, wall, command()); err != nil {
		return err
	}
	if err := show(cmd, s, res, wall, out); err != nil {
		return err
	}
	if more != nil {
		if err := more(textOut(cmd, out.json)); err != nil {
			return err
		}
	}
	return verdict(res, broken)
}

func startRun(ctx context.Context, o twin.Options, checkpoint string) (*twin.Run, error) {
	if checkpoint == "" {
		run, err := twin.New(ctx, o)
		if err != nil {
			return nil, usageError{err}
		}
		return run, nil
	}
	written, err := os.ReadFile(checkpoint)
	if err != nil {
		return nil, usagef("--resume: %w", err)
	}
	if !json.Valid(written) {
		return nil, usagef("--resume %s: this is no checkpoint, or not a whole one; want a file that --checkpoint wrote", checkpoint)
	}
	run, err := twin.Resume(ctx, o, written)
	if err != nil {
		return nil, usagef("--resume %s: %w", checkpoint, err)
	}
	return run, nil
}

// stepThrough runs to the end, or to stopAt if that is not 0.
func stepThrough(ctx context.Context, run *twin.Run, bar *progress, stopAt clock.Duration) (stopped bool, err error) {
	if stopAt == 0 {
		return false, run.All(ctx, bar.show)
	}
	for n := 0; run.Elapsed() < stopAt; n++ {
		if n%1024 == 0 {
			if err := errors.Join(ctx.Err(), bar.show(run.Progress())); err != nil {
				return false, err
			}
		}
		more, err := run.Step(ctx)
		if err != nil {
			return false, err
		}
		if !more {
			return false, run.Finish()
		}
	}
	return true, nil
}

func writeCheckpoint(cmd *cobra.Command, run *twin.Run, out *output) error {
	b, err := run.Checkpoint()
	if err != nil {
		return err
	}
	if err := writeFile(out.checkpoint, func(f *os.File) error { _, err := f.Write(b); return err }); err != nil {
		return err
	}
	at := run.Progress()
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "stopped at %v, %v after the start; go on with --resume %s\n", at.Now, toSeconds(run.Elapsed()), out.checkpoint)
	return err
}

// jsonResult is the object of --json.
type jsonResult struct {
	Hash     string          `json:"hash"`
	Scenario string          `json:"scenario"`
	Seed     uint64          `json:"seed"`
	Events   uint64          `json:"events"`
	SimS     float64         `json:"sim_s"`
	WallS    float64         `json:"wall_s"`
	Outcomes map[string]bool `json:"outcomes"`
	KPIs     kpi.Result      `json:"kpis"`
}

func resultJSON(name string, seed uint64, res twin.Result, wall time.Duration) jsonResult {
	j := jsonResult{
		Hash: res.Hash.String(), Scenario: name, Seed: seed, Events: res.Events,
		SimS: res.Sim.Seconds(), WallS: wall.Seconds(), Outcomes: map[string]bool{}, KPIs: res.KPIs,
	}
	for _, o := range res.Outcomes {
		j.Outcomes[o.Name+" "+o.Want] = o.Met
	}
	return j
}

// textOut is where people read: standard error if standard output is a program's.
func textOut(cmd *cobra.Command, json bool) io.Writer {
	if json {
		return cmd.ErrOrStderr()
	}
	return cmd.OutOrStdout()
}

// show writes what came of a run.
func show(cmd *cobra.Command, s *scenarioFile, res twin.Result, wall time.Duration, out *output) error {
	w := textOut(cmd, out.json)
	if err := kpi.Table(w, res.KPIs, colored(w)); err != nil {
		return err
	}
	fmt.Fprintln(w)
	for _, o := range res.Outcomes {
		mark := "met    "
		if !o.Met {
			mark = "NOT MET"
		}
		fmt.Fprintf(w, "%s  %s: %s, want %s\n", mark, o.Name, o.Got, o.Want)
	}
	fmt.Fprintf(w, "%s, seed %d: %v of the city in %.2f s (%.0f times faster), %d events\nhash %s\n",
		s.Name, s.Seed, toSeconds(res.Sim), wall.Seconds(), res.Sim.Seconds()/max(wall.Seconds(), 1e-9), res.Events, res.Hash.Short())
	if out.dir != "" {
		fmt.Fprintf(w, "report %s/report.html\n", strings.TrimSuffix(out.dir, "/"))
	}
	if out.json {
		return writeJSON(cmd.OutOrStdout(), resultJSON(s.Name, s.Seed, res, wall))
	}
	return nil
}

// verdict is how the program ends.
func verdict(res twin.Result, broken error) error {
	if broken != nil {
		return broken
	}
	for _, o := range res.Outcomes {
		if !o.Met {
			return errUnmet
		}
	}
	return nil
}

// command is the command line that makes the run again.
func command() string {
	args := append([]string{"footway"}, os.Args[1:]...)
	for i, a := range args {
		if strings.ContainsAny(a, " \t\"'$\\") {
			args[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(args, " ")
}

// toSeconds drops what people do not read of a long time.
func toSeconds(d clock.Duration) clock.Duration { return d - d%clock.Second }

// columns writes names in three columns, row by row.
func columns(names []string) string {
	var b strings.Builder
	for row := range slices.Chunk(names, 3) {
		line := ""
		for _, name := range row {
			line += fmt.Sprintf("  %-26s", name)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
