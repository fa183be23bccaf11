package maps

import "footway/core/clock"

// Profile says what a robot passes and how fast. Its hard limits decide which
// edges exist for it, the rest prices them. Two values come of it for each edge: time
// is when the robot arrives, cost chooses the way.
//
// Where the defaults come from: speeds from makers' data sheets and the 6 mph
// that most US states with a law allow on sidewalks; kerb heights from OpenStreetMap's
// kerb=*; waiting at signals from the mean delay of a random arrival, (cycle-green)²/(2·cycle);
// energy from 15-25 Wh/km that operators publish.
type Profile struct {
	SpeedMMS int32       `json:"speed_mm_s" min:"200" max:"5000" unit:"mm/s" doc:"Cruising speed on a clear sidewalk."`
	Caps     SpeedCaps   `json:"caps" doc:"Highest speed by what the robot moves on."`
	Surfaces SurfacePace `json:"surfaces" doc:"Share of the speed that is left on each surface."`
	Grade    Grade       `json:"grade" doc:"What slopes do."`
	Crossing Crossings   `json:"crossing" doc:"What crossing a street takes."`
	Kerbs    Kerbs       `json:"kerbs" doc:"What kerbs take."`
	Prefer   Preferences `json:"prefer" doc:"What the way's choice makes of time; 1000 is indifferent, 2000 avoids a way unless it saves half of the time."`
	Unknown  Unknowns    `json:"unknown" doc:"What to make of attributes that nobody mapped."`
	Energy   Energy      `json:"energy" doc:"What driving takes out of the battery."`

	WidthMM  int32 `json:"width_mm" min:"100" max:"2000" unit:"mm" doc:"Width of the robot."`
	MarginMM int32 `json:"margin_mm" min:"0" max:"2000" unit:"mm" doc:"Room it needs beside it, both sides together."`
	Private  bool  `json:"private" doc:"Whether it may use ways for customers or residents only."`
	Soft     bool  `json:"soft" doc:"Whether it passes grass, sand and mud."`
}

// SpeedCaps are the highest speeds by class.
type SpeedCaps struct {
	Sidewalk int32 `json:"sidewalk_mm_s" min:"100" max:"6000" unit:"mm/s" doc:"On sidewalks; 6 mph is 2682."`
	Crossing int32 `json:"crossing_mm_s" min:"100" max:"6000" unit:"mm/s" doc:"On crossings."`
	Path     int32 `json:"path_mm_s" min:"100" max:"6000" unit:"mm/s" doc:"On paths and squares."`
	Shared   int32 `json:"shared_mm_s" min:"100" max:"6000" unit:"mm/s" doc:"On streets shared with others."`
	Kerb     int32 `json:"kerb_mm_s" min:"50" max:"6000" unit:"mm/s" doc:"Over a kerb's ramp."`
}

// SurfacePace is the share of the speed left on each surface.
type SurfacePace struct {
	Unknown int32 `json:"unknown_permille" min:"50" max:"1000" unit:"permille" doc:"Nobody mapped it."`
	Smooth  int32 `json:"smooth_permille" min:"50" max:"1000" unit:"permille" doc:"Asphalt, concrete."`
	Paved   int32 `json:"paved_permille" min:"50" max:"1000" unit:"permille" doc:"Paving stones, bricks."`
	Rough   int32 `json:"rough_permille" min:"50" max:"1000" unit:"permille" doc:"Cobbles."`
	Loose   int32 `json:"loose_permille" min:"50" max:"1000" unit:"permille" doc:"Gravel."`
	Soft    int32 `json:"soft_permille" min:"50" max:"1000" unit:"permille" doc:"Grass, sand, mud, where passable."`
}

// Grade is what slopes do to a robot.
type Grade struct {
	MaxClimb   int32 `json:"max_climb_permille" min:"10" max:"400" unit:"permille" doc:"Steepest way up; 80 is 8%."`
	MaxDescent int32 `json:"max_descent_permille" min:"10" max:"400" unit:"permille" doc:"Steepest way down."`
	ClimbLoss  int32 `json:"climb_loss_permille" min:"0" max:"100" unit:"permille" doc:"Speed lost for each 1% up."`
	DropLoss   int32 `json:"descent_loss_permille" min:"0" max:"100" unit:"permille" doc:"Speed lost for each 1% down."`
	Steep      int32 `json:"steep_permille" min:"0" max:"400" unit:"permille" doc:"Slope of ways mapped as steep without a number."`
}

