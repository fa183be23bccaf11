package osm

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/fault"
	"footway/core/maps"
)

// town is a junction of two residential streets, 1 with numbers 10 to 14, a
// footway that a stile cuts, a shop, and a house on an outline.
//
//	       2
//	       |          north is up; a degree of 0.001 is about 111 m
//	4 -----1----- 5
//	       |
//	       3 --- 6 -x- 7
func town() extractOf {
	return extractOf{
		nodes: []testNode{
			{1, 0, 0, nil},
			{2, 0.001, 0, nil},
			{3, -0.001, 0, nil},
			{4, 0, -0.001, nil},
			{5, 0, 0.001, nil},
			{6, -0.001, 0.0005, nil},
			{7, -0.001, 0.001, []string{"barrier", "stile"}},
			{8, -0.001, 0.0015, nil},
			{-9, 0.0005, 0.0001, []string{"addr:housenumber", "10-14", "addr:street", "North Street", "addr:city", "Town"}},
			{10, 0.0006, 0.0001, []string{"amenity", "cafe", "name", "Chez Nous"}},
			{20, 0.0002, 0.0002, nil}, {21, 0.0003, 0.0002, nil}, {22, 0.0003, 0.0003, nil}, {23, 0.0002, 0.0003, nil},
		},
		ways: []testWay{
			{100, []int64{2, 1, 3}, []string{"highway", "residential", "name", "North Street"}},
			{101, []int64{4, 1, 5}, []string{"highway", "residential", "name", "East Street"}},
			{102, []int64{3, 6, 7, 8}, []string{"highway", "footway"}},
			{103, []int64{20, 21, 22, 23, 20}, []string{"building", "yes", "addr:housenumber", "2", "addr:street", "East Street"}},
			{104, []int64{1, 2, 8}, []string{"highway", "steps"}},
		},
	}
}

