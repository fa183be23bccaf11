package merchant_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/merchant"
	"footway/core/porttest/fake"
)

func newService() (*merchant.Service, *fake.Clock) {
	m, c := memory.NewMerchantStore(), fake.NewClock(fake.Start)
	return merchant.NewService(m, m, c), c
}

func cafe(id string) merchant.Business {
	return merchant.Business{BusinessKey: merchant.BusinessKey{Partner: "p", ID: id}, Name: "Harbour Café"}
}

func quay(id string) merchant.Store {
	return merchant.Store{StoreKey: merchant.StoreKey{Partner: "p", Business: "cafe", ID: id}, Name: "Quay", Address: "1 Quay, Port Ellery"}
}

func wantFault(t *testing.T, what string, err error, kind fault.Kind, reason string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.ReasonOf(err) != reason {
		t.Errorf("%s: error %v; want %v, reason %q", what, err, kind, reason)
	}
}

func TestRegister(t *testing.T) {
	s, clk := newService()
	_, err := s.CreateStore(t.Context(), quay("quay"))
	wantFault(t, "store of an unknown business", err, fault.NotFound, merchant.UnknownBusiness)
	b, err := s.CreateBusiness(t.Context(), cafe("cafe"))
	if err != nil || b.Status != merchant.Active || b.CreatedAt != fake.Start {
		t.Fatalf("CreateBusiness: %+v, error %v; want it active since now", b, err)
	}
	st, err := s.CreateStore(t.Context(), quay("quay"))
	if err != nil || st.Status != merchant.Active {
		t.Fatalf("CreateStore: %+v, error %v; want it active", st, err)
	}
	clk.Advance(1000)
	if again, err := s.CreateBusiness(t.Context(), cafe("cafe")); err != nil || again != b {
		t.Errorf("CreateBusiness repeated: %+v, error %v; want the first one", again, err)
	}
	if again, err := s.CreateStore(t.Context(), quay("quay")); err != nil || again != st {
		t.Errorf("CreateStore repeated: %+v, error %v; want the first one", again, err)
	}
	other := cafe("cafe")
	other.Description = "another"
	_, err = s.CreateBusiness(t.Context(), other)
	wantFault(t, "another business with the id", err, fault.Conflict, merchant.DuplicateBusiness)
	elsewhere := quay("quay")
	elsewhere.Prep = 1
	_, err = s.CreateStore(t.Context(), elsewhere)
	wantFault(t, "another store with the id", err, fault.Conflict, merchant.DuplicateStore)
	_, err = s.Store(t.Context(), quay("nowhere").StoreKey)
	wantFault(t, "unknown store", err, fault.NotFound, merchant.UnknownStore)
	_, err = s.Store(t.Context(), merchant.StoreKey{Partner: "q", Business: "cafe", ID: "quay"})
	wantFault(t, "another partner's store", err, fault.NotFound, merchant.UnknownBusiness)
	_, _, err = s.Stores(t.Context(), merchant.BusinessKey{Partner: "p", ID: "none"}, "")
	wantFault(t, "stores of an unknown business", err, fault.NotFound, merchant.UnknownBusiness)
}

func TestChecks(t *testing.T) {
	s, _ := newService()
	if _, err := s.CreateBusiness(t.Context(), cafe("cafe")); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*merchant.Business){
		"short id":         func(b *merchant.Business) { b.ID = "ab" },
		"long id":          func(b *merchant.Business) { b.ID = strings.Repeat("a", 65) },
		"id with a slash":  func(b *merchant.Business) { b.ID = "a/b/c" },
		"no partner":       func(b *merchant.Business) { b.Partner = "" },
		"no name":          func(b *merchant.Business) { b.Name = "" },
		"long name":        func(b *merchant.Business) { b.Name = strings.Repeat("a", 201) },
		"long description": func(b *merchant.Business) { b.Description = strings.Repeat("a", 501) },
		"unknown status":   func(b *merchant.Business) { b.Status = "asleep" },
	} {
		b := cafe("other")
		change(&b)
		_, err := s.CreateBusiness(t.Context(), b)
		wantFault(t, "business: "+name, err, fault.Invalid, delivery.ValidationError)
	}
	for name, change := range map[string]func(*merchant.Store){
		"short id":       func(s *merchant.Store) { s.ID = "ab" },
		"no business":    func(s *merchant.Store) { s.Business = "" },
		"no name":        func(s *merchant.Store) { s.Name = "" },
		"no address":     func(s *merchant.Store) { s.Address = "" },
		"long address":   func(s *merchant.Store) { s.Address = strings.Repeat("a", 301) },
		"negative prep":  func(s *merchant.Store) { s.Prep = -1 },
		"unknown status": func(s *merchant.Store) { s.Status = "asleep" },
	} {
		st := quay("quay")
		change(&st)
		_, err := s.CreateStore(t.Context(), st)
		wantFault(t, "store: "+name, err, fault.Invalid, delivery.ValidationError)
	}
}

