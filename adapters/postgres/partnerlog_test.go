package postgres_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/postgres"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

func TestPartnerLog(t *testing.T) {
	porttest.PartnerLog(t, func(t *testing.T, c clock.Clock) integration.Log {
		return postgres.NewPartnerLog(fresh(t, postgres.Integrations), c)
	})
}

func TestLogReader(t *testing.T) {
	porttest.LogReader(t, func(t *testing.T, c clock.Clock) porttest.ReadableLog {
		return postgres.NewPartnerLog(fresh(t, postgres.Integrations), c)
	})
}

// brake stops the transactions that append an entry of the delivery "slow"
// when they commit, while its lock is held.
const brake = `
CREATE FUNCTION brake() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(4711); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER brake AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.delivery = 'slow') EXECUTE FUNCTION brake();`

// braked is a log whose slow transactions wait.
type braked struct {
	*postgres.PartnerLog
	admin *pgx.Conn
}

func newBraked(t *testing.T) braked {
	t.Helper()
	address := freshDatabase(t, postgres.Integrations)
	db := open(t, postgres.Integrations, address)
	t.Cleanup(db.Close)
	conn := connect(t, address)
	run(t, conn, brake)
	run(t, conn, `SELECT pg_advisory_lock(4711)`)
	return braked{postgres.NewPartnerLog(db, fake.NewClock(fake.Start)), conn}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, statement string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, conn *pgx.Conn, query string) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// wantWaiting waits until so many transactions wait for a lock.
func (b braked) wantWaiting(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Second); ; {
		got := count(t, b.admin, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d transactions wait for a lock; want %d", got, n)
		}
	}
}

