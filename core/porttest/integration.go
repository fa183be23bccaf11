package porttest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

// PartnerLog tries integration.Log. open returns an empty log for each case,
// which tells the time by the clock.
func PartnerLog(t *testing.T, open func(*testing.T, clock.Clock) integration.Log) {
	cases := []struct {
		name string
		run  func(*testing.T, partnerLog)
	}{
		{"entries in order", logOrder},
		{"an update as it was", logReadBack},
		{"duplicates", logDuplicates},
		{"reverse order", logReverse},
		{"a gap and its end", logGap},
		{"deliveries and partners do not wait for each other", logInterleaved},
		{"another content", logConflict},
		{"another partner's delivery", logOtherPartner},
		{"all or none", logAllOrNone},
		{"pages", logPages},
		{"gaps in order", logGaps},
		{"trim", logTrim},
		{"trim keeps what waits", logTrimHeld},
		{"a forgotten delivery", logForgotten},
		{"shuffled, against a model", logShuffled},
		{"the same update from many", logSameAtOnce},
		{"two contents at once", logConflictAtOnce},
		{"many takers and a reader", logManyTakers},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			now := fake.NewClock(fake.Start)
			c.run(t, partnerLog{open(t, now), now})
		})
	}
}

// partnerLog is a log under test and its clock.
type partnerLog struct {
	integration.Log
	now *fake.Clock
}

// updateOf returns the update named like "p/d#3": of partner p, delivery p/d, sequence 3.
func updateOf(name string) delivery.Update {
	var partner, id string
	var sequence uint64
	for i, c := range name {
		switch c {
		case '/':
			partner = name[:i]
		case '#':
			id = name[:i]
			if _, err := fmt.Sscan(name[i+1:], &sequence); err != nil {
				panic(fmt.Sprintf("porttest: update %q: %v", name, err))
			}
		}
	}
	u := sampleUpdate(delivery.ID(id), sequence)
	u.Partner, u.At = delivery.PartnerID(partner), fake.Start.Add(clock.Duration(sequence)*clock.Second)
	return u
}

func updatesOf(names ...string) []delivery.Update {
	all := make([]delivery.Update, len(names))
	for i, n := range names {
		all[i] = updateOf(n)
	}
	return all
}

func (l partnerLog) mustTake(t *testing.T, names ...string) {
	t.Helper()
	if err := l.Take(t.Context(), updatesOf(names...)...); err != nil {
		t.Fatalf("Take(%v) = %v", names, err)
	}
}

// wantLog reports unless a partner's whole log is exactly the updates with these names, from position 1.
func (l partnerLog) wantLog(t *testing.T, p delivery.PartnerID, names ...string) {
	t.Helper()
	l.wantEntries(t, p, 0, 1000, 1, names...)
}

