package porttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/porttest/fake"
)

// FleetPorts is what Dispatch needs of Fleet.
type FleetPorts interface {
	dispatch.Fleet
	dispatch.Charging
}

// FleetService tests that Fleet, however it is reached, keeps the contracts of
// dispatch.Fleet and dispatch.Charging. Open gets everything that a fleet.Service needs but
// its stores, and returns a service on empty stores and what callers have of it.
func FleetService(t *testing.T, open func(t *testing.T, d fleet.Deps) (*fleet.Service, FleetPorts)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, w *fleetWorld){
		"candidates are all robots of the market by id": fleetCandidates,
		"candidates have every field":                   fleetFields,
		"reserve gives a token that rises":              fleetReserve,
		"another holder has it":                         fleetTaken,
		"a repeat of an attempt":                        fleetRepeat,
		"reserve of what cannot be":                     fleetRefusals,
		"renew prolongs":                                fleetRenew,
		"release gives back":                            fleetRelease,
		"docks by id":                                   fleetDocks,
		"command":                                       fleetCommand,
		"command under an old token":                    fleetCommandOld,
		"command without contact":                       fleetCommandSilent,
	} {
		t.Run(name, func(t *testing.T) {
			w := &fleetWorld{clock: fake.NewClock(fake.Start), link: &fake.Link{}}
			w.service, w.ports = open(t, fleet.Deps{
				Link: w.link, Clock: w.clock, Timers: &fake.Timers{}, Journal: &fake.Journal{},
				Settings: func(market.ID) fleet.Settings { return fleet.DefaultSettings() },
			})
			if err := w.service.SaveAccount(t.Context(), fleet.Account{ID: "acme", Name: "Acme"}); err != nil {
				t.Fatal(err)
			}
			test(t, w)
		})
	}
}

type fleetWorld struct {
	clock   *fake.Clock
	link    *fake.Link
	service *fleet.Service
	ports   FleetPorts
}

