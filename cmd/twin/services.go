package twin

import (
	"context"
	"fmt"
	"time"

	"footway/adapters/memory"
	"footway/cmd/stores"
	"footway/core/clock"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"
	"footway/core/merchant"
	"footway/core/task"
)

// Services is the core on the stores of a run.
type Services struct {
	Deliveries *delivery.Service
	Board      delivery.BoardStore
	Relay      *delivery.Relay
	Dispatch   *dispatch.Service
	Tasks      *task.Service
	Fleet      *fleet.Service
	Maps       *maps.Service
	Merchants  *merchant.Service
	Clock      clock.Clock
}

// treeMemory holds a tree each way for every merchant of a city, and more.
const treeMemory = 160 << 20

// newServices makes the core on the world's time, links and journal. What keeps
// state is remembered, for checkpoints.
func (r *Run) newServices(ctx context.Context) (*Services, error) {
	w, set := r.world, &r.settings
	clk, timers, journal := w.Clock(), w.Timers(), w.Journal()

	kept, ids := r.o.Stores, memory.NewIDs()
	if kept == nil {
		kept = stores.Memory()
	}
	var people delivery.Publisher = w
	if r.o.Broker != nil {
		people = r.o.Broker(w)
	}
	s := &Services{Board: kept.Deliveries, Relay: delivery.NewRelay(kept.Deliveries, people), Clock: clk}
	if err := kept.Maps.SaveNetwork(ctx, r.market.ID, r.o.Network); err != nil {
		return nil, err
	}
	loc, err := time.LoadLocation(r.market.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("market.time_zone: %w", err)
	}
	s.Maps = maps.NewService(kept.Maps, clk, timers, journal)
	open := func() error {
		return s.Maps.Open(ctx, r.market.ID, maps.OpenOptions{Profile: set.Maps, Location: loc, CacheBytes: treeMemory})
	}
	if err := open(); err != nil {
		return nil, err
	}
	s.Fleet = fleet.NewService(fleet.Deps{
		Store: kept.Robots, Telemetry: kept.Telemetry, Accounts: kept.Accounts, Link: w.Link(), Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) fleet.Settings { return set.Fleet },
	})
	s.Tasks = task.NewService(task.Deps{
		Store: kept.Tasks, Active: kept.Tasks, Link: w.Link(), Notifier: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) task.Settings { return set.Task },
	})
	s.Dispatch = dispatch.NewService(dispatch.Deps{
		Fleet: s.Fleet, Charging: s.Fleet, Places: s.Maps, Ways: s.Maps, Notifier: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) dispatch.Settings { return set.Dispatch },
		Charge:   func(market.ID) fleet.ChargeSettings { return set.Fleet.Charge },
	})
	s.Deliveries = delivery.NewService(delivery.Deps{
		Store: kept.Deliveries, Open: kept.Deliveries, Personal: kept.Deliveries, Cursors: kept.Cursors,
		Dispatcher: s.Dispatch, Decisions: s.Dispatch, Tasks: s.Tasks, TaskFeed: s.Tasks,
		IDs: ids, Secrets: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) delivery.Settings { return set.Delivery },
	})
	s.Merchants = merchant.NewService(kept.Merchants, kept.Merchants, clk)
	for _, n := range kept.Named() {
		r.keep(n.Name, n.Store)
	}
	r.keep("ids", ids)
	r.keep("maps", liveMaps{s.Maps, open})
	r.keep("dispatch", s.Dispatch)
	return s, nil
}

// keep remembers what a checkpoint must hold.
func (r *Run) keep(name string, store any) {
	kept, ok := store.(snapshotter)
	if !ok {
		r.elsewhere = append(r.elsewhere, name)
		return
	}
	r.parts = append(r.parts, part{name, kept})
}

// liveMaps restores the map service: it reads its store, which is restored
// before it, and then goes on where it was.
type liveMaps struct {
	*maps.Service
	open func() error
}

func (m liveMaps) Restore(snapshot []byte) error {
	if err := m.open(); err != nil {
		return err
	}
	return m.Service.Restore(snapshot)
}
