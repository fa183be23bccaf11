// Package storetest makes deployments for tests: databases, tables and queues
// of their own on the test backends, gone when the test ends. No program imports it.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"footway/adapters/backends"
	"footway/adapters/secret"
	"footway/cmd/stores"
)

// made tells the names of this process's deployments apart.
var made atomic.Int64

// Deployment returns a deployment on the test backends: three empty databases, and prefixes for tables and
// queues that nobody else uses. Its passwords are in the environment, so the test may not be parallel. It skips
// the test where there are no backends.
func Deployment(t testing.TB) stores.Deployment {
	t.Helper()
	server, amqp, tables := backends.Require(t, backends.Postgres), backends.Require(t, backends.RabbitMQ), backends.Require(t, backends.DynamoDB)
	name := fmt.Sprintf("fwdep_%d_%d", os.Getpid(), made.Add(1))
	d := stores.DefaultDeployment()
	for _, db := range []struct {
		of   string
		into *stores.Database
	}{{"deliveries", &d.Databases.Deliveries}, {"maps", &d.Databases.Maps}, {"integrations", &d.Databases.Integrations}} {
		database := name + "_" + db.of
		administer(t, server, "CREATE DATABASE "+database)
		t.Cleanup(func() { administer(t, server, "DROP DATABASE "+database+" WITH (FORCE)") })
		db.into.URL, db.into.Password = split(t, server, "/"+database, name+"_PASSWORD_"+db.of)
	}
	d.Broker.URL, d.Broker.Password = split(t, amqp, "", name+"_PASSWORD_broker")
	d.Broker.Prefix = name + "."
	key := reference(t, name+"_KEY", "any, for it is not checked")
	d.Tables.Endpoint, d.Tables.Region, d.Tables.Prefix = tables, "us-east-1", name+"-"
	d.Tables.AccessKey, d.Tables.SecretKey = key, key
	return d
}

// Backends returns the backends of a new deployment, prepared.
func Backends(t testing.TB) *stores.Backends {
	t.Helper()
	return Open(t, Deployment(t))
}

// Open returns the backends of a deployment, prepared.
func Open(t testing.TB, d stores.Deployment) *stores.Backends {
	t.Helper()
	kept, ring := &log{}, &secret.Ring{}
	logger := slog.New(secret.Redact(slog.NewTextHandler(kept, nil), ring))
	b, err := stores.Open(t.Context(), d, secret.NewResolver(ring, logger), logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.Close()
		if t.Failed() {
			t.Logf("the stores' log:\n%s", kept.text())
		}
	})
	for _, done := range slices.Concat(b.Prepare(t.Context()), b.Check(t.Context())) {
		if done.Err != nil {
			t.Fatalf("%s: %v", done.Name, done.Err)
		}
	}
	return b
}

// administer runs a statement that no transaction can hold.
func administer(t testing.TB, server, statement string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, server)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(ctx, statement)
	if err := errors.Join(err, conn.Close(ctx)); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// split returns an address without its password, and a reference to that.
func split(t testing.TB, address, path, variable string) (string, secret.Reference) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal("the address of a test backend cannot be read")
	}
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	if path != "" {
		u.Path = path
	}
	return u.String(), reference(t, variable, password)
}

func reference(t testing.TB, variable, text string) secret.Reference {
	t.Helper()
	t.Setenv(variable, text)
	ref, err := secret.Parse("env:" + variable)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// log is what several goroutines log.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *log) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
