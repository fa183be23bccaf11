package system_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/secret"
	"footway/cmd/stores"
	"footway/cmd/stores/storetest"
)

const (
	city    = "city" // the market, and its network
	account = "acme-robots"
	tenant  = "acme" // the partner

	released = "FOOTWAY_SYSTEM_PROGRAM" // names a program to be tested in place of one that is built
)

// replicas says how many processes each service has; one where nothing is said.
type replicas map[string]int

// several has every kind of work that replicas share.
var several = replicas{"fleet": 2, "task": 2, "dispatch": 2, "deliveries": 2, "integrations": 2}

// stack is a deployment with its processes.
type stack struct {
	t        testing.TB
	folder   string
	program  string
	config   string // the deployment file
	d        stores.Deployment
	fronts   map[string]*front
	services []*process
	others   []*process
	watched  sync.WaitGroup
}

// building builds the program once for all tests. FOOTWAY_SYSTEM_PROGRAM is tried instead, such as a release.
var building = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(released); path != "" {
		return path, nil
	}
	folder, err := os.MkdirTemp("", "footway-system-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "footway")
	out, err := exec.Command("go", "build", "-o", path, "footway/cmd/footway").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := building(); err == nil && os.Getenv(released) == "" {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// settings are short waits, for robots that live many times faster than services think.
const settings = `version: 1
defaults:
  dispatch: {round_every: 1s, round_soon: 100ms, round_gap: 500ms, idle_every: 5s, lazy: false, max_pickup_wait: 24h, give_up_after: 24h}
  delivery:
    {retry_every: 500ms, ask_every: 5s, start_wait: 1m, pickup_wait: 1m, pickup_wait_max: 2m, dropoff_wait: 1m, return_wait: 1m,
     exchange_grace: 30s, late_grace: 1m, transfer_wait: 5m}
  fleet: {silence_after: 20s, missing_after: 2m}
  task: {confirm_after_close: 1s, open_for: 20s, tell_every: 1s, drop_for: 1m, pin_lock: 10s}
`

// newStack prepares a deployment of its own on the test backends. Change, if not nil, changes it first.
func newStack(t testing.TB, n replicas, change func(*stores.Deployment)) *stack {
	t.Helper()
	s := &stack{t: t, d: storetest.Deployment(t), folder: t.TempDir(), fronts: map[string]*front{}}
	var err error
	if s.program, err = building(); err != nil {
		t.Fatal(err)
	}
	s.d.Tables.Endpoint = tablesBehind(t, s.d.Tables.Endpoint)
	s.describe(n)
	if change != nil {
		change(&s.d)
	}
	text, err := json.MarshalIndent(s.d, "", "  ") // which is YAML too
	if err != nil {
		t.Fatal(err)
	}
	s.config = filepath.Join(s.folder, "footway.yaml")
	for path, text := range map[string][]byte{s.config: text, s.d.Configuration.From: []byte(settings)} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.run("stores", "prepare", "--config", s.config)
	s.run("stores", "load-map", city, "--market", city, "--config", s.config)
	return s
}

// describe completes the deployment: services with addresses, tokens, a sandbox.
func (s *stack) describe(replicas replicas) {
	d := &s.d
	d.Markets = []stores.Market{{ID: city, TimeZone: "UTC", Sandbox: true}}
	d.Configuration.From = filepath.Join(s.folder, "settings.yaml")
	d.Journal.Folder = filepath.Join(s.folder, "journal")
	d.Security.Wires = "plain"
	d.Security.OperatorToken = s.given("OPERATOR_TOKEN", "operator's token, long enough")
	d.Security.Simulator = s.given("SIMULATOR_TOKEN", "people's token, long enough too")
	d.Security.Digests = s.given("DIGEST_KEY", strings.Repeat("d", 32))
	d.Security.Passes = s.given("PASS_KEY", strings.Repeat("p", 32))
	d.Security.Accounts = []stores.Account{{ID: account, Token: s.given("ROBOTS_TOKEN", "robots' token, long enough too"), Keys: []stores.AccountKey{}}}
	d.Integrations.SealKey = s.given("SEAL_KEY", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 32))))
	d.Integrations.PrivateURLs, d.Integrations.PerMinute = true, 1_000_000
	for _, name := range stores.ServiceNames {
		var at []string
		for n := range max(1, replicas[name]) {
			address, admin := freeAddress(s.t), freeAddress(s.t)
			at = append(at, address)
			p := newProcess(s.folder, fmt.Sprintf("%s %d", name, n+1), s.program, "serve", name, "--config", filepath.Join(s.folder, "footway.yaml"),
				"--listen", name+"="+address, "--listen", "telemetry="+admin, "--drain", "5s", "--lease", "5s")
			p.health = "http://" + admin + "/readyz"
			s.services = append(s.services, p)
		}
		f := newFront(s.t, at...)
		s.fronts[name] = f
		of := d.Services.Of(name)
		of.Listen, of.Token = at[0], s.given(name+"_TOKEN", "the token of "+name+", long enough")
		of.Address = "passthrough:///" + f.address()
		if slices.Contains([]string{"integrations", "deliveries", "dispatch"}, name) {
			of.Address = "http://" + f.address()
		}
	}
}

