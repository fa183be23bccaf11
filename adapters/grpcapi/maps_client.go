package grpcapi

import (
	"context"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/maps"
	"footway/core/market"
)

// MapsClient is Maps in another process. It is safe for concurrent use.
type MapsClient struct{ c pb.MapsClient }

var (
	_ dispatch.Places = (*MapsClient)(nil)
	_ dispatch.Ways   = (*MapsClient)(nil)
)

// NewMapsClient returns a client over cc; see Dial.
func NewMapsClient(cc grpc.ClientConnInterface) *MapsClient {
	return &MapsClient{pb.NewMapsClient(caller{cc})}
}

// Geocode implements dispatch.Places.
func (c *MapsClient) Geocode(ctx context.Context, m market.ID, query string) (maps.Match, error) {
	a, err := c.c.Geocode(ctx, &pb.GeocodeRequest{Market: string(m), Query: query})
	return matchFrom(a.GetMatch()), err
}

// Search is maps.Service.Search.
func (c *MapsClient) Search(ctx context.Context, m market.ID, query string, limit int) ([]maps.Match, error) {
	a, err := c.c.Search(ctx, &pb.SearchRequest{Market: string(m), Query: query, Limit: int64(limit)})
	return each(a.GetMatches(), matchFrom), err
}

// Snap implements dispatch.Places.
func (c *MapsClient) Snap(ctx context.Context, m market.ID, p maps.Point) (maps.Match, error) {
	a, err := c.c.Snap(ctx, &pb.SnapRequest{Market: string(m), Point: pointTo(p)})
	return matchFrom(a.GetMatch()), err
}

// Serves implements dispatch.Places.
func (c *MapsClient) Serves(ctx context.Context, m market.ID, at maps.Position, when clock.Time) (reason string, opens clock.Time, err error) {
	a, err := c.c.Serves(ctx, &pb.ServesRequest{Market: string(m), At: positionTo(at), WhenMs: int64(when)})
	return a.GetReason(), clock.Time(a.GetOpensMs()), err
}

// PointAt implements dispatch.Places.
func (c *MapsClient) PointAt(ctx context.Context, m market.ID, at maps.Position) (maps.Point, error) {
	a, err := c.c.PointAt(ctx, &pb.PointAtRequest{Market: string(m), At: positionTo(at)})
	return pointFrom(a.GetPoint()), err
}

// maxMatrix bounds a matrix that is asked for in parts, as maps.Service does.
const maxMatrix = 4_000_000

// Matrix implements dispatch.Ways. A large one is asked for in several parts: if
// the map changes meanwhile they may differ, and so does Version afterwards.
func (c *MapsClient) Matrix(ctx context.Context, m market.ID, from, to []maps.Position) ([]maps.Leg, error) {
	if len(to) > 0 && len(from) > maxMatrix/len(to) {
		return nil, fault.New("grpcapi.Matrix", fault.Invalid, "too_large", "%d × %d pairs: want at most %d", len(from), len(to), maxMatrix)
	}
	rows := len(from)
	if len(to) > 0 {
		rows = max(1, min(rows, maxPairs/len(to)))
	}
	legs := make([]maps.Leg, 0, len(from)*len(to))
	for first := 0; ; first += rows {
		part := from[first:min(first+rows, len(from))]
		a, err := c.c.Matrix(ctx, &pb.MatrixRequest{Market: string(m), From: positionsTo(part), To: positionsTo(to)})
		if err != nil {
			return nil, err
		}
		if legs, err = legsFrom(legs, a, len(part)*len(to)); err != nil {
			return nil, err
		}
		if first+rows >= len(from) {
			return legs, nil
		}
	}
}

// Version implements dispatch.Ways.
func (c *MapsClient) Version(ctx context.Context, m market.ID) (uint64, error) {
	a, err := c.c.Version(ctx, &pb.VersionRequest{Market: string(m)})
	return a.GetVersion(), err
}

// Route is maps.Service.Route, with the points of the way.
func (c *MapsClient) Route(ctx context.Context, m market.ID, from, to maps.Position) (maps.Route, []maps.Point, error) {
	a, err := c.c.Route(ctx, &pb.RouteRequest{Market: string(m), From: positionTo(from), To: positionTo(to)})
	if err != nil {
		return maps.Route{}, nil, err
	}
	return routeFrom(a.GetRoute()), each(a.GetLine(), pointFrom), nil
}

// Areas is maps.Service.Areas.
func (c *MapsClient) Areas(ctx context.Context, m market.ID) ([]maps.Area, error) {
	a, err := c.c.Areas(ctx, &pb.AreasRequest{Market: string(m)})
	return each(a.GetAreas(), areaFrom), err
}

// SetArea is maps.Service.SetArea.
func (c *MapsClient) SetArea(ctx context.Context, m market.ID, a maps.Area) error {
	_, err := c.c.SetArea(ctx, &pb.SetAreaRequest{Market: string(m), Area: areaTo(a)})
	return err
}

// Closures is maps.Service.Closures.
func (c *MapsClient) Closures(ctx context.Context, m market.ID) ([]maps.Closure, error) {
	a, err := c.c.Closures(ctx, &pb.ClosuresRequest{Market: string(m)})
	return each(a.GetClosures(), closureFrom), err
}

// Close is maps.Service.Close: it closes ways, not the client.
func (c *MapsClient) Close(ctx context.Context, m market.ID, x maps.Closure) error {
	_, err := c.c.Close(ctx, &pb.CloseRequest{Market: string(m), Closure: closureTo(x)})
	return err
}

// Reopen is maps.Service.Reopen.
func (c *MapsClient) Reopen(ctx context.Context, m market.ID, id string) error {
	_, err := c.c.Reopen(ctx, &pb.ReopenRequest{Market: string(m), Closure: id})
	return err
}

// SetSpeed is maps.Service.SetSpeed.
func (c *MapsClient) SetSpeed(ctx context.Context, m market.ID, class maps.Class, permille int32) error {
	_, err := c.c.SetSpeed(ctx, &pb.SetSpeedRequest{Market: string(m), Class: class.String(), Permille: permille})
	return err
}
