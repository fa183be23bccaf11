package partner

import (
	"context"

	"footway/core/merchant"
)

// businessShown is Drive's Business.
type businessShown struct {
	ID          string          `json:"external_business_id"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Status      merchant.Status `json:"activation_status"`
	CreatedAt   string          `json:"created_at"`
	UpdatedAt   string          `json:"last_updated_at"`
}

// storeShown is Drive's Store.
type storeShown struct {
	Business  string          `json:"external_business_id"`
	ID        string          `json:"external_store_id"`
	Name      string          `json:"name"`
	Phone     string          `json:"phone_number,omitempty"`
	Address   string          `json:"address"`
	Status    merchant.Status `json:"status"`
	CreatedAt string          `json:"created_at"`
	UpdatedAt string          `json:"last_updated_at"`
}

// page is one page of a listing; the token is null at the end.
type page[T any] struct {
	Result []T     `json:"result"`
	Token  *string `json:"continuation_token"`
	Count  int     `json:"result_count"`
}

func pageOf[T, S any](all []S, token string, show func(S) T) page[T] {
	p := page[T]{Result: make([]T, len(all)), Count: len(all)}
	for i, s := range all {
		p.Result[i] = show(s)
	}
	if token != "" {
		p.Token = &token
	}
	return p
}

func showBusiness(b merchant.Business) businessShown {
	return businessShown{b.ID, b.Name, b.Description, b.Status, isoTime(b.CreatedAt), isoTime(b.UpdatedAt)}
}

func showStore(s merchant.Store) storeShown {
	return storeShown{s.Business, s.ID, s.Name, s.Phone, s.Address, s.Status, isoTime(s.CreatedAt), isoTime(s.UpdatedAt)}
}

// shown turns a result of the core into an answer.
func shown[T, S any](s S, err error, show func(S) T) (any, error) {
	if err != nil {
		return nil, err
	}
	return show(s), nil
}

func (d *Drive) createBusiness(ctx context.Context, c *call) (any, error) {
	c.form.need("external_business_id", "name")
	b := merchant.Business{BusinessKey: merchant.BusinessKey{Partner: c.Partner, ID: newID(c.form, "external_business_id")}}
	b.Name, b.Description = c.form.brief("name", merchant.MaxName), c.form.brief("description", merchant.MaxDescription)
	b.Status = merchant.Status(c.form.word("activation_status", string(merchant.Active), string(merchant.Inactive)))
	if err := c.form.err(); err != nil {
		return nil, err
	}
	got, err := d.Businesses.CreateBusiness(ctx, b)
	return shown(got, err, showBusiness)
}

func (d *Drive) business(ctx context.Context, c *call) (any, error) {
	got, err := d.Businesses.Business(ctx, c.businessKey())
	return shown(got, err, showBusiness)
}

func (d *Drive) businesses(ctx context.Context, c *call) (any, error) {
	all, token, err := d.Businesses.Businesses(ctx, c.Partner, c.query.Get("continuationToken"))
	if err != nil {
		return nil, err
	}
	return pageOf(all, token, showBusiness), nil
}

func (d *Drive) updateBusiness(ctx context.Context, c *call) (any, error) {
	e := merchant.BusinessEdit{Name: changed(c.form, "name", merchant.MaxName), Description: changed(c.form, "description", merchant.MaxDescription)}
	if s := merchant.Status(c.form.word("activation_status", string(merchant.Active), string(merchant.Inactive))); s != "" {
		e.Status = &s
	}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	got, err := d.Businesses.EditBusiness(ctx, c.businessKey(), e)
	return shown(got, err, showBusiness)
}

func (d *Drive) createStore(ctx context.Context, c *call) (any, error) {
	c.form.need("external_store_id", "name", "address")
	s := merchant.Store{StoreKey: merchant.StoreKey{Partner: c.Partner, Business: c.args[0], ID: newID(c.form, "external_store_id")}}
	s.Name, s.Address = c.form.brief("name", merchant.MaxName), c.form.brief("address", merchant.MaxAddress)
	s.Phone = phone(c.form, "phone_number")
	s.Status = merchant.Status(c.form.word("status", string(merchant.Active), string(merchant.Inactive)))
	if err := c.form.err(); err != nil {
		return nil, err
	}
	got, err := d.Stores.CreateStore(ctx, s)
	return shown(got, err, showStore)
}

func (d *Drive) store(ctx context.Context, c *call) (any, error) {
	got, err := d.Stores.Store(ctx, c.storeKey())
	return shown(got, err, showStore)
}

func (d *Drive) stores(ctx context.Context, c *call) (any, error) {
	all, token, err := d.Stores.Stores(ctx, c.businessKey(), c.query.Get("continuationToken"))
	if err != nil {
		return nil, err
	}
	return pageOf(all, token, showStore), nil
}

func (d *Drive) updateStore(ctx context.Context, c *call) (any, error) {
	e := merchant.StoreEdit{Name: changed(c.form, "name", merchant.MaxName), Address: changed(c.form, "address", merchant.MaxAddress)}
	if c.form.has("phone_number") {
		number := phone(c.form, "phone_number")
		e.Phone = &number
	}
	if s := merchant.Status(c.form.word("status", string(merchant.Active), string(merchant.Inactive))); s != "" {
		e.Status = &s
	}
	if err := c.form.err(); err != nil {
		return nil, err
	}
	got, err := d.Stores.EditStore(ctx, c.storeKey(), e)
	return shown(got, err, showStore)
}

// newID reads an id that the partner chose.
func newID(f form, name string) string {
	id := f.text(name, maxID)
	if id != "" && !merchant.ValidID(id) {
		f.wrong(name, "want 3 to 64 of A-Z a-z 0-9 _ -")
	}
	return id
}

// changed reads text that changes something, or nil.
func changed(f form, name string, limit int) *string {
	if !f.has(name) {
		return nil
	}
	s := f.brief(name, limit)
	return &s
}
