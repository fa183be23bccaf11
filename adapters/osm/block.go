package osm

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"footway/core/maps"
)

// tag is a key and its value. The strings are part of the block that they come
// from: clone what outlives it.
type tag struct{ key, value string }

// tags are those of one object, in the file's order.
type tags []tag

// get returns the value of key, or "".
func (t tags) get(key string) string {
	for i := range t {
		if t[i].key == key {
			return t[i].value
		}
	}
	return ""
}

// memberKind says what a relation's member is.
type memberKind uint8

const (
	memberNode memberKind = iota
	memberWay
	memberRelation
)

// member is one member of a relation.
type member struct {
	id   int64
	kind memberKind
	role string
}

// visitor is called for each object of a block. What it is given is valid
// during the call only. Kinds with a nil function are skipped unread.
type visitor struct {
	node     func(id int64, p maps.Point, onGlobe bool, t tags) error
	way      func(id int64, refs []int64, t tags) error
	relation func(id int64, members []member, t tags) error
}

// contents says which kinds of object a block holds.
type contents struct{ nodes, ways, relations bool }

// block decodes one primitive block. Its slices are reused from object to object.
type block struct {
	strings     []string
	granularity int64
	latOffset   int64
	lonOffset   int64
	visit       visitor
	tags        tags
	refs        []int64
	members     []member
}

// decode calls visit for every object in raw, an unpacked OSMData block.
func (b *block) decode(raw []byte, visit visitor) (contents, error) {
	b.granularity, b.latOffset, b.lonOffset = 100, 0, 0
	b.strings = b.strings[:0]
	b.visit = visit
	var groups [][]byte
	var has contents
	err := eachField(raw, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			return b.stringTable(v.bytes)
		case 2:
			groups = append(groups, v.bytes)
		case 17:
			b.granularity = int64(int32(v.varint))
		case 19:
			b.latOffset = int64(v.varint)
		case 20:
			b.lonOffset = int64(v.varint)
		}
		return nil
	})
	if err != nil {
		return has, err
	}
	if b.granularity <= 0 {
		return has, fmt.Errorf("a granularity of %d nanodegrees: want more than 0", b.granularity)
	}
	for _, g := range groups {
		if err := b.group(g, &has); err != nil {
			return has, err
		}
	}
	return has, nil
}

// stringTable makes one string of the whole table and cuts it, so that a block
// costs one allocation instead of thousands.
func (b *block) stringTable(raw []byte) error {
	all := string(raw)
	for pos := 0; pos < len(raw); {
		num, kind, n := protowire.ConsumeTag(raw[pos:])
		if n < 0 {
			return fmt.Errorf("string table, %d bytes in: %w", pos, protowire.ParseError(n))
		}
		pos += n
		if num != 1 || kind != protowire.BytesType {
			return fmt.Errorf("string table: field %d: want only field 1, strings", num)
		}
		size, n := protowire.ConsumeVarint(raw[pos:])
		if n < 0 || size > uint64(len(raw)-pos-n) {
			return fmt.Errorf("string table, %d bytes in: a string longer than the table", pos)
		}
		pos += n
		b.strings = append(b.strings, all[pos:pos+int(size)])
		pos += int(size)
	}
	return nil
}

// group decodes one primitive group.
func (b *block) group(raw []byte, has *contents) error {
	return eachField(raw, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			has.nodes = true
			return onlyIf(b.visit.node != nil, b.plainNode, v.bytes, "node")
		case 2:
			has.nodes = true
			return onlyIf(b.visit.node != nil, b.denseNodes, v.bytes, "dense nodes")
		case 3:
			has.ways = true
			return onlyIf(b.visit.way != nil, b.way, v.bytes, "way")
		case 4:
			has.relations = true
			return onlyIf(b.visit.relation != nil, b.relation, v.bytes, "relation")
		}
		return nil
	})
}

