package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
	"footway/core/porttest"
)

func TestDeliveryStore(t *testing.T) {
	porttest.DeliveryStore(t, func(t *testing.T) porttest.DeliveryStores {
		return postgres.NewDeliveryStore(fresh(t, postgres.Deliveries))
	})
}

func TestBoardStore(t *testing.T) {
	porttest.BoardStore(t, func(t *testing.T) porttest.BoardStores {
		return postgres.NewDeliveryStore(fresh(t, postgres.Deliveries))
	})
}

func TestCursors(t *testing.T) {
	porttest.Cursors(t, func(t *testing.T) delivery.Cursors { return postgres.NewCursors(fresh(t, postgres.Deliveries)) })
}

func TestMerchantStore(t *testing.T) {
	open := func(t *testing.T) *postgres.MerchantStore {
		return postgres.NewMerchantStore(fresh(t, postgres.Deliveries))
	}
	porttest.BusinessStore(t, func(t *testing.T) merchant.BusinessStore { return open(t) })
	porttest.StoreStore(t, func(t *testing.T) merchant.StoreStore { return open(t) })
}

// deliveries is a store on a database of its own, which tests may look into.
type deliveries struct {
	*postgres.DeliveryStore
	db      *postgres.DB
	address string
}

func openDeliveries(tb testing.TB, o postgres.Options) deliveries {
	tb.Helper()
	address := freshDatabase(tb, postgres.Deliveries)
	o.URL = address
	db, err := postgres.Open(context.Background(), postgres.Deliveries, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(db.Close)
	return deliveries{postgres.NewDeliveryStore(db), db, address}
}

// connect returns a connection beside the store's.
func (s deliveries) connect(tb testing.TB) *pgx.Conn {
	tb.Helper()
	conn, err := pgx.Connect(context.Background(), s.address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// do runs statements on a connection.
func do(tb testing.TB, conn *pgx.Conn, statements ...string) {
	tb.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(context.Background(), s); err != nil {
			tb.Fatalf("%s: %v", s, err)
		}
	}
}

// ask returns the one value that a query selects.
func ask[T any](tb testing.TB, conn *pgx.Conn, query string, args ...any) T {
	tb.Helper()
	var v T
	if err := conn.QueryRow(context.Background(), query, args...).Scan(&v); err != nil {
		tb.Fatalf("%s: %v", query, err)
	}
	return v
}

// eventually waits until what a query selects is true.
func eventually(tb testing.TB, conn *pgx.Conn, query string, args ...any) {
	tb.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ask[bool](tb, conn, query, args...); {
		if time.Now().After(deadline) {
			tb.Fatalf("not true after 10 s: %s", query)
		}
	}
}

// waiting is true when somebody waits for a lock of a kind that another holds.
const waiting = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1)`

func quoteOf(id string) delivery.Delivery {
	return delivery.Delivery{ID: delivery.ID(id), Market: "m", Partner: "p", ExternalID: "x-" + id, RequestHash: "h", State: delivery.Quoted, ExpiresAt: 300_000}
}

func personOf(id string) delivery.Personal {
	return delivery.Personal{Delivery: delivery.ID(id), DropoffPhone: "+12065550101", DropoffAddress: "2 Pine St", DropoffGivenName: "Ada"}
}

func updateOf(id string, sequence uint64) delivery.Update {
	return delivery.Update{Delivery: delivery.ID(id), Sequence: sequence, Kind: delivery.StateChanged, Market: "m", Partner: "p", ExternalID: "x-" + id, To: delivery.Requested}
}

func (s deliveries) mustCreate(tb testing.TB, d delivery.Delivery, u ...delivery.Update) {
	tb.Helper()
	if err := s.Create(context.Background(), d, personOf(string(d.ID)), u...); err != nil {
		tb.Fatalf("Create(%s) = %v", d.ID, err)
	}
}

// TestSaveWaitsAndGivesUp holds a row's lock elsewhere: Save must fail before its
// deadline, and leave its connection in order.
func TestSaveWaitsAndGivesUp(t *testing.T) {
	t.Parallel()
	const timeout = 500 * time.Millisecond
	s := openDeliveries(t, postgres.Options{CallTimeout: timeout, MaxConns: 1})
	s.mustCreate(t, quoteOf("a"))
	other := s.connect(t)
	pid := ask[uint32](t, s.connect(t), `SELECT pid FROM pg_stat_activity WHERE application_name = 'footway' AND datname = current_database()`)
	do(t, other, `BEGIN`, `SELECT FROM deliveries WHERE id = 'a' FOR UPDATE`)
	d := quoteOf("a")
	d.Revision = 1
	began := time.Now()
	_, err := s.Save(t.Context(), d, updateOf("a", 1))
	if took := time.Since(began); !fault.Is(err, fault.Unavailable) || took >= timeout {
		t.Errorf("Save of a locked delivery = %v after %v; want fault.Unavailable within %v", err, took, timeout)
	}
	do(t, other, `ROLLBACK`)
	if _, err := s.Save(t.Context(), d, updateOf("a", 1)); err != nil {
		t.Errorf("Save after the lock was given back = %v", err)
	}
	if now := ask[uint32](t, other, `SELECT pid FROM pg_stat_activity WHERE application_name = 'footway' AND datname = current_database()`); now != pid {
		t.Errorf("the pool has made a new connection, as server process %d after %d; want the old one still in use", now, pid)
	}
}

// TestPoolExhausted holds the only connection: others must not wait past their deadline.
func TestPoolExhausted(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	s := openDeliveries(t, postgres.Options{CallTimeout: timeout, MaxConns: 1})
	s.mustCreate(t, quoteOf("a"))
	other := s.connect(t)
	do(t, other, `BEGIN`, `SELECT FROM deliveries WHERE id = 'a' FOR UPDATE`)
	d := quoteOf("a")
	d.Revision = 1
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := s.Save(t.Context(), d); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Save of a locked delivery = %v, want fault.Unavailable", err)
		}
	})
	eventually(t, s.connect(t), waiting, "transactionid")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond) // sooner than Save gives up
	defer cancel()
	began := time.Now()
	_, err := s.Delivery(ctx, "a")
	if took := time.Since(began); !fault.Is(err, fault.Unavailable) || took > timeout {
		t.Errorf("Delivery without a free connection = %v after %v; want fault.Unavailable at its deadline of 200 ms", err, took)
	}
	wg.Wait()
	do(t, other, `ROLLBACK`)
	if _, err := s.Delivery(t.Context(), "a"); err != nil {
		t.Errorf("Delivery with a free connection = %v", err)
	}
}

// hold makes writes of the delivery "slow" wait before they commit, until the
// connection's lock is given back.
func hold(tb testing.TB, conn *pgx.Conn) {
	tb.Helper()
	do(tb, conn,
		`CREATE FUNCTION wait_here() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(77); RETURN NULL; END'`,
		`CREATE CONSTRAINT TRIGGER wait_here AFTER INSERT ON outbox DEFERRABLE INITIALLY DEFERRED
			FOR EACH ROW WHEN (NEW.delivery = 'slow') EXECUTE FUNCTION wait_here()`,
		`SELECT pg_advisory_lock(77)`)
}

