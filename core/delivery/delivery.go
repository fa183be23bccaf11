// Package delivery owns what was promised to a partner: the quote, the
// delivery, its guarded state machine, its price, and the numbered updates
// that tell of it. It does not pick robots and does not steer them.
package delivery

import (
	"context"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/task"
)

// ID names a delivery.
type ID string

// PartnerID names who asked for it, and is the tenant that may see it.
type PartnerID string

// State is the state of a delivery.
type State string

// The states.
const (
	Quoted    State = "quoted"
	Requested State = "requested"
	Assigned  State = "assigned"
	ToPickup  State = "to_pickup"
	AtPickup  State = "at_pickup"
	Loaded    State = "loaded"
	ToDropoff State = "to_dropoff"
	AtDropoff State = "at_dropoff"
	Delivered State = "delivered"
	Returning State = "returning"
	AtReturn  State = "at_return"
	Returned  State = "returned"
	Cancelled State = "cancelled"
)

// Reason is why a delivery was cancelled, in Drive's words.
type Reason string

// The reasons.
const (
	ByCreator       Reason = "cancelled_by_creator"
	FailedToAssign  Reason = "failed_to_assign_and_refunded"
	FailedToPickup  Reason = "failed_to_pickup"
	FailedToDeliver Reason = "failed_to_deliver"
	FailedToReturn  Reason = "failed_to_return"
)

// Undeliverable says what to do with goods that nobody takes.
type Undeliverable string

// The choices.
const (
	ReturnToPickup Undeliverable = "return_to_pickup"
	Dispose        Undeliverable = "dispose" // left in the robot and disposed of at the dock
)

// Stop is one end of a delivery.
type Stop struct {
	Position maps.Position `json:"position"`
	Store    string        `json:"store,omitempty"` // the merchant's store, where one is known
}

// Promise is what the partner was told.
type Promise struct {
	PickupP50  clock.Time `json:"pickup_p50"`
	PickupP90  clock.Time `json:"pickup_p90"`
	DropoffP50 clock.Time `json:"dropoff_p50"`
	DropoffP90 clock.Time `json:"dropoff_p90"`
}

// Money is integer cents of the market's currency.
type Money int64

// Times are the instants at which a delivery first reached its states; 0 if not yet.
// They are kept over a redispatch, except those of the lost attempt.
type Times struct {
	Quoted    clock.Time `json:"quoted"`
	Requested clock.Time `json:"requested"`
	Assigned  clock.Time `json:"assigned"`
	AtPickup  clock.Time `json:"at_pickup"`
	Loaded    clock.Time `json:"loaded"`
	AtDropoff clock.Time `json:"at_dropoff"`
	Ended     clock.Time `json:"ended"`
}

// DebtKind is what another service must still be told.
type DebtKind string

// The kinds.
const (
	OweCancel   DebtKind = "cancel_task" // to Task: the attempt's task ends
	OweReplan   DebtKind = "replan"      // to Task: the attempt's task has other steps
	OweWithdraw DebtKind = "withdraw"    // to Dispatch: no carrier is wanted any more
	OweFinish   DebtKind = "finish"      // to Dispatch: the carrier may go
)

// Debt is a call to another service that follows from a decision. It is saved
// with the decision and repeated until the other service has taken it.
type Debt struct {
	Number  int           `json:"number"` // from 1 in each delivery
	Kind    DebtKind      `json:"kind"`
	Attempt int           `json:"attempt"`
	Robot   fleet.RobotID `json:"robot,omitempty"`
	Token   uint64        `json:"token,omitempty"`
	Task    task.ID       `json:"task,omitempty"` // "" if the answer with its id was lost
	Cause   string        `json:"cause,omitempty"`
	// When the carrier that may go was at the merchant and the recipient had the goods, 0 if it was not there.
	PickupAt  clock.Time  `json:"pickup_at,omitempty"`
	DropoffAt clock.Time  `json:"dropoff_at,omitempty"`
	Replan    int         `json:"replan,omitempty"` // number of the replan
	From      int         `json:"from,omitempty"`   // first step that a replan replaces
	Steps     []task.Step `json:"steps,omitempty"`  // of a replan, or to find a task whose id was lost
	Back      bool        `json:"back,omitempty"`   // the replan sends the goods back
}

// Custody is one link in the chain of who held the goods.
type Custody struct {
	Carrier fleet.RobotID `json:"carrier"`
	From    clock.Time    `json:"from"`
	Cause   string        `json:"cause"` // "loaded", or why the one before gave them up
}

