package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"footway/adapters/yamlfile"
	"footway/cmd/replay"
	"footway/cmd/twin"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/event"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/core/setting"
	"footway/scenarios"
	"footway/sim/scenario"
	"footway/visualizer/desk"
	"footway/visualizer/play"
)

// source is a scenario as it was written, and the traffic that it replays.
type source struct {
	ref     string // how it is named on a command line
	text    []byte
	traffic *replay.Recording // nil: none
}

// read reads a scenario and the recording that it names, which get finds by its path from there.
func read(ref string, text []byte, get func(path string) ([]byte, error)) (*source, error) {
	s, err := parse(ref, text)
	if err != nil {
		return nil, err
	}
	x := &source{ref: ref, text: text}
	if path := s.Demand.Recording; path != "" {
		requests, err := get(path)
		if err == nil {
			x.traffic, err = replay.Read(path, bytes.NewReader(requests))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: demand.recording: %w", ref, err)
		}
	}
	return x, nil
}

// builtIn returns a scenario that comes with the program.
func builtIn(ref string) (*source, error) {
	text, ok := scenarios.Read(ref)
	if !ok {
		return nil, fmt.Errorf("scenario %q: no such scenario comes with the program; there are %s", ref, strings.Join(scenarios.Names(), ", "))
	}
	return read(ref, text, func(path string) ([]byte, error) { return nil, fmt.Errorf("%s does not come with the program", path) })
}

func parse(ref string, text []byte) (scenario.Scenario, error) {
	s := scenario.Defaults()
	doc, err := yamlfile.Parse(ref, text)
	if err == nil {
		err = doc.Decode(&s)
	}
	return s, err
}

// lab runs a scenario with other settings, as often as somebody likes.
type lab struct {
	ref      string   // how the scenario is named on a command line
	given    []string // assignments over it
	scenario scenario.Scenario
	network  *maps.Network
	traffic  *replay.Recording // nil: none
	shape    []setting.Field
	began    *runlog.Began // of the run that is to be had again; nil: whatever the scenario gives
}

// shapes are the parts of a scenario that can be tried beside its settings, from the start only.
var shapes = []string{"fleet.robots", "fleet.couriers", "fleet.speed_mm_s", "demand.per_hour", "world.operators.count"}

// newLab takes a scenario with assignments over it.
func newLab(of *source, net *maps.Network, assignments []string) (*lab, error) {
	l := &lab{ref: of.ref, network: net, traffic: of.traffic}
	var err error
	if l.scenario, err = parse(of.ref, of.text); err != nil {
		return nil, err
	}
	for _, a := range assignments {
		if err := l.scenario.Set(a); err != nil {
			return nil, err
		}
		if !strings.HasPrefix(a, "seed=") { // which a command line has a flag for
			l.given = append(l.given, a)
		}
	}
	if l.scenario.Market.ID == "" {
		l.scenario.Market.ID = net.Name
	}
	return l, nil
}

// options returns what to run.
func (l *lab) options() (twin.Options, error) {
	o := twin.Options{Scenario: l.scenario, Network: l.network, Version: version}
	o.Scenario.Fill()
	var errs []error
	if o.Settings, errs = o.Scenario.Config(); len(errs) > 0 {
		return o, errors.Join(errs...)
	}
	if l.traffic != nil {
		l.traffic.Into(&o)
	}
	return o, errors.Join(scenario.Problems(&o.Scenario, kpi.Known)...)
}

// check reports whether the scenario begins as the log says that its run did. It looks once.
func (l *lab) check() error {
	if l.began == nil {
		return nil
	}
	f, err := l.start(nil, nil)
	if err != nil {
		return err
	}
	defer f.Stop()
	for f.began == nil {
		if done, err := f.Step(time.Millisecond); err != nil || done {
			return errors.Join(err, errors.New("the run ends before it begins"))
		}
	}
	a, errA := json.Marshal([]any{f.began.Seed, f.began.Robots, f.began.Docks, f.began.Settings})
	b, errB := json.Marshal([]any{l.began.Seed, l.began.Robots, l.began.Docks, l.began.Settings})
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		return fmt.Errorf("this run was not of scenario %s as it is here: name its file with --scenario", l.ref)
	}
	l.began = nil
	return nil
}

