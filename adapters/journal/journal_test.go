package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"footway/adapters/journal"
	"footway/adapters/memory"
	"footway/adapters/zstd"
	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/kpi/kpitest"
	"footway/core/maps"
	"footway/core/porttest"
	"footway/core/runlog"
)

var codec = &zstd.Codec{}

func quiet(t testing.TB) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}

func open(t testing.TB, o journal.Options) *journal.Journal {
	t.Helper()
	if o.Log == nil {
		o.Log = quiet(t)
	}
	if o.Codec == nil {
		o.Codec = codec
	}
	j, err := journal.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, j) })
	return j
}

func shut(t testing.TB, j *journal.Journal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := j.Close(ctx); err != nil {
		t.Error(err)
	}
}

func day(n int) []event.Event {
	all := kpitest.Day{Seed: 1, Robots: 20, Orders: 300, Over: 6 * clock.Hour}.Events()
	return all[:min(n, len(all))]
}

func fill(j *journal.Journal, events []event.Event) {
	for _, e := range events {
		j.Append(context.Background(), e)
	}
}

// same reports whether two events are, but for their numbers.
func same(a, b event.Event) bool {
	a.Seq, b.Seq = 0, 0
	return bytes.Equal(runlog.AppendLine(nil, a), runlog.AppendLine(nil, b))
}

