package runlog

import (
	"encoding/json"

	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/maps"
)

// Kinds of the events that say what truly happened in the world, and of the
// run itself. In the twin the simulator writes them; in production robots do,
// as far as they report it. The services write their own kinds ("delivery.…",
// "task.…", "dispatch.…", "fleet.…"), declared where the services are.
const (
	RunBegan       = "run.began"       // Began; entity is the scenario
	RunEnded       = "run.ended"       // Ended
	RobotLeg       = "robot.leg"       // Leg; entity is the robot, as for all robot.…
	RobotPose      = "robot.pose"      // Pose
	RobotHalt      = "robot.halt"      // Halt
	RobotResume    = "robot.resume"    // Resume
	RobotCharging  = "robot.charging"  // Charging
	RobotCharged   = "robot.charged"   // Charged
	OperatorBegan  = "operator.began"  // Assist; entity is the robot
	OperatorEnded  = "operator.ended"  // Assist
	MerchantReady  = "merchant.ready"  // Ready; entity is the delivery
	WeatherChanged = "weather.changed" // Weather
	WorldFault     = "world.fault"     // Fault; entity names the fault
	WorldCleared   = "world.cleared"   // Fault; same entity: it is over
)

// Purpose says why a robot drives.
type Purpose string

// The purposes.
const (
	ToPickup   Purpose = "pickup"   // to the merchant, empty
	ToDropoff  Purpose = "dropoff"  // to the recipient
	ToReturn   Purpose = "return"   // back to the merchant with goods that nobody took
	ToCharge   Purpose = "charge"   // to a dock
	ToGo       Purpose = "go"       // to a place to wait at
	ToTransfer Purpose = "transfer" // to a failed robot, to take its goods over
)

// Leg is a drive as it will go unless something comes between: where the robot
// is at any instant is a function of it. It ends at its last time, or at the
// robot's next leg or halt if that comes earlier.
type Leg struct {
	Robot         fleet.RobotID `json:"robot"`
	Purpose       Purpose       `json:"purpose"`
	Delivery      string        `json:"delivery,omitempty"`
	Loaded        bool          `json:"loaded"`
	Route         []maps.EdgeID `json:"route"`
	StartMM       int32         `json:"start_mm"`        // offset on the first edge
	EndMM         int32         `json:"end_mm"`          // offset on the last edge
	Times         []int32       `json:"times"`           // ms after the event's time at which each edge's end (the last: EndMM) is reached, waits included; as long as Route
	Waits         []Hold        `json:"waits,omitempty"` // by rising Index
	ChargeFromMWh int64         `json:"charge_from_mwh"`
	ChargeToMWh   int64         `json:"charge_to_mwh"`
	LengthMM      int64         `json:"length_mm"`
}

// Hold is a wait before an edge of a leg is entered, such as at a crossing.
type Hold struct {
	Index  int    `json:"i"` // of the edge in Route
	Millis int32  `json:"ms"`
	Cause  string `json:"cause"` // "signal" or "gap"
}

// Pose is where a robot said it was, now and then. In production a drive is not
// known beforehand, so there are poses in place of legs.
type Pose struct {
	Robot     fleet.RobotID  `json:"robot"`
	Position  maps.Position  `json:"position"`
	SpeedMMS  int64          `json:"speed_mm_s"`
	ChargeMWh int64          `json:"charge_mwh"`
	Activity  fleet.Activity `json:"activity"`
	Loaded    bool           `json:"loaded,omitempty"`
	Fault     string         `json:"fault,omitempty"` // why it is halted or broken
}

// Causes of a halt.
const (
	CauseStuck    = "stuck"
	CauseJam      = "jam"
	CauseSignal   = "signal"
	CauseContact  = "contact"
	CauseBroken   = "broken"
	CauseClosure  = "closure"
	CauseOperator = "operator"
)

// Halt is a robot that stopped on its way. It breaks its leg off.
type Halt struct {
	Robot     fleet.RobotID `json:"robot"`
	Cause     string        `json:"cause"`
	Position  maps.Position `json:"position"`
	ChargeMWh int64         `json:"charge_mwh"`
	DrivenMM  int64         `json:"driven_mm"` // of the leg that it breaks off
}

// Resume is a robot that can go on. If it does, a new leg for the rest of the
// way follows.
type Resume struct {
	Robot     fleet.RobotID `json:"robot"`
	Cause     string        `json:"cause"` // of the halt that is over
	Position  maps.Position `json:"position"`
	ChargeMWh int64         `json:"charge_mwh"`
}

// Charging is a robot that began to charge.
type Charging struct {
	Robot     fleet.RobotID `json:"robot"`
	Dock      fleet.DockID  `json:"dock"`
	Position  maps.Position `json:"position"`
	ChargeMWh int64         `json:"charge_mwh"`
	PowerMW   int64         `json:"power_mw"` // milliwatts that the slot gives
}

// Charged is a robot that stopped charging.
type Charged struct {
	Robot     fleet.RobotID `json:"robot"`
	Dock      fleet.DockID  `json:"dock"`
	ChargeMWh int64         `json:"charge_mwh"`
}

// Assist is a remote operator helping a robot, from began to ended.
type Assist struct {
	Robot    fleet.RobotID `json:"robot"`
	Operator string        `json:"operator"`
	Cause    string        `json:"cause"`
	WaitedMS int64         `json:"waited_ms"` // from the call for help to its begin
}

// Ready is the instant at which a merchant truly had the goods ready.
type Ready struct {
	Delivery string `json:"delivery"`
	Store    string `json:"store,omitempty"`
}

// Weather is the weather from now on.
type Weather struct {
	Kind          string `json:"kind"`
	SpeedPermille int64  `json:"speed_permille"` // factor on robots' speed
}

// Fault is something that went wrong on purpose: a closure, a shift without
// operators, a hole in the mobile network.
type Fault struct {
	What  string        `json:"what"`
	Robot fleet.RobotID `json:"robot,omitempty"`
	Edges []maps.EdgeID `json:"edges,omitempty"` // of a closure
	Until clock.Time    `json:"until,omitempty"` // 0 if unknown
}

// Began is the beginning of a run: all that a viewer or a statistic must know
// of it beforehand.
type Began struct {
	Scenario string          `json:"scenario"`
	Seed     uint64          `json:"seed"`
	Market   string          `json:"market"`
	Network  string          `json:"network,omitempty"` // name of the map
	TimeZone string          `json:"time_zone,omitempty"`
	Version  string          `json:"version"`
	Robots   []BeganRobot    `json:"robots"`
	Docks    []BeganDock     `json:"docks"`
	Settings json.RawMessage `json:"settings,omitempty"`
}

// BeganRobot is a carrier at the beginning of a run.
type BeganRobot struct {
	ID          fleet.RobotID `json:"id"`
	Kind        fleet.Kind    `json:"kind"`
	Position    maps.Position `json:"position"`
	CapacityMWh int64         `json:"capacity_mwh"` // 0 for couriers
	ChargeMWh   int64         `json:"charge_mwh"`
}

// BeganDock is a dock at the beginning of a run.
type BeganDock struct {
	ID       fleet.DockID  `json:"id"`
	Position maps.Position `json:"position"`
	Slots    int           `json:"slots"`
}

// Ended is the end of a run.
type Ended struct {
	Why string `json:"why"` // "done", "interrupted", or what failed
}
