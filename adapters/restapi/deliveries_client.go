package restapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/maps"
	"footway/core/market"
)

// DeliveriesClient is Deliveries in another process: its methods do what those
// of delivery.Service and merchant.Service do, and what Places and Estimator say. What only
// Deliveries needs of a delivery is empty in what they return. It is safe for concurrent use.
type DeliveriesClient struct{ *client }

var (
	_ Quotes     = (*DeliveriesClient)(nil)
	_ Changes    = (*DeliveriesClient)(nil)
	_ Doors      = (*DeliveriesClient)(nil)
	_ Estimator  = (*DeliveriesClient)(nil)
	_ Businesses = (*DeliveriesClient)(nil)
	_ Stores     = (*DeliveriesClient)(nil)
	_ Places     = (*DeliveriesClient)(nil)

	_ delivery.BoardStore = (*DeliveriesClient)(nil)
)

// NewDeliveriesClient returns a client of the API at an address such as http://deliveries:8080.
func NewDeliveriesClient(address string, o ClientOptions) (*DeliveriesClient, error) {
	c, err := newClient(address, o)
	return &DeliveriesClient{c}, err
}

// Quote is delivery.Service.Quote.
func (c *DeliveriesClient) Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error) {
	return c.ask(ctx, "Deliveries.Quote", "/v1/quotes", r)
}

// Create is delivery.Service.Create.
func (c *DeliveriesClient) Create(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error) {
	return c.ask(ctx, "Deliveries.Create", "/v1/deliveries", r)
}

func (c *DeliveriesClient) ask(ctx context.Context, op, path string, r delivery.QuoteRequest) (delivery.Delivery, error) {
	// The server would make up a hash or a partner for people who have none; a service must know better.
	if r.RequestHash == "" {
		return delivery.Delivery{}, fault400(op, "request_hash: missing")
	}
	return c.found(ctx, call{op: op, method: http.MethodPost, path: path, partner: r.Partner, key: r.ExternalID, in: quoteRequestTo(r)})
}

// found makes a call that answers with a delivery.
func (c *DeliveriesClient) found(ctx context.Context, q call) (delivery.Delivery, error) {
	var out wireFound
	q.out = &out
	if err := c.do(ctx, q); err != nil {
		return delivery.Delivery{}, err
	}
	return out.Delivery.core(), nil
}

func partnersPath(externalID, what string) string {
	return "/v1/deliveries/" + externalRef(externalID) + what
}

func oursPath(id delivery.ID, what string) string {
	return "/v1/deliveries/" + segment(string(id)) + what
}

// Accept is delivery.Service.Accept.
func (c *DeliveriesClient) Accept(ctx context.Context, p delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error) {
	return c.found(ctx, call{op: "Deliveries.Accept", method: http.MethodPost, path: partnersPath(externalID, "/accept"), partner: p, in: acceptTo(r)})
}

// Get is delivery.Service.Get.
func (c *DeliveriesClient) Get(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error) {
	var out wireFound
	if err := c.do(ctx, call{op: "Deliveries.Get", method: http.MethodGet, path: partnersPath(externalID, ""), partner: p, out: &out}); err != nil {
		return delivery.Delivery{}, delivery.Personal{}, err
	}
	return out.Delivery.core(), out.People.core(out.Delivery.ID), nil
}

// ByID is delivery.Service.ByID.
func (c *DeliveriesClient) ByID(ctx context.Context, id delivery.ID) (delivery.Delivery, error) {
	return c.found(ctx, call{op: "Deliveries.ByID", method: http.MethodGet, path: oursPath(id, "")})
}

// Edit is delivery.Service.Edit.
func (c *DeliveriesClient) Edit(ctx context.Context, p delivery.PartnerID, externalID string, e delivery.Edit) (delivery.Delivery, error) {
	return c.found(ctx, call{op: "Deliveries.Edit", method: http.MethodPatch, path: partnersPath(externalID, ""), partner: p, match: e.Sequence, in: editTo(e)})
}

// Cancel is delivery.Service.Cancel.
func (c *DeliveriesClient) Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error) {
	return c.found(ctx, call{op: "Deliveries.Cancel", method: http.MethodPost, path: partnersPath(externalID, "/cancel"), partner: p, in: wireCancel{cause}})
}

