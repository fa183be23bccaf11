package osm

import (
	"cmp"
	"slices"

	"footway/core/maps"
)

// Coastlines have the land at their left and the water at their right
// (wiki.openstreetmap.org/wiki/Tag:natural=coastline). Only the whole planet's close; of a city's the sea is what lies between
// them and the edge of the map.

const (
	coastDetailMM = 2_500
	minIslandM2   = 400
	maxIslands    = 2_000 // the largest ones
	// A coast that puts more of the network than this into the sea is taken for a broken one. Piers and bridges are over water.
	maxDrownedPermille = 100
	drownedSamples     = 2_000 // of the network, that are looked at
)

// seas returns the water that coastlines leave in a box. Where they are broken there is none, and the report says so.
func (g *graph) seas(box maps.Box) [][]maps.Point {
	var pieces [][]maps.Point
	var rings [][]maps.Point // that close within the box
	for _, chain := range g.coastChains() {
		if chain[0] == chain[len(chain)-1] && !slices.ContainsFunc(chain, func(p maps.Point) bool { return !box.Has(p) }) {
			if ring := ringOf(simplify(g.plane, chain, coastDetailMM)); ring != nil {
				rings = append(rings, ring)
			}
			continue
		}
		for _, piece := range clipTo(box, chain) {
			pieces = append(pieces, simplify(g.plane, piece, coastDetailMM))
		}
	}
	seas := seaward(box, pieces)
	var islands [][]maps.Point
	for _, ring := range rings {
		switch {
		case !leftward(ring):
			seas = append(seas, ring)
		case areaM2(g.plane, ring) >= minIslandM2:
			islands = append(islands, ring)
		}
	}
	islands = g.largest(islands, maxIslands)
	if middle := g.bounds().Center(); len(seas) == 0 && slices.ContainsFunc(islands, func(r []maps.Point) bool { return inRing(r, middle) }) {
		seas = append(seas, corners(box))
	}
	for i, sea := range seas {
		var holes [][]maps.Point
		for _, island := range islands {
			if inRing(sea, island[0]) {
				holes = append(holes, island)
			}
		}
		seas[i] = g.keyhole(sea, holes)
	}
	if g.drowned(seas) {
		g.report.BrokenOutlines++
		return nil
	}
	return seas
}

// drowned reports whether too much of the network lies in the sea.
func (g *graph) drowned(seas [][]maps.Point) bool {
	walked, wet := 0, 0
	for i := 0; i < len(g.walks); i += 1 + len(g.walks)/drownedSamples {
		if slots := g.slotsOf(g.walks[i].line); g.walks[i].why == "" && slots[0] >= 0 {
			walked++
			if p := g.points[slots[0]]; slices.ContainsFunc(seas, func(r []maps.Point) bool { return inRing(r, p) }) {
				wet++
			}
		}
	}
	return wet*1000 > walked*maxDrownedPermille
}

// coastChains joins coastlines that go on in each other. A closed one ends with the point it begins with.
func (g *graph) coastChains() [][]maps.Point {
	type way struct {
		slots []int32
		used  bool
	}
	var ways []way
	begin, ends := map[int32]int{}, map[int32]bool{}
	for _, l := range g.coast {
		has := slices.DeleteFunc(slices.Clone(g.slotsOf(l)), func(s int32) bool { return s < 0 })
		if len(has) > 1 {
			begin[has[0]], ends[has[len(has)-1]] = len(ways), true
			ways = append(ways, way{slots: has})
		}
	}
	var chains [][]maps.Point
	follow := func(i int) {
		var chain []maps.Point
		for more := true; more && !ways[i].used; {
			w := &ways[i]
			w.used = true
			for _, s := range w.slots {
				if p := g.points[s]; len(chain) == 0 || chain[len(chain)-1] != p {
					chain = append(chain, p)
				}
			}
			i, more = begin[w.slots[len(w.slots)-1]]
		}
		if len(chain) > 1 {
			chains = append(chains, chain)
		}
	}
	for i := range ways { // those that nothing leads to, first
		if !ends[ways[i].slots[0]] {
			follow(i)
		}
	}
	for i := range ways {
		if !ways[i].used {
			follow(i)
		}
	}
	return chains
}

// clipTo returns the parts of a line that lie in a box, from edge to edge. Where the line itself begins or ends in the box, it
// is led to the nearest edge: what goes on there the file does not have.
func clipTo(box maps.Box, line []maps.Point) [][]maps.Point {
	if n := len(line); line[0] == line[n-1] { // one that closes begins outside
		if k := slices.IndexFunc(line, func(p maps.Point) bool { return !box.Has(p) }); k > 0 {
			line = slices.Concat(line[k:n-1], line[:k+1])
		}
	}
	var parts [][]maps.Point
	var part []maps.Point
	finish := func() {
		if len(part) > 1 {
			parts = append(parts, part)
		}
		part = nil
	}
	for i := 1; i < len(line); i++ {
		a, b, ok := cutBy(box, line[i-1], line[i])
		if !ok {
			finish()
			continue
		}
		if len(part) == 0 {
			part = append(part, a)
		}
		if part[len(part)-1] != b {
			part = append(part, b)
		}
		if b != line[i] {
			finish()
		}
	}
	finish()
	for i, p := range parts {
		if from := toEdge(box, p[0]); from != p[0] {
			p = slices.Insert(p, 0, from)
		}
		if to := toEdge(box, p[len(p)-1]); to != p[len(p)-1] {
			p = append(p, to)
		}
		parts[i] = p
	}
	return parts
}

