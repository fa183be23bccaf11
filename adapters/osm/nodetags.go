package osm

import "footway/core/maps"

// spot is what a node's tags say of passing it.
type spot struct {
	control maps.Control // of a crossing there; ControlNone if it is none or says nothing
	kerb    maps.Kerb
	signal  bool // traffic lights, for vehicles or for people
	blocked bool // a barrier that robots do not pass
}

// barriers that nobody passes on wheels, whatever the access tags say.
var barriers = map[string]bool{
	"stile": true, "kissing_gate": true, "turnstile": true, "full-height_turnstile": true, "wall": true, "fence": true,
	"hedge": true, "debris": true, "sally_port": true, "horse_stile": true, "log": true, "ditch": true, "cattle_grid": true,
}

var kerbs = map[string]maps.Kerb{
	"flush": maps.KerbFlush, "no": maps.KerbFlush, "lowered": maps.KerbLowered,
	"rolled": maps.KerbRolled, "raised": maps.KerbRaised, "regular": maps.KerbRaised, "yes": maps.KerbUnknown,
}

// spotOf returns what t says; false if nothing matters.
func spotOf(t tags) (spot, bool) {
	var s spot
	highway := t.get("highway")
	s.signal = highway == "traffic_signals" || t.get("crossing") == "traffic_signals"
	if highway == "crossing" || highway == "traffic_signals" {
		s.control = controlOf(t)
	}
	s.kerb = kerbs[t.get("kerb")]
	barrier := t.get("barrier")
	if barrier == "kerb" && s.kerb == maps.KerbNone {
		s.kerb = maps.KerbUnknown
	}
	_, open := access(t)
	switch {
	case barriers[barrier]:
		s.blocked = true
	case barrier != "" && barrier != "kerb":
		s.blocked = !open || t.get("locked") == "yes"
	case !open:
		s.blocked = true
	}
	return s, s != spot{}
}
