package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/cmd/robots"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/kpi"
	"footway/core/market"
	"footway/sim/scenario"
)

// robotsFlags are the flags of `footway robots`.
type robotsFlags struct {
	fleet, task, market, id string
	count                   int
	account, prefix         string
	seed                    uint64
	speed                   float64
	set                     []string
	register                bool
	operator, token         string
	plain                   bool
	tls                     grpcapi.TLSFiles
	people, peopleToken     string
	partners                []string
	orders                  int64
	asJSON                  bool
}

func newRobotsCommand() *cobra.Command {
	var f robotsFlags
	cmd := &cobra.Command{
		Use:   "robots",
		Short: "Connect a simulated fleet to a running Fleet and Task",
		Long: `Connect simulated robots to a running Fleet and Task, over the gRPC streams that real
ones use, so that a whole deployment can be driven. They start at their docks, each
time anew, and drive, charge, get stuck and break down like those of the twin; --set
changes how often, as in a scenario (world.robots.stuck_mtbf=…).

With --people, simulated merchants load and recipients unload over the REST API of
Deliveries. They look after the deliveries of the partners that are named. Without
it the hatches wait for somebody else.

--speed lets the city live faster than the wall clock. The services do not: robots
then come sooner than Dispatch thinks, promises are kept too easily, and deadlines
of minutes are long. Use 1 to measure, 5 to 20 to try things out.

Ctrl-C ends it: robots stop where they are, and reports that were not heard are sent
for up to 10 s. A second Ctrl-C does not wait for that.`,
		Example: `  footway robots --fleet 127.0.0.1:7000 --task 127.0.0.1:7000 --plain --account embedded --register
  footway robots --fleet fleet:7003 --task task:7004 --cert r.pem --key r.key --ca ca.pem
  footway robots --plain --people http://127.0.0.1:8082 --partner acme --orders 100 --speed 10`,
		Args: wants(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.fleet, "fleet", "127.0.0.1:7000", "gRPC `target` of Fleet")
	flags.StringVar(&f.task, "task", "127.0.0.1:7000", "gRPC `target` of Task")
	flags.StringVar(&f.market, "market", "city", "`NETWORK` that they drive on, the one of the market: a .fwnet or .osm.pbf file, or city")
	flags.StringVar(&f.id, "market-id", "", "`id` of the market in the deployment; without it the network's file name")
	flags.IntVar(&f.count, "count", 20, "how many robots")
	flags.StringVar(&f.account, "account", "embedded", "`id` of the provider's account that they belong to")
	flags.StringVar(&f.prefix, "prefix", "", "begins the names of robots and docks, so that several fleets share a market")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of all chance")
	flags.Float64Var(&f.speed, "speed", 1, "how much faster than the wall clock they live, up to 100")
	flags.StringArrayVar(&f.set, "set", nil, "set a parameter of fleet, world or demand, such as world.recipients.no_show_permille=0 (repeatable)")
	flags.BoolVar(&f.register, "register", false, "register account, docks and robots at Fleet first, as an operator")
	flags.StringVar(&f.operator, "operator-token", "env:FOOTWAY_OPERATOR_TOKEN", "`reference` to the operators' token, for --register")
	flags.StringVar(&f.token, "token", "env:FOOTWAY_ROBOTS_TOKEN", "`reference` to the account's token; not used with --cert")
	flags.BoolVar(&f.plain, "plain", false, "no TLS, for a deployment whose wires are plain")
	flags.StringVar(&f.tls.Cert, "cert", "", "PEM `file` of the account's certificate")
	flags.StringVar(&f.tls.Key, "key", "", "PEM `file` of its key")
	flags.StringVar(&f.tls.CA, "ca", "", "PEM `file` of the services' authorities")
	flags.StringVar(&f.people, "people", "", "`URL` of Deliveries, for simulated merchants and recipients")
	flags.StringVar(&f.peopleToken, "people-token", "env:FOOTWAY_SIMULATOR_TOKEN", "`reference` to the token of simulated people")
	flags.StringSliceVar(&f.partners, "partner", nil, "`partner` whose deliveries the people look after (repeatable)")
	flags.Int64Var(&f.orders, "orders", 0, "orders in an hour of the city that simulated customers place, for the first partner; wants --people")
	flags.BoolVar(&f.asJSON, "json", false, "what happened, as JSON on standard output at the end")
	return cmd
}

func (f *robotsFlags) run(cmd *cobra.Command) error {
	o, err := f.options(cmd)
	if err != nil {
		return err
	}
	if terminal(cmd.ErrOrStderr()) {
		o.Show = func(s robots.Stats) {
			fmt.Fprintf(cmd.ErrOrStderr(), "\r%d robots, %d reconnects, %d reports (%d not acknowledged), %d deliveries, %d exchanges \x1b[K", s.Robots, s.Reconnects, s.Reports, s.Pending, s.Deliveries, s.Handoffs)
		}
	}
	s, err := robots.Run(cmd.Context(), o)
	if o.Show != nil {
		fmt.Fprintln(cmd.ErrOrStderr())
	}
	if err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d robots: %d reports, %d of them sent again, %d refused, %d not acknowledged; %d orders and %d instructions; %d deliveries with %d exchanges; %d reconnects\n",
		s.Robots, s.Reports, s.Resent, s.Refused, s.Pending, s.Orders, s.Instructions, s.Deliveries, s.Handoffs, s.Reconnects)
	return err
}