// cutBy returns the part of the line from a to b that lies in a box (Liang and Barsky 1984); false if none does.
func cutBy(box maps.Box, a, b maps.Point) (from, to maps.Point, ok bool) {
	dx, dy := float64(b.Lon)-float64(a.Lon), float64(b.Lat)-float64(a.Lat)
	first, last := 0.0, 1.0
	for _, side := range [...][2]float64{
		{-dx, float64(a.Lon) - float64(box.Min.Lon)}, {dx, float64(box.Max.Lon) - float64(a.Lon)},
		{-dy, float64(a.Lat) - float64(box.Min.Lat)}, {dy, float64(box.Max.Lat) - float64(a.Lat)},
	} {
		p, q := side[0], side[1]
		switch {
		case p == 0 && q < 0:
			return a, b, false
		case p < 0:
			first = max(first, q/p)
		case p > 0:
			last = min(last, q/p)
		}
	}
	if first >= last {
		return a, b, false
	}
	at := func(t float64) maps.Point {
		p := maps.Point{Lon: int32(float64(a.Lon) + t*dx), Lat: int32(float64(a.Lat) + t*dy)}
		return maps.Point{Lon: min(max(p.Lon, box.Min.Lon), box.Max.Lon), Lat: min(max(p.Lat, box.Min.Lat), box.Max.Lat)}
	}
	from, to = a, b
	if first > 0 {
		from = toEdge(box, at(first)) // rounding may have put it beside the edge
	}
	if last < 1 {
		to = toEdge(box, at(last))
	}
	return from, to, true
}

// toEdge returns the point of a box's edge that is nearest to a point in it.
func toEdge(box maps.Box, p maps.Point) maps.Point {
	west, east, south, north := p.Lon-box.Min.Lon, box.Max.Lon-p.Lon, p.Lat-box.Min.Lat, box.Max.Lat-p.Lat
	switch min(west, east, south, north) {
	case west:
		p.Lon = box.Min.Lon
	case east:
		p.Lon = box.Max.Lon
	case south:
		p.Lat = box.Min.Lat
	default:
		p.Lat = box.Max.Lat
	}
	return p
}

// corners returns the corners of a box, clockwise from the north-west.
func corners(box maps.Box) []maps.Point {
	return []maps.Point{{Lon: box.Min.Lon, Lat: box.Max.Lat}, box.Max, {Lon: box.Max.Lon, Lat: box.Min.Lat}, box.Min}
}

// seaward returns the water right of lines that go from edge to edge of a box: along each of them, and then clockwise along the
// edge to where the next one begins.
func seaward(box maps.Box, lines [][]maps.Point) [][]maps.Point {
	w, h := float64(box.Max.Lon)-float64(box.Min.Lon), float64(box.Max.Lat)-float64(box.Min.Lat)
	// around returns how far along the edge a point of it is: corner n of the box is at n.
	around := func(p maps.Point) float64 {
		switch {
		case p.Lat == box.Max.Lat:
			return float64(p.Lon-box.Min.Lon) / w
		case p.Lon == box.Max.Lon:
			return 1 + float64(box.Max.Lat-p.Lat)/h
		case p.Lat == box.Min.Lat:
			return 2 + float64(box.Max.Lon-p.Lon)/w
		}
		return 3 + float64(p.Lat-box.Min.Lat)/h
	}
	order := make([]int, len(lines)) // by where they begin
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(around(lines[a][0]), around(lines[b][0])) })
	used := make([]bool, len(lines))
	var rings [][]maps.Point
	for _, first := range order {
		if used[first] {
			continue
		}
		var ring []maps.Point
		for i := first; !used[i]; {
			used[i] = true
			ring = append(ring, lines[i]...)
			end := around(lines[i][len(lines[i])-1])
			k := slices.IndexFunc(order, func(j int) bool { return around(lines[j][0]) > end })
			if k < 0 {
				k = 0
			}
			next := order[k]
			to := around(lines[next][0])
			if to <= end {
				to += 4
			}
			for n := int(end) + 1; float64(n) < to; n++ {
				ring = append(ring, corners(box)[n%4])
			}
			i = next
		}
		if len(ring) >= outlinePointsM {
			rings = append(rings, ring)
		}
	}
	return rings
}
