package grpcapi_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"

	"footway/adapters/grpcapi"
	"footway/adapters/memory"
	"footway/adapters/wallclock"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/task"
)

// now is the wall clock.
type now struct{}

func (now) Now() clock.Time { return clock.Of(time.Now()) }

// nowhere is a journal that keeps nothing.
type nowhere struct{}

func (nowhere) Append(context.Context, event.Event) {}

// yard is what all replicas of Fleet and Task share: the stores, and who is connected where.
type yard struct {
	fleet     *memory.FleetStore
	telemetry fleet.TelemetryStore
	accounts  *memory.AccountStore
	tasks     taskStore
	seats     *memory.LeaseStore

	mu       sync.Mutex
	replicas map[string]*replica // by address
}

type taskStore interface {
	task.Store
	task.ActiveStore
}

func newYard(t testing.TB, robots ...fleet.RobotID) *yard {
	t.Helper()
	y := &yard{
		fleet: memory.NewFleetStore(), telemetry: memory.NewTelemetryStore(), accounts: memory.NewAccountStore(),
		tasks: memory.NewTaskStore(), seats: memory.NewLeaseStore(), replicas: map[string]*replica{},
	}
	for _, a := range []fleet.Account{{ID: "acme", Name: "Acme"}, {ID: "rival", Name: "Rival"}} {
		if err := y.accounts.SaveAccount(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range robots {
		y.robot(t, id, "acme")
	}
	return y
}

func (y *yard) robot(t testing.TB, id fleet.RobotID, account fleet.AccountID) {
	t.Helper()
	_, err := y.fleet.SaveRobot(t.Context(), fleet.Robot{
		ID: id, Market: "m", Account: account, Kind: fleet.KindRobot, CapacityMWh: 1000, SpeedMMS: 1500,
		Capability: fleet.Load{LengthMM: 1, WidthMM: 1, HeightMM: 1, Grams: 1}, State: fleet.NonOperational, StateSince: clock.Of(time.Now()),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// replica is one process that serves Fleet and Task.
type replica struct {
	y       *yard
	address string
	fleet   *fleet.Service
	task    *task.Service
	orders  *grpcapi.FleetLink
	steps   *grpcapi.TaskLink
	server  *grpcapi.Server

	mu    sync.Mutex
	l     *bufconn.Listener
	conns []net.Conn // of robots and peers, to be cut
}

// limits let tests end soon.
func limits() grpcapi.LinkLimits {
	return grpcapi.LinkLimits{Beat: 100 * time.Millisecond, Every: time.Millisecond, DeliverWithin: 500 * time.Millisecond, SeatLife: time.Second, PerSecond: 100_000}
}

// replica starts one more process.
func (y *yard) replica(t testing.TB, address string, lim grpcapi.LinkLimits, edit ...func(*grpcapi.Options, *grpcapi.LinkOptions)) *replica {
	t.Helper()
	r := &replica{y: y, address: address, l: bufconn.Listen(1 << 20)}
	lo := grpcapi.LinkOptions{Log: quiet, Limits: lim, Seats: y.seats, Replica: "process/" + address, Address: address, Peer: y.peer(t)}
	o := plain(grpcapi.Options{})
	o.Auth.Tokens = append(o.Auth.Tokens, grpcapi.SharedToken{Token: "acme's", Identity: grpcapi.Identity{Role: grpcapi.RoleAccount, Name: "acme"}},
		grpcapi.SharedToken{Token: "r1's", Identity: grpcapi.Identity{Role: grpcapi.RoleRobot, Name: "r1"}})
	for _, e := range edit {
		e(&o, &lo)
	}
	r.orders, r.steps = grpcapi.NewFleetLink(lo), grpcapi.NewTaskLink(lo)
	timers := wallclock.NewTimers()
	r.fleet = fleet.NewService(fleet.Deps{
		Store: y.fleet, Telemetry: y.telemetry, Accounts: y.accounts, Link: r.orders, Clock: now{}, Timers: timers, Journal: nowhere{},
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	})
	o.TaskBell = grpcapi.NewBell()
	r.task = task.NewService(task.Deps{
		Store: y.tasks, Active: y.tasks, Link: r.steps, Clock: now{}, Timers: timers, Journal: nowhere{}, Notifier: o.TaskBell,
		Settings: func(market.ID) task.Settings { return task.DefaultSettings() },
	})
	o.Fleet, o.Task, o.FleetRobots, o.TaskRobots = r.fleet, r.task, r.orders, r.steps
	r.server = serve(t, o, r.l)
	y.mu.Lock()
	y.replicas[address] = r
	y.mu.Unlock()
	return r
}

// conn opens a connection to the replica, in memory, that cut cuts.
func (r *replica) conn(ctx context.Context) (net.Conn, error) {
	r.mu.Lock()
	l := r.l
	r.mu.Unlock()
	c, err := l.DialContext(ctx)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.conns = append(r.conns, c)
	return c, nil
}

// cut cuts all connections to the replica, as a network does: without a word.
func (r *replica) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		_ = c.Close()
	}
	r.conns = nil
}

// dialer connects to the replica, showing a token.
func (r *replica) dialer(t testing.TB, token string) func() (*grpc.ClientConn, error) {
	return func() (*grpc.ClientConn, error) {
		return grpcapi.Dial("passthrough:///"+r.address, grpcapi.DialOptions{Insecure: true, Token: showing(token), GRPC: []grpc.DialOption{
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return r.conn(ctx) }), quickly,
		}})
	}
}

// peer connects replicas with each other. One that nobody started is not reached.
func (y *yard) peer(t testing.TB) func(address string) (grpc.ClientConnInterface, error) {
	var mu sync.Mutex
	conns := map[string]*grpc.ClientConn{}
	t.Cleanup(func() {
		for _, c := range conns {
			_ = c.Close()
		}
	})
	return func(address string) (grpc.ClientConnInterface, error) {
		mu.Lock()
		defer mu.Unlock()
		if conns[address] != nil {
			return conns[address], nil
		}
		cc, err := grpcapi.Dial("passthrough:///"+address, grpcapi.DialOptions{Insecure: true, Token: showing(secret), GRPC: []grpc.DialOption{
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
				y.mu.Lock()
				r := y.replicas[address]
				y.mu.Unlock()
				if r == nil {
					return nil, &net.OpError{Op: "dial", Err: net.ErrClosed}
				}
				return r.conn(ctx)
			}), quickly,
		}})
		if err == nil {
			conns[address] = cc
		}
		return cc, err
	}
}

