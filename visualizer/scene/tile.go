package scene

import (
	"image/color"
	"math"
	"slices"

	"footway/core/maps"
)

// A zoom class is a factor of √2: within it lines keep their width in metres, so
// that a tile is made once and drawn larger or smaller.
func classOf(mpp float64) int { return int(math.Round(2 * math.Log2(mpp))) }

// nominal returns the metres to the point for which a class is made.
func nominal(class int) float64 { return math.Pow(2, float64(class)/2) }

// tilePoints is the side of a tile in points at the nominal zoom of its class.
const tilePoints = 512

// maxKept bounds the vertices of tiles that are kept though not seen.
const maxKept = 6 << 20

type tile struct {
	mesh Mesh
	used uint64
}

// drawMap puts the tiles and names that are seen into the frame.
func (s *Scene) drawMap() {
	b := s.base
	b.clock++
	class := classOf(s.mpp())
	side := float32(tilePoints * nominal(class))
	layer := &s.frame.Layers[layerMap]
	shown := s.view.Layers & (ShowBuildings | ShowSidewalks)
	all := s.ground.box.grown(300)
	for y := floor(s.seen.MinY / side); y <= floor(s.seen.MaxY/side); y++ {
		for x := floor(s.seen.MinX / side); x <= floor(s.seen.MaxX/side); x++ {
			box := Box{float32(x) * side, float32(y) * side, float32(x+1) * side, float32(y+1) * side}
			if !box.Overlaps(all) {
				continue
			}
			t := b.tile(class, x, y, s.view.Theme, shown, box)
			if len(t.Indices) > 0 {
				layer.Meshes = append(layer.Meshes, t)
			}
		}
	}
	if s.shows(ShowNames) {
		s.drawNames(class)
	}
	b.forget()
}

// tile returns the mesh of a tile, which it makes if it is not kept.
func (b *basemap) tile(class int, x, y int32, theme Theme, shown Layers, box Box) *Mesh {
	id := uint64(class+64)&0xff | uint64(uint32(x)&0xffffff)<<8 | uint64(uint32(y)&0xffffff)<<32 | uint64(theme)<<56
	if shown&ShowBuildings != 0 {
		id |= 1 << 57
	}
	if shown&ShowSidewalks != 0 {
		id |= 1 << 58
	}
	t := b.tiles[id]
	if t == nil {
		m := &mason{mesh: Mesh{ID: id, Revision: 1, Box: box}, style: styleOf(class, theme, shown)}
		m.build(b)
		t = &tile{mesh: m.mesh}
		b.tiles[id] = t
		b.kept += len(t.mesh.Vertices)
	}
	t.used = b.clock
	return &t.mesh
}

// forget drops tiles that were not used for long while there are too many.
func (b *basemap) forget() {
	if b.kept <= maxKept {
		return
	}
	old := make([]uint64, 0, len(b.tiles))
	for id, t := range b.tiles {
		if t.used != b.clock {
			old = append(old, id)
		}
	}
	slices.SortFunc(old, func(x, y uint64) int { return int(int64(b.tiles[x].used) - int64(b.tiles[y].used)) })
	for _, id := range old {
		if b.kept <= maxKept/2 {
			return
		}
		b.kept -= len(b.tiles[id].mesh.Vertices)
		delete(b.tiles, id)
	}
}

func sortInts(list []int32) { slices.Sort(list) }

// style is how a zoom class is drawn.
type style struct {
	p         *Palette
	mpp       float32
	buildings bool
	walks     bool
	zebras    bool
}

func styleOf(class int, theme Theme, shown Layers) style {
	mpp := float32(nominal(class))
	return style{
		p: &palettes[theme], mpp: mpp, buildings: mpp < 2.9 && shown&ShowBuildings != 0,
		walks: mpp < 2.9 && shown&ShowSidewalks != 0, zebras: mpp < 0.36,
	}
}

// Widths of streets in metres, and the least in points at which they are drawn, by rank.
var (
	streetMetres = [...]float32{6, 5, 6, 4.5, 8, 10, 12, 14, 17, 4}
	streetPoints = [...]float32{0.8, 0.7, 0.8, 0.6, 1.0, 1.6, 2.1, 2.6, 3.2, 1.2}
)

// width returns how wide a street is drawn, in metres; 0 if it is not.
func (s *style) width(rank maps.Street) float32 {
	if rank == maps.StreetService && s.mpp > 6 || rank == maps.StreetPedestrian && s.mpp > 9 {
		return 0
	}
	return max(streetMetres[rank], streetPoints[rank]*s.mpp)
}

// mason makes the mesh of a tile.
type mason struct {
	mesh  Mesh
	style style
	found []int32
}

func (m *mason) build(b *basemap) {
	s, p := &m.style, m.style.p
	box := m.mesh.Box
	m.found = b.find(box, func(f *features) []int32 { return f.areas }, m.found)
	for _, kind := range []maps.BackdropKind{maps.BackdropPark, maps.BackdropWater, maps.BackdropBuilding} {
		if kind == maps.BackdropBuilding && !s.buildings {
			continue
		}
		for _, i := range m.found {
			if a := &b.areas[i]; a.kind == kind && a.box.Overlaps(box) {
				m.area(a)
			}
		}
	}
	wide := box.grown(40)
	m.found = b.find(wide, func(f *features) []int32 { return f.rails }, m.found)
	for _, i := range m.found {
		m.stroke(b.rails[i].line, max(1.4, 1*s.mpp), p.Rail)
	}
	m.found = b.find(wide, func(f *features) []int32 { return f.roads }, m.found)
	m.streets(b)
	if s.walks {
		m.found = b.find(box.grown(4), func(f *features) []int32 { return f.walks }, m.found)
		for _, i := range m.found {
			if b.walks[i].box.Overlaps(box.grown(4)) {
				m.walk(&b.walks[i])
			}
		}
	}
}

