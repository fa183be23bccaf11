package runlog

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"math"
	"sort"

	"footway/core/clock"
	"footway/core/event"
)

// Reader reads a log. It trusts nothing in the file: sizes are limited, blocks
// have CRCs, and what does not fit is an error that names the byte. Its methods
// may be called by several goroutines if its io.ReaderAt and Codec allow it.
type Reader struct {
	r      io.ReaderAt
	size   int64
	codec  Codec
	header Header
	body   int64 // where frames begin
	frames []Frame
	broken error // why the file ends early; nil if it was closed
}

// Open reads the header and the index of the log of size bytes in r. Without an
// index, as after a crash, it finds the frames by going over the file; Broken
// then says where it ended. codec may be nil for a log that is not compressed.
func Open(r io.ReaderAt, size int64, codec Codec) (*Reader, error) {
	rd := &Reader{r: r, size: size, codec: codec}
	if err := rd.readHeader(); err != nil {
		return nil, fmt.Errorf("runlog: %w", err)
	}
	if rd.header.Compressed && codec == nil {
		return nil, fmt.Errorf("runlog: the log is compressed; want a codec to read it")
	}
	if err := rd.readIndex(); err != nil {
		rd.scan(err)
	}
	return rd, nil
}

// Header returns what the log is of.
func (r *Reader) Header() Header { return r.header }

// Broken returns nil if the log was closed and its index is sound, and else what
// is wrong and at which byte the readable part ends.
func (r *Reader) Broken() error { return r.broken }

// Frames returns the frames in order. The caller may not change them.
func (r *Reader) Frames() []Frame { return r.frames }

// Hash returns the hash up to the last event, as the file has it; Verify computes it.
func (r *Reader) Hash() Hash {
	if len(r.frames) == 0 {
		return r.header.Chain
	}
	return r.frames[len(r.frames)-1].Chain
}

// LastSeq returns the number of the last event; that before the log if it has none.
func (r *Reader) LastSeq() uint64 {
	if len(r.frames) == 0 {
		return r.header.After
	}
	return r.frames[len(r.frames)-1].LastSeq()
}

// Span returns the times of the first and of the last event; 0 if there is none.
func (r *Reader) Span() (from, to clock.Time) {
	if len(r.frames) == 0 {
		return 0, 0
	}
	return r.frames[0].From, r.frames[len(r.frames)-1].To
}

