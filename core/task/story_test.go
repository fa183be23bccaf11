package task_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// world is what a story plays in.
type world struct {
	clock    *fake.Clock
	timers   *fake.Timers
	journal  *fake.Journal
	notifier *fake.Notifier
	link     *fake.Link
	store    *memory.TaskStore
	set      task.Settings
	service  *task.Service
	numbers  map[task.ID]uint64
}

// newWorld returns a world whose calls to store and link go through l, if it is not nil.
func newWorld(l *fake.Losses) *world {
	w := &world{
		clock: fake.NewClock(fake.Start), timers: &fake.Timers{}, journal: &fake.Journal{}, notifier: &fake.Notifier{},
		link: &fake.Link{}, store: memory.NewTaskStore(), set: task.DefaultSettings(), numbers: map[task.ID]uint64{},
	}
	d := task.Deps{
		Store: w.store, Active: w.store, Link: w.link, Clock: w.clock, Timers: w.timers, Journal: w.journal, Notifier: w.notifier,
		Settings: func(market.ID) task.Settings { return w.set },
	}
	if l != nil {
		d.Store = fake.LossyTaskStore{Store: w.store, Losses: l}
		d.Link = fake.LossyLink{Link: w.link, Losses: l}
	}
	w.service = task.NewService(d)
	return w
}

// TestStories plays the scripts in testdata. A script creates tasks, lets robots report and
// people ask, and shows after each command what the journal got, what the robots were told, and what was refused.
func TestStories(t *testing.T) {
	played := 0
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		played++
		w := newWorld(nil)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			err := w.run(t, d)
			out := w.trace()
			if err != nil {
				out += "refused: " + describe(err) + "\n"
			}
			if d.Cmd == "show" {
				out += w.show(t, d)
			}
			if out == "" {
				return "nothing\n"
			}
			return out
		})
	})
	if played < 9 {
		t.Errorf("played %d stories, want at least 9", played)
	}
}

func describe(err error) string {
	if r := fault.ReasonOf(err); r != "" {
		return fmt.Sprintf("%v, %s", fault.KindOf(err), r)
	}
	return fmt.Sprintf("%v", fault.KindOf(err))
}

// arg returns the value of an argument, or fallback.
func arg(d *datadriven.TestData, name, fallback string) string {
	for _, a := range d.CmdArgs {
		if a.Key == name && len(a.Vals) > 0 {
			return a.Vals[0]
		}
	}
	return fallback
}

func number(t *testing.T, d *datadriven.TestData, name string, fallback int) int {
	t.Helper()
	n := fallback
	if s := arg(d, name, ""); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			d.Fatalf(t, "%s: %v", name, err)
		}
	}
	return n
}

func word(d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		if len(a.Vals) == 0 {
			return a.Key
		}
	}
	return ""
}

