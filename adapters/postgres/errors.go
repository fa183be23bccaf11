package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"footway/core/fault"
)

// translate gives an error of the database its kind. It keeps what the server
// says about its schema, and nothing of what it says about values: those may be
// people's names.
func translate(op string, err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		kind, hint := classify(server.Code)
		return &fault.Error{Op: op, Kind: kind, Reason: "sql_" + server.Code, Err: describe(server, hint)}
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fault.New(op, fault.NotFound, "", "there is no such row")
	case errors.Is(err, context.DeadlineExceeded):
		return fault.New(op, fault.Unavailable, "timeout", "the database did not answer in time")
	case errors.Is(err, context.Canceled):
		return fault.New(op, fault.Unavailable, "cancelled", "the caller gave up")
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		// Its text has user, host and database, and never the password.
		return &fault.Error{Op: op, Kind: fault.Unavailable, Reason: "connect", Err: err}
	}
	if text, broken := network(err); broken {
		return &fault.Error{Op: op, Kind: fault.Unavailable, Reason: "connection", Err: &concealed{text, err}}
	}
	// What is left is a bug: a value that fits no parameter, a column that fits no
	// variable. Such errors repeat the value, so only their type is told.
	text := fmt.Sprintf("the database's client fails with a %T", err)
	var scan pgx.ScanArgError
	if errors.As(err, &scan) {
		text = fmt.Sprintf("column %d (%s) cannot be read", scan.ColumnIndex, scan.FieldName)
	}
	return &fault.Error{Op: op, Kind: fault.Internal, Err: &concealed{text, err}}
}

// concealed is an error that may be asked what it is, and does not tell in its own
// words, since they may repeat values.
type concealed struct {
	text string
	err  error
}

func (c *concealed) Error() string { return c.text }
func (c *concealed) Unwrap() error { return c.err }

// network reports whether err comes from a connection that broke, or from a pool
// that was closed, and says so without what was on its way.
func network(err error) (text string, broken bool) {
	var n net.Error
	switch {
	case errors.As(err, &n) && n.Timeout():
		return "the database did not answer in time", true
	case errors.As(err, &n):
		return n.Error(), true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the database closed the connection", true
	case errors.Is(err, puddle.ErrClosedPool), errors.Is(err, net.ErrClosed), pgconn.SafeToRetry(err):
		return "the connection is closed", true
	}
	return "", false
}

// classify returns the kind of a SQLSTATE (PostgreSQL documentation, appendix A).
func classify(code string) (kind fault.Kind, hint string) {
	switch code {
	case "23505":
		return fault.Conflict, ""
	case "40001", "40P01", "55P03":
		return fault.Unavailable, "others hold the row; try again"
	case "25P03":
		return fault.Unavailable, "the transaction stood still for too long"
	case "57014":
		return fault.Unavailable, "it took too long"
	case "42P01", "42703", "42804", "42883", "3F000":
		return fault.Internal, "the schema is not the one this program expects: run `footway stores prepare`"
	case "28P01", "28000":
		return fault.Forbidden, "check user and password reference"
	case "42501":
		return fault.Forbidden, "grant the user what the program needs of the schema"
	case "3D000":
		return fault.Internal, "the server has no such database: create it, and run `footway stores prepare`"
	case "25006":
		return fault.Unavailable, "the server takes no writes: it is a standby, or a failover is under way"
	}
	switch code[:min(2, len(code))] {
	case "08", "40", "53", "57", "58":
		return fault.Unavailable, ""
	case "22":
		return fault.Invalid, ""
	}
	return fault.Internal, ""
}

func describe(e *pgconn.PgError, hint string) error {
	text := "SQLSTATE " + e.Code
	for _, part := range []struct{ name, value string }{
		{"table", e.TableName}, {"column", e.ColumnName}, {"constraint", e.ConstraintName}, {"routine", e.Routine},
	} {
		if part.value != "" {
			text += fmt.Sprintf(", %s %s", part.name, part.value)
		}
	}
	if hint != "" {
		text += ": " + hint
	}
	return errors.New(text)
}