// pool returns a pool of robots of acme that connect to r.
func (r *replica) pool(t testing.TB) *grpcapi.RobotPool {
	t.Helper()
	p := grpcapi.NewRobotPool(r.dialer(t, "acme's"), r.dialer(t, "acme's"))
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// told is a robot that remembers what it was told.
type told struct {
	mu           sync.Mutex
	orders       []fleet.Order
	instructions []task.Instruction
	refused      []string
	noTask       int
	down         []string
	up           map[string]bool
	err          error // of what it is told

	instruct func(in task.Instruction)
}

func (x *told) Order(o fleet.Order) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.orders = append(x.orders, o)
	return x.err
}

func (x *told) Instruct(in task.Instruction) error {
	x.mu.Lock()
	x.instructions = append(x.instructions, in)
	do, err := x.instruct, x.err
	x.mu.Unlock()
	if do != nil {
		do(in)
	}
	return err
}

func (x *told) Refused(_ task.Report, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.refused = append(x.refused, fault.ReasonOf(err))
}

func (x *told) NoTask() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.noTask++
}

func (x *told) connected(wire string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.up == nil {
		x.up = map[string]bool{}
	}
	x.up[wire] = err == nil
	if err != nil {
		x.down = append(x.down, fault.ReasonOf(err))
	}
}

