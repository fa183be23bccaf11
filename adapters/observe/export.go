package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// counted counts the spans that could not be sent, and says so now and then.
type counted struct {
	sdktrace.SpanExporter
	lost prometheus.Counter
	log  *slog.Logger

	mu   sync.Mutex
	told time.Time
}

// ExportSpans implements sdktrace.SpanExporter.
func (c *counted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	c.lost.Add(float64(len(spans)))
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.told) > time.Minute {
		c.told = time.Now()
		c.log.Warn("traces cannot be sent; they are dropped and counted", "error", err)
	}
	return nil // the library would only print it
}