// streets draws the streets found: first what lies around them, then themselves, the wider above.
func (m *mason) streets(b *basemap) {
	s, p := &m.style, m.style.p
	box := m.mesh.Box.grown(40)
	for _, i := range m.found {
		if r := &b.roads[i]; r.rank == stream && r.box.Overlaps(box) {
			m.stroke(r.line, s.width(stream), p.Water)
		}
	}
	edge := min(1.1*s.mpp, 1.6) // of casing on each side, in metres
	for _, casing := range []bool{true, false} {
		if casing && s.mpp > 8 {
			continue
		}
		for rank := maps.StreetNone; rank <= maps.StreetTrunk; rank++ {
			width := s.width(rank)
			if width == 0 {
				continue
			}
			fill := p.Road
			if rank >= maps.StreetSecondary {
				fill = p.Major
			}
			if casing {
				width += 2 * max(edge, 0.55*s.mpp)
				if fill = p.RoadCase; rank >= maps.StreetSecondary {
					fill = p.MajorCase
				}
			}
			for _, i := range m.found {
				if r := &b.roads[i]; r.rank == rank && r.box.Overlaps(box) {
					m.stroke(r.line, width, fill)
				}
			}
		}
	}
}

// walk draws a way of robots.
func (m *mason) walk(w *walk) {
	s, p := &m.style, m.style.p
	switch w.class {
	case maps.Crossing:
		if !s.zebras {
			m.stroke(w.line, max(0.9*s.mpp, 0.5), p.Crossing)
			return
		}
		if w.zebra {
			m.dashes(w.line, 3.2, 0.55, 0.65, p.Crossing)
			return
		}
		m.dashes(w.line, 0.35, 0.8, 0.8, p.Crossing)
	case maps.Path:
		m.stroke(w.line, max(0.9*s.mpp, min(1.2, 1.6*s.mpp)), p.Path)
	default:
		if s.mpp < 0.75 {
			m.stroke(w.line, 2.2, p.SidewalkLine)
			m.stroke(w.line, 2.2-1.6*min(s.mpp, 0.6), p.Sidewalk)
			return
		}
		m.stroke(w.line, 0.8*s.mpp, p.SidewalkLine)
	}
}

// area fills a shape, and edges it if it is a building near enough.
func (m *mason) area(a *area) {
	p := m.style.p
	c := [...]color.RGBA{maps.BackdropPark: p.Park, maps.BackdropWater: p.Water, maps.BackdropBuilding: p.Building}[a.kind]
	if a.parts == nil {
		a.parts = triangulate(a.line)
	}
	for i := 0; i+2 < len(a.parts); i += 3 {
		m.triangle(a.line[a.parts[i]], a.line[a.parts[i+1]], a.line[a.parts[i+2]], c)
	}
	if a.kind == maps.BackdropBuilding && m.style.mpp < 1.5 {
		for i := range a.line {
			m.bar(a.line[i], a.line[(i+1)%len(a.line)], 0.8*m.style.mpp, p.BuildingEdge)
		}
	}
}

// stroke draws a line with round ends and joints.
func (m *mason) stroke(line []Place, width float32, c color.RGBA) {
	r := width / 2
	near := m.mesh.Box.grown(r)
	round := r/m.style.mpp > 0.9 // narrower than that nobody sees a joint
	for i := range line {
		if i > 0 {
			a, b := line[i-1], line[i]
			if (Box{min(a.X, b.X), min(a.Y, b.Y), max(a.X, b.X), max(a.Y, b.Y)}).Overlaps(near) {
				m.bar(a, b, width, c)
			}
		}
		if round && near.has(line[i].X, line[i].Y) {
			m.knob(line, i, r, c)
		}
	}
}

// knob fills the gap at a corner of a line, or rounds its end.
func (m *mason) knob(line []Place, i int, r float32, c color.RGBA) {
	if i > 0 && i < len(line)-1 {
		ax, ay := unit(line[i-1], line[i])
		bx, by := unit(line[i], line[i+1])
		if ax*bx+ay*by > 0.995 {
			return
		}
	}
	shape := circle8
	if r/m.style.mpp > 3 {
		shape = circle14
	}
	at := line[i]
	for k := 1; k < len(shape); k++ {
		m.triangle(at, Place{at.X + shape[k-1][0]*r, at.Y + shape[k-1][1]*r}, Place{at.X + shape[k][0]*r, at.Y + shape[k][1]*r}, c)
	}
}

// bar draws a straight line.
func (m *mason) bar(a, b Place, width float32, c color.RGBA) {
	ux, uy := unit(a, b)
	nx, ny := -uy*width/2, ux*width/2
	p, q := Place{a.X + nx, a.Y + ny}, Place{b.X + nx, b.Y + ny}
	r, t := Place{b.X - nx, b.Y - ny}, Place{a.X - nx, a.Y - ny}
	m.triangle(p, q, r, c)
	m.triangle(p, r, t, c)
}

// dashes draws bars across a line, as zebra crossings have them.
func (m *mason) dashes(line []Place, width, dash, gap float32, c color.RGBA) {
	at := float32(0)
	for i := 1; i < len(line); i++ {
		a, b := line[i-1], line[i]
		ux, uy := unit(a, b)
		length := (b.X-a.X)*ux + (b.Y-a.Y)*uy
		for ; at < length; at += dash + gap {
			to := min(at+dash, length)
			m.bar(Place{a.X + ux*at, a.Y + uy*at}, Place{a.X + ux*to, a.Y + uy*to}, width, c)
		}
		at -= length
	}
}
