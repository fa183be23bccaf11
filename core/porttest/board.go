package porttest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
)

// BoardStores is what one database offers Deliveries, with the board.
type BoardStores interface {
	DeliveryStores
	delivery.BoardStore
}

// BoardStore tries delivery.BoardStore. open returns an empty store for each
// case that keeps all updates.
func BoardStore(t *testing.T, open func(t *testing.T) BoardStores) {
	cases := []struct {
		name string
		run  func(*testing.T, BoardStores)
	}{
		{"newest first in pages", boardPages},
		{"filters", boardFilters},
		{"what changed is shown as it is", boardCurrent},
		{"copies are given out", boardCopies},
		{"updates in pages", boardUpdates},
		{"updates stay when they are sent", boardSent},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

// onBoard returns a delivery that was quoted at a time.
func onBoard(id string, quoted clock.Time) delivery.Delivery {
	d := sampleDelivery(id)
	d.Times.Quoted = quoted
	return d
}

func wantBoard(t *testing.T, s BoardStores, q delivery.BoardQuery, want ...string) {
	t.Helper()
	page, err := s.Board(context.Background(), q)
	if err != nil {
		t.Fatalf("Board(%+v) = %v", q, err)
	}
	var got []string
	for i := range page {
		got = append(got, string(page[i].ID))
	}
	if !slices.Equal(got, want) {
		t.Errorf("Board(%+v) = %v, want %v", q, got, want)
	}
}

func boardPages(t *testing.T, s BoardStores) {
	wantBoard(t, s, delivery.BoardQuery{Partner: "p", Limit: 3})
	for id, quoted := range map[string]clock.Time{"b": 20, "c": 10, "a": 20, "d": 5, "e": 30} {
		mustCreate(t, s, onBoard(id, quoted))
	}
	want := []string{"e", "b", "a", "c", "d"}
	wantBoard(t, s, delivery.BoardQuery{Partner: "p", Limit: 10}, want...)
	for limit := 1; limit <= len(want); limit++ {
		q := delivery.BoardQuery{Partner: "p", Limit: limit}
		for i := 0; i < len(want); i += limit {
			page := want[i:min(len(want), i+limit)]
			wantBoard(t, s, q, page...)
			d, err := s.Delivery(context.Background(), delivery.ID(page[len(page)-1]))
			if err != nil {
				t.Fatal(err)
			}
			q.After = d.Mark()
		}
		wantBoard(t, s, q)
	}
	wantBoard(t, s, delivery.BoardQuery{Partner: "p", Limit: 2, After: delivery.BoardMark{Quoted: 20, ID: "aa"}}, "a", "c") // a place where nothing is
}

func boardFilters(t *testing.T, s BoardStores) {
	for i, change := range []func(*delivery.Delivery){
		func(d *delivery.Delivery) { d.Pickup.Store = "cafe/quay" },
		func(d *delivery.Delivery) { d.Pickup.Store = "cafe/hill" },
		func(d *delivery.Delivery) { d.Pickup.Store = "cafeteria/quay" },
		func(d *delivery.Delivery) { d.Pickup.Store = "" },
		func(d *delivery.Delivery) { d.Market = "n" },
		func(d *delivery.Delivery) { d.State = delivery.Delivered },
		func(d *delivery.Delivery) { d.State = delivery.Cancelled },
		func(d *delivery.Delivery) { d.Partner = "q" },
		func(d *delivery.Delivery) { d.Pickup.Store = "caf_/x%" },
	} {
		d := onBoard(fmt.Sprint(i), clock.Time(100-i))
		change(&d)
		mustCreate(t, s, d)
	}
	q := func(change func(*delivery.BoardQuery)) delivery.BoardQuery {
		q := delivery.BoardQuery{Partner: "p", Limit: 20}
		change(&q)
		return q
	}
	wantBoard(t, s, q(func(*delivery.BoardQuery) {}), "0", "1", "2", "3", "4", "5", "6", "8")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Partner = "q" }), "7")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Partner = "nobody" }))
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Store = "cafe/quay" }), "0")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Store = "cafe/" }), "0", "1")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Store = "caf_/" }), "8") // no pattern
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Store = "cafe" }))
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Market = "n" }), "4")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.States = []delivery.State{delivery.Delivered} }), "5")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.States = []delivery.State{delivery.Delivered, delivery.Cancelled} }), "5", "6")
	wantBoard(t, s, q(func(q *delivery.BoardQuery) { q.Store, q.States = "cafe/", []delivery.State{delivery.Delivered} }))
}

