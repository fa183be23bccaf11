package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/integration"
)

// LineStore keeps what waits for endpoints, and dead letters.
type LineStore struct {
	mu    sync.Mutex
	lines map[string]integration.Line
	dead  map[string][]integration.DeadLetter // of an endpoint, by position
}

var _ integration.LineStore = (*LineStore)(nil)

// NewLineStore returns an empty store.
func NewLineStore() *LineStore {
	return &LineStore{lines: map[string]integration.Line{}, dead: map[string][]integration.DeadLetter{}}
}

// Line implements integration.LineStore.
func (s *LineStore) Line(_ context.Context, endpoint string) (integration.Line, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.lines[endpoint]
	if !ok {
		return l, fault.New("memory.Line", fault.NotFound, "", "no line of endpoint %.80q", endpoint)
	}
	return l.Clone(), nil
}

// SaveLine implements integration.LineStore.
func (s *LineStore) SaveLine(_ context.Context, l integration.Line, dead ...integration.DeadLetter) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.lines[l.Endpoint].Revision; stored != l.Revision {
		return 0, fault.New("memory.SaveLine", fault.Conflict, "", "line of endpoint %.80q is at revision %d, not %d", l.Endpoint, stored, l.Revision)
	}
	l = l.Clone()
	l.Revision++
	s.lines[l.Endpoint] = l
	for _, d := range dead {
		all := s.dead[d.Endpoint]
		i, there := slices.BinarySearchFunc(all, d.Position, byPosition)
		if there {
			all[i] = d
			continue
		}
		s.dead[d.Endpoint] = slices.Insert(all, i, d)
	}
	return l.Revision, nil
}

func byPosition(d integration.DeadLetter, position uint64) int {
	return cmp.Compare(d.Position, position)
}

// DeadLetters implements integration.LineStore.
func (s *LineStore) DeadLetters(_ context.Context, endpoint string, after uint64, limit int) ([]integration.DeadLetter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.dead[endpoint]
	from, there := slices.BinarySearchFunc(all, after, byPosition)
	if there {
		from++
	}
	all = all[from:]
	return slices.Clone(all[:min(len(all), max(limit, 0))]), nil
}

// TrimDead implements integration.LineStore.
func (s *LineStore) TrimDead(_ context.Context, t clock.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for endpoint, all := range s.dead {
		kept := slices.DeleteFunc(slices.Clone(all), func(d integration.DeadLetter) bool { return d.At < t })
		n += len(all) - len(kept)
		s.dead[endpoint] = kept
	}
	return n, nil
}
