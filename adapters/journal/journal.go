// Package journal is the event journal of a process in production: it writes
// run logs into a folder, one segment after the other, and lets viewers follow
// them while they grow. Whoever appends never waits for it.
package journal

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"footway/core/clock"
	"footway/core/event"
	"footway/core/fault"
	"footway/core/runlog"
)

// Options are what a journal can do without. Its zero value writes no files.
type Options struct {
	Dir     string // where segments go; "" writes none. It is made if it is not there
	Name    string // of the process, unique among those that share Dir; "": journal
	Market  string // for the segments' headers; "" where there are several
	Version string // of the program
	Codec   runlog.Codec

	Queue      int           // how many events may wait to be written; 0: 65,536
	QueueBytes int           // and how much data; 0: 64 MiB
	Flush      time.Duration // how long an event may be in memory only; 0: 10 s, at most a minute
	Rotate     time.Duration // how long a segment goes on; 0: an hour, or half of Keep if that is less
	MaxBytes   int64         // how long a segment gets, give or take a frame; 0: 256 MiB
	Keep       time.Duration // segments that are older are deleted, whoever wrote them; 0: 14 days
	Forget     time.Duration // deliveries and tasks that were silent for so long do not go into a new segment's state; 0: a week
	Retry      time.Duration // how long after a failure of the disk the next segment is tried; 0: 5 s

	Publish   time.Duration // how often subscribers get what is new; 0: 200 ms
	Ring      int           // how many pieces of that are kept for those who are slow or come back; 0: 4,096
	RingBytes int           // and of what size; 0: 32 MiB
	Pose      time.Duration // how often the pose of a robot that moves is told, at most; 0: 2 s

	Log *slog.Logger // nil: slog.Default
}

func (o Options) orDefaults() Options {
	o.Name = cmp.Or(o.Name, "journal")
	o.Queue, o.QueueBytes = cmp.Or(o.Queue, 1<<16), cmp.Or(o.QueueBytes, 64<<20)
	o.Flush = min(cmp.Or(o.Flush, 10*time.Second), time.Minute)
	o.Keep, o.Forget = cmp.Or(o.Keep, 14*24*time.Hour), cmp.Or(o.Forget, 7*24*time.Hour)
	o.Rotate, o.MaxBytes = cmp.Or(o.Rotate, min(time.Hour, o.Keep/2)), cmp.Or(o.MaxBytes, 256<<20)
	o.Retry, o.Publish = cmp.Or(o.Retry, 5*time.Second), cmp.Or(o.Publish, 200*time.Millisecond)
	o.Ring, o.RingBytes = cmp.Or(o.Ring, 4096), cmp.Or(o.RingBytes, 32<<20)
	o.Pose = cmp.Or(o.Pose, 2*time.Second)
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// check refuses options that cannot work.
func (o Options) check() error {
	bad := func(format string, args ...any) error {
		return fault.New("journal.Open", fault.Invalid, "bad_options", format, args...)
	}
	switch {
	case !regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`).MatchString(o.Name):
		return bad("name %.120q: want 1 to 100 of A-Z a-z 0-9 . _ -, since files are named by it", o.Name)
	case min(o.Queue, o.QueueBytes, o.Ring, o.RingBytes) < 0 || o.MaxBytes < 0:
		return bad("queue, ring or size below 0: want 0 for the default, or more")
	case min(o.Flush, o.Rotate, o.Keep, o.Forget, o.Retry, o.Publish, o.Pose) < 0:
		return bad("a duration below 0: want 0 for the default, or more")
	case o.Keep <= o.Rotate:
		return bad("keep %s: want more than the %s that one segment goes on", o.Keep, o.Rotate)
	}
	return nil
}

// KindGap is the kind of the event that stands where others are missing. Its
// entity is the journal's name.
const KindGap = "journal.gap"

// Causes of a gap.
const (
	CauseQueue   = "queue"   // more came at once than could wait
	CauseRefused = "refused" // no reader would take them
	CauseDisk    = "disk"    // they are in no segment; who followed live had them
)

// Gap is the data of a gap.
type Gap struct {
	Lost  uint64     `json:"lost"` // how many events
	Cause string     `json:"cause"`
	From  clock.Time `json:"from"` // time of the first of them
	To    clock.Time `json:"to"`   // and of the last
}

// with returns g with one more event lost.
func (g Gap) with(e event.Event) Gap {
	if g.Lost == 0 {
		g.From = e.T
	}
	g.Lost++
	g.To = e.T
	return g
}

// Stats say how a journal does.
type Stats struct {
	Seq         uint64    // number of the last event
	Queued      int       // events that wait
	Dropped     uint64    // that found no room to wait
	Refused     uint64    // that no reader would take
	Unwritten   uint64    // that are in no segment, since the disk failed
	Failures    uint64    // of the disk
	Segment     string    // path of the segment; "" if there is none at the moment
	Flushed     time.Time // when all before was last safe on the disk
	Subscribers int
}

// Journal is an event.Journal that is safe for concurrent use.
type Journal struct {
	o        Options
	queue    *queue
	hub      *hub
	segments *segments // nil: no files
	poses    poses

	refused atomic.Uint64
	closing chan struct{}
	close   sync.Once
	done    chan struct{}
}

var _ event.Journal = (*Journal)(nil)

// Open returns a journal that goes on where the last segment of its name ends,
// which may be one that was cut off by a crash, and begins a new one. It fails if it can make no files.
func Open(o Options) (*Journal, error) {
	o = o.orDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	j := &Journal{
		o: o, queue: newQueue(o.Queue, o.QueueBytes), poses: poses{every: clock.Duration(o.Pose.Milliseconds())},
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	header := runlog.Header{Scenario: o.Name, Market: o.Market, Version: o.Version}
	var snapshot []byte
	if o.Dir != "" {
		j.segments = &segments{o: o, header: header}
		var err error
		if snapshot, err = j.segments.last(); err != nil {
			return nil, err
		}
	}
	j.hub = newHub(o, header)
	if err := j.hub.restore(snapshot, forgetBefore(o)); err != nil {
		return nil, fmt.Errorf("journal.Open: %w", err)
	}
	if j.segments != nil {
		if err := j.segments.open(j.hub); err != nil {
			return nil, err
		}
	}
	go j.run()
	return j, nil
}

func forgetBefore(o Options) clock.Time { return clock.Of(time.Now().Add(-o.Forget)) }

// Append implements event.Journal. An event that finds no room is dropped and counted,
// and a gap stands where it would be.
func (j *Journal) Append(_ context.Context, e event.Event) { j.queue.put(e) }

// Stats returns how the journal does.
func (j *Journal) Stats() Stats {
	s := Stats{Refused: j.refused.Load()}
	s.Queued, s.Dropped = j.queue.stats()
	s.Seq, s.Subscribers = j.hub.stats()
	if j.segments != nil {
		j.segments.stats(&s)
	}
	return s
}

// Close writes what waits, ends the segment and lets subscribers read what is left.
// Events that come later are dropped. If ctx ends first, the rest is written all
// the same, as far as the process lives.
func (j *Journal) Close(ctx context.Context) error {
	j.close.Do(func() {
		j.queue.close()
		close(j.closing)
	})
	select {
	case <-j.done:
	case <-ctx.Done():
		return fmt.Errorf("journal.Close: %w", ctx.Err())
	}
	if j.segments != nil {
		return j.segments.failure()
	}
	return nil
}
