package observe

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	oteltrace "go.opentelemetry.io/otel/trace"

	"footway/core/trace"
)

// Span is one piece of work in a trace. The nil Span is of nobody, and does nothing.
type Span struct{ span oteltrace.Span }

// Kind says what side of which wire a span is on.
type Kind = oteltrace.SpanKind

// The kinds.
const (
	Server   = oteltrace.SpanKindServer
	Client   = oteltrace.SpanKindClient
	Producer = oteltrace.SpanKindProducer
	Consumer = oteltrace.SpanKindConsumer
	Internal = oteltrace.SpanKindInternal
)

// Start begins a span of a service under the traceparent of ctx, and returns the context of what it
// does. Without one, a server's span begins a trace, and others are none.
func (t *Telemetry) Start(ctx context.Context, service, name string, kind Kind) (context.Context, *Span) {
	tracer := t.tracer(service)
	if tracer == nil {
		return ctx, nil
	}
	parent, ok := parse(trace.From(ctx))
	if !ok && kind != Server {
		return ctx, nil
	}
	under := oteltrace.ContextWithRemoteSpanContext(context.Background(), parent)
	_, span := tracer.Start(under, name, oteltrace.WithSpanKind(kind), oteltrace.WithAttributes(attribute.String("footway.service", service)))
	return trace.With(ctx, format(span.SpanContext())), &Span{span}
}

// Note adds what the span is about.
func (s *Span) Note(name, value string) {
	if s != nil {
		s.span.SetAttributes(attribute.String(name, value))
	}
}

// End ends the span, which failed if err is not nil. Errors hold no personal data.
func (s *Span) End(err error) {
	if s == nil {
		return
	}
	if err != nil {
		s.span.SetStatus(codes.Error, err.Error())
	}
	s.span.End()
}

func parse(parent string) (oteltrace.SpanContext, bool) {
	if !trace.Valid(parent) {
		return oteltrace.SpanContext{}, false
	}
	id, errTrace := oteltrace.TraceIDFromHex(parent[3:35])
	span, errSpan := oteltrace.SpanIDFromHex(parent[36:52])
	var flags oteltrace.TraceFlags
	if strings.ContainsRune("13579bdf", rune(parent[54])) {
		flags = oteltrace.FlagsSampled
	}
	c := oteltrace.NewSpanContext(oteltrace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: flags, Remote: true})
	return c, errTrace == nil && errSpan == nil && c.IsValid()
}

func format(c oteltrace.SpanContext) string {
	return fmt.Sprintf("00-%s-%s-%s", c.TraceID(), c.SpanID(), c.TraceFlags())
}
