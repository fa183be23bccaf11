package dynamo

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/smithy-go/middleware"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/porttest"
	"footway/core/task"
)

// wantFault reports unless err is of the kind, with the reason.
func wantFault(t *testing.T, what string, err error, kind fault.Kind, reason string) {
	t.Helper()
	if !fault.Is(err, kind) || fault.ReasonOf(err) != reason {
		t.Errorf("%s: got error %v, want one of kind %v with reason %q", what, err, kind, reason)
	}
}

// firstPut returns an option by which m strikes the first attempt of a
// PutItem, then what follows it, and a count of all attempts of PutItem.
func firstPut(m mishap, then func()) (func(*Options), *atomic.Int64) {
	var puts atomic.Int64
	plan := func(operation string, _ int) mishap {
		if operation != "PutItem" || puts.Add(1) != 1 {
			return nil
		}
		return func(ctx context.Context, send func() (middleware.FinalizeOutput, middleware.Metadata, error)) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, meta, err := m(ctx, send)
			if then != nil {
				then()
			}
			return out, meta, err
		}
	}
	return func(o *Options) { o.APIOptions = append(o.APIOptions, meddle(plan)) }, &puts
}

// TestLostAnswers has the SDK repeat a write, once after its effect and once before.
func TestLostAnswers(t *testing.T) {
	for name, m := range map[string]mishap{"after": lostAfter, "before": lostBefore, "slow": slowly} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change, puts := firstPut(m, nil)
			s := NewFleetStore(open(t, change, func(o *Options) { o.Timeouts.Attempt = time.Second }))
			want := porttest.SampleRobot("r1", "m")
			revision, err := s.SaveRobot(t.Context(), want)
			if err != nil || revision != 1 {
				t.Errorf("SaveRobot with the first answer lost %s = %d, %v, want revision 1", name, revision, err)
			}
			if n := puts.Load(); n != 2 {
				t.Errorf("the write was tried %d times, want 2: otherwise this shows nothing", n)
			}
			if got, err := s.Robot(t.Context(), "r1"); err != nil || got.Revision != 1 {
				t.Errorf("Robot = %+v, %v, want it at revision 1", got, err)
			}
		})
	}
}

// TestOvertakenWhileLost has others write the robot between the two attempts.
func TestOvertakenWhileLost(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  mishap
		others int
		kind   fault.Kind
		reason string
	}{
		{"it did not happen, another took the revision", lostBefore, 1, fault.Conflict, "revision"},
		{"it happened, and another wrote over it", lostAfter, 1, fault.Unavailable, "unsure"},
		{"it did not happen, and two others wrote", lostBefore, 2, fault.Unavailable, "unsure"},
		{"it was refused for speed, and two others wrote", throttled, 2, fault.Conflict, "revision"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			other := NewFleetStore(db)
			r := porttest.SampleRobot("r1", "m")
			var err error
			if r.Revision, err = other.SaveRobot(t.Context(), r); err != nil {
				t.Fatal(err)
			}
			change, _ := firstPut(c.first, func() {
				for range c.others {
					x, err := other.Robot(t.Context(), "r1")
					if err == nil {
						_, err = other.SaveRobot(t.Context(), x)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
			o := db.options
			change(&o)
			_, err = NewFleetStore(openWith(t, o)).SaveRobot(t.Context(), r)
			wantFault(t, "SaveRobot", err, c.kind, c.reason)
		})
	}
}

// TestThrottled shows that retries are few, and fewer when all are throttled.
func TestThrottled(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int64
	s := NewFleetStore(open(t, func(o *Options) {
		o.Retries = Retries{MaxAttempts: 3, MaxBackoff: 10 * time.Millisecond, Budget: 20}
		o.APIOptions = append(o.APIOptions, meddle(func(string, int) mishap { attempts.Add(1); return throttled }))
	}))
	var counts []int64
	for range 4 {
		before := attempts.Load()
		_, err := s.SaveRobot(t.Context(), porttest.SampleRobot("r1", "m"))
		wantFault(t, "SaveRobot, always throttled", err, fault.Unavailable, "throttled")
		counts = append(counts, attempts.Load()-before)
	}
	if counts[0] != 3 || counts[3] != 1 {
		t.Errorf("attempts of each call: %v, want 3 at first, and 1 once the budget of 20 tokens, 5 for each retry, is used up", counts)
	}
}

// TestSilentServer answers nothing: every call must end by itself.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts: the kernel does, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := options(t, "http://"+l.Addr().String())
	o.Timeouts = Timeouts{Attempt: 50 * time.Millisecond, Call: 300 * time.Millisecond}
	o.Retries.MaxAttempts = 1000 // the call's time ends it
	s := NewTaskStore(openWith(t, o))
	for name, call := range map[string]func(ctx context.Context) error{
		"Task":     func(ctx context.Context) error { _, err := s.Task(ctx, "t"); return err },
		"SaveTask": func(ctx context.Context) error { _, err := s.SaveTask(ctx, task.Task{ID: "t"}); return err },
		"ActiveOf": func(ctx context.Context) error { _, err := s.ActiveOf(ctx, "r"); return err },
		"Active":   func(ctx context.Context) error { _, err := s.Active(ctx, "m", "", 5); return err },
		"Changes":  func(ctx context.Context) error { _, _, err := s.Changes(ctx, "m", "", 5); return err },
	} {
		begin := time.Now()
		wantFault(t, name, call(t.Context()), fault.Unavailable, "timeout")
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("%s took %s, though a call may take 300 ms", name, d)
		}
	}
	o.Timeouts = Timeouts{}
	s = NewTaskStore(openWith(t, o))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err = s.Task(ctx, "t")
	wantFault(t, "Task with a caller who waits 50 ms", err, fault.Unavailable, "timeout")
	if d := time.Since(begin); d > 2*time.Second {
		t.Errorf("Task took %s, though the caller waits 50 ms", d)
	}
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = s.Task(ctx, "t")
	wantFault(t, "Task with a caller who gave up", err, fault.Unavailable, "cancelled")
}

