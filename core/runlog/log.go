// Package runlog is the log of a run: everything that happened, in one
// append-only file of domain events (".fwlog") that can be sought, compared and
// named by its hash, and the fold of it that says how things stand at an
// instant. It opens no files; cmd does.
package runlog

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"

	"footway/core/clock"
	"footway/core/event"
)

// When a frame ends: at this much time or text, but never with fewer bytes
// than the keyframe before it, so that keyframes stay below half of a log.
const (
	frameTime  = 10 * clock.Minute
	frameBytes = 1 << 20
)

// Log writes a log. It is an event.Journal that numbers events from 1, folds
// them, and keeps the hash. It is not safe for use by several goroutines.
type Log struct {
	w        io.Writer // nil: nothing is written
	codec    Codec     // nil: not compressed
	observer []func(event.Event)
	err      error
	closed   bool

	state   State
	chain   chain
	frames  []Frame
	offset  int64
	current Frame  // the frame being filled; Count 0 if none
	key     []byte // its keyframe; empty if it continues the frame before it
	events  []byte // its lines
	out     []byte // scratch
	since   since
}

var _ event.Journal = (*Log)(nil)

// since is what was written since the last keyframe, which decides when the next one comes.
type since struct {
	keyed bool       // there is one, and the next frame continues it
	from  clock.Time // of its frame
	key   int        // its size
	lines int        // bytes of events since
}

// full reports whether the frames since the keyframe hold enough.
func (s *since) full(at clock.Time) bool {
	full := s.lines >= frameBytes || at.Sub(s.from) >= frameTime
	return full && (s.lines >= s.key || s.lines >= MaxFrame/2)
}

// Options are what a log can do without.
type Options struct {
	Codec     Codec               // nil: not compressed
	Observers []func(event.Event) // called with each event once it has its number, in order
	// Forget leaves out of a restored log's state the deliveries and tasks of which nothing was
	// heard since: a log that sees only a part of what happens may never see their end.
	Forget clock.Time
}

// New returns a log that writes to w, and writes the header. With w nil it only
// numbers, folds and hashes.
func New(w io.Writer, h Header, o Options) (*Log, error) {
	l := &Log{w: w, codec: o.Codec, observer: o.Observers}
	if err := l.begin(h); err != nil {
		return nil, err
	}
	return l, nil
}

// begin writes the header of a log that goes on from the state and hash so far.
func (l *Log) begin(h Header) error {
	h.Compressed = l.codec != nil
	h.After, h.Chain = l.state.seq, l.chain.last
	b, err := appendHeader(nil, h)
	if err != nil {
		return err
	}
	l.write(b)
	return l.err
}

// Append gives e its number and takes it into the log. An event that cannot be
// written is reported by Err and Close; the log then takes no more.
func (l *Log) Append(_ context.Context, e event.Event) {
	if l.err != nil {
		return
	}
	if l.closed {
		l.err = fmt.Errorf("runlog: event %q of %q after Close", e.Kind, e.Entity)
		return
	}
	e.Seq = l.state.seq + 1
	if len(e.Data) == 0 {
		e.Data = json.RawMessage("null")
	}
	if l.err = Check(e); l.err != nil {
		return
	}
	if l.w != nil && l.current.Count == 0 {
		if l.open(e); l.err != nil {
			return
		}
	}
	line := l.chain.add(e)
	if err := l.state.Apply(e); err != nil {
		l.err = err
		return
	}
	if l.w != nil {
		l.fill(line)
	}
	for _, observe := range l.observer {
		observe(e)
	}
}

// Check refuses an event that no reader would take.
func Check(e event.Event) error {
	if bytes.IndexByte(e.Data, '\n') >= 0 {
		return fmt.Errorf("runlog: event %d (%s of %.80q): data has a line feed; want JSON as json.Marshal writes it", e.Seq, e.Kind, e.Entity)
	}
	// A byte of a string takes at most 6 as JSON; the rest of a line is below 256.
	if n := len(e.Data) + 6*(len(e.Market)+len(e.Kind)+len(e.Entity)) + 256; n > MaxLine {
		return fmt.Errorf("runlog: event %d (%s of %.80q): a line of up to %d bytes, want at most %d", e.Seq, e.Kind, e.Entity, n, MaxLine)
	}
	return nil
}