// onlyIf decodes raw if it is wanted, and says in errors what it was.
func onlyIf(wanted bool, decode func([]byte) error, raw []byte, what string) error {
	if !wanted {
		return nil
	}
	if err := decode(raw); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// point converts coordinates in the block's units to 1e-7 degrees.
func (b *block) point(lat, lon int64) (p maps.Point, onGlobe bool) {
	const degree = 1_000_000_000
	lat = b.latOffset + b.granularity*lat
	lon = b.lonOffset + b.granularity*lon
	if lat < -90*degree || lat > 90*degree || lon < -180*degree || lon > 180*degree {
		return maps.Point{}, false
	}
	return maps.Point{Lon: int32(roundTo100(lon)), Lat: int32(roundTo100(lat))}, true
}

// roundTo100 returns v/100 rounded to the nearest integer.
func roundTo100(v int64) int64 {
	if v < 0 {
		return -((-v + 50) / 100)
	}
	return (v + 50) / 100
}

func (b *block) plainNode(raw []byte) error {
	var id, lat, lon int64
	var keys, vals packed
	err := eachField(raw, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			id = protowire.DecodeZigZag(v.varint)
		case 2:
			keys.rest = v.bytes
		case 3:
			vals.rest = v.bytes
		case 8:
			lat = protowire.DecodeZigZag(v.varint)
		case 9:
			lon = protowire.DecodeZigZag(v.varint)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.pairTags(keys, vals); err != nil {
		return fmt.Errorf("%d: %w", id, err)
	}
	p, ok := b.point(lat, lon)
	return b.visit.node(id, p, ok, b.tags)
}

func (b *block) denseNodes(raw []byte) error {
	var ids, lats, lons, keyVals packed
	err := eachField(raw, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			ids.rest = v.bytes
		case 8:
			lats.rest = v.bytes
		case 9:
			lons.rest = v.bytes
		case 10:
			keyVals.rest = v.bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	var id, lat, lon int64
	for {
		dID, ok := ids.zigzag()
		if !ok {
			break
		}
		dLat, okLat := lats.zigzag()
		dLon, okLon := lons.zigzag()
		if !okLat || !okLon {
			return errors.Join(errors.New("fewer positions than nodes"), lats.err, lons.err)
		}
		id, lat, lon = id+dID, lat+dLat, lon+dLon
		if err := b.denseTags(&keyVals); err != nil {
			return fmt.Errorf("%d: %w", id, err)
		}
		p, onGlobe := b.point(lat, lon)
		if err := b.visit.node(id, p, onGlobe, b.tags); err != nil {
			return err
		}
	}
	return ids.err
}

// denseTags reads the tags of the next dense node: pairs up to a 0. A list
// that is missing altogether means that no node has tags.
func (b *block) denseTags(list *packed) error {
	b.tags = b.tags[:0]
	for {
		k, ok := list.next()
		if !ok || k == 0 {
			return list.err
		}
		v, ok := list.next()
		if !ok {
			return errors.New("a key without a value")
		}
		if err := b.addTag(k, v); err != nil {
			return err
		}
	}
}

// pairTags reads parallel lists of keys and values.
func (b *block) pairTags(keys, vals packed) error {
	b.tags = b.tags[:0]
	for {
		k, ok := keys.next()
		if !ok {
			return keys.err
		}
		v, ok := vals.next()
		if !ok {
			return errors.New("a key without a value")
		}
		if err := b.addTag(k, v); err != nil {
			return err
		}
	}
}

func (b *block) addTag(k, v uint64) error {
	if n := uint64(len(b.strings)); k >= n || v >= n {
		return fmt.Errorf("a tag of strings %d and %d: the block has %d", k, v, n)
	}
	b.tags = append(b.tags, tag{b.strings[k], b.strings[v]})
	return nil
}

func (b *block) way(raw []byte) error {
	var id int64
	var keys, vals, refs packed
	err := eachField(raw, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			id = int64(v.varint)
		case 2:
			keys.rest = v.bytes
		case 3:
			vals.rest = v.bytes
		case 8:
			refs.rest = v.bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.pairTags(keys, vals); err != nil {
		return fmt.Errorf("%d: %w", id, err)
	}
	b.refs = b.refs[:0]
	ref := int64(0)
	for d, ok := refs.zigzag(); ok; d, ok = refs.zigzag() {
		ref += d
		b.refs = append(b.refs, ref)
	}
	if refs.err != nil {
		return fmt.Errorf("%d: %w", id, refs.err)
	}
	return b.visit.way(id, b.refs, b.tags)
}

func (b *block) relation(raw []byte) error {
	var id int64
	var keys, vals, roles, ids, kinds packed
	err := eachField(raw, func(num protowire.Number, v value) error {
		switch num {
		case 1:
			id = int64(v.varint)
		case 2:
			keys.rest = v.bytes
		case 3:
			vals.rest = v.bytes
		case 8:
			roles.rest = v.bytes
		case 9:
			ids.rest = v.bytes
		case 10:
			kinds.rest = v.bytes
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := b.pairTags(keys, vals); err != nil {
		return fmt.Errorf("%d: %w", id, err)
	}
	if err := b.memberList(roles, ids, kinds); err != nil {
		return fmt.Errorf("%d: %w", id, err)
	}
	return b.visit.relation(id, b.members, b.tags)
}

func (b *block) memberList(roles, ids, kinds packed) error {
	b.members = b.members[:0]
	id := int64(0)
	for {
		d, ok := ids.zigzag()
		if !ok {
			return ids.err
		}
		role, okRole := roles.next()
		kind, okKind := kinds.next()
		switch {
		case !okRole || !okKind:
			return errors.New("fewer roles or types than members")
		case role >= uint64(len(b.strings)):
			return fmt.Errorf("a role of string %d: the block has %d", role, len(b.strings))
		case kind > uint64(memberRelation):
			return fmt.Errorf("a member of type %d: want 0, 1 or 2", kind)
		}
		id += d
		b.members = append(b.members, member{id, memberKind(kind), b.strings[role]})
	}
}
