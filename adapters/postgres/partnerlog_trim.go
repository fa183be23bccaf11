package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"footway/core/clock"
)

// trimBatch bounds a transaction of Trim, so that no Take waits long for it.
const trimBatch = 500

// Trim implements integration.Log. It works in many short transactions; one that is
// interrupted has forgotten less.
func (l *PartnerLog) Trim(ctx context.Context, t clock.Time) (int, error) {
	partners, err := l.partners(ctx)
	if err != nil {
		return 0, err
	}
	trimmed := 0
	for _, p := range partners {
		for more := true; more; {
			var n int
			if n, more, err = l.trimSome(ctx, p, t); err != nil {
				return trimmed, err
			}
			trimmed += n
		}
	}
	return trimmed, nil
}

// partners returns those who have a log.
func (l *PartnerLog) partners(ctx context.Context) ([]string, error) {
	const op = "postgres.Trim"
	ctx, cancel := l.db.call(ctx)
	defer cancel()
	rows, err := l.db.pool.Query(ctx, `SELECT partner FROM partners ORDER BY partner`)
	if err != nil {
		return nil, translate(op, err)
	}
	all, err := collect(rows, pgx.RowTo[string])
	return all, translate(op, err)
}

// trimSome trims the first entries of one partner's log, and reports whether
// there may be more to trim.
func (l *PartnerLog) trimSome(ctx context.Context, partner string, t clock.Time) (n int, more bool, err error) {
	err = l.db.inTx(ctx, "postgres.Trim", func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT position, at, delivery FROM entries WHERE partner = $1 ORDER BY position LIMIT $2`, partner, trimBatch)
		if err != nil {
			return err
		}
		first, err := collect(rows, func(row pgx.CollectableRow) (e trimEntry, err error) {
			err = row.Scan(&e.position, &e.at, &e.delivery)
			return e, err
		})
		if err != nil {
			return err
		}
		old := first
		if i := slices.IndexFunc(first, func(e trimEntry) bool { return e.at >= t }); i >= 0 {
			old = first[:i]
		}
		if len(old) == 0 {
			return nil
		}
		more = len(old) == trimBatch
		n, err = forget(ctx, tx, partner, old)
		return err
	})
	return n, more, err
}

// trimEntry is what Trim looks at.
type trimEntry struct {
	position int64
	at       clock.Time
	delivery string
}

// forget deletes the first entries of a log, and their deliveries of which
// nothing is left. It looks for what is left only once it holds the deliveries: what
// a Take added before is then seen, and another Take waits.
func forget(ctx context.Context, tx pgx.Tx, partner string, old []trimEntry) (n int, err error) {
	ids := make([]string, len(old))
	for i := range old {
		ids[i] = old[i].delivery
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	b := &pgx.Batch{}
	b.Queue(`DELETE FROM entries WHERE partner = $1 AND position <= $2`, partner, old[len(old)-1].position).Exec(func(tag pgconn.CommandTag) error {
		n = int(tag.RowsAffected())
		return nil
	})
	b.Queue(`SELECT FROM streams WHERE delivery = ANY ($1) ORDER BY delivery FOR UPDATE`, ids)
	b.Queue(`DELETE FROM streams AS s WHERE delivery = ANY ($1)
		AND NOT EXISTS (SELECT FROM entries AS e WHERE e.delivery = s.delivery)
		AND NOT EXISTS (SELECT FROM held AS h WHERE h.delivery = s.delivery)`, ids)
	return n, tx.SendBatch(ctx, b).Close()
}
