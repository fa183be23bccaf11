package dynamo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/task"
)

var (
	_ task.Store       = (*TaskStore)(nil)
	_ task.ActiveStore = (*TaskStore)(nil)
)

// TaskStore is a task.Store and task.ActiveStore in the table task-tasks. A
// task that has ended is forgotten some time after its last write, by the server
// where it can do that, which may take it days, and by every read at once.
type TaskStore struct {
	db       *DB
	followed int // how many tasks a cursor follows at most; see feed
}

// NewTaskStore returns the store in the tables of db.
func NewTaskStore(db *DB) *TaskStore { return &TaskStore{db: db, followed: maxFollowed} }

const (
	taskPrefix  = "task/"
	ownerPrefix = "robot/" // no key of an index may be empty
)

// Task implements task.Store.
func (s *TaskStore) Task(ctx context.Context, id task.ID) (task.Task, error) {
	const op = "dynamo.Task"
	if err := checkID(op, "task", string(id)); err != nil {
		return task.Task{}, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	i, err := s.db.get(ctx, op, s.db.tables.tasks(), taskPrefix+string(id))
	if err != nil {
		return task.Task{}, err
	}
	if i == nil || expired(i, s.db.now()) {
		return task.Task{}, fault.New(op, fault.NotFound, "", "there is no task %q", id)
	}
	return taskOf(op, i)
}

// SaveTask implements task.Store.
func (s *TaskStore) SaveTask(ctx context.Context, t task.Task) (revision uint64, err error) {
	const op = "dynamo.SaveTask"
	err = cmp.Or(checkID(op, "task", string(t.ID)), checkID(op, "market", string(t.Market)), checkID(op, "robot", string(t.Robot)))
	if err != nil {
		return 0, err
	}
	k, now := taskPrefix+string(t.ID), s.db.now()
	w := write{op: op, table: s.db.tables.tasks(), key: k, revision: t.Revision, over: seconds(now)}
	t.Revision = 0 // kept in an attribute of its own
	doc, err := document(op, k, t)
	if err != nil {
		return 0, err
	}
	place := shard(t.Market, string(t.ID))
	w.item = item{
		attrDoc: doc, attrFeed: text(place), attrChanged: text(changed(now, t.ID)), attrEvents: number(len(t.Events)),
	}
	if t.State == task.Active {
		w.item[attrActive] = text(place)
		w.item[attrRobot] = text(ownerPrefix + string(t.Robot))
		w.item[attrToken] = text(fmt.Sprintf("%020d/%s", t.Token, t.ID))
	} else {
		w.item[attrExpires] = number(seconds(clock.Of(now.Std().Add(s.db.options.Retention))))
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	return s.db.save(ctx, w)
}

// ActiveOf implements task.Store. The index says which tasks to look at, and
// may lag; whether they are active is read from the table.
func (s *TaskStore) ActiveOf(ctx context.Context, robot fleet.RobotID) (task.Task, error) {
	const op = "dynamo.ActiveOf"
	if err := checkID(op, "robot", string(robot)); err != nil {
		return task.Task{}, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	pages := s.db.ask(query{
		op: op, table: s.db.tables.tasks(), index: indexRobot, partition: attrRobot, value: ownerPrefix + string(robot), backward: true, page: 10,
	})
	for !pages.done {
		items, err := pages.next(ctx)
		if err != nil {
			return task.Task{}, err
		}
		for _, i := range items {
			i, err := s.db.get(ctx, op, s.db.tables.tasks(), keyOf(i))
			if err != nil {
				return task.Task{}, err
			}
			if i == nil {
				continue
			}
			t, err := taskOf(op, i)
			if err != nil {
				return task.Task{}, err
			}
			if t.State == task.Active && t.Robot == robot {
				return t, nil
			}
		}
	}
	return task.Task{}, fault.New(op, fault.NotFound, "", "robot %q has no active task", robot)
}

// Active implements task.ActiveStore. The index says which tasks to look at,
// and may lag; whether they are active is read from the table.
func (s *TaskStore) Active(ctx context.Context, m market.ID, after task.ID, limit int) ([]task.Task, error) {
	const op = "dynamo.Active"
	if err := cmp.Or(checkID(op, "market", string(m)), checkID(op, "task", string(after))); err != nil {
		return nil, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var all []task.Task
	at := taskPrefix + string(after)
	for len(all) < limit {
		keys, err := s.activeKeys(ctx, op, m, at, limit-len(all))
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return all, nil
		}
		found, err := s.tasks(ctx, op, keys)
		if err != nil {
			return nil, err
		}
		for _, t := range found {
			if t.State == task.Active && t.Market == m {
				all = append(all, t)
			}
		}
		at = keys[len(keys)-1]
	}
	return all, nil
}

// activeKeys returns the keys above after of a market's active tasks as the
// index has them, in order, at most limit.
func (s *TaskStore) activeKeys(ctx context.Context, op string, m market.ID, after string, limit int) ([]string, error) {
	shards, err := fan(ctx, func(ctx context.Context, n int) (keys []string, err error) {
		pages := s.db.ask(query{
			op: op, table: s.db.tables.tasks(), index: indexActive, partition: attrActive, value: shardOf(m, n), sort: attrKey, after: after, page: limit,
		})
		for !pages.done && len(keys) < limit {
			items, err := pages.next(ctx)
			if err != nil {
				return nil, err
			}
			for _, i := range items {
				keys = append(keys, keyOf(i))
			}
		}
		return keys, nil
	})
	if err != nil {
		return nil, err
	}
	all := slices.Concat(shards...)
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), limit)], nil
}

