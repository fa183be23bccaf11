package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/postgres"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/porttest/fake"
)

// planted are words of people that occur nowhere else.
var planted = []string{"+12065550177", "+12065550188", "+12065550199", "Xanthippe", "Quisling", "77 Zyzzyva Way", "78 Zyzzyva Way", "79 Zyzzyva Way",
	"behind the jackdaw", "under the gargoyle", "mulligatawny", "1223334445", "Wunderkammer"}

func plantedOrder() (delivery.QuoteRequest, delivery.AcceptRequest, delivery.Edit) {
	point := &maps.Point{Lon: -1223334445, Lat: 476600000}
	r := orderOf("A1")
	r.Pickup, r.Dropoff = dispatch.Place{Address: "77 Zyzzyva Way"}, dispatch.Place{Address: "78 Zyzzyva Way", Point: point}
	r.Personal = delivery.Personal{PickupName: "Wunderkammer", PickupPhone: "+12065550177", PickupInstructions: "behind the jackdaw",
		DropoffGivenName: "Xanthippe", DropoffFamilyName: "Quisling", DropoffPhone: "+12065550188", DropoffInstructions: "ring",
		Items: []delivery.Item{{Name: "mulligatawny", Quantity: 2, Price: 600}}}
	note := "under the gargoyle"
	return r, delivery.AcceptRequest{DropoffPhone: "+12065550199"}, delivery.Edit{Dropoff: &dispatch.Place{Address: "79 Zyzzyva Way", Point: point}, DropoffInstructions: &note}
}

// TestPersonalDataStaysInItsTable tells the story of people with unusual names, and
// then looks for them in every table, the journal, what was published, the log, and every error that
// a failing database leads to.
func TestPersonalDataStaysInItsTable(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := openDeliveries(t, postgres.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	conn := s.connect(t)
	w := newTown(t, s, &fake.Losses{})
	w.deliver(plantedOrder())

	if d, _, err := w.Get(t.Context(), "dd", "A1"); err != nil || d.State != delivery.Delivered {
		t.Fatalf("the delivery is %s, %v; want it delivered", d.State, err)
	}
	for _, word := range planted {
		if word == "78 Zyzzyva Way" || word == "+12065550188" {
			continue // replaced during the story
		}
		if text := tableText(t, conn, "personal"); !strings.Contains(text, word) {
			t.Errorf("%q is not where it belongs, so this test has shown nothing:\n%s", word, text)
		}
	}
	texts := map[string]string{"the journal": w.journalText(), "what was published": fmt.Sprint(w.sent), "the errors": strings.Join(failing(t), "\n")}
	for _, table := range tables(t, conn) {
		if table != "personal" {
			texts["table "+table] = tableText(t, conn, table)
		}
	}
	texts["the log"] = log.String()
	for where, text := range texts {
		if text == "" || text == "null" {
			t.Errorf("%s is empty, so this test has shown nothing about it", where)
		}
		for _, word := range planted {
			if strings.Contains(text, word) {
				t.Errorf("%s tells of %q:\n%s", where, word, text)
			}
		}
	}
	if n, err := s.Forget(t.Context(), w.clock.Now().Add(clock.Day)); n != 1 || err != nil {
		t.Errorf("Forget = %d, %v; want 1", n, err)
	}
	for _, table := range tables(t, conn) {
		for _, word := range planted {
			if text := tableText(t, conn, table); strings.Contains(text, word) {
				t.Errorf("after Forget, table %s tells of %q:\n%s", table, word, text)
			}
		}
	}
}

// tables returns the tables and views of the database which a story fills:
// not those of the register, nor those of the people who work for merchants.
func tables(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), `SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'
		AND table_name NOT IN ('businesses', 'stores', 'accounts', 'account_sessions', 'account_tries') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(all) < 6 {
		t.Fatalf("tables %q, %v", all, err)
	}
	return all
}

// tableText is all that a table holds.
func tableText(t *testing.T, conn *pgx.Conn, table string) string {
	t.Helper()
	return ask[string](t, conn, `SELECT coalesce(json_agg(r)::text, 'null') FROM `+pgx.Identifier{table}.Sanitize()+` r`)
}

// failing has the server refuse the planted words in every way that tests can
// bring about, and returns the errors.
func failing(t *testing.T) []string {
	t.Helper()
	s := openDeliveries(t, postgres.Options{CallTimeout: 500 * time.Millisecond})
	conn := s.connect(t)
	s.mustCreate(t, quoteOf("d1"))
	r, _, _ := plantedOrder()
	p := r.Personal
	p.Delivery = "d1"
	ctx := context.Background()
	create := func() error {
		return s.Create(ctx, delivery.Delivery{ID: "d9", ExternalID: "A9", State: delivery.Requested}, p)
	}
	save := func() error { return s.SavePersonal(ctx, p) }
	var all []string
	try := func(what string, want fault.Kind, calls ...func() error) {
		t.Helper()
		for _, call := range calls {
			err := call()
			if !fault.Is(err, want) {
				t.Errorf("%s: error %v, want one of kind %v", what, err, want)
			}
			all = append(all, fmt.Sprint(err), fmt.Sprintf("%+v", err))
		}
	}
	try("there is no such delivery", fault.NotFound, func() error { q := p; q.Delivery = "nobody"; return s.SavePersonal(ctx, q) })
	try("the delivery exists", fault.Conflict, func() error { return s.Create(ctx, delivery.Delivery{ID: "d1", State: delivery.Requested}, p) })
	do(t, conn, `ALTER TABLE personal ADD CONSTRAINT never CHECK (delivery = '') NOT VALID`)
	try("a check fails", fault.Internal, create, save)
	do(t, conn, `ALTER TABLE personal DROP CONSTRAINT never`, `CREATE UNIQUE INDEX one ON personal ((doc->>'dropoff_phone'))`, `INSERT INTO deliveries (id, market, partner, external_id, revision, state, open, quoted_at, store, doc) VALUES ('d8', '', '', 'd8', 1, 'loaded', true, 0, '', '{}')`,
		`INSERT INTO personal (delivery, doc) SELECT 'd8', json_build_object('dropoff_phone', '`+p.DropoffPhone+`')`)
	try("a phone must be unique", fault.Conflict, create, save)
	do(t, conn, `DROP INDEX one`, `DELETE FROM deliveries WHERE id = 'd8'`, `ALTER TABLE personal ALTER COLUMN doc TYPE integer USING 0`)
	try("the schema is another one", fault.Internal, create, save)
	do(t, conn, `ALTER TABLE personal RENAME TO people`)
	try("the schema is gone", fault.Internal, create, save)
	do(t, conn, `ALTER TABLE people RENAME TO personal`, `TRUNCATE personal`, `ALTER TABLE personal ALTER COLUMN doc TYPE json USING '{}'`)
	do(t, conn, `BEGIN`, `LOCK TABLE personal`)
	try("others hold the table", fault.Unavailable, create, save)
	do(t, conn, `ROLLBACK`)
	return all
}
