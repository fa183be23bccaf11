package postgres

import (
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// queueEntered appends to the partners' logs. It comes last: from here to the
// commit others who write to the same log wait, and those who read it see nothing of this call.
func queueEntered(b *pgx.Batch, entered []delivery.Update) error {
	if len(entered) == 0 {
		return nil
	}
	more := map[delivery.PartnerID]int64{}
	var logs []string
	for i := range entered {
		p := entered[i].Partner
		if more[p]++; more[p] == 1 {
			logs = append(logs, string(p))
		}
	}
	slices.Sort(logs)
	var counts []int64
	for _, p := range logs {
		counts = append(counts, more[delivery.PartnerID(p)])
	}
	var partners, ids, docs []string
	var behind, sequences, times []int64 // behind: how many of the partner's entries come after it
	for i := range entered {
		u := &entered[i]
		doc, err := delivery.EncodeUpdate(*u)
		if err != nil {
			return err
		}
		more[u.Partner]--
		partners, behind, ids = append(partners, string(u.Partner)), append(behind, more[u.Partner]), append(ids, string(u.Delivery))
		sequences, times, docs = append(sequences, int64(u.Sequence)), append(times, int64(u.At)), append(docs, string(doc))
	}
	b.Queue(`WITH logs AS (
			INSERT INTO partners AS p (partner, entries)
			SELECT partner, entries FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS more (partner, entries, place) ORDER BY place
			ON CONFLICT (partner) DO UPDATE SET entries = p.entries + excluded.entries
			RETURNING partner, entries)
		INSERT INTO entries (partner, position, delivery, sequence, at, doc)
		SELECT partner, entries - behind, delivery, sequence, at, doc::json
		FROM unnest($3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[], $8::text[]) AS new (partner, behind, delivery, sequence, at, doc)
		JOIN logs USING (partner)`, logs, counts, partners, behind, ids, sequences, times, docs).Exec(wantRows("append entries", len(entered)))
	return nil
}

// queueReleased takes what has entered out of what is held.
func queueReleased(b *pgx.Batch, released []delivery.UpdateKey) {
	if len(released) == 0 {
		return
	}
	var ids []string
	var sequences []int64
	for _, k := range released {
		ids, sequences = append(ids, string(k.Delivery)), append(sequences, int64(k.Sequence))
	}
	b.Queue(`DELETE FROM held USING unnest($1::text[], $2::bigint[]) AS released (delivery, sequence)
		WHERE held.delivery = released.delivery AND held.sequence = released.sequence`, ids, sequences).Exec(wantRows("release updates", len(released)))
}

// queueGrown moves the gates.
func queueGrown(b *pgx.Batch, grown []integration.Stream) {
	if len(grown) == 0 {
		return
	}
	var ids []string
	var entered []int64
	for _, s := range grown {
		ids, entered = append(ids, string(s.Delivery)), append(entered, int64(s.Entered))
	}
	b.Queue(`UPDATE streams SET entered = grown.entered FROM unnest($1::text[], $2::bigint[]) AS grown (delivery, entered)
		WHERE streams.delivery = grown.delivery`, ids, entered).Exec(wantRows("move gates", len(grown)))
}

// queueHeld keeps what must wait.
func queueHeld(b *pgx.Batch, held []delivery.Update, now clock.Time) error {
	if len(held) == 0 {
		return nil
	}
	var ids, docs []string
	var sequences []int64
	for i := range held {
		doc, err := delivery.EncodeUpdate(held[i])
		if err != nil {
			return err
		}
		ids, sequences, docs = append(ids, string(held[i].Delivery)), append(sequences, int64(held[i].Sequence)), append(docs, string(doc))
	}
	b.Queue(`INSERT INTO held (delivery, sequence, since, doc) SELECT delivery, sequence, $4, doc::json
		FROM unnest($1::text[], $2::bigint[], $3::text[]) AS new (delivery, sequence, doc)`, ids, sequences, docs, int64(now)).Exec(wantRows("hold updates", len(held)))
	return nil
}

// wantRows fails unless a statement touched n rows: what it was made from was read under a lock.
func wantRows(op string, n int) func(pgconn.CommandTag) error {
	return func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(n) {
			return fault.New("postgres.Take", fault.Internal, "", "%s: %d rows were written; want %d", op, tag.RowsAffected(), n)
		}
		return nil
	}
}
