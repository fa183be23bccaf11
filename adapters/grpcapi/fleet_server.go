package grpcapi

import (
	"context"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fleet"
	"footway/core/market"
)

// fleetServer is Fleet on the wire.
type fleetServer struct {
	pb.UnimplementedFleetServer
	s *fleet.Service
}

func (f *fleetServer) Candidates(ctx context.Context, q *pb.CandidatesRequest) (*pb.CandidatesResponse, error) {
	all, err := f.s.Candidates(ctx, market.ID(q.GetMarket()))
	return &pb.CandidatesResponse{Candidates: each(all, candidateTo)}, err
}

func (f *fleetServer) Reserve(ctx context.Context, q *pb.ReserveRequest) (*pb.ReserveResponse, error) {
	token, err := f.s.Reserve(ctx, reserveFrom(q))
	return &pb.ReserveResponse{Token: token}, err
}

func (f *fleetServer) Renew(ctx context.Context, q *pb.RenewRequest) (*pb.RenewResponse, error) {
	return &pb.RenewResponse{}, f.s.Renew(ctx, fleet.RobotID(q.GetRobot()), q.GetToken(), clock.Time(q.GetUntilMs()))
}

func (f *fleetServer) Release(ctx context.Context, q *pb.ReleaseRequest) (*pb.ReleaseResponse, error) {
	return &pb.ReleaseResponse{}, f.s.Release(ctx, fleet.RobotID(q.GetRobot()), q.GetToken())
}

func (f *fleetServer) Docks(ctx context.Context, q *pb.DocksRequest) (*pb.DocksResponse, error) {
	all, err := f.s.Docks(ctx, market.ID(q.GetMarket()))
	return &pb.DocksResponse{Docks: each(all, dockTo)}, err
}

func (f *fleetServer) Command(ctx context.Context, q *pb.CommandRequest) (*pb.CommandResponse, error) {
	return &pb.CommandResponse{}, f.s.Command(ctx, orderFrom(q.GetOrder()))
}

func (f *fleetServer) Register(ctx context.Context, q *pb.RegisterRequest) (*pb.RegisterResponse, error) {
	return &pb.RegisterResponse{}, f.s.Register(ctx, robotFrom(q.GetRobot()))
}

func (f *fleetServer) Remove(ctx context.Context, q *pb.RemoveRequest) (*pb.RemoveResponse, error) {
	return &pb.RemoveResponse{}, f.s.Remove(ctx, fleet.RobotID(q.GetRobot()))
}

func (f *fleetServer) GetRobot(ctx context.Context, q *pb.GetRobotRequest) (*pb.GetRobotResponse, error) {
	r, err := f.s.Robot(ctx, fleet.RobotID(q.GetRobot()))
	return &pb.GetRobotResponse{Robot: robotTo(r)}, err
}

func (f *fleetServer) ListRobots(ctx context.Context, q *pb.ListRobotsRequest) (*pb.ListRobotsResponse, error) {
	all, err := f.s.Robots(ctx, market.ID(q.GetMarket()))
	return &pb.ListRobotsResponse{Robots: each(all, robotTo)}, err
}

func (f *fleetServer) GetAccount(ctx context.Context, q *pb.GetAccountRequest) (*pb.GetAccountResponse, error) {
	a, err := f.s.Accounts.Account(ctx, fleet.AccountID(q.GetAccount()))
	return &pb.GetAccountResponse{Account: accountTo(a)}, err
}

func (f *fleetServer) SaveAccount(ctx context.Context, q *pb.SaveAccountRequest) (*pb.SaveAccountResponse, error) {
	return &pb.SaveAccountResponse{}, f.s.SaveAccount(ctx, accountFrom(q.GetAccount()))
}

func (f *fleetServer) SaveDock(ctx context.Context, q *pb.SaveDockRequest) (*pb.SaveDockResponse, error) {
	return &pb.SaveDockResponse{}, f.s.SaveDock(ctx, dockFrom(q.GetDock()))
}
