package memory

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
)

// DeliveryStore keeps deliveries, their personal data and their outbox.
type DeliveryStore struct {
	mu         sync.Mutex
	deliveries map[delivery.ID]delivery.Delivery
	external   map[externalKey]delivery.ID
	personal   map[delivery.ID]delivery.Personal
	open       map[market.ID][]delivery.ID // sorted
	outbox     outbox
	byPartner  map[delivery.PartnerID][]delivery.ID
	history    map[delivery.ID][]delivery.Update // nil unless KeepHistory was called
}

type externalKey struct {
	partner delivery.PartnerID
	id      string
}

var (
	_ delivery.Store         = (*DeliveryStore)(nil)
	_ delivery.OpenStore     = (*DeliveryStore)(nil)
	_ delivery.PersonalStore = (*DeliveryStore)(nil)
	_ delivery.Outbox        = (*DeliveryStore)(nil)
)

// NewDeliveryStore returns an empty store.
func NewDeliveryStore() *DeliveryStore {
	return &DeliveryStore{
		deliveries: map[delivery.ID]delivery.Delivery{},
		external:   map[externalKey]delivery.ID{},
		personal:   map[delivery.ID]delivery.Personal{},
		open:       map[market.ID][]delivery.ID{},
		outbox:     newOutbox(),
		byPartner:  map[delivery.PartnerID][]delivery.ID{},
	}
}

// Delivery implements delivery.Store.
func (s *DeliveryStore) Delivery(_ context.Context, id delivery.ID) (delivery.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.deliveries[id]
	if !ok {
		return delivery.Delivery{}, fault.New("memory.Delivery", fault.NotFound, "", "no delivery %s", id)
	}
	return d.Clone(), nil
}

// ByExternal implements delivery.Store.
func (s *DeliveryStore) ByExternal(_ context.Context, p delivery.PartnerID, externalID string) (delivery.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.external[externalKey{p, externalID}]
	if !ok {
		return delivery.Delivery{}, fault.New("memory.ByExternal", fault.NotFound, "", "no delivery %q of %s", externalID, p)
	}
	return s.deliveries[id].Clone(), nil
}

// Create implements delivery.Store.
func (s *DeliveryStore) Create(_ context.Context, d delivery.Delivery, p delivery.Personal, u ...delivery.Update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := externalKey{d.Partner, d.ExternalID}
	if _, taken := s.deliveries[d.ID]; taken {
		return fault.New("memory.Create", fault.Conflict, "", "delivery %s exists", d.ID)
	}
	if other, taken := s.external[k]; taken {
		return fault.New("memory.Create", fault.Conflict, "", "delivery %q of %s exists as %s", d.ExternalID, d.Partner, other)
	}
	d.Revision, p.Delivery = 1, d.ID
	s.put(d.Clone())
	s.external[k] = d.ID
	s.personal[d.ID] = p.Clone()
	s.told(u)
	return nil
}

// Save implements delivery.Store.
func (s *DeliveryStore) Save(_ context.Context, d delivery.Delivery, u ...delivery.Update) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stored := s.deliveries[d.ID]; stored.Revision != d.Revision || d.Revision == 0 {
		return 0, fault.New("memory.Save", fault.Conflict, "", "delivery %s has revision %d, not %d", d.ID, stored.Revision, d.Revision)
	}
	d.Revision++
	s.put(d.Clone())
	s.told(u)
	return d.Revision, nil
}

// put stores d, which nobody else may hold, and keeps the open ones sorted.
func (s *DeliveryStore) put(d delivery.Delivery) {
	if _, known := s.deliveries[d.ID]; !known {
		s.byPartner[d.Partner] = append(s.byPartner[d.Partner], d.ID)
	}
	s.deliveries[d.ID] = d
	ids := s.open[d.Market]
	i, found := slices.BinarySearch(ids, d.ID)
	switch open := d.Open(); {
	case open && !found:
		s.open[d.Market] = slices.Insert(ids, i, d.ID)
	case !open && found:
		s.open[d.Market] = slices.Delete(ids, i, i+1)
	}
}