// Delivery is one delivery, quoted or accepted. It holds no personal data.
type Delivery struct {
	ID              ID              `json:"id"`
	Market          market.ID       `json:"market"`
	Partner         PartnerID       `json:"partner"`
	ExternalID      string          `json:"external_id"`
	RequestHash     string          `json:"request_hash"` // of the canonical request
	State           State           `json:"state"`
	Sequence        uint64          `json:"sequence"`   // number of its last update
	ToldAt          clock.Time      `json:"told_at"`    // time of its last update: replicas that did the same at once tell by it whose was saved
	ExpiresAt       clock.Time      `json:"expires_at"` // of the quote
	Pickup          Stop            `json:"pickup"`
	Dropoff         Stop            `json:"dropoff"`
	Load            fleet.Load      `json:"load"`
	OrderValue      Money           `json:"order_value"`
	Tip             Money           `json:"tip"`
	Fee             Money           `json:"fee"`
	FeeParts        []FeePart       `json:"fee_parts"`
	Currency        string          `json:"currency"`
	IfUndeliverable Undeliverable   `json:"if_undeliverable"`
	RouteMM         int64           `json:"route_mm"`
	RouteTime       clock.Duration  `json:"route_time"`
	Trip            clock.Duration  `json:"trip"`       // from robot and goods at the pickup to the recipient, exchanges included, as estimated
	Promise         Promise         `json:"promise"`    // as quoted
	Expected        Promise         `json:"expected"`   // as known now
	ReadyAt         clock.Time      `json:"ready_at"`   // when the goods are expected to be ready
	ReadySaid       clock.Time      `json:"ready_said"` // when the merchant said that they are; 0 if not
	LoadPIN         string          `json:"load_pin"`   // four digits, secret
	UnloadPIN       string          `json:"unload_pin"` // four digits, secret
	Attempt         int             `json:"attempt"`    // number of the current request for a carrier; 0 before the first
	Asked           bool            `json:"asked"`      // Dispatch has taken the request of Attempt
	AskedAt         clock.Time      `json:"asked_at"`   // when it last did
	PickupAt        clock.Time      `json:"pickup_at"`  // when Dispatch expects the carrier at the pickup, or at the failed robot
	Robot           fleet.RobotID   `json:"robot"`      // the carrier; "" if none
	Token           uint64          `json:"token"`
	Task            task.ID         `json:"task"`
	TaskSeq         uint64          `json:"task_seq"`             // last change of Task that had an effect
	Step            int             `json:"step"`                 // index of the task's step that was last heard of
	At              maps.Position   `json:"at"`                   // where the carrier was when it was last heard of
	Since           clock.Time      `json:"since"`                // when State began, or its waiting began anew
	Reminded        bool            `json:"reminded"`             // the merchant was reminded that a robot waits
	Exchange        clock.Time      `json:"exchange"`             // when the hatch was last opened in this state; 0 if not
	LateSince       clock.Time      `json:"late_since"`           // since when a loaded carrier is overdue; 0 if it is not
	Silent          bool            `json:"silent,omitempty"`     // LateSince is since when it is not heard of
	GoingBack       string          `json:"going_back,omitempty"` // why Task was asked to send the goods back and has not agreed yet
	Replans         int             `json:"replans"`              // revisions of Task asked for
	Transfer        *Transfer       `json:"transfer,omitempty"`   // a custody transfer under way
	Custody         []Custody       `json:"custody,omitempty"`
	Failed          []fleet.RobotID `json:"failed,omitempty"` // robots that failed this delivery
	Debts           int             `json:"debts"`            // number of debts ever made
	Owed            []Debt          `json:"owed,omitempty"`   // what other services must still be told, in order
	CancelReason    Reason          `json:"cancel_reason,omitempty"`
	CancelCause     string          `json:"cancel_cause,omitempty"`
	Times           Times           `json:"times"`
	Trace           string          `json:"trace,omitempty"` // of the request that it comes from, see package trace
	Revision        uint64          `json:"revision"`
}

// Transfer is a custody transfer under way: the goods stand in From and wait for another carrier.
type Transfer struct {
	From    fleet.RobotID `json:"from"`
	Token   uint64        `json:"token"`   // under which From is held meanwhile
	Task    task.ID       `json:"task"`    // the task that failed
	Attempt int           `json:"attempt"` // of From
	At      maps.Position `json:"at"`
	Since   clock.Time    `json:"since"`
	Cause   string        `json:"cause"`
}

// FeePart is one component of the fee; they sum to it.
type FeePart struct {
	Kind   string `json:"kind"` // such as "flat_fee" or "distance_based_fee"
	Amount Money  `json:"amount"`
}

