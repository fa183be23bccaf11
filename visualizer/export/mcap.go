package export

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

// Codec compresses blocks with Zstandard.
type Codec interface {
	Compress(src []byte) []byte
}

// The records of MCAP that are written here, by their opcodes.
const (
	opHeader        = 0x01
	opFooter        = 0x02
	opSchema        = 0x03
	opChannel       = 0x04
	opMessage       = 0x05
	opChunk         = 0x06
	opMessageIndex  = 0x07
	opChunkIndex    = 0x08
	opStatistics    = 0x0b
	opSummaryOffset = 0x0e
	opDataEnd       = 0x0f
)

const (
	mcapMagic = "\x89MCAP0\r\n"
	chunkSize = 1 << 20 // of messages, before compression
)

// mcap writes an MCAP file (https://mcap.dev/spec): chunks with their indexes, and a summary. Messages come in
// the order of their times. After an error it does nothing more.
type mcap struct {
	w     io.Writer
	codec Codec // nil: not compressed
	at    uint64
	crc   uint32 // of what was written of the section
	err   error

	schemas  [][]byte // records
	channels [][]byte
	counts   []uint64 // messages by channel
	first    uint64   // time of the first message
	last     uint64
	chunks   [][]byte // chunk indexes

	chunk []byte   // records of the chunk being filled
	held  int      // messages in it
	from  uint64   // time of the first of them
	index [][]byte // entries of message indexes, by channel
}

// newMCAP begins a file.
func newMCAP(w io.Writer, codec Codec, library string) *mcap {
	m := &mcap{w: w, codec: codec}
	m.put([]byte(mcapMagic))
	m.put(record(opHeader, str(str(nil, ""), library)))
	return m
}

// schema adds a schema as JSON and returns its id.
func (m *mcap) schema(name, text string) uint16 {
	id := uint16(len(m.schemas) + 1) // 0 is none
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = str(str(str(b, name), "jsonschema"), text)
	m.schemas = append(m.schemas, record(opSchema, b))
	m.chunk = append(m.chunk, m.schemas[id-1]...)
	return id
}

// channel adds a channel of JSON messages of a schema and returns its id.
func (m *mcap) channel(topic string, schema uint16) uint16 {
	id := uint16(len(m.channels))
	b := binary.LittleEndian.AppendUint16(nil, id)
	b = binary.LittleEndian.AppendUint16(b, schema)
	b = str(str(b, topic), "json")
	b = binary.LittleEndian.AppendUint32(b, 0) // no metadata
	m.channels, m.counts, m.index = append(m.channels, record(opChannel, b)), append(m.counts, 0), append(m.index, nil)
	m.chunk = append(m.chunk, m.channels[id]...)
	return id
}

// message adds a message at a time in nanoseconds.
func (m *mcap) message(channel uint16, ns uint64, data []byte) {
	if m.held == 0 {
		m.from = ns
	}
	if m.held == 0 && len(m.chunks) == 0 {
		m.first = ns
	}
	m.held++
	m.last = ns
	le := binary.LittleEndian
	m.index[channel] = le.AppendUint64(le.AppendUint64(m.index[channel], ns), uint64(len(m.chunk)))
	m.chunk = append(m.chunk, opMessage)
	m.chunk = le.AppendUint64(m.chunk, uint64(2+4+8+8+len(data)))
	m.chunk = le.AppendUint16(m.chunk, channel)
	m.chunk = le.AppendUint32(m.chunk, uint32(m.counts[channel]))
	m.chunk = le.AppendUint64(le.AppendUint64(m.chunk, ns), ns)
	m.chunk = append(m.chunk, data...)
	m.counts[channel]++
	if len(m.chunk) >= chunkSize {
		m.endChunk()
	}
}

