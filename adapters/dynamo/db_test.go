package dynamo

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"footway/adapters/backends"
)

// options returns those of a test: an endpoint, any credentials, pages of two,
// and a logger that writes to the test's log.
func options(t testing.TB, endpoint string) Options {
	return Options{
		Endpoint: endpoint, Region: "us-east-1", PageSize: 2,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		Logger:      slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// open returns a client of new, empty tables, which are deleted after the test.
func open(t testing.TB, change ...func(*Options)) *DB {
	t.Helper()
	o := options(t, backends.Require(t, backends.DynamoDB))
	o.Prefix = "test-" + strings.ToLower(rand.Text()[:12]) + "-"
	plain := openWith(t, o)
	if err := plain.CreateTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drop(t, plain) })
	for _, f := range change {
		f(&o)
	}
	return openWith(t, o)
}

func openWith(t testing.TB, o Options) *DB {
	t.Helper()
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func drop(t testing.TB, db *DB) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, table := range db.tables.all() {
		if _, err := db.client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table.TableName}); err != nil {
			t.Errorf("delete table %s: %v", *table.TableName, err)
		}
	}
}
