package journal

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"footway/core/event"
	"footway/core/runlog"
)

// chunk is how many events are taken over before subscribers get a turn.
const chunk = 256

// tick is how often it is looked what is due.
func (o Options) tick() time.Duration { return max(min(o.Flush, o.Retry)/2, time.Millisecond) }

// run writes what is put into the queue, until the journal is closed.
func (j *Journal) run() {
	defer close(j.done)
	publish, tend := time.NewTicker(j.o.Publish), time.NewTicker(j.o.tick())
	defer publish.Stop()
	defer tend.Stop()
	var spare []waiting
	for {
		select {
		case <-j.queue.ready:
			spare = j.drain(spare)
		case <-publish.C:
			j.hub.publish()
		case <-tend.C:
			spare = j.drain(spare)
			j.tend()
		case <-j.closing:
			j.drain(spare)
			if j.segments != nil {
				j.segments.end()
			}
			j.hub.close()
			return
		}
	}
}

// drain takes over all that waits. It returns the room for reuse.
func (j *Journal) drain(spare []waiting) []waiting {
	all, behind := j.queue.take(spare)
	events := make([]event.Event, 0, chunk)
	add := func(e event.Event) {
		if events = append(events, e); len(events) == chunk {
			j.write(events)
			events = events[:0]
		}
	}
	for i := range all {
		if w := &all[i]; w.gap.Lost > 0 {
			add(j.gap(w.gap, CauseQueue))
		}
		add(j.readable(all[i].Event))
	}
	if behind.Lost > 0 {
		add(j.gap(behind, CauseQueue))
	}
	j.write(events)
	clear(all) // or what it held would stay
	return all
}

// gap returns the event that stands for missing ones, and tells the operator.
func (j *Journal) gap(g Gap, cause string) event.Event {
	g.Cause = cause
	j.o.Log.Error("events are missing from the journal", "lost", g.Lost, "cause", cause, "first", g.From.String(), "last", g.To.String())
	return event.New(g.To, j.o.Market, KindGap, j.o.Name, 0, g)
}

// readable returns e as a reader takes it, or the gap in its place.
func (j *Journal) readable(e event.Event) event.Event {
	for _, s := range []*string{&e.Market, &e.Kind, &e.Entity} {
		*s = strings.ToValidUTF8(*s, "\uFFFD")
	}
	err := runlog.Check(e)
	if err == nil && len(e.Data) > 0 && !json.Valid(e.Data) {
		err = fmt.Errorf("event %s of %.80q: data is not JSON", e.Kind, e.Entity)
	}
	if err == nil {
		return e
	}
	j.refused.Add(1)
	j.o.Log.Error("no reader would take this event", "kind", e.Kind, "bytes", len(e.Data), "error", err)
	return j.gap(Gap{}.with(e), CauseRefused)
}

// write takes events over, for subscribers and into the segment.
func (j *Journal) write(events []event.Event) {
	if len(events) == 0 {
		return
	}
	j.hub.append(events)
	if j.segments == nil {
		return
	}
	j.segments.append(events)
	if j.segments.full() {
		j.rotate()
	}
}

// tend does what is due from time to time.
func (j *Journal) tend() {
	if j.segments == nil {
		return
	}
	now := time.Now()
	switch {
	case j.segments.current == nil:
		j.reopen()
	case now.Sub(j.segments.began) >= j.o.Rotate && !j.segments.empty():
		j.rotate()
	case now.Sub(j.segments.flushed) > j.o.Flush-j.o.tick(): // the next look would be too late
		j.segments.flush()
	}
}

// rotate ends the segment and begins the next.
func (j *Journal) rotate() {
	j.segments.end()
	if err := j.hub.again(forgetBefore(j.o)); err != nil {
		j.o.Log.Error("the journal's state is lost", "error", err)
	}
	j.reopen()
}

// reopen begins a segment, and tells in it what is in none.
func (j *Journal) reopen() {
	if err := j.segments.open(j.hub); err != nil {
		j.segments.fail(err)
		return
	}
	j.segments.retain()
	if missing := j.segments.missing; missing.Lost > 0 {
		j.segments.missing = Gap{}
		j.write([]event.Event{j.gap(missing, CauseDisk)})
	}
}
