package grpcapi

import (
	"context"
	"sync"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// maxPairs bounds one matrix on the wire: about 2 MB. The client asks for
// larger ones in parts.
const maxPairs = 200_000

// mapsServer is Maps on the wire.
type mapsServer struct {
	pb.UnimplementedMapsServer
	s *maps.Service

	mu     sync.Mutex
	stamps map[market.ID]stamp
}

// stamp is a metric with its fingerprint.
type stamp struct {
	of *maps.Metric
	is uint64
}

func newMapsServer(s *maps.Service) *mapsServer {
	return &mapsServer{s: s, stamps: map[market.ID]stamp{}}
}

func (s *mapsServer) Geocode(ctx context.Context, q *pb.GeocodeRequest) (*pb.GeocodeResponse, error) {
	m, err := s.s.Geocode(ctx, market.ID(q.GetMarket()), q.GetQuery())
	return &pb.GeocodeResponse{Match: matchTo(m)}, err
}

func (s *mapsServer) Search(ctx context.Context, q *pb.SearchRequest) (*pb.SearchResponse, error) {
	if q.GetLimit() < 1 || q.GetLimit() > maps.MaxMatches {
		return nil, fault.New("grpcapi.Search", fault.Invalid, "bad_limit", "limit %d: want 1 to %d", q.GetLimit(), maps.MaxMatches)
	}
	all, err := s.s.Search(ctx, market.ID(q.GetMarket()), q.GetQuery(), int(q.GetLimit()))
	return &pb.SearchResponse{Matches: each(all, matchTo)}, err
}

func (s *mapsServer) Snap(ctx context.Context, q *pb.SnapRequest) (*pb.SnapResponse, error) {
	p := pointFrom(q.GetPoint())
	if !p.Valid() {
		return nil, fault.New("grpcapi.Snap", fault.Invalid, "bad_point", "lon %d, lat %d is not on Earth: want 1e-7 degrees within ±180 and ±90", p.Lon, p.Lat)
	}
	m, err := s.s.Snap(ctx, market.ID(q.GetMarket()), p)
	return &pb.SnapResponse{Match: matchTo(m)}, err
}

func (s *mapsServer) Serves(ctx context.Context, q *pb.ServesRequest) (*pb.ServesResponse, error) {
	reason, opens, err := s.s.Serves(ctx, market.ID(q.GetMarket()), positionFrom(q.GetAt()), clock.Time(q.GetWhenMs()))
	return &pb.ServesResponse{Reason: reason, OpensMs: int64(opens)}, err
}

func (s *mapsServer) PointAt(ctx context.Context, q *pb.PointAtRequest) (*pb.PointAtResponse, error) {
	p, err := s.s.PointAt(ctx, market.ID(q.GetMarket()), positionFrom(q.GetAt()))
	return &pb.PointAtResponse{Point: pointTo(p)}, err
}

func (s *mapsServer) Matrix(ctx context.Context, q *pb.MatrixRequest) (*pb.MatrixResponse, error) {
	from, err := positionsFrom(q.GetFrom())
	if err != nil {
		return nil, err
	}
	to, err := positionsFrom(q.GetTo())
	if err != nil {
		return nil, err
	}
	if len(to) > 0 && len(from) > maxPairs/len(to) {
		return nil, fault.New("grpcapi.Matrix", fault.Invalid, "too_large", "%d × %d pairs: want at most %d in one call", len(from), len(to), maxPairs)
	}
	legs, err := s.s.Matrix(ctx, market.ID(q.GetMarket()), from, to)
	return legsTo(legs), err
}

// Version returns the fingerprint of the metric in force: replicas that answer
// alike give the same one, and so does a process that was started again.
func (s *mapsServer) Version(_ context.Context, q *pb.VersionRequest) (*pb.VersionResponse, error) {
	m := market.ID(q.GetMarket())
	metric, err := s.s.Metric(m)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.stamps[m]
	if p.of != metric {
		p = stamp{metric, metric.Fingerprint()}
		s.stamps[m] = p
	}
	return &pb.VersionResponse{Version: p.is}, nil
}

func (s *mapsServer) Route(ctx context.Context, q *pb.RouteRequest) (*pb.RouteResponse, error) {
	m := market.ID(q.GetMarket())
	r, line, err := s.s.Way(ctx, m, positionFrom(q.GetFrom()), positionFrom(q.GetTo()))
	if err != nil {
		return nil, err
	}
	return &pb.RouteResponse{Route: routeTo(r), Line: each(line, pointTo)}, nil
}

func (s *mapsServer) Areas(ctx context.Context, q *pb.AreasRequest) (*pb.AreasResponse, error) {
	all, err := s.s.Areas(ctx, market.ID(q.GetMarket()))
	return &pb.AreasResponse{Areas: each(all, areaTo)}, err
}

func (s *mapsServer) SetArea(ctx context.Context, q *pb.SetAreaRequest) (*pb.SetAreaResponse, error) {
	return &pb.SetAreaResponse{}, s.s.SetArea(ctx, market.ID(q.GetMarket()), areaFrom(q.GetArea()))
}

func (s *mapsServer) Closures(ctx context.Context, q *pb.ClosuresRequest) (*pb.ClosuresResponse, error) {
	all, err := s.s.Closures(ctx, market.ID(q.GetMarket()))
	return &pb.ClosuresResponse{Closures: each(all, closureTo)}, err
}

func (s *mapsServer) Close(ctx context.Context, q *pb.CloseRequest) (*pb.CloseResponse, error) {
	return &pb.CloseResponse{}, s.s.Close(ctx, market.ID(q.GetMarket()), closureFrom(q.GetClosure()))
}

func (s *mapsServer) Reopen(ctx context.Context, q *pb.ReopenRequest) (*pb.ReopenResponse, error) {
	return &pb.ReopenResponse{}, s.s.Reopen(ctx, market.ID(q.GetMarket()), q.GetClosure())
}

func (s *mapsServer) SetSpeed(ctx context.Context, q *pb.SetSpeedRequest) (*pb.SetSpeedResponse, error) {
	var class maps.Class
	if err := class.UnmarshalText([]byte(q.GetClass())); err != nil {
		return nil, &fault.Error{Op: "grpcapi.SetSpeed", Kind: fault.Invalid, Reason: "bad_speed", Err: err}
	}
	return &pb.SetSpeedResponse{}, s.s.SetSpeed(ctx, market.ID(q.GetMarket()), class, q.GetPermille())
}
