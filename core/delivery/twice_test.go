package delivery_test

import (
	"context"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// overtaken is a store whose next Save comes too late: somebody else's is there before it, and its answer is lost.
type overtaken struct {
	*memory.DeliveryStore
	other func()
}

// Save implements delivery.Store.
func (s *overtaken) Save(ctx context.Context, d delivery.Delivery, u ...delivery.Update) (uint64, error) {
	if other := s.other; other != nil {
		s.other = nil
		other()
		return 0, fault.New("test", fault.Unavailable, "lost", "the answer is lost")
	}
	return s.DeliveryStore.Save(ctx, d, u...)
}

// TestSameAtOnce: a partner that repeats an edit reaches another replica while the first is at it. What the second saves
// is all that is told, even if the first finds a delivery that is like its own.
func TestSameAtOnce(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	if _, err := c.Create(ctx, request("A1")); err != nil {
		t.Fatal(err)
	}
	tip := delivery.Money(450)
	edit := delivery.Edit{Tip: &tip}
	journal := &fake.Journal{}
	first := delivery.NewService(delivery.Deps{
		Store: &overtaken{c.store, func() {
			c.clock.Set(c.clock.Now().Add(clock.Millisecond))
			if _, err := c.Edit(ctx, "dd", "A1", edit); err != nil {
				t.Error(err)
			}
		}},
		Open: c.store, Personal: c.store, Cursors: c.cursors, Dispatcher: c.desk, Decisions: c.desk, Tasks: c.board, TaskFeed: c.board,
		IDs: c.ids, Secrets: pins{}, Clock: c.clock, Timers: c.timers, Journal: journal, Settings: func(market.ID) delivery.Settings { return c.set },
	})
	d, err := first.Edit(ctx, "dd", "A1", edit)
	if err != nil || d.Tip != tip {
		t.Errorf("Edit = tip %d, %v; want %d", d.Tip, err, tip)
	}
	for _, e := range journal.Events {
		t.Errorf("the first replica told %s %s/%d at %v, which the second saved", e.Kind, e.Entity, e.Version, e.T)
	}
}
