package dynamo

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/porttest"
	"footway/core/porttest/fake"
	"footway/core/task"
)

// handClock is moved by hand.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *handClock { return &handClock{now: fake.Start.Std()} }

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// reader follows a feed with one cursor, and knows what it has got.
type reader struct {
	store  *TaskStore
	cursor task.Cursor
	limit  int
}

// read reads to the end, and returns what it got: how many entries of each task, and the first of them.
func (r *reader) read(t *testing.T) map[task.ID]string {
	t.Helper()
	first, count := map[task.ID]uint64{}, map[task.ID]int{}
	for range 1000 {
		page, next, err := r.store.Changes(t.Context(), "m", r.cursor, r.limit)
		if err != nil {
			t.Fatal(err)
		}
		r.cursor = next
		if len(page) == 0 {
			got := map[task.ID]string{}
			for id, n := range count {
				got[id] = fmt.Sprintf("%d-%d", first[id], first[id]+uint64(n)-1)
			}
			return got
		}
		for _, c := range page {
			if count[c.Task] == 0 {
				first[c.Task] = c.Seq
			}
			if c.Seq != first[c.Task]+uint64(count[c.Task]) {
				t.Errorf("entry %d of %s follows %d", c.Seq, c.Task, first[c.Task]+uint64(count[c.Task])-1)
			}
			count[c.Task]++
		}
	}
	t.Fatal("the feed has no end")
	return nil
}

func (r *reader) want(t *testing.T, what string, want map[task.ID]string) {
	t.Helper()
	if got := r.read(t); !maps.Equal(got, want) {
		t.Errorf("%s: the feed has %v, want %v", what, got, want)
	}
}

// put saves a task with n more events.
func put(t *testing.T, s *TaskStore, x *task.Task, n int) {
	t.Helper()
	for range n {
		x.Events = append(x.Events, task.Change{Task: x.ID, Delivery: x.Delivery, Attempt: x.Attempt, Robot: x.Robot, Seq: uint64(len(x.Events)) + 1, Kind: task.Started})
	}
	revision, err := s.SaveTask(t.Context(), *x)
	if err != nil {
		t.Fatal(err)
	}
	x.Revision = revision
}

func newTask(delivery string) task.Task { return porttest.SampleTask("m", delivery, "r1", 1, 0) }

type feedWorld struct {
	clock *handClock
	index *laggingIndexes
	store *TaskStore
	late  map[string]int // versions of an item from this number on are not in the index yet
}

func newFeedWorld(t *testing.T) *feedWorld {
	w := &feedWorld{clock: newClock(), late: map[string]int{}}
	w.index = &laggingIndexes{visible: func(v version) bool { n, late := w.late[v.key]; return !late || v.number < n }}
	w.store = NewTaskStore(open(t, func(o *Options) {
		o.Now = w.clock.Now
		o.APIOptions = append(o.APIOptions, w.index.install)
	}))
	return w
}

type got = map[task.ID]string

// TestLateInTheIndex has writes appear in the index later than others that came after them.
func TestLateInTheIndex(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	r := reader{store: w.store, limit: 2}
	a, b := newTask("a"), newTask("b")
	put(t, w.store, &a, 2)
	r.want(t, "one task", got{"a.1": "1-2"})
	w.late["task/a.1"] = 2
	put(t, w.store, &a, 1)
	w.clock.advance(30 * time.Second)
	put(t, w.store, &b, 1)
	r.want(t, "a's second write is late", got{"b.1": "1-1"})
	w.clock.advance(20 * time.Second)
	put(t, w.store, &b, 1)
	r.want(t, "it is still late", got{"b.1": "2-2"})
	delete(w.late, "task/a.1")
	r.want(t, "it is there after 50 s", got{"a.1": "3-3"})
	r.want(t, "at rest", got{})
}

// TestMoreThanTheIndexKnew has a task fill a page by itself, though the index
// made room in it for others.
func TestMoreThanTheIndexKnew(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	a, b, c := newTask("a"), newTask("b"), newTask("c")
	put(t, w.store, &a, 1)
	w.late["task/a.1"] = 2
	put(t, w.store, &a, 4)
	w.clock.advance(time.Second)
	put(t, w.store, &b, 1)
	put(t, w.store, &c, 1)
	w.clock.advance(time.Hour)
	r := reader{store: w.store, limit: 4}
	r.want(t, "an hour later", got{"a.1": "1-5", "b.1": "1-1", "c.1": "1-1"})
}

