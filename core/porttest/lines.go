package porttest

import (
	"fmt"
	"math"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/integration"
)

// LineAndEndStore is a store of lines and of the ends that it is given with them.
type LineAndEndStore interface {
	integration.LineStore
	integration.EndStore
}

// LineStore tries integration.LineStore and integration.EndStore. Each call of open returns an empty store.
func LineStore(t *testing.T, open func(t *testing.T) LineAndEndStore) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*testing.T, LineAndEndStore)
	}{
		{"a line as it was", lineReadBack},
		{"a write needs the stored revision", lineRevisions},
		{"one of many wins", lineRace},
		{"ends", lineEnds},
		{"a refused write ends nothing", lineAllOrNone},
		{"ends are forgotten", lineTrim},
		{"a line is dropped", lineDrop},
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

func deadLetter(endpoint string, position uint64, at clock.Time) integration.End {
	return integration.End{Endpoint: endpoint, Position: position, Partner: "p", Delivery: "d", Sequence: 2, At: at, Attempts: 30, Cause: "status 500"}
}

func taken(endpoint string, position uint64, at clock.Time) integration.End {
	return integration.End{Endpoint: endpoint, Position: position, Partner: "p", Delivery: "d", Sequence: 2, At: at, Attempts: 1, Told: true, Cause: "status 204"}
}

func mustSaveLine(t *testing.T, s integration.LineStore, l integration.Line, ends ...integration.End) integration.Line {
	t.Helper()
	revision, err := s.SaveLine(t.Context(), l, ends...)
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

func wantEnds(t *testing.T, s integration.EndStore, q integration.EndQuery, want ...integration.End) {
	t.Helper()
	got, err := s.Ends(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 0 || len(want) != 0 {
		wantSame(t, fmt.Sprintf("Ends(%+v)", q), want, got)
	}
}

// allOf asks for all ends of an endpoint.
func allOf(endpoint string) integration.EndQuery {
	return integration.EndQuery{Endpoint: endpoint, Limit: 100}
}

func lineReadBack(t *testing.T, s LineAndEndStore) {
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

func lineRevisions(t *testing.T, s LineAndEndStore) {
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

func lineRace(t *testing.T, s LineAndEndStore) {
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

func lineEnds(t *testing.T, s LineAndEndStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 7, 3), taken("e", 2, 4))
	wantEnds(t, s, allOf("e"), deadLetter("e", 7, 3), taken("e", 2, 4))
	l = mustSaveLine(t, s, l, deadLetter("e", 5, 5), taken("e", 7, 6), deadLetter("e", 9, 7))
	mustSaveLine(t, s, sampleLine("f"), deadLetter("f", 7, 1))
	wantEnds(t, s, allOf("e"), deadLetter("e", 9, 7), taken("e", 7, 6), deadLetter("e", 5, 5), taken("e", 2, 4))
	wantEnds(t, s, integration.EndQuery{Endpoint: "e", Limit: 2}, deadLetter("e", 9, 7), taken("e", 7, 6))
	wantEnds(t, s, integration.EndQuery{Endpoint: "e", From: 5, Below: 9, Limit: 9}, taken("e", 7, 6), deadLetter("e", 5, 5))
	wantEnds(t, s, integration.EndQuery{Endpoint: "e", GivenUp: true, Limit: 9}, deadLetter("e", 9, 7), deadLetter("e", 5, 5))
	wantEnds(t, s, integration.EndQuery{Endpoint: "e", GivenUp: true, Below: 9, Limit: 1}, deadLetter("e", 5, 5))
	wantEnds(t, s, integration.EndQuery{Endpoint: "e", From: math.MaxUint64, Below: math.MaxUint64, Limit: 9})
	wantEnds(t, s, integration.EndQuery{Endpoint: "e"})
	wantEnds(t, s, allOf("none"))
	wantEnds(t, s, allOf("f"), deadLetter("f", 7, 1))
	wantLine(t, s, l)
}

func lineAllOrNone(t *testing.T, s LineAndEndStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 1, 1))
	stale := l
	stale.Revision++
	_, err := s.SaveLine(t.Context(), stale, deadLetter("e", 1, 9), taken("e", 2, 9))
	wantKind(t, "SaveLine at a revision that is not stored", err, fault.Conflict)
	wantEnds(t, s, allOf("e"), deadLetter("e", 1, 1))
	wantLine(t, s, l)
}

func lineTrim(t *testing.T, s LineAndEndStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 1, 10), deadLetter("e", 2, 30), taken("e", 3, 20))
	mustSaveLine(t, s, sampleLine("f"), taken("f", 1, 19))
	for _, c := range []struct {
		before clock.Time
		want   int
	}{{10, 0}, {20, 2}, {20, 0}} {
		if n, err := s.TrimEnds(t.Context(), c.before); err != nil || n != c.want {
			t.Errorf("TrimEnds(%d) = %d, %v; want %d", c.before, n, err, c.want)
		}
	}
	wantEnds(t, s, allOf("e"), taken("e", 3, 20), deadLetter("e", 2, 30))
	wantEnds(t, s, allOf("f"))
	wantLine(t, s, l)
}

func lineDrop(t *testing.T, s LineAndEndStore) {
	l := mustSaveLine(t, s, sampleLine("e"), deadLetter("e", 1, 1), taken("e", 2, 1))
	other := mustSaveLine(t, s, sampleLine("f"), taken("f", 1, 1))
	for range 2 { // a repeat changes nothing
		if err := s.DropLine(t.Context(), "e"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.Line(t.Context(), "e")
	wantKind(t, "Line that was dropped", err, fault.NotFound)
	_, err = s.SaveLine(t.Context(), l, taken("e", 3, 1))
	wantKind(t, "SaveLine of one that was dropped, by who had it open", err, fault.Conflict)
	wantEnds(t, s, allOf("e"))
	wantEnds(t, s, allOf("f"), taken("f", 1, 1))
	wantLine(t, s, other)
}
