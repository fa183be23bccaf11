package maps

import (
	"context"

	"footway/core/market"
)

// Way is Route with the points that the route leads along.
func (s *Service) Way(ctx context.Context, m market.ID, from, to Position) (Route, []Point, error) {
	r, err := s.Route(ctx, m, from, to)
	if err != nil {
		return r, nil, err
	}
	n, err := s.Network(m)
	if err != nil {
		return r, nil, err
	}
	return r, n.Points(r), nil
}

// Points returns the points of a route, from its beginning to its end.
func (n *Network) Points(r Route) []Point {
	line := []Point{n.PointAt(r.From)}
	add := func(p Point) {
		if p != line[len(line)-1] {
			line = append(line, p)
		}
	}
	var shape []Point
	for _, p := range r.Pieces {
		add(n.PointAt(Position{Edge: p.Edge, OffsetMM: p.FromMM}))
		shape = n.Line(shape[:0], p.Edge)
		whole, done := int64(0), int64(0)
		for i := 1; i < len(shape); i++ {
			whole += Distance(shape[i-1], shape[i])
		}
		for i := 1; i < len(shape)-1; i++ {
			done += Distance(shape[i-1], shape[i])
			if at := done * int64(n.Edges[p.Edge].LengthMM) / max(whole, 1); at > int64(p.FromMM) && at < int64(p.ToMM) {
				add(shape[i])
			}
		}
		add(n.PointAt(Position{Edge: p.Edge, OffsetMM: p.ToMM}))
	}
	return line
}
