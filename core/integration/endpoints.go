package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// AuthSecretName returns under which name the password of e's Auth is kept.
func (e Endpoint) AuthSecretName() string { return "endpoint/" + e.ID + "/auth" }

// signingSecretName returns under which name a signing secret of e is kept.
func (e Endpoint) signingSecretName(id string) string { return "endpoint/" + e.ID + "/signing/" + id }

// NewEndpoint is an endpoint to be made.
type NewEndpoint struct {
	Partner  delivery.PartnerID
	URL      string
	Auth     Auth
	Password Secret // of Auth
	Events   []string
	From     uint64 // tell what is behind this position of the partner's log
}

// AddEndpoint makes an endpoint and returns it with its signing secret, which is shown this once.
func (r *Registry) AddEndpoint(ctx context.Context, n NewEndpoint) (Endpoint, Secret, error) {
	const op = "integration.AddEndpoint"
	if err := r.checkEndpoint(n); err != nil {
		return Endpoint{}, Secret{}, &fault.Error{Op: op, Kind: fault.Invalid, Reason: BadEndpoint, Err: err}
	}
	if _, err := r.partner(ctx, n.Partner); err != nil {
		return Endpoint{}, Secret{}, err
	}
	there, err := r.Endpoints.Endpoints(ctx, n.Partner, "", maxEndpoints)
	if err != nil {
		return Endpoint{}, Secret{}, fmt.Errorf("endpoints of %s: %w", n.Partner, err)
	}
	if len(there) >= maxEndpoints {
		return Endpoint{}, Secret{}, fault.New(op, fault.Exhausted, "too_many_endpoints", "partner %s has %d endpoints, which is all it may have", n.Partner, len(there))
	}
	now := r.Clock.Now()
	e := Endpoint{ID: r.Source.NewID(), Partner: n.Partner, URL: n.URL, Auth: n.Auth, Events: n.Events, From: n.From,
		Status: Active, Signing: r.Source.NewID(), CreatedAt: now, UpdatedAt: now, Revision: 1}.Clone()
	if e.Auth.Kind == "" {
		e.Auth.Kind = NoAuth
	}
	secret := r.Source.NewSecret()
	if err := r.Secrets.PutSecret(ctx, e.signingSecretName(e.Signing), secret); err != nil {
		return Endpoint{}, Secret{}, fmt.Errorf("add endpoint of %s: %w", n.Partner, err)
	}
	if e.Auth.Kind != NoAuth {
		if err := r.Secrets.PutSecret(ctx, e.AuthSecretName(), n.Password); err != nil {
			return Endpoint{}, Secret{}, fmt.Errorf("add endpoint of %s: %w", n.Partner, err)
		}
	}
	if err := r.Endpoints.CreateEndpoint(ctx, e); err != nil {
		return Endpoint{}, Secret{}, fmt.Errorf("add endpoint of %s: %w", n.Partner, err)
	}
	return e, secret, nil
}

func (r *Registry) checkEndpoint(n NewEndpoint) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := r.CheckURL(n.URL); err != nil {
		bad("url: %w", err)
	}
	switch n.Auth.Kind {
	case "", NoAuth:
		if n.Auth.User != "" || n.Auth.TokenURL != "" || len(n.Password.Bytes()) > 0 {
			bad("auth: a user, password or token_url is given, and the kind is none; want basic or oauth2")
		}
	case BasicAuth:
		if n.Auth.User == "" || strings.Contains(n.Auth.User, ":") || n.Auth.TokenURL != "" || len(n.Password.Bytes()) == 0 {
			bad("auth: basic wants a user without a colon, a password and nothing else")
		}
	case OAuth:
		if n.Auth.User == "" || len(n.Password.Bytes()) == 0 {
			bad("auth: oauth2 wants a client id as user and its secret")
		}
		if err := r.CheckURL(n.Auth.TokenURL); err != nil {
			bad("auth: token_url: %w", err)
		}
	default:
		bad("auth: kind %.40q; want %s, %s or %s", n.Auth.Kind, NoAuth, BasicAuth, OAuth)
	}
	if len(n.Events) > maxEvents {
		bad("%d events; want at most %d", len(n.Events), maxEvents)
	}
	for _, name := range n.Events {
		if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != "" || name == "" || len(name) > 64 {
			bad("events: %.80q is no name of one, such as DASHER_PICKED_UP", name)
		}
	}
	return errors.Join(errs...)
}

