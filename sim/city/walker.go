package city

import (
	"slices"

	"footway/core/maps"
)

// walker turns a plan into ways for robots.
type walker struct {
	*plan
	b      *maps.Builder
	plane  maps.Projection
	places []vec // of the builder's nodes
	grass  [][]vec
	signal int32 // last number given out
}

func newWalker(p *plan) *walker {
	return &walker{plan: p, b: maps.NewBuilder(p.o.Name, Attribution), plane: maps.NewProjection(origin())}
}

func (w *walker) node(v vec) maps.NodeID {
	w.places = append(w.places, v)
	return w.b.Node(w.plane.Point(v))
}

func (w *walker) points(vs []vec) []maps.Point {
	out := make([]maps.Point, len(vs))
	for i, v := range vs {
		out[i] = w.plane.Point(v)
	}
	return out
}

// stretch adds s with the slope of the ground beneath it.
func (w *walker) stretch(s maps.Stretch) {
	a, b := w.places[s.From], w.places[s.To]
	if l := length(sub(b, a)); l > 5000 {
		s.InclinePermille = int16((w.height.at(b) - w.height.at(a)) * 1000 / l)
	}
	s.Flags |= maps.InclineKnown
	w.b.Stretch(s)
}

// corners makes the nodes where sidewalks meet: one between each two
// neighbouring arms of a junction, two at the end of a street.
func (w *walker) corners() {
	for i := range w.junctions {
		j := &w.junctions[i]
		if len(j.arms) == 1 {
			w.deadEnd(j)
			continue
		}
		for k := range j.arms {
			a, b := &j.arms[k], &j.arms[(k+1)%len(j.arms)]
			if len(j.arms) > 2 && straight(a, b) {
				w.throughSide(j, k)
				continue
			}
			n := w.node(add(j.at, w.corner(a, b)))
			a.left, b.right = n, n
		}
	}
}

// deadEnd leads the sidewalk round the end of a street.
func (w *walker) deadEnd(j *junction) {
	a := &j.arms[0]
	s := &w.streets[a.street]
	out := scale(left(a.away), kerbside(s.rank))
	a.left, a.right = w.node(add(j.at, out)), w.node(sub(j.at, out))
	w.stretch(maps.Stretch{
		From: a.left, To: a.right, Shape: w.points([]vec{sub(j.at, scale(a.away, kerbside(s.rank)))}),
		Name: s.name, Class: maps.Sidewalk, Surface: maps.SurfaceSmooth, Street: s.rank, WidthMM: 1800,
	})
}

// throughSide makes two nodes where arm k and the next run straight on and a
// street ends on their other side, so that each arm has a crossing at right angles.
func (w *walker) throughSide(j *junction, k int) {
	a, b := &j.arms[k], &j.arms[(k+1)%len(j.arms)]
	s := &w.streets[a.street]
	opposite := kerbside(w.streets[j.arms[(k+2)%len(j.arms)].street].rank)
	out := scale(left(a.away), max(kerbside(s.rank), kerbside(w.streets[b.street].rank)))
	a.left = w.node(add(add(j.at, out), scale(a.away, opposite)))
	b.right = w.node(add(add(j.at, out), scale(b.away, opposite)))
	w.stretch(maps.Stretch{
		From: a.left, To: b.right, Name: s.name, Class: maps.Sidewalk, Surface: maps.SurfaceSmooth, Street: s.rank, WidthMM: 2200,
	})
}

// straight reports whether two arms run on into each other, within about 14 degrees.
func straight(a, b *arm) bool {
	turn := cross(a.away, b.away) / one
	return max(turn, -turn) < one/4
}

// corner returns where the sidewalks on the left of a and on the right of b
// meet, as seen from the junction.
func (w *walker) corner(a, b *arm) vec {
	ha, hb := kerbside(w.streets[a.street].rank), kerbside(w.streets[b.street].rank)
	if straight(a, b) {
		return scale(left(a.away), max(ha, hb))
	}
	turn := cross(a.away, b.away) / one // the sine of the angle, times one
	return vec{
		X: (a.away.X*hb + b.away.X*ha) / turn,
		Y: (a.away.Y*hb + b.away.Y*ha) / turn,
	}
}

