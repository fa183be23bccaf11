package porttest

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
)

// FleetLimits is what a store of the fleet cannot do; the zero value is the whole contract.
type FleetLimits struct {
	// StaleMarkets says that Robots, AllTelemetry and Docks lag behind writes
	// (an eventually consistent index).
	StaleMarkets bool
}

// soon tries until ok where listings lag, once where they do not.
func (l FleetLimits) soon(ok func() bool) bool {
	for range 100 {
		if ok() {
			return true
		}
		if !l.StaleMarkets {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return false
}

// FleetStore tests that what open returns keeps the contract of fleet.Store.
// Each call of open returns an empty store.
func FleetStore(t *testing.T, open func(t *testing.T) fleet.Store, limits FleetLimits) {
	t.Helper()
	s := fleetSuite{open: open, limits: limits}
	t.Run("unknown robot", s.unknown)
	t.Run("what is saved is read", s.roundTrip)
	t.Run("a new robot must not exist", s.create)
	t.Run("a write needs the stored revision", s.conflict)
	t.Run("robots of a market in order", s.robots)
	t.Run("a robot that moves to another market", s.moves)
	t.Run("copies", s.copies)
	t.Run("numbers and names at their limits", s.extremes)
	t.Run("concurrent writers", s.concurrent)
}

type fleetSuite struct {
	open   func(t *testing.T) fleet.Store
	limits FleetLimits
}

// SampleRobot returns a robot with every field set, for tests of stores.
func SampleRobot(id fleet.RobotID, m market.ID) fleet.Robot {
	return fleet.Robot{
		ID: id, Market: m, Account: "acme", Kind: fleet.KindRobot,
		Capability:  fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 250, Grams: 9000},
		CapacityMWh: 1_200_000, SpeedMMS: 1700, Home: maps.Position{Edge: 7, OffsetMM: 1500},
		State: fleet.Reserved, StateSince: 1772452800123, Before: fleet.Stopped, Trip: true, LastToken: 9,
		Reservation: &fleet.Reservation{Holder: "delivery/d1#1", Token: 9, Attempt: "a1", Dock: "dock-1", Expires: 1772456400000},
	}
}

func saveRobot(t *testing.T, s fleet.Store, r fleet.Robot) fleet.Robot {
	t.Helper()
	revision, err := s.SaveRobot(t.Context(), r)
	if err != nil {
		t.Fatalf("SaveRobot(%s at %d): %v", r.ID, r.Revision, err)
	}
	if revision <= r.Revision {
		t.Fatalf("SaveRobot(%s at %d) returned revision %d, want a higher one", r.ID, r.Revision, revision)
	}
	r.Revision = revision
	return r
}

func wantRobot(t *testing.T, s fleet.Store, want fleet.Robot) {
	t.Helper()
	got, err := s.Robot(t.Context(), want.ID)
	if err != nil {
		t.Fatalf("Robot(%s): %v", want.ID, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Robot(%s): -want +got\n%s", want.ID, diff)
	}
}

func (s fleetSuite) unknown(t *testing.T) {
	store := s.open(t)
	_, err := store.Robot(t.Context(), "nobody")
	wantKind(t, "Robot(nobody)", err, fault.NotFound)
	if all, err := store.Robots(t.Context(), "nowhere"); err != nil || len(all) != 0 {
		t.Errorf("Robots(nowhere) = %v, %v, want none", all, err)
	}
}

func (s fleetSuite) roundTrip(t *testing.T) {
	store := s.open(t)
	full := saveRobot(t, store, SampleRobot("r1", "m"))
	wantRobot(t, store, full)
	full.Reservation, full.State, full.Before, full.Trip = nil, fleet.Available, "", false
	wantRobot(t, store, saveRobot(t, store, full))
	courier := fleet.Robot{ID: "c1", Market: "m", Account: "acme", Kind: fleet.KindCourier, SpeedMMS: 1400, State: fleet.Available}
	wantRobot(t, store, saveRobot(t, store, courier))
}

func (s fleetSuite) create(t *testing.T) {
	store := s.open(t)
	first := saveRobot(t, store, SampleRobot("r1", "m"))
	other := SampleRobot("r1", "m")
	other.LastToken = 100
	_, err := store.SaveRobot(t.Context(), other)
	wantKind(t, "SaveRobot of a robot that exists at revision 0", err, fault.Conflict)
	wantRobot(t, store, first)
	ghost := SampleRobot("r2", "m")
	ghost.Revision = 3
	_, err = store.SaveRobot(t.Context(), ghost)
	wantKind(t, "SaveRobot of an unknown robot at revision 3", err, fault.Conflict)
	_, err = store.Robot(t.Context(), "r2")
	wantKind(t, "Robot after a refused write", err, fault.NotFound)
}

func (s fleetSuite) conflict(t *testing.T) {
	store := s.open(t)
	first := saveRobot(t, store, SampleRobot("r1", "m"))
	second := first
	second.LastToken = 10
	second = saveRobot(t, store, second)
	stale := first
	stale.LastToken = 11
	_, err := store.SaveRobot(t.Context(), stale)
	wantKind(t, "SaveRobot at an old revision", err, fault.Conflict)
	wantRobot(t, store, second)
	ahead := second
	ahead.Revision++
	_, err = store.SaveRobot(t.Context(), ahead)
	wantKind(t, "SaveRobot at a revision that is still to come", err, fault.Conflict)
	wantRobot(t, store, second)
}

// wantRobots waits for the index where it lags.
func (s fleetSuite) wantRobots(t *testing.T, store fleet.Store, m market.ID, want ...fleet.RobotID) {
	t.Helper()
	var got []fleet.RobotID
	ok := s.limits.soon(func() bool {
		all, err := store.Robots(t.Context(), m)
		if err != nil {
			t.Fatalf("Robots(%s): %v", m, err)
		}
		got = got[:0]
		for _, r := range all {
			got = append(got, r.ID)
		}
		return slices.Equal(got, want)
	})
	if !ok {
		t.Errorf("Robots(%s) = %v, want %v", m, got, want)
	}
}

func (s fleetSuite) robots(t *testing.T) {
	store := s.open(t)
	var saved fleet.Robot
	for _, id := range []fleet.RobotID{"r2", "r10", "r1", "c1"} {
		saved = saveRobot(t, store, SampleRobot(id, "m"))
	}
	saveRobot(t, store, SampleRobot("r3", "other"))
	s.wantRobots(t, store, "m", "c1", "r1", "r10", "r2")
	s.wantRobots(t, store, "other", "r3")
	all, err := store.Robots(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saved, all[0]); diff != "" {
		t.Errorf("Robots(m)[0]: -want +got\n%s", diff)
	}
}

func (s fleetSuite) moves(t *testing.T) {
	store := s.open(t)
	r := saveRobot(t, store, SampleRobot("r1", "m"))
	saveRobot(t, store, SampleRobot("r2", "m"))
	r.Market = "other"
	r = saveRobot(t, store, r)
	wantRobot(t, store, r)
	s.wantRobots(t, store, "m", "r2")
	s.wantRobots(t, store, "other", "r1")
}

func (s fleetSuite) copies(t *testing.T) {
	store := s.open(t)
	mine := SampleRobot("r1", "m")
	saved := saveRobot(t, store, mine)
	want := SampleRobot("r1", "m")
	want.Revision = saved.Revision
	mine.Reservation.Token = 77
	wantRobot(t, store, want)
	got, err := store.Robot(t.Context(), "r1")
	if err != nil {
		t.Fatal(err)
	}
	got.Reservation.Token = 78
	wantRobot(t, store, want)
	s.wantRobots(t, store, "m", "r1")
	all, err := store.Robots(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	all[0].Reservation.Token, all[0].LastToken = 79, 79
	wantRobot(t, store, want)
}

// extremes has numbers that a float cannot hold, and strings with nothing in
// them or with what separates things elsewhere.
func (s fleetSuite) extremes(t *testing.T) {
	store := s.open(t)
	r := SampleRobot("robot/ö #1|\"x\"", "mar/ket/ü")
	r.LastToken, r.Reservation.Token = 1<<63, 1<<63-1
	r.CapacityMWh, r.StateSince, r.Home.Edge = math.MaxInt64, math.MaxInt64, math.MinInt32
	r.Account, r.Before, r.Reservation.Holder, r.Reservation.Dock = "", "", "", ""
	r = saveRobot(t, store, r)
	wantRobot(t, store, r)
	s.wantRobots(t, store, r.Market, r.ID)
	s.wantRobots(t, store, "mar")
	r.LastToken++
	r = saveRobot(t, store, r)
	wantRobot(t, store, r)
}

// concurrent has many writers raise the token of one robot: no raise may be
// lost, and none may be done that was refused.
func (s fleetSuite) concurrent(t *testing.T) {
	const writers, raises = 4, 10
	store := s.open(t)
	r := SampleRobot("r1", "m")
	r.LastToken = 0
	saveRobot(t, store, r)
	ctx := t.Context()
	var wg sync.WaitGroup
	var unsure atomic.Uint64
	for range writers {
		wg.Go(func() {
			for done := 0; done < raises; {
				switch err := raise(ctx, store); {
				case err == nil:
					done++
				case fault.Is(err, fault.Conflict):
				case fault.Is(err, fault.Unavailable):
					unsure.Add(1)
				default:
					t.Errorf("raise the token: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	got, err := store.Robot(ctx, "r1")
	if err != nil {
		t.Fatal(err)
	}
	if got.LastToken < writers*raises || got.LastToken > writers*raises+unsure.Load() {
		t.Errorf("%d writers raised the token %d times each, and %d times without an answer, and it is %d: a write was lost, or done though refused",
			writers, raises, unsure.Load(), got.LastToken)
	}
}

func raise(ctx context.Context, store fleet.Store) error {
	r, err := store.Robot(ctx, "r1")
	if err != nil {
		return err
	}
	r.LastToken++
	_, err = store.SaveRobot(ctx, r)
	return err
}

// TelemetryStore tests that what open returns keeps the contract of fleet.TelemetryStore.
func TelemetryStore(t *testing.T, open func(t *testing.T) fleet.TelemetryStore, limits FleetLimits) {
	t.Helper()
	s := telemetrySuite{open, limits}
	t.Run("unknown robot", s.unknown)
	t.Run("a later one replaces an earlier one, not the other way", s.order)
	t.Run("telemetry of a market in order of robots", s.all)
	t.Run("a robot that moves to another market", s.moves)
}

type telemetrySuite struct {
	open   func(t *testing.T) fleet.TelemetryStore
	limits FleetLimits
}

// sampleTelemetry returns telemetry with every field set.
func sampleTelemetry(id fleet.RobotID, charge int64) fleet.Telemetry {
	return fleet.Telemetry{
		Robot: id, At: 1772452800123, Position: maps.Position{Edge: 3, OffsetMM: 99}, ChargeMWh: charge, SpeedMMS: 1200,
		Activity: fleet.Halted, Mode: fleet.Intervened, Loaded: true, Dock: "dock-1", Fault: "stuck", Token: 4,
	}
}

func saveTelemetry(t *testing.T, s fleet.TelemetryStore, m market.ID, r fleet.Telemetry, want bool) {
	t.Helper()
	if kept, err := s.SaveTelemetry(t.Context(), m, r); err != nil || kept != want {
		t.Fatalf("SaveTelemetry(%s at %d) = %v, %v, want %v", r.Robot, r.At, kept, err, want)
	}
}

func wantTelemetry(t *testing.T, s fleet.TelemetryStore, want fleet.Telemetry) {
	t.Helper()
	got, err := s.Telemetry(t.Context(), want.Robot)
	if err != nil {
		t.Fatalf("Telemetry(%s): %v", want.Robot, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Telemetry(%s): -want +got\n%s", want.Robot, diff)
	}
}

func (s telemetrySuite) unknown(t *testing.T) {
	store := s.open(t)
	_, err := store.Telemetry(t.Context(), "nobody")
	wantKind(t, "Telemetry(nobody)", err, fault.NotFound)
	if all, err := store.AllTelemetry(t.Context(), "nowhere"); err != nil || len(all) != 0 {
		t.Errorf("AllTelemetry(nowhere) = %v, %v, want none", all, err)
	}
}

func (s telemetrySuite) order(t *testing.T) {
	store := s.open(t)
	first := sampleTelemetry("r1", 900)
	saveTelemetry(t, store, "m", first, true)
	wantTelemetry(t, store, first)
	late := sampleTelemetry("r1", 800)
	late.At--
	saveTelemetry(t, store, "m", late, false)
	wantTelemetry(t, store, first)
	equal := sampleTelemetry("r1", 700)
	saveTelemetry(t, store, "m", equal, true)
	wantTelemetry(t, store, equal)
	next := fleet.Telemetry{Robot: "r1", At: first.At + 1, Activity: fleet.Idle, Mode: fleet.Automatic}
	saveTelemetry(t, store, "m", next, true)
	wantTelemetry(t, store, next)
}

func (s telemetrySuite) all(t *testing.T) {
	store := s.open(t)
	for i, id := range []fleet.RobotID{"r2", "r10", "r1"} {
		saveTelemetry(t, store, "m", sampleTelemetry(id, int64(i)), true)
	}
	saveTelemetry(t, store, "other", sampleTelemetry("r3", 5), true)
	want := []fleet.Telemetry{sampleTelemetry("r1", 2), sampleTelemetry("r10", 1), sampleTelemetry("r2", 0)}
	got := s.wantAll(t, store, "m", want)
	got[0].ChargeMWh = 4711
	wantTelemetry(t, store, want[0])
}

// wantAll waits for the index where it lags, and returns what there is.
func (s telemetrySuite) wantAll(t *testing.T, store fleet.TelemetryStore, m market.ID, want []fleet.Telemetry) []fleet.Telemetry {
	t.Helper()
	var diff string
	var got []fleet.Telemetry
	ok := s.limits.soon(func() bool {
		var err error
		if got, err = store.AllTelemetry(t.Context(), m); err != nil {
			t.Fatalf("AllTelemetry(%s): %v", m, err)
		}
		diff = cmp.Diff(want, got, cmpopts.EquateEmpty())
		return diff == ""
	})
	if !ok {
		t.Fatalf("AllTelemetry(%s): -want +got\n%s", m, diff)
	}
	return got
}

func (s telemetrySuite) moves(t *testing.T) {
	store := s.open(t)
	saveTelemetry(t, store, "m", sampleTelemetry("r1", 1), true)
	saveTelemetry(t, store, "other", sampleTelemetry("r1", 2), true)
	s.wantAll(t, store, "m", nil)
	s.wantAll(t, store, "other", []fleet.Telemetry{sampleTelemetry("r1", 2)})
}

// AccountStore tests that what open returns keeps the contract of fleet.AccountStore.
func AccountStore(t *testing.T, open func(t *testing.T) fleet.AccountStore, limits FleetLimits) {
	t.Helper()
	t.Run("accounts are created and replaced", func(t *testing.T) {
		s := open(t)
		_, err := s.Account(t.Context(), "nobody")
		wantKind(t, "Account(nobody)", err, fault.NotFound)
		for _, want := range []fleet.Account{
			{ID: "acme", Name: "Acme", CredentialRef: "vault/acme", MaxRobots: 5},
			{ID: "acme", Name: "Acme Robots", Suspended: true},
		} {
			if err := s.SaveAccount(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Account(t.Context(), "acme"); err != nil || got != want {
				t.Errorf("Account(acme) = %+v, %v, want %+v", got, err, want)
			}
		}
	})
	t.Run("docks of a market in order", func(t *testing.T) {
		s := open(t)
		dock := func(id fleet.DockID, m market.ID, slots int) fleet.Dock {
			return fleet.Dock{ID: id, Market: m, Position: maps.Position{Edge: 5, OffsetMM: 10}, Slots: slots, PowerMW: 250_000}
		}
		for _, d := range []fleet.Dock{dock("d2", "m", 1), dock("d1", "m", 1), dock("d3", "other", 1), dock("d4", "m", 1), dock("d2", "m", 4), dock("d4", "other", 2)} {
			if err := s.SaveDock(t.Context(), d); err != nil {
				t.Fatal(err)
			}
		}
		want := map[market.ID][]fleet.Dock{
			"m":     {dock("d1", "m", 1), dock("d2", "m", 4)},
			"other": {dock("d3", "other", 1), dock("d4", "other", 2)},
		}
		for m, want := range want {
			var diff string
			ok := limits.soon(func() bool {
				got, err := s.Docks(t.Context(), m)
				if err != nil {
					t.Fatal(err)
				}
				diff = cmp.Diff(want, got)
				return diff == ""
			})
			if !ok {
				t.Errorf("Docks(%s): -want +got\n%s", m, diff)
			}
		}
		got, err := s.Docks(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		got[0].Slots = 4711
		if again, err := s.Docks(t.Context(), "m"); err != nil || again[0].Slots != 1 {
			t.Errorf("Docks after a change of what it returned: %+v, %v, want 1 slot", again[0], err)
		}
	})
}
