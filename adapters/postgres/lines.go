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

// LineStore keeps what waits for endpoints, and dead letters, in the database Integrations.
type LineStore struct{ db *DB }

var _ integration.LineStore = (*LineStore)(nil)

// NewLineStore returns the store that db holds.
func NewLineStore(db *DB) *LineStore { return &LineStore{db} }

var scanLine = documents(func(l *integration.Line, r uint64) { l.Revision = r })

// Line implements integration.LineStore.
func (s *LineStore) Line(ctx context.Context, endpoint string) (integration.Line, error) {
	return one(ctx, s.db, "postgres.Line", endpoint, scanLine, `SELECT doc::text, revision FROM lines WHERE endpoint = $1`)
}

// SaveLine implements integration.LineStore. It takes one round trip: the dead
// letters are written only if the line is.
func (s *LineStore) SaveLine(ctx context.Context, l integration.Line, dead ...integration.DeadLetter) (uint64, error) {
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
	for _, d := range dead {
		letter, err := documentOf(op, d)
		if err != nil {
			return 0, err
		}
		endpoints, positions, times, docs = append(endpoints, d.Endpoint), append(positions, int64(d.Position)), append(times, int64(d.At)), append(docs, letter)
	}
	written := `UPDATE lines SET doc = $2::json, revision = revision + 1 WHERE endpoint = $1 AND revision = $3 RETURNING revision`
	if l.Revision == 0 {
		written = `INSERT INTO lines (endpoint, doc, revision) VALUES ($1, $2::json, $3 + 1) ON CONFLICT DO NOTHING RETURNING revision`
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var revision int64
	err = s.db.pool.QueryRow(ctx, `WITH written AS (`+written+`), buried AS (
			INSERT INTO dead_letters (endpoint, position, at, doc)
			SELECT endpoint, position, at, doc::json FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::text[]) AS d (endpoint, position, at, doc), written
			ON CONFLICT (endpoint, position) DO UPDATE SET at = excluded.at, doc = excluded.doc)
		SELECT revision FROM written`, l.Endpoint, doc, int64(l.Revision), endpoints, positions, times, docs).Scan(&revision)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, stale
	}
	return uint64(revision), translate(op, err)
}

// DeadLetters implements integration.LineStore.
func (s *LineStore) DeadLetters(ctx context.Context, endpoint string, after uint64, limit int) ([]integration.DeadLetter, error) {
	if after > math.MaxInt64 {
		return nil, nil
	}
	return list(ctx, s.db, "postgres.DeadLetters", documents(func(*integration.DeadLetter, uint64) {}),
		`SELECT doc::text, position FROM dead_letters WHERE endpoint = $1 AND position > $2 ORDER BY position LIMIT $3`, endpoint, int64(after), max(limit, 0))
}

// TrimDead implements integration.LineStore.
func (s *LineStore) TrimDead(ctx context.Context, t clock.Time) (int, error) {
	n, err := s.db.exec(ctx, "postgres.TrimDead", `DELETE FROM dead_letters WHERE at < $1`, int64(t))
	return int(n), err
}
