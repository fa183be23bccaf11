package postgres

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
)

// DeliveryStore keeps deliveries, their personal data and their outbox in the
// database Deliveries. It is safe for concurrent use.
//
// Each write is one statement, and so one transaction and one round trip: a
// repeat of a write whose answer was lost waits for the first one to end, and
// then finds its effect.
type DeliveryStore struct {
	db *DB
}

var (
	_ delivery.Store         = (*DeliveryStore)(nil)
	_ delivery.OpenStore     = (*DeliveryStore)(nil)
	_ delivery.PersonalStore = (*DeliveryStore)(nil)
	_ delivery.Outbox        = (*DeliveryStore)(nil)
)

// NewDeliveryStore returns the store that db holds.
func NewDeliveryStore(db *DB) *DeliveryStore { return &DeliveryStore{db} }

const (
	selectDelivery = `SELECT id, revision, doc::text FROM deliveries WHERE id = $1`
	selectExternal = `SELECT id, revision, doc::text FROM deliveries WHERE partner = $1 AND external_id = $2`
	selectOpen     = `SELECT id, revision, doc::text FROM deliveries WHERE market = $1 AND open AND id > $2 ORDER BY id LIMIT $3`
)

// Delivery implements delivery.Store.
func (s *DeliveryStore) Delivery(ctx context.Context, id delivery.ID) (delivery.Delivery, error) {
	const op = "postgres.Delivery"
	d, err := s.one(ctx, op, selectDelivery, id)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, fault.New(op, fault.NotFound, "", "no delivery %s", id)
	}
	return d, translate(op, err)
}

// ByExternal implements delivery.Store.
func (s *DeliveryStore) ByExternal(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, error) {
	const op = "postgres.ByExternal"
	d, err := s.one(ctx, op, selectExternal, p, externalID)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, fault.New(op, fault.NotFound, "", "no delivery %q of %s", externalID, p)
	}
	return d, translate(op, err)
}

func (s *DeliveryStore) one(ctx context.Context, op, query string, args ...any) (delivery.Delivery, error) {
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	rows, err := s.db.pool.Query(ctx, query, args...)
	if err != nil {
		return delivery.Delivery{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanDelivery(op))
}

// scanDelivery reads rows of id, revision and document.
func scanDelivery(op string) pgx.RowToFunc[delivery.Delivery] {
	return func(row pgx.CollectableRow) (d delivery.Delivery, err error) {
		var id string
		var revision int64
		var doc []byte
		if err := row.Scan(&id, &revision, &doc); err != nil {
			return d, err
		}
		if json.Unmarshal(doc, &d) != nil { // its error may repeat values
			return d, unreadable(op, "delivery", id)
		}
		d.Revision = uint64(revision)
		return d, nil
	}
}

// unreadable is a document that this program cannot have written.
func unreadable(op, what, id string) error {
	return fault.New(op, fault.Internal, "bad_document", "the document of %s %s cannot be read: it was written by another program, or is damaged", what, id)
}

// overAt is since when nobody works on d, nil if somebody does.
func overAt(d *delivery.Delivery) *clock.Time {
	switch {
	case d.State == delivery.Quoted:
		return &d.ExpiresAt
	case d.State.Ended():
		return &d.Times.Ended
	}
	return nil
}

// document returns d as it is stored; the revision is a column of its own.
func document(op string, d delivery.Delivery) (string, error) {
	d.Revision = 0
	doc, err := json.Marshal(d)
	if err != nil {
		return "", &fault.Error{Op: op, Kind: fault.Internal, Err: err}
	}
	return string(doc), nil
}

// updateRows returns the columns of updates for the outbox.
func updateRows(u []delivery.Update) (sequences []int64, docs []string, err error) {
	sequences, docs = make([]int64, len(u)), make([]string, len(u))
	for i := range u {
		doc, err := delivery.EncodeUpdate(u[i])
		if err != nil {
			return nil, nil, err
		}
		sequences[i], docs[i] = int64(u[i].Sequence), string(doc)
	}
	return sequences, docs, nil
}

// insertUpdates is the part of a write that fills the outbox, if there is a row in
// written. The order of the updates becomes that of their positions.
const insertUpdates = `told AS (
	INSERT INTO outbox (delivery, sequence, doc)
	SELECT written.id, new.sequence, new.doc::json
	FROM written, unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS new (sequence, doc, place)
	ORDER BY new.place)`

const createDelivery = `WITH written AS (
	INSERT INTO deliveries (id, market, partner, external_id, revision, state, open, over_at, doc, quoted_at, store)
	VALUES ($3, $4, $5, $6, 1, $7, $8, $9, $10::text::json, $12, $13)
	ON CONFLICT DO NOTHING
	RETURNING id),
kept AS (
	INSERT INTO personal (delivery, doc) SELECT id, $11::text::json FROM written),
` + insertUpdates + `
SELECT count(*) FROM written`

// Create implements delivery.Store.
func (s *DeliveryStore) Create(ctx context.Context, d delivery.Delivery, p delivery.Personal, u ...delivery.Update) error {
	const op = "postgres.Create"
	sequences, docs, err := updateRows(u)
	if err != nil {
		return err
	}
	doc, err := document(op, d)
	if err != nil {
		return err
	}
	p.Delivery = d.ID
	people, err := personalDocument(op, p)
	if err != nil {
		return err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var written int64
	err = s.db.pool.QueryRow(ctx, createDelivery, sequences, docs,
		d.ID, d.Market, d.Partner, d.ExternalID, d.State, d.Open(), overAt(&d), doc, people, d.Times.Quoted, d.Pickup.Store).Scan(&written)
	switch {
	case err != nil:
		return translate(op, err)
	case written == 0:
		return fault.New(op, fault.Conflict, "", "delivery %s, or %q of %s, exists", d.ID, d.ExternalID, d.Partner)
	}
	return nil
}

const saveDelivery = `WITH written AS (
	UPDATE deliveries
	SET revision = revision + 1, state = $5, open = $6, over_at = $7, doc = $8::text::json
	WHERE id = $3 AND revision = $4
	RETURNING id, revision),
` + insertUpdates + `
SELECT revision FROM written`

// Save implements delivery.Store. Market, partner, external id, store and the time of the quote never change.
func (s *DeliveryStore) Save(ctx context.Context, d delivery.Delivery, u ...delivery.Update) (uint64, error) {
	const op = "postgres.Save"
	if d.Revision == 0 || d.Revision > maxRevision {
		return 0, fault.New(op, fault.Conflict, "", "delivery %s is not at revision %d", d.ID, d.Revision)
	}
	sequences, docs, err := updateRows(u)
	if err != nil {
		return 0, err
	}
	doc, err := document(op, d)
	if err != nil {
		return 0, err
	}
	ctx, cancel := s.db.call(ctx)
	defer cancel()
	var revision int64
	err = s.db.pool.QueryRow(ctx, saveDelivery, sequences, docs,
		d.ID, int64(d.Revision), d.State, d.Open(), overAt(&d), doc).Scan(&revision)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, fault.New(op, fault.Conflict, "", "delivery %s is not at revision %d", d.ID, d.Revision)
	}
	return uint64(revision), translate(op, err)
}

// maxRevision is far above any revision, and fits into a column.
const maxRevision = 1 << 62

// Open implements delivery.OpenStore.
func (s *DeliveryStore) Open(ctx context.Context, m market.ID, after delivery.ID, limit int) ([]delivery.Delivery, error) {
	const op = "postgres.Open"
	return list(ctx, s.db, op, scanDelivery(op), selectOpen, m, after, limit)
}
