package osm

import (
	"strings"

	"footway/core/maps"
)

// Reasons for which a way is not taken, as they stand in the report.
const (
	dropSteps     = "steps or escalator"
	dropPrivate   = "private or closed to people on foot"
	dropPlanned   = "planned, under construction or gone"
	dropIndoor    = "indoors or an elevator"
	dropMotorway  = "motorway or trunk road"
	dropNoWalk    = "no sidewalk on a greater street"
	dropSeparate  = "sidewalk mapped as a way of its own"
	dropCycleOnly = "cycleway or bridleway without a word of walking"
	dropOther     = "not a way to move on"
	dropCrossing  = "crossing not allowed"
)

// sides is what a street's tags say of its sidewalks.
type sides uint8

const (
	sidesUnknown  sides = iota
	sidesTagged         // on one side or both, on the street itself
	sidesSeparate       // mapped as ways of their own
	sidesNone
)

// passage is what a way's tags say of moving along it.
type passage struct {
	class    maps.Class
	surface  maps.Surface
	street   maps.Street // its own rank if it is a street
	control  maps.Control
	flags    maps.Flags
	sides    sides
	isStreet bool // a carriageway: it stands for its sidewalks
	beside   bool // tagged as a sidewalk: a street runs along
	oneWay   int8 // 1 along the way only, -1 against it only, for people on foot
	width    int32
	incline  int16
	name     string
}

// ranks of carriageways. Motorways are known only to be drawn and crossed.
var ranks = map[string]maps.Street{
	"motorway": maps.StreetTrunk, "motorway_link": maps.StreetTrunk,
	"trunk": maps.StreetTrunk, "trunk_link": maps.StreetTrunk,
	"primary": maps.StreetPrimary, "primary_link": maps.StreetPrimary,
	"secondary": maps.StreetSecondary, "secondary_link": maps.StreetSecondary,
	"tertiary": maps.StreetTertiary, "tertiary_link": maps.StreetTertiary,
	"unclassified": maps.StreetResidential, "residential": maps.StreetResidential, "road": maps.StreetResidential,
	"living_street": maps.StreetLiving, "service": maps.StreetService, "busway": maps.StreetService,
}

// dropped says why a kind of highway is never a way for robots.
var dropped = map[string]string{
	"steps": dropSteps, "escalator": dropSteps,
	"motorway": dropMotorway, "motorway_link": dropMotorway, "raceway": dropMotorway, "busway": dropPrivate, "bus_guideway": dropPrivate,
	"proposed": dropPlanned, "construction": dropPlanned, "abandoned": dropPlanned, "razed": dropPlanned, "disused": dropPlanned, "planned": dropPlanned,
	"corridor": dropIndoor, "elevator": dropIndoor,
	"platform": dropOther, "rest_area": dropOther, "services": dropOther, "via_ferrata": dropOther, "no": dropOther,
}

// surfaces by OpenStreetMap's words. What is missing here is unknown.
var surfaces = map[string]maps.Surface{
	"asphalt": maps.SurfaceSmooth, "concrete": maps.SurfaceSmooth, "concrete:plates": maps.SurfaceSmooth,
	"concrete:lanes": maps.SurfaceSmooth, "paved": maps.SurfaceSmooth, "chipseal": maps.SurfaceSmooth, "metal": maps.SurfaceSmooth,
	"rubber": maps.SurfaceSmooth, "tartan": maps.SurfaceSmooth, "acrylic": maps.SurfaceSmooth,
	"paving_stones": maps.SurfacePaved, "brick": maps.SurfacePaved, "bricks": maps.SurfacePaved, "wood": maps.SurfacePaved,
	"paving_stones:lanes": maps.SurfacePaved, "tiles": maps.SurfacePaved,
	"sett": maps.SurfaceRough, "cobblestone": maps.SurfaceRough, "cobblestone:flattened": maps.SurfaceRough,
	"unhewn_cobblestone": maps.SurfaceRough, "metal_grid": maps.SurfaceRough, "grass_paver": maps.SurfaceRough,
	"gravel": maps.SurfaceLoose, "fine_gravel": maps.SurfaceLoose, "compacted": maps.SurfaceLoose, "ground": maps.SurfaceLoose,
	"dirt": maps.SurfaceLoose, "earth": maps.SurfaceLoose, "unpaved": maps.SurfaceLoose, "woodchips": maps.SurfaceLoose,
	"pebblestone": maps.SurfaceLoose, "rock": maps.SurfaceLoose, "clay": maps.SurfaceLoose,
	"grass": maps.SurfaceSoft, "sand": maps.SurfaceSoft, "mud": maps.SurfaceSoft, "snow": maps.SurfaceSoft,
	"ice": maps.SurfaceSoft, "stepping_stones": maps.SurfaceSoft,
}

