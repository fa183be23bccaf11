package porttest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/market"
)

// rowStore is a store of rows with revisions, whatever they are.
type rowStore[V any] struct {
	get    func(id string) (V, error)
	create func(V) error
	save   func(V) (uint64, error)
	sample func(id string) V
	set    func(v *V, mark string, revision uint64) // writes mark wherever it can, unless it is ""
}

// run tries what all such stores promise. Each call of open returns an empty store.
func (rowStore[V]) run(t *testing.T, open func(t *testing.T) rowStore[V]) {
	t.Helper()
	t.Run("what is not there", func(t *testing.T) { open(t).missing(t) })
	t.Run("a write needs the stored revision", func(t *testing.T) { open(t).revisions(t) })
	t.Run("one of many wins", func(t *testing.T) { open(t).race(t) })
}

func (s rowStore[V]) missing(t *testing.T) {
	_, err := s.get("none")
	wantKind(t, "reading what is not there", err, fault.NotFound)
	_, err = s.get("a text\nno store has as an id '; --")
	wantKind(t, "reading what is not there, under an odd id", err, fault.NotFound)
	_, err = s.save(s.sample("none"))
	wantKind(t, "saving what is not there", err, fault.Conflict)
	_, err = s.get("none")
	wantKind(t, "reading what was not saved", err, fault.NotFound)
}

func (s rowStore[V]) want(t *testing.T, id string, want V) {
	t.Helper()
	got, err := s.get(id)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("read %s: error %v (-want +got)\n%s", id, err, diff)
	}
}

func (s rowStore[V]) revisions(t *testing.T) {
	want := s.sample("one")
	if err := s.create(want); err != nil {
		t.Fatal(err)
	}
	second := s.sample("one")
	s.set(&second, "another", 77)
	wantKind(t, "creating under a taken id", s.create(second), fault.Conflict)
	s.set(&want, "", 1)
	s.want(t, "one", want)
	for _, stale := range []uint64{0, 2, 77} {
		s.set(&second, "another", stale)
		_, err := s.save(second)
		wantKind(t, fmt.Sprintf("saving at revision %d, stored 1", stale), err, fault.Conflict)
	}
	s.want(t, "one", want)
	s.set(&want, "changed", 1)
	revision, err := s.save(want)
	if err != nil || revision <= 1 {
		t.Fatalf("save at the stored revision 1: revision %d, error %v; want a higher one", revision, err)
	}
	given := want
	s.set(&want, "spoiled", 1) // what the caller does with its own
	s.set(&given, "changed", revision)
	s.want(t, "one", given)
}

func (s rowStore[V]) race(t *testing.T) {
	wantOneWinner(t, "create", func(int) error { return s.create(s.sample("one")) })
	won := wantOneWinner(t, "save", func(i int) error {
		v := s.sample("one")
		s.set(&v, fmt.Sprint("name ", i), 1)
		_, err := s.save(v)
		return err
	})
	want := s.sample("one")
	got, err := s.get("one")
	if err != nil {
		t.Fatal(err)
	}
	s.set(&want, fmt.Sprint("name ", won), 2)
	s.set(&got, "", 2) // its revision may be any higher one
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("after the race (-want +got)\n%s", diff)
	}
}

// PartnerStore tries integration.PartnerStore. Each call of open returns an empty store.
func PartnerStore(t *testing.T, open func(t *testing.T) integration.PartnerStore) {
	t.Helper()
	sample := func(id string) integration.Partner {
		return integration.Partner{ID: delivery.PartnerID(id), Name: "Café \"" + id + "\"", Environment: integration.Sandbox, Dialect: integration.Uber, Markets: []market.ID{"m", "n"},
			Developer: "developer of " + id, Status: integration.Suspended, CreatedAt: 5, UpdatedAt: 9, Revision: 77}
	}
	rowStore[integration.Partner]{}.run(t, func(t *testing.T) rowStore[integration.Partner] {
		s := open(t)
		return rowStore[integration.Partner]{
			get:    func(id string) (integration.Partner, error) { return s.Partner(t.Context(), delivery.PartnerID(id)) },
			create: func(p integration.Partner) error { return s.CreatePartner(t.Context(), p) },
			save:   func(p integration.Partner) (uint64, error) { return s.SavePartner(t.Context(), p) },
			sample: sample,
			set: func(p *integration.Partner, mark string, revision uint64) {
				p.Revision = revision
				if mark != "" {
					p.Name, p.Status, p.Markets[1] = mark, integration.Active, market.ID(mark)
				}
			},
		}
	})
	t.Run("partners in pages", func(t *testing.T) { partnerPages(t, open(t), sample) })
	t.Run("a developer is one partner", func(t *testing.T) {
		s := open(t)
		if err := s.CreatePartner(t.Context(), sample("one")); err != nil {
			t.Fatal(err)
		}
		other := sample("two")
		other.Developer = sample("one").Developer
		wantKind(t, "CreatePartner with another's developer", s.CreatePartner(t.Context(), other), fault.Conflict)
		_, err := s.Partner(t.Context(), "two")
		wantKind(t, "Partner that was not created", err, fault.NotFound)
	})
}