// TestNoServer refuses connections.
func TestNoServer(t *testing.T) {
	t.Parallel()
	o := options(t, "http://127.0.0.1:1")
	o.Retries.MaxBackoff = time.Millisecond
	_, err := NewFleetStore(openWith(t, o)).Robot(t.Context(), "r1")
	wantFault(t, "Robot without a server", err, fault.Unavailable, "connection")
}

// TestBusyBatches has the server never read anything.
func TestBusyBatches(t *testing.T) {
	t.Parallel()
	s := NewTaskStore(open(t, func(o *Options) {
		o.Retries = Retries{MaxAttempts: 3, MaxBackoff: time.Millisecond}
		o.APIOptions = append(o.APIOptions, meddle(func(operation string, _ int) mishap {
			if operation == "BatchGetItem" {
				return unread
			}
			return nil
		}))
	}))
	if _, err := s.SaveTask(t.Context(), porttest.SampleTask("m", "d1", "r1", 1, 1)); err != nil {
		t.Fatal(err)
	}
	_, err := s.Active(t.Context(), "m", "", 5)
	wantFault(t, "Active", err, fault.Unavailable, "throttled")
}

// TestTooLarge has a task that an item cannot hold.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := NewTaskStore(open(t))
	x := porttest.SampleTask("m", "d1", "r1", 1, 1000)
	revision, err := s.SaveTask(t.Context(), x)
	if err != nil {
		t.Fatalf("SaveTask with 1,000 events: %v", err)
	}
	x.Revision = revision
	x.Steps[0].Cause = strings.Repeat("x", maxDoc)
	_, err = s.SaveTask(t.Context(), x)
	wantFault(t, "SaveTask with 400 kB in a field", err, fault.Invalid, "too_large")
	if got, err := s.Task(t.Context(), x.ID); err != nil || got.Revision != revision {
		t.Errorf("Task after it = revision %d, %v, want %d", got.Revision, err, revision)
	}
	// As large as may be, with the longest names: the server must take it.
	long := strings.Repeat("ß", maxID/2)
	x = task.Task{ID: task.ID(long), Market: "m", Robot: fleet.RobotID(long), State: task.Active}
	x.Steps = []task.Step{{Cause: strings.Repeat("x", maxDoc-3*maxID)}}
	if _, err := s.SaveTask(t.Context(), x); err != nil {
		t.Errorf("SaveTask just below the limit: %v", err)
	}
}

// TestBadNames are refused before they are sent.
func TestBadNames(t *testing.T) {
	t.Parallel()
	db := open(t)
	for what, id := range map[string]string{"too long": strings.Repeat("x", maxID+1), "not UTF-8": "a\xff"} {
		_, err := NewFleetStore(db).Robot(t.Context(), fleet.RobotID(id))
		wantFault(t, "Robot, "+what, err, fault.Invalid, "bad_id")
		_, err = NewTaskStore(db).SaveTask(t.Context(), task.Task{ID: task.ID(id)})
		wantFault(t, "SaveTask, "+what, err, fault.Invalid, "bad_id")
		wantFault(t, "SaveDock, "+what, NewAccountStore(db).SaveDock(t.Context(), fleet.Dock{ID: fleet.DockID(id)}), fault.Invalid, "bad_id")
	}
	// Nothing at all is a name like any other.
	if _, err := NewFleetStore(db).Robot(t.Context(), ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("Robot without a name: %v, want it not found", err)
	}
}
