package osm

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"footway/core/fault"
)

// The limits of the format: readers may refuse what is larger.
const (
	maxHeaderBytes = 64 << 10
	maxBlobBytes   = 32 << 20
)

const (
	op           = "osm.Import"
	reasonBroken = "damaged_extract"
	reasonStyle  = "unsupported_extract"
)

// blob is one framed part of the file: where it is and what is in it.
type blob struct {
	offset int64  // of the frame in the file, for messages
	kind   string // "OSMHeader", "OSMData", or something to be skipped
	at     int64  // of the body
	size   int    // of the body
}

// file reads the frames of an extract at any position, as the passes need.
type file struct {
	src  io.ReaderAt
	size int64
	body []byte        // reused
	raw  []byte        // reused
	zlib io.ReadCloser // reused; nil before the first blob
}

// damaged is the error for bytes that are not what the format says.
func damaged(offset int64, format string, args ...any) error {
	return fault.New(op, fault.Invalid, reasonBroken, "at byte %d: %w", offset, fmt.Errorf(format, args...))
}

// unsupported is the error for a healthy file that this importer does not read.
func unsupported(offset int64, format string, args ...any) error {
	return fault.New(op, fault.Invalid, reasonStyle, "at byte %d: %w", offset, fmt.Errorf(format, args...))
}

// blobs returns the frames of the file, without reading their bodies.
func (f *file) blobs() ([]blob, error) {
	var list []blob
	for offset := int64(0); offset < f.size; {
		b, err := f.frame(offset)
		if err != nil {
			return nil, err
		}
		list = append(list, b)
		offset = b.at + int64(b.size)
	}
	if len(list) == 0 {
		return nil, damaged(0, "the file is empty: want an OpenStreetMap extract in the PBF format (.osm.pbf)")
	}
	if list[0].kind != "OSMHeader" {
		return nil, damaged(0, "the first block is %q: want OSMHeader", list[0].kind)
	}
	return list, nil
}

// frame reads the frame at offset: a length, a header, and where the body is.
func (f *file) frame(offset int64) (blob, error) {
	var length [4]byte
	if err := f.readAt(length[:], offset, "the length of a block header"); err != nil {
		return blob{}, err
	}
	n := binary.BigEndian.Uint32(length[:])
	if n == 0 || n > maxHeaderBytes {
		if offset == 0 {
			return blob{}, damaged(offset, "this is not a PBF extract (a header of %d bytes: want 1 to %d)%s", n, maxHeaderBytes, looksLike(f.src))
		}
		return blob{}, damaged(offset, "a block header of %d bytes: want 1 to %d", n, maxHeaderBytes)
	}
	head := make([]byte, n)
	if err := f.readAt(head, offset+4, "a block header"); err != nil {
		return blob{}, err
	}
	b := blob{offset: offset, at: offset + 4 + int64(n), size: -1}
	err := eachField(head, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			b.kind = string(v.bytes)
		case 3:
			if v.varint > maxBlobBytes {
				return fmt.Errorf("a block of %d bytes: the format allows %d", v.varint, maxBlobBytes)
			}
			b.size = int(v.varint)
		}
		return nil
	})
	switch {
	case err != nil:
		return blob{}, damaged(offset, "block header%s: %w", hint(offset, f.src), err)
	case b.size < 0:
		return blob{}, damaged(offset, "block header without a size%s", hint(offset, f.src))
	case b.at+int64(b.size) > f.size:
		return blob{}, damaged(offset, "the block should be %d bytes, of which the file has %d: it was cut off; fetch it again", b.size, f.size-b.at)
	}
	return b, nil
}

func (f *file) readAt(p []byte, offset int64, what string) error {
	if have := f.size - offset; have < int64(len(p)) {
		return damaged(offset, "the file ends within %s%s", what, hint(offset, f.src))
	}
	if _, err := f.src.ReadAt(p, offset); err != nil && !errors.Is(err, io.EOF) {
		return fault.New(op, fault.Unavailable, "", "at byte %d: read %s: %w", offset, what, err)
	}
	return nil
}

// hint says what else a file might be whose very first frame is wrong.
func hint(offset int64, src io.ReaderAt) string {
	if offset == 0 {
		return looksLike(src)
	}
	return ""
}

