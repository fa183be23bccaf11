package task

import (
	"context"
	"fmt"
	"reflect"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

// Deps are what Service works with; all are required.
type Deps struct {
	Store    Store
	Active   ActiveStore
	Link     Link
	Clock    clock.Clock
	Timers   clock.Timers
	Journal  event.Journal
	Notifier Notifier
	Settings func(market.ID) Settings
}

// Service keeps the tasks. It holds no state of its own, so that any number
// of them can work on the same store. Every command may be repeated: it then
// finds its own effect and succeeds. That a robot cannot be reached is no error of a command: it is told
// again every TellEvery, and when it asks with Sync.
type Service struct{ Deps }

// NewService returns a service on d. It panics if something is missing from d.
func NewService(d Deps) *Service {
	if d.Store == nil || d.Active == nil || d.Link == nil || d.Clock == nil ||
		d.Timers == nil || d.Journal == nil || d.Notifier == nil || d.Settings == nil {
		panic("task: NewService: a field of Deps is nil; want all of them set")
	}
	return &Service{d}
}

// maxTries is how often a command decides again when others write the same task.
const maxTries = 8

// Task returns the task, or a fault.NotFound error.
func (s *Service) Task(ctx context.Context, id ID) (Task, error) { return s.Store.Task(ctx, id) }

// Changes returns entries of a market's feed after the cursor, at most limit of
// them (rounded up to whole tasks), and the cursor behind them. Entries of one
// task come in order; entries may be repeated, never left out.
func (s *Service) Changes(ctx context.Context, m market.ID, after Cursor, limit int) ([]Change, Cursor, error) {
	return s.Store.Changes(ctx, m, after, limit)
}

// Replan replaces steps of a task that has not ended; see ReplanRequest. It
// fails with fault.Conflict if it has ended, reason "ended".
func (s *Service) Replan(ctx context.Context, r ReplanRequest) error {
	if err := checkSteps("task.Replan", r.Steps); err != nil {
		return err
	}
	if r.Number < 1 {
		return fault.New("task.Replan", fault.Invalid, "", "task %s: replan number is %d; they count from 1", r.Task, r.Number)
	}
	return s.change(ctx, "replan", r.Task, func(d *draft) (bool, error) { return d.replan(r) })
}

// Cancel ends a task; its robot forgets it. It is no error if it has ended.
func (s *Service) Cancel(ctx context.Context, id ID, cause string) error {
	return s.change(ctx, "cancel", id, func(d *draft) (bool, error) { return d.cancel(cause) })
}

// Handoff does what a person at the robot wants: it asks the robot to open its
// hatch, or to end the exchange. It fails with fault.Conflict where that is not
// possible now, with reason "moving", "not_ready", "not_its_turn", "hatch_open", "never_opened" or
// "ended", and with fault.Forbidden for a wrong PIN, with reason "pin_wrong" or "pin_locked".
func (s *Service) Handoff(ctx context.Context, r HandoffRequest) error {
	return s.change(ctx, "handoff", r.Task, func(d *draft) (bool, error) { return d.handoff(r) })
}

// Report takes what a robot says of its task; see Report for what is refused.
func (s *Service) Report(ctx context.Context, r Report) error {
	return s.change(ctx, "report", r.Task, func(d *draft) (bool, error) { return d.hear(r) })
}

// Sync tells a robot again what to do, as when it comes back into contact. It
// fails with fault.NotFound if it has no active task: it should then forget the one it has.
func (s *Service) Sync(ctx context.Context, robot fleet.RobotID) error {
	t, err := s.Store.ActiveOf(ctx, robot)
	if err != nil {
		return fmt.Errorf("sync %s: %w", robot, err)
	}
	s.arm(&t)
	return s.tell(ctx, &t, append([]InstructionKind{Do}, t.unanswered(s.Clock.Now(), s.Settings(t.Market))...))
}

// change loads a task, lets decide change it, saves it, and tells the journal,
// the watchers and the robot. Where another writer was faster it decides again;
// where the answer of the write was lost it looks whether the write happened.
// An error of decide is returned after its change, if any, is saved.
func (s *Service) change(ctx context.Context, verb string, id ID, decide func(d *draft) (changed bool, err error)) error {
	now := s.Clock.Now()
	for range maxTries {
		t, err := s.Store.Task(ctx, id)
		if err != nil {
			return fmt.Errorf("%s %s: %w", verb, id, err)
		}
		d := draft{Task: t, now: now, set: s.Settings(t.Market)}
		changed, refused := decide(&d)
		if changed {
			saved, err := s.save(ctx, &d)
			if err != nil {
				return fmt.Errorf("%s %s: %w", verb, id, err)
			}
			if !saved {
				continue
			}
		}
		if err := s.publish(ctx, &d, len(t.Events)); err != nil {
			return fmt.Errorf("%s %s: %w", verb, id, err)
		}
		return refused
	}
	return fault.New("task.change", fault.Unavailable, "contended", "%s %s: it was changed by others %d times in a row; try again", verb, id, maxTries)
}

// save writes d. It reports false where d must be decided again.
func (s *Service) save(ctx context.Context, d *draft) (saved bool, err error) {
	revision, err := s.Store.SaveTask(ctx, d.Task)
	switch {
	case err == nil:
		d.Revision = revision
		return true, nil
	case fault.Is(err, fault.Conflict):
		return false, nil
	case !fault.Is(err, fault.Unavailable):
		return false, err
	}
	stored, again := s.Store.Task(ctx, d.ID)
	if again != nil {
		return false, err // the caller repeats the command, which finds out
	}
	d.Revision = stored.Revision
	return reflect.DeepEqual(stored, d.Task), nil
}

// publish tells what happened since the task had so many events, arms the
// timers and sends what the robot should know.
func (s *Service) publish(ctx context.Context, d *draft, events int) error {
	for _, c := range d.Events[events:] {
		s.Journal.Append(ctx, event.New(c.At, string(d.Market), "task."+string(c.Kind), string(d.ID), c.Seq, c))
	}
	s.arm(&d.Task)
	if len(d.Events) > events {
		s.Notifier.Changed(ctx, d.Market)
	}
	return s.tell(ctx, &d.Task, d.send)
}