// RotateSigning gives an endpoint another signing secret, which is shown this once. Until grace is
// over its webhooks carry a signature by the one before too.
func (r *Registry) RotateSigning(ctx context.Context, partner delivery.PartnerID, id string, grace clock.Duration) (Endpoint, Secret, error) {
	for range maxTries {
		e, err := r.OwnEndpoint(ctx, partner, id)
		if err != nil {
			return e, Secret{}, err
		}
		forgotten := e.Before
		e.Before, e.Signing = e.Signing, r.Source.NewID()
		e.UpdatedAt = r.Clock.Now()
		e.OldUntil = e.UpdatedAt.Add(max(grace, 0))
		secret := r.Source.NewSecret()
		if err := r.Secrets.PutSecret(ctx, e.signingSecretName(e.Signing), secret); err != nil {
			return Endpoint{}, Secret{}, fmt.Errorf("rotate the secret of endpoint %s: %w", id, err)
		}
		e.Revision, err = r.Endpoints.SaveEndpoint(ctx, e)
		if fault.Is(err, fault.Conflict) {
			if err := r.Secrets.DropSecret(ctx, e.signingSecretName(e.Signing)); err != nil {
				return Endpoint{}, Secret{}, fmt.Errorf("rotate the secret of endpoint %s: %w", id, err)
			}
			continue
		}
		if err != nil || forgotten == "" {
			return e, secret, err
		}
		return e, secret, r.Secrets.DropSecret(ctx, e.signingSecretName(forgotten))
	}
	return Endpoint{}, Secret{}, contention("endpoint", id)
}

// SetEndpoint changes an endpoint's status.
func (r *Registry) SetEndpoint(ctx context.Context, partner delivery.PartnerID, id string, s Status) (Endpoint, error) {
	if s != Active && s != Suspended && s != Gone {
		return Endpoint{}, fault.New("integration.SetEndpoint", fault.Invalid, BadEndpoint, "status %.40q; want %s, %s or %s", s, Active, Suspended, Gone)
	}
	for range maxTries {
		e, err := r.OwnEndpoint(ctx, partner, id)
		if err != nil || e.Status == s {
			return e, err
		}
		e.Status, e.UpdatedAt = s, r.Clock.Now()
		e.Revision, err = r.Endpoints.SaveEndpoint(ctx, e)
		if !fault.Is(err, fault.Conflict) {
			return e, err
		}
	}
	return Endpoint{}, contention("endpoint", id)
}

// touch makes an endpoint look changed, to those who have read it.
func (r *Registry) touch(ctx context.Context, e Endpoint) error {
	for range maxTries {
		got, err := r.OwnEndpoint(ctx, e.Partner, e.ID)
		if err != nil {
			return err
		}
		got.UpdatedAt = r.Clock.Now()
		if _, err := r.Endpoints.SaveEndpoint(ctx, got); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return contention("endpoint", e.ID)
}

// PartnerEndpoints returns all endpoints of a partner, ordered by id.
func (r *Registry) PartnerEndpoints(ctx context.Context, p delivery.PartnerID) ([]Endpoint, error) {
	if _, err := r.partner(ctx, p); err != nil {
		return nil, err
	}
	return r.Endpoints.Endpoints(ctx, p, "", maxEndpoints)
}

// OwnEndpoint returns a partner's endpoint; another's does not exist.
func (r *Registry) OwnEndpoint(ctx context.Context, partner delivery.PartnerID, id string) (Endpoint, error) {
	e, err := r.Endpoints.Endpoint(ctx, id)
	if err == nil && e.Partner != partner || fault.Is(err, fault.NotFound) {
		return Endpoint{}, fault.New("integration.Endpoint", fault.NotFound, UnknownEndpoint, "partner %s has no endpoint %.80q", partner, id)
	}
	return e, err
}

// Proofs are the secrets that go with a webhook.
type Proofs struct {
	Signing  []Secret // the newest first: one, or two while they are rotated
	Password Secret   // empty if there is none
}

// Proofs returns the secrets of an endpoint as they are now.
func (r *Registry) Proofs(ctx context.Context, e Endpoint) (Proofs, error) {
	var p Proofs
	names := []string{e.Signing}
	if e.Before != "" && r.Clock.Now() < e.OldUntil {
		names = append(names, e.Before)
	}
	for _, name := range names {
		s, err := r.Secrets.Secret(ctx, e.signingSecretName(name))
		if err != nil {
			return Proofs{}, fmt.Errorf("signing secret of endpoint %s: %w", e.ID, err)
		}
		p.Signing = append(p.Signing, s)
	}
	if e.Auth.Kind == NoAuth {
		return p, nil
	}
	var err error
	if p.Password, err = r.Secrets.Secret(ctx, e.AuthSecretName()); err != nil {
		return Proofs{}, fmt.Errorf("password of endpoint %s: %w", e.ID, err)
	}
	return p, nil
}