// looksLike names the format of a file that is not PBF, if it is a known one.
func looksLike(src io.ReaderAt) string {
	var head [16]byte
	n, _ := src.ReadAt(head[:], 0) // a short file is told by its length
	h := head[:n]
	switch {
	case bytes.HasPrefix(h, []byte("<?xml")), bytes.HasPrefix(h, []byte("<osm")):
		return "; it looks like OSM XML: convert it with osmium cat in.osm -o out.osm.pbf"
	case bytes.HasPrefix(h, []byte("BZh")), bytes.HasPrefix(h, []byte{0x1f, 0x8b}):
		return "; it looks compressed: convert it with osmium cat in.osm.bz2 -o out.osm.pbf"
	case bytes.HasPrefix(h, []byte{0xff, 'o', '5', 'm'}), bytes.HasPrefix(h, []byte{0xff, 0xe0}):
		return "; it looks like o5m: convert it with osmium cat in.o5m -o out.osm.pbf"
	case bytes.HasPrefix(h, []byte("PK")):
		return "; it looks like a zip archive: unpack it first"
	}
	return ""
}

// read returns the uncompressed contents of b, valid until the next call.
func (f *file) read(b blob) ([]byte, error) {
	if cap(f.body) < b.size {
		f.body = make([]byte, b.size)
	}
	body := f.body[:b.size]
	if err := f.readAt(body, b.at, "a block"); err != nil {
		return nil, err
	}
	var plain, deflated []byte
	other := protowire.Number(0)
	size := -1
	err := eachField(body, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			plain = v.bytes
		case 2:
			if v.varint > maxBlobBytes {
				return fmt.Errorf("%d bytes when unpacked: the format allows %d", v.varint, maxBlobBytes)
			}
			size = int(v.varint)
		case 3:
			deflated = v.bytes
		case 4, 5, 6, 7:
			other = num
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, damaged(b.offset, "block: %w", err)
	case deflated != nil && size >= 0:
		return f.inflate(b, deflated, size)
	case deflated != nil:
		return nil, damaged(b.offset, "a compressed block without its unpacked size")
	case plain != nil:
		return plain, nil
	case other != 0:
		names := [...]string{4: "lzma", 5: "bzip2", 6: "lz4", 7: "zstd"}
		return nil, unsupported(b.offset, "the block is packed with %s: want zlib or none; convert with osmium cat in.osm.pbf -o out.osm.pbf -f pbf,pbf_compression=zlib", names[other])
	}
	return nil, damaged(b.offset, "a block without contents")
}

// inflate unpacks deflated, which must give exactly size bytes. The buffer
// grows with what really comes out, not with what the file promises.
func (f *file) inflate(b blob, deflated []byte, size int) ([]byte, error) {
	src := bytes.NewReader(deflated)
	var err error
	if f.zlib == nil {
		f.zlib, err = zlib.NewReader(src)
	} else {
		err = f.zlib.(zlib.Resetter).Reset(src, nil)
	}
	if err != nil {
		f.zlib = nil
		return nil, damaged(b.offset, "block does not unpack: %w", err)
	}
	out := bytes.NewBuffer(f.raw[:0])
	_, err = io.Copy(out, io.LimitReader(f.zlib, int64(size)+1))
	f.raw = out.Bytes()
	if err != nil {
		return nil, damaged(b.offset, "block does not unpack: %w", err)
	}
	if len(f.raw) != size {
		return nil, damaged(b.offset, "block unpacks to other than the %d bytes it promises", size)
	}
	return f.raw, nil
}

// features are the parts of the format that a file may require of its reader
// and that this reader has.
var features = []string{"OsmSchema-V0.6", "DenseNodes"}

// checkHeader reads the OSMHeader block and refuses what it requires and we lack.
func checkHeader(offset int64, raw []byte) error {
	var unknown string
	err := eachField(raw, func(num protowire.Number, v value) error {
		if num != 4 {
			return nil
		}
		for _, have := range features {
			if string(v.bytes) == have {
				return nil
			}
		}
		unknown = string(v.bytes)
		return nil
	})
	switch {
	case err != nil:
		return damaged(offset, "file header: %w", err)
	case unknown == "HistoricalInformation":
		return unsupported(offset, "the file holds the history of the map: make an extract of one moment with osmium time-filter in.osh.pbf 2026-01-01T00:00:00Z -o out.osm.pbf")
	case unknown != "":
		return unsupported(offset, "the file requires the feature %q, unknown here: want only %q", unknown, features)
	}
	return nil
}
