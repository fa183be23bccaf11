package grpcapi_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"footway/adapters/grpcapi"
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/lease"
	"footway/core/task"
)

// speak opens a robot's stream by hand, says what is given, and returns the
// error with which the server ends it.
func speak(t *testing.T, r *replica, token, wire string, says ...*pb.Up) error {
	t.Helper()
	cc, err := r.dialer(t, token)()
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	connect := pb.NewFleetRobotsClient(cc).Connect
	if wire == "task" {
		connect = pb.NewTaskRobotsClient(cc).Connect
	}
	stream, err := connect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range says {
		if stream.Send(m) != nil {
			break
		}
	}
	for {
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
}

func hello(robot, account string) *pb.Up {
	return &pb.Up{Says: &pb.Up_Hello{Hello: &pb.Hello{Robot: robot, Account: account, Protocol: 1}}}
}

func telemetry(number uint64, robot string) *pb.Up {
	return &pb.Up{Number: number, Says: &pb.Up_Telemetry{Telemetry: &pb.Telemetry{Robot: robot, AtMs: 1, Activity: "idle", Mode: "AUTOMATIC"}}}
}

// TestStrangersOnStreams lists what a robot may not do, and what it is told.
func TestStrangersOnStreams(t *testing.T) {
	y := newYard(t, "r1", "r2")
	y.robot(t, "x1", "rival")
	if err := y.accounts.SaveAccount(t.Context(), fleet.Account{ID: "idle", Suspended: true}); err != nil {
		t.Fatal(err)
	}
	y.robot(t, "s1", "idle")
	y.robot(t, "gone", "acme")
	lim := limits()
	lim.HelloWithin, lim.Window, lim.PerSecond = 200*time.Millisecond, 4, 50
	r := y.replica(t, "a", lim, func(o *grpcapi.Options, _ *grpcapi.LinkOptions) {
		o.Auth.Tokens = append(o.Auth.Tokens, grpcapi.SharedToken{Token: "idle's", Identity: grpcapi.Identity{Role: grpcapi.RoleAccount, Name: "idle"}})
	})
	if err := r.fleet.Remove(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	flood := []*pb.Up{hello("r1", "acme")}
	for range 60 {
		flood = append(flood, &pb.Up{Says: &pb.Up_Beat{Beat: &pb.Beat{}}})
	}
	for name, c := range map[string]struct {
		token, wire string
		says        []*pb.Up
		code        codes.Code
		reason      string
	}{
		"no token":                         {"", "fleet", nil, codes.Unauthenticated, "unauthenticated"},
		"an unknown token":                 {"guess", "fleet", nil, codes.Unauthenticated, "unauthenticated"},
		"a service is no robot":            {secret, "fleet", nil, codes.PermissionDenied, "wrong_role"},
		"another account's robot":          {"acme's", "fleet", []*pb.Up{hello("x1", "rival")}, codes.PermissionDenied, "not_yours"},
		"another's robot as one's own":     {"acme's", "task", []*pb.Up{hello("x1", "acme")}, codes.PermissionDenied, "not_yours"},
		"an unknown robot":                 {"acme's", "fleet", []*pb.Up{hello("none", "acme")}, codes.PermissionDenied, "not_yours"},
		"a robot as another":               {"r1's", "fleet", []*pb.Up{hello("r2", "acme")}, codes.PermissionDenied, "not_yours"},
		"a robot for another account":      {"r1's", "fleet", []*pb.Up{hello("r1", "rival")}, codes.PermissionDenied, "not_yours"},
		"a suspended account":              {"idle's", "fleet", []*pb.Up{hello("s1", "idle")}, codes.PermissionDenied, "suspended"},
		"a removed robot":                  {"acme's", "fleet", []*pb.Up{hello("gone", "acme")}, codes.PermissionDenied, "removed"},
		"no hello":                         {"acme's", "fleet", nil, codes.Unavailable, "no_hello"},
		"something before hello":           {"acme's", "fleet", []*pb.Up{telemetry(1, "r1")}, codes.InvalidArgument, "no_hello"},
		"hello of another protocol":        {"acme's", "fleet", []*pb.Up{{Says: &pb.Up_Hello{Hello: &pb.Hello{Robot: "r1", Account: "acme", Protocol: 9}}}}, codes.InvalidArgument, "bad_protocol"},
		"hello twice":                      {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), hello("r1", "acme")}, codes.InvalidArgument, "bad_message"},
		"nothing at all said":              {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), {Number: 1}}, codes.InvalidArgument, "bad_message"},
		"telemetry of another robot":       {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), telemetry(1, "r2")}, codes.PermissionDenied, "not_yours"},
		"a report of another robot":        {"acme's", "task", []*pb.Up{hello("r1", "acme"), {Number: 1, Says: &pb.Up_Report{Report: &pb.Report{Robot: "r2"}}}}, codes.PermissionDenied, "not_yours"},
		"a report to Fleet":                {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), {Number: 1, Says: &pb.Up_Report{Report: &pb.Report{}}}}, codes.InvalidArgument, "bad_message"},
		"telemetry to Task":                {"acme's", "task", []*pb.Up{hello("r1", "acme"), telemetry(1, "r1")}, codes.InvalidArgument, "bad_message"},
		"numbers that do not rise":         {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), telemetry(2, ""), telemetry(2, "")}, codes.InvalidArgument, "bad_number"},
		"a number of 0":                    {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), telemetry(0, "")}, codes.InvalidArgument, "bad_number"},
		"a message of 20 kB":               {"acme's", "fleet", []*pb.Up{hello("r1", "acme"), telemetry(1, strings.Repeat("x", 20_000))}, codes.InvalidArgument, "too_large"},
		"more messages than anybody needs": {"acme's", "fleet", flood, codes.ResourceExhausted, "too_fast"},
		"silence":                          {"acme's", "fleet", []*pb.Up{hello("r1", "acme")}, codes.Unavailable, "silent"},
	} {
		t.Run(name, func(t *testing.T) {
			err := speak(t, r, c.token, c.wire, c.says...)
			if status.Code(err) != c.code || reasonOnWire(err) != c.reason && c.code != codes.Unauthenticated {
				t.Errorf("it ended with %v, reason %q; want %v, %q", err, reasonOnWire(err), c.code, c.reason)
			}
		})
	}
	eventually(t, "nobody is connected", func() bool { return r.orders.Connected()+r.steps.Connected() == 0 })
}

