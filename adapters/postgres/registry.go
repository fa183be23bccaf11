package postgres

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// Registry keeps partners, their keys and their endpoints in the database Integrations.
type Registry struct{ db *DB }

var (
	_ integration.PartnerStore  = (*Registry)(nil)
	_ integration.KeyStore      = (*Registry)(nil)
	_ integration.EndpointStore = (*Registry)(nil)
)

// NewRegistry returns the registry that db holds.
func NewRegistry(db *DB) *Registry { return &Registry{db} }

// documents reads rows of a document and its revision.
func documents[T any](set func(*T, uint64)) pgx.RowToFunc[T] {
	return func(row pgx.CollectableRow) (v T, err error) {
		var doc []byte
		var revision int64
		if err := row.Scan(&doc, &revision); err != nil {
			return v, err
		}
		if json.Unmarshal(doc, &v) != nil {
			return v, fault.New("postgres.Registry", fault.Internal, "bad_document", "a document of this table cannot be read")
		}
		set(&v, uint64(revision))
		return v, nil
	}
}

var (
	scanPartner  = documents(func(p *integration.Partner, r uint64) { p.Revision = r })
	scanKey      = documents(func(k *integration.Key, r uint64) { k.Revision = r })
	scanEndpoint = documents(func(e *integration.Endpoint, r uint64) { e.Revision = r })
)

// one returns the only row of a query, or fault.NotFound. No row has an id with a zero byte.
func one[T any](ctx context.Context, db *DB, op, id string, scan pgx.RowToFunc[T], query string) (none T, err error) {
	var all []T
	if !strings.Contains(id, "\x00") {
		if all, err = list(ctx, db, op, scan, query, id); err != nil {
			return none, err
		}
	}
	if len(all) == 0 {
		return none, fault.New(op, fault.NotFound, "", "there is no %.80q", id)
	}
	return all[0], nil
}

// documentOf returns v as it is kept.
func documentOf(op string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", &fault.Error{Op: op, Kind: fault.Internal, Err: err}
	}
	return string(b), nil
}

// insert runs a statement that writes a new row unless it is there, with its document behind the other arguments.
func (r *Registry) insert(ctx context.Context, op, id string, v any, statement string, args ...any) error {
	doc, err := documentOf(op, v)
	if err != nil {
		return err
	}
	written, err := r.db.exec(ctx, op, statement, append(args, doc)...)
	if err == nil && written == 0 {
		err = fault.New(op, fault.Conflict, "", "%.80q exists", id)
	}
	return err
}

// update replaces a document that is at a revision.
func (r *Registry) update(ctx context.Context, op, table, id string, revision uint64, v any) (uint64, error) {
	doc, err := documentOf(op, v)
	if err != nil {
		return 0, err
	}
	return r.db.replace(ctx, op, revision, `UPDATE `+table+` SET doc = $3::json, revision = revision + 1 WHERE revision = $1 AND id = $2 RETURNING revision`, id, doc)
}

// Partner implements integration.PartnerStore.
func (r *Registry) Partner(ctx context.Context, id delivery.PartnerID) (integration.Partner, error) {
	return one(ctx, r.db, "postgres.Partner", string(id), scanPartner, `SELECT doc::text, revision FROM registry_partners WHERE id = $1`)
}

// Partners implements integration.PartnerStore.
func (r *Registry) Partners(ctx context.Context, after delivery.PartnerID, limit int) ([]integration.Partner, error) {
	return list(ctx, r.db, "postgres.Partners", scanPartner, `SELECT doc::text, revision FROM registry_partners WHERE id > $1 ORDER BY id LIMIT $2`, string(after), max(limit, 0))
}

// CreatePartner implements integration.PartnerStore.
func (r *Registry) CreatePartner(ctx context.Context, p integration.Partner) error {
	return r.insert(ctx, "postgres.CreatePartner", string(p.ID), p,
		`INSERT INTO registry_partners (id, developer, doc, revision) VALUES ($1, $2, $3::json, 1) ON CONFLICT DO NOTHING`, string(p.ID), p.Developer)
}

// SavePartner implements integration.PartnerStore.
func (r *Registry) SavePartner(ctx context.Context, p integration.Partner) (uint64, error) {
	return r.update(ctx, "postgres.SavePartner", "registry_partners", string(p.ID), p.Revision, p)
}

// Key implements integration.KeyStore.
func (r *Registry) Key(ctx context.Context, id string) (integration.Key, error) {
	return one(ctx, r.db, "postgres.Key", id, scanKey, `SELECT doc::text, revision FROM registry_keys WHERE id = $1`)
}

