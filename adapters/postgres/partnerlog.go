package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// PartnerLog keeps the logs of all partners in the database Integrations.
type PartnerLog struct {
	db    *DB
	clock clock.Clock
}

var _ integration.Log = (*PartnerLog)(nil)

// NewPartnerLog returns the log that db holds. The clock tells when updates were taken.
func NewPartnerLog(db *DB, c clock.Clock) *PartnerLog { return &PartnerLog{db: db, clock: c} }

// Take implements integration.Log. It is one transaction of four round trips,
// whatever the number of updates. It locks the deliveries, then the partners, each
// in the order of their ids, so that calls wait for each other and never in a circle.
func (l *PartnerLog) Take(ctx context.Context, u ...delivery.Update) error {
	const op = "postgres.Take"
	if len(u) == 0 {
		return nil
	}
	now := l.clock.Now()
	return l.db.inTx(ctx, op, func(ctx context.Context, tx pgx.Tx) error {
		in, err := openIntake(ctx, op, tx, u)
		if err != nil {
			return err
		}
		if err := in.Take(u...); err != nil {
			return err
		}
		b := &pgx.Batch{}
		queueReleased(b, in.Released())
		queueGrown(b, in.Grown())
		if err := queueHeld(b, in.Held(), now); err != nil {
			return err
		}
		if err := queueEntered(b, in.Entered()); err != nil {
			return err
		}
		if b.Len() == 0 {
			return nil // duplicates
		}
		return tx.SendBatch(ctx, b).Close()
	})
}

// openIntake locks the deliveries of u and reads what is known of them.
func openIntake(ctx context.Context, op string, tx pgx.Tx, u []delivery.Update) (*integration.Intake, error) {
	owners := map[delivery.ID]delivery.PartnerID{}
	var ids, partners, named []string
	var sequences []int64
	for i := range u {
		if _, seen := owners[u[i].Delivery]; !seen {
			owners[u[i].Delivery] = u[i].Partner
			ids = append(ids, string(u[i].Delivery))
		}
		named, sequences = append(named, string(u[i].Delivery)), append(sequences, int64(u[i].Sequence))
	}
	slices.Sort(ids)
	for _, id := range ids {
		partners = append(partners, string(owners[delivery.ID(id)]))
	}
	var streams []integration.Stream
	var held, known []delivery.Update
	b := &pgx.Batch{}
	// Each row is found by its name. Left to itself the server reads whole tables while they are
	// small, and keeps that plan when they have grown.
	b.Queue(`SET LOCAL enable_seqscan = off`)
	b.Queue(`INSERT INTO streams (delivery, partner) SELECT delivery, partner FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS new (delivery, partner, place)
		ORDER BY place ON CONFLICT DO NOTHING`, ids, partners)
	b.Queue(`SELECT delivery, partner, entered FROM streams WHERE delivery = ANY ($1) ORDER BY delivery FOR NO KEY UPDATE`, ids).Query(func(rows pgx.Rows) (err error) {
		streams, err = collect(rows, scanStream)
		return err
	})
	b.Queue(`SELECT doc::text FROM held WHERE delivery = ANY ($1) ORDER BY delivery, sequence`, ids).Query(func(rows pgx.Rows) (err error) {
		held, err = collect(rows, scanUpdate)
		return err
	})
	b.Queue(`SELECT doc::text FROM unnest($1::text[], $2::bigint[]) AS named (delivery, sequence) JOIN entries USING (delivery, sequence)`, named, sequences).Query(func(rows pgx.Rows) (err error) {
		known, err = collect(rows, scanUpdate)
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	if len(streams) != len(ids) {
		return nil, fault.New(op, fault.Unavailable, "trimmed", "of %d deliveries %d were forgotten during the call; try again", len(ids), len(ids)-len(streams))
	}
	for i := range streams { // both are in the order of the ids
		n := 0
		for n < len(held) && held[n].Delivery == streams[i].Delivery {
			n++
		}
		streams[i].Held, held = held[:n], held[n:]
	}
	return integration.NewIntake(streams, known), nil
}

func scanStream(row pgx.CollectableRow) (integration.Stream, error) {
	var s integration.Stream
	err := row.Scan(&s.Delivery, &s.Partner, &s.Entered)
	return s, err
}

// scanUpdate reads a row that begins with an update.
func scanUpdate(row pgx.CollectableRow) (delivery.Update, error) {
	var doc []byte
	if err := row.Scan(&doc); err != nil {
		return delivery.Update{}, err
	}
	return readUpdate(doc)
}

func readUpdate(doc []byte) (delivery.Update, error) {
	u, err := delivery.DecodeUpdate(doc)
	if err != nil { // it was an update when it was written
		return u, &fault.Error{Op: "postgres.readUpdate", Kind: fault.Internal, Err: err}
	}
	return u, nil
}
