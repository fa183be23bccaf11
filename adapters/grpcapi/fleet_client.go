package grpcapi

import (
	"context"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/market"
)

// FleetClient is Fleet in another process. It is safe for concurrent use.
type FleetClient struct{ c pb.FleetClient }

var (
	_ dispatch.Fleet    = (*FleetClient)(nil)
	_ dispatch.Charging = (*FleetClient)(nil)
	_ Directory         = (*FleetClient)(nil)
)

// NewFleetClient returns a client over cc; see Dial.
func NewFleetClient(cc grpc.ClientConnInterface) *FleetClient {
	return &FleetClient{pb.NewFleetClient(caller{cc})}
}

// Candidates implements dispatch.Fleet.
func (f *FleetClient) Candidates(ctx context.Context, m market.ID) ([]fleet.Candidate, error) {
	a, err := f.c.Candidates(ctx, &pb.CandidatesRequest{Market: string(m)})
	return each(a.GetCandidates(), candidateFrom), err
}

// Reserve implements dispatch.Fleet.
func (f *FleetClient) Reserve(ctx context.Context, r fleet.ReserveRequest) (token uint64, err error) {
	a, err := f.c.Reserve(ctx, reserveTo(r))
	return a.GetToken(), err
}

// Renew implements dispatch.Fleet.
func (f *FleetClient) Renew(ctx context.Context, robot fleet.RobotID, token uint64, until clock.Time) error {
	_, err := f.c.Renew(ctx, &pb.RenewRequest{Robot: string(robot), Token: token, UntilMs: int64(until)})
	return err
}

// Release implements dispatch.Fleet.
func (f *FleetClient) Release(ctx context.Context, robot fleet.RobotID, token uint64) error {
	_, err := f.c.Release(ctx, &pb.ReleaseRequest{Robot: string(robot), Token: token})
	return err
}

// Docks implements dispatch.Charging.
func (f *FleetClient) Docks(ctx context.Context, m market.ID) ([]fleet.Dock, error) {
	a, err := f.c.Docks(ctx, &pb.DocksRequest{Market: string(m)})
	return each(a.GetDocks(), dockFrom), err
}

// Command implements dispatch.Charging.
func (f *FleetClient) Command(ctx context.Context, o fleet.Order) error {
	_, err := f.c.Command(ctx, &pb.CommandRequest{Order: orderTo(o)})
	return err
}

// Register is fleet.Service.Register.
func (f *FleetClient) Register(ctx context.Context, r fleet.Robot) error {
	_, err := f.c.Register(ctx, &pb.RegisterRequest{Robot: robotTo(r)})
	return err
}

// Remove is fleet.Service.Remove.
func (f *FleetClient) Remove(ctx context.Context, id fleet.RobotID) error {
	_, err := f.c.Remove(ctx, &pb.RemoveRequest{Robot: string(id)})
	return err
}

// Robot is fleet.Service.Robot.
func (f *FleetClient) Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error) {
	a, err := f.c.GetRobot(ctx, &pb.GetRobotRequest{Robot: string(id)})
	if err != nil {
		return fleet.Robot{}, err
	}
	return robotFrom(a.GetRobot()), nil
}

// Robots is fleet.Service.Robots.
func (f *FleetClient) Robots(ctx context.Context, m market.ID) ([]fleet.Robot, error) {
	a, err := f.c.ListRobots(ctx, &pb.ListRobotsRequest{Market: string(m)})
	return each(a.GetRobots(), robotFrom), err
}

// Account returns the account, or a fault.NotFound error.
func (f *FleetClient) Account(ctx context.Context, id fleet.AccountID) (fleet.Account, error) {
	a, err := f.c.GetAccount(ctx, &pb.GetAccountRequest{Account: string(id)})
	if err != nil {
		return fleet.Account{}, err
	}
	return accountFrom(a.GetAccount()), nil
}

// SaveAccount is fleet.Service.SaveAccount.
func (f *FleetClient) SaveAccount(ctx context.Context, a fleet.Account) error {
	_, err := f.c.SaveAccount(ctx, &pb.SaveAccountRequest{Account: accountTo(a)})
	return err
}

// SaveDock is fleet.Service.SaveDock.
func (f *FleetClient) SaveDock(ctx context.Context, d fleet.Dock) error {
	_, err := f.c.SaveDock(ctx, &pb.SaveDockRequest{Dock: dockTo(d)})
	return err
}
