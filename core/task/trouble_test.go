package task_test

import (
	"context"
	"testing"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/task"
)

// counting is a store that counts its writes and fails as it is told.
type counting struct {
	task.Store
	writes          int
	onRead, onWrite error
}

func (c *counting) Task(ctx context.Context, id task.ID) (task.Task, error) {
	if c.onRead != nil {
		return task.Task{}, c.onRead
	}
	return c.Store.Task(ctx, id)
}

func (c *counting) SaveTask(ctx context.Context, t task.Task) (uint64, error) {
	c.writes++
	if c.onWrite != nil {
		return 0, c.onWrite
	}
	return c.Store.SaveTask(ctx, t)
}

// TestRepeatsWriteNothing since a write in vain is a conflict for somebody else.
func TestRepeatsWriteNothing(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	d := w.service.Deps
	store := &counting{Store: w.store}
	d.Store = store
	s := task.NewService(d)
	n := uint64(0)
	report := func(step int, kind task.ReportKind) func() error {
		n++
		r := task.Report{Robot: "r1", Task: "d1.1", Token: 7, Step: step, Number: n, Kind: kind}
		return func() error { return s.Report(ctx, r) }
	}
	steps := request().Steps[2:]
	for i, command := range []func() error{
		func() error { _, err := s.Create(ctx, request()); return err },
		report(0, task.ReportArrived), report(1, task.ReportOpened), report(1, task.ReportClosed),
		func() error {
			return s.Handoff(ctx, task.HandoffRequest{Task: "d1.1", Purpose: task.Load, Want: task.WantConfirm})
		},
		report(1, task.ReportConfirmed),
		func() error { return s.Replan(ctx, task.ReplanRequest{Task: "d1.1", Number: 1, From: 2, Steps: steps}) },
		func() error { return s.Cancel(ctx, "d1.1", "test") },
	} {
		for range 2 {
			if err := command(); err != nil {
				t.Fatalf("command %d: %v", i, err)
			}
		}
		if store.writes != i+1 {
			t.Fatalf("command %d, done twice: %d writes by now, want %d", i, store.writes, i+1)
		}
	}
}

// TestErrorsOfTheStoreComeThrough with their kind, and leave no trace.
func TestErrorsOfTheStoreComeThrough(t *testing.T) {
	ctx := t.Context()
	boom := fault.New("test", fault.Internal, "", "boom")
	gone := fault.New("test", fault.Unavailable, "", "gone")
	for name, c := range map[string]struct {
		onRead, onWrite error
		want            fault.Kind
	}{
		"reading fails": {boom, nil, fault.Internal},
		"writing fails": {nil, boom, fault.Internal},
		"no answer":     {nil, gone, fault.Unavailable},
	} {
		w := newWorld(nil)
		d := w.service.Deps
		d.Store = &counting{Store: w.store, onRead: c.onRead, onWrite: c.onWrite}
		if _, err := task.NewService(d).Create(ctx, request()); !fault.Is(err, c.want) {
			t.Errorf("%s: Create = %v, want it %v", name, err, c.want)
		}
		if _, err := w.service.Create(ctx, request()); err != nil {
			t.Fatal(err)
		}
		if err := task.NewService(d).Cancel(ctx, "d1.1", "test"); !fault.Is(err, c.want) {
			t.Errorf("%s: Cancel = %v, want it %v", name, err, c.want)
		}
		if got := w.journal.Kinds(); len(got) > 0 {
			t.Errorf("%s: the journal has %v, want nothing", name, got)
		}
	}
}

// deaf is a link to robots that nobody knows.
type deaf struct{}

func (deaf) Instruct(context.Context, fleet.RobotID, task.Instruction) error {
	return fault.New("deaf.Instruct", fault.NotFound, "", "who?")
}

func TestUnknownRobotsAreAnError(t *testing.T) {
	w := newWorld(nil)
	d := w.service.Deps
	d.Link = deaf{}
	if _, err := task.NewService(d).Create(t.Context(), request()); !fault.Is(err, fault.NotFound) {
		t.Errorf("Create for a robot that the link does not know: %v, want not found", err)
	}
	if x, err := w.store.Task(t.Context(), "d1.1"); err != nil || x.State != task.Active {
		t.Errorf("Task = %+v, %v, want it active: the robot may still come", x, err)
	}
}

// TestNoBudgetNoDeadline with and without help, which must not make one out of nothing.
func TestNoBudgetNoDeadline(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	r := request()
	r.Steps = []task.Step{{Kind: task.Charge}}
	if _, err := w.service.Create(ctx, r); err != nil {
		t.Fatal(err)
	}
	for i, kind := range []task.ReportKind{task.ReportStarted, task.ReportAssistBegan, task.ReportAssistEnded} {
		if err := w.service.Report(ctx, task.Report{Robot: "r1", Task: "d1.1", Token: 7, Number: uint64(i) + 1, Kind: kind}); err != nil {
			t.Fatal(err)
		}
		x, err := w.store.Task(ctx, "d1.1")
		if err != nil || x.Steps[0].Deadline != 0 || len(w.timers.All()) != 0 {
			t.Errorf("after %s: deadline %v, timers %v, %v, want none", kind, x.Steps[0].Deadline, w.timers.All(), err)
		}
		if kind == task.ReportStarted && x.Steps[0].AssistedAt != 0 {
			t.Errorf("after %s: assisted at %v, want never", kind, x.Steps[0].AssistedAt)
		}
		w.clock.Advance(clock.Minute)
	}
}
