package porttest

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/task"
)

// TaskStores is what one database offers Task: its ports look at the same
// tasks, so they are tried together.
type TaskStores interface {
	task.Store
	task.ActiveStore
}

// TaskLimits is what a task store cannot do; the zero value is the whole contract.
type TaskLimits struct {
	// StaleIndexes says that ActiveOf, Active and Changes lag behind writes
	// (eventually consistent indexes).
	StaleIndexes bool
}

// TaskStore tests that what open returns keeps the contracts of task.Store and
// task.ActiveStore. Each call of open returns an empty store.
func TaskStore(t *testing.T, open func(t *testing.T) TaskStores, limits TaskLimits) {
	t.Helper()
	s := taskSuite{open: open, limits: limits}
	t.Run("unknown task", s.unknown)
	t.Run("what is saved is read", s.roundTrip)
	t.Run("a new task must not exist", s.create)
	t.Run("a write needs the stored revision", s.conflict)
	t.Run("copies", s.copies)
	t.Run("the active task of a robot", s.activeOf)
	t.Run("active tasks of a market", s.active)
	t.Run("the feed has every change in order", s.feed)
	t.Run("the feed goes on at its cursor", s.cursor)
	t.Run("a refused write leaves the feed alone", s.refused)
	t.Run("the feed while tasks are written", s.followed)
	t.Run("numbers and names at their limits", s.extremes)
	t.Run("concurrent writers", s.concurrent)
}

type taskSuite struct {
	open   func(t *testing.T) TaskStores
	limits TaskLimits
}

// SampleTask returns an active task with every field set and n events, for tests of stores.
func SampleTask(m market.ID, delivery string, robot fleet.RobotID, token uint64, n int) task.Task {
	t := task.Task{
		ID: task.IDOf(delivery, 1), Market: m, Delivery: delivery, Attempt: 1, Robot: robot, Token: token, State: task.Active,
		Current: 1, Replans: 2, Heard: 7, Position: maps.Position{Edge: 4, OffsetMM: 70},
		Steps: []task.Step{
			{Kind: task.Drive, Purpose: task.Load, To: maps.Position{Edge: 3, OffsetMM: 5}, Budget: 60000, Status: task.Done, Deadline: 9000, StartedAt: 5000, DoneAt: 7000},
			{
				Kind: task.Handoff, Purpose: task.Load, PIN: "0420", Status: task.Retriable, HatchOpen: true, Opened: true, Tries: 1, WrongPINs: 2,
				LockedUntil: 8000, Asked: task.Open, AskedAt: 7500, ConfirmAt: 7600, Overdue: true, Assisted: true, AssistedAt: 7700, Cause: "jam",
			},
		},
	}
	addEvents(&t, n)
	return t
}

func addEvents(t *task.Task, n int) {
	for range n {
		t.Events = append(t.Events, task.Change{
			Task: t.ID, Delivery: t.Delivery, Attempt: t.Attempt, Robot: t.Robot, Seq: uint64(len(t.Events)) + 1, At: 5000,
			Kind: task.HatchJammed, Step: 1, StepKind: task.Handoff, Purpose: task.Load, Cause: "jam", Position: maps.Position{Edge: 1, OffsetMM: 2},
		})
	}
}

func saveTask(t *testing.T, s TaskStores, want task.Task) task.Task {
	t.Helper()
	revision, err := s.SaveTask(t.Context(), want)
	if err != nil {
		t.Fatalf("SaveTask(%s at %d): %v", want.ID, want.Revision, err)
	}
	if revision <= want.Revision {
		t.Fatalf("SaveTask(%s at %d) returned revision %d, want a higher one", want.ID, want.Revision, revision)
	}
	want.Revision = revision
	return want
}

func wantTask(t *testing.T, s TaskStores, want task.Task) {
	t.Helper()
	got, err := s.Task(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Task(%s): %v", want.ID, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Task(%s): -want +got\n%s", want.ID, diff)
	}
}

