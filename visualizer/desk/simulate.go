package desk

import (
	"errors"
	"slices"
	"time"

	"footway/core/clock"
	"footway/core/setting"
	"footway/visualizer/play"
)

// Simulator runs the run on the desk anew, with other settings. It is given by
// whoever puts the desk together: the desk itself knows of no simulation.
type Simulator interface {
	// Fields lists the settings of the run, with what they were in it as defaults.
	Fields() []setting.Field
	// Fork begins the run anew with assignments such as dispatch.policy=nearest that hold from so long after its start on; 0 is from the start.
	// Up to then it is the same to the byte. What is wrong with the assignments is the error.
	Fork(after clock.Duration, assignments []string) (Future, error)
}

// Future is a run that is under way.
type Future interface {
	// Step goes on for about as long as it may, and reports whether the run is over.
	Step(budget time.Duration) (done bool, err error)
	// Log is what happened so far. It grows with each step.
	Log() play.Log
	// Command is the command line that makes the same run.
	Command() string
	// Configuration is a configuration file with the settings, as production loads it.
	Configuration() ([]byte, error)
	// Stop ends the run where it is.
	Stop()
}

const (
	scanStep   = 20_000                 // events that are looked through in a frame
	futureStep = 9 * time.Millisecond   // that a run may take of a frame, at least
	mostStep   = 150 * time.Millisecond // and at most, where frames take long
	ahead      = 10 * clock.Minute      // a run goes first to where one looks, and so much beyond
)

// growing reports whether a run is under way.
func (d *Desk) growing() bool {
	for _, s := range d.sides {
		if s.future != nil {
			return true
		}
	}
	return false
}

// work does what takes long, a little of it, and reports whether there was something to do.
func (d *Desk) work() bool {
	worked := false
	for i, s := range d.sides {
		if s.future != nil {
			d.grow(s)
			worked = true
		}
		if (i > 0 || d.o.Live == nil) && s.future == nil && s.scanned {
			continue
		}
		before := s.run.Scanned()
		done, err := s.run.Scan(scanStep)
		if err != nil {
			s.err = err
		}
		worked = worked || s.run.Scanned() != before || done != s.scanned
		s.scanned = done
		s.kpis.update(s.run, done && s.future == nil)
	}
	return worked
}

// budget returns how long runs may take: of slow frames a larger part, or they would never end.
func (d *Desk) budget() time.Duration {
	return min(max(futureStep, d.elapsed/2), mostStep)
}

// grow lets a run go on.
func (d *Desk) grow(s *side) {
	done, err := s.future.Step(d.budget() / time.Duration(len(d.sides)))
	if err != nil {
		s.err, done = err, true
		d.say("the new run broke off: %v", err)
	}
	if done {
		s.scanned = false
		s.future = nil
		if err == nil {
			d.say("the new run is complete")
		}
	}
}

// tryOut runs what was changed, from the cursor or from the start.
func (d *Desk) tryOut(fromHere bool) {
	from, _ := d.span()
	after := clock.Duration(0)
	if fromHere {
		after = max(d.t.Sub(from), 1)
	}
	d.tuneErr = ""
	if err := d.fork(after, d.changes); err != nil {
		d.tuneErr = err.Error()
		return
	}
	if !fromHere {
		d.seek(from)
	}
	d.playing = true
}

// fork begins a new run beside the one on the desk, whose settings are others from so long after its beginning on.
func (d *Desk) fork(after clock.Duration, changes []change) error {
	if len(changes) == 0 {
		return errors.New("nothing is changed yet: move a slider first")
	}
	future, err := d.o.Simulator.Fork(after, assignments(changes))
	if err != nil {
		return err
	}
	run, err := d.started(future)
	if err != nil {
		future.Stop()
		return err
	}
	if len(d.sides) > 1 && d.sides[1].future != nil {
		d.sides[1].future.Stop()
	}
	name := changes[0].path + "=" + changes[0].value
	if len(changes) > 1 {
		name += " …"
	}
	d.choose(0, d.same(0, d.view.Selection)) // what the old one called so, nobody does
	d.sides = d.sides[:1]
	d.add(run, name).future = future
	d.made = made{future, after, slices.Clone(changes)}
	d.comparison = comparison{}
	d.split, d.refit = true, true
	return nil
}

// started makes the first steps of a run, until there is something to see.
func (d *Desk) started(future Future) (*play.Run, error) {
	const enough = 1000 // steps
	done := false
	for n := 0; len(future.Log().Blocks()) == 0 && n < enough; n++ { // a short run may be over with its first step
		if done {
			return nil, errors.New("the run ended before it began")
		}
		var err error
		if done, err = future.Step(futureStep); err != nil {
			return nil, err
		}
	}
	return play.Open(future.Log(), d.sides[0].run.Network())
}
