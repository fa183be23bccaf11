package grpcapi_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/resolver"
	"google.golang.org/grpc/resolver/manual"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/proto"

	"footway/adapters/grpcapi"
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/adapters/memory"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
	"footway/core/task"
)

// hooked is a store of Fleet that tests look into.
type hooked struct {
	*memory.FleetStore
	calls atomic.Int64
	robot func(ctx context.Context) error // called before each read of a robot
}

func (h *hooked) Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error) {
	h.calls.Add(1)
	if err := h.robot(ctx); err != nil {
		return fleet.Robot{}, err
	}
	return h.FleetStore.Robot(ctx, id)
}

// hookedFleet returns Fleet with one robot, on a store that calls robot.
func hookedFleet(t testing.TB, robot func(ctx context.Context) error) (*fleet.Service, *hooked) {
	t.Helper()
	h := &hooked{FleetStore: memory.NewFleetStore(), robot: robot}
	if _, err := h.SaveRobot(t.Context(), fleet.Robot{ID: "r1", Market: "m", Account: "acme", State: fleet.Available}); err != nil {
		t.Fatal(err)
	}
	d := fleetDeps()
	d.Store, d.Telemetry, d.Accounts = h, memory.NewTelemetryStore(), memory.NewAccountStore()
	return fleet.NewService(d), h
}

func release(ctx context.Context, cc grpc.ClientConnInterface) error {
	return grpcapi.NewFleetClient(cc).Release(ctx, "r1", 1)
}

