package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/cmd/serve"
	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/lease"
	"footway/core/market"
)

// serveFlags are the flags of `footway serve`.
type serveFlags struct {
	config    string
	embedded  bool
	market    string
	timeZone  string
	listen    map[string]string
	advertise string
	drain     time.Duration
	lease     time.Duration
	grace     time.Duration
	level     string
}

func newServeCommand() *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve SERVICE...",
		Short: "Run services of the backend, all in one process or any split of them",
		Long: `Run services of the backend until SIGTERM or Ctrl-C: integrations, deliveries,
dispatch, fleet, task, maps, config, or all of them. The deployment file (--config)
says what they keep their state in, where they listen and where they find each
other; docs/deployment.md explains it. Any number of replicas of a service may run.

With --embedded everything is kept in memory, on one machine, with the built-in city
or the network of --market, and nothing else is needed. It is for trying things out.

The log is JSON on standard error. SIGHUP has Config look for new settings at once.
The exit code is 0 after a drain, 2 if the deployment file is wrong, 1 if something
that is needed is not there.`,
		Example: `  footway serve all --embedded
  footway serve all --config footway.yaml
  footway serve deliveries dispatch --config footway.yaml
  footway serve fleet --config footway.yaml --listen fleet=127.0.0.1:7013`,
		Args: wants("SERVICE..."),
		RunE: f.run,
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "footway.yaml", "deployment `file`; docs/deployment.md explains it")
	flags.BoolVar(&f.embedded, "embedded", false, "keep everything in memory, and need no file and no server")
	flags.StringVar(&f.market, "market", "city", "`NETWORK` of the market, with --embedded: a .fwnet or .osm.pbf file, or city")
	flags.StringVar(&f.timeZone, "time-zone", "UTC", "IANA `name` of the city's time zone, with --embedded")
	flags.StringToStringVar(&f.listen, "listen", nil, "where a service of this replica listens, other than in the file, as `SERVICE=HOST:PORT`")
	flags.StringVar(&f.advertise, "advertise", "", "`host` where other replicas reach this one; without it the address it listens on, or the machine's name")
	flags.DurationVar(&f.drain, "drain", 15*time.Second, "how long requests may go on when the process is asked to end")
	flags.DurationVar(&f.lease, "lease", 15*time.Second, "how long a lease holds: the work of a replica that crashed rests that long")
	flags.DurationVar(&f.grace, "grace", 30*time.Second, "how long what is needed at the start may be away")
	flags.StringVar(&f.level, "log", "info", "what is logged: debug, info, warn or error")
	return cmd
}

func (f *serveFlags) run(cmd *cobra.Command, args []string) error {
	services, err := servicesOf(args)
	if err != nil {
		return err
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return usagef("--log %q: want debug, info, warn or error", f.level)
	}
	if f.lease < 2*time.Second || f.lease > 5*time.Minute {
		return usagef("--lease %v: want 2s to 5m", f.lease)
	}
	ring := &secret.Ring{}
	log := slog.New(secret.Redact(slog.NewJSONHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}), ring))
	o := serve.Options{
		Services: services, Secrets: secret.NewResolver(ring, log), Log: log, Version: version(),
		Advertise: f.advertise, Drain: f.drain, Grace: f.grace,
		Leases: lease.Options{Life: clock.Duration(f.lease.Milliseconds()), Margin: clock.Duration(f.lease.Milliseconds() / 5)},
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	look := make(chan struct{}, 1)
	o.LookNow = look
	go func() {
		for range hangups {
			select {
			case look <- struct{}{}:
			default:
			}
		}
	}()
	if f.embedded {
		return f.serveEmbedded(ctx, cmd, o)
	}
	return f.serveDeployment(ctx, cmd, o)
}

// servicesOf returns the services that arguments name, in the order in which they start.
func servicesOf(args []string) ([]string, error) {
	if slices.Equal(args, []string{"all"}) {
		return stores.ServiceNames, nil
	}
	var services []string
	for _, name := range stores.ServiceNames {
		if slices.Contains(args, name) {
			services = append(services, name)
		}
	}
	for i, name := range args {
		switch {
		case name == "all":
			return nil, usagef("all means every service: want it alone")
		case !slices.Contains(stores.ServiceNames, name):
			return nil, usagef("there is no service %q; want some of %s, or all", name, strings.Join(stores.ServiceNames, ", "))
		case slices.Contains(args[:i], name):
			return nil, usagef("service %s is named twice", name)
		}
	}
	return services, nil
}

