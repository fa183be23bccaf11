//go:build !js

// Command footway-view is the visualizer's window: it plays run logs, watches a
// running system, compares, and runs scenarios anew with other settings. Built for js/wasm it
// is the same in a browser, where cmd/web serves it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"footway/visualizer/desk"
	"footway/visualizer/scene"
	"footway/visualizer/window"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr)
	stop()
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
	case errors.Is(err, context.Canceled):
		os.Exit(130)
	default:
		fmt.Fprintln(os.Stderr, "footway-view:", err)
		os.Exit(2)
	}
}

const usage = `footway-view shows a city of robots.

  footway-view out/lunch-rush                      play a run that --out kept
  footway-view a/run.fwlog --compare b/run.fwlog   two runs beside each other
  footway-view --demo lunch-rush                   run a scenario here and watch it
  footway-view --live https://ops.example.com --market city --token-file token

`

// flags are what the command line says.
type flags struct {
	look
	market, compare, theme, demo, scenario string
	live, token                            string
	run                                    string
}

func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	var f flags
	set := flag.NewFlagSet("footway-view", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() { fmt.Fprint(stderr, usage); set.PrintDefaults() }
	set.StringVar(&f.market, "market", "", "the map of the run, if it is not beside the log: .fwnet, .osm.pbf, city, city:SEED")
	set.StringVar(&f.at, "at", "", "time to begin at, such as 12:30 or +1h20m")
	set.StringVar(&f.selected, "select", "", "what is looked at closer, such as robot/r7")
	set.StringVar(&f.look.follow, "follow", "", "what is followed")
	set.StringVar(&f.theme, "theme", "light", "light or dark")
	set.StringVar(&f.compare, "compare", "", "a run to compare with")
	set.StringVar(&f.demo, "demo", "", "run a scenario that comes with the program")
	set.StringVar(&f.scenario, "scenario", "", "the scenario file of the run, to tune it; else one of the program's of that name")
	set.StringVar(&f.live, "live", "", "address of a running system to watch")
	set.StringVar(&f.token, "token-file", "", "file with a token for --live")
	set.BoolVar(&f.play, "play", false, "play at once")
	var rest []string
	for len(args) > 0 { // flags may stand behind the run
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if args = set.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	switch f.theme {
	case "light":
	case "dark":
		f.dark = true
	default:
		return nil, fmt.Errorf("--theme %s: want light or dark", f.theme)
	}
	if n := len(rest); n == 1 {
		f.run = rest[0]
	} else if n > 1 {
		return nil, fmt.Errorf("want one RUN, not %d: another one goes after --compare", n)
	}
	given := 0
	for _, x := range []string{f.run, f.demo, f.live} {
		if x != "" {
			given++
		}
	}
	if given == 0 {
		f.demo, f.play = "lunch-rush", true
	}
	if given > 1 {
		return nil, errors.New("want one of RUN, --demo and --live")
	}
	return &f, nil
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	f, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	o := window.Options{Host: host{stderr}}
	if f.dark {
		o.Theme = scene.Dark
	}
	closer, err := f.open(ctx, &o)
	if err != nil {
		return err
	}
	defer closer()
	o.Seen = func(*desk.Desk, window.Seen) error { return ctx.Err() }
	return window.Run(o)
}

// open prepares what is to be seen. What the command line has wrong is said before there is a window.
func (f *flags) open(ctx context.Context, o *window.Options) (closer func(), err error) {
	closer = func() {}
	switch {
	case f.demo != "":
		o.Title, o.Opening = f.demo, demo(f.demo, nil, f.look)
		return closer, nil
	case f.live != "":
		return f.openLive(ctx, o)
	}
	o.Title = f.run
	a, err := openRun(ctx, f.run, f.market)
	if err != nil {
		return closer, err
	}
	files := []*readRun{a}
	closer = func() {
		for _, x := range files {
			x.file.Close() // it was only read
		}
	}
	var b *opened
	if f.compare != "" {
		other, err := openRun(ctx, f.compare, f.market)
		if err != nil {
			return closer, err
		}
		files, b = append(files, other), &other.opened
		if other.net.Hash() != a.net.Hash() {
			return closer, fmt.Errorf("%s is a run on another map than %s", f.compare, f.run)
		}
	}
	sim, err := f.simulator(a)
	if err != nil {
		return closer, err
	}
	d, err := file(&a.opened, b, sim, f.look)
	o.Opening = &stages{steps: []stage{{"opening", func(time.Duration) (*desk.Desk, bool, float64, error) { return d, false, 1, nil }}}}
	return closer, err
}
