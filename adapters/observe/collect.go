package observe

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// maxExport is how large one export may be.
const maxExport = 16 << 20

// Collected is a span as a collector got it.
type Collected struct {
	Trace, ID, Parent string
	Service, Name     string
	Kind              string
	Start             time.Time
	Took              time.Duration
	Failed            string // why, if it failed
	Notes             map[string]string
}

// Collector takes traces by OTLP over HTTP and keeps them in memory: for tests, and to look at one
// trace without a server for it.
type Collector struct {
	mu    sync.Mutex
	spans []Collected
}

// ServeHTTP implements http.Handler for POST /v1/traces.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxExport))
	var in collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &in)
	}
	if err != nil {
		http.Error(w, "want an ExportTraceServiceRequest: "+err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range in.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans = append(c.spans, collected(scope.Scope.GetName(), s))
			}
		}
	}
}

func collected(service string, s *tracepb.Span) Collected {
	out := Collected{
		Trace: hex.EncodeToString(s.TraceId), ID: hex.EncodeToString(s.SpanId), Parent: hex.EncodeToString(s.ParentSpanId), Service: service, Name: s.Name,
		Kind:  strings.ToLower(strings.TrimPrefix(s.Kind.String(), "SPAN_KIND_")),
		Start: time.Unix(0, int64(s.StartTimeUnixNano)), Took: time.Duration(s.EndTimeUnixNano - s.StartTimeUnixNano), Notes: map[string]string{},
	}
	if s.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR {
		out.Failed = cmp.Or(s.Status.Message, "failed")
	}
	for _, a := range s.Attributes {
		out.Notes[a.Key] = a.Value.GetStringValue()
	}
	return out
}

// Traces returns the spans of each trace, by its id, in the order in which they began.
func (c *Collector) Traces() map[string][]Collected {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string][]Collected{}
	for _, s := range c.spans {
		all[s.Trace] = append(all[s.Trace], s)
	}
	for _, spans := range all {
		slices.SortStableFunc(spans, func(a, b Collected) int { return a.Start.Compare(b.Start) })
	}
	return all
}

// WriteTrace prints the spans of one trace as a tree: when each began after the first, how long it
// took, and which service made it.
func WriteTrace(w io.Writer, spans []Collected) error {
	if len(spans) == 0 {
		return nil
	}
	known, children := map[string]bool{}, map[string][]Collected{}
	for _, s := range spans {
		known[s.ID] = true
	}
	for _, s := range spans {
		parent := s.Parent
		if !known[parent] {
			parent = "" // the partner's own, or one that was dropped
		}
		children[parent] = append(children[parent], s)
	}
	first := spans[0].Start
	if _, err := fmt.Fprintf(w, "trace %s\n", spans[0].Trace); err != nil {
		return err
	}
	return writeSpans(w, children, "", first, 0)
}

func writeSpans(w io.Writer, children map[string][]Collected, parent string, first time.Time, depth int) error {
	for _, s := range children[parent] {
		failed := ""
		if s.Failed != "" {
			failed = "  failed: " + s.Failed
		}
		_, err := fmt.Fprintf(w, "%9.3fs %8.1fms  %-14s %s%s%s\n", s.Start.Sub(first).Seconds(), float64(s.Took.Microseconds())/1000, s.Service, strings.Repeat("  ", depth), s.Name, failed)
		if err != nil {
			return err
		}
		if err := writeSpans(w, children, s.ID, first, depth+1); err != nil {
			return err
		}
	}
	return nil
}