// TestOutboxSeesLateCommits is about a write that begins first and commits last: its
// update has the lower position, and appears after a later one was sent.
func TestOutboxSeesLateCommits(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	gate := s.connect(t)
	hold(t, gate)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Create(t.Context(), quoteOf("slow"), personOf("slow"), updateOf("slow", 1), updateOf("slow", 2)); err != nil {
			t.Error(err)
		}
	})
	eventually(t, gate, waiting, "advisory")
	s.mustCreate(t, quoteOf("fast"), updateOf("fast", 1))
	wantUnsent(t, s, "fast/1")
	if err := s.MarkSent(t.Context(), delivery.UpdateKey{Delivery: "fast", Sequence: 1}); err != nil {
		t.Fatal(err)
	}
	wantUnsent(t, s)
	do(t, gate, `SELECT pg_advisory_unlock(77)`)
	wg.Wait()
	wantUnsent(t, s, "slow/1", "slow/2")
	if ask[bool](t, gate, `SELECT (SELECT max(position) FROM outbox WHERE delivery = 'slow') > (SELECT position FROM outbox WHERE delivery = 'fast')`) {
		t.Error("the late update has the higher position, so this test has shown nothing")
	}
}

func wantUnsent(t *testing.T, s deliveries, want ...string) {
	t.Helper()
	all, err := s.Unsent(t.Context(), 100)
	var got []string
	for _, u := range all {
		got = append(got, fmt.Sprintf("%s/%d", u.Delivery, u.Sequence))
	}
	if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("Unsent = %q, %v; want %q", got, err, want)
	}
}

