package postgres

import (
	"context"
	"math"
	"strings"

	"footway/core/delivery"
)

var _ delivery.BoardStore = (*DeliveryStore)(nil)

// What people watch. An empty filter is any. A page is read in the order of an index: that of
// the partner, or where one store is named, that of the store.
const (
	selectBoard = `SELECT id, revision, doc::text FROM deliveries
	WHERE partner = $1 AND (quoted_at, id) < ($2, $3)` + boardFilter + ` LIMIT $6`

	selectStoreBoard = `SELECT id, revision, doc::text FROM deliveries
	WHERE partner = $1 AND store = $7 AND (quoted_at, id) < ($2, $3)` + boardFilter + ` LIMIT $6`

	selectBusinessBoard = `SELECT id, revision, doc::text FROM deliveries
	WHERE partner = $1 AND starts_with(store, $7) AND (quoted_at, id) < ($2, $3)` + boardFilter + ` LIMIT $6`

	boardFilter = ` AND ($4 = '' OR market = $4) AND (cardinality($5::text[]) = 0 OR state = ANY ($5))
	ORDER BY quoted_at DESC, id DESC`

	selectUpdates = `SELECT doc::text FROM outbox WHERE delivery = $1 AND sequence > $2 ORDER BY sequence LIMIT $3`
)

// Board implements delivery.BoardStore.
func (s *DeliveryStore) Board(ctx context.Context, q delivery.BoardQuery) ([]delivery.Delivery, error) {
	const op = "postgres.Board"
	before, id := int64(q.After.Quoted), string(q.After.ID)
	if q.After == (delivery.BoardMark{}) {
		before = math.MaxInt64
	}
	states := make([]string, len(q.States))
	for i, state := range q.States {
		states[i] = string(state)
	}
	args := []any{q.Partner, before, id, q.Market, states, q.Limit}
	switch {
	case q.Store == "":
		return list(ctx, s.db, op, scanDelivery(op), selectBoard, args...)
	case strings.HasSuffix(q.Store, "/"):
		return list(ctx, s.db, op, scanDelivery(op), selectBusinessBoard, append(args, q.Store)...)
	}
	return list(ctx, s.db, op, scanDelivery(op), selectStoreBoard, append(args, q.Store)...)
}

// Updates implements delivery.BoardStore. What TrimSent has deleted is forgotten: it
// deletes by the time at which updates were sent, and those of one delivery are sent in order.
func (s *DeliveryStore) Updates(ctx context.Context, id delivery.ID, after uint64, limit int) ([]delivery.Update, error) {
	return list(ctx, s.db, "postgres.Updates", scanUpdate, selectUpdates, id, int64(min(after, delivery.MaxSequence)), limit)
}