func partnerPages(t *testing.T, s integration.PartnerStore, sample func(string) integration.Partner) {
	for _, i := range []int{3, 1, 4, 0, 2} {
		if err := s.CreatePartner(t.Context(), sample(fmt.Sprint("p", i))); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		after delivery.PartnerID
		limit int
		want  []delivery.PartnerID
	}{
		{"", 10, []delivery.PartnerID{"p0", "p1", "p2", "p3", "p4"}}, {"", 2, []delivery.PartnerID{"p0", "p1"}}, {"p1", 2, []delivery.PartnerID{"p2", "p3"}},
		{"p10", 2, []delivery.PartnerID{"p2", "p3"}}, {"p4", 9, nil}, {"", 0, nil},
	} {
		page, err := s.Partners(t.Context(), c.after, c.limit)
		var got []delivery.PartnerID
		for _, p := range page {
			got = append(got, p.ID)
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("Partners after %q, at most %d: error %v (-want +got)\n%s", c.after, c.limit, err, diff)
		}
	}
}

// KeyStore tries integration.KeyStore. Each call of open returns an empty store.
func KeyStore(t *testing.T, open func(t *testing.T) integration.KeyStore) {
	t.Helper()
	sample := func(id string) integration.Key {
		return integration.Key{ID: id, Partner: "p", CreatedAt: 5, ExpiresAt: 7, Revision: 77}
	}
	rowStore[integration.Key]{}.run(t, func(t *testing.T) rowStore[integration.Key] {
		s := open(t)
		return rowStore[integration.Key]{
			get:    func(id string) (integration.Key, error) { return s.Key(t.Context(), id) },
			create: func(k integration.Key) error { return s.CreateKey(t.Context(), k) },
			save:   func(k integration.Key) (uint64, error) { return s.SaveKey(t.Context(), k) },
			sample: sample,
			set: func(k *integration.Key, mark string, revision uint64) {
				k.Revision = revision
				if mark == "" {
					return
				}
				k.RevokedAt = 0
				for _, c := range mark {
					k.RevokedAt = 31*k.RevokedAt + clock.Time(c)
				}
			},
		}
	})
	t.Run("keys of a partner", func(t *testing.T) {
		s := open(t)
		for _, id := range []string{"k3", "k1", "k2"} {
			k := sample(id)
			if err := s.CreateKey(t.Context(), k); err != nil {
				t.Fatal(err)
			}
			k.ID, k.Partner = "other "+id, "q"
			if err := s.CreateKey(t.Context(), k); err != nil {
				t.Fatal(err)
			}
		}
		all, err := s.Keys(t.Context(), "p")
		if err != nil || len(all) != 3 || all[0].ID != "k1" || all[1].ID != "k2" || all[2].ID != "k3" {
			t.Errorf("Keys of p = %v, %v; want k1, k2, k3", all, err)
		}
		if none, err := s.Keys(t.Context(), "nobody"); err != nil || len(none) != 0 {
			t.Errorf("Keys of nobody = %v, %v; want none", none, err)
		}
	})
}

// EndpointStore tries integration.EndpointStore. Each call of open returns an empty store.
func EndpointStore(t *testing.T, open func(t *testing.T) integration.EndpointStore) {
	t.Helper()
	sample := func(id string) integration.Endpoint {
		return integration.Endpoint{ID: id, Partner: "p", Business: "b", Dialect: integration.Uber, URL: "https://hooks.example/a?b=é", Auth: integration.Auth{Kind: integration.OAuth, User: "u", TokenURL: "https://t.example", Scope: "s"},
			Events: []string{"A", "B"}, From: 1<<63 - 1, Status: integration.Gone, Signing: "s2", Before: "s1", OldUntil: 4, CreatedAt: 5, UpdatedAt: 9, Revision: 77}
	}
	rowStore[integration.Endpoint]{}.run(t, func(t *testing.T) rowStore[integration.Endpoint] {
		s := open(t)
		return rowStore[integration.Endpoint]{
			get:    func(id string) (integration.Endpoint, error) { return s.Endpoint(t.Context(), id) },
			create: func(e integration.Endpoint) error { return s.CreateEndpoint(t.Context(), e) },
			save:   func(e integration.Endpoint) (uint64, error) { return s.SaveEndpoint(t.Context(), e) },
			sample: sample,
			set: func(e *integration.Endpoint, mark string, revision uint64) {
				e.Revision = revision
				if mark != "" {
					e.URL, e.Status, e.Signing, e.Events[1] = mark, integration.Active, mark, mark
				}
			},
		}
	})
	t.Run("endpoints in pages", func(t *testing.T) { endpointPages(t, open(t), sample) })
	t.Run("an endpoint is dropped", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		for _, id := range []string{"e1", "e2"} {
			if err := s.CreateEndpoint(ctx, sample(id)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // a repeat changes nothing
			if err := s.DropEndpoint(ctx, "e1"); err != nil {
				t.Fatal(err)
			}
		}
		_, err := s.Endpoint(ctx, "e1")
		wantKind(t, "Endpoint that was dropped", err, fault.NotFound)
		if page, err := s.Endpoints(ctx, integration.Owner{}, "", 10); err != nil || len(page) != 1 || page[0].ID != "e2" {
			t.Errorf("Endpoints after a drop = %v, %v; want e2", page, err)
		}
	})
}

