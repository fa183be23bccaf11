package observe_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"footway/adapters/observe"
	"footway/core/trace"
)

var update = flag.Bool("update", false, "write docs/metrics.md anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, o observe.Options) *observe.Telemetry {
	t.Helper()
	tel, err := observe.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tel
}

func TestMetricsDocument(t *testing.T) {
	const path = "../../docs/metrics.md"
	doc := open(t, observe.Options{}).Document()
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != doc {
		t.Errorf("%s is not what the code says, %v: go test ./adapters/observe -update", path, err)
	}
}

// wired is an HTTP server that calls a gRPC server, each with a telemetry of its own.
func wired(t *testing.T, o observe.Options) (*httptest.Server, func()) {
	t.Helper()
	front, back := open(t, o), open(t, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(back.ServerOptions()...)
	healthpb.RegisterHealthServer(server, health.NewServer())
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	cc, err := grpc.NewClient(l.Addr().String(), append(front.DialOptions("front"), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/things/{id}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := healthpb.NewHealthClient(cc).Check(r.Context(), &healthpb.HealthCheckRequest{}); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, trace.From(r.Context()))
	})
	h := httptest.NewServer(front.HTTP("front", mux))
	return h, func() {
		h.Close()
		if err := cc.Close(); err != nil {
			t.Error(err)
		}
		server.Stop()
		<-served
		for _, tel := range []*observe.Telemetry{front, back} {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if err := tel.Shutdown(ctx); err != nil {
				t.Error(err)
			}
			cancel()
		}
	}
}

func get(t *testing.T, url, parent string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if parent != "" {
		r.Header.Set("traceparent", parent)
	}
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	a, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestOneTraceAcrossWires(t *testing.T) {
	c := &observe.Collector{}
	collector := httptest.NewServer(c)
	h, done := wired(t, observe.Options{Traces: collector.URL, Sample: 1000})
	within := get(t, h.URL+"/v1/things/7", parent)
	odd := get(t, h.URL+"/v1/things/7", strings.ToUpper(parent)) // no traceparent: another trace begins
	done()
	collector.Close()
	if trace.From(trace.With(t.Context(), within)) == "" || within[3:35] != parent[3:35] || within == parent {
		t.Errorf("the handler acts under %q; want a span of its own in the trace of %q", within, parent)
	}
	if odd == "" || odd[3:35] == within[3:35] {
		t.Errorf("a malformed traceparent leads to %q; want another trace", odd)
	}
	spans := c.Traces()[parent[3:35]]
	var names []string
	for _, s := range spans {
		names = append(names, s.Service+": "+s.Name)
	}
	want := []string{"front: GET /v1/things/{id}", "front: call health Check", "health: Check"}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Fatalf("the trace is %q, want %q", names, want)
	}
	if spans[0].Parent != parent[36:52] || spans[1].Parent != spans[0].ID || spans[2].Parent != spans[1].ID {
		t.Errorf("the spans do not hang together: %+v", spans)
	}
	var printed strings.Builder
	if err := observe.WriteTrace(&printed, spans); err != nil || strings.Count(printed.String(), "\n") != 4 {
		t.Errorf("WriteTrace = %v:\n%s", err, printed.String())
	}
}

// TestCollectorAway: whoever takes traces may be gone; nobody waits for it, and what is lost is counted.
func TestCollectorAway(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	h, done := wired(t, observe.Options{Traces: gone.URL, Sample: 1000})
	began := time.Now()
	for range 50 {
		get(t, h.URL+"/v1/things/7", parent)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("50 requests took %v", took)
	}
	done()
}

func TestJunkMakesNoMetrics(t *testing.T) {
	tel := open(t, observe.Options{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/things/{id}", func(http.ResponseWriter, *http.Request) {})
	h := tel.HTTP("front", mux)
	series := func() int {
		all, err := tel.Registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, f := range all {
			if strings.HasPrefix(f.GetName(), "footway_http") {
				n += len(f.Metric)
			}
		}
		return n
	}
	ask := func(method, path string) {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(method, path, nil))
	}
	ask("GET", "/v1/things/1")
	ask("GET", "/nothing")
	ask("BREW", "/nothing")
	before := series()
	for i := range 100 {
		ask("GET", fmt.Sprint("/v1/things/", i))
		ask("GET", fmt.Sprint("/junk/", i))
		ask(fmt.Sprint("BREW", i), fmt.Sprint("/junk/", i))
	}
	if after := series(); after != before {
		t.Errorf("junk made %d series of %d", after, before)
	}
}

func TestHealth(t *testing.T) {
	tel := open(t, observe.Options{})
	asked := 0
	var wrong error
	tel.Register("database", func(context.Context) error { asked++; return wrong })
	probe := func(path string) (int, string) {
		w := httptest.NewRecorder()
		tel.Admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.String()
	}
	if code, _ := probe("/readyz"); code != 503 || asked != 0 {
		t.Errorf("before the start /readyz is %d, and %d checks were made; want 503 and none", code, asked)
	}
	wrong = errors.New("it does not answer")
	tel.SetReady(true)
	for range 20 {
		if code, body := probe("/readyz"); code != 503 || !strings.Contains(body, `"database":"it does not answer"`) {
			t.Fatalf("/readyz = %d %s; want 503 and why", code, body)
		}
	}
	if asked != 1 {
		t.Errorf("20 looks asked the database %d times; want once", asked)
	}
	if code, _ := probe("/livez"); code != 200 {
		t.Errorf("/livez = %d while the database is away; want 200", code)
	}
	if code, body := probe("/metrics"); code != 200 || !strings.Contains(body, "footway_timers_late_seconds") {
		t.Errorf("/metrics = %d, %d bytes", code, len(body))
	}
	tel.SetReady(false)
	if code, _ := probe("/readyz"); code != 503 {
		t.Errorf("while it ends /readyz is %d; want 503", code)
	}
}