// soon tries until ok where indexes lag, once where they do not.
func (s taskSuite) soon(ok func() bool) bool {
	for range 100 {
		if ok() {
			return true
		}
		if !s.limits.StaleIndexes {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

func (s taskSuite) unknown(t *testing.T) {
	store := s.open(t)
	_, err := store.Task(t.Context(), "none")
	wantKind(t, "Task(none)", err, fault.NotFound)
	_, err = store.ActiveOf(t.Context(), "nobody")
	wantKind(t, "ActiveOf(nobody)", err, fault.NotFound)
	if got, _, err := store.Changes(t.Context(), "nowhere", "", 10); err != nil || len(got) != 0 {
		t.Errorf("Changes(nowhere) = %v, %v, want none", got, err)
	}
}

func (s taskSuite) roundTrip(t *testing.T) {
	store := s.open(t)
	full := saveTask(t, store, SampleTask("m", "d1", "r1", 9, 3))
	wantTask(t, store, full)
	full.State, full.Current, full.Replans = task.Finished, 2, 0
	addEvents(&full, 1)
	wantTask(t, store, saveTask(t, store, full))
}

func (s taskSuite) create(t *testing.T) {
	store := s.open(t)
	first := saveTask(t, store, SampleTask("m", "d1", "r1", 9, 1))
	_, err := store.SaveTask(t.Context(), SampleTask("m", "d1", "r2", 10, 1))
	wantKind(t, "SaveTask of a task that exists at revision 0", err, fault.Conflict)
	wantTask(t, store, first)
	ghost := SampleTask("m", "d2", "r1", 9, 1)
	ghost.Revision = 3
	_, err = store.SaveTask(t.Context(), ghost)
	wantKind(t, "SaveTask of an unknown task at revision 3", err, fault.Conflict)
	_, err = store.Task(t.Context(), ghost.ID)
	wantKind(t, "Task after a refused write", err, fault.NotFound)
}

func (s taskSuite) conflict(t *testing.T) {
	store := s.open(t)
	first := saveTask(t, store, SampleTask("m", "d1", "r1", 9, 1))
	second := first
	second.Heard = 8
	second = saveTask(t, store, second)
	stale := first
	stale.Heard = 9
	_, err := store.SaveTask(t.Context(), stale)
	wantKind(t, "SaveTask at an old revision", err, fault.Conflict)
	ahead := second
	ahead.Revision++
	_, err = store.SaveTask(t.Context(), ahead)
	wantKind(t, "SaveTask at a revision that is still to come", err, fault.Conflict)
	wantTask(t, store, second)
}

func (s taskSuite) copies(t *testing.T) {
	store := s.open(t)
	mine := SampleTask("m", "d1", "r1", 9, 2)
	saved := saveTask(t, store, mine)
	want := SampleTask("m", "d1", "r1", 9, 2)
	want.Revision = saved.Revision
	spoil := func(t task.Task) { t.Steps[0].Tries, t.Events[0].Cause = 99, "spoilt" }
	spoil(mine)
	wantTask(t, store, want)
	got, err := store.Task(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	spoil(got)
	wantTask(t, store, want)
	if !s.soon(func() bool { got, err = store.ActiveOf(t.Context(), "r1"); return err == nil }) {
		t.Fatal(err)
	}
	spoil(got)
	wantTask(t, store, want)
	all, err := store.Active(t.Context(), "m", "", 10)
	if err != nil || len(all) != 1 {
		t.Fatalf("Active(m) = %v, %v, want one", all, err)
	}
	spoil(all[0])
	wantTask(t, store, want)
}

func (s taskSuite) wantActiveOf(t *testing.T, store TaskStores, robot fleet.RobotID, want task.ID) {
	t.Helper()
	var got task.Task
	var err error
	ok := s.soon(func() bool {
		got, err = store.ActiveOf(t.Context(), robot)
		return want == "" && fault.Is(err, fault.NotFound) || want != "" && err == nil && got.ID == want
	})
	if !ok {
		t.Errorf("ActiveOf(%s) = %q, %v, want %q", robot, got.ID, err, want)
	}
}

func (s taskSuite) activeOf(t *testing.T) {
	store := s.open(t)
	first := saveTask(t, store, SampleTask("m", "d1", "r1", 9, 1))
	saveTask(t, store, SampleTask("m", "d0", "r2", 4, 1))
	s.wantActiveOf(t, store, "r1", "d1.1")
	newer := saveTask(t, store, SampleTask("m", "d2", "r1", 10, 1))
	s.wantActiveOf(t, store, "r1", "d2.1")
	first.State = task.Cancelled
	saveTask(t, store, first)
	s.wantActiveOf(t, store, "r1", "d2.1")
	newer.State = task.Finished
	newer = saveTask(t, store, newer)
	s.wantActiveOf(t, store, "r1", "")
	newer.Heard++
	saveTask(t, store, newer)
	s.wantActiveOf(t, store, "r1", "")
	s.wantActiveOf(t, store, "r2", "d0.1")
}

func (s taskSuite) active(t *testing.T) {
	store := s.open(t)
	for i, d := range []string{"d3", "d1", "d2", "d10", "d4"} {
		saveTask(t, store, SampleTask("m", d, "r1", uint64(i)+1, 1))
	}
	saveTask(t, store, SampleTask("other", "d5", "r2", 1, 1))
	for _, state := range []task.State{task.Finished, task.Broken, task.Cancelled} {
		over := SampleTask("m", "over-"+string(state), "r3", 1, 1)
		over.State = state
		saveTask(t, store, over)
	}
	want := []task.ID{"d1.1", "d10.1", "d2.1", "d3.1", "d4.1"}
	var got []task.ID
	ok := s.soon(func() bool {
		got = got[:0]
		var after task.ID
		for {
			page, err := store.Active(t.Context(), "m", after, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) > 2 {
				t.Fatalf("Active(m, %q, 2) returned %d", after, len(page))
			}
			for _, x := range page {
				got = append(got, x.ID)
				after = x.ID
			}
			if len(page) < 2 {
				return slices.Equal(got, want)
			}
		}
	})
	if !ok {
		t.Errorf("Active(m) in pages of two = %v, want %v", got, want)
	}
}

// extremes has numbers that a float cannot hold, and strings with nothing in
// them or with what separates things elsewhere.
func (s taskSuite) extremes(t *testing.T) {
	store := s.open(t)
	big := SampleTask("mar/ket/ü", "d/ö #|\"1\"", "rob/ot", 1<<63, 1)
	big.Heard, big.Position.OffsetMM, big.Steps[0].Deadline = 1<<63+1, math.MaxInt32, math.MaxInt64
	big.Steps[1].PIN, big.Steps[1].Cause, big.Events[0].Cause = "", "", "two\nlines"
	big = saveTask(t, store, big)
	wantTask(t, store, big)
	saveTask(t, store, SampleTask("mar/ket/ü", "d2", "rob/ot", 1<<63-1, 0))
	s.wantActiveOf(t, store, "rob/ot", big.ID)
	all, _ := s.soonFeed(t, store, "mar/ket/ü", "", 10, 1)
	wantFeed(t, all, big)
	bare := task.Task{ID: "bare.1", Market: "m", Delivery: "bare", Attempt: 1, State: task.Active}
	wantTask(t, store, saveTask(t, store, bare))
}

// concurrent has many writers add a change to one task: none may be lost, in
// the task or in the feed, and none may be done that was refused.
func (s taskSuite) concurrent(t *testing.T) {
	const writers, changes = 4, 5
	store := s.open(t)
	saveTask(t, store, SampleTask("m", "d1", "r1", 1, 0))
	ctx := t.Context()
	var wg sync.WaitGroup
	var unsure atomic.Int64
	for range writers {
		wg.Go(func() {
			for done := 0; done < changes; {
				switch err := addChange(ctx, store); {
				case err == nil:
					done++
				case fault.Is(err, fault.Conflict):
				case fault.Is(err, fault.Unavailable):
					unsure.Add(1)
				default:
					t.Errorf("add a change: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	got, err := store.Task(ctx, "d1.1")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got.Events); n < writers*changes || n > writers*changes+int(unsure.Load()) {
		t.Errorf("%d writers added %d changes each, and %d without an answer, and the task has %d: a write was lost, or done though refused",
			writers, changes, unsure.Load(), n)
	}
	all, _ := s.soonFeed(t, store, "m", "", 3, len(got.Events))
	wantFeed(t, all, got)
}

func addChange(ctx context.Context, store TaskStores) error {
	t, err := store.Task(ctx, "d1.1")
	if err != nil {
		return err
	}
	addEvents(&t, 1)
	_, err = store.SaveTask(ctx, t)
	return err
}
