//go:build !js

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/visualizer/desk"
	"footway/visualizer/scene"
	"footway/visualizer/window"
)

// A window wants the main thread, and a display that the test brings: so the
// test runs itself again under Xvfb, and that child is the window.
const childEnv = "FOOTWAY_VIEW_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := child(os.Args[len(os.Args)-1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// underXvfb runs a script of the child and returns what it printed.
func underXvfb(t testing.TB, script string) string {
	t.Helper()
	backends.Program(t, "Xvfb")
	xvfb := backends.Program(t, "xvfb-run")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), xvfb, "-a", "-s", "-screen 0 1440x900x24", self, script)
	cmd.Env = append(os.Environ(), childEnv+"=1", "LIBGL_ALWAYS_SOFTWARE=1")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, stderr.String())
	}
	return string(out)
}

// errOver ends the window when the script is over.
var errOver = errors.New("the script is over")

// act is one thing that a script does, and what must come of it.
type act struct {
	name  string
	input func(in *desk.Input, d *desk.Desk) // once; nil: nothing
	hold  func(in *desk.Input)               // each tick until the end of the act; nil: nothing
	until func(s desk.Status) bool           // nil: when the picture stands still
	check func(before, after desk.Status) error
	shot  string
}

// director plays a script to a window.
type director struct {
	acts   []act
	at     int
	begun  bool
	before desk.Status
	since  time.Time
	x, y   float32
	desk   *desk.Desk
}

func (p *director) input(in desk.Input) desk.Input {
	in.X, in.Y, in.Held, in.Keys, in.Text, in.WheelX, in.WheelY = p.x, p.y, false, nil, "", 0, 0
	if p.desk == nil || p.at >= len(p.acts) {
		return in
	}
	a := &p.acts[p.at]
	if !p.begun {
		p.begun, p.before, p.since = true, p.desk.Status(), time.Now()
		if a.input != nil {
			a.input(&in, p.desk)
		}
	} else if a.hold != nil {
		a.hold(&in)
	}
	p.x, p.y = in.X, in.Y
	return in
}

// patience is how long an act may take on a busy machine.
const patience = 2 * time.Minute

