package world

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/kernel"
	"footway/sim/scenario"
)

// faults is what the scenario makes go wrong, and the weather, at their times.
type faults struct {
	events   []scenario.Event
	closures []closure // one for each event of kind closure, else empty

	Fired    []bool     `json:"fired"`    // events that wait for a delivery's state and have had it
	Shift    []int      `json:"shift"`    // operators on duty before each event of kind operators
	Standing []standing `json:"standing"` // of the closures
}

// closure is a stretch that an event closes.
type closure struct {
	ID    string
	Edges []maps.EdgeID
	Known bool // the map is told at once
	Why   string
}

// standing is how things are with a closure.
type standing struct {
	Closed bool       `json:"closed"` // on the ground
	Told   bool       `json:"told"`   // the map knows
	Until  clock.Time `json:"until"`  // 0: to the end
}

// What a kernel event for the faults means. A is the index of the scenario's event.
const (
	faultBegins uint32 = iota + 1
	faultEnds
	faultWeather // A is the index of the weather change
)

func newFaults(w *World) (faults, error) {
	f := faults{events: w.o.Scenario.Events}
	f.Fired = make([]bool, len(f.events))
	f.Shift = make([]int, len(f.events))
	f.closures = make([]closure, len(f.events))
	f.Standing = make([]standing, len(f.events))
	for i, e := range f.events {
		if e.Do != "closure" {
			continue
		}
		edges, err := w.closedEdges(e)
		if err != nil {
			return f, fmt.Errorf("events[%d]: %w", i, err)
		}
		f.closures[i] = closure{ID: fmt.Sprintf("closure-%d", i+1), Edges: edges, Known: e.Known, Why: "closed by the scenario"}
	}
	return f, nil
}

func (f *faults) begin(w *World) {
	for i, e := range f.events {
		if e.Delivery == "" || e.When == "" {
			w.after(e.At, kernel.Event{Target: forFault, Kind: faultBegins, A: int64(i)})
		}
	}
	for i, c := range w.o.Scenario.Weather {
		w.after(c.At, kernel.Event{Target: forFault, Kind: faultWeather, A: int64(i)})
	}
}

// seen lets events happen that wait for a delivery to reach a state.
func (f *faults) seen(w *World, o *order) {
	for i, e := range f.events {
		if !f.Fired[i] && e.When != "" && e.Delivery == o.External && e.When == string(o.State) {
			f.Fired[i] = true
			w.after(e.At, kernel.Event{Target: forFault, Kind: faultBegins, A: int64(i)})
		}
	}
}

func (f *faults) handle(ctx context.Context, w *World, e kernel.Event) error {
	switch e.Kind {
	case faultWeather:
		return w.changeWeather(ctx, w.o.Scenario.Weather[e.A])
	case faultBegins:
		if lasts := f.events[e.A].For; lasts > 0 {
			w.after(lasts, kernel.Event{Target: forFault, Kind: faultEnds, A: e.A})
		}
		return f.strike(ctx, w, int(e.A))
	case faultEnds:
		return f.end(ctx, w, int(e.A))
	}
	return fmt.Errorf("world: unknown fault event %d", e.Kind)
}

// strike makes event i happen.
func (f *faults) strike(ctx context.Context, w *World, i int) error {
	e := f.events[i]
	now := w.kernel.Now()
	note := runlog.Fault{What: e.Do}
	if e.For > 0 {
		note.Until = now.Add(e.For)
	}
	switch e.Do {
	case "operators":
		f.Shift[i] = w.crew.OnDuty
		w.crew.OnDuty = e.Count
		w.kernel.Schedule(now, kernel.Event{Target: forOperator, Kind: operatorLooks})
	case "demand":
		w.demand.Factor = e.Permille
	case "closure":
		note.Edges = f.closures[i].Edges
		w.journal(runlog.WorldFault, f.closures[i].ID, note)
		f.Standing[i] = standing{Closed: true, Until: note.Until}
		return w.close(ctx, i)
	default:
		return f.strikeRobots(ctx, w, e)
	}
	w.journal(runlog.WorldFault, fmt.Sprintf("%s-%d", e.Do, i+1), note)
	return nil
}

// end undoes event i, where it is one that lasts.
func (f *faults) end(ctx context.Context, w *World, i int) error {
	e := f.events[i]
	switch e.Do {
	case "operators":
		w.crew.OnDuty = f.Shift[i]
		w.kernel.Schedule(w.kernel.Now(), kernel.Event{Target: forOperator, Kind: operatorLooks})
	case "demand":
		w.demand.Factor = 1000
	case "closure":
		w.journal(runlog.WorldCleared, f.closures[i].ID, runlog.Fault{What: e.Do})
		f.Standing[i] = standing{}
		w.hide()
		return w.p.Maps.Reopen(ctx, w.o.Market.ID, f.closures[i].ID)
	default:
		return nil // robots end their troubles themselves
	}
	w.journal(runlog.WorldCleared, fmt.Sprintf("%s-%d", e.Do, i+1), runlog.Fault{What: e.Do})
	return nil
}

