package postgres

import (
	"context"
	"errors"
	"math"

	"github.com/jackc/pgx/v5"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/integration"
)

// LineStore keeps what waits for endpoints, and how the rest has ended, in the database Integrations.
type LineStore struct{ db *DB }

var (
	_ integration.LineStore = (*LineStore)(nil)
	_ integration.EndStore  = (*LineStore)(nil)
)

// NewLineStore returns the store that db holds.
func NewLineStore(db *DB) *LineStore { return &LineStore{db} }

var scanLine = documents(func(l *integration.Line, r uint64) { l.Revision = r })

// Line implements integration.LineStore.
func (s *LineStore) Line(ctx context.Context, endpoint string) (integration.Line, error) {
	return one(ctx, s.db, "postgres.Line", endpoint, scanLine, `SELECT doc::text, revision FROM lines WHERE endpoint = $1`)
}

// SaveLine implements integration.LineStore. It takes one round trip: the ends are
// written only if the line is. They are in the table of dead letters, which was there before
// those that were told were kept as well.
func (s *LineStore) SaveLine(ctx context.Context, l integration.Line, ends ...integration.End) (uint64, error) {
	const op = "postgres.SaveLine"
	stale := fault.New(op, fault.Conflict, "", "the line of endpoint %.80q is not at revision %d", l.Endpoint, l.Revision)
	if l.Revision > maxRevision {
		return 0, stale
	}
	doc, err := documentOf(op, l)
	if err != nil {
		return 0, err
	}
	var endpoints, docs []string
	var positions, times []int64
	var told []bool
	for _, e := range ends {
		end, err := documentOf(op, e)
		if err != nil {
			return 0, err
		}
		endpoints, positions, times = append(endpoints, e.Endpoint), append(positions, int64(e.Position)), append(times, int64(e.At))
		told, docs = append(told, e.Told), append(docs, end)
	}
	written := `UPDATE lines SET doc = $2::json, revision = revision + 1 WHERE endpoint = $1 AND revision = $3 RETURNING revision`
	if l.Revision == 0 {
		written = `INSERT INTO lines (endpoint, doc, revision) VALUES ($1, $2::json, $3 + 1) ON CONFLICT DO NOTHING RETURNING revision`
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var revision int64
	err = s.db.pool.QueryRow(ctx, `WITH written AS (`+written+`), ended AS (
			INSERT INTO dead_letters (endpoint, position, at, told, doc)
			SELECT endpoint, position, at, told, doc::json FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::boolean[], $8::text[]) AS e (endpoint, position, at, told, doc), written
			ON CONFLICT (endpoint, position) DO UPDATE SET at = excluded.at, told = excluded.told, doc = excluded.doc)
		SELECT revision FROM written`, l.Endpoint, doc, int64(l.Revision), endpoints, positions, times, told, docs).Scan(&revision)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, stale
	}
	return uint64(revision), translate(op, err)
}

// DropLine implements integration.LineStore. The line comes first: whoever has it open can write no more ends.
func (s *LineStore) DropLine(ctx context.Context, endpoint string) error {
	const op = "postgres.DropLine"
	return s.db.inTx(ctx, op, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM lines WHERE endpoint = $1`, endpoint); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM dead_letters WHERE endpoint = $1`, endpoint)
		return err
	})
}

var scanEnd = documents(func(*integration.End, uint64) {})

// Ends implements integration.EndStore.
func (s *LineStore) Ends(ctx context.Context, q integration.EndQuery) ([]integration.End, error) {
	if q.From > math.MaxInt64 {
		return nil, nil
	}
	below := q.Below
	if below == 0 || below > math.MaxInt64 {
		below = math.MaxInt64 // which no position reaches
	}
	query := `SELECT doc::text, position FROM dead_letters WHERE endpoint = $1 AND position >= $2 AND position < $3 ORDER BY position DESC LIMIT $4`
	if q.GivenUp {
		query = `SELECT doc::text, position FROM dead_letters WHERE endpoint = $1 AND position >= $2 AND position < $3 AND NOT told ORDER BY position DESC LIMIT $4`
	}
	return list(ctx, s.db, "postgres.Ends", scanEnd, query, q.Endpoint, int64(q.From), int64(below), max(q.Limit, 0))
}

// TrimEnds implements integration.EndStore.
func (s *LineStore) TrimEnds(ctx context.Context, t clock.Time) (int, error) {
	n, err := s.db.exec(ctx, "postgres.TrimEnds", `DELETE FROM dead_letters WHERE at < $1`, int64(t))
	return int(n), err
}
