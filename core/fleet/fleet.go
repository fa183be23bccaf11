// Package fleet owns the robots: who they are, what they can carry, where they
// were last seen, and who may command them. It does not know what for.
package fleet

import (
	"context"

	"footway/core/clock"
	"footway/core/maps"
	"footway/core/market"
)

// RobotID names a robot.
type RobotID string

// AccountID names a robot provider's account.
type AccountID string

// DockID names a charging dock.
type DockID string

// Kind is what carries goods.
type Kind string

// The kinds.
const (
	KindRobot   Kind = "robot"
	KindCourier Kind = "courier" // a person on foot: takes over from failed robots, needs no charge
)

// Load is the size of goods, or the size a robot can take.
type Load struct {
	LengthMM int32 `json:"length_mm"`
	WidthMM  int32 `json:"width_mm"`
	HeightMM int32 `json:"height_mm"`
	Grams    int32 `json:"grams"`
}

// State is a vehicle state of MDS 2.0 delivery-robots.
type State string

// The states.
const (
	Available      State = "available"
	Reserved       State = "reserved"
	Stopped        State = "stopped"
	OnTrip         State = "on_trip"
	NonOperational State = "non_operational"
	NonContactable State = "non_contactable"
	Missing        State = "missing"
	Elsewhere      State = "elsewhere"
	Removed        State = "removed"
)

// Mode is an operating mode of VDA 5050.
type Mode string

// The modes.
const (
	Automatic  Mode = "AUTOMATIC"
	Intervened Mode = "INTERVENED" // a remote operator drives; the order is kept
	Manual     Mode = "MANUAL"
	Servicing  Mode = "SERVICE"
)

// Activity is what a robot says it is doing.
type Activity string

// The activities.
const (
	Idle     Activity = "idle"
	Driving  Activity = "driving"
	AtStop   Activity = "at_stop" // at a pickup, a drop-off or a return, waiting for somebody
	Charging Activity = "charging"
	Halted   Activity = "halted" // on the way, not moving: stuck, jammed, waiting for an operator
	Broken   Activity = "broken" // cannot go on by itself
)

// Robot is identity, ability and claim: what changes rarely or by conditional write.
type Robot struct {
	ID          RobotID       `json:"id"`
	Market      market.ID     `json:"market"`
	Account     AccountID     `json:"account"`
	Kind        Kind          `json:"kind"`
	Capability  Load          `json:"capability"`   // largest load
	CapacityMWh int64         `json:"capacity_mwh"` // battery when full; 0 for couriers
	SpeedMMS    int64         `json:"speed_mm_s"`   // cruising speed, mm/s
	Home        maps.Position `json:"home"`
	State       State         `json:"state"`
	StateSince  clock.Time    `json:"state_since"`
	Before      State         `json:"before,omitempty"` // the state before contact was lost
	Trip        bool          `json:"trip,omitempty"`   // an MDS trip has started and not ended
	Reservation *Reservation  `json:"reservation,omitempty"`
	LastToken   uint64        `json:"last_token"` // highest fencing token ever given out
	Revision    uint64        `json:"revision"`   // raised by each write
}

// Reservation is the right to command a robot until it expires.
type Reservation struct {
	Holder  string     `json:"holder"`         // such as "delivery/d7#1" or "charge/r3"
	Token   uint64     `json:"token"`          // fencing token
	Attempt string     `json:"attempt"`        // the caller's id of the attempt, so that a repeat finds its own effect
	Dock    DockID     `json:"dock,omitempty"` // the dock it charges at, or is on its way to
	Expires clock.Time `json:"expires"`
}

// Telemetry is what a robot last said of itself. It is kept apart from Robot,
// so that frequent writes never meet a claim.
type Telemetry struct {
	Robot     RobotID       `json:"robot"`
	At        clock.Time    `json:"at"`
	Position  maps.Position `json:"position"`
	ChargeMWh int64         `json:"charge_mwh"`
	SpeedMMS  int64         `json:"speed_mm_s"`
	Activity  Activity      `json:"activity"`
	Mode      Mode          `json:"mode"`
	Loaded    bool          `json:"loaded,omitempty"`
	Dock      DockID        `json:"dock,omitempty"`  // where it is docked
	Fault     string        `json:"fault,omitempty"` // why it is Halted or Broken
	Token     uint64        `json:"token,omitempty"` // of the order it follows
}

