package restapi

import (
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/merchant"
)

type wireBusiness struct {
	Partner     delivery.PartnerID `json:"partner"`
	ID          string             `json:"id"`
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Status      merchant.Status    `json:"status"`
	CreatedAt   instant            `json:"created_at,omitzero"`
	UpdatedAt   instant            `json:"updated_at,omitzero"`
	Revision    uint64             `json:"revision"`
}

func businessTo(b merchant.Business) wireBusiness {
	return wireBusiness{b.Partner, b.ID, b.Name, b.Description, b.Status, instant(b.CreatedAt), instant(b.UpdatedAt), b.Revision}
}

func (w wireBusiness) core() merchant.Business {
	return merchant.Business{BusinessKey: merchant.BusinessKey{Partner: w.Partner, ID: w.ID}, Name: w.Name, Description: w.Description, Status: w.Status,
		CreatedAt: clock.Time(w.CreatedAt), UpdatedAt: clock.Time(w.UpdatedAt), Revision: w.Revision}
}

// wireNewBusiness is what a caller says of a business.
type wireNewBusiness struct {
	ID          string          `json:"id,omitempty"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Status      merchant.Status `json:"status,omitempty"`
}

type wireBusinessEdit struct {
	Name        *string          `json:"name,omitempty"`
	Description *string          `json:"description,omitempty"`
	Status      *merchant.Status `json:"status,omitempty"`
}

type wireBusinesses struct {
	Businesses []wireBusiness `json:"businesses"`
	Next       string         `json:"next,omitempty"`
}

type wireStore struct {
	Partner   delivery.PartnerID `json:"partner"`
	Business  string             `json:"business"`
	ID        string             `json:"id"`
	Name      string             `json:"name"`
	Address   string             `json:"address"`
	Phone     string             `json:"phone,omitempty"`
	Status    merchant.Status    `json:"status"`
	PrepMS    int64              `json:"prep_ms"`
	Hours     merchant.Hours     `json:"hours,omitempty"`
	CreatedAt instant            `json:"created_at,omitzero"`
	UpdatedAt instant            `json:"updated_at,omitzero"`
	Revision  uint64             `json:"revision"`
}

func storeTo(s merchant.Store) wireStore {
	return wireStore{s.Partner, s.Business, s.ID, s.Name, s.Address, s.Phone, s.Status, int64(s.Prep), s.Hours, instant(s.CreatedAt), instant(s.UpdatedAt), s.Revision}
}

func (w wireStore) core() merchant.Store {
	return merchant.Store{StoreKey: merchant.StoreKey{Partner: w.Partner, Business: w.Business, ID: w.ID}, Name: w.Name, Address: w.Address, Phone: w.Phone,
		Status: w.Status, Prep: clock.Duration(w.PrepMS), Hours: w.Hours, CreatedAt: clock.Time(w.CreatedAt), UpdatedAt: clock.Time(w.UpdatedAt), Revision: w.Revision}
}

type wireNewStore struct {
	ID      string          `json:"id,omitempty"`
	Name    string          `json:"name"`
	Address string          `json:"address"`
	Phone   string          `json:"phone,omitempty"`
	Status  merchant.Status `json:"status,omitempty"`
	PrepMS  int64           `json:"prep_ms,omitempty"`
	Hours   merchant.Hours  `json:"hours,omitempty"`
}

type wireStoreEdit struct {
	Name    *string          `json:"name,omitempty"`
	Address *string          `json:"address,omitempty"`
	Phone   *string          `json:"phone,omitempty"`
	Status  *merchant.Status `json:"status,omitempty"`
	PrepMS  *int64           `json:"prep_ms,omitempty"`
	Hours   *merchant.Hours  `json:"hours,omitempty"`
}

type wireStores struct {
	Stores []wireStore `json:"stores"`
	Next   string      `json:"next,omitempty"`
}