// Open implements delivery.OpenStore.
func (s *DeliveryStore) Open(_ context.Context, m market.ID, after delivery.ID, limit int) ([]delivery.Delivery, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := s.open[m]
	i, found := slices.BinarySearch(ids, after)
	if found {
		i++
	}
	ids = ids[i:min(len(ids), i+limit)]
	page := make([]delivery.Delivery, len(ids))
	for k, id := range ids {
		page[k] = s.deliveries[id].Clone()
	}
	return page, nil
}

// Personal implements delivery.PersonalStore.
func (s *DeliveryStore) Personal(_ context.Context, id delivery.ID) (delivery.Personal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.personal[id]
	if !ok {
		return delivery.Personal{}, fault.New("memory.Personal", fault.NotFound, "", "nothing is kept of delivery %s", id)
	}
	return p.Clone(), nil
}

// SavePersonal implements delivery.PersonalStore.
func (s *DeliveryStore) SavePersonal(_ context.Context, p delivery.Personal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.deliveries[p.Delivery]; !ok {
		return fault.New("memory.SavePersonal", fault.NotFound, "", "no delivery %s", p.Delivery)
	}
	s.personal[p.Delivery] = p.Clone()
	return nil
}

// Forget implements delivery.PersonalStore.
func (s *DeliveryStore) Forget(_ context.Context, t clock.Time) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.personal)
	maps.DeleteFunc(s.personal, func(id delivery.ID, _ delivery.Personal) bool {
		d := s.deliveries[id]
		return d.State.Ended() && d.Times.Ended < t || d.State == delivery.Quoted && d.ExpiresAt < t
	})
	return n - len(s.personal), nil
}

// Unsent implements delivery.Outbox.
func (s *DeliveryStore) Unsent(_ context.Context, limit int) ([]delivery.Update, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.outbox.unsent(limit), nil
}

// MarkSent implements delivery.Outbox.
func (s *DeliveryStore) MarkSent(_ context.Context, u ...delivery.UpdateKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range u {
		s.outbox.mark(k)
	}
	return nil
}

// deliverySnapshot is a DeliveryStore written down.
type deliverySnapshot struct {
	Deliveries []delivery.Delivery `json:"deliveries"`
	Personal   []delivery.Personal `json:"personal"`
	Unsent     []delivery.Update   `json:"unsent"`
}

// Snapshot returns all that is stored, in an order of its own.
func (s *DeliveryStore) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(deliverySnapshot{
		Deliveries: slices.SortedFunc(maps.Values(s.deliveries), func(a, b delivery.Delivery) int { return cmp.Compare(a.ID, b.ID) }),
		Personal:   slices.SortedFunc(maps.Values(s.personal), func(a, b delivery.Personal) int { return cmp.Compare(a.Delivery, b.Delivery) }),
		Unsent:     s.outbox.unsent(s.outbox.left),
	})
}

// Restore replaces all that is stored by what Snapshot returned.
func (s *DeliveryStore) Restore(b []byte) error {
	var shot deliverySnapshot
	if err := json.Unmarshal(b, &shot); err != nil {
		return fmt.Errorf("restore deliveries: %w", err)
	}
	fresh := NewDeliveryStore()
	for _, d := range shot.Deliveries {
		fresh.put(d)
		fresh.external[externalKey{d.Partner, d.ExternalID}] = d.ID
	}
	for _, p := range shot.Personal {
		fresh.personal[p.Delivery] = p
	}
	fresh.outbox.add(shot.Unsent)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliveries, s.external, s.personal, s.open, s.outbox = fresh.deliveries, fresh.external, fresh.personal, fresh.open, fresh.outbox
	s.byPartner = fresh.byPartner
	if s.history != nil {
		s.history = map[delivery.ID][]delivery.Update{}
	}
	return nil
}
