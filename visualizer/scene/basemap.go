package scene

import (
	"footway/core/maps"
)

// basemap has what the map is drawn from, in metres, and where to find it.
type basemap struct {
	areas  []area
	roads  []road // by rising rank
	rails  []road
	walks  []walk
	chains []chain // roads of one name behind each other, for names
	cells  map[cell]*features
	tiles  map[uint64]*tile
	clock  uint64 // counts frames, to know which tiles were not used for long
	kept   int    // vertices of the tiles
	labels map[int][]label
	marked []uint32 // of each feature: the last query that found it
	query  uint32
}

// area is a filled shape.
type area struct {
	kind  maps.BackdropKind
	name  string
	line  []Place
	box   Box
	shore []Place  // of the network; line goes on beyond it where the water does
	parts []uint32 // corners of its triangles in line; nil before they are asked for
}

// road is a line with a rank.
type road struct {
	rank maps.Street
	line []Place
	box  Box
}

// walk is a line that robots drive on.
type walk struct {
	class maps.Class
	zebra bool
	line  []Place
	box   Box
}

// features lists what is in a cell.
type features struct{ areas, roads, rails, walks []int32 }

type cell struct{ x, y int32 }

const cellSize = 250 // metres

func newBasemap(net *maps.Network, g *ground) *basemap {
	b := &basemap{cells: make(map[cell]*features), tiles: make(map[uint64]*tile), labels: make(map[int][]label)}
	var named []chain
	for i := range net.Backdrop {
		d := &net.Backdrop[i]
		line, box := make([]Place, 0, len(d.Points)), emptyBox()
		for _, p := range d.Points {
			x, y := g.metres(p)
			line, box = append(line, Place{x, y}), box.with(x, y)
		}
		switch {
		case d.Closed && len(line) >= 3 && d.Kind != maps.BackdropRoad && d.Kind != maps.BackdropRail:
			b.areas = append(b.areas, area{kind: d.Kind, name: net.Names[d.Name], line: line, box: box, shore: line})
		case len(line) < 2:
		case d.Kind == maps.BackdropRail:
			b.rails = append(b.rails, road{line: line, box: box})
		case d.Kind == maps.BackdropRoad || d.Kind == maps.BackdropWater:
			if d.Closed {
				line = append(line, line[0])
			}
			r := road{rank: d.Rank, line: line, box: box}
			if d.Kind == maps.BackdropWater {
				r.rank = stream
			}
			b.roads = append(b.roads, r)
			if name := net.Names[d.Name]; name != "" {
				named = append(named, chain{name: name, rank: r.rank, line: line})
			}
		}
	}
	b.addWalks(net, g)
	b.flood(g.box)
	b.chains = join(named)
	b.file()
	return b
}

// flood lets water that is cut off beyond the streets go on: the sea does not end where the map does. It is cut where an edge of
// its outline, at its end, runs straight north or east, as no shore does.
func (b *basemap) flood(streets Box) {
	const cut = 100 // metres of such an edge at least
	beyond := min(2*max(streets.MaxX-streets.MinX, streets.MaxY-streets.MinY), 20_000)
	for i := range b.areas {
		a := &b.areas[i]
		if a.kind != maps.BackdropWater {
			continue
		}
		out := make([]Place, len(a.line)) // where each corner goes
		for k, p := range a.line {
			next := (k + 1) % len(a.line)
			q := a.line[next]
			var way Place
			switch at := a.box; {
			case abs(p.X-q.X)+abs(p.Y-q.Y) < cut:
			case at.MinY < streets.MinY && on(p.Y, q.Y, at.MinY):
				way.Y = -beyond
			case at.MaxY > streets.MaxY && on(p.Y, q.Y, at.MaxY):
				way.Y = beyond
			case at.MinX < streets.MinX && on(p.X, q.X, at.MinX):
				way.X = -beyond
			case at.MaxX > streets.MaxX && on(p.X, q.X, at.MaxX):
				way.X = beyond
			}
			for _, c := range [...]int{k, next} {
				if way.X != 0 {
					out[c].X = way.X
				}
				if way.Y != 0 {
					out[c].Y = way.Y
				}
			}
		}
		a.line, a.box = make([]Place, len(a.shore)), emptyBox()
		for k, p := range a.shore {
			a.line[k] = Place{p.X + out[k].X, p.Y + out[k].Y}
			a.box = a.box.with(a.line[k].X, a.line[k].Y)
		}
	}
}

// on reports whether both ends of an edge are at a line.
func on(p, q, line float32) bool { return abs(p-line) < 1 && abs(q-line) < 1 }

// stream is the rank of open water lines, beyond all streets.
const stream = maps.StreetTrunk + 1

func (b *basemap) addWalks(net *maps.Network, g *ground) {
	var points []maps.Point
	for id := range net.Edges {
		e := &net.Edges[id]
		if e.Reverse != maps.NoEdge && int(e.Reverse) < id || e.Class == maps.Shared || e.Class == maps.KerbStep {
			continue
		}
		points = net.Line(points[:0], maps.EdgeID(id))
		w := walk{class: e.Class, zebra: e.Control == maps.ControlSignal || e.Control == maps.ControlZebra, box: emptyBox()}
		for _, p := range points {
			x, y := g.metres(p)
			w.line, w.box = append(w.line, Place{x, y}), w.box.with(x, y)
		}
		b.walks = append(b.walks, w)
	}
}

// file enters every feature into the cells that it may touch.
func (b *basemap) file() {
	each := func(box Box, put func(*features)) {
		for x := floor(box.MinX / cellSize); x <= floor(box.MaxX/cellSize); x++ {
			for y := floor(box.MinY / cellSize); y <= floor(box.MaxY/cellSize); y++ {
				f := b.cells[cell{x, y}]
				if f == nil {
					f = new(features)
					b.cells[cell{x, y}] = f
				}
				put(f)
			}
		}
	}
	for i := range b.areas {
		each(b.areas[i].box, func(f *features) { f.areas = append(f.areas, int32(i)) })
	}
	for i := range b.roads {
		each(b.roads[i].box, func(f *features) { f.roads = append(f.roads, int32(i)) })
	}
	for i := range b.rails {
		each(b.rails[i].box, func(f *features) { f.rails = append(f.rails, int32(i)) })
	}
	for i := range b.walks {
		each(b.walks[i].box, func(f *features) { f.walks = append(f.walks, int32(i)) })
	}
	b.marked = make([]uint32, max(len(b.areas), len(b.roads), len(b.rails), len(b.walks)))
}

func floor(v float32) int32 {
	i := int32(v)
	if float32(i) > v {
		i--
	}
	return i
}

// find calls visit with the number of each feature of a kind whose cell touches box, once, by rising number.
func (b *basemap) find(box Box, of func(*features) []int32, buf []int32) []int32 {
	b.query++
	buf = buf[:0]
	for x := floor(box.MinX / cellSize); x <= floor(box.MaxX/cellSize); x++ {
		for y := floor(box.MinY / cellSize); y <= floor(box.MaxY/cellSize); y++ {
			f := b.cells[cell{x, y}]
			if f == nil {
				continue
			}
			for _, i := range of(f) {
				if b.marked[i] != b.query {
					b.marked[i] = b.query
					buf = append(buf, i)
				}
			}
		}
	}
	sortInts(buf)
	return buf
}