// Fields implements desk.Simulator.
func (l *lab) Fields() []setting.Field {
	if l.shape != nil {
		return l.shape
	}
	o, err := l.options()
	if err != nil {
		return nil
	}
	for _, f := range setting.Fields(o.Scenario) {
		if slices.Contains(shapes, f.Path) {
			f.Doc += " Only from the start."
			l.shape = append(l.shape, f)
		}
	}
	dispatch := setting.Fields(o.Settings)
	first := func(f setting.Field) bool { return strings.HasPrefix(f.Path, "dispatch.") }
	for _, f := range dispatch {
		if first(f) {
			l.shape = append(l.shape, f)
		}
	}
	for _, f := range dispatch {
		if !first(f) {
			l.shape = append(l.shape, f)
		}
	}
	return l.shape
}

// Fork implements desk.Simulator.
func (l *lab) Fork(after clock.Duration, assignments []string) (desk.Future, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	other := *l
	if after == 0 {
		for _, a := range assignments {
			if err := other.scenario.Set(a); err != nil {
				return nil, err
			}
		}
		return other.start(assignments, nil)
	}
	var at []string
	for _, a := range assignments {
		path, _, _ := strings.Cut(a, "=")
		if slices.Contains(shapes, path) {
			return nil, fmt.Errorf("%s can only be another from the start", path)
		}
		at = append(at, after.String()+":"+a)
	}
	if err := other.scenario.SetAt(at...); err != nil {
		return nil, err
	}
	return other.start(nil, at)
}

// start begins a run of what the lab has. What was assigned to its scenario, and what changes at a time, is for the command that
// makes the run again.
func (l *lab) start(assignments, at []string) (*future, error) {
	o, err := l.options()
	if err != nil {
		return nil, err
	}
	f := &future{live: play.NewLive(1 << 30), command: l.command(assignments, at), settings: o.Settings}
	if later, _ := l.scenario.Later(o.Settings); len(later) > 0 { // options found nothing wrong
		f.settings = later[len(later)-1].Settings
	}
	header := runlog.Header{Scenario: l.scenario.Name, Seed: l.scenario.Seed, Market: l.scenario.Market.ID, Version: version}
	if err := f.live.Add(runlog.Piece{Header: &header}); err != nil {
		return nil, err
	}
	o.Observe = f.hear
	ctx, stop := context.WithCancel(context.Background())
	f.ctx, f.stop = ctx, stop
	if f.run, err = twin.New(ctx, o); err != nil {
		stop()
		return nil, err
	}
	return f, nil
}

func (l *lab) command(assignments, at []string) string {
	command := fmt.Sprintf("footway run %s --seed %d", l.ref, l.scenario.Seed)
	for _, a := range slices.Concat(l.given, assignments) {
		command += " --set " + a
	}
	for _, a := range at {
		command += " --set-at " + a
	}
	return command
}

// future is a run that goes on a little at a time.
type future struct {
	run      *twin.Run
	live     *play.Live
	settings config.Settings
	command  string
	ctx      context.Context //nolint:containedctx // the run's, which outlives any call
	stop     context.CancelFunc
	began    *runlog.Began
	one      [1]event.Event
	err      error
	done     bool
}

// hear takes an event into the log.
func (f *future) hear(e event.Event) {
	if e.Kind == runlog.RunBegan && f.began == nil {
		f.began = new(runlog.Began)
		f.err = errors.Join(f.err, json.Unmarshal(e.Data, f.began))
	}
	f.one[0] = e
	f.err = errors.Join(f.err, f.live.Add(runlog.Piece{Events: f.one[:]}))
}

// Step implements desk.Future.
func (f *future) Step(budget time.Duration) (bool, error) {
	const batch = 32 // events between two looks at the clock
	for began := time.Now(); !f.done && time.Since(began) < budget; {
		for range batch {
			more, err := f.run.Step(f.ctx)
			if err := errors.Join(err, f.err); err != nil {
				return true, err
			}
			if !more {
				f.done = true
				return true, errors.Join(f.run.Finish(), f.err)
			}
		}
	}
	return f.done, nil
}

// Log implements desk.Future.
func (f *future) Log() play.Log { return f.live }

// Command implements desk.Future.
func (f *future) Command() string { return f.command }

// Stop implements desk.Future.
func (f *future) Stop() { f.stop() }

// Configuration implements desk.Future.
func (f *future) Configuration() ([]byte, error) {
	c, err := config.Load(map[string]any{})
	if err != nil {
		return nil, err
	}
	if c, err = c.With("", f.settings); err != nil {
		return nil, err
	}
	text, err := c.MarshalDiff()
	return append(text, '\n'), err
}
