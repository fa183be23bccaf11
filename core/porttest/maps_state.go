package porttest

import (
	"fmt"
	"sync"
	"testing"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func mapMarkets(t *testing.T, s maps.Store) {
	for i, m := range []market.ID{"a", "b", "a b", "ä", "'; DROP TABLE areas; --"} {
		n := smallNetwork(t, string(m))
		if err := s.SaveNetwork(t.Context(), m, n); err != nil {
			t.Fatal(err)
		}
		st := fullState()
		st.Closures[0].Reason = fmt.Sprint(i)
		if _, err := s.SaveState(t.Context(), m, st); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range []market.ID{"a", "b"} {
		n, err := s.Network(t.Context(), m)
		if err != nil || n.Name != string(m) {
			t.Errorf("market %q has the network of another: error %v", m, err)
		}
	}
	if st, err := s.State(t.Context(), "b"); err != nil || st.Closures[0].Reason != "1" || len(st.Areas) != 2 {
		t.Errorf("market b has the state of another: %+v, error %v", st, err)
	}
}

func mapSavedAgain(t *testing.T, s maps.Store) {
	for range 2 {
		if err := s.SaveNetwork(t.Context(), "m", smallNetwork(t, "same")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Network(t.Context(), "m"); err != nil || cmp.Diff(smallNetwork(t, "same"), got) != "" {
		t.Errorf("a network saved twice is not itself: error %v", err)
	}
}

// mapCorners saves polygons at the ends of the Earth and anywhere on it, some
// of which cross themselves, and reads them back to the last unit.
func mapCorners(t *testing.T, s maps.Store) {
	const right = 900_000_000
	var revision uint64
	ctx := t.Context()
	trip := func(t rapid.TB, st maps.State) {
		st.Revision = revision
		var err error
		if revision, err = s.SaveState(ctx, "m", st); err != nil {
			t.Fatal(err)
		}
		st.Revision = revision
		got, err := s.State(ctx, "m")
		if diff := cmp.Diff(st, got); err != nil || diff != "" {
			t.Fatalf("error %v (-saved +read)\n%s", err, diff)
		}
	}
	earth := []maps.Point{{Lon: -2 * right, Lat: -right}, {Lon: 2 * right, Lat: -right}, {Lon: 2 * right, Lat: right}, {Lon: -2 * right, Lat: right}}
	bow := []maps.Point{{Lon: 1, Lat: 1}, {Lon: -1, Lat: -1}, {Lon: 1, Lat: -1}, {Lon: -1, Lat: 1}}
	closed := []maps.Point{{Lon: 1, Lat: 3}, {Lon: 5, Lat: 3}, {Lon: 5, Lat: 8}, {Lon: 1, Lat: 3}} // repeats its first corner, and must go on doing so
	same := make([]maps.Point, 3)
	trip(t, maps.State{Areas: []maps.Area{
		{ID: "bow", Kind: maps.NoGo, Polygon: bow}, {ID: "closed", Kind: maps.NoGo, Polygon: closed},
		{ID: "earth", Kind: maps.NoGo, Polygon: earth}, {ID: "same", Kind: maps.NoGo, Polygon: same},
	}})
	corner := rapid.Custom(func(t *rapid.T) maps.Point {
		return maps.Point{Lon: rapid.Int32Range(-2*right, 2*right).Draw(t, "lon"), Lat: rapid.Int32Range(-right, right).Draw(t, "lat")}
	})
	rapid.Check(t, func(t *rapid.T) {
		corners := rapid.SliceOfN(corner, 3, 8)
		trip(t, maps.State{
			Areas: []maps.Area{{ID: "a", Kind: maps.Slow, SpeedPermille: 500, Polygon: corners.Draw(t, "area"), Hours: []maps.Hours{{From: 0, To: clock.Day}, {From: 1, To: 2}}}},
			Closures: []maps.Closure{{
				ID: "c", Polygon: corners.Draw(t, "closure"), Edges: []maps.EdgeID{maps.EdgeID(rapid.Int32().Draw(t, "edge"))},
				From: clock.Time(rapid.Int64().Draw(t, "from")), Until: clock.Time(rapid.Int64().Draw(t, "until")), Reason: "Flohmarkt „am Fluß“ \\ '\"",
			}},
		})
	})
}

// mapWriters lets several write at each revision: one must win, and the others hear of it.
func mapWriters(t *testing.T, s maps.Store) {
	const writers, rounds = 8, 5
	var revision uint64
	for range rounds {
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := map[string]uint64{}
		for w := range writers {
			wg.Go(func() {
				reason := fmt.Sprint(w)
				rev, err := s.SaveState(t.Context(), "m", maps.State{Revision: revision, Closures: []maps.Closure{{ID: "c", Edges: []maps.EdgeID{1}, Reason: reason}}})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won[reason] = rev
				} else if !fault.Is(err, fault.Conflict) {
					t.Errorf("a writer that came too late got %v, want conflict", err)
				}
			})
		}
		wg.Wait()
		got, err := s.State(t.Context(), "m")
		if err != nil || len(got.Closures) != 1 {
			t.Fatalf("state %+v, error %v", got, err)
		}
		if rev, ok := won[got.Closures[0].Reason]; len(won) != 1 || !ok || rev != got.Revision || rev <= revision {
			t.Fatalf("at revision %d won %v; the stored one is %+v", revision, won, got)
		}
		revision = got.Revision
	}
}

// mapReaders reads while another writes states whose parts all name their
// revision: what is read must be of one.
func mapReaders(t *testing.T, s maps.Store) {
	const writes = 40
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		st := fullState()
		for i := range int32(writes) {
			st.Areas[1].SpeedPermille, st.Closures[0].Edges[0], st.Speeds[maps.Path] = i, maps.EdgeID(i), i
			rev, err := s.SaveState(t.Context(), "m", st)
			if err != nil {
				t.Error(err)
				return
			}
			st.Revision = rev
		}
	})
	defer wg.Wait()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		st, err := s.State(t.Context(), "m")
		if err != nil {
			t.Error(err)
			return
		}
		if st.Revision == 0 {
			continue
		}
		area, closure := st.Areas[1].SpeedPermille, int32(st.Closures[0].Edges[0])
		if area != closure || area != st.Speeds[maps.Path] {
			t.Errorf("revision %d has an area of write %d, a closure of %d and a speed of %d", st.Revision, area, closure, st.Speeds[maps.Path])
		}
	}
}
