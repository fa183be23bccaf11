package porttest

import (
	"fmt"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

// ReadableLog is a log that can be read from its end.
type ReadableLog interface {
	integration.Log
	integration.LogReader
}

// LogReader tries integration.LogReader. open returns an empty log for each case, which tells the time by the clock.
func LogReader(t *testing.T, open func(*testing.T, clock.Clock) ReadableLog) {
	t.Helper()
	t.Run("the newest first", func(t *testing.T) {
		l := open(t, fake.NewClock(fake.Start))
		wantNewest(t, l, integration.Owner{Partner: "p"}, 0, 10)
		takeOf(t, l, "café/quay", "bar/quay", "café/hill", "", "café", "café/", "/quay", "café/quay/2", "cafés/quay")
		u := updateOf("q/other#1")
		u.Store = "café/quay"
		if err := l.Take(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		wantNewest(t, l, integration.Owner{Partner: "p"}, 0, 3, 9, 8, 7)
		wantNewest(t, l, integration.Owner{Partner: "p"}, 3, 10, 2, 1)
		wantNewest(t, l, integration.Owner{Partner: "p"}, 1, 10)
		wantNewest(t, l, integration.Owner{Partner: "p", Business: "café"}, 0, 10, 8, 6, 3, 1)
		wantNewest(t, l, integration.Owner{Partner: "p", Business: "café"}, 8, 2, 6, 3)
		wantNewest(t, l, integration.Owner{Partner: "p", Business: "quay"}, 0, 10)
		wantNewest(t, l, integration.Owner{Partner: "p", Business: "caf%"}, 0, 10)
		wantNewest(t, l, integration.Owner{Partner: "q", Business: "café"}, 0, 10, 1)
		wantNewest(t, l, integration.Owner{Partner: "q", Business: "bar"}, 0, 10)
		wantNewest(t, l, integration.Owner{Partner: "p"}, 0, 0)
	})
	t.Run("what is trimmed is not there", func(t *testing.T) {
		now := fake.NewClock(fake.Start)
		l := open(t, now)
		takeOf(t, l, "a/s", "a/s", "a/s")
		later := updateOf("p/later#1")
		later.Store, later.At = "a/s", fake.Start.Add(clock.Hour)
		if err := l.Take(t.Context(), later); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Trim(t.Context(), later.At); err != nil {
			t.Fatal(err)
		}
		wantNewest(t, l, integration.Owner{Partner: "p", Business: "a"}, 0, 10, 4)
		wantNewest(t, l, integration.Owner{Partner: "p"}, 4, 10)
	})
}

// takeOf takes the first updates of deliveries of partner p, one from each store.
func takeOf(t *testing.T, l integration.Log, from ...string) {
	t.Helper()
	for i, s := range from {
		u := updateOf(fmt.Sprintf("p/d%d#1", i))
		u.Store = s
		if err := l.Take(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
}

func wantNewest(t *testing.T, l ReadableLog, o integration.Owner, below uint64, limit int, want ...uint64) {
	t.Helper()
	got, err := l.Newest(t.Context(), o, below, limit)
	if err != nil {
		t.Fatal(err)
	}
	all, err := l.Entries(t.Context(), o.Partner, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	entries := map[uint64]delivery.Update{}
	for _, e := range all {
		entries[e.Position] = e.Update
	}
	if len(got) != len(want) {
		t.Fatalf("Newest(%s, below %d, at most %d) = %+v; want the positions %d", o, below, limit, got, want)
	}
	for i, e := range got {
		u := entries[want[i]]
		if e.Position != want[i] || !u.Same(&e.Update) {
			t.Errorf("Newest(%s, below %d, at most %d)[%d] = %+v; want the entry at %d", o, below, limit, i, e, want[i])
		}
	}
}
