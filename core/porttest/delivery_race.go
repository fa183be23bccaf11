package porttest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"footway/core/delivery"
	"footway/core/fault"
)

// deliveryCreateRace creates one delivery of a partner under many ids at once.
func deliveryCreateRace(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	var (
		wg  sync.WaitGroup
		mu  sync.Mutex
		won []delivery.ID
	)
	for i := range 16 {
		wg.Go(func() {
			d := sampleDelivery(fmt.Sprintf("d%02d", i))
			d.ExternalID = "same"
			err := s.Create(ctx, d, samplePersonal(d.ID), sampleUpdate(d.ID, 1))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, d.ID)
			} else if !fault.Is(err, fault.Conflict) {
				t.Errorf("Create at the same time as others = %v, want nil or fault.Conflict", err)
			}
		})
	}
	wg.Wait()
	got, err := s.ByExternal(ctx, "p", "same")
	if err != nil || len(won) != 1 || got.ID != won[0] {
		t.Fatalf("%q were created, and ByExternal returns %q, %v; want one and the same", won, got.ID, err)
	}
	for i := range 16 {
		id := delivery.ID(fmt.Sprintf("d%02d", i))
		if _, err := s.Personal(ctx, id); (err == nil) != (id == won[0]) {
			t.Errorf("Personal(%s) = %v, where %s was created", id, err, won[0])
		}
	}
	all, err := s.Unsent(ctx, 100)
	if err != nil || len(all) != 1 || all[0].Delivery != won[0] {
		t.Errorf("Unsent = %d updates, %v; want the one of %s", len(all), err, won[0])
	}
}