func boardCurrent(t *testing.T, s BoardStores) {
	d := mustCreate(t, s, onBoard("a", 1))
	d.State, d.Transfer = delivery.Delivered, nil
	if _, err := s.Save(context.Background(), d); err != nil {
		t.Fatal(err)
	}
	wantBoard(t, s, delivery.BoardQuery{Partner: "p", Limit: 2, States: []delivery.State{delivery.ToDropoff}})
	page, err := s.Board(context.Background(), delivery.BoardQuery{Partner: "p", Limit: 2, States: []delivery.State{delivery.Delivered}})
	if err != nil || len(page) != 1 {
		t.Fatalf("Board = %d deliveries, %v; want 1", len(page), err)
	}
	stored, err := s.Delivery(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "on the board", stored, page[0])
}

func boardCopies(t *testing.T, s BoardStores) {
	want := mustCreate(t, s, onBoard("a", 1))
	page, err := s.Board(context.Background(), delivery.BoardQuery{Partner: "p", Limit: 1})
	if err != nil || len(page) != 1 {
		t.Fatalf("Board = %d deliveries, %v; want 1", len(page), err)
	}
	spoil(&page[0])
	got, err := s.Delivery(context.Background(), "a")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "after spoiling what Board returned", want, got)
}

func wantUpdates(t *testing.T, s BoardStores, id delivery.ID, after uint64, limit int, want ...uint64) {
	t.Helper()
	all, err := s.Updates(context.Background(), id, after, limit)
	if err != nil {
		t.Fatalf("Updates(%s, %d, %d) = %v", id, after, limit, err)
	}
	var got []uint64
	for i := range all {
		got = append(got, all[i].Sequence)
		wantSame(t, "an update", sampleUpdate(id, all[i].Sequence), all[i])
	}
	if !slices.Equal(got, want) {
		t.Errorf("Updates(%s, %d, %d) = %v, want %v", id, after, limit, got, want)
	}
}

func boardUpdates(t *testing.T, s BoardStores) {
	a := mustCreate(t, s, onBoard("a", 1), sampleUpdate("a", 1), sampleUpdate("a", 2))
	mustCreate(t, s, onBoard("b", 1), sampleUpdate("b", 1))
	if _, err := s.Save(context.Background(), a, sampleUpdate("a", 3), sampleUpdate("a", 4)); err != nil {
		t.Fatal(err)
	}
	wantUpdates(t, s, "a", 0, 10, 1, 2, 3, 4)
	wantUpdates(t, s, "a", 0, 2, 1, 2)
	wantUpdates(t, s, "a", 2, 1, 3)
	wantUpdates(t, s, "a", 4, 10)
	wantUpdates(t, s, "a", 99, 10)
	wantUpdates(t, s, "b", 0, 10, 1)
	wantUpdates(t, s, "nobody", 0, 10)
}

func boardSent(t *testing.T, s BoardStores) {
	mustCreate(t, s, onBoard("a", 1), sampleUpdate("a", 1), sampleUpdate("a", 2))
	if err := s.MarkSent(context.Background(), delivery.UpdateKey{Delivery: "a", Sequence: 1}); err != nil {
		t.Fatal(err)
	}
	wantUpdates(t, s, "a", 0, 10, 1, 2)
}
