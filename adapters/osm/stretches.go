package osm

import "footway/core/maps"

// besideMM is how far from the centre line of its street a sidewalk may run,
// and acrossMM how far from a crossing's middle the street that it crosses.
const (
	besideMM = 30_000
	acrossMM = 15_000
)

// addStretches gives all pieces to the builder.
func (g *graph) addStretches() {
	for i := range g.pieces {
		p := &g.pieces[i]
		w := &g.walks[p.walk]
		if w.class == maps.Crossing {
			g.addCrossing(p, w)
			continue
		}
		base := g.base(p, w)
		switch {
		case w.beside:
			g.nameBeside(p, &base)
		case !w.isStreet:
			base.Street = maps.StreetNone
		}
		if w.class == maps.Shared && w.street == maps.StreetPedestrian {
			base.Street = maps.StreetPedestrian
		}
		base.KerbFrom, base.KerbTo = g.kerbBeside(p, 0), g.kerbBeside(p, 1)
		g.addWithStubs(p, base)
	}
}

// base returns p as one stretch with what its way's tags say.
func (g *graph) base(p *piece, w *walk) maps.Stretch {
	s := maps.Stretch{
		From: g.nodeAt(g.slots[p.first]), To: g.nodeAt(g.slots[p.last]),
		Name: w.name, Class: w.class, Surface: w.surface, Street: w.street,
		WidthMM: w.width, InclinePermille: w.incline, Flags: w.flags, OneWay: w.oneWay != 0,
	}
	for _, slot := range g.slots[p.first+1 : p.last] {
		s.Shape = append(s.Shape, g.points[slot])
	}
	return s
}

// give hands s to the builder, turned round if its way is one-way against its
// direction.
func (g *graph) give(s maps.Stretch, oneWay int8) {
	if oneWay < 0 {
		s.From, s.To = s.To, s.From
		s.KerbFrom, s.KerbTo = s.KerbTo, s.KerbFrom
		s.InclinePermille = -s.InclinePermille
		for i, j := 0, len(s.Shape)-1; i < j; i, j = i+1, j-1 {
			s.Shape[i], s.Shape[j] = s.Shape[j], s.Shape[i]
		}
	}
	g.builder.Stretch(s)
}

func (g *graph) nodeAt(slot int32) maps.NodeID {
	if g.nodes[slot] < 0 {
		g.nodes[slot] = g.builder.Node(g.points[slot])
	}
	return g.nodes[slot]
}

// middle returns the point of p's middle node, or between its two nodes.
func (g *graph) middle(p *piece) maps.XY {
	if n := p.last - p.first; n > 1 {
		return g.xy(g.slots[p.first+n/2])
	}
	a, b := g.xy(g.slots[p.first]), g.xy(g.slots[p.last])
	return maps.XY{X: (a.X + b.X) / 2, Y: (a.Y + b.Y) / 2}
}

// nameBeside gives a sidewalk the rank, and if it has none the name, of the
// street along which it runs.
func (g *graph) nameBeside(p *piece, s *maps.Stretch) {
	at := g.middle(p)
	k := p.first + (p.last-p.first)/2
	along := minus(g.xy(g.slots[min(k+1, p.last)]), g.xy(g.slots[k]))
	found := g.streets.nearest(at, besideMM, func(c *segment) bool {
		w := &g.walks[c.owner]
		return w.street > maps.StreetService && parallel(along, minus(c.b, c.a))
	})
	if found == nil {
		s.Street = maps.StreetNone
		return
	}
	s.Street = g.walks[found.owner].street
	if s.Name == "" {
		s.Name = g.walks[found.owner].name
	}
}

