package dynamo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/porttest"
	"footway/core/task"
)

// TestManyPages has more in each shard than fits a page.
func TestManyPages(t *testing.T) {
	t.Parallel()
	db := open(t)
	robots, telemetry, accounts, tasks := NewFleetStore(db), NewTelemetryStore(db), NewAccountStore(db), NewTaskStore(db)
	const n = 60
	for i := range n {
		id := fleet.RobotID(fmt.Sprintf("r%02d", i))
		_, err1 := robots.SaveRobot(t.Context(), porttest.SampleRobot(id, "m"))
		_, err2 := telemetry.SaveTelemetry(t.Context(), "m", fleet.Telemetry{Robot: id, At: -5})
		err3 := accounts.SaveDock(t.Context(), fleet.Dock{ID: fleet.DockID(id), Market: "m", Slots: 1, PowerMW: 1})
		_, err4 := tasks.SaveTask(t.Context(), porttest.SampleTask("m", string(id), "r1", uint64(i), 1))
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	rs, err1 := robots.Robots(t.Context(), "m")
	ts, err2 := telemetry.AllTelemetry(t.Context(), "m")
	ds, err3 := accounts.Docks(t.Context(), "m")
	as, err4 := tasks.Active(t.Context(), "m", "", 1000)
	if len(rs) != n || len(ts) != n || len(ds) != n || len(as) != n {
		t.Errorf("%d robots, %d telemetries, %d docks, %d tasks, want %d of each; %v, %v, %v, %v", len(rs), len(ts), len(ds), len(as), n, err1, err2, err3, err4)
	}
	if !slices.IsSortedFunc(rs, func(a, b fleet.Robot) int { return cmp.Compare(a.ID, b.ID) }) {
		t.Error("the robots are not in order")
	}
	if x, err := tasks.ActiveOf(t.Context(), "r1"); err != nil || x.Token != n-1 {
		t.Errorf("ActiveOf(r1) = token %d, %v, want %d", x.Token, err, n-1)
	}
}

// TestIndexesAreNotBelieved has the indexes say that a task is active that has
// ended, and that it has fewer events than it has.
func TestIndexesAreNotBelieved(t *testing.T) {
	t.Parallel()
	w := newFeedWorld(t)
	x := newTask("a")
	put(t, w.store, &x, 1)
	w.late["task/a.1"] = 2
	x.State = task.Finished
	put(t, w.store, &x, 1)
	if got, err := w.store.ActiveOf(t.Context(), "r1"); !fault.Is(err, fault.NotFound) {
		t.Errorf("ActiveOf = %s, %v, want it not found: the task has ended", got.ID, err)
	}
	if got, err := w.store.Active(t.Context(), "m", "", 5); err != nil || len(got) > 0 {
		t.Errorf("Active = %d tasks, %v, want none: the task has ended", len(got), err)
	}
	r := reader{store: w.store, limit: 9}
	r.want(t, "the feed, by the task and not by the index", got{"a.1": "1-2"})
	delete(w.late, "task/a.1")
	r.want(t, "when the index knows too", got{})
}

// TestRequests looks at what is sent: what decides is read strongly
// consistent, and nothing is done that the rights in the package's comment do not allow.
func TestRequests(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sent := map[string]bool{}
	spy := middleware.InitializeMiddlewareFunc("TestSpy", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		mu.Lock()
		defer mu.Unlock()
		sent[middleware.GetOperationName(ctx)] = true
		switch p := in.Parameters.(type) {
		case *dynamodb.GetItemInput:
			if !aws.ToBool(p.ConsistentRead) {
				t.Errorf("GetItem of %s is not strongly consistent", *p.TableName)
			}
		case *dynamodb.BatchGetItemInput:
			for table, k := range p.RequestItems {
				if !aws.ToBool(k.ConsistentRead) {
					t.Errorf("BatchGetItem of %s is not strongly consistent", table)
				}
			}
		case *dynamodb.PutItemInput:
			if p.ConditionExpression == nil && keyOf(p.Item) != accountPrefix+"a" && keyOf(p.Item) != dockPrefix+"d" {
				t.Errorf("PutItem of %s is not conditional", keyOf(p.Item))
			}
		}
		return next.HandleInitialize(ctx, in)
	})
	db := open(t, func(o *Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return s.Initialize.Add(spy, middleware.After) })
	})
	robots, telemetry, accounts, tasks := NewFleetStore(db), NewTelemetryStore(db), NewAccountStore(db), NewTaskStore(db)
	ctx := t.Context()
	var errs []error
	do := func(err error) { errs = append(errs, err) }
	for range 2 { // the second time every condition fails, but that of telemetry
		_, err := robots.SaveRobot(ctx, porttest.SampleRobot("r1", "m"))
		do(err)
		_, err = tasks.SaveTask(ctx, porttest.SampleTask("m", "d1", "r1", 1, 1))
		do(err)
		_, err = telemetry.SaveTelemetry(ctx, "m", fleet.Telemetry{Robot: "r1"})
		do(err)
		do(accounts.SaveAccount(ctx, fleet.Account{ID: "a"}))
		do(accounts.SaveDock(ctx, fleet.Dock{ID: "d", Market: "m"}))
	}
	_, err := robots.Robots(ctx, "m")
	do(err)
	_, err = telemetry.AllTelemetry(ctx, "m")
	do(err)
	_, err = telemetry.Telemetry(ctx, "r1")
	do(err)
	_, err = accounts.Account(ctx, "a")
	do(err)
	_, err = accounts.Docks(ctx, "m")
	do(err)
	_, err = tasks.ActiveOf(ctx, "r1")
	do(err)
	_, err = tasks.Active(ctx, "m", "", 5)
	do(err)
	_, _, err = tasks.Changes(ctx, "m", "", 5)
	do(err)
	do(db.Check(ctx))
	for n, err := range errs {
		if err != nil && !fault.Is(err, fault.Conflict) {
			t.Errorf("call %d: %v", n, err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, op := range []string{"GetItem", "BatchGetItem", "Query", "PutItem", "DescribeTable"} {
		if !sent[op] {
			t.Errorf("%s was not sent: the comment asks for more rights than are needed", op)
		}
		delete(sent, op)
	}
	if len(sent) > 0 {
		t.Errorf("%v were sent, for which the comment asks no rights", sent)
	}
}