// strikeRobots makes an event happen to the robots that it names.
func (f *faults) strikeRobots(ctx context.Context, w *World, e scenario.Event) error {
	for _, r := range w.robots {
		if r.Kind != fleet.KindRobot || !w.means(e, r) {
			continue
		}
		var err error
		switch e.Do {
		case "breakdown":
			if r.Activity != fleet.Broken {
				err = w.halt(ctx, r, breakdown)
			}
		case "stuck":
			if r.Leg != nil {
				err = w.halt(ctx, r, stuck)
			}
		case "contact_lost":
			lasts := e.For
			if lasts == 0 {
				lasts = 24 * clock.Hour
			}
			w.loseContact(r, lasts)
		case "jam":
			r.JamNext = true
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// means reports whether e is about r.
func (w *World) means(e scenario.Event, r *robot) bool {
	switch {
	case e.Delivery != "":
		o := w.orderOf(r.delivery())
		return o != nil && o.External == e.Delivery && (r.Job.Task != "")
	case e.Robot == "all":
		return true
	}
	return string(r.ID) == e.Robot
}

// closedEdges finds what a closure closes: a street, a circle, or a street within a circle.
func (w *World) closedEdges(e scenario.Event) ([]maps.EdgeID, error) {
	net := w.o.Network
	var centre maps.Point
	if e.Around != "" {
		p, err := w.point(e.Around)
		if err != nil {
			return nil, fmt.Errorf("around: %w", err)
		}
		centre = p
	}
	var edges []maps.EdgeID
	for i := range net.Edges {
		id := maps.EdgeID(i)
		ed := &net.Edges[i]
		if e.Street != "" && !strings.EqualFold(net.Names[ed.Name], e.Street) {
			continue
		}
		if e.Around != "" && maps.Distance(centre, net.PointAt(maps.Position{Edge: id, OffsetMM: ed.LengthMM / 2})) > e.RadiusM*1000 {
			continue
		}
		edges = append(edges, id)
	}
	if len(edges) == 0 {
		return nil, fmt.Errorf("closure: nothing of street %q lies within %d m of %q", e.Street, e.RadiusM, e.Around)
	}
	return edges, nil
}

// untold returns the closure that holds edge and that the map does not know of.
func (f *faults) untold(edge maps.EdgeID) (int, bool) {
	for i, c := range f.closures {
		if _, holds := slices.BinarySearch(c.Edges, edge); holds && f.Standing[i].Closed && !f.Standing[i].Told {
			return i, true
		}
	}
	return 0, false
}

// close closes what event i names: on the map if it is known, else only on the ground.
func (w *World) close(ctx context.Context, i int) error {
	c := w.faults.closures[i]
	if c.Known {
		return w.closeOnMap(ctx, i)
	}
	w.hide()
	return w.reroute(ctx, c.Edges)
}

// closeOnMap tells the map, and every robot on its way there turns to another.
func (w *World) closeOnMap(ctx context.Context, i int) error {
	c, s := w.faults.closures[i], &w.faults.Standing[i]
	err := w.p.Maps.Close(ctx, w.o.Market.ID, maps.Closure{ID: c.ID, Edges: c.Edges, From: w.kernel.Now(), Until: s.Until, Reason: c.Why})
	if err != nil {
		return err
	}
	s.Told = true
	w.hide()
	return w.reroute(ctx, c.Edges)
}

// hide finds anew what is closed without the map knowing.
func (w *World) hide() {
	w.hidden = nil
	for i, s := range w.faults.Standing {
		if s.Closed && !s.Told {
			w.hidden = append(w.hidden, w.faults.closures[i].Edges...)
		}
	}
	slices.Sort(w.hidden)
}

// reroute lays the way of every robot that would come through edges out anew.
func (w *World) reroute(ctx context.Context, edges []maps.EdgeID) error {
	for _, r := range w.robots {
		if r.Leg == nil {
			continue
		}
		at := w.position(r)
		ahead := slices.Index(r.Leg.Route, at.Edge) + 1
		meets := slices.ContainsFunc(r.Leg.Route[ahead:], func(id maps.EdgeID) bool {
			_, ok := slices.BinarySearch(edges, id)
			return ok
		})
		if meets {
			if err := w.drive(ctx, r, r.Leg.To); err != nil {
				return err
			}
		}
	}
	return nil
}
