package observe

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"footway/core/trace"
)

const header = "traceparent"

// HTTP counts, times and traces what a server answers. Routes are those of the mux; what
// matches none is "none", so that strangers cannot make metrics.
func (t *Telemetry) HTTP(service string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		t.Metrics.httpInFlight.WithLabelValues(service).Inc()
		ctx, span := t.Start(trace.With(r.Context(), r.Header.Get(header)), service, method(r.Method), Server)
		if span != nil {
			r.Header.Set(header, trace.From(ctx))
		}
		s := &seen{ResponseWriter: w, status: http.StatusOK}
		r = r.WithContext(WithRoute(ctx, &s.route))
		defer func() {
			t.Metrics.httpInFlight.WithLabelValues(service).Dec()
			route := s.named(r)
			t.Metrics.httpRequests.WithLabelValues(service, route, method(r.Method), strconv.Itoa(s.status)).Inc()
			t.Metrics.httpSeconds.WithLabelValues(service, route).Observe(time.Since(began).Seconds())
			if span != nil {
				span.span.SetName(method(r.Method) + " " + route)
				span.Note("http.response.status_code", strconv.Itoa(s.status))
				span.End(nil)
			}
		}()
		next.ServeHTTP(s, r)
	})
}

type routeKey struct{}

// WithRoute returns a context in which NameRoute names the route of a request.
func WithRoute(ctx context.Context, route *string) context.Context {
	return context.WithValue(ctx, routeKey{}, route)
}

// NameRoute says which route a request has, for servers that do not find them by http.ServeMux.
func NameRoute(ctx context.Context, name string) {
	if r, ok := ctx.Value(routeKey{}).(*string); ok {
		*r = name
	}
}

// method returns a request's method if it is one.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// seen is what the metrics say of an answer.
type seen struct {
	http.ResponseWriter
	status int
	wrote  bool
	route  string
}

// WriteHeader implements http.ResponseWriter.
func (s *seen) WriteHeader(code int) {
	if !s.wrote && code >= 200 {
		s.status, s.wrote = code, true
	}
	s.ResponseWriter.WriteHeader(code)
}

// Write implements http.ResponseWriter.
func (s *seen) Write(b []byte) (int, error) {
	s.wrote = true
	return s.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *seen) named(r *http.Request) string {
	route := s.route
	if route == "" {
		_, path, found := strings.Cut(r.Pattern, " ")
		if route = path; !found {
			route = r.Pattern
		}
	}
	if route == "" {
		return "none"
	}
	return route
}

// Transport traces the calls of a service's client.
func (t *Telemetry) Transport(service string) func(http.RoundTripper) http.RoundTripper {
	return func(base http.RoundTripper) http.RoundTripper { return transport{t, service, base} }
}

type transport struct {
	t       *Telemetry
	service string
	base    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, span := t.t.Start(r.Context(), t.service, "call "+method(r.Method)+" "+r.URL.Host, Client)
	if span == nil {
		return t.base.RoundTrip(r)
	}
	r = r.Clone(ctx)
	r.Header.Set(header, trace.From(ctx))
	answer, err := t.base.RoundTrip(r)
	if err == nil {
		span.Note("http.response.status_code", strconv.Itoa(answer.StatusCode))
	}
	span.End(err)
	return answer, err
}

// CloseIdleConnections passes on what http.Client asks of its transport.
func (t transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// ServerOptions count, time and trace the calls that a gRPC server answers. Streams are counted when
// they end.
func (t *Telemetry) ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.ChainUnaryInterceptor(t.answer), grpc.ChainStreamInterceptor(t.stream)}
}

func (t *Telemetry) answer(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	began := time.Now()
	service, name := split(info.FullMethod)
	if md := metadata.ValueFromIncomingContext(ctx, header); len(md) == 1 {
		ctx = trace.With(ctx, md[0])
	}
	span := (*Span)(nil)
	if trace.From(ctx) != "" { // calls of services begin no trace by themselves: they poll all the time
		ctx, span = t.Start(ctx, service, name, Server)
	}
	answer, err := next(ctx, req)
	t.called(service, name, began, err)
	span.End(err)
	return answer, err
}

func (t *Telemetry) stream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	err := next(srv, s)
	service, name := split(info.FullMethod)
	t.Metrics.grpcRequests.WithLabelValues(service, name, status.Code(err).String()).Inc()
	return err
}

func (t *Telemetry) called(service, name string, began time.Time, err error) {
	t.Metrics.grpcRequests.WithLabelValues(service, name, status.Code(err).String()).Inc()
	t.Metrics.grpcSeconds.WithLabelValues(service, name).Observe(time.Since(began).Seconds())
}

// split returns the service and the method of a name such as "/footway.v1.Fleet/Reserve": "fleet", "Reserve".
func split(full string) (service, name string) {
	pkg, name, _ := strings.Cut(strings.TrimPrefix(full, "/"), "/")
	service = strings.ToLower(pkg[strings.LastIndexByte(pkg, '.')+1:])
	if service == "tasks" {
		service = "task"
	}
	return service, name
}

// DialOptions trace the calls of a service's client.
func (t *Telemetry) DialOptions(service string) []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(func(ctx context.Context, full string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		of, name := split(full)
		ctx, span := t.Start(ctx, service, "call "+of+" "+name, Client)
		if p := trace.From(ctx); p != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, header, p)
		}
		err := invoke(ctx, full, req, reply, cc, opts...)
		if status.Code(err) == codes.Canceled {
			span.End(nil)
			return err
		}
		span.End(err)
		return err
	})}
}
