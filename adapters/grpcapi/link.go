package grpcapi

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/lease"
	"footway/core/task"
)

// Directory knows robots and the accounts that they belong to.
type Directory interface {
	// Robot returns the robot, or a fault.NotFound error.
	Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error)
	// Account returns the account, or a fault.NotFound error.
	Account(ctx context.Context, id fleet.AccountID) (fleet.Account, error)
}

// FleetDirectory is the directory of a Fleet in the same process.
type FleetDirectory struct{ Service *fleet.Service }

// Robot implements Directory.
func (d FleetDirectory) Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error) {
	return d.Service.Robot(ctx, id)
}

// Account implements Directory.
func (d FleetDirectory) Account(ctx context.Context, id fleet.AccountID) (fleet.Account, error) {
	return d.Service.Accounts.Account(ctx, id)
}

// LinkOptions say how robots are connected to this replica.
type LinkOptions struct {
	Log    *slog.Logger
	Limits LinkLimits

	// Seats says which replica each robot is connected to, as leases "robot/fleet/ID" and
	// "robot/task/ID" whose term rises with each connection; nil: there is one replica only.
	Seats   lease.Store
	Clock   clock.Clock                                            // of the leases; nil is the wall clock
	Replica string                                                 // this process, a name that no other ever had
	Address string                                                 // where other replicas reach its Relay
	Peer    func(address string) (grpc.ClientConnInterface, error) // a connection to another replica
}

// LinkLimits bound what robots may ask of a replica; zeros are the defaults.
type LinkLimits struct {
	HelloWithin   time.Duration // from connecting to the hello; 10 s
	Beat          time.Duration // robots say something this often, or are cut off after three; 15 s
	Every         time.Duration // telemetry is taken this often at most, the newest; 200 ms
	DeliverWithin time.Duration // from telling a robot to its answer; 3 s
	SeatLife      time.Duration // how long a dead replica's robots are looked for there; 45 s
	Window        int           // messages that a robot may have unacknowledged; 64
	PerSecond     int           // messages of a robot in a second; 100
	PerAccount    int           // robots of an account that are connected; 5000
	MessageBytes  int           // of one message; 16 KiB
}

func (l LinkLimits) withDefaults() LinkLimits {
	for _, d := range []struct {
		field    *time.Duration
		standard time.Duration
	}{
		{&l.HelloWithin, 10 * time.Second}, {&l.Beat, 15 * time.Second}, {&l.Every, 200 * time.Millisecond},
		{&l.DeliverWithin, 3 * time.Second}, {&l.SeatLife, 45 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.standard
		}
	}
	for _, n := range []struct {
		field    *int
		standard int
	}{{&l.Window, 64}, {&l.PerSecond, 100}, {&l.PerAccount, 5000}, {&l.MessageBytes, 16 << 10}} {
		if *n.field == 0 {
			*n.field = n.standard
		}
	}
	return l
}

// FleetLink tells robots what Fleet orders: those connected to this replica by
// themselves, others through the replica that has them. It is safe for concurrent use.
type FleetLink struct{ hub *hub }

// TaskLink is the same for Task's instructions.
type TaskLink struct{ hub *hub }

var (
	_ fleet.Link = (*FleetLink)(nil)
	_ task.Link  = (*TaskLink)(nil)
)

// NewFleetLink returns a link without robots; they come through a Server.
func NewFleetLink(o LinkOptions) *FleetLink { return &FleetLink{newHub("fleet", o)} }

// NewTaskLink returns a link without robots; they come through a Server.
func NewTaskLink(o LinkOptions) *TaskLink { return &TaskLink{newHub("task", o)} }

// Command implements fleet.Link.
func (l *FleetLink) Command(ctx context.Context, o fleet.Order) error {
	return l.hub.tell(ctx, o.Robot, &pb.DeliverRequest{Robot: string(o.Robot), Says: &pb.DeliverRequest_Order{Order: orderTo(o)}})
}

// Connected returns how many robots are connected to this replica.
func (l *FleetLink) Connected() int { return l.hub.connected() }

// Instruct implements task.Link.
func (l *TaskLink) Instruct(ctx context.Context, robot fleet.RobotID, in task.Instruction) error {
	return l.hub.tell(ctx, robot, &pb.DeliverRequest{Robot: string(robot), Says: &pb.DeliverRequest_Instruction{Instruction: instructionTo(in)}})
}

// Connected returns how many robots are connected to this replica.
func (l *TaskLink) Connected() int { return l.hub.connected() }

// relay is the door through which other replicas reach the robots of this one.
type relay struct {
	pb.UnimplementedRelayServer
	fleet *FleetLink
	task  *TaskLink
}

func (r *relay) Deliver(ctx context.Context, q *pb.DeliverRequest) (*pb.DeliverResponse, error) {
	switch q.GetSays().(type) {
	case *pb.DeliverRequest_Order:
		if r.fleet != nil {
			return &pb.DeliverResponse{}, r.fleet.hub.deliver(ctx, q)
		}
	case *pb.DeliverRequest_Instruction:
		if r.task != nil {
			return &pb.DeliverResponse{}, r.task.hub.deliver(ctx, q)
		}
	default:
		return nil, fault.New("grpcapi.Deliver", fault.Invalid, "bad_message", "robot %s: neither an order nor an instruction", q.GetRobot())
	}
	return nil, notHere(fleet.RobotID(q.GetRobot()))
}
