package osm

import (
	"context"
	"slices"
	"strings"

	"footway/core/fault"
	"footway/core/maps"
)

// maxRefs bounds what the importer keeps of a file, to about a gigabyte.
const maxRefs = 40_000_000

// line is a run of node references within extract.refs, and of slots later.
type line struct{ first, count int32 }

// walk is a way that robots may move along, or a carriageway that they may
// have to cross (why then says why they do not move along it).
type walk struct {
	line
	passage
	why string
}

// drawn is a way of the backdrop.
type drawn struct {
	line
	scenery
}

// place is an object with an address, a merchant's name, or both.
type place struct {
	line        // of an outline; count 0 for nodes and relations
	point       maps.Point
	slot        int32 // of a node on a kept way, or -1
	address     address
	hasAddress  bool
	name, kind  string // of a merchant, or ""
	relationWay int64  // a relation's first outer way, which gives its point; 0 if none
}

// interpolation is a line along which house numbers are counted.
type interpolation struct {
	line
	step int
}

// ringSet is a multipolygon of the backdrop.
type ringSet struct {
	scenery
	outer, inner []int64 // ways
}

// extract is what the three passes gather from a file.
type extract struct {
	report   *Report
	interned map[string]string
	refs     []int64
	walks    []walk
	drawn    []drawn
	places   []place
	counted  []interpolation
	rings    []ringSet
	coast    []line
	outlines map[int64]line // ways that relations are made of
	ids      []int64        // of the nodes that refs name, sorted
	points   []maps.Point   // by slot, the index into ids
	found    []bool         // by slot
	spots    map[int32]spot // by slot
	numbered map[int32]int  // slot to index in places
	slots    []int32        // parallel to refs; -1 for nodes that the file lacks
	hint     int            // slot after the last node found: files are mostly sorted
}

// gather reads the whole file.
func gather(ctx context.Context, f *file, report *Report, progress func(done, total int64)) (*extract, error) {
	e := &extract{
		report: report, interned: map[string]string{}, outlines: map[int64]line{},
		spots: map[int32]spot{}, numbered: map[int32]int{},
	}
	blobs, err := f.blobs()
	if err != nil {
		return nil, err
	}
	raw, err := f.read(blobs[0])
	if err != nil {
		return nil, err
	}
	if err := checkHeader(blobs[0].offset, raw); err != nil {
		return nil, err
	}
	data := blobs[:0]
	for _, b := range blobs {
		if b.kind == "OSMData" {
			data = append(data, b)
		}
	}
	report.Bytes, report.Blocks = f.size, len(data)
	has := make([]contents, len(data))
	for i := range has {
		has[i] = contents{true, true, true}
	}
	passes := [...]struct {
		visit  visitor
		wanted func(contents) bool
		after  func()
	}{
		{visitor{relation: e.relation}, func(c contents) bool { return c.relations }, func() {}},
		{visitor{way: e.way}, func(c contents) bool { return c.ways }, e.index},
		{visitor{node: e.node}, func(c contents) bool { return c.nodes }, e.resolve},
	}
	var decoder block
	for n, pass := range passes {
		for i, b := range data {
			if !pass.wanted(has[i]) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, fault.New(op, fault.Unavailable, "cancelled", "pass %d at byte %d: %w", n+1, b.offset, err)
			}
			raw, err := f.read(b)
			if err != nil {
				return nil, err
			}
			if has[i], err = decoder.decode(raw, pass.visit); err != nil {
				return nil, within(b.offset, err)
			}
			if progress != nil {
				progress(int64(n)*f.size+b.at, int64(len(passes))*f.size)
			}
		}
		pass.after()
	}
	return e, nil
}

// within places an error of decoding in the file, unless it has a place already.
func within(offset int64, err error) error {
	if fault.ReasonOf(err) != "" {
		return err
	}
	return damaged(offset, "block: %w", err)
}

// keep returns s in memory of its own, once.
func (e *extract) keep(s string) string {
	if s == "" {
		return ""
	}
	if own, ok := e.interned[s]; ok {
		return own
	}
	own := strings.Clone(s)
	e.interned[own] = own
	return own
}

func (e *extract) relation(_ int64, members []member, t tags) error {
	e.report.Relations++
	if t.get("type") != "multipolygon" {
		return nil
	}
	r := ringSet{}
	var ok bool
	r.scenery, ok = sceneryOf(t, true)
	p, isPlace := e.placeOf(t)
	if !ok && !isPlace {
		return nil
	}
	for _, m := range members {
		switch {
		case m.kind != memberWay:
		case m.role == "inner":
			r.inner = append(r.inner, m.id)
			e.outlines[m.id] = line{}
		default:
			r.outer = append(r.outer, m.id)
			e.outlines[m.id] = line{}
		}
	}
	if ok && len(r.outer) > 0 && r.kind != maps.BackdropRoad {
		r.name = e.keep(r.name)
		e.rings = append(e.rings, r)
	}
	if isPlace && len(r.outer) > 0 {
		p.relationWay = r.outer[0]
		e.places = append(e.places, p)
	}
	return nil
}

