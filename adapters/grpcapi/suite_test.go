package grpcapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"footway/adapters/grpcapi"
	"footway/adapters/memory"
	"footway/core/config"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/porttest"
	"footway/core/porttest/fake"
	"footway/core/task"
)

const secret = "a shared secret of tests"

// quiet is a log that nobody reads.
var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// plain are the options of a server in plain text, where everybody who has the
// secret is a service.
func plain(o grpcapi.Options) grpcapi.Options {
	o.Insecure, o.Log = true, quiet
	o.Auth.Tokens = append(o.Auth.Tokens, grpcapi.SharedToken{Token: secret, Identity: grpcapi.Identity{Role: grpcapi.RoleService, Name: grpcapi.AnyService}})
	return o
}

// serve starts a server on l that ends with the test.
func serve(t testing.TB, o grpcapi.Options, l net.Listener) *grpcapi.Server {
	t.Helper()
	s, err := grpcapi.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.Stop(ctx)
		if ctx.Err() != nil {
			t.Error("the server did not stop in time")
		}
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

func showing(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

// dial connects to a listener in memory, with the secret unless o says otherwise.
func dial(t testing.TB, l *bufconn.Listener, o grpcapi.DialOptions) *grpc.ClientConn {
	t.Helper()
	if o.TLS == nil {
		o.Insecure = true
		if o.Token == nil {
			o.Token = showing(secret)
		}
	}
	o.GRPC = append(o.GRPC, grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }))
	cc, err := grpcapi.Dial("passthrough:///memory", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cc.Close(); err != nil {
			t.Error(err)
		}
	})
	return cc
}

// wired starts a server in plain text and returns a connection to it.
func wired(t testing.TB, o grpcapi.Options) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 20)
	serve(t, plain(o), l)
	return dial(t, l, grpcapi.DialOptions{})
}

func fleetService(d fleet.Deps) *fleet.Service {
	d.Store, d.Telemetry, d.Accounts = memory.NewFleetStore(), memory.NewTelemetryStore(), memory.NewAccountStore()
	return fleet.NewService(d)
}

func TestFleet(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		porttest.FleetService(t, func(_ *testing.T, d fleet.Deps) (*fleet.Service, porttest.FleetPorts) {
			s := fleetService(d)
			return s, s
		})
	})
	t.Run("gRPC", func(t *testing.T) {
		porttest.FleetService(t, func(t *testing.T, d fleet.Deps) (*fleet.Service, porttest.FleetPorts) {
			s := fleetService(d)
			return s, grpcapi.NewFleetClient(wired(t, grpcapi.Options{Fleet: s}))
		})
	})
}

func taskService(d task.Deps) *task.Service {
	store := memory.NewTaskStore()
	d.Store, d.Active = store, store
	return task.NewService(d)
}

func TestTask(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		porttest.TaskService(t, func(_ *testing.T, d task.Deps) (*task.Service, porttest.TaskPorts) {
			s := taskService(d)
			return s, s
		})
	})
	t.Run("gRPC", func(t *testing.T) {
		porttest.TaskService(t, func(t *testing.T, d task.Deps) (*task.Service, porttest.TaskPorts) {
			s := taskService(d)
			return s, grpcapi.NewTaskClient(wired(t, grpcapi.Options{Task: s}))
		})
	})
}

func mapsService(t testing.TB, n *maps.Network, d porttest.MapsDeps) *maps.Service {
	t.Helper()
	store := memory.NewMapStore()
	if err := store.SaveNetwork(t.Context(), "m", n); err != nil {
		t.Fatal(err)
	}
	s := maps.NewService(store, d.Clock, d.Timers, d.Journal)
	if err := s.Open(t.Context(), "m", maps.OpenOptions{Profile: maps.DefaultProfile()}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMaps(t *testing.T) {
	t.Run("in process", func(t *testing.T) {
		porttest.MapsService(t, func(t *testing.T, n *maps.Network, d porttest.MapsDeps) (*maps.Service, porttest.MapsPorts) {
			s := mapsService(t, n, d)
			return s, s
		})
	})
	t.Run("gRPC", func(t *testing.T) {
		porttest.MapsService(t, func(t *testing.T, n *maps.Network, d porttest.MapsDeps) (*maps.Service, porttest.MapsPorts) {
			s := mapsService(t, n, d)
			return s, grpcapi.NewMapsClient(wired(t, grpcapi.Options{Maps: s}))
		})
	})
}

// configs holds a configuration that never goes back, as a config.Follower does.
type configs struct{ now atomic.Pointer[config.Config] }

// Config implements grpcapi.Configs.
func (c *configs) Config() *config.Config { return c.now.Load() }

func (c *configs) put(next *config.Config) {
	if old := c.now.Load(); old == nil || old.Version() < next.Version() {
		c.now.Store(next)
	}
}

func TestConfig(t *testing.T) {
	porttest.ConfigSource(t, func(t *testing.T, c *config.Config) (config.Source, func(*config.Config)) {
		from := &configs{}
		from.put(c)
		bell := grpcapi.NewBell()
		client := follow(t, wired(t, grpcapi.Options{Config: from, ConfigBell: bell}), nil)
		return client, func(c *config.Config) {
			from.put(c)
			bell.Changed(t.Context(), "")
			eventually(t, "the client has the version in force", func() bool { return client.Status().Version == from.Config().Version() })
		}
	})
}

// follow returns a client that follows until the test ends.
func follow(t testing.TB, cc grpc.ClientConnInterface, k config.Keeper) *grpcapi.ConfigClient {
	t.Helper()
	client, err := grpcapi.FollowConfig(t.Context(), grpcapi.NewConfigDocument("tests", cc), fake.NewClock(fake.Start), k, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = client.Run(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return client
}

// eventually waits until ok, for a while.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never became so: %s", what)
		}
	}
}
