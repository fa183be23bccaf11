package twin

import (
	"context"
	"fmt"
	"time"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/dispatch"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/market"

	"footway/core/task"
)

// Services is the core on memory stores.
type Services struct {
	Deliveries *delivery.Service
	Relay      *delivery.Relay
	Dispatch   *dispatch.Service
	Tasks      *task.Service
	Fleet      *fleet.Service
	Maps       *maps.Service
	//Merchants
}

// treeMemory holds a tree each way for every merchant of a city, and more.
const treeMemory = 160 << 20

// newServices makes the core on the world's time, links and journal. What keeps
// state is remembered, for checkpoints.
func (r *Run) newServices(ctx context.Context) (*Services, error) {
	w, set := r.world, r.o.Settings
	clk, timers, journal := w.Clock(), w.Timers(), w.Journal()

	robots, telemetry, accounts := memory.NewFleetStore(), memory.NewTelemetryStore(), memory.NewAccountStore()
	tasks, deliveries, cursors, ids := memory.NewTaskStore(), memory.NewDeliveryStore(), memory.NewCursors(), memory.NewIDs()
	networks := memory.NewMapStore()

	s := &Services{Relay: delivery.NewRelay(deliveries, w)}
	if err := networks.SaveNetwork(ctx, r.market.ID, r.o.Network); err != nil {
		return nil, err
	}
	loc, err := time.LoadLocation(r.market.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("market.time_zone: %w", err)
	}
	s.Maps = maps.NewService(networks, clk, timers, journal)
	if err := s.Maps.Open(ctx, r.market.ID, maps.OpenOptions{Profile: set.Maps, Location: loc, CacheBytes: treeMemory}); err != nil {
		return nil, err
	}
	s.Fleet = fleet.NewService(fleet.Deps{
		Store: robots, Telemetry: telemetry, Accounts: accounts, Link: w.Link(), Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) fleet.Settings { return set.Fleet },
	})
	s.Tasks = task.NewService(task.Deps{
		Store: tasks, Active: tasks, Link: w.Link(), Notifier: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) task.Settings { return set.Task },
	})
	s.Dispatch = dispatch.NewService(dispatch.Deps{
		Fleet: s.Fleet, Charging: s.Fleet, Places: s.Maps, Ways: s.Maps, Notifier: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) dispatch.Settings { return set.Dispatch },
		Charge:   func(market.ID) fleet.ChargeSettings { return set.Fleet.Charge },
	})
	s.Deliveries = delivery.NewService(delivery.Deps{
		Store: deliveries, Open: deliveries, Personal: deliveries, Cursors: cursors,
		Dispatcher: s.Dispatch, Decisions: s.Dispatch, Tasks: s.Tasks, TaskFeed: s.Tasks,
		IDs: ids, Secrets: w, Clock: clk, Timers: timers, Journal: journal,
		Settings: func(market.ID) delivery.Settings { return set.Delivery },
	})
	//s.Merchants = merchant.NewService(merchants, merchants)
	r.parts = []part{
		{"fleet.robots", robots}, {"fleet.telemetry", telemetry}, {"fleet.accounts", accounts}, {"tasks", tasks},
		{"deliveries", deliveries}, {"cursors", cursors}, {"ids", ids},
		{"maps.store", networks}, {"maps", s.Maps}, {"dispatch", s.Dispatch},
	}
	return s, nil
}
