package delivery_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/task"
)

const here market.ID = "m"

// noon is when every story begins.
const noon = clock.Time(12 * clock.Hour)

// city is a delivery service among fakes that keep their ports' contracts.
type city struct {
	*delivery.Service
	t       testing.TB
	clock   *fake.Clock
	timers  *fake.Timers
	journal *fake.Journal
	store   *memory.DeliveryStore
	cursors *memory.Cursors
	desk    *desk
	board   *board
	ids     *fake.IDs
	set     delivery.Settings
	relay   *delivery.Relay
	sent    []delivery.Update
	calls   []string // what the services next door were told, in order
	losses  *fake.Losses
}

func newCity(t testing.TB, losses *fake.Losses) *city {
	c := &city{t: t, clock: fake.NewClock(noon), timers: &fake.Timers{}, journal: &fake.Journal{}, store: memory.NewDeliveryStore(),
		cursors: memory.NewCursors(), ids: &fake.IDs{}, set: delivery.DefaultSettings(), losses: losses}
	c.desk = &desk{city: c, held: map[fleet.RobotID]uint64{}, requests: map[string]dispatch.Request{}}
	c.board = &board{city: c, tasks: map[task.ID]*task.Task{}}
	c.start()
	return c
}

// start makes a new service over the stores, as a process does.
func (c *city) start() {
	store := fake.LossyDeliveryStore{Store: c.store, PersonalStore: c.store, Losses: c.losses}
	d := fake.LossyDispatch{Dispatcher: c.desk, DecisionFeed: c.desk, Losses: c.losses}
	b := fake.LossyTasks{Tasks: c.board, TaskFeed: c.board, Losses: c.losses}
	c.Service = delivery.NewService(delivery.Deps{
		Store: store, Open: c.store, Personal: store, Cursors: fake.LossyCursors{Cursors: c.cursors, Losses: c.losses},
		Dispatcher: d, Decisions: d, Tasks: b, TaskFeed: b, IDs: c.ids, Secrets: pins{}, Clock: c.clock, Timers: c.timers,
		Journal: c.journal, Settings: func(market.ID) delivery.Settings { return c.set },
	})
	c.relay = delivery.NewRelay(fake.LossyOutbox{Outbox: c.store, Losses: c.losses}, fake.LossyPublisher{Publisher: c, Losses: c.losses})
}

// Publish implements delivery.Publisher.
func (c *city) Publish(_ context.Context, u []delivery.Update) ([]bool, error) {
	c.sent = append(c.sent, u...)
	return slices.Repeat([]bool{true}, len(u)), nil
}

func (c *city) call(format string, args ...any) {
	c.calls = append(c.calls, fmt.Sprintf(format, args...))
}

// pump reads the feeds and publishes.
func (c *city) pump() error {
	if err := fake.Again(func() error { return c.Pump(context.Background(), here) }); err != nil {
		return err
	}
	return fake.Again(func() error { _, err := c.relay.Pump(context.Background()); return err })
}

// wait lets time pass.
func (c *city) wait(d clock.Duration) error {
	return c.timers.Run(c.clock, c.clock.Now().Add(d), func(k clock.Key) error {
		if err := c.Fire(context.Background(), k); err != nil {
			return err
		}
		return c.pump()
	})
}

