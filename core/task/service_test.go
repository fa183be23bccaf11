package task_test

import (
	"context"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/porttest/fake"
	"footway/core/setting"
	"footway/core/task"
)

func change(data []byte) (c task.Change) {
	if err := json.Unmarshal(data, &c); err != nil {
		panic("a task event's data is a Change: " + err.Error())
	}
	return c
}

func TestDefaultSettings(t *testing.T) {
	if errs := setting.Problems("task", task.DefaultSettings()); len(errs) > 0 {
		t.Errorf("problems of the default settings: %v", errs)
	}
}

func request() task.CreateRequest {
	return task.CreateRequest{
		Market: "m", Delivery: "d1", Attempt: 1, Robot: "r1", Token: 7,
		Steps: []task.Step{
			{Kind: task.Drive, Purpose: task.Load, Budget: 10 * clock.Minute},
			{Kind: task.Handoff, Purpose: task.Load},
			{Kind: task.Drive, Purpose: task.Unload, Budget: 10 * clock.Minute},
			{Kind: task.Handoff, Purpose: task.Unload, PIN: "0420"},
		},
	}
}

// TestLostCalls plays a whole task again and again, each time with another
// call to the store or the robot lost, before or after its effect. Whoever gets
// fault.Unavailable repeats the command. The feed and the journal must not differ.
func TestLostCalls(t *testing.T) {
	var want []string
	runs := fake.EachLoss(func(l *fake.Losses) {
		w := newWorld(l)
		play(t, w, l)
		x, err := w.store.Task(t.Context(), "d1.1")
		if err != nil {
			t.Fatalf("call %d lost %v its effect (%s): %v", l.At, l.Side, l.Hit, err)
		}
		var kinds []string
		for i, c := range x.Events {
			if c.Seq != uint64(i)+1 {
				t.Errorf("call %d lost %v its effect (%s): change %d has number %d", l.At, l.Side, l.Hit, i, c.Seq)
			}
			kinds = append(kinds, "task."+string(c.Kind))
		}
		if l.At == 0 {
			want = kinds
		}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("call %d lost %v its effect (%s): changes -want +got\n%s", l.At, l.Side, l.Hit, diff)
		}
		if diff := cmp.Diff(want, w.journal.Kinds()); diff != "" {
			t.Errorf("call %d lost %v its effect (%s): journal -want +got\n%s", l.At, l.Side, l.Hit, diff)
		}
		if x.State != task.Finished {
			t.Errorf("call %d lost %v its effect (%s): the task is %s", l.At, l.Side, l.Hit, x.State)
		}
	})
	if runs < 60 {
		t.Errorf("%d losses tried, want at least 60: the story has become short", runs)
	}
}

// play takes a task from its beginning to its end, with a wrong PIN, a jam, help and a deadline on the way.
func play(t *testing.T, w *world, l *fake.Losses) {
	t.Helper()
	ctx := t.Context()
	try := func(want fault.Kind, command func() error) {
		t.Helper()
		err := fake.Again(command)
		if want == fault.Internal && err != nil || want != fault.Internal && !fault.Is(err, want) {
			t.Errorf("call %d lost %v its effect (%s): %v", l.At, l.Side, l.Hit, err)
		}
	}
	fire := func(k clock.Key) error {
		if err := w.service.Fire(ctx, k); !fault.Is(err, fault.Unavailable) {
			return err
		}
		return nil
	}
	wait := func(d clock.Duration) {
		t.Helper()
		if err := w.timers.Run(w.clock, w.clock.Now().Add(d), fire); err != nil {
			t.Error(err)
		}
	}
	n := uint64(0)
	report := func(step int, kind task.ReportKind) {
		t.Helper()
		n++
		r := task.Report{Robot: "r1", Task: "d1.1", Token: 7, Step: step, Number: n, Kind: kind, Cause: "because"}
		try(fault.Internal, func() error { return w.service.Report(ctx, r) })
		wait(clock.Second)
	}
	handoff := func(want fault.Kind, r task.HandoffRequest) {
		t.Helper()
		r.Task = "d1.1"
		try(want, func() error { return w.service.Handoff(ctx, r) })
		wait(clock.Second)
	}
	try(fault.Internal, func() error { _, err := w.service.Create(ctx, request()); return err })
	try(fault.Internal, func() error { _, err := w.service.Create(ctx, request()); return err })
	report(0, task.ReportStarted)
	wait(11 * clock.Minute)
	report(0, task.ReportAssistBegan)
	report(0, task.ReportArrived)
	report(1, task.ReportStarted)
	handoff(fault.Internal, task.HandoffRequest{Purpose: task.Load, Want: task.WantOpen, Staff: true})
	report(1, task.ReportJammed)
	handoff(fault.Internal, task.HandoffRequest{Purpose: task.Load, Want: task.WantOpen, Staff: true})
	report(1, task.ReportOpened)
	report(1, task.ReportClosed)
	handoff(fault.Internal, task.HandoffRequest{Purpose: task.Load, Want: task.WantConfirm, Staff: true})
	report(1, task.ReportConfirmed)
	report(2, task.ReportStarted)
	report(2, task.ReportArrived)
	report(3, task.ReportStarted)
	handoff(fault.Forbidden, task.HandoffRequest{Purpose: task.Unload, Want: task.WantOpen, PIN: "9999"})
	handoff(fault.Internal, task.HandoffRequest{Purpose: task.Unload, Want: task.WantOpen, PIN: "0420"})
	report(3, task.ReportOpened)
	report(3, task.ReportClosed)
	wait(clock.Minute) // closing confirms by itself, told again if it was lost
	asked := slices.ContainsFunc(w.link.Instructions, func(x fake.Told) bool {
		return x.Instruction.Kind == task.Confirm && x.Instruction.Index == 3
	})
	if !asked {
		t.Errorf("call %d lost %v its effect (%s): the robot was not told to confirm", l.At, l.Side, l.Hit)
	}
	report(3, task.ReportConfirmed)
	try(fault.Internal, func() error { return w.service.Cancel(ctx, "d1.1", "too late") })
}

