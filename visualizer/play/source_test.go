package play_test

import (
	"slices"
	"testing"

	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/event"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/visualizer/play"
)

// source is a running system that writes a log of robots' poses.
type source struct {
	tb     testing.TB
	header runlog.Header
	log    *runlog.Log
	t      clock.Time
	new    []event.Event
}

func newSource(tb testing.TB, scenario string, t clock.Time) *source {
	tb.Helper()
	s := &source{tb: tb, header: runlog.Header{Scenario: scenario, Market: "m"}, t: t}
	var err error
	s.log, err = runlog.New(nil, s.header, runlog.Options{Observers: []func(event.Event){func(e event.Event) { s.new = append(s.new, e) }}})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// beginning is what a viewer gets who joins now.
func (s *source) beginning() runlog.Piece {
	s.tb.Helper()
	key, err := s.log.State().AppendBinary(nil)
	if err != nil {
		s.tb.Fatal(err)
	}
	h, state := s.header, new(runlog.State)
	if err := state.UnmarshalBinary(key); err != nil {
		s.tb.Fatal(err)
	}
	h.After, h.Chain, s.new = s.log.Seq(), s.log.Hash(), nil
	return runlog.Piece{Header: &h, State: state, Seq: h.After, Chain: h.Chain}
}

// news is what happened since the last piece.
func (s *source) news() runlog.Piece {
	p := runlog.Piece{Events: s.new, Seq: s.log.Seq(), Chain: s.log.Hash()}
	s.new = nil
	return p
}

// millis returns where r1 is at a full second.
func millis(t clock.Time) int32 { return int32(t / 1000 % 60 * 1000) }

// drives lets r1 drive for n seconds, a metre in each.
func (s *source) drives(n int) {
	for range n {
		s.t = s.t.Add(clock.Second)
		s.log.Append(s.tb.Context(), event.New(s.t, "m", runlog.RobotPose, "r1", 0, runlog.Pose{
			Robot: "r1", Position: maps.Position{OffsetMM: millis(s.t)}, SpeedMMS: 1000, Activity: fleet.Driving,
		}))
	}
}

func street() *maps.Network {
	return &maps.Network{Name: "street", Edges: make([]maps.Edge, 1)}
}

func mustAdd(tb testing.TB, l *play.Live, p runlog.Piece) {
	tb.Helper()
	if err := l.Add(p); err != nil {
		tb.Fatal(err)
	}
}

func mustScan(tb testing.TB, r *play.Run) {
	tb.Helper()
	if done, err := r.Scan(1 << 30); err != nil || !done {
		tb.Fatalf("Scan = %v, %v; want all of it", done, err)
	}
}

// TestGap: what a viewer missed is shown as missing; before and behind it all is as it was.
func TestGap(t *testing.T) {
	s := newSource(t, "day", 1_000_000)
	live := play.NewLive(1 << 20)
	s.drives(30)
	mustAdd(t, live, s.beginning())
	run, err := play.Open(live, street())
	if err != nil {
		t.Fatal(err)
	}
	s.drives(100)
	lost := s.t
	mustAdd(t, live, s.news())
	mustScan(t, run)
	s.drives(500) // nobody looks
	back := s.t
	mustAdd(t, live, s.beginning())
	if st := at(t, run, back); st.T != back || st.Robot("r1").Pos.OffsetMM != millis(back) {
		t.Errorf("as the viewer is back, it is %v and r1 at %v", st.T, st.Robot("r1").Pos)
	}
	s.drives(100)
	mustAdd(t, live, s.news())
	mustScan(t, run)
	if n := counted(run.Marks(), play.Gap); n != 1 {
		t.Fatalf("%d gaps are marked, want 1: %v", n, run.Marks())
	}
	if m, ok := run.Jump(lost, play.Gap, false); !ok || m.T != back || m.Note != "nothing is known of 8 min" {
		t.Errorf("the gap: %v", m)
	}
	for _, x := range []clock.Time{s.t, lost.Add(-30 * clock.Second), lost, back, back.Add(clock.Minute)} {
		if st := at(t, run, x); st.Robot("r1").Pos.OffsetMM != millis(x) {
			t.Errorf("at %v r1 is at %v", x, st.Robot("r1").Pos)
		}
	}
	if st := at(t, run, back.Add(-clock.Minute)); st.Robot("r1").Pos.OffsetMM != millis(lost) {
		t.Errorf("in the gap r1 is at %v; want where it was last seen", st.Robot("r1").Pos)
	}
}

// TestNoGap: a viewer that comes back in time misses nothing.
func TestNoGap(t *testing.T) {
	s := newSource(t, "day", 1_000_000)
	live := play.NewLive(1 << 20)
	s.drives(30)
	mustAdd(t, live, s.beginning())
	run, err := play.Open(live, street())
	if err != nil {
		t.Fatal(err)
	}
	s.drives(70)
	mustAdd(t, live, s.news())
	mustScan(t, run)
	if n := run.Record().Events; n != 71 { // with the state that it began with
		t.Errorf("%d events are counted, want 71", n)
	}
	mustAdd(t, live, s.beginning())
	s.drives(70)
	mustAdd(t, live, s.news())
	mustScan(t, run)
	if n := run.Record().Events; n != 141 {
		t.Errorf("%d events are counted, want 141", n)
	}
	for _, b := range live.Blocks() {
		if b.Era != live.Blocks()[0].Era {
			t.Errorf("an era begins with event %d", b.First)
		}
	}
	if n := counted(run.Marks(), play.Gap); n != 0 {
		t.Errorf("%d gaps are marked: %v", n, run.Marks())
	}
	if from, _ := run.Span(); from != 1_030_000 {
		t.Errorf("the log begins at %v", from)
	}
}

// TestAnotherLog: a source that was set up anew is another log, even where its numbers overtake the old ones at once.
func TestAnotherLog(t *testing.T) {
	for _, n := range []int{40, 400} {
		s := newSource(t, "day", 1_000_000)
		live := play.NewLive(1 << 20)
		mustAdd(t, live, s.beginning())
		s.drives(100)
		mustAdd(t, live, s.news())
		run, err := play.Open(live, street())
		if err != nil {
			t.Fatal(err)
		}
		mustScan(t, run)
		at(t, run, s.t)
		s = newSource(t, "another day", 9_000_000)
		mustAdd(t, live, s.beginning())
		if st := at(t, run, s.t); st.Robot("r1") == nil {
			t.Error("while the other log has no events, the last picture stays; want r1 in it")
		}
		s.drives(n)
		mustAdd(t, live, s.news())
		mustScan(t, run)
		if marks := run.Marks(); len(marks) != 1 || marks[0].Kind != play.Gap || marks[0].Note != "another log begins" {
			t.Errorf("after %d events: marks %v", n, marks)
		}
		if got := run.Record().Events; got != uint64(n) {
			t.Errorf("%d events are counted, want %d", got, n)
		}
		if st := at(t, run, s.t); st.Seq != uint64(n) || st.Robot("r1").Pos.OffsetMM != millis(s.t) {
			t.Errorf("after %d events: event %d, r1 at %v", n, st.Seq, st.Robot("r1").Pos)
		}
	}
}

// TestPosesBlend: a robot that sends poses moves from one to the next, wherever one comes from.
func TestPosesBlend(t *testing.T) {
	s := newSource(t, "day", 1_000_000)
	live := play.NewLive(1 << 20)
	mustAdd(t, live, s.beginning())
	s.drives(300)
	mustAdd(t, live, s.news())
	run, err := play.Open(live, street())
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []clock.Time{1_200_250, 1_199_250, 1_060_750, 1_290_250, 1_290_750} {
		r := at(t, run, x).Robot("r1")
		if want := float32(x%1000) / 1000; r.Blend != want || !r.Moving || r.From.OffsetMM != millis(x.Add(-clock.Second)) {
			t.Errorf("at %d: %v of the way from %v, moving %v; want %v", x, r.Blend, r.From, r.Moving, want)
		}
	}
}

// TestMemory: what is known of a live log is bounded as the log is.
func TestMemory(t *testing.T) {
	s := newSource(t, "day", 1_000_000)
	live := play.NewLive(100_000)
	mustAdd(t, live, s.beginning())
	var run *play.Run
	for i := range 60 {
		s.drives(60)
		s.log.Append(t.Context(), event.New(s.t, "m", runlog.RobotHalt, "r1", 0, runlog.Halt{Robot: "r1", Cause: runlog.CauseStuck}))
		mustAdd(t, live, s.news())
		if run == nil {
			var err error
			if run, err = play.Open(live, street()); err != nil {
				t.Fatal(err)
			}
		}
		mustScan(t, run)
		from, to := run.Span()
		minutes := int(to.Sub(from)/clock.Minute) + 2
		for what, n := range map[string]int{"marks": len(run.Marks()), "spots": len(run.Spots()), "lines": len(run.Timeline("r1")), "minutes": len(run.Density())} {
			if n > minutes || n == 0 {
				t.Fatalf("minute %d: %d %s of %d minutes", i, n, what, minutes)
			}
		}
	}
	if from, _ := run.Span(); from < 2_000_000 {
		t.Errorf("nothing was forgotten")
	}
}

// TestExplainForgotten: of a decision from before the log begins it is known what was decided, not where everybody was.
func TestExplainForgotten(t *testing.T) {
	s := newSource(t, "day", 1_000_000)
	s.drives(5)
	s.log.Append(t.Context(), event.New(s.t, "m", "delivery.requested", "d1", 0, delivery.Update{Kind: delivery.StateChanged, To: delivery.Requested}))
	why := dispatch.Why{Considered: []dispatch.Considered{{Robot: "r1"}}}
	s.log.Append(t.Context(), event.New(s.t, "m", "dispatch.assigned", "d1", 0, dispatch.Decision{Delivery: "d1", Robot: "r1", At: s.t, Why: &why}))
	s.drives(100)
	live := play.NewLive(1 << 20)
	mustAdd(t, live, s.beginning())
	s.drives(5)
	mustAdd(t, live, s.news())
	run, err := play.Open(live, street())
	if err != nil {
		t.Fatal(err)
	}
	at(t, run, s.t)
	if x := run.Explain("d1"); x == nil || x.Decision.Robot != "r1" || len(x.Candidates) > 0 {
		t.Errorf("the explanation is %+v; want the decision without candidates", x)
	}
}

// TestCompare: orders are the same by what the partner calls them, not by our numbers.
func TestCompare(t *testing.T) {
	made := func(id string, took clock.Duration) *play.Run {
		s := newSource(t, "day", 1_000_000)
		tell := func(kind string, u delivery.Update) {
			u.Partner, u.ExternalID, u.Kind, u.At = "p", "x7", delivery.StateChanged, s.t
			s.log.Append(t.Context(), event.New(s.t, "m", kind, id, 0, u))
		}
		s.drives(5)
		tell("delivery.requested", delivery.Update{From: delivery.Quoted, To: delivery.Requested})
		s.drives(int(took / clock.Second))
		tell("delivery.delivered", delivery.Update{From: delivery.AtDropoff, To: delivery.Delivered})
		s.drives(200 - int(took/clock.Second))
		live := play.NewLive(1 << 20)
		p := s.news()
		h := s.header
		p.Header = &h
		mustAdd(t, live, p)
		run, err := play.Open(live, street())
		if err != nil {
			t.Fatal(err)
		}
		mustScan(t, run)
		return run
	}
	a, b := made("d1", 60*clock.Second), made("d9", 90*clock.Second)
	for _, c := range []struct {
		t    clock.Time
		want play.Order
	}{
		{1_060_000, play.Order{A: "d1", B: "d9"}},
		{1_070_000, play.Order{A: "d1", B: "d9", EndA: 1_065_000, OnlyA: true}},
		{1_100_000, play.Order{A: "d1", B: "d9", EndA: 1_065_000, EndB: 1_095_000, Later: 30 * clock.Second}},
	} {
		at(t, a, c.t)
		at(t, b, c.t)
		if got := play.Compare(a, b, c.t); !slices.Equal(got.Orders, []play.Order{c.want}) || len(got.Moved) > 0 {
			t.Errorf("at %d: %+v, want %+v", c.t, got, c.want)
		}
	}
	at(t, b, 1_050_000)
	if got := play.Compare(a, b, 1_050_000).Moved; len(got) != 1 || got[0].Robot != "r1" {
		t.Errorf("robots elsewhere: %v", got)
	}
	if d := at(t, b, 1_050_000).Same(&play.Delivery{ID: "d1", Partner: "p", External: "x7"}); d == nil || d.ID != "d9" {
		t.Errorf("the order of d1 in B is %v, want d9", d)
	}
}
