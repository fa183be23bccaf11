package desk

import (
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
		s.kpis.update(s.run, done)
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

// fork begins a new run beside the one on the desk, from the cursor or from the start.
func (d *Desk) fork(fromHere bool) {
	var after clock.Duration
	from, _ := d.sides[0].run.Span()
	if fromHere {
		after = max(d.t.Sub(from), 1)
	}
	var assignments []string
	name := "with other luck"
	for i, c := range d.changes {
		assignments = append(assignments, c.path+"="+c.value)
		if i == 0 {
			name = c.path + "=" + c.value
		}
	}
	if len(d.changes) > 1 {
		name += " …"
	}
	if len(d.changes) == 0 {
		d.tuneErr = "nothing is changed yet: move a slider first"
		return
	}
	future, err := d.o.Simulator.Fork(after, assignments)
	if err != nil {
		d.tuneErr = err.Error()
		return
	}
	d.tuneErr = ""
	if len(d.sides) > 1 && d.sides[1].future != nil {
		d.sides[1].future.Stop()
	}
	// The first steps, until there is something to see.
	for range 1000 {
		if len(future.Log().Blocks()) > 0 {
			break
		}
		if done, err := future.Step(futureStep); err != nil || done {
			d.tuneErr = "the run ended before it began"
			return
		}
	}
	run, err := play.Open(future.Log(), d.sides[0].run.Network())
	if err != nil {
		d.tuneErr = err.Error()
		return
	}
	d.sides = d.sides[:1]
	d.add(run, name).future = future
	d.made = future
	d.split = true
	d.refit = true
	if !fromHere {
		d.seek(from)
	}
	d.playing = true
}
