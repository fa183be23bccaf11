// Package scenario is a run written down: a market, a fleet, demand, weather,
// what goes wrong and when, and what must come out. It holds the types and the
// rules that tie them together; reading YAML is an adapter's work.
package scenario

import (
	"footway/core/clock"
	"footway/sim/dist"
)

// Scenario is one run.
type Scenario struct {
	Name     string         `json:"name" required:"true" doc:"Short name, such as lunch-rush; it names the run in reports."`
	About    string         `json:"about" doc:"The story in a few sentences: what happens, and what a reader should see."`
	Seed     uint64         `json:"seed" doc:"Seed of all chance in the run."`
	Market   Market         `json:"market" doc:"The city."`
	Start    string         `json:"start" required:"true" doc:"Local date and time at which the run begins, such as 2026-06-12T11:00."`
	Duration clock.Duration `json:"duration" required:"true" min:"1m" max:"72h" doc:"How long orders come in."`
	Drain    clock.Duration `json:"drain" min:"0s" max:"12h" doc:"How much longer the run may last so that open deliveries end; it stops as soon as all have. Default 3h."`
	Fleet    Fleet          `json:"fleet" doc:"Robots, couriers and docks."`
	Demand   Demand         `json:"demand" doc:"Who orders what, when."`
	World    World          `json:"world" doc:"How robots, merchants, recipients and operators behave; every parameter has a default."`
	Weather  []Weather      `json:"weather" doc:"Weather changes."`
	Events   []Event        `json:"events" doc:"Timed events and faults."`
	Settings map[string]any `json:"settings" doc:"Configuration of the services over its defaults, in the shape of a configuration file's market section."`
	Changes  []Change       `json:"changes" doc:"Settings that change during the run."`
	Expect   []Expectation  `json:"expect" doc:"What must come out."`
}

// Market names the city of a run.
type Market struct {
	ID       string `json:"id" doc:"Name of the market. Default: the network's name."`
	Network  string `json:"network" doc:"The map: 'city' or 'city:SEED' for a generated one, or a .fwnet or .osm.pbf file, relative to the scenario's folder. Default city."`
	TimeZone string `json:"time_zone" doc:"IANA name of the time zone. Default UTC."`
	Currency string `json:"currency" doc:"ISO 4217 code. Default USD."`
}

// Fleet is what carries goods and where it charges.
type Fleet struct {
	Robots       int          `json:"robots" min:"0" max:"20000" doc:"Number of robots, spread over the docks."`
	Couriers     int          `json:"couriers" min:"0" max:"1000" doc:"Number of couriers on foot that can take goods over from failed robots. Default 1."`
	Docks        int          `json:"docks" min:"0" max:"1000" doc:"Number of charging docks, spread over the merchants. 0, the default, is one for 8 robots, at least 2."`
	SlotsPerDock int          `json:"slots_per_dock" min:"0" max:"20000" doc:"Charging slots of a dock. 0, the default, is enough for all robots."`
	DockPowerW   int64        `json:"dock_power_w" min:"10" max:"5000" unit:"W" doc:"Power that a slot gives. Default 250, a small contact charger."`
	CapacityWh   int64        `json:"capacity_wh" min:"50" max:"10000" unit:"Wh" doc:"Battery of a robot. Default 1200."`
	Charge       int64        `json:"charge_permille" min:"0" max:"1000" unit:"permille" doc:"Charge at the start. Default 950."`
	SpeedMMS     int64        `json:"speed_mm_s" min:"200" max:"4000" unit:"mm/s" doc:"Cruising speed. Default 1600 (algorithms: 1.3 to 1.8 m/s is realistic)."`
	Load         Load         `json:"load" doc:"Largest load of a robot. Default 490 x 420 x 297 mm, 20 kg: the limits that Uber states for sidewalk robots."`
	Named        []NamedRobot `json:"named" doc:"Robots placed by hand; they come on top of 'robots'."`
}

