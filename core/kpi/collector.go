// Package kpi is the one place where each number that runs are judged by is
// defined and computed: a collector folds the events of a log, and a table of
// definitions turns what it saw into values. It draws nothing.
package kpi

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/runlog"
)

// SampleEvery is the distance of the samples in a Run's series.
const SampleEvery = clock.Minute

// Run is what a collector saw.
type Run struct {
	Began      runlog.Began          `json:"began"`
	From       clock.Time            `json:"from"` // time of the first event
	To         clock.Time            `json:"to"`   // of the last
	Events     uint64                `json:"events"`
	Records    []*Record             `json:"records"`  // in the order of their first events; quotes that were not accepted have no Requested
	Carriers   []*Carrier            `json:"carriers"` // in the order of their first events
	Samples    []Sample              `json:"samples"`
	Quoted     int                   `json:"quoted"`
	Refused    map[string]int        `json:"refused"` // by reason
	Assists    int                   `json:"assists"` // that have begun
	AssistTime clock.Duration        `json:"assist_time"`
	AssistWait []int64               `json:"assist_wait"` // ms from each call for help to its begin
	Helping    map[string]clock.Time `json:"helping"`     // robots that operators help now, and since when
}

// Sample is how things stood at one instant.
type Sample struct {
	T         clock.Time      `json:"t"`
	Waiting   int             `json:"waiting"`   // deliveries without a robot
	Active    int             `json:"active"`    // deliveries with one
	Delivered int             `json:"delivered"` // so far
	Late      int             `json:"late"`      // of those, after the promise
	Robots    [Activities]int `json:"robots"`
	Battery   [3]int          `json:"battery"` // permille of capacity: P10, P50, P90 over robots
}

// Collector folds events into a Run.
type Collector struct {
	run      Run
	err      error
	records  map[string]*Record
	carriers map[string]*Carrier
	next     clock.Time // of the next sample
	waiting  int
	active   int
	done     int
	late     int
	scratch  []int64
}

// NewCollector returns a collector that has seen nothing.
func NewCollector() *Collector {
	return &Collector{
		run:     Run{Refused: map[string]int{}, Helping: map[string]clock.Time{}},
		records: map[string]*Record{}, carriers: map[string]*Carrier{},
	}
}

// Observe folds the next event; it is made to be an observer of a runlog.Log.
// Kinds that say nothing to it are ignored. After an event whose data is not of
// its kind's type it takes no more, and Err says which it was.
func (c *Collector) Observe(e event.Event) {
	if c.err != nil {
		return
	}
	if c.run.From == 0 {
		c.run.From = e.T
		c.next = e.T.Add(SampleEvery)
	}
	for ; e.T >= c.next; c.next = c.next.Add(SampleEvery) {
		c.sample(c.next)
	}
	c.run.To = max(c.run.To, e.T)
	c.run.Events++
	if err := c.fold(e); err != nil {
		c.err = fmt.Errorf("kpi: event %d (%s of %q): %w", e.Seq, e.Kind, e.Entity, err)
	}
}

// Err returns why the collector takes no more events; nil if it does.
func (c *Collector) Err() error { return c.err }

// Run returns what was seen so far. What is still going on, such as a drive,
// counts up to the last event.
func (c *Collector) Run() *Run {
	run := c.run
	run.Carriers = make([]*Carrier, len(c.run.Carriers))
	for i, k := range c.run.Carriers {
		ended := *k
		ended.release(run.To)
		ended.leave(run.To)
		ended.stop(run.To, -1)
		run.Carriers[i] = &ended
	}
	for _, robot := range slices.Sorted(maps.Keys(run.Helping)) {
		run.AssistTime += run.To.Sub(run.Helping[robot])
	}
	return &run
}

func (c *Collector) fold(e event.Event) error {
	service, what, _ := strings.Cut(e.Kind, ".")
	switch service {
	case "delivery":
		return c.foldDelivery(e, what)
	case "robot":
		return c.foldRobot(e)
	case "fleet":
		return c.foldFleet(e, what)
	case "operator":
		return c.foldOperator(e)
	case "merchant":
		if e.Kind == runlog.MerchantReady {
			c.record(e.Entity).Ready = e.T
		}
	case "run":
		if e.Kind == runlog.RunBegan {
			return c.begin(e)
		}
	}
	return nil
}

func (c *Collector) begin(e event.Event) error {
	if err := json.Unmarshal(e.Data, &c.run.Began); err != nil {
		return err
	}
	for _, r := range c.run.Began.Robots {
		k := c.carrier(string(r.ID))
		k.Kind, k.CapacityMWh = r.Kind, r.CapacityMWh
		k.seen(r.ChargeMWh)
	}
	return nil
}

func (c *Collector) record(id string) *Record {
	r := c.records[id]
	if r == nil {
		r = &Record{Delivery: id, State: delivery.Quoted}
		c.records[id] = r
		c.run.Records = append(c.run.Records, r)
	}
	return r
}

func (c *Collector) carrier(id string) *Carrier {
	k := c.carriers[id]
	if k == nil {
		k = &Carrier{ID: id, Kind: fleet.KindRobot, State: fleet.Available}
		c.carriers[id] = k
		c.run.Carriers = append(c.run.Carriers, k)
	}
	return k
}

func (c *Collector) foldOperator(e event.Event) error {
	var a runlog.Assist
	if err := json.Unmarshal(e.Data, &a); err != nil {
		return err
	}
	robot := string(a.Robot)
	switch e.Kind {
	case runlog.OperatorBegan:
		c.run.Assists++
		c.run.AssistWait = append(c.run.AssistWait, a.WaitedMS)
		c.run.Helping[robot] = e.T
	case runlog.OperatorEnded:
		if since, ok := c.run.Helping[robot]; ok {
			c.run.AssistTime += e.T.Sub(since)
			delete(c.run.Helping, robot)
		}
	}
	return nil
}

// sample notes how things stand at t.
func (c *Collector) sample(t clock.Time) {
	s := Sample{T: t, Waiting: c.waiting, Active: c.active, Delivered: c.done, Late: c.late}
	charges := c.scratch[:0]
	for _, k := range c.run.Carriers {
		if k.Kind != fleet.KindRobot {
			continue
		}
		s.Robots[k.ActivityAt(t)]++
		if k.CapacityMWh > 0 && k.Known {
			charges = append(charges, k.ChargeAt(t)*1000/k.CapacityMWh)
		}
	}
	slices.Sort(charges)
	for i, q := range [...]int64{100, 500, 900} {
		if v, ok := nearestRank(charges, q); ok {
			s.Battery[i] = int(v)
		}
	}
	c.scratch = charges
	c.run.Samples = append(c.run.Samples, s)
}

// refusal is the data of "delivery.refused".
type refusal struct {
	Reason string `json:"reason"`
}

var refusalReasons = []string{
	dispatch.DistanceTooLong, dispatch.PickupOutside, dispatch.DropoffOutside,
	dispatch.OutsideHours, dispatch.TooLarge, dispatch.NoCapacity,
}