// Ready is delivery.Service.Ready.
func (c *DeliveriesClient) Ready(ctx context.Context, id delivery.ID, at clock.Time) error {
	return c.do(ctx, call{op: "Deliveries.Ready", method: http.MethodPost, path: oursPath(id, "/ready"), in: wireReady{instant(at)}})
}

// Handoff is delivery.Service.Handoff.
func (c *DeliveriesClient) Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error {
	return c.do(ctx, call{op: "Deliveries.Handoff", method: http.MethodPost, path: oursPath(id, "/handoff"), in: handoffTo(r)})
}

// CannotCome is delivery.Service.CannotCome.
func (c *DeliveriesClient) CannotCome(ctx context.Context, id delivery.ID) error {
	return c.do(ctx, call{op: "Deliveries.CannotCome", method: http.MethodPost, path: oursPath(id, "/cannot-come"), in: struct{}{}})
}

// Board implements delivery.BoardStore.
func (c *DeliveriesClient) Board(ctx context.Context, q delivery.BoardQuery) ([]delivery.Delivery, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	var all []delivery.Delivery
	for len(all) < q.Limit {
		values := boardValues(q)
		values.Set("limit", strconv.Itoa(min(q.Limit-len(all), MaxPage)))
		if (q.After != delivery.BoardMark{}) {
			values.Set("cursor", markTo(q.After))
		}
		var out wireBoard
		if err := c.do(ctx, call{op: "Deliveries.Board", method: http.MethodGet, path: "/v1/board", query: values, partner: q.Partner, out: &out}); err != nil {
			return nil, err
		}
		all = append(all, each(out.Deliveries, wireDelivery.core)...)
		if out.Next == "" || len(out.Deliveries) == 0 {
			break
		}
		q.After = all[len(all)-1].Mark()
	}
	return all, nil
}

func boardValues(q delivery.BoardQuery) url.Values {
	v := url.Values{}
	if q.Market != "" {
		v.Set("market", string(q.Market))
	}
	if q.Store != "" {
		v.Set("store", q.Store)
	}
	for _, s := range q.States {
		v.Add("state", string(s))
	}
	return v
}

// Updates implements delivery.BoardStore. Of an unknown delivery there are none.
func (c *DeliveriesClient) Updates(ctx context.Context, id delivery.ID, after uint64, limit int) ([]delivery.Update, error) {
	var all []delivery.Update
	for len(all) < limit {
		values := url.Values{"after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(min(limit-len(all), MaxPage))}}
		var out wireUpdates
		err := c.do(ctx, call{op: "Deliveries.Updates", method: http.MethodGet, path: oursPath(id, "/updates"), query: values, out: &out})
		if isUnknown(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, each(out.Updates, wireUpdate.core)...)
		if len(out.Updates) == 0 {
			break
		}
		after = out.Next
	}
	return all, nil
}

// Estimate is dispatch.Service.Estimate.
func (c *DeliveriesClient) Estimate(ctx context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	return c.estimate(ctx, "Deliveries.Estimate", "", r)
}

func (c *client) estimate(ctx context.Context, op, host string, r dispatch.EstimateRequest) (dispatch.Estimate, error) {
	var out wireEstimate
	if err := c.do(ctx, call{op: op, method: http.MethodPost, path: marketPath(r.Market, "/estimates"), in: estimateRequestTo(r), out: &out, host: host}); err != nil {
		return dispatch.Estimate{}, err
	}
	return out.core(), nil
}

func marketPath(m market.ID, what string) string { return "/v1/markets/" + segment(string(m)) + what }

// Search is maps.Service.Search.
func (c *DeliveriesClient) Search(ctx context.Context, m market.ID, query string, limit int) ([]maps.Match, error) {
	var out wireMatches
	err := c.do(ctx, call{op: "Deliveries.Search", method: http.MethodPost, path: marketPath(m, "/address-searches"), in: wireSearch{query, limit}, out: &out})
	return each(out.Matches, wireMatch.core), err
}

// PointAt is maps.Service.PointAt.
func (c *DeliveriesClient) PointAt(ctx context.Context, m market.ID, at maps.Position) (maps.Point, error) {
	var out wirePoint
	err := c.do(ctx, call{op: "Deliveries.PointAt", method: http.MethodPost, path: marketPath(m, "/locations"), in: positionTo(at), out: &out})
	return *out.core(), err
}
