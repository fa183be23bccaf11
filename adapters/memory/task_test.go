package memory

import (
	"testing"

	"footway/core/fault"
	"footway/core/porttest"
	"footway/core/task"
)

func TestTaskStore(t *testing.T) {
	porttest.TaskStore(t, func(*testing.T) porttest.TaskStores { return NewTaskStore() }, porttest.TaskLimits{})
}

func TestTaskSnapshot(t *testing.T) {
	ctx := t.Context()
	a, b := NewTaskStore(), NewTaskStore()
	over := porttest.SampleTask("m", "d2", "r1", 1, 1)
	over.State = task.Finished
	for _, x := range []task.Task{porttest.SampleTask("m", "d1", "r1", 2, 3), over, porttest.SampleTask("other", "d3", "r2", 1, 1)} {
		if _, err := a.SaveTask(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.SaveTask(ctx, porttest.SampleTask("m", "d9", "r1", 9, 1)); err != nil {
		t.Fatal(err)
	}
	wantSnapshot(t, a, b)
	if x, err := b.ActiveOf(ctx, "r1"); err != nil || x.ID != "d1.1" {
		t.Errorf("ActiveOf(r1) after Restore = %s, %v, want d1.1", x.ID, err)
	}
	all, cursor, err := b.Changes(ctx, "m", "", 100)
	if err != nil || len(all) != 4 || all[0].Task != "d1.1" || all[3].Task != "d2.1" {
		t.Errorf("Changes after Restore = %v, %v, want three of d1.1 and one of d2.1", all, err)
	}
	x, err := b.Task(ctx, "d1.1")
	if err != nil {
		t.Fatal(err)
	}
	x.Events = append(x.Events, task.Change{Task: x.ID, Seq: 4})
	if _, err := b.SaveTask(ctx, x); err != nil {
		t.Fatal(err)
	}
	if more, _, err := b.Changes(ctx, "m", cursor, 100); err != nil || len(more) != 1 || more[0].Seq != 4 {
		t.Errorf("Changes after a write to what was restored = %v, %v, want number 4 of d1.1", more, err)
	}
}

func TestTaskCursorOfAnotherStore(t *testing.T) {
	s := NewTaskStore()
	for _, c := range []task.Cursor{"x", "-1", "1"} {
		if _, _, err := s.Changes(t.Context(), "m", c, 1); !fault.Is(err, fault.Invalid) {
			t.Errorf("Changes at cursor %q of an empty feed: %v, want it refused as invalid", c, err)
		}
	}
}