// deliverySaveRace saves one delivery from many writers at once: each revision
// has one writer, whose update alone is told.
func deliverySaveRace(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	const writers, each = 16, 3
	mustCreate(t, s, sampleDelivery("a"))
	var (
		wg        sync.WaitGroup
		mu        sync.Mutex
		revisions []uint64
	)
	for w := range writers {
		wg.Go(func() {
			for saved := 0; saved < each; {
				d, err := s.Delivery(ctx, "a")
				if err != nil {
					t.Error(err)
					return
				}
				d.Sequence++
				d.CancelCause = fmt.Sprint("writer ", w)
				u := sampleUpdate("a", d.Sequence)
				u.Cause = d.CancelCause
				revision, err := s.Save(ctx, d, u)
				switch {
				case err == nil:
					saved++
					mu.Lock()
					revisions = append(revisions, revision)
					mu.Unlock()
				case !fault.Is(err, fault.Conflict):
					t.Errorf("Save at the same time as others = %v, want nil or fault.Conflict", err)
					return
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(revisions)
	if unique := slices.Compact(slices.Clone(revisions)); len(revisions) != writers*each || len(unique) != len(revisions) {
		t.Errorf("%d saves returned %d revisions %v; want %d, each once", len(revisions), len(unique), revisions, writers*each)
	}
	d, err := s.Delivery(ctx, "a")
	if err != nil {
		t.Fatal(err)
	}
	if want := sampleDelivery("a").Sequence + writers*each; d.Sequence != want || d.Revision != revisions[len(revisions)-1] {
		t.Errorf("the delivery is at sequence %d, revision %d; want %d, %d: a save was lost", d.Sequence, d.Revision, want, revisions[len(revisions)-1])
	}
	all, err := s.Unsent(ctx, 1000)
	if err != nil || len(all) != writers*each {
		t.Fatalf("Unsent = %d updates, %v; want %d", len(all), err, writers*each)
	}
	for i, u := range all {
		if want := sampleDelivery("a").Sequence + uint64(i) + 1; u.Sequence != want {
			t.Errorf("update %d of %d has sequence %d, want %d", i, len(all), u.Sequence, want)
		}
	}
	if last := all[len(all)-1]; last.Cause != d.CancelCause {
		t.Errorf("the last update is of %q, the delivery of %q", last.Cause, d.CancelCause)
	}
}

// deliveryOutboxRace reads the outbox in small portions while many write: nothing is left
// out, and no delivery's updates come out of order.
func deliveryOutboxRace(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	const writers, updates = 8, 6
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			d := sampleDelivery(fmt.Sprint("d", w))
			d.Revision = 1
			if err := s.Create(ctx, d, samplePersonal(d.ID), sampleUpdate(d.ID, 1), sampleUpdate(d.ID, 2)); err != nil {
				t.Error(err)
				return
			}
			for n := uint64(3); n < updates; n += 2 {
				var err error
				if d.Revision, err = s.Save(ctx, d, sampleUpdate(d.ID, n), sampleUpdate(d.ID, n+1)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	written := make(chan struct{})
	go func() { wg.Wait(); close(written) }()
	last := map[delivery.ID]uint64{}
	for done, more := false, true; !done || more; {
		select {
		case <-written:
			done = true // whatever is not sent now will be there in the next portion
		default:
		}
		page, err := s.Unsent(ctx, 5)
		if err != nil {
			t.Fatal(err)
		}
		more = len(page) > 0
		keys := make([]delivery.UpdateKey, len(page))
		for i := range page {
			u := &page[i]
			if u.Sequence != last[u.Delivery]+1 {
				t.Errorf("%s/%d came after %d", u.Delivery, u.Sequence, last[u.Delivery])
			}
			last[u.Delivery], keys[i] = u.Sequence, u.Key()
		}
		if err := s.MarkSent(ctx, keys...); err != nil {
			t.Fatal(err)
		}
	}
	for w := range writers {
		if id := delivery.ID(fmt.Sprint("d", w)); last[id] != updates {
			t.Errorf("of %s %d updates came, want %d", id, last[id], updates)
		}
	}
}

// deliveryOutboxPortions cuts the unsent updates of several deliveries anywhere: of each
// delivery the first ones come.
func deliveryOutboxPortions(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	revisions := map[string]uint64{"a": 1, "b": 1, "held": 1}
	for id := range revisions {
		mustCreate(t, s, sampleDelivery(id), sampleUpdate(delivery.ID(id), 1))
	}
	for n := uint64(2); n < 8; n += 2 {
		for id := range revisions {
			d := sampleDelivery(id)
			d.Revision = revisions[id]
			revision, err := s.Save(ctx, d, sampleUpdate(d.ID, n), sampleUpdate(d.ID, n+1))
			if err != nil {
				t.Fatal(err)
			}
			revisions[id] = revision
		}
	}
	for limit := range 3*7 + 2 {
		page, err := s.Unsent(ctx, limit)
		if err != nil || len(page) != min(limit, 3*7) {
			t.Errorf("Unsent(%d) = %d updates, %v", limit, len(page), err)
		}
		last := map[delivery.ID]uint64{}
		for _, u := range page {
			if u.Sequence != last[u.Delivery]+1 {
				t.Errorf("Unsent(%d) has %s/%d after %d", limit, u.Delivery, u.Sequence, last[u.Delivery])
			}
			last[u.Delivery] = u.Sequence
		}
	}
}

// deliveryAwkward keeps words that some encodings choke on.
func deliveryAwkward(t *testing.T, s DeliveryStores) {
	ctx := context.Background()
	for i, word := range []string{"a\x00b", `\u0000 "quoted" \`, "'; DROP TABLE deliveries; --", "<&>  ", "é́ 漢字 🛵", "$1 %s {}"} {
		d := mustCreate(t, s, sampleDelivery(fmt.Sprint("d", i)))
		d.CancelCause, d.Pickup.Store = word, word
		p := samplePersonal(d.ID)
		p.DropoffInstructions, p.Items[0].Name = word, word
		revision, err := s.Save(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SavePersonal(ctx, p); err != nil {
			t.Fatal(err)
		}
		d.Revision = revision
		got, err := s.Delivery(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, fmt.Sprintf("Delivery with %q", word), d, got)
		people, err := s.Personal(ctx, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, fmt.Sprintf("Personal with %q", word), p, people)
	}
}
