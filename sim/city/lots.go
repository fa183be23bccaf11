package city

import (
	"strconv"

	"footway/core/maps"
)

// lot is a house with its address.
type lot struct {
	address int32
	door    vec
	rank    maps.Street
}

// ground remembers which cells of the plane are taken, so that no house stands
// on a street, in the water or in another house.
type ground struct {
	low     vec
	columns int64
	rows    int64
	taken   []bool
}

// cell is the side of a cell in millimetres.
const cell = 3000

func newGround(half vec) *ground {
	g := &ground{low: vec{X: -half.X - 300_000, Y: -half.Y - 300_000}}
	g.columns, g.rows = -2*g.low.X/cell+1, -2*g.low.Y/cell+1
	g.taken = make([]bool, g.columns*g.rows)
	return g
}

// index returns the cell of v, or -1 beyond the plane.
func (g *ground) index(v vec) int64 {
	x, y := (v.X-g.low.X)/cell, (v.Y-g.low.Y)/cell
	if v.X < g.low.X || v.Y < g.low.Y || x >= g.columns || y >= g.rows {
		return -1
	}
	return y*g.columns + x
}

// strip takes the cells within wide millimetres of the line from a to b.
func (g *ground) strip(a, b vec, wide int64) {
	along := unit(sub(b, a))
	across := left(along)
	for d := int64(0); d <= length(sub(b, a)); d += cell / 2 {
		for o := -wide; o <= wide; o += cell / 2 {
			if i := g.index(add(a, add(scale(along, d), scale(across, o)))); i >= 0 {
				g.taken[i] = true
			}
		}
	}
}

// claim takes the cells of a rectangle if all are free: from the middle of its front, along
// it and back from it.
func (g *ground) claim(front, along vec, width, depth int64) bool {
	var cells []int64
	back := left(along)
	for d := int64(0); d <= depth; d += cell / 2 {
		for o := -width / 2; o <= width/2; o += cell / 2 {
			i := g.index(add(front, add(scale(along, o), scale(back, d))))
			if i < 0 || g.taken[i] {
				return false
			}
			cells = append(cells, i)
		}
	}
	for _, i := range cells {
		g.taken[i] = true
	}
	return true
}

// build puts houses with addresses along the streets, bigger ones on bigger
// streets, and returns them in the order of the streets.
func (w *walker) build() []lot {
	g := newGround(w.half)
	for id := range w.streets {
		s := &w.streets[id]
		g.strip(w.junctions[s.from].at, w.junctions[s.to].at, kerbside(s.rank)+1000)
	}
	for _, r := range w.runs {
		if r.rank == maps.StreetService {
			g.strip(r.points[0], r.points[1], 4000)
		}
	}
	for _, green := range w.grass {
		for i := int64(0); i < 1000; i += 10 {
			for k := range green {
				a, b := green[k], green[(k+len(green)/2)%len(green)]
				g.strip(between(a, b, i), between(green[(k+1)%len(green)], b, i), 3000)
			}
		}
	}
	d := newDice(w.seed, "lots")
	var lots []lot
	for id := range w.streets {
		if w.streets[id].bridge {
			continue
		}
		for side := range 2 {
			lots = w.row(g, d, id, side, lots)
		}
	}
	return lots
}

// row builds one side of one street: odd numbers on the left, even ones on the right.
func (w *walker) row(g *ground, d *dice, id, side int, lots []lot) []lot {
	s := &w.streets[id]
	fromNode, toNode := w.side(id, side)
	from, to := w.places[fromNode], w.places[toNode]
	along := unit(sub(to, from))
	facing := along // the street is on the right of a house's back
	if side == 1 {
		facing = vec{X: -along.X, Y: -along.Y}
	}
	out := left(facing)
	total := length(sub(to, from))
	number := s.block*100 + 1 + int64(side)
	for at := int64(7_000); at < total-7_000; {
		width, depth := d.in(9, 15)*1000, d.in(10, 16)*1000
		if s.rank > maps.StreetResidential {
			width, depth = d.in(14, 26)*1000, d.in(14, 24)*1000
		}
		number += 2 * d.in(1, 3)
		front := add(add(from, scale(along, at+width/2)), scale(out, 6_000))
		at += width + d.in(1, 5)*1000
		if at > total || d.chance(60) || w.bank(front) == 0 || !g.claim(front, facing, width, depth) {
			continue
		}
		half := scale(facing, width/2)
		back := scale(out, depth)
		w.b.Backdrop(maps.BackdropBuilding, maps.StreetNone, true, "", w.points([]vec{
			sub(front, half), add(front, half), add(add(front, half), back), add(sub(front, half), back),
		}))
		door := add(front, scale(out, 1_000))
		address := w.b.Address(strconv.FormatInt(number, 10), s.name, w.o.Name, w.postcode(front), w.plane.Point(door))
		lots = append(lots, lot{address, door, s.rank})
	}
	return lots
}

// postcode returns the code of a quarter: west or east of the river, and which
// third from south to north.
func (w *walker) postcode(v vec) string {
	code := int64(70010)
	if w.bank(v) > 0 {
		code += 10
	}
	return strconv.FormatInt(code+min(max((v.Y+w.half.Y)*3/(2*w.half.Y), 0), 2), 10)
}
