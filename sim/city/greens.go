package city

import "footway/core/maps"

// streetBetween returns the street that joins two neighbouring places of the grid, or -1.
func (w *walker) streetBetween(c1, r1, c2, r2 int) int {
	a, b := w.at[c1][r1], w.at[c2][r2]
	if a < 0 || b < 0 {
		return -1
	}
	for _, x := range w.junctions[a].arms {
		if s := &w.streets[x.street]; s.from == a && s.to == b {
			return x.street
		}
	}
	return -1
}

// block is the ground between four streets: those in the south, north, west and east.
type block struct{ south, north, west, east int }

// block returns the block north-east of a place of the grid, if all its streets are there
// and no diagonal cuts it.
func (w *walker) block(column, row int) (block, bool) {
	b := block{
		south: w.streetBetween(column, row, column+1, row), north: w.streetBetween(column, row+1, column+1, row+1),
		west: w.streetBetween(column, row, column, row+1), east: w.streetBetween(column+1, row, column+1, row+1),
	}
	whole := b.south >= 0 && b.north >= 0 && b.west >= 0 && b.east >= 0
	return b, whole && !w.diagonal[[2]int{column, row}]
}

// inner returns the corners of the sidewalk around a block, counter-clockwise from the south-west.
func (w *walker) inner(b block) [4]maps.NodeID {
	sw, se := w.side(b.south, 0)
	nw, ne := w.side(b.north, 1)
	return [4]maps.NodeID{sw, se, ne, nw}
}

func (w *walker) path(from, to maps.NodeID, name string, surface maps.Surface, shape ...vec) {
	w.stretch(maps.Stretch{
		From: from, To: to, Shape: w.points(shape), Name: name, Class: maps.Path, Surface: surface,
		Street: maps.StreetPedestrian, WidthMM: 3000,
	})
}

// squares turns a few blocks in the middle into open squares: a ring of paving
// with ways across.
func (w *walker) squares() {
	d := newDice(w.seed, "squares")
	for range 6 {
		column := len(w.columns)/6 + int(d.n(int64(len(w.columns)*2/3)))
		row := len(w.rows)/6 + int(d.n(int64(len(w.rows)*2/3)))
		b, ok := w.block(column, row)
		if !ok || w.isGreen(b) {
			continue
		}
		name := w.names.square()
		corners := w.inner(b)
		var ring []vec
		sum := vec{}
		for _, c := range corners {
			ring = append(ring, w.places[c])
			sum = add(sum, w.places[c])
		}
		middle := w.node(vec{X: sum.X / 4, Y: sum.Y / 4})
		for _, c := range corners {
			w.path(c, middle, name, maps.SurfacePaved)
		}
		for _, s := range []struct{ street, side int }{{b.south, 0}, {b.north, 1}} {
			w.path(w.split(s.street, s.side, 500), middle, name, maps.SurfacePaved)
		}
		w.grass = append(w.grass, ring)
		w.b.Backdrop(maps.BackdropPark, maps.StreetNone, true, name, w.points(inset(ring, 9_000)))
	}
}

// isGreen reports whether a square or the park lies on a block already.
func (w *walker) isGreen(b block) bool {
	sw := w.places[w.inner(b)[0]]
	for _, g := range w.grass {
		if g[0] == sw {
			return true
		}
	}
	return false
}

// inset returns a convex ring drawn together towards its middle by about mm.
func inset(ring []vec, mm int64) []vec {
	sum := vec{}
	for _, v := range ring {
		sum = add(sum, v)
	}
	middle := vec{X: sum.X / int64(len(ring)), Y: sum.Y / int64(len(ring))}
	out := make([]vec, len(ring))
	for i, v := range ring {
		out[i] = add(v, scale(unit(sub(middle, v)), mm))
	}
	return out
}

