package postgres_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/adapters/postgres"
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

// town is a delivery service over PostgreSQL, next door to a Dispatch that always finds a
// robot and a Task whose robots do what the story says.
type town struct {
	*delivery.Service
	t       *testing.T
	store   deliveries
	clock   *fake.Clock
	timers  *fake.Timers
	journal *fake.Journal
	relay   *delivery.Relay
	sent    []delivery.Update
	desk    desk
	board   board
}

func newTown(t *testing.T, store deliveries, losses *fake.Losses) *town {
	w := &town{t: t, store: store, clock: fake.NewClock(fake.Start), timers: &fake.Timers{}, journal: &fake.Journal{}}
	lossy := fake.LossyDeliveryStore{Store: store, PersonalStore: store, Losses: losses}
	w.Service = delivery.NewService(delivery.Deps{
		Store: lossy, Open: store, Personal: lossy, Cursors: postgres.NewCursors(store.db),
		Dispatcher: &w.desk, Decisions: &w.desk, Tasks: &w.board, TaskFeed: &w.board, IDs: &fake.IDs{}, Secrets: w, Clock: w.clock, Timers: w.timers,
		Journal: w.journal, Settings: func(market.ID) delivery.Settings { return delivery.DefaultSettings() },
	})
	w.relay = delivery.NewRelay(fake.LossyOutbox{Outbox: store, Losses: losses}, w)
	return w
}

// PIN implements delivery.Secrets.
func (w *town) PIN(string, string) string { return "1234" }

// Publish implements delivery.Publisher.
func (w *town) Publish(_ context.Context, u []delivery.Update) ([]bool, error) {
	w.sent = append(w.sent, u...)
	return slices.Repeat([]bool{true}, len(u)), nil
}

// must runs a command until its answer is not lost, reads the feeds and publishes.
func (w *town) must(what string, command func() error) {
	w.t.Helper()
	for _, step := range []func() error{
		command,
		func() error { return w.Pump(w.t.Context(), "m") },
		func() error { _, err := w.relay.Pump(w.t.Context()); return err },
	} {
		if err := fake.Again(step); err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
	}
	w.clock.Advance(clock.Second)
}

// deliver tells a whole story: quote, accept, edit, a robot, delivered.
func (w *town) deliver(r delivery.QuoteRequest, a delivery.AcceptRequest, e delivery.Edit) {
	ctx := w.t.Context()
	w.must("quote", func() error { _, err := w.Quote(ctx, r); return err })
	w.must("accept", func() error { _, err := w.Accept(ctx, r.Partner, r.ExternalID, a); return err })
	w.must("settle", func() error {
		for _, k := range w.timers.Due(w.clock.Now().Add(clock.Minute)) {
			if err := w.Fire(ctx, k); err != nil {
				return err
			}
		}
		return nil
	})
	w.must("edit", func() error { _, err := w.Edit(ctx, r.Partner, r.ExternalID, e); return err })
	for _, c := range []struct {
		kind task.ChangeKind
		step int
	}{{task.Started, 0}, {task.Arrived, 0}, {task.Started, 1}, {task.Confirmed, 1}, {task.Started, 2}, {task.Arrived, 2}, {task.Confirmed, 3}} {
		w.board.report(c.kind, c.step)
		w.must(string(c.kind), func() error { return nil })
	}
}

// told lists what was published, each update once, without times.
func (w *town) told() []string {
	var all []string
	last := uint64(0)
	for _, u := range w.sent {
		if u.Sequence == last {
			continue // twice
		}
		if u.Sequence != last+1 {
			w.t.Errorf("update %d was published after %d", u.Sequence, last)
		}
		last = u.Sequence
		all = append(all, fmt.Sprintf("%d %s %s>%s %s", u.Sequence, u.Kind, u.From, u.To, u.Robot))
	}
	return all
}

// desk is Dispatch: each request gets the robot r1 at once.
type desk struct{ decisions []dispatch.Decision }

// Estimate implements delivery.Dispatcher.
func (*desk) Estimate(_ context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	at := func(d clock.Duration) clock.Time { return fake.Start.Add(d) }
	return dispatch.Estimate{Pickup: maps.Position{Edge: 1}, Dropoff: maps.Position{Edge: 2}, RouteMM: 1_200_000, RouteTime: 12 * clock.Minute,
		PickupP50: at(10 * clock.Minute), PickupP90: at(15 * clock.Minute), DropoffP50: at(26 * clock.Minute), DropoffP90: at(36 * clock.Minute)}, nil
}

// Request implements delivery.Dispatcher.
func (d *desk) Request(_ context.Context, r dispatch.Request) error {
	for _, old := range d.decisions {
		if old.Delivery == r.Delivery && old.Attempt == r.Attempt {
			return nil
		}
	}
	n := len(d.decisions) + 1
	d.decisions = append(d.decisions, dispatch.Decision{Market: r.Market, Delivery: r.Delivery, Attempt: r.Attempt, Kind: dispatch.Assigned, At: fake.Start, Robot: fleet.RobotID(fmt.Sprint("r", n)), Token: uint64(n), PickupAt: fake.Start.Add(10 * clock.Minute)})
	return nil
}

