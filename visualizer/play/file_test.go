package play_test

import (
	"testing"

	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/rng"
	"footway/visualizer/play"
)

// TestFileSeeks: what a file keeps of what it read changes nothing: it seeks as the log's reader does, at events' very instants too.
func TestFileSeeks(t *testing.T) {
	reader, _ := twintest.Open(t)
	file := play.NewFile(reader)
	from, to := reader.Span()
	luck := rng.Seed(4).Stream("test", "instants")
	instants := []clock.Time{from.Add(-1), from, to, to.Add(1)}
	for i := range uint64(60) {
		events, err := file.Events(int(luck.N(2*i, int64(len(file.Blocks())))))
		if err != nil {
			t.Fatal(err)
		}
		at := events[luck.N(2*i+1, int64(len(events)))].T
		instants = append(instants, at, at.Add(1))
	}
	for _, at := range instants {
		got, err := file.Seek(at)
		if err != nil {
			t.Fatal(err)
		}
		want, err := reader.Seek(at)
		if err != nil {
			t.Fatal(err)
		}
		if got.Seq() != want.Seq() || len(got.Held()) != len(want.Held()) {
			t.Errorf("at %v: after event %d with %d held; want %d with %d", at, got.Seq(), len(got.Held()), want.Seq(), len(want.Held()))
		}
	}
}

// TestTally: orders are counted by how they differ, and those that do the most come first.
func TestTally(t *testing.T) {
	const now = clock.Time(1_000_000)
	c := play.Comparison{T: now, Orders: []play.Order{
		{A: "d1", B: "d1", EndA: 900_000, EndB: 900_400, Later: 400},
		{A: "d2", B: "d2", EndA: 900_000, EndB: 899_001, Later: -999},
		{A: "d3", B: "d3", EndA: 900_000, EndB: 910_000, Later: 10_000},
		{A: "d4", B: "d4", EndA: 900_000, EndB: 880_000, Later: -20_000},
		{A: "d5", B: "d5", EndA: 970_000, OnlyA: true},
		{A: "d6", B: "d7", EndB: 960_000, OnlyB: true},
		{A: "d7", B: "d8"},
		{B: "d9", EndB: 999_900, OnlyB: true},
	}, Moved: []play.Moved{{Robot: "r1"}}}
	if got, want := c.Tally(), (play.Tally{Earlier: 1, Later: 1, Same: 2, OnlyA: 1, OnlyB: 2, Elsewhere: 1}); got != want {
		t.Errorf("Tally = %+v, want %+v", got, want)
	}
	var got []clock.Duration
	for _, o := range c.Biggest(9) {
		later, atLeast := o.Apart(now)
		if atLeast != (o.OnlyA || o.OnlyB) {
			t.Errorf("%+v: at least %v", o, atLeast)
		}
		got = append(got, later)
	}
	want := []clock.Duration{-40_000, 30_000, -20_000, 10_000}
	if len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
		t.Errorf("the biggest are apart by %v, want %v", got, want)
	}
	if n := len(c.Biggest(2)); n != 2 {
		t.Errorf("Biggest(2) are %d", n)
	}
	for id, want := range map[string]string{"d6": "d7", "d5": "d5", "d9": ""} {
		if got := c.Same(id, false); got != want {
			t.Errorf("%s of A is %q in B, want %q", id, got, want)
		}
	}
	if got := c.Same("d7", true); got != "d6" {
		t.Errorf("d7 of B is %q in A, want d6", got)
	}
}