// override puts the addresses of --listen in place of the deployment's.
func (f *serveFlags) override(d *stores.Deployment) error {
	for name, address := range f.listen {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return usagef("--listen %s=%s: want SERVICE=HOST:PORT", name, address)
		}
		switch {
		case name == "telemetry":
			d.Telemetry.Listen = address
		case slices.Contains(stores.ServiceNames, name):
			d.Services.Of(name).Listen = address
		default:
			return usagef("--listen: there is no service %q; want one of %s, or telemetry", name, strings.Join(stores.ServiceNames, ", "))
		}
	}
	return nil
}

func (f *serveFlags) serveDeployment(ctx context.Context, cmd *cobra.Command, o serve.Options) error {
	if cmd.Flags().Changed("market") {
		return usagef("--market is for --embedded; footway stores load-map brings a network into a deployment")
	}
	d, err := stores.ReadDeployment(f.config)
	if errors.Is(err, fs.ErrNotExist) {
		return usagef("--config: %w; want a deployment file, see docs/deployment.md, or --embedded", plain(err))
	}
	if err != nil {
		return usageError{err}
	}
	if err := f.override(&d); err != nil {
		return err
	}
	if errs := d.CheckServing(o.Services); len(errs) > 0 {
		return usagef("%s: %w", f.config, errors.Join(errs...))
	}
	if !slices.Contains(o.Services, "integrations") {
		d.Integrations = stores.Integration{TrackingURL: d.Integrations.TrackingURL} // its secrets are not given to who does not need them
	}
	kept, err := serve.OnBackends(ctx, d, o.Secrets, o.Log)
	if err != nil {
		return usagef("%s: %w", f.config, err)
	}
	defer kept.Close()
	return serve.Run(ctx, d, kept, o, nil)
}

func (f *serveFlags) serveEmbedded(ctx context.Context, cmd *cobra.Command, o serve.Options) error {
	if len(o.Services) != len(stores.ServiceNames) {
		return usagef("--embedded keeps everything in the memory of one process: want all")
	}
	if cmd.Flags().Changed("config") {
		return usagef("--embedded needs no --config; want one of them")
	}
	n, err := loadNetwork(f.market)
	if err != nil {
		return err
	}
	id := market.ID(networkName(f.market))
	d, kept, err := serve.Embedded(ctx, market.Market{ID: id, Name: n.Name, TimeZone: f.timeZone}, n)
	if err != nil {
		return err
	}
	defer kept.Close()
	if err := f.override(&d); err != nil {
		return err
	}
	for _, err := range d.Markets[0].Problems("--") {
		return usageError{err}
	}
	key, err := serve.Join(ctx, d, kept, "acme")
	if err != nil {
		return err
	}
	return serve.Run(ctx, d, kept, o, func(at map[string]net.Addr) {
		fmt.Fprintf(cmd.OutOrStdout(), `Footway serves market %s, in memory: all is gone when it ends.

Robots and people for it, in another terminal:
  export FOOTWAY_ROBOTS_TOKEN=%s FOOTWAY_OPERATOR_TOKEN=%s FOOTWAY_SIMULATOR_TOKEN=%s
  footway robots --plain --register --fleet %s --task %s --market %s --account %s \
    --people http://%s --partner acme --orders 60 --speed 10

Partner acme asks for deliveries in the words of Drive v2 (docs/partners begins with this):
  address      http://%s
  developer_id %s
  key_id       %s
  secret       %s

Services' own APIs, with the bearer token %s:
  http://%s/openapi.json   Deliveries
  http://%s/openapi.json   Dispatch
The fleet on the map, live: http://%s/twin#live=1 with FOOTWAY_OPERATOR_TOKEN, or
  footway-view --live http://%s
Health and metrics: http://%s/readyz, http://%s/metrics
`,
			id, os.Getenv(serve.EmbeddedRobots), os.Getenv(serve.EmbeddedOperator), os.Getenv(serve.EmbeddedPeople),
			at["fleet"], at["task"], f.market, serve.EmbeddedAccount, at["deliveries"],
			at["integrations"], key.Developer, key.ID, key.Secret.Text(),
			os.Getenv(serve.EmbeddedService), at["deliveries"], at["dispatch"], at["telemetry"], at["telemetry"], at["telemetry"], at["telemetry"])
	})
}
