// Package twin puts the core under the simulator, on stores in memory or on real ones: the wiring
// that commands and the tests of whole runs share. It has no rules of its own.
package twin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/config"
	"footway/core/delivery"
	"footway/core/event"
	"footway/core/kpi"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/sim/scenario"
	"footway/sim/world"
)

// Options say what to run.
type Options struct {
	Scenario scenario.Scenario // with its defaults filled in
	Network  *maps.Network
	Settings config.Settings
	Version  string       // of the program, for the log's header
	Log      io.Writer    // nil: the run is only hashed
	Codec    runlog.Codec // nil: the log is not compressed

	// Observe is called with each event once it is in the log. Nil: nobody looks.
	Observe func(event.Event)

	// Stores are where the services keep what they know. Nil: in memory, and only then a checkpoint can be made.
	Stores *stores.Set

	// Broker carries delivery updates to the people of the city: what it returns takes them from the
	// relay and, before it returns, hands them on to people. Nil: nothing lies between.
	Broker func(people delivery.Publisher) delivery.Publisher

	// Traffic makes the recorded partner traffic of the run from its services. Nil: there is none.
	Traffic func(*Services) world.Traffic
}

// Run is one run of a scenario. It is not safe for concurrent use.
type Run struct {
	o         Options
	settings  config.Settings // that hold now
	market    market.Market
	deadline  clock.Time // the run does not go on beyond it
	world     *world.World
	services  *Services
	log       *runlog.Log
	collector *kpi.Collector
	parts     []part
	elsewhere []string // stores that no checkpoint can hold
	begun     bool
	changes   []scenario.Later // settings that change during the run, by rising time
	changed   int              // how many of them hold
}

// New returns a run at its beginning.
func New(ctx context.Context, o Options) (*Run, error) {
	r, wo, err := prepare(o)
	if err != nil {
		return nil, err
	}
	if r.log, err = runlog.New(o.Log, r.header(), r.logOptions()); err != nil {
		return nil, err
	}
	wo.Journal = r.log
	if r.world, err = world.New(wo); err != nil {
		return nil, err
	}
	return r, r.connect(ctx)
}

// prepare reads what the options say of market and time.
func prepare(o Options) (*Run, world.Options, error) {
	s := &o.Scenario
	start, offset, err := s.Begin()
	if err != nil {
		return nil, world.Options{}, err
	}
	settings, err := json.Marshal(o.Settings)
	if err != nil {
		return nil, world.Options{}, fmt.Errorf("settings: %w", err)
	}
	changes, errs := s.Later(o.Settings)
	if err := errors.Join(errs...); err != nil {
		return nil, world.Options{}, err
	}
	r := &Run{
		o: o, settings: o.Settings, changes: changes, collector: kpi.NewCollector(), deadline: start.Add(s.Duration + s.Drain),
		market: market.Market{ID: market.ID(s.Market.ID), Name: o.Network.Name, TimeZone: s.Market.TimeZone, Currency: s.Market.Currency},
	}
	return r, world.Options{
		Market: r.market, Network: o.Network, Profile: o.Settings.Maps, Scenario: *s, Start: start,
		Offset: offset, Settings: settings, Seed: rng.Seed(s.Seed),
	}, nil
}

func (r *Run) header() runlog.Header {
	return runlog.Header{Scenario: r.o.Scenario.Name, Seed: r.o.Scenario.Seed, Market: string(r.market.ID), Version: r.o.Version}
}

func (r *Run) logOptions() runlog.Options {
	o := runlog.Options{Codec: r.o.Codec, Observers: []func(event.Event){r.collector.Observe}}
	if r.o.Observe != nil {
		o.Observers = append(o.Observers, r.o.Observe)
	}
	return o
}

// connect makes the services and gives them to the world.
func (r *Run) connect(ctx context.Context) error {
	s, err := r.newServices(ctx)
	if err != nil {
		return err
	}
	r.services = s
	if r.o.Traffic != nil {
		traffic := r.o.Traffic(s)
		r.world.SetTraffic(traffic)
		if keeps, ok := traffic.(snapshotter); ok {
			r.parts = append(r.parts, part{"traffic", keeps})
		}
	}
	r.world.Attach(world.Services{
		Deliveries: s.Deliveries, Relay: s.Relay, Dispatch: s.Dispatch, Tasks: s.Tasks, Fleet: s.Fleet, Maps: s.Maps,
	})
	return nil
}

