package runlog

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"

	"footway/core/clock"
)

// A file is a magic, a header, frames, an index and a tail:
//
//	"FWLOG\r\n\x01"  then the header's size (4 bytes), CRC (4) and JSON
//	frame            a head of fixed size, then a keyframe and events, each compressed by itself
//	…
//	index            the heads of all frames with their offsets
//	tail             where the index is; the last bytes of a file that was closed
//
// Numbers are big-endian, CRCs are CRC-32C. A frame's keyframe is the State
// before its first event; the events are canonical lines, each with a line
// feed. Every frame but the first may be without keyframe: it continues the one before.
// A frame with a keyframe may be without events. A file without tail (of a process that died) is read by going from head
// to head. The magic breaks if somebody transfers the file as text.
const (
	magic     = "FWLOG\r\n\x01"
	frameMark = "FRAM"
	indexMark = "INDX"
	tailMark  = "FWLOGEND"

	headSize = 4 + 8 + 8 + 8 + 8 + 32 + 32 + 5*4 + 4 + 4
	tailSize = 8 + 4 + 4 + 8
)

// Limits of what a reader accepts and a writer makes.
const (
	MaxHeader = 16 << 20 // bytes of the header's JSON
	MaxLine   = 16 << 20 // bytes of an event's line
	MaxFrame  = 64 << 20 // bytes of a frame's events or keyframe, before compression
	maxFrames = 1 << 22
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header says what a log is of.
type Header struct {
	Scenario   string `json:"scenario"`
	Seed       uint64 `json:"seed"`
	Market     string `json:"market"`
	Version    string `json:"version"`         // of the program that wrote it
	Compressed bool   `json:"compressed"`      // set by New
	After      uint64 `json:"after,omitempty"` // a log that continues another: number of the last event before it
	Chain      Hash   `json:"chain"`           // and the other's hash
}

// Codec compresses blocks.
type Codec interface {
	// Compress returns src compressed. Equal input gives equal output.
	Compress(src []byte) []byte
	// Decompress returns what Compress was given, or an error if src is damaged
	// or would be longer than limit bytes.
	Decompress(src []byte, limit int) ([]byte, error)
}

// Frame is a stretch of a log, which is written and read as a whole.
type Frame struct {
	Offset   int64      // of its head in the file
	FirstSeq uint64     // number of its first event
	Count    uint64     // of its events
	From     clock.Time // time of its first event
	To       clock.Time // latest time of any event up to its end
	Chain    Hash       // hash of the log up to its last event
	State    Hash       // hash of the state before its first event; zero without keyframe

	keyRaw, keyStored       uint32
	eventsRaw, eventsStored uint32
	crc                     uint32 // of what is stored behind the head
}

// LastSeq returns the number of the frame's last event.
func (f *Frame) LastSeq() uint64 { return f.FirstSeq + f.Count - 1 }

// keyed reports whether the frame has a keyframe, and so can be read by itself.
func (f *Frame) keyed() bool { return f.keyRaw > 0 }

// size returns the bytes that the frame takes in the file.
func (f *Frame) size() int64 { return headSize + int64(f.keyStored) + int64(f.eventsStored) }

// appendHead appends the frame's head, with a CRC of its own at the end.
func (f *Frame) appendHead(b []byte) []byte {
	start := len(b)
	b = append(b, frameMark...)
	b = binary.BigEndian.AppendUint64(b, f.FirstSeq)
	b = binary.BigEndian.AppendUint64(b, f.Count)
	b = binary.BigEndian.AppendUint64(b, uint64(f.From))
	b = binary.BigEndian.AppendUint64(b, uint64(f.To))
	b = append(b, f.Chain[:]...)
	b = append(b, f.State[:]...)
	for _, v := range []uint32{f.keyRaw, f.keyStored, f.eventsRaw, f.eventsStored, f.crc} {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = binary.BigEndian.AppendUint32(b, 0) // reserved
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parseHead reads a head of headSize bytes.
func parseHead(b []byte) (f Frame, err error) {
	body, sum := b[:headSize-4], binary.BigEndian.Uint32(b[headSize-4:])
	if string(body[:4]) != frameMark {
		return f, fmt.Errorf("no frame: want %q, have %q", frameMark, body[:4])
	}
	if crc32.Checksum(body, castagnoli) != sum {
		return f, fmt.Errorf("frame head: CRC does not match")
	}
	u := binary.BigEndian.Uint64
	f.FirstSeq, f.Count = u(body[4:]), u(body[12:])
	f.From, f.To = clock.Time(u(body[20:])), clock.Time(u(body[28:]))
	copy(f.Chain[:], body[36:])
	copy(f.State[:], body[68:])
	for i, p := range []*uint32{&f.keyRaw, &f.keyStored, &f.eventsRaw, &f.eventsStored, &f.crc} {
		*p = binary.BigEndian.Uint32(body[100+4*i:])
	}
	switch {
	case f.keyRaw > MaxFrame || f.eventsRaw > MaxFrame || f.keyStored > 2*MaxFrame || f.eventsStored > 2*MaxFrame:
		err = fmt.Errorf("frame head: a block of more than %d bytes", MaxFrame)
	case f.Count == 0 && (!f.keyed() || f.eventsRaw > 0) || f.Count > uint64(f.eventsRaw) || f.FirstSeq == 0 || f.FirstSeq+f.Count < f.FirstSeq:
		err = fmt.Errorf("frame head: %d events from number %d cannot be in %d bytes", f.Count, f.FirstSeq, f.eventsRaw)
	}
	return f, err
}

// fixedHeader is the size of what comes before the header's JSON.
const fixedHeader = len(magic) + 8

// headerSize returns the size of the header's JSON from what comes before it.
func headerSize(fixed []byte) (int, error) {
	if string(fixed[:len(magic)]) != magic {
		return 0, fmt.Errorf("not a run log: it begins with %q, want %q", fixed[:len(magic)], magic)
	}
	n := binary.BigEndian.Uint32(fixed[len(magic):])
	if n > MaxHeader {
		return 0, fmt.Errorf("byte %d: header of %d bytes, want at most %d", len(magic), n, MaxHeader)
	}
	return int(n), nil
}

// parseHeader reads the header's JSON.
func parseHeader(fixed, text []byte) (h Header, err error) {
	if crc32.Checksum(text, castagnoli) != binary.BigEndian.Uint32(fixed[len(magic)+4:]) {
		return h, fmt.Errorf("byte %d: header: CRC does not match", fixedHeader)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("byte %d: header: %w", fixedHeader, err)
	}
	return h, nil
}

// appendHeader appends the magic and the header.
func appendHeader(b []byte, h Header) ([]byte, error) {
	text, err := json.Marshal(h)
	if err != nil {
		return b, fmt.Errorf("runlog: header: %w", err)
	}
	if len(text) > MaxHeader {
		return b, fmt.Errorf("runlog: header: %d bytes, want at most %d", len(text), MaxHeader)
	}
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(text, castagnoli))
	return append(b, text...), nil
}

// appendIndex appends the index of frames and the tail; at is where in the file they begin.
func appendIndex(b []byte, frames []Frame, at int64) []byte {
	start := len(b)
	b = append(b, indexMark...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(frames)))
	for i := range frames {
		b = binary.BigEndian.AppendUint64(b, uint64(frames[i].Offset))
		b = frames[i].appendHead(b)
	}
	sum := crc32.Checksum(b[start:], castagnoli)
	tail := len(b)
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	b = binary.BigEndian.AppendUint32(b, sum)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b[tail:], castagnoli))
	return append(b, tailMark...)
}
