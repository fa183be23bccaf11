package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"footway/core/clock"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/city"
	"footway/visualizer/desk"
	"footway/visualizer/play"
)

// look is how to look at what is opened.
type look struct {
	desk.Link
	clock   string // time of day to begin at; "": the link says it
	address string // that links begin with; "": there are command lines only
}

// put lays a run on the desk the way l says.
func (l *look) put(o desk.Options) (*desk.Desk, error) {
	var err error
	if o.Zone, err = time.LoadLocation(o.Run.Began().TimeZone); err != nil {
		return nil, err
	}
	o.Source, o.Address, o.Theme = l.Source, l.address, l.Theme
	link := l.Link
	if l.clock != "" {
		from, to := o.Run.Span()
		at, err := timeOfDay(l.clock, from, to, o.Zone)
		if err != nil {
			return nil, err
		}
		link.After = at.Sub(from)
	}
	if o.Live != nil && link.At == 0 {
		link.Playing, link.Speed = true, 1 // it is of now, which goes on
	}
	d := desk.New(o)
	return d, d.Show(link)
}

// wanted returns how much of a run there must be before it is looked at.
func (l *look) wanted() clock.Duration {
	const least = 20 * clock.Minute
	if l.clock != "" {
		return 72 * clock.Hour // until the run is over: nobody knows yet when that is
	}
	return max(l.After, l.Fork, least)
}

// stages is an opening that goes from one thing to the next, with a picture between them.
type stages struct {
	steps []stage
	next  int
	said  bool // what the next stage does was shown
}

type stage struct {
	doing string
	do    func(budget time.Duration) (d *desk.Desk, more bool, part float64, err error)
}

// Step implements window.Opening.
func (s *stages) Step(budget time.Duration) (d *desk.Desk, doing string, part float64, err error) {
	if s.next >= len(s.steps) {
		return nil, "", 0, errors.New("there is nothing to be seen")
	}
	x := &s.steps[s.next]
	if !s.said { // first it is said, then done
		s.said = true
		return nil, x.doing, 0, nil
	}
	d, more, part, err := x.do(budget)
	if !more && err == nil {
		s.next, s.said = s.next+1, false
	}
	return d, x.doing, part, err
}

// demo runs the scenario of l here and shows it while it grows.
func demo(l look) *stages {
	ref, assignments := l.Source.Scenario, l.Settings
	if l.Seed != "" {
		assignments = append(slices.Clone(assignments), "seed="+l.Seed)
	}
	var net *maps.Network
	var f *future
	var base *lab
	return &stages{steps: []stage{
		{"growing a city", func(time.Duration) (d *desk.Desk, more bool, part float64, err error) {
			const seed = 1
			net, err = city.Generate(seed, city.Options{})
			return nil, false, 0, err
		}},
		{"sending the robots out", func(time.Duration) (d *desk.Desk, more bool, part float64, err error) {
			scenario, err := builtIn(ref)
			if err != nil {
				return nil, false, 0, err
			}
			if base, err = newLab(scenario, net, assignments); err != nil {
				return nil, false, 0, err
			}
			f, err = base.start(assignments, nil)
			return nil, false, 0, err
		}},
		{"simulating " + ref, func(budget time.Duration) (d *desk.Desk, more bool, part float64, err error) {
			done, err := f.Step(budget)
			if err != nil {
				return nil, false, 0, err
			}
			// There is something to see once the first orders are on their way, and what is asked for has come.
			b := f.live.Blocks()
			want := l.wanted()
			if !done && (len(b) == 0 || b[len(b)-1].To.Sub(b[0].From) < want) {
				if len(b) > 0 {
					part = float64(b[len(b)-1].To.Sub(b[0].From)) / float64(want)
				}
				return nil, true, part, nil
			}
			d, err = onDesk(f, base, ref, l, done)
			return d, false, 1, err
		}},
	}}
}

func onDesk(f *future, base *lab, name string, l look, done bool) (*desk.Desk, error) {
	run, err := play.Open(f.live, base.network)
	if err != nil {
		return nil, err
	}
	o := desk.Options{Run: run, Name: name, Simulator: base, At: first(run).Add(12 * clock.Minute)}
	if !done {
		o.Growing = f
	}
	return l.put(o)
}

// opened is a run that was read.
type opened struct {
	name     string
	log      *runlog.Reader
	net      *maps.Network
	scenario *source // that was beside the log; nil: there was none
	wrong    error   // with that scenario
}

// scenarioFile, beside a log, is what the run was made of.
const scenarioFile = "scenario.yaml"

// simulator returns a lab of what the run was made of: of the scenario beside the log, or of the program's of that name.
func (x *opened) simulator() (*lab, error) {
	from, name := x.scenario, x.log.Header().Scenario
	if from == nil && x.wrong == nil {
		var err error
		if from, err = builtIn(name); err != nil {
			return nil, fmt.Errorf("there is no %s beside %s, as footway run and footway replay write with --out", scenarioFile, x.name)
		}
	}
	if x.wrong != nil {
		return nil, x.wrong
	}
	return newLab(from, x.net, []string{"seed=" + strconv.FormatUint(x.log.Header().Seed, 10)})
}

func (x *opened) play() (*play.Run, error) {
	run, err := play.Open(play.NewFile(x.log), x.net)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", x.name, err)
	}
	return run, nil
}

// file shows a run that was read, and one beside it unless that is nil.
func file(a, b *opened, l look) (*desk.Desk, error) {
	run, err := a.play()
	if err != nil {
		return nil, err
	}
	o := desk.Options{Run: run, Name: a.name}
	if b != nil {
		b.net = a.net // the same to the byte; and so it is kept once
		if o.Other, err = b.play(); err != nil {
			return nil, err
		}
		o.OtherName = b.name
	}
	if sim, err := a.simulator(); err != nil {
		o.Fixed = err.Error() // it is looked at all the same
	} else {
		sim.began = run.Began()
		o.Simulator = sim
	}
	return l.put(o)
}

func first(run *play.Run) clock.Time {
	from, _ := run.Span()
	return from
}