// Keys implements integration.KeyStore.
func (r *Registry) Keys(ctx context.Context, p delivery.PartnerID) ([]integration.Key, error) {
	return list(ctx, r.db, "postgres.Keys", scanKey, `SELECT doc::text, revision FROM registry_keys WHERE partner = $1 ORDER BY id`, string(p))
}

// CreateKey implements integration.KeyStore.
func (r *Registry) CreateKey(ctx context.Context, k integration.Key) error {
	return r.insert(ctx, "postgres.CreateKey", k.ID, k,
		`INSERT INTO registry_keys (id, partner, doc, revision) VALUES ($1, $2, $3::json, 1) ON CONFLICT DO NOTHING`, k.ID, string(k.Partner))
}

// SaveKey implements integration.KeyStore.
func (r *Registry) SaveKey(ctx context.Context, k integration.Key) (uint64, error) {
	return r.update(ctx, "postgres.SaveKey", "registry_keys", k.ID, k.Revision, k)
}

// Endpoint implements integration.EndpointStore.
func (r *Registry) Endpoint(ctx context.Context, id string) (integration.Endpoint, error) {
	return one(ctx, r.db, "postgres.Endpoint", id, scanEndpoint, `SELECT doc::text, revision FROM registry_endpoints WHERE id = $1`)
}

// Endpoints implements integration.EndpointStore.
func (r *Registry) Endpoints(ctx context.Context, o integration.Owner, after string, limit int) ([]integration.Endpoint, error) {
	const op = "postgres.Endpoints"
	limit = max(limit, 0)
	switch {
	case o.Partner == "" && o.Business == "":
		return list(ctx, r.db, op, scanEndpoint, `SELECT doc::text, revision FROM registry_endpoints WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	case o.Business == "":
		return list(ctx, r.db, op, scanEndpoint, `SELECT doc::text, revision FROM registry_endpoints WHERE partner = $1 AND id > $2 ORDER BY id LIMIT $3`, string(o.Partner), after, limit)
	}
	return list(ctx, r.db, op, scanEndpoint, `SELECT doc::text, revision FROM registry_endpoints WHERE partner = $1 AND business = $2 AND id > $3 ORDER BY id LIMIT $4`,
		string(o.Partner), o.Business, after, limit)
}

// CreateEndpoint implements integration.EndpointStore.
func (r *Registry) CreateEndpoint(ctx context.Context, e integration.Endpoint) error {
	return r.insert(ctx, "postgres.CreateEndpoint", e.ID, e,
		`INSERT INTO registry_endpoints (id, partner, business, doc, revision) VALUES ($1, $2, $3, $4::json, 1) ON CONFLICT DO NOTHING`, e.ID, string(e.Partner), e.Business)
}

// DropEndpoint implements integration.EndpointStore.
func (r *Registry) DropEndpoint(ctx context.Context, id string) error {
	_, err := r.db.exec(ctx, "postgres.DropEndpoint", `DELETE FROM registry_endpoints WHERE id = $1`, id)
	return err
}

// SaveEndpoint implements integration.EndpointStore.
func (r *Registry) SaveEndpoint(ctx context.Context, e integration.Endpoint) (uint64, error) {
	return r.update(ctx, "postgres.SaveEndpoint", "registry_endpoints", e.ID, e.Revision, e)
}

// SealedSecrets keeps secrets that were encrypted before. It must not be used but
// beneath what seals them.
type SealedSecrets struct{ db *DB }

var _ integration.SecretStore = (*SealedSecrets)(nil)

// NewSealedSecrets returns the store of sealed secrets that db holds.
func NewSealedSecrets(db *DB) *SealedSecrets { return &SealedSecrets{db} }

// Secret implements integration.SecretStore.
func (s *SealedSecrets) Secret(ctx context.Context, name string) (integration.Secret, error) {
	sealed, err := one(ctx, s.db, "postgres.Secret", name, pgx.RowTo[[]byte], `SELECT sealed FROM registry_secrets WHERE name = $1`)
	if err != nil {
		return integration.Secret{}, err
	}
	return integration.SecretOf(sealed), nil
}

// PutSecret implements integration.SecretStore.
func (s *SealedSecrets) PutSecret(ctx context.Context, name string, secret integration.Secret) error {
	_, err := s.db.exec(ctx, "postgres.PutSecret", `INSERT INTO registry_secrets (name, sealed) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed`, name, secret.Bytes())
	return err
}

// DropSecret implements integration.SecretStore.
func (s *SealedSecrets) DropSecret(ctx context.Context, name string) error {
	_, err := s.db.exec(ctx, "postgres.DropSecret", `DELETE FROM registry_secrets WHERE name = $1`, name)
	return err
}