// Load is the size of goods.
type Load struct {
	LengthMM int32 `json:"length_mm" min:"0" max:"2000" unit:"mm" doc:"Length."`
	WidthMM  int32 `json:"width_mm" min:"0" max:"2000" unit:"mm" doc:"Width."`
	HeightMM int32 `json:"height_mm" min:"0" max:"2000" unit:"mm" doc:"Height."`
	Grams    int32 `json:"grams" min:"0" max:"100000" unit:"g" doc:"Mass."`
}

// NamedRobot is a robot placed by hand.
type NamedRobot struct {
	ID     string `json:"id" required:"true" doc:"Its name, such as r1."`
	At     string `json:"at" required:"true" doc:"Where it starts: an address, a merchant's name or 'lat,lon'."`
	Charge int64  `json:"charge_permille" min:"0" max:"1000" unit:"permille" doc:"Charge at the start. Default: the fleet's."`
}

// Demand is who orders what, when.
type Demand struct {
	PerHour     int64          `json:"per_hour" min:"0" max:"100000" doc:"Quotes asked for in an hour at profile 1000."`
	Profile     []ProfilePoint `json:"profile" doc:"Time-of-day profile, linear between its points. Default: flat."`
	Merchants   int            `json:"merchants" min:"0" max:"10000" doc:"How many merchants of the map take part, the most popular first. 0, the default, is all."`
	MinDistance int64          `json:"min_distance_m" min:"0" max:"20000" unit:"m" doc:"Shortest distance, as the crow flies. Default 150."`
	MaxDistance int64          `json:"max_distance_m" min:"50" max:"20000" unit:"m" doc:"Longest distance, as the crow flies. Default 2000."`
	ReadyIn     dist.Quantiles `json:"ready_in" doc:"Time from the quote to when the goods should be ready. Default 5m, 15m, 28m, 50m."`
	AcceptIn    dist.Quantiles `json:"accept_in" doc:"Time from the quote to its acceptance. Default 2s, 20s, 70s, 4m."`
	Abandon     int64          `json:"abandon_permille" min:"0" max:"1000" unit:"permille" doc:"Share of quotes that are not accepted. Default 80."`
	Cancel      int64          `json:"cancel_permille" min:"0" max:"1000" unit:"permille" doc:"Share of deliveries that the partner tries to cancel. Default 10."`
	CancelIn    dist.Quantiles `json:"cancel_in" doc:"Time from the acceptance to the attempt to cancel. Default 30s, 8m, 20m, 40m."`
	ReturnShare int64          `json:"return_permille" min:"0" max:"1000" unit:"permille" doc:"Share of deliveries to be returned when nobody takes them; the rest is disposed of. Default 500."`
	Load        Load           `json:"load" doc:"Largest load; each order draws a share of it. Default: 300 x 250 x 200 mm, 4000 g."`
	Value       int64          `json:"value_cents" min:"0" max:"10000000" unit:"cents" doc:"Median value of an order. Default 3200."`
	Orders      []Order        `json:"orders" doc:"Orders written by hand; they come on top of 'per_hour'."`
	Recording   string         `json:"recording" doc:"A recording of partner traffic to be replayed, relative to the scenario's folder."`
}

// ProfilePoint is the rate at a time of day.
type ProfilePoint struct {
	At   string `json:"at" required:"true" doc:"Local time of day, such as 12:30."`
	Rate int64  `json:"permille" min:"0" max:"100000" unit:"permille" doc:"Rate relative to per_hour."`
}