// crossings joins the corners on both sides of each arm, with signals where
// bigger streets meet.
func (w *walker) crossings() {
	d := newDice(w.seed, "crossings")
	for i := range w.junctions {
		j := &w.junctions[i]
		if len(j.arms) < 3 {
			continue
		}
		signal := int32(0)
		if w.signalled(j) {
			w.signal++
			signal = w.signal
		}
		for k := range j.arms {
			w.cross(d, j.arms[k].left, j.arms[k].right, &w.streets[j.arms[k].street], signal)
		}
	}
}

// signalled reports whether a junction has traffic lights: where two streets
// bigger than residential meet, or any with the primary.
func (w *walker) signalled(j *junction) bool {
	big := 0
	for _, a := range j.arms {
		switch w.streets[a.street].rank {
		case maps.StreetPrimary:
			return true
		case maps.StreetSecondary, maps.StreetTertiary:
			big++
		}
	}
	return big > 2
}

func (w *walker) cross(d *dice, from, to maps.NodeID, s *street, signal int32) {
	control := maps.ControlUnmarked
	switch {
	case signal > 0:
		control = maps.ControlSignal
	case s.rank > maps.StreetResidential:
		control = maps.ControlZebra
	}
	kerb := func() maps.Kerb {
		switch v := d.n(100); {
		case v < 25:
			return maps.KerbFlush
		case v < 88:
			return maps.KerbLowered
		case v < 97:
			return maps.KerbRolled
		default:
			return maps.KerbRaised
		}
	}
	w.stretch(maps.Stretch{
		From: from, To: to, Name: s.name, Class: maps.Crossing, Surface: maps.SurfaceSmooth, Street: s.rank,
		Control: control, Signal: signal, KerbFrom: kerb(), KerbTo: kerb(), WidthMM: 3000,
	})
}

// side returns the corners at the ends of a street's sidewalk, from its From
// to its To junction; side 0 is on its left.
func (w *walker) side(id, side int) (from, to maps.NodeID) {
	s := &w.streets[id]
	a, b := w.arm(s.from, id), w.arm(s.to, id)
	if side == 0 {
		return a.left, b.right
	}
	return a.right, b.left
}

func (w *walker) arm(j, street int) *arm {
	arms := w.junctions[j].arms
	return &arms[slices.IndexFunc(arms, func(a arm) bool { return a.street == street })]
}

// split returns a node on a sidewalk, permille of the way along it.
func (w *walker) split(id, side int, permille int64) maps.NodeID {
	s := &w.streets[id]
	for _, x := range s.splits[side] {
		if x.permille == permille {
			return x.node
		}
	}
	from, to := w.side(id, side)
	n := w.node(between(w.places[from], w.places[to], permille))
	s.splits[side] = append(s.splits[side], split{permille, n})
	return n
}

// sidewalks lays both sidewalks of every street, from corner to corner through
// the nodes where something joins them.
func (w *walker) sidewalks() {
	d := newDice(w.seed, "sidewalks")
	for id := range w.streets {
		s := &w.streets[id]
		for side := range 2 {
			from, to := w.side(id, side)
			slices.SortFunc(s.splits[side], func(a, b split) int { return int(a.permille - b.permille) })
			surface := maps.SurfaceSmooth
			if old := w.junctions[s.from].at; old.Y < -w.half.Y/3 && d.chance(600) || d.chance(80) {
				surface = maps.SurfacePaved // the old town by the harbour
			}
			width := 1800 + int32(d.n(5))*100
			if s.rank > maps.StreetResidential {
				width += 1400
			}
			for _, x := range append(s.splits[side], split{node: to}) {
				w.stretch(maps.Stretch{
					From: from, To: x.node, Name: s.name, Class: maps.Sidewalk, Surface: surface, Street: s.rank, WidthMM: width,
				})
				from = x.node
			}
		}
	}
}
