package grpcapi

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/task"
)

// Both sides agree on how a connection without a word is found dead. Clients
// ask more often than the server would, and never more often than it allows.
const (
	pingByClient  = 20 * time.Second
	pingByServer  = 60 * time.Second
	pingAtMost    = 10 * time.Second
	pingAnswer    = 10 * time.Second
	maxReceive    = 4 << 20
	maxAnswer     = 16 << 20
	feedPoll      = 2 * time.Second
	streamsAtMost = 1000 // on one connection
)

// errStopping ends streams when a replica stops.
var errStopping = fault.New("grpcapi", fault.Unavailable, "stopping", "this replica stops; connect to another")

// Options are what a server serves and how. Services that are nil are not served.
type Options struct {
	Fleet       *fleet.Service
	FleetRobots *FleetLink // robots' streams to Fleet; wants Fleet
	Task        *task.Service
	TaskRobots  *TaskLink // robots' streams to Task; wants Task
	Robots      Directory // who owns robots; nil: Fleet of the same server
	TaskBell    *Bell     // rung by Task; nil: watchers look every 2 s
	Maps        *maps.Service
	Config      Configs
	ConfigBell  *Bell // rung for market "" by who replaces Config's version; nil as above

	Auth       Auth
	TLS        *TLSFiles // nil only if Insecure
	Insecure   bool      // plain text, for development: then every caller shows a token
	Reflection bool      // operators may ask what there is
	Log        *slog.Logger
	GRPC       []grpc.ServerOption // such as stats handlers

	CallDefault time.Duration // deadline of a call that has none; 0 is 10 s
	CallMax     time.Duration // the longest deadline; 0 is 30 s
	MaxAge      time.Duration // after which connections are made anew, so that replicas share the load; 0 is 30 min
	MaxAgeGrace time.Duration // how long calls of such a connection may go on; 0 is 30 s
}

// Server serves some of Footway's services. It is safe for concurrent use.
type Server struct {
	o      Options
	grpc   *grpc.Server
	health *health.Server
	quit   chan struct{}

	stopping sync.Once
}

// NewServer returns a server that does not listen yet. It fails with
// fault.Invalid if o does not fit together, or certificates cannot be read.
func NewServer(o Options) (*Server, error) {
	s := &Server{o: o.withDefaults(), health: health.NewServer(), quit: make(chan struct{})}
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	s.grpc = grpc.NewServer(opts...)
	if err := s.register(); err != nil {
		return nil, err
	}
	grpc_health_v1.RegisterHealthServer(s.grpc, s.health)
	if o.Reflection {
		reflection.Register(s.grpc)
	}
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, grpc_health_v1.HealthCheckResponse_SERVING)
	}
	return s, nil
}

func (o Options) withDefaults() Options {
	or := func(d *time.Duration, standard time.Duration) {
		if *d == 0 {
			*d = standard
		}
	}
	or(&o.CallDefault, 10*time.Second)
	or(&o.CallMax, 30*time.Second)
	or(&o.MaxAge, 30*time.Minute)
	or(&o.MaxAgeGrace, 30*time.Second)
	if o.TaskBell == nil {
		o.TaskBell = NewBell()
	}
	if o.ConfigBell == nil {
		o.ConfigBell = NewBell()
	}
	return o
}

