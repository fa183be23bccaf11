package osm

import (
	"cmp"
	"slices"

	"footway/core/maps"
)

// The least detail that the backdrop keeps.
const (
	maxBuildings   = 60_000 // the largest ones, if there are more
	minBuildingM2  = 12
	minGreenM2     = 200
	marginUnits    = 40_000 // around the ways, in 1e-7 degrees: about 400 m
	lineDetailMM   = 1_000
	areaDetailMM   = 1_500
	houseDetailMM  = 300
	outlinePointsM = 3
)

// shape is a backdrop shape on its way to the builder.
type shape struct {
	scenery
	points []maps.Point
	m2     float64
}

// addBackdrop gives the builder what to draw behind the network.
func (g *graph) addBackdrop() {
	box := g.bounds()
	if box.Empty() {
		return
	}
	box.Min.Lon, box.Min.Lat = box.Min.Lon-marginUnits, box.Min.Lat-marginUnits
	box.Max.Lon, box.Max.Lat = box.Max.Lon+marginUnits, box.Max.Lat+marginUnits
	var shapes []shape
	add := func(s scenery, points []maps.Point) {
		if sh, ok := g.trim(s, points); ok && box.Overlaps(boxOf(sh.points)) {
			shapes = append(shapes, sh)
		}
	}
	for _, d := range g.drawn {
		add(d.scenery, g.pointsOf(d.line))
	}
	for i := range g.rings {
		r := &g.rings[i]
		holes := g.holesOf(r)
		for _, ring := range g.ringsOf(r.outer) {
			sh, ok := g.trim(r.scenery, ring)
			if !ok || !box.Overlaps(boxOf(sh.points)) {
				continue
			}
			sh.points = g.keyhole(sh.points, slices.DeleteFunc(slices.Clone(holes), func(h []maps.Point) bool { return !inRing(sh.points, h[0]) }))
			shapes = append(shapes, sh)
		}
	}
	for _, sea := range g.seas(box) {
		shapes = append(shapes, shape{scenery: scenery{kind: maps.BackdropWater, area: true}, points: sea})
	}
	shapes = g.fewerBuildings(shapes)
	for _, s := range shapes {
		g.builder.Backdrop(s.kind, s.rank, s.area, s.name, s.points)
	}
	g.report.Backdrop = len(shapes)
}

// ringsOf joins ways to closed outlines.
func (g *graph) ringsOf(ways []int64) [][]maps.Point {
	rings, open := joinRings(g.linesOf(ways))
	g.report.BrokenOutlines += open
	out := make([][]maps.Point, len(rings))
	for i, ring := range rings {
		for _, slot := range ring {
			out[i] = append(out[i], g.points[slot])
		}
	}
	return out
}

// holesOf returns the holes of an area that are large enough to be seen: islands of lakes, ponds of parks that are drawn themselves.
// Those of buildings are not kept, since the cuts to them would show as walls.
func (g *graph) holesOf(r *ringSet) [][]maps.Point {
	if r.kind == maps.BackdropBuilding || len(r.inner) == 0 {
		return nil
	}
	var holes [][]maps.Point
	for _, ring := range g.ringsOf(r.inner) {
		if sh, ok := g.trim(r.scenery, ring); ok {
			holes = append(holes, sh.points)
		}
	}
	return holes
}

// linesOf returns the ways that the file has whole.
func (g *graph) linesOf(ways []int64) [][]int32 {
	var lines [][]int32
	for _, id := range ways {
		slots := g.slotsOf(g.outlines[id])
		if len(slots) < 2 || slices.Contains(slots, -1) {
			g.report.BrokenOutlines++
			continue
		}
		lines = append(lines, slots)
	}
	return lines
}

// trim simplifies a shape; false if it is too small to be seen or incomplete.
func (g *graph) trim(s scenery, points []maps.Point) (shape, bool) {
	sh := shape{scenery: s}
	detail := int64(lineDetailMM)
	switch {
	case s.kind == maps.BackdropBuilding:
		detail = houseDetailMM
	case s.area:
		detail = areaDetailMM
	}
	points = simplify(g.plane, points, detail)
	if !s.area {
		sh.points = points
		return sh, len(points) >= 2
	}
	sh.points = ringOf(points)
	if len(sh.points) < outlinePointsM {
		return sh, false
	}
	sh.m2 = areaM2(g.plane, sh.points)
	if s.kind == maps.BackdropBuilding {
		return sh, sh.m2 >= minBuildingM2
	}
	return sh, sh.m2 >= minGreenM2
}

// fewerBuildings drops the smallest buildings beyond maxBuildings.
func (g *graph) fewerBuildings(shapes []shape) []shape {
	var areas []float64
	for _, s := range shapes {
		if s.kind == maps.BackdropBuilding {
			areas = append(areas, s.m2)
		}
	}
	if len(areas) <= maxBuildings {
		return shapes
	}
	slices.SortFunc(areas, func(a, b float64) int { return cmp.Compare(b, a) })
	least := areas[maxBuildings-1]
	return slices.DeleteFunc(shapes, func(s shape) bool {
		return s.kind == maps.BackdropBuilding && s.m2 < least
	})
}

func boxOf(points []maps.Point) maps.Box {
	box := maps.EmptyBox()
	for _, p := range points {
		box = box.With(p)
	}
	return box
}
