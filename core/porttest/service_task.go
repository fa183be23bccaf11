package porttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// TaskPorts is what Deliveries needs of Task.
type TaskPorts interface {
	delivery.Tasks
	delivery.TaskFeed
}

// TaskService tests that Task, however it is reached, keeps the contracts of
// delivery.Tasks and delivery.TaskFeed. Open gets everything that a task.Service needs but its
// stores, and returns a service on empty stores and what callers have of it.
func TaskService(t *testing.T, open func(t *testing.T, d task.Deps) (*task.Service, TaskPorts)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, w *taskWorld){
		"create makes a task and tells the robot":     taskCreate,
		"create is idempotent":                        taskCreateAgain,
		"create of what cannot be":                    taskCreateRefusals,
		"create while the robot has no contact":       taskCreateSilent,
		"replan replaces steps, idempotent by number": taskReplan,
		"replan of what cannot be":                    taskReplanRefusals,
		"cancel ends a task, and its robot forgets":   taskCancel,
		"handoff":                  taskHandoff,
		"handoff with a PIN":       taskPIN,
		"changes after the cursor": taskChanges,
	} {
		t.Run(name, func(t *testing.T) {
			w := &taskWorld{clock: fake.NewClock(fake.Start), link: &fake.Link{}}
			w.service, w.ports = open(t, task.Deps{
				Link: w.link, Clock: w.clock, Timers: &fake.Timers{}, Journal: &fake.Journal{}, Notifier: &fake.Notifier{},
				Settings: func(market.ID) task.Settings { return task.DefaultSettings() },
			})
			test(t, w)
		})
	}
}

type taskWorld struct {
	clock   *fake.Clock
	link    *fake.Link
	service *task.Service
	ports   TaskPorts
	number  uint64
}

func handoverSteps() []task.Step {
	at := maps.Position{Edge: 3, OffsetMM: 40}
	return []task.Step{
		{Kind: task.Drive, Purpose: task.Load, To: at, Budget: 60_000},
		{Kind: task.Handoff, Purpose: task.Load, To: at, Budget: 90_000, PIN: "0420"},
		{Kind: task.Drive, Purpose: task.Unload, To: maps.Position{Edge: 5}},
		{Kind: task.Handoff, Purpose: task.Unload, To: maps.Position{Edge: 5}},
	}
}

func taskRequest(delivery string) task.CreateRequest {
	return task.CreateRequest{Market: "m", Delivery: delivery, Attempt: 1, Robot: "r1", Token: 7, Steps: handoverSteps()}
}

func (w *taskWorld) create(t *testing.T, q task.CreateRequest) task.Task {
	t.Helper()
	made, err := w.ports.Create(t.Context(), q)
	if err != nil {
		t.Fatalf("Create(%s): %v", q.Delivery, err)
	}
	return made
}

// report has the robot say how far it is with step i of a task.
func (w *taskWorld) report(t *testing.T, id task.ID, i int, kinds ...task.ReportKind) {
	t.Helper()
	for _, kind := range kinds {
		w.number++
		err := w.service.Report(t.Context(), task.Report{Robot: "r1", Task: id, Token: 7, Step: i, Number: w.number, Kind: kind, Position: maps.Position{Edge: 2, OffsetMM: 1}})
		if err != nil {
			t.Fatalf("report %s of step %d: %v", kind, i, err)
		}
	}
}

func taskCreate(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	kept, err := w.service.Task(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kept, made); diff != "" {
		t.Errorf("Create: -as Task has it +returned\n%s", diff)
	}
	if made.ID != task.IDOf("d1", 1) || made.State != task.Active || len(made.Steps) != 4 || made.Steps[1].PIN != "0420" {
		t.Errorf("Create returned %+v; want it active with four steps", made)
	}
	wantSame(t, "what the robot was told", []string{"r1 <- do 0 drive load"}, w.link.Take())
}

func taskCreateAgain(t *testing.T, w *taskWorld) {
	first := w.create(t, taskRequest("d1"))
	w.report(t, first.ID, 0, task.ReportStarted)
	again := w.create(t, taskRequest("d1"))
	if again.ID != first.ID || again.Heard != 1 || len(again.Events) != 1 {
		t.Errorf("a repeat returned %s with %d reports and %d events; want the task that is there, with one of each", again.ID, again.Heard, len(again.Events))
	}
	other := taskRequest("d1")
	other.Robot = "r2"
	_, err := w.ports.Create(t.Context(), other)
	wantFault(t, "Create for another robot", err, fault.Conflict, "taken")
	newer := taskRequest("d1")
	newer.Token = 8
	_, err = w.ports.Create(t.Context(), newer)
	wantFault(t, "Create with another token", err, fault.Conflict, "taken")
}

