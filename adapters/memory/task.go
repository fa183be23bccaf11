package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/task"
)

var (
	_ task.Store       = (*TaskStore)(nil)
	_ task.ActiveStore = (*TaskStore)(nil)
)

// TaskStore is a task.Store and task.ActiveStore.
type TaskStore struct {
	mu      sync.Mutex
	byID    map[task.ID]*task.Task
	byRobot map[fleet.RobotID][]*task.Task // active ones
	active  map[market.ID][]*task.Task     // ordered by ID
	feed    map[market.ID][]entry
}

// entry is a place in a market's feed: a change of a task.
type entry struct {
	Task task.ID `json:"task"`
	Seq  uint64  `json:"seq"`
}

// NewTaskStore returns an empty store.
func NewTaskStore() *TaskStore {
	s := &TaskStore{}
	s.clear()
	return s
}

func (s *TaskStore) clear() {
	s.byID = map[task.ID]*task.Task{}
	s.byRobot = map[fleet.RobotID][]*task.Task{}
	s.active = map[market.ID][]*task.Task{}
	s.feed = map[market.ID][]entry{}
}

// Task implements task.Store.
func (s *TaskStore) Task(_ context.Context, id task.ID) (task.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.byID[id]
	if !ok {
		return task.Task{}, fault.New("memory.Task", fault.NotFound, "", "there is no task %q", id)
	}
	return copyTask(t), nil
}

// SaveTask implements task.Store.
func (s *TaskStore) SaveTask(_ context.Context, t task.Task) (revision uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var stored uint64
	told := 0
	if old, ok := s.byID[t.ID]; ok {
		stored, told = old.Revision, len(old.Events)
	}
	if t.Revision != stored {
		return 0, fault.New("memory.SaveTask", fault.Conflict, "revision", "task %s is at revision %d, not %d", t.ID, stored, t.Revision)
	}
	t = copyTask(&t)
	t.Revision++
	s.put(&t)
	for _, c := range t.Events[min(told, len(t.Events)):] {
		s.feed[t.Market] = append(s.feed[t.Market], entry{t.ID, c.Seq})
	}
	return t.Revision, nil
}

// put replaces the task in the indexes of active ones.
func (s *TaskStore) put(t *task.Task) {
	if old, ok := s.byID[t.ID]; ok && old.State == task.Active {
		s.byRobot[old.Robot] = slices.DeleteFunc(s.byRobot[old.Robot], func(o *task.Task) bool { return o == old })
		if len(s.byRobot[old.Robot]) == 0 {
			delete(s.byRobot, old.Robot)
		}
		i, _ := slices.BinarySearchFunc(s.active[old.Market], old.ID, taskOrder)
		s.active[old.Market] = slices.Delete(s.active[old.Market], i, i+1)
	}
	s.byID[t.ID] = t
	if t.State == task.Active {
		s.byRobot[t.Robot] = append(s.byRobot[t.Robot], t)
		i, _ := slices.BinarySearchFunc(s.active[t.Market], t.ID, taskOrder)
		s.active[t.Market] = slices.Insert(s.active[t.Market], i, t)
	}
}

func taskOrder(t *task.Task, id task.ID) int { return strings.Compare(string(t.ID), string(id)) }

// ActiveOf implements task.Store.
func (s *TaskStore) ActiveOf(_ context.Context, robot fleet.RobotID) (task.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.byRobot[robot]
	if len(all) == 0 {
		return task.Task{}, fault.New("memory.ActiveOf", fault.NotFound, "", "robot %q has no active task", robot)
	}
	return copyTask(slices.MaxFunc(all, func(a, b *task.Task) int {
		return cmp.Or(cmp.Compare(a.Token, b.Token), cmp.Compare(a.ID, b.ID))
	})), nil
}

// Active implements task.ActiveStore.
func (s *TaskStore) Active(_ context.Context, m market.ID, after task.ID, limit int) ([]task.Task, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.active[m]
	i, found := slices.BinarySearchFunc(all, after, taskOrder)
	if found {
		i++
	}
	all = all[i:min(len(all), i+max(limit, 0))]
	out := make([]task.Task, len(all))
	for i, t := range all {
		out[i] = copyTask(t)
	}
	return out, nil
}

// Changes implements task.Store. A cursor is the number of entries before it.
func (s *TaskStore) Changes(_ context.Context, m market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from := 0
	if after != "" {
		n, err := strconv.Atoi(string(after))
		if err != nil || n < 0 || n > len(s.feed[m]) {
			return nil, "", fault.New("memory.Changes", fault.Invalid, "cursor", "%q is no cursor of the feed of market %q", after, m)
		}
		from = n
	}
	entries := s.feed[m][from:min(len(s.feed[m]), from+max(limit, 0))]
	out := make([]task.Change, len(entries))
	for i, e := range entries {
		out[i] = s.byID[e.Task].Events[e.Seq-1]
	}
	return out, task.Cursor(strconv.Itoa(from + len(entries))), nil
}

// copyTask returns t with slices of its own.
func copyTask(t *task.Task) task.Task {
	c := *t
	c.Steps, c.Events = slices.Clone(t.Steps), slices.Clone(t.Events)
	return c
}

// tasksState is the store as Snapshot writes it.
type tasksState struct {
	Tasks []*task.Task          `json:"tasks"`
	Feed  map[market.ID][]entry `json:"feed"` // encoding/json orders the keys
}

// Snapshot writes down the store.
func (s *TaskStore) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(tasksState{
		Tasks: slices.SortedFunc(maps.Values(s.byID), func(a, b *task.Task) int { return cmp.Compare(a.ID, b.ID) }),
		Feed:  s.feed,
	})
}

// Restore replaces what the store holds by what Snapshot wrote down.
func (s *TaskStore) Restore(snapshot []byte) error {
	var state tasksState
	if err := json.Unmarshal(snapshot, &state); err != nil {
		return fmt.Errorf("restore tasks: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	for _, t := range state.Tasks {
		s.put(t)
	}
	for m, entries := range state.Feed {
		s.feed[m] = entries
	}
	return nil
}
