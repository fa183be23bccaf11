package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/cmd/robots"
	"footway/cmd/serve"
	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/integration"
	"footway/core/lease"
	"footway/core/maps"
	"footway/core/market"
	"footway/sim/city"
	"footway/sim/scenario"
)

const (
	patience = 90 * time.Second
	token    = "a-token-of-sufficient-length"
	here     = "city"
)

var town = sync.OnceValues(func() (*maps.Network, error) { return city.Generate(1, city.Options{}) })

// settings are short waits, since the robots of these tests live fast.
const settings = `version: 1
defaults:
  dispatch: {round_every: 1s, round_soon: 100ms, round_gap: 200ms, idle_every: 5s, lazy: false}
`

// installation is a deployment on memory stores that several processes share.
type installation struct {
	t    *testing.T
	d    stores.Deployment
	kept *serve.Kept
	net  *maps.Network
	log  *safeBuffer
	key  integration.Issued
}

func install(t *testing.T) *installation {
	t.Helper()
	n, err := town()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{serve.EmbeddedOperator, serve.EmbeddedRobots, serve.EmbeddedService, serve.EmbeddedPeople} {
		t.Setenv(name, token+name)
	}
	d, kept, err := serve.Embedded(t.Context(), market.Market{ID: here, TimeZone: "UTC"}, n)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(path, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Configuration.From, d.Telemetry.Listen = path, ""
	in := &installation{t: t, d: d, kept: kept, net: n, log: &safeBuffer{}}
	if in.key, err = serve.Join(t.Context(), d, kept, "acme"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		kept.Close()
		if t.Failed() {
			t.Logf("log:\n%s", in.log)
		}
	})
	return in
}

