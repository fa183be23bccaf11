package porttest

import (
	"strings"
	"testing"

	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"

	"github.com/google/go-cmp/cmp"
)

// MapStores is a maps.Store with the maps.AddressBook that follows it.
type MapStores interface {
	maps.Store
	maps.AddressBook
}

// AddressBook runs the conformance suite of maps.AddressBook; open returns an
// empty store, one for each case.
func AddressBook(t *testing.T, open func(t *testing.T) MapStores) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, MapStores)
	}{
		{"search", bookSearch}, {"search near", bookSearchNear}, {"almost", bookAlmost}, {"strange texts", bookStrange},
		{"limits", bookLimits}, {"near", bookNear}, {"areas", bookAreas}, {"markets apart", bookMarkets}, {"replaced", bookReplaced},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// ringCenter is in the middle of the town's ring of streets; its houses stand around it.
var ringCenter = maps.Point{Lon: -1_222_900_000, Lat: 476_800_000}

// ringPoint is a place some units east and north of ringCenter.
func ringPoint(east, north int32) maps.Point {
	return maps.Point{Lon: ringCenter.Lon + east, Lat: ringCenter.Lat + north}
}

type ringHouse struct {
	number, street, city, postcode string
	east, north                    int32
}

var ringHouses = []ringHouse{
	{"8202", "35th Avenue Northeast", "Seattle", "98115", -20_000, 9_900},
	{"8206", "35th Avenue Northeast", "Seattle", "98115", -10_000, 9_900},
	{"8210", "35th Avenue Northeast", "Seattle", "98115", 0, 9_900},
	{"821", "35th Avenue Northeast", "Seattle", "98115", 10_000, 9_900},
	{"12a", "Saint Paul Street", "Seattle", "98105", -20_000, -9_900},
	{"14", "Saint Paul Street", "Seattle", "98105", 0, -9_900},
	{"100", "Main Street", "Seattle", "98115", 20_000, 9_900},
	{"100", "Main Street", "Dundalk", "21222", 20_000, -9_900},
	{"7", "Käsityöläiskatu", "Helsinki", "00130", -20_000, 0},
	{"1", "Northgate Way", "Seattle", "98125", 20_000, 0},
	{"10-14", "Key Highway", "", "", 10_000, -9_900},
	{"5", "Проспект Мира", "", "", -10_000, -9_900},
	{"", "O'Neil's \x00Yard\xff", "Seattle", "", 5_000, -9_900},
}

// ringTown returns a network of one ring with ringHouses.
func ringTown(t *testing.T, houses []ringHouse) *maps.Network {
	t.Helper()
	b := maps.NewBuilder("ring", "nobody")
	var corners [4]maps.NodeID
	for i, c := range [4][2]int32{{-21_000, -10_000}, {21_000, -10_000}, {21_000, 10_000}, {-21_000, 10_000}} {
		corners[i] = b.Node(ringPoint(c[0], c[1]))
	}
	for i := range corners {
		b.Stretch(maps.Stretch{From: corners[i], To: corners[(i+1)%4], Name: "Ring"})
	}
	for _, h := range houses {
		b.Address(h.number, h.street, h.city, h.postcode, ringPoint(h.east, h.north))
	}
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	if len(n.Addresses) != len(houses) {
		t.Fatalf("%d of %d addresses are near the ring", len(n.Addresses), len(houses))
	}
	return n
}

// saveRing saves ringTown as the network of market m.
func saveRing(t *testing.T, s MapStores) *maps.Network {
	t.Helper()
	n := ringTown(t, ringHouses)
	if err := s.SaveNetwork(t.Context(), "m", n); err != nil {
		t.Fatal(err)
	}
	return n
}

// lines returns the beginnings of matches up to the comma, joined: their numbers and streets.
func lines(ms []maps.Match) string {
	var out []string
	for _, m := range ms {
		line, _, _ := strings.Cut(m.Address, ",")
		out = append(out, line)
	}
	return strings.Join(out, " | ")
}

func bookSearch(t *testing.T, s MapStores) {
	n := saveRing(t, s)
	const avenue = "8202 35th Avenue Northeast | 8206 35th Avenue Northeast | 8210 35th Avenue Northeast"
	for _, c := range []struct{ text, want string }{
		{"82", "821 35th Avenue Northeast | " + avenue}, // in the order of numbers
		{"821", "821 35th Avenue Northeast | 8210 35th Avenue Northeast"},
		{"8210 35th Ave", "8210 35th Avenue Northeast"},
		{"820 35th aven", "8202 35th Avenue Northeast | 8206 35th Avenue Northeast"},
		{" 8210  35TH AVE. N.E. , seattle, WA, USA", "8210 35th Avenue Northeast"},
		{"st paul", "12a Saint Paul Street | 14 Saint Paul Street"},
		{"saint paul stre", "12a Saint Paul Street | 14 Saint Paul Street"},
		{"12a", "12a Saint Paul Street"},
		{"northg", "1 Northgate Way"},
		{"ne", "821 35th Avenue Northeast | " + avenue},
		{"main street dund", "100 Main Street"},
		{"kasityolaiskatu 7", "7 Käsityöläiskatu"},
		{"KÄSITYÖ", "7 Käsityöläiskatu"},
		{"10-14 key hwy", "10-14 Key Highway"},
		{"проспект", "5 Проспект Мира"},
		{"oneils", "O'Neil's Yard\uFFFD"},
	} {
		got, err := s.SearchAddresses(t.Context(), "m", c.text, nil, 4)
		fits := lines(got[:min(len(got), strings.Count(c.want, "|")+1)]) // what is spelt almost so may follow
		fits = strings.ReplaceAll(strings.ReplaceAll(fits, "\x00", ""), "\xff", "\uFFFD")
		if err != nil || fits != c.want {
			t.Errorf("%q finds %q (%v), want %q", c.text, lines(got), err, c.want)
		}
	}
	if got, err := s.SearchAddresses(t.Context(), "m", "9 main", nil, 4); err != nil || len(got) > 0 {
		t.Errorf("a number that no house has: %q (%v), want none", lines(got), err)
	}
	got, err := s.SearchAddresses(t.Context(), "m", "14 saint", nil, 1)
	if err != nil || len(got) != 1 {
		t.Fatalf("14 saint: %+v, %v", got, err)
	}
	for i := range n.Addresses {
		if a := &n.Addresses[i]; a.Number == "14" {
			if diff := cmp.Diff(a.Match(), got[0]); diff != "" {
				t.Errorf("a match (-as the map has it +found)\n%s", diff)
			}
		}
	}
}

func bookSearchNear(t *testing.T, s MapStores) {
	saveRing(t, s)
	east, west := ringPoint(20_000, 9_900), ringPoint(-20_000, 9_900)
	for _, c := range []struct {
		text string
		near *maps.Point
		want string
	}{
		{"35th", &west, "8202 35th Avenue Northeast, Seattle 98115"},
		{"35th", &east, "821 35th Avenue Northeast, Seattle 98115"},
		{"82", &west, "8202 35th Avenue Northeast, Seattle 98115"},
		{"821", &west, "821 35th Avenue Northeast, Seattle 98115"}, // the very number comes first
		{"main", &west, "100 Main Street, Seattle 98115"},
		{"main, dundalk", &east, "100 Main Street, Dundalk 21222"}, // the place comes before the distance
		{"100 main st, 21222", &east, "100 Main Street, Dundalk 21222"},
		{"100 main st, sea", nil, "100 Main Street, Seattle 98115"},
	} {
		got, err := s.SearchAddresses(t.Context(), "m", c.text, c.near, 5)
		if err != nil || len(got) == 0 || got[0].Address != c.want {
			t.Errorf("%q near %v finds %+v (%v), want %q first", c.text, c.near, got, err, c.want)
		}
		again, err := s.SearchAddresses(t.Context(), "m", c.text, c.near, 5)
		if diff := cmp.Diff(got, again); err != nil || diff != "" {
			t.Errorf("%q again: error %v\n%s", c.text, err, diff)
		}
	}
	// So far north a degree of longitude is two thirds of one of latitude: metres count.
	side := []ringHouse{{"1", "Side Way", "", "", -20_000, 5_000}, {"2", "Side Way", "", "", -14_000, 0}, {"3", "Side Way", "", "", -20_000, 3_000}}
	if err := s.SaveNetwork(t.Context(), "side", ringTown(t, side)); err != nil {
		t.Fatal(err)
	}
	from := ringPoint(-20_000, 0)
	got, err := s.SearchAddresses(t.Context(), "side", "side", &from, 5)
	if err != nil || lines(got) != "3 Side Way | 2 Side Way | 1 Side Way" {
		t.Errorf("by distance in metres: %q (%v), want 3, 2, 1", lines(got), err)
	}
}

func bookAlmost(t *testing.T, s MapStores) {
	saveRing(t, s)
	for _, c := range []struct{ text, want string }{
		{"nothgate way", "1 Northgate Way"},                          // a letter missing
		{"nortthgate", "1 Northgate Way"},                            // one too many
		{"nordhgate way", "1 Northgate Way"},                         // a wrong one
		{"8210 35th avenue northaest", "8210 35th Avenue Northeast"}, // two swapped
		{"14 saint poul street", "14 Saint Paul Street"},
		{"käsityölaskatu", "7 Käsityöläiskatu"},
	} {
		got, err := s.SearchAddresses(t.Context(), "m", c.text, nil, 1)
		if err != nil || lines(got) != c.want {
			t.Errorf("%q finds %q (%v), want %q", c.text, lines(got), err, c.want)
		}
	}
	for _, text := range []string{"2 nothgate way", "qqqqqqqq", "1 zzzzzz street"} { // another number; nothing like it
		if got, err := s.SearchAddresses(t.Context(), "m", text, nil, 5); err != nil || strings.Contains(lines(got), "Northgate") {
			t.Errorf("%q finds %q (%v)", text, lines(got), err)
		}
	}
	got, err := s.SearchAddresses(t.Context(), "m", "main stret", nil, 10)
	if err != nil || !strings.HasPrefix(lines(got), "100 Main Street | 100 Main Street") {
		t.Errorf("main stret finds %q (%v)", lines(got), err)
	}
	seen := map[maps.Match]bool{}
	got, err = s.SearchAddresses(t.Context(), "m", "saint paul street", nil, 10)
	for _, m := range got {
		if err != nil || seen[m] {
			t.Errorf("%q is there twice (%v)", m.Address, err)
		}
		seen[m] = true
	}
}

// bookStrange types what no address is. None may fail, find what was not
// asked for, or harm what is there.
func bookStrange(t *testing.T, s MapStores) {
	saveRing(t, s)
	for _, text := range []string{
		"'", "%", "_", "\\", "% %", "100% main", "???", ",", ",,,", ", seattle", "\x00", "\xff\xfe", "\u202e", "🤖🤖", "İ", "ﬁ", "e\u0301",
		"'; DROP TABLE addresses; --", "main' OR '1'='1", "$1", "{}", "main) OR (true", "10000000000000000000", "0", "-1", "1e9",
		strings.Repeat("a", maps.MaxQuery), strings.Repeat("1 ", maps.MaxQuery/2), strings.Repeat("ave,", maps.MaxQuery/4),
		strings.Repeat("ab ", maps.MaxQuery/3), strings.Repeat("é", maps.MaxQuery/2), strings.Repeat("%", maps.MaxQuery),
	} {
		got, err := s.SearchAddresses(t.Context(), "m", text, nil, 5)
		if err != nil || len(got) > 5 {
			t.Errorf("%q finds %d, error %v", text, len(got), err)
		}
	}
	for _, text := range []string{"%", "_", "% %", "'", "🤖🤖", "main' OR '1'='1"} {
		if got, err := s.SearchAddresses(t.Context(), "m", text, nil, 50); err != nil || len(got) > 2 {
			t.Errorf("%q finds %q, error %v", text, lines(got), err)
		}
	}
	if got, err := s.SearchAddresses(t.Context(), "m", "main", nil, 50); err != nil || len(got) != 2 {
		t.Errorf("after all that, main finds %q, error %v", lines(got), err)
	}
}

func bookLimits(t *testing.T, s MapStores) {
	var many []ringHouse
	for i := range int32(2 * maps.MaxMatches) {
		many = append(many, ringHouse{"1", "Long Lane", "", "", 100 * i, 9_900})
	}
	if err := s.SaveNetwork(t.Context(), "m", ringTown(t, many)); err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, maps.MaxMatches: maps.MaxMatches, 10 * maps.MaxMatches: maps.MaxMatches} {
		found, err := s.SearchAddresses(t.Context(), "m", "long", nil, limit)
		if err != nil || len(found) != want {
			t.Errorf("search with limit %d: %d, error %v; want %d", limit, len(found), err, want)
		}
		near, err := s.AddressesNear(t.Context(), "m", ringPoint(0, 9_900), maps.MaxNearMM, limit)
		if err != nil || len(near) != want {
			t.Errorf("near with limit %d: %d, error %v; want %d", limit, len(near), err, want)
		}
	}
	for _, text := range []string{"", "  ", strings.Repeat("x", maps.MaxQuery+1)} {
		if _, err := s.SearchAddresses(t.Context(), "m", text, nil, 5); !fault.Is(err, fault.Invalid) {
			t.Errorf("search of %d bytes: %v, want invalid", len(text), err)
		}
	}
	for _, mm := range []int64{-1, maps.MaxNearMM + 1} {
		if _, err := s.AddressesNear(t.Context(), "m", ringCenter, mm, 5); !fault.Is(err, fault.Invalid) {
			t.Errorf("within %d mm: %v, want invalid", mm, err)
		}
	}
	if _, err := s.AddressesNear(t.Context(), "m", maps.Point{Lat: 900_000_001}, 1, 5); !fault.Is(err, fault.Invalid) {
		t.Errorf("near a place beyond the pole: %v, want invalid", err)
	}
}

