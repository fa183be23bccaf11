package osm

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/maps"
)

// tagged reads "highway=footway foot=yes".
func tagged(s string) tags {
	var t tags
	for _, pair := range strings.Fields(s) {
		k, v, _ := strings.Cut(pair, "=")
		t = append(t, tag{k, v})
	}
	return t
}

func TestPassage(t *testing.T) {
	tests := []struct {
		tags  string
		class maps.Class
		flags maps.Flags
		why   string
	}{
		{tags: "highway=footway", class: maps.Path},
		{tags: "highway=footway footway=sidewalk", class: maps.Sidewalk},
		{tags: "highway=footway footway=crossing", class: maps.Crossing},
		{tags: "highway=footway footway=traffic_island", class: maps.Sidewalk},
		{tags: "highway=path", class: maps.Path},
		{tags: "highway=path path=sidewalk", class: maps.Sidewalk},
		{tags: "highway=cycleway", why: dropCycleOnly},
		{tags: "highway=cycleway foot=designated", class: maps.Path},
		{tags: "highway=cycleway foot=yes cycleway=crossing", class: maps.Crossing},
		{tags: "highway=bridleway", why: dropCycleOnly},
		{tags: "highway=track", class: maps.Path},
		{tags: "highway=pedestrian", class: maps.Shared},
		{tags: "highway=pedestrian area=yes", class: maps.Path},
		{tags: "highway=service", class: maps.Shared},
		{tags: "highway=service service=drive-through", why: dropOther},

		{tags: "highway=steps", why: dropSteps},
		{tags: "highway=footway conveying=yes", why: dropSteps},
		{tags: "highway=corridor", why: dropIndoor},
		{tags: "highway=construction", why: dropPlanned},
		{tags: "highway=platform", why: dropOther},
		{tags: "highway=spaceport", why: dropOther},
		{tags: "building=yes", why: dropOther},

		{tags: "highway=footway foot=no", why: dropPrivate},
		{tags: "highway=footway access=private", why: dropPrivate},
		{tags: "highway=service access=private foot=yes", class: maps.Shared},
		{tags: "highway=service access=customers", class: maps.Shared, flags: maps.PrivateAccess},
		{tags: "highway=footway footway=crossing crossing=no", why: dropCrossing},

		{tags: "highway=residential", class: maps.Sidewalk, flags: maps.Inferred},
		{tags: "highway=residential sidewalk=both", class: maps.Sidewalk, flags: maps.Inferred},
		{tags: "highway=residential sidewalk=no", class: maps.Shared},
		{tags: "highway=residential sidewalk=separate", class: maps.Shared},
		{tags: "highway=primary", class: maps.Sidewalk, flags: maps.Inferred},
		{tags: "highway=primary sidewalk:left=yes", class: maps.Sidewalk, flags: maps.Inferred},
		{tags: "highway=primary sidewalk=none", why: dropNoWalk},
		{tags: "highway=primary sidewalk:both=separate", why: dropSeparate},
		{tags: "highway=trunk", why: dropMotorway},
		{tags: "highway=trunk sidewalk=both", class: maps.Sidewalk, flags: maps.Inferred},
		{tags: "highway=motorway sidewalk=both", why: dropMotorway},
		{tags: "highway=residential foot=no", why: dropPrivate},
		{tags: "highway=footway lit=no", class: maps.Path, flags: maps.Unlit},
	}
	for _, test := range tests {
		p, why := passageOf(tagged(test.tags))
		if why != test.why {
			t.Errorf("passageOf(%s): dropped for %q, want %q", test.tags, why, test.why)
		} else if why == "" && (p.class != test.class || p.flags != test.flags) {
			t.Errorf("passageOf(%s) = %v, flags %b; want %v, %b", test.tags, p.class, p.flags, test.class, test.flags)
		}
	}
}

func TestGround(t *testing.T) {
	tests := []struct {
		tags    string
		surface maps.Surface
		width   int32
		incline int16
		flags   maps.Flags
		oneWay  int8
	}{
		{tags: "highway=path surface=gravel", surface: maps.SurfaceLoose},
		{tags: "highway=path surface=asphalt smoothness=very_horrible", surface: maps.SurfaceSoft},
		{tags: "highway=path surface=asphalt smoothness=horrible", surface: maps.SurfaceSoft},
		{tags: "highway=path surface=asphalt;gravel", surface: maps.SurfaceSmooth},
		{tags: "highway=path surface=moon", surface: maps.SurfaceUnknown},
		{tags: "highway=path width=1.5", width: 1500},
		{tags: "highway=residential width=9"},
		{tags: "highway=residential sidewalk:both:width=1.8 sidewalk:both:surface=sett surface=asphalt", width: 1800, surface: maps.SurfaceRough},
		{tags: "highway=path incline=8%", incline: 80, flags: maps.InclineKnown},
		{tags: "highway=path incline=down", incline: -1, flags: maps.InclineSteep},
		{tags: "highway=path oneway=yes"},
		{tags: "highway=path oneway:foot=yes", oneWay: 1},
		{tags: "highway=path oneway:foot=-1", oneWay: -1},
	}
	for _, test := range tests {
		p, _ := passageOf(tagged(test.tags))
		p.flags &^= maps.Inferred
		if p.surface != test.surface || p.width != test.width || p.incline != test.incline || p.flags != test.flags || p.oneWay != test.oneWay {
			t.Errorf("passageOf(%s) = surface %v, width %d, incline %d, flags %b, one way %d; want %v, %d, %d, %b, %d", test.tags,
				p.surface, p.width, p.incline, p.flags, p.oneWay, test.surface, test.width, test.incline, test.flags, test.oneWay)
		}
	}
}

