// Package dispatch decides which robot goes for which delivery, and when it
// must leave to be there in time. It keeps nothing that it cannot rebuild from
// the requests that Deliveries repeats and the reservations that Fleet holds.
package dispatch

import (
	"context"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// Place is one end of a delivery in the words of whoever asks: an address, a
// point, or both. The point wins where both are given.
type Place struct {
	Address string      `json:"address,omitempty"`
	Point   *maps.Point `json:"point,omitempty"`
}

// EstimateRequest asks what a delivery would be like.
type EstimateRequest struct {
	Market  market.ID
	Pickup  Place
	Dropoff Place
	Load    fleet.Load
	ReadyAt clock.Time // when the goods are ready; in the past means now
}

// Reasons of refusal, in Drive's words where it has them.
const (
	DistanceTooLong = "distance_too_long"
	PickupOutside   = "pickup_address_not_in_coverage"
	DropoffOutside  = "delivery_address_not_in_coverage"
	OutsideHours    = "outside_of_delivery_time"
	TooLarge        = "too_large"
	NoCapacity      = "no_capacity"
)

// Refusal says why a delivery is not possible, and what would be.
type Refusal struct {
	Reason       string      `json:"reason"`
	Detail       string      `json:"detail"`                  // for people
	NearestTime  clock.Time  `json:"nearest_time,omitempty"`  // when it would be possible; 0 if unknown
	MeetingPoint *maps.Point `json:"meeting_point,omitempty"` // nearest place a robot can reach
}

// Estimate is the answer: either a refusal or times.
type Estimate struct {
	Refusal    *Refusal       `json:"refusal,omitempty"`
	Pickup     maps.Position  `json:"pickup"`
	Dropoff    maps.Position  `json:"dropoff"`
	PickupP50  clock.Time     `json:"pickup_p50"` // robot at the pickup
	PickupP90  clock.Time     `json:"pickup_p90"`
	DropoffP50 clock.Time     `json:"dropoff_p50"` // goods with the recipient
	DropoffP90 clock.Time     `json:"dropoff_p90"`
	RouteMM    int64          `json:"route_mm"` // pickup to drop-off
	RouteTime  clock.Duration `json:"route_time"`
}

// RequestKind is what a robot is wanted for.
type RequestKind string

// The kinds.
const (
	ForDelivery RequestKind = "delivery" // an ordinary robot
	ForTransfer RequestKind = "transfer" // whoever is nearest, robot or courier, to take goods over from a failed robot
)

// Request asks for a robot. It is idempotent by (Delivery, Attempt): a repeat
// with other particulars (such as a new drop-off) replaces the waiting one.
type Request struct {
	Market      market.ID       `json:"market"`
	Delivery    string          `json:"delivery"`
	Attempt     int             `json:"attempt"` // from 1
	Kind        RequestKind     `json:"kind"`
	Pickup      maps.Position   `json:"pickup"`
	Dropoff     maps.Position   `json:"dropoff"`
	Load        fleet.Load      `json:"load"`
	ReadyAt     clock.Time      `json:"ready_at"`
	PromiseAt   clock.Time      `json:"promise_at"` // the drop-off promised (P90)
	RequestedAt clock.Time      `json:"requested_at"`
	Not         []fleet.RobotID `json:"not,omitempty"`   // robots that failed this delivery
	Trace       string          `json:"trace,omitempty"` // of the call that asked last, see package trace
}

// Finish says that an attempt has ended and its robot may go. PickupAt and
// DropoffAt are when it really arrived at the pickup and when the recipient
// had the goods, 0 where that did not happen: estimates learn from them.
type Finish struct {
	Market    market.ID
	Delivery  string
	Attempt   int
	Robot     fleet.RobotID
	Token     uint64
	PickupAt  clock.Time
	DropoffAt clock.Time
}

// DecisionKind is the kind of a decision.
type DecisionKind string

// The kinds.
const (
	Assigned DecisionKind = "assigned" // Robot is reserved under Token
	Lost     DecisionKind = "lost"     // Robot cannot be counted on any more: out of contact or out of order
	Found    DecisionKind = "found"    // a Lost robot is heard of again, and still reserved for the attempt
	GaveUp   DecisionKind = "gave_up"  // no robot within the time that settings allow
)

// Decision is an entry of a market's feed, and the data of the journal's
// "dispatch.<kind>" events.
type Decision struct {
	Market   market.ID      `json:"market"`
	Delivery string         `json:"delivery"`
	Attempt  int            `json:"attempt"`
	Kind     DecisionKind   `json:"kind"`
	At       clock.Time     `json:"at"`
	Robot    fleet.RobotID  `json:"robot,omitempty"`
	Token    uint64         `json:"token,omitempty"`
	PickupAt clock.Time     `json:"pickup_at,omitempty"` // when it should be there
	Cause    string         `json:"cause,omitempty"`     // of Lost and GaveUp
	Why      *Why           `json:"why,omitempty"`       // of Assigned
	Position *maps.Position `json:"position,omitempty"`  // where it was last seen, of Lost; nil if unknown
}

// Why explains an assignment.
type Why struct {
	Policy         string         `json:"policy"`
	Round          uint64         `json:"round"`
	Waiting        int            `json:"waiting"`    // requests in the round
	Candidates     int            `json:"candidates"` // robots that could have gone
	Deadhead       clock.Duration `json:"deadhead"`   // drive to the pickup
	DeadheadMM     int64          `json:"deadhead_mm"`
	Cost           int64          `json:"cost"`                 // of the pairing, in ms-equivalents
	Price          int64          `json:"price"`                // what the request costs all requests together: the worth of one more robot that stands where it is wanted, ms-equivalents
	RunnerUp       fleet.RobotID  `json:"runner_up,omitempty"`  // who would have gone otherwise
	RunnerUpCloser clock.Duration `json:"runner_up_closer"`     // by how much it would have had to be closer
	Held           clock.Duration `json:"held"`                 // how long the commitment was put off on purpose
	Considered     []Considered   `json:"considered,omitempty"` // the best few, best first
}

// Considered is one robot that could have gone.
type Considered struct {
	Robot  fleet.RobotID  `json:"robot"`
	Pickup clock.Duration `json:"pickup"` // from now until it would be at the pickup
	Cost   int64          `json:"cost"`
}

// Cursor is a place in a market's feed of decisions; "" is its beginning. A
// cursor of an earlier life of the process counts as the beginning.
type Cursor string

// Fleet is what Dispatch needs of the robots.
type Fleet interface {
	// Candidates returns all robots of the market with their last telemetry, ordered by id.
	Candidates(ctx context.Context, m market.ID) ([]fleet.Candidate, error)
	// Reserve gives the right to command a robot and returns the fencing token. It fails with
	// fault.Conflict if another holder has it. A repeat of the same attempt returns the same token.
	Reserve(ctx context.Context, r fleet.ReserveRequest) (token uint64, err error)
	// Renew prolongs the right that token gives. It fails with fault.Conflict if the token is not the current one any more.
	Renew(ctx context.Context, robot fleet.RobotID, token uint64, until clock.Time) error
	// Release gives the right back. It is no error if the token is not the current one any more.
	Release(ctx context.Context, robot fleet.RobotID, token uint64) error
}

// Charging is what Dispatch needs to have robots charged and moved that have no delivery.
type Charging interface {
	// Docks returns the docks of a market ordered by id.
	Docks(ctx context.Context, m market.ID) ([]fleet.Dock, error)
	// Command sends an order to a robot that is reserved under the order's token. It fails with
	// fault.Unavailable when the robot has no contact, and with fault.Conflict when the token is an old one.
	Command(ctx context.Context, o fleet.Order) error
}

// Places is what Dispatch needs to know of where deliveries begin and end.
type Places interface {
	// Geocode finds an address; fault.NotFound if the market does not have it.
	Geocode(ctx context.Context, m market.ID, query string) (maps.Match, error)
	// Snap finds the nearest place a robot can stand; fault.NotFound if there is none within reach.
	Snap(ctx context.Context, m market.ID, p maps.Point) (maps.Match, error)
	// Serves reports whether position is within the service area at the time, by reason "". If not, the
	// reason is "area" or "hours", and for hours the next opening is returned (0 if never).
	Serves(ctx context.Context, m market.ID, at maps.Position, when clock.Time) (reason string, opens clock.Time, err error)
	// PointAt returns where a position is.
	PointAt(ctx context.Context, m market.ID, at maps.Position) (maps.Point, error)
}

// Ways is what Dispatch needs to know of the ways between places.
type Ways interface {
	// Matrix returns times and lengths from each of from to each of to, row-major;
	// where there is no way, OK is false. The result is the caller's.
	Matrix(ctx context.Context, m market.ID, from, to []maps.Position) ([]maps.Leg, error)
	// Version returns a number that changes whenever a leg that Matrix returned may have changed.
	Version(ctx context.Context, m market.ID) (uint64, error)
}

// Notifier is told that a market's feed has a new entry, so that watchers need not poll.
type Notifier interface {
	Changed(ctx context.Context, m market.ID)
}
