package postgres

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"footway/core/delivery"
	"footway/core/integration"
)

// Entries implements integration.Log.
func (l *PartnerLog) Entries(ctx context.Context, p delivery.PartnerID, after uint64, limit int) ([]integration.Entry, error) {
	const op = "postgres.Entries"
	if limit <= 0 || after > math.MaxInt64 {
		return nil, nil
	}
	ctx, cancel := l.db.call(ctx)
	defer cancel()
	rows, err := l.db.pool.Query(ctx, `SELECT position, doc::text FROM entries WHERE partner = $1 AND position > $2 ORDER BY position LIMIT $3`, string(p), int64(after), limit)
	if err != nil {
		return nil, translate(op, err)
	}
	all, err := collect(rows, scanEntry)
	if err != nil {
		return nil, translate(op, fmt.Errorf("log of %s after %d: %w", p, after, err))
	}
	return all, nil
}

func scanEntry(row pgx.CollectableRow) (e integration.Entry, err error) {
	var doc []byte
	if err = row.Scan(&e.Position, &doc); err == nil {
		e.Update, err = readUpdate(doc)
	}
	return e, err
}

// newestOfBusiness reads along the index entries_business, which is of the same expressions.
const newestOfBusiness = `SELECT position, doc::text FROM entries
	WHERE partner = $1 AND position < $2 AND strpos(doc->>'store', '/') > 0 AND split_part(doc->>'store', '/', 1) = $3
	ORDER BY position DESC LIMIT $4`

// Newest implements integration.LogReader.
func (l *PartnerLog) Newest(ctx context.Context, o integration.Owner, below uint64, limit int) ([]integration.Entry, error) {
	const op = "postgres.Newest"
	if below == 0 || below > math.MaxInt64 {
		below = math.MaxInt64 // which no log reaches
	}
	if o.Business == "" {
		return list(ctx, l.db, op, scanEntry, `SELECT position, doc::text FROM entries WHERE partner = $1 AND position < $2 ORDER BY position DESC LIMIT $3`,
			string(o.Partner), int64(below), max(limit, 0))
	}
	return list(ctx, l.db, op, scanEntry, newestOfBusiness, string(o.Partner), int64(below), o.Business, max(limit, 0))
}

// Gaps implements integration.Log.
func (l *PartnerLog) Gaps(ctx context.Context, limit int) ([]integration.Gap, error) {
	const op = "postgres.Gaps"
	if limit <= 0 {
		return nil, nil
	}
	ctx, cancel := l.db.call(ctx)
	defer cancel()
	rows, err := l.db.pool.Query(ctx, `SELECT delivery, partner, entered + 1, min(sequence), count(*), min(since)
		FROM held JOIN streams USING (delivery) GROUP BY delivery, partner, entered ORDER BY min(since), delivery LIMIT $1`, limit)
	if err != nil {
		return nil, translate(op, err)
	}
	all, err := collect(rows, func(row pgx.CollectableRow) (g integration.Gap, err error) {
		err = row.Scan(&g.Delivery, &g.Partner, &g.Missing, &g.Next, &g.Held, &g.Since)
		return g, err
	})
	if err != nil {
		return nil, translate(op, err)
	}
	return all, nil
}
