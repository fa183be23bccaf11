package delivery_test

import (
	"context"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// TestUnansweredServices has the services next door fail for long: commands work,
// and what is owed is paid when they are back.
func TestUnansweredServices(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.Dispatcher = downDispatcher{c.desk}
	d, err := c.Create(ctx, request("A1"))
	if err != nil || d.State != delivery.Requested || d.Asked {
		t.Fatalf("Create = %s, asked %v, %v; want requested and not asked", d.State, d.Asked, err)
	}
	if err := c.wait(clock.Minute); err != nil {
		t.Fatal(err)
	}
	c.start() // back again, in a new process whose timers are gone
	c.timers.Clear()
	if err := c.Resume(ctx, here); err != nil {
		t.Fatal(err)
	}
	c.must("wait", func() error { return c.wait(clock.Second) })
	if d := c.get("d1"); !d.Asked || len(c.desk.requests) != 1 {
		t.Errorf("after Resume: asked %v, requests %v", d.Asked, c.desk.requests)
	}
}

type downDispatcher struct{ delivery.Dispatcher }

// Request implements delivery.Dispatcher.
func (downDispatcher) Request(context.Context, dispatch.Request) error {
	return fault.New("down", fault.Unavailable, "", "nobody there")
}

// TestBugsAreReported has a service next door fail in a way that no retry heals.
func TestBugsAreReported(t *testing.T) {
	c := newCity(t, &fake.Losses{})
	c.Dispatcher = brokenDispatcher{c.desk}
	if _, err := c.Create(context.Background(), request("A1")); !fault.Is(err, fault.Invalid) {
		t.Errorf("Create = %v, want the invalid error of Dispatch", err)
	}
	if len(c.timers.All()) == 0 {
		t.Error("nobody will try again")
	}
}

type brokenDispatcher struct{ delivery.Dispatcher }

// Request implements delivery.Dispatcher.
func (brokenDispatcher) Request(context.Context, dispatch.Request) error {
	return fault.New("broken", fault.Invalid, "", "cannot read this")
}

// TestSettingsTakeEffectAtOnce prolongs a wait while it runs.
func TestSettingsTakeEffectAtOnce(t *testing.T) {
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(context.Background(), request("A1")); return err })
	c.assign("r1")
	c.robotSays(1, task.Started, task.Arrived, task.Confirmed, task.Started, task.Arrived)
	c.set.DropoffWait = 30 * clock.Minute
	c.must("wait", func() error { return c.wait(25 * clock.Minute) })
	if d := c.get("d1"); d.State != delivery.AtDropoff {
		t.Fatalf("after 25 of 30 minutes it is %s, want at_dropoff", d.State)
	}
	c.must("wait", func() error { return c.wait(6 * clock.Minute) })
	if d := c.get("d1"); d.State != delivery.Returning {
		t.Errorf("after 31 of 30 minutes it is %s, want returning", d.State)
	}
}

// TestTwoServices has another process write between load and save.
func TestTwoServices(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	tip := delivery.Money(500)
	racing := &racingStore{Store: c.Store}
	racing.before = func() { // the first Save finds that somebody was faster
		racing.before = nil
		if _, err := c.Edit(ctx, "dd", "A1", delivery.Edit{Tip: &tip}); err != nil {
			t.Error(err)
		}
	}
	c.Store = racing
	if err := c.Ready(ctx, "d1", noon.Add(clock.Minute)); err != nil {
		t.Fatal(err)
	}
	if d := c.get("d1"); d.Tip != 500 || d.ReadySaid != noon.Add(clock.Minute) || d.Sequence != 4 {
		t.Errorf("tip %d, ready %v, sequence %d; want both edits in updates 3 and 4", d.Tip, d.ReadySaid, d.Sequence)
	}
	always := &racingStore{Store: c.store}
	always.before = func() {
		d := c.get("d1")
		if _, err := c.store.Save(ctx, d); err != nil {
			t.Error(err)
		}
	}
	c.Store = always
	if _, err := c.Cancel(ctx, "dd", "A1", ""); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Cancel against a writer that never rests = %v, want unavailable", err)
	}
}

type racingStore struct {
	delivery.Store
	before func()
}

// Save implements delivery.Store.
func (s *racingStore) Save(ctx context.Context, d delivery.Delivery, u ...delivery.Update) (uint64, error) {
	if s.before != nil {
		s.before()
	}
	return s.Store.Save(ctx, d, u...)
}

