package robots_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"footway/adapters/grpcapi"
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/adapters/memory"
	"footway/adapters/wallclock"
	"footway/cmd/robots"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/fleet"
	city "footway/core/maps"
	"footway/core/market"
	"footway/core/task"
	sim "footway/sim/city"
	"footway/sim/scenario"
)

const (
	patience = 2 * time.Minute // machines of tests are busy
	here     = market.ID("city")
	account  = fleet.AccountID("acme")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var town = sync.OnceValues(func() (*city.Network, error) { return sim.Generate(1, sim.Options{}) })

func network(t testing.TB) *city.Network {
	t.Helper()
	n, err := town()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// calm is a city where nothing goes wrong by chance.
func calm(count int) scenario.Scenario {
	s := scenario.Defaults()
	s.Name, s.Start, s.Duration, s.Seed = "robots", "2026-01-01T00:00", clock.Hour, 1
	s.Fleet.Robots, s.Fleet.Couriers, s.Demand.PerHour = count, 0, 0
	s.World.Robots.Stuck, s.World.Robots.Breakdowns, s.World.Robots.ContactLost, s.World.Robots.Jam = 0, 0, 0, 0
	s.World.Recipients.NoShow, s.World.Recipients.WrongPIN, s.World.Merchants.Late = 0, 0, 0
	s.Fill()
	return s
}

// eventually waits until ok.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// log collects what is logged.
type log struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *log) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// nobody keeps and hears nothing.
type nobody struct{}

func (nobody) Append(context.Context, event.Event) {}
func (nobody) Changed(context.Context, market.ID)  {}

// depot is Fleet and Task over memory stores behind one address, whose process may
// die and come back.
type depot struct {
	t         testing.TB
	robots    *memory.FleetStore
	telemetry *memory.TelemetryStore
	accounts  *memory.AccountStore
	tasks     *memory.TaskStore
	log       *log
	door      *door
	heard     overheard

	fleet *fleet.Service
	task  *task.Service
	links struct {
		fleet *grpcapi.FleetLink
		task  *grpcapi.TaskLink
	}
	kill func()
}

func newDepot(t testing.TB) *depot {
	t.Helper()
	d := &depot{
		t: t, robots: memory.NewFleetStore(), telemetry: memory.NewTelemetryStore(), accounts: memory.NewAccountStore(), tasks: memory.NewTaskStore(), log: &log{},
		door: newDoor(t), heard: overheard{reports: map[string]map[uint64]int{}},
	}
	d.start()
	t.Cleanup(func() {
		d.door.shut()
		d.kill()
		if t.Failed() {
			t.Logf("log:\n%s", d.log)
		}
	})
	return d
}

// start runs the process on what the stores have.
func (d *depot) start() {
	d.t.Helper()
	timers := wallclock.NewTimers()
	d.links.fleet, d.links.task = grpcapi.NewFleetLink(grpcapi.LinkOptions{Log: d.log.logger()}), grpcapi.NewTaskLink(grpcapi.LinkOptions{Log: d.log.logger()})
	d.fleet = fleet.NewService(fleet.Deps{
		Store: d.robots, Telemetry: d.telemetry, Accounts: d.accounts, Link: d.links.fleet, Clock: wallclock.Clock{}, Timers: timers, Journal: nobody{},
		Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
	})
	d.task = task.NewService(task.Deps{
		Store: d.tasks, Active: d.tasks, Link: d.links.task, Notifier: nobody{}, Clock: wallclock.Clock{}, Timers: timers, Journal: nobody{},
		Settings: func(market.ID) task.Settings { return task.DefaultSettings() },
	})
	believed := func(token string, role grpcapi.Role, name string) grpcapi.SharedToken {
		return grpcapi.SharedToken{Token: token, Identity: grpcapi.Identity{Role: role, Name: name}}
	}
	server, err := grpcapi.NewServer(grpcapi.Options{
		Fleet: d.fleet, FleetRobots: d.links.fleet, Task: d.task, TaskRobots: d.links.task, Insecure: true, Log: d.log.logger(),
		Auth: grpcapi.Auth{Tokens: []grpcapi.SharedToken{
			believed("token of the account", grpcapi.RoleAccount, string(account)), believed("token of the operator", grpcapi.RoleService, "operator"),
		}},
		GRPC: []grpc.ServerOption{grpc.ChainStreamInterceptor(d.heard.listen)},
	})
	if err != nil {
		d.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() {
		timers.Run(ctx, wallclock.Options{Logger: d.log.logger()}, func(ctx context.Context, k clock.Key) error {
			if k.Service == "task" {
				return d.task.Fire(ctx, k)
			}
			return d.fleet.Fire(ctx, k)
		})
	})
	parts.Go(func() {
		if err := server.Serve(l); err != nil {
			d.t.Errorf("Serve: %v", err)
		}
	})
	d.door.lead(l.Addr().String())
	d.kill = func() {
		stop()
		now, over := context.WithCancel(context.Background())
		over()
		server.Stop(now)
		parts.Wait()
	}
	for _, resume := range []func(context.Context, market.ID) error{d.fleet.Resume, d.task.Resume} {
		if err := resume(d.t.Context(), here); err != nil {
			d.t.Fatal(err)
		}
	}
}

// options are those of a fleet that connects through the door.
func (d *depot) options(s scenario.Scenario) robots.Options {
	setup := d.dial("token of the operator")
	cc, err := setup()
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = cc.Close() })
	connect := d.dial("token of the account")
	return robots.Options{
		Market: here, Network: network(d.t), Scenario: s, Account: account, Speed: 50, Fleet: connect, Task: connect,
		Setup: registrar{grpcapi.NewFleetClient(cc)}, Log: d.log.logger(),
	}
}