// placeOf reads address and merchant, and keeps their words.
func (e *extract) placeOf(t tags) (place, bool) {
	if len(t) == 0 {
		return place{}, false
	}
	p := place{slot: -1}
	p.address, p.hasAddress = addressOf(t)
	name, kind, isMerchant := merchantOf(t)
	if !p.hasAddress && !isMerchant {
		return p, false
	}
	if p.hasAddress {
		a := &p.address
		a.number, a.street, a.city, a.postcode = strings.Clone(a.number), e.keep(a.street), e.keep(a.city), e.keep(a.postcode)
	}
	if isMerchant {
		p.name, p.kind = strings.Clone(name), e.keep(kind)
	}
	return p, true
}

func (e *extract) way(id int64, refs []int64, t tags) error {
	e.report.Ways++
	_, isMember := e.outlines[id]
	if len(refs) < 2 || len(t) == 0 && !isMember {
		return nil
	}
	if len(e.refs)+len(refs) > maxRefs {
		return fault.New(op, fault.Exhausted, "extract_too_large",
			"the file has more than %d points on ways of use: cut the city out of it with osmium extract -b LEFT,BOTTOM,RIGHT,TOP", maxRefs)
	}
	l := line{int32(len(e.refs)), int32(len(refs))}
	closed := len(refs) > 3 && refs[0] == refs[len(refs)-1]
	used := isMember
	if isMember {
		e.outlines[id] = l
	}
	if t.get("highway") != "" {
		used = e.walk(l, t) || used
	}
	if s, ok := sceneryOf(t, closed); ok {
		s.name = e.keep(s.name)
		e.drawn = append(e.drawn, drawn{l, s})
		used = true
	}
	if t.get("natural") == "coastline" {
		e.coast = append(e.coast, l)
		used = true
	}
	if p, ok := e.placeOf(t); ok {
		p.line = l
		e.places = append(e.places, p)
		used = true
	}
	if v := t.get("addr:interpolation"); v != "" {
		if step := interpolationStep(v); step > 0 {
			e.counted = append(e.counted, interpolation{l, step})
			used = true
		}
	}
	if used {
		e.refs = append(e.refs, refs...)
	}
	return nil
}

// walk keeps a highway that robots move along or cross.
func (e *extract) walk(l line, t tags) bool {
	p, why := passageOf(t)
	p.name = e.keep(p.name)
	if why != "" {
		e.report.drop(why)
		if p.street < maps.StreetResidential || why == dropPlanned || t.get("tunnel") == "yes" || t.get("bridge") == "yes" {
			return false
		}
	}
	e.walks = append(e.walks, walk{l, p, why})
	return true
}

// index makes the sorted list of nodes to look for.
func (e *extract) index() {
	e.ids = slices.Clone(e.refs)
	slices.Sort(e.ids)
	e.ids = slices.Clip(slices.Compact(e.ids))
	e.points = make([]maps.Point, len(e.ids))
	e.found = make([]bool, len(e.ids))
}

// slotOf returns where node id stands in ids, or -1.
func (e *extract) slotOf(id int64) int32 {
	if e.hint < len(e.ids) && e.ids[e.hint] == id {
		e.hint++
		return int32(e.hint - 1)
	}
	if e.hint > 0 && e.hint < len(e.ids) && e.ids[e.hint-1] < id && id < e.ids[e.hint] {
		return -1
	}
	i, ok := slices.BinarySearch(e.ids, id)
	e.hint = i
	if !ok {
		return -1
	}
	e.hint++
	return int32(i)
}

func (e *extract) node(id int64, p maps.Point, onGlobe bool, t tags) error {
	e.report.Nodes++
	if !onGlobe {
		e.report.OffGlobe++
		return nil
	}
	slot := e.slotOf(id)
	if slot >= 0 {
		if e.found[slot] {
			e.report.RepeatedNodes++
			return nil
		}
		e.points[slot], e.found[slot] = p, true
	}
	if len(t) == 0 {
		return nil
	}
	if slot >= 0 {
		if s, ok := spotOf(t); ok {
			e.spots[slot] = s
		}
	}
	if pl, ok := e.placeOf(t); ok {
		pl.point, pl.slot = p, slot
		if slot >= 0 && pl.hasAddress {
			e.numbered[slot] = len(e.places)
		}
		e.places = append(e.places, pl)
	}
	return nil
}

// resolve turns references into slots.
func (e *extract) resolve() {
	e.slots = make([]int32, len(e.refs))
	e.hint = 0
	for i, id := range e.refs {
		s := e.slotOf(id)
		if s >= 0 && !e.found[s] {
			s = -1
			e.report.MissingNodes++
		}
		e.slots[i] = s
	}
	e.refs = nil
}

// slotsOf returns the slots of l.
func (e *extract) slotsOf(l line) []int32 { return e.slots[l.first : l.first+l.count] }

// pointsOf returns the points of l that the file has.
func (e *extract) pointsOf(l line) []maps.Point {
	points := make([]maps.Point, 0, l.count)
	for _, s := range e.slotsOf(l) {
		if s >= 0 {
			points = append(points, e.points[s])
		}
	}
	return points
}