func segments(t testing.TB, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"+journal.Extension))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t testing.TB, path string) *runlog.Reader {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := runlog.Open(bytes.NewReader(b), int64(len(b)), codec)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// events returns those of all segments, and checks that each is whole, can be shown by
// itself, and begins where the one before it ends.
func events(t testing.TB, dir string) []event.Event {
	t.Helper()
	var all []event.Event
	var last *runlog.Reader
	for _, path := range segments(t, dir) {
		r := read(t, path)
		if err := r.Verify(); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if last != nil && (r.Header().After != last.LastSeq() || r.Header().Chain != last.Hash()) {
			t.Errorf("%s begins after event %d, want after %d of the one before", path, r.Header().After, last.LastSeq())
		}
		for e, err := range r.Events(0) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
		last = r
	}
	return all
}

func TestWhatIsAppendedIsInTheSegments(t *testing.T) {
	dir, want := t.TempDir(), day(2000)
	j := open(t, journal.Options{Dir: dir, MaxBytes: 20_000})
	for batch := range slices.Chunk(want, 100) {
		fill(j, batch)
		await(t, "the batch is taken over", func() bool { return j.Stats().Queued == 0 })
	}
	shut(t, j)
	if got := events(t, dir); !slices.EqualFunc(got, want, same) || got[0].Seq != 1 || got[len(got)-1].Seq != uint64(len(want)) {
		t.Errorf("%d events, want the %d that were appended", len(got), len(want))
	}
	if len(segments(t, dir)) < 2 {
		t.Errorf("%d segments, want several of 20 kB", len(segments(t, dir)))
	}
}

// TestSegmentShowsEverythingByItself compares how things stand in the middle of a later segment.
func TestSegmentShowsEverythingByItself(t *testing.T) {
	dir, want := t.TempDir(), day(2000)
	j := open(t, journal.Options{Dir: dir, MaxBytes: 20_000, Forget: 100 * 365 * 24 * time.Hour})
	fill(j, want)
	shut(t, j)
	paths := segments(t, dir)
	r := read(t, paths[len(paths)-1])
	from, to := r.Span()
	got, err := r.Seek(from + (to-from)/2)
	if err != nil {
		t.Fatal(err)
	}
	var fold runlog.State
	for i, e := range want[:got.Seq()] {
		e.Seq = uint64(i + 1)
		if err := fold.Apply(e); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.EqualFunc(fold.All(runlog.RobotDrive), got.All(runlog.RobotDrive), same) || len(got.All(runlog.RobotDrive)) == 0 ||
		!slices.EqualFunc(fold.All(runlog.DeliveryState), got.All(runlog.DeliveryState), same) {
		t.Errorf("%d robots and %d deliveries, want %d and %d", len(got.All(runlog.RobotDrive)), len(got.All(runlog.DeliveryState)),
			len(fold.All(runlog.RobotDrive)), len(fold.All(runlog.DeliveryState)))
	}
}

// TestCrash takes the files as a crash leaves them, and starts anew on them.
func TestCrash(t *testing.T) {
	want := day(1000)
	dir, crashed := t.TempDir(), t.TempDir()
	j := open(t, journal.Options{Dir: dir, Flush: 10 * time.Millisecond})
	fill(j, want[:600])
	path := j.Stats().Segment
	await(t, "everything is flushed", func() bool { return read(t, path).LastSeq() == 600 })
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	frames := read(t, path).Frames()
	cut := frames[len(frames)-1].Offset + 100
	if err := os.WriteFile(filepath.Join(crashed, filepath.Base(path)), b[:cut], 0o600); err != nil {
		t.Fatal(err)
	}
	left := frames[len(frames)-1].FirstSeq - 1
	if err := os.WriteFile(filepath.Join(crashed, "journal-20990101T000000.000Z-9.fwlog"), []byte("FWLOG"), 0o600); err != nil { // cut in its header
		t.Fatal(err)
	}
	var logged bytes.Buffer
	again := open(t, journal.Options{Dir: crashed, Log: slog.New(slog.NewTextHandler(&logged, nil))})
	if got := again.Stats().Seq; got != left {
		t.Fatalf("goes on behind event %d, want %d", got, left)
	}
	if !strings.Contains(logged.String(), "20990101") {
		t.Errorf("log %q, want that one segment cannot be read", logged.String())
	}
	fill(again, want[left:])
	second := again.Stats().Segment
	shut(t, again)
	first, next := read(t, filepath.Join(crashed, filepath.Base(path))), read(t, second)
	if first.Broken() == nil || first.LastSeq() != left || next.Header().After != left || next.Header().Chain != first.Hash() {
		t.Errorf("the cut segment has %d events (%v), the next begins after %d; want %d", first.LastSeq(), first.Broken(), next.Header().After, left)
	}
	if next.LastSeq() != 1000 || next.Verify() != nil {
		t.Errorf("the next segment ends with event %d, %v; want 1000", next.LastSeq(), next.Verify())
	}
}

// TestFloodIsDroppedAndTheGapShows holds the writer, while more comes than can wait.
func TestFloodIsDroppedAndTheGapShows(t *testing.T) {
	dir := t.TempDir()
	gate := &gate{Handler: slog.NewTextHandler(io.Discard, nil), entered: make(chan struct{}), open: make(chan struct{})}
	j := open(t, journal.Options{Dir: dir, Queue: 10, Log: slog.New(gate)})
	j.Append(t.Context(), event.Event{T: 1, Kind: "a", Data: []byte("{\n}")}) // its refusal is logged, which holds the writer
	<-gate.entered
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 25 {
			j.Append(t.Context(), event.Event{T: clock.Time(100 + i), Kind: "b", Entity: fmt.Sprint(i)})
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("Append blocks while nobody writes")
	}
	if s := j.Stats(); s.Dropped != 15 || s.Queued != 10 {
		t.Errorf("%d dropped and %d wait, want 15 and 10", s.Dropped, s.Queued)
	}
	close(gate.open)
	await(t, "the queue is empty", func() bool { return j.Stats().Queued == 0 })
	j.Append(t.Context(), event.Event{T: 500, Kind: "c"})
	shut(t, j)
	var got []string
	for _, e := range events(t, dir) {
		got = append(got, e.Kind+string(e.Data))
	}
	want := []string{`journal.gap{"lost":1,"cause":"refused","from":1,"to":1}`}
	for range 10 {
		want = append(want, "bnull")
	}
	want = append(want, `journal.gap{"lost":15,"cause":"queue","from":110,"to":124}`, "cnull")
	if !slices.Equal(got, want) {
		t.Errorf("the log has\n%q, want\n%q", got, want)
	}
	if s := j.Stats(); s.Refused != 1 {
		t.Errorf("%d refused, want 1", s.Refused)
	}
}

// TestBigEventsLeaveRoom drops what is too big at the moment, and takes what is smaller.
func TestBigEventsLeaveRoom(t *testing.T) {
	dir := t.TempDir()
	gate := &gate{Handler: slog.NewTextHandler(io.Discard, nil), entered: make(chan struct{}), open: make(chan struct{})}
	j := open(t, journal.Options{Dir: dir, QueueBytes: 100, Log: slog.New(gate)})
	j.Append(t.Context(), event.Event{Kind: "bad", Data: []byte("{")})
	<-gate.entered
	for i, size := range []int{60, 70, 65, 10, 20, 90} {
		j.Append(t.Context(), event.Event{T: clock.Time(i), Kind: "x", Data: []byte(`"` + strings.Repeat("x", size-2) + `"`)})
	}
	close(gate.open)
	shut(t, j)
	var got []string
	for _, e := range events(t, dir) {
		text := fmt.Sprint(len(e.Data))
		if e.Kind == journal.KindGap {
			text = string(e.Data)
		}
		got = append(got, text)
	}
	want := []string{`{"lost":1,"cause":"refused","from":0,"to":0}`, "60", `{"lost":2,"cause":"queue","from":1,"to":2}`, "10", "20", `{"lost":1,"cause":"queue","from":5,"to":5}`}
	if !slices.Equal(got, want) {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

// gate is a log that nobody can write to until it is opened.
type gate struct {
	slog.Handler
	once          sync.Once
	entered, open chan struct{}
}

func (g *gate) Handle(ctx context.Context, r slog.Record) error {
	g.once.Do(func() { close(g.entered) })
	<-g.open
	return g.Handler.Handle(ctx, r)
}

// TestDisk takes the folder away for a while.
func TestDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	j := open(t, journal.Options{Dir: dir, Rotate: time.Millisecond, Retry: 10 * time.Millisecond, Flush: 10 * time.Millisecond})
	watcher := follow(t, j, 0, runlog.Hash{})
	watcher.next()
	fill(j, day(10))
	await(t, "the first segment has ended", func() bool { return len(segments(t, dir)) > 1 })
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	j.Append(t.Context(), event.Event{T: 7, Kind: "x"})
	await(t, "the loss is noticed", func() bool { return j.Stats().Failures > 0 })
	before := j.Stats().Unwritten
	j.Append(t.Context(), event.Event{T: 8, Kind: "lost"})
	await(t, "an event is in no segment", func() bool { return j.Stats().Unwritten == before+1 })
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	await(t, "there is a segment again", func() bool { return j.Stats().Segment != "" })
	shut(t, j)
	var after, gaps []string
	for _, path := range segments(t, dir) {
		r := read(t, path)
		for e, err := range r.Events(0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == journal.KindGap {
				gaps = append(gaps, string(e.Data))
			}
			after = append(after, e.Kind)
		}
	}
	if slices.Contains(after, "lost") || len(gaps) != 1 || !strings.Contains(gaps[0], `"cause":"disk"`) || !strings.Contains(gaps[0], `"to":8`) {
		t.Errorf("gaps %q in %q, want one of the disk", gaps, after)
	}
	for watcher.next() {
	}
	if !slices.ContainsFunc(watcher.seen, func(e event.Event) bool { return e.Kind == "lost" }) {
		t.Errorf("who follows live had %d events, without the one that is on no disk", len(watcher.seen))
	}
}

func TestRotationAndRetention(t *testing.T) {
	dir := t.TempDir()
	old, recent, other := filepath.Join(dir, "gone-20200101T000000.000Z-0.fwlog"), filepath.Join(dir, "b-20200101T000000.000Z-0.fwlog"), filepath.Join(dir, "notes.txt")
	for _, path := range []string{old, recent, other} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-48 * time.Hour)
	for _, path := range []string{old, other} {
		if err := os.Chtimes(path, long, long); err != nil {
			t.Fatal(err)
		}
	}
	j := open(t, journal.Options{Dir: dir, Name: "a", Rotate: 500 * time.Millisecond, Keep: 24 * time.Hour, Flush: time.Millisecond})
	fill(j, day(5))
	first := j.Stats().Segment
	await(t, "the segment is another", func() bool { s := j.Stats().Segment; return s != "" && s != first })
	await(t, "the old one is gone", func() bool { _, err := os.Stat(old); return errors.Is(err, os.ErrNotExist) })
	for _, path := range []string{recent, other} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v, want it kept", path, err)
		}
	}
	shut(t, j)
	if got := segments(t, dir); len(got) != 2 || got[0] != first {
		t.Errorf("segments %q, want the first, the recent one of somebody else, and none without events", got)
	}
}