func (d *depot) dial(token string) func() (*grpc.ClientConn, error) {
	return func() (*grpc.ClientConn, error) {
		return grpcapi.Dial(d.door.address, grpcapi.DialOptions{
			Insecure: true, Token: func(context.Context) (string, error) { return token, nil },
			GRPC: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 5 * time.Second, Backoff: backoff.Config{BaseDelay: 10 * time.Millisecond, Multiplier: 1.5, MaxDelay: 200 * time.Millisecond}})},
		})
	}
}

// registrar is Fleet's administration.
type registrar struct{ *grpcapi.FleetClient }

func (registrar) Report(context.Context, fleet.Telemetry) error { return nil }

// life is a fleet that lives.
type life struct {
	t    testing.TB
	stop context.CancelFunc
	done chan struct{}
	last robots.Stats // once done
	err  error
}

func live(t testing.TB, o robots.Options) *life {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l := &life{t: t, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.last, l.err = robots.Run(ctx, o)
	}()
	t.Cleanup(func() {
		stop()
		<-l.done
	})
	return l
}

// end stops the fleet and returns what it did.
func (l *life) end() robots.Stats {
	l.t.Helper()
	l.stop()
	<-l.done
	if l.err != nil {
		l.t.Fatal(l.err)
	}
	return l.last
}

// ready waits until robots are connected, and known to stand there.
func (d *depot) ready(count int) {
	d.t.Helper()
	d.connected(count)
	eventually(d.t, "all robots are heard of", func() bool {
		robots, err := d.fleet.Robots(d.t.Context(), here)
		if err != nil {
			d.t.Fatal(err)
		}
		waiting := slices.ContainsFunc(robots, func(r fleet.Robot) bool { return r.State != fleet.Available })
		return len(robots) == count && !waiting
	})
}

// connected waits until robots are connected.
func (d *depot) connected(count int) {
	d.t.Helper()
	eventually(d.t, "all robots connect", func() bool { return d.links.task.Connected() == count && d.links.fleet.Connected() == count })
}

