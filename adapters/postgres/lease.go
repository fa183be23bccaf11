package postgres

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/core/fault"
)

// Lease lets one of several processes do what one should do, such as emptying an
// outbox, and another take over as soon as its connection is gone. It is for
// economy: a process that was paused may go on for a moment while another has
// begun, so safety must not rest on it.
//
// It is a lock of a session, on a connection of its own beside the pool's. Between the
// program and the server there may be no pooler that lends sessions by the transaction.
type Lease struct {
	db   *DB
	name string
	key  int64
	try  time.Duration // how often others look whether it is free
	ping time.Duration // how often the holder looks whether its connection works
}

// NewLease returns the lease of that name in a database.
func NewLease(db *DB, name string) *Lease {
	h := fnv.New64a()
	_, _ = h.Write([]byte("footway/lease/" + name)) // it cannot fail
	return &Lease{db: db, name: name, key: int64(h.Sum64()), try: time.Second, ping: 2 * time.Second}
}

// leaseLost is the reason of the error when the connection breaks under work.
const leaseLost = "lease_lost"

// Hold waits for the lease, calls work, gives the lease back and returns work's error.
// The context of work ends when the lease is lost; Hold then fails with
// fault.Unavailable once work has returned. So it does when the database cannot be reached, or ctx ends.
func (l *Lease) Hold(ctx context.Context, work func(context.Context) error) error {
	conn, err := l.take(ctx)
	if err != nil {
		return translate("postgres.Hold", err)
	}
	defer l.drop(conn)
	held, end := context.WithCancelCause(ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if lost := l.watch(held, conn); lost != nil {
			end(&fault.Error{Op: "postgres.Hold", Kind: fault.Unavailable, Reason: leaseLost, Err: lost})
		}
	}()
	err = work(held)
	lost := context.Cause(held)
	end(nil)
	<-watched
	if err != nil && fault.ReasonOf(lost) == leaseLost {
		return errors.Join(lost, err)
	}
	return err
}

// take waits until the lock is free and returns the connection that has it.
// It asks again and again: a statement that waits would keep the server from tidying up
// for as long.
func (l *Lease) take(ctx context.Context) (*pgx.Conn, error) {
	conn, err := l.db.connect(ctx, "footway lease "+l.name)
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(l.try)
	defer again.Stop()
	for {
		if got, err := l.tryLock(ctx, conn); got {
			return conn, nil
		} else if err != nil {
			l.drop(conn)
			return nil, err
		}
		select {
		case <-ctx.Done():
			l.drop(conn)
			return nil, ctx.Err()
		case <-again.C:
		}
	}
}

func (l *Lease) tryLock(ctx context.Context, conn *pgx.Conn) (got bool, err error) {
	ctx, cancel := l.db.call(ctx)
	defer cancel()
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, l.key).Scan(&got)
	return got, err
}

// watch returns nil when ctx ends, or why the connection no longer works.
func (l *Lease) watch(ctx context.Context, conn *pgx.Conn) error {
	for {
		err := l.listen(ctx, conn)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // what listen was told is that ctx has ended
		}
		if err != nil {
			return translate("postgres.Hold", err)
		}
	}
}

// listen waits until the server says that it closes the connection. If it says
// nothing for a while, listen asks whether it is still there.
func (l *Lease) listen(ctx context.Context, conn *pgx.Conn) error {
	quiet, cancel := context.WithTimeout(ctx, l.ping)
	_, err := conn.WaitForNotification(quiet)
	cancel()
	if err == nil || conn.IsClosed() {
		return err
	}
	ctx, cancel = l.db.call(ctx)
	defer cancel()
	return conn.Ping(ctx)
}

// drop ends the session, and with it the lock.
func (l *Lease) drop(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), l.db.timeout)
	defer cancel()
	_ = conn.Close(ctx) // the connection is gone either way
}

// connect makes a connection beside the pool's, under a name that the server lists.
func (db *DB) connect(ctx context.Context, name string) (*pgx.Conn, error) {
	ctx, cancel := db.call(ctx)
	defer cancel()
	pool := db.pool.Config()
	c := pool.ConnConfig
	c.RuntimeParams["application_name"] = name
	if pool.BeforeConnect != nil {
		if err := pool.BeforeConnect(ctx, c); err != nil {
			return nil, err
		}
	}
	return pgx.ConnectConfig(ctx, c)
}