// TestLateAcceptanceChangesNothing gives a phone with the acceptance of a quote that has expired.
func TestLateAcceptanceChangesNothing(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("quote", func() error { _, err := c.Quote(ctx, request("A1")); return err })
	c.must("wait", func() error { return c.wait(5 * clock.Minute) })
	if _, err := c.Accept(ctx, "dd", "A1", delivery.AcceptRequest{DropoffPhone: "+12065550177"}); fault.ReasonOf(err) != delivery.QuoteExpired {
		t.Errorf("Accept = %v, want %s", err, delivery.QuoteExpired)
	}
	if _, p, err := c.Get(ctx, "dd", "A1"); err != nil || p.DropoffPhone != "+12065550101" {
		t.Errorf("the phone is %q, %v; want the one of the quote", p.DropoffPhone, err)
	}
	if n := c.journal.Count("delivery.expired"); n != 1 {
		t.Errorf("the journal has %d expiries, want 1", n)
	}
}

// TestTaskForgotTheTask has Task know nothing of a task that is to be cancelled.
func TestTaskForgotTheTask(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	c.assign("r1")
	delete(c.board.tasks, "d1.1")
	c.after("cancel", func() error { _, err := c.Cancel(ctx, "dd", "A1", "changed mind"); return err })
	if d := c.get("d1"); len(d.Owed) != 0 || len(c.desk.held) != 0 {
		t.Errorf("owed %v, held %v; want nothing", d.Owed, c.desk.held)
	}
}

// TestCancelBeforeTheTaskIsKnown cancels while the answer with the task's id is lost:
// the task that nobody knows must end too.
func TestCancelBeforeTheTaskIsKnown(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	c.Tasks = deafTasks{c.board}
	c.assign("r1")
	if d := c.get("d1"); d.Task != "" || len(c.board.tasks) != 1 {
		t.Fatalf("task %q of %d; want one task that the delivery does not know", d.Task, len(c.board.tasks))
	}
	c.must("cancel", func() error { _, err := c.Cancel(ctx, "dd", "A1", "changed mind"); return err })
	c.Tasks = c.board
	c.after("answer", func() error { return nil })
	if got := c.board.tasks["d1.1"].State; got != task.Cancelled {
		t.Errorf("the task is %s, want cancelled", got)
	}
	if d := c.get("d1"); len(d.Owed) != 0 || len(c.desk.held) != 0 {
		t.Errorf("owed %v, held %v; want nothing", d.Owed, c.desk.held)
	}
}

// deafTasks loses every answer.
type deafTasks struct{ delivery.Tasks }

// Create implements delivery.Tasks.
func (d deafTasks) Create(ctx context.Context, r task.CreateRequest) (task.Task, error) {
	if _, err := d.Tasks.Create(ctx, r); err != nil {
		return task.Task{}, err
	}
	return task.Task{}, fault.New("deaf", fault.Unavailable, "", "answer lost")
}

// TestReplanOfALostAttempt has the goods' way back still owed to Task when the
// carrier fails: its successor has the way back in its task from the beginning.
func TestReplanOfALostAttempt(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	c.after("create", func() error { _, err := c.Create(ctx, request("A1")); return err })
	c.assign("r1")
	c.robotSays(1, task.Started, task.Arrived, task.Confirmed, task.Started)
	c.Tasks = stubbornTasks{c.board}
	c.must("cannot come", func() error { return c.CannotCome(ctx, "d1") })
	if d := c.get("d1"); d.State != delivery.ToDropoff || len(d.Owed) != 1 {
		t.Fatalf("%s, owed %v; want it to go on until Task agrees", d.State, d.Owed)
	}
	c.after("lost", func() error { c.desk.decide("d1", dispatch.Lost, "r1", 0, "no contact"); return nil })
	c.Tasks = c.board
	c.assign("c1")
	d := c.get("d1")
	if d.State != delivery.Returning || len(d.Owed) != 0 || c.board.tasks["d1.2"].Replans != 0 || c.board.tasks["d1.2"].Steps[3].Purpose != task.Return {
		t.Errorf("%s, owed %v, task %+v; want the way back, planned once", d.State, d.Owed, c.board.tasks["d1.2"])
	}
}

// stubbornTasks does not answer replans.
type stubbornTasks struct{ delivery.Tasks }

// Replan implements delivery.Tasks.
func (stubbornTasks) Replan(context.Context, task.ReplanRequest) error {
	return fault.New("stubborn", fault.Unavailable, "", "no answer")
}