func bookNear(t *testing.T, s MapStores) {
	n := saveRing(t, s)
	all, err := s.AddressesNear(t.Context(), "m", ringCenter, maps.MaxNearMM, maps.MaxMatches)
	if err != nil || len(all) != len(ringHouses) {
		t.Fatalf("%d addresses within a kilometre, error %v; want %d", len(all), err, len(ringHouses))
	}
	last := int64(-1)
	for i, m := range all {
		mm := maps.Distance(ringCenter, m.Point)
		if mm < last {
			t.Errorf("%q, %d mm off, comes behind one %d mm off", m.Address, mm, last)
		}
		last = mm
		within, err := s.AddressesNear(t.Context(), "m", ringCenter, mm, maps.MaxMatches)
		if err != nil || len(within) <= i || cmp.Diff(all[:len(within)], within) != "" {
			t.Errorf("within %d mm: %q, error %v; want the first %d or those as near", mm, lines(within), err, i+1)
		}
		if mm == 0 {
			continue
		}
		closer, err := s.AddressesNear(t.Context(), "m", ringCenter, mm-1, maps.MaxMatches)
		if err != nil || len(closer) > i {
			t.Errorf("within %d mm: %d, error %v; want at most %d", mm-1, len(closer), err, i)
		}
	}
	at, err := s.AddressesNear(t.Context(), "m", n.Addresses[0].Point, 0, 1)
	if err != nil || len(at) != 1 || at[0] != n.Addresses[0].Match() {
		t.Errorf("at the first address is %+v, error %v; want %+v", at, err, n.Addresses[0].Match())
	}
	for _, p := range []maps.Point{{Lat: 900_000_000}, {Lat: -900_000_000, Lon: -1_800_000_000}, {Lon: 1_800_000_000}, {}} {
		if far, err := s.AddressesNear(t.Context(), "m", p, maps.MaxNearMM, 5); err != nil || len(far) > 0 {
			t.Errorf("at %+v: %q, error %v; want none", p, lines(far), err)
		}
	}
}