func importTown(t testing.TB, x extractOf) (*maps.Network, *Report) {
	t.Helper()
	data := x.encode()
	n, report, err := Import(t.Context(), "town", bytes.NewReader(data), int64(len(data)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return n, report
}

// stretches lists what n has, each stretch once: class, name, metres, control.
func stretches(n *maps.Network) []string {
	var list []string
	for i := range n.Edges {
		e := &n.Edges[i]
		if e.Reverse != maps.NoEdge && e.Reverse < maps.EdgeID(i) {
			continue
		}
		s := fmt.Sprintf("%v %q %d m", e.Class, n.Names[e.Name], (e.LengthMM+500)/1000)
		if e.Control != maps.ControlNone {
			s += " " + e.Control.String()
		}
		list = append(list, s)
	}
	slices.Sort(list)
	return list
}

func TestTown(t *testing.T) {
	n, report := importTown(t, town())
	want := []string{
		`crossing "East Street" 8 m unmarked`, // of North Street over East Street, on one arm
		`crossing "North Street" 8 m unmarked`,
		`path "" 56 m`, // up to the stile
		`sidewalk "East Street" 103 m`,
		`sidewalk "East Street" 111 m`,
		`sidewalk "North Street" 103 m`,
		`sidewalk "North Street" 111 m`,
	}
	if diff := cmp.Diff(want, stretches(n)); diff != "" {
		t.Errorf("stretches (-want +got):\n%s", diff)
	}
	var addresses []string
	for i := range n.Addresses {
		addresses = append(addresses, n.Addresses[i].String())
	}
	wantAddresses := []string{"10 North Street, Town", "12 North Street, Town", "14 North Street, Town", "2 East Street"}
	slices.Sort(addresses)
	if diff := cmp.Diff(wantAddresses, addresses); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if len(n.Merchants) != 1 || n.Merchants[0].Name != "Chez Nous" || n.Addresses[n.Merchants[0].Address].Street != "North Street" {
		t.Errorf("merchants = %+v, want Chez Nous in North Street", n.Merchants)
	}
	if n.Attribution != Attribution {
		t.Errorf("attribution = %q, want %q", n.Attribution, Attribution)
	}
	if report.Barriers != 1 || len(report.DroppedWays) != 1 || report.DroppedWays[0] != (Count{dropSteps, 1}) {
		t.Errorf("report = %d barriers, dropped %v; want 1 and the steps", report.Barriers, report.DroppedWays)
	}
}

// The same map in another form is the same network.
func TestForms(t *testing.T) {
	plain := town()
	plain.plain = true
	packed := town()
	packed.packed, packed.backwards = true, true
	want, _ := importTown(t, town())
	for name, x := range map[string]extractOf{"plain nodes": plain, "packed, relations first": packed} {
		if got, _ := importTown(t, x); got.Hash() != want.Hash() {
			t.Errorf("%s: another network than dense nodes in order give", name)
		}
	}
}

func TestMissingNodes(t *testing.T) {
	x := town()
	x.ways = append(x.ways, testWay{105, []int64{5, 999, 1000}, []string{"highway", "residential"}})
	n, report := importTown(t, x)
	if report.MissingNodes != 2 {
		t.Errorf("missing nodes = %d, want 2", report.MissingNodes)
	}
	whole, _ := importTown(t, town())
	if len(n.Edges) != len(whole.Edges) {
		t.Errorf("%d edges with a way into the void, want %d", len(n.Edges), len(whole.Edges))
	}
}

// A mapped crossing with its sidewalks and kerbs: waiting is paid once, kerbs
// forbid or allow both halves.
func crossingTown(kerb string) extractOf {
	return extractOf{
		nodes: []testNode{
			{1, 0, -0.001, nil}, {2, 0, 0, []string{"highway", "crossing", "crossing", "traffic_signals"}}, {3, 0, 0.001, nil},
			{11, 0.0001, -0.001, nil}, {12, 0.0001, 0, []string{"kerb", "flush", "barrier", "kerb"}}, {13, 0.0001, 0.001, nil},
			{21, -0.0001, -0.001, nil}, {22, -0.0001, 0, []string{"kerb", kerb}}, {23, -0.0001, 0.001, nil},
		},
		ways: []testWay{
			{100, []int64{1, 2, 3}, []string{"highway", "secondary", "name", "Main Street", "sidewalk", "separate"}},
			{101, []int64{11, 12, 13}, []string{"highway", "footway", "footway", "sidewalk"}},
			{102, []int64{21, 22, 23}, []string{"highway", "footway", "footway", "sidewalk"}},
			{103, []int64{12, 2, 22}, []string{"highway", "footway", "footway", "crossing"}},
		},
	}
}

func TestMappedCrossing(t *testing.T) {
	n, _ := importTown(t, crossingTown("lowered"))
	want := []string{
		`crossing "Main Street" 22 m signal`,
		`sidewalk "Main Street" 111 m`, `sidewalk "Main Street" 111 m`,
		`sidewalk "Main Street" 111 m`, `sidewalk "Main Street" 111 m`,
	}
	if diff := cmp.Diff(want, stretches(n)); diff != "" {
		t.Errorf("stretches (-want +got):\n%s", diff)
	}
	for i := range n.Edges {
		e := &n.Edges[i]
		wantKerb, wantSignal := maps.KerbNone, int32(0)
		if e.Class == maps.Crossing {
			wantKerb, wantSignal = maps.KerbLowered, 1
		}
		if e.Kerb != wantKerb || e.Signal != wantSignal || e.Street != maps.StreetSecondary {
			t.Errorf("%v: kerb %v, signal %d, of a %v street; want %v, %d, secondary", e.Class, e.Kerb, e.Signal, e.Street, wantKerb, wantSignal)
		}
	}
}

// A raised kerb on one side closes the crossing in both directions.
func TestRaisedKerb(t *testing.T) {
	n, report := importTown(t, crossingTown("raised"))
	if len(n.Edges) != 4 {
		t.Errorf("%d edges, want the 4 of one sidewalk", len(n.Edges))
	}
	if !slices.ContainsFunc(report.Build.Dropped, func(d maps.Drop) bool { return d.Reason == maps.KerbTooHigh.String() && d.Edges == 2 }) {
		t.Errorf("dropped = %v, want 2 edges for the kerb", report.Build.Dropped)
	}
}

// Where robots may use the roadway, the crossing is cut there, and only one half waits.
func TestCrossingHalves(t *testing.T) {
	x := crossingTown("lowered")
	x.ways[0].tags = []string{"highway", "service"}
	n, _ := importTown(t, x)
	halves, waits := 0, 0
	for _, s := range stretches(n) {
		if strings.HasPrefix(s, "crossing") {
			halves++
			if strings.HasSuffix(s, "signal") {
				waits++
			}
		}
	}
	if halves != 2 || waits != 1 {
		t.Errorf("%d halves of which %d wait, want 2 and 1:\n%s", halves, waits, strings.Join(stretches(n), "\n"))
	}
}

// Sidewalks beside a street take the street's place.
func TestAccompaniedStreet(t *testing.T) {
	x := crossingTown("lowered")
	x.ways[0].tags = []string{"highway", "secondary", "name", "Main Street"}
	n, report := importTown(t, x)
	for i := range n.Edges {
		if n.Edges[i].Flags&maps.Inferred != 0 {
			t.Fatalf("an inferred %v along a street with mapped sidewalks", n.Edges[i].Class)
		}
	}
	if want := []Count{{dropSeparate, 1}}; !slices.Equal(report.DroppedWays, want) {
		t.Errorf("dropped = %v, want %v", report.DroppedWays, want)
	}
}

func TestOneWayOnFoot(t *testing.T) {
	x := town()
	x.ways[2] = testWay{102, []int64{3, 6, 5}, []string{"highway", "footway", "oneway:foot", "-1", "incline", "5%"}}
	n, _ := importTown(t, x)
	found := 0
	for i := range n.Edges {
		e := &n.Edges[i]
		if e.Class != maps.Path {
			continue
		}
		found++
		if e.InclinePermille != -50 || e.Reverse != maps.NoEdge || n.Nodes[e.From].Lon < n.Nodes[e.To].Lon {
			t.Errorf("edge from %v to %v, incline %d, reverse %d: want from east to west, down 50, without reverse",
				n.Nodes[e.From], n.Nodes[e.To], e.InclinePermille, e.Reverse)
		}
	}
	if found != 1 {
		t.Errorf("%d edges of the path, want 1", found)
	}
}

func TestInterpolation(t *testing.T) {
	x := town()
	number := func(s string) []string { return []string{"addr:housenumber", s, "addr:street", "North Street"} }
	x.nodes = append(x.nodes, testNode{30, 0.0001, 0.0001, number("101")}, testNode{31, 0.0009, 0.0001, number("109")},
		testNode{32, 0.0009, 0.0002, number("111a")})
	x.ways = append(x.ways, testWay{110, []int64{30, 31, 32}, []string{"addr:interpolation", "odd"}})
	n, report := importTown(t, x)
	if a := report.Addresses; a.Interpolated != 3 || a.Uncounted != 1 {
		t.Errorf("%d interpolated, %d uncounted; want 103, 105, 107, and nothing up to 111a", a.Interpolated, a.Uncounted)
	}
	for i := range n.Addresses {
		if a := &n.Addresses[i]; a.Number == "105" && a.Point != (maps.Point{Lon: 1000, Lat: 5000}) {
			t.Errorf("105 is at %v, want the middle between 101 and 109", a.Point)
		}
	}
}

// A lake of two ways in a relation becomes one outline.
func TestMultipolygon(t *testing.T) {
	x := town()
	x.ways = append(x.ways, testWay{120, []int64{4, 2, 5}, nil}, testWay{121, []int64{4, 3, 5}, nil})
	x.relations = []testRelation{{1, []int64{120, 121, 122}, []string{"outer", "outer", "outer"}, []string{"type", "multipolygon", "natural", "water"}}}
	n, report := importTown(t, x)
	lakes := 0
	for _, b := range n.Backdrop {
		if b.Kind == maps.BackdropWater && b.Closed && len(b.Points) == 4 {
			lakes++
		}
	}
	if lakes != 1 || report.BrokenOutlines != 1 {
		t.Errorf("%d lakes of 4 points, %d broken outlines; want 1 and 1, for way 122 is missing", lakes, report.BrokenOutlines)
	}
}

func TestNothingToWalkOn(t *testing.T) {
	x := town()
	x.ways = nil
	data := x.encode()
	_, _, err := Import(t.Context(), "desert", bytes.NewReader(data), int64(len(data)), Options{})
	if !fault.Is(err, fault.Invalid) || fault.ReasonOf(err) != "empty_map" {
		t.Errorf("import of an extract without ways: %v, want empty_map", err)
	}
}