func (l partnerLog) wantEntries(t *testing.T, p delivery.PartnerID, after uint64, limit int, first uint64, names ...string) {
	t.Helper()
	got, err := l.Entries(t.Context(), p, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	var want []integration.Entry
	for i, u := range updatesOf(names...) {
		want = append(want, integration.Entry{Position: first + uint64(i), Update: u})
	}
	if len(got) != 0 || len(want) != 0 {
		wantSame(t, fmt.Sprintf("Entries(%s, after %d, limit %d)", p, after, limit), want, got)
	}
}

func (l partnerLog) wantGaps(t *testing.T, want ...integration.Gap) {
	t.Helper()
	got, err := l.Gaps(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 0 || len(want) != 0 {
		wantSame(t, "Gaps", want, got)
	}
}

func logOrder(t *testing.T, l partnerLog) {
	l.wantLog(t, "p")
	l.mustTake(t)
	l.mustTake(t, "p/a#1")
	l.mustTake(t, "p/a#2", "p/b#1", "p/a#3")
	l.mustTake(t, "p/b#2")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/b#1", "p/a#3", "p/b#2")
	l.wantLog(t, "q")
	l.wantGaps(t)
}

func logReadBack(t *testing.T, l partnerLog) {
	u := sampleUpdate("d\n\"é\\", 1)
	u.Partner, u.Kind, u.From, u.Cause, u.Reason = "p", "a kind of tomorrow", "", "<it's> 100% late; \t", delivery.FailedToPickup
	u.At, u.ReadyAt, u.Fee, u.Tip, u.RouteMM, u.Attempt = math.MaxInt64, math.MinInt64, -5, math.MaxInt64, math.MaxInt64, -1
	u.Promise = delivery.Promise{PickupP50: 1, PickupP90: 2, DropoffP50: 3, DropoffP90: 4}
	u.Expected = delivery.Promise{PickupP50: 5, PickupP90: 6, DropoffP50: 7, DropoffP90: 8}
	u.Pickup.Edge, u.Pickup.OffsetMM, u.Dropoff.Edge = 3, -4, math.MaxInt32
	held := u
	held.Sequence = delivery.MaxSequence
	if err := l.Take(t.Context(), held, u); err != nil {
		t.Fatal(err)
	}
	given := u
	u.Cause = "spoiled" // what the caller does with its own copy
	got, err := l.Entries(t.Context(), "p", 0, 10)
	if err != nil || len(got) != 1 {
		t.Fatalf("Entries = %d entries, %v; want 1", len(got), err)
	}
	wantSame(t, "the update", given, got[0].Update)
	got[0].Cause = "spoiled"
	again, err := l.Entries(t.Context(), "p", 0, 10)
	if err != nil || len(again) != 1 {
		t.Fatalf("Entries again = %d entries, %v; want 1", len(again), err)
	}
	wantSame(t, "the update, after the one given out was changed", given, again[0].Update)
	if err := l.Take(t.Context(), held, given); err != nil {
		t.Errorf("Take of the same again = %v; a held and an entered update are not recognised", err)
	}
}

func logDuplicates(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#1", "p/a#1")
	l.mustTake(t, "p/a#1")
	l.mustTake(t, "p/a#2", "p/a#1", "p/a#2", "p/a#1", "p/a#4", "p/a#4") // of 4 two are held as one
	l.mustTake(t, "p/a#4")
	l.wantGaps(t, integration.Gap{Delivery: "p/a", Partner: "p", Missing: 3, Next: 4, Held: 1, Since: fake.Start})
	l.mustTake(t, "p/a#3", "p/a#3", "p/a#4")
	l.mustTake(t, "p/a#1", "p/a#2", "p/a#3", "p/a#4")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/a#4")
	l.wantGaps(t)
}

func logReverse(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#3", "p/a#2", "p/a#1")
	l.mustTake(t, "p/b#3")
	l.mustTake(t, "p/b#2")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3")
	l.mustTake(t, "p/b#1")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/b#1", "p/b#2", "p/b#3")
	l.wantGaps(t)
}

func logGap(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#1", "p/a#3", "p/a#4")
	gap := integration.Gap{Delivery: "p/a", Partner: "p", Missing: 2, Next: 3, Held: 2, Since: fake.Start}
	l.wantGaps(t, gap)
	l.now.Advance(clock.Minute)
	l.mustTake(t, "p/a#7")
	gap.Held = 3
	l.wantGaps(t, gap)
	l.wantLog(t, "p", "p/a#1")
	l.mustTake(t, "p/a#2")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/a#4")
	l.wantGaps(t, integration.Gap{Delivery: "p/a", Partner: "p", Missing: 5, Next: 7, Held: 1, Since: fake.Start.Add(clock.Minute)})
	l.mustTake(t, "p/a#6")
	l.mustTake(t, "p/a#8", "p/a#5")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/a#4", "p/a#5", "p/a#6", "p/a#7", "p/a#8")
	l.wantGaps(t)
}

func logInterleaved(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#1", "q/a#1", "p/b#2", "q/b#1", "p/a#2")
	l.mustTake(t, "q/a#3", "p/b#1", "q/b#2", "p/b#3", "q/a#2", "q/b#3")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/b#1", "p/b#2", "p/b#3")
	l.wantLog(t, "q", "q/a#1", "q/b#1", "q/b#2", "q/a#2", "q/a#3", "q/b#3")
	l.wantGaps(t)
}

// otherContent is the update of that name with another content.
func otherContent(name string) delivery.Update {
	u := updateOf(name)
	u.Cause += ", no: d"
	return u
}

func logConflict(t *testing.T, l partnerLog) {
	ctx := t.Context()
	l.mustTake(t, "p/a#1", "p/a#2", "p/a#4")
	wantKind(t, "Take of an entry with another content", l.Take(ctx, otherContent("p/a#1")), fault.Conflict)
	wantKind(t, "Take of a held update with another content", l.Take(ctx, otherContent("p/a#4")), fault.Conflict)
	wantKind(t, "Take of two contents in one call", l.Take(ctx, updateOf("p/a#3"), otherContent("p/a#3")), fault.Conflict)
	wantKind(t, "Take of two contents to be held in one call", l.Take(ctx, updateOf("p/a#6"), otherContent("p/a#6")), fault.Conflict)
	wantKind(t, "Take of an entry after the same with another content", l.Take(ctx, updateOf("p/a#1"), otherContent("p/a#1")), fault.Conflict)
	for range 2 { // it never succeeds
		wantKind(t, "Take of what would fill the gap, and more", l.Take(ctx, updateOf("p/a#3"), otherContent("p/a#4")), fault.Conflict)
	}
	l.wantLog(t, "p", "p/a#1", "p/a#2")
	l.mustTake(t, "p/a#3", "p/a#1")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/a#4")
	l.wantGaps(t)
}

func logOtherPartner(t *testing.T, l partnerLog) {
	stolen := func(name string) delivery.Update {
		u := updateOf(name)
		u.Partner = "q"
		return u
	}
	ctx := t.Context()
	l.mustTake(t, "p/a#1", "p/b#2")
	wantKind(t, "Take of another partner's entry", l.Take(ctx, stolen("p/a#1")), fault.Conflict)
	wantKind(t, "Take of another partner's next entry", l.Take(ctx, stolen("p/a#2")), fault.Conflict)
	wantKind(t, "Take of what another partner's update waits for", l.Take(ctx, stolen("p/b#1")), fault.Conflict)
	wantKind(t, "Take for two partners in one call", l.Take(ctx, updateOf("p/c#1"), stolen("p/c#2")), fault.Conflict)
	l.wantLog(t, "q")
	l.mustTake(t, "p/b#1", "p/a#2")
	l.wantLog(t, "p", "p/a#1", "p/b#1", "p/b#2", "p/a#2")
	if err := l.Take(ctx, stolen("p/c#1")); err != nil {
		t.Errorf("Take for q of a delivery of which nothing was recorded = %v", err)
	}
}

func logAllOrNone(t *testing.T, l partnerLog) {
	ctx := t.Context()
	l.mustTake(t, "p/a#1", "p/a#3")
	bad := append(updatesOf("p/a#2", "p/b#1", "q/c#1", "q/d#2"), otherContent("p/a#1"))
	wantKind(t, "Take of four new updates and a bad one", l.Take(ctx, bad...), fault.Conflict)
	l.wantLog(t, "p", "p/a#1")
	l.wantLog(t, "q")
	l.wantGaps(t, integration.Gap{Delivery: "p/a", Partner: "p", Missing: 2, Next: 3, Held: 1, Since: fake.Start})
	for i := range bad {
		switch err := l.Take(ctx, bad[i]); {
		case i < len(bad)-1 && err != nil:
			t.Errorf("Take of %s/%d alone = %v", bad[i].Delivery, bad[i].Sequence, err)
		case i == len(bad)-1:
			wantKind(t, "Take of the bad one alone", err, fault.Conflict)
		}
	}
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/b#1")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := l.Take(gone, updatesOf("p/b#2", "p/b#3")...); err != nil {
		wantKind(t, "Take under a context that has ended", err, fault.Unavailable)
	}
	l.mustTake(t, "p/b#2", "p/b#3")
	l.wantLog(t, "p", "p/a#1", "p/a#2", "p/a#3", "p/b#1", "p/b#2", "p/b#3")
}

func logPages(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/a#1", "p/a#2", "q/a#1", "p/a#3", "p/a#4", "p/a#5")
	l.wantEntries(t, "p", 0, 2, 1, "p/a#1", "p/a#2")
	l.wantEntries(t, "p", 2, 2, 3, "p/a#3", "p/a#4")
	l.wantEntries(t, "p", 4, 2, 5, "p/a#5")
	l.wantEntries(t, "p", 4, 1, 5, "p/a#5")
	l.wantEntries(t, "p", 1, math.MaxInt, 2, "p/a#2", "p/a#3", "p/a#4", "p/a#5")
	for _, after := range []uint64{5, 6, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64} {
		l.wantEntries(t, "p", after, 10, 0)
	}
	l.wantEntries(t, "p", 0, 0, 0)
	l.wantEntries(t, "p", 0, -1, 0)
	l.wantEntries(t, "", 0, 10, 0)
	l.wantEntries(t, "q", 0, 10, 1, "q/a#1")
	l.mustTake(t, "p/a#6")
	l.wantEntries(t, "p", 5, 10, 6, "p/a#6")
}

func logGaps(t *testing.T, l partnerLog) {
	l.mustTake(t, "p/c#2", "q/b#1", "q/b#3")
	l.now.Advance(clock.Second)
	l.mustTake(t, "p/a#5", "p/c#3")
	l.now.Advance(clock.Second)
	l.mustTake(t, "p/a#3", "q/0#9")
	c := integration.Gap{Delivery: "p/c", Partner: "p", Missing: 1, Next: 2, Held: 2, Since: fake.Start}
	b := integration.Gap{Delivery: "q/b", Partner: "q", Missing: 2, Next: 3, Held: 1, Since: fake.Start}
	a := integration.Gap{Delivery: "p/a", Partner: "p", Missing: 1, Next: 3, Held: 2, Since: fake.Start.Add(clock.Second)}
	o := integration.Gap{Delivery: "q/0", Partner: "q", Missing: 1, Next: 9, Held: 1, Since: fake.Start.Add(2 * clock.Second)}
	l.wantGaps(t, c, b, a, o)
	for limit, want := range map[int]int{-1: 0, 0: 0, 1: 1, 3: 3, math.MaxInt: 4} {
		got, err := l.Gaps(t.Context(), limit)
		if err != nil || len(got) != want {
			t.Errorf("Gaps(%d) = %d gaps, %v; want %d", limit, len(got), err, want)
		}
	}
	l.mustTake(t, "p/c#2", "p/a#5") // what comes again waits since the first time
	l.wantGaps(t, c, b, a, o)
	l.mustTake(t, "q/b#2", "p/c#1")
	l.wantGaps(t, a, o)
}
