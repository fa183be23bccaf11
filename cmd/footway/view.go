package main

import (
	"errors"
	"image"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footway/core/clock"
	"footway/core/maps"
	"footway/visualizer/paint"
	"footway/visualizer/play"
	"footway/visualizer/scene"
)

// viewFlags say what of a run is shown, and how.
type viewFlags struct {
	market   string
	headless bool
	at       string
	sel      string
	follow   string
	centre   string
	zoom     float64
	size     string
	scale    float64
	theme    string
	layers   string
	compare  string
	out      string
	files    viewFiles
}

func newViewCommand() *cobra.Command {
	var f viewFlags
	cmd := &cobra.Command{
		Use:   "view RUN",
		Short: "See a run on the map: a window, a picture, an animation, or files for other programs",
		Long: `See a run on the map. RUN is a run log (.fwlog), or the folder that --out filled, which
has the market's map beside the log; --market names another.

Without --headless a window opens: the program footway-view beside this one, which
make view builds. With --headless a picture is painted without a display.

--gif paints an animation, without a display, too: all of the run in 12 seconds, or the
part --from one time --to another at --speed. --trips writes that part as GeoJSON for deck.gl
and kepler.gl, --mcap as a recording for Foxglove.

Times are of the day in the market (12:30, or 12:30:15), or since the run began
(+1h20m). --layers takes names with + or - before them to change what is shown,
or a whole list; see below.

Layers:
` + strings.TrimRight(columns(scene.LayerNames()), "\n"),
		Example: `  footway view out/lunch-rush
  footway view out/lunch-rush --headless --at 12:30 -o shot.png
  footway view out/lunch-rush --headless --at +45m --select delivery/d12 --zoom 2 -o d12.png
  footway view out/lunch-rush --headless --layers +heat-demand,-routes --theme dark -o heat.png
  footway view out/lunch-rush --gif rush.gif --from 12:30 --to 12:50 --speed 120
  footway view out/lunch-rush --trips trips.json --mcap rush.mcap`,
		Args: wants("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.market, "market", "", "the `network` of the run, if it is not beside the log (.fwnet, .osm.pbf, city, city:SEED)")
	flags.BoolVar(&f.headless, "headless", false, "paint a picture instead of opening a window")
	flags.StringVar(&f.at, "at", "", "`time` of the picture, such as 12:30 or +1h20m; else the middle of the run")
	flags.StringVar(&f.sel, "select", "", "what is looked at closer, such as robot/r7 or delivery/d12 (`kind/id`)")
	flags.StringVar(&f.follow, "follow", "", "`kind/id` that is selected and in the middle of the picture")
	flags.StringVar(&f.centre, "centre", "", "middle of the picture: `lat,lon` in degrees")
	flags.Float64Var(&f.zoom, "zoom", 0, "points to the metre, 0.01 to 40; else all of the market, or 1 with --follow")
	flags.StringVar(&f.size, "size", "1600x1000", "`points`; a picture has --scale times as many pixels each way")
	flags.Float64Var(&f.scale, "scale", 1, "pixels to the point, 1 to 4")
	flags.StringVar(&f.theme, "theme", "light", "`light` or dark")
	flags.StringVar(&f.layers, "layers", "", "`names` of layers, by commas")
	flags.StringVar(&f.compare, "compare", "", "another `RUN` on the same map, whose differences are drawn")
	flags.StringVarP(&f.out, "output", "o", "", "picture to write, .png; for --headless")
	f.files.flags(flags)
	return cmd
}

func (f *viewFlags) run(cmd *cobra.Command, run string) error {
	if !f.headless && !f.files.any() {
		return openWindow(cmd, run)
	}
	if f.headless && !strings.HasSuffix(f.out, ".png") {
		return usagef("-o %q: --headless wants a picture to write, such as -o shot.png", f.out)
	}
	if err := f.files.check(f.out); err != nil {
		return err
	}
	a, err := openPlay(run, f.market)
	if err != nil {
		return err
	}
	defer a.file.Close()
	var b *played
	if f.compare != "" {
		if b, err = openPlay(f.compare, f.market); err != nil {
			return err
		}
		defer b.file.Close()
	}
	v, err := f.view(cmd.Flags().Changed("size"))
	if err != nil {
		return err
	}
	c := &camera{f: f, a: a, b: b, scene: scene.New(a.run.Network()), view: v, painter: paint.New(0)}
	if f.headless {
		if err := f.picture(c); err != nil {
			return err
		}
	}
	return f.files.write(cmd, c)
}

// picture writes a picture.
func (f *viewFlags) picture(c *camera) error {
	from, to := c.a.run.Span()
	t, err := c.a.when("--at", f.at, from.Add(to.Sub(from)/2))
	if err != nil {
		return err
	}
	picture, err := c.shoot(t)
	if err != nil {
		return err
	}
	return writeFile(f.out, func(w *os.File) error { return png.Encode(w, picture) })
}

// camera takes pictures of a run.
type camera struct {
	f       *viewFlags
	a, b    *played // b is compared with; nil: nothing is
	scene   *scene.Scene
	view    scene.View
	aimed   bool // view looks at what the flags name
	painter *paint.Painter
}

// shoot paints a picture of a time.
func (c *camera) shoot(t clock.Time) (*image.RGBA, error) {
	in, err := c.a.input(t)
	if err != nil {
		return nil, err
	}
	if c.b != nil {
		if in.Other, err = c.b.run.At(t); err != nil {
			return nil, err
		}
		in.Than = c.f.compare
		c.view.Layers |= scene.ShowDifference
	}
	if !c.aimed {
		if c.view, err = c.f.look(c.scene, in, c.view); err != nil {
			return nil, err
		}
		c.aimed = true
	} else if c.f.follow != "" {
		if place, ok := c.scene.Where(in.State, c.view.Selection); ok {
			c.view.Centre = place
		}
	}
	return c.painter.Frame(c.scene.Frame(in, c.view)), nil
}

// openWindow starts the program with the window.
func openWindow(cmd *cobra.Command, run string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program := filepath.Join(filepath.Dir(self), "footway-view")
	if _, err := os.Stat(program); errors.Is(err, fs.ErrNotExist) {
		if program, err = exec.LookPath("footway-view"); err != nil {
			return usagef("the window is a program of its own, footway-view, which is not beside %s: build it with make view, or paint a picture with --headless", self)
		}
	}
	var args []string
	if f := cmd.Flags().Lookup("market"); f.Changed {
		args = append(args, "--market", f.Value.String())
	}
	for _, name := range []string{"at", "select", "follow", "theme", "compare"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			args = append(args, "--"+name, f.Value.String())
		}
	}
	c := exec.CommandContext(cmd.Context(), program, append(args, run)...)
	c.Stdin, c.Stdout, c.Stderr = os.Stdin, cmd.OutOrStdout(), cmd.ErrOrStderr()
	return c.Run()
}

// played is a run that is open to be looked at.
type played struct {
	*readLog
	run  *play.Run
	zone *time.Location
}

// openPlay opens a run, with its map.
func openPlay(path, market string) (*played, error) {
	l, err := openLog(path)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*played, error) { return nil, errors.Join(err, l.file.Close()) }
	if market == "" {
		market = filepath.Join(filepath.Dir(l.path), marketMap)
		if _, err := os.Stat(market); errors.Is(err, fs.ErrNotExist) {
			return fail(usagef("%s: there is no %s beside it; want the run's map with --market", l.path, marketMap))
		}
	}
	net, err := loadNetwork(market)
	if err != nil {
		return fail(err)
	}
	run, err := play.Open(play.NewFile(l.Reader), net)
	if err != nil {
		return fail(usagef("%s: %w", l.path, err))
	}
	zone, err := time.LoadLocation(run.Began().TimeZone)
	if err != nil {
		return fail(usagef("%s: %w", l.path, err))
	}
	for done := false; !done; {
		if done, err = run.Scan(1 << 20); err != nil {
			return fail(usagef("%s: %w", l.path, err))
		}
	}
	return &played{readLog: l, run: run, zone: zone}, nil
}