// alleys cuts passages through some blocks, and puts zebras half-way along
// blocks of the bigger streets.
func (w *walker) alleys() {
	d := newDice(w.seed, "alleys")
	for column := range len(w.columns) - 1 {
		for row := range len(w.rows) - 1 {
			b, ok := w.block(column, row)
			if !ok || w.isGreen(b) || !d.chance(260) {
				continue
			}
			at := 300 + 100*d.n(5)
			from, to := w.split(b.south, 0, at), w.split(b.north, 1, at)
			if d.chance(400) {
				w.stretch(maps.Stretch{
					From: from, To: to, Name: w.names.alley(), Class: maps.Shared, Surface: maps.SurfacePaved,
					Street: maps.StreetService, WidthMM: 3500,
				})
				w.runs = append(w.runs, run{rank: maps.StreetService, points: []vec{w.places[from], w.places[to]}})
				continue
			}
			w.path(from, to, "", maps.SurfaceLoose)
		}
	}
	for id := range w.streets {
		s := &w.streets[id]
		if l := length(sub(w.junctions[s.from].at, w.junctions[s.to].at)); s.rank >= maps.StreetTertiary && !s.bridge && l > 130_000 && d.chance(300) {
			w.cross(d, w.split(id, 0, 500), w.split(id, 1, 500), s, 0)
		}
	}
}

// park lays a ring round a pond in the middle of the park and ways to it from
// the gates around.
func (w *walker) park() {
	border, gates := w.parkBorder()
	if len(border) < 4 {
		return // the river took it
	}
	name := "Kittiwake Park"
	sum := vec{}
	for _, v := range border {
		sum = add(sum, v)
	}
	middle := vec{X: sum.X / int64(len(border)), Y: sum.Y / int64(len(border))}
	var ring []maps.NodeID
	var pond []vec
	for _, v := range circle(middle, 118_000, 82_000) {
		ring = append(ring, w.node(v))
	}
	pond = append(pond, circle(middle, 92_000, 58_000)...)
	for i := range ring {
		w.path(ring[i], ring[(i+1)%len(ring)], name, maps.SurfaceLoose)
	}
	d := newDice(w.seed, "park")
	for _, g := range gates {
		best := ring[0]
		for _, r := range ring {
			if length(sub(w.places[r], w.places[g])) < length(sub(w.places[best], w.places[g])) {
				best = r
			}
		}
		a, b := w.places[g], w.places[best]
		bow := scale(left(unit(sub(b, a))), d.in(-18_000, 18_000))
		w.path(g, best, name, maps.SurfaceSmooth, add(between(a, b, 330), bow), add(between(a, b, 670), bow))
	}
	w.grass = append(w.grass, border)
	w.b.Backdrop(maps.BackdropPark, maps.StreetNone, true, name, w.points(inset(border, 5_000)))
	w.b.Backdrop(maps.BackdropWater, maps.StreetNone, true, "Heron Pond", w.points(pond))
}

// parkBorder returns the sidewalk corners around the park, counter-clockwise,
// and every other of them as a gate.
func (w *walker) parkBorder() (border []vec, gates []maps.NodeID) {
	c0, r0, c1, r1 := w.parkFrom[0], w.parkFrom[1], w.parkTo[0], w.parkTo[1]
	side := func(street, side int, first bool) {
		if street < 0 {
			return
		}
		from, to := w.side(street, side)
		if !first {
			from = to
		}
		border = append(border, w.places[from])
		if len(border)%2 == 1 {
			gates = append(gates, from)
		}
	}
	for c := c0; c < c1; c++ {
		side(w.streetBetween(c, r0, c+1, r0), 0, true)
	}
	for r := r0; r < r1; r++ {
		side(w.streetBetween(c1, r, c1, r+1), 0, true)
	}
	for c := c1 - 1; c >= c0; c-- {
		side(w.streetBetween(c, r1, c+1, r1), 1, false)
	}
	for r := r1 - 1; r >= r0; r-- {
		side(w.streetBetween(c0, r, c0, r+1), 1, false)
	}
	return border, gates
}

// circle returns sixteen points of an ellipse, counter-clockwise.
func circle(middle vec, a, b int64) []vec {
	// Cosines of 0, 22.5, 45, 67.5 and 90 degrees, times 1000.
	table := [...]int64{1000, 924, 707, 383, 0}
	cosine := func(i int) int64 {
		i %= 16
		switch {
		case i <= 4:
			return table[i]
		case i <= 8:
			return -table[8-i]
		case i <= 12:
			return -table[i-8]
		}
		return table[16-i]
	}
	var out []vec
	for i := range 16 {
		out = append(out, vec{X: middle.X + a*cosine(i)/1000, Y: middle.Y + b*cosine(i+12)/1000})
	}
	return out
}