// roughest is the least that a smoothness says of the ground, whatever it is made of.
var roughest = map[string]maps.Surface{
	"bad": maps.SurfaceRough, "very_bad": maps.SurfaceLoose, "horrible": maps.SurfaceSoft,
	"very_horrible": maps.SurfaceSoft, "impassable": maps.SurfaceSoft,
}

// passageOf returns what t says of moving along a way; a reason other than ""
// means that robots never do. A way without highway tag is dropOther.
func passageOf(t tags) (passage, string) {
	highway := t.get("highway")
	p := passage{name: t.get("name"), street: ranks[highway]}
	p.isStreet = p.street != maps.StreetNone
	if highway == "" {
		return p, dropOther
	}
	if why, ok := dropped[highway]; ok {
		return p, why
	}
	if v := t.get("conveying"); v != "" && v != "no" {
		return p, dropSteps
	}
	private, open := access(t)
	if !open {
		return p, dropPrivate
	}
	if private {
		p.flags |= maps.PrivateAccess
	}
	if why := p.setClass(highway, t); why != "" {
		return p, why
	}
	p.setGround(t)
	return p, ""
}

// access reports whether people on foot may use the way, and whether only
// those with business there. The more special key decides.
func access(t tags) (private, open bool) {
	for _, key := range [...]string{"foot", "access"} {
		switch t.get(key) {
		case "yes", "designated", "permissive", "official", "public":
			return false, true
		case "customers", "destination", "residents", "delivery", "permit":
			return true, true
		case "no", "private", "use_sidepath", "agricultural", "forestry", "military", "emergency", "employees":
			return false, false
		}
	}
	return false, true
}

// setClass decides what a robot moves on, or says why it does not.
func (p *passage) setClass(highway string, t tags) string {
	switch highway {
	case "footway", "path", "cycleway", "bridleway", "pedestrian", "track":
		return p.setFootClass(highway, t)
	case "living_street", "service":
		if v := t.get("service"); v == "drive-through" || v == "emergency_access" || v == "slipway" {
			return dropOther
		}
		p.class = maps.Shared
		return ""
	case "crossing", "traffic_island": // rare, but seen on ways
		return p.setFootClass("footway", append(tags{{"footway", highway}}, t...))
	}
	if !p.isStreet {
		return dropOther
	}
	p.sides = sidesOf(t)
	return p.setStreetClass(false)
}

// setFootClass decides among the ways that are not carriageways.
func (p *passage) setFootClass(highway string, t tags) string {
	switch highway {
	case "cycleway", "bridleway":
		if _, ok := walkable[t.get("foot")]; !ok {
			return dropCycleOnly
		}
	case "pedestrian":
		if t.get("area") != "yes" {
			p.class, p.street = maps.Shared, maps.StreetPedestrian
			return ""
		}
	}
	p.class = maps.Path
	kind := t.get("footway")
	for _, key := range [...]string{"path", "cycleway"} {
		if kind == "" {
			kind = t.get(key)
		}
	}
	switch kind {
	case "sidewalk":
		p.class, p.beside = maps.Sidewalk, true
	case "crossing":
		p.class = maps.Crossing
		p.control = controlOf(t)
		if t.get("crossing") == "no" {
			return dropCrossing
		}
	case "traffic_island", "access_aisle":
		p.class = maps.Sidewalk
	}
	return ""
}