func (p *played) input(t clock.Time) (scene.Input, error) {
	state, err := p.run.At(t)
	if err != nil {
		return scene.Input{}, usagef("%s: %w", p.path, err)
	}
	return scene.Input{State: state, Story: p.run, Title: p.run.Header().Scenario, Zone: p.zone}, nil
}

// when reads a time of a flag, which is otherwise if it was not given.
func (p *played) when(flag, text string, otherwise clock.Time) (clock.Time, error) {
	from, to := p.run.Span()
	if text == "" {
		return otherwise, nil
	}
	if after, ok := strings.CutPrefix(text, "+"); ok {
		d, err := time.ParseDuration(after)
		if err != nil {
			return 0, usagef("%s %s: want a time since the beginning such as +1h20m", flag, text)
		}
		return p.within(flag, text, from.Add(clock.Duration(d.Milliseconds())))
	}
	var at time.Time
	var err error
	for _, layout := range []string{"15:04", "15:04:05"} {
		if at, err = time.Parse(layout, text); err == nil {
			break
		}
	}
	if err != nil {
		return 0, usagef("%s %s: want a time of day such as 12:30, or one since the beginning such as +1h20m", flag, text)
	}
	day := from.Std().In(p.zone)
	t := time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), 0, p.zone)
	if clock.Of(t) < from { // of a run over midnight
		if next := t.AddDate(0, 0, 1); clock.Of(next) <= to {
			t = next
		}
	}
	return p.within(flag, text, clock.Of(t))
}

