package dynamo

import (
	"context"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/task"
)

// The feed of a market's changes is an index of its tasks by the time of their
// last write, so that each task is in it once. What changed is not in the index: it
// is read from the tasks, strongly consistent, and so has no gap.
//
// The index is not in the order of commits: the time is that of the writer's
// clock when the write began, and the index lags behind the table. So a reader
// looks again at the last Overlap each time, and its cursor remembers the tasks it has seen
// there and how many events of each it gave out, which are not repeated. The
// promise: nothing is left out, provided that a write is visible in the index within Overlap of its
// stamp, which is the sum of
//
//	how far the writer's clock is behind the reader's   (NTP: milliseconds)
//	how long a write is under way                       (Timeouts.Call at most)
//	how long the index lags                             (usually well below a second)
//
// A write that breaks this is not lost as long as the task is written again,
// since the cursor goes on following tasks that have not ended: the next write
// shows all that it has not given out. What the cursor knows nothing of is given out from its
// beginning, as the port allows. A clock that is ahead does no harm.
//
// Refused: a local secondary index, which can be read strongly consistent but limits a shard to 10 GB
// for good, and would still not be in the order of commits; a stream, which forgets after a
// day, has no cursor for a reader who comes back later, and no local stand-in; an item for each
// change, which is a second write that may be lost, or a transaction; a counter, which is one hot key.

// maxFollowed bounds a cursor: 4,096 tasks in it are some 65 kB. If more than so many
// change within Overlap, the feed gives out no more until the first of
// them are past it: it is late then, and complete.
const maxFollowed = 4096

// entry is a task's place in the feed.
type entry struct {
	changed string
	at      clock.Time
	id      task.ID
	events  int // it had so many when the index saw it; more by now, perhaps
}