func (f *robotsFlags) options(cmd *cobra.Command) (robots.Options, error) {
	var o robots.Options
	switch {
	case f.speed <= 0 || f.speed > 100:
		return o, usagef("--speed %g: want more than 0, up to 100", f.speed)
	case f.plain && f.tls != (grpcapi.TLSFiles{}):
		return o, usagef("--plain is without TLS: want no --cert, --key and --ca beside it")
	case !f.plain && (f.tls.CA == "" || (f.tls.Cert == "") != (f.tls.Key == "")):
		return o, usagef("want --ca, and --cert with --key or a --token; or --plain for a deployment whose wires are plain")
	case f.orders > 0 && f.people == "":
		return o, usagef("--orders: simulated customers order over the REST API; want --people too")
	case f.people != "" && len(f.partners) == 0:
		return o, usagef("--people: want --partner too, whose deliveries they look after")
	}
	s, err := f.scenario()
	if err != nil {
		return o, err
	}
	n, err := loadNetwork(f.market)
	if err != nil {
		return o, err
	}
	id := market.ID(f.id)
	if id == "" {
		id = market.ID(networkName(f.market))
	}
	ring := &secret.Ring{}
	log := slog.New(secret.Redact(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}), ring))
	secrets := secret.NewResolver(ring, log)
	o = robots.Options{Market: id, Network: n, Scenario: s, Account: fleet.AccountID(f.account), Prefix: f.prefix, Speed: f.speed, Log: log}
	token := ""
	if f.tls.Cert == "" {
		token = f.token
	}
	o.Fleet, o.Task = f.dialer(f.fleet, token, secrets, log), f.dialer(f.task, token, secrets, log)
	if f.register {
		cc, err := f.dialer(f.fleet, f.operator, secrets, log)()
		if err != nil {
			return o, usageError{plain(err)}
		}
		o.Setup = setup{grpcapi.NewFleetClient(cc)}
	}
	return o, f.addPeople(&o, secrets)
}

// scenario is how the fleet and the people are, without what a run has beside them.
func (f *robotsFlags) scenario() (scenario.Scenario, error) {
	file := scenarioFile{Scenario: scenario.Defaults()}
	file.Name, file.Start, file.Duration, file.Seed = "robots", "2026-01-01T00:00", 72*clock.Hour, f.seed
	file.Fleet.Robots, file.Fleet.Couriers, file.Demand.PerHour = f.count, 0, f.orders
	for _, assignment := range f.set {
		if err := file.Set(assignment); err != nil {
			return file.Scenario, usagef("--set: %w", plain(err))
		}
	}
	file.Fill()
	if _, errs := file.Config(); len(errs) > 0 {
		return file.Scenario, usageError{errors.Join(errs...)}
	}
	checked := file.Scenario
	checked.Demand.PerHour = max(checked.Demand.PerHour, 1) // where nobody orders here, others do
	if err := errors.Join(scenario.Problems(&checked, kpi.Known)...); err != nil {
		return file.Scenario, usageError{err}
	}
	file.Scenario.Duration = endless
	return file.Scenario, nil
}

// endless is how long orders come in: until somebody ends it.
const endless = 10 * 365 * 24 * clock.Hour

// dialer returns what makes a connection that shows the secret behind a reference, if any.
func (f *robotsFlags) dialer(target, reference string, secrets *secret.Resolver, log *slog.Logger) func() (*grpc.ClientConn, error) {
	return func() (*grpc.ClientConn, error) {
		o := grpcapi.DialOptions{Insecure: f.plain, Log: log}
		if !f.plain {
			o.TLS = &f.tls
		}
		if reference != "" {
			ref, err := secret.Parse(reference)
			if err != nil {
				return nil, err
			}
			o.Token = func(context.Context) (string, error) {
				v, err := secrets.Resolve(ref)
				return v.Reveal(), err
			}
		}
		return grpcapi.Dial(target, o)
	}
}

// addPeople gives the robots their merchants and recipients.
func (f *robotsFlags) addPeople(o *robots.Options, secrets *secret.Resolver) error {
	if f.people == "" {
		return nil
	}
	ref, err := secret.Parse(f.peopleToken)
	if err != nil {
		return usagef("--people-token: %w", plain(err))
	}
	c, err := restapi.NewDeliveriesClient(f.people, restapi.ClientOptions{Token: func(context.Context) (string, error) {
		v, err := secrets.Resolve(ref)
		return v.Reveal(), err
	}})
	if err != nil {
		return usagef("--people: %w", plain(err))
	}
	o.People = c
	for _, p := range f.partners {
		o.Partners = append(o.Partners, delivery.PartnerID(p))
	}
	return nil
}

// setup is Fleet's administration.
type setup struct{ *grpcapi.FleetClient }

// Report implements world.Fleet. Telemetry goes over the robots' own streams.
func (setup) Report(context.Context, fleet.Telemetry) error { return nil }