func (w *world) run(t *testing.T, d *datadriven.TestData) error {
	ctx := context.Background()
	id := task.ID(arg(d, "task", "d1.1"))
	switch d.Cmd {
	case "create":
		_, err := w.service.Create(ctx, createRequest(t, d))
		return err
	case "report":
		return w.service.Report(ctx, w.report(t, d, id))
	case "open", "confirm":
		r := task.HandoffRequest{Task: id, Purpose: task.Purpose(word(d)), Want: task.HandoffWant(d.Cmd), PIN: arg(d, "pin", "")}
		r.Staff = arg(d, "staff", "") == "yes"
		return w.service.Handoff(ctx, r)
	case "replan":
		return w.service.Replan(ctx, task.ReplanRequest{Task: id, Number: number(t, d, "number", 1), From: number(t, d, "from", 0), Steps: steps(d, word(d))})
	case "cancel":
		return w.service.Cancel(ctx, id, word(d))
	case "contact":
		w.link.Lose(fleet.RobotID(arg(d, "robot", "r1")), word(d) == "lost")
		return nil
	case "sync":
		return w.service.Sync(ctx, fleet.RobotID(word(d)))
	case "restart":
		w.timers.Clear()
		return w.service.Resume(ctx, "m")
	case "set":
		w.set.AutoConfirm = arg(d, "auto_confirm", fmt.Sprint(w.set.AutoConfirm)) == "true"
		return nil
	case "wait":
		span, err := clock.ParseDuration(word(d))
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return w.timers.Run(w.clock, w.clock.Now().Add(span), func(k clock.Key) error { return w.service.Fire(ctx, k) })
	case "show":
		return nil
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return nil
}

func createRequest(t *testing.T, d *datadriven.TestData) task.CreateRequest {
	return task.CreateRequest{
		Market: "m", Delivery: arg(d, "delivery", "d1"), Attempt: number(t, d, "attempt", 1),
		Robot: fleet.RobotID(arg(d, "robot", "r1")), Token: uint64(number(t, d, "token", 7)),
		Steps: append(steps(d, "load"), steps(d, "unload")...),
	}
}

// steps returns a drive of at most 10 minutes and a handoff of at most 5, with the PIN if it is to unload.
func steps(d *datadriven.TestData, purpose string) []task.Step {
	p := task.Purpose(purpose)
	h := task.Step{Kind: task.Handoff, Purpose: p, Budget: 5 * clock.Minute}
	if p == task.Unload {
		h.PIN = arg(d, "pin", "")
	}
	return []task.Step{{Kind: task.Drive, Purpose: p, Budget: 10 * clock.Minute, To: maps.Position{Edge: 2}}, h}
}

// report numbers reports as robots do, unless the script says otherwise.
func (w *world) report(t *testing.T, d *datadriven.TestData, id task.ID) task.Report {
	n := number(t, d, "number", int(w.numbers[id])+1)
	w.numbers[id] = max(w.numbers[id], uint64(n))
	return task.Report{
		Robot: fleet.RobotID(arg(d, "robot", "r1")), Task: id, Token: uint64(number(t, d, "token", 7)), Step: number(t, d, "step", 0),
		Number: uint64(n), Kind: task.ReportKind(word(d)), Cause: arg(d, "cause", ""), Position: maps.Position{Edge: 1, OffsetMM: int32(number(t, d, "mm", 0))},
	}
}

// trace returns what happened and what robots were told since the last call.
func (w *world) trace() string {
	var b strings.Builder
	for _, e := range w.journal.Take() {
		c := change(e.Data)
		fmt.Fprintf(&b, "%s %s %s %d %s %s", fake.Time(e.T), c.Task, strings.TrimPrefix(e.Kind, "task."), c.Step, c.StepKind, c.Purpose)
		if c.Cause != "" {
			fmt.Fprintf(&b, " cause=%s", c.Cause)
		}
		if c.Position.OffsetMM != 0 {
			fmt.Fprintf(&b, " mm=%d", c.Position.OffsetMM)
		}
		b.WriteByte('\n')
	}
	for _, told := range w.link.Take() {
		b.WriteString(told + "\n")
	}
	return b.String()
}

// show prints a task's steps and the timers that are armed.
func (w *world) show(t *testing.T, d *datadriven.TestData) string {
	x, err := w.store.Task(context.Background(), task.ID(word(d)))
	if err != nil {
		d.Fatalf(t, "%v", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, step %d of %d\n", x.State, x.Current, len(x.Steps))
	for i, s := range x.Steps {
		fmt.Fprintf(&b, "%d %s %s: %s", i, s.Kind, s.Purpose, s.Status)
		if s.Deadline > 0 {
			fmt.Fprintf(&b, ", until %s", fake.Time(s.Deadline))
		}
		if s.Cause != "" {
			fmt.Fprintf(&b, ", cause %s", s.Cause)
		}
		b.WriteByte('\n')
	}
	b.WriteString(w.timers.String())
	return b.String()
}