func TestFlushedWithinAMinute(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		j := open(t, journal.Options{Dir: dir, Flush: time.Hour})
		j.Append(t.Context(), event.Event{T: 1, Kind: "a"})
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := read(t, j.Stats().Segment).LastSeq(); got != 1 {
			t.Errorf("a minute after an event a reader sees %d, want 1", got)
		}
		if age := time.Since(j.Stats().Flushed); age > time.Minute {
			t.Errorf("flushed %s ago", age)
		}
		shut(t, j)
	})
}

func TestWrongOptions(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for want, o := range map[string]journal.Options{
		`name "a/b"`: {Name: "a/b"}, "below 0": {Queue: -1}, "duration below 0": {Flush: -1}, "keep": {Keep: time.Minute, Rotate: time.Hour},
	} {
		if _, err := journal.Open(o); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%+v) = %v, want %q", o, err, want)
		}
	}
	if _, err := journal.Open(journal.Options{Dir: filepath.Join(file, "logs")}); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "make the folder") {
		t.Errorf("Open in a file: %v, want that the folder cannot be made", err)
	}
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir, MaxBytes: 10_000, Publish: time.Millisecond})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for i := range 500 {
				j.Append(context.Background(), event.New(clock.Time(i), "m", "x", fmt.Sprintf("w%d", w), uint64(i), nil))
			}
		})
	}
	for range 4 {
		writers.Go(func() {
			sub := j.Subscribe(0, runlog.Hash{})
			defer sub.Close()
			collect(t, sub, 100)
			j.Stats()
		})
	}
	writers.Wait()
	shut(t, j)
	next := map[string]uint64{}
	for _, e := range events(t, dir) {
		if e.Version != next[e.Entity] {
			t.Fatalf("%s: event %d where %d should be", e.Entity, e.Version, next[e.Entity])
		}
		next[e.Entity]++
	}
	if len(next) != 8 || next["w3"] != 500 {
		t.Errorf("%v, want 500 of each of 8", next)
	}
}

