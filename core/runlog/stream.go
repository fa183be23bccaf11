package runlog

import (
	"fmt"
	"hash/crc32"

	"footway/core/event"
)

// Beginning flushes the log and returns the beginning of another one that goes
// on from here: a header, and a frame with the state and without events. The
// frames that are written from now on fit behind it, so that a reader may join at
// any time.
func (l *Log) Beginning(h Header) ([]byte, error) {
	if err := l.Flush(); err != nil {
		return nil, err
	}
	h.Compressed, h.After, h.Chain = l.codec != nil, l.state.seq, l.chain.last
	b, err := appendHeader(nil, h)
	if err != nil {
		return nil, err
	}
	key, err := l.state.AppendBinary(nil)
	if err != nil {
		return nil, err
	}
	if len(key) > MaxFrame {
		return nil, fmt.Errorf("runlog: the state has %d bytes, want at most %d", len(key), MaxFrame)
	}
	f := Frame{FirstSeq: h.After + 1, From: l.state.at, To: l.state.at, Chain: h.Chain, State: hashState(key), keyRaw: uint32(len(key))}
	key = l.compress(key)
	f.keyStored, f.crc = uint32(len(key)), crc32.Checksum(key, castagnoli)
	return append(f.appendHead(b), key...), nil
}

// Piece is what a Stream got.
type Piece struct {
	Header *Header       // set where a log begins: what was known before is not continued
	State  *State        // before Events, where a keyframe says so; at least where a log begins
	Events []event.Event // may be empty
	Seq    uint64        // number of the last event, of this piece or before it
	Chain  Hash          // hash up to it
	Raw    []byte        // the piece as it came; such pieces behind each other are a log that was not closed
}

// Stream takes a log apart as it comes over a wire, in pieces that are each a whole
// number of frames, the first with the header before them. Where a piece begins with a header
// again, another log begins. The zero value with a codec is ready; not for several goroutines.
type Stream struct {
	Codec Codec // nil: not compressed

	open   bool
	header Header
	seq    uint64
	chain  Hash
	lines  parser
}

// At returns the number of the last event that came, and the hash up to it.
func (s *Stream) At() (uint64, Hash) { return s.seq, s.chain }

// Take returns what is in a piece. After an error the stream takes only a piece that
// begins with a header.
func (s *Stream) Take(raw []byte) (Piece, error) {
	p := Piece{Raw: raw}
	rest, err := s.begin(&p, raw)
	for err == nil && len(rest) > 0 {
		rest, err = s.frame(&p, rest)
	}
	if err != nil {
		s.open = false
		return Piece{}, fmt.Errorf("runlog: piece of %d bytes, at byte %d: %w", len(raw), len(raw)-len(rest), err)
	}
	p.Seq, p.Chain = s.seq, s.chain
	return p, nil
}

// begin takes the header off, if there is one.
func (s *Stream) begin(p *Piece, b []byte) (rest []byte, err error) {
	if len(b) < fixedHeader || string(b[:len(magic)]) != magic {
		if !s.open {
			return b, fmt.Errorf("no header where a log begins")
		}
		return b, nil
	}
	n, err := headerSize(b)
	if err == nil && n > len(b)-fixedHeader {
		err = fmt.Errorf("header of %d bytes, but only %d are there", n, len(b)-fixedHeader)
	}
	if err != nil {
		return b, err
	}
	h, err := parseHeader(b, b[fixedHeader:fixedHeader+n])
	if err != nil {
		return b, err
	}
	if h.Compressed && s.Codec == nil {
		return b, fmt.Errorf("the log is compressed; want a codec to read it")
	}
	rest = b[fixedHeader+n:]
	if len(rest) == 0 {
		return b, fmt.Errorf("a header without a frame")
	}
	s.open, s.header, s.seq, s.chain = true, h, h.After, h.Chain
	p.Header = &h
	return rest, nil
}

// frame takes one frame off.
func (s *Stream) frame(p *Piece, b []byte) (rest []byte, err error) {
	if len(b) < headSize {
		return b, fmt.Errorf("%d bytes, want a frame", len(b))
	}
	f, err := parseHead(b[:headSize])
	switch {
	case err != nil:
		return b, err
	case f.size() > int64(len(b)):
		return b, fmt.Errorf("frame of %d bytes, but only %d are there", f.size(), len(b))
	case f.FirstSeq != s.seq+1:
		return b, fmt.Errorf("frame begins with event %d, want %d", f.FirstSeq, s.seq+1)
	case p.Header != nil && p.State == nil && !f.keyed():
		return b, fmt.Errorf("the first frame has no keyframe")
	}
	body := b[headSize:f.size()]
	if crc32.Checksum(body, castagnoli) != f.crc {
		return b, fmt.Errorf("frame: CRC does not match")
	}
	codec := s.Codec
	if !s.header.Compressed {
		codec = nil
	}
	if f.keyed() && len(p.Events) == 0 { // else the events before it say the same
		key, err := unpack(codec, body[:f.keyStored], f.keyRaw)
		if err != nil {
			return b, err
		}
		if p.State, err = f.state(key); err != nil {
			return b, err
		}
	}
	lines, err := unpack(codec, body[f.keyStored:], f.eventsRaw)
	if err != nil {
		return b, err
	}
	for e, err := range f.parse(&s.lines, lines) {
		if err != nil {
			return b, err
		}
		p.Events = append(p.Events, e)
	}
	s.seq, s.chain = f.LastSeq(), f.Chain
	return b[f.size():], nil
}
