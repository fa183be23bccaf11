package main

import (
	"context"
	"fmt"
	"io"
	"os"
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
	cmd.Flags().StringVar(&o.dir, "out", "", "folder for run.fwlog, report.html and kpis.json")
	cmd.Flags().BoolVar(&o.json, "json", false, "one JSON object on standard output; everything else goes to standard error")
	cmd.Flags().StringVar(&o.checkpoint, "checkpoint", "", "stop at --stop-at and write the run down in this file")
	cmd.Flags().TextVar(&o.stopAt, "stop-at", clock.Duration(0), "time after the start at which --checkpoint stops, such as 1h30m")
	cmd.Flags().StringVar(&o.resume, "resume", "", "go on from this checkpoint of the same scenario, seed and settings")
}

func newRunCommand() *cobra.Command {
	var flags runFlags
	var out output
	cmd := &cobra.Command{
		Use:   "run SCENARIO",
		Short: "Run a scenario as fast as it goes",
		Long: `Run a scenario as fast as it goes, and show what came of it. SCENARIO is a file,
or the name of one that the program carries: ` + strings.Join(scenarios.Names(), ", ") + `.

The exit code is 0 if all went as the scenario expects, 1 if an outcome was not
met or an invariant broke, 2 if the scenario or the command line is wrong.`,
		Example: `  footway run lunch-rush
  footway run lunch-rush --seed 7 --set fleet.robots=30 --out out/thirty
  footway run my.yaml --json | jq .kpis.click_to_door_p90
  footway run lunch-rush --stop-at 90m --checkpoint noon.cp
  footway run lunch-rush --resume noon.cp`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := loadScenario(args[0])
			if err != nil {
				return err
			}
			o, err := flags.prepare(cmd.Context(), cmd, s)
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

// runAndTell runs what o says and writes what came of it. more, if not nil,
// adds to what the terminal shows.
func runAndTell(cmd *cobra.Command, s *scenarioFile, o twin.Options, out *output, more func(io.Writer) error) error {
	if (out.checkpoint == "") != (out.stopAt == 0) {
		return usagef("--checkpoint and --stop-at go together")
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
	for run.Elapsed() < stopAt {
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
	fmt.Fprintf(cmd.ErrOrStderr(), "stopped at %v after %d events; go on with --resume %s\n", run.Progress().Now, run.Progress().Events, out.checkpoint)
	return nil
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
		s.Name, s.Seed, res.Sim, wall.Seconds(), res.Sim.Seconds()/max(wall.Seconds(), 1e-9), res.Events, res.Hash.Short())
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
