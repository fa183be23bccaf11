package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"footway/adapters/grpcapi"
	"footway/adapters/restapi"
	"footway/core/config"
)

// server is something that listens.
type server struct {
	name  string
	serve func() error
	stop  func(context.Context)
}

// listen opens the listeners of the services. Those that share an address share the listener.
func (p *process) listen() error {
	p.listeners = map[string]net.Listener{}
	for _, name := range p.Services {
		if err := p.listenAt("services."+name, name, p.d.Services.Of(name).Listen); err != nil {
			return err
		}
	}
	return p.listenAt("telemetry", "telemetry", p.d.Telemetry.Listen)
}

func (p *process) listenAt(path, name, address string) error {
	if address == "" {
		return nil
	}
	for other, l := range p.listeners {
		if _, port, err := net.SplitHostPort(address); err == nil && port != "0" && p.listening[other] == address {
			if !isGRPC(name) || !isGRPC(other) {
				return fmt.Errorf("%s.listen: %s is that of %s too; only services with gRPC share one", path, address, other)
			}
			p.listeners[name], p.listening[name] = l, address
			return nil
		}
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("%s.listen: %w", path, err)
	}
	p.onClose(func() {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			p.log.Warn("a listener did not close", "service", name, "error", err)
		}
	})
	p.listeners[name], p.listening[name] = l, address
	return nil
}

func isGRPC(service string) bool {
	switch service {
	case "config", "maps", "fleet", "task":
		return true
	}
	return false
}

// reached returns where other replicas reach a service of this process, as HOST:PORT, or "" if it
// does not listen.
func (p *process) reached(service string) string {
	l, ok := p.listeners[service]
	if !ok {
		return ""
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(host); p.Advertise != "" {
		host = p.Advertise
	} else if ip == nil || ip.IsUnspecified() {
		name, err := os.Hostname()
		if err != nil {
			return ""
		}
		host = name
	}
	return net.JoinHostPort(host, port)
}

// openGRPC makes the servers of the services that speak gRPC.
func (p *process) openGRPC() error {
	made := map[net.Listener]*grpcapi.Options{}
	var order []net.Listener
	for _, name := range p.Services {
		l, ok := p.listeners[name]
		if !ok || !isGRPC(name) {
			continue
		}
		o := made[l]
		if o == nil {
			o = &grpcapi.Options{TLS: p.trust.grpcFiles(), Insecure: p.trust.plain(), Reflection: true, Log: p.log, GRPC: p.watch.serverOptions()}
			made[l] = o
			order = append(order, l)
		}
		switch name {
		case "fleet":
			o.Fleet, o.FleetRobots = p.fleet, p.links.fleet
		case "task":
			o.Task, o.TaskRobots, o.TaskBell, o.Robots = p.task, p.links.task, p.taskBell, p.directory
		case "maps":
			o.Maps = p.maps
		case "config":
			o.Config, o.ConfigBell = p.configs(), p.configBell
		}
	}
	auth, err := p.trust.grpcAuth()
	if err != nil {
		return fmt.Errorf("security: %w", err)
	}
	for _, l := range order {
		made[l].Auth = auth
		s, err := grpcapi.NewServer(*made[l])
		if err != nil {
			return err
		}
		s.SetServing(true)
		p.servers = append(p.servers, &server{name: "gRPC " + l.Addr().String(), serve: func() error { return s.Serve(l) }, stop: s.Stop})
	}
	return nil
}

// serveREST adds a server of an API.
func (p *process) serveREST(service string, api *restapi.API) {
	l, ok := p.listeners[service]
	if !ok {
		return
	}
	s := restapi.NewServer(api)
	s.HTTP().TLSConfig = p.trust.serverTLS()
	s.HTTP().Handler = p.watch.handler(service, s.HTTP().Handler)
	p.servers = append(p.servers, &server{name: service, serve: func() error { return s.Serve(l) }, stop: p.stopping(service, s.Shutdown)})
}

// serveHTTP adds a server that is none of restapi's.
func (p *process) serveHTTP(service string, s *http.Server) {
	l, ok := p.listeners[service]
	if !ok {
		return
	}
	s.Handler = p.watch.handler(service, s.Handler)
	serve := func() error {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}
	p.servers = append(p.servers, &server{name: service, serve: serve, stop: p.stopping(service, s.Shutdown)})
}

// stopping returns what shuts a server down, and says if somebody was cut off.
func (p *process) stopping(service string, shutdown func(context.Context) error) func(context.Context) {
	return func(ctx context.Context) {
		if err := shutdown(ctx); err != nil {
			p.log.Warn("requests were cut off", "service", service, "error", err)
		}
	}
}

// configs returns the configuration in force for the server of Config.
func (p *process) configs() grpcapi.Configs {
	if p.follower != nil {
		return p.follower
	}
	return fixed{config.New()}
}

// fixed is a configuration that never changes.
type fixed struct{ c *config.Config }

func (f fixed) Config() *config.Config { return f.c }
