package integration

import (
	"context"
	"fmt"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
)

// Issued is a new key with its secret, which is shown this once.
type Issued struct {
	Key
	Developer string
	Secret    Secret
}

// IssueKey makes a key of a partner.
func (r *Registry) IssueKey(ctx context.Context, id delivery.PartnerID) (Issued, error) {
	p, err := r.partner(ctx, id)
	if err != nil {
		return Issued{}, err
	}
	keys, err := r.Keys.Keys(ctx, id)
	if err != nil {
		return Issued{}, fmt.Errorf("keys of %s: %w", id, err)
	}
	now, usable := r.Clock.Now(), 0
	for _, k := range keys {
		if k.Usable(now) {
			usable++
		}
	}
	if usable >= maxKeys {
		return Issued{}, fault.New("integration.IssueKey", fault.Exhausted, "too_many_keys", "partner %s has %d keys in use; want some revoked first", id, usable)
	}
	k := Key{ID: r.Source.NewID(), Partner: id, CreatedAt: now, Revision: 1}
	secret := r.Source.NewSecret()
	// The secret comes first: a key without one would prove nothing, a secret without a key does no harm.
	if err := r.Secrets.PutSecret(ctx, k.SecretName(), secret); err != nil {
		return Issued{}, fmt.Errorf("issue key of %s: %w", id, err)
	}
	if err := r.Keys.CreateKey(ctx, k); err != nil {
		return Issued{}, fmt.Errorf("issue key of %s: %w", id, err)
	}
	return Issued{Key: k, Developer: p.Developer, Secret: secret}, nil
}

// RotateKey makes a new key in place of one, which is good for a while yet.
func (r *Registry) RotateKey(ctx context.Context, partner delivery.PartnerID, id string, grace clock.Duration) (Issued, error) {
	if _, err := r.key(ctx, partner, id); err != nil {
		return Issued{}, err
	}
	issued, err := r.IssueKey(ctx, partner)
	if err != nil {
		return Issued{}, err
	}
	until := r.Clock.Now().Add(max(grace, 0))
	_, err = r.changeKey(ctx, partner, id, func(k *Key) bool {
		if k.RevokedAt != 0 || k.ExpiresAt != 0 && k.ExpiresAt <= until {
			return false
		}
		k.ExpiresAt = until
		return true
	})
	return issued, err
}

// RevokeKey makes a key prove nothing from now on, and forgets its secret. A repeat changes nothing.
func (r *Registry) RevokeKey(ctx context.Context, partner delivery.PartnerID, id string) (Key, error) {
	k, err := r.changeKey(ctx, partner, id, func(k *Key) bool {
		if k.RevokedAt != 0 {
			return false
		}
		k.RevokedAt = r.Clock.Now()
		return true
	})
	if err != nil {
		return k, err
	}
	return k, r.Secrets.DropSecret(ctx, k.SecretName())
}

// PartnerKeys returns the keys of a partner, ordered by id, also those that are of no use any more.
func (r *Registry) PartnerKeys(ctx context.Context, id delivery.PartnerID) ([]Key, error) {
	if _, err := r.partner(ctx, id); err != nil {
		return nil, err
	}
	return r.Keys.Keys(ctx, id)
}

// key returns a partner's key; another's does not exist.
func (r *Registry) key(ctx context.Context, partner delivery.PartnerID, id string) (Key, error) {
	k, err := r.Keys.Key(ctx, id)
	if err == nil && k.Partner != partner || fault.Is(err, fault.NotFound) {
		return Key{}, fault.New("integration.Key", fault.NotFound, UnknownKey, "partner %s has no key %.80q", partner, id)
	}
	return k, err
}

// changeKey changes a key, unless change says that there is nothing to do.
func (r *Registry) changeKey(ctx context.Context, partner delivery.PartnerID, id string, change func(*Key) bool) (Key, error) {
	for range maxTries {
		k, err := r.key(ctx, partner, id)
		if err != nil || !change(&k) {
			return k, err
		}
		k.Revision, err = r.Keys.SaveKey(ctx, k)
		if !fault.Is(err, fault.Conflict) {
			return k, err
		}
	}
	return Key{}, contention("key", id)
}

// Credential is what a key proves.
type Credential struct {
	Key     Key
	Partner Partner
	Secret  Secret
}

// Credential returns what a key that is in use proves, and whether there is
// such a key. It asks the stores the same for a key that there is not, so that
// the time it takes tells nobody which keys there are.
func (r *Registry) Credential(ctx context.Context, id string) (Credential, bool, error) {
	fail := func(err error) (Credential, bool, error) {
		return Credential{}, false, fmt.Errorf("look up a key: %w", err)
	}
	k, err := r.Keys.Key(ctx, id)
	known := err == nil
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fail(err)
	}
	p, err := r.Partners.Partner(ctx, k.Partner)
	known = known && err == nil
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fail(err)
	}
	secret, err := r.Secrets.Secret(ctx, k.SecretName())
	known = known && err == nil
	if err != nil && !fault.Is(err, fault.NotFound) {
		return fail(err)
	}
	if !known || !k.Usable(r.Clock.Now()) || p.Status != Active {
		return Credential{}, false, nil
	}
	return Credential{k, p, secret}, true, nil
}