// Crossings is what crossing a street takes.
type Crossings struct {
	MaxUnmarked   Street         `json:"max_unmarked" enum:"none,service,residential,tertiary,secondary,primary,trunk" doc:"Highest rank of street crossed without signal or zebra."`
	MaxZebra      Street         `json:"max_zebra" enum:"none,service,residential,tertiary,secondary,primary,trunk" doc:"Highest rank of street crossed at a zebra."`
	SignalCycle   clock.Duration `json:"signal_cycle" min:"10s" max:"10m" unit:"duration" doc:"Length of a signal's cycle."`
	SignalGreen   clock.Duration `json:"signal_green" min:"1s" max:"9m" unit:"duration" doc:"Part of it in which a robot may begin to cross."`
	ZebraWait     clock.Duration `json:"zebra_wait" min:"0s" max:"5m" unit:"duration" doc:"Mean wait until vehicles give way."`
	ResidentWait  clock.Duration `json:"residential_wait" min:"0s" max:"5m" unit:"duration" doc:"Mean wait at an unmarked crossing of a residential or lesser street."`
	TertiaryWait  clock.Duration `json:"tertiary_wait" min:"0s" max:"5m" unit:"duration" doc:"The same, tertiary street."`
	SecondaryWait clock.Duration `json:"secondary_wait" min:"0s" max:"5m" unit:"duration" doc:"The same, secondary street."`
	PrimaryWait   clock.Duration `json:"primary_wait" min:"0s" max:"10m" unit:"duration" doc:"The same, primary or higher."`
	SignalRisk    clock.Duration `json:"signal_risk" min:"0s" max:"10m" unit:"duration" doc:"Detour taken to avoid one crossing with a signal."`
	ZebraRisk     clock.Duration `json:"zebra_risk" min:"0s" max:"10m" unit:"duration" doc:"The same, at a zebra."`
	UnmarkedRisk  clock.Duration `json:"unmarked_risk" min:"0s" max:"10m" unit:"duration" doc:"The same, unmarked."`
}

// Kerbs is what kerbs take.
type Kerbs struct {
	MaxMM   int32          `json:"max_mm" min:"0" max:"300" unit:"mm" doc:"Highest kerb it climbs: flush 15, lowered 60, rolled 80, raised 150."`
	Flush   clock.Duration `json:"flush" min:"0s" max:"5m" unit:"duration" doc:"Time lost at a flush kerb."`
	Lowered clock.Duration `json:"lowered" min:"0s" max:"5m" unit:"duration" doc:"At a lowered kerb."`
	Rolled  clock.Duration `json:"rolled" min:"0s" max:"5m" unit:"duration" doc:"At a rolled kerb."`
	Raised  clock.Duration `json:"raised" min:"0s" max:"5m" unit:"duration" doc:"At a raised kerb, where passable."`
	Unknown clock.Duration `json:"unknown" min:"0s" max:"5m" unit:"duration" doc:"At a kerb that nobody mapped."`
	Help    clock.Duration `json:"help" min:"0s" max:"30m" unit:"duration" doc:"Detour taken to avoid a raised kerb, where a person often must help."`
}

// Preferences turn time into cost, by what a robot moves on.
type Preferences struct {
	Sidewalk    int32 `json:"sidewalk_permille" min:"100" max:"20000" unit:"permille" doc:"Sidewalks."`
	Crossing    int32 `json:"crossing_permille" min:"100" max:"20000" unit:"permille" doc:"Crossings, besides their risk."`
	Path        int32 `json:"path_permille" min:"100" max:"20000" unit:"permille" doc:"Paths and squares."`
	Living      int32 `json:"living_permille" min:"100" max:"20000" unit:"permille" doc:"Living streets and pedestrian zones shared with vehicles."`
	Service     int32 `json:"service_permille" min:"100" max:"20000" unit:"permille" doc:"Driveways, alleys, car parks."`
	Residential int32 `json:"residential_permille" min:"100" max:"20000" unit:"permille" doc:"Roadway of residential streets."`
	Busy        int32 `json:"busy_permille" min:"100" max:"20000" unit:"permille" doc:"Roadway of busier streets."`
	Kerb        int32 `json:"kerb_permille" min:"100" max:"20000" unit:"permille" doc:"Kerb ramps."`
	Inferred    int32 `json:"inferred_permille" min:"1000" max:"20000" unit:"permille" doc:"Factor on ways that were derived and not mapped."`
	Unlit       int32 `json:"unlit_permille" min:"1000" max:"20000" unit:"permille" doc:"Factor on ways known to be dark at night, as a mean over the day."`
}

