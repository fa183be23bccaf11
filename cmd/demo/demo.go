// Package demo is the whole of Footway in one process, for who has never heard of it: all services on
// stores in memory, an invented city, simulated robots and people, orders of a partner
// and of a shop, and every page on one port. Nothing outside of the process is needed, and nothing
// is left when it ends, unless somebody wants the log.
package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"footway/adapters/grpcapi"
	"footway/adapters/ident"
	"footway/adapters/pages/citymap"
	"footway/adapters/pages/kit"
	"footway/adapters/pages/recipient"
	"footway/adapters/restapi"
	"footway/adapters/secret"
	"footway/adapters/tiles"
	"footway/adapters/wallclock"
	"footway/adapters/zstd"
	"footway/cmd/robots"
	"footway/cmd/serve"
	"footway/cmd/stores"
	"footway/cmd/web"
	"footway/core/account"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/integration"
	"footway/core/maps"
	"footway/core/market"
	"footway/sim/scenario"
)

// Who asks for deliveries in the demo.
const (
	partnerID delivery.PartnerID = "bites" // by the words of Drive, at the partners' door
	shopID    delivery.PartnerID = "shop"  // by the public API, as the merchants' pages do
	business                     = "corner-shop"
	storeID                      = "quay"
)

// Options say what the demo is like. Network, Scenario, Log and Version are required.
type Options struct {
	// Listen is the one address of all pages; "" is 127.0.0.1:8080.
	Listen string
	// Market is what the market is called, and Network its map.
	Market  market.Market
	Network *maps.Network
	// Scenario has the fleet and the people, with defaults filled in.
	Scenario scenario.Scenario
	// Speed is how much faster than the wall clock the city lives; 0 is 10.
	Speed float64
	// Orders is how many orders come in within an hour of the city, of partners and of the shop each; 0 is 40.
	Orders int
	// Data is a folder that keeps the log of the run; "" keeps none.
	Data string
	// Twin has the visualizer for browsers, or will have it once it is built; nil is what the program was built with.
	Twin    fs.FS
	Log     *slog.Logger
	Version string
	// Started, if not nil, is called with the address of the start page once all is there.
	Started func(url string)
}

func (o *Options) check() error {
	if o.Network == nil || o.Log == nil || o.Market.ID == "" {
		return errors.New("demo: Market, Network and Log are required")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:8080"
	}
	if o.Speed == 0 {
		o.Speed = 10
	}
	if o.Orders == 0 {
		o.Orders = 40
	}
	return nil
}

// demo is one run.
type demo struct {
	Options
	d       stores.Deployment
	key     integration.Issued
	url     string              // of the start page, without a slash at its end
	at      map[string]net.Addr // of the services
	people  *restapi.DeliveriesClient
	office  *restapi.DeliveriesClient // as Integrations, which may register shops
	token   string                    // of simulated people
	pages   *recipient.Pages
	cities  *tiles.Handler
	module  *kit.Assets
	twin    *web.Handler
	visitor visits
	numbers atomic.Int64 // of orders of the shop

	accounts *account.Service
	mu       sync.Mutex // guards what follows
	password string     // of the shop's keeper, once there is one
}

// Run runs the demo until ctx ends, and returns nil then.
func Run(ctx context.Context, o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	defer func() { _ = l.Close() }() // the server has closed it, unless it was never begun
	d := &demo{Options: o, url: "http://" + shownAddress(l.Addr())}
	kept, err := d.deployment(ctx)
	if err != nil {
		return err
	}
	defer kept.Close()
	// What lives on the services ends before them, so that it can say its last.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- serve.Run(serving, d.d, kept, d.serveOptions(), func(at map[string]net.Addr) { d.at = at; close(ready) })
	}()
	select {
	case err := <-ended:
		return err
	case <-ready:
	}
	err = d.live(ctx, l, kept, ended)
	stop()
	return errors.Join(err, <-ended)
}

// shownAddress is where a browser on this machine finds a listener.
func shownAddress(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); err == nil && ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		return net.JoinHostPort("localhost", port)
	}
	return a.String()
}

// deployment makes the deployment, and the stores that it lives on.
func (d *demo) deployment(ctx context.Context) (*serve.Kept, error) {
	dep, kept, err := serve.Embedded(ctx, d.Market, d.Network)
	if err != nil {
		return nil, err
	}
	for _, name := range stores.ServiceNames {
		dep.Services.Of(name).Listen = "127.0.0.1:0"
	}
	dep.Telemetry.Listen = "127.0.0.1:0"
	dep.Telemetry.Pprof = false
	dep.Integrations.TrackingURL = d.url + "/r/"
	dep.Merchant.Direct, dep.Merchant.Support = []delivery.PartnerID{shopID}, "+12065550199"
	dep.Journal.Folder = d.Data
	d.accounts = serve.NewAccounts(kept)
	d.d, d.token = dep, os.Getenv(serve.EmbeddedPeople)
	if _, err = serve.Join(ctx, dep, kept, shopID); err != nil { // or its business could have no webhooks
		return kept, err
	}
	d.key, err = serve.Join(ctx, dep, kept, partnerID)
	return kept, err
}