var walkable = map[string]struct{}{"yes": {}, "designated": {}, "permissive": {}, "official": {}, "destination": {}}

// setStreetClass decides about a carriageway from what is known of its
// sidewalks. accompanied says that a mapped sidewalk runs beside it.
func (p *passage) setStreetClass(accompanied bool) string {
	s := p.sides
	if s == sidesUnknown && accompanied {
		s = sidesSeparate
	}
	small := p.street <= maps.StreetResidential
	switch {
	case s == sidesTagged:
		p.class = maps.Sidewalk
	case p.street == maps.StreetTrunk:
		return dropMotorway
	case s == sidesUnknown:
		p.class = maps.Sidewalk
	case small:
		p.class = maps.Shared
		return ""
	case s == sidesSeparate:
		return dropSeparate
	default:
		return dropNoWalk
	}
	p.flags |= maps.Inferred
	return ""
}

// sidesOf reads sidewalk=* and its newer forms per side.
func sidesOf(t tags) sides {
	found := sidesUnknown
	for _, key := range [...]string{"sidewalk", "sidewalk:both", "sidewalk:left", "sidewalk:right"} {
		switch t.get(key) {
		case "both", "left", "right", "yes":
			return sidesTagged
		case "separate":
			found = sidesSeparate
		case "no", "none":
			if found == sidesUnknown {
				found = sidesNone
			}
		}
	}
	return found
}

// controlOf returns how a crossing is regulated according to the tags of its
// way or node; ControlNone if they say nothing.
func controlOf(t tags) maps.Control {
	crossing := t.get("crossing")
	switch crossing {
	case "traffic_signals", "signals", "toucan", "pelican", "puffin", "pegasus":
		return maps.ControlSignal
	}
	if v := t.get("crossing:signals"); v != "" && v != "no" {
		return maps.ControlSignal
	}
	switch crossing {
	case "marked", "zebra", "uncontrolled":
		return maps.ControlZebra
	case "unmarked", "informal":
		return maps.ControlUnmarked
	}
	switch v := t.get("crossing:markings"); {
	case v == "no":
		return maps.ControlUnmarked
	case v != "":
		return maps.ControlZebra
	}
	if v := t.get("crossing_ref"); v == "zebra" {
		return maps.ControlZebra
	}
	return maps.ControlNone
}

// setGround reads surface, smoothness, width, incline, light and one-way rules.
func (p *passage) setGround(t tags) {
	words := [2]string{t.get("surface"), t.get("smoothness")}
	if p.isStreet { // the sidewalk's own words go before the carriageway's
		for i, key := range [...]string{"surface", "smoothness"} {
			for _, side := range [...]string{"sidewalk:", "sidewalk:both:", "sidewalk:right:", "sidewalk:left:"} {
				if v := t.get(side + key); v != "" {
					words[i] = v
					break
				}
			}
		}
		p.width = length(firstOf(t, "sidewalk:width", "sidewalk:both:width", "sidewalk:right:width", "sidewalk:left:width"))
	} else {
		p.width = length(firstOf(t, "width", "est_width"))
	}
	surface, _, _ := strings.Cut(words[0], ";")
	p.surface = max(surfaces[strings.TrimSpace(surface)], roughest[words[1]])
	if t.get("lit") == "no" {
		p.flags |= maps.Unlit
	}
	var steep bool
	var known bool
	p.incline, known, steep = incline(t.get("incline"))
	if known {
		p.flags |= maps.InclineKnown
	}
	if steep {
		p.flags |= maps.InclineSteep
	}
	switch t.get("oneway:foot") {
	case "yes", "1":
		p.oneWay = 1
	case "-1":
		p.oneWay = -1
	}
}

// firstOf returns the value of the first of keys that t has.
func firstOf(t tags, keys ...string) string {
	for _, key := range keys {
		if v := t.get(key); v != "" {
			return v
		}
	}
	return ""
}
