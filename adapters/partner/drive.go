// Package partner speaks DoorDash's Drive v2: it translates what partners ask
// for into calls of the core, and the core's answers into theirs. It knows no
// transport: the same code serves HTTP and the replay of a recording. Who the
// partner is was decided before; Drive checks that it sees only its own.
//
// What a robot changes of the contract:
//
//   - The kerb where a robot stops follows from the address. dropoff_location
//     is checked and otherwise unused, as Drive lets the address alone decide
//     coverage and fee.
//   - A phone number must have the form of E.164 after tidying; whether it can
//     be dialled only the carrier knows. A number without a country code gets
//     that of locale. Nobody need be called for a delivery to succeed.
//   - action_if_undeliverable is return_to_pickup if missing: the goods are
//     locked in, so they can always go back.
//   - proof_of_delivery pin_code means the partner's PIN; none means no PIN; if
//     it is missing, the lid gets a PIN of ours, which the answer tells.
//   - What a robot cannot do (alcohol, signature, photo, cash and so on) is
//     refused with 422 and a reason, see impossible.
//   - A quote that expired is answered with 409, code update_not_allowed, reason
//     quote_expired, since Drive has no word of its own; ask again under the same id.
//   - A repeated cancel is answered like the first one, with 200.
//   - 503 is sent where a repeat may help, 500 where it will not; both have
//     Drive's code service_fault.
package partner

import (
	"context"
	"encoding/json"
	"net/http"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
)

// Quotes is what Drive needs of Deliveries to begin and to look.
type Quotes interface {
	Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Accept(ctx context.Context, p delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error)
	Create(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Get(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error)
}

// Changes is what Drive needs of Deliveries once something has begun.
type Changes interface {
	Edit(ctx context.Context, p delivery.PartnerID, externalID string, e delivery.Edit) (delivery.Delivery, error)
	Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error)
	Ready(ctx context.Context, id delivery.ID, at clock.Time) error
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

// Places is what Drive needs to know of the map.
type Places interface {
	// Search completes an address as somebody types.
	Search(ctx context.Context, m market.ID, query string, limit int) ([]maps.Match, error)
	// PointAt returns where a position is.
	PointAt(ctx context.Context, m market.ID, at maps.Position) (maps.Point, error)
}

// Deps are what Drive works with. All but the last two are required.
type Deps struct {
	Market      market.ID
	Quotes      Quotes
	Changes     Changes
	Estimates   Estimator
	Businesses  Businesses
	Stores      Stores
	Places      Places
	Clock       clock.Clock
	TrackingURL func(*delivery.Delivery) string // of the recipient's page; nil leaves tracking_url out
	// Sandbox lets partners do at a robot what people do. It is nil where robots are real.
	Sandbox Handoffs
}

// Drive answers requests in the words of Drive v2. It keeps no state.
type Drive struct{ Deps }

// NewDrive returns a Drive over d.
func NewDrive(d Deps) *Drive { return &Drive{d} }

// Request is what a partner sent.
type Request struct {
	Partner delivery.PartnerID // who it is, as authenticated
	Method  string
	Path    string // with the query, as on the request line
	Body    []byte
}

// Response is what the partner gets. Its body is JSON, without exception.
type Response struct {
	Status    int
	Header    http.Header // beyond Content-Type; usually nil
	Body      []byte
	Operation string // which operation it was, such as "quote"; "" if none
	Err       error  // what went wrong on our side, if Status is 500 or above: for logs, not for partners
}

// Handle answers a request. It never panics, whatever the request.
func (d *Drive) Handle(ctx context.Context, r Request) Response {
	op, args, query, err := route(r)
	if err != nil {
		return d.failed(&call{Request: r}, err)
	}
	c := &call{Request: r, op: op, args: args, query: query}
	if c.form, err = readForm(r.Body, op.optional); err != nil {
		return d.failed(c, err)
	}
	answer, err := op.handle(d, ctx, c)
	if err != nil {
		return d.failed(c, err)
	}
	return reply(http.StatusOK, answer, op.name)
}

// failed answers with an error.
func (d *Drive) failed(c *call, err error) Response {
	p := c.problem(err)
	r := reply(p.status, p, c.op.name)
	if p.allow != "" {
		r.Header = http.Header{"Allow": {p.allow}}
	}
	if p.status >= http.StatusInternalServerError {
		r.Err = err
	}
	return r
}

func reply(status int, answer any, operation string) Response {
	body, err := json.Marshal(answer)
	if err != nil {
		panic("partner: an answer is not JSON: " + err.Error()) // they are our own types, of plain fields
	}
	return Response{Status: status, Body: body, Operation: operation}
}
