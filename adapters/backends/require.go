package backends

import (
	"os"
	"testing"
)

// Kind is one kind of backend.
type Kind string

// The kinds, named by the environment variable that holds the address of a running one.
const (
	Postgres Kind = "FOOTWAY_TEST_POSTGRES"          // postgres://user:password@host:port/database, of a superuser
	RabbitMQ Kind = "FOOTWAY_TEST_RABBITMQ"          // amqp://user:password@host:port/
	DynamoDB Kind = "FOOTWAY_TEST_DYNAMODB_ENDPOINT" // http://host:port
)

// Kinds returns every kind, in the order in which people are told about them.
func Kinds() []Kind { return []Kind{Postgres, RabbitMQ, DynamoDB} }

// Name returns what people call the kind: PostgreSQL, RabbitMQ or dynalite.
func (k Kind) Name() string {
	switch k {
	case Postgres:
		return "PostgreSQL"
	case RabbitMQ:
		return "RabbitMQ"
	case DynamoDB:
		return "dynalite"
	}
	return string(k)
}

// Require returns the address of a running backend. Where there is none it
// skips the test; under CI=true it fails it.
func Require(tb testing.TB, k Kind) string {
	tb.Helper()
	address := os.Getenv(string(k))
	if address == "" {
		notRun(tb, "%s is not set: `make test` starts one, or `make backends` keeps one running", k)
	}
	return address
}

// notRun ends the test: skipped at a desk, failed under CI=true, where
// whatever cannot be run must not pass for tested.
func notRun(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf(format, args...)
	}
	tb.Skipf("NOT RUN: "+format, args...)
}
