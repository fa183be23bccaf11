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

// LineStore keeps what waits for endpoints, and how the rest has ended.
type LineStore struct {
	mu    sync.Mutex
	lines map[string]integration.Line
	ends  map[string][]integration.End // of an endpoint, by position
}

var (
	_ integration.LineStore = (*LineStore)(nil)
	_ integration.EndStore  = (*LineStore)(nil)
)

// NewLineStore returns an empty store.
func NewLineStore() *LineStore {
	return &LineStore{lines: map[string]integration.Line{}, ends: map[string][]integration.End{}}
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
func (s *LineStore) SaveLine(_ context.Context, l integration.Line, ends ...integration.End) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.lines[l.Endpoint].Revision; stored != l.Revision {
		return 0, fault.New("memory.SaveLine", fault.Conflict, "", "line of endpoint %.80q is at revision %d, not %d", l.Endpoint, stored, l.Revision)
	}
	l = l.Clone()
	l.Revision++
	s.lines[l.Endpoint] = l
	for _, e := range ends {
		all := s.ends[e.Endpoint]
		i, there := slices.BinarySearchFunc(all, e.Position, byPosition)
		if there {
			all[i] = e
			continue
		}
		s.ends[e.Endpoint] = slices.Insert(all, i, e)
	}
	return l.Revision, nil
}

func byPosition(e integration.End, position uint64) int {
	return cmp.Compare(e.Position, position)
}

// DropLine implements integration.LineStore.
func (s *LineStore) DropLine(_ context.Context, endpoint string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.lines, endpoint)
	delete(s.ends, endpoint)
	return nil
}

// Ends implements integration.EndStore.
func (s *LineStore) Ends(_ context.Context, q integration.EndQuery) ([]integration.End, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []integration.End
	for _, e := range slices.Backward(s.ends[q.Endpoint]) {
		if e.Position < q.From || len(found) >= q.Limit {
			break
		}
		if (q.Below == 0 || e.Position < q.Below) && !(q.GivenUp && e.Told) {
			found = append(found, e)
		}
	}
	return found, nil
}

// TrimEnds implements integration.EndStore.
func (s *LineStore) TrimEnds(_ context.Context, t clock.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for endpoint, all := range s.ends {
		kept := slices.DeleteFunc(slices.Clone(all), func(e integration.End) bool { return e.At < t })
		n += len(all) - len(kept)
		s.ends[endpoint] = kept
	}
	return n, nil
}