// Withdraw implements delivery.Dispatcher.
func (*desk) Withdraw(context.Context, market.ID, string, int) error { return nil }

// Finish implements delivery.Dispatcher.
func (*desk) Finish(context.Context, dispatch.Finish) error { return nil }

// Decisions implements delivery.DecisionFeed.
func (d *desk) Decisions(_ context.Context, _ market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error) {
	page, next := behind(d.decisions, string(after), limit)
	return page, dispatch.Cursor(next), nil
}

// behind returns the entries of a feed behind a cursor, which counts them.
func behind[T any](all []T, after string, limit int) ([]T, string) {
	from, _ := strconv.Atoi(after) // "" is the beginning
	to := min(len(all), from+limit)
	return all[from:to], strconv.Itoa(to)
}

// board is Task, with one robot under way.
type board struct {
	task    task.Task
	changes []task.Change
}

// Create implements delivery.Tasks.
func (b *board) Create(_ context.Context, r task.CreateRequest) (task.Task, error) {
	if b.task.ID == "" {
		b.task = task.Task{ID: task.ID(r.Delivery + ".1"), Market: r.Market, Delivery: r.Delivery, Attempt: r.Attempt, Robot: r.Robot, Token: r.Token, State: task.Active, Steps: r.Steps}
	}
	if r.Delivery != b.task.Delivery || r.Attempt != b.task.Attempt {
		return task.Task{}, fault.New("board.Create", fault.Conflict, "", "there is one robot in town")
	}
	return b.task, nil
}

// Replan implements delivery.Tasks.
func (b *board) Replan(context.Context, task.ReplanRequest) error { return nil }

// Cancel implements delivery.Tasks.
func (b *board) Cancel(context.Context, task.ID, string) error { return nil }

// Handoff implements delivery.Tasks.
func (b *board) Handoff(context.Context, task.HandoffRequest) error { return nil }

// Changes implements delivery.TaskFeed.
func (b *board) Changes(_ context.Context, _ market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error) {
	page, next := behind(b.changes, string(after), limit)
	return page, task.Cursor(next), nil
}

func (b *board) report(kind task.ChangeKind, step int) {
	c := task.Change{Task: b.task.ID, Delivery: b.task.Delivery, Attempt: b.task.Attempt, Robot: b.task.Robot, At: fake.Start, Seq: uint64(len(b.changes) + 1), Kind: kind, Step: step}
	c.StepKind, c.Purpose = b.task.Steps[step].Kind, b.task.Steps[step].Purpose
	b.changes = append(b.changes, c)
}

func orderOf(id string) delivery.QuoteRequest {
	return delivery.QuoteRequest{
		Market: "m", Partner: "dd", ExternalID: id, RequestHash: "hash-of-" + id, PickupStore: "Deli",
		Pickup: dispatch.Place{Address: "1 Pike St"}, Dropoff: dispatch.Place{Address: "2 Pine St"},
		Load: fleet.Load{LengthMM: 300, WidthMM: 200, HeightMM: 100, Grams: 900}, OrderValue: 2500,
		Personal: delivery.Personal{DropoffPhone: "+12065550101", DropoffGivenName: "Adalbert"},
	}
}

// TestEveryLoss tells the story again and again on real stores, losing one call of
// the store or the outbox each time, before or after its effect. All must end alike.
func TestEveryLoss(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	conn := s.connect(t)
	var want []string
	runs := fake.EachLoss(func(l *fake.Losses) {
		do(t, conn, `TRUNCATE deliveries, personal, outbox, cursors`)
		w := newTown(t, s, l)
		w.deliver(orderOf("A1"), delivery.AcceptRequest{DropoffPhone: "+12065550999"}, delivery.Edit{})
		got := w.told()
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("losing call %d (%s) %s its effect changed the story (-want +got):\n%s", l.At, l.Hit, l.Side, diff)
		}
		var d delivery.Delivery
		var p delivery.Personal
		err := fake.Again(func() (err error) { d, p, err = w.Get(t.Context(), "dd", "A1"); return err })
		if err != nil || d.State != delivery.Delivered || p.DropoffPhone != "+12065550999" || d.Sequence != uint64(len(got)) {
			t.Errorf("losing call %d (%s) %s its effect: delivery is %s at update %d of %d, error %v", l.At, l.Hit, l.Side, d.State, d.Sequence, len(got), err)
		}
		if n := ask[int](t, conn, `SELECT count(*) FROM deliveries`); n != 1 {
			t.Errorf("losing call %d (%s) %s its effect: there are %d deliveries, want 1", l.At, l.Hit, l.Side, n)
		}
	})
	if runs < 50 || len(want) < 8 {
		t.Errorf("%d losses were tried in a story of %d updates, %q", runs, len(want), want)
	}
}

// journalText is everything that was written into the journal.
func (w *town) journalText() string {
	text, err := json.Marshal(w.journal.Events)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}