// Events returns the events from number from on (0 is from the first). After
// an error it ends. The events' Data may not be changed.
func (r *Reader) Events(from uint64) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		var p parser
		for i := r.frameOf(from); i < len(r.frames); i++ {
			for e, err := range r.events(&p, i) {
				if err == nil && e.Seq < from {
					continue
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// Seek returns the state after the last event at or before t.
func (r *Reader) Seek(t clock.Time) (*State, error) {
	i := max(0, sort.Search(len(r.frames), func(i int) bool { return r.frames[i].From > t })-1)
	for i > 0 && r.frames[i-1].To > t {
		i-- // a clock that was set back: some of an earlier frame lies behind t
	}
	if i >= len(r.frames) {
		return &State{seq: r.header.After}, nil
	}
	for !r.frames[i].keyed() {
		i--
	}
	s, err := r.keyframe(i)
	if err != nil {
		return nil, err
	}
	for e, err := range r.Events(r.frames[i].FirstSeq) {
		if err != nil {
			return nil, err
		}
		if e.T > t {
			break
		}
		if err := s.Apply(e); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Verify reads all of the log and computes its hash and each frame's state anew.
func (r *Reader) Verify() error {
	if r.broken != nil {
		return r.broken
	}
	last, state := r.header.Chain, (*State)(nil)
	var p parser
	for i := range r.frames {
		f := &r.frames[i]
		if f.keyed() {
			kept, err := r.keyframe(i)
			if err != nil {
				return err
			}
			if state == nil {
				state = kept
			}
			have, err := state.AppendBinary(nil)
			if err != nil {
				return err
			}
			if hashState(have) != f.State {
				return fmt.Errorf("runlog: frame at byte %d: its keyframe is not the state before event %d", f.Offset, f.FirstSeq)
			}
		}
		for e, err := range r.events(&p, i) {
			if err != nil {
				return err
			}
			last = sha256.Sum256(AppendLine(append([]byte(nil), last[:]...), e))
			if err := state.Apply(e); err != nil {
				return err
			}
		}
		if last != f.Chain {
			return fmt.Errorf("runlog: frame at byte %d: its events have the hash %s, its head says %s", f.Offset, last.Short(), f.Chain.Short())
		}
	}
	return nil
}

// frameOf returns the index of the frame that has event number seq, or of the
// next one behind it.
func (r *Reader) frameOf(seq uint64) int {
	return sort.Search(len(r.frames), func(i int) bool { return r.frames[i].LastSeq() >= seq })
}

// events returns the events of frame i.
func (r *Reader) events(p *parser, i int) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		f := &r.frames[i]
		_, lines, err := r.blocks(f, false)
		if err != nil {
			yield(event.Event{}, err)
			return
		}
		for e, err := range f.parse(p, lines) {
			if err != nil {
				err = r.at(f, "%w", err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// parse returns the events in the frame's lines.
func (f *Frame) parse(p *parser, lines []byte) iter.Seq2[event.Event, error] {
	return func(yield func(event.Event, error) bool) {
		for seq := f.FirstSeq; seq-f.FirstSeq < f.Count; seq++ {
			line, rest, found := bytes.Cut(lines, []byte{'\n'})
			if !found {
				yield(event.Event{}, fmt.Errorf("%d events, want %d", seq-f.FirstSeq, f.Count))
				return
			}
			lines = rest
			e, err := p.parse(line)
			if err == nil && e.Seq != seq {
				err = fmt.Errorf("event %d where %d should be", e.Seq, seq)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if len(lines) > 0 {
			yield(event.Event{}, fmt.Errorf("%d bytes behind the last event", len(lines)))
		}
	}
}

// Keyframe returns the state before a frame, or nil for one that continues the frame before it.
func (r *Reader) Keyframe(frame int) (*State, error) {
	if !r.frames[frame].keyed() {
		return nil, nil
	}
	return r.keyframe(frame)
}

// keyframe returns the state before frame i.
func (r *Reader) keyframe(i int) (*State, error) {
	f := &r.frames[i]
	key, _, err := r.blocks(f, true)
	if err != nil {
		return nil, err
	}
	s, err := f.state(key)
	if err != nil {
		return nil, r.at(f, "%w", err)
	}
	return s, nil
}

// state reads the frame's keyframe.
func (f *Frame) state(key []byte) (*State, error) {
	if hashState(key) != f.State {
		return nil, fmt.Errorf("keyframe: hash does not match")
	}
	s := new(State)
	if err := s.UnmarshalBinary(key); err != nil {
		return nil, err
	}
	if s.seq != f.FirstSeq-1 {
		return nil, fmt.Errorf("keyframe after event %d, want %d", s.seq, f.FirstSeq-1)
	}
	return s, nil
}

// Snapshot returns what Restore needs for a log that goes on behind the last event.
func (r *Reader) Snapshot() ([]byte, error) {
	if len(r.frames) == 0 {
		return nil, fmt.Errorf("runlog: no snapshot: the log has no frame")
	}
	s, err := r.Seek(math.MaxInt64)
	if err != nil {
		return nil, err
	}
	h := r.Hash()
	return s.AppendBinary(h[:])
}

// blocks reads what is stored of a frame and returns its keyframe or its events.
func (r *Reader) blocks(f *Frame, wantKey bool) (key, lines []byte, err error) {
	b, err := r.read(f.Offset, int(f.size()))
	if err != nil {
		return nil, nil, r.at(f, "%w", err)
	}
	if !bytes.Equal(b[:headSize], f.appendHead(nil)) {
		return nil, nil, r.at(f, "its head is not the one in the index")
	}
	b = b[headSize:]
	if crc32.Checksum(b, castagnoli) != f.crc {
		return nil, nil, r.at(f, "CRC does not match")
	}
	codec := r.codec
	if !r.header.Compressed {
		codec = nil
	}
	if wantKey {
		key, err = unpack(codec, b[:f.keyStored], f.keyRaw)
	} else {
		lines, err = unpack(codec, b[f.keyStored:], f.eventsRaw)
	}
	if err != nil {
		return nil, nil, r.at(f, "%w", err)
	}
	return key, lines, nil
}

// unpack returns a block of raw bytes as it was before codec, which may be nil, compressed it.
func unpack(codec Codec, b []byte, raw uint32) ([]byte, error) {
	var err error
	if codec != nil && raw > 0 {
		b, err = codec.Decompress(b, int(raw))
	}
	if err == nil && len(b) != int(raw) {
		err = fmt.Errorf("a block of %d bytes, want %d", len(b), raw)
	}
	return b, err
}

// at returns an error that names the frame's place in the file.
func (r *Reader) at(f *Frame, format string, args ...any) error {
	return fmt.Errorf("runlog: frame at byte %d: %w", f.Offset, fmt.Errorf(format, args...))
}

// read returns n bytes at offset.
func (r *Reader) read(offset int64, n int) ([]byte, error) {
	if offset < 0 || int64(n) > r.size-offset {
		return nil, fmt.Errorf("byte %d: the file has %d bytes, want %d more from here", offset, r.size, n)
	}
	b := make([]byte, n)
	if _, err := r.r.ReadAt(b, offset); err != nil {
		return nil, fmt.Errorf("byte %d: %w", offset, err)
	}
	return b, nil
}

func (r *Reader) readHeader() error {
	b, err := r.read(0, fixedHeader)
	if err != nil {
		return fmt.Errorf("not a run log: %w", err)
	}
	n, err := headerSize(b)
	if err != nil {
		return err
	}
	text, err := r.read(int64(fixedHeader), n)
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	r.body = int64(fixedHeader) + int64(n)
	r.header, err = parseHeader(b, text)
	return err
}
