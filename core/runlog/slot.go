package runlog

import (
	"bytes"
	"strings"

	"footway/core/event"
)

// Slot is what State remembers of an entity: the last event of certain kinds.
type Slot uint8

// The slots. Their numbers are part of no file.
const (
	noSlot          Slot = iota
	Run                  // run.began of the run
	RunEnd               // run.ended
	RobotDrive           // robot.leg: the last leg of a robot that led anywhere
	RobotStay            // robot.leg since then that had no way to go
	RobotStop            // robot.halt or robot.resume; gone with the next drive
	RobotCharge          // robot.charging; gone with the next drive
	RobotLeft            // robot.charged after it
	RobotSeen            // robot.pose: the last of a robot
	RobotState           // fleet.state of a robot
	RobotClaim           // fleet.reserved of a robot; gone with its release
	RobotHelp            // operator.began for a robot; gone when it ended
	DeliveryState        // the last change of state of an open, accepted delivery
	DeliveryNews         // the last other update of it, such as "delivery.expectation"
	DeliveryTrouble      // its last trouble; whether it is over, its custody and state say
	DeliveryCustody      // its last custody transfer
	DeliveryChoice       // dispatch.assigned for it
	DeliveryReady        // merchant.ready for it
	TaskChange           // the last change of an active task
	Sky                  // weather.changed of a market
	Trouble              // world.fault that is not over
	Closure              // maps.closed of a closure; gone when reopened
	LiveSpeed            // maps.speed of a class
)

// effect says what an event of a kind does to the State of its entity: into
// which slot it goes, and which slots it empties first.
type effect struct {
	into     Slot
	clears   []Slot
	openOnly bool // kept only while the entity is an open delivery
}

// ofDelivery are the slots that go when a delivery ends.
var ofDelivery = []Slot{DeliveryState, DeliveryNews, DeliveryTrouble, DeliveryCustody, DeliveryChoice, DeliveryReady}

// effects has the kinds that are named one by one.
var effects = map[string]effect{
	RunBegan:               {into: Run},
	RunEnded:               {into: RunEnd},
	RobotLeg:               {into: RobotDrive, clears: []Slot{RobotStay, RobotStop, RobotCharge, RobotLeft}},
	RobotPose:              {into: RobotSeen},
	RobotHalt:              {into: RobotStop},
	RobotResume:            {into: RobotStop},
	RobotCharging:          {into: RobotCharge, clears: []Slot{RobotStop, RobotLeft}},
	RobotCharged:           {into: RobotLeft},
	OperatorBegan:          {into: RobotHelp},
	OperatorEnded:          {clears: []Slot{RobotHelp}},
	MerchantReady:          {into: DeliveryReady, openOnly: true},
	WeatherChanged:         {into: Sky},
	WorldFault:             {into: Trouble},
	WorldCleared:           {clears: []Slot{Trouble}},
	"maps.closed":          {into: Closure},
	"maps.reopened":        {clears: []Slot{Closure}},
	"maps.speed":           {into: LiveSpeed},
	"fleet.state":          {into: RobotState},
	"fleet.reserved":       {into: RobotClaim},
	"fleet.released":       {clears: []Slot{RobotClaim}},
	"delivery.requested":   {into: DeliveryState},
	"delivery.assigned":    {into: DeliveryState},
	"delivery.to_pickup":   {into: DeliveryState},
	"delivery.at_pickup":   {into: DeliveryState},
	"delivery.loaded":      {into: DeliveryState},
	"delivery.to_dropoff":  {into: DeliveryState},
	"delivery.at_dropoff":  {into: DeliveryState},
	"delivery.returning":   {into: DeliveryState},
	"delivery.at_return":   {into: DeliveryState},
	"delivery.delivered":   {clears: ofDelivery},
	"delivery.returned":    {clears: ofDelivery},
	"delivery.cancelled":   {clears: ofDelivery},
	"delivery.custody":     {into: DeliveryCustody, openOnly: true},
	"delivery.trouble":     {into: DeliveryTrouble, openOnly: true},
	"delivery.ready":       {into: DeliveryNews, openOnly: true},
	"delivery.edited":      {into: DeliveryNews, openOnly: true},
	"delivery.expectation": {into: DeliveryNews, openOnly: true},
	"dispatch.assigned":    {into: DeliveryChoice, openOnly: true},
	"dispatch.lost":        {clears: []Slot{DeliveryChoice}},
	"dispatch.gave_up":     {clears: []Slot{DeliveryChoice}},
	"task.ended":           {clears: []Slot{TaskChange}},
	"task.step_failed":     {clears: []Slot{TaskChange}},
	"task.withdrawn":       {clears: []Slot{TaskChange}},
}

// staying is the effect of a leg without a way: where the robot is, others say.
var staying = effect{into: RobotStay}

// effectOf returns the effect of an event. Kinds that nobody knows, and quotes,
// which are nobody's delivery yet, change nothing but the counts.
func effectOf(e *event.Event) effect {
	if e.Kind == RobotLeg && noWay(e.Data) {
		return staying
	}
	if f, ok := effects[e.Kind]; ok {
		return f
	}
	if strings.HasPrefix(e.Kind, "task.") {
		return effect{into: TaskChange}
	}
	return effect{}
}

// noWay reports whether a leg has no way to go, without decoding all of it.
func noWay(leg []byte) bool {
	return bytes.Contains(leg, []byte(`"route":[]`)) || bytes.Contains(leg, []byte(`"route":null`))
}
