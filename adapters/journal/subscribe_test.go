package journal_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"footway/adapters/journal"
	"footway/core/event"
	"footway/core/runlog"
)

// follower is a viewer.
type follower struct {
	t      testing.TB
	sub    *journal.Subscription
	stream runlog.Stream
	state  runlog.State
	seen   []event.Event
	lost   uint64
	begun  int
}

func follow(t testing.TB, j *journal.Journal, after uint64, chain runlog.Hash) *follower {
	t.Helper()
	f := &follower{t: t, sub: j.Subscribe(after, chain), stream: runlog.Stream{Codec: codec}}
	t.Cleanup(f.sub.Close)
	return f
}

// next takes one piece. It reports false when there is no more.
func (f *follower) next() bool {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b, lost, err := f.sub.Next(ctx)
	if errors.Is(err, io.EOF) {
		return false
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.lost += lost
	p, err := f.stream.Take(b)
	if err != nil {
		f.t.Fatal(err)
	}
	if p.Header != nil {
		f.begun++
	}
	if p.State != nil {
		f.state = *p.State
	}
	for _, e := range p.Events {
		if err := f.state.Apply(e); err != nil {
			f.t.Fatal(err)
		}
	}
	f.seen = append(f.seen, p.Events...)
	return true
}

// until follows until event number seq is known.
func (f *follower) until(seq uint64) {
	f.t.Helper()
	for {
		if at, _ := f.stream.At(); at >= seq && f.begun > 0 {
			return
		}
		if !f.next() {
			at, _ := f.stream.At()
			f.t.Fatalf("the journal ended at event %d, want %d", at, seq)
		}
	}
}

// collect returns the events until number seq, or to the end if it is 0.
func collect(t testing.TB, sub *journal.Subscription, seq uint64) []event.Event {
	t.Helper()
	f := &follower{t: t, sub: sub, stream: runlog.Stream{Codec: codec}}
	if seq > 0 {
		f.until(seq)
		return f.seen
	}
	for f.next() {
	}
	return f.seen
}

func TestFollow(t *testing.T) {
	j, want := open(t, journal.Options{Publish: time.Millisecond}), day(1500)
	first := follow(t, j, 0, runlog.Hash{})
	first.next()
	fill(j, want[:700])
	await(t, "all are taken over", func() bool { return j.Stats().Seq == 700 })
	late := follow(t, j, 0, runlog.Hash{})
	late.next()
	fill(j, want[700:])
	for name, f := range map[string]*follower{"first": first, "late": late} {
		f.until(1500)
		missing := 1500 - len(f.seen)
		if !slices.EqualFunc(f.seen, want[missing:], same) || f.lost != 0 || f.begun != 1 {
			t.Errorf("%s: %d events, %d lost, begun %d times", name, len(f.seen), f.lost, f.begun)
		}
	}
	if len(first.seen) != 1500 {
		t.Errorf("%d events, want 1500", len(first.seen))
	}
	if a, b := text(t, &first.state), text(t, &late.state); a != b {
		t.Error("who came late knows something else")
	}
	if n := j.Stats().Subscribers; n != 2 {
		t.Errorf("%d subscribers, want 2", n)
	}
	first.sub.Close()
	first.sub.Close()
	if n := j.Stats().Subscribers; n != 1 {
		t.Errorf("%d subscribers, want 1", n)
	}
}

func text(t testing.TB, s *runlog.State) string {
	t.Helper()
	b, err := s.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestComeBack(t *testing.T) {
	j, want := open(t, journal.Options{Publish: time.Millisecond}), day(900)
	f := follow(t, j, 0, runlog.Hash{})
	fill(j, want[:300])
	f.until(300)
	seq, chain := f.stream.At()
	fill(j, want[300:])
	for name, c := range map[string]struct {
		after uint64
		chain runlog.Hash
		begun int
		lost  uint64
	}{
		"where it was":          {seq, chain, 0, 0},
		"of another run":        {seq, runlog.Hash{1}, 1, 600},
		"from the future":       {5000, chain, 1, 0},
		"in the middle nowhere": {0, chain, 1, 0},
	} {
		await(t, "all are taken over", func() bool { return j.Stats().Seq == 900 })
		again := &follower{t: t, sub: j.Subscribe(c.after, c.chain), stream: f.stream}
		if err := again.state.UnmarshalBinary([]byte(text(t, &f.state))); err != nil {
			t.Fatal(err)
		}
		for again.next(); ; again.next() {
			if at, _ := again.stream.At(); at >= 900 {
				break
			}
		}
		again.sub.Close()
		if again.begun != c.begun || again.lost != c.lost || c.begun == 0 && !slices.EqualFunc(again.seen, want[300:], same) {
			t.Errorf("%s: %d events, begun %d times, %d lost; want begun %d, lost %d", name, len(again.seen), again.begun, again.lost, c.begun, c.lost)
		}
	}
}

func TestSlowOneIsToldWhatItLost(t *testing.T) {
	j, want := open(t, journal.Options{Publish: time.Millisecond, Ring: 3}), day(1000)
	slow := follow(t, j, 0, runlog.Hash{})
	fill(j, want[:10])
	slow.until(10)
	had := len(slow.seen)
	for batch := range slices.Chunk(want[10:], 99) {
		seq := j.Stats().Seq
		fill(j, batch)
		quick := follow(t, j, 0, runlog.Hash{})
		quick.until(seq + uint64(len(batch)))
		quick.sub.Close()
	}
	fill(j, want[:1])
	slow.until(1000)
	if slow.begun != 2 || slow.lost == 0 || uint64(len(slow.seen)-had)+slow.lost != slow.stateSeq()-10 {
		t.Errorf("begun %d times, %d lost, %d events of %d; want it to begin once more and to know what it lost", slow.begun, slow.lost, len(slow.seen)-had, slow.stateSeq()-10)
	}
}

func (f *follower) stateSeq() uint64 { return f.state.Seq() }

// TestCloseLetsReadersFinish closes a journal while somebody follows.
func TestCloseLetsReadersFinish(t *testing.T) {
	j, want := open(t, journal.Options{Publish: time.Hour}), day(200)
	f := follow(t, j, 0, runlog.Hash{})
	f.next()
	fill(j, want)
	shut(t, j)
	for f.next() {
	}
	if !slices.EqualFunc(f.seen, want, same) {
		t.Errorf("%d events, want all %d", len(f.seen), len(want))
	}
	j.Append(t.Context(), want[0])
	if s := j.Stats(); s.Dropped != 1 || s.Seq != 200 {
		t.Errorf("after Close: %+v, want the event dropped", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	other := open(t, journal.Options{})
	sub := other.Subscribe(0, runlog.Hash{})
	if _, _, err := sub.Next(ctx); err != nil {
		t.Errorf("the beginning is there at once: %v", err)
	}
	if _, _, err := sub.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with a context that has ended: %v", err)
	}
	sub.Close()
	if _, _, err := sub.Next(t.Context()); err == nil {
		t.Error("Next after Close: no error")
	}
}

// BenchmarkAppend is what the journal costs the services.
func BenchmarkAppend(b *testing.B) {
	j, err := journal.Open(journal.Options{Dir: b.TempDir(), Codec: codec, Queue: 1 << 22, QueueBytes: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	all := day(1 << 20)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		j.Append(context.Background(), all[i%len(all)])
		i++
	}
	appended := b.Elapsed()
	shut(b, j)
	if n := j.Stats().Dropped; n > 0 {
		b.Logf("%d of %d dropped", n, i)
	}
	b.ReportMetric(float64(i)/appended.Seconds(), "events/s")
}