// job gives a robot a task between the merchant beside its dock and an address not far away.
func (d *depot) job(i int, id fleet.RobotID) task.ID {
	d.t.Helper()
	name := fmt.Sprintf("d%d", i)
	token, err := d.fleet.Reserve(d.t.Context(), fleet.ReserveRequest{Robot: id, Holder: name, Attempt: name, Until: clock.Of(time.Now().Add(time.Hour))})
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := d.fleet.Robot(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	n := network(d.t)
	home := n.PointAt(r.Home)
	m := slices.MinFunc(n.Merchants, func(a, b city.Merchant) int {
		return cmp.Compare(city.Distance(home, a.Point), city.Distance(home, b.Point))
	})
	near := slices.IndexFunc(n.Addresses, func(a city.Address) bool {
		far := city.Distance(m.Point, a.Point)
		return far > 100_000 && far < 200_000
	})
	to := n.Addresses[near].At
	made, err := d.task.Create(d.t.Context(), task.CreateRequest{Market: here, Delivery: name, Attempt: 1, Robot: id, Token: token, Steps: []task.Step{
		{Kind: task.Drive, Purpose: task.Load, To: m.At}, {Kind: task.Handoff, Purpose: task.Load, To: m.At},
		{Kind: task.Drive, Purpose: task.Unload, To: to}, {Kind: task.Handoff, Purpose: task.Unload, To: to, PIN: "1234"},
	}})
	if err != nil {
		d.t.Fatal(err)
	}
	return made.ID
}

// nudge does what people would at a task's hatch, and returns the task.
func (d *depot) nudge(id task.ID) task.Task {
	d.t.Helper()
	t, err := d.task.Task(d.t.Context(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	if t.State != task.Active {
		return t
	}
	s := t.Steps[t.Current]
	if s.Kind != task.Handoff || s.Status != task.Running || s.HatchOpen {
		return t
	}
	r := task.HandoffRequest{Task: id, Purpose: s.Purpose, Want: task.WantOpen, PIN: s.PIN}
	if s.Opened {
		r.Want = task.WantConfirm
	}
	if err := d.task.Handoff(d.t.Context(), r); err != nil {
		d.t.Logf("handoff of %s: %v", id, err) // no contact now; once more
	}
	return t
}

// finish plays people until all tasks are done, and checks that everything happened once.
func (d *depot) finish(tasks []task.ID) {
	d.t.Helper()
	defer func() {
		for _, id := range tasks {
			if x := d.nudge(id); d.t.Failed() && x.State != task.Finished {
				d.t.Logf("task %s of robot %s is %s in step %d: %+v", id, x.Robot, x.State, x.Current, x.Steps[x.Current])
			}
		}
	}()
	eventually(d.t, "all tasks end", func() bool {
		left := 0
		for _, id := range tasks {
			if d.nudge(id).State == task.Active {
				left++
			}
		}
		return left == 0
	})
	for _, id := range tasks {
		t := d.nudge(id)
		if t.State != task.Finished {
			d.t.Errorf("task %s of robot %s is %s: %+v", id, t.Robot, t.State, t.Events)
		}
		happened := map[string]int{}
		for _, c := range t.Events {
			happened[fmt.Sprintf("%s of step %d", c.Kind, c.Step)]++
		}
		for what, times := range happened {
			if times != 1 {
				d.t.Errorf("task %s: %s happened %d times, want once", id, what, times)
			}
		}
	}
}

// overheard is what robots reported on their streams, by task and number, and how often.
type overheard struct {
	mu      sync.Mutex
	reports map[string]map[uint64]int
}

func (o *overheard) listen(srv any, s grpc.ServerStream, _ *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
	return handler(srv, &tapped{s, o})
}

type tapped struct {
	grpc.ServerStream
	o *overheard
}

func (s *tapped) RecvMsg(m any) error {
	err := s.ServerStream.RecvMsg(m)
	if up, ok := m.(*pb.Up); ok && err == nil && up.GetReport() != nil {
		r := up.GetReport()
		s.o.mu.Lock()
		defer s.o.mu.Unlock()
		if s.o.reports[r.GetTask()] == nil {
			s.o.reports[r.GetTask()] = map[uint64]int{}
		}
		s.o.reports[r.GetTask()][r.GetNumber()]++
	}
	return err
}

// count returns how many reports were heard, how many of them again, and after which of them one is missing.
func (o *overheard) count() (reports, repeats int, gaps []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, numbers := range o.reports {
		sorted := slices.Sorted(maps.Keys(numbers))
		for i, n := range sorted {
			reports++
			repeats += numbers[n] - 1
			if i > 0 && n != sorted[i-1]+1 {
				gaps = append(gaps, fmt.Sprintf("task %s after its report %d", id, i))
			}
		}
	}
	return reports, repeats, gaps
}

// door forwards connections to a process, and may cut them as a network does.
type door struct {
	t       testing.TB
	address string

	mu    sync.Mutex
	to    string
	l     net.Listener
	conns []net.Conn
	muted bool // what the process says goes nowhere
	all   sync.WaitGroup
}

func newDoor(t testing.TB) *door {
	t.Helper()
	d := &door{t: t, address: "127.0.0.1:0"}
	d.open()
	d.address = d.l.Addr().String()
	return d
}

func (d *door) lead(to string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = to
}

// open listens.
func (d *door) open() {
	d.t.Helper()
	l, err := net.Listen("tcp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.l, d.muted = l, false
	d.mu.Unlock()
	d.all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.all.Go(func() { d.forward(c) })
		}
	})
}

// mute lets nothing of what the process says through any more.
func (d *door) mute() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.muted = true
}

// shut stops listening and cuts all connections.
func (d *door) shut() {
	d.mu.Lock()
	_ = d.l.Close()
	for _, c := range d.conns {
		_ = c.Close()
	}
	d.conns = nil
	d.mu.Unlock()
	d.all.Wait()
}

func (d *door) forward(c net.Conn) {
	defer c.Close()
	d.mu.Lock()
	to := d.to
	d.mu.Unlock()
	up, err := net.DialTimeout("tcp", to, time.Second)
	if err != nil {
		return
	}
	defer up.Close()
	d.mu.Lock()
	d.conns = append(d.conns, c, up)
	d.mu.Unlock()
	d.all.Go(func() {
		_, _ = io.Copy(up, c)
		_ = up.Close()
	})
	_, _ = io.Copy(unlessMuted{d, c}, up)
}

type unlessMuted struct {
	d *door
	w io.Writer
}

func (u unlessMuted) Write(p []byte) (int, error) {
	u.d.mu.Lock()
	muted := u.d.muted
	u.d.mu.Unlock()
	if muted {
		return len(p), nil
	}
	return u.w.Write(p)
}