// Step executes the next event. It reports false when the run is over: nothing
// more can come and every delivery has ended, or the drain is over.
func (r *Run) Step(ctx context.Context) (bool, error) {
	if !r.begun {
		r.begun = true
		if err := r.world.Begin(ctx); err != nil {
			return false, err
		}
	}
	if r.world.Quiet() {
		return false, nil
	}
	if err := r.settle(ctx); err != nil {
		return false, err
	}
	more, err := r.world.Step(ctx, r.deadline)
	if err == nil {
		err = r.log.Err()
	}
	return more, err
}

// settle makes the settings hold that do from the next event on.
func (r *Run) settle(ctx context.Context) error {
	for len(r.changes) > r.changed {
		l := &r.changes[r.changed]
		from := r.start().Add(l.After)
		if next, ok := r.world.Next(); !ok || next < from {
			return nil
		}
		r.changed++
		what, err := json.Marshal(config.Difference(r.settings, l.Settings))
		if err != nil {
			return fmt.Errorf("settings: %w", err)
		}
		r.settings = l.Settings
		r.log.Append(ctx, event.New(from, string(r.market.ID), "config.changed", string(r.market.ID), 0, json.RawMessage(what)))
	}
	return nil
}

// resettle makes the settings hold that do after an instant, for a run that goes on from there.
func (r *Run) resettle(now clock.Time) {
	for _, l := range r.changes {
		if r.start().Add(l.After) > now {
			return
		}
		r.settings = l.Settings
		r.changed++
	}
}

// Progress is how far a run is.
type Progress struct {
	Now      clock.Time
	Part     float64 // of the run's time, 0 to 1
	Events   uint64  // executed by the kernel
	Accepted int
	Ended    int
}

// Elapsed returns the time of the city that has passed since the start.
func (r *Run) Elapsed() clock.Duration { return r.world.Now().Sub(r.start()) }

func (r *Run) start() clock.Time {
	return r.deadline.Add(-(r.o.Scenario.Duration + r.o.Scenario.Drain))
}

// Progress returns how far the run is.
func (r *Run) Progress() Progress {
	accepted, ended := r.world.Progress()
	part := float64(r.Elapsed()) / float64(max(r.o.Scenario.Duration, 1))
	return Progress{Now: r.world.Now(), Part: min(part, 1), Events: r.world.Executed(), Accepted: accepted, Ended: ended}
}

// All steps through the run to its end and finishes it. Every so many events
// it calls look, if that is not nil; an error of look breaks the run off.
func (r *Run) All(ctx context.Context, look func(Progress) error) error {
	const every = 4096
	for n := 1; ; n++ {
		more, err := r.Step(ctx)
		if err != nil {
			return err
		}
		if !more {
			return r.Finish()
		}
		if n%every == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if look != nil {
				if err := look(r.Progress()); err != nil {
					return err
				}
			}
		}
	}
}

// Finish closes the log and checks what must be true at the end.
func (r *Run) Finish() error {
	broken := r.world.Finish()
	r.world.JournalEnd(broken)
	if err := r.log.Close(); err != nil {
		return err
	}
	if err := r.collector.Err(); err != nil {
		return err
	}
	return broken
}

// Result is what came out of a run.
type Result struct {
	Hash     runlog.Hash
	Events   uint64 // in the log
	Sim      clock.Duration
	KPIs     kpi.Result
	Outcomes []Outcome
	Run      *kpi.Run // for reports
}

// Result returns what came out so far.
func (r *Run) Result() Result {
	run := r.collector.Run()
	res := Result{
		Hash: r.log.Hash(), Events: r.log.Seq(), KPIs: kpi.Compute(run), Run: run,
		Sim: r.Elapsed(),
	}
	res.Outcomes = r.outcomes(res)
	return res
}
