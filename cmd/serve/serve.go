// Package serve runs the services of the design in processes: all in one, each
// in its own, or any split between. Where a service finds another in its own
// process an arrow is a function call, elsewhere it is the wire's client.
package serve

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"footway/adapters/secret"
	"footway/cmd/stores"
	"footway/core/event"
	"footway/core/lease"
)

// Options say what a process runs. Only Services, Secrets and Log are required.
type Options struct {
	// Services are names of stores.ServiceNames, without repeats.
	Services []string
	Secrets  *secret.Resolver
	Log      *slog.Logger
	Version  string

	// Replica is a name that no other process ever had; "" is one by chance.
	Replica string
	// Advertise is the host where other replicas reach this one; "" is what it
	// listens on, or the machine's name.
	Advertise string

	// Guest signs anybody in on merchants' pages with one click, and returns the session's token, for demonstrations; nil: nobody.
	Guest func(ctx context.Context) (token string, err error)
	// Journal is told what happens beside the journal of the deployment; nil: nobody is.
	Journal event.Journal
	// LookNow has Config look for a new version of the configuration; nil: it looks from time to time only.
	LookNow <-chan struct{}
	// Leases say how replicas share work; zero is lease.DefaultOptions.
	Leases lease.Options
	// Resume is how often what other replicas have left is looked for; 0 is 30 s.
	Resume time.Duration
	// Grace is how long what is needed at the start may be away; 0 is 30 s.
	Grace time.Duration
	// Drain is how long requests may go on when the process is asked to end; 0 is 15 s.
	Drain time.Duration
}

func (o Options) withDefaults() (Options, error) {
	if o.Replica == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "replica"
		}
		o.Replica = fmt.Sprintf("%s/%d/%s", host, os.Getpid(), strings.ToLower(rand.Text()[:8]))
	}
	if o.Leases == (lease.Options{}) {
		o.Leases = lease.DefaultOptions()
	}
	o.Resume, o.Grace, o.Drain = cmp.Or(o.Resume, 30*time.Second), cmp.Or(o.Grace, 30*time.Second), cmp.Or(o.Drain, 15*time.Second)
	if len(o.Services) == 0 {
		return o, errors.New("no service is named; want some of " + strings.Join(stores.ServiceNames, ", ") + ", or all")
	}
	seen := map[string]bool{}
	for _, name := range o.Services {
		if !slices.Contains(stores.ServiceNames, name) {
			return o, fmt.Errorf("there is no service %q; want some of %s, or all", name, strings.Join(stores.ServiceNames, ", "))
		}
		if seen[name] {
			return o, fmt.Errorf("service %s is named twice", name)
		}
		seen[name] = true
	}
	return o, nil
}

// Run runs services of a deployment on their stores until ctx ends, and then drains:
// it takes nothing new, finishes what is under way, and returns nil. It fails if something that it
// needs is not there after Options.Grace, or cannot work at all.
//
// started, if not nil, is called once everything listens, with the addresses by service.
func Run(ctx context.Context, d stores.Deployment, kept *Kept, o Options, started func(map[string]net.Addr)) error {
	o, err := o.withDefaults()
	if err != nil {
		return err
	}
	p, err := build(ctx, d, kept, o)
	if err != nil {
		return err
	}
	defer p.close()
	return p.run(ctx, started)
}
