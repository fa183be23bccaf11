package runlog_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/kpi/kpitest"
	"footway/core/maps"
	"footway/core/runlog"
)

// deflate is a Codec of the standard library.
type deflate struct{}

func (deflate) Compress(src []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 1)
	if err != nil {
		panic(err)
	}
	if _, err := w.Write(src); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (deflate) Decompress(src []byte, limit int) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(src)), int64(limit)+1))
	if err == nil && len(b) > limit {
		err = errors.New("too long")
	}
	return b, err
}

var header = runlog.Header{Scenario: "made-up", Seed: 1, Market: "wedgwood", Version: "test"}

// write returns the log of events, and its hash.
func write(t testing.TB, events []event.Event, o runlog.Options) ([]byte, runlog.Hash) {
	t.Helper()
	var b bytes.Buffer
	l, err := runlog.New(&b, header, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		e.Seq = 0 // the log numbers
		l.Append(context.Background(), e)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), l.Hash()
}

func open(t testing.TB, b []byte, c runlog.Codec) *runlog.Reader {
	t.Helper()
	r, err := runlog.Open(bytes.NewReader(b), int64(len(b)), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func collect(t testing.TB, r *runlog.Reader, from uint64) []event.Event {
	t.Helper()
	var all []event.Event
	for e, err := range r.Events(from) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// same reports whether two events have the same line.
func same(a, b event.Event) bool {
	return bytes.Equal(runlog.AppendLine(nil, a), runlog.AppendLine(nil, b))
}

func day() []event.Event {
	return kpitest.Day{Seed: 1, Robots: 20, Orders: 300, Over: 6 * clock.Hour}.Events()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	events := day()
	for _, codec := range []runlog.Codec{nil, deflate{}} {
		b, hash := write(t, events, runlog.Options{Codec: codec})
		r := open(t, b, codec)
		if err := r.Verify(); err != nil {
			t.Fatal(err)
		}
		if r.Hash() != hash || r.LastSeq() != uint64(len(events)) {
			t.Errorf("hash %s and %d events, want %s and %d", r.Hash(), r.LastSeq(), hash, len(events))
		}
		if len(r.Frames()) < 20 {
			t.Errorf("%d frames for 6 hours, want one for about 10 minutes", len(r.Frames()))
		}
		for i, got := range collect(t, r, 0) {
			if !same(got, events[i]) {
				t.Fatalf("event %d:\n got %+v\nwant %+v", i+1, got, events[i])
			}
		}
		if got := collect(t, r, 1234); len(got) != len(events)-1233 || got[0].Seq != 1234 {
			t.Errorf("from 1234: %d events from %d, want %d", len(got), got[0].Seq, len(events)-1233)
		}
		if h := r.Header(); h.Scenario != "made-up" || h.Compressed != (codec != nil) {
			t.Errorf("header %+v", h)
		}
	}
}

func TestHashDoesNotDependOnCodecAndSeesEveryByte(t *testing.T) {
	events := day()
	_, want := write(t, events, runlog.Options{})
	if _, got := write(t, events, runlog.Options{Codec: deflate{}}); got != want {
		t.Errorf("compressed: hash %s, want %s", got, want)
	}
	events[700].T++
	if _, got := write(t, events, runlog.Options{}); got == want {
		t.Error("one digit changed, and the hash is the same")
	}
}

func TestCanonicalLine(t *testing.T) {
	e := event.Event{Seq: 1, T: -5, Market: "wedg\"wood", Kind: "a.b", Entity: "Zoë\n<&>\u2028", Version: math.MaxUint64, Data: []byte(`{"x":1}`)}
	want := `{"seq":1,"t":-5,"market":"wedg\"wood","kind":"a.b","entity":"Zoë\n\u003c\u0026\u003e\u2028","version":18446744073709551615,"data":{"x":1}}`
	if got := string(runlog.AppendLine(nil, e)); got != want {
		t.Errorf("AppendLine:\n got %s\nwant %s", got, want)
	}
	b, _ := write(t, []event.Event{e}, runlog.Options{})
	if got := collect(t, open(t, b, nil), 0); !cmp.Equal(got, []event.Event{e}) {
		t.Errorf("read back:\n got %+v\nwant %+v", got, e)
	}
}

func TestSeekIsTheFoldOfAllBefore(t *testing.T) {
	events := day()
	b, _ := write(t, events, runlog.Options{})
	r := open(t, b, nil)
	from, to := r.Span()
	for at := from - 1; at <= to+1; at += clock.Time(7 * clock.Minute) {
		var want runlog.State
		for _, e := range events {
			if e.T > at {
				break
			}
			if err := want.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		got, err := r.Seek(at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text(t, &want), text(t, got)); diff != "" {
			t.Fatalf("Seek(%s) (-fold from the beginning +got):\n%.2000s", at, diff)
		}
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

func TestStateForgetsWhatIsOver(t *testing.T) {
	var s runlog.State
	for _, e := range day() {
		if err := s.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	for slot, name := range map[runlog.Slot]string{
		runlog.DeliveryState: "DeliveryState", runlog.DeliveryReady: "DeliveryReady", runlog.RobotClaim: "RobotClaim", runlog.RobotHelp: "RobotHelp",
	} {
		if left := s.All(slot); len(left) > 0 {
			t.Errorf("%s: %d left at the end, such as %s of %s", name, len(left), left[0].Kind, left[0].Entity)
		}
	}
	if n := len(s.All(runlog.RobotDrive)); n != 20 {
		t.Errorf("%d robots have a last leg, want 20", n)
	}
	if s.Count("delivery.delivered") < 200 {
		t.Errorf("%d delivered, want more than 200", s.Count("delivery.delivered"))
	}
	if err := s.Apply(event.Event{Seq: 3, Kind: "x"}); err == nil || !strings.Contains(err.Error(), "event 3 after event") {
		t.Errorf("an event out of order: %v, want an error that says so", err)
	}
}

func TestRestoredLogGoesOnToTheSameHash(t *testing.T) {
	events := day()
	whole, hash := write(t, events, runlog.Options{})
	for _, at := range []int{0, 1, 499, len(events)} {
		first, err := runlog.New(io.Discard, header, runlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events[:at] {
			first.Append(context.Background(), e)
		}
		snapshot, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		second, err := runlog.Restore(&b, header, runlog.Options{}, snapshot)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events[at:] {
			second.Append(context.Background(), e)
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
		r := open(t, b.Bytes(), nil)
		if err := r.Verify(); err != nil {
			t.Errorf("after %d: %v", at, err)
		}
		if second.Hash() != hash || r.Hash() != hash {
			t.Errorf("restored after %d: hash %s, want %s", at, second.Hash().Short(), hash.Short())
		}
		if d, err := runlog.FirstDifference(open(t, whole, nil), r); err != nil || d != nil {
			t.Errorf("restored after %d: %v, %v, want no difference", at, d, err)
		}
	}
}

func TestObserversSeeNumberedEvents(t *testing.T) {
	var seen []uint64
	o := runlog.Options{Observers: []func(event.Event){func(e event.Event) { seen = append(seen, e.Seq) }}}
	write(t, day()[:3], o)
	if diff := cmp.Diff([]uint64{1, 2, 3}, seen); diff != "" {
		t.Error(diff)
	}
}

func TestAppendRefusesWhatNoReaderTakes(t *testing.T) {
	for name, e := range map[string]event.Event{
		"line feed": {Kind: "x", Data: []byte("{\n}")},
		"too long":  {Kind: "x", Data: bytes.Repeat([]byte("1"), runlog.MaxLine)},
	} {
		l, err := runlog.New(io.Discard, header, runlog.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l.Append(context.Background(), e)
		if l.Err() == nil || l.Close() == nil || l.Seq() != 0 {
			t.Errorf("%s: Err %v, Seq %d, want an error and nothing taken", name, l.Err(), l.Seq())
		}
	}
}

type fullDisk struct{ left int }

func (w *fullDisk) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errors.New("no space left")
	}
	return len(b), nil
}

func TestWriteErrorIsReported(t *testing.T) {
	l, err := runlog.New(&fullDisk{left: 20_000}, header, runlog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range day() {
		l.Append(context.Background(), e)
	}
	if err := l.Close(); err == nil || !strings.Contains(err.Error(), "write at byte") {
		t.Errorf("Close() = %v, want the error of the writer and where", err)
	}
}

func TestCrashedLogIsReadUpToItsLastFrame(t *testing.T) {
	events := day()
	b, _ := write(t, events, runlog.Options{Codec: deflate{}})
	full := open(t, b, deflate{})
	for _, i := range []int{0, 1, 17} {
		f := full.Frames()[i]
		for _, size := range []int64{f.Offset, f.Offset + 1, f.Offset + 300} {
			r := open(t, b[:size], deflate{})
			if r.LastSeq() != f.FirstSeq-1 {
				t.Errorf("cut at byte %d: last event %d, want %d", size, r.LastSeq(), f.FirstSeq-1)
			}
			if err := r.Broken(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("readable up to byte %d of %d", f.Offset, size)) {
				t.Errorf("cut at byte %d: Broken() = %v, want where it ends", size, err)
			}
			got := collect(t, r, 0)
			if uint64(len(got)) != f.FirstSeq-1 || !slices.EqualFunc(got, events[:len(got)], same) {
				t.Errorf("cut at byte %d: %d events, want the first %d", size, len(got), f.FirstSeq-1)
			}
		}
	}
}

// TestEveryDamagedByteIsNoticed flips one bit in each byte of a small log.
func TestEveryDamagedByteIsNoticed(t *testing.T) {
	b, _ := write(t, day()[:8], runlog.Options{Codec: deflate{}})
	for i := range b {
		damaged := bytes.Clone(b)
		damaged[i] ^= 1 << (i % 8)
		r, err := runlog.Open(bytes.NewReader(damaged), int64(len(damaged)), deflate{})
		if err == nil {
			err = r.Verify()
		}
		if err == nil {
			t.Fatalf("byte %d of %d damaged: no error", i, len(b))
		}
		if !strings.Contains(err.Error(), "byte") && !strings.Contains(err.Error(), "not a run log") {
			t.Errorf("byte %d damaged: %v, want an error that says where", i, err)
		}
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	for _, b := range []string{"", "PK\x03\x04", strings.Repeat("x", 500)} {
		if _, err := runlog.Open(strings.NewReader(b), int64(len(b)), nil); err == nil || !strings.Contains(err.Error(), "not a run log") {
			t.Errorf("Open(%.10q) = %v, want that it is not a run log", b, err)
		}
	}
	b, _ := write(t, day()[:3], runlog.Options{Codec: deflate{}})
	if _, err := runlog.Open(bytes.NewReader(b), int64(len(b)), nil); err == nil {
		t.Error("a compressed log without codec: no error")
	}
}

func TestFirstDifference(t *testing.T) {
	events := day()
	b, _ := write(t, events, runlog.Options{})
	a := open(t, b, nil)
	for _, at := range []int{0, 1, 855, len(events) - 1} {
		other := append([]event.Event(nil), events...)
		other[at].Entity += "x"
		other[at].Data = []byte(`{"robot":"r99"}`)
		c, _ := write(t, other, runlog.Options{Codec: deflate{}})
		d, err := runlog.FirstDifference(a, open(t, c, deflate{}))
		if err != nil {
			t.Fatal(err)
		}
		if d == nil || d.Seq != uint64(at+1) || (d.Before == nil) != (at == 0) {
			t.Fatalf("changed event %d: %+v, want it found", at+1, d)
		}
		if f := d.Fields(); !slices.ContainsFunc(f, func(f runlog.Field) bool { return f.Path == "data.robot" && f.B == `"r99"` }) {
			t.Errorf("changed event %d: %v, want data.robot among them", at+1, f)
		}
		if !strings.Contains(d.String(), fmt.Sprintf("part at event %d\n", at+1)) {
			t.Errorf("changed event %d: %s\nwant its number", at+1, d)
		}
	}
	began := append([]event.Event(nil), events...)
	began[0].Data = bytes.Replace(began[0].Data, []byte(`{"id":"r7"`), []byte(`{"id":"r77"`), 1)
	began[500].T++
	c, _ := write(t, began, runlog.Options{})
	d, err := runlog.FirstDifference(a, open(t, c, nil))
	if err != nil || d.Seq != 1 || !cmp.Equal(d.Fields(), []runlog.Field{{Path: "data.robots[6].id", A: `"r7"`, B: `"r77"`}}) {
		t.Errorf("another robot at the beginning: %v, %v, want its id", d, err)
	}
	if d, err = runlog.DifferenceFrom(a, open(t, c, nil), 2); err != nil || d.Seq != 501 {
		t.Errorf("behind the beginning: %v, %v, want event 501", d, err)
	}
	short, _ := write(t, events[:900], runlog.Options{})
	if d, err := runlog.FirstDifference(a, open(t, short, nil)); err != nil || d.Seq != 901 || d.B != nil {
		t.Errorf("a shorter log: %v, %v, want the end of B at 901", d, err)
	}
	if d, err := runlog.FirstDifference(a, a); err != nil || d != nil {
		t.Errorf("with itself: %v, %v, want no difference", d, err)
	}
}

func TestLegIsAFunctionOfTime(t *testing.T) {
	l := runlog.Leg{
		Route: []maps.EdgeID{4, 7, 9}, StartMM: 200, EndMM: 500, Times: []int32{1000, 6000, 7000}, LengthMM: 2300,
		Waits: []runlog.Hold{{Index: 1, Millis: 4000, Cause: "signal"}}, ChargeFromMWh: 100, ChargeToMWh: 30,
	}
	length := func(maps.EdgeID) int32 { return 1000 }
	for _, c := range []struct {
		since  clock.Duration
		want   maps.Position
		driven int64
	}{
		{-5, maps.Position{Edge: 4, OffsetMM: 200}, 0},
		{0, maps.Position{Edge: 4, OffsetMM: 200}, 0},
		{500, maps.Position{Edge: 4, OffsetMM: 600}, 383},
		{1000, maps.Position{Edge: 7, OffsetMM: 0}, 766},
		{4999, maps.Position{Edge: 7, OffsetMM: 0}, 766},
		{5500, maps.Position{Edge: 7, OffsetMM: 500}, 1150},
		{6500, maps.Position{Edge: 9, OffsetMM: 250}, 1916},
		{7000, maps.Position{Edge: 9, OffsetMM: 500}, 2300},
		{9000, maps.Position{Edge: 9, OffsetMM: 500}, 2300},
	} {
		if got, ok := l.At(c.since, length); !ok || got != c.want {
			t.Errorf("At(%d ms) = %v, %v, want %v", c.since, got, ok, c.want)
		}
		if got := l.DrivenAt(c.since); got != c.driven {
			t.Errorf("DrivenAt(%d ms) = %d, want %d", c.since, got, c.driven)
		}
	}
	if got := l.ChargeAt(3500); got != 65 {
		t.Errorf("ChargeAt(half) = %d, want 65", got)
	}
	if _, ok := (&runlog.Leg{Route: []maps.EdgeID{1}}).At(0, length); ok {
		t.Error("a leg without times has a position")
	}
}
