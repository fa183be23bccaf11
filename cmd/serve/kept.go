package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"footway/adapters/dynamo"
	"footway/adapters/memory"
	"footway/adapters/postgres"
	"footway/adapters/rabbit"
	"footway/adapters/secret"
	"footway/adapters/vault"
	"footway/adapters/wallclock"
	"footway/cmd/stores"
	"footway/core/account"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/lease"
)

// Registry is where partners, their keys and their endpoints are kept.
type Registry interface {
	integration.PartnerStore
	integration.KeyStore
	integration.EndpointStore
}

// Events are the logs of partners.
type Events interface {
	integration.Log
	integration.LogReader
}

// Lines are what waits for endpoints, and how the rest has ended.
type Lines interface {
	integration.LineStore
	integration.EndStore
}

// People is where those who work for merchants are kept.
type People interface {
	account.Store
	account.Team
	account.SessionStore
	account.TryStore
}

// Take is who takes updates from the broker.
type Take = func(ctx context.Context, u ...delivery.Update) error

// Kept is where the services keep what they know, and what carries updates between them.
type Kept struct {
	*stores.Set
	Leases    lease.Store
	Events    Events
	Partners  Registry
	Lines     Lines
	People    People
	Secrets   integration.SecretStore
	Publisher delivery.Publisher
	// Consume gives updates from the broker to take until ctx ends.
	Consume func(ctx context.Context, take Take) error
	// Relaying runs work while no other process does; both end with ctx.
	Relaying func(ctx context.Context, work func(context.Context) error) error
	// Needs are what the service of a name cannot do without.
	Needs     func(service string) []Need
	Databases map[string]*postgres.DB // that this process may use, for metrics
	// Depth is how many updates wait on the broker, and how many are dead letters.
	Depth func(ctx context.Context) (waiting, dead int, err error)
	close func()
}

// Need is something that a service cannot do without.
type Need struct {
	Name  string
	Check func(context.Context) error
}

// Close gives connections back.
func (k *Kept) Close() {
	if k.close != nil {
		k.close()
	}
}

// InMemory returns empty stores in memory, and a broker between the services of this process.
func InMemory() (*Kept, error) {
	set, broker := stores.Memory(), memory.NewBroker(1_000_000)
	history, ok := set.Deliveries.(*memory.DeliveryStore)
	if !ok {
		return nil, errors.New("serve: the memory store of deliveries is another one")
	}
	history.KeepHistory()
	registry := memory.NewRegistry()
	return &Kept{
		Set: set, Leases: memory.NewLeaseStore(), Events: memory.NewPartnerLog(wallclock.Clock{}),
		Partners: registry, Lines: memory.NewLineStore(), Secrets: registry, People: memory.NewPeopleStore(),
		Publisher: broker, Consume: broker.Consume,
		Relaying: func(ctx context.Context, work func(context.Context) error) error { return work(ctx) },
		Needs:    func(string) []Need { return nil },
		Depth:    func(context.Context) (int, int, error) { return broker.Waiting(), len(broker.Dead()), nil },
	}, nil
}

// OnBackends returns the stores of a deployment. It connects to none of them yet.
func OnBackends(ctx context.Context, d stores.Deployment, secrets *secret.Resolver, log *slog.Logger) (*Kept, error) {
	b, err := stores.Open(ctx, d, secrets, log)
	if err != nil {
		return nil, err
	}
	k := &Kept{
		Set: b.Set(), Leases: dynamo.NewLeaseStore(b.Tables), Events: postgres.NewPartnerLog(b.Integrations, wallclock.Clock{}),
		Partners: postgres.NewRegistry(b.Integrations), Lines: postgres.NewLineStore(b.Integrations), People: postgres.NewPeopleStore(b.Deliveries),
		Relaying: postgres.NewLease(b.Deliveries, "relay").Hold,
		Needs:    func(service string) []Need { return needs(b, service) },
		Depth: func(ctx context.Context) (int, int, error) {
			depth, err := b.Broker.Depth(ctx)
			return depth.Waiting, depth.Dead, err
		},
		Databases: map[string]*postgres.DB{"deliveries": b.Deliveries, "maps": b.Maps, "integrations": b.Integrations},
		close:     b.Close,
	}
	if k.Secrets, err = sealed(d.Integrations, b, secrets); err != nil {
		b.Close()
		return nil, err
	}
	publisher := rabbit.NewPublisher(b.Broker, rabbit.PublisherOptions{})
	k.Publisher = publisher
	k.Consume = func(ctx context.Context, take Take) error {
		return rabbit.NewConsumer(b.Broker, rabbit.Take(take), rabbit.ConsumerOptions{}).Run(ctx)
	}
	k.close = func() {
		publisher.Close()
		b.Close()
	}
	return k, nil
}

// sealed returns the store of partners' secrets, or nil if the deployment has no key for it.
func sealed(of stores.Integration, b *stores.Backends, secrets *secret.Resolver) (integration.SecretStore, error) {
	var keys []integration.Secret
	for _, k := range []struct {
		path string
		ref  secret.Reference
	}{{"integrations.seal_key", of.SealKey}, {"integrations.seal_key_before", of.SealBefore}} {
		if (k.ref == secret.Reference{}) {
			continue
		}
		v, err := secrets.Resolve(k.ref)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.path, err)
		}
		key, ok := integration.ParseSecret(v.Reveal())
		if !ok {
			return nil, fmt.Errorf("%s: %s is not base64; want 32 bytes, such as `openssl rand -base64 32` prints", k.path, k.ref)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, nil
	}
	store, err := vault.NewSealed(postgres.NewSealedSecrets(b.Integrations), keys...)
	if err != nil {
		return nil, fmt.Errorf("integrations.seal_key: %w", err)
	}
	return store, nil
}

// needs are the backends that a service cannot do without.
func needs(b *stores.Backends, service string) []Need {
	deliveries, maps, integrations := Need{"database deliveries", b.Deliveries.Check}, Need{"database maps", b.Maps.Check}, Need{"database integrations", b.Integrations.Check}
	tables := Need{"tables", b.Tables.Check}
	switch service {
	case "deliveries":
		return []Need{deliveries, tables}
	case "merchant":
		return []Need{deliveries, maps}
	case "integrations":
		return []Need{integrations}
	case "maps":
		return []Need{maps}
	case "fleet", "task", "dispatch":
		return []Need{tables}
	}
	return nil
}
