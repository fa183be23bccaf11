package restapi

import (
	"net/http"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/merchant"
)

func marketOf(text string) market.ID { return market.ID(text) }

// marketIn returns the market that the path names.
func marketIn(r *http.Request) (market.ID, error) {
	m, ok := name(r.PathValue("market"))
	if !ok {
		return "", fault.New("restapi", fault.NotFound, "unknown_market", "there is no such market")
	}
	return market.ID(m), nil
}

func (s *deliveriesAPI) estimate(w http.ResponseWriter, r *http.Request) error {
	return estimate(w, r, s.Estimates)
}

// estimate answers for both APIs.
func estimate(w http.ResponseWriter, r *http.Request, from Estimator) error {
	var in wireEstimateRequest
	if err := readInto(w, r, &in); err != nil {
		return err
	}
	m, err := marketIn(r)
	if err != nil {
		return err
	}
	q := dispatchEstimate(m, in)
	e, err := from.Estimate(r.Context(), q)
	if err != nil {
		return err
	}
	return reply(w, r, estimateTo(e))
}

// reply answers with a value.
func reply(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	return answer(w, r, body)
}

type wireSearch struct {
	Query string `json:"query"`
	Limit int    `json:"limit"`
}

type wireMatches struct {
	Matches []wireMatch `json:"matches"`
}

func (s *deliveriesAPI) search(w http.ResponseWriter, r *http.Request) error {
	var in wireSearch
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	m, err := marketIn(r)
	if err != nil {
		return err
	}
	found, err := s.Places.Search(r.Context(), m, in.Query, min(in.Limit, MaxPage))
	if err != nil {
		return err
	}
	return reply(w, r, wireMatches{list(found, matchTo)})
}

func (s *deliveriesAPI) locate(w http.ResponseWriter, r *http.Request) error {
	var in wirePosition
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	m, err := marketIn(r)
	if err != nil {
		return err
	}
	p, err := s.Places.PointAt(r.Context(), m, in.core())
	if err != nil {
		return err
	}
	return reply(w, r, pointTo(&p))
}

// businessIn returns the business that the path names, if it is the caller's.
func businessIn(r *http.Request) (merchant.BusinessKey, error) {
	c := callerIn(r)
	id, ok := name(r.PathValue("business"))
	if !ok || c.Business != "" && c.Business != id {
		return merchant.BusinessKey{}, noBusiness()
	}
	return merchant.BusinessKey{Partner: c.Partner, ID: id}, nil
}

func noBusiness() error {
	return fault.New("restapi", fault.NotFound, merchant.UnknownBusiness, "there is no such business")
}

// storeIn returns the store that the path names, if it is the caller's.
func storeIn(r *http.Request) (merchant.StoreKey, error) {
	b, err := businessIn(r)
	if err != nil {
		return merchant.StoreKey{}, err
	}
	id, ok := name(r.PathValue("store"))
	if c := callerIn(r); !ok || c.Store != "" && c.Store != id {
		return merchant.StoreKey{}, fault.New("restapi", fault.NotFound, merchant.UnknownStore, "there is no such store")
	}
	return merchant.StoreKey{Partner: b.Partner, Business: b.ID, ID: id}, nil
}

func (s *deliveriesAPI) createBusiness(w http.ResponseWriter, r *http.Request) error {
	var in wireNewBusiness
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	id, err := keyed(r, in.ID)
	if err != nil {
		return err
	}
	b, err := s.Businesses.CreateBusiness(r.Context(), merchant.Business{BusinessKey: merchant.BusinessKey{Partner: callerIn(r).Partner, ID: id},
		Name: in.Name, Description: in.Description, Status: in.Status})
	if err != nil {
		return err
	}
	return reply(w, r, businessTo(b))
}

func (s *deliveriesAPI) listBusinesses(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "cursor")
	if err := noBody(r); err != nil || q.err != nil {
		return firstOf(err, q.err)
	}
	c := callerIn(r)
	if c.Business != "" { // there is one that it may see
		b, err := s.Businesses.Business(r.Context(), merchant.BusinessKey{Partner: c.Partner, ID: c.Business})
		if err != nil {
			return err
		}
		return reply(w, r, wireBusinesses{Businesses: []wireBusiness{businessTo(b)}})
	}
	all, next, err := s.Businesses.Businesses(r.Context(), c.Partner, q.text("cursor"))
	if err != nil {
		return err
	}
	return reply(w, r, wireBusinesses{list(all, businessTo), next})
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *deliveriesAPI) getBusiness(w http.ResponseWriter, r *http.Request) error {
	k, err := businessIn(r)
	if err := firstOf(noBody(r), err); err != nil {
		return err
	}
	b, err := s.Businesses.Business(r.Context(), k)
	if err != nil {
		return err
	}
	return reply(w, r, businessTo(b))
}

func (s *deliveriesAPI) editBusiness(w http.ResponseWriter, r *http.Request) error {
	var in wireBusinessEdit
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	k, err := businessIn(r)
	if err != nil {
		return err
	}
	b, err := s.Businesses.EditBusiness(r.Context(), k, merchant.BusinessEdit(in))
	if err != nil {
		return err
	}
	return reply(w, r, businessTo(b))
}

func (s *deliveriesAPI) createStore(w http.ResponseWriter, r *http.Request) error {
	var in wireNewStore
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	id, err := keyed(r, in.ID)
	if err != nil {
		return err
	}
	k, err := businessIn(r)
	if err != nil {
		return err
	}
	st, err := s.Stores.CreateStore(r.Context(), merchant.Store{StoreKey: merchant.StoreKey{Partner: k.Partner, Business: k.ID, ID: id},
		Name: in.Name, Address: in.Address, Phone: in.Phone, Status: in.Status, Prep: clock.Duration(in.PrepMS), Hours: in.Hours})
	if err != nil {
		return err
	}
	return reply(w, r, storeTo(st))
}

func (s *deliveriesAPI) listStores(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "cursor")
	k, err := businessIn(r)
	if err := firstOf(noBody(r), q.err, err); err != nil {
		return err
	}
	if c := callerIn(r); c.Store != "" {
		st, err := s.Stores.Store(r.Context(), merchant.StoreKey{Partner: k.Partner, Business: k.ID, ID: c.Store})
		if err != nil {
			return err
		}
		return reply(w, r, wireStores{Stores: []wireStore{storeTo(st)}})
	}
	all, next, err := s.Stores.Stores(r.Context(), k, q.text("cursor"))
	if err != nil {
		return err
	}
	return reply(w, r, wireStores{list(all, storeTo), next})
}

func (s *deliveriesAPI) getStore(w http.ResponseWriter, r *http.Request) error {
	k, err := storeIn(r)
	if err := firstOf(noBody(r), err); err != nil {
		return err
	}
	st, err := s.Stores.Store(r.Context(), k)
	if err != nil {
		return err
	}
	return reply(w, r, storeTo(st))
}

func (s *deliveriesAPI) editStore(w http.ResponseWriter, r *http.Request) error {
	var in wireStoreEdit
	if err := s.read(w, r, &in); err != nil {
		return err
	}
	k, err := storeIn(r)
	if err != nil {
		return err
	}
	st, err := s.Stores.EditStore(r.Context(), k, merchant.StoreEdit{Name: in.Name, Address: in.Address, Phone: in.Phone, Status: in.Status, Prep: (*clock.Duration)(in.PrepMS), Hours: in.Hours})
	if err != nil {
		return err
	}
	return reply(w, r, storeTo(st))
}
