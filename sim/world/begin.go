package world

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"footway/core/clock"
	"footway/core/dispatch"
	"footway/core/fault"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/runlog"
	"footway/sim/kernel"
)

// twinAccount is the provider account of the twin's own robots.
const twinAccount fleet.AccountID = "footway"

func (w *World) account() fleet.AccountID { return cmp.Or(w.p.Account, twinAccount) }

// buildFleet puts docks beside merchants and robots at the docks.
func (w *World) buildFleet() error {
	f := w.o.Scenario.Fleet
	sites := w.dockSites(f.Docks)
	if len(sites) == 0 && f.Robots > 0 {
		return fmt.Errorf("fleet.docks: the map %q has no place for a dock", w.o.Network.Name)
	}
	for i, at := range sites {
		w.docks = append(w.docks, dock{ID: fleet.DockID(fmt.Sprintf("dock-%d", i+1)), Position: at, Slots: f.SlotsPerDock, PowerMW: f.DockPowerW * 1000})
	}
	for i := range f.Robots {
		d := i % len(w.docks)
		w.addRobot(fleet.RobotID(fmt.Sprintf("r%d", i+1)), fleet.KindRobot, w.docks[d].Position, d, f.Charge)
	}
	for i, n := range f.Named {
		p, err := w.point(n.At)
		if err != nil {
			return fmt.Errorf("fleet.named[%d].at: %w", i, err)
		}
		at, _, ok := w.index.NearestStand(p, maps.SnapLimitMM)
		if !ok {
			return fmt.Errorf("fleet.named[%d].at: %q is not near any way of the map", i, n.At)
		}
		charge := n.Charge
		if charge == 0 {
			charge = f.Charge
		}
		if _, taken := w.byRobot[fleet.RobotID(n.ID)]; taken {
			return fmt.Errorf("fleet.named[%d].id: there is a robot %q already", i, n.ID)
		}
		w.addRobot(fleet.RobotID(n.ID), fleet.KindRobot, at, -1, charge)
	}
	for i := range f.Couriers {
		at := maps.Position{}
		if len(w.docks) > 0 {
			at = w.docks[i%len(w.docks)].Position
		}
		w.addRobot(fleet.RobotID(fmt.Sprintf("c%d", i+1)), fleet.KindCourier, at, -1, 0)
	}
	return nil
}

func (w *World) addRobot(id fleet.RobotID, kind fleet.Kind, at maps.Position, dock int, permille int64) {
	f := w.o.Scenario.Fleet
	r := &robot{
		ID: id, Index: len(w.robots), Kind: kind, SpeedMMS: f.SpeedMMS, Home: at, At: at, HomeDock: dock,
		Since: w.kernel.Now(), Activity: fleet.Idle, Mode: fleet.Automatic, Dock: -1,
	}
	if kind == fleet.KindRobot {
		r.Capacity = f.CapacityWh * 1000
		r.Charge = r.Capacity * permille / 1000
	} else {
		r.SpeedMMS = 1400 // a person walking in a hurry
		r.Mode = fleet.Manual
	}
	w.byRobot[id] = r.Index
	w.robots = append(w.robots, r)
}

// dockSites spreads n docks over the merchants: each next one where the
// nearest dock is farthest (Gonzalez, "Clustering to minimize the maximum
// intercluster distance", 1985).
func (w *World) dockSites(n int) []maps.Position {
	var sites []maps.Position
	for i := range w.o.Network.Merchants {
		sites = append(sites, w.o.Network.Merchants[i].At)
	}
	if len(sites) == 0 {
		for i := range w.o.Network.Addresses {
			sites = append(sites, w.o.Network.Addresses[i].At)
		}
	}
	if len(sites) == 0 {
		return nil
	}
	points := make([]maps.Point, len(sites))
	far := make([]int64, len(sites))
	for i, s := range sites {
		points[i] = w.o.Network.PointAt(s)
		far[i] = int64(1) << 62
	}
	chosen := []int{int(w.o.Seed.Stream("docks", "first").N(0, int64(len(sites))))}
	for len(chosen) < min(n, len(sites)) {
		last := points[chosen[len(chosen)-1]]
		for i := range points {
			far[i] = min(far[i], maps.Distance(points[i], last))
		}
		chosen = append(chosen, slices.Index(far, slices.Max(far)))
	}
	slices.SortFunc(chosen, cmp.Compare)
	out := make([]maps.Position, len(chosen))
	for i, c := range chosen {
		out[i] = sites[c]
	}
	return out
}