// TestTelemetry has a robot drive: its poses are told when they are due, and the store keeps all.
func TestTelemetry(t *testing.T) {
	dir := t.TempDir()
	j := open(t, journal.Options{Dir: dir, Pose: 10 * time.Second})
	store := j.Telemetry(memory.NewTelemetryStore())
	at := func(second, offset int, a fleet.Activity) fleet.Telemetry {
		return fleet.Telemetry{Robot: "r1", At: clock.Time(second * 1000), Position: maps.Position{Edge: 7, OffsetMM: int32(offset)}, Activity: a, ChargeMWh: 5}
	}
	for _, x := range []fleet.Telemetry{
		at(100, 0, fleet.Idle), at(105, 0, fleet.Idle), // nothing new
		at(106, 10, fleet.Driving), at(108, 20, fleet.Driving), at(116, 30, fleet.Driving), // too early, in time
		at(110, 99, fleet.Halted),                                                       // from before: not kept
		at(117, 30, fleet.AtStop), at(176, 30, fleet.AtStop), at(177, 30, fleet.AtStop), // a minute of nothing
	} {
		if _, err := store.SaveTelemetry(t.Context(), "m", x); err != nil {
			t.Fatal(err)
		}
	}
	shut(t, j)
	var got []string
	for _, e := range events(t, dir) {
		got = append(got, fmt.Sprintf("%s %s %d", e.Kind, e.Entity, e.T/1000))
	}
	want := []string{"robot.pose r1 100", "robot.pose r1 106", "robot.pose r1 116", "robot.pose r1 117", "robot.pose r1 177"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestTelemetryStore holds the store to the contract of what it decorates.
func TestTelemetryStore(t *testing.T) {
	porttest.TelemetryStore(t, func(t *testing.T) fleet.TelemetryStore {
		return open(t, journal.Options{}).Telemetry(memory.NewTelemetryStore())
	}, porttest.FleetLimits{})
}

func await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}
