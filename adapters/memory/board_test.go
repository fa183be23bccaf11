package memory_test

import (
	"testing"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/porttest"
)

func TestBoardStore(t *testing.T) {
	porttest.BoardStore(t, func(*testing.T) porttest.BoardStores {
		s := memory.NewDeliveryStore()
		s.KeepHistory()
		return s
	})
}

func TestHistoryIsKeptOnRequest(t *testing.T) {
	s := memory.NewDeliveryStore()
	u := delivery.Update{Delivery: "a", Sequence: 1}
	if err := s.Create(t.Context(), delivery.Delivery{ID: "a", Partner: "p"}, delivery.Personal{}, u); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Updates(t.Context(), "a", 0, 10); len(got) != 0 || err != nil {
		t.Errorf("Updates without KeepHistory = %d, %v; want none", len(got), err)
	}
}
