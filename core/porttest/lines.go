package porttest

import (
	"math"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// LineStore tries integration.LineStore. Each call of open returns an empty store.
func LineStore(t *testing.T, open func(t *testing.T) integration.LineStore) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, integration.LineStore)
	}{
		{"a line as it was", lineReadBack},
		{"a write needs the stored revision", lineRevisions},
		{"one of many wins", lineRace},
		{"dead letters", lineDead},
		{"a refused write buries nothing", lineAllOrNone},
		{"dead letters are forgotten", lineTrim},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func sampleLine(endpoint string) integration.Line {
	return integration.Line{Endpoint: endpoint, Partner: "p", Owner: "me", Until: math.MaxInt64, Read: math.MaxInt64,
		Waiting: []integration.Parcel{
			{Position: 3, Delivery: "d \"é\"", Sequence: 1, Since: 5, Attempts: 2, First: 7, Next: 9, Cause: "status 500"},
			{Position: math.MaxInt64, Delivery: "e", Sequence: delivery.MaxSequence, Since: 6},
		}, Failures: 4, Opened: 2, OpenUntil: 11}
}

func deadLetter(endpoint string, position uint64, at clock.Time) integration.DeadLetter {
	return integration.DeadLetter{Endpoint: endpoint, Position: position, Partner: "p", Delivery: "d", Sequence: 2, At: at, Attempts: 30, Cause: "status 500"}
}

func mustSaveLine(t *testing.T, s integration.LineStore, l integration.Line, dead ...integration.DeadLetter) integration.Line {
	t.Helper()
	revision, err := s.SaveLine(t.Context(), l, dead...)
	if err != nil || revision <= l.Revision {
		t.Fatalf("SaveLine at revision %d = %d, %v; want a higher one", l.Revision, revision, err)
	}
	l.Revision = revision
	return l
}

func wantLine(t *testing.T, s integration.LineStore, want integration.Line) {
	t.Helper()
	got, err := s.Line(t.Context(), want.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Waiting) == 0 && len(want.Waiting) == 0 {
		got.Waiting, want.Waiting = nil, nil
	}
	wantSame(t, "the line of "+want.Endpoint, want, got)
}

func wantDead(t *testing.T, s integration.LineStore, endpoint string, after uint64, limit int, want ...integration.DeadLetter) {
	t.Helper()
	got, err := s.DeadLetters(t.Context(), endpoint, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 0 || len(want) != 0 {
		wantSame(t, "the dead letters of "+endpoint, want, got)
	}
}

func lineReadBack(t *testing.T, s integration.LineStore) {
	_, err := s.Line(t.Context(), "e")
	wantKind(t, "Line of an endpoint that has none", err, fault.NotFound)
	empty := mustSaveLine(t, s, integration.Line{Endpoint: "f", Partner: "q"})
	given := sampleLine("e")
	l := mustSaveLine(t, s, given)
	given.Waiting[0].Cause = "spoiled" // what the caller does with its own
	wantLine(t, s, func() integration.Line { w := sampleLine("e"); w.Revision = l.Revision; return w }())
	wantLine(t, s, empty)
	l = sampleLine("e")
	read, err := s.Line(t.Context(), "e")
	if err != nil {
		t.Fatal(err)
	}
	l.Revision, read.Waiting[1].Attempts = read.Revision, 77
	wantLine(t, s, l)
	l.Waiting, l.Owner, l.OpenUntil = nil, "", 0
	wantLine(t, s, mustSaveLine(t, s, l))
}

func lineRevisions(t *testing.T, s integration.LineStore) {
	ctx := t.Context()
	l := sampleLine("e")
	for _, revision := range []uint64{1, 77} {
		l.Revision = revision
		_, err := s.SaveLine(ctx, l)
		wantKind(t, "SaveLine of one that is not there, as if it were", err, fault.Conflict)
	}
	l.Revision = 0
	l = mustSaveLine(t, s, l)
	second := l
	second.Owner = "another"
	for _, stale := range []uint64{0, l.Revision + 1, l.Revision + 77} {
		second.Revision = stale
		_, err := s.SaveLine(ctx, second)
		wantKind(t, "SaveLine at a revision that is not stored", err, fault.Conflict)
	}
	wantLine(t, s, l)
	l.Read--
	wantLine(t, s, mustSaveLine(t, s, l))
}

func lineRace(t *testing.T, s integration.LineStore) {
	save := func(revision uint64) func(int) error {
		return func(i int) error {
			l := sampleLine("e")
			l.Failures, l.Revision = i, revision
			_, err := s.SaveLine(t.Context(), l)
			return err
		}
	}
	wantOneWinner(t, "SaveLine of a new one", save(0))
	first, err := s.Line(t.Context(), "e")
	if err != nil {
		t.Fatal(err)
	}
	won := wantOneWinner(t, "SaveLine", save(first.Revision))
	if l, err := s.Line(t.Context(), "e"); err != nil || l.Failures != won {
		t.Errorf("the line is of writer %d, %v; want that of %d", l.Failures, err, won)
	}
}

func lineDead(t *testing.T, s integration.LineStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 7, 3), deadLetter("e", 2, 4))
	wantDead(t, s, "e", 0, 10, deadLetter("e", 2, 4), deadLetter("e", 7, 3))
	l = mustSaveLine(t, s, l, deadLetter("e", 5, 5), deadLetter("e", 7, 6))
	mustSaveLine(t, s, sampleLine("f"), deadLetter("f", 7, 1))
	wantDead(t, s, "e", 0, 10, deadLetter("e", 2, 4), deadLetter("e", 5, 5), deadLetter("e", 7, 6))
	wantDead(t, s, "e", 2, 1, deadLetter("e", 5, 5))
	wantDead(t, s, "e", 6, 10, deadLetter("e", 7, 6))
	wantDead(t, s, "e", 7, 10)
	wantDead(t, s, "e", 0, 0)
	wantDead(t, s, "none", 0, 10)
	wantDead(t, s, "f", 0, 10, deadLetter("f", 7, 1))
	wantLine(t, s, l)
}

func lineAllOrNone(t *testing.T, s integration.LineStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 1, 1))
	stale := l
	stale.Revision++
	_, err := s.SaveLine(t.Context(), stale, deadLetter("e", 1, 9), deadLetter("e", 2, 9))
	wantKind(t, "SaveLine at a revision that is not stored", err, fault.Conflict)
	wantDead(t, s, "e", 0, 10, deadLetter("e", 1, 1))
	wantLine(t, s, l)
}

func lineTrim(t *testing.T, s integration.LineStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 1, 10), deadLetter("e", 2, 30), deadLetter("e", 3, 20))
	mustSaveLine(t, s, sampleLine("f"), deadLetter("f", 1, 19))
	for _, c := range []struct {
		before clock.Time
		want   int
	}{{10, 0}, {20, 2}, {20, 0}} {
		if n, err := s.TrimDead(t.Context(), c.before); err != nil || n != c.want {
			t.Errorf("TrimDead(%d) = %d, %v; want %d", c.before, n, err, c.want)
		}
	}
	wantDead(t, s, "e", 0, 10, deadLetter("e", 2, 30), deadLetter("e", 3, 20))
	wantDead(t, s, "f", 0, 10)
	wantLine(t, s, l)
}
