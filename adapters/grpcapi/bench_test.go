package grpcapi_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// loopback starts a server on a port of this machine, and returns its address.
func loopback(t testing.TB, o grpcapi.Options) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serve(t, plain(o), l)
	return l.Addr().String()
}

func reach(t testing.TB, address, token string) *grpc.ClientConn {
	t.Helper()
	cc, err := grpcapi.Dial("passthrough:///"+address, grpcapi.DialOptions{Insecure: true, Token: showing(token)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// fleetOf returns Fleet with n robots that have reported.
func fleetOf(t testing.TB, n int) *fleet.Service {
	t.Helper()
	s := fleetService(fleetDeps())
	if err := s.SaveAccount(t.Context(), fleet.Account{ID: "acme"}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		id := fleet.RobotID(fmt.Sprintf("r%04d", i))
		err := s.Register(t.Context(), fleet.Robot{
			ID: id, Market: "m", Account: "acme", Kind: fleet.KindRobot, CapacityMWh: 1, SpeedMMS: 1, Capability: fleet.Load{LengthMM: 1, WidthMM: 1, HeightMM: 1, Grams: 1},
		})
		if err == nil {
			err = s.Report(t.Context(), fleet.Telemetry{Robot: id, At: fake.Start, Activity: fleet.Idle, Mode: fleet.Automatic, Position: maps.Position{Edge: 100, OffsetMM: 2000}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func BenchmarkReserve(b *testing.B) {
	s := fleetOf(b, 1)
	c := grpcapi.NewFleetClient(reach(b, loopback(b, grpcapi.Options{Fleet: s}), secret))
	q := fleet.ReserveRequest{Robot: "r0000", Holder: "delivery/d1#1", Attempt: "a", Until: fake.Start.Add(clock.Hour)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Reserve(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCandidates200(b *testing.B) {
	s := fleetOf(b, 200)
	c := grpcapi.NewFleetClient(reach(b, loopback(b, grpcapi.Options{Fleet: s}), secret))
	b.ReportAllocs()
	for b.Loop() {
		if all, err := c.Candidates(b.Context(), "m"); err != nil || len(all) != 200 {
			b.Fatal(len(all), err)
		}
	}
}

func BenchmarkMatrix50x50(b *testing.B) {
	store := memory.NewMapStore()
	if err := store.SaveNetwork(b.Context(), "m", street(b, 200)); err != nil {
		b.Fatal(err)
	}
	s := maps.NewService(store, fake.NewClock(fake.Start), &fake.Timers{}, &fake.Journal{})
	if err := s.Open(b.Context(), "m", maps.OpenOptions{Profile: maps.DefaultProfile()}); err != nil {
		b.Fatal(err)
	}
	places := make([]maps.Position, 50)
	for i := range places {
		places[i] = maps.Position{Edge: maps.EdgeID(4 * i), OffsetMM: 100}
	}
	for name, ways := range map[string]interface {
		Matrix(ctx context.Context, m market.ID, from, to []maps.Position) ([]maps.Leg, error)
	}{"in process": s, "gRPC": grpcapi.NewMapsClient(reach(b, loopback(b, grpcapi.Options{Maps: s}), secret))} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if legs, err := ways.Matrix(b.Context(), "m", places, places); err != nil || len(legs) != 2500 {
					b.Fatal(len(legs), err)
				}
			}
		})
	}
}

// cpu returns how much of the processor this process has used.
func cpu(t testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// thousand connects 1,000 robots from one process over loopback.
func thousand(t testing.TB, lim grpcapi.LinkLimits) (*replica, *grpcapi.RobotPool, []*grpcapi.RobotClient) {
	t.Helper()
	y := newYard(t)
	for i := range 1000 {
		y.robot(t, fleet.RobotID(fmt.Sprintf("r%04d", i)), "acme")
	}
	r := y.replica(t, "a", lim)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- r.server.Serve(l) }()
	t.Cleanup(func() { <-done })
	t.Cleanup(func() { r.server.Stop(context.Background()) })
	door := func() (*grpc.ClientConn, error) {
		return grpcapi.Dial("passthrough:///"+l.Addr().String(), grpcapi.DialOptions{Insecure: true, Token: showing("acme's")})
	}
	p := grpcapi.NewRobotPool(door, door)
	t.Cleanup(func() { _ = p.Close() })
	all := make([]*grpcapi.RobotClient, 1000)
	for i := range all {
		all[i] = p.Connect(grpcapi.RobotOptions{ID: fleet.RobotID(fmt.Sprintf("r%04d", i)), Account: "acme", Handler: &told{}})
		t.Cleanup(all[i].Close)
	}
	eventually(t, "1,000 robots are connected", func() bool { return r.orders.Connected() == 1000 && r.steps.Connected() == 1000 })
	return r, p, all
}

// TestThousandRobots measures what 1,000 robots cost, both ends in one process.
func TestThousandRobots(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	goroutines, began := runtime.NumGoroutine(), time.Now()
	r, p, all := thousand(t, grpcapi.LinkLimits{})
	took := time.Since(began)
	for _, c := range all {
		c.Telemetry(idle(c.ID()))
	}
	eventually(t, "all are available", func() bool {
		list, err := r.fleet.Robots(t.Context(), "m")
		for _, x := range list {
			if x.State != fleet.Available {
				return false
			}
		}
		return err == nil
	})
	runtime.GC()
	runtime.ReadMemStats(&after)
	perRobot := (runtime.NumGoroutine() - goroutines) / 1000
	used := int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)
	t.Logf("connected in %v over %d connections; %d goroutines and %d KiB a robot, both ends", took, p.Connections(), perRobot, used/1000/1024)
	if perRobot > 12 || p.Connections() > 12 || used > 200<<20 {
		t.Errorf("%d goroutines a robot, %d connections, %d MiB: want at most 12, 12 and 200", perRobot, p.Connections(), used>>20)
	}
}

// BenchmarkTelemetry sends telemetry of 1,000 robots at once, as fast as it is
// acknowledged, over loopback.
func BenchmarkTelemetry(b *testing.B) {
	r, _, all := thousand(b, grpcapi.LinkLimits{Every: time.Microsecond, PerSecond: 1 << 30})
	var sent atomic.Int64
	b.ReportAllocs()
	b.ResetTimer()
	used, began := cpu(b), time.Now()
	for i := 0; b.Loop(); i++ {
		c := all[i%1000]
		t := idle(c.ID())
		t.Token = uint64(i)
		c.Telemetry(t)
		sent.Add(1)
		if i%1000 == 999 { // each counts only if it has arrived
			next := 0
			eventually(b, "telemetry arrives", func() bool {
				for ; next < 1000; next++ {
					got, err := r.y.telemetry.Telemetry(b.Context(), all[next].ID())
					if err != nil || got.Token != uint64(i-999+next) {
						return false
					}
				}
				return true
			})
		}
	}
	b.ReportMetric(float64(sent.Load())/time.Since(began).Seconds(), "msg/s")
	b.ReportMetric(float64((cpu(b)-used).Microseconds())/float64(sent.Load()), "cpu-µs/msg")
}