func (b braked) wantEntries(t *testing.T, p delivery.PartnerID, want ...delivery.ID) {
	t.Helper()
	page, err := b.Entries(t.Context(), p, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []delivery.ID
	for i, e := range page {
		got = append(got, e.Delivery)
		if e.Position != uint64(i+1) {
			t.Errorf("%s's entry %d is at position %d", p, i+1, e.Position)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s reads %v; want %v", p, got, want)
	}
}

func one(id delivery.ID, p delivery.PartnerID) delivery.Update {
	u := wave(0, 1, 1)[0]
	u.Delivery, u.Partner = id, p
	return u
}

// TestReaderPassesNothingUncommitted holds a call open that has its position,
// and lets another one come later to the same log.
func TestReaderPassesNothingUncommitted(t *testing.T) {
	b := newBraked(t)
	ctx := t.Context()
	var wg sync.WaitGroup
	take := func(u delivery.Update) {
		wg.Go(func() {
			if err := b.Take(ctx, u); err != nil {
				t.Error(err)
			}
		})
	}
	take(one("slow", "p"))
	b.wantWaiting(t, 1)
	take(one("fast", "p"))
	b.wantWaiting(t, 2)
	if err := b.Take(ctx, one("elsewhere", "q")); err != nil {
		t.Errorf("a call for another partner: %v", err)
	}
	b.wantEntries(t, "q", "elsewhere")
	b.wantEntries(t, "p") // above all not "fast" without "slow"
	run(t, b.admin, `SELECT pg_advisory_unlock(4711)`)
	wg.Wait()
	b.wantEntries(t, "p", "slow", "fast")
}

// TestTakeGivesUpInTime has another call hold the log for ever.
func TestTakeGivesUpInTime(t *testing.T) {
	b := newBraked(t)
	address := b.admin.Config().ConnString()
	run(t, b.admin, `INSERT INTO partners VALUES ('p', 1)`)
	holder := connect(t, address)
	run(t, holder, `BEGIN`)
	run(t, holder, `UPDATE partners SET entries = entries`)
	db, err := postgres.Open(t.Context(), postgres.Integrations, postgres.Options{URL: address, CallTimeout: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	l := postgres.NewPartnerLog(db, fake.NewClock(fake.Start))
	start := time.Now()
	if err := l.Take(t.Context(), one("d", "p")); !fault.Is(err, fault.Unavailable) || time.Since(start) > 3*time.Second {
		t.Errorf("Take = %v after %v; want fault.Unavailable after half a second", err, time.Since(start))
	}
	run(t, holder, `ROLLBACK`)
	if n := count(t, b.admin, `SELECT count(*) FROM streams`); n != 0 {
		t.Errorf("the call left %d deliveries", n)
	}
	if err := l.Take(t.Context(), one("d", "p")); err != nil {
		t.Errorf("Take, once nobody holds the log: %v", err)
	}
}

// TestConnectionLostAtCommit kills a call that has written everything, and not committed.
func TestConnectionLostAtCommit(t *testing.T) {
	b := newBraked(t)
	waits := one("slow", "p")
	waits.Sequence = 3
	lost := make(chan error, 1)
	go func() { lost <- b.Take(t.Context(), one("other", "q"), waits, one("slow", "p")) }()
	b.wantWaiting(t, 1)
	run(t, b.admin, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
	if err := <-lost; !fault.Is(err, fault.Unavailable) {
		t.Errorf("Take = %v; want fault.Unavailable", err)
	}
	for _, table := range []string{"partners", "streams", "entries", "held"} {
		if n := count(t, b.admin, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%d rows of %s are left of the call", n, table)
		}
	}
	run(t, b.admin, `SELECT pg_advisory_unlock(4711)`)
	for range 2 {
		if err := b.Take(t.Context(), one("other", "q"), waits, one("slow", "p")); err != nil {
			t.Errorf("Take again = %v", err)
		}
	}
	b.wantEntries(t, "p", "slow")
	b.wantEntries(t, "q", "other")
}

// TestTakersNeverDeadlock lets calls name the same deliveries, or the same
// partners only, in opposite orders. A deadlock would be an error of the one that
// the server ends.
func TestTakersNeverDeadlock(t *testing.T) {
	l := postgres.NewPartnerLog(fresh(t, postgres.Integrations), fake.NewClock(fake.Start))
	atOnce := func(u func(taker, round int) []delivery.Update) {
		var wg sync.WaitGroup
		for taker := range 6 {
			wg.Go(func() {
				for round := range 12 {
					call := u(taker, round)
					if taker%2 == 1 {
						slices.Reverse(call)
					}
					if err := l.Take(t.Context(), call[taker:]...); err != nil {
						t.Errorf("taker %d: %v", taker, err)
						return
					}
				}
			})
		}
		wg.Wait()
	}
	atOnce(func(_, round int) []delivery.Update { // each twice, the second time they are known
		return slices.Concat(wave(round/2, 30, 1), wave(round/2, 30, 2))
	})
	atOnce(func(taker, round int) []delivery.Update { return wave(100+taker, 30, uint64(round+1)) })
}

// TestTrimAndTakeAtOnce lets them meet at one delivery: neither may leave
// entries of a delivery that is forgotten.
func TestTrimAndTakeAtOnce(t *testing.T) {
	address := freshDatabase(t, postgres.Integrations)
	db := open(t, postgres.Integrations, address)
	t.Cleanup(db.Close)
	l := postgres.NewPartnerLog(db, fake.NewClock(fake.Start))
	conn := connect(t, address)
	for round := range 40 {
		first, second := wave(round, 10, 1), wave(round, 10, 2)
		if err := l.Take(t.Context(), first...); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := l.Take(t.Context(), second...); err != nil && fault.ReasonOf(err) != "trimmed" {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if _, err := l.Trim(t.Context(), fake.Start+1); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		if n := count(t, conn, `SELECT count(*) FROM entries AS e WHERE NOT EXISTS (SELECT FROM streams AS s WHERE s.delivery = e.delivery AND s.entered >= e.sequence)`); n != 0 {
			t.Fatalf("round %d: %d entries of forgotten deliveries", round, n)
		}
	}
}

// TestTrimInManyTransactions trims more than one of them takes.
func TestTrimInManyTransactions(t *testing.T) {
	l := postgres.NewPartnerLog(fresh(t, postgres.Integrations), fake.NewClock(fake.Start))
	const each = 1250
	for i := range 5 {
		u := wave(i, each/5, 1)
		for i := range u {
			u[i].Partner = "p"
		}
		if err := l.Take(t.Context(), u...); err != nil {
			t.Fatal(err)
		}
	}
	last := one("last", "p")
	last.At++
	if err := l.Take(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if n, err := l.Trim(t.Context(), last.At); n != each || err != nil {
		t.Errorf("Trim = %d, %v; want %d", n, err, each)
	}
	page, err := l.Entries(t.Context(), "p", 0, 10)
	if err != nil || len(page) != 1 || page[0].Position != each+1 {
		t.Errorf("after Trim the log is %v, %v; want the last entry at %d", page, err, each+1)
	}
}

// TestPlansSurviveGrowth starts with empty tables, on one connection, as a new
// installation does: no statement may read more of a table because it has grown.
func TestPlansSurviveGrowth(t *testing.T) {
	address := freshDatabase(t, postgres.Integrations)
	db, err := postgres.Open(t.Context(), postgres.Integrations, postgres.Options{URL: address, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	l := postgres.NewPartnerLog(db, fake.NewClock(fake.Start))
	const waves, size = 60, 200
	for group := range waves {
		if err := l.Take(t.Context(), wave(group, size, 1)...); err != nil {
			t.Fatal(err)
		}
		if err := l.Take(t.Context(), wave(group, size, 1)...); err != nil { // duplicates
			t.Fatal(err)
		}
		if _, err := l.Entries(t.Context(), "partner-3", uint64(group*size/10), 10); err != nil {
			t.Fatal(err)
		}
	}
	db.Close() // the server counts what a session did when it ends
	conn := connect(t, address)
	for deadline := time.Now().Add(5 * time.Second); count(t, conn, `SELECT coalesce(sum(n_tup_ins), 0) FROM pg_stat_user_tables WHERE relname = 'entries'`) < waves*size; {
		if time.Now().After(deadline) {
			t.Fatal("the server does not say what was read")
		}
	}
	const reads = `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables) + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes)`
	read := count(t, conn, reads)
	t.Logf("for %d updates, each taken twice, %d rows were read", waves*size, read)
	if most := 15 * waves * size; read > most {
		t.Errorf("for %d updates, each taken twice, %d rows were read; want at most %d", waves*size, read, most)
	}
}

// TestDamagedEntry has a row that no program of ours wrote.
func TestDamagedEntry(t *testing.T) {
	address := freshDatabase(t, postgres.Integrations)
	db := open(t, postgres.Integrations, address)
	t.Cleanup(db.Close)
	run(t, connect(t, address), `INSERT INTO entries VALUES ('p', 1, 'd', 1, 0, '{"delivery": "d", "cause": "+12065550100"}')`)
	l := postgres.NewPartnerLog(db, fake.NewClock(fake.Start))
	if page, err := l.Entries(t.Context(), "p", 0, 10); !fault.Is(err, fault.Internal) || page != nil {
		t.Errorf("Entries = %v, %v; want fault.Internal", page, err)
	}
}