func TestInstructionsHideThePIN(t *testing.T) {
	w := newWorld(nil)
	r := request()
	r.Steps = r.Steps[3:]
	if _, err := w.service.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := w.service.Sync(t.Context(), "r1"); err != nil {
		t.Fatal(err)
	}
	if len(w.link.Instructions) == 0 {
		t.Fatal("the robot was told nothing")
	}
	for _, x := range w.link.Instructions {
		if x.Instruction.Step.PIN != "" {
			t.Errorf("instruction %s carries the PIN %q", x.Instruction.Kind, x.Instruction.Step.PIN)
		}
		if x.Instruction.Delivery != "d1" || x.Instruction.Token != 7 || x.Robot != "r1" {
			t.Errorf("instruction %+v: want delivery d1, token 7, robot r1", x)
		}
	}
}

func TestCreateRefusesNonsense(t *testing.T) {
	tests := map[string]func(r *task.CreateRequest){
		"no market":             func(r *task.CreateRequest) { r.Market = "" },
		"no delivery":           func(r *task.CreateRequest) { r.Delivery = "" },
		"no robot":              func(r *task.CreateRequest) { r.Robot = "" },
		"attempt 0":             func(r *task.CreateRequest) { r.Attempt = 0 },
		"token 0":               func(r *task.CreateRequest) { r.Token = 0 },
		"no steps":              func(r *task.CreateRequest) { r.Steps = nil },
		"unknown kind":          func(r *task.CreateRequest) { r.Steps[0].Kind = "fly" },
		"unknown purpose":       func(r *task.CreateRequest) { r.Steps[0].Purpose = "fun" },
		"handoff of no purpose": func(r *task.CreateRequest) { r.Steps[1].Purpose = "" },
		"negative budget":       func(r *task.CreateRequest) { r.Steps[0].Budget = -1 },
		"PIN of three digits":   func(r *task.CreateRequest) { r.Steps[3].PIN = "123" },
		"PIN with a letter":     func(r *task.CreateRequest) { r.Steps[3].PIN = "12x4" },
	}
	for name, spoil := range tests {
		w := newWorld(nil)
		r := request()
		spoil(&r)
		if _, err := w.service.Create(t.Context(), r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Create = %v, want it refused as invalid", name, err)
		}
		if len(w.journal.Events) > 0 || len(w.link.Instructions) > 0 {
			t.Errorf("%s: Create was refused and had an effect", name)
		}
	}
}

