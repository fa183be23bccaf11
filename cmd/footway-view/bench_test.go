//go:build !js

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"footway/core/clock"
	"footway/visualizer/desk"
	"footway/visualizer/play"
	"footway/visualizer/window"
)

// realCity is where the map of Baltimore is, if it is.
const realCity = "../../../shared/data/osm/baltimore.osm.pbf"

// BenchmarkWindow is all that the window does for one picture of a city in which everybody moves, on a real map: made-ms is the desk's part,
// drawn-ms the painter's; what Ebitengine and the graphics driver do of it afterwards is not in it. A city of 10,000 robots is
// simulated for some minutes first.
func BenchmarkWindow(b *testing.B) {
	for _, robots := range []string{"1000", "10000"} {
		b.Run(robots, func(b *testing.B) {
			if _, err := os.Stat(realCity); err != nil {
				b.Skipf("NOT RUN: the window's benchmark wants the map of Baltimore: %v", err)
			}
			out := ""
			for b.Loop() {
				out = underXvfb(b, "bench "+robots)
			}
			for line := range strings.Lines(out) {
				if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
					if v, err := strconv.ParseFloat(value, 64); err == nil {
						b.ReportMetric(v, name)
					}
				}
			}
		})
	}
}

// crowded runs a scenario with so many robots for some minutes, and shows it.
func crowded(robots int) window.Opening {
	return &stages{steps: []stage{{"sending many robots out", func(time.Duration) (*desk.Desk, bool, float64, error) {
		d, err := crowd(robots)
		return d, false, 1, err
	}}}}
}

func crowd(robots int) (*desk.Desk, error) {
	net, err := loadNetwork(context.Background(), realCity)
	if err != nil {
		return nil, err
	}
	with := []string{fmt.Sprintf("fleet.robots=%d", robots), fmt.Sprintf("fleet.docks=%d", min(robots/8, 1000)), fmt.Sprintf("demand.per_hour=%d", robots), "duration=1h"}
	lunch, err := builtIn("lunch-rush")
	if err != nil {
		return nil, err
	}
	base, err := newLab(lunch, net, with)
	if err != nil {
		return nil, err
	}
	f, err := base.start(with, nil)
	if err != nil {
		return nil, err
	}
	defer f.Stop()
	const enough = 9 * clock.Minute
	for begun := clock.Time(0); ; {
		done, err := f.Step(time.Second)
		blocks := f.live.Blocks()
		if err != nil || done {
			return nil, errors.Join(err, errors.New("the run is over too early"))
		}
		if len(blocks) == 0 {
			continue
		}
		if begun == 0 {
			begun = blocks[0].From
		}
		if blocks[len(blocks)-1].To.Sub(begun) > enough {
			break
		}
	}
	run, err := play.Open(f.live, net)
	if err != nil {
		return nil, err
	}
	l := look{Link: desk.NewLink()}
	l.After, l.Playing, l.Speed = 4*clock.Minute, true, 5
	return l.put(desk.Options{Run: run, Name: "crowd"})
}

// stopwatch measures a window that plays, and then stands still.
type stopwatch struct {
	made, drawn []time.Duration
	draws       int
	frames      int
	ticks       int
	still       bool
	memory      runtime.MemStats
	before      uint64
}

// What is measured: pictures after the first, and ticks in which nothing changes.
const (
	warm     = 40
	measured = 200
)

func (w *stopwatch) input(in desk.Input) desk.Input {
	in.Held, in.Keys, in.Text = false, nil, ""
	if w.frames == warm+measured && !w.still {
		w.still = true
		in.Keys, in.Text = []desk.Key{desk.Space}, " "
	}
	return in
}

func (w *stopwatch) seen(d *desk.Desk, s window.Seen) error {
	switch {
	case d == nil || s.Frames == 0:
		return nil
	case !w.still:
		return w.moving(s)
	case !s.Still:
		w.ticks = 0
		return nil
	}
	w.ticks++
	if w.ticks == warm {
		runtime.ReadMemStats(&w.memory)
		w.before = w.memory.Mallocs
	}
	if w.ticks < warm+measured {
		return nil
	}
	runtime.ReadMemStats(&w.memory)
	fmt.Printf("still-allocs/tick %.2f\n", float64(w.memory.Mallocs-w.before)/measured)
	return errOver
}

func (w *stopwatch) moving(s window.Seen) error {
	if s.Frames == w.frames {
		return nil
	}
	if w.frames = s.Frames; w.frames == warm {
		runtime.ReadMemStats(&w.memory)
		w.before = w.memory.Mallocs
	}
	if w.frames <= warm {
		return nil
	}
	w.made, w.drawn, w.draws = append(w.made, s.Made), append(w.drawn, s.Took), max(w.draws, s.Draws)
	if w.frames < warm+measured {
		return nil
	}
	runtime.ReadMemStats(&w.memory)
	ms := func(all []time.Duration) float64 {
		slices.Sort(all)
		return float64(all[len(all)/2].Microseconds()) / 1000
	}
	made, drawn := ms(w.made), ms(w.drawn)
	fmt.Printf("made-ms %.3f\ndrawn-ms %.3f\nframe-ms %.3f\ndraws %d\nallocs/frame %.1f\n", made, drawn, made+drawn, w.draws, float64(w.memory.Mallocs-w.before)/measured)
	return nil
}

// benchmark is what the child does for BenchmarkWindow.
func benchmark(robots string) error {
	n, err := strconv.Atoi(robots)
	if err != nil {
		return err
	}
	w := &stopwatch{}
	err = window.Run(window.Options{Title: "crowd", Width: 1440, Height: 900, Opening: crowded(n), Input: w.input, Seen: w.seen, Host: host{os.Stderr}})
	if !errors.Is(err, errOver) {
		return fmt.Errorf("the window ended: %w", err)
	}
	return nil
}
