// Package postgres keeps deliveries, maps and partners' logs in PostgreSQL.
// Each service owns a database of its own; see Database.
package postgres

import (
	"context"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"footway/core/fault"
)

// Options say how to reach a database.
type Options struct {
	// URL is postgres://user@host:port/database?sslmode=verify-full, without a password.
	URL string
	// Password gives the password for each new connection, so that it may change
	// while the program runs. Nil: there is none.
	Password func(context.Context) (string, error)
	// MaxConns bounds the connections of this process. 0 is 10.
	MaxConns int
	// CallTimeout bounds each call of a store. 0 is 5 s.
	CallTimeout time.Duration
	// Logger is told of what no caller hears: connections that could not be made. Nil: nobody is.
	Logger *slog.Logger
}

// DB is a pool of connections to one database. It is safe for concurrent use.
type DB struct {
	pool     *pgxpool.Pool
	database Database
	timeout  time.Duration
}

// Open returns a pool of connections to a database. It makes none yet: Check
// does. A URL that cannot be read, or that holds a password, is a fault.Invalid.
func Open(ctx context.Context, database Database, o Options) (*DB, error) {
	c, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		// The error of the library repeats the URL, which may hold a secret by mistake.
		return nil, fault.New(opOpen, fault.Invalid, "bad_url", "the address of the %s database cannot be read; want postgres://user@host:port/database", database)
	}
	if c.ConnConfig.Password != "" && o.Password != nil {
		return nil, fault.New(opOpen, fault.Invalid, "bad_url", "the address of the %s database holds a password, and a reference to one is given too; want the reference only", database)
	}
	timeout := o.CallTimeout
	if timeout <= 0 {
		timeout = 5 * time.Second
	}
	c.MaxConns = 10
	if o.MaxConns > 0 {
		c.MaxConns = int32(min(o.MaxConns, 1000))
	}
	c.MaxConnLifetime, c.MaxConnLifetimeJitter, c.MaxConnIdleTime = time.Hour, 5*time.Minute, 10*time.Minute
	c.HealthCheckPeriod = 30 * time.Second
	limits(c.ConnConfig, timeout)
	if o.Password != nil {
		c.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
			password, err := o.Password(ctx)
			cc.Password = password
			return err
		}
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, translate(opOpen, err)
	}
	if o.Logger != nil {
		o.Logger.Info("database", "database", string(database), "host", c.ConnConfig.Host, "port", c.ConnConfig.Port, "name", c.ConnConfig.Database)
	}
	return &DB{pool: pool, database: database, timeout: timeout}, nil
}

// limits makes the server give up a little before the client does: a context
// that ends in the middle of a statement costs pgx the connection, a statement_timeout
// does not.
func limits(c *pgx.ConnConfig, timeout time.Duration) {
	c.ConnectTimeout = timeout
	c.DialFunc = (&net.Dialer{Timeout: timeout, KeepAlive: 15 * time.Second}).DialContext
	if c.RuntimeParams == nil {
		c.RuntimeParams = map[string]string{}
	}
	ms := func(part float64) string { return strconv.Itoa(max(1, int(float64(timeout.Milliseconds())*part))) }
	for name, value := range map[string]string{
		"statement_timeout":                   ms(0.8),
		"lock_timeout":                        ms(0.6),
		"idle_in_transaction_session_timeout": ms(2),
		"application_name":                    "footway",
		"timezone":                            "UTC",
	} {
		if _, set := c.RuntimeParams[name]; !set {
			c.RuntimeParams[name] = value
		}
	}
}

// Close closes all connections, and waits for those in use.
func (db *DB) Close() { db.pool.Close() }

// Check reports whether the database can be reached and has the schema that
// this program expects.
func (db *DB) Check(ctx context.Context) error {
	ctx, cancel := db.call(ctx)
	defer cancel()
	if err := db.pool.Ping(ctx); err != nil {
		return translate("postgres.Check", err)
	}
	return db.checkSchema(ctx)
}

// Stats are figures of the pool, for metrics.
func (db *DB) Stats() *pgxpool.Stat { return db.pool.Stat() }

const opOpen = "postgres.Open"

// call bounds one call of a store.
func (db *DB) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, db.timeout)
}

// inTx runs do in one transaction of the default isolation (read committed). An
// error of do rolls it back. When the answer to the commit is lost, the error is
// fault.Unavailable and the effect may have happened.
func (db *DB) inTx(ctx context.Context, op string, do func(context.Context, pgx.Tx) error) error {
	ctx, cancel := db.call(ctx)
	defer cancel()
	err := pgx.BeginFunc(ctx, db.pool, func(tx pgx.Tx) error { return do(ctx, tx) })
	return translate(op, err)
}

// wrongRows is what a write of one row that touched another number of them is: a bug.
func wrongRows(op string, n int64) error {
	return fault.New(op, fault.Internal, "", "%d rows were written; want 1", n)
}

// list runs a query and returns its rows.
func list[T any](ctx context.Context, db *DB, op string, scan pgx.RowToFunc[T], query string, args ...any) ([]T, error) {
	ctx, cancel := db.call(ctx)
	defer cancel()
	rows, err := db.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, translate(op, err)
	}
	all, err := collect(rows, scan)
	return all, translate(op, err)
}

// exec runs a statement and returns how many rows it wrote.
func (db *DB) exec(ctx context.Context, op, statement string, args ...any) (int64, error) {
	ctx, cancel := db.call(ctx)
	defer cancel()
	tag, err := db.pool.Exec(ctx, statement, args...)
	return tag.RowsAffected(), translate(op, err)
}
