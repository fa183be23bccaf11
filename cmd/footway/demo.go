package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"footway/adapters/secret"
	"footway/cmd/demo"
	"footway/core/market"
)

// demoFlags are the flags of `footway demo`.
type demoFlags struct {
	listen, market, timeZone, data, level, twin string
	speed                                       float64
	robots, orders                              int
	seed                                        uint64
}

func newDemoCommand() *cobra.Command {
	f := &demoFlags{}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show all of Footway in one process, on http://localhost:8080",
		Long: `Run everything in one process, on stores in memory: all services, an invented city,
simulated robots, a food platform and a shop that order, and the pages of merchants
and recipients. It needs no server, no key and no network.

Open the address that it prints. Ctrl-C ends it and leaves nothing behind, except for
the log of the run in the folder of --data, which footway view plays.

The robots live --speed times as fast as the wall clock; the services do not, so
robots come sooner than they promise.`,
		Example: `  footway demo
  footway demo --speed 20 --robots 80 --data out/demo
  footway demo --listen 0.0.0.0:8080`,
		Args: wants(),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8080", "`HOST:PORT` of all pages")
	flags.StringVar(&f.market, "market", "city", "`NETWORK` of the city: a .fwnet or .osm.pbf file, or city")
	flags.StringVar(&f.timeZone, "time-zone", "Local", "IANA `name` of the city's time zone, or Local for this machine's")
	flags.IntVar(&f.robots, "robots", 40, "how many robots")
	flags.IntVar(&f.orders, "orders", 40, "orders that come in within an hour of the city")
	flags.Float64Var(&f.speed, "speed", 10, "how much faster than the wall clock the robots live, up to 20")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of what happens to robots and people")
	flags.StringVar(&f.data, "data", "", "`folder` that keeps the log of the run")
	flags.StringVar(&f.twin, "twin", "", "`folder` in which make twin-wasm builds the visualizer for browsers, now or before (default what was built in)")
	flags.StringVar(&f.level, "log", "error", "what is logged on standard error: debug, info, warn or error")
	return cmd
}

func (f *demoFlags) run(cmd *cobra.Command) error {
	var level slog.Level
	switch {
	case level.UnmarshalText([]byte(f.level)) != nil:
		return usagef("--log %q: want debug, info, warn or error", f.level)
	case f.speed < 1 || f.speed > 20:
		return usagef("--speed %g: want 1 to 20; the services' deadlines mean nothing beyond", f.speed)
	case f.orders < 1 || f.orders > 1000:
		return usagef("--orders %d: want 1 to 1000", f.orders)
	}
	r := robotsFlags{count: f.robots, seed: f.seed}
	s, err := r.scenario()
	if err != nil {
		return err
	}
	n, err := loadNetwork(f.market)
	if err != nil {
		return err
	}
	if f.data != "" {
		if err := os.MkdirAll(f.data, 0o755); err != nil {
			return usagef("--data: %w", err)
		}
	}
	var twin fs.FS
	if f.twin != "" {
		twin = os.DirFS(f.twin)
	}
	log := slog.New(secret.Redact(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level}), &secret.Ring{}))
	return demo.Run(cmd.Context(), demo.Options{
		Listen: f.listen, Market: market.Market{ID: market.ID(networkName(f.market)), Name: n.Name, TimeZone: zoneName(f.timeZone)}, Network: n, Scenario: s,
		Speed: f.speed, Orders: f.orders, Data: f.data, Twin: twin, Log: log, Version: version(),
		Started: func(url string) {
			fmt.Fprintf(cmd.OutOrStdout(), "Footway is at %s\n%d robots, %g times as fast as your clock. Ctrl-C ends it.\n", url, f.robots, f.speed)
		},
	})
}

// zoneName returns the IANA name of a time zone, UTC for a machine that does not say which its own is.
func zoneName(name string) string {
	if name != "Local" {
		return name
	}
	if zone := os.Getenv("TZ"); zone != "" {
		return zone
	}
	if to, err := os.Readlink("/etc/localtime"); err == nil {
		for i := len(to) - 1; i >= 0; i-- {
			if rest := to[i:]; len(rest) > 10 && rest[:9] == "zoneinfo/" {
				return rest[9:]
			}
		}
	}
	return "UTC"
}