// see reports whether ok holds for what the robot was told.
func (x *told) see(ok func() bool) func() bool {
	return func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return ok()
	}
}

// join connects a robot of acme and waits until it is.
func (x *told) join(t testing.TB, p *grpcapi.RobotPool, id fleet.RobotID) *grpcapi.RobotClient {
	t.Helper()
	c := p.Connect(grpcapi.RobotOptions{ID: id, Account: "acme", Handler: x, Connected: x.connected})
	t.Cleanup(c.Close)
	eventually(t, string(id)+" is connected", x.see(func() bool { return x.up["fleet"] && x.up["task"] }))
	return c
}

func idle(id fleet.RobotID) fleet.Telemetry {
	return fleet.Telemetry{Robot: id, At: clock.Of(time.Now()), ChargeMWh: 900, Activity: fleet.Idle, Mode: fleet.Automatic}
}

// available has a robot report until Fleet counts on it, and reserves it.
func (r *replica) available(t testing.TB, c *grpcapi.RobotClient, id fleet.RobotID) (token uint64) {
	t.Helper()
	c.Telemetry(idle(id))
	eventually(t, string(id)+" is available", func() bool {
		x, err := r.fleet.Robot(t.Context(), id)
		return err == nil && x.State == fleet.Available
	})
	token, err := r.fleet.Reserve(t.Context(), fleet.ReserveRequest{Robot: id, Holder: "charge/" + string(id), Attempt: "a", Until: clock.Of(time.Now()).Add(clock.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func wantReason(t testing.TB, what string, err error, k fault.Kind, reason string) {
	t.Helper()
	if !fault.Is(err, k) || fault.ReasonOf(err) != reason {
		t.Errorf("%s: %v (reason %q), want %v with the reason %q", what, err, fault.ReasonOf(err), k, reason)
	}
}

func TestOrders(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", limits())
	robot := &told{}
	c := robot.join(t, r.pool(t), "r1")
	token := r.available(t, c, "r1")
	o := fleet.Order{Robot: "r1", Token: token, Kind: fleet.OrderGo, To: maps.Position{Edge: 4, OffsetMM: 5}}
	if err := r.fleet.Command(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !robot.see(func() bool { return slices.Equal(robot.orders, []fleet.Order{o}) })() || c.Token() != token {
		t.Errorf("the robot got %+v and has seen token %d, want %+v", robot.orders, c.Token(), o)
	}
	o.Token = token - 1
	wantReason(t, "an order under an old token", r.orders.Command(t.Context(), o), fault.Conflict, "old_token")
	err := r.steps.Instruct(t.Context(), "r1", task.Instruction{Task: "d.1", Token: token - 1, Kind: task.Do})
	wantReason(t, "an instruction of Task under a token older than Fleet's", err, fault.Conflict, "old_token")
	robot.mu.Lock()
	robot.err = fault.New("robot", fault.Unavailable, "busy", "an operator drives")
	robot.mu.Unlock()
	o.Token = token
	wantReason(t, "an order that the robot does not take", r.orders.Command(t.Context(), o), fault.Unavailable, "no_contact")
	wantReason(t, "an order for a robot that is not connected", r.orders.Command(t.Context(), fleet.Order{Robot: "r2", Token: 1}), fault.Unavailable, "no_contact")
	c.Close()
	eventually(t, "the robot is gone", func() bool { return r.orders.Connected() == 0 })
	wantReason(t, "an order for a robot that has gone", r.orders.Command(t.Context(), o), fault.Unavailable, "no_contact")
}

// carry has a robot do what it is told: it reports each step as begun and done.
func carry(c **grpcapi.RobotClient, mu *sync.Mutex) func(in task.Instruction) {
	var number uint64
	var last struct {
		task task.ID
		step int
	}
	return func(in task.Instruction) {
		mu.Lock()
		defer mu.Unlock()
		if in.Kind != task.Do || in.Task == last.task && in.Index <= last.step {
			return
		}
		if in.Task != last.task {
			number = 0
		}
		last.task, last.step = in.Task, in.Index
		kinds := []task.ReportKind{task.ReportStarted, task.ReportConfirmed}
		if in.Step.Kind == task.Drive {
			kinds[1] = task.ReportArrived
		}
		for _, kind := range kinds {
			number++
			(*c).Report(task.Report{Task: in.Task, Token: in.Token, Step: in.Index, Number: number, Kind: kind})
		}
	}
}

// TestCutStreams cuts every connection again and again while a robot works
// through a long task.
func TestCutStreams(t *testing.T) {
	y := newYard(t, "r1")
	y.tasks = &flaky{taskStore: y.tasks} // slow enough that a cut always meets reports on their way
	r := y.replica(t, "a", limits())
	cuts := 0
	streams := r.longTask(t, func() {
		if cuts < 40 {
			r.cut()
			cuts++
		}
	})
	if cuts < 3 || streams < 3 {
		t.Errorf("only %d cuts and %d streams down: the test shows nothing", cuts, streams)
	}
	t.Logf("%d cuts, %d streams went down", cuts, streams)
}

// TestConnectionsAge has the server close connections that are old.
func TestConnectionsAge(t *testing.T) {
	y := newYard(t, "r1")
	y.tasks = &flaky{taskStore: y.tasks}
	r := y.replica(t, "a", limits(), func(o *grpcapi.Options, _ *grpcapi.LinkOptions) {
		o.MaxAge, o.MaxAgeGrace = 300*time.Millisecond, 20*time.Millisecond
	})
	if streams := r.longTask(t, func() {}); streams < 1 {
		t.Error("no stream went down: the test shows nothing")
	}
}

// flaky is a store of tasks that is slow, and that is not there now and then.
type flaky struct {
	taskStore
	mu    sync.Mutex
	calls int
	every int // every so many writes fail; 0: none
	lost  int
}

func (f *flaky) SaveTask(ctx context.Context, x task.Task) (uint64, error) {
	f.mu.Lock()
	f.calls++
	fail := f.every > 0 && f.calls%f.every == 0
	if fail {
		f.lost++
	}
	f.mu.Unlock()
	select {
	case <-time.After(3 * time.Millisecond):
	case <-ctx.Done():
		return 0, fault.New("flaky", fault.Unavailable, "gone", "the caller has gone: %w", ctx.Err())
	}
	if fail {
		return 0, fault.New("flaky", fault.Exhausted, "throttled", "too many writes")
	}
	return f.taskStore.SaveTask(ctx, x)
}

// TestReportsOutlastTheStore has every seventh write fail, of begun steps and of done ones: reports wait for each other.
func TestReportsOutlastTheStore(t *testing.T) {
	y := newYard(t, "r1")
	f := &flaky{taskStore: y.tasks, every: 7}
	y.tasks = f
	r := y.replica(t, "a", limits())
	r.longTask(t, func() {})
	if f.lost < 10 {
		t.Errorf("only %d writes failed: the test shows nothing", f.lost)
	}
}

// longTask has a robot work through a long task while trouble is called again and
// again: no report may be lost, and none may count twice. It returns how many streams went down.
func (r *replica) longTask(t *testing.T, trouble func()) (streams int) {
	const steps = 100
	robot := &told{}
	var c *grpcapi.RobotClient
	var mu sync.Mutex
	robot.instruct = carry(&c, &mu)
	mu.Lock()
	c = robot.join(t, r.pool(t), "r1")
	mu.Unlock()
	q := task.CreateRequest{Market: "m", Delivery: "d1", Attempt: 1, Robot: "r1", Token: 1}
	for range steps {
		q.Steps = append(q.Steps, task.Step{Kind: task.Wait})
	}
	made, err := r.task.Create(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(15 * time.Millisecond) {
		kept, err := r.task.Task(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		if kept.State == task.Finished {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("it is %s at step %d, %d reports wait", kept.State, kept.Current, c.Pending())
		}
		trouble()
	}
	kept, err := r.task.Task(t.Context(), made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if kept.Heard != 2*steps || len(kept.Events) != 2*steps+1 {
		t.Errorf("%d reports were heard and %d things happened, want %d and %d", kept.Heard, len(kept.Events), 2*steps, 2*steps+1)
	}
	for i, e := range kept.Events[:2*steps] {
		if want := []task.ChangeKind{task.Started, task.Confirmed}[i%2]; e.Kind != want || e.Step != i/2 {
			t.Fatalf("event %d is %s of step %d, want %s of step %d", i, e.Kind, e.Step, want, i/2)
		}
	}
	eventually(t, "all reports are acknowledged", func() bool { return c.Pending() == 0 })
	robot.mu.Lock()
	defer robot.mu.Unlock()
	return len(robot.down)
}

// counted is a store of telemetry that counts its writes.
type counted struct {
	fleet.TelemetryStore
	mu    sync.Mutex
	saved int
}

func (c *counted) SaveTelemetry(ctx context.Context, m market.ID, x fleet.Telemetry) (bool, error) {
	c.mu.Lock()
	c.saved++
	c.mu.Unlock()
	return c.TelemetryStore.SaveTelemetry(ctx, m, x)
}

// TestQuietRobotsStay has a robot with nothing to say stay connected.
func TestQuietRobotsStay(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", limits())
	robot := &told{}
	robot.join(t, r.pool(t), "r1")
	began := time.Now()
	eventually(t, "many beats have passed", func() bool { return time.Since(began) > 10*limits().Beat && r.orders.Connected() == 1 })
	if !robot.see(func() bool { return len(robot.down) == 0 })() {
		t.Errorf("a robot with nothing to say was cut off: %v", robot.down)
	}
}

// TestNewestTelemetryCounts floods Fleet with positions: few are written, and the last is.
func TestNewestTelemetryCounts(t *testing.T) {
	y := newYard(t, "r1")
	store := &counted{TelemetryStore: y.telemetry}
	y.telemetry = store
	lim := limits()
	lim.Every = 50 * time.Millisecond
	r := y.replica(t, "a", lim)
	c := (&told{}).join(t, r.pool(t), "r1")
	began := time.Now()
	x := idle("r1")
	for i := range 2000 {
		x.At, x.Position.OffsetMM = clock.Of(began).Add(-5000+clock.Duration(i)), int32(i)
		c.Telemetry(x)
	}
	eventually(t, "the last position is kept", func() bool {
		got, err := y.telemetry.Telemetry(t.Context(), "r1")
		return err == nil && got.Position.OffsetMM == 1999
	})
	most := int(time.Since(began)/lim.Every) + 2
	if store.saved > most {
		t.Errorf("%d of 2000 positions were written, want at most %d", store.saved, most)
	}
}

// quickly has clients dial again at once, since here nothing is far away.
var quickly = grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: time.Second})

// TestRefusedReports has a robot report on what is not its task any more.
func TestRefusedReports(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", limits())
	robot := &told{}
	c := robot.join(t, r.pool(t), "r1")
	eventually(t, "a robot without a task is told so when it connects", robot.see(func() bool { return robot.noTask > 0 }))
	made, err := r.task.Create(t.Context(), task.CreateRequest{Market: "m", Delivery: "d1", Attempt: 1, Robot: "r1", Token: 5, Steps: []task.Step{{Kind: task.Wait}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		report task.Report
		reason string
	}{
		{task.Report{Task: made.ID, Token: 4, Number: 1, Kind: task.ReportStarted}, "old_token"},
		{task.Report{Task: "none.1", Token: 5, Number: 1, Kind: task.ReportStarted}, ""},
		{task.Report{Task: made.ID, Token: 5, Number: 1, Kind: "flew"}, "bad_report"},
		{task.Report{Task: made.ID, Token: 5, Number: 0, Kind: task.ReportStarted}, "bad_report"},
	} {
		robot.mu.Lock()
		robot.refused = nil
		robot.mu.Unlock()
		c.Report(x.report)
		eventually(t, "the robot learns that its report is refused", robot.see(func() bool { return len(robot.refused) == 1 }))
		if robot.refused[0] != x.reason {
			t.Errorf("%+v is refused with the reason %q, want %q", x.report, robot.refused[0], x.reason)
		}
	}
	c.Report(task.Report{Task: made.ID, Token: 5, Number: 1, Kind: task.ReportStarted})
	eventually(t, "a good report is taken behind the refused ones", func() bool {
		kept, err := r.task.Task(t.Context(), made.ID)
		return err == nil && kept.Heard == 1 && c.Pending() == 0
	})
}

// TestSecondStream has another process connect the same robot.
func TestSecondStream(t *testing.T) {
	y := newYard(t, "r1")
	r := y.replica(t, "a", limits(), func(_ *grpcapi.Options, l *grpcapi.LinkOptions) { l.Seats = nil }) // one replica needs none
	first, second := &told{}, &told{}
	one := first.join(t, r.pool(t), "r1")
	two := second.join(t, r.pool(t), "r1")
	eventually(t, "the first learns why it is cut off", first.see(func() bool { return slices.Contains(first.down, "replaced") }))
	token := r.available(t, two, "r1")
	if err := r.fleet.Command(t.Context(), fleet.Order{Robot: "r1", Token: token, Kind: fleet.OrderHold}); err != nil {
		t.Fatal(err)
	}
	if got := second.see(func() bool { return len(second.orders) == 1 && len(first.orders) == 0 }); !got() {
		t.Errorf("the first got %v, the second %v; want the order at the second", first.orders, second.orders)
	}
	if n := r.orders.Connected(); n != 1 {
		t.Errorf("%d robots are connected, want one", n)
	}
	one.Close()
}

// TestReplicas has what one replica says reach a robot that is connected to another.
func TestReplicas(t *testing.T) {
	y := newYard(t, "r1")
	a, b := y.replica(t, "a", limits()), y.replica(t, "b", limits())
	robot := &told{}
	c := robot.join(t, a.pool(t), "r1")
	token := a.available(t, c, "r1")
	o := fleet.Order{Robot: "r1", Token: token, Kind: fleet.OrderHold}
	if err := b.fleet.Command(t.Context(), o); err != nil {
		t.Fatalf("a command on the replica that does not have the robot: %v", err)
	}
	o.Token--
	wantReason(t, "an old token, from the other replica", b.orders.Command(t.Context(), o), fault.Conflict, "old_token")
	if _, err := b.task.Create(t.Context(), task.CreateRequest{Market: "m", Delivery: "d1", Attempt: 1, Robot: "r1", Token: token, Steps: []task.Step{{Kind: task.Wait}}}); err != nil {
		t.Fatal(err)
	}
	if !robot.see(func() bool { return len(robot.instructions) == 1 })() {
		t.Errorf("the robot got %v, want one instruction", robot.instructions)
	}
	c.Close()
	eventually(t, "the robot has left", func() bool { return a.orders.Connected() == 0 })
	o.Token = token
	wantReason(t, "a robot that has left, from the other replica", b.orders.Command(t.Context(), o), fault.Unavailable, "no_contact")
	again := &told{}
	again.join(t, b.pool(t), "r1")
	if err := a.fleet.Command(t.Context(), o); err != nil {
		t.Errorf("a command on the first replica, after the robot moved to the second: %v", err)
	}
}
