package porttest

import (
	"testing"

	"footway/core/fault"
	"footway/core/maps"

	"github.com/google/go-cmp/cmp"
)

// MapStore runs the conformance suite of maps.Store; open returns an empty
// store, one for each case.
func MapStore(t *testing.T, open func(t *testing.T) maps.Store) {
	t.Run("unknown market", func(t *testing.T) {
		s := open(t)
		if _, err := s.Network(t.Context(), "m"); !fault.Is(err, fault.NotFound) {
			t.Errorf("Network of a market that has none: %v, want not found", err)
		}
		st, err := s.State(t.Context(), "m")
		if diff := cmp.Diff(maps.State{}, st); err != nil || diff != "" {
			t.Errorf("State of a market that has none: error %v (-want +got)\n%s", err, diff)
		}
	})
	t.Run("network", func(t *testing.T) { mapNetwork(t, open(t)) })
	t.Run("state", func(t *testing.T) { mapState(t, open(t)) })
	t.Run("stale state", func(t *testing.T) { mapStale(t, open(t)) })
	t.Run("copies", func(t *testing.T) { mapCopies(t, open(t)) })
	t.Run("markets apart", func(t *testing.T) { mapMarkets(t, open(t)) })
	t.Run("network saved again", func(t *testing.T) { mapSavedAgain(t, open(t)) })
	t.Run("exact corners", func(t *testing.T) { mapCorners(t, open(t)) })
	t.Run("writers at once", func(t *testing.T) { mapWriters(t, open(t)) })
	t.Run("readers see one state", func(t *testing.T) { mapReaders(t, open(t)) })
}

// smallNetwork returns a network of two nodes called name.
func smallNetwork(t *testing.T, name string) *maps.Network {
	t.Helper()
	b := maps.NewBuilder(name, "nobody")
	from, to := b.Node(maps.Point{Lon: -300_000_000, Lat: 470_000_000}), b.Node(maps.Point{Lon: -300_010_000, Lat: 470_000_000})
	b.Stretch(maps.Stretch{From: from, To: to, Name: "Quay", Shape: []maps.Point{{Lon: -300_005_000, Lat: 470_000_100}}})
	b.Address("1", "Quay", "Port Ellery", "0001", maps.Point{Lon: -300_005_000, Lat: 470_001_000})
	b.Merchant("Harbour Café", "cafe", 0, maps.Point{Lon: -300_005_000, Lat: 470_001_000})
	b.Backdrop(maps.BackdropWater, maps.StreetNone, true, "Basin", []maps.Point{{}, {Lon: 1}, {Lat: 1}})
	n, _, err := b.Build(maps.DefaultProfile())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mapNetwork(t *testing.T, s maps.Store) {
	for _, name := range []string{"first", "second"} { // the second replaces the first
		want := smallNetwork(t, name)
		if err := s.SaveNetwork(t.Context(), "m", want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Network(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("network %s (-saved +read)\n%s", name, diff)
		}
		if _, err := s.Network(t.Context(), "other"); !fault.Is(err, fault.NotFound) {
			t.Errorf("Network of another market: %v, want not found", err)
		}
	}
}

func fullState() maps.State {
	triangle := []maps.Point{{Lon: 1, Lat: 2}, {Lon: 30, Lat: 4}, {Lon: 5, Lat: 60}}
	return maps.State{
		Areas: []maps.Area{
			{ID: "a", Kind: maps.ServiceArea, Polygon: triangle, Hours: []maps.Hours{{From: 1000, To: 2000}}},
			{ID: "b", Kind: maps.Slow, Polygon: triangle, SpeedPermille: 400},
		},
		Closures: []maps.Closure{
			{ID: "c", Edges: []maps.EdgeID{1, 0}, From: 5, Until: 9, Reason: "works"},
			{ID: "d", Polygon: triangle, Reason: "market day"},
		},
		Speeds: maps.ClassSpeeds{maps.Path: 700},
	}
}

func mapState(t *testing.T, s maps.Store) {
	want := fullState()
	for range 3 {
		rev, err := s.SaveState(t.Context(), "m", want)
		if err != nil || rev <= want.Revision {
			t.Fatalf("SaveState at revision %d: revision %d, error %v; want a higher one", want.Revision, rev, err)
		}
		want.Revision = rev
		got, err := s.State(t.Context(), "m")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("State: error %v (-saved +read)\n%s", err, diff)
		}
		want.Closures = want.Closures[:1]
		want.Speeds[maps.Sidewalk] = 900
	}
	if other, err := s.State(t.Context(), "other"); err != nil || other.Revision != 0 {
		t.Errorf("State of another market: revision %d, error %v; want 0", other.Revision, err)
	}
	if err := s.SaveNetwork(t.Context(), "m", smallNetwork(t, "new")); err != nil {
		t.Fatal(err)
	}
	if got, err := s.State(t.Context(), "m"); err != nil || got.Revision != want.Revision {
		t.Errorf("after SaveNetwork the state has revision %d, error %v; want %d", got.Revision, err, want.Revision)
	}
}

func mapStale(t *testing.T, s maps.Store) {
	first := fullState()
	rev, err := s.SaveState(t.Context(), "m", first)
	if err != nil {
		t.Fatal(err)
	}
	for _, stale := range []uint64{0, rev + 1} {
		other := maps.State{Revision: stale}
		if _, err := s.SaveState(t.Context(), "m", other); !fault.Is(err, fault.Conflict) {
			t.Errorf("SaveState at revision %d, stored %d: %v, want conflict", stale, rev, err)
		}
	}
	got, err := s.State(t.Context(), "m")
	first.Revision = rev
	if diff := cmp.Diff(first, got); err != nil || diff != "" {
		t.Errorf("a refused write left a trace: error %v (-want +got)\n%s", err, diff)
	}
}

func mapCopies(t *testing.T, s maps.Store) {
	given := fullState()
	rev, err := s.SaveState(t.Context(), "m", given)
	if err != nil {
		t.Fatal(err)
	}
	given.Closures[0].Edges[0] = 99
	given.Areas[0].Polygon[0].Lon = 99
	got, err := s.State(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	got.Closures[1].Reason, got.Closures[0].Edges[1] = "changed", 99
	again, err := s.State(t.Context(), "m")
	want := fullState()
	want.Revision = rev
	if diff := cmp.Diff(want, again); err != nil || diff != "" {
		t.Errorf("the store shares memory with its callers: error %v (-want +got)\n%s", err, diff)
	}
}