// Unknowns are the policies for attributes that nobody mapped.
type Unknowns struct {
	Surface Policy `json:"surface" enum:"assume,penalise,forbid" doc:"Surface."`
	Width   Policy `json:"width" enum:"assume,penalise,forbid" doc:"Width. Few ways have it, so the default assumes it fits."`
	Incline Policy `json:"incline" enum:"assume,penalise,forbid" doc:"Incline. Few ways have it, so the default assumes flat."`
	Kerb    Policy `json:"kerb" enum:"assume,penalise,forbid" doc:"Kerbs of crossings."`
	Penalty int32  `json:"penalty_permille" min:"0" max:"5000" unit:"permille" doc:"What penalise adds to the cost, for each attribute."`
}

// Energy is what driving takes out of the battery.
type Energy struct {
	DriveMWhKM int32 `json:"drive_mwh_per_km" min:"1000" max:"200000" unit:"mWh/km" doc:"Rolling on the flat; 16000 is 16 Wh/km."`
	ClimbMWhM  int32 `json:"climb_mwh_per_m" min:"0" max:"5000" unit:"mWh/m" doc:"For each metre of height gained: 35 kg at 70% efficiency take 136. Going down gives nothing back."`
	StandbyMW  int32 `json:"standby_mw" min:"0" max:"500000" unit:"mW" doc:"Computers, sensors and radio, moving or waiting."`
}

// Policy is what to make of an attribute that nobody mapped.
type Policy string

// The policies.
const (
	Assume   Policy = "assume"   // take it for harmless
	Penalise Policy = "penalise" // take it for harmless, but look for another way
	Forbid   Policy = "forbid"   // do not pass
)

// DefaultProfile returns the profile of a six-wheeled sidewalk robot of 35 kg
// with load that climbs rolled kerbs.
func DefaultProfile() Profile {
	const s = clock.Second
	return Profile{
		SpeedMMS: 1500,
		Caps:     SpeedCaps{Sidewalk: 2682, Crossing: 2682, Path: 2682, Shared: 1800, Kerb: 500},
		Surfaces: SurfacePace{Unknown: 1000, Smooth: 1000, Paved: 950, Rough: 650, Loose: 750, Soft: 300},
		Grade:    Grade{MaxClimb: 80, MaxDescent: 100, ClimbLoss: 40, DropLoss: 20, Steep: 60},
		Crossing: Crossings{
			MaxUnmarked: StreetSecondary, MaxZebra: StreetPrimary,
			SignalCycle: 90 * s, SignalGreen: 30 * s, ZebraWait: 7 * s,
			ResidentWait: 5 * s, TertiaryWait: 15 * s, SecondaryWait: 30 * s, PrimaryWait: 60 * s,
			SignalRisk: 3 * s, ZebraRisk: 6 * s, UnmarkedRisk: 12 * s,
		},
		Kerbs: Kerbs{MaxMM: 80, Lowered: 2 * s, Rolled: 4 * s, Raised: 12 * s, Unknown: 2 * s, Help: 25 * s},
		Prefer: Preferences{
			Sidewalk: 1000, Crossing: 1000, Path: 1000, Living: 1200, Service: 1600,
			Residential: 2000, Busy: 3000, Kerb: 1000, Inferred: 1100, Unlit: 1100,
		},
		Unknown: Unknowns{Surface: Penalise, Width: Assume, Incline: Assume, Kerb: Penalise, Penalty: 200},
		Energy:  Energy{DriveMWhKM: 16_000, ClimbMWhM: 136, StandbyMW: 12_000},
		WidthMM: 560, MarginMM: 300,
	}
}