// tasks returns the tasks with the keys, in their order; those that do not
// exist any more are left out.
func (s *TaskStore) tasks(ctx context.Context, op string, keys []string) ([]task.Task, error) {
	found, err := s.db.batch(ctx, op, s.db.tables.tasks(), keys)
	if err != nil {
		return nil, err
	}
	now := s.db.now()
	var out []task.Task
	for _, k := range keys {
		i, ok := found[k]
		if !ok || expired(i, now) {
			continue
		}
		t, err := taskOf(op, i)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// taskOf returns the task that an item keeps.
func taskOf(op string, i item) (t task.Task, err error) {
	if err := parse(op, i, &t); err != nil {
		return task.Task{}, err
	}
	if t.Revision, err = revisionOf(op, i); err != nil {
		return task.Task{}, err
	}
	if k := keyOf(i); k != taskPrefix+string(t.ID) {
		return task.Task{}, badItem(op, k, "it holds task %s", quote(string(t.ID)))
	}
	for n, e := range t.Events {
		if e.Seq != uint64(n)+1 || e.Task != t.ID {
			return task.Task{}, badItem(op, keyOf(i), "event number %d of it is number %d of %s", n+1, e.Seq, quote(string(e.Task)))
		}
	}
	return t, nil
}

// expired reports whether an item counts as deleted.
func expired(i item, now clock.Time) bool {
	at, ok := numberOf(i, attrExpires)
	return ok && at <= seconds(now)
}

// seconds returns t as DynamoDB wants the time at which an item expires.
func seconds(t clock.Time) uint64 { return uint64(max(0, t)) / 1000 }

// stamp returns t so that later ones sort behind.
func stamp(t clock.Time) string { return fmt.Sprintf("%015d", max(0, t)) }

// changed returns the place in the feed of a task written at t.
func changed(t clock.Time, id task.ID) string { return stamp(t) + "/" + string(id) }

// parseChanged is the inverse of changed.
func parseChanged(s string) (t clock.Time, id task.ID, ok bool) {
	at, rest, ok := strings.Cut(s, "/")
	if !ok || len(at) != len(stamp(0)) {
		return 0, "", false
	}
	for _, c := range []byte(at) {
		if c < '0' || c > '9' {
			return 0, "", false
		}
		t = 10*t + clock.Time(c-'0')
	}
	return t, task.ID(rest), true
}
