package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

const selectPersonal = `SELECT doc::text FROM personal WHERE delivery = $1`

// Personal implements delivery.PersonalStore.
func (s *DeliveryStore) Personal(ctx context.Context, id delivery.ID) (delivery.Personal, error) {
	const op = "postgres.Personal"
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var doc []byte
	var p delivery.Personal
	err := s.db.pool.QueryRow(ctx, selectPersonal, id).Scan(&doc)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, fault.New(op, fault.NotFound, "", "nothing is kept of delivery %s", id)
	case err != nil:
		return p, translate(op, err)
	}
	if json.Unmarshal(doc, &p) != nil { // its error may repeat values
		return delivery.Personal{}, unreadable(op, "personal data of delivery", string(id))
	}
	return p, nil
}

func personalDocument(op string, p delivery.Personal) (string, error) {
	doc, err := json.Marshal(p)
	if err != nil {
		return "", fault.New(op, fault.Internal, "", "the personal data of delivery %s cannot be written down", p.Delivery)
	}
	return string(doc), nil
}

const savePersonal = `WITH known AS (
	SELECT id, personal FROM deliveries WHERE id = $1 FOR NO KEY UPDATE),
marked AS (
	UPDATE deliveries SET personal = true FROM known WHERE deliveries.id = known.id AND NOT known.personal),
kept AS (
	INSERT INTO personal (delivery, doc) SELECT id, $2::text::json FROM known
	ON CONFLICT (delivery) DO UPDATE SET doc = excluded.doc)
SELECT count(*) FROM known`

// SavePersonal implements delivery.PersonalStore. What it keeps of a delivery that was
// forgotten before will be forgotten again.
func (s *DeliveryStore) SavePersonal(ctx context.Context, p delivery.Personal) error {
	const op = "postgres.SavePersonal"
	doc, err := personalDocument(op, p)
	if err != nil {
		return err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var found int64
	err = s.db.pool.QueryRow(ctx, savePersonal, p.Delivery, doc).Scan(&found)
	switch {
	case err != nil:
		return translate(op, err)
	case found == 0:
		return fault.New(op, fault.NotFound, "", "no delivery %s", p.Delivery)
	}
	return nil
}

// sweep bounds the rows of one statement of Forget, TrimQuotes and TrimSent, so that it
// holds locks for some milliseconds. It is no parameter, for the server plans by it.
const sweep = `LIMIT 200`

const (
	forgetEnded  = forgetDue + `NOT quoted` + forgetRest
	forgetQuotes = forgetDue + `quoted` + forgetRest

	forgetDue = `WITH due AS (
	SELECT id FROM deliveries WHERE personal AND over_at < $1 AND `
	forgetRest = ` ORDER BY over_at ` + sweep + ` FOR NO KEY UPDATE),
gone AS (
	DELETE FROM personal USING due WHERE personal.delivery = due.id RETURNING 1),
marked AS (
	UPDATE deliveries SET personal = false FROM due WHERE deliveries.id = due.id)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone)`
)

// Forget implements delivery.PersonalStore. It works in many short transactions;
// one that is interrupted has forgotten fewer, and says how many.
func (s *DeliveryStore) Forget(ctx context.Context, t clock.Time) (int, error) {
	const op = "postgres.Forget"
	ended, err := s.db.sweep(ctx, op, forgetEnded, t)
	if err != nil {
		return ended, err
	}
	quotes, err := s.db.sweep(ctx, op, forgetQuotes, t)
	return ended + quotes, err
}

const trimQuotes = `WITH due AS (
	SELECT id FROM deliveries
	WHERE quoted AND over_at < $1 AND NOT EXISTS (SELECT FROM outbox WHERE delivery = id AND sent_at IS NULL)
	ORDER BY over_at ` + sweep + ` FOR UPDATE),
gone AS (
	DELETE FROM deliveries USING due WHERE deliveries.id = due.id RETURNING 1)
SELECT (SELECT count(*) FROM due), (SELECT count(*) FROM gone)`

// TrimQuotes deletes quotes that expired unaccepted before t, with all that is kept of them,
// and returns how many. One whose updates are not all sent stays for the next time.
func (s *DeliveryStore) TrimQuotes(ctx context.Context, t clock.Time) (int, error) {
	return s.db.sweep(ctx, "postgres.TrimQuotes", trimQuotes, t)
}

// sweep repeats a statement until it finds no more rows. The statement takes a bound
// and returns how many rows it found and how many of them count.
func (db *DB) sweep(ctx context.Context, op, statement string, bound any) (int, error) {
	total := 0
	for {
		found, counted, err := db.sweepSome(ctx, statement, bound)
		if err != nil {
			return total, translate(op, err)
		}
		total += counted
		if found == 0 {
			return total, nil
		}
	}
}

func (db *DB) sweepSome(ctx context.Context, statement string, bound any) (found, counted int, err error) {
	ctx, cancel := db.call(ctx)
	defer cancel()
	err = db.pool.QueryRow(ctx, statement, bound).Scan(&found, &counted)
	return found, counted, err
}
