package runlog_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/runlog"
)

// flushed returns the log of events, flushed behind every n-th.
func flushed(t testing.TB, events []event.Event, n int, o runlog.Options, look func(i int, b []byte)) ([]byte, runlog.Hash) {
	t.Helper()
	var b bytes.Buffer
	l, err := runlog.New(&b, header, o)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range events {
		l.Append(context.Background(), e)
		if (i+1)%n == 0 {
			if err := l.Flush(); err != nil {
				t.Fatal(err)
			}
			look(i, b.Bytes())
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), l.Hash()
}

func TestFlushShowsEverythingAndMovesNoHash(t *testing.T) {
	events := day()
	plain, want := write(t, events, runlog.Options{})
	for _, codec := range []runlog.Codec{nil, deflate{}} {
		b, hash := flushed(t, events, 3, runlog.Options{Codec: codec}, func(i int, b []byte) {
			if i%600 != 599 {
				return
			}
			r := open(t, b, codec)
			if got := collect(t, r, 0); len(got) != i+1 || !slices.EqualFunc(got, events[:i+1], same) {
				t.Fatalf("after a flush behind event %d: a reader sees %d events", i+1, len(got))
			}
		})
		if hash != want {
			t.Errorf("flushed often: hash %s, want %s", hash.Short(), want.Short())
		}
		r := open(t, b, codec)
		if err := r.Verify(); err != nil {
			t.Error(err)
		}
		if codec == nil && len(b) > len(plain)*2 {
			t.Errorf("flushed behind every third event: %d bytes, want at most twice the %d of one that is not", len(b), len(plain))
		}
		if d, err := runlog.FirstDifference(open(t, plain, nil), r); err != nil || d != nil {
			t.Errorf("difference to one that is not flushed: %v, %v; want none", d, err)
		}
		from, to := r.Span()
		for at := from; at <= to; at += clock.Time(67 * clock.Minute) {
			one, err := open(t, plain, nil).Seek(at)
			if err != nil {
				t.Fatal(err)
			}
			two, err := r.Seek(at)
			if err != nil {
				t.Fatal(err)
			}
			if text(t, one) != text(t, two) {
				t.Fatalf("Seek(%s): another state than without flushes", at)
			}
		}
	}
}

func TestFlushOfNothingWritesNothing(t *testing.T) {
	events := day()[:2]
	once, _ := flushed(t, events, 1, runlog.Options{}, func(int, []byte) {})
	var b bytes.Buffer
	l, err := runlog.New(&b, header, runlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		l.Append(context.Background(), e)
		for range 3 {
			if err := l.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := l.Close(); err != nil || !bytes.Equal(b.Bytes(), once) {
		t.Errorf("flushed three times: %d bytes, %v; want the %d of one flush", b.Len(), err, len(once))
	}
}

func TestLogGoesOnFromAFile(t *testing.T) {
	events := day()
	whole, hash := write(t, events, runlog.Options{})
	first, _ := flushed(t, events[:700], 10, runlog.Options{}, func(int, []byte) {})
	snapshot, err := open(t, first, nil).Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	l, err := runlog.Restore(&b, header, runlog.Options{}, snapshot)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events[700:] {
		l.Append(context.Background(), e)
	}
	if err := l.Close(); err != nil || l.Hash() != hash {
		t.Fatalf("hash %s, %v; want %s", l.Hash().Short(), err, hash.Short())
	}
	if d, err := runlog.FirstDifference(open(t, whole, nil), open(t, b.Bytes(), nil)); err != nil || d != nil {
		t.Errorf("%v, %v; want no difference", d, err)
	}
}

func TestForget(t *testing.T) {
	l, err := runlog.New(nil, header, runlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []event.Event{
		{T: 1, Kind: "delivery.requested", Entity: "silent"}, {T: 1, Kind: "delivery.requested", Entity: "open"}, {T: 1, Kind: runlog.RobotPose, Entity: "r1"},
		{T: 1, Kind: "task.created", Entity: "t1"}, {T: 9, Kind: "delivery.expectation", Entity: "open"}, {T: 9, Kind: "task.created", Entity: "t2"},
	} {
		l.Append(t.Context(), e)
	}
	snapshot, err := l.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if l, err = runlog.Restore(nil, header, runlog.Options{Forget: 5}, snapshot); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		slot   runlog.Slot
		entity string
		want   bool
	}{
		{runlog.DeliveryState, "silent", false}, {runlog.DeliveryState, "open", true}, {runlog.DeliveryNews, "open", true},
		{runlog.TaskChange, "t1", false}, {runlog.TaskChange, "t2", true}, {runlog.RobotSeen, "r1", true},
	} {
		if _, got := l.State().Get(c.slot, c.entity); got != c.want {
			t.Errorf("%s is in the state: %v, want %v", c.entity, got, c.want)
		}
	}
}

// pieces is a writer that keeps what it gets apart.
type pieces struct{ all [][]byte }

func (p *pieces) Write(b []byte) (int, error) {
	p.all = append(p.all, bytes.Clone(b))
	return len(b), nil
}

// TestJoin has readers join a log at any time: from then on they know what who read all of it knows.
func TestJoin(t *testing.T) {
	events := day()[:1200]
	for _, codec := range []runlog.Codec{nil, deflate{}} {
		var w pieces
		l, err := runlog.New(&w, header, runlog.Options{Codec: codec})
		if err != nil {
			t.Fatal(err)
		}
		type reader struct {
			runlog.Stream
			state runlog.State
			seen  []event.Event
			raw   []byte
			from  int
		}
		var readers []*reader
		take := func(r *reader, b []byte) {
			t.Helper()
			p, err := r.Take(b)
			if err != nil {
				t.Fatal(err)
			}
			if p.State != nil {
				r.state = *p.State
			}
			for _, e := range p.Events {
				if err := r.state.Apply(e); err != nil {
					t.Fatal(err)
				}
			}
			r.seen, r.raw = append(r.seen, p.Events...), append(r.raw, p.Raw...)
		}
		told := 1 // behind the header
		publish := func() {
			for ; told < len(w.all); told++ {
				for _, r := range readers {
					take(r, w.all[told])
				}
			}
		}
		for i, e := range events {
			if i%400 == 0 || i == 7 {
				b, err := l.Beginning(header)
				if err != nil {
					t.Fatal(err)
				}
				publish()
				r := &reader{Stream: runlog.Stream{Codec: codec}, from: i}
				take(r, b)
				readers = append(readers, r)
			}
			l.Append(context.Background(), e)
			if i%5 == 0 {
				if err := l.Flush(); err != nil {
					t.Fatal(err)
				}
				publish()
			}
		}
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		publish()
		for _, r := range readers {
			if !slices.EqualFunc(r.seen, events[r.from:], same) || text(t, &r.state) != text(t, l.State()) {
				t.Errorf("joined behind event %d: %d events and another state, want %d", r.from, len(r.seen), len(events)-r.from)
			}
			if seq, chain := r.At(); seq != l.Seq() || chain != l.Hash() {
				t.Errorf("joined behind event %d: at %d, want %d and its hash", r.from, seq, l.Seq())
			}
			kept := open(t, r.raw, codec)
			if got := collect(t, kept, 0); !slices.EqualFunc(got, r.seen, same) {
				t.Errorf("what came, kept as a file: %d events, want %d", len(got), len(r.seen))
			}
		}
	}
}

func TestStreamTrustsNothing(t *testing.T) {
	var w pieces
	l, err := runlog.New(&w, header, runlog.Options{Codec: deflate{}})
	if err != nil {
		t.Fatal(err)
	}
	events := day()
	for _, e := range events[:10] {
		l.Append(context.Background(), e)
	}
	begin, err := l.Beginning(header)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events[10:20] {
		l.Append(context.Background(), e)
	}
	if err := l.Flush(); err != nil {
		t.Fatal(err)
	}
	next := w.all[len(w.all)-1]
	for i := range begin {
		bad := bytes.Clone(begin)
		bad[i] ^= 4
		s := runlog.Stream{Codec: deflate{}}
		if _, err := s.Take(bad); err == nil {
			t.Fatalf("byte %d of %d damaged: no error", i, len(bad))
		}
	}
	s := runlog.Stream{Codec: deflate{}}
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"no beginning": {next, "no header"}, "cut off": {begin[:len(begin)-1], "only"}, "nothing": {nil, "no header"},
		"an older frame": {append(bytes.Clone(begin), w.all[1]...), "begins with event 1"},
	} {
		if _, err := s.Take(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := s.Take(append(bytes.Clone(begin), next...)); err != nil {
		t.Errorf("a beginning and what follows, after errors: %v", err)
	}
	if _, err := s.Take(next); err == nil {
		t.Error("the same piece twice: no error")
	}
	if _, err := (&runlog.Stream{}).Take(begin); err == nil || !strings.Contains(err.Error(), "codec") {
		t.Errorf("without the codec: %v", err)
	}
}

// FuzzStream takes pieces that anybody sends.
func FuzzStream(f *testing.F) {
	var w pieces
	l, err := runlog.New(&w, header, runlog.Options{})
	if err != nil {
		f.Fatal(err)
	}
	begin, err := l.Beginning(header)
	if err != nil {
		f.Fatal(err)
	}
	for _, kind := range []string{runlog.RobotPose, runlog.RobotLeg} { // short ones, or what is found takes a minute to be made small
		l.Append(context.Background(), event.Event{T: 5, Kind: kind, Entity: "r1"})
	}
	if err := l.Flush(); err != nil {
		f.Fatal(err)
	}
	f.Add(begin, w.all[1])
	f.Add(append(bytes.Clone(begin), w.all[1]...), begin)
	f.Fuzz(func(t *testing.T, a, b []byte) {
		s := runlog.Stream{Codec: deflate{}}
		for _, raw := range [][]byte{a, b} {
			p, err := s.Take(raw)
			if err != nil {
				continue
			}
			if p.Header != nil && p.State == nil {
				t.Fatal("a log that begins without a state")
			}
			if n := len(p.Events); n > 0 && p.Events[n-1].Seq != p.Seq {
				t.Fatalf("the last event is %d, the piece says %d", p.Events[n-1].Seq, p.Seq)
			}
		}
	})
}
