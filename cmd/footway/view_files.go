package main

import (
	"image"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"footway/adapters/zstd"
	"footway/core/clock"
	"footway/visualizer/export"
)

// gifSize is the size of an animation that none is said for.
const gifSize = "960x600"

// gifSeconds is how long an animation lasts that no speed is said for.
const gifSeconds = 12

// viewFiles are what footway view writes beside pictures.
type viewFiles struct {
	gif, trips, mcap string
	from, to         string
	speed            float64
	fps              int
	step             time.Duration
}

func (x *viewFiles) flags(flags *pflag.FlagSet) {
	flags.StringVar(&x.gif, "gif", "", "animation to write (`file`.gif)")
	flags.StringVar(&x.trips, "trips", "", "drives to write as GeoJSON, for deck.gl and kepler.gl (`file`.json or .geojson)")
	flags.StringVar(&x.mcap, "mcap", "", "recording to write, for Foxglove (`file`.mcap)")
	flags.StringVar(&x.from, "from", "", "`time` at which animation, trips and recording begin; else the run's")
	flags.StringVar(&x.to, "to", "", "`time` at which they end")
	flags.Float64Var(&x.speed, "speed", 0, "how much faster than in the city time passes in the animation; else so that it lasts 12 s")
	flags.IntVar(&x.fps, "fps", 15, "pictures a second of the animation, 5 to 25")
	flags.DurationVar(&x.step, "step", time.Second, "`time` between two places of a robot in the recording")
}

// any reports whether there is something to write.
func (x *viewFiles) any() bool { return x.gif != "" || x.trips != "" || x.mcap != "" }

// check says what is wrong with the flags, and with picture, which is -o.
func (x *viewFiles) check(picture string) error {
	for _, c := range []struct {
		flag, path string
		endings    []string
	}{
		{"-o", picture, []string{".png"}}, {"--gif", x.gif, []string{".gif"}},
		{"--trips", x.trips, []string{".json", ".geojson"}}, {"--mcap", x.mcap, []string{".mcap"}},
	} {
		if c.path == "" {
			continue
		}
		ends := false
		for _, e := range c.endings {
			ends = ends || strings.HasSuffix(c.path, e)
		}
		if !ends {
			return usagef("%s %s: want a name that ends in %s", c.flag, c.path, strings.Join(c.endings, " or "))
		}
		if err := checkFolder(c.flag, c.path); err != nil {
			return err
		}
	}
	switch {
	case x.speed < 0 || x.speed > 10_000:
		return usagef("--speed %v: want up to 10000", x.speed)
	case x.fps < 5 || x.fps > 25:
		return usagef("--fps %d: want 5 to 25", x.fps)
	case x.step < 100*time.Millisecond || x.step > time.Hour:
		return usagef("--step %v: want 100ms to 1h", x.step)
	}
	return nil
}

// write writes the files.
func (x *viewFiles) write(cmd *cobra.Command, c *camera) error {
	if !x.any() {
		return nil
	}
	var span export.Span
	var err error
	first, last := c.a.run.Span()
	if span.From, err = c.a.when("--from", x.from, first); err != nil {
		return err
	}
	if span.To, err = c.a.when("--to", x.to, last); err != nil {
		return err
	}
	if span.From >= span.To {
		return usagef("--from %s --to %s: the end is not after the beginning", x.from, x.to)
	}
	if x.trips != "" {
		if err := writeFile(x.trips, func(w *os.File) error { return export.Trips(w, c.a.run, span) }); err != nil {
			return err
		}
	}
	if x.mcap != "" {
		if err := x.record(cmd, c, span); err != nil {
			return err
		}
	}
	if x.gif != "" {
		return x.animate(cmd, c, span)
	}
	return nil
}

// record writes the recording.
func (x *viewFiles) record(cmd *cobra.Command, c *camera, span export.Span) error {
	p := newProgress(cmd.ErrOrStderr(), "recording")
	defer p.done()
	o := export.Recording{Span: span, Step: clock.Duration(x.step.Milliseconds()), Codec: &zstd.Codec{}, Look: func(part float64) error {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		return p.part(part)
	}}
	return writeFile(x.mcap, func(w *os.File) error { return export.MCAP(w, c.a.run, o) })
}

// animate writes the animation.
func (x *viewFiles) animate(cmd *cobra.Command, c *camera, span export.Span) error {
	whole := span.To.Sub(span.From)
	speed := x.speed
	if speed == 0 {
		speed = float64(whole) / 1000 / gifSeconds
	}
	hundredths := 100 / x.fps // GIF knows no finer times
	each := max(clock.Duration(speed*10*float64(hundredths)), 1)
	n := int(whole/each) + 1
	if n > export.MostFrames {
		return usagef("--gif %s: %d pictures, want at most %d: --speed %.0f or more, or a shorter part --from one time --to another",
			x.gif, n, export.MostFrames, speed*float64(n)/export.MostFrames+1)
	}
	var samples []*image.RGBA
	for _, t := range []clock.Time{span.From, span.From.Add(whole / 3), span.From.Add(whole * 2 / 3), span.To} {
		s, err := c.shoot(t)
		if err != nil {
			return err
		}
		samples = append(samples, s)
	}
	g, err := export.NewGIF(x.fps, samples...)
	if err != nil {
		return usagef("--gif %s: %w", x.gif, err)
	}
	p := newProgress(cmd.ErrOrStderr(), "painting")
	defer p.done()
	for i := range n {
		if err := cmd.Context().Err(); err != nil {
			return err
		}
		picture, err := c.shoot(span.From.Add(clock.Duration(i) * each))
		if err != nil {
			return err
		}
		if err := g.Add(picture); err != nil {
			return usagef("--gif %s: %w", x.gif, err)
		}
		if err := p.part(float64(i+1) / float64(n)); err != nil {
			return err
		}
	}
	return writeFile(x.gif, func(w *os.File) error { return g.Encode(w) })
}
