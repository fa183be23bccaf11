package maps

import (
	"context"

	"footway/core/fault"
	"footway/core/market"
)

// Version returns a number that changes whenever what Matrix and Route return
// for a market may have changed.
func (s *Service) Version(_ context.Context, m market.ID) (uint64, error) {
	p, err := s.place(m)
	if err != nil {
		return 0, err
	}
	return p.source.Metric().Version, nil
}

// PointAt returns where a position is. It fails with fault.Invalid if it is not on the map.
func (s *Service) PointAt(_ context.Context, m market.ID, at Position) (Point, error) {
	p, err := s.place(m)
	if err != nil {
		return Point{}, err
	}
	if !p.net.Check(at) {
		return Point{}, fault.New("maps.PointAt", fault.Invalid, "bad_position", "position %d mm along edge %d is not on the map", at.OffsetMM, at.Edge)
	}
	return p.net.PointAt(at), nil
}
