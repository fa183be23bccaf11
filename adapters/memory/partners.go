package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// Registry keeps partners, their keys, their endpoints and their secrets.
type Registry struct {
	mu        sync.Mutex
	partners  map[delivery.PartnerID]integration.Partner
	keys      map[string]integration.Key
	endpoints map[string]integration.Endpoint
	secrets   map[string]integration.Secret
}

var (
	_ integration.PartnerStore  = (*Registry)(nil)
	_ integration.KeyStore      = (*Registry)(nil)
	_ integration.EndpointStore = (*Registry)(nil)
	_ integration.SecretStore   = (*Registry)(nil)
)

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{
		partners:  map[delivery.PartnerID]integration.Partner{},
		keys:      map[string]integration.Key{},
		endpoints: map[string]integration.Endpoint{},
		secrets:   map[string]integration.Secret{},
	}
}

// Partner implements integration.PartnerStore.
func (r *Registry) Partner(_ context.Context, id delivery.PartnerID) (integration.Partner, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, err := rowOf(r.partners, id, "partner")
	return p.Clone(), err
}

// Partners implements integration.PartnerStore.
func (r *Registry) Partners(_ context.Context, after delivery.PartnerID, limit int) ([]integration.Partner, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return rows(r.partners, limit, func(p integration.Partner) bool { return p.ID > after }, integration.Partner.Clone), nil
}

// CreatePartner implements integration.PartnerStore.
func (r *Registry) CreatePartner(_ context.Context, p integration.Partner) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.partners {
		if other.Developer == p.Developer {
			return fault.New("memory.CreatePartner", fault.Conflict, "", "the developer of partner %s is taken", p.ID)
		}
	}
	p = p.Clone()
	p.Revision = 1
	return create(r.partners, p.ID, p, "partner")
}

// SavePartner implements integration.PartnerStore.
func (r *Registry) SavePartner(_ context.Context, p integration.Partner) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, stored := p.Clone(), r.partners[p.ID].Revision
	if stored == 0 || stored != p.Revision {
		return 0, staleRow("partner", p.ID, p.Revision, stored)
	}
	p.Revision++
	r.partners[p.ID] = p
	return p.Revision, nil
}

// Key implements integration.KeyStore.
func (r *Registry) Key(_ context.Context, id string) (integration.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return rowOf(r.keys, id, "key")
}

// Keys implements integration.KeyStore.
func (r *Registry) Keys(_ context.Context, p delivery.PartnerID) ([]integration.Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return rows(r.keys, len(r.keys), func(k integration.Key) bool { return k.Partner == p }, func(k integration.Key) integration.Key { return k }), nil
}

// CreateKey implements integration.KeyStore.
func (r *Registry) CreateKey(_ context.Context, k integration.Key) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	k.Revision = 1
	return create(r.keys, k.ID, k, "key")
}

// SaveKey implements integration.KeyStore.
func (r *Registry) SaveKey(_ context.Context, k integration.Key) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	stored := r.keys[k.ID].Revision
	if stored == 0 || stored != k.Revision {
		return 0, staleRow("key", k.ID, k.Revision, stored)
	}
	k.Revision++
	r.keys[k.ID] = k
	return k.Revision, nil
}

// Endpoint implements integration.EndpointStore.
func (r *Registry) Endpoint(_ context.Context, id string) (integration.Endpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, err := rowOf(r.endpoints, id, "endpoint")
	return e.Clone(), err
}

// Endpoints implements integration.EndpointStore.
func (r *Registry) Endpoints(_ context.Context, o integration.Owner, after string, limit int) ([]integration.Endpoint, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return rows(r.endpoints, limit, func(e integration.Endpoint) bool {
		return e.ID > after && (o.Partner == "" || e.Partner == o.Partner) && (o.Business == "" || e.Business == o.Business)
	}, integration.Endpoint.Clone), nil
}

// CreateEndpoint implements integration.EndpointStore.
func (r *Registry) CreateEndpoint(_ context.Context, e integration.Endpoint) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	e = e.Clone()
	e.Revision = 1
	return create(r.endpoints, e.ID, e, "endpoint")
}

// SaveEndpoint implements integration.EndpointStore.
func (r *Registry) SaveEndpoint(_ context.Context, e integration.Endpoint) (uint64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, stored := e.Clone(), r.endpoints[e.ID].Revision
	if stored == 0 || stored != e.Revision {
		return 0, staleRow("endpoint", e.ID, e.Revision, stored)
	}
	e.Revision++
	r.endpoints[e.ID] = e
	return e.Revision, nil
}

// DropEndpoint implements integration.EndpointStore.
func (r *Registry) DropEndpoint(_ context.Context, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.endpoints, id)
	return nil
}

// Secret implements integration.SecretStore.
func (r *Registry) Secret(_ context.Context, name string) (integration.Secret, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return rowOf(r.secrets, name, "secret")
}

// PutSecret implements integration.SecretStore.
func (r *Registry) PutSecret(_ context.Context, name string, s integration.Secret) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets[name] = s
	return nil
}

// DropSecret implements integration.SecretStore.
func (r *Registry) DropSecret(_ context.Context, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.secrets, name)
	return nil
}

// rowOf returns what a table has under a key.
func rowOf[K ~string, V any](table map[K]V, id K, what string) (V, error) {
	v, ok := table[id]
	if !ok {
		return v, fault.New("memory.Registry", fault.NotFound, "", "no %s %.80q", what, string(id))
	}
	return v, nil
}

// rows returns copies of those that fit, ordered by key, at most limit.
func rows[K cmp.Ordered, V any](table map[K]V, limit int, fits func(V) bool, clone func(V) V) []V {
	ids := make([]K, 0, len(table))
	for id := range table {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var all []V
	for _, id := range ids {
		if len(all) < limit && fits(table[id]) {
			all = append(all, clone(table[id]))
		}
	}
	return all
}

func create[K ~string, V any](table map[K]V, id K, v V, what string) error {
	if _, taken := table[id]; taken {
		return fault.New("memory.Registry", fault.Conflict, "", "%s %.80q exists", what, string(id))
	}
	table[id] = v
	return nil
}

func staleRow[K ~string](what string, id K, mine, stored uint64) error {
	return fault.New("memory.Registry", fault.Conflict, "", "%s %.80q is at revision %d, not %d", what, string(id), stored, mine)
}
