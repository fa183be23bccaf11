package city

import "footway/core/maps"

// Steps along the water's edge, and how far from it people walk, in millimetres.
const (
	shoreStep = 45_000
	shoreWalk = 14_000
)

// promenades lays paths along both banks of the river and along the harbour,
// joined to the streets that end there.
func (w *walker) promenades() {
	west := func(y int64) vec { x, half := w.river(y); return vec{X: x - half - shoreWalk, Y: y} }
	east := func(y int64) vec { x, half := w.river(y); return vec{X: x + half + shoreWalk, Y: y} }
	quay := func(x int64) vec { return vec{X: x, Y: w.coast(x) + shoreWalk} }
	w.promenade("West Bank", west, w.riverEnds(-1))
	w.promenade("East Bank", east, w.riverEnds(1))
	w.promenade("Fish Quay", quay, w.harbourEnds(-1))
	w.promenade("Lantern Quay", quay, w.harbourEnds(1))
}

// ends are the junctions nearest to the water with their place along it.
type ends struct {
	along    []int64
	junction []int
}

// riverEnds returns the junctions of one bank that are next to the river, from south to north.
func (w *walker) riverEnds(bank int) ends {
	var out ends
	for row := range w.rows {
		best := -1
		for column := range w.columns {
			j := w.at[column][row]
			if j < 0 || w.bank(w.junctions[j].at) != bank || len(w.junctions[j].arms) == 0 {
				continue
			}
			if bank < 0 || best < 0 {
				best = j // the last one of the west bank, the first one of the east bank
			}
		}
		if best >= 0 && !w.inParkBorder(best) {
			out.along, out.junction = append(out.along, w.junctions[best].at.Y), append(out.junction, best)
		}
	}
	return out
}

// harbourEnds returns the junctions of one bank that are next to the harbour, from west to east.
func (w *walker) harbourEnds(bank int) ends {
	var out ends
	for column := range w.columns {
		for row := range w.rows {
			j := w.at[column][row]
			if j >= 0 && w.bank(w.junctions[j].at) == bank && len(w.junctions[j].arms) > 0 {
				out.along, out.junction = append(out.along, w.junctions[j].at.X), append(out.junction, j)
				break
			}
		}
	}
	return out
}

// inParkBorder reports whether a junction lies at the park, whose own paths serve it.
func (w *walker) inParkBorder(j int) bool {
	for c := w.parkFrom[0]; c <= w.parkTo[0]; c++ {
		for r := w.parkFrom[1]; r <= w.parkTo[1]; r++ {
			if w.at[c][r] == j {
				return true
			}
		}
	}
	return false
}

// promenade lays one path along a shore, past the ends of the streets.
func (w *walker) promenade(name string, shore func(int64) vec, e ends) {
	last := maps.NodeID(-1)
	for i, j := range e.junction {
		at := e.along[i]
		n := w.node(shore(at))
		if corner := w.nearestCorner(j, w.places[n]); length(sub(w.places[corner], w.places[n])) < 220_000 {
			w.path(corner, n, name, maps.SurfacePaved)
		}
		if last >= 0 {
			var shape []vec
			for t := e.along[i-1] + shoreStep; t < at-shoreStep/2; t += shoreStep {
				shape = append(shape, shore(t))
			}
			w.path(last, n, name, maps.SurfacePaved, shape...)
		}
		last = n
	}
}

// nearestCorner returns the sidewalk node of junction j that is nearest to v.
func (w *walker) nearestCorner(j int, v vec) maps.NodeID {
	arms := w.junctions[j].arms
	best := arms[0].left
	for _, a := range arms {
		for _, n := range []maps.NodeID{a.left, a.right} {
			if length(sub(w.places[n], v)) < length(sub(w.places[best], v)) {
				best = n
			}
		}
	}
	return best
}

// backdrop draws water and streets behind the network.
func (w *walker) backdrop() {
	margin := int64(250_000)
	harbour := []vec{{X: -w.half.X - margin, Y: -w.half.Y - margin}, {X: w.half.X + margin, Y: -w.half.Y - margin}}
	for x := w.half.X + margin; x >= -w.half.X-margin; x -= shoreStep {
		harbour = append(harbour, vec{X: x, Y: w.coast(x)})
	}
	w.b.Backdrop(maps.BackdropWater, maps.StreetNone, true, "Ellery Harbour", w.points(harbour))

	var westBank, eastBank []vec
	for y := -w.half.Y - margin; y <= w.half.Y+margin; y += shoreStep {
		x, half := w.river(y)
		westBank = append(westBank, vec{X: x - half, Y: y})
		eastBank = append([]vec{{X: x + half, Y: y}}, eastBank...)
	}
	w.b.Backdrop(maps.BackdropWater, maps.StreetNone, true, "River Ell", w.points(append(westBank, eastBank...)))

	for _, r := range w.runs {
		w.b.Backdrop(maps.BackdropRoad, r.rank, false, r.name, w.points(r.points))
	}
}
