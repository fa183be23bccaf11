// Package uber speaks the API of Uber Direct: it translates what partners ask
// for into calls of the core, and the core's answers into theirs. It knows no
// transport: the same code serves HTTP and the replay of a recording. Who the
// partner is was decided before; Direct checks that it names itself in the path.
//
// What a robot changes of the contract:
//
//   - Every drop-off is met: the robot waits at the kerb and opens for the
//     recipient. Leaving at the door, pictures, signatures, barcodes and identity
//     checks are refused, see impossible.
//   - A lid has a PIN unless dropoff_verification.pincode.enabled is false; the answer tells it.
//   - A quote is for a way. Sizes and weights are known only when the delivery
//     is created, and may be refused then.
//   - A delivery's fee is the quoted one plus the tip, as Uber's is.
//   - One that comes back has the status returned from when it turns round; its
//     way back is a related delivery whose id begins with ret_.
//   - A list tells no names, phones and addresses: who needs them asks for the delivery.
package uber

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

// Quotes is what Direct needs of Deliveries to begin and to look.
type Quotes interface {
	Quote(ctx context.Context, r delivery.QuoteRequest) (delivery.Delivery, error)
	Accept(ctx context.Context, p delivery.PartnerID, externalID string, r delivery.AcceptRequest) (delivery.Delivery, error)
	Get(ctx context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, delivery.Personal, error)
}

// Changes is what Direct needs of Deliveries once something has begun.
type Changes interface {
	Edit(ctx context.Context, p delivery.PartnerID, externalID string, e delivery.Edit) (delivery.Delivery, error)
	Cancel(ctx context.Context, p delivery.PartnerID, externalID, cause string) (delivery.Delivery, error)
}

// Board finds a partner's deliveries; see delivery.BoardStore.
type Board interface {
	Board(ctx context.Context, q delivery.BoardQuery) ([]delivery.Delivery, error)
}

// Estimator says what a delivery would be like, without keeping anything.
type Estimator interface {
	Estimate(ctx context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error)
}

// Stores knows the stores of the partners' businesses.
type Stores interface {
	Store(ctx context.Context, k merchant.StoreKey) (merchant.Store, error)
}

// Places is what Direct needs to know of the map.
type Places interface {
	// PointAt returns where a position is.
	PointAt(ctx context.Context, m market.ID, at maps.Position) (maps.Point, error)
}

// Deps are what Direct works with. All but the last two are required.
type Deps struct {
	Market      market.ID
	Quotes      Quotes
	Changes     Changes
	Board       Board
	Estimates   Estimator
	Stores      Stores
	Places      Places
	IDs         delivery.IDs
	Clock       clock.Clock
	TrackingURL func(*delivery.Delivery) string // of the recipient's page; nil leaves tracking_url out
	Sandbox     bool                            // simulated robots carry what is ordered here
}

// Direct answers requests in the words of Uber Direct. It keeps no state.
type Direct struct{ Deps }

// NewDirect returns a Direct over d.
func NewDirect(d Deps) *Direct { return &Direct{d} }

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
	Operation string // which operation it was, such as "uber_quote"; "" if none
	Err       error  // what went wrong on our side, if Status is 500 or above: for logs, not for partners
}

// Handle answers a request. It never panics, whatever the request.
func (d *Direct) Handle(ctx context.Context, r Request) Response {
	c, err := route(r)
	if err != nil {
		return failed(c, err)
	}
	answer, err := c.op.handle(d, ctx, c)
	if err != nil {
		return failed(c, err)
	}
	return reply(http.StatusOK, answer, c.op.name)
}

// failed answers with an error.
func failed(c *call, err error) Response {
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
		panic("uber: an answer is not JSON: " + err.Error()) // they are our own types, of plain fields
	}
	return Response{Status: status, Body: body, Operation: operation}
}
