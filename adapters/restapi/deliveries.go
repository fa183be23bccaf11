package restapi

import (
	"context"
	"net/http"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
)

// Quotes is what the API needs of Deliveries to begin and to look.
type Quotes interface {
	Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Accept(ctx context.Context, p delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error)
	Create(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Get(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error)
}

// Changes is what the API needs of Deliveries once something has begun.
type Changes interface {
	Edit(ctx context.Context, p delivery.PartnerID, externalID string, e delivery.Edit) (delivery.Delivery, error)
	Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error)
	Ready(ctx context.Context, id delivery.ID, at clock.Time) error
	ByID(ctx context.Context, id delivery.ID) (delivery.Delivery, error)
}

// Doors is what the API needs of Deliveries for people at a robot.
type Doors interface {
	Handoff(ctx context.Context, id delivery.ID, r delivery.HandoffRequest) error
	CannotCome(ctx context.Context, id delivery.ID) error
}

// Estimator says what a delivery would be like, without keeping anything.
type Estimator interface {
	Estimate(ctx context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error)
}

// Businesses keeps the partners' businesses.
type Businesses interface {
	CreateBusiness(ctx context.Context, b merchant.Business) (merchant.Business, error)
	Business(ctx context.Context, k merchant.BusinessKey) (merchant.Business, error)
	Businesses(ctx context.Context, p delivery.PartnerID, token string) ([]merchant.Business, string, error)
	EditBusiness(ctx context.Context, k merchant.BusinessKey, e merchant.BusinessEdit) (merchant.Business, error)
}

// Stores keeps the stores of businesses.
type Stores interface {
	CreateStore(ctx context.Context, s merchant.Store) (merchant.Store, error)
	Store(ctx context.Context, k merchant.StoreKey) (merchant.Store, error)
	Stores(ctx context.Context, k merchant.BusinessKey, token string) ([]merchant.Store, string, error)
	EditStore(ctx context.Context, k merchant.StoreKey, e merchant.StoreEdit) (merchant.Store, error)
}

// Places is what the API needs to know of the map.
type Places interface {
	Search(ctx context.Context, m market.ID, query string, limit int) ([]maps.Match, error)
	PointAt(ctx context.Context, m market.ID, at maps.Position) (maps.Point, error)
}

// DeliveriesDeps are what the API of Deliveries works with. All but the last four are required.
type DeliveriesDeps struct {
	Quotes     Quotes
	Changes    Changes
	Doors      Doors
	Board      delivery.BoardStore
	Estimates  Estimator
	Businesses Businesses
	Stores     Stores
	Places     Places
	Clock      clock.Clock
	Bell       *Bell  // rung by what the service journals; see Bell.Journal
	Robots     Robots // nil: nobody is told where a robot is between its stops
	Ways       Ways   // nil: nobody is told which way it takes
	// WaitsUntil is until when the robot of a delivery waits at its stop, 0 if it does not; nil: nobody is told.
	WaitsUntil func(d *delivery.Delivery) clock.Time
	// TrackingURL is the address of the recipient's page of a delivery; nil: it has none.
	TrackingURL func(d *delivery.Delivery) string
}

// deliveriesAPI has the handlers of openapi/deliveries.yaml.
type deliveriesAPI struct {
	DeliveriesDeps
	*API
	sights sights
}

// NewDeliveries returns the API of Deliveries.
func NewDeliveries(d DeliveriesDeps, o Options) *API {
	s := &deliveriesAPI{DeliveriesDeps: d}
	const (
		one      = "/v1/deliveries/{ref}"
		inMarket = "/v1/markets/{market}"
		business = "/v1/businesses/{business}"
	)
	s.API = newAPI(o, documentOf("deliveries"),
		route{http.MethodPost, "/v1/quotes", "quote", quick, s.quote},
		route{http.MethodPost, "/v1/deliveries", "createDelivery", quick, s.create},
		route{http.MethodGet, one, "getDelivery", quick, s.get},
		route{http.MethodPatch, one, "editDelivery", quick, s.edit},
		route{http.MethodPost, one + "/accept", "acceptDelivery", quick, s.accept},
		route{http.MethodPost, one + "/cancel", "cancelDelivery", quick, s.cancel},
		route{http.MethodPost, one + "/ready", "readyDelivery", quick, s.ready},
		route{http.MethodPost, one + "/handoff", "handoffDelivery", quick, s.handoff},
		route{http.MethodPost, one + "/cannot-come", "cannotCome", quick, s.cannotCome},
		route{http.MethodGet, one + "/updates", "listUpdates", quick, s.updates},
		route{http.MethodGet, one + "/events", "watchDelivery", stream, s.watchDelivery},
		route{http.MethodGet, one + "/track", "trackDelivery", quick, s.track},
		route{http.MethodGet, "/v1/board", "board", quick, s.board},
		route{http.MethodGet, "/v1/board/events", "watchBoard", stream, s.watchBoard},
		route{http.MethodPost, inMarket + "/estimates", "estimate", quick, s.estimate},
		route{http.MethodPost, inMarket + "/address-searches", "searchAddresses", quick, s.search},
		route{http.MethodPost, inMarket + "/locations", "locate", quick, s.locate},
		route{http.MethodPost, "/v1/businesses", "createBusiness", quick, s.createBusiness},
		route{http.MethodGet, "/v1/businesses", "listBusinesses", quick, s.listBusinesses},
		route{http.MethodGet, business, "getBusiness", quick, s.getBusiness},
		route{http.MethodPatch, business, "editBusiness", quick, s.editBusiness},
		route{http.MethodPost, business + "/stores", "createStore", quick, s.createStore},
		route{http.MethodGet, business + "/stores", "listStores", quick, s.listStores},
		route{http.MethodGet, business + "/stores/{store}", "getStore", quick, s.getStore},
		route{http.MethodPatch, business + "/stores/{store}", "editStore", quick, s.editStore},
	)
	return s.API
}

// callerIn returns the caller, who was admitted.
func callerIn(r *http.Request) Caller {
	c, _ := CallerOf(r.Context())
	return c
}
