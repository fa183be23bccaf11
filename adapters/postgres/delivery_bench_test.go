package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/core/clock"
	"footway/core/delivery"
)

// connections are how many callers work at once.
var connections = []int{1, 8, 16, 32}

// parallel runs b.N calls from a number of callers, each with its number.
func parallel(b *testing.B, callers int, call func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := call(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
}

// BenchmarkCreateAccept stores a quote and then its acceptance, as Deliveries does:
// two transactions with an update each. Beside it, BenchmarkInsertCommit and
// BenchmarkPgbench say what a commit costs on this server.
func BenchmarkCreateAccept(b *testing.B) {
	for _, n := range connections {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			s := openDeliveries(b, postgres.Options{MaxConns: n})
			ctx := context.Background()
			parallel(b, n, func(i int64) error {
				d, told := fullQuote(i)
				if err := s.Create(ctx, d, personOf(string(d.ID)), told); err != nil {
					return err
				}
				d.Revision, d.State, d.Attempt, d.Sequence = 1, delivery.Requested, 1, 2
				told.Sequence, told.From, told.To = 2, delivery.Quoted, delivery.Requested
				_, err := s.Save(ctx, d, told)
				return err
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "accepted/s")
			b.ReportMetric(2*float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// fullQuote is a quote of the size that one has.
func fullQuote(i int64) (delivery.Delivery, delivery.Update) {
	const now = clock.Time(1772452800000)
	promise := delivery.Promise{PickupP50: now, PickupP90: now, DropoffP50: now, DropoffP90: now}
	id := fmt.Sprintf("0197f2aa-0000-7000-8000-%012d", i)
	d := delivery.Delivery{
		ID: delivery.ID(id), Market: "wedgwood", Partner: "doordash", ExternalID: "D-" + id, RequestHash: fmt.Sprintf("%064x", i), State: delivery.Quoted, Sequence: 1,
		ExpiresAt: now, FeeParts: []delivery.FeePart{{Kind: "flat_fee", Amount: 699}, {Kind: "distance_based_fee", Amount: 276}}, Fee: 975, Currency: "USD",
		Promise: promise, Expected: promise, RouteMM: 1_200_000, RouteTime: 720_000, ReadyAt: now, LoadPIN: "0001", UnloadPIN: "0002", Since: now, Times: delivery.Times{Quoted: now},
	}
	u := updateOf(id, 1)
	u.At, u.Market, u.Partner, u.ExternalID, u.To, u.Promise, u.Expected = now, d.Market, d.Partner, d.ExternalID, delivery.Quoted, promise, promise
	return d, u
}

// BenchmarkInsertCommit inserts one small row in a transaction, through the
// same library.
func BenchmarkInsertCommit(b *testing.B) {
	for _, n := range connections {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			s := openDeliveries(b, postgres.Options{MaxConns: n})
			cursors := postgres.NewCursors(s.db)
			parallel(b, n, func(i int64) error { return cursors.SaveCursor(context.Background(), strconv.FormatInt(i, 10), "x") })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkPgbench runs the simple write transaction of PostgreSQL's own benchmark.
func BenchmarkPgbench(b *testing.B) {
	program, err := exec.LookPath("pgbench")
	if err != nil {
		b.Skip("NOT RUN: pgbench is not in PATH; Debian has it in postgresql-15")
	}
	server := backends.Require(b, backends.Postgres)
	run := func(b *testing.B, args ...string) string {
		b.Helper()
		u, err := url.Parse(addressOf(b, server, "fw_pgbench_"+strconv.Itoa(os.Getpid())))
		if err != nil {
			b.Fatal(err)
		}
		password, _ := u.User.Password()
		u.User = url.User(u.User.Username())
		cmd := exec.Command(program, append(args, u.String())...)
		cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
		out, err := cmd.CombinedOutput()
		if err != nil {
			b.Fatalf("pgbench %q: %v\n%s", args, err, out)
		}
		return string(out)
	}
	name := "fw_pgbench_" + strconv.Itoa(os.Getpid())
	mustAdmin(b, server, "CREATE DATABASE "+name)
	b.Cleanup(func() { mustAdmin(b, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	run(b, "-i", "-s", "10", "-q")
	tps := regexp.MustCompile(`tps = ([0-9.]+)`)
	for _, n := range connections {
		b.Run(fmt.Sprintf("connections=%d", n), func(b *testing.B) {
			var sum float64
			for range b.N {
				out := run(b, "-n", "-N", "-c", strconv.Itoa(n), "-j", "2", "-T", "3")
				found := tps.FindStringSubmatch(out)
				if found == nil {
					b.Fatalf("pgbench does not say its tps:\n%s", out)
				}
				rate, err := strconv.ParseFloat(found[1], 64)
				if err != nil {
					b.Fatal(err)
				}
				sum += rate
			}
			b.ReportMetric(sum/float64(b.N), "commits/s")
		})
	}
}

// BenchmarkOutbox reads and marks a hundred updates at a time, while none is vacuumed away.
func BenchmarkOutbox(b *testing.B) {
	s := openDeliveries(b, postgres.Options{})
	ctx := context.Background()
	conn := s.connect(b)
	do(b, conn, `ALTER TABLE outbox SET (autovacuum_enabled = false)`)
	d, told := fullQuote(1)
	doc, err := delivery.EncodeUpdate(told)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		_, err := conn.Exec(ctx, `WITH new AS (SELECT gen_random_uuid()::text AS id FROM generate_series(1, 100))
			INSERT INTO outbox (delivery, sequence, doc) SELECT id, 1, replace($1, $2, id)::json FROM new`, string(doc), string(d.ID))
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		page, err := s.Unsent(ctx, 100)
		if err != nil || len(page) != 100 {
			b.Fatalf("Unsent = %d updates, %v", len(page), err)
		}
		if err := s.MarkSent(ctx, updateKeys(page)...); err != nil {
			b.Fatal(err)
		}
	}
	if n := ask[int](b, conn, `SELECT count(*) FROM outbox WHERE sent_at IS NULL`); n != 0 {
		b.Errorf("%d updates are left", n)
	}
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "updates/s")
}

func updateKeys(u []delivery.Update) []delivery.UpdateKey {
	keys := make([]delivery.UpdateKey, len(u))
	for i := range u {
		keys[i] = u[i].Key()
	}
	return keys
}
