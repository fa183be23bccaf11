package play_test

import (
	"cmp"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"footway/cmd/twin/twintest"
	"footway/core/clock"
	"footway/core/kpi"
	"footway/core/rng"
	"footway/core/runlog"
	"footway/visualizer/play"
)

func rush(tb testing.TB) (*play.Run, *twintest.Rush) {
	tb.Helper()
	reader, r := twintest.Open(tb)
	run, err := play.Open(play.NewFile(reader), r.Network)
	if err != nil {
		tb.Fatal(err)
	}
	return run, r
}

func at(tb testing.TB, r *play.Run, t clock.Time) *play.State {
	tb.Helper()
	s, err := r.At(t)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

var (
	seen   = gocmp.Options{cmpopts.IgnoreUnexported(play.Robot{}, play.State{}), gocmp.AllowUnexported(play.Delivery{})}
	always = gocmp.Options{cmpopts.IgnoreFields(play.State{}, "Revision"), cmpopts.EquateEmpty()}
)

// TestSeekIsFold: wherever one comes from, an instant looks the same as on the way from the beginning.
func TestSeekIsFold(t *testing.T) {
	run, _ := rush(t)
	from, to := run.Span()
	luck := rng.Seed(3).Stream("test", "instants")
	var instants []clock.Time
	for i := range uint64(200) {
		instants = append(instants, from.Add(clock.Duration(luck.N(i, int64(to.Sub(from))))))
	}
	sorted := slices.Sorted(slices.Values(instants))
	want := map[clock.Time]play.State{}
	forward, _ := rush(t)
	for _, i := range sorted {
		s := *at(t, forward, i)
		s.Robots, s.Deliveries = slices.Clone(s.Robots), slices.Clone(s.Deliveries)
		s.Docks, s.Closures, s.Faults = slices.Clone(s.Docks), slices.Clone(s.Closures), slices.Clone(s.Faults)
		want[i] = s
	}
	for _, i := range instants { // in no order
		if diff := gocmp.Diff(want[i], *at(t, run, i), seen, always); diff != "" {
			t.Fatalf("at %v (-played +sought):\n%s", i, diff)
		}
	}
}

// TestSteps goes through a log event by event, there and back.
func TestSteps(t *testing.T) {
	run, _ := rush(t)
	from, to := run.Span()
	var there, back []clock.Time
	for x, ok := run.Next(from); ok; x, ok = run.Next(x) {
		there = append(there, x)
	}
	for x, ok := run.Prev(to); ok; x, ok = run.Prev(x) {
		back = append(back, x)
	}
	slices.Reverse(back)
	if len(there) < 100 || !slices.IsSorted(there) || there[len(there)-1] != to || back[0] != from || !slices.Equal(there[:len(there)-1], back[1:]) {
		t.Errorf("%d steps there and %d back; want the same instants, from %v to %v", len(there), len(back), from, to)
	}
}

// TestMarks finds as many late deliveries as the KPIs count, in parts of any size.
func TestMarks(t *testing.T) {
	var want []play.Mark
	for _, part := range []int{300, 1777, 1 << 30} {
		run, _ := rush(t)
		for done := false; !done; {
			var err error
			if done, err = run.Scan(part); err != nil {
				t.Fatal(err)
			}
		}
		late, ended := 0, 0
		for _, d := range run.Record().Records {
			if d.Delivered() {
				ended++
				if d.Ended > d.Promise.DropoffP90 {
					late++
				}
			}
		}
		marks := run.Marks()
		if n := counted(marks, play.Late); n != late || n == 0 || ended == n {
			t.Errorf("%d late deliveries are marked; want %d of %d", n, late, ended)
		}
		if counted(marks, play.Stuck) == 0 || counted(marks, play.Trial) == 0 {
			t.Error("no robot stuck, or no fault, though there are some")
		}
		if want != nil && !slices.Equal(want, marks) {
			t.Errorf("in parts of %d events other marks are found", part)
		}
		want = marks
		if x, ok := run.Jump(0, play.Late, false); !ok || x != marks[slices.IndexFunc(marks, func(m play.Mark) bool { return m.Kind == play.Late })] {
			t.Errorf("Jump = %v, %v; want the first late delivery", x, ok)
		}
		if len(run.Samples()) < 60 || len(run.Timeline("r1")) == 0 || len(run.Find("d1", 5)) != 5 || run.Find("d1", 5)[0] != "d1" {
			t.Error("samples, a robot's timeline or a search lack")
		}
	}
}

func counted(marks []play.Mark, k play.MarkKind) (n int) {
	for _, m := range marks {
		if m.Kind == k {
			n++
		}
	}
	return n
}

// TestExplain: the robot that was chosen is among those who could have gone, and was the cheapest.
func TestExplain(t *testing.T) {
	run, _ := rush(t)
	from, to := run.Span()
	explained := 0
	for x := from; x < to; x = x.Add(3 * clock.Minute) {
		for _, d := range at(t, run, x).Deliveries {
			e := run.Explain(d.ID)
			if e == nil {
				continue
			}
			explained++
			i := slices.IndexFunc(e.Candidates, func(c play.Candidate) bool { return c.Chosen })
			if i < 0 || e.Candidates[i].Robot != string(d.Decision().Robot) {
				t.Errorf("%s: of %d candidates none is %s", d.ID, len(e.Candidates), d.Decision().Robot)
			}
			if !slices.IsSortedFunc(e.Candidates, func(a, b play.Candidate) int { return cmp.Compare(a.Cost, b.Cost) }) {
				t.Errorf("%s: the candidates are not by cost", d.ID)
			}
		}
	}
	if explained < 20 {
		t.Errorf("%d decisions were explained; want some", explained)
	}
}

// TestLive: a log that comes in pieces and is forgotten from its beginning shows
// what the file shows, in bounded memory.
func TestLive(t *testing.T) {
	reader, r := twintest.Open(t)
	const limit = 300_000
	live := play.NewLive(limit)
	header := reader.Header()
	if err := live.Add(runlog.Piece{Header: &header}); err != nil {
		t.Fatal(err)
	}
	file, _ := rush(t)
	var run *play.Run
	most, n := 0, 0
	for e, err := range reader.Events(1) {
		if err != nil {
			t.Fatal(err)
		}
		piece := runlog.Piece{}
		piece.Events = append(piece.Events, e)
		if err := live.Add(piece); err != nil {
			t.Fatal(err)
		}
		most = max(most, live.Size())
		if n++; n%997 != 0 {
			continue
		}
		if run == nil {
			if run, err = play.Open(live, r.Network); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := run.Scan(1 << 30); err != nil {
			t.Fatal(err)
		}
		from, to := run.Span()
		for _, x := range []clock.Time{to, from.Add(to.Sub(from) / 2), from} {
			if x == to {
				x-- // more may happen at the same instant
			}
			if diff := gocmp.Diff(*at(t, file, x), *at(t, run, x), seen, always); diff != "" {
				t.Fatalf("after %d events at %v (-file +live):\n%s", n, x, diff)
			}
		}
	}
	if from, _ := run.Span(); most > limit*2 || from == 0 {
		t.Errorf("up to %d bytes were kept; want about %d, and the beginning forgotten", most, limit)
	}
}

// TestCompareKnowsRuns: what a run records is what footway diff compares.
func TestCompareKnowsRuns(t *testing.T) {
	a, _ := rush(t)
	b, _ := rush(t)
	for _, r := range []*play.Run{a, b} {
		if _, err := r.Scan(1 << 30); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range kpi.Compare(a.Record(), b.Record()) {
		if c.Verdict != kpi.Same {
			t.Errorf("%s differs between a run and itself", c.Name)
		}
	}
}
