package integration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
)

// Reasons of errors of the registry, for programs.
const (
	UnknownPartner  = "unknown_partner"
	UnknownKey      = "unknown_key"
	UnknownEndpoint = "unknown_endpoint_id"
	DuplicateID     = "duplicate_id"
	BadPartner      = "bad_partner"
	BadEndpoint     = "bad_endpoint"
	DuplicateURL    = "duplicate_url"
	TooMany         = "too_many_endpoints"
	NotActive       = "endpoint_not_active"
	SuspendedByUs   = "endpoint_suspended"
)

// Bounds of what one partner may have.
const (
	maxKeys      = 20
	maxEndpoints = 20 // of a partner, beside those of its businesses
	maxOfOne     = 5  // of a business
	maxMarkets   = 100
	maxEvents    = 50
	pageSize     = 100
)

// maxTries bounds how often a change is decided again because another writer was faster.
const maxTries = 16

// RegistryDeps are what a Registry works with; all are required.
type RegistryDeps struct {
	Partners  PartnerStore
	Keys      KeyStore
	Endpoints EndpointStore
	Secrets   SecretStore
	Source    Source
	Clock     clock.Clock
	// Environment says what robots a market has, or fails with fault.NotFound.
	Environment func(market.ID) (Environment, error)
	// CheckURL refuses, with fault.Invalid, what must not be called.
	CheckURL func(string) error
}

// Registry keeps who the partners are, how they prove it, and where they want to be told.
type Registry struct{ RegistryDeps }

// NewRegistry returns a registry over its stores.
func NewRegistry(d RegistryDeps) *Registry { return &Registry{d} }

// isID reports whether s can be the id of a partner.
func isID(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-_"
	return s != "" && len(s) <= 64 && strings.Trim(s, letters) == ""
}

// AddPartner registers a partner: ID, Name, Environment, Dialect and Markets are given, the rest is
// filled in. It fails with fault.Conflict, reason DuplicateID, if the id is taken;
// a repeat with the same particulars returns the partner that is there.
func (r *Registry) AddPartner(ctx context.Context, p Partner) (Partner, error) {
	const op = "integration.AddPartner"
	if err := r.checkPartner(p); err != nil {
		return Partner{}, &fault.Error{Op: op, Kind: fault.Invalid, Reason: BadPartner, Err: err}
	}
	now := r.Clock.Now()
	p = p.Clone()
	p.Developer, p.Status, p.CreatedAt, p.UpdatedAt, p.Revision = r.Source.NewID(), Active, now, now, 1
	err := r.Partners.CreatePartner(ctx, p)
	if !fault.Is(err, fault.Conflict) {
		return p, err
	}
	old, err := r.Partners.Partner(ctx, p.ID)
	if err != nil {
		return Partner{}, fmt.Errorf("add partner %s: %w", p.ID, err)
	}
	if old.Name != p.Name || old.Environment != p.Environment || old.Dialect != p.Dialect || !slices.Equal(old.Markets, p.Markets) {
		return Partner{}, fault.New(op, fault.Conflict, DuplicateID, "partner %s exists with other particulars", p.ID)
	}
	return old, nil
}

func (r *Registry) checkPartner(p Partner) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !isID(string(p.ID)) {
		bad("id %.80q: want 1 to 64 of a-z 0-9 - _", p.ID)
	}
	if p.Name == "" || len(p.Name) > 200 {
		bad("name has %d bytes: want 1 to 200", len(p.Name))
	}
	if p.Environment != Live && p.Environment != Sandbox {
		bad("environment %q: want %s or %s", p.Environment, Live, Sandbox)
	}
	if p.Dialect != Drive && p.Dialect != Uber {
		bad("dialect %.40q: want drive or %s", string(p.Dialect), Uber)
	}
	if len(p.Markets) == 0 || len(p.Markets) > maxMarkets {
		bad("%d markets: want 1 to %d", len(p.Markets), maxMarkets)
		return errors.Join(errs...)
	}
	for _, m := range p.Markets {
		switch has, err := r.Environment(m); {
		case err != nil:
			bad("market %q: %w", m, err)
		case has != p.Environment:
			bad("market %q has %s robots: a %s partner never reaches it", m, has, p.Environment)
		}
	}
	return errors.Join(errs...)
}

// SuspendPartner lets none of a partner's keys in any more, or lets them in again.
func (r *Registry) SuspendPartner(ctx context.Context, id delivery.PartnerID, suspended bool) (Partner, error) {
	status := Active
	if suspended {
		status = Suspended
	}
	for range maxTries {
		p, err := r.partner(ctx, id)
		if err != nil || p.Status == status {
			return p, err
		}
		p.Status, p.UpdatedAt = status, r.Clock.Now()
		p.Revision, err = r.Partners.SavePartner(ctx, p)
		if !fault.Is(err, fault.Conflict) {
			return p, err
		}
	}
	return Partner{}, contention("partner", string(id))
}

// List returns a page of the partners with an id above after, ordered by id.
func (r *Registry) List(ctx context.Context, after delivery.PartnerID) ([]Partner, error) {
	return r.Partners.Partners(ctx, after, pageSize)
}

// partner returns a partner, or fault.NotFound with its reason.
func (r *Registry) partner(ctx context.Context, id delivery.PartnerID) (Partner, error) {
	p, err := r.Partners.Partner(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return p, fault.New("integration.Partner", fault.NotFound, UnknownPartner, "there is no partner %.80q", id)
	}
	return p, err
}

func contention(what, id string) error {
	return fault.New("integration.Registry", fault.Unavailable, "contention", "%s %s: other writers were faster %d times", what, id, maxTries)
}
