package integration_test

import (
	"context"
	"strings"
	"testing"

	"footway/adapters/memory"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
	"footway/core/porttest/fake"
)

func newService(t *testing.T) (*integration.Service, *memory.PartnerLog, *fake.Clock) {
	t.Helper()
	now := fake.NewClock(fake.Start)
	log := memory.NewPartnerLog(now)
	s, err := integration.NewService(log, now, integration.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	return s, log, now
}

// update returns an update of partner p that happened at an instant.
func update(id delivery.ID, sequence uint64, at clock.Time) delivery.Update {
	return delivery.Update{Delivery: id, Sequence: sequence, Kind: delivery.StateChanged, At: at, Market: "m", Partner: "p", ExternalID: "x", To: delivery.Requested}
}

func length(t *testing.T, l integration.Log) int {
	t.Helper()
	page, err := l.Entries(t.Context(), "p", 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return len(page)
}

func TestTakeRefuses(t *testing.T) {
	s, log, now := newService(t)
	ctx := t.Context()
	good := update("d", 1, now.Now())
	retention := integration.DefaultOptions().Retention
	for name, c := range map[string]struct {
		damage func(*delivery.Update)
		kind   fault.Kind
		reason string
	}{
		"no partner":            {func(u *delivery.Update) { u.Partner = "" }, fault.Invalid, "bad_update"},
		"a text no store keeps": {func(u *delivery.Update) { u.Cause = "a\x00b" }, fault.Invalid, "bad_update"},
		"too old":               {func(u *delivery.Update) { u.At = now.Now().Add(clock.Day - retention - 1) }, fault.Invalid, "too_old"},
		"another content":       {func(u *delivery.Update) { u.Delivery, u.Tip = "known", 1 }, fault.Conflict, "other_update"},
		"another's delivery":    {func(u *delivery.Update) { u.Delivery, u.Partner = "known", "q" }, fault.Conflict, "other_partner"},
	} {
		if err := s.Take(ctx, update("known", 1, now.Now())); err != nil {
			t.Fatal(err)
		}
		bad := good
		c.damage(&bad)
		err := s.Take(ctx, good, bad)
		if !fault.Is(err, c.kind) || fault.ReasonOf(err) != c.reason {
			t.Errorf("%s: Take = %v; want %v, %s", name, err, c.kind, c.reason)
		}
		if n := length(t, log); n != 1 {
			t.Errorf("%s: the log has %d entries; want only the one that was there", name, n)
		}
	}
	if err := s.Take(ctx, update("old", 1, now.Now().Add(clock.Day-retention)), good); err != nil {
		t.Errorf("Take of an update that is as old as may be = %v", err)
	}
}

func TestOverdue(t *testing.T) {
	s, _, now := newService(t)
	ctx := t.Context()
	take := func(u ...delivery.Update) {
		t.Helper()
		if err := s.Take(ctx, u...); err != nil {
			t.Fatal(err)
		}
	}
	want := func(limit int, ids ...delivery.ID) {
		t.Helper()
		gaps, err := s.Overdue(ctx, limit)
		if err != nil || len(gaps) != len(ids) {
			t.Fatalf("Overdue at %s = %v, %v; want %v", now.Now(), gaps, err, ids)
		}
		for i := range ids {
			if gaps[i].Delivery != ids[i] {
				t.Errorf("Overdue at %s = %v; want %v", now.Now(), gaps, ids)
			}
		}
	}
	patience := integration.DefaultOptions().Patience
	take(update("b", 2, fake.Start))
	now.Advance(patience - 1)
	take(update("a", 3, fake.Start), update("c", 1, fake.Start))
	want(10)
	now.Advance(1)
	want(10, "b")
	now.Advance(patience)
	want(10, "b", "a")
	want(1, "b")
	take(update("b", 1, fake.Start))
	want(10, "a")
}

// TestTrimLeavesNoWayToTellTwice takes an update until it is forgotten: whenever
// it comes again it is a duplicate or refused.
func TestTrimLeavesNoWayToTellTwice(t *testing.T) {
	s, log, now := newService(t)
	u, end := update("d", 1, now.Now()), uint64(0)
	for range 100 {
		if err := s.Take(t.Context(), u); err != nil && fault.ReasonOf(err) != "too_old" {
			t.Fatal(err)
		}
		page, err := log.Entries(t.Context(), "p", 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page {
			end = max(end, e.Position)
		}
		if _, err := s.Trim(t.Context()); err != nil {
			t.Fatal(err)
		}
		now.Advance(clock.Day)
	}
	if n := length(t, log); n != 0 || end != 1 {
		t.Errorf("after 100 days the log has %d entries, and its last was at %d; want none, and 1", n, end)
	}
}

func TestOptions(t *testing.T) {
	for name, o := range map[string]integration.Options{
		"patience":  {Retention: integration.MinRetention},
		"retention": {Patience: clock.Minute, Retention: integration.MinRetention - 1},
	} {
		_, err := integration.NewService(nil, nil, o)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("NewService without enough %s = %v; want fault.Invalid that names it", name, err)
		}
	}
}

// down is a log that cannot be reached.
type down struct{ integration.Log }

var errDown = fault.New("test", fault.Unavailable, "down", "no answer")

func (down) Take(context.Context, ...delivery.Update) error       { return errDown }
func (down) Gaps(context.Context, int) ([]integration.Gap, error) { return nil, errDown }
func (down) Trim(context.Context, clock.Time) (int, error)        { return 3, errDown }

func TestLogDown(t *testing.T) {
	s, err := integration.NewService(down{}, fake.NewClock(fake.Start), integration.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	_, gaps := s.Overdue(t.Context(), 1)
	n, trim := s.Trim(t.Context())
	for what, err := range map[string]error{"Take": s.Take(t.Context(), update("d", 1, fake.Start)), "Overdue": gaps, "Trim": trim} {
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s over a log that is down = %v; want fault.Unavailable", what, err)
		}
	}
	if n != 3 {
		t.Errorf("Trim = %d; want what was forgotten before", n)
	}
}

// TestIntakeWantsItsDeliveries is about a log that forgets to read one.
func TestIntakeWantsItsDeliveries(t *testing.T) {
	in := integration.NewIntake([]integration.Stream{{Delivery: "a"}}, nil)
	if err := in.Take(update("b", 1, fake.Start)); !fault.Is(err, fault.Internal) {
		t.Errorf("Take = %v; want fault.Internal", err)
	}
}