// endpointPages lists endpoints of all, of partners and of businesses. Two partners have a business of the same id.
func endpointPages(t *testing.T, s integration.EndpointStore, sample func(string) integration.Endpoint) {
	for id, of := range map[string]integration.Owner{"e0": {Partner: "p"}, "e1": {Partner: "p", Business: "café"}, "e2": {Partner: "q"}, "e3": {Partner: "p", Business: "café"},
		"e4": {Partner: "q", Business: "café"}, "e5": {Partner: "p", Business: "bar"}} {
		e := sample(id)
		e.Partner, e.Business = of.Partner, of.Business
		if err := s.CreateEndpoint(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		of    integration.Owner
		after string
		limit int
		want  []string
	}{
		{integration.Owner{}, "", 10, []string{"e0", "e1", "e2", "e3", "e4", "e5"}}, {integration.Owner{}, "e0", 2, []string{"e1", "e2"}},
		{integration.Owner{Partner: "p"}, "", 10, []string{"e0", "e1", "e3", "e5"}}, {integration.Owner{Partner: "p"}, "e1", 1, []string{"e3"}},
		{integration.Owner{Partner: "q"}, "", 10, []string{"e2", "e4"}}, {integration.Owner{Partner: "r"}, "", 10, nil},
		{integration.Owner{Partner: "p", Business: "café"}, "", 10, []string{"e1", "e3"}}, {integration.Owner{Partner: "p", Business: "café"}, "e1", 10, []string{"e3"}},
		{integration.Owner{Partner: "q", Business: "café"}, "", 10, []string{"e4"}}, {integration.Owner{Partner: "q", Business: "bar"}, "", 10, nil}, {integration.Owner{Partner: "p"}, "", 0, nil},
	} {
		page, err := s.Endpoints(t.Context(), c.of, c.after, c.limit)
		var got []string
		for _, e := range page {
			got = append(got, e.ID)
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("Endpoints of %s after %q, at most %d: error %v (-want +got)\n%s", c.of, c.after, c.limit, err, diff)
		}
	}
}

// SecretStore tries integration.SecretStore. Each call of open returns an empty store.
func SecretStore(t *testing.T, open func(t *testing.T) integration.SecretStore) {
	t.Helper()
	t.Run("secrets", func(t *testing.T) {
		s, ctx := open(t), t.Context()
		_, err := s.Secret(ctx, "key/none")
		wantKind(t, "Secret that is not there", err, fault.NotFound)
		if err := s.DropSecret(ctx, "key/none"); err != nil {
			t.Errorf("DropSecret of one that is not there = %v", err)
		}
		contents := map[string][]byte{"key/a": {0, 1, 255, '\n'}, "key/ab": []byte("b"), "endpoint/e/signing/1": bytes.Repeat([]byte{7}, 4096)}
		for name, b := range contents {
			for _, content := range [][]byte{[]byte("before"), b, b} {
				if err := s.PutSecret(ctx, name, integration.SecretOf(content)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for name, want := range contents {
			if got, err := s.Secret(ctx, name); err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("Secret(%s) = %d bytes, %v; want %d", name, len(got.Bytes()), err, len(want))
			}
		}
		if err := s.DropSecret(ctx, "key/a"); err != nil {
			t.Fatal(err)
		}
		_, err = s.Secret(ctx, "key/a")
		wantKind(t, "Secret that was dropped", err, fault.NotFound)
		if got, err := s.Secret(ctx, "key/ab"); err != nil || string(got.Bytes()) != "b" {
			t.Errorf("another secret after a drop: %v", err)
		}
	})
}
