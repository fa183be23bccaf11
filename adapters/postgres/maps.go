package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// MapStore keeps networks, what changes on them, and their addresses. It is
// safe for concurrent use.
type MapStore struct {
	db    *DB
	codec maps.Codec

	mu     sync.Mutex
	recent map[market.ID]recentNetwork // the last one read of each market
}

var (
	_ maps.Store       = (*MapStore)(nil)
	_ maps.AddressBook = (*MapStore)(nil)
)

// NewMapStore returns the store of the maps database db. Networks are
// compressed by codec.
func NewMapStore(db *DB, codec maps.Codec) *MapStore {
	return &MapStore{db: db, codec: codec, recent: map[market.ID]recentNetwork{}}
}

// bulkTimeout bounds a call that moves a whole network: some hundred thousand
// rows, or a hundred megabytes.
const bulkTimeout = 2 * time.Minute

// bulk is inTx for calls that move a whole network.
func (db *DB) bulk(ctx context.Context, op string, do func(context.Context, pgx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, bulkTimeout)
	defer cancel()
	err := pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error {
		const longer = `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)`
		ms := func(d time.Duration) string { return fmt.Sprint(d.Milliseconds()) }
		if _, err := tx.Exec(ctx, longer, ms(bulkTimeout*4/5), ms(bulkTimeout/2)); err != nil {
			return err
		}
		return do(ctx, tx)
	})
	return translate(op, err)
}

// extensionHint says what to do where the server lacks the extensions of the
// maps database, or the user may not create them. Other errors it returns as they are.
func extensionHint(err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return err
	}
	const op = "postgres.Migrate"
	switch server.Code {
	case "0A000", "58P01": // "extension is not available"; a file of it is missing
		return fault.New(op, fault.Unavailable, "missing_extension",
			"the server lacks PostGIS or PostgreSQL's own extensions pg_trgm and btree_gin (SQLSTATE %s): install them on it, such as with the packages postgresql-15-postgis-3 and postgresql-contrib", server.Code)
	case "42501":
		return fault.New(op, fault.Forbidden, "missing_extension",
			"the user may not create what the schema needs (SQLSTATE %s): let an administrator of the server run CREATE EXTENSION postgis, pg_trgm and btree_gin in this database, one by one, and grant CREATE on the schema public", server.Code)
	}
	return err
}