// Dock is a place with charging slots.
type Dock struct {
	ID       DockID        `json:"id"`
	Market   market.ID     `json:"market"`
	Position maps.Position `json:"position"`
	Slots    int           `json:"slots"`
	PowerMW  int64         `json:"power_mw"` // milliwatts a slot gives
}

// Account is a robot provider's account.
type Account struct {
	ID            AccountID `json:"id"`
	Name          string    `json:"name"`
	CredentialRef string    `json:"credential_ref,omitempty"` // where the secret is, never the secret
	MaxRobots     int       `json:"max_robots"`               // in each market; 0 is no limit
	Suspended     bool      `json:"suspended,omitempty"`
}

// Candidate is a robot as dispatch sees it.
type Candidate struct {
	Robot     Robot
	Telemetry Telemetry // zero At if it never reported
}

// ReserveRequest asks for the right to command a robot.
type ReserveRequest struct {
	Robot   RobotID
	Holder  string
	Attempt string // unique per attempt of the caller; a repeat with the same Attempt succeeds with the same token
	Dock    DockID // set when the purpose is charging there
	Until   clock.Time
}

// Store keeps robots. Writes of one robot are conditional on its revision.
type Store interface {
	// Robot returns the robot, or a fault.NotFound error.
	Robot(ctx context.Context, id RobotID) (Robot, error)
	// Robots returns all robots of a market ordered by ID. The result may lag
	// behind writes by a moment (an index); Reserve is what must be exact.
	Robots(ctx context.Context, m market.ID) ([]Robot, error)
	// SaveRobot writes r if the stored revision is still r.Revision (0: it must not exist),
	// and returns the new revision; otherwise it writes nothing and fails with fault.Conflict.
	// A fault.Unavailable error leaves open whether the write happened.
	SaveRobot(ctx context.Context, r Robot) (revision uint64, err error)
}

// TelemetryStore keeps the last telemetry of each robot.
type TelemetryStore interface {
	// SaveTelemetry keeps t unless a later one (by At) is kept already, and reports whether it did.
	SaveTelemetry(ctx context.Context, m market.ID, t Telemetry) (kept bool, err error)
	// Telemetry returns the last telemetry of a robot, or a fault.NotFound error.
	Telemetry(ctx context.Context, id RobotID) (Telemetry, error)
	// AllTelemetry returns the last telemetry of each robot of the market, ordered by Robot.
	// The result may lag behind writes by a moment (an index).
	AllTelemetry(ctx context.Context, m market.ID) ([]Telemetry, error)
}

// AccountStore keeps provider accounts and docks.
type AccountStore interface {
	// Account returns the account, or a fault.NotFound error.
	Account(ctx context.Context, id AccountID) (Account, error)
	// SaveAccount creates or replaces an account.
	SaveAccount(ctx context.Context, a Account) error
	// Docks returns the docks of a market ordered by ID. The result may lag
	// behind writes by a moment (an index).
	Docks(ctx context.Context, m market.ID) ([]Dock, error)
	// SaveDock creates or replaces a dock.
	SaveDock(ctx context.Context, d Dock) error
}

// Order is what Fleet tells a robot to do when it has no delivery: to go and
// charge, or to go and wait somewhere.
type Order struct {
	Robot RobotID       `json:"robot"`
	Token uint64        `json:"token"`
	Kind  OrderKind     `json:"kind"`
	Dock  DockID        `json:"dock,omitempty"`
	To    maps.Position `json:"to"`
}

// OrderKind is the kind of an Order.
type OrderKind string

// The kinds.
const (
	OrderCharge OrderKind = "charge" // drive to the dock and charge until told otherwise
	OrderGo     OrderKind = "go"     // drive there and wait
	OrderHold   OrderKind = "hold"   // stop at the next safe place and wait
)

// Link carries orders to robots.
type Link interface {
	// Command sends o to its robot. It fails with fault.Unavailable when the robot
	// has no contact, and with fault.Conflict when it has seen a higher token.
	Command(ctx context.Context, o Order) error
}
