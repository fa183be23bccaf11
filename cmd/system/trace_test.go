package system_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"footway/adapters/observe"
	"footway/cmd/stores"
)

// TestTrace follows one delivery through seven processes, from the partner's request to the last webhook, and
// prints its trace.
func TestTrace(t *testing.T) {
	if testing.Short() {
		t.Skip("starts all services: takes half a minute")
	}
	collector := &observe.Collector{}
	traces := httptest.NewServer(collector)
	defer traces.Close()
	s := newStack(t, nil, func(d *stores.Deployment) { d.Telemetry.Traces = traces.URL })
	told := newReceiver(t, 1, false)
	p := s.join(told)
	s.start()
	s.robots(8, "100", calm...)
	ctx, cancel := context.WithTimeout(s.watch(t.Context()), 90*time.Second)
	defer cancel()
	if err := p.served(ctx); err != nil {
		t.Fatal(err)
	}
	p.play(ctx, recorded(t, 1, 1, time.Minute), pace)
	for !told.over() {
		select {
		case <-ctx.Done():
			t.Fatalf("no last webhook: %v", context.Cause(ctx))
		case <-time.After(50 * time.Millisecond):
		}
	}
	// Spans are sent in batches, every few seconds.
	for {
		spans := accepting(collector.Traces())
		seen, lacking := along(spans)
		if lacking == "" {
			var text bytes.Buffer
			if err := observe.WriteTrace(&text, spans); err != nil {
				t.Fatal(err)
			}
			t.Logf("%s\n%s", strings.Join(seen, " → "), text.String())
			return
		}
		select {
		case <-ctx.Done():
			var text bytes.Buffer
			observe.WriteTrace(&text, spans)
			t.Fatalf("after %s the trace lacks %s\n%s", strings.Join(seen, " → "), lacking, text.String())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// over reports whether the end of a delivery was told.
func (r *receiver) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, all := range r.told {
		if over(all[len(all)-1].Status) {
			return true
		}
	}
	return false
}

// accepting returns the trace in which a quote is accepted.
func accepting(traces map[string][]observe.Collected) []observe.Collected {
	for _, spans := range traces {
		if slices.ContainsFunc(spans, func(s observe.Collected) bool { return strings.Contains(s.Name, "accept") }) {
			return spans
		}
	}
	return nil
}

// picture is the way of a delivery through the services, as the design draws it.
var picture = []struct{ service, does string }{
	{"integrations", ""}, {"deliveries", "accept"}, {"dispatch", ""}, {"fleet", "Reserve"}, {"task", "Create"},
	{"deliveries", "publish delivered"}, {"integrations", "consume delivered"}, {"integrations", "call POST"}, // the webhook
}

// along follows the picture through a trace, and returns what is there of it and what is next.
func along(spans []observe.Collected) (seen []string, lacking string) {
	i := 0
	for _, at := range picture {
		for i < len(spans) && (spans[i].Service != at.service || !strings.Contains(spans[i].Name, at.does)) {
			i++
		}
		if i == len(spans) {
			return seen, fmt.Sprintf("%s %s", at.service, at.does)
		}
		seen = append(seen, fmt.Sprintf("%s (%s)", at.service, spans[i].Name))
	}
	return seen, ""
}