// Personal is what identifies people. It is kept apart, in one place, and
// appears in no event and no log.
type Personal struct {
	Delivery            ID     `json:"delivery"`
	PickupAddress       string `json:"pickup_address"`
	PickupName          string `json:"pickup_name"`
	PickupPhone         string `json:"pickup_phone"`
	PickupInstructions  string `json:"pickup_instructions"`
	DropoffAddress      string `json:"dropoff_address"`
	DropoffGivenName    string `json:"dropoff_given_name"`
	DropoffFamilyName   string `json:"dropoff_family_name"`
	DropoffPhone        string `json:"dropoff_phone"`
	DropoffInstructions string `json:"dropoff_instructions"`
	Items               []Item `json:"items"`
	// What the partner and who orders through it call the order, where they say so.
	ManifestReference string `json:"manifest_reference,omitempty"`
	ExternalReference string `json:"external_reference,omitempty"`
	// The points that the partner gave, nil where it gave none.
	PickupPoint  *maps.Point `json:"pickup_point,omitempty"`
	DropoffPoint *maps.Point `json:"dropoff_point,omitempty"`
}

// Item is one line of an order.
type Item struct {
	Name     string `json:"name"`
	Quantity int    `json:"quantity"`
	Price    Money  `json:"price"`
}

// UpdateKind is what an update tells.
type UpdateKind string

// The kinds.
const (
	StateChanged UpdateKind = "state"
	CustodyMoved UpdateKind = "custody"     // another carrier has the goods
	Trouble      UpdateKind = "trouble"     // the carrier failed, help is on the way
	Expectation  UpdateKind = "expectation" // Expected has moved by more than the settings' threshold
	Edited       UpdateKind = "edited"
	Ready        UpdateKind = "ready" // the merchant said that the goods are ready
)

// Update is one numbered thing that happened to a delivery: a row of the
// outbox, the message on the broker, and the data of the journal's events
// "delivery.<to>" (for state changes) and "delivery.<kind>" (for others).
type Update struct {
	Delivery   ID            `json:"delivery"`
	Sequence   uint64        `json:"sequence"` // per delivery, from 1, without gaps
	Kind       UpdateKind    `json:"kind"`
	At         clock.Time    `json:"at"`
	Market     market.ID     `json:"market"`
	Partner    PartnerID     `json:"partner"`
	ExternalID string        `json:"external_id"`
	From       State         `json:"from"`
	To         State         `json:"to"`
	Cause      string        `json:"cause,omitempty"`
	Reason     Reason        `json:"reason,omitempty"`
	Robot      fleet.RobotID `json:"robot,omitempty"`
	Attempt    int           `json:"attempt,omitempty"`
	Promise    Promise       `json:"promise"`  // as quoted
	Expected   Promise       `json:"expected"` // as known now
	ReadyAt    clock.Time    `json:"ready_at"`
	Fee        Money         `json:"fee"`
	Tip        Money         `json:"tip"`
	RouteMM    int64         `json:"route_mm"`
	Pickup     maps.Position `json:"pickup"`
	Dropoff    maps.Position `json:"dropoff"`
	Store      string        `json:"store,omitempty"` // the pickup's
	Trace      string        `json:"trace,omitempty"` // of the request that the delivery comes from, see package trace
}

// UpdateKey names an update.
type UpdateKey struct {
	Delivery ID
	Sequence uint64
}

// Key returns the name of u.
func (u *Update) Key() UpdateKey { return UpdateKey{u.Delivery, u.Sequence} }

// Store keeps deliveries. A write and its updates are one transaction.
type Store interface {
	// Delivery returns the delivery, or a fault.NotFound error.
	Delivery(ctx context.Context, id ID) (Delivery, error)
	// ByExternal returns the delivery that a partner knows by externalID, or a fault.NotFound error.
	ByExternal(ctx context.Context, p PartnerID, externalID string) (Delivery, error)
	// Create writes a new delivery with its personal data and updates, all or nothing; its
	// revision is then 1, whatever d.Revision says. It fails with
	// fault.Conflict if the id or the pair (partner, external id) is taken. A fault.Unavailable error leaves
	// open whether the write happened.
	Create(ctx context.Context, d Delivery, p Personal, u ...Update) error
	// Save writes d and appends the updates to the outbox if the stored revision is still d.Revision, and returns
	// the new revision; otherwise it writes nothing and fails with fault.Conflict. A fault.Unavailable
	// error leaves open whether the write happened.
	Save(ctx context.Context, d Delivery, u ...Update) (revision uint64, err error)
}

