package maps

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"

	"footway/core/fault"
)

// A network file (.fwnet) is the magic, then sections in a fixed order. A section is
//
//	kind      1 byte
//	packing   1 byte   0 as it is, 1 compressed
//	raw       uint32   bytes before compression
//	stored    uint32   bytes in the file
//	checksum  uint32   CRC-32C of the stored bytes
//
// in little endian, and the stored bytes. Numbers within a section are varints,
// positions differences to the one before. The same network gives the same bytes.

// magic begins a file; its last byte is the version of the format.
const magic = "\x89fwnet\n\x01"

// Limits of a file. A map of a whole state takes a twentieth of them.
const (
	maxFile    = 128 << 20 // bytes of the file
	maxSection = 128 << 20 // bytes of a section before compression
	maxRatio   = 40        // of compression: beyond it Encode stores a section as it is
)

// Codec compresses the sections of a file. It must be deterministic.
type Codec interface {
	// Compress returns src compressed, in a slice of its own.
	Compress(src []byte) []byte
	// Decompress returns what src was made from, in a slice of its own. It fails if
	// src is damaged or gives more than max bytes, without allocating more than about that.
	Decompress(src []byte, max int) ([]byte, error)
}

// The packings of a section.
const (
	packNone = iota
	packCodec
)

// section is one part of a network: how it is written and read.
type section struct {
	kind byte
	name string
	put  func(*writer, *Network)
	get  func(*reader, *Network)
}

// sections lists the parts in the order of the file; those that name others come behind them.
func sections() []section {
	return []section{
		{1, "names", putNames, getNames},
		{2, "nodes", putNodes, getNodes},
		{3, "edges", putEdges, getEdges},
		{4, "shapes", putShapes, getShapes},
		{5, "addresses", putAddresses, getAddresses},
		{6, "merchants", putMerchants, getMerchants},
		{7, "backdrop", putBackdrop, getBackdrop},
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sectionHead = 14

// Encode writes n to w, its sections compressed by c.
func Encode(w io.Writer, n *Network, c Codec) error {
	out := bytes.NewBufferString(magic)
	for _, s := range sections() {
		raw := writer{}
		s.put(&raw, n)
		stored, packing := c.Compress(raw.b), byte(packCodec)
		if len(stored) >= len(raw.b) || len(raw.b)/maxRatio >= len(stored) {
			stored, packing = raw.b, packNone
		}
		if len(raw.b) > maxSection {
			return fault.New("maps.Encode", fault.Invalid, "map_too_large", "section %s takes %d bytes: want at most %d", s.name, len(raw.b), maxSection)
		}
		head := []byte{s.kind, packing}
		head = binary.LittleEndian.AppendUint32(head, uint32(len(raw.b)))
		head = binary.LittleEndian.AppendUint32(head, uint32(len(stored)))
		head = binary.LittleEndian.AppendUint32(head, crc32.Checksum(stored, castagnoli))
		out.Write(head)
		out.Write(stored)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write network %q: %w", n.Name, err)
	}
	return nil
}

// Decode reads a network that Encode wrote. Whatever the bytes, it allocates no
// more than a fixed multiple of them, and what it returns is a valid network. It fails with
// fault.Invalid where they are not that, and with r's error where r fails.
func Decode(r io.Reader, c Codec) (*Network, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read network: %w", err)
	}
	n, err := decode(data, c)
	if err != nil {
		return nil, &fault.Error{Op: "maps.Decode", Kind: fault.Invalid, Reason: "bad_file", Err: err}
	}
	return n, nil
}

func decode(data []byte, c Codec) (*Network, error) {
	switch {
	case len(data) > maxFile:
		return nil, fmt.Errorf("longer than %d bytes", maxFile)
	case len(data) >= len(magic) && string(data[:len(magic)-1]) == magic[:len(magic)-1] && data[len(magic)-1] != magic[len(magic)-1]:
		return nil, fmt.Errorf("a network file of version %d: want version %d; import the map again", data[len(magic)-1], magic[len(magic)-1])
	case !bytes.HasPrefix(data, []byte(magic)):
		return nil, fmt.Errorf("not a network file (.fwnet): it begins with %q", data[:min(len(data), 8)])
	}
	n, at := &Network{}, len(magic)
	for _, s := range sections() {
		raw, size, err := unpack(data[at:], s, c)
		if err != nil {
			return nil, fmt.Errorf("section %s at byte %d: %w", s.name, at, err)
		}
		in := &reader{b: raw}
		s.get(in, n)
		if err := in.end(); err != nil {
			return nil, fmt.Errorf("section %s at byte %d: %w", s.name, at, err)
		}
		at += size
	}
	if at != len(data) {
		return nil, fmt.Errorf("%d bytes behind the last section, at byte %d", len(data)-at, at)
	}
	if err := n.Validate(); err != nil {
		return nil, err
	}
	return n, nil
}

// unpack returns the content of the section at the beginning of data, and its size there.
func unpack(data []byte, s section, c Codec) (raw []byte, size int, err error) {
	if len(data) < sectionHead {
		return nil, 0, fmt.Errorf("the file ends within its head: it was cut off")
	}
	rawSize, stored := binary.LittleEndian.Uint32(data[2:]), binary.LittleEndian.Uint32(data[6:])
	switch {
	case data[0] != s.kind:
		return nil, 0, fmt.Errorf("it has kind %d: want %d", data[0], s.kind)
	case int64(stored) > int64(len(data)-sectionHead):
		return nil, 0, fmt.Errorf("%d bytes are missing: the file was cut off", int64(stored)-int64(len(data)-sectionHead))
	case rawSize > maxSection || int64(rawSize) > int64(stored)*maxRatio:
		return nil, 0, fmt.Errorf("%d bytes are said to hold %d: want at most %d times as many", stored, rawSize, maxRatio)
	}
	size = sectionHead + int(stored)
	body := data[sectionHead:size]
	if sum := crc32.Checksum(body, castagnoli); sum != binary.LittleEndian.Uint32(data[10:]) {
		return nil, 0, fmt.Errorf("checksum %08x: want %08x; the file is damaged", sum, binary.LittleEndian.Uint32(data[10:]))
	}
	switch data[1] {
	case packNone:
		raw = body
	case packCodec:
		if raw, err = c.Decompress(body, int(rawSize)); err != nil {
			return nil, 0, fmt.Errorf("decompress: %w", err)
		}
	default:
		return nil, 0, fmt.Errorf("packing %d: want 0 or 1", data[1])
	}
	if len(raw) != int(rawSize) {
		return nil, 0, fmt.Errorf("it holds %d bytes: want %d", len(raw), rawSize)
	}
	return raw, size, nil
}

// Hash returns the SHA-256 of n's content in hexadecimal, whatever the compression of its file.
func (n *Network) Hash() string {
	h := sha256.New()
	for _, s := range sections() {
		w := writer{}
		s.put(&w, n)
		w.uint(uint64(len(w.b))) // so that no two splits give the same bytes
		h.Write(w.b)
	}
	return hex.EncodeToString(h.Sum(nil))
}
