package postgres

import (
	"context"

	"footway/core/clock"
	"footway/core/delivery"
)

const (
	selectUnsent = `SELECT doc::text FROM outbox WHERE sent_at IS NULL ORDER BY position LIMIT $1`

	// A row that is locked stays where it is, so that its place (ctid) names it. That it is not sent is
	// asked last, lest the server go through all that is not.
	markSent = `WITH named AS (
	SELECT outbox.ctid AS row FROM unnest($1::text[], $2::bigint[]) AS n (delivery, sequence) JOIN outbox USING (delivery, sequence)
	ORDER BY delivery, sequence FOR NO KEY UPDATE OF outbox)
UPDATE outbox SET sent_at = now() FROM named WHERE outbox.ctid = named.row AND sent_at IS NULL`

	trimSent = `WITH due AS (
	SELECT ctid AS row FROM outbox WHERE sent_at < $1 ORDER BY sent_at ` + sweep + ` FOR UPDATE SKIP LOCKED),
gone AS (
	DELETE FROM outbox USING due WHERE outbox.ctid = due.row RETURNING 1)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone)`
)

// Unsent implements delivery.Outbox.
//
// Positions of one delivery rise with its sequence, since its writers wait for each
// other's commits. Those of several deliveries become visible in any order, so
// a reader must not remember how far it came: the condition is what is not sent.
func (s *DeliveryStore) Unsent(ctx context.Context, limit int) ([]delivery.Update, error) {
	return list(ctx, s.db, "postgres.Unsent", scanUpdate, selectUnsent, limit)
}

// MarkSent implements delivery.Outbox. It locks rows in the order of their names, so that
// two relays at once wait for each other and never in a circle.
func (s *DeliveryStore) MarkSent(ctx context.Context, u ...delivery.UpdateKey) error {
	ids, sequences := make([]string, 0, len(u)), make([]int64, 0, len(u))
	for _, k := range u {
		if k.Sequence <= delivery.MaxSequence { // there is no other
			ids, sequences = append(ids, string(k.Delivery)), append(sequences, int64(k.Sequence))
		}
	}
	if len(ids) == 0 {
		return nil
	}
	_, err := s.db.exec(ctx, "postgres.MarkSent", markSent, ids, sequences)
	return err
}

// TrimSent deletes updates that were marked sent before t, by the database's
// clock, and returns how many.
func (s *DeliveryStore) TrimSent(ctx context.Context, t clock.Time) (int, error) {
	return s.db.sweep(ctx, "postgres.TrimSent", trimSent, t.Std())
}