// TestGoodbye has a robot end its stream in good order.
func TestGoodbye(t *testing.T) {
	y := newYard(t, "r1")
	var log bytes.Buffer
	r := y.replica(t, "a", limits(), func(o *grpcapi.Options, _ *grpcapi.LinkOptions) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	cc, err := r.dialer(t, "acme's")()
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	stream, err := pb.NewFleetRobotsClient(cc).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(hello("r1", "acme")); err != nil {
		t.Fatal(err)
	}
	if d, err := stream.Recv(); err != nil || d.GetWelcome().GetWindow() == 0 {
		t.Fatalf("the first word is %v, %v; want a welcome", d, err)
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v, want that all is said", err)
	}
	eventually(t, "it has left", func() bool { return r.orders.Connected() == 0 })
	if log.Len() > 0 {
		t.Errorf("the log has %q, want nothing", log.String())
	}
}

// stuck is a store that does not answer.
type stuck struct{ taskStore }

func (s stuck) Task(ctx context.Context, _ task.ID) (task.Task, error) {
	<-ctx.Done()
	return task.Task{}, ctx.Err()
}

// TestWindow has a robot say more than may be unacknowledged, while nothing is acknowledged.
func TestWindow(t *testing.T) {
	y := newYard(t, "r1")
	y.tasks = stuck{y.tasks}
	lim := limits()
	lim.Window = 4
	r := y.replica(t, "a", lim)
	says := []*pb.Up{hello("r1", "acme")}
	for n := range uint64(5) {
		says = append(says, &pb.Up{Number: n + 1, Says: &pb.Up_Report{Report: &pb.Report{Task: "d.1", Token: 1, Number: n + 1, Kind: "started"}}})
	}
	if err := speak(t, r, "acme's", "task", says[:5]...); reasonOnWire(err) != "silent" {
		t.Errorf("with four reports unacknowledged the stream ended with %v, want it only silent", err)
	}
	if err := speak(t, r, "acme's", "task", says...); reasonOnWire(err) != "window" {
		t.Errorf("with five reports unacknowledged the stream ended with %v, want more than its window", err)
	}
}

// unwell is a directory that has trouble of its own.
type unwell struct{ grpcapi.Directory }

func (unwell) Robot(context.Context, fleet.RobotID) (fleet.Robot, error) {
	return fleet.Robot{}, errors.New("connect to 10.0.0.7: refused")
}

// TestUnknowable has nobody able to say whose a robot is.
func TestUnknowable(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", limits(), func(o *grpcapi.Options, _ *grpcapi.LinkOptions) { o.Robots = unwell{} })
	err := speak(t, r, "acme's", "task", hello("r1", "acme"))
	if reasonOnWire(err) != "no_directory" || status.Code(err) != codes.Unavailable || strings.Contains(err.Error(), "10.0.0.7") {
		t.Errorf("the stream ended with %v, want it unavailable, and our trouble kept to ourselves", err)
	}
}

// TestTooManyRobots limits how many robots of an account are connected.
func TestTooManyRobots(t *testing.T) {
	y := newYard(t, "r1", "r2", "r3")
	lim := limits()
	lim.PerAccount = 2
	r := y.replica(t, "a", lim)
	p := r.pool(t)
	one := (&told{}).join(t, p, "r1")
	(&told{}).join(t, p, "r2")
	if err := speak(t, r, "acme's", "fleet", hello("r3", "acme")); status.Code(err) != codes.ResourceExhausted || reasonOnWire(err) != "too_many_robots" {
		t.Errorf("the third robot of two: %v, want too_many_robots", err)
	}
	(&told{}).join(t, r.pool(t), "r2") // in place of itself
	one.Close()
	eventually(t, "there is room", func() bool { return r.orders.Connected() == 1 && r.steps.Connected() == 1 })
	(&told{}).join(t, p, "r3")
}

// TestStaleSeats has entries that point to where a robot is no more.
func TestStaleSeats(t *testing.T) {
	y := newYard(t, "r1")
	a, b := y.replica(t, "a", limits()), y.replica(t, "b", limits())
	seat := func(l lease.Lease) {
		t.Helper()
		old, err := y.seats.Lease(t.Context(), "robot/fleet/r1")
		if err != nil && !fault.Is(err, fault.NotFound) {
			t.Fatal(err)
		}
		l.Name, l.Revision = "robot/fleet/r1", old.Revision
		if _, err := y.seats.SaveLease(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	later := clock.Of(time.Now()).Add(clock.Hour)
	o := fleet.Order{Robot: "r1", Token: 1, Kind: fleet.OrderHold}
	for name, l := range map[string]lease.Lease{
		"a process that died":            {Holder: "process/dead", Address: "dead", Expires: later, Term: 3},
		"a replica that has it no more":  {Holder: "process/b", Address: "b", Expires: later, Term: 3},
		"this replica, an earlier life":  {Holder: "process/a", Address: "a", Expires: later, Term: 3},
		"an expired entry":               {Holder: "process/b", Address: "b", Expires: 1, Term: 3},
		"an entry that was given back":   {Holder: "process/b", Address: "b", Expires: 0, Term: 3},
		"an address that cannot be read": {Holder: "process/x", Address: "\x00", Expires: later, Term: 3},
	} {
		seat(l)
		wantReason(t, name, a.orders.Command(t.Context(), o), fault.Unavailable, "no_contact")
	}
	robot := &told{}
	c := robot.join(t, b.pool(t), "r1")
	token := b.available(t, c, "r1")
	o.Token = token
	if err := a.fleet.Command(t.Context(), o); err != nil {
		t.Errorf("after the robot came back: %v", err)
	}
}

// lagging returns an old entry the first time.
type lagging struct {
	lease.Store
	old  *lease.Lease
	asks int
}

func (l *lagging) Lease(ctx context.Context, name string) (lease.Lease, error) {
	l.asks++
	if l.asks == 1 {
		return *l.old, nil
	}
	return l.Store.Lease(ctx, name)
}

// TestOneStaleEntryCostsOneLook has a robot that has just moved from b to c, as a sees it.
func TestOneStaleEntryCostsOneLook(t *testing.T) {
	y := newYard(t, "r1")
	lag := &lagging{Store: y.seats, old: &lease.Lease{Holder: "process/b", Address: "b", Expires: clock.Of(time.Now()).Add(clock.Hour), Term: 1}}
	a := y.replica(t, "a", limits(), func(_ *grpcapi.Options, l *grpcapi.LinkOptions) { l.Seats = lag })
	y.replica(t, "b", limits())
	c := y.replica(t, "c", limits())
	first := &told{} // on b's term: the seat of c is of a later one
	client := first.join(t, c.pool(t), "r1")
	token := c.available(t, client, "r1")
	client.Close()
	eventually(t, "it left", func() bool { return c.orders.Connected() == 0 })
	second := &told{}
	second.join(t, c.pool(t), "r1")
	if err := a.orders.Command(t.Context(), fleet.Order{Robot: "r1", Token: token, Kind: fleet.OrderHold}); err != nil {
		t.Errorf("a command with one stale entry on the way: %v", err)
	}
	if lag.asks != 2 || !second.see(func() bool { return len(second.orders) == 1 })() {
		t.Errorf("%d looks and %d orders, want two and one", lag.asks, len(second.orders))
	}
}

// TestTakenElsewhere has a robot connect to another replica without leaving the first.
func TestTakenElsewhere(t *testing.T) {
	y := newYard(t, "r1")
	a, b := y.replica(t, "a", limits()), y.replica(t, "b", limits())
	first, second := &told{}, &told{}
	first.join(t, a.pool(t), "r1")
	second.join(t, b.pool(t), "r1")
	eventually(t, "the first replica lets it go", func() bool { return a.orders.Connected() == 0 && a.steps.Connected() == 0 })
	if n := b.orders.Connected() + b.steps.Connected(); n != 2 {
		t.Errorf("the second has %d streams, want two", n)
	}
	wantReason(t, "a robot that nobody reserved", a.fleet.Command(t.Context(), fleet.Order{Robot: "r1", Token: 9, Kind: fleet.OrderHold}), fault.Conflict, "old_token")
}

// TestDrain stops the replica that has a robot: it goes to another.
func TestDrain(t *testing.T) {
	y := newYard(t, "r1")
	a := y.replica(t, "a", limits())
	robot := &told{}
	robot.join(t, a.pool(t), "r1")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	began := time.Now()
	a.server.Stop(ctx)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("a stop with robots connected took %v", took)
	}
	eventually(t, "the robot learns why", robot.see(func() bool {
		for _, reason := range robot.down {
			if reason == "stopping" {
				return true
			}
		}
		return false
	}))
	if l, err := y.seats.Lease(t.Context(), "robot/fleet/r1"); err != nil || l.Expires != 0 {
		t.Errorf("its seat is %+v, %v; want it given back", l, err)
	}
}