// TestKilledConnection ends the server's side in the middle of a write: nothing of it is
// there afterwards, and it can be repeated.
func TestKilledConnection(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	gate := s.connect(t)
	hold(t, gate)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Create(t.Context(), quoteOf("slow"), personOf("slow"), updateOf("slow", 1)); !fault.Is(err, fault.Unavailable) {
			t.Errorf("Create on a connection that was ended = %v, want fault.Unavailable", err)
		}
	})
	eventually(t, gate, waiting, "advisory")
	do(t, gate, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()`)
	wg.Wait()
	for _, table := range []string{"deliveries", "personal", "outbox"} {
		if n := ask[int](t, gate, `SELECT count(*) FROM `+table); n != 0 {
			t.Errorf("%s has %d rows of a write that did not commit", table, n)
		}
	}
	do(t, gate, `SELECT pg_advisory_unlock(77)`)
	s.mustCreate(t, quoteOf("slow"), updateOf("slow", 1))
	wantUnsent(t, s, "slow/1")
}

// TestLostAnswers swallows what the server says. A write takes effect, its caller does not hear of
// it, and its repeat finds the effect, or a free place.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	address := freshDatabase(t, postgres.Deliveries)
	link := backends.Proxy(t, address)
	db, err := postgres.Open(t.Context(), postgres.Deliveries, postgres.Options{URL: link.URL(), CallTimeout: 500 * time.Millisecond, MaxConns: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	s := deliveries{postgres.NewDeliveryStore(db), db, address}
	d := quoteOf("warm") // the first use of a statement on a connection asks what it means
	d.Revision = 1
	s.mustCreate(t, d)

	link.BlackHole(backends.Down)
	if err := s.Create(t.Context(), quoteOf("a"), personOf("a"), updateOf("a", 1)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Create without an answer = %v, want fault.Unavailable", err)
	}
	link.Heal()
	if err := again(func() error { return s.Create(t.Context(), quoteOf("a"), personOf("a"), updateOf("a", 1)) }); !fault.Is(err, fault.Conflict) {
		t.Errorf("Create again = %v, want fault.Conflict", err)
	}
	wantUnsent(t, s, "a/1")

	if d.Revision, err = s.Save(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	link.BlackHole(backends.Down)
	if _, err := s.Save(t.Context(), d, updateOf("warm", 1)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Save without an answer = %v, want fault.Unavailable", err)
	}
	link.Heal()
	err = again(func() error { _, err := s.Save(t.Context(), d, updateOf("warm", 1)); return err })
	if !fault.Is(err, fault.Conflict) {
		t.Errorf("Save again = %v, want fault.Conflict", err)
	}
	wantUnsent(t, s, "a/1", "warm/1")
}

// again repeats what fails with fault.Unavailable: the pool may hold a connection that is no more.
func again(call func() error) (err error) {
	for range 5 {
		if err = call(); !fault.Is(err, fault.Unavailable) {
			return err
		}
	}
	return err
}

// TestInvalidUpdates are refused before they reach an outbox that they could never leave.
func TestInvalidUpdates(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	bad := updateOf("a", 1)
	bad.Sequence = 1 << 63
	if err := s.Create(t.Context(), quoteOf("a"), personOf("a"), bad); !fault.Is(err, fault.Invalid) {
		t.Errorf("Create with an update of sequence 2^63 = %v, want fault.Invalid", err)
	}
	if _, err := s.Delivery(t.Context(), "a"); !fault.Is(err, fault.NotFound) {
		t.Errorf("the delivery of a refused Create = %v, want fault.NotFound", err)
	}
	if err := s.MarkSent(t.Context(), delivery.UpdateKey{Delivery: "a", Sequence: 1 << 63}); err != nil {
		t.Errorf("MarkSent of an update that there cannot be = %v", err)
	}
	d := quoteOf("b")
	s.mustCreate(t, d)
	d.Revision = 1 << 63
	if _, err := s.Save(t.Context(), d); !fault.Is(err, fault.Conflict) {
		t.Errorf("Save at revision 2^63 = %v, want fault.Conflict", err)
	}
}

// TestRelaysInOppositeOrder has two relays mark the same updates, one from the
// front and one from the back: they must not lock each other out.
func TestRelaysInOppositeOrder(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	var forth, back []delivery.UpdateKey
	for i := range 100 {
		id := fmt.Sprintf("d%02d", i)
		s.mustCreate(t, quoteOf(id), updateOf(id, 1))
		k := delivery.UpdateKey{Delivery: delivery.ID(id), Sequence: 1}
		forth, back = append(forth, k), append([]delivery.UpdateKey{k}, back...)
	}
	conn := s.connect(t)
	for range 20 {
		var wg sync.WaitGroup
		for _, keys := range [][]delivery.UpdateKey{forth, back} {
			wg.Go(func() {
				if err := s.MarkSent(t.Context(), keys...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		wantUnsent(t, s)
		do(t, conn, `UPDATE outbox SET sent_at = NULL`)
	}
}

// TestTrim deletes what nobody asks for any more, and nothing else.
func TestTrim(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	conn := s.connect(t)
	const many = 1234 // more than two sweeps
	do(t, conn, fmt.Sprintf(`INSERT INTO deliveries (id, market, partner, external_id, revision, state, open, quoted_at, store, over_at, doc)
		SELECT 'q' || i, 'm', 'p', 'q' || i, 1, 'quoted', false, i, '', i, '{}' FROM generate_series(1, %d) i`, many),
		`INSERT INTO personal (delivery, doc) SELECT id, '{}' FROM deliveries`)
	for id, d := range map[string]delivery.Delivery{
		"requested": {State: delivery.Requested}, "over": {State: delivery.Cancelled, Times: delivery.Times{Ended: 5}}, "unsent": {State: delivery.Quoted, ExpiresAt: 5}, "later": {State: delivery.Quoted, ExpiresAt: many + 1},
	} {
		d.ID, d.ExternalID, d.Partner, d.Market = delivery.ID(id), id, "p", "m"
		s.mustCreate(t, d, updateOf(id, 1))
		if id != "unsent" {
			if err := s.MarkSent(t.Context(), delivery.UpdateKey{Delivery: d.ID, Sequence: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := s.TrimQuotes(t.Context(), many+1); n != many || err != nil {
		t.Errorf("TrimQuotes = %d, %v; want %d", n, err, many)
	}
	const left = `SELECT string_agg(id, ' ' ORDER BY id) FROM deliveries`
	if got, want := ask[string](t, conn, left), "later over requested unsent"; got != want {
		t.Errorf("after TrimQuotes there are %q, want %q", got, want)
	}
	if n := ask[int](t, conn, `SELECT count(*) FROM personal`); n != 4 {
		t.Errorf("after TrimQuotes there is personal data of %d, want 4", n)
	}
	if n, err := s.TrimSent(t.Context(), clock.Of(time.Now().Add(-time.Hour))); n != 0 || err != nil {
		t.Errorf("TrimSent of an hour ago = %d, %v; want 0", n, err)
	}
	if n, err := s.TrimSent(t.Context(), clock.Of(time.Now().Add(time.Hour))); n != 3 || err != nil {
		t.Errorf("TrimSent = %d, %v; want 3", n, err)
	}
	wantUnsent(t, s, "unsent/1")
}

// TestForgetInSweeps forgets more than one statement does, and again what was
// added since.
func TestForgetInSweeps(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	conn := s.connect(t)
	const many = 1234
	do(t, conn, fmt.Sprintf(`INSERT INTO deliveries (id, market, partner, external_id, revision, state, open, quoted_at, store, over_at, doc)
		SELECT 'd' || i, 'm', 'p', 'd' || i, 1, CASE WHEN i %% 2 = 0 THEN 'quoted' ELSE 'delivered' END, false, i, '', i, '{}' FROM generate_series(1, %d) i`, many),
		`INSERT INTO personal (delivery, doc) SELECT id, '{}' FROM deliveries`)
	if n, err := s.Forget(t.Context(), many); n != many-1 || err != nil {
		t.Errorf("Forget = %d, %v; want %d", n, err, many-1)
	}
	if got := ask[string](t, conn, `SELECT string_agg(delivery, ' ') FROM personal`); got != fmt.Sprint("d", many) {
		t.Errorf("left is %q, want the last one", got)
	}
	if err := s.SavePersonal(t.Context(), personOf("d1")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Forget(t.Context(), many); n != 1 || err != nil {
		t.Errorf("Forget of what was saved since = %d, %v; want 1", n, err)
	}
}

// TestDamagedDocument is an error that says which and repeats nothing of it.
func TestDamagedDocument(t *testing.T) {
	t.Parallel()
	s := openDeliveries(t, postgres.Options{})
	s.mustCreate(t, quoteOf("a"), updateOf("a", 1))
	do(t, s.connect(t), `UPDATE deliveries SET doc = '{"id": 12065550101}'`, `UPDATE personal SET doc = '{"items": "12065550101"}'`, `UPDATE outbox SET doc = '"12065550101"'`)
	_, err := s.Delivery(t.Context(), "a")
	_, errPersonal := s.Personal(t.Context(), "a")
	_, errUnsent := s.Unsent(t.Context(), 1)
	for what, err := range map[string]error{"Delivery": err, "Personal": errPersonal, "Unsent": errUnsent} {
		if !fault.Is(err, fault.Internal) || strings.Contains(fmt.Sprint(errors.Join(err)), "12065550101") {
			t.Errorf("%s of a damaged document = %v; want fault.Internal without its text", what, err)
		}
	}
}