func TestEdit(t *testing.T) {
	s, clk := newService()
	b, err := s.CreateBusiness(t.Context(), cafe("cafe"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := s.CreateStore(t.Context(), quay("quay"))
	if err != nil {
		t.Fatal(err)
	}
	clk.Advance(1000)
	if same, err := s.EditBusiness(t.Context(), b.BusinessKey, merchant.BusinessEdit{Name: &b.Name}); err != nil || same != b {
		t.Errorf("EditBusiness to what it is: %+v, error %v; want it untouched", same, err)
	}
	b.Name, b.UpdatedAt, b.Revision = "Café", clk.Now(), 2
	if got, err := s.EditBusiness(t.Context(), b.BusinessKey, merchant.BusinessEdit{Name: &b.Name}); err != nil || got != b {
		t.Errorf("EditBusiness: %+v, error %v; want %+v", got, err, b)
	}
	st.Address, st.Status, st.Prep, st.UpdatedAt, st.Revision = "2 Quay", merchant.Inactive, 60_000, clk.Now(), 2
	if got, err := s.EditStore(t.Context(), st.StoreKey, merchant.StoreEdit{Address: &st.Address, Status: &st.Status, Prep: &st.Prep}); err != nil || got != st {
		t.Errorf("EditStore: %+v, error %v; want %+v", got, err, st)
	}
	if got, err := s.Store(t.Context(), st.StoreKey); err != nil || got != st {
		t.Errorf("Store after EditStore: %+v, error %v; want %+v", got, err, st)
	}
	empty := ""
	_, err = s.EditStore(t.Context(), st.StoreKey, merchant.StoreEdit{Name: &empty})
	wantFault(t, "EditStore to no name", err, fault.Invalid, delivery.ValidationError)
	_, err = s.EditBusiness(t.Context(), merchant.BusinessKey{Partner: "p", ID: "none"}, merchant.BusinessEdit{Name: &b.Name})
	wantFault(t, "EditBusiness of none", err, fault.NotFound, merchant.UnknownBusiness)
}

// rival lets another writer be faster, a number of times.
type rival struct {
	*memory.MerchantStore
	times int
}

func (r *rival) SaveStore(ctx context.Context, s merchant.Store) (uint64, error) {
	if r.times > 0 {
		r.times--
		other, err := r.Store(ctx, s.StoreKey)
		if err != nil {
			return 0, err
		}
		other.Phone += "0"
		if _, err := r.MerchantStore.SaveStore(ctx, other); err != nil {
			return 0, err
		}
	}
	return r.MerchantStore.SaveStore(ctx, s)
}

func TestEditAgainstAnotherWriter(t *testing.T) {
	for _, times := range []int{3, 1000} {
		r := &rival{MerchantStore: memory.NewMerchantStore()}
		s := merchant.NewService(r, r, fake.NewClock(fake.Start))
		if _, err := s.CreateBusiness(t.Context(), cafe("cafe")); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateStore(t.Context(), quay("quay")); err != nil {
			t.Fatal(err)
		}
		r.times = times
		name := "Pier"
		got, err := s.EditStore(t.Context(), quay("quay").StoreKey, merchant.StoreEdit{Name: &name})
		if times > 100 {
			wantFault(t, "EditStore that never wins", err, fault.Unavailable, merchant.Stale)
		} else if err != nil || got.Name != name || got.Phone != "000" {
			t.Errorf("EditStore: %+v, error %v; want both writers' changes", got, err)
		}
	}
}

func TestPages(t *testing.T) {
	s, _ := newService()
	if _, err := s.CreateBusiness(t.Context(), cafe("cafe")); err != nil {
		t.Fatal(err)
	}
	const n = 2*merchant.PageSize + 7
	for i := range n {
		if _, err := s.CreateStore(t.Context(), quay(fmt.Sprintf("store-%03d", i))); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateBusiness(t.Context(), cafe(fmt.Sprintf("more-%03d", i))); err != nil {
			t.Fatal(err)
		}
	}
	var sizes, seen []int
	for token, more := "", true; more; more = token != "" {
		page, next, err := s.Stores(t.Context(), cafe("cafe").BusinessKey, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, st := range page {
			if want := fmt.Sprintf("store-%03d", len(seen)); st.ID != want {
				t.Fatalf("store %d is %s, want %s", len(seen), st.ID, want)
			}
			seen = append(seen, 1)
		}
		sizes, token = append(sizes, len(page)), next
	}
	if len(seen) != n || len(sizes) != 3 {
		t.Errorf("%d stores in pages of %v, want %d in 3 pages", len(seen), sizes, n)
	}
	businesses, next, err := s.Businesses(t.Context(), "p", "")
	if err != nil || len(businesses) != merchant.PageSize || next == "" {
		t.Errorf("Businesses: %d, next %q, error %v; want a full page and a token", len(businesses), next, err)
	}
	for _, token := range []string{"x", "after.", "after.a b c", "store-001"} {
		_, _, err := s.Stores(t.Context(), cafe("cafe").BusinessKey, token)
		wantFault(t, "token "+token, err, fault.Invalid, merchant.BadToken)
	}
}
