package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"footway/core/fault"
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

// plain takes the names of Go functions off an error that has only one cause.
func plain(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e
	}
	if e, ok := errors.AsType[*fault.Error](err); ok && e.Err != nil {
		return e.Err
	}
	return err
}

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
		Example: `  footway run lunch-rush --out out/lunch          numbers here; log, report and KPIs there
  footway run lunch-rush --set fleet.robots=30    the same lunch with fewer robots
  footway test scenarios/                         is everything as it should be?
  footway map import city.osm.pbf -o city.fwnet   your own city
  footway replay day.jsonl --market city.fwnet    your own traffic`,
	}
	// A command that has others below it only shows its help: it needs no usage of its own.
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}", 1))
	root.SetFlagErrorFunc(wrongFlag)
	root.AddGroup(&cobra.Group{ID: groupRuns, Title: "Runs:"}, &cobra.Group{ID: groupInputs, Title: "What runs are made of:"}, &cobra.Group{ID: groupProduction, Title: "Production:"})
	addCommands(root, groupRuns, newDemoCommand(), newRunCommand(), newReplayCommand(), newTestCommand(), newDiffCommand(), newViewCommand())
	addCommands(root, groupInputs, newMapCommand(), newRecordingsCommand())
	addCommands(root, groupProduction, newServeCommand(), newRobotsCommand(), newConfigCommand(), newStoresCommand(), newPartnersCommand(), newMerchantsCommand(), newDeadLettersCommand())
	root.AddCommand(newVersionCommand())
	asUsage(root)
	return root
}

// The groups of commands in the overview.
const (
	groupRuns       = "runs"
	groupInputs     = "inputs"
	groupProduction = "production"
)

func addCommands(root *cobra.Command, group string, commands ...*cobra.Command) {
	for _, c := range commands {
		c.GroupID = group
		root.AddCommand(c)
	}
}

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print which build this is",
		Long:    "Print the program's version, or the commit it was built from, with Go's version and the platform.",
		Example: "  footway version",
		Args:    wants(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "footway %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// subcommand is the check of a command that has others below it: it takes no
// arguments, so one that got here is a name that none of them has.
func subcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("there is no command %q; did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return fmt.Errorf("there is no command %q", args[0])
}

// wants is the check of a command with one argument for each of names. A last
// name that ends in "..." stands for one or more.
func wants(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch more := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "..."); {
		case len(args) == len(names), more && len(args) > len(names):
			return nil
		case len(names) == 0:
			return fmt.Errorf("unexpected %q: it takes no arguments", args[0])
		case len(args) > len(names):
			return fmt.Errorf("unexpected %q: want only %s", args[len(names)], strings.Join(names, " "))
		}
		return fmt.Errorf("%s is missing", strings.Join(names[len(args):], " and "))
	}
}

// wrongFlag says what is wrong with a flag, in the words of the person who wrote it.
func wrongFlag(c *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		err = fmt.Errorf("--%s: %w", bad.GetFlag().Name, bad.Unwrap())
		switch bad.GetFlag().Value.Type() {
		case "uint64":
			err = fmt.Errorf("--%s %q: want a whole number from 0", bad.GetFlag().Name, bad.GetValue())
		case "bool":
			err = fmt.Errorf("--%s %q: want true or false", bad.GetFlag().Name, bad.GetValue())
		}
	}
	return usagef("%w; see %q", err, c.CommandPath()+" --help")
}

// asUsage makes wrong arguments an error of usage, on c and below it. A
// command that has others below it shows its help.
func asUsage(c *cobra.Command) {
	if c.HasSubCommands() {
		c.Args = subcommand
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	}
	if check := c.Args; check != nil {
		c.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return usagef("%w; see %q", err, c.CommandPath()+" --help")
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		asUsage(sub)
	}
}

// release names the build where the sources come without their history, as in an
// image: -ldflags "-X main.release=1.2.3".
var release string

// version names the program's build: its release, the commit, or its module's version.
func version() string {
	if release != "" {
		return release
	}
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