func (p *director) seen(d *desk.Desk, s window.Seen) error {
	p.desk = d
	if d == nil || !p.begun {
		return nil
	}
	a := &p.acts[p.at]
	now := d.Status()
	if now.Error != "" {
		return fmt.Errorf("%s: %s", a.name, now.Error)
	}
	ready := time.Since(p.since) > 300*time.Millisecond && s.Frames > 0
	if a.until != nil {
		ready = ready && a.until(now)
	} else {
		ready = ready && s.Still
	}
	if !ready {
		if time.Since(p.since) > patience {
			text, err := json.Marshal(now)
			return fmt.Errorf("%s: did not come about: %s %w", a.name, text, err)
		}
		return nil
	}
	if a.check != nil {
		if err := a.check(p.before, now); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	if dir := os.Getenv("FOOTWAY_SHOTS"); dir != "" && a.shot != "" {
		f, err := os.Create(filepath.Join(dir, a.shot+".png"))
		if err != nil {
			return err
		}
		if err := errors.Join(png.Encode(f, s.Screen()), f.Close()); err != nil {
			return err
		}
	}
	fmt.Printf("%s: ok, %d draws in %v\n", a.name, s.Draws, s.Took)
	if p.at, p.begun = p.at+1, false; p.at == len(p.acts) {
		return errOver
	}
	return nil
}

func child(name string) error {
	if robots, ok := strings.CutPrefix(name, "bench "); ok {
		return benchmark(robots)
	}
	s, ok := scripts[name]
	if name == "live" {
		s.opening, s.acts, s.options = liveScript()
		ok = true
	}
	if !ok {
		return fmt.Errorf("no script %q", name)
	}
	p := &director{acts: s.acts}
	o := window.Options{Title: "lunch-rush", Width: 1440, Height: 900, Opening: s.opening(), Input: p.input, Seen: p.seen, Host: host{os.Stderr}}
	if s.dark {
		o.Theme = scene.Dark
	}
	if s.options != nil {
		s.options(&o)
	}
	if err := window.Run(o); !errors.Is(err, errOver) {
		return fmt.Errorf("%s ended: %w", name, err)
	}
	return nil
}

func key(k desk.Key) func(*desk.Input, *desk.Desk) {
	return func(in *desk.Input, _ *desk.Desk) {
		in.Keys = []desk.Key{k}
		if len(k) == 1 {
			in.Text = string(k)
		}
	}
}

// label clicks on the control with a text.
func label(text string) func(*desk.Input, *desk.Desk) {
	return func(in *desk.Input, d *desk.Desk) {
		if at, ok := d.Labels()[text]; ok {
			in.X, in.Y, in.Held = at[0]+4, at[1], true
		}
	}
}

// press clicks at a place: down at once, and up by the end of the act's first tick.
func press(x, y float32) func(*desk.Input, *desk.Desk) {
	return func(in *desk.Input, _ *desk.Desk) { in.X, in.Y, in.Held = x, y, true }
}

var scripts = map[string]struct {
	dark    bool
	opening func() window.Opening
	acts    []act
	options func(*window.Options)
}{
	"plays": {opening: func() window.Opening { return demo(rush("12:30")) }, acts: []act{
		{name: "shows the city", shot: "win-city-light"},
		{name: "plays", input: key(desk.Space), until: func(s desk.Status) bool { return s.Playing && s.Time > 0 }},
		{name: "goes on", until: func() func(desk.Status) bool {
			n := 0
			return func(desk.Status) bool { n++; return n > 20 }
		}(), check: func(a, b desk.Status) error {
			if b.Time <= a.Time {
				return fmt.Errorf("the clock stands at %v", b.Time)
			}
			return nil
		}},
		{name: "pauses", input: key(desk.Space), until: func(s desk.Status) bool { return !s.Playing }},
		{name: "scrubs", input: press(1000, 845), check: func(a, b desk.Status) error {
			if b.Time.Sub(a.Time) < 20*60*1000 {
				return fmt.Errorf("the clock went from %v to %v; want far on", a.Time, b.Time)
			}
			return nil
		}},
		{name: "clicks a robot", input: func(in *desk.Input, d *desk.Desk) {
			if x, y, ok := d.Spot(); ok {
				in.X, in.Y, in.Held = x, y, true
			}
		}, until: func(s desk.Status) bool { return strings.HasPrefix(s.Selection, "robot/") }, shot: "win-robot-light"},
		{name: "dark", input: key("T"), shot: "win-robot-dark"},
		{name: "charts", input: key("2"), shot: "win-charts-dark"},
		{name: "layers", input: key("1"), shot: "win-layers-dark"},
		{name: "help", input: key("?"), shot: "win-help-dark"},
	}},
	"forks": {opening: func() window.Opening { return demo(rush("12:00")) }, acts: []act{
		{name: "the run is complete", until: func(s desk.Status) bool { return !s.Growing }},
		{name: "tunes", input: key("3"), shot: "win-tune-light"},
		{name: "takes another policy", input: label("nearest"), shot: "win-tuned-light"},
		{name: "forks here", input: label("From here"), until: func(s desk.Status) bool { return s.Runs == 2 }, shot: "win-growing-light"},
		{name: "the fork is complete", until: func(s desk.Status) bool { return !s.Growing && len(s.Other) > 0 }, check: func(_, s desk.Status) error {
			const name = "click_to_door_mean"
			if a, b := s.KPIs[name], s.Other[name]; a == 0 || a == b {
				return fmt.Errorf("%s is %v in the run and %v in the fork; want another", name, a, b)
			}
			return nil
		}},
		{name: "pauses", input: key(desk.Space), until: func(s desk.Status) bool { return !s.Playing }},
		{name: "compares", input: key("4"), shot: "win-compare-light"},
		{name: "differences", input: label("difference on the map"), shot: "win-difference-light"},
		{name: "dark", input: key("T"), shot: "win-compare-dark"},
	}},
}

func TestWindow(t *testing.T) {
	for _, name := range []string{"plays", "forks", "live"} {
		t.Run(name, func(t *testing.T) { t.Log(underXvfb(t, name)) })
	}
}