func TestControl(t *testing.T) {
	tests := map[string]maps.Control{
		"":                                     maps.ControlNone,
		"crossing=unmarked":                    maps.ControlUnmarked,
		"crossing=uncontrolled":                maps.ControlZebra,
		"crossing=zebra":                       maps.ControlZebra,
		"crossing=pelican":                     maps.ControlSignal,
		"crossing=marked crossing:signals=yes": maps.ControlSignal,
		"crossing=marked crossing:signals=no":  maps.ControlZebra,
		"crossing:markings=zebra":              maps.ControlZebra,
		"crossing:markings=no":                 maps.ControlUnmarked,
		"crossing=island crossing_ref=zebra":   maps.ControlZebra,
	}
	for in, want := range tests {
		if got := controlOf(tagged(in)); got != want {
			t.Errorf("controlOf(%s) = %v, want %v", in, got, want)
		}
	}
}

func TestSpot(t *testing.T) {
	tests := map[string]spot{
		"barrier=bollard":                      {},
		"barrier=gate":                         {},
		"barrier=gate locked=yes":              {blocked: true},
		"barrier=gate access=private":          {blocked: true},
		"barrier=gate access=private foot=yes": {},
		"barrier=stile":                        {blocked: true},
		"barrier=turnstile foot=yes":           {blocked: true},
		"barrier=kerb":                         {kerb: maps.KerbUnknown},
		"barrier=kerb kerb=lowered":            {kerb: maps.KerbLowered},
		"kerb=raised":                          {kerb: maps.KerbRaised},
		"kerb=flush tactile_paving=yes":        {kerb: maps.KerbFlush},
		"highway=crossing crossing=unmarked":   {control: maps.ControlUnmarked},
		"name=lamp":                            {},
	}
	for in, want := range tests {
		got, matters := spotOf(tagged(in))
		if got != want || matters != (want != spot{}) {
			t.Errorf("spotOf(%s) = %+v, %v; want %+v", in, got, matters, want)
		}
	}
}

func TestLength(t *testing.T) {
	tests := map[string]int32{
		"1.5": 1500, "1,5 m": 1500, "150 cm": 1500, "900mm": 900, "5 ft": 1524, "5'": 1524, `5'6"`: 1676, `60"`: 1524,
		"": 0, "wide": 0, "-2": 0, "0": 0, "1e9": 0, "NaN": 0, "Inf": 0, "1.5-2": 0, "999999": 0,
	}
	for in, want := range tests {
		if got := length(in); got != want {
			t.Errorf("length(%q) = %d, want %d", in, got, want)
		}
	}
}

func TestIncline(t *testing.T) {
	tests := []struct {
		in           string
		want         int16
		known, steep bool
	}{
		{"8%", 80, true, false}, {"-4.5 %", -45, true, false}, {"0%", 0, true, false}, {"45°", 1000, true, false},
		{"0.08", 80, true, false}, {"5", 50, true, false}, {"up", 1, false, true}, {"down", -1, false, true},
		{"", 0, false, false}, {"10%-15%", 0, false, false}, {"900%", 0, false, false}, {"89.999°", 0, false, false},
	}
	for _, test := range tests {
		if got, known, steep := incline(test.in); got != test.want || known != test.known || steep != test.steep {
			t.Errorf("incline(%q) = %d, %v, %v; want %d, %v, %v", test.in, got, known, steep, test.want, test.known, test.steep)
		}
	}
}

func TestHouseNumbers(t *testing.T) {
	tests := map[string][]string{
		"10":        {"10"},
		"10-14":     {"10", "12", "14"},
		"10–14":     {"10", "12", "14"},
		"10;12":     {"10", "12"},
		"1, 3-5":    {"1", "3", "5"},
		"10-13":     {"10-13"}, // both sides of a street: more likely one house
		"37-12":     {"37-12"}, // Queens: block and house
		"100-400":   {"100-400"},
		"12a-12c":   {"12a-12c"},
		" ;":        nil,
		"4611½":     {"4611½"},
		"0-4":       {"0-4"},
		"-3":        {"-3"},
		"5-5":       {"5-5"},
		"8210-8214": {"8210", "8212", "8214"},
	}
	for in, want := range tests {
		if diff := cmp.Diff(want, houseNumbers(in)); diff != "" {
			t.Errorf("houseNumbers(%q) (-want +got):\n%s", in, diff)
		}
	}
}

func TestMerchant(t *testing.T) {
	tests := map[string]string{ // "" is none
		"amenity=cafe name=A":                    "cafe",
		"amenity=fast_food name=A":               "fast_food",
		"shop=bakery name=A":                     "bakery",
		"shop=car name=A":                        "",
		"shop=bakery":                            "",
		"amenity=bank shop=convenience name=A":   "convenience",
		"amenity=restaurant shop=florist name=A": "restaurant",
	}
	for in, want := range tests {
		if _, kind, ok := merchantOf(tagged(in)); ok != (want != "") || ok && kind != want {
			t.Errorf("merchantOf(%s) = %q, %v; want %q", in, kind, ok, want)
		}
	}
}
