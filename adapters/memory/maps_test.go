package memory

import (
	"testing"

	"footway/core/maps"
	"footway/core/porttest"
)

func TestMapStore(t *testing.T) {
	porttest.MapStore(t, func(*testing.T) maps.Store { return NewMapStore() })
}

func TestMapStoreSnapshot(t *testing.T) {
	s := NewMapStore()
	if _, err := s.SaveState(t.Context(), "m", maps.State{Closures: []maps.Closure{{ID: "c", Edges: []maps.EdgeID{3}}}}); err != nil {
		t.Fatal(err)
	}
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	other := NewMapStore()
	if err := other.Restore(data); err != nil {
		t.Fatal(err)
	}
	again, err := other.Snapshot()
	if err != nil || string(again) != string(data) {
		t.Errorf("snapshot of the restored store: %s, error %v; want %s", again, err, data)
	}
	if err := other.Restore([]byte("{")); err == nil {
		t.Error("a damaged snapshot was restored")
	}
}

func TestAddressBook(t *testing.T) {
	porttest.AddressBook(t, func(*testing.T) porttest.MapStores { return NewMapStore() })
}