func bookAreas(t *testing.T, s MapStores) {
	square := []maps.Point{{Lon: 0, Lat: 0}, {Lon: 100, Lat: 0}, {Lon: 100, Lat: 100}, {Lon: 0, Lat: 100}}
	bow := []maps.Point{{Lon: 0, Lat: 0}, {Lon: 100, Lat: 100}, {Lon: 100, Lat: 0}, {Lon: 0, Lat: 100}} // open above and below its middle
	twice := append(append([]maps.Point(nil), square...), square...)                                    // goes round twice: even, so nothing is inside
	st := maps.State{Areas: []maps.Area{
		{ID: "B-bow", Kind: maps.NoGo, Polygon: bow},
		{ID: "a-square", Kind: maps.ServiceArea, Polygon: square, Hours: []maps.Hours{{From: 1, To: 2}}},
		{ID: "twice", Kind: maps.Slow, SpeedPermille: 500, Polygon: twice},
	}}
	if _, err := s.SaveState(t.Context(), "m", st); err != nil {
		t.Fatal(err)
	}
	for _, p := range []maps.Point{
		{Lon: 50, Lat: 10}, {Lon: 10, Lat: 50}, {Lon: 90, Lat: 50}, {Lon: 50, Lat: 50}, {Lon: 0, Lat: 0}, {Lon: 100, Lat: 100}, {Lon: 0, Lat: 50},
		{Lon: 50, Lat: 100}, {Lon: 101, Lat: 50}, {Lon: -1, Lat: 0}, {Lon: 1_800_000_000, Lat: 900_000_000},
	} {
		var want []maps.Area
		for i := range st.Areas {
			if st.Areas[i].Contains(p) {
				want = append(want, st.Areas[i])
			}
		}
		got, err := s.AreasAt(t.Context(), "m", p)
		if err != nil || len(got) != len(want) || len(want) > 0 && cmp.Diff(want, got) != "" {
			t.Errorf("AreasAt(%+v) = %+v, error %v; want %+v", p, got, err, want)
		}
	}
	if got, err := s.AreasAt(t.Context(), "m", maps.Point{Lon: 10, Lat: 50}); err != nil || len(got) != 2 || got[0].ID != "B-bow" || got[1].ID != "a-square" {
		t.Errorf("in the square's west: %+v, error %v; want B-bow and a-square", got, err)
	}
}