// TestLaterThanPromised shows what the bound is for, and what mends it.
func TestLaterThanPromised(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	r := reader{store: w.store, limit: 100}
	a, b := newTask("a"), newTask("b")
	put(t, w.store, &a, 2)
	r.want(t, "one task", got{"a.1": "1-2"})
	w.late["task/a.1"] = 2
	put(t, w.store, &a, 1)
	for range 10 {
		w.clock.advance(20 * time.Second)
		put(t, w.store, &b, 1)
		r.read(t)
	}
	delete(w.late, "task/a.1")
	r.want(t, "a's second write comes after 200 s, which is beyond the promise", got{})
	w.clock.advance(time.Second)
	put(t, w.store, &a, 1)
	r.want(t, "the next write brings it", got{"a.1": "3-4"})
}

// TestClocksDiffer has two writers, one of them behind.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	c := newClock()
	db := open(t, func(o *Options) { o.Now = c.Now })
	s := NewTaskStore(db)
	o := db.options
	o.Now = func() time.Time { return c.Now().Add(-40 * time.Second) }
	behind := NewTaskStore(openWith(t, o))
	o.Now = func() time.Time { return c.Now().Add(time.Hour) }
	ahead := NewTaskStore(openWith(t, o))
	r := reader{store: s, limit: 1}
	x, y, z := newTask("x"), newTask("y"), newTask("z")
	put(t, s, &x, 1)
	r.want(t, "a good clock", got{"x.1": "1-1"})
	put(t, ahead, &z, 1)
	r.want(t, "a clock that is ahead", got{"z.1": "1-1"})
	put(t, behind, &y, 1)
	r.want(t, "a clock that is behind", got{"y.1": "1-1"})
	put(t, behind, &x, 1)
	put(t, s, &z, 1)
	r.want(t, "the clocks change places", got{"x.1": "2-2", "z.1": "2-2"})
	for range 20 {
		c.advance(30 * time.Second)
		r.want(t, "at rest", got{})
	}
	put(t, s, &x, 1)
	r.want(t, "later", got{"x.1": "3-3"})
}

// TestCursorAtRest shows that a reader who gets nothing need not save its
// cursor for ever, and that the cursor forgets tasks that have ended.
func TestCursorAtRest(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := NewTaskStore(open(t, func(o *Options) { o.Now = c.Now; o.PageSize = 0 }))
	for n := range 30 {
		x := newTask(fmt.Sprint("d", n))
		x.State = task.Finished
		put(t, s, &x, 1)
	}
	r := reader{store: s, limit: 7}
	if n := len(r.read(t)); n != 30 {
		t.Fatalf("the feed has %d tasks, want 30", n)
	}
	long := len(r.cursor)
	changes := 0
	for range 100 {
		before := r.cursor
		c.advance(3 * time.Second)
		r.want(t, "at rest", got{})
		if r.cursor != before {
			changes++
		}
	}
	if changes > 6 {
		t.Errorf("the cursor of a reader at rest changed %d times in five minutes, want 6 at most", changes)
	}
	if short := len(r.cursor); short > 60 || long < 300 {
		t.Errorf("the cursor has %d bytes after 30 tasks, and %d when they are long past; want 60 at most then", long, short)
	}
}

// TestCursorIsBounded has more tasks change at once than a cursor follows: the
// feed is late, and complete.
func TestCursorIsBounded(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := NewTaskStore(open(t, func(o *Options) { o.Now = c.Now; o.PageSize = 0 }))
	s.followed = 5
	for n := range 12 {
		x := newTask(fmt.Sprintf("d%02d", n))
		put(t, s, &x, 1)
		c.advance(time.Second)
	}
	r := reader{store: s, limit: 2}
	seen := map[task.ID]bool{}
	var counts []int
	for range 8 {
		for id := range r.read(t) {
			seen[id] = true
		}
		if cur, err := parseCursor("m", r.cursor); err != nil || len(cur.tasks) > 5 {
			t.Errorf("the cursor follows %d tasks, %v, want 5 at most", len(cur.tasks), err)
		}
		counts = append(counts, len(seen))
		c.advance(30 * time.Second)
	}
	if counts[0] != 5 || counts[len(counts)-1] != 12 {
		t.Errorf("tasks that were given out by and by: %v, want 5 at first and all 12 in the end", counts)
	}
	r.want(t, "at rest", got{})
}