func (d *demo) serveOptions() serve.Options {
	ring := &secret.Ring{}
	return serve.Options{Guest: d.guest, Services: stores.ServiceNames, Secrets: secret.NewResolver(ring, d.Log), Log: d.Log, Version: d.Version, Drain: 5 * time.Second}
}

// live runs what lives on the services, until ctx or the services end.
func (d *demo) live(ctx context.Context, l net.Listener, kept *serve.Kept, ended <-chan error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := d.connect(ctx, kept); err != nil {
		return err
	}
	defer d.people.Close()
	defer d.office.Close()
	if err := d.register(ctx); err != nil {
		return err
	}
	front := d.server()
	failed := make(chan error, 2)
	var all sync.WaitGroup
	all.Go(func() {
		if err := front.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	})
	all.Go(func() {
		if err := d.robots(ctx); err != nil && ctx.Err() == nil {
			failed <- fmt.Errorf("robots: %w", err)
		}
	})
	all.Go(func() { d.partner(ctx) })
	all.Go(func() { d.clerk(ctx) })
	all.Go(func() { d.orders(ctx) })
	if d.Started != nil {
		d.Started(d.url)
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	case err = <-ended:
		err = errors.Join(errors.New("the services ended"), err)
	}
	cancel()
	shut, done := context.WithTimeout(context.Background(), 3*time.Second)
	defer done()
	if front.Shutdown(shut) != nil {
		_ = front.Close() // streams of pages do not end by themselves
	}
	all.Wait()
	return err
}

// connect makes the clients of the services, and the pages.
func (d *demo) connect(ctx context.Context, kept *serve.Kept) error {
	as := func(token string) (*restapi.DeliveriesClient, error) {
		return restapi.NewDeliveriesClient("http://"+d.at["deliveries"].String(), restapi.ClientOptions{Token: func(context.Context) (string, error) { return token, nil }})
	}
	var err error
	if d.people, err = as(d.token); err != nil {
		return err
	}
	if d.office, err = as(os.Getenv(serve.EmbeddedService)); err != nil {
		return err
	}
	if d.cities, err = tiles.Open(ctx, kept.Maps, []market.ID{d.Market.ID}, tiles.Options{}); err != nil {
		return err
	}
	if d.module, err = citymap.New("/map"); err != nil {
		return err
	}
	d.twin = web.New(web.Options{Built: d.Twin, Coming: d.Twin != nil, Log: d.Log, Market: sync.OnceValues(func() ([]byte, error) {
		var b bytes.Buffer
		err := maps.Encode(&b, d.Network, &zstd.Codec{})
		return b.Bytes(), err
	})})
	zone, err := time.LoadLocation(d.Market.TimeZone)
	if err != nil {
		return err
	}
	d.pages, err = recipient.New(recipient.Options{
		API: d.service("deliveries"), Delivery: ident.LinkedDelivery, Map: d.module.Path("map.js"), Tiles: "/tiles",
		Zone: func(market.ID) *time.Location { return zone }, Clock: wallclock.Clock{}, Log: d.Log,
	})
	return err
}

// robots lets the fleet live, and the people of the partner's deliveries.
func (d *demo) robots(ctx context.Context) error {
	dial := func(service, token string) func() (*grpc.ClientConn, error) {
		return func() (*grpc.ClientConn, error) {
			return grpcapi.Dial(d.at[service].String(), grpcapi.DialOptions{Insecure: true, Log: d.Log, Token: func(context.Context) (string, error) { return os.Getenv(token), nil }})
		}
	}
	operator, err := dial("fleet", serve.EmbeddedOperator)()
	if err != nil {
		return err
	}
	defer func() { _ = operator.Close() }() // nothing is under way on it any more
	_, err = robots.Run(ctx, robots.Options{
		Market: d.Market.ID, Network: d.Network, Scenario: d.Scenario, Account: serve.EmbeddedAccount, Speed: d.Speed,
		Fleet: dial("fleet", serve.EmbeddedRobots), Task: dial("task", serve.EmbeddedRobots), Setup: setup{grpcapi.NewFleetClient(operator)},
		People: d.people, Partners: []delivery.PartnerID{partnerID}, Log: d.Log,
	})
	return err
}

// setup is Fleet's administration.
type setup struct{ *grpcapi.FleetClient }

// Report implements world.Fleet. Telemetry goes over the robots' own streams.
func (setup) Report(context.Context, fleet.Telemetry) error { return nil }

// every is the time between two orders at the wall, of so many in an hour of the city.
func (d *demo) every() time.Duration {
	return time.Duration(float64(time.Hour) / (float64(d.Orders) * d.Speed))
}

func pause(ctx context.Context, t time.Duration) bool {
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