func taskCreateRefusals(t *testing.T, w *taskWorld) {
	for name, spoil := range map[string]func(q *task.CreateRequest){
		"without steps":        func(q *task.CreateRequest) { q.Steps = nil },
		"without a robot":      func(q *task.CreateRequest) { q.Robot = "" },
		"of attempt -1":        func(q *task.CreateRequest) { q.Attempt = -1 },
		"without a token":      func(q *task.CreateRequest) { q.Token = 0 },
		"of an unknown kind":   func(q *task.CreateRequest) { q.Steps[0].Kind = "fly" },
		"with a negative time": func(q *task.CreateRequest) { q.Steps[0].Budget = -1 },
		"with a PIN of words":  func(q *task.CreateRequest) { q.Steps[1].PIN = "four" },
	} {
		q := taskRequest("d1")
		spoil(&q)
		_, err := w.ports.Create(t.Context(), q)
		wantKind(t, "Create "+name, err, fault.Invalid)
	}
	w.create(t, taskRequest("d1"))
	_, err := w.ports.Create(t.Context(), taskRequest("d2"))
	wantFault(t, "Create under a token that the robot has a task for", err, fault.Conflict, "old_token")
}

func taskCreateSilent(t *testing.T, w *taskWorld) {
	w.link.Lose("r1", true)
	if made := w.create(t, taskRequest("d1")); made.State != task.Active {
		t.Errorf("the task is %s, want it active: its robot is told later", made.State)
	}
}

