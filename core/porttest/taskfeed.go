package porttest

import (
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/fault"
	"footway/core/market"
	"footway/core/task"
)

// readFeed reads a market's feed to its end, in pages of limit.
func readFeed(t *testing.T, s TaskStores, m market.ID, after task.Cursor, limit int) (all []task.Change, end task.Cursor) {
	t.Helper()
	for {
		page, next, err := s.Changes(t.Context(), m, after, limit)
		if err != nil {
			t.Fatalf("Changes(%s, %q, %d): %v", m, after, limit, err)
		}
		if len(page) == 0 {
			return all, next
		}
		if next == after {
			t.Fatalf("Changes(%s, %q, %d) returned %d entries and the same cursor", m, after, limit, len(page))
		}
		whole := len(page)
		for whole > 0 && page[whole-1].Task == page[len(page)-1].Task {
			whole--
		}
		if whole >= limit {
			t.Fatalf("Changes(%s, %q, %d) returned %d entries, and %d without those of the last task", m, after, limit, len(page), whole)
		}
		all = append(all, page...)
		after = next
	}
}

// distinct returns how many entries there are without repeats.
func distinct(all []task.Change) int {
	type place struct {
		task task.ID
		seq  uint64
	}
	seen := map[place]bool{}
	for _, c := range all {
		seen[place{c.Task, c.Seq}] = true
	}
	return len(seen)
}

// soonFeed reads a market's feed until it has n entries after the cursor.
func (s taskSuite) soonFeed(t *testing.T, store TaskStores, m market.ID, after task.Cursor, limit, n int) (all []task.Change, end task.Cursor) {
	t.Helper()
	end = after
	s.soon(func() bool {
		var more []task.Change
		more, end = readFeed(t, store, m, end, limit)
		all = append(all, more...)
		return distinct(all) >= n
	})
	return all, end
}

// wantFeed checks that the entries, after repeats are left out, are those of
// the tasks, each in its order.
func wantFeed(t *testing.T, got []task.Change, tasks ...task.Task) {
	t.Helper()
	seen := map[task.ID][]task.Change{}
	for _, c := range got {
		have := seen[c.Task]
		switch n := uint64(len(have)); {
		case c.Seq <= n: // repeated
		case c.Seq == n+1:
			seen[c.Task] = append(have, c)
		default:
			t.Errorf("feed has number %d of %s after number %d", c.Seq, c.Task, n)
		}
	}
	want := map[task.ID][]task.Change{}
	for _, x := range tasks {
		want[x.ID] = x.Events
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("feed: -want +got\n%s", diff)
	}
}

func (s taskSuite) feed(t *testing.T) {
	store := s.open(t)
	one := saveTask(t, store, SampleTask("m", "d1", "r1", 1, 2))
	two := saveTask(t, store, SampleTask("m", "d2", "r2", 1, 1))
	other := saveTask(t, store, SampleTask("other", "d3", "r3", 1, 1))
	addEvents(&one, 3)
	one = saveTask(t, store, one)
	two.Heard++ // a write without a change
	two = saveTask(t, store, two)
	total := len(one.Events) + len(two.Events)
	for _, limit := range []int{1, 2, 100} {
		all, _ := s.soonFeed(t, store, "m", "", limit, total)
		wantFeed(t, all, one, two)
	}
	all, _ := s.soonFeed(t, store, "other", "", 10, 1)
	wantFeed(t, all, other)
}

func (s taskSuite) cursor(t *testing.T) {
	store := s.open(t)
	one := saveTask(t, store, SampleTask("m", "d1", "r1", 1, 2))
	read, end := s.soonFeed(t, store, "m", "", 10, 2)
	if again, _ := readFeed(t, store, "m", end, 10); len(again) != 0 {
		t.Errorf("Changes behind the end = %v, want none", again)
	}
	if none, same, err := store.Changes(t.Context(), "m", end, 0); err != nil || len(none) != 0 || same != end {
		t.Errorf("Changes, at most 0 = %v, %q, %v, want none and the same cursor", none, same, err)
	}
	addEvents(&one, 2)
	one = saveTask(t, store, one)
	two := saveTask(t, store, SampleTask("m", "d2", "r2", 1, 1))
	more, _ := s.soonFeed(t, store, "m", end, 10, 3)
	wantFeed(t, append(read, more...), one, two)
	_, _, err := store.Changes(t.Context(), "m", "no cursor", 10)
	wantKind(t, "Changes at what is no cursor", err, fault.Invalid)
}

func (s taskSuite) refused(t *testing.T) {
	store := s.open(t)
	one := saveTask(t, store, SampleTask("m", "d1", "r1", 1, 1))
	stale := one
	stale.Revision++
	addEvents(&stale, 2)
	_, err := store.SaveTask(t.Context(), stale)
	wantKind(t, "SaveTask at a wrong revision", err, fault.Conflict)
	all, _ := s.soonFeed(t, store, "m", "", 10, 1)
	wantFeed(t, all, one)
}

// followed reads the feed with one cursor while tasks are written: the reader
// must have everything in the end, and in order.
func (s taskSuite) followed(t *testing.T) {
	const writers, changes = 3, 6
	store := s.open(t)
	ctx := t.Context()
	written := make([]task.Task, writers)
	var wg sync.WaitGroup
	for n := range writers {
		wg.Go(func() {
			x := SampleTask("m", "d"+strconv.Itoa(n), "r1", uint64(n)+1, 0)
			for range changes {
				addEvents(&x, 1)
				revision, err := store.SaveTask(ctx, x)
				if err != nil {
					t.Errorf("SaveTask(%s): %v", x.ID, err)
					return
				}
				x.Revision = revision
			}
			written[n] = x
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var all []task.Change
	var at task.Cursor
	for writing := true; writing; {
		select {
		case <-done:
			writing = false
		default:
		}
		var more []task.Change
		more, at = readFeed(t, store, "m", at, 2)
		all = append(all, more...)
	}
	s.soon(func() bool {
		var more []task.Change
		more, at = readFeed(t, store, "m", at, 2)
		all = append(all, more...)
		return distinct(all) >= writers*changes
	})
	wantFeed(t, all, written...)
}