// endChunk writes the chunk and the indexes of its messages.
func (m *mcap) endChunk() {
	if m.held == 0 {
		return
	}
	le := binary.LittleEndian
	stored, compression := m.chunk, ""
	if m.codec != nil {
		stored, compression = m.codec.Compress(m.chunk), "zstd"
	}
	b := le.AppendUint64(le.AppendUint64(nil, m.from), m.last)
	b = le.AppendUint64(b, uint64(len(m.chunk)))
	b = le.AppendUint32(b, crc32.ChecksumIEEE(m.chunk))
	b = str(b, compression)
	b = append(le.AppendUint64(b, uint64(len(stored))), stored...)
	start := m.at
	m.put(record(opChunk, b))
	length := m.at - start

	var offsets []byte
	indexes := m.at
	for id, entries := range m.index {
		if len(entries) == 0 {
			continue
		}
		offsets = le.AppendUint64(le.AppendUint16(offsets, uint16(id)), m.at)
		b := le.AppendUint32(le.AppendUint16(nil, uint16(id)), uint32(len(entries)))
		m.put(record(opMessageIndex, append(b, entries...)))
		m.index[id] = entries[:0]
	}

	b = le.AppendUint64(le.AppendUint64(nil, m.from), m.last)
	b = le.AppendUint64(le.AppendUint64(b, start), length)
	b = append(le.AppendUint32(b, uint32(len(offsets))), offsets...)
	b = str(le.AppendUint64(b, m.at-indexes), compression)
	b = le.AppendUint64(le.AppendUint64(b, uint64(len(stored))), uint64(len(m.chunk)))
	m.chunks = append(m.chunks, record(opChunkIndex, b))
	m.chunk, m.held = m.chunk[:0], 0
}

// close writes the summary and returns the first error.
func (m *mcap) close() error {
	m.endChunk()
	le := binary.LittleEndian
	m.put(record(opDataEnd, le.AppendUint32(nil, m.crc)))

	summary := m.at
	m.crc = 0
	var offsets []byte
	group := func(op byte, records ...[]byte) {
		if len(records) == 0 {
			return
		}
		start := m.at
		for _, r := range records {
			m.put(r)
		}
		b := le.AppendUint64(le.AppendUint64([]byte{op}, start), m.at-start)
		offsets = append(offsets, record(opSummaryOffset, b)...)
	}
	group(opSchema, m.schemas...)
	group(opChannel, m.channels...)
	group(opStatistics, m.statistics())
	group(opChunkIndex, m.chunks...)
	offsetStart := m.at
	m.put(offsets)

	footer := record(opFooter, le.AppendUint32(le.AppendUint64(le.AppendUint64(nil, summary), offsetStart), 0))
	n := len(footer) - 4 // the sum is of all before itself
	m.crc = crc32.Update(m.crc, crc32.IEEETable, footer[:n])
	le.PutUint32(footer[n:], m.crc)
	m.put(footer)
	m.put([]byte(mcapMagic))
	return m.err
}

func (m *mcap) statistics() []byte {
	le := binary.LittleEndian
	var all uint64
	var each []byte
	for id, n := range m.counts {
		all += n
		each = le.AppendUint64(le.AppendUint16(each, uint16(id)), n)
	}
	b := le.AppendUint64(nil, all)
	b = le.AppendUint16(b, uint16(len(m.schemas)))
	for _, n := range []int{len(m.channels), 0, 0, len(m.chunks)} { // in between attachments and metadata
		b = le.AppendUint32(b, uint32(n))
	}
	b = le.AppendUint64(le.AppendUint64(b, m.first), m.last)
	return record(opStatistics, append(le.AppendUint32(b, uint32(len(each))), each...))
}

// put writes b.
func (m *mcap) put(b []byte) {
	if m.err != nil {
		return
	}
	if _, err := m.w.Write(b); err != nil {
		m.err = fmt.Errorf("export: %w", err)
		return
	}
	m.at += uint64(len(b))
	m.crc = crc32.Update(m.crc, crc32.IEEETable, b)
}

// record returns a record of an opcode.
func record(op byte, content []byte) []byte {
	b := binary.LittleEndian.AppendUint64([]byte{op}, uint64(len(content)))
	return append(b, content...)
}

// str appends a string with its length before it.
func str(b []byte, s string) []byte {
	b = slices.Grow(b, 4+len(s))
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}
