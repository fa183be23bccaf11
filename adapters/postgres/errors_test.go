package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"footway/core/fault"
)

// TestTranslate is the table of SQLSTATEs (PostgreSQL documentation, appendix A).
func TestTranslate(t *testing.T) {
	for _, tt := range []struct {
		code string
		want fault.Kind
		hint string
	}{
		{"08006", fault.Unavailable, ""}, // connection_failure
		{"22021", fault.Invalid, ""},     // character_not_in_repertoire
		{"22P02", fault.Invalid, ""},     // invalid_text_representation
		{"23502", fault.Internal, ""},    // not_null_violation
		{"23503", fault.Internal, ""},    // foreign_key_violation
		{"23505", fault.Conflict, ""},    // unique_violation
		{"23514", fault.Internal, ""},    // check_violation
		{"25006", fault.Unavailable, "standby"},
		{"25P02", fault.Internal, ""}, // in_failed_sql_transaction
		{"25P03", fault.Unavailable, "stood still"},
		{"28000", fault.Forbidden, "password reference"},
		{"28P01", fault.Forbidden, "password reference"},
		{"3D000", fault.Internal, "create it"},
		{"3F000", fault.Internal, "footway stores prepare"},
		{"40001", fault.Unavailable, "try again"}, // serialization_failure
		{"40003", fault.Unavailable, ""},          // statement_completion_unknown
		{"40P01", fault.Unavailable, "try again"}, // deadlock_detected
		{"42501", fault.Forbidden, "grant"},
		{"42601", fault.Internal, ""}, // syntax_error
		{"42703", fault.Internal, "footway stores prepare"},
		{"42804", fault.Internal, "footway stores prepare"},
		{"42883", fault.Internal, "footway stores prepare"},
		{"42P01", fault.Internal, "footway stores prepare"},
		{"53300", fault.Unavailable, ""}, // too_many_connections
		{"55P03", fault.Unavailable, "try again"},
		{"57014", fault.Unavailable, "too long"},
		{"57P01", fault.Unavailable, ""}, // admin_shutdown
		{"58030", fault.Unavailable, ""}, // io_error
		{"XX000", fault.Internal, ""},
		{"", fault.Internal, ""},
	} {
		err := translate("postgres.Op", fmt.Errorf("somewhere: %w", &pgconn.PgError{Code: tt.code}))
		if fault.KindOf(err) != tt.want || fault.ReasonOf(err) != "sql_"+tt.code || !strings.Contains(err.Error(), tt.hint) {
			t.Errorf("SQLSTATE %q is %v (%v), want %v with %q", tt.code, err, fault.KindOf(err), tt.want, tt.hint)
		}
	}
}

// TestTranslateOthers is about errors that are not the server's.
func TestTranslateOthers(t *testing.T) {
	own := fault.New("core", fault.Exhausted, "full", "no room")
	for _, tt := range []struct {
		err  error
		want fault.Kind
	}{
		{own, fault.Exhausted},
		{fmt.Errorf("password: %w", own), fault.Exhausted},
		{pgx.ErrNoRows, fault.NotFound},
		{context.DeadlineExceeded, fault.Unavailable},
		{context.Canceled, fault.Unavailable},
		{&pgconn.ConnectError{}, fault.Unavailable},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), fault.Unavailable},
		{io.EOF, fault.Unavailable},
		{&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, fault.Unavailable},
		{net.ErrClosed, fault.Unavailable},
		{puddle.ErrClosedPool, fault.Unavailable},
		{pgx.ErrTxCommitRollback, fault.Internal},
		{errors.New("anything"), fault.Internal},
	} {
		if err := translate("postgres.Op", tt.err); fault.KindOf(err) != tt.want {
			t.Errorf("%T %v is %v, want %v", tt.err, tt.err, fault.KindOf(err), tt.want)
		}
	}
	if err := translate("postgres.Op", &net.OpError{Op: "read", Err: io.ErrNoProgress}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("%v cannot be asked what it was", err)
	}
	if err := migrating("postgres.Migrate", errors.New("no such file")); fault.KindOf(err) != fault.Internal || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("an error of a migration is %v, want its own words", err)
	}
	if err := translate("postgres.Op", nil); err != nil {
		t.Errorf("nothing is %v", err)
	}
}

// TestTranslateRepeatsNoValue puts a phone number wherever the server and its
// client put values.
func TestTranslateRepeatsNoValue(t *testing.T) {
	const value = "+12065550101"
	text := "value " + value
	for _, err := range []error{
		&pgconn.PgError{Code: "23505", Message: text, Detail: text, Hint: text, Where: text, InternalQuery: text, SchemaName: "public", TableName: "personal", ConstraintName: "personal_pkey"},
		&pgconn.PgError{Code: "22P02", Message: text, Detail: text, Where: text},
		&pgconn.PgError{Code: "57014", Message: text, Detail: text},
		pgx.ScanArgError{ColumnIndex: 1, FieldName: "doc", Err: errors.New(text)},
		fmt.Errorf("failed to encode args[0]: unable to encode %q", value),
		fmt.Errorf("%s: %w", text, io.EOF),
		fmt.Errorf("%s: %w", text, &net.OpError{Op: "read", Err: errors.New("connection reset by peer")}),
		fmt.Errorf("%s: %w", text, context.DeadlineExceeded),
	} {
		if got := translate("postgres.Op", err); strings.Contains(got.Error(), value) {
			t.Errorf("the error of a %T repeats a value: %v", err, got)
		}
	}
}
