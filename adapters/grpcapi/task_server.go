package grpcapi

import (
	"context"
	"time"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/task"
)

// maxChanges bounds one batch of a feed.
const maxChanges = 1000

// taskServer is Task on the wire.
type taskServer struct {
	pb.UnimplementedTasksServer
	s    *task.Service
	bell *Bell
	poll time.Duration   // changes of other replicas ring no bell here
	quit <-chan struct{} // closed when the server stops
}

func (t *taskServer) Create(ctx context.Context, q *pb.CreateRequest) (*pb.CreateResponse, error) {
	made, err := t.s.Create(ctx, createFrom(q))
	return &pb.CreateResponse{Task: taskTo(made)}, err
}

func (t *taskServer) Replan(ctx context.Context, q *pb.ReplanRequest) (*pb.ReplanResponse, error) {
	return &pb.ReplanResponse{}, t.s.Replan(ctx, replanFrom(q))
}

func (t *taskServer) Cancel(ctx context.Context, q *pb.CancelRequest) (*pb.CancelResponse, error) {
	return &pb.CancelResponse{}, t.s.Cancel(ctx, task.ID(q.GetTask()), q.GetCause())
}

func (t *taskServer) Handoff(ctx context.Context, q *pb.HandoffRequest) (*pb.HandoffResponse, error) {
	return &pb.HandoffResponse{}, t.s.Handoff(ctx, handoffFrom(q))
}

func (t *taskServer) GetTask(ctx context.Context, q *pb.GetTaskRequest) (*pb.GetTaskResponse, error) {
	found, err := t.s.Task(ctx, task.ID(q.GetTask()))
	return &pb.GetTaskResponse{Task: taskTo(found)}, err
}

func (t *taskServer) Changes(ctx context.Context, q *pb.ChangesRequest) (*pb.ChangesResponse, error) {
	if q.GetLimit() < 1 || q.GetLimit() > maxChanges {
		return nil, fault.New("grpcapi.Changes", fault.Invalid, "bad_limit", "limit %d: want 1 to %d", q.GetLimit(), maxChanges)
	}
	return t.batch(ctx, market.ID(q.GetMarket()), task.Cursor(q.GetAfter()), int(q.GetLimit()))
}

func (t *taskServer) batch(ctx context.Context, m market.ID, after task.Cursor, limit int) (*pb.ChangesResponse, error) {
	list, next, err := t.s.Changes(ctx, m, after, limit)
	return &pb.ChangesResponse{Changes: each(list, changeTo), Next: string(next)}, err
}

// Watch sends what there is, then waits for the bell or the next look.
func (t *taskServer) Watch(q *pb.WatchRequest, out grpc.ServerStreamingServer[pb.ChangesResponse]) error {
	ctx, m, at := out.Context(), market.ID(q.GetMarket()), task.Cursor(q.GetAfter())
	look := time.NewTicker(t.poll)
	defer look.Stop()
	for {
		rung := t.bell.Next(m)
		a, err := t.batch(ctx, m, at, maxChanges)
		if err != nil {
			return err
		}
		if err := out.Send(a); err != nil {
			return err
		}
		at = task.Cursor(a.GetNext())
		if len(a.GetChanges()) > 0 {
			continue
		}
		select {
		case <-rung:
		case <-look.C:
		case <-t.quit:
			return errStopping
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
