package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"footway/adapters/backends"
)

// program is what the command has of the world.
type program struct {
	stdin          *os.File
	stdout, stderr io.Writer
	environ        []string
}

// options are the flags and what follows them.
type options struct {
	keep    bool
	dir     string
	json    bool
	command []string
}

const usage = `usage: backends [--keep] [--dir DIR] [--json] [-- COMMAND ARGS...]

Starts PostgreSQL, RabbitMQ and dynalite, except those that the environment
names already, and runs COMMAND with their addresses in FOOTWAY_TEST_POSTGRES,
FOOTWAY_TEST_RABBITMQ and FOOTWAY_TEST_DYNAMODB_ENDPOINT. Without COMMAND it
prints the addresses and keeps the servers running until Ctrl-C.

`

// Exit codes beside the command's own.
const (
	exitFailed = 1
	exitUsage  = 2
)

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("backends", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.keep, "keep", false, "keep the folder of data and logs; a later start with the same --dir goes on with it")
	flags.StringVar(&o.dir, "dir", "", "`folder` for data and logs (default: a new one in the folder for temporary files)")
	flags.BoolVar(&o.json, "json", false, "without COMMAND: print the addresses as JSON, not as lines for a shell")
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	err = flags.Parse(args)
	o.command = flags.Args()
	return o, err
}

// run is the program. It returns once everything that it started has ended.
func run(ctx context.Context, args []string, p program) (code int) {
	o, err := parse(args, p.stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return exitUsage
	}
	fail := func(err error) {
		fmt.Fprintf(p.stderr, "backends: %v\n", err)
		code = max(code, exitFailed)
	}
	dir, remove, err := folder(o)
	if err != nil {
		fail(err)
		return code
	}
	defer func() {
		if err := remove(); err != nil {
			fail(err)
		}
	}()

	set := set{dir: dir, keep: o.keep, stderr: p.stderr, addresses: named(p.environ)}
	defer func() {
		if err := set.stop(context.WithoutCancel(ctx)); err != nil {
			fail(err)
		}
	}()
	start := time.Now()
	if err := set.start(ctx); err != nil {
		fail(err)
		return code
	}
	fmt.Fprintf(p.stderr, "backends: ready after %.1f s\n", time.Since(start).Seconds())
	if len(set.lacking) > 0 && slices.Contains(p.environ, "CI=true") {
		fail(errors.New("CI=true, and what is named above cannot be run"))
		return code
	}
	if len(o.command) > 0 {
		return execute(ctx, o.command, p, set.environ(p.environ))
	}
	if err := set.print(p.stdout, o.json); err != nil {
		fail(err)
		return code
	}
	fmt.Fprintln(p.stderr, "backends: running until Ctrl-C")
	<-ctx.Done()
	return code
}

// named returns the addresses that the environment holds already.
func named(environ []string) map[backends.Kind]string {
	addresses := map[backends.Kind]string{}
	for _, line := range environ {
		name, value, _ := strings.Cut(line, "=")
		if k := backends.Kind(name); value != "" && slices.Contains(backends.Kinds(), k) {
			addresses[k] = value
		}
	}
	return addresses
}

// folder makes the folder of the servers' folders; remove removes it, unless
// the person wants to keep it or named one that was there.
func folder(o options) (dir string, remove func() error, err error) {
	nothing := func() error { return nil }
	if o.dir == "" {
		dir, err = os.MkdirTemp("", "footway-backends-")
		if err != nil {
			return "", nil, err
		}
		remove = func() error { return os.RemoveAll(dir) }
		if o.keep {
			remove = nothing
		}
		return dir, remove, os.Chmod(dir, 0o755)
	}
	dir, err = filepath.Abs(o.dir)
	if err != nil {
		return "", nil, err
	}
	return dir, nothing, os.MkdirAll(dir, 0o755)
}

// print tells a person, or a program, the addresses.
func (s *set) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s.addresses)
	}
	for _, k := range backends.Kinds() {
		if address, ok := s.addresses[k]; ok {
			if _, err := fmt.Fprintf(w, "export %s='%s'\n", k, address); err != nil {
				return err
			}
		}
	}
	return nil
}

// environ returns the command's environment: that of this program and the addresses.
func (s *set) environ(base []string) []string {
	env := slices.Clone(base)
	for _, k := range backends.Kinds() {
		if address, ok := s.addresses[k]; ok {
			env = append(env, string(k)+"="+address) // the last one of a name counts
		}
	}
	return env
}