// OpenStore finds what a restart must take up again.
type OpenStore interface {
	// Open returns the deliveries of a market for which Delivery.Open is true, with an id above
	// after, ordered by id, at most limit.
	Open(ctx context.Context, m market.ID, after ID, limit int) ([]Delivery, error)
}

// PersonalStore keeps personal data.
type PersonalStore interface {
	// Personal returns what is kept of a delivery, or a fault.NotFound error.
	Personal(ctx context.Context, id ID) (Personal, error)
	// SavePersonal replaces what is kept of the delivery p.Delivery; a fault.NotFound error if there is no such delivery.
	SavePersonal(ctx context.Context, p Personal) error
	// Forget deletes the personal data of deliveries that ended, and of quotes that expired
	// unaccepted, before t, and returns of how many.
	Forget(ctx context.Context, t clock.Time) (int, error)
}

// Outbox holds updates until they are published.
type Outbox interface {
	// Unsent returns updates that are not marked sent, those of one delivery in the order of
	// Sequence with none left out between them, at most limit. An update that is committed late is returned however
	// many that began after it are marked sent.
	Unsent(ctx context.Context, limit int) ([]Update, error)
	// MarkSent marks updates sent, all or none. It is no error to mark one twice, or one that there is not.
	MarkSent(ctx context.Context, u ...UpdateKey) error
}

// Cursors remembers how far feeds were read.
type Cursors interface {
	// Cursor returns what was saved under name, or "".
	Cursor(ctx context.Context, name string) (string, error)
	// SaveCursor keeps value under name.
	SaveCursor(ctx context.Context, name, value string) error
}

// Dispatcher is what Deliveries needs of Dispatch.
type Dispatcher interface {
	// Estimate says what a delivery would be like; an impossible one has a Refusal.
	Estimate(ctx context.Context, r dispatch.EstimateRequest) (dispatch.Estimate, error)
	// Request asks for a robot; idempotent by (delivery, attempt).
	Request(ctx context.Context, r dispatch.Request) error
	// Withdraw takes a request back. A robot that was reserved for it is released. It is no error if there is none.
	Withdraw(ctx context.Context, m market.ID, delivery string, attempt int) error
	// Finish says that an attempt has ended; its robot is released.
	Finish(ctx context.Context, f dispatch.Finish) error
}

// DecisionFeed is Dispatch's feed of decisions.
type DecisionFeed interface {
	// Decisions returns entries after the cursor in order, at most limit, and the cursor behind
	// them. Entries may be repeated, never left out.
	Decisions(ctx context.Context, m market.ID, after dispatch.Cursor, limit int) ([]dispatch.Decision, dispatch.Cursor, error)
}

// Tasks is what Deliveries needs of Task.
type Tasks interface {
	// Create makes a task and sends its first step to the robot; idempotent by (delivery, attempt).
	Create(ctx context.Context, r task.CreateRequest) (task.Task, error)
	// Replan replaces steps of a task that is not ended; idempotent by r.Number.
	Replan(ctx context.Context, r task.ReplanRequest) error
	// Cancel ends a task; its robot forgets it. It is no error if it has ended.
	Cancel(ctx context.Context, id task.ID, cause string) error
	// Handoff passes on what a person at the robot wants: to open the hatch, or that the exchange is over.
	Handoff(ctx context.Context, r task.HandoffRequest) error
}

// TaskFeed is Task's feed of changes.
type TaskFeed interface {
	// Changes returns entries after the cursor; entries of one task in order, possibly repeated, never left out.
	Changes(ctx context.Context, m market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error)
}

// IDs gives out names that were never used before.
type IDs interface {
	// NewID returns a new name, such as "d17" in a run or a UUID in production, for a kind such as "delivery".
	NewID(kind string) string
}

// Secrets gives out four-digit codes.
type Secrets interface {
	// PIN returns a four-digit code for a delivery and purpose, hard to guess in production, fixed by the seed in a run.
	PIN(delivery, purpose string) string
}

// Digests makes digests of requests that only its holder can make: whoever reads one, and knows
// the rest of an order, could otherwise try out its phone number.
type Digests interface {
	// Digest returns what is stored of a request's hash.
	Digest(hash string) string
	// Same reports whether stored is a digest of hash, also one that was made under an earlier key.
	Same(stored, hash string) bool
}

// Publisher sends updates to whoever listens.
type Publisher interface {
	// Publish sends updates, each of another delivery, and reports of each whether it cannot be lost any more. The
	// error says why others were not taken; it is nil if all were. One that was not taken may have
	// arrived all the same, and one that was taken may have been sent twice.
	Publish(ctx context.Context, u []Update) (taken []bool, err error)
}