func bookMarkets(t *testing.T, s MapStores) {
	saveRing(t, s)
	if err := s.SaveNetwork(t.Context(), "other", ringTown(t, []ringHouse{{"3", "Other Way", "", "", 0, 9_900}})); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SaveState(t.Context(), "m", fullState()); err != nil {
		t.Fatal(err)
	}
	for _, m := range []market.ID{"other", "nowhere", "m%", ""} {
		found, err := s.SearchAddresses(t.Context(), m, "35th avenue", nil, 5)
		near, nearErr := s.AddressesNear(t.Context(), m, ringPoint(0, 9_900), 0, 50)
		areas, areasErr := s.AreasAt(t.Context(), m, maps.Point{Lon: 1, Lat: 2})
		want := 0
		if m == "other" {
			want = 1
		}
		if err != nil || nearErr != nil || areasErr != nil || len(found) > 0 || len(near) != want || len(areas) > 0 {
			t.Errorf("market %q: found %q (%v), near %q (%v), areas %v (%v): some are another's", m, lines(found), err, lines(near), nearErr, areas, areasErr)
		}
	}
}

func bookReplaced(t *testing.T, s MapStores) {
	saveRing(t, s)
	if err := s.SaveNetwork(t.Context(), "m", ringTown(t, []ringHouse{{"3", "New Way", "", "", 0, 9_900}})); err != nil {
		t.Fatal(err)
	}
	old, err := s.SearchAddresses(t.Context(), "m", "35th avenue northeast", nil, 5)
	if err != nil || len(old) > 0 {
		t.Errorf("the old network's addresses are found: %q (%v)", lines(old), err)
	}
	now, err := s.SearchAddresses(t.Context(), "m", "new", nil, 5)
	if err != nil || lines(now) != "3 New Way" {
		t.Errorf("the new network's addresses: %q (%v)", lines(now), err)
	}
}
