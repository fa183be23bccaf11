package memory_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/porttest"
)

func TestDeliveryStore(t *testing.T) {
	porttest.DeliveryStore(t, func(*testing.T) porttest.DeliveryStores { return memory.NewDeliveryStore() })
}

// TestDeliveryStoreRestored tries a store that was restored from nothing's snapshot.
func TestDeliveryStoreRestored(t *testing.T) {
	porttest.DeliveryStore(t, func(t *testing.T) porttest.DeliveryStores {
		shot, err := memory.NewDeliveryStore().Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		s := memory.NewDeliveryStore()
		if err := s.Restore(shot); err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestCursors(t *testing.T) {
	porttest.Cursors(t, func(*testing.T) delivery.Cursors { return memory.NewCursors() })
}

func TestDeliverySnapshot(t *testing.T) {
	ctx := context.Background()
	s := memory.NewDeliveryStore()
	for i := range 30 {
		id := delivery.ID(fmt.Sprintf("d%d", i*7%30))
		d := delivery.Delivery{ID: id, Market: "m", Partner: "p", ExternalID: string(id), State: delivery.Requested}
		if err := s.Create(ctx, d, delivery.Personal{}, delivery.Update{Delivery: id, Sequence: 1}, delivery.Update{Delivery: id, Sequence: 2}); err != nil {
			t.Fatal(err)
		}
		if i%3 == 0 {
			if err := s.MarkSent(ctx, delivery.UpdateKey{Delivery: id, Sequence: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	first, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	restored := memory.NewDeliveryStore()
	if err := restored.Restore(first); err != nil {
		t.Fatal(err)
	}
	second, err := restored.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("a restored store writes another snapshot:\n%s\n%s", first, second)
	}
	if _, err := restored.ByExternal(ctx, "p", "d7"); err != nil {
		t.Errorf("ByExternal after Restore = %v", err)
	}
	if open, err := restored.Open(ctx, "m", "", 100); len(open) != 30 || err != nil {
		t.Errorf("Open after Restore = %d, %v; want 30", len(open), err)
	}
	if err := restored.Restore([]byte("{")); err == nil {
		t.Error("Restore of a damaged snapshot succeeded")
	}
}

func TestCursorsSnapshot(t *testing.T) {
	c := memory.NewCursors()
	if err := c.SaveCursor(context.Background(), "b", "2"); err != nil {
		t.Fatal(err)
	}
	shot, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	r := memory.NewCursors()
	if err := r.Restore(shot); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.Cursor(context.Background(), "b"); got != "2" {
		t.Errorf("Cursor after Restore = %q, want 2", got)
	}
	if err := r.Restore(nil); err == nil {
		t.Error("Restore of nothing succeeded")
	}
}