// Changes implements task.Store.
func (s *TaskStore) Changes(ctx context.Context, m market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error) {
	const op = "dynamo.Changes"
	if err := checkID(op, "market", string(m)); err != nil {
		return nil, "", err
	}
	at, err := parseCursor(m, after)
	if err != nil {
		return nil, "", err
	}
	if limit <= 0 {
		return nil, after, nil
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	r := reading{
		store: s, op: op, market: m, cursor: at, limit: limit, edge: s.edge(),
		feed: s.feed(op, m, at.from),
	}
	if err := r.run(ctx); err != nil {
		return nil, "", err
	}
	if len(r.out) == 0 && r.end && !r.old {
		return nil, after, nil // so that nobody saves a cursor in vain
	}
	return r.out, r.next(), nil
}

// edge returns the place in the feed before which nothing appears any more. It
// moves by a quarter of the overlap, so that the cursor of a reader at rest soon stays the same.
func (s *TaskStore) edge() string {
	overlap := clock.Time(s.db.options.Overlap.Milliseconds())
	t := max(0, s.db.now()-overlap)
	return stamp(t - t%max(1, overlap/4))
}

// reading is one call of Changes.
type reading struct {
	store  *TaskStore
	op     string
	market market.ID
	cursor cursor
	limit  int
	edge   string
	feed   *feed

	out  []task.Change
	last string // the place of the last entry that was dealt with
	end  bool   // there are no more
	old  bool   // an entry was before the edge
}

// run gives out entries until there are enough, or no more.
func (r *reading) run(ctx context.Context) error {
	for len(r.out) < r.limit && !r.end {
		entries, err := r.fresh(ctx)
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			return nil
		}
		if err := r.give(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

// fresh returns entries that may have events to give out, as many as should
// be enough. It returns none at the end, and where the cursor is full.
func (r *reading) fresh(ctx context.Context) ([]entry, error) {
	var found []entry
	chosen := map[task.ID]bool{}
	room := r.store.followed - r.cursor.follows(r.edge)
	for events := 0; len(r.out)+events < r.limit; {
		e, ok, err := r.feed.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			r.end = true
			return found, nil
		}
		r.old = r.old || e.changed < r.edge
		n := r.cursor.unseen(e)
		switch {
		case n == 0:
			if len(found) == 0 {
				r.last = e.changed
			}
		case chosen[e.id]: // it was written while the feed was being read
		case len(found) >= room:
			return found, nil
		default:
			chosen[e.id] = true
			found = append(found, e)
			events += n
		}
	}
	return found, nil
}

// give reads the tasks of entries, and gives out what they have to tell.
func (r *reading) give(ctx context.Context, entries []entry) error {
	keys := make([]string, len(entries))
	for n, e := range entries {
		keys[n] = taskPrefix + string(e.id)
	}
	tasks, err := r.store.tasks(ctx, r.op, keys)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if len(r.out) >= r.limit {
			r.end = false // what is left is for the next call
			return nil
		}
		if len(tasks) > 0 && tasks[0].ID == e.id {
			if t := tasks[0]; t.Market == r.market {
				r.out = append(r.out, t.Events[r.cursor.follow(e, len(t.Events), t.State != task.Active):]...)
			}
			tasks = tasks[1:]
		}
		r.last = e.changed
	}
	return nil
}

// next returns the cursor behind what was given out.
func (r *reading) next() task.Cursor {
	from := r.edge
	if !r.end {
		from = min(from, r.last)
	}
	r.cursor.from = max(r.cursor.from, from)
	r.cursor.trim(r.store.followed)
	return r.cursor.encode()
}

// feed reads the shards of a market's feed as one, in order.
type feed struct {
	op    string
	pages [shards]*pager
	read  [shards][]entry
	begun bool
}

// feedPage is how many entries of a shard are read at once.
const feedPage = 250

// feed returns a market's feed behind a place; "" is its beginning.
func (s *TaskStore) feed(op string, m market.ID, from string) *feed {
	f := &feed{op: op}
	for n := range f.pages {
		q := query{op: op, table: s.db.tables.tasks(), index: indexFeed, partition: attrFeed, value: shardOf(m, n), page: feedPage}
		if from != "" {
			q.sort, q.after = attrChanged, from
		}
		f.pages[n] = s.db.ask(q)
	}
	return f
}

// next returns the entry that comes next, or false at the end.
func (f *feed) next(ctx context.Context) (e entry, ok bool, err error) {
	if !f.begun {
		f.begun = true
		_, err := fan(ctx, func(ctx context.Context, n int) (struct{}, error) { return struct{}{}, f.fill(ctx, n) })
		if err != nil {
			return e, false, err
		}
	}
	first := -1
	for n := range f.read {
		if err := f.fill(ctx, n); err != nil {
			return e, false, err
		}
		if len(f.read[n]) > 0 && (first < 0 || f.read[n][0].changed < f.read[first][0].changed) {
			first = n
		}
	}
	if first < 0 {
		return e, false, nil
	}
	e, f.read[first] = f.read[first][0], f.read[first][1:]
	return e, true, nil
}

// fill reads on in a shard until there is an entry of it, or no more.
func (f *feed) fill(ctx context.Context, n int) error {
	for len(f.read[n]) == 0 && !f.pages[n].done {
		items, err := f.pages[n].next(ctx)
		if err != nil {
			return err
		}
		for _, i := range items {
			e, err := entryOf(f.op, i)
			if err != nil {
				return err
			}
			f.read[n] = append(f.read[n], e)
		}
	}
	return nil
}

// entryOf returns the place in the feed that an item of the index is.
func entryOf(op string, i item) (entry, error) {
	place, _ := textOf(i, attrChanged)
	at, id, ok := parseChanged(place)
	events, counted := numberOf(i, attrEvents)
	if !ok || !counted || keyOf(i) != taskPrefix+string(id) || events > 1<<31 {
		return entry{}, fault.New(op, fault.Internal, "bad_item", "item %s of the feed: its place is %s; want a time and its task, and a number of %q", quote(keyOf(i)), quote(place), attrEvents)
	}
	return entry{changed: place, at: at, id: id, events: int(events)}, nil
}
