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
	Business string // "" is the whole partner
	URL      string
	Auth     Auth
	Password Secret // of Auth
	Events   []string
	From     uint64 // tell what is behind this position of the partner's log
}

// AddEndpoint makes an endpoint and returns it with its signing secret, which is shown this once.
func (r *Registry) AddEndpoint(ctx context.Context, n NewEndpoint) (Endpoint, Secret, error) {
	const op = "integration.AddEndpoint"
	partner, err := r.partner(ctx, n.Partner)
	if err != nil {
		return Endpoint{}, Secret{}, err
	}
	dialect := partner.Dialect
	if n.Business != "" {
		dialect = Drive
	}
	if err := r.checkEndpoint(n, dialect); err != nil {
		return Endpoint{}, Secret{}, &fault.Error{Op: op, Kind: fault.Invalid, Reason: BadEndpoint, Err: err}
	}
	if err := r.room(ctx, n); err != nil {
		return Endpoint{}, Secret{}, err
	}
	now := r.Clock.Now()
	e := Endpoint{ID: r.Source.NewID(), Partner: n.Partner, Business: n.Business, Dialect: dialect, URL: n.URL, Auth: n.Auth, Events: n.Events, From: n.From,
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

// room refuses an endpoint for which there is none. A business has one for each address: a repeat makes no second one.
func (r *Registry) room(ctx context.Context, n NewEndpoint) error {
	const op = "integration.AddEndpoint"
	all, err := r.OwnEndpoints(ctx, Owner{n.Partner, n.Business})
	if err != nil {
		return err
	}
	has, most := 0, maxEndpoints
	if n.Business != "" {
		most = maxOfOne
	}
	for _, e := range all {
		if e.Business == n.Business {
			has++
		}
		if n.Business != "" && e.URL == n.URL {
			return fault.New(op, fault.Conflict, DuplicateURL, "endpoint %s has this URL already", e.ID)
		}
	}
	if has >= most {
		return fault.New(op, fault.Exhausted, TooMany, "%s has %d endpoints, which is all it may have", Owner{n.Partner, n.Business}, has)
	}
	return nil
}

func (r *Registry) checkEndpoint(n NewEndpoint, d Dialect) error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if len(n.Business) > 512 || strings.Contains(n.Business, "/") {
		bad("business: want the id of one, of at most 512 bytes and without a slash")
	}
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
		if letters, example := d.events(); strings.Trim(name, letters) != "" || name == "" || len(name) > 64 {
			bad("events: %.80q is no name of one, such as %s", name, example)
		}
	}
	return errors.Join(errs...)
}

// RotateSigning gives an endpoint another signing secret, which is shown this once. Until grace is
// over its webhooks carry a signature by the one before too.
func (r *Registry) RotateSigning(ctx context.Context, o Owner, id string, grace clock.Duration) (Endpoint, Secret, error) {
	for range maxTries {
		e, err := r.OwnEndpoint(ctx, o, id)
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

// SetEndpoint changes an endpoint's status, as we may.
func (r *Registry) SetEndpoint(ctx context.Context, o Owner, id string, s Status) (Endpoint, error) {
	if s != Active && s != Suspended && s != Gone && s != Paused {
		return Endpoint{}, fault.New("integration.SetEndpoint", fault.Invalid, BadEndpoint, "status %.40q; want %s, %s, %s or %s", s, Active, Suspended, Gone, Paused)
	}
	return r.setStatus(ctx, o, id, s, true)
}

// PauseEndpoint changes an endpoint's status as its owner may: it is Paused, or
// Active again unless we have suspended it, which is a fault.Conflict.
func (r *Registry) PauseEndpoint(ctx context.Context, o Owner, id string, paused bool) (Endpoint, error) {
	if paused {
		return r.setStatus(ctx, o, id, Paused, false)
	}
	return r.setStatus(ctx, o, id, Active, false)
}

func (r *Registry) setStatus(ctx context.Context, o Owner, id string, s Status, byUs bool) (Endpoint, error) {
	for range maxTries {
		e, err := r.OwnEndpoint(ctx, o, id)
		if err != nil || e.Status == s {
			return e, err
		}
		if e.Status == Suspended && !byUs {
			return e, fault.New("integration.PauseEndpoint", fault.Conflict, SuspendedByUs, "endpoint %s was suspended by operators; want them to end that", id)
		}
		e.Status, e.UpdatedAt = s, r.Clock.Now()
		e.Revision, err = r.Endpoints.SaveEndpoint(ctx, e)
		if !fault.Is(err, fault.Conflict) {
			return e, err
		}
	}
	return Endpoint{}, contention("endpoint", id)
}

// touch makes an endpoint look changed, to those who have read it, and has it begin no later than behind from.
func (r *Registry) touch(ctx context.Context, e Endpoint, from uint64) error {
	for range maxTries {
		got, err := r.OwnEndpoint(ctx, e.Owner(), e.ID)
		if err != nil {
			return err
		}
		got.UpdatedAt, got.From = r.Clock.Now(), min(got.From, from)
		if _, err := r.Endpoints.SaveEndpoint(ctx, got); !fault.Is(err, fault.Conflict) {
			return err
		}
	}
	return contention("endpoint", e.ID)
}

// drop forgets an endpoint and its secrets: the secrets last, since one without an endpoint does no harm.
func (r *Registry) drop(ctx context.Context, e Endpoint) error {
	if err := r.Endpoints.DropEndpoint(ctx, e.ID); err != nil {
		return fmt.Errorf("drop endpoint %s: %w", e.ID, err)
	}
	names := []string{e.signingSecretName(e.Signing)}
	if e.Before != "" {
		names = append(names, e.signingSecretName(e.Before))
	}
	if e.Auth.Kind != NoAuth {
		names = append(names, e.AuthSecretName())
	}
	for _, name := range names {
		if err := r.Secrets.DropSecret(ctx, name); err != nil {
			return fmt.Errorf("secrets of endpoint %s, which is dropped: %w", e.ID, err)
		}
	}
	return nil
}

// OwnEndpoints returns all endpoints of an owner, ordered by id.
func (r *Registry) OwnEndpoints(ctx context.Context, o Owner) ([]Endpoint, error) {
	if _, err := r.partner(ctx, o.Partner); err != nil {
		return nil, err
	}
	var all []Endpoint
	for after := ""; ; after = all[len(all)-1].ID {
		page, err := r.Endpoints.Endpoints(ctx, o, after, pageSize)
		if err != nil {
			return nil, fmt.Errorf("endpoints of %s: %w", o, err)
		}
		all = append(all, page...)
		if len(page) < pageSize {
			return all, nil
		}
	}
}

// OwnEndpoint returns an endpoint of an owner; another's does not exist.
func (r *Registry) OwnEndpoint(ctx context.Context, o Owner, id string) (Endpoint, error) {
	e, err := r.Endpoints.Endpoint(ctx, id)
	if err == nil && !o.owns(e) || fault.Is(err, fault.NotFound) {
		return Endpoint{}, fault.New("integration.Endpoint", fault.NotFound, UnknownEndpoint, "%s has no endpoint %.80q", o, id)
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
