package grpcapi

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc"

	pb "footway/adapters/grpcapi/footwayv1"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/market"
	"footway/core/task"
)

// TaskClient is Task in another process. It is safe for concurrent use.
type TaskClient struct{ c pb.TasksClient }

var (
	_ delivery.Tasks    = (*TaskClient)(nil)
	_ delivery.TaskFeed = (*TaskClient)(nil)
)

// NewTaskClient returns a client over cc; see Dial.
func NewTaskClient(cc grpc.ClientConnInterface) *TaskClient {
	return &TaskClient{pb.NewTasksClient(caller{cc})}
}

// Create implements delivery.Tasks.
func (t *TaskClient) Create(ctx context.Context, r task.CreateRequest) (task.Task, error) {
	a, err := t.c.Create(ctx, createTo(r))
	if err != nil {
		return task.Task{}, err
	}
	return taskFrom(a.GetTask()), nil
}

// Replan implements delivery.Tasks.
func (t *TaskClient) Replan(ctx context.Context, r task.ReplanRequest) error {
	_, err := t.c.Replan(ctx, replanTo(r))
	return err
}

// Cancel implements delivery.Tasks.
func (t *TaskClient) Cancel(ctx context.Context, id task.ID, cause string) error {
	_, err := t.c.Cancel(ctx, &pb.CancelRequest{Task: string(id), Cause: cause})
	return err
}

// Handoff implements delivery.Tasks.
func (t *TaskClient) Handoff(ctx context.Context, r task.HandoffRequest) error {
	_, err := t.c.Handoff(ctx, handoffTo(r))
	return err
}

// Task is task.Service.Task.
func (t *TaskClient) Task(ctx context.Context, id task.ID) (task.Task, error) {
	a, err := t.c.GetTask(ctx, &pb.GetTaskRequest{Task: string(id)})
	if err != nil {
		return task.Task{}, err
	}
	return taskFrom(a.GetTask()), nil
}

// Changes implements delivery.TaskFeed.
func (t *TaskClient) Changes(ctx context.Context, m market.ID, after task.Cursor, limit int) ([]task.Change, task.Cursor, error) {
	a, err := t.c.Changes(ctx, &pb.ChangesRequest{Market: string(m), After: string(after), Limit: int64(min(limit, maxChanges))})
	return each(a.GetChanges(), changeFrom), task.Cursor(a.GetNext()), err
}

// Watch calls take with each batch of a market's feed after the cursor, as it
// comes, and the cursor behind it. Where the stream is cut it goes on at the last cursor after a
// while. It ends with ctx, with an error of take, or with one that no repeat would mend.
func (t *TaskClient) Watch(ctx context.Context, m market.ID, after task.Cursor, take func([]task.Change, task.Cursor) error) error {
	var wait backoff
	for {
		next, err := t.watch(ctx, m, after, take)
		if next != after {
			wait, after = backoff{}, next
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if own, ok := errors.AsType[*stopped](err); ok {
			return own.error
		}
		if !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.Exhausted) {
			return err
		}
		if err := sleep(ctx, wait.next()); err != nil {
			return err
		}
	}
}

// watchSilence is how long a watched stream may say nothing before it counts as dead.
const watchSilence = 30 * time.Second

// watch takes batches of one stream until it ends.
func (t *TaskClient) watch(ctx context.Context, m market.ID, after task.Cursor, take func([]task.Change, task.Cursor) error) (task.Cursor, error) {
	const op = "Tasks/Watch"
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := t.c.Watch(ctx, &pb.WatchRequest{Market: string(m), After: string(after)})
	if err != nil {
		return after, faultOf(op, err)
	}
	silent := time.AfterFunc(watchSilence, cancel)
	defer silent.Stop()
	for {
		a, err := stream.Recv()
		if err != nil {
			return after, faultOf(op, err)
		}
		silent.Reset(watchSilence)
		if len(a.GetChanges()) > 0 {
			if err := take(each(a.GetChanges(), changeFrom), task.Cursor(a.GetNext())); err != nil {
				return after, &stopped{err}
			}
		}
		after = task.Cursor(a.GetNext())
	}
}

// stopped is an error of the caller's own: it ends a watch whatever its kind.
type stopped struct{ error }
