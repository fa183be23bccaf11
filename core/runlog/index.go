package runlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// readIndex takes the frames from the index at the end of the file.
func (r *Reader) readIndex() error {
	at := r.size - tailSize
	tail, err := r.read(at, tailSize)
	if err != nil {
		return err
	}
	u := binary.BigEndian.Uint32
	if string(tail[16:]) != tailMark {
		return fmt.Errorf("byte %d: no tail: the log was not closed", at)
	}
	if crc32.Checksum(tail[:12], castagnoli) != u(tail[12:]) {
		return fmt.Errorf("byte %d: tail: CRC does not match", at)
	}
	start := int64(binary.BigEndian.Uint64(tail))
	if start < r.body || start > at || at-start > maxFrames*(8+headSize) {
		return fmt.Errorf("byte %d: tail: an index at byte %d cannot be", at, start)
	}
	b, err := r.read(start, int(at-start))
	if err != nil {
		return err
	}
	if crc32.Checksum(b, castagnoli) != u(tail[8:]) {
		return fmt.Errorf("byte %d: index: CRC does not match", start)
	}
	const fixed = len(indexMark) + 4
	if len(b) < fixed || string(b[:len(indexMark)]) != indexMark || len(b) != fixed+int(u(b[4:]))*(8+headSize) {
		return fmt.Errorf("byte %d: index: damaged", start)
	}
	next := r.body
	for b = b[fixed:]; len(b) > 0; b = b[8+headSize:] {
		f, err := parseHead(b[8 : 8+headSize])
		f.Offset = int64(binary.BigEndian.Uint64(b))
		if err == nil {
			err = r.follows(&f, next)
		}
		if err != nil {
			r.frames = nil
			return fmt.Errorf("byte %d: index: %w", start, err)
		}
		r.frames = append(r.frames, f)
		next = f.Offset + f.size()
	}
	if next != start {
		r.frames = nil
		return fmt.Errorf("byte %d: index: frames end at byte %d", start, next)
	}
	return nil
}

// scan finds frames by going over the file, up to the first that is not whole.
// why says what is wrong with the index.
func (r *Reader) scan(why error) {
	r.frames = nil
	next := r.body
	for len(r.frames) < maxFrames {
		b, err := r.read(next, headSize)
		var f Frame
		if err == nil {
			f, err = parseHead(b)
		}
		if err == nil {
			f.Offset = next
			err = r.follows(&f, next)
		}
		if err == nil {
			_, _, err = r.blocks(&f, true) // checks the CRC of the whole frame
		}
		if err != nil {
			r.broken = fmt.Errorf("runlog: readable up to byte %d of %d, event %d: %w (%w)", next, r.size, r.LastSeq(), err, why)
			return
		}
		r.frames = append(r.frames, f)
		next += f.size()
	}
	r.broken = fmt.Errorf("runlog: more than %d frames", maxFrames)
}

// follows checks that f is at byte next, within the file, and the frame after
// those found so far.
func (r *Reader) follows(f *Frame, next int64) error {
	switch {
	case f.Offset != next:
		return fmt.Errorf("frame at byte %d, want %d", f.Offset, next)
	case f.size() > r.size-next:
		return fmt.Errorf("frame at byte %d: %d bytes, but only %d are there", next, f.size(), r.size-next)
	case f.FirstSeq != r.LastSeq()+1:
		return fmt.Errorf("frame at byte %d: begins with event %d, want %d", next, f.FirstSeq, r.LastSeq()+1)
	case len(r.frames) == 0 && !f.keyed():
		return fmt.Errorf("frame at byte %d: the first one has no keyframe", next)
	case len(r.frames) > 0 && f.To < r.frames[len(r.frames)-1].To:
		return fmt.Errorf("frame at byte %d: ends at %s, before the frame before it", next, f.To)
	}
	return nil
}
