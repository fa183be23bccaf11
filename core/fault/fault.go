// Package fault is the closed set of error kinds that callers may act on. An
// error that nobody classified is Internal.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about an error.
type Kind uint8

// The kinds.
const (
	Internal    Kind = iota // a bug, or an error that nobody classified
	Invalid                 // the request can never succeed
	NotFound                // the thing named does not exist
	Conflict                // the state does not allow it, or the caller's revision is stale: reload and decide again
	Unavailable             // try again later; the effect may have happened
	Forbidden               // the caller may not
	Exhausted               // a limit is reached; try again later
)

var names = [...]string{"internal", "invalid", "not found", "conflict", "unavailable", "forbidden", "exhausted"}

// String returns the kind in words.
func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is an error with a kind. Reason is a stable machine-readable word for
// partners and tests, such as "quote_expired"; it may be empty.
type Error struct {
	Op     string
	Kind   Kind
	Reason string
	Err    error
}

// New returns an error of kind k for operation op with a formatted message.
func New(op string, k Kind, reason, format string, args ...any) error {
	return &Error{Op: op, Kind: k, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Error returns "op: message".
func (e *Error) Error() string {
	switch {
	case e.Err == nil && e.Reason == "":
		return e.Op + ": " + e.Kind.String()
	case e.Err == nil:
		return e.Op + ": " + e.Reason
	}
	return e.Op + ": " + e.Err.Error()
}

// Unwrap returns the error within.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of err: that of the outermost *Error in its chain,
// or Internal. It panics on nil, which has no kind.
func KindOf(err error) Kind {
	if err == nil {
		panic("fault: KindOf(nil): a nil error has no kind")
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// ReasonOf returns the reason of the outermost *Error in err's chain, or "".
func ReasonOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Reason
	}
	return ""
}

// Is reports whether err is not nil and of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }
