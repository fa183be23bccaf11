package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"footway/core/maps"
	"footway/core/market"
)

// ExtensionHint is extensionHint and the translation that follows it, for the tests.
func ExtensionHint(err error) error { return translate("postgres.Migrate", extensionHint(err)) }

// ExplainSearch returns the plans of both queries of SearchAddresses: for what
// fits, and for what is spelt almost so.
func (s *MapStore) ExplainSearch(ctx context.Context, m market.ID, text string, near *maps.Point) (fits, almostSo string, err error) {
	typed, err := maps.ReadTyped(text)
	if err != nil {
		return "", "", err
	}
	query, args := fitting(m, &typed, near, 10)
	if fits, err = explain(ctx, s.db.pool, query, args); err != nil {
		return "", "", err
	}
	query, args = almostFitting(m, &typed, near, nil, 10)
	err = pgx.BeginFunc(ctx, s.db.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setAlmost, almost); err != nil {
			return err
		}
		almostSo, err = explain(ctx, tx, query, args)
		return err
	})
	return fits, almostSo, err
}

// ExplainNear returns the plan of AddressesNear.
func (s *MapStore) ExplainNear(ctx context.Context, m market.ID, p maps.Point, withinMM int64) (string, error) {
	query, args := around(m, p, withinMM)
	return explain(ctx, s.db.pool, query, args)
}

// ExplainAreas returns the plan of AreasAt.
func (s *MapStore) ExplainAreas(ctx context.Context, m market.ID, p maps.Point) (string, error) {
	return explain(ctx, s.db.pool, areasAround, []any{string(m), pointBytes(p)})
}

func explain(ctx context.Context, q querier, query string, args []any) (string, error) {
	rows, err := q.Query(ctx, "EXPLAIN (ANALYZE, TIMING OFF) "+query, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...)
	if err != nil {
		return "", err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(lines, "\n"), err
}
