package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"footway/adapters/backends"
	"footway/adapters/postgres"
	"footway/core/fault"
)

// templates holds one migrated database of each kind for this run; each test
// works on a copy, which takes a tenth of a second.
var templates struct {
	sync.Mutex
	made map[postgres.Database]string
}

var copies atomic.Int64

func TestMain(m *testing.M) {
	code := m.Run()
	for _, name := range templates.made {
		admin(context.Background(), os.Getenv(string(backends.Postgres)), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
	}
	os.Exit(code)
}

func admin(ctx context.Context, address, statement string) error {
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func mustAdmin(tb testing.TB, address, statement string) {
	tb.Helper()
	if err := admin(context.Background(), address, statement); err != nil {
		tb.Fatalf("%s: %v", statement, err)
	}
}

// addressOf returns the address of another database of the same server.
func addressOf(tb testing.TB, address, name string) string {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatalf("%s: %v", backends.Postgres, err)
	}
	u.Path = "/" + name
	return u.String()
}

// freshDatabase returns the address of a database with an empty schema, which is dropped at the end of the test.
func freshDatabase(tb testing.TB, d postgres.Database) string {
	tb.Helper()
	server := backends.Require(tb, backends.Postgres)
	name := fmt.Sprintf("fw_%s_%d_%d", d, os.Getpid(), copies.Add(1))
	mustAdmin(tb, server, "CREATE DATABASE "+name+" TEMPLATE "+template(tb, server, d))
	tb.Cleanup(func() { mustAdmin(tb, server, "DROP DATABASE "+name+" WITH (FORCE)") })
	return addressOf(tb, server, name)
}

func template(tb testing.TB, server string, d postgres.Database) string {
	tb.Helper()
	templates.Lock()
	defer templates.Unlock()
	if name := templates.made[d]; name != "" {
		return name
	}
	name := fmt.Sprintf("fw_%s_%d", d, os.Getpid())
	mustAdmin(tb, server, "CREATE DATABASE "+name)
	db := open(tb, d, addressOf(tb, server, name))
	defer db.Close()
	if err := db.Migrate(context.Background()); err != nil {
		tb.Fatal(err)
	}
	if templates.made == nil {
		templates.made = map[postgres.Database]string{}
	}
	templates.made[d] = name
	return name
}

func open(tb testing.TB, d postgres.Database, address string) *postgres.DB {
	tb.Helper()
	db, err := postgres.Open(context.Background(), d, postgres.Options{URL: address})
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// fresh returns an empty database with its schema.
func fresh(tb testing.TB, d postgres.Database) *postgres.DB {
	tb.Helper()
	address := freshDatabase(tb, d)
	db := open(tb, d, address)
	tb.Cleanup(db.Close)
	return db
}

func TestMigrate(t *testing.T) {
	for _, d := range []postgres.Database{postgres.Deliveries, postgres.Maps, postgres.Integrations} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			server := backends.Require(t, backends.Postgres)
			name := fmt.Sprintf("fw_bare_%s_%d", d, os.Getpid())
			mustAdmin(t, server, "CREATE DATABASE "+name)
			t.Cleanup(func() { mustAdmin(t, server, "DROP DATABASE "+name+" WITH (FORCE)") })
			db := open(t, d, addressOf(t, server, name))
			t.Cleanup(db.Close)
			if err := db.Check(t.Context()); fault.ReasonOf(err) != "old_schema" || !strings.Contains(err.Error(), "footway stores prepare") {
				t.Errorf("Check of an empty database = %v, want old_schema and what to do", err)
			}
			var wg sync.WaitGroup
			for range 4 { // programs that start at once
				wg.Go(func() {
					if err := db.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if err := db.Check(t.Context()); err != nil {
				t.Errorf("Check after Migrate = %v", err)
			}
			mustAdmin(t, addressOf(t, server, name), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)")
			for what, err := range map[string]error{"Check": db.Check(t.Context()), "Migrate": db.Migrate(t.Context())} {
				if fault.ReasonOf(err) != "new_schema" {
					t.Errorf("%s of a schema from the future = %v, want new_schema", what, err)
				}
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	secret := "hunter2"
	for _, address := range []string{"://" + secret, "postgres://u:" + secret + "@h:x/d"} {
		_, err := postgres.Open(t.Context(), postgres.Maps, postgres.Options{URL: address})
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), secret) {
			t.Errorf("Open(%q) = %v, want fault.Invalid without the secret", address, err)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	db, err := postgres.Open(t.Context(), postgres.Deliveries, postgres.Options{URL: "postgres://u@127.0.0.1:1/d"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Check(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("Check without a server = %v, want fault.Unavailable", err)
	}
}
