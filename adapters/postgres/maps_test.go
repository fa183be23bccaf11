package postgres_test

import (
	"net/url"
	"testing"

	"footway/adapters/postgres"
	"footway/adapters/zstd"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/porttest"

	"github.com/google/go-cmp/cmp"
)

// freshMaps returns an empty store of maps.
func freshMaps(tb testing.TB) *postgres.MapStore {
	tb.Helper()
	return postgres.NewMapStore(fresh(tb, postgres.Maps), &zstd.Codec{})
}

func TestMapStore(t *testing.T) {
	t.Parallel()
	porttest.MapStore(t, func(t *testing.T) maps.Store { return freshMaps(t) })
}

func TestAddressBook(t *testing.T) {
	t.Parallel()
	porttest.AddressBook(t, func(t *testing.T) porttest.MapStores { return freshMaps(t) })
}

// TestStateRefused gives states that the tables cannot hold: the error says
// which part, and nothing is written.
func TestStateRefused(t *testing.T) {
	t.Parallel()
	s := freshMaps(t)
	triangle := []maps.Point{{}, {Lon: 1}, {Lat: 1}}
	area := func(id string) maps.Area { return maps.Area{ID: id, Kind: maps.NoGo, Polygon: triangle} }
	for name, st := range map[string]maps.State{
		"two corners":         {Areas: []maps.Area{{ID: "x", Kind: maps.NoGo, Polygon: triangle[:2]}}},
		"no corner":           {Areas: []maps.Area{{ID: "x", Kind: maps.NoGo}}},
		"closure, one corner": {Closures: []maps.Closure{{ID: "x", Polygon: triangle[:1]}}},
		"kind":                {Areas: []maps.Area{{ID: "x", Kind: "park", Polygon: triangle}}},
		"areas twice":         {Areas: []maps.Area{area("x"), area("x")}},
		"areas out of order":  {Areas: []maps.Area{area("x"), area("X")}},
		"closures twice":      {Closures: []maps.Closure{{ID: "x"}, {ID: "x"}}},
		"zero byte":           {Closures: []maps.Closure{{ID: "y", Reason: "x\x00"}}},
	} {
		if _, err := s.SaveState(t.Context(), "m", st); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want invalid", name, err)
		}
	}
	if st, err := s.State(t.Context(), "m"); err != nil || st.Revision != 0 || len(st.Areas)+len(st.Closures) != 0 {
		t.Errorf("refused states left %+v, error %v", st, err)
	}
}

// TestStateOfEmptyLists reads lists without elements back as none, as Clone makes them.
func TestStateOfEmptyLists(t *testing.T) {
	t.Parallel()
	s := freshMaps(t)
	st := maps.State{
		Areas:    []maps.Area{{ID: "a", Kind: maps.NoGo, Polygon: make([]maps.Point, 3), Hours: []maps.Hours{}}},
		Closures: []maps.Closure{{ID: "c", Edges: []maps.EdgeID{}, Polygon: []maps.Point{}}},
	}
	if _, err := s.SaveState(t.Context(), "m", st); err != nil {
		t.Fatal(err)
	}
	st.Revision = 1
	got, err := s.State(t.Context(), "m")
	if diff := cmp.Diff(st.Clone(), got); err != nil || diff != "" {
		t.Errorf("error %v (-saved +read)\n%s", err, diff)
	}
}

// withUser returns the address with another user.
func withUser(tb testing.TB, address, user, password string) string {
	tb.Helper()
	u, err := url.Parse(address)
	if err != nil {
		tb.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}
