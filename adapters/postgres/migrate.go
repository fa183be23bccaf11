package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"footway/core/fault"
)

// Database names one of the databases, and the migrations that make its schema.
type Database string

// The databases. Each is owned by one service; none reads another's.
const (
	Deliveries   Database = "deliveries"   // of Deliveries: quotes, deliveries, personal data, outbox, cursors, merchants
	Maps         Database = "maps"         // of Maps: networks, areas, closures, addresses
	Integrations Database = "integrations" // of Integrations: what partners were told
)

func (d Database) String() string { return string(d) }

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema to what this program expects. Programs that start at once
// wait for each other. A schema newer than the program is a fault.Conflict and stays as it is.
func (db *DB) Migrate(ctx context.Context) error {
	p, done, err := db.migrator()
	if err != nil {
		return err
	}
	defer done()
	if err := db.refuseNewer(ctx, p); err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the %s database: %w", db.database, migrating("postgres.Migrate", extensionHint(err)))
	}
	return nil
}

// checkSchema fails with fault.Conflict if the schema is older or newer than
// the program expects.
func (db *DB) checkSchema(ctx context.Context) error {
	p, done, err := db.migrator()
	if err != nil {
		return err
	}
	defer done()
	if err := db.refuseNewer(ctx, p); err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return migrating("postgres.Check", err)
	}
	if pending {
		return fault.New("postgres.Check", fault.Conflict, "old_schema", "the schema of the %s database is older than this program: run `footway stores prepare`", db.database)
	}
	return nil
}

// refuseNewer keeps an old program off a schema that it does not know.
func (db *DB) refuseNewer(ctx context.Context, p *goose.Provider) error {
	has, wants, err := p.GetVersions(ctx)
	if err != nil {
		return migrating("postgres.Migrate", err)
	}
	if has > wants {
		return fault.New("postgres.Migrate", fault.Conflict, "new_schema", "the schema of the %s database is version %d, and this program knows up to %d: run a newer one", db.database, has, wants)
	}
	return nil
}

// migrating is translate for migrations, which touch no values: what goose says
// by itself, such as that another program has not finished, may be told.
func migrating(op string, err error) error {
	err = translate(op, err)
	if c, ok := errors.AsType[*concealed](err); ok && fault.Is(err, fault.Internal) {
		return &fault.Error{Op: op, Kind: fault.Internal, Err: c.err}
	}
	return err
}

// migrator returns goose over the pool, and what gives its connection back.
func (db *DB) migrator() (*goose.Provider, func(), error) {
	files, err := fs.Sub(migrations, "migrations/"+string(db.database))
	if err != nil {
		return nil, nil, err
	}
	session, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return nil, nil, err
	}
	conn := stdlib.OpenDBFromPool(db.pool)
	done := func() { _ = conn.Close() } // the pool stays open; there is nothing else to lose
	p, err := goose.NewProvider(goose.DialectPostgres, conn, files, goose.WithSessionLocker(session))
	if err != nil {
		done()
		return nil, nil, fmt.Errorf("migrations of %s: %w", db.database, err)
	}
	return p, done, nil
}