// TestLongHistory reads from the beginning what happened over hours.
func TestLongHistory(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := NewTaskStore(open(t, func(o *Options) { o.Now = c.Now; o.PageSize = 3 }))
	want := got{}
	for n := range 40 {
		x := newTask(fmt.Sprint("d", n))
		put(t, s, &x, 1+n%3)
		want[x.ID] = fmt.Sprintf("1-%d", 1+n%3)
		c.advance(time.Duration(n) * time.Second)
	}
	for _, limit := range []int{1, 3, 200} {
		r := reader{store: s, limit: limit}
		r.want(t, fmt.Sprintf("in pages of %d", limit), want)
		r.want(t, "at rest", got{})
	}
	if _, _, err := s.Changes(t.Context(), "other", (&cursor{market: hashMarket("m")}).encode(), 1); !fault.Is(err, fault.Invalid) {
		t.Errorf("Changes with the cursor of another market: %v, want it invalid", err)
	}
}

// TestForgotten lets tasks that have ended expire.
func TestForgotten(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := NewTaskStore(open(t, func(o *Options) { o.Now = c.Now; o.Retention = time.Hour }))
	over, active := newTask("over"), newTask("active")
	over.State = task.Cancelled
	put(t, s, &over, 1)
	put(t, s, &active, 1)
	c.advance(59 * time.Minute)
	(&reader{store: s, limit: 9}).want(t, "before an hour is over", got{"over.1": "1-1", "active.1": "1-1"})
	c.advance(time.Minute)
	if _, err := s.Task(t.Context(), over.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("Task that ended an hour ago: %v, want it not found", err)
	}
	if _, err := s.Task(t.Context(), active.ID); err != nil {
		t.Errorf("Task that is active: %v", err)
	}
	(&reader{store: s, limit: 9}).want(t, "after an hour", got{"active.1": "1-1"})
	again := newTask("over")
	put(t, s, &again, 2)
	(&reader{store: s, limit: 9}).want(t, "a new task of that name", got{"over.1": "1-2", "active.1": "1-1"})
}

// TestCursorText writes a cursor down and reads it again.
func TestCursorText(t *testing.T) {
	c := cursor{market: hashMarket("m"), from: changed(fake.Start, "d/1"), tasks: map[taskHash]given{}}
	for n := range 500 {
		id := task.ID(fmt.Sprint("d", n))
		c.tasks[hashOf(id)] = given{at: fake.Start.Add(clock.Duration(n - 250)), events: n * n, over: n%3 == 0}
	}
	text := c.encode()
	d, err := parseCursor("m", text)
	if err != nil || d.from != c.from || !maps.Equal(d.tasks, c.tasks) {
		t.Errorf("parseCursor = %d tasks from %q, %v, want what was written", len(d.tasks), d.from, err)
	}
	if per := len(text) / 500; per > 18 {
		t.Errorf("a task takes %d bytes of a cursor, want 18 at most", per)
	}
	for _, bad := range []task.Cursor{"x", "AQ", text[:len(text)-4], text + "AAAA", "!"} {
		if _, err := parseCursor("m", bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("parseCursor(%.20q…): %v, want it invalid", bad, err)
		}
	}
}

// TestTrim keeps what the feed still shows, then what has not ended, the latest first.
func TestTrim(t *testing.T) {
	c := cursor{from: stamp(1000), tasks: map[taskHash]given{
		1: {at: 2000}, 2: {at: 1000, over: true}, 3: {at: 999, over: true}, 4: {at: 998}, 5: {at: 997}, 6: {at: 996},
	}}
	for room, want := range map[int][]taskHash{9: {1, 2, 4, 5, 6}, 4: {1, 2, 4, 5}, 2: {1, 2}, 0: {1, 2}} {
		x := c
		x.tasks = maps.Clone(c.tasks)
		x.trim(room)
		if have := slices.Sorted(maps.Keys(x.tasks)); !slices.Equal(have, want) {
			t.Errorf("trim(%d) keeps %v, want %v", room, have, want)
		}
	}
}