// split gives each service ports and a token of its own, and an address where others find it.
func (in *installation) split() {
	for _, name := range stores.ServiceNames {
		in.t.Setenv("SPLIT_"+name, token+name)
		s := in.d.Services.Of(name)
		s.Listen = freePort(in.t)
		s.Address = "dns:///" + s.Listen
		if name == "integrations" || name == "deliveries" || name == "dispatch" {
			s.Address = "http://" + s.Listen
		}
		ref, err := secret.Parse("env:SPLIT_" + name)
		if err != nil {
			in.t.Fatal(err)
		}
		s.Token = ref
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// running is one process.
type running struct {
	stop context.CancelFunc
	done chan error
	at   map[string]net.Addr
}

// start runs services, and returns when they listen.
func (in *installation) start(d stores.Deployment, services ...string) *running {
	in.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{stop: stop, done: make(chan error, 1)}
	up := make(chan map[string]net.Addr, 1)
	log := slog.New(slog.NewTextHandler(in.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	go func() {
		r.done <- serve.Run(ctx, d, in.kept, serve.Options{
			Services: services, Secrets: secret.NewResolver(&secret.Ring{}, log), Log: log, Resume: 2 * time.Second,
			Leases: lease.Options{Life: 2 * clock.Second, Margin: 500 * clock.Millisecond},
		}, func(at map[string]net.Addr) { up <- at })
	}()
	select {
	case r.at = <-up:
	case err := <-r.done:
		stop()
		in.t.Fatalf("%v do not start: %v", services, err)
	}
	in.t.Cleanup(func() { r.end(in.t) })
	return r
}

// end drains the process. A second call does nothing.
func (r *running) end(t *testing.T) {
	t.Helper()
	r.stop()
	if r.done == nil {
		return
	}
	if err := <-r.done; err != nil {
		t.Errorf("a process ended with %v", err)
	}
	r.done = nil
}

// ask sends a request to the door as a partner does.
func (in *installation) ask(method, door, path string, body any) (int, map[string]any) {
	in.t.Helper()
	now := time.Now().Unix()
	signed := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"aud": "doordash", "iss": in.key.Developer, "kid": in.key.ID, "iat": now, "exp": now + 60})
	signed.Header["dd-ver"] = "DD-JWT-V1"
	text, err := signed.SignedString(in.key.Secret.Bytes())
	if err != nil {
		in.t.Fatal(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		in.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(in.t.Context(), method, "http://"+door+path, bytes.NewReader(b))
	if err != nil {
		in.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+text)
	r.Header.Set("Content-Type", "application/json")
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
	a, err := c.Do(r)
	if err != nil {
		in.t.Fatal(err)
	}
	defer a.Body.Close()
	raw, err := io.ReadAll(a.Body)
	if err != nil {
		in.t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		in.t.Fatalf("%s %s: %d %s", method, path, a.StatusCode, raw)
	}
	return a.StatusCode, out
}

func (in *installation) order(id string) map[string]any {
	m := in.net.Merchants[1]
	to := in.net.Addresses[0]
	for i := range in.net.Addresses {
		if far := maps.Distance(m.Point, in.net.Addresses[i].Point); far > 200_000 && far < 400_000 {
			to = in.net.Addresses[i]
			break
		}
	}
	return map[string]any{
		"external_delivery_id": id, "pickup_address": in.net.Addresses[m.Address].String(), "pickup_business_name": m.Name, "pickup_phone_number": "+12065550100",
		"dropoff_address": to.String(), "dropoff_phone_number": "+12065550123", "dropoff_contact_given_name": "S", "order_value": 1999,
		"pickup_time": time.Now().Add(time.Second).UTC().Format(time.RFC3339),
	}
}

// hooks is a partner's endpoint.
type hooks struct {
	mu   sync.Mutex
	seen []string // delivery_status by event, in the order in which they came
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e struct {
		Status   string `json:"delivery_status"`
		Sequence int    `json:"sequence"`
	}
	if json.NewDecoder(r.Body).Decode(&e) != nil || r.Header.Get("webhook-signature") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seen = append(h.seen, fmt.Sprintf("%d %s", e.Sequence, e.Status))
}

func (h *hooks) all() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.seen)
}

// story drives one delivery to its end, through whatever processes there are.
func (in *installation) story(door, deliveries, fleetAt, taskAt string) {
	t := in.t
	t.Helper()
	h := &hooks{}
	endpoint := httptest.NewServer(h)
	defer endpoint.Close()
	if _, _, err := serve.NewRegistry(in.d, in.kept).AddEndpoint(t.Context(), integration.NewEndpoint{Partner: "acme", URL: endpoint.URL, Auth: integration.Auth{Kind: integration.NoAuth}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var fleets sync.WaitGroup
	fleets.Go(func() { in.robots(ctx, deliveries, fleetAt, taskAt) })
	defer fleets.Wait()
	defer stop()
	end := time.Now().Add(patience)
	for {
		code, a := in.ask("POST", door, "/drive/v2/quotes", in.order("story"))
		if code == 200 {
			break
		}
		if reason, _ := a["robot_reason"].(string); !strings.Contains(reason, "no_capacity") && code != 503 || time.Now().After(end) {
			t.Fatalf("quote: %d %v", code, a)
		}
		time.Sleep(300 * time.Millisecond) // Dispatch has not seen the robots yet
	}
	if code, a := in.ask("POST", door, "/drive/v2/quotes/story/accept", map[string]any{}); code != 200 {
		t.Fatalf("accept: %d %v", code, a)
	}
	for last := ""; last != "delivered"; time.Sleep(100 * time.Millisecond) {
		_, a := in.ask("GET", door, "/drive/v2/deliveries/story", nil)
		last, _ = a["delivery_status"].(string)
		if time.Now().After(end) {
			t.Fatalf("the delivery is %v after %v; told: %q", a, patience, h.all())
		}
	}
	for !strings.HasSuffix(strings.Join(h.all(), ","), " delivered") {
		if time.Now().After(end) {
			t.Fatalf("the partner was told %q only", h.all())
		}
		time.Sleep(20 * time.Millisecond)
	}
	told := h.all()
	for i, line := range told {
		if !strings.HasPrefix(line, fmt.Sprintf("%d ", i+1)) && i > 0 {
			var before, now int
			fmt.Sscan(told[i-1], &before)
			fmt.Sscan(line, &now)
			if now < before {
				t.Fatalf("the partner was told out of order: %q", told)
			}
		}
	}
}

// robots lets robots and people live until ctx ends.
func (in *installation) robots(ctx context.Context, deliveries, fleetAt, taskAt string) {
	s := scenario.Defaults()
	s.Name, s.Start, s.Duration, s.Seed = "robots", "2026-01-01T00:00", clock.Hour, 1
	s.Fleet.Robots, s.Fleet.Couriers = 8, 0
	s.World.Robots.Stuck, s.World.Robots.Breakdowns, s.World.Robots.ContactLost, s.World.Robots.Jam = 0, 0, 0, 0
	s.World.Recipients.NoShow, s.World.Recipients.WrongPIN, s.World.Merchants.Late = 0, 0, 0
	s.Fill()
	shown := func(name string) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return token + name, nil }
	}
	dial := func(at, name string) func() (*grpc.ClientConn, error) {
		return func() (*grpc.ClientConn, error) {
			return grpcapi.Dial(at, grpcapi.DialOptions{Insecure: true, Token: shown(name)})
		}
	}
	setup, err := dial(fleetAt, serve.EmbeddedOperator)()
	if err != nil {
		in.t.Error(err)
		return
	}
	defer setup.Close()
	people, err := restapi.NewDeliveriesClient("http://"+deliveries, restapi.ClientOptions{Token: shown(serve.EmbeddedPeople)})
	if err != nil {
		in.t.Error(err)
		return
	}
	defer people.Close()
	_, err = robots.Run(ctx, robots.Options{
		Market: here, Network: in.net, Scenario: s, Account: serve.EmbeddedAccount, Speed: 150, Fleet: dial(fleetAt, serve.EmbeddedRobots), Task: dial(taskAt, serve.EmbeddedRobots),
		Setup: registrar{grpcapi.NewFleetClient(setup)}, People: people, Partners: []delivery.PartnerID{"acme"}, Log: slog.New(slog.NewTextHandler(in.log, nil)),
	})
	if err != nil {
		in.t.Error(err)
	}
}

// registrar is Fleet's administration.
type registrar struct{ *grpcapi.FleetClient }

func (registrar) Report(context.Context, fleet.Telemetry) error { return nil }

func TestAllInOneProcess(t *testing.T) {
	in := install(t)
	for _, name := range stores.ServiceNames {
		in.d.Services.Of(name).Listen = "127.0.0.1:0"
	}
	r := in.start(in.d, stores.ServiceNames...)
	in.story(r.at["integrations"].String(), r.at["deliveries"].String(), r.at["fleet"].String(), r.at["task"].String())
	r.end(t)
	if left, err := in.kept.Deliveries.Unsent(t.Context(), 10); err != nil || len(left) > 0 {
		t.Errorf("after the drain %d updates are in the outbox, %v; want none", len(left), err)
	}
	for _, name := range []string{"dispatch/city", "deliveries/city", "fleet/city", "task/city"} {
		if l, err := in.kept.Leases.Lease(t.Context(), name); err != nil || l.Expires != 0 {
			t.Errorf("after the drain lease %s is %+v, %v; want it given back", name, l, err)
		}
	}
}

// TestEachInItsOwnProcess tells the same story with every arrow on its wire.
func TestEachInItsOwnProcess(t *testing.T) {
	in := install(t)
	in.split()
	for _, name := range stores.ServiceNames {
		in.start(in.d, name)
	}
	s := in.d.Services
	in.story(s.Integrations.Listen, s.Deliveries.Listen, s.Fleet.Listen, s.Task.Listen)
}

// TestRoundsChangeHands has two replicas of Dispatch: one plans, the other says who, and takes over.
func TestRoundsChangeHands(t *testing.T) {
	in := install(t)
	in.split()
	in.start(in.d, "config", "maps", "fleet")
	other := in.d
	other.Services.Dispatch.Listen = freePort(t)
	replicas := []*running{in.start(in.d, "dispatch"), in.start(other, "dispatch")}
	estimate := func(at string) error {
		c, err := restapi.NewDispatchClient("http://"+at, restapi.ClientOptions{Token: func(context.Context) (string, error) { return token + "deliveries", nil }})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		m, a := in.net.Merchants[1].Point, in.net.Addresses[0].Point
		_, err = c.Estimate(t.Context(), dispatch.EstimateRequest{Market: here, Pickup: dispatch.Place{Point: &m}, Dropoff: dispatch.Place{Point: &a}, Load: fleet.Load{LengthMM: 100, WidthMM: 100, HeightMM: 100, Grams: 100}})
		return err
	}
	answers := func(at string) {
		t.Helper()
		for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
			err := estimate(at)
			if err == nil || fault.ReasonOf(err) != "" && !fault.Is(err, fault.Unavailable) {
				return // that there are no robots is an answer
			}
			if time.Now().After(end) {
				t.Fatalf("the replica at %s does not answer: %v", at, err)
			}
		}
	}
	answers(in.d.Services.Dispatch.Listen)
	answers(other.Services.Dispatch.Listen) // one of them by sending the caller to the other
	l, err := in.kept.Leases.Lease(t.Context(), "dispatch/city")
	if err != nil {
		t.Fatal(err)
	}
	leader, left := replicas[0], other.Services.Dispatch.Listen
	if l.Address == other.Services.Dispatch.Listen {
		leader, left = replicas[1], in.d.Services.Dispatch.Listen
	}
	leader.end(t)
	answers(left)
	if l, err = in.kept.Leases.Lease(t.Context(), "dispatch/city"); err != nil || l.Address != left || l.Term != 2 {
		t.Errorf("after the leader has gone the lease is %+v, %v; want that of %s, the second term", l, err, left)
	}
}

func TestCheckServing(t *testing.T) {
	whole := stores.DefaultDeployment()
	for _, c := range []struct {
		services []string
		change   func(*stores.Deployment)
		want     []string
	}{
		{stores.ServiceNames, func(*stores.Deployment) {}, []string{"markets: missing", "security.ca: missing", "services.fleet.listen: missing", "integrations.seal_key: missing"}},
		{[]string{"dispatch"}, func(d *stores.Deployment) { d.Security.Wires = "plain" }, []string{"services.dispatch.listen: missing", "services.dispatch.token: missing", "services.fleet.address: missing", "services.maps.address: missing"}},
		{[]string{"fleet"}, func(d *stores.Deployment) {
			d.Markets = []stores.Market{{ID: "m", TimeZone: "UTC"}}
			ref, err := secret.Parse("env:X")
			if err != nil {
				t.Fatal(err)
			}
			d.Security.Simulator = ref
		}, []string{"security.simulator_token: market m is no sandbox"}},
	} {
		d := whole
		c.change(&d)
		var got []string
		for _, err := range d.CheckServing(c.services) {
			got = append(got, err.Error())
		}
		for _, want := range c.want {
			if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, want) }) {
				t.Errorf("%v: no error begins with %q:\n%s", c.services, want, strings.Join(got, "\n"))
			}
		}
	}
}

// safeBuffer is a log that many write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
