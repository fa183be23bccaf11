package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"footway/adapters/postgres"
)

// TestNewestOfBusinessPlan has the server explain how it finds the newest entries of one business among those of a
// partner that has many.
func TestNewestOfBusinessPlan(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t, postgres.Integrations)
	open(t, postgres.Integrations, address).Close()
	conn := connect(t, address)
	run(t, conn, `INSERT INTO entries (partner, position, delivery, sequence, at, doc)
		SELECT 'p', i, 'd' || i, 1, i, json_build_object('store', 'b' || i % 500 || '/s', 'x', repeat('x', 300)) FROM generate_series(1, 20000) i`)
	run(t, conn, `ANALYZE entries`)
	run(t, conn, `PREPARE asked AS `+postgres.NewestOfBusiness)
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		run(t, conn, `SET plan_cache_mode = `+mode)
		rows, err := conn.Query(t.Context(), `EXPLAIN EXECUTE asked ('p', 15000, 'b7', 50)`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if !strings.Contains(plan, "entries_business") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") {
			t.Errorf("%s: it does not read along the index entries_business:\n%s", mode, plan)
		}
	}
}
