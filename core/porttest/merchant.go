package porttest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
)

// BusinessStore tests that what open returns keeps the contract of
// merchant.BusinessStore. Each call of open returns an empty store.
func BusinessStore(t *testing.T, open func(t *testing.T) merchant.BusinessStore) {
	t.Helper()
	t.Run("unknown business", func(t *testing.T) { businessUnknown(t, open(t)) })
	t.Run("business: a write needs the stored revision", func(t *testing.T) { businessConflict(t, open(t)) })
	t.Run("businesses of a partner in pages", func(t *testing.T) { businessPages(t, open(t)) })
	t.Run("business: one of many wins", func(t *testing.T) { businessRace(t, open(t)) })
}

func business(partner delivery.PartnerID, id string) merchant.Business {
	return merchant.Business{
		BusinessKey: merchant.BusinessKey{Partner: partner, ID: id},
		Name:        "Harbour Café " + id, Description: "soups", Status: merchant.Inactive, CreatedAt: 5, UpdatedAt: 9, Revision: 77,
	}
}

func businessUnknown(t *testing.T, s merchant.BusinessStore) {
	if _, err := s.Business(t.Context(), business("p", "none").BusinessKey); !fault.Is(err, fault.NotFound) {
		t.Errorf("Business that is not there: %v, want not found", err)
	}
	if _, err := s.SaveBusiness(t.Context(), business("p", "none")); !fault.Is(err, fault.Conflict) {
		t.Errorf("SaveBusiness of one that is not there: %v, want conflict", err)
	}
	if all, err := s.Businesses(t.Context(), "p", "", 10); err != nil || len(all) != 0 {
		t.Errorf("Businesses of an empty store: %v, error %v; want none", all, err)
	}
}

func businessConflict(t *testing.T, s merchant.BusinessStore) {
	want := business("p", "one")
	if err := s.CreateBusiness(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	second := business("p", "one")
	second.Name = "another"
	if err := s.CreateBusiness(t.Context(), second); !fault.Is(err, fault.Conflict) {
		t.Errorf("CreateBusiness of a taken key: %v, want conflict", err)
	}
	want.Revision = 1
	wantBusiness(t, s, want)
	for _, stale := range []uint64{0, 2, 77} {
		second.Revision = stale
		if _, err := s.SaveBusiness(t.Context(), second); !fault.Is(err, fault.Conflict) {
			t.Errorf("SaveBusiness at revision %d, stored 1: %v, want conflict", stale, err)
		}
	}
	wantBusiness(t, s, want)
	want.Name, want.Status = "Harbour Café", merchant.Active
	revision, err := s.SaveBusiness(t.Context(), want)
	if err != nil || revision <= 1 {
		t.Fatalf("SaveBusiness at the stored revision 1: revision %d, error %v; want a higher one", revision, err)
	}
	want.Revision = revision
	wantBusiness(t, s, want)
}

func wantBusiness(t *testing.T, s merchant.BusinessStore, want merchant.Business) {
	t.Helper()
	got, err := s.Business(t.Context(), want.BusinessKey)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Business: error %v (-want +got)\n%s", err, diff)
	}
}

func businessPages(t *testing.T, s merchant.BusinessStore) {
	for _, i := range []int{3, 1, 4, 0, 2} {
		for _, p := range []delivery.PartnerID{"p", "q"} {
			if err := s.CreateBusiness(t.Context(), business(p, fmt.Sprint("b", i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"b0", "b1", "b2", "b3", "b4"}},
		{"", 2, []string{"b0", "b1"}},
		{"b1", 2, []string{"b2", "b3"}},
		{"b10", 2, []string{"b2", "b3"}}, // an id that is gone is a place as good as any
		{"b3", 9, []string{"b4"}},
		{"b4", 9, nil},
	} {
		page, err := s.Businesses(t.Context(), "p", c.after, c.limit)
		var got []string
		for _, b := range page {
			got = append(got, b.ID)
			if b.Partner != "p" {
				t.Errorf("Businesses of p returned one of %q", b.Partner)
			}
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("Businesses after %q, at most %d: error %v (-want +got)\n%s", c.after, c.limit, err, diff)
		}
	}
}

func businessRace(t *testing.T, s merchant.BusinessStore) {
	wantOneWinner(t, "CreateBusiness", func(int) error { return s.CreateBusiness(t.Context(), business("p", "one")) })
	won := wantOneWinner(t, "SaveBusiness", func(i int) error {
		b := business("p", "one")
		b.Name, b.Revision = fmt.Sprint("name ", i), 1
		_, err := s.SaveBusiness(t.Context(), b)
		return err
	})
	if got, err := s.Business(t.Context(), business("p", "one").BusinessKey); err != nil || got.Name != fmt.Sprint("name ", won) {
		t.Errorf("the business is %q, error %v; want that of writer %d", got.Name, err, won)
	}
}

// wantOneWinner makes a write from eight writers at once, and returns the only
// one that does not fail with fault.Conflict.
func wantOneWinner(t *testing.T, what string, write func(writer int) error) int {
	t.Helper()
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = write(i) })
	}
	wg.Wait()
	won := []int{}
	for i, err := range errs {
		if err == nil {
			won = append(won, i)
		} else if !fault.Is(err, fault.Conflict) {
			t.Errorf("%s at the same time as others: %v, want nil or conflict", what, err)
		}
	}
	if len(won) != 1 {
		t.Fatalf("%s of writers %v succeeded, want one", what, won)
	}
	return won[0]
}

