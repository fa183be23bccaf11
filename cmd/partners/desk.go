// Package partners is how operators look after partners, their keys and their
// endpoints: what they may ask of a deployment's registry, and how the answers look.
package partners

import (
	"cmp"
	"context"
	"log/slog"

	"footway/adapters/secret"
	"footway/cmd/serve"
	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// Desk is where partners are looked after. Its errors of kind fault.Invalid,
// fault.NotFound, fault.Conflict and fault.Exhausted are for whoever asked.
type Desk struct {
	registry *integration.Registry
	kept     *serve.Kept
}

// Open returns the desk of a deployment: the same registry as the door's.
func Open(ctx context.Context, d stores.Deployment, secrets *secret.Resolver, log *slog.Logger) (*Desk, error) {
	kept, err := serve.OnBackends(ctx, d, secrets, log)
	if err != nil {
		return nil, err
	}
	if kept.Secrets == nil {
		kept.Close()
		return nil, fault.New("partners.Open", fault.Invalid, "no_seal_key", "integrations.seal_key: missing; partners' secrets are sealed with it: want a reference to 32 bytes in base64, such as `openssl rand -base64 32` prints")
	}
	return &Desk{serve.NewRegistry(d, kept), kept}, nil
}

// Close gives connections back.
func (d *Desk) Close() { d.kept.Close() }

// Add registers a partner: ID, Name, Environment and Markets are given.
func (d *Desk) Add(ctx context.Context, p integration.Partner) (Partner, error) {
	p, err := d.registry.AddPartner(ctx, p)
	return showPartner(p), err
}

// List returns all partners, ordered by id.
func (d *Desk) List(ctx context.Context) ([]Partner, error) {
	all := []Partner{}
	var after delivery.PartnerID
	for {
		page, err := d.registry.List(ctx, after)
		if err != nil || len(page) == 0 {
			return all, err
		}
		for _, p := range page {
			all, after = append(all, showPartner(p)), p.ID
		}
	}
}

// Show returns a partner with its keys and endpoints.
func (d *Desk) Show(ctx context.Context, id delivery.PartnerID) (Whole, error) {
	keys, err := d.Keys(ctx, id)
	if err != nil {
		return Whole{}, err
	}
	endpoints, err := d.Endpoints(ctx, id)
	if err != nil {
		return Whole{}, err
	}
	p, err := d.registry.Partners.Partner(ctx, id)
	return Whole{showPartner(p), keys, endpoints}, err
}

// Suspend lets a partner in no more, or again.
func (d *Desk) Suspend(ctx context.Context, id delivery.PartnerID, suspended bool) (Partner, error) {
	p, err := d.registry.SuspendPartner(ctx, id, suspended)
	return showPartner(p), err
}

// Keys returns a partner's keys, ordered by id.
func (d *Desk) Keys(ctx context.Context, id delivery.PartnerID) ([]Key, error) {
	keys, err := d.registry.PartnerKeys(ctx, id)
	all := []Key{}
	for _, k := range keys {
		all = append(all, showKey(k, d.registry.Clock.Now()))
	}
	return all, err
}

// AddKey makes a key. Its secret is shown this once.
func (d *Desk) AddKey(ctx context.Context, id delivery.PartnerID) (IssuedKey, error) {
	k, err := d.registry.IssueKey(ctx, id)
	return showIssued(k), err
}

// RotateKey makes a key in place of one that is good for grace yet.
func (d *Desk) RotateKey(ctx context.Context, id delivery.PartnerID, key string, grace clock.Duration) (IssuedKey, error) {
	k, err := d.registry.RotateKey(ctx, id, key, grace)
	return showIssued(k), err
}

// RevokeKey makes a key prove nothing from now on.
func (d *Desk) RevokeKey(ctx context.Context, id delivery.PartnerID, key string) (Key, error) {
	k, err := d.registry.RevokeKey(ctx, id, key)
	return showKey(k, d.registry.Clock.Now()), err
}

// Endpoints returns a partner's endpoints and those of its businesses, ordered by id.
func (d *Desk) Endpoints(ctx context.Context, id delivery.PartnerID) ([]Endpoint, error) {
	endpoints, err := d.registry.OwnEndpoints(ctx, integration.Owner{Partner: id})
	all := []Endpoint{}
	for _, e := range endpoints {
		all = append(all, showEndpoint(e, d.registry.Clock.Now()))
	}
	return all, err
}

// AddEndpoint makes an endpoint. Its signing secret is shown this once.
func (d *Desk) AddEndpoint(ctx context.Context, n integration.NewEndpoint) (IssuedEndpoint, error) {
	n.Auth.Kind = cmp.Or(n.Auth.Kind, integration.NoAuth)
	e, s, err := d.registry.AddEndpoint(ctx, n)
	return IssuedEndpoint{showEndpoint(e, d.registry.Clock.Now()), s.WebhookText()}, err
}

// RotateEndpoint gives an endpoint another signing secret; webhooks are signed with both until grace is over.
func (d *Desk) RotateEndpoint(ctx context.Context, id delivery.PartnerID, endpoint string, grace clock.Duration) (IssuedEndpoint, error) {
	e, s, err := d.registry.RotateSigning(ctx, integration.Owner{Partner: id}, endpoint, grace)
	return IssuedEndpoint{showEndpoint(e, d.registry.Clock.Now()), s.WebhookText()}, err
}

// SetEndpoint lets an endpoint be told, not for a while, or never again.
func (d *Desk) SetEndpoint(ctx context.Context, id delivery.PartnerID, endpoint string, s integration.Status) (Endpoint, error) {
	e, err := d.registry.SetEndpoint(ctx, integration.Owner{Partner: id}, endpoint, s)
	return showEndpoint(e, d.registry.Clock.Now()), err
}
