package memory

import (
	"context"
	"slices"

	"footway/core/delivery"
)

var _ delivery.BoardStore = (*DeliveryStore)(nil)

// KeepHistory has the store keep the updates of all deliveries from now on, for
// Updates. A run has its journal instead, and would only carry them along.
// Snapshot leaves them out.
func (s *DeliveryStore) KeepHistory() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.history == nil {
		s.history = map[delivery.ID][]delivery.Update{}
	}
}

// told keeps what is committed. The caller holds the lock.
func (s *DeliveryStore) told(u []delivery.Update) {
	s.outbox.add(u)
	if s.history == nil {
		return
	}
	for i := range u {
		s.history[u[i].Delivery] = append(s.history[u[i].Delivery], u[i])
	}
}

// Board implements delivery.BoardStore. It looks at all deliveries of the
// partner, which is well for a demonstration and for tests.
func (s *DeliveryStore) Board(_ context.Context, q delivery.BoardQuery) ([]delivery.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var marks []delivery.BoardMark
	for _, id := range s.byPartner[q.Partner] {
		d := s.deliveries[id]
		if at := d.Mark(); q.Shows(&d) && (q.After == delivery.BoardMark{} || at.Compare(q.After) > 0) {
			marks = append(marks, at)
		}
	}
	slices.SortFunc(marks, delivery.BoardMark.Compare)
	page := make([]delivery.Delivery, 0, min(q.Limit, len(marks)))
	for _, at := range marks[:min(q.Limit, len(marks))] {
		page = append(page, s.deliveries[at.ID].Clone())
	}
	return page, nil
}

// Updates implements delivery.BoardStore.
func (s *DeliveryStore) Updates(_ context.Context, id delivery.ID, after uint64, limit int) ([]delivery.Update, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.history[id]
	from, found := slices.BinarySearchFunc(all, after, func(u delivery.Update, at uint64) int {
		switch {
		case u.Sequence < at:
			return -1
		case u.Sequence > at:
			return 1
		}
		return 0
	})
	if found {
		from++
	}
	return slices.Clone(all[from:min(len(all), from+max(limit, 0))]), nil
}