// get returns the stored delivery without any loss.
func (c *city) get(id string) delivery.Delivery {
	d, err := c.store.Delivery(context.Background(), delivery.ID(id))
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// check tries what must hold at every moment.
func (c *city) check() {
	c.t.Helper()
	shot, err := c.store.Snapshot()
	if err != nil {
		c.t.Fatal(err)
	}
	var all struct{ Deliveries []delivery.Delivery }
	if err := json.Unmarshal(shot, &all); err != nil {
		c.t.Fatal(err)
	}
	for _, d := range all.Deliveries {
		for _, err := range d.Check() {
			c.t.Error(err)
		}
	}
}

// pins are secrets that tests can guess.
type pins struct{}

// PIN implements delivery.Secrets.
func (pins) PIN(_, purpose string) string {
	if purpose == "load" {
		return "1111"
	}
	return "2222"
}

// request returns what a partner asks for under an id.
func request(id string) delivery.QuoteRequest {
	return delivery.QuoteRequest{
		Market: here, Partner: "dd", ExternalID: id, RequestHash: "hash-of-" + id, PickupStore: "Deli",
		Pickup: dispatch.Place{Address: "1 Pike St"}, Dropoff: dispatch.Place{Address: "2 Pine St"},
		Load: fleet.Load{LengthMM: 300, WidthMM: 200, HeightMM: 100, Grams: 900}, OrderValue: 2500, ReadyAt: noon.Add(5 * clock.Minute),
		Personal: delivery.Personal{DropoffPhone: "+12065550101", DropoffGivenName: "Adalbert"},
	}
}

// desk is Dispatch: it decides what the story says.
type desk struct {
	*city
	refuse    string
	requests  map[string]dispatch.Request
	held      map[fleet.RobotID]uint64
	lastToken uint64
	decisions []dispatch.Decision
}

// Estimate implements delivery.Dispatcher: a drop-off at "far" is twice as far.
func (d *desk) Estimate(_ context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	if d.refuse != "" {
		return dispatch.Estimate{Refusal: &dispatch.Refusal{Reason: d.refuse, Detail: "not today"}}, nil
	}
	now, far := d.clock.Now(), int64(1)
	if r.Dropoff.Address == "far" {
		far = 2
	}
	at := max(now.Add(10*clock.Minute), r.ReadyAt)
	drive := clock.Duration(far) * 12 * clock.Minute
	return dispatch.Estimate{
		Pickup: maps.Position{Edge: 1}, Dropoff: maps.Position{Edge: maps.EdgeID(1 + far)}, RouteMM: far * 1_200_000, RouteTime: drive,
		PickupP50: now.Add(10 * clock.Minute), PickupP90: now.Add(15 * clock.Minute),
		DropoffP50: at.Add(drive + 4*clock.Minute), DropoffP90: at.Add(drive + 14*clock.Minute),
	}, nil
}

func requestKey(id string, attempt int) string { return fmt.Sprintf("%s#%d", id, attempt) }

// Request implements delivery.Dispatcher.
func (d *desk) Request(_ context.Context, r dispatch.Request) error {
	k := requestKey(r.Delivery, r.Attempt)
	if old, ok := d.requests[k]; !ok || fmt.Sprint(old) != fmt.Sprint(r) {
		d.call("dispatch: request %s for %s from edge %d to edge %d, ready %s, not %v", k, r.Kind, r.Pickup.Edge, r.Dropoff.Edge, fake.Time(r.ReadyAt), r.Not)
	}
	d.requests[k] = r
	return nil
}

// Withdraw implements delivery.Dispatcher.
func (d *desk) Withdraw(_ context.Context, _ market.ID, id string, attempt int) error {
	k := requestKey(id, attempt)
	if _, ok := d.requests[k]; ok {
		d.call("dispatch: withdraw %s", k)
	}
	delete(d.requests, k)
	return nil
}

// Finish implements delivery.Dispatcher.
func (d *desk) Finish(_ context.Context, f dispatch.Finish) error {
	if d.held[f.Robot] == f.Token {
		d.call("dispatch: finish %s frees %s", requestKey(f.Delivery, f.Attempt), f.Robot)
		delete(d.held, f.Robot)
	}
	return nil
}

// Decisions implements delivery.DecisionFeed. It repeats the entry before the cursor.
func (d *desk) Decisions(_ context.Context, _ market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error) {
	from, to := page(string(after), len(d.decisions), limit)
	return d.decisions[from:to], dispatch.Cursor(strconv.Itoa(to)), nil
}

// page returns the part of a feed of n entries behind a cursor, and one more if there is anything new.
func page(after string, n, limit int) (from, to int) {
	from, _ = strconv.Atoi(after)
	to = min(n, from+limit)
	if from > 0 && from < to {
		from--
	}
	return from, to
}

// decide puts a decision on the feed.
func (d *desk) decide(id string, kind dispatch.DecisionKind, robot fleet.RobotID, in clock.Duration, cause string) {
	c := dispatch.Decision{Market: here, Delivery: id, Attempt: d.get(id).Attempt, Kind: kind, At: d.clock.Now(), Robot: robot, Cause: cause}
	switch kind {
	case dispatch.Assigned:
		d.lastToken++
		d.held[robot] = d.lastToken
		c.Token, c.PickupAt = d.lastToken, d.clock.Now().Add(in)
		delete(d.requests, requestKey(id, c.Attempt))
	case dispatch.GaveUp:
		delete(d.requests, requestKey(id, c.Attempt))
	case dispatch.Lost:
		c.Position = &maps.Position{Edge: 77}
	}
	d.decisions = append(d.decisions, c)
}

// board is Task, with robots that do what the story says.
type board struct {
	*city
	tasks    map[task.ID]*task.Task
	changes  []task.Change
	refuse   bool // Create fails with fault.Conflict
	hatch    bool // a hatch is open, so that Replan comes too late
	handoffs []task.HandoffRequest
}

// Create implements delivery.Tasks.
func (b *board) Create(_ context.Context, r task.CreateRequest) (task.Task, error) {
	id := task.ID(fmt.Sprintf("%s.%d", r.Delivery, r.Attempt))
	if t, ok := b.tasks[id]; ok && t.Robot == r.Robot && t.Token == r.Token {
		return *t, nil
	} else if ok || b.refuse {
		return task.Task{}, fault.New("board.Create", fault.Conflict, "", "no")
	}
	b.tasks[id] = &task.Task{ID: id, Market: r.Market, Delivery: r.Delivery, Attempt: r.Attempt, Robot: r.Robot, Token: r.Token, State: task.Active, Steps: slices.Clone(r.Steps)}
	b.call("task: create %s for %s: %s", id, r.Robot, stepNames(r.Steps))
	return *b.tasks[id], nil
}

func stepNames(steps []task.Step) string {
	var all []string
	for _, s := range steps {
		n := fmt.Sprintf("%s(%s@%d %v", s.Kind, s.Purpose, s.To.Edge, s.Budget)
		if s.PIN != "" {
			n += " pin " + s.PIN
		}
		all = append(all, n+")")
	}
	return strings.Join(all, " ")
}

// Replan implements delivery.Tasks: a running step that is replaced stays, as skipped.
func (b *board) Replan(_ context.Context, r task.ReplanRequest) error {
	t, ok := b.tasks[r.Task]
	switch {
	case !ok:
		return fault.New("board.Replan", fault.NotFound, "", "no task %s", r.Task)
	case r.Number == t.Replans:
		return nil
	case t.State != task.Active || b.hatch && r.From <= t.Current:
		return fault.New("board.Replan", fault.Conflict, "", "too late")
	}
	t.Replans = r.Number
	if r.From <= t.Current {
		t.Current++
		r.From = t.Current
	}
	t.Steps = append(t.Steps[:r.From:r.From], r.Steps...)
	b.call("task: replan %s from step %d: %s", t.ID, r.From, stepNames(r.Steps))
	return nil
}

// Cancel implements delivery.Tasks.
func (b *board) Cancel(_ context.Context, id task.ID, cause string) error {
	t, ok := b.tasks[id]
	if !ok {
		return fault.New("board.Cancel", fault.NotFound, "", "no task %s", id)
	}
	if t.State != task.Active {
		return nil
	}
	b.call("task: cancel %s: %s", id, cause)
	b.note(t, task.Withdrawn, cause)
	t.State = task.Cancelled
	return nil
}

// Handoff implements delivery.Tasks.
func (b *board) Handoff(_ context.Context, r task.HandoffRequest) error {
	b.handoffs = append(b.handoffs, r)
	return nil
}

// Changes implements delivery.TaskFeed. It repeats the entry before the cursor.
func (b *board) Changes(_ context.Context, _ market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error) {
	from, to := page(string(after), len(b.changes), limit)
	return b.changes[from:to], task.Cursor(strconv.Itoa(to)), nil
}

func (b *board) note(t *task.Task, kind task.ChangeKind, cause string) {
	c := task.Change{Task: t.ID, Delivery: t.Delivery, Attempt: t.Attempt, Robot: t.Robot, At: b.clock.Now(), Kind: kind, Step: t.Current,
		Cause: cause, Position: maps.Position{Edge: 50}}
	if t.Current < len(t.Steps) {
		c.StepKind, c.Purpose = t.Steps[t.Current].Kind, t.Steps[t.Current].Purpose
	}
	for _, old := range b.changes {
		if old.Task == t.ID {
			c.Seq = old.Seq
		}
	}
	c.Seq++
	b.changes = append(b.changes, c)
}

// report is the robot of a task saying what it did in the current step.
func (b *board) report(id task.ID, kind task.ChangeKind, cause string) error {
	t, ok := b.tasks[id]
	if !ok || t.State != task.Active {
		return fmt.Errorf("no active task %s", id)
	}
	b.note(t, kind, cause)
	switch kind {
	case task.Arrived, task.Confirmed:
		t.Current++
	case task.StepFailed:
		t.State = task.Broken
	}
	if t.Current == len(t.Steps) {
		b.note(t, task.Ended, "")
		t.State = task.Finished
	}
	return nil
}

// describe writes an update as stories show it.
func describe(u delivery.Update) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s/%d ", fake.Time(u.At), u.Delivery, u.Sequence)
	if u.Kind == delivery.StateChanged {
		fmt.Fprintf(&b, "%s -> %s", u.From, u.To)
	} else {
		fmt.Fprintf(&b, "%s in %s", u.Kind, u.To)
	}
	if u.Cause != "" {
		fmt.Fprintf(&b, " because %s", u.Cause)
	}
	if u.Reason != "" {
		fmt.Fprintf(&b, " (%s)", u.Reason)
	}
	if u.Robot != "" {
		fmt.Fprintf(&b, " by %s#%d", u.Robot, u.Attempt)
	}
	fmt.Fprintf(&b, ", pickup %s, drop-off %s, fee %d", fake.Time(u.Expected.PickupP50), fake.Time(u.Expected.DropoffP50), u.Fee)
	return b.String()
}
