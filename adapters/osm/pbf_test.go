package osm

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// extractOf is a small extract to be written as PBF by a test.
type extractOf struct {
	nodes     []testNode
	ways      []testWay
	relations []testRelation
	plain     bool     // nodes one by one, not dense
	packed    bool     // blocks compressed with zlib
	backwards bool     // relations before ways before nodes
	features  []string // required
	field     int      // the blob's field for the data, if not 1 or 3
}

type testNode struct {
	id       int64
	lat, lon float64
	tags     []string // key, value, key, value
}

type testWay struct {
	id   int64
	refs []int64
	tags []string
}

type testRelation struct {
	id    int64
	ways  []int64
	roles []string
	tags  []string
}

// table is a block's string table in the making.
type table struct{ list []string }

func (t *table) index(s string) uint64 {
	for i, have := range t.list {
		if have == s {
			return uint64(i)
		}
	}
	t.list = append(t.list, s)
	return uint64(len(t.list) - 1)
}

func (t *table) tags(b []byte, pairs []string) []byte {
	var keys, vals []byte
	for i := 0; i < len(pairs); i += 2 {
		keys = protowire.AppendVarint(keys, t.index(pairs[i]))
		vals = protowire.AppendVarint(vals, t.index(pairs[i+1]))
	}
	return field(field(b, 2, keys), 3, vals)
}

// field appends a field with a length.
func field(b []byte, num protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), value)
}

// number appends a varint field.
func varint(b []byte, num protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), v)
}

func zigzag(b []byte, v int64) []byte { return protowire.AppendVarint(b, protowire.EncodeZigZag(v)) }

// encode writes the extract, one block for each kind of object.
func (x extractOf) encode() []byte {
	header := []byte{}
	features := x.features
	if features == nil {
		features = []string{"OsmSchema-V0.6", "DenseNodes"}
	}
	for _, f := range features {
		header = field(header, 4, []byte(f))
	}
	out := x.frame("OSMHeader", header)
	blocks := []func() []byte{x.nodeBlock, x.wayBlock, x.relationBlock}
	if x.backwards {
		blocks[0], blocks[2] = blocks[2], blocks[0]
	}
	for _, b := range blocks {
		out = append(out, x.frame("OSMData", b())...)
	}
	return out
}

// frame wraps contents in a blob and its header.
func (x extractOf) frame(kind string, contents []byte) []byte {
	var blob []byte
	switch {
	case x.field != 0:
		blob = field(varint(nil, 2, uint64(len(contents))), protowire.Number(x.field), contents)
	case x.packed:
		var z bytes.Buffer
		w := zlib.NewWriter(&z)
		w.Write(contents)
		w.Close()
		blob = field(varint(nil, 2, uint64(len(contents))), 3, z.Bytes())
	default:
		blob = field(nil, 1, contents)
	}
	head := varint(field(nil, 1, []byte(kind)), 3, uint64(len(blob)))
	out := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	return append(append(out, head...), blob...)
}

// blockOf puts a group behind its string table.
func blockOf(t *table, group []byte) []byte {
	var strings []byte
	for _, s := range t.list {
		strings = field(strings, 1, []byte(s))
	}
	return field(field(nil, 1, strings), 2, group)
}

func units(degrees float64) int64 { return int64(math.Round(degrees * 1e7)) }

func (x extractOf) nodeBlock() []byte {
	t := &table{list: []string{""}}
	var group []byte
	if x.plain {
		for _, n := range x.nodes {
			b := varint(nil, 1, protowire.EncodeZigZag(n.id))
			b = t.tags(b, n.tags)
			b = varint(b, 8, protowire.EncodeZigZag(units(n.lat)))
			b = varint(b, 9, protowire.EncodeZigZag(units(n.lon)))
			group = field(group, 1, b)
		}
		return blockOf(t, group)
	}
	var ids, lats, lons, keyVals []byte
	var last testNode
	for _, n := range x.nodes {
		ids = zigzag(ids, n.id-last.id)
		lats = zigzag(lats, units(n.lat)-units(last.lat))
		lons = zigzag(lons, units(n.lon)-units(last.lon))
		for _, s := range n.tags {
			keyVals = protowire.AppendVarint(keyVals, t.index(s))
		}
		keyVals = append(keyVals, 0)
		last = n
	}
	return blockOf(t, field(group, 2, field(field(field(field(nil, 1, ids), 8, lats), 9, lons), 10, keyVals)))
}

func (x extractOf) wayBlock() []byte {
	t := &table{list: []string{""}}
	var group []byte
	for _, w := range x.ways {
		b := t.tags(varint(nil, 1, uint64(w.id)), w.tags)
		var refs []byte
		last := int64(0)
		for _, r := range w.refs {
			refs = zigzag(refs, r-last)
			last = r
		}
		group = field(group, 3, field(b, 8, refs))
	}
	return blockOf(t, group)
}

func (x extractOf) relationBlock() []byte {
	t := &table{list: []string{""}}
	var group []byte
	for _, r := range x.relations {
		b := t.tags(varint(nil, 1, uint64(r.id)), r.tags)
		var roles, ids, kinds []byte
		last := int64(0)
		for i, id := range r.ways {
			roles = protowire.AppendVarint(roles, t.index(r.roles[i]))
			ids = zigzag(ids, id-last)
			kinds = protowire.AppendVarint(kinds, uint64(memberWay))
			last = id
		}
		group = field(group, 4, field(field(field(b, 8, roles), 9, ids), 10, kinds))
	}
	return blockOf(t, group)
}
