package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK     = 0 // all went well
	exitFailed = 1 // it ran, and something failed: an outcome not met, a run broken off, an error
	exitUsage  = 2 // the command line or an input file is wrong
)

// usageError is an error of the person at the command line, not of the program.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

// usagef returns an error that ends the program with exitUsage.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errUnmet ends the program with exitFailed after a command has itself said why.
var errUnmet = errors.New("unmet")

// run is the program. It returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUnmet):
		return exitFailed
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "footway: interrupted")
		return exitFailed
	}
	fmt.Fprintf(stderr, "footway: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitFailed
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "footway",
		Short:         "Run a fleet of sidewalk delivery robots, or its digital twin",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Long: `Footway is the backend of a sidewalk robot delivery company and its digital
twin in one program: the same core runs in production and in a deterministic
simulation.`,
		Example: `  footway run lunch-rush                      a scenario, with its numbers and a report
  footway map import city.osm.pbf -o city.fwnet
  footway replay day.jsonl --market city.fwnet
  footway test scenarios/`,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w; see %q", err, c.CommandPath()+" --help")
	})
	root.AddCommand(newRunCommand(), newReplayCommand(), newTestCommand(), newDiffCommand(),
		newMapCommand(), newRecordingsCommand())
	for _, c := range root.Commands() {
		asUsage(c)
	}
	return root
}

// asUsage makes wrong arguments an error of usage, on c and below it.
func asUsage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usagef("%s: %w; see %q", c.CommandPath(), err, c.CommandPath()+" --help")
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		asUsage(sub)
	}
}

// version names the program's build: its module version, or the commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return info.Main.Version
}
