package restapi

import (
	"context"
	"net/http"
	"net/url"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
)

const businesses = "/v1/businesses"

func businessPath(k merchant.BusinessKey, what string) string {
	return businesses + "/" + segment(k.ID) + what
}

func storePath(k merchant.StoreKey) string {
	return businessPath(k.Of(), "/stores/"+segment(k.ID))
}

func cursorValues(token string) url.Values {
	if token == "" {
		return nil
	}
	return url.Values{"cursor": {token}}
}

// CreateBusiness is merchant.Service.CreateBusiness.
func (c *DeliveriesClient) CreateBusiness(ctx context.Context, b merchant.Business) (merchant.Business, error) {
	return c.business(ctx, call{op: "Deliveries.CreateBusiness", method: http.MethodPost, path: businesses, partner: b.Partner, key: b.ID,
		in: wireNewBusiness{b.ID, b.Name, b.Description, b.Status}})
}

// Business is merchant.Service.Business.
func (c *DeliveriesClient) Business(ctx context.Context, k merchant.BusinessKey) (merchant.Business, error) {
	return c.business(ctx, call{op: "Deliveries.Business", method: http.MethodGet, path: businessPath(k, ""), partner: k.Partner})
}

// EditBusiness is merchant.Service.EditBusiness.
func (c *DeliveriesClient) EditBusiness(ctx context.Context, k merchant.BusinessKey, e merchant.BusinessEdit) (merchant.Business, error) {
	return c.business(ctx, call{op: "Deliveries.EditBusiness", method: http.MethodPatch, path: businessPath(k, ""), partner: k.Partner, in: wireBusinessEdit(e)})
}

func (c *DeliveriesClient) business(ctx context.Context, q call) (merchant.Business, error) {
	var out wireBusiness
	q.out = &out
	if err := c.do(ctx, q); err != nil {
		return merchant.Business{}, err
	}
	return out.core(), nil
}

// Businesses is merchant.Service.Businesses.
func (c *DeliveriesClient) Businesses(ctx context.Context, p delivery.PartnerID, token string) ([]merchant.Business, string, error) {
	var out wireBusinesses
	if err := c.do(ctx, call{op: "Deliveries.Businesses", method: http.MethodGet, path: businesses, query: cursorValues(token), partner: p, out: &out}); err != nil {
		return nil, "", err
	}
	return each(out.Businesses, wireBusiness.core), out.Next, nil
}

// CreateStore is merchant.Service.CreateStore.
func (c *DeliveriesClient) CreateStore(ctx context.Context, s merchant.Store) (merchant.Store, error) {
	return c.store(ctx, call{op: "Deliveries.CreateStore", method: http.MethodPost, path: businessPath(s.Of(), "/stores"), partner: s.Partner, key: s.ID,
		in: wireNewStore{s.ID, s.Name, s.Address, s.Phone, s.Status, int64(s.Prep), s.Hours}})
}

// Store is merchant.Service.Store.
func (c *DeliveriesClient) Store(ctx context.Context, k merchant.StoreKey) (merchant.Store, error) {
	return c.store(ctx, call{op: "Deliveries.Store", method: http.MethodGet, path: storePath(k), partner: k.Partner})
}

// EditStore is merchant.Service.EditStore.
func (c *DeliveriesClient) EditStore(ctx context.Context, k merchant.StoreKey, e merchant.StoreEdit) (merchant.Store, error) {
	return c.store(ctx, call{op: "Deliveries.EditStore", method: http.MethodPatch, path: storePath(k), partner: k.Partner,
		in: wireStoreEdit{e.Name, e.Address, e.Phone, e.Status, (*int64)(e.Prep), e.Hours}})
}

func (c *DeliveriesClient) store(ctx context.Context, q call) (merchant.Store, error) {
	var out wireStore
	q.out = &out
	if err := c.do(ctx, q); err != nil {
		return merchant.Store{}, err
	}
	return out.core(), nil
}

// Stores is merchant.Service.Stores.
func (c *DeliveriesClient) Stores(ctx context.Context, k merchant.BusinessKey, token string) ([]merchant.Store, string, error) {
	var out wireStores
	err := c.do(ctx, call{op: "Deliveries.Stores", method: http.MethodGet, path: businessPath(k, "/stores"), query: cursorValues(token), partner: k.Partner, out: &out})
	if err != nil {
		return nil, "", err
	}
	return each(out.Stores, wireStore.core), out.Next, nil
}

// fault400 is the core's error for a request that lacks something.
func fault400(op, text string) error {
	return fault.New(op, fault.Invalid, delivery.ValidationError, "%s", text)
}

// isUnknown reports whether err says that there is no such delivery.
func isUnknown(err error) bool {
	return fault.Is(err, fault.NotFound) && fault.ReasonOf(err) == delivery.UnknownDelivery
}
