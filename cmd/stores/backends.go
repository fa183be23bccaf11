//go:build !js

package stores

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/aws"

	"footway/adapters/dynamo"
	"footway/adapters/postgres"
	"footway/adapters/rabbit"
	"footway/adapters/secret"
	"footway/adapters/zstd"
	"footway/core/clock"
	"footway/core/integration"
)

// Backends are the databases, tables and the broker of a deployment.
type Backends struct {
	Deliveries   *postgres.DB
	Maps         *postgres.DB
	Integrations *postgres.DB
	Tables       *dynamo.DB
	Broker       *rabbit.Broker
	retention    Retention
}

// Open returns the backends of a deployment. It connects to none of them yet, and looks up
// no secret of a database or the broker before a connection needs it.
func Open(ctx context.Context, d Deployment, secrets *secret.Resolver, log *slog.Logger) (*Backends, error) {
	b := &Backends{retention: d.Retention}
	for _, one := range []struct {
		into **postgres.DB
		name postgres.Database
		at   Database
	}{
		{&b.Deliveries, postgres.Deliveries, d.Databases.Deliveries},
		{&b.Maps, postgres.Maps, d.Databases.Maps},
		{&b.Integrations, postgres.Integrations, d.Databases.Integrations},
	} {
		db, err := postgres.Open(ctx, one.name, postgres.Options{
			URL: one.at.URL, Password: password(secrets, one.at.Password),
			MaxConns: one.at.Connections, CallTimeout: one.at.Timeout.Std(), Logger: log,
		})
		if err != nil {
			b.Close()
			return nil, fmt.Errorf("databases.%s: %w", one.name, err)
		}
		*one.into = db
	}
	var err error
	if b.Tables, err = openTables(ctx, d.Tables, secrets, log); err != nil {
		b.Close()
		return nil, fmt.Errorf("tables: %w", err)
	}
	b.Broker, err = rabbit.NewBroker(rabbit.Options{
		URL: d.Broker.URL, Password: password(secrets, d.Broker.Password),
		Prefix: d.Broker.Prefix, CallTimeout: d.Broker.Timeout.Std(), Logger: log,
	})
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("broker: %w", err)
	}
	return b, nil
}

func openTables(ctx context.Context, t Tables, secrets *secret.Resolver, log *slog.Logger) (*dynamo.DB, error) {
	o := dynamo.Options{
		Endpoint: t.Endpoint, Region: t.Region, Prefix: t.Prefix, Logger: log,
		Timeouts: dynamo.Timeouts{Call: t.Timeout.Std()},
	}
	if (t.AccessKey != secret.Reference{}) {
		o.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			id, err := secrets.Resolve(t.AccessKey)
			if err != nil {
				return aws.Credentials{}, err
			}
			key, err := secrets.Resolve(t.SecretKey)
			return aws.Credentials{AccessKeyID: id.Reveal(), SecretAccessKey: key.Reveal(), Source: "deployment"}, err
		})
	}
	return dynamo.Open(ctx, o)
}

// password returns what looks a password up when a connection needs it, or nil if there is none.
func password(secrets *secret.Resolver, ref secret.Reference) func(context.Context) (string, error) {
	if (ref == secret.Reference{}) {
		return nil
	}
	return func(context.Context) (string, error) {
		v, err := secrets.Resolve(ref)
		return v.Reveal(), err
	}
}

// Close gives all connections back.
func (b *Backends) Close() {
	for _, db := range []*postgres.DB{b.Deliveries, b.Maps, b.Integrations} {
		if db != nil {
			db.Close()
		}
	}
}

// Set returns a store in these backends for every port that keeps something.
func (b *Backends) Set() *Set {
	return &Set{
		Deliveries: postgres.NewDeliveryStore(b.Deliveries), Cursors: postgres.NewCursors(b.Deliveries),
		Robots: dynamo.NewFleetStore(b.Tables), Telemetry: dynamo.NewTelemetryStore(b.Tables), Accounts: dynamo.NewAccountStore(b.Tables),
		Tasks: dynamo.NewTaskStore(b.Tables), Maps: postgres.NewMapStore(b.Maps, &zstd.Codec{}), Merchants: postgres.NewMerchantStore(b.Deliveries),
	}
}

// part is a backend with what can be done to it.
type part struct {
	name    string
	prepare func(context.Context) error
	check   func(context.Context) error
}

func (b *Backends) parts() []part {
	return []part{
		{"database deliveries", b.Deliveries.Migrate, b.Deliveries.Check},
		{"database maps", b.Maps.Migrate, b.Maps.Check},
		{"database integrations", b.Integrations.Migrate, b.Integrations.Check},
		{"tables", b.Tables.CreateTables, b.Tables.Check},
		{"broker", b.Broker.Declare, b.Broker.Check},
	}
}

// Done is what became of one backend.
type Done struct {
	Name string
	Err  error
}

// Prepare makes what the program needs in each backend: schemas, tables, exchanges and queues. What
// is there stays, so it can be repeated. One that fails does not keep it from the others.
func (b *Backends) Prepare(ctx context.Context) []Done {
	return each(b.parts(), func(p part) error { return p.prepare(ctx) })
}

// Check reports of each backend whether it can be reached and is what the program expects.
func (b *Backends) Check(ctx context.Context) []Done {
	return each(b.parts(), func(p part) error { return p.check(ctx) })
}

func each(parts []part, do func(part) error) []Done {
	all := make([]Done, len(parts))
	for i, p := range parts {
		all[i] = Done{p.name, do(p)}
	}
	return all
}

// Tidied says how much Tidy deleted.
type Tidied struct {
	Personal int `json:"personal"` // deliveries and quotes whose personal data are gone
	Quotes   int `json:"quotes"`
	Sent     int `json:"sent"`
	Events   int `json:"events"`
}

// Tidy deletes what is older than its retention. Several may do it at once. What one part
// cannot do now does not keep it from the others; the error joins all that went wrong.
func (b *Backends) Tidy(ctx context.Context, c clock.Clock) (Tidied, error) {
	deliveries := postgres.NewDeliveryStore(b.Deliveries)
	events, err := integration.NewService(postgres.NewPartnerLog(b.Integrations, c), c, integration.Options{
		Patience: integration.DefaultOptions().Patience, Retention: b.retention.Events,
	})
	if err != nil {
		return Tidied{}, err
	}
	before := func(keep clock.Duration, do func(context.Context, clock.Time) (int, error)) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) { return do(ctx, c.Now().Add(-keep)) }
	}
	var done Tidied
	var errs []error
	for _, job := range []struct {
		what string
		n    *int
		do   func(context.Context) (int, error)
	}{
		{"personal data", &done.Personal, before(b.retention.Personal, deliveries.Forget)},
		{"expired quotes", &done.Quotes, before(b.retention.Quotes, deliveries.TrimQuotes)},
		{"sent updates", &done.Sent, before(b.retention.Sent, deliveries.TrimSent)},
		{"partners' events", &done.Events, events.Trim},
	} {
		if *job.n, err = job.do(ctx); err != nil {
			errs = append(errs, fmt.Errorf("tidy %s: %w", job.what, err))
		}
	}
	return done, errors.Join(errs...)
}
