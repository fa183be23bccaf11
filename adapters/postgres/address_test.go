package postgres_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"footway/adapters/backends"
	"footway/adapters/osm"
	"footway/adapters/postgres"
	"footway/adapters/zstd"
	"footway/core/maps"
	"footway/core/rng"

	"github.com/google/go-cmp/cmp"
)

// bigTown returns a network of one long street with many addresses, of 1,000
// street names, so that what is searched for is a small part of all.
func bigTown(tb testing.TB, addresses int) *maps.Network {
	tb.Helper()
	b := maps.NewBuilder("big", "nobody")
	const west, south, length = -1_223_000_000, 476_000_000, 5_000_000
	ends := [2]maps.NodeID{b.Node(maps.Point{Lon: west, Lat: south}), b.Node(maps.Point{Lon: west + length, Lat: south})}
	b.Stretch(maps.Stretch{From: ends[0], To: ends[1], Name: "Long Way"})
	s := rng.Seed(1).Stream("addresses", "big")
	for i := range addresses {
		street := fmt.Sprintf("%s%s %s", starts[i/100%10], tails[i/1000%10], kinds[i/10000%len(kinds)])
		at := maps.Point{Lon: west + int32(s.N(uint64(2*i), length)), Lat: south + int32(s.N(uint64(2*i+1), 4000))}
		b.Address(fmt.Sprint(1+i%100*2), street, "Seattle", fmt.Sprint(98100+i%40), at)
	}
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

var (
	starts = []string{"Maple", "Harbor", "Pleasant", "Granite", "Juniper", "Lake", "Winter", "Quarry", "Ravens", "Thistle"}
	tails  = []string{"wood", "field", "dale", "crest", "brook", "mont", "view", "haven", "ridge", "bank"}
	kinds  = []string{"Avenue", "Street", "Road", "Lane", "Place", "Court", "Drive", "Way", "Terrace", "Square"}
)

// bigStore returns a store with bigTown as market m, and another beside it,
// whose statistics the planner knows.
func bigStore(tb testing.TB, addresses int) *postgres.MapStore {
	tb.Helper()
	address := freshDatabase(tb, postgres.Maps)
	db := open(tb, postgres.Maps, address)
	tb.Cleanup(db.Close)
	s := postgres.NewMapStore(db, &zstd.Codec{})
	n := bigTown(tb, addresses)
	var areas []maps.Area
	for i := range int32(2000) {
		p := maps.Point{Lon: -1_223_000_000 + 2_500*i, Lat: 476_000_000}
		areas = append(areas, maps.Area{ID: fmt.Sprintf("%05d", i), Kind: maps.NoGo, Polygon: []maps.Point{p, {Lon: p.Lon + 2000, Lat: p.Lat}, {Lon: p.Lon, Lat: p.Lat + 2000}}})
	}
	if err := s.SaveNetwork(tb.Context(), "m", n); err != nil {
		tb.Fatal(err)
	}
	if _, err := s.SaveState(tb.Context(), "m", maps.State{Areas: areas}); err != nil {
		tb.Fatal(err)
	}
	mustAdmin(tb, address, "VACUUM ANALYZE")
	return s
}

func TestSearchUsesIndexes(t *testing.T) {
	t.Parallel()
	s := bigStore(t, 50_000)
	near := maps.Point{Lon: -1_222_000_000, Lat: 476_000_000}
	for _, text := range []string{"harborcr", "quarryhaven la", "51 mapleview", "51 mapl", "juniperbank st, seattle, 98104"} {
		fits, almost, err := s.ExplainSearch(t.Context(), "m", text, &near)
		if err != nil {
			t.Fatal(err)
		}
		for _, plan := range []string{fits, almost} {
			if !strings.Contains(plan, "addresses_search") && !strings.Contains(plan, "addresses_house") || strings.Contains(plan, "Seq Scan") {
				t.Errorf("%q does not use the indexes:\n%s", text, plan)
			}
		}
		if text[0] > '9' && !strings.Contains(fits, "addresses_search") {
			t.Errorf("%q does not use the index of words:\n%s", text, fits)
		}
	}
	nearby, err := s.ExplainNear(t.Context(), "m", near, 100_000)
	if err != nil || !strings.Contains(nearby, "addresses_geom") || strings.Contains(nearby, "Seq Scan") {
		t.Errorf("what is near does not use the index of places: %v\n%s", err, nearby)
	}
	areas, err := s.ExplainAreas(t.Context(), "m", near)
	if err != nil || !strings.Contains(areas, "areas_geom") {
		t.Errorf("areas do not use the index of shapes: %v\n%s", err, areas)
	}
	// Numbers alone, and words that fit most addresses, find something soon too.
	for _, text := range []string{"5", "s", "seattle", "9", "av"} {
		begun := time.Now()
		found, err := s.SearchAddresses(t.Context(), "m", text, &near, 10)
		if err != nil || len(found) != 10 {
			t.Errorf("%q: %d, error %v; want 10", text, len(found), err)
		}
		t.Logf("%q took %v", text, time.Since(begun))
	}
}

// realNetwork imports the smallest real extract, or skips the test, aloud, where there is none.
func realNetwork(tb testing.TB) *maps.Network {
	tb.Helper()
	path, err := filepath.Abs("../../../shared/data/osm/seattle-wedgwood.osm.pbf")
	if err != nil {
		tb.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		tb.Skipf("NOT RUN: no real extract beside the repository: %v", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		tb.Fatal(err)
	}
	n, _, err := osm.Import(tb.Context(), "seattle-wedgwood", f, info.Size(), osm.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// TestRealAddresses saves a real map and looks for its addresses, as people
// write them, with the geocoder and by SQL: both must name the same house.
func TestRealAddresses(t *testing.T) {
	t.Parallel()
	backends.Require(t, backends.Postgres)
	n := realNetwork(t)
	s := freshMaps(t)
	if err := s.SaveNetwork(t.Context(), "m", n); err != nil {
		t.Fatal(err)
	}
	read, err := s.Network(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(n.Hash(), read.Hash()); diff != "" {
		t.Errorf("the network that was read is another:%s", diff)
	}
	const sample = 500
	geocoder := maps.NewGeocoder(maps.NewIndex(n))
	draw := rng.Seed(7).Stream("addresses", "real")
	asked, same, typed := 0, 0, 0
	for i := range uint64(sample) {
		a := &n.Addresses[draw.N(i, int64(len(n.Addresses)))]
		text := fmt.Sprintf("%s %s, %s, WA %s", a.Number, shortStreet(a.Street), a.City, a.Postcode)
		m, err := geocoder.Geocode(text)
		if err != nil {
			continue // the map has no number for it
		}
		asked++
		found, err := s.SearchAddresses(t.Context(), "m", text, nil, 5)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) > 0 && (found[0] == m || m.Approximate && found[0].Address == m.Address) {
			same++
		}
		// Two letters before its end, without a place, the house is among the first five.
		begun := a.Number + " " + a.Street[:max(1, len(a.Street)-2)]
		if found, err = s.SearchAddresses(t.Context(), "m", begun, &a.Point, 5); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(found, func(m maps.Match) bool { return m.Point == a.Point }) {
			typed++
		}
	}
	t.Logf("of %d addresses both find the same for %d; %d are among five before they are typed to the end", asked, same, typed)
	if asked < sample*9/10 || same*100 < asked*98 || typed*100 < asked*98 {
		t.Errorf("asked %d, same %d, typed %d: want 98%% of at least %d", asked, same, typed, sample*9/10)
	}
}

// shortStreet writes a street as on an envelope.
func shortStreet(s string) string {
	return strings.NewReplacer("Avenue", "Ave", "Street", "St.", "Northeast", "NE", "Place", "Pl", "Drive", "Dr").Replace(s)
}

func BenchmarkSearchAddresses(b *testing.B) {
	s := bigStore(b, 100_000)
	near := maps.Point{Lon: -1_221_000_000, Lat: 476_000_000}
	for _, c := range []struct{ name, text string }{
		{"typed", "51 mapleview av"}, {"street", "quarryhaven"}, {"two letters", "qu"}, {"one letter", "s"}, {"number", "51"}, {"misspelt", "51 maplevew"}, {"misspelt street", "quaryhaven lane"},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				if _, err := s.SearchAddresses(b.Context(), "m", c.text, &near, 10); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
