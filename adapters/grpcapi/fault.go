package grpcapi

import (
	"context"
	"errors"
	"io"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
)

// domain marks the details of errors that are ours.
const domain = "footway"

// kinds is the table between kinds of errors and codes on the wire.
var kinds = []struct {
	kind fault.Kind
	code codes.Code
}{
	{fault.Internal, codes.Internal},
	{fault.Invalid, codes.InvalidArgument},
	{fault.NotFound, codes.NotFound},
	{fault.Conflict, codes.FailedPrecondition},
	{fault.Unavailable, codes.Unavailable},
	{fault.Forbidden, codes.PermissionDenied},
	{fault.Exhausted, codes.ResourceExhausted},
}

func codeOf(k fault.Kind) codes.Code {
	for _, row := range kinds {
		if row.kind == k {
			return row.code
		}
	}
	return codes.Internal
}

// statusOf returns err as it goes over the wire. The text of an internal error
// is for our own services only.
func statusOf(err error, trusted bool) error {
	if err == nil {
		return nil
	}
	if _, ours := errors.AsType[*fault.Error](err); !ours {
		if s, ok := status.FromError(err); ok {
			return s.Err() // of gRPC itself, such as a cut stream
		}
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			return status.FromContextError(err).Err()
		}
	}
	kind, text := fault.KindOf(err), strings.ToValidUTF8(err.Error(), "\uFFFD")
	if kind == fault.Internal && !trusted {
		text = "internal error"
	}
	s, bad := status.New(codeOf(kind), text).WithDetails(&errdetails.ErrorInfo{
		Domain: domain, Reason: fault.ReasonOf(err), Metadata: map[string]string{"kind": kind.String()},
	})
	if bad != nil {
		panic("grpcapi: an error's detail is a message: " + bad.Error())
	}
	return s.Err()
}

// refused is an error that the other side answered with.
type refused struct {
	text  string
	cause error // the context's, if it is over
}

func (r *refused) Error() string { return r.text }
func (r *refused) Unwrap() error { return r.cause }

// faultOf returns the error of a call as the core knows it: with the kind and
// reason that the other side gave it, or what gRPC's own errors mean to a caller.
func faultOf(op string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fault.New(op, fault.Unavailable, "cut", "the other side ended the stream")
	}
	s, ok := status.FromError(err)
	if !ok {
		return &fault.Error{Op: op, Kind: fault.KindOf(err), Reason: fault.ReasonOf(err), Err: err}
	}
	e := &refused{text: s.Message()}
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok && info.GetDomain() == domain {
			return &fault.Error{Op: op, Kind: kindOf(s.Code()), Reason: info.GetReason(), Err: e}
		}
	}
	kind, reason := foreign(s.Code())
	switch s.Code() {
	case codes.Canceled:
		e.cause = context.Canceled
	case codes.DeadlineExceeded:
		e.cause = context.DeadlineExceeded
	}
	return &fault.Error{Op: op, Kind: kind, Reason: reason, Err: e}
}

func kindOf(c codes.Code) fault.Kind {
	for _, row := range kinds {
		if row.code == c {
			return row.kind
		}
	}
	return fault.Internal
}

// foreign says what a code means that gRPC itself gave, or somebody between.
func foreign(c codes.Code) (k fault.Kind, reason string) {
	switch c {
	case codes.ResourceExhausted: // of gRPC itself it is a message above the limit, which no repeat makes smaller
		return fault.Invalid, "too_large"
	case codes.DeadlineExceeded:
		return fault.Unavailable, "deadline"
	case codes.Canceled:
		return fault.Unavailable, "cancelled"
	case codes.Unauthenticated:
		return fault.Forbidden, "unauthenticated"
	case codes.Unimplemented:
		return fault.Internal, "unimplemented"
	case codes.Aborted, codes.AlreadyExists:
		return fault.Conflict, ""
	case codes.OutOfRange:
		return fault.Invalid, ""
	}
	return kindOf(c), ""
}

// wordKind returns the kind that a Fault message names.
func wordKind(word string) fault.Kind {
	for _, row := range kinds {
		if row.kind.String() == word {
			return row.kind
		}
	}
	return fault.Internal
}

// faultTo returns err as a message within a stream, nil for none.
func faultTo(err error, trusted bool) *pb.Fault {
	if err == nil {
		return nil
	}
	f := &pb.Fault{Kind: fault.KindOf(err).String(), Reason: clip(fault.ReasonOf(err), 64), Text: clip(strings.ToValidUTF8(err.Error(), "\uFFFD"), maxText)}
	if fault.KindOf(err) == fault.Internal && !trusted {
		f.Text = "internal error"
	}
	return f
}

// faultFrom returns the error of a message within a stream, nil for none.
func faultFrom(op string, f *pb.Fault) error {
	if f == nil {
		return nil
	}
	return &fault.Error{Op: op, Kind: wordKind(f.GetKind()), Reason: clip(f.GetReason(), 64), Err: &refused{text: clip(f.GetText(), maxText)}}
}

// clip cuts text that somebody else wrote to at most n bytes.
func clip(text string, n int) string {
	if len(text) > n {
		text = strings.ToValidUTF8(text[:n], "")
	}
	return text
}
