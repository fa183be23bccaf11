// Package observe tells operators how a process is doing: traces that follow one
// delivery through all services, metrics, and health. It decides nothing, and
// what it cannot get rid of it drops and counts.
package observe

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Options say what is told to whom.
type Options struct {
	Service  string // what the process calls itself, such as "deliveries"
	Instance string // its replica
	Version  string
	// Traces is the address of what takes OTLP over HTTP, such as http://collector:4318; "" makes no traces.
	Traces string
	Sample int64 // permille of the requests from outside that are traced
	Pprof  bool  // /debug/pprof beside the metrics
	Log    *slog.Logger
}

// Telemetry is what one process tells of itself. It is safe for concurrent use.
type Telemetry struct {
	*Metrics
	*Health
	pprof    bool
	provider *sdktrace.TracerProvider // nil: no traces
}

// New returns the telemetry of a process. It fails if the address for traces cannot be one; that
// nobody answers there is no error.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	t := &Telemetry{Metrics: newMetrics(), Health: newHealth(), pprof: o.Pprof}
	if o.Traces == "" {
		return t, nil
	}
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(o.Traces+"/v1/traces"), otlptracehttp.WithTimeout(5*time.Second))
	if err != nil {
		return nil, fmt.Errorf("telemetry.traces: %w", err)
	}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&counted{SpanExporter: exporter, lost: t.Metrics.telemetryDropped, log: o.Log}, sdktrace.WithMaxQueueSize(8192), sdktrace.WithExportTimeout(5*time.Second)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(float64(o.Sample)/1000))),
		sdktrace.WithResource(sdkresource.NewSchemaless(
			attribute.String("service.name", o.Service), attribute.String("service.instance.id", o.Instance), attribute.String("service.version", o.Version))),
	)
	return t, nil
}

// tracer returns what makes the spans of a service of this process.
func (t *Telemetry) tracer(service string) trace.Tracer {
	if t.provider == nil {
		return nil
	}
	return t.provider.Tracer(service)
}

// Admin returns the pages for those who run the process: /metrics, /livez, /readyz.
func (t *Telemetry) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	mux.HandleFunc("GET /livez", t.Health.livez)
	mux.HandleFunc("GET /readyz", t.Health.readyz)
	if t.pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	return mux
}

// Shutdown sends what is waiting, as long as ctx lets it.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t.provider == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("traces: %w", err)
	}
	return nil
}