// registerFleet tells Fleet of its docks and robots, and lets each report.
func (w *World) registerFleet(ctx context.Context) error {
	account := w.account()
	if err := w.p.Fleet.SaveAccount(ctx, fleet.Account{ID: account, Name: "Footway"}); err != nil {
		return err
	}
	for _, d := range w.docks {
		err := w.p.Fleet.SaveDock(ctx, fleet.Dock{ID: d.ID, Market: w.o.Market.ID, Position: d.Position, Slots: d.Slots, PowerMW: d.PowerMW})
		if err != nil {
			return err
		}
	}
	load := w.o.Scenario.Fleet.Load
	every := w.o.Scenario.World.Robots.TelemetryEvery
	for _, r := range w.robots {
		err := w.p.Fleet.Register(ctx, fleet.Robot{
			ID: r.ID, Market: w.o.Market.ID, Account: account, Kind: r.Kind,
			Capability:  fleet.Load{LengthMM: load.LengthMM, WidthMM: load.WidthMM, HeightMM: load.HeightMM, Grams: load.Grams},
			CapacityMWh: r.Capacity, SpeedMMS: r.SpeedMMS, Home: r.Home, State: fleet.Available,
		})
		if err != nil {
			return err
		}
		if err := w.telemetry(ctx, r); err != nil {
			return err
		}
		// Spread over the interval, as robots switched on at different moments would be.
		first := w.o.Seed.Stream("robot/"+string(r.ID), "telemetry").N(0, int64(every)) + 1
		w.kernel.Schedule(w.kernel.Now()+clock.Time(first), kernel.Event{Target: forRobot, Kind: robotTelemetry, A: int64(r.Index)})
	}
	return nil
}

// journalBegin writes what a reader of the log must know beforehand.
func (w *World) journalBegin() {
	b := runlog.Began{
		Scenario: w.o.Scenario.Name, Seed: uint64(w.o.Seed), Market: string(w.o.Market.ID), Network: w.o.Network.Name,
		TimeZone: w.o.Market.TimeZone, Settings: w.o.Settings,
	}
	for _, r := range w.robots {
		b.Robots = append(b.Robots, runlog.BeganRobot{ID: r.ID, Kind: r.Kind, Position: r.At, CapacityMWh: r.Capacity, ChargeMWh: r.Charge})
	}
	for _, d := range w.docks {
		b.Docks = append(b.Docks, runlog.BeganDock{ID: d.ID, Position: d.Position, Slots: d.Slots})
	}
	w.journal(runlog.RunBegan, w.o.Scenario.Name, b)
}

// point finds where a scenario means: a merchant's name, "lat,lon", or an address.
func (w *World) point(text string) (maps.Point, error) {
	place, _, err := w.place(text)
	if err != nil {
		return maps.Point{}, err
	}
	if place.Point != nil {
		return *place.Point, nil
	}
	m, err := maps.NewGeocoder(w.index).Geocode(place.Address)
	if fault.Is(err, fault.NotFound) {
		return maps.Point{}, fmt.Errorf("%q is neither a merchant nor an address of the map %q, nor 'lat,lon'", text, w.o.Network.Name)
	}
	return m.Point, err
}

// place turns the words of a scenario into a place, and names the store if it is one.
func (w *World) place(text string) (dispatch.Place, string, error) {
	for i := range w.o.Network.Merchants {
		if m := &w.o.Network.Merchants[i]; strings.EqualFold(m.Name, text) {
			p := m.Point
			return dispatch.Place{Point: &p}, m.Name, nil
		}
	}
	if p, ok, err := maps.ParsePoint(text); ok {
		return dispatch.Place{Point: &p}, "", err
	}
	return dispatch.Place{Address: text}, "", nil
}

// PIN returns the code of a delivery's exchange, fixed by the seed. It
// implements delivery.Secrets.
func (w *World) PIN(id, purpose string) string {
	return fmt.Sprintf("%04d", w.o.Seed.Stream("delivery/"+id, "pin/"+purpose).N(0, 10_000))
}
