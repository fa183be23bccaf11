package memory

import (
	"bytes"
	"testing"

	"footway/core/fleet"
	"footway/core/porttest"
)

func TestFleetStore(t *testing.T) {
	porttest.FleetStore(t, func(*testing.T) fleet.Store { return NewFleetStore() }, porttest.FleetLimits{})
}

func TestReservations(t *testing.T) {
	porttest.Reservations(t, func(*testing.T) fleet.Store { return NewFleetStore() })
}

func TestTelemetryStore(t *testing.T) {
	porttest.TelemetryStore(t, func(*testing.T) fleet.TelemetryStore { return NewTelemetryStore() }, porttest.FleetLimits{})
}

func TestAccountStore(t *testing.T) {
	porttest.AccountStore(t, func(*testing.T) fleet.AccountStore { return NewAccountStore() }, porttest.FleetLimits{})
}

// checkpointed is a store that can be written down.
type checkpointed interface {
	Snapshot() ([]byte, error)
	Restore([]byte) error
}

// wantSnapshot checks that what filled writes down is read back, by a store that
// held something else, to the same bytes.
func wantSnapshot(t *testing.T, filled, other checkpointed) {
	t.Helper()
	want, err := filled.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Restore(want); err != nil {
		t.Fatal(err)
	}
	got, err := other.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%T restored: got\n%s\nwant\n%s", filled, got, want)
	}
	if err := other.Restore([]byte("{")); err == nil {
		t.Errorf("%T restored half of an object without an error", filled)
	}
	if got, err = other.Snapshot(); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%T changed by a restore that failed: %s, %v", filled, got, err)
	}
}

func TestFleetSnapshots(t *testing.T) {
	ctx := t.Context()
	a, b := NewFleetStore(), NewFleetStore()
	for _, id := range []fleet.RobotID{"r2", "r1"} {
		if _, err := a.SaveRobot(ctx, porttest.SampleRobot(id, "m")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.SaveRobot(ctx, porttest.SampleRobot("r9", "m")); err != nil {
		t.Fatal(err)
	}
	wantSnapshot(t, a, b)
	if all, err := b.Robots(ctx, "m"); err != nil || len(all) != 2 || all[0].ID != "r1" || all[1].Reservation == nil {
		t.Errorf("Robots after Restore = %+v, %v, want r1 and r2 with their reservations", all, err)
	}

	ta, tb := NewTelemetryStore(), NewTelemetryStore()
	for _, id := range []fleet.RobotID{"r2", "r1"} {
		if _, err := ta.SaveTelemetry(ctx, "m", fleet.Telemetry{Robot: id, At: 5}); err != nil {
			t.Fatal(err)
		}
	}
	wantSnapshot(t, ta, tb)
	if all, err := tb.AllTelemetry(ctx, "m"); err != nil || len(all) != 2 {
		t.Errorf("AllTelemetry after Restore = %+v, %v, want two", all, err)
	}

	aa, ab := NewAccountStore(), NewAccountStore()
	if err := aa.SaveAccount(ctx, fleet.Account{ID: "acme", Name: "Acme"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []fleet.DockID{"d2", "d1"} {
		if err := aa.SaveDock(ctx, fleet.Dock{ID: id, Market: "m", Slots: 1, PowerMW: 1}); err != nil {
			t.Fatal(err)
		}
	}
	wantSnapshot(t, aa, ab)
	if all, err := ab.Docks(ctx, "m"); err != nil || len(all) != 2 {
		t.Errorf("Docks after Restore = %+v, %v, want two", all, err)
	}
}