// TestStoredStepsAreFresh keeps callers from smuggling progress in.
func TestStoredStepsAreFresh(t *testing.T) {
	w := newWorld(nil)
	r := request()
	r.Steps[0].Status, r.Steps[0].Deadline, r.Steps[1].HatchOpen = task.Done, 1, true
	x, err := w.service.Create(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	want := request().Steps
	for i := range want {
		want[i].Status = task.Pending
	}
	if diff := cmp.Diff(want, x.Steps); diff != "" {
		t.Errorf("steps -want +got\n%s", diff)
	}
}

func TestWatchersAreToldOnlyOfChanges(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	step := func(name string, want int, command func() error) {
		t.Helper()
		if err := command(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := w.notifier.Calls["m"]; got != want {
			t.Errorf("%s: the watchers were told %d times by now, want %d", name, got, want)
		}
	}
	started := task.Report{Robot: "r1", Task: "d1.1", Token: 7, Number: 1, Kind: task.ReportStarted}
	step("create", 0, func() error { _, err := w.service.Create(ctx, request()); return err })
	step("started", 1, func() error { return w.service.Report(ctx, started) })
	step("started again", 1, func() error { return w.service.Report(ctx, started) })
	step("cancel", 2, func() error { return w.service.Cancel(ctx, "d1.1", "test") })
	step("cancel again", 2, func() error { return w.service.Cancel(ctx, "d1.1", "test") })
	changes, cursor, err := w.service.Changes(ctx, "m", "", 10)
	if err != nil || len(changes) != 2 || cursor == "" {
		t.Errorf("Changes = %v, %q, %v, want two and a cursor", changes, cursor, err)
	}
}

func TestUnknownTimersAndTasks(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	if err := w.service.Fire(ctx, clock.Key{Service: "task", Entity: "d1.1", What: "tea"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Fire of an unknown timer: %v, want it refused as invalid", err)
	}
	for name, err := range map[string]error{
		"Report":  w.service.Report(ctx, task.Report{Task: "none", Number: 1}),
		"Cancel":  w.service.Cancel(ctx, "none", ""),
		"Handoff": w.service.Handoff(ctx, task.HandoffRequest{Task: "none", Want: task.WantOpen}),
		"Sync":    w.service.Sync(ctx, "nobody"),
		"Fire":    w.service.Fire(ctx, clock.Key{Service: "task", Entity: "none", What: "deadline"}),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of an unknown task: %v, want not found", name, err)
		}
	}
}

// TestTwoServicesOneStore has a second writer change the task between the load
// and the save of the first: both effects must be there.
func TestTwoServicesOneStore(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	if _, err := w.service.Create(ctx, request()); err != nil {
		t.Fatal(err)
	}
	meddled := false
	meddler := &meddling{Store: w.store, before: func() {
		if !meddled {
			meddled = true
			r := task.Report{Robot: "r1", Task: "d1.1", Token: 7, Number: 1, Kind: task.ReportStarted}
			if err := w.service.Report(ctx, r); err != nil {
				t.Error(err)
			}
		}
	}}
	d := w.service.Deps
	d.Store = meddler
	if err := task.NewService(d).Cancel(ctx, "d1.1", "test"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"task.started", "task.withdrawn"}, w.journal.Kinds()); diff != "" {
		t.Errorf("journal -want +got\n%s", diff)
	}
	if x, err := w.store.Task(ctx, "d1.1"); err != nil || x.State != task.Cancelled || len(x.Events) != 2 {
		t.Errorf("Task = %+v, %v, want it cancelled with two changes", x, err)
	}
}

type meddling struct {
	task.Store
	before func()
}

func (m *meddling) SaveTask(ctx context.Context, t task.Task) (uint64, error) {
	m.before()
	return m.Store.SaveTask(ctx, t)
}

// TestSyncIsOfTheNewestToken has a robot with an old task that nobody cancelled yet.
func TestSyncIsOfTheNewestToken(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	for i, token := range []uint64{7, 8} {
		r := request()
		r.Attempt, r.Token = i+1, token
		if _, err := w.service.Create(ctx, r); err != nil {
			t.Fatal(err)
		}
	}
	w.link.Take()
	if err := w.service.Sync(ctx, fleet.RobotID("r1")); err != nil {
		t.Fatal(err)
	}
	if last := w.link.Instructions[len(w.link.Instructions)-1].Instruction; last.Task != "d1.2" {
		t.Errorf("Sync told the robot of task %s, want d1.2", last.Task)
	}
}

// TestTimersMayFireEarlyAndTwice since that is what the Timers port allows.
func TestTimersMayFireEarlyAndTwice(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	if _, err := w.service.Create(ctx, request()); err != nil {
		t.Fatal(err)
	}
	if err := w.service.Report(ctx, task.Report{Robot: "r1", Task: "d1.1", Token: 7, Number: 1, Kind: task.ReportStarted}); err != nil {
		t.Fatal(err)
	}
	deadline := clock.Key{Service: "task", Entity: "d1.1", What: "deadline"}
	want, ok := w.timers.Armed(deadline)
	if !ok || want != fake.Start.Add(10*clock.Minute) {
		t.Fatalf("the deadline is armed for %v, %v, want 10 minutes after the start", want, ok)
	}
	w.timers.Clear()
	for _, what := range []string{"deadline", "confirm", "tell"} {
		if err := w.service.Fire(ctx, clock.Key{Service: "task", Entity: "d1.1", What: what}); err != nil {
			t.Errorf("early %s: %v", what, err)
		}
	}
	if at, ok := w.timers.Armed(deadline); !ok || at != want {
		t.Errorf("after an early call the deadline is armed for %v, %v, want %v", at, ok, want)
	}
	w.clock.Set(want)
	for range 2 {
		if err := w.service.Fire(ctx, deadline); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"task.started", "task.overdue"}, w.journal.Kinds()); diff != "" {
		t.Errorf("journal -want +got\n%s", diff)
	}
}

