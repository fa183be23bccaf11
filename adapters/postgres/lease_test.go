package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/core/fault"
)

// holder is a process that wants a lease, and does nothing with it until it is told to.
type holder struct {
	began chan context.Context
	end   chan error // what its work returns
	over  chan error // what Hold returned
}

func hire(ctx context.Context, l *postgres.Lease) holder {
	h := holder{began: make(chan context.Context, 1), end: make(chan error, 1), over: make(chan error, 1)}
	go func() {
		h.over <- l.Hold(ctx, func(ctx context.Context) error {
			h.began <- ctx
			select {
			case err := <-h.end:
				return err
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	return h
}

func soon[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("not after 10 s: %s", what)
		panic("unreachable")
	}
}

// leaseHolder is the server process of the session that has the lease of the
// database, with its name.
func leaseHolder(t *testing.T, conn *pgx.Conn) (pid uint32, name string) {
	t.Helper()
	err := conn.QueryRow(t.Context(), `SELECT a.pid, a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()`).Scan(&pid, &name)
	if err != nil {
		t.Fatal(err)
	}
	return pid, name
}

// TestLease passes a lease from one to the next: given back, then taken from a
// session that the server ended.
func TestLease(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{MaxConns: 1})
	conn := s.connect(t)
	first := hire(t.Context(), postgres.NewLease(s.db, "relay"))
	soon(t, "the first begins", first.began)
	if _, name := leaseHolder(t, conn); name != "footway lease relay" {
		t.Errorf("the server knows the holder as %q", name)
	}
	second := hire(t.Context(), postgres.NewLease(s.db, "relay"))
	other := hire(t.Context(), postgres.NewLease(s.db, "other"))
	soon(t, "the holder of another lease begins", other.began)
	other.end <- nil
	if err := soon(t, "the other ends", other.over); err != nil {
		t.Errorf("Hold of work that ended well = %v", err)
	}
	eventually(t, conn, `SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name = 'footway lease relay' AND datname = current_database()`)
	select {
	case <-second.began:
		t.Error("two hold the lease")
	default:
	}
	failed := errors.New("that was enough")
	first.end <- failed
	if err := soon(t, "the first ends", first.over); !errors.Is(err, failed) {
		t.Errorf("Hold = %v, want the error of its work", err)
	}
	held := soon(t, "the second begins", second.began)

	third := hire(t.Context(), postgres.NewLease(s.db, "relay"))
	pid, _ := leaseHolder(t, conn)
	if !ask[bool](t, conn, `SELECT pg_terminate_backend($1)`, pid) {
		t.Fatal("the holder's session was not ended")
	}
	soon(t, "the context of the second ends", held.Done())
	if err := soon(t, "the second ends", second.over); !fault.Is(err, fault.Unavailable) || fault.ReasonOf(err) != "lease_lost" {
		t.Errorf("Hold whose session was ended = %v, want fault.Unavailable, lease_lost", err)
	}
	soon(t, "the third begins", third.began)
	third.end <- nil
	if err := soon(t, "the third ends", third.over); err != nil {
		t.Errorf("Hold = %v", err)
	}
	eventually(t, conn, `SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name LIKE 'footway lease%' AND datname = current_database()`)
}

// TestLeaseStopsWaiting ends when its caller does, waiting or working.
func TestLeaseStopsWaiting(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	ctx, stop := context.WithCancel(t.Context())
	first := hire(ctx, postgres.NewLease(s.db, "relay"))
	soon(t, "the first begins", first.began)
	second := hire(ctx, postgres.NewLease(s.db, "relay"))
	eventually(t, s.connect(t), `SELECT count(*) = 2 FROM pg_stat_activity WHERE application_name = 'footway lease relay' AND datname = current_database()`)
	stop()
	if err := soon(t, "the first ends", first.over); !errors.Is(err, context.Canceled) {
		t.Errorf("Hold of cancelled work = %v, want what the work returned", err)
	}
	if err := soon(t, "the second ends", second.over); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Hold of a caller that gave up = %v, want fault.Unavailable", err)
	}
}

// TestLeaseBehindABlackHole has the holder find out by itself that nobody answers any more.
func TestLeaseBehindABlackHole(t *testing.T) {
	t.Parallel()
	link := backends.Proxy(t, freshDatabase(t, postgres.Deliveries))
	db, err := postgres.Open(t.Context(), postgres.Deliveries, postgres.Options{URL: link.URL(), CallTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	h := hire(t.Context(), postgres.NewLease(db, "relay"))
	held := soon(t, "it begins", h.began)
	link.BlackHole(backends.Up)
	link.BlackHole(backends.Down)
	soon(t, "its context ends", held.Done())
	if err := soon(t, "it ends", h.over); fault.ReasonOf(err) != "lease_lost" {
		t.Errorf("Hold behind a black hole = %v, want lease_lost", err)
	}
	if err := postgres.NewLease(db, "relay").Hold(t.Context(), func(context.Context) error { return nil }); !fault.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "secret") {
		t.Errorf("Hold without a server = %v, want fault.Unavailable without the password", err)
	}
}