func taskReplan(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	w.report(t, made.ID, 0, task.ReportStarted)
	home := maps.Position{Edge: 9, OffsetMM: 9}
	q := task.ReplanRequest{Task: made.ID, Number: 1, From: 2, Steps: []task.Step{
		{Kind: task.Drive, Purpose: task.Return, To: home, Budget: 5000}, {Kind: task.Handoff, Purpose: task.Return, To: home},
	}}
	for range 2 {
		if err := w.ports.Replan(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := w.service.Task(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept.Steps) != 4 || kept.Steps[2].Purpose != task.Return || kept.Steps[2].To != home || kept.Steps[2].Budget != 5000 || kept.Replans != 1 {
		t.Errorf("after Replan, twice, it has steps %+v and %d replans; want the last two replaced once", kept.Steps, kept.Replans)
	}
}

func taskReplanRefusals(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	q := task.ReplanRequest{Task: made.ID, Number: 1, From: 2, Steps: handoverSteps()[2:]}
	unknown := q
	unknown.Task = "none.1"
	wantKind(t, "Replan of an unknown task", w.ports.Replan(t.Context(), unknown), fault.NotFound)
	for name, spoil := range map[string]func(q *task.ReplanRequest){
		"number 0":        func(q *task.ReplanRequest) { q.Number = 0 },
		"from -1":         func(q *task.ReplanRequest) { q.From = -1 },
		"beyond the end":  func(q *task.ReplanRequest) { q.From = 5 },
		"without a step":  func(q *task.ReplanRequest) { q.Steps = nil },
		"with a bad step": func(q *task.ReplanRequest) { q.Steps = []task.Step{{}} },
	} {
		bad := q
		spoil(&bad)
		wantKind(t, "Replan "+name, w.ports.Replan(t.Context(), bad), fault.Invalid)
	}
	w.report(t, made.ID, 0, task.ReportArrived)
	w.report(t, made.ID, 1, task.ReportOpened)
	open := q
	open.From = 0
	wantFault(t, "Replan while the hatch is open", w.ports.Replan(t.Context(), open), fault.Conflict, "hatch_open")
	if err := w.ports.Cancel(t.Context(), made.ID, "no more"); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "Replan of a task that has ended", w.ports.Replan(t.Context(), q), fault.Conflict, "ended")
}

func taskCancel(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	w.link.Take()
	for range 2 {
		if err := w.ports.Cancel(t.Context(), made.ID, "the customer left"); err != nil {
			t.Errorf("Cancel, or its repeat: %v", err)
		}
	}
	kept, err := w.service.Task(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if kept.State != task.Cancelled || kept.Events[0].Cause != "the customer left" {
		t.Errorf("after Cancel it is %s with %+v; want it cancelled with its cause", kept.State, kept.Events)
	}
	told := w.link.Take()
	if len(told) == 0 || told[0] != "r1 <- drop 0 drive load" {
		t.Errorf("the robot was told %v, want to forget the task", told)
	}
	wantKind(t, "Cancel of an unknown task", w.ports.Cancel(t.Context(), "none.1", ""), fault.NotFound)
}

func taskHandoff(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	open := task.HandoffRequest{Task: made.ID, Purpose: task.Load, Want: task.WantOpen, Staff: true}
	confirm := task.HandoffRequest{Task: made.ID, Purpose: task.Load, Want: task.WantConfirm}
	do := func(r task.HandoffRequest) error { return w.ports.Handoff(t.Context(), r) }
	wantFault(t, "Handoff while the robot drives", do(open), fault.Conflict, "moving")
	w.report(t, made.ID, 0, task.ReportArrived)
	wantFault(t, "Handoff before the robot is ready", do(open), fault.Conflict, "not_ready")
	w.report(t, made.ID, 1, task.ReportStarted)
	w.link.Take()
	for range 2 {
		if err := do(open); err != nil {
			t.Errorf("open, or its repeat: %v", err)
		}
	}
	if told := w.link.Take(); len(told) == 0 || told[0] != "r1 <- open 1 handoff load" {
		t.Errorf("the robot was told %v, want to open", told)
	}
	wantFault(t, "confirm before it was open", do(confirm), fault.Conflict, "never_opened")
	w.report(t, made.ID, 1, task.ReportOpened)
	wantFault(t, "confirm while it is open", do(confirm), fault.Conflict, "hatch_open")
	w.report(t, made.ID, 1, task.ReportClosed)
	if err := do(confirm); err != nil {
		t.Error(err)
	}
	if told := w.link.Take(); len(told) != 1 || told[0] != "r1 <- confirm 1 handoff load" {
		t.Errorf("the robot was told %v, want that the exchange is over", told)
	}
	wrong := open
	wrong.Purpose = task.Unload
	wantFault(t, "Handoff of another exchange", do(wrong), fault.Conflict, "not_its_turn")
	wrong = open
	wrong.Want = "shake hands"
	wantKind(t, "Handoff of an unknown kind", do(wrong), fault.Invalid)
	wrong = open
	wrong.Task = "none.1"
	wantKind(t, "Handoff of an unknown task", do(wrong), fault.NotFound)
}

func taskPIN(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	w.report(t, made.ID, 0, task.ReportArrived)
	w.report(t, made.ID, 1, task.ReportStarted)
	open := func(pin string) error {
		return w.ports.Handoff(t.Context(), task.HandoffRequest{Task: made.ID, Purpose: task.Load, Want: task.WantOpen, PIN: pin})
	}
	for n, pin := range []string{"", "0421", "0422"} {
		wantFault(t, "a wrong PIN", open(pin), fault.Forbidden, "pin_wrong")
		if kept, err := w.service.Task(t.Context(), made.ID); err != nil || kept.Steps[1].WrongPINs != n {
			t.Errorf("after %d wrong PINs %d are counted, %v: each try counts once", n, kept.Steps[1].WrongPINs, err)
		}
	}
	wantFault(t, "one wrong PIN more", open("0423"), fault.Forbidden, "pin_locked")
	wantFault(t, "the right PIN while none is accepted", open("0420"), fault.Forbidden, "pin_locked")
	w.clock.Advance(task.DefaultSettings().PINLock)
	if err := open("0420"); err != nil {
		t.Errorf("the right PIN: %v", err)
	}
}

func taskChanges(t *testing.T, w *taskWorld) {
	made := w.create(t, taskRequest("d1"))
	w.report(t, made.ID, 0, task.ReportStarted, task.ReportArrived)
	w.report(t, made.ID, 1, task.ReportStarted, task.ReportOpened, task.ReportClosed, task.ReportConfirmed)
	other := taskRequest("d2")
	other.Market, other.Robot = "other", "r2"
	w.create(t, other)
	kept, err := w.service.Task(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 2, 1000} {
		var all []task.Change
		var at task.Cursor
		for {
			page, next, err := w.ports.Changes(t.Context(), "m", at, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			all, at = append(all, page...), next
		}
		wantFeed(t, all, kept)
		w.report(t, made.ID, 2, task.ReportAssistBegan, task.ReportAssistEnded)
		more, _, err := w.ports.Changes(t.Context(), "m", at, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if kept, err = w.service.Task(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
		wantFeed(t, append(all, more...), kept)
		if len(more) > len(kept.Events) || more[len(more)-1] != kept.Events[len(kept.Events)-1] {
			t.Errorf("behind the cursor come %d changes, the last %+v; want the last of %d", len(more), more[len(more)-1], len(kept.Events))
		}
	}
	if got, _, err := w.ports.Changes(t.Context(), "nowhere", "", 10); err != nil || len(got) != 0 {
		t.Errorf("Changes(nowhere) = %v, %v; want none", got, err)
	}
}