// refusing is a store whose every write meets another writer.
type refusing struct{ task.Store }

func (refusing) SaveTask(context.Context, task.Task) (uint64, error) {
	return 0, fault.New("refusing.SaveTask", fault.Conflict, "", "always")
}

func TestContentionEnds(t *testing.T) {
	w := newWorld(nil)
	ctx := t.Context()
	if _, err := w.service.Create(ctx, request()); err != nil {
		t.Fatal(err)
	}
	d := w.service.Deps
	d.Store = refusing{w.store}
	busy := task.NewService(d)
	if err := busy.Cancel(ctx, "d1.1", "test"); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Cancel against a store that always conflicts: %v, want unavailable", err)
	}
	other := request()
	other.Delivery, other.Robot = "d2", "r2"
	if _, err := busy.Create(ctx, other); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Create against a store that always conflicts: %v, want unavailable", err)
	}
	if x, err := w.service.Task(ctx, "d1.1"); err != nil || x.State != task.Active {
		t.Errorf("Task = %+v, %v, want it as it was", x, err)
	}
}

func TestResumeTakesUpEveryTask(t *testing.T) {
	const tasks = 450 // more than two pages
	w := newWorld(nil)
	ctx := t.Context()
	for i := range tasks {
		r := request()
		r.Attempt, r.Robot = i+1, fleet.RobotID("r"+string(rune('A'+i%26))+string(rune('A'+i/26)))
		x, err := w.service.Create(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.service.Report(ctx, task.Report{Robot: r.Robot, Task: x.ID, Token: 7, Number: 1, Kind: task.ReportStarted}); err != nil {
			t.Fatal(err)
		}
	}
	w.timers.Clear()
	if err := w.service.Resume(ctx, "m"); err != nil {
		t.Fatal(err)
	}
	if got := len(w.timers.All()); got != tasks {
		t.Errorf("Resume armed %d timers, want %d", got, tasks)
	}
}

func TestNewServiceWantsEverything(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("NewService accepted a Deps without a link")
		}
	}()
	d := newWorld(nil).service.Deps
	d.Link = nil
	task.NewService(d)
}

// BenchmarkTask is a whole task: its creation and the ten reports that end it.
func BenchmarkTask(b *testing.B) {
	w := newWorld(nil)
	ctx := b.Context()
	reports := []task.Report{
		{Step: 0, Kind: task.ReportStarted}, {Step: 0, Kind: task.ReportArrived}, {Step: 1, Kind: task.ReportStarted}, {Step: 1, Kind: task.ReportOpened},
		{Step: 1, Kind: task.ReportClosed}, {Step: 1, Kind: task.ReportConfirmed}, {Step: 2, Kind: task.ReportStarted}, {Step: 2, Kind: task.ReportArrived},
		{Step: 3, Kind: task.ReportStarted}, {Step: 3, Kind: task.ReportConfirmed},
	}
	r := request()
	for b.Loop() {
		x, err := w.service.Create(ctx, r)
		if err != nil {
			b.Fatal(err)
		}
		for i, rep := range reports {
			rep.Robot, rep.Task, rep.Token, rep.Number = x.Robot, x.ID, x.Token, uint64(i)+1
			if err := w.service.Report(ctx, rep); err != nil {
				b.Fatal(err)
			}
		}
		r.Attempt, r.Token = r.Attempt+1, r.Token+1
		w.link.Instructions, w.journal.Events = w.link.Instructions[:0], w.journal.Events[:0]
	}
}
