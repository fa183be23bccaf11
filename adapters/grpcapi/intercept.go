package grpcapi

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"footway/core/fault"
)

// admit returns the context of a call with who makes it, if they may.
func (s *Server) admit(ctx context.Context, method string) (context.Context, Identity, error) {
	if isPublic(method) {
		return ctx, Identity{}, nil
	}
	i, err := s.o.Auth.identify(ctx)
	if err != nil {
		return ctx, Identity{}, err
	}
	if !allows(method, i) {
		return ctx, i, fault.New("grpcapi", fault.Forbidden, "wrong_role", "%s may not call %s", i, method)
	}
	return withIdentity(ctx, i), i, nil
}

func (s *Server) unary(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (answer any, err error) {
	var who Identity
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(info.FullMethod, p)
		}
		err = s.answer(info.FullMethod, who, err)
	}()
	ctx, who, err = s.admit(ctx, info.FullMethod)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.deadline(ctx)
	defer cancel()
	return handler(ctx, req)
}

// deadline gives a call one that has none, and cuts one that is too far.
func (s *Server) deadline(ctx context.Context) (context.Context, context.CancelFunc) {
	within := s.o.CallDefault
	if at, ok := ctx.Deadline(); ok {
		within = min(time.Until(at), s.o.CallMax)
	}
	return context.WithTimeout(ctx, within)
}

// admitted is a stream with the identity of its caller.
type admitted struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (a *admitted) Context() context.Context { return a.ctx }

func (s *Server) stream(srv any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) (err error) {
	var who Identity
	defer func() {
		if p := recover(); p != nil {
			err = s.panicked(info.FullMethod, p)
		}
		err = s.answer(info.FullMethod, who, err)
	}()
	ctx, who, err := s.admit(stream.Context(), info.FullMethod)
	if err != nil {
		return err
	}
	return handler(srv, &admitted{stream, ctx})
}

// panicked turns a panic into an error, so that one call's bug ends no other's.
func (s *Server) panicked(method string, p any) error {
	s.o.Log.Error("panic", "method", method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	return fault.New(method, fault.Internal, "panic", "a panic; the log of the server has it")
}

// answer returns err as the caller gets it, and logs what only we can mend.
func (s *Server) answer(method string, who Identity, err error) error {
	if err == nil {
		return nil
	}
	out := statusOf(err, who.Role == RoleService)
	if status.Code(out) == codes.Internal {
		s.o.Log.Error("internal error", "method", method, "caller", who.String(), "error", err)
	}
	return out
}
