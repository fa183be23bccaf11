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
	"io/fs"
	"os"
	"os/signal"
	"strings"
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
  footway-view --view 'scenario=lunch-rush&at=+1h20m'  what the key K copied

`

// flags are what the command line says.
type flags struct {
	look
	market, compare, theme, demo, scenario string
	live, token                            string
	run, at, selected, follow, view        string
	play                                   bool
}

func parseFlags(args []string, stderr io.Writer) (*flags, error) {
	var f flags
	set := flag.NewFlagSet("footway-view", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() { fmt.Fprint(stderr, usage); set.PrintDefaults() }
	set.StringVar(&f.market, "market", "", "the map of the run, if it is not beside the log: .fwnet, .osm.pbf, city, city:SEED")
	set.StringVar(&f.at, "at", "", "time to begin at, such as 12:30 or +1h20m")
	set.StringVar(&f.selected, "select", "", "what is looked at closer, such as robot/r7")
	set.StringVar(&f.follow, "follow", "", "what is followed")
	set.StringVar(&f.view, "view", "", "a view as the key K copies it: what is opened, when, and how it is looked at")
	set.StringVar(&f.theme, "theme", "", "light or dark (default light)")
	set.StringVar(&f.compare, "compare", "", "a run to compare with")
	set.StringVar(&f.demo, "demo", "", "run a scenario that comes with the program")
	set.StringVar(&f.scenario, "scenario", "", "the scenario file of the run, to tune it, if it is not beside the log")
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
	if n := len(rest); n == 1 {
		f.run = rest[0]
	} else if n > 1 {
		return nil, fmt.Errorf("want one RUN, not %d: another one goes after --compare", n)
	}
	return &f, f.aim()
}

// aim makes one view of --view and the flags, which say more than it.
func (f *flags) aim() error {
	link, err := desk.ParseLink(f.view, desk.NewLink())
	if err != nil {
		return fmt.Errorf("--view: %w", err)
	}
	given := 0
	for _, x := range []struct {
		flag string
		to   *string
	}{{f.run, &link.Run}, {f.demo, &link.Source.Scenario}, {f.live, &link.Live}} {
		if x.flag != "" {
			link.Run, link.Source.Scenario, link.Live = "", "", ""
			*x.to = x.flag
			given++
		}
	}
	if given > 1 {
		return errors.New("want one of RUN, --demo and --live")
	}
	if f.compare != "" {
		link.Compare = f.compare
	}
	if f.market != "" {
		link.Market = f.market
	}
	if link.Run == "" && link.Source.Scenario == "" && link.Live == "" {
		link.Source.Scenario, link.Playing = "lunch-rush", f.view == ""
	}
	link.Playing = link.Playing || f.play
	switch f.theme {
	case "":
	case "light":
		link.Theme = scene.Light
	case "dark":
		link.Theme = scene.Dark
	default:
		return fmt.Errorf("--theme %s: want light or dark", f.theme)
	}
	what := f.selected
	if f.follow != "" {
		what = f.follow
	}
	if what != "" {
		if link.Selection, err = scene.ParseSelection(what); err != nil {
			return err
		}
		link.Follow = f.follow != ""
	}
	if strings.HasPrefix(f.at, "+") {
		if link, err = desk.ParseLink("at="+f.at, link); err != nil {
			return fmt.Errorf("--at: %w", err)
		}
	} else {
		f.clock = f.at
	}
	f.Link = link
	return nil
}

func run(ctx context.Context, args []string, stderr io.Writer) error {
	f, err := parseFlags(args, stderr)
	if err != nil {
		return err
	}
	o := window.Options{Host: host{stderr}, Dropped: func(files fs.FS) window.Opening { return dropped(files, f.look) }}
	o.Theme = f.Theme
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
	case f.Source.Scenario != "":
		o.Title, o.Opening = f.Source.Scenario, demo(f.look)
		return closer, nil
	case f.Live != "":
		return f.openLive(ctx, o)
	}
	o.Title = f.Run
	a, err := openRun(ctx, f.Run, f.Market)
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
	if f.Compare != "" {
		other, err := openRun(ctx, f.Compare, f.Market)
		if err != nil {
			return closer, err
		}
		files, b = append(files, other), &other.opened
		if other.net.Hash() != a.net.Hash() {
			return closer, fmt.Errorf("%s is a run on another map than %s", f.Compare, f.Run)
		}
	}
	if f.scenario != "" {
		if a.scenario, err = readScenario(f.scenario); err != nil {
			return closer, err
		}
		a.wrong = nil
	}
	d, err := file(&a.opened, b, f.look)
	o.Opening = &stages{steps: []stage{{"opening", func(time.Duration) (*desk.Desk, bool, float64, error) { return d, false, 1, nil }}}}
	return closer, err
}
