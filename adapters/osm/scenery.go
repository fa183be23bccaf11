package osm

import "footway/core/maps"

// scenery is what an object gives to the map's backdrop.
type scenery struct {
	kind maps.BackdropKind
	rank maps.Street
	area bool
	name string
}

// greens are the values that make a closed way a park, by key.
var greens = map[string]map[string]bool{
	"leisure": {"park": true, "garden": true, "golf_course": true, "nature_reserve": true, "pitch": true, "playground": true, "dog_park": true},
	"landuse": {"grass": true, "forest": true, "meadow": true, "cemetery": true, "recreation_ground": true, "village_green": true, "allotments": true},
	"natural": {"wood": true, "scrub": true, "grassland": true, "heath": true, "wetland": true},
}

// sceneryOf returns what t gives to the backdrop; false if nothing. closed says
// whether the object is a ring.
func sceneryOf(t tags, closed bool) (scenery, bool) {
	s := scenery{area: closed}
	if highway := t.get("highway"); highway != "" {
		s.kind, s.rank, s.area = maps.BackdropRoad, ranks[highway], false
		if highway == "pedestrian" {
			s.rank = maps.StreetPedestrian
		}
		s.name = t.get("name")
		drawn := s.rank != maps.StreetNone && t.get("tunnel") != "yes"
		if s.rank == maps.StreetService && (t.get("service") == "parking_aisle" || t.get("service") == "driveway") {
			return s, false
		}
		return s, drawn && !(closed && t.get("area") == "yes")
	}
	if closed && isBuilding(t) {
		s.kind = maps.BackdropBuilding
		return s, true
	}
	if isWater(t, closed, &s) {
		s.kind, s.name = maps.BackdropWater, t.get("name")
		return s, true
	}
	if closed {
		for _, key := range [...]string{"leisure", "landuse", "natural"} {
			if greens[key][t.get(key)] {
				s.kind, s.name = maps.BackdropPark, t.get("name")
				return s, true
			}
		}
	}
	switch t.get("railway") {
	case "rail", "light_rail", "tram", "narrow_gauge", "monorail", "subway":
		s.kind, s.area = maps.BackdropRail, false
		return s, t.get("tunnel") == "" && t.get("service") == ""
	}
	return s, false
}

// isBuilding reports whether t is a building with walls.
func isBuilding(t tags) bool {
	v := t.get("building")
	return v != "" && v != "no" && v != "roof" && t.get("location") != "underground"
}

// isWater reports whether t is water, and decides between area and line.
func isWater(t tags, closed bool, s *scenery) bool {
	if closed {
		if t.get("natural") == "water" || t.get("waterway") == "riverbank" || t.get("waterway") == "dock" {
			return true
		}
		if v := t.get("landuse"); v == "reservoir" || v == "basin" {
			return true
		}
	}
	switch t.get("waterway") {
	case "river", "canal", "stream":
		s.area = false
		return t.get("tunnel") == "" || t.get("tunnel") == "no"
	}
	return false
}