// open begins a frame, with the state before e unless it continues the one before.
func (l *Log) open(e event.Event) {
	l.current, l.events = Frame{FirstSeq: e.Seq, From: e.T}, l.events[:0]
	if l.since.keyed {
		l.key = l.key[:0]
		return
	}
	var err error
	l.key, err = l.state.AppendBinary(l.key[:0])
	if err == nil && len(l.key) > MaxFrame {
		err = fmt.Errorf("runlog: event %d: the state has %d bytes, want at most %d", e.Seq, len(l.key), MaxFrame)
	}
	if err != nil {
		l.err = err
		return
	}
	l.current.State = hashState(l.key)
	l.since = since{keyed: true, from: e.T, key: len(l.key)}
}

// fill puts a line into the current frame, and ends it when it is full.
func (l *Log) fill(line []byte) {
	l.events = append(append(l.events, line...), '\n')
	l.current.Count++
	l.since.lines += len(line) + 1
	if l.since.full(l.state.at) {
		l.end()
		l.since = since{}
	}
}

// end writes the current frame, if there is one.
func (l *Log) end() {
	f := &l.current
	if f.Count == 0 {
		return
	}
	f.Offset, f.To, f.Chain = l.offset, l.state.at, l.chain.last
	f.keyRaw, f.eventsRaw = uint32(len(l.key)), uint32(len(l.events))
	key, events := l.compress(l.key), l.compress(l.events)
	f.keyStored, f.eventsStored = uint32(len(key)), uint32(len(events))
	f.crc = crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, events)
	l.out = f.appendHead(l.out[:0])
	l.out = append(append(l.out, key...), events...)
	l.write(l.out)
	l.frames = append(l.frames, *f)
	l.current = Frame{}
}

func (l *Log) compress(b []byte) []byte {
	if l.codec == nil || len(b) == 0 {
		return b
	}
	return l.codec.Compress(b)
}

func (l *Log) write(b []byte) {
	if l.w == nil || l.err != nil {
		return
	}
	if _, err := l.w.Write(b); err != nil {
		l.err = fmt.Errorf("runlog: write at byte %d: %w", l.offset, err)
		return
	}
	l.offset += int64(len(b))
}

// Flush ends the frame, so that a reader sees all events so far. What follows
// continues it, without a keyframe of its own until one is due: a log that is
// flushed often is not much longer, and its hash is the same.
func (l *Log) Flush() error {
	if l.w != nil && l.err == nil {
		l.end()
	}
	return l.err
}

// Close writes what is left, the index and the tail, and returns the first
// error of the log. It does not close the writer. It is no error to repeat it.
func (l *Log) Close() error {
	if l.closed || l.err != nil {
		return l.err
	}
	l.closed = true
	if l.w != nil {
		l.end()
		l.write(appendIndex(nil, l.frames, l.offset))
	}
	return l.err
}

// Err returns why the log takes no more events; nil if it does.
func (l *Log) Err() error { return l.err }

// Seq returns the number of the last event; 0 if none.
func (l *Log) Seq() uint64 { return l.state.seq }

// Hash returns the hash up to the last event: the identity of the run.
func (l *Log) Hash() Hash { return l.chain.last }

// State returns the fold of the events so far. The caller may not change it,
// and it changes with the next event.
func (l *Log) State() *State { return &l.state }

// Snapshot returns all that a log must know to go on elsewhere: hash and state.
func (l *Log) Snapshot() ([]byte, error) {
	if l.err != nil {
		return nil, l.err
	}
	b := append([]byte(nil), l.chain.last[:]...)
	return l.state.AppendBinary(b)
}

// Restore returns a log that goes on from a snapshot: the next event has the
// next number and the next hash, as if nothing had come between. What it
// writes is a file of its own, whose header says after what it begins.
func Restore(w io.Writer, h Header, o Options, snapshot []byte) (*Log, error) {
	l := &Log{w: w, codec: o.Codec, observer: o.Observers}
	if len(snapshot) < len(Hash{}) {
		return nil, fmt.Errorf("runlog: snapshot of %d bytes, want at least %d", len(snapshot), len(Hash{}))
	}
	n := copy(l.chain.last[:], snapshot)
	if err := l.state.UnmarshalBinary(snapshot[n:]); err != nil {
		return nil, err
	}
	l.state.forget(o.Forget)
	if err := l.begin(h); err != nil {
		return nil, err
	}
	return l, nil
}
