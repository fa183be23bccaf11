package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/market"
)

// Deps are what Service works with. All but Digests are required.
type Deps struct {
	Store      Store
	Open       OpenStore
	Personal   PersonalStore
	Cursors    Cursors
	Dispatcher Dispatcher
	Decisions  DecisionFeed
	Tasks      Tasks
	TaskFeed   TaskFeed
	IDs        IDs
	Secrets    Secrets
	Digests    Digests // nil: hashes of requests are stored as they come
	Clock      clock.Clock
	Timers     clock.Timers
	Journal    event.Journal
	Settings   func(market.ID) Settings // those that hold now
}

// Service takes deliveries from quote to end. It keeps no state of its own, so
// any number of them may work on the same stores. Every command may be repeated:
// it then finds its own effect and goes on. A command that fails with
// fault.Unavailable may have had its effect.
type Service struct {
	Deps
}

// NewService returns a service over d.
func NewService(d Deps) *Service {
	if d.Digests == nil {
		d.Digests = plainDigests{}
	}
	return &Service{d}
}

// plainDigests keeps hashes as they are, for runs that must be equal to the byte.
type plainDigests struct{}

func (plainDigests) Digest(hash string) string     { return hash }
func (plainDigests) Same(stored, hash string) bool { return stored == hash }

// maxTries bounds how often a decision is taken again because another writer
// was faster. Writers of one delivery are few, so more means that something is wrong.
const maxTries = 16

// edit loads a delivery, decides, and saves what was decided with its updates;
// then it sets the timers. It decides again when another writer was faster.
func (s *Service) edit(ctx context.Context, id ID, decide func(*turn) error) (Delivery, error) {
	for range maxTries {
		before, err := s.ByID(ctx, id)
		if err != nil {
			return Delivery{}, err
		}
		after := before.Clone()
		t := &turn{d: &after, now: s.Clock.Now(), set: s.Settings(before.Market)}
		if err := decide(t); err != nil {
			return before, err
		}
		t.close()
		if !t.changed {
			return before, nil
		}
		saved, err := s.save(ctx, t)
		if err != nil {
			return Delivery{}, err
		}
		if !saved {
			continue
		}
		s.journal(ctx, t.updates)
		s.arm(before, after, t.set)
		return after, nil
	}
	return Delivery{}, fault.New("delivery.edit", fault.Unavailable, "contention", "delivery %s: another writer was faster %d times", id, maxTries)
}

// save writes what t decided, and reports whether it is stored. When the answer is
// lost, it looks whether the write happened.
func (s *Service) save(ctx context.Context, t *turn) (bool, error) {
	revision, err := s.Store.Save(ctx, *t.d, t.updates...)
	switch {
	case err == nil:
		t.d.Revision = revision
		return true, nil
	case fault.Is(err, fault.Conflict):
		return false, nil
	case !fault.Is(err, fault.Unavailable):
		return false, err
	}
	stored, lookErr := s.Store.Delivery(ctx, t.d.ID)
	if lookErr != nil {
		return false, err
	}
	if !same(stored, *t.d) {
		return false, nil // decide again, on what is there now
	}
	t.d.Revision = stored.Revision
	return true, nil
}

// same reports whether two deliveries are equal but for their revision.
func same(a, b Delivery) bool {
	a.Revision, b.Revision = 0, 0
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// change is edit followed by the calls to other services that are owed.
func (s *Service) change(ctx context.Context, id ID, decide func(*turn) error) (Delivery, error) {
	d, err := s.edit(ctx, id, decide)
	if err != nil {
		return d, err
	}
	return s.settle(ctx, d)
}

// journal writes updates that are saved.
func (s *Service) journal(ctx context.Context, updates []Update) {
	for i := range updates {
		u := &updates[i]
		kind := string(u.Kind)
		if u.Kind == StateChanged {
			kind = string(u.To)
		}
		s.Journal.Append(ctx, event.New(u.At, string(u.Market), "delivery."+kind, string(u.Delivery), u.Sequence, u))
	}
}

// ByID returns a delivery, whosever it is. It fails with fault.NotFound, reason UnknownDelivery.
func (s *Service) ByID(ctx context.Context, id ID) (Delivery, error) {
	d, err := s.Store.Delivery(ctx, id)
	if fault.Is(err, fault.NotFound) {
		return d, fault.New("delivery", fault.NotFound, UnknownDelivery, "no delivery %s", id)
	}
	return d, err
}

// named returns the delivery that a partner knows by externalID.
func (s *Service) named(ctx context.Context, p PartnerID, externalID string) (Delivery, error) {
	d, err := s.Store.ByExternal(ctx, p, externalID)
	if fault.Is(err, fault.NotFound) {
		return d, fault.New("delivery", fault.NotFound, UnknownDelivery, "no delivery %q of partner %s", externalID, p)
	}
	return d, err
}

// Get returns the delivery that a partner knows by externalID, with what is
// kept of the people in it, which is empty once it was forgotten. It fails with
// fault.NotFound, reason UnknownDelivery.
func (s *Service) Get(ctx context.Context, p PartnerID, externalID string) (Delivery, Personal, error) {
	d, err := s.named(ctx, p, externalID)
	if err != nil {
		return Delivery{}, Personal{}, err
	}
	personal, err := s.Personal.Personal(ctx, d.ID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Delivery{}, Personal{}, fmt.Errorf("personal data of %s: %w", d.ID, err)
	}
	personal.Delivery = d.ID
	return d, personal, nil
}
