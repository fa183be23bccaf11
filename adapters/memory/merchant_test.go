package memory

import (
	"bytes"
	"testing"

	"footway/core/merchant"
	"footway/core/porttest"
)

func TestMerchantStore(t *testing.T) {
	porttest.BusinessStore(t, func(*testing.T) merchant.BusinessStore { return NewMerchantStore() })
	porttest.StoreStore(t, func(*testing.T) merchant.StoreStore { return NewMerchantStore() })
}

func TestMerchantStoreSnapshot(t *testing.T) {
	fill := func(ids ...string) *MerchantStore {
		m := NewMerchantStore()
		for _, id := range ids {
			k := merchant.BusinessKey{Partner: "p", ID: id}
			if err := m.CreateBusiness(t.Context(), merchant.Business{BusinessKey: k, Name: id}); err != nil {
				t.Fatal(err)
			}
			if err := m.CreateStore(t.Context(), merchant.Store{StoreKey: merchant.StoreKey{Partner: "p", Business: id, ID: "s"}, Prep: 60_000}); err != nil {
				t.Fatal(err)
			}
		}
		return m
	}
	want, err := fill("a", "b", "c").Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	other, err := fill("c", "a", "b").Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, other) {
		t.Errorf("equal contents, different snapshots:\n%s\n%s", want, other)
	}
	restored := fill("x")
	if err := restored.Restore(want); err != nil {
		t.Fatal(err)
	}
	again, err := restored.Snapshot()
	if err != nil || !bytes.Equal(want, again) {
		t.Errorf("snapshot of the restored store: %s, error %v; want %s", again, err, want)
	}
	if err := restored.Restore([]byte("{")); err == nil {
		t.Error("a damaged snapshot was restored")
	}
}
