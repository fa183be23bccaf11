package serve

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"

	"footway/adapters/secret"
	"footway/cmd/stores"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/integration"
	"footway/core/maps"
	"footway/core/market"
)

// EmbeddedAccount is the account of the robots of an embedded deployment.
const EmbeddedAccount fleet.AccountID = "embedded"

// Secrets of an embedded deployment are in these variables; who sets none gets some by chance.
const (
	EmbeddedOperator = "FOOTWAY_OPERATOR_TOKEN"
	EmbeddedRobots   = "FOOTWAY_ROBOTS_TOKEN"
	EmbeddedService  = "FOOTWAY_SERVICE_TOKEN"
	EmbeddedPeople   = "FOOTWAY_SIMULATOR_TOKEN"
	EmbeddedLinks    = "FOOTWAY_LINK_KEY"
	EmbeddedPasses   = "FOOTWAY_PASS_KEY"
	EmbeddedAccess   = "FOOTWAY_ACCESS_KEY"
)

// Embedded returns a deployment of one market with all services in one process,
// nothing outside of its memory, and everything on the loopback interface. Its market is a
// sandbox, since nobody drives real robots like this.
func Embedded(ctx context.Context, m market.Market, n *maps.Network) (stores.Deployment, *Kept, error) {
	d := stores.DefaultDeployment()
	d.Markets = []stores.Market{{ID: m.ID, TimeZone: m.TimeZone, Sandbox: true}}
	d.Security.Wires = "plain"
	for _, name := range []string{EmbeddedOperator, EmbeddedRobots, EmbeddedService, EmbeddedPeople, EmbeddedLinks, EmbeddedPasses, EmbeddedAccess} {
		if os.Getenv(name) == "" {
			if err := os.Setenv(name, rand.Text()+rand.Text()); err != nil {
				return d, nil, err
			}
		}
	}
	for name, into := range map[string]*secret.Reference{EmbeddedOperator: &d.Security.OperatorToken, EmbeddedService: &d.Services.Integrations.Token, EmbeddedPeople: &d.Security.Simulator,
		EmbeddedLinks: &d.Security.Links, EmbeddedPasses: &d.Security.Passes, EmbeddedAccess: &d.Integrations.TokenKey} {
		ref, err := secret.Parse("env:" + name)
		if err != nil {
			return d, nil, err
		}
		*into = ref
	}
	robots, err := secret.Parse("env:" + EmbeddedRobots)
	if err != nil {
		return d, nil, err
	}
	d.Security.Accounts = []stores.Account{{ID: EmbeddedAccount, Token: robots}}
	d.Integrations.PrivateURLs = true
	d.Integrations.PerMinute = 100_000
	d.Services.Integrations.Listen = "127.0.0.1:8081"
	d.Services.Deliveries.Listen = "127.0.0.1:8082"
	d.Services.Dispatch.Listen = "127.0.0.1:8083"
	d.Services.Merchant.Listen = "127.0.0.1:8084"
	for _, s := range []*stores.Service{&d.Services.Fleet, &d.Services.Task, &d.Services.Maps, &d.Services.Config} {
		s.Listen = "127.0.0.1:7000"
	}
	d.Telemetry.Listen = "127.0.0.1:9100"
	kept, err := InMemory()
	if err != nil {
		return d, nil, err
	}
	if err := kept.Maps.SaveNetwork(ctx, m.ID, n); err != nil {
		return d, nil, fmt.Errorf("market %s: %w", m.ID, err)
	}
	return d, kept, nil
}

// Join registers a partner of an embedded deployment and returns a key of it.
func Join(ctx context.Context, d stores.Deployment, kept *Kept, id delivery.PartnerID) (integration.Issued, error) {
	r := NewRegistry(d, kept)
	p := integration.Partner{ID: id, Name: string(id), Environment: integration.Sandbox}
	for i := range d.Markets {
		p.Markets = append(p.Markets, d.Markets[i].ID)
	}
	if _, err := r.AddPartner(ctx, p); err != nil {
		return integration.Issued{}, err
	}
	return r.IssueKey(ctx, id)
}