func (p *played) within(flag, text string, t clock.Time) (clock.Time, error) {
	from, to := p.run.Span()
	if t < from || t > to {
		return 0, usagef("%s %s: the run goes from %s to %s", flag, text, from.Std().In(p.zone).Format("15:04:05"), to.Std().In(p.zone).Format("15:04:05 on 2 January"))
	}
	return t, nil
}

// view reads the flags that say how the picture is.
func (f *viewFlags) view(sized bool) (scene.View, error) {
	if f.files.gif != "" && !sized {
		f.size = gifSize
	}
	w, h, err := parseSize(f.size)
	if err != nil {
		return scene.View{}, err
	}
	if h == 0 {
		h = w * 10 / 16
	}
	if f.scale < 1 || f.scale > 4 {
		return scene.View{}, usagef("--scale %v: want 1 to 4", f.scale)
	}
	const most = 64e6 // pixels; the painter needs some forty bytes for each
	if float64(w)*float64(h)*f.scale*f.scale > most {
		return scene.View{}, usagef("--size %s: with --scale %v that is more than 64 million pixels", f.size, f.scale)
	}
	v := scene.View{Width: w, Height: h, Scale: f.scale, Layers: scene.DefaultLayers}
	switch f.theme {
	case "light":
	case "dark":
		v.Theme = scene.Dark
	default:
		return v, usagef("--theme %s: want light or dark", f.theme)
	}
	if v.Layers, err = scene.ParseLayers(f.layers, v.Layers); err != nil {
		return v, usagef("--layers: %w", err)
	}
	return v, nil
}

// look points the view at what the flags name.
func (f *viewFlags) look(s *scene.Scene, in scene.Input, v scene.View) (scene.View, error) {
	v = v.Fit(s.Bounds())
	what := f.follow
	if what == "" {
		what = f.sel
	}
	if what != "" {
		sel, err := scene.ParseSelection(what)
		if err != nil {
			return v, usagef("%w", err)
		}
		place, ok := s.Where(in.State, sel)
		if !ok {
			return v, usagef("%s is nowhere to be seen at %s", what, in.Local(in.State.T).Format("15:04:05"))
		}
		v.Selection = sel
		if f.follow != "" {
			v.Centre, v.Zoom = place, 1
		} else if f.zoom > 0 {
			v.Centre = place
		}
	}
	if f.centre != "" {
		at, ok, err := maps.ParsePoint(f.centre)
		if !ok || err != nil {
			return v, usagef("--centre %q: want lat,lon in degrees, such as 39.29,-76.61", f.centre)
		}
		v.Centre = s.PlaceAt(at)
	}
	if f.zoom != 0 {
		if f.zoom < scene.MinZoom || f.zoom > scene.MaxZoom {
			return v, usagef("--zoom %v: want %v to %v points to the metre", f.zoom, scene.MinZoom, scene.MaxZoom)
		}
		v.Zoom = f.zoom
	}
	return v, nil
}