// robots registers robots in a market, and has them say that they are idle.
func (w *fleetWorld) robots(t *testing.T, m market.ID, ids ...fleet.RobotID) {
	t.Helper()
	for i, id := range ids {
		r := fleet.Robot{
			ID: id, Market: m, Account: "acme", Kind: fleet.KindRobot, CapacityMWh: 1_200_000, SpeedMMS: 1700 + int64(i),
			Capability: fleet.Load{LengthMM: 400, WidthMM: 300, HeightMM: 200, Grams: 9000}, Home: maps.Position{Edge: 3, OffsetMM: 40},
		}
		if err := w.service.Register(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		err := w.service.Report(t.Context(), fleet.Telemetry{
			Robot: id, At: w.clock.Now(), Position: maps.Position{Edge: 7, OffsetMM: 8}, ChargeMWh: 900_000, SpeedMMS: 5, Activity: fleet.Idle, Mode: fleet.Automatic, Dock: "d1",
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (w *fleetWorld) request(robot fleet.RobotID, holder, attempt string) fleet.ReserveRequest {
	return fleet.ReserveRequest{Robot: robot, Holder: holder, Attempt: attempt, Until: w.clock.Now().Add(clock.Hour)}
}

func (w *fleetWorld) reserve(t *testing.T, q fleet.ReserveRequest) uint64 {
	t.Helper()
	token, err := w.ports.Reserve(t.Context(), q)
	if err != nil || token == 0 {
		t.Fatalf("Reserve(%+v) = %d, %v; want a token", q, token, err)
	}
	return token
}

// r1 returns robot r1 as a candidate of m.
func (w *fleetWorld) r1(t *testing.T) fleet.Robot {
	t.Helper()
	all, err := w.ports.Candidates(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Robot.ID == "r1" {
			return c.Robot
		}
	}
	t.Fatalf("robot r1 is not among %d candidates", len(all))
	return fleet.Robot{}
}

func fleetCandidates(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r3", "r1", "r10")
	w.robots(t, "other", "r2")
	for m, want := range map[market.ID][]fleet.RobotID{"m": {"r1", "r10", "r3"}, "other": {"r2"}, "nowhere": {}} {
		all, err := w.ports.Candidates(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		got := []fleet.RobotID{}
		for _, c := range all {
			got = append(got, c.Robot.ID)
		}
		wantSame(t, "candidates of "+string(m), want, got)
	}
}

func fleetFields(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1", "r2")
	w.reserve(t, fleet.ReserveRequest{Robot: "r1", Holder: "charge/r1", Attempt: "a", Dock: "d1", Until: w.clock.Now().Add(clock.Minute)})
	silent := fleet.Robot{ID: "r3", Market: "m", Account: "acme", Kind: fleet.KindCourier, SpeedMMS: 1400, Capability: fleet.Load{LengthMM: 1, WidthMM: 1, HeightMM: 1, Grams: 1}}
	if err := w.service.Register(t.Context(), silent); err != nil {
		t.Fatal(err)
	}
	want, err := w.service.Candidates(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.ports.Candidates(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Candidates(m): -as Fleet has them +got\n%s", diff)
	}
	if got[2].Telemetry.At != 0 || got[0].Robot.Reservation == nil || got[1].Robot.Reservation != nil {
		t.Errorf("Candidates(m) = %+v; want r1 reserved, r2 not, and r3 never heard", got)
	}
}

func fleetReserve(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	first := w.reserve(t, w.request("r1", "delivery/d1#1", "a1"))
	r := w.r1(t)
	if r.State != fleet.Reserved || r.Reservation.Token != first || r.Reservation.Holder != "delivery/d1#1" {
		t.Errorf("after Reserve the robot is %s with %+v, want it reserved under token %d", r.State, r.Reservation, first)
	}
	if err := w.ports.Release(t.Context(), "r1", first); err != nil {
		t.Fatal(err)
	}
	if second := w.reserve(t, w.request("r1", "delivery/d2#1", "a2")); second <= first {
		t.Errorf("tokens %d, then %d; want a higher one", first, second)
	}
}

func fleetTaken(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	token := w.reserve(t, w.request("r1", "delivery/d1#1", "a1"))
	_, err := w.ports.Reserve(t.Context(), w.request("r1", "delivery/d2#1", "a2"))
	wantFault(t, "Reserve of a robot that another holds", err, fault.Conflict, "reserved")
	if r := w.r1(t); r.Reservation.Token != token {
		t.Errorf("a refused Reserve left token %d, want %d", r.Reservation.Token, token)
	}
}

func fleetRepeat(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	q := w.request("r1", "delivery/d1#1", "a1")
	token := w.reserve(t, q)
	for range 2 {
		if again := w.reserve(t, q); again != token {
			t.Errorf("a repeat got token %d, want %d", again, token)
		}
	}
}

func fleetRefusals(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	_, err := w.ports.Reserve(t.Context(), w.request("nobody", "delivery/d1#1", "a1"))
	wantKind(t, "Reserve of an unknown robot", err, fault.NotFound)
	_, err = w.ports.Reserve(t.Context(), w.request("r1", "", "a1"))
	wantKind(t, "Reserve for nobody", err, fault.Invalid)
	q := w.request("r1", "delivery/d1#1", "a1")
	q.Until = w.clock.Now()
	_, err = w.ports.Reserve(t.Context(), q)
	wantKind(t, "Reserve until now", err, fault.Invalid)
}

func fleetRenew(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	token := w.reserve(t, w.request("r1", "delivery/d1#1", "a1"))
	until := w.clock.Now().Add(3 * clock.Hour)
	if err := w.ports.Renew(t.Context(), "r1", token, until); err != nil {
		t.Fatal(err)
	}
	if got := w.r1(t).Reservation.Expires; got != until {
		t.Errorf("after Renew it expires at %s, want %s", got, until)
	}
	wantFault(t, "Renew of a token that was never given out", w.ports.Renew(t.Context(), "r1", token+1, until), fault.Conflict, "old_token")
	if err := w.ports.Release(t.Context(), "r1", token); err != nil {
		t.Fatal(err)
	}
	wantFault(t, "Renew after Release", w.ports.Renew(t.Context(), "r1", token, until), fault.Conflict, "old_token")
}

func fleetRelease(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	old := w.reserve(t, w.request("r1", "delivery/d1#1", "a1"))
	for range 2 {
		if err := w.ports.Release(t.Context(), "r1", old); err != nil {
			t.Errorf("Release, or its repeat: %v", err)
		}
	}
	if r := w.r1(t); r.Reservation != nil || r.State != fleet.Available {
		t.Errorf("after Release it is %s with %+v, want it available", r.State, r.Reservation)
	}
	token := w.reserve(t, w.request("r1", "delivery/d2#1", "a2"))
	if err := w.ports.Release(t.Context(), "r1", old); err != nil {
		t.Errorf("Release of an old token: %v", err)
	}
	if r := w.r1(t); r.Reservation == nil || r.Reservation.Token != token {
		t.Errorf("Release of an old token left %+v, want token %d", r.Reservation, token)
	}
}

func fleetDocks(t *testing.T, w *fleetWorld) {
	want := []fleet.Dock{
		{ID: "d1", Market: "m", Position: maps.Position{Edge: 1, OffsetMM: 2}, Slots: 3, PowerMW: 250_000},
		{ID: "d2", Market: "m", Position: maps.Position{Edge: 4, OffsetMM: 5}, Slots: 6, PowerMW: 100_000},
	}
	for _, d := range []fleet.Dock{want[1], want[0], {ID: "d0", Market: "other", Slots: 1, PowerMW: 1}} {
		if err := w.service.SaveDock(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.ports.Docks(t.Context(), "m")
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "docks", want, got)
	if got, err := w.ports.Docks(t.Context(), "nowhere"); err != nil || len(got) != 0 {
		t.Errorf("Docks(nowhere) = %v, %v; want none", got, err)
	}
}

func fleetCommand(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	o := fleet.Order{Robot: "r1", Kind: fleet.OrderCharge, Dock: "d1", To: maps.Position{Edge: 9, OffsetMM: 10}}
	o.Token = w.reserve(t, w.request("r1", "charge/r1", "a1"))
	if err := w.ports.Command(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	wantSame(t, "orders that the robot got", []fleet.Order{o}, w.link.Orders)
	o.Kind = "dance"
	wantKind(t, "Command of an unknown kind", w.ports.Command(t.Context(), o), fault.Invalid)
	o.Robot, o.Kind = "nobody", fleet.OrderHold
	wantKind(t, "Command of an unknown robot", w.ports.Command(t.Context(), o), fault.NotFound)
}

func fleetCommandOld(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	old := w.reserve(t, w.request("r1", "charge/r1", "a1"))
	if err := w.ports.Release(t.Context(), "r1", old); err != nil {
		t.Fatal(err)
	}
	token := w.reserve(t, w.request("r1", "charge/r1", "a2"))
	err := w.ports.Command(t.Context(), fleet.Order{Robot: "r1", Kind: fleet.OrderHold, Token: old})
	wantFault(t, "Command under a token that was released", err, fault.Conflict, "old_token")
	w.link.Seen = map[fleet.RobotID]uint64{"r1": token + 1}
	err = w.ports.Command(t.Context(), fleet.Order{Robot: "r1", Kind: fleet.OrderHold, Token: token})
	wantFault(t, "Command of a robot that has seen a higher token", err, fault.Conflict, "old_token")
	if len(w.link.Orders) != 0 {
		t.Errorf("the robot got %v, want nothing", w.link.Orders)
	}
}

func fleetCommandSilent(t *testing.T, w *fleetWorld) {
	w.robots(t, "m", "r1")
	token := w.reserve(t, w.request("r1", "charge/r1", "a1"))
	w.link.Lose("r1", true)
	err := w.ports.Command(t.Context(), fleet.Order{Robot: "r1", Kind: fleet.OrderHold, Token: token})
	wantFault(t, "Command of a robot without contact", err, fault.Unavailable, "no_contact")
}

// wantFault reports unless err is of the kind and has the reason.
func wantFault(t *testing.T, what string, err error, k fault.Kind, reason string) {
	t.Helper()
	if !fault.Is(err, k) || fault.ReasonOf(err) != reason {
		t.Errorf("%s: got error %v, want one of kind %v with the reason %q", what, err, k, reason)
	}
}
