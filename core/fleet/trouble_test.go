package fleet_test

import (
	"context"
	"testing"

	"footway/core/clock"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/market"
)

// TestOvertakenReport has a later report come in while an earlier one is being
// taken in: the state must be that of the later.
func TestOvertakenReport(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	if err := w.service.Register(ctx, robot("r1")); err != nil {
		t.Fatal(err)
	}
	report := func(s *fleet.Service, at clock.Time, a fleet.Activity) {
		t.Helper()
		if err := s.Report(ctx, fleet.Telemetry{Robot: "r1", At: at, Activity: a, Mode: fleet.Automatic}); err != nil {
			t.Error(err)
		}
	}
	report(w.service, 4, fleet.Idle)
	d := w.service.Deps
	slow := &overtaken{TelemetryStore: w.telemetry}
	slow.after = func() { report(w.service, 6, fleet.Idle) }
	d.Telemetry = slow
	report(fleet.NewService(d), 5, fleet.Broken)
	if r, err := w.service.Robot(ctx, "r1"); err != nil || r.State != fleet.Available {
		t.Errorf("the robot is %s, %v, want available as the later report says", r.State, err)
	}
	if got := w.journal.Count("fleet.state"); got != 1 {
		t.Errorf("the state changed %d times, want once", got)
	}
}

// overtaken is a store after whose first write something happens.
type overtaken struct {
	fleet.TelemetryStore
	after func()
}

func (o *overtaken) SaveTelemetry(ctx context.Context, m market.ID, t fleet.Telemetry) (bool, error) {
	kept, err := o.TelemetryStore.SaveTelemetry(ctx, m, t)
	if after := o.after; after != nil {
		o.after = nil
		after()
	}
	return kept, err
}

// counting is a store that counts its writes and fails as it is told.
type counting struct {
	fleet.Store
	writes          int
	onRead, onWrite error
}

func (c *counting) Robot(ctx context.Context, id fleet.RobotID) (fleet.Robot, error) {
	if c.onRead != nil {
		return fleet.Robot{}, c.onRead
	}
	return c.Store.Robot(ctx, id)
}

func (c *counting) SaveRobot(ctx context.Context, r fleet.Robot) (uint64, error) {
	c.writes++
	if c.onWrite != nil {
		return 0, c.onWrite
	}
	return c.Store.SaveRobot(ctx, r)
}

// TestRepeatsWriteNothing since a write in vain is a conflict for somebody else.
func TestRepeatsWriteNothing(t *testing.T) {
	w := newWorld(t, nil)
	ctx := t.Context()
	d := w.service.Deps
	store := &counting{Store: w.store}
	d.Store = store
	s := fleet.NewService(d)
	until := w.clock.Now().Add(clock.Hour)
	for i, command := range []func() error{
		func() error { return s.Register(ctx, robot("r1")) },
		func() error {
			return s.Report(ctx, fleet.Telemetry{Robot: "r1", At: 5, Activity: fleet.Idle, Mode: fleet.Automatic})
		},
		func() error {
			_, err := s.Reserve(ctx, fleet.ReserveRequest{Robot: "r1", Holder: "h", Attempt: "a", Until: until})
			return err
		},
		func() error { return s.Renew(ctx, "r1", 1, until.Add(clock.Hour)) },
		func() error { return s.Release(ctx, "r1", 1) },
		func() error { return s.Remove(ctx, "r1") },
	} {
		for range 2 {
			if err := command(); err != nil {
				t.Fatalf("command %d: %v", i, err)
			}
		}
		if store.writes != i+1 {
			t.Fatalf("command %d, done twice: %d writes by now, want %d", i, store.writes, i+1)
		}
	}
}

// TestErrorsOfTheStoreComeThrough with their kind, and leave no trace.
func TestErrorsOfTheStoreComeThrough(t *testing.T) {
	ctx := t.Context()
	boom := fault.New("test", fault.Internal, "", "boom")
	gone := fault.New("test", fault.Unavailable, "", "gone")
	for name, c := range map[string]struct {
		onRead, onWrite error
		want            fault.Kind
	}{
		"reading fails": {boom, nil, fault.Internal},
		"writing fails": {nil, boom, fault.Internal},
		"no answer":     {nil, gone, fault.Unavailable},
	} {
		w := newWorld(t, nil)
		if err := w.service.Register(ctx, robot("r1")); err != nil {
			t.Fatal(err)
		}
		w.journal.Take()
		d := w.service.Deps
		d.Store = &counting{Store: w.store, onRead: c.onRead, onWrite: c.onWrite}
		s := fleet.NewService(d)
		if err := s.Register(ctx, robot("r2")); !fault.Is(err, c.want) {
			t.Errorf("%s: Register = %v, want it %v", name, err, c.want)
		}
		if err := s.Remove(ctx, "r1"); !fault.Is(err, c.want) {
			t.Errorf("%s: Remove = %v, want it %v", name, err, c.want)
		}
		if got := w.journal.Take(); len(got) > 0 {
			t.Errorf("%s: the journal got %v, want nothing", name, got)
		}
	}
}