// addCrossing adds a piece of a mapped crossing.
func (g *graph) addCrossing(p *piece, w *walk) {
	s := g.base(p, w)
	s.KerbFrom = g.kerbOf(p)
	s.KerbTo = s.KerbFrom
	over := int32(-1) // the street that it crosses
	for k := w.first; k < w.first+w.count; k++ {
		slot := g.slots[k]
		if slot >= 0 && g.road[slot] >= 0 && (over < 0 || g.walks[over].street < g.walks[g.road[slot]].street) {
			over = g.road[slot]
		}
	}
	if over < 0 {
		if c := g.streets.nearest(g.middle(p), acrossMM, func(*segment) bool { return true }); c != nil {
			over = c.owner
		}
	}
	s.Street = maps.StreetResidential
	if over >= 0 {
		s.Street = g.walks[over].street
		if s.Name == "" {
			s.Name = g.walks[over].name
		}
	}
	switch p.bearer {
	case noBearer:
	case onTheWay:
		s.Control = w.control
		if s.Control == maps.ControlNone {
			s.Control = g.controlAt(g.slots[p.first], g.spots[g.slots[p.last]].control)
		}
	default:
		s.Control = g.controlAt(p.bearer, w.control)
	}
	if s.Control == maps.ControlSignal {
		s.Signal = g.numbers.at(g.middle(p))
	}
	g.give(s, w.oneWay)
}

// kerbOf returns the worst kerb that is mapped at either end of crossing p. A
// crossing meets its kerbs in both directions, for a robot that cannot climb
// one should not tumble down it either. An end in the roadway has none.
func (g *graph) kerbOf(p *piece) maps.Kerb {
	worst := max(g.spots[g.end(p, 0)].kerb, g.spots[g.end(p, 1)].kerb)
	if worst == maps.KerbNone {
		return maps.KerbUnknown
	}
	return worst
}

// kerbBeside returns the kerb that a piece which is no crossing meets at an end.
// Where a crossing begins, the crossing has the kerb; where a sidewalk passes
// by, it is beside the way.
func (g *graph) kerbBeside(p *piece, end int) maps.Kerb {
	slot := g.end(p, end)
	s, ok := g.spots[slot]
	if !ok || s.kerb == maps.KerbNone || g.walks[p.walk].class == maps.Sidewalk || g.atCrossing[slot] {
		return maps.KerbNone
	}
	return s.kerb
}

// addWithStubs adds s, with the crossings inferred at its ends cut off.
func (g *graph) addWithStubs(p *piece, s maps.Stretch) {
	way := g.walks[p.walk].oneWay
	if p.stub[0].street == maps.StreetNone && p.stub[1].street == maps.StreetNone {
		g.give(s, way)
		return
	}
	points := make([]maps.Point, 0, p.last-p.first+1)
	for _, slot := range g.slots[p.first : p.last+1] {
		points = append(points, g.points[slot])
	}
	first, last := crossingMM[p.stub[0].street], crossingMM[p.stub[1].street]
	total := lengthOf(points)
	const least = 2_000 // what must remain between two crossings
	if int64(first)+int64(last)+least > total {
		st, at := p.stub[0], points[0]
		if p.stub[1].street > st.street {
			st, at = p.stub[1], points[len(points)-1]
		}
		g.give(g.inferred(s, st, at), way)
		return
	}
	if first > 0 {
		head, tail := splitAt(points, int64(first))
		mid := g.builder.Node(tail[0])
		c := s
		c.To, c.Shape, c.KerbTo = mid, inner(head), maps.KerbNone
		g.give(g.inferred(c, p.stub[0], points[0]), way)
		s.From, s.Shape, s.KerbFrom, points = mid, inner(tail), maps.KerbNone, tail
	}
	if last > 0 {
		head, tail := splitAt(points, lengthOf(points)-int64(last))
		mid := g.builder.Node(tail[0])
		c := s
		c.From, c.Shape, c.KerbFrom = mid, inner(tail), maps.KerbNone
		g.give(g.inferred(c, p.stub[1], points[len(points)-1]), way)
		s.To, s.Shape, s.KerbTo = mid, inner(head), maps.KerbNone
	}
	g.give(s, way)
}

// inferred makes a crossing of s at the junction at.
func (g *graph) inferred(s maps.Stretch, st stub, at maps.Point) maps.Stretch {
	s.Class, s.Street, s.Control = maps.Crossing, st.street, st.control
	s.Flags |= maps.Inferred
	s.KerbFrom, s.KerbTo = max(s.KerbFrom, maps.KerbUnknown), max(s.KerbTo, maps.KerbUnknown)
	if st.name != "" {
		s.Name = st.name
	}
	if s.Control == maps.ControlSignal {
		s.Signal = g.numbers.at(g.plane.XY(at))
	}
	return s
}