// given puts a secret into the environment and returns a reference to it.
func (s *stack) given(name, text string) secret.Reference {
	s.t.Helper()
	name = "FOOTWAY_SYSTEM_" + strings.ToUpper(name)
	s.t.Setenv(name, text)
	ref, err := secret.Parse("env:" + name)
	if err != nil {
		s.t.Fatal(err)
	}
	return ref
}

// run runs the program to its end and returns what it prints.
func (s *stack) run(args ...string) []byte {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("footway %s: %v\n%s%s", strings.Join(args, " "), err, out.Bytes(), errs.Bytes())
	}
	return out.Bytes()
}

// ask is run with --json, whose answer is read into v.
func (s *stack) ask(v any, args ...string) {
	s.t.Helper()
	out := s.run(append(args, "--json", "--config", s.config)...)
	if err := json.Unmarshal(out, v); err != nil {
		s.t.Fatalf("footway %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// start starts every service and waits until all of them serve.
func (s *stack) start() {
	s.t.Helper()
	s.t.Cleanup(s.end)
	for _, p := range s.services {
		if err := p.start(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.serving()
}

// serving waits until all services serve.
func (s *stack) serving() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	for _, p := range s.services {
		if err := p.ready(ctx); err != nil {
			s.t.Fatalf("%v; its log ends with\n%s", err, p.last(15))
		}
	}
}

// robots starts the fleet, with people at its hatches, and waits until it is heard of.
func (s *stack) robots(count int, speed string, set ...string) *process {
	s.t.Helper()
	args := []string{"robots", "--fleet", s.d.Services.Fleet.Address, "--task", s.d.Services.Task.Address, "--plain", "--account", account, "--register",
		"--operator-token", s.d.Security.OperatorToken.String(), "--token", s.d.Security.Accounts[0].Token.String(),
		"--market", city, "--market-id", city, "--count", fmt.Sprint(count), "--speed", speed, "--json",
		"--people", s.d.Services.Deliveries.Address, "--people-token", s.d.Security.Simulator.String(), "--partner", tenant}
	for _, v := range set {
		args = append(args, "--set", v)
	}
	p := newProcess(s.folder, "robots", s.program, args...)
	if err := p.start(); err != nil {
		s.t.Fatal(err)
	}
	s.others = append(s.others, p)
	fleet, within := grpcapi.NewFleetClient(s.dial("fleet")), time.Now().Add(time.Minute)
	for {
		ready, err := fleet.Candidates(s.t.Context(), city)
		if len(ready) == count {
			return p
		}
		if died := p.died(); died != nil || time.Now().After(within) {
			s.t.Fatalf("%d of %d robots are ready (%v): %v\n%s", len(ready), count, err, died, p.last(10))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// dial returns a connection to a service, as an operator has it.
func (s *stack) dial(service string) *grpc.ClientConn {
	s.t.Helper()
	cc, err := grpcapi.Dial(s.d.Services.Of(service).Address, grpcapi.DialOptions{Insecure: true, Token: func(context.Context) (string, error) {
		return os.Getenv(strings.TrimPrefix(s.d.Security.OperatorToken.String(), "env:")), nil
	}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cc.Close() })
	return cc
}

// watch returns a context that ends when a process has that nobody had asked to.
func (s *stack) watch(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(ctx)
	s.watched.Go(func() {
		for ctx.Err() == nil {
			if err := s.alive(); err != nil {
				cancel(err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
	s.t.Cleanup(func() {
		cancel(nil)
		s.watched.Wait()
	})
	return ctx
}

// alive returns an error for each process that ended and that nobody had asked to.
func (s *stack) alive() error {
	var errs []error
	for _, p := range slices.Concat(s.services, s.others) {
		errs = append(errs, p.died())
	}
	return errors.Join(errs...)
}

// end kills what still runs. If the test has failed it shows how the logs end.
func (s *stack) end() {
	for _, p := range slices.Concat(s.others, s.services) {
		p.kill()
	}
	if !s.t.Failed() {
		return
	}
	for _, p := range slices.Concat(s.services, s.others) {
		lines := 3
		if p.died() != nil {
			lines = 30
		}
		s.t.Logf("the log of %s (%d lives) ends with\n%s\n", p.name, p.lives, p.last(lines))
	}
	if keep := os.Getenv("FOOTWAY_SYSTEM_KEEP"); keep != "" { // what a person wants to look into
		s.t.Log(os.CopyFS(filepath.Join(keep, filepath.Base(s.folder)+"-"+time.Now().Format("150405")), os.DirFS(s.folder)))
	}
}
