package grpcapi

import (
	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/maps"
)

func pointTo(p maps.Point) *pb.Point { return &pb.Point{Lon: p.Lon, Lat: p.Lat} }

func pointFrom(p *pb.Point) maps.Point { return maps.Point{Lon: p.GetLon(), Lat: p.GetLat()} }

func matchTo(m maps.Match) *pb.Match {
	return &pb.Match{Address: m.Address, Point: pointTo(m.Point), At: positionTo(m.At), OffMm: m.OffMM, Approximate: m.Approximate}
}

func matchFrom(m *pb.Match) maps.Match {
	return maps.Match{Address: m.GetAddress(), Point: pointFrom(m.GetPoint()), At: positionFrom(m.GetAt()), OffMM: m.GetOffMm(), Approximate: m.GetApproximate()}
}

func pieceTo(p maps.Piece) *pb.Piece {
	return &pb.Piece{Edge: int32(p.Edge), FromMm: p.FromMM, ToMm: p.ToMM, Ms: p.Millis}
}

func pieceFrom(p *pb.Piece) maps.Piece {
	return maps.Piece{Edge: maps.EdgeID(p.GetEdge()), FromMM: p.GetFromMm(), ToMM: p.GetToMm(), Millis: p.GetMs()}
}

func routeTo(r maps.Route) *pb.Route {
	return &pb.Route{
		From: positionTo(r.From), To: positionTo(r.To), Pieces: each(r.Pieces, pieceTo), Ms: r.Millis, LengthMm: r.LengthMM, EnergyMwh: r.EnergyMWh, Crossings: int64(r.Crossings),
	}
}

func routeFrom(r *pb.Route) maps.Route {
	return maps.Route{
		From: positionFrom(r.GetFrom()), To: positionFrom(r.GetTo()), Pieces: each(r.GetPieces(), pieceFrom), Millis: r.GetMs(), LengthMM: r.GetLengthMm(),
		EnergyMWh: r.GetEnergyMwh(), Crossings: int(r.GetCrossings()),
	}
}

func hoursTo(h maps.Hours) *pb.Hours { return &pb.Hours{FromMs: int64(h.From), ToMs: int64(h.To)} }

func hoursFrom(h *pb.Hours) maps.Hours {
	return maps.Hours{From: clock.Duration(h.GetFromMs()), To: clock.Duration(h.GetToMs())}
}

func areaTo(a maps.Area) *pb.Area {
	return &pb.Area{Id: a.ID, Kind: string(a.Kind), Polygon: each(a.Polygon, pointTo), SpeedPermille: a.SpeedPermille, Hours: each(a.Hours, hoursTo)}
}

func areaFrom(a *pb.Area) maps.Area {
	return maps.Area{
		ID: a.GetId(), Kind: maps.AreaKind(a.GetKind()), Polygon: each(a.GetPolygon(), pointFrom), SpeedPermille: a.GetSpeedPermille(), Hours: each(a.GetHours(), hoursFrom),
	}
}

func closureTo(c maps.Closure) *pb.Closure {
	return &pb.Closure{
		Id: c.ID, Edges: each(c.Edges, func(e maps.EdgeID) int32 { return int32(e) }), Polygon: each(c.Polygon, pointTo),
		FromMs: int64(c.From), UntilMs: int64(c.Until), Reason: c.Reason,
	}
}

func closureFrom(c *pb.Closure) maps.Closure {
	return maps.Closure{
		ID: c.GetId(), Edges: each(c.GetEdges(), func(e int32) maps.EdgeID { return maps.EdgeID(e) }), Polygon: each(c.GetPolygon(), pointFrom),
		From: clock.Time(c.GetFromMs()), Until: clock.Time(c.GetUntilMs()), Reason: c.GetReason(),
	}
}

func positionsTo(list []maps.Position) *pb.Positions {
	p := &pb.Positions{Edge: make([]int32, len(list)), OffsetMm: make([]int32, len(list))}
	for i, at := range list {
		p.Edge[i], p.OffsetMm[i] = int32(at.Edge), at.OffsetMM
	}
	return p
}

func positionsFrom(p *pb.Positions) ([]maps.Position, error) {
	if len(p.GetEdge()) != len(p.GetOffsetMm()) {
		return nil, fault.New("grpcapi.Matrix", fault.Invalid, "bad_positions", "%d edges and %d offsets; want as many of one as of the other", len(p.GetEdge()), len(p.GetOffsetMm()))
	}
	list := make([]maps.Position, len(p.GetEdge()))
	for i := range list {
		list[i] = maps.Position{Edge: maps.EdgeID(p.GetEdge()[i]), OffsetMM: p.GetOffsetMm()[i]}
	}
	return list, nil
}

func legsTo(legs []maps.Leg) *pb.MatrixResponse {
	n := len(legs)
	m := &pb.MatrixResponse{Ms: make([]int64, n), LengthMm: make([]int64, n), EnergyMwh: make([]int64, n), Ok: make([]bool, n)}
	for i, l := range legs {
		m.Ms[i], m.LengthMm[i], m.EnergyMwh[i], m.Ok[i] = l.Millis, l.LengthMM, l.EnergyMWh, l.OK
	}
	return m
}

// legsFrom appends the legs of an answer to what want says there must be of them.
func legsFrom(legs []maps.Leg, m *pb.MatrixResponse, want int) ([]maps.Leg, error) {
	if len(m.GetMs()) != want || len(m.GetLengthMm()) != want || len(m.GetEnergyMwh()) != want || len(m.GetOk()) != want {
		return nil, fault.New("grpcapi.Matrix", fault.Internal, "bad_answer", "columns of %d, %d, %d and %d legs; want %d", len(m.GetMs()), len(m.GetLengthMm()), len(m.GetEnergyMwh()), len(m.GetOk()), want)
	}
	for i := range want {
		legs = append(legs, maps.Leg{Millis: m.GetMs()[i], LengthMM: m.GetLengthMm()[i], EnergyMWh: m.GetEnergyMwh()[i], OK: m.GetOk()[i]})
	}
	return legs, nil
}