// StoreStore tests that what open returns keeps the contract of
// merchant.StoreStore. Each call of open returns an empty store.
func StoreStore(t *testing.T, open func(t *testing.T) merchant.StoreStore) {
	t.Helper()
	t.Run("unknown store", func(t *testing.T) { storeUnknown(t, open(t)) })
	t.Run("store: a write needs the stored revision", func(t *testing.T) { storeConflict(t, open(t)) })
	t.Run("stores of a business in pages", func(t *testing.T) { storePages(t, open(t)) })
	t.Run("store: one of many wins", func(t *testing.T) { storeRace(t, open(t)) })
}

func store(partner delivery.PartnerID, business, id string) merchant.Store {
	return merchant.Store{
		StoreKey: merchant.StoreKey{Partner: partner, Business: business, ID: id},
		Name:     "Harbour Café", Address: "1 Quay, Port Ellery", Phone: "+12065550101", Status: merchant.Inactive, Prep: 90_000, Hours: "Mo-Fr 08:00-18:00", CreatedAt: 5, UpdatedAt: 9, Revision: 77,
	}
}

func storeUnknown(t *testing.T, s merchant.StoreStore) {
	if _, err := s.Store(t.Context(), store("p", "b", "none").StoreKey); !fault.Is(err, fault.NotFound) {
		t.Errorf("Store that is not there: %v, want not found", err)
	}
	if _, err := s.SaveStore(t.Context(), store("p", "b", "none")); !fault.Is(err, fault.Conflict) {
		t.Errorf("SaveStore of one that is not there: %v, want conflict", err)
	}
	if all, err := s.Stores(t.Context(), merchant.BusinessKey{Partner: "p", ID: "b"}, "", 10); err != nil || len(all) != 0 {
		t.Errorf("Stores of an empty store: %v, error %v; want none", all, err)
	}
}

func storeConflict(t *testing.T, s merchant.StoreStore) {
	want := store("p", "b", "one")
	if err := s.CreateStore(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	second := store("p", "b", "one")
	second.Address = "elsewhere"
	if err := s.CreateStore(t.Context(), second); !fault.Is(err, fault.Conflict) {
		t.Errorf("CreateStore of a taken key: %v, want conflict", err)
	}
	want.Revision = 1
	wantStore(t, s, want)
	for _, stale := range []uint64{0, 2, 77} {
		second.Revision = stale
		if _, err := s.SaveStore(t.Context(), second); !fault.Is(err, fault.Conflict) {
			t.Errorf("SaveStore at revision %d, stored 1: %v, want conflict", stale, err)
		}
	}
	wantStore(t, s, want)
	want.Address, want.Status = "2 Quay, Port Ellery", merchant.Active
	revision, err := s.SaveStore(t.Context(), want)
	if err != nil || revision <= 1 {
		t.Fatalf("SaveStore at the stored revision 1: revision %d, error %v; want a higher one", revision, err)
	}
	want.Revision = revision
	wantStore(t, s, want)
}

func wantStore(t *testing.T, s merchant.StoreStore, want merchant.Store) {
	t.Helper()
	got, err := s.Store(t.Context(), want.StoreKey)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Store: error %v (-want +got)\n%s", err, diff)
	}
}

func storePages(t *testing.T, s merchant.StoreStore) {
	for _, i := range []int{3, 1, 0, 2} {
		for _, of := range []merchant.BusinessKey{{Partner: "p", ID: "b"}, {Partner: "p", ID: "c"}, {Partner: "q", ID: "b"}} {
			if err := s.CreateStore(t.Context(), store(of.Partner, of.ID, fmt.Sprint("s", i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 10, []string{"s0", "s1", "s2", "s3"}},
		{"s0", 2, []string{"s1", "s2"}},
		{"s3", 2, nil},
	} {
		page, err := s.Stores(t.Context(), merchant.BusinessKey{Partner: "p", ID: "b"}, c.after, c.limit)
		var got []string
		for _, st := range page {
			got = append(got, st.ID)
			if st.Of() != (merchant.BusinessKey{Partner: "p", ID: "b"}) {
				t.Errorf("Stores of p/b returned one of %+v", st.Of())
			}
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("Stores after %q, at most %d: error %v (-want +got)\n%s", c.after, c.limit, err, diff)
		}
	}
}

// storeRace writes a store of a business that there is not: nobody looks for it.
func storeRace(t *testing.T, s merchant.StoreStore) {
	wantOneWinner(t, "CreateStore", func(int) error { return s.CreateStore(t.Context(), store("p", "nobody", "one")) })
	won := wantOneWinner(t, "SaveStore", func(i int) error {
		st := store("p", "nobody", "one")
		st.Name, st.Revision = fmt.Sprint("name ", i), 1
		_, err := s.SaveStore(t.Context(), st)
		return err
	})
	if got, err := s.Store(t.Context(), store("p", "nobody", "one").StoreKey); err != nil || got.Name != fmt.Sprint("name ", won) {
		t.Errorf("the store is %q, error %v; want that of writer %d", got.Name, err, won)
	}
}
