package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"footway/adapters/postgres"
	"footway/core/clock"
	"footway/core/delivery"
)

// TestPlans has the server explain what the store asks for, on 50,000
// deliveries of which most have ended.
func TestPlans(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	conn := s.connect(t)
	const many = 50_000
	do(t, conn, fmt.Sprintf(`INSERT INTO deliveries (id, market, partner, external_id, revision, state, open, over_at, personal, doc, quoted_at, store)
		SELECT md5(i::text), 'm' || i %% 3, 'p' || i %% 5, 'x' || i, 1,
			CASE WHEN i %% 100 = 0 THEN 'quoted' WHEN i %% 100 = 1 THEN 'loaded' ELSE 'delivered' END, i %% 100 = 1,
			CASE WHEN i %% 100 = 1 THEN NULL ELSE i END, i %% 2 = 0, to_json(repeat('x', 1300)), i, 'b' || i %% 7 || '/s' || i %% 50 FROM generate_series(1, %d) i`, many),
		`INSERT INTO personal (delivery, doc) SELECT id, to_json(repeat('x', 400)) FROM deliveries WHERE personal`,
		`INSERT INTO outbox (delivery, sequence, sent_at, doc)
			SELECT id, 1, CASE WHEN over_at % 1000 = 0 THEN NULL ELSE now() - over_at * interval '1 second' END, to_json(repeat('x', 500)) FROM deliveries`,
		`INSERT INTO stores SELECT 'p', 'b' || i % 100, 's' || i, 1, '', '', '', 'active', 0, 0, 0 FROM generate_series(1, 50000) i`,
		`INSERT INTO businesses SELECT 'p' || i % 5, 'b' || i, 1, '', '', 'active', 0, 0 FROM generate_series(1, 50000) i`,
		`ANALYZE`)
	plans := map[string]struct {
		args  string
		index []string
	}{
		"Delivery":      {`'a'`, []string{"deliveries_pkey"}},
		"ByExternal":    {`'p1', 'x1'`, []string{"deliveries_partner_external_id_key"}},
		"Open":          {`'m1', '', 200`, []string{"deliveries_open"}},
		"Save":          {`'{1}', '{"{}"}', 'a', 1, 'loaded', true, NULL, '{}'`, []string{"deliveries_pkey"}},
		"Personal":      {`'a'`, []string{"personal_pkey"}},
		"SavePersonal":  {`'a', '{}'`, []string{"deliveries_pkey"}},
		"ForgetEnded":   {`1000`, []string{"deliveries_ended", "personal_pkey", "deliveries_pkey"}},
		"ForgetQuotes":  {`1000`, []string{"deliveries_quotes", "personal_pkey", "deliveries_pkey"}},
		"TrimQuotes":    {`1000`, []string{"deliveries_quotes", "deliveries_pkey"}},
		"Unsent":        {`200`, []string{"outbox_unsent"}},
		"MarkSent":      {`'{a,b}', '{1,1}'`, []string{"outbox_pkey"}},
		"TrimSent":      {`now() - interval '40000 seconds'`, []string{"outbox_sent"}},
		"Board":         {`'p1', 9223372036854775807, '', '', '{}', 50`, []string{"deliveries_board"}},
		"StoreBoard":    {`'p1', 40000, 'a', 'm1', '{delivered}', 50, 'b1/s1'`, []string{"deliveries_store"}},
		"BusinessBoard": {`'p1', 40000, 'a', '', '{}', 50, 'b1/'`, []string{"deliveries_board"}},
		"Updates":       {`'a', 0, 100`, []string{"outbox_pkey"}},
		"Stores":        {`'p', 'b1', '', 100`, []string{"stores_pkey"}},
		"Businesses":    {`'p1', '', 100`, []string{"businesses_pkey"}},
	}
	for name, statement := range postgres.DeliveryStatements {
		t.Run(name, func(t *testing.T) {
			want, ok := plans[name]
			if !ok {
				t.Fatal("this test does not know which index serves it")
			}
			for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
				do(t, conn, `SET plan_cache_mode = `+mode, `PREPARE asked AS `+statement)
				rows, err := conn.Query(t.Context(), `EXPLAIN EXECUTE asked (`+want.args+`)`)
				if err != nil {
					t.Fatal(err)
				}
				lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
				if err != nil {
					t.Fatal(err)
				}
				do(t, conn, `DEALLOCATE asked`)
				plan := strings.Join(lines, "\n")
				for _, index := range want.index {
					if !strings.Contains(plan, index) {
						t.Errorf("%s: does not use %s:\n%s", mode, index, plan)
					}
				}
				if strings.Contains(plan, "Seq Scan") {
					t.Errorf("%s: reads a whole table:\n%s", mode, plan)
				}
			}
		})
	}
}

// TestSavesTouchNoIndex is about the saves between acceptance and end, which are most: what
// is in an index does not change, so that a page with room takes the new row. Here each page has
// room for four, whatever others on the server keep it from tidying up.
func TestSavesTouchNoIndex(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	conn := s.connect(t)
	do(t, conn, `ALTER TABLE deliveries SET (fillfactor = 10)`)
	const many = 50
	states := []delivery.State{delivery.Assigned, delivery.ToPickup, delivery.AtPickup}
	for i := range int64(many) {
		d, told := fullQuote(i)
		d.State = delivery.Requested
		s.mustCreate(t, d, told)
		d.Revision = 1
		for _, state := range states {
			var err error
			d.State, d.Since = state, d.Since.Add(clock.Minute)
			if d.Revision, err = s.Save(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.db.Close() // its sessions hand in their counts
	eventually(t, conn, `SELECT n_tup_upd = $1 FROM pg_stat_user_tables WHERE relname = 'deliveries'`, many*len(states))
	if n := ask[int](t, conn, `SELECT n_tup_hot_upd FROM pg_stat_user_tables WHERE relname = 'deliveries'`); n != many*len(states) {
		t.Errorf("%d of %d saves touched no index; want all", n, many*len(states))
	}
}