func (s *Server) options() ([]grpc.ServerOption, error) {
	o := &s.o
	bad := func(reason, text string) error {
		return fault.New("grpcapi.NewServer", fault.Invalid, reason, "%s", text)
	}
	creds := insecure.NewCredentials()
	switch {
	case o.Log == nil:
		return nil, bad("no_log", "a logger is required")
	case o.TLS == nil && !o.Insecure:
		return nil, bad("no_tls", "neither TLS files nor plain text asked for; want one of them")
	case o.TLS != nil && o.Insecure:
		return nil, bad("insecure", "TLS files, and plain text asked for; want one of them")
	case o.Insecure && len(o.Auth.Tokens) == 0 && o.Auth.RobotKey == nil:
		return nil, bad("no_credentials", "plain text without any token; want a shared token at least")
	case o.TLS != nil && o.TLS.Cert == "":
		return nil, bad("no_certificate", "a server needs a certificate")
	case o.TLS != nil:
		r, err := newReloading(*o.TLS, o.Log)
		if err != nil {
			return nil, &fault.Error{Op: "grpcapi.NewServer", Kind: fault.Invalid, Reason: "bad_certificate", Err: err}
		}
		creds = r
	}
	return append([]grpc.ServerOption{
		grpc.Creds(creds),
		grpc.UnaryInterceptor(s.unary), grpc.StreamInterceptor(s.stream),
		grpc.MaxRecvMsgSize(maxReceive), grpc.MaxSendMsgSize(maxAnswer), grpc.MaxConcurrentStreams(streamsAtMost),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: pingByServer, Timeout: pingAnswer, MaxConnectionAge: o.MaxAge, MaxConnectionAgeGrace: o.MaxAgeGrace,
		}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: pingAtMost, PermitWithoutStream: true}),
		grpc.ConnectionTimeout(10 * time.Second),
	}, o.GRPC...), nil
}

func (s *Server) register() error {
	o := &s.o
	if o.Robots == nil && o.Fleet != nil {
		o.Robots = FleetDirectory{o.Fleet}
	}
	if o.FleetRobots != nil && o.Fleet == nil || o.TaskRobots != nil && (o.Task == nil || o.Robots == nil) {
		return fault.New("grpcapi.NewServer", fault.Invalid, "no_service", "robots' streams without the service that hears them, or a directory of robots; want both")
	}
	if o.Fleet != nil {
		pb.RegisterFleetServer(s.grpc, &fleetServer{s: o.Fleet})
	}
	if o.Task != nil {
		pb.RegisterTasksServer(s.grpc, &taskServer{s: o.Task, bell: o.TaskBell, poll: feedPoll, quit: s.quit})
	}
	if o.Maps != nil {
		pb.RegisterMapsServer(s.grpc, newMapsServer(o.Maps))
	}
	if o.Config != nil {
		pb.RegisterConfigServer(s.grpc, &configServer{s: o.Config, bell: o.ConfigBell, poll: feedPoll, quit: s.quit})
	}
	if o.FleetRobots != nil {
		pb.RegisterFleetRobotsServer(s.grpc, &fleetRobots{hub: o.FleetRobots.hub, dir: o.Robots, s: o.Fleet, quit: s.quit})
	}
	if o.TaskRobots != nil {
		pb.RegisterTaskRobotsServer(s.grpc, &taskRobots{hub: o.TaskRobots.hub, dir: o.Robots, s: o.Task, quit: s.quit})
	}
	if o.FleetRobots != nil || o.TaskRobots != nil {
		pb.RegisterRelayServer(s.grpc, &relay{fleet: o.FleetRobots, task: o.TaskRobots})
	}
	return nil
}

// Serve answers calls that come through l until Stop. It then returns nil.
func (s *Server) Serve(l net.Listener) error { return s.grpc.Serve(l) }

// SetServing says in health checks whether the replica wants calls. Stop ends it for good.
func (s *Server) SetServing(ok bool) {
	state := grpc_health_v1.HealthCheckResponse_NOT_SERVING
	if ok {
		state = grpc_health_v1.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
	for name := range s.grpc.GetServiceInfo() {
		s.health.SetServingStatus(name, state)
	}
}

// Stop takes no new calls, ends watches and robots' streams so that they go
// to another replica, and waits for calls to end; when ctx ends it cuts them off. More calls do no harm.
func (s *Server) Stop(ctx context.Context) {
	s.health.Shutdown()
	s.stopping.Do(func() { close(s.quit) })
	done := make(chan struct{})
	go func() {
		s.grpc.GracefulStop()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		s.o.Log.Warn("calls are cut off", "after", context.Cause(ctx))
		s.grpc.Stop()
		<-done
	}
}