// Order is an order written by hand.
type Order struct {
	ID       string         `json:"id" required:"true" doc:"The partner's id, such as o1."`
	At       clock.Duration `json:"at" min:"0s" max:"72h" doc:"When it is asked for, after the start."`
	From     string         `json:"from" required:"true" doc:"Pickup: an address, a merchant's name or 'lat,lon'."`
	To       string         `json:"to" required:"true" doc:"Drop-off: an address, a merchant's name or 'lat,lon'."`
	ReadyIn  clock.Duration `json:"ready_in" min:"0s" max:"24h" doc:"When the goods should be ready, after 'at'."`
	CancelIn clock.Duration `json:"cancel_in" min:"0s" max:"24h" doc:"When the partner tries to cancel, after 'at'; 0 is never."`
	CancelAt string         `json:"cancel_at" enum:",quoted,requested,assigned,to_pickup,at_pickup,loaded,to_dropoff,at_dropoff,delivered,returning" doc:"The partner tries to cancel when the delivery reaches this state."`
	Return   bool           `json:"return" doc:"The goods go back when nobody takes them."`
	NoShow   bool           `json:"no_show" doc:"Nobody comes out."`
	Late     clock.Duration `json:"late" min:"0s" max:"24h" doc:"By how much the merchant is late."`
	Load     Load           `json:"load" doc:"The load. Default: the demand's."`
}

// Weather is a change of the weather.
type Weather struct {
	At   clock.Duration `json:"at" min:"0s" max:"72h" doc:"When, after the start."`
	Kind string         `json:"kind" required:"true" enum:"clear,rain,heavy_rain,snow,heat" doc:"The weather from then on."`
}

// Event is a timed event or fault.
type Event struct {
	At       clock.Duration `json:"at" min:"0s" max:"72h" doc:"When, after the start; or after the delivery named by 'delivery' reaches 'when'."`
	Do       string         `json:"do" required:"true" enum:"breakdown,stuck,contact_lost,jam,closure,operators,demand" doc:"What happens."`
	Robot    string         `json:"robot" doc:"The robot it happens to, such as r1; 'all' for contact_lost. Or give 'delivery'."`
	Delivery string         `json:"delivery" doc:"The order (by its id) whose robot it happens to; the others need 'when' with it."`
	When     string         `json:"when" enum:",requested,assigned,to_pickup,at_pickup,loaded,to_dropoff,at_dropoff,returning" doc:"The state of 'delivery' that triggers it."`
	For      clock.Duration `json:"for" min:"0s" max:"72h" doc:"contact_lost, closure, operators, demand: how long it lasts; 0 is to the end. The others end by an operator's help or a repair."`
	Street   string         `json:"street" doc:"closure: name of the street that is closed."`
	Around   string         `json:"around" doc:"closure: centre, as an address, a merchant's name or 'lat,lon'."`
	RadiusM  int64          `json:"radius_m" min:"0" max:"5000" unit:"m" doc:"closure: radius around the centre; with a street, only its part within."`
	Known    bool           `json:"known" doc:"closure: the map is told at once; otherwise robots find out by meeting it."`
	Count    int            `json:"count" min:"0" max:"10000" doc:"operators: how many are on duty from then on."`
	Permille int64          `json:"permille" min:"0" max:"100000" unit:"permille" doc:"demand: factor on the rate from then on."`
}

// Change is settings that are others from an instant on. Up to then the run is the one without it, event by event.
type Change struct {
	At       clock.Duration `json:"at" min:"1ms" max:"72h" doc:"When, after the start."`
	Settings map[string]any `json:"settings" required:"true" doc:"What is another then, in the shape of the scenario's 'settings'; it holds beside what changed before."`
}

// Expectation is something that must come out.
type Expectation struct {
	KPI    string   `json:"kpi" doc:"Name of a KPI, such as undelivered_share."`
	Event  string   `json:"event" doc:"Or the kind of an event in the log, such as delivery.cancelled, whose count is meant."`
	Of     string   `json:"of" doc:"Or, with 'state': an order's id."`
	State  string   `json:"state" enum:",quoted,requested,assigned,to_pickup,at_pickup,loaded,to_dropoff,at_dropoff,delivered,returning,at_return,returned,cancelled" doc:"The state in which that order must end."`
	Reason string   `json:"reason" enum:",cancelled_by_creator,failed_to_assign_and_refunded,failed_to_pickup,failed_to_deliver,failed_to_return" doc:"The reason of its cancellation."`
	Min    *float64 `json:"min" doc:"Smallest value allowed."`
	Max    *float64 `json:"max" doc:"Largest value allowed."`
	Hash   string   `json:"hash" doc:"Or the run's hash, for a regression test to the byte."`
}