// TestDeadlines sees what deadline a call has where it arrives.
func TestDeadlines(t *testing.T) {
	var left time.Duration
	s, _ := hookedFleet(t, func(ctx context.Context) error {
		at, ok := ctx.Deadline()
		if !ok {
			t.Error("a call without a deadline")
		}
		left = time.Until(at)
		return nil
	})
	l := bufconn.Listen(1 << 20)
	serve(t, plain(grpcapi.Options{Fleet: s, CallDefault: 7 * time.Second, CallMax: 9 * time.Second}), l)
	cc := dial(t, l, grpcapi.DialOptions{})
	bare := pb.NewFleetClient(cc) // a client that is not ours
	for name, c := range map[string]struct {
		call func() error
		want time.Duration
	}{
		"our client, whatever its caller's": {func() error { return release(context.Background(), cc) }, 5 * time.Second},
		"our client, of a hasty caller": {func() error {
			return within(t, time.Second, func(ctx context.Context) error { return release(ctx, cc) })
		}, time.Second},
		"none": {func() error {
			_, err := bare.Release(context.Background(), &pb.ReleaseRequest{Robot: "r1"})
			return err
		}, 7 * time.Second},
		"too far": {func() error {
			return within(t, time.Hour, func(ctx context.Context) error {
				_, err := bare.Release(ctx, &pb.ReleaseRequest{Robot: "r1"})
				return err
			})
		}, 9 * time.Second},
	} {
		if err := c.call(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if left > c.want || left < c.want-900*time.Millisecond {
			t.Errorf("%s: %v are left, want %v", name, left, c.want)
		}
	}
}

func within(t *testing.T, d time.Duration, call func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return call(ctx)
}

// TestDeadlineEnds has a call end on time though its server hangs.
func TestDeadlineEnds(t *testing.T) {
	s, _ := hookedFleet(t, func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	cc := wired(t, grpcapi.Options{Fleet: s})
	began := time.Now()
	err := within(t, 100*time.Millisecond, func(ctx context.Context) error { return release(ctx, cc) })
	if !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 3*time.Second {
		t.Errorf("after %v: %v, want it unavailable by its deadline", time.Since(began), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := release(ctx, cc); !fault.Is(err, fault.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("a call of a caller that has gone: %v, want it cancelled", err)
	}
}

// TestServerDies cuts a server off in the middle of a call.
func TestServerDies(t *testing.T) {
	entered := make(chan struct{}, 1)
	s, h := hookedFleet(t, func(ctx context.Context) error { entered <- struct{}{}; <-ctx.Done(); return ctx.Err() })
	l := bufconn.Listen(1 << 20)
	server := serve(t, plain(grpcapi.Options{Fleet: s}), l)
	cc := dial(t, l, grpcapi.DialOptions{})
	done := make(chan error, 1)
	go func() { done <- release(context.Background(), cc) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	server.Stop(ctx)
	if err := <-done; !fault.Is(err, fault.Unavailable) {
		t.Errorf("a call whose server died: %v, want it unavailable", err)
	}
	if took := time.Since(began); took > 3*time.Second || h.calls.Load() != 1 {
		t.Errorf("it took %v and %d calls", took, h.calls.Load())
	}
}

// TestStopWaits lets a call in progress end, and takes no new ones.
func TestStopWaits(t *testing.T) {
	entered, gate := make(chan struct{}, 1), make(chan struct{})
	s, _ := hookedFleet(t, func(context.Context) error { entered <- struct{}{}; <-gate; return nil })
	l := bufconn.Listen(1 << 20)
	server := serve(t, plain(grpcapi.Options{Fleet: s}), l)
	cc := dial(t, l, grpcapi.DialOptions{})
	done, stopped := make(chan error, 1), make(chan struct{})
	go func() { done <- release(context.Background(), cc) }()
	<-entered
	go func() { defer close(stopped); server.Stop(context.Background()) }()
	eventually(t, "new calls are refused", func() bool {
		return within(t, time.Second, func(ctx context.Context) error { _, err := grpcapi.NewFleetClient(cc).Docks(ctx, "m"); return err }) != nil
	})
	select {
	case <-stopped:
		t.Error("the server stopped before its call ended")
	default:
	}
	close(gate)
	if err := <-done; err != nil {
		t.Errorf("the call that was in progress: %v", err)
	}
	<-stopped
}

// TestRetries counts how often calls reach a store that is not there.
func TestRetries(t *testing.T) {
	away := fault.New("store", fault.Unavailable, "down", "the store is down")
	s, h := hookedFleet(t, nil)
	h.robot = func(context.Context) error {
		if h.calls.Load() < 3 {
			return away
		}
		return nil
	}
	cc := wired(t, grpcapi.Options{Fleet: s})
	if err := release(t.Context(), cc); err != nil || h.calls.Load() != 3 {
		t.Errorf("a call that fails twice: %v after %d tries, want it to succeed at the third", err, h.calls.Load())
	}
	h.robot = func(context.Context) error { return away }
	h.calls.Store(0)
	err := grpcapi.NewFleetClient(cc).Command(t.Context(), fleet.Order{Robot: "r1", Kind: fleet.OrderHold})
	wantReason(t, "a command", err, fault.Unavailable, "down")
	if h.calls.Load() != 1 {
		t.Errorf("a command was tried %d times, want once", h.calls.Load())
	}
	h.robot = func(context.Context) error { return fault.New("store", fault.Conflict, "stale", "stale") }
	h.calls.Store(0)
	wantReason(t, "a conflict", release(t.Context(), cc), fault.Conflict, "stale")
	if h.calls.Load() != 1 {
		t.Errorf("a conflict was tried %d times, want once", h.calls.Load())
	}
}

// TestHandoffIsTriedOnce since each try of a PIN counts.
func TestHandoffIsTriedOnce(t *testing.T) {
	y := newYard(t, "r1")
	store := &away{taskStore: y.tasks}
	y.tasks = store
	r := y.replica(t, "a", limits())
	cc, err := r.dialer(t, secret)()
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	c := grpcapi.NewTaskClient(cc)
	wantReason(t, "a handoff", c.Handoff(t.Context(), task.HandoffRequest{Task: "d.1", Purpose: task.Load, Want: task.WantOpen, PIN: "1234"}), fault.Unavailable, "down")
	if n := store.calls.Swap(0); n != 1 {
		t.Errorf("a handoff was tried %d times, want once", n)
	}
	wantReason(t, "a cancellation", c.Cancel(t.Context(), "d.1", ""), fault.Unavailable, "down")
	if n := store.calls.Load(); n != 3 {
		t.Errorf("a cancellation was tried %d times, want three times", n)
	}
}

// away is a store of tasks that is not there.
type away struct {
	taskStore
	calls atomic.Int64
}

func (a *away) Task(context.Context, task.ID) (task.Task, error) {
	a.calls.Add(1)
	return task.Task{}, fault.New("store", fault.Unavailable, "down", "the store is down")
}

// TestRetryBudget has everything fail: soon nothing is tried twice.
func TestRetryBudget(t *testing.T) {
	away := fault.New("store", fault.Unavailable, "down", "the store is down")
	s, h := hookedFleet(t, func(context.Context) error { return away })
	cc := wired(t, grpcapi.Options{Fleet: s})
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() { _ = release(context.Background(), cc) })
	}
	all.Wait()
	h.calls.Store(0)
	for range 20 {
		wantReason(t, "a call", release(t.Context(), cc), fault.Unavailable, "down")
	}
	if n := h.calls.Load(); n != 20 {
		t.Errorf("20 calls, after 100 that failed, were tried %d times, want once each", n)
	}
}

// TestPanic has one call's bug end no other's.
func TestPanic(t *testing.T) {
	var log bytes.Buffer
	s, h := hookedFleet(t, func(context.Context) error { panic("the secret of the panic") })
	l := bufconn.Listen(1 << 20)
	o := plain(grpcapi.Options{Fleet: s})
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	serve(t, o, l)
	cc := dial(t, l, grpcapi.DialOptions{})
	err := release(t.Context(), cc)
	wantReason(t, "a call that panics", err, fault.Internal, "panic")
	if strings.Contains(err.Error(), "secret") || !strings.Contains(log.String(), "the secret of the panic") || !strings.Contains(log.String(), "server_test.go") {
		t.Errorf("the caller got %q, and the log %q; want the panic and its stack in the log only", err, log.String())
	}
	h.robot = func(context.Context) error { return nil }
	if err := release(t.Context(), cc); err != nil {
		t.Errorf("the next call: %v", err)
	}
}

// TestOddMessages sends what no client of ours would.
func TestOddMessages(t *testing.T) {
	s := fleetService(fleetDeps())
	cc := wired(t, grpcapi.Options{Fleet: s})
	later := append([]byte{0x0a, 0x01, 'm'}, 0xfa, 0x7f, 0x03, 'n', 'e', 'w') // market "m", and field 2047 of a later version
	q := &pb.DocksRequest{}
	if err := proto.Unmarshal(later, q); err != nil || len(q.ProtoReflect().GetUnknown()) == 0 {
		t.Fatalf("the message has no unknown field: %v", err)
	}
	if _, err := pb.NewFleetClient(cc).Docks(t.Context(), q); err != nil {
		t.Errorf("a message with a field of a later version: %v, want it read", err)
	}
	client := grpcapi.NewFleetClient(cc)
	err := client.SaveAccount(t.Context(), fleet.Account{ID: "a", Name: strings.Repeat("x", 5<<20)})
	wantReason(t, "a message of 5 MB", err, fault.Invalid, "too_large")
	err = client.SaveAccount(t.Context(), fleet.Account{ID: "a\xff"})
	wantReason(t, "text that is not UTF-8", err, fault.Invalid, "bad_text")
	err = cc.Invoke(t.Context(), "/footway.v1.Fleet/Invented", &pb.DocksRequest{}, &pb.DocksResponse{})
	if err == nil {
		t.Error("a method that does not exist was answered")
	}
}

// TestReplicasInTurn calls two replicas, of which one dies.
func TestReplicasInTurn(t *testing.T) {
	var stores [2]*hooked
	var servers [2]*grpcapi.Server
	var listeners [2]*bufconn.Listener
	for i := range stores {
		var s *fleet.Service
		s, stores[i] = hookedFleet(t, func(context.Context) error { return nil })
		listeners[i] = bufconn.Listen(1 << 20)
		servers[i] = serve(t, plain(grpcapi.Options{Fleet: s}), listeners[i])
	}
	names := manual.NewBuilderWithScheme("pair")
	names.InitialState(resolver.State{Addresses: []resolver.Address{{Addr: "0"}, {Addr: "1"}}})
	cc, err := grpcapi.Dial("pair:///fleet", grpcapi.DialOptions{Insecure: true, Token: showing(secret), Health: "footway.v1.Fleet", GRPC: []grpc.DialOption{
		grpc.WithResolvers(names), grpc.WithContextDialer(func(ctx context.Context, a string) (net.Conn, error) { return listeners[a[0]-'0'].DialContext(ctx) }),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	eventually(t, "both replicas are called", func() bool {
		if err := release(t.Context(), cc); err != nil {
			t.Fatal(err)
		}
		return stores[0].calls.Load() > 5 && stores[1].calls.Load() > 5
	})
	servers[0].SetServing(false)
	eventually(t, "the replica that does not want calls gets none", func() bool {
		before := stores[0].calls.Load()
		for range 6 {
			if err := release(t.Context(), cc); err != nil {
				t.Fatal(err)
			}
		}
		return stores[0].calls.Load() == before
	})
	servers[0].SetServing(true)
	eventually(t, "it is called again", func() bool {
		before := stores[0].calls.Load()
		if err := release(t.Context(), cc); err != nil {
			t.Fatal(err)
		}
		return stores[0].calls.Load() > before
	})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	servers[0].Stop(gone)
	for range 20 {
		if err := release(t.Context(), cc); err != nil {
			t.Errorf("with one replica dead: %v", err)
		}
	}
}

func TestHealth(t *testing.T) {
	l := bufconn.Listen(1 << 20)
	s := serve(t, plain(grpcapi.Options{Fleet: fleetService(fleetDeps()), Reflection: true}), l)
	bare, err := grpc.NewClient("passthrough:///memory", insecureOver(l)...)
	if err != nil {
		t.Fatal(err)
	}
	defer bare.Close()
	check := func(service string) (grpc_health_v1.HealthCheckResponse_ServingStatus, error) {
		a, err := grpc_health_v1.NewHealthClient(bare).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{Service: service})
		return a.GetStatus(), err
	}
	for _, service := range []string{"", "footway.v1.Fleet"} {
		if got, err := check(service); err != nil || got != grpc_health_v1.HealthCheckResponse_SERVING {
			t.Errorf("health of %q without credentials: %v, %v; want it serving", service, got, err)
		}
	}
	if _, err := check("footway.v1.Tasks"); err == nil {
		t.Error("health of a service that is not served: no error")
	}
	s.SetServing(false)
	if got, err := check("footway.v1.Fleet"); err != nil || got != grpc_health_v1.HealthCheckResponse_NOT_SERVING {
		t.Errorf("health while it is not serving: %v, %v", got, err)
	}
}

// TestWatch has a watcher see every change once its stream is cut again and again.
func TestWatch(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", limits())
	cc, err := r.dialer(t, secret)()
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	robot := &told{}
	var c *grpcapi.RobotClient
	var mu sync.Mutex
	robot.instruct = carry(&c, &mu)
	mu.Lock()
	c = robot.join(t, r.pool(t), "r1")
	mu.Unlock()
	seen := make(chan task.Change, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- grpcapi.NewTaskClient(cc).Watch(ctx, "m", "", func(list []task.Change, _ task.Cursor) error {
			for _, x := range list {
				seen <- x
			}
			return nil
		})
	}()
	q := task.CreateRequest{Market: "m", Delivery: "d1", Attempt: 1, Robot: "r1", Token: 1}
	for range 20 {
		q.Steps = append(q.Steps, task.Step{Kind: task.Wait})
	}
	if _, err := grpcapi.NewTaskClient(cc).Create(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	next := uint64(1)
	for next <= 41 {
		select {
		case x := <-seen:
			if x.Seq > next {
				t.Fatalf("change %d comes after %d", x.Seq, next-1)
			}
			if x.Seq == next {
				next++
			}
			if next%9 == 0 {
				r.cut()
			}
		case <-time.After(15 * time.Second):
			t.Fatalf("no change after %d of 41", next-1)
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v, want that its caller has gone", err)
	}
	own := fault.New("caller", fault.Unavailable, "mine", "the caller's own")
	err = grpcapi.NewTaskClient(cc).Watch(t.Context(), "m", "", func([]task.Change, task.Cursor) error { return own })
	if !errors.Is(err, own) {
		t.Errorf("the watch ended with %v, want the caller's own error", err)
	}
	err = grpcapi.NewTaskClient(cc).Watch(t.Context(), market.ID("m"), "no cursor", func([]task.Change, task.Cursor) error { return nil })
	if err == nil || fault.Is(err, fault.Unavailable) {
		t.Errorf("a watch from no cursor ended with %v, want that it is invalid", err)
	}
}

// TestBellIsHeard has a change arrive long before the next look.
func TestBellIsHeard(t *testing.T) {
	y := newYard(t)
	r := y.replica(t, "a", limits())
	cc, err := r.dialer(t, secret)()
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	stream, err := pb.NewTasksClient(cc).Watch(t.Context(), &pb.WatchRequest{Market: "m"})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := stream.Recv(); err != nil || len(a.GetChanges()) != 0 {
		t.Fatalf("the first batch is %v, %v; want it empty", a, err)
	}
	began := time.Now()
	if _, err := r.task.Create(t.Context(), task.CreateRequest{Market: "m", Delivery: "d", Attempt: 1, Robot: "r9", Token: 1, Steps: []task.Step{{Kind: task.Wait}}}); err != nil {
		t.Fatal(err)
	}
	if err := r.task.Cancel(t.Context(), "d.1", "no more"); err != nil {
		t.Fatal(err)
	}
	for {
		a, err := stream.Recv()
		if err != nil {
			t.Fatal(err)
		}
		if len(a.GetChanges()) > 0 {
			break
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("the change came after %v, want it before the next look in 2 s", took)
	}
}
