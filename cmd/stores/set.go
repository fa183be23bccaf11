// Package stores puts together where the services keep what they know: in
// memory, or in the databases, tables and the broker that a deployment file names.
package stores

import (
	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/fleet"
	"footway/core/maps"
	"footway/core/merchant"
	"footway/core/task"
)

// DeliveryStore is what one database offers Deliveries.
type DeliveryStore interface {
	delivery.Store
	delivery.OpenStore
	delivery.PersonalStore
	delivery.Outbox
	delivery.BoardStore
}

// TaskStore is what one table offers Task.
type TaskStore interface {
	task.Store
	task.ActiveStore
}

// MerchantStore is what one database offers the merchants' service.
type MerchantStore interface {
	merchant.BusinessStore
	merchant.StoreStore
}

// Set is a store for every port of the core that keeps something.
type Set struct {
	Deliveries DeliveryStore
	Cursors    delivery.Cursors
	Robots     fleet.Store
	Telemetry  fleet.TelemetryStore
	Accounts   fleet.AccountStore
	Tasks      TaskStore
	Maps       maps.Store
	Merchants  MerchantStore
}

// Memory returns an empty set in memory. Each store of it has Snapshot and Restore.
func Memory() *Set {
	return &Set{
		Deliveries: memory.NewDeliveryStore(), Cursors: memory.NewCursors(),
		Robots: memory.NewFleetStore(), Telemetry: memory.NewTelemetryStore(), Accounts: memory.NewAccountStore(),
		Tasks: memory.NewTaskStore(), Maps: memory.NewMapStore(), Merchants: memory.NewMerchantStore(),
	}
}

// Named is a store of a set with its name.
type Named struct {
	Name  string
	Store any
}

// Named returns the stores in an order in which they can be restored.
func (s *Set) Named() []Named {
	return []Named{
		{"fleet.robots", s.Robots},
		{"fleet.telemetry", s.Telemetry},
		{"fleet.accounts", s.Accounts},
		{"tasks", s.Tasks},
		{"deliveries", s.Deliveries},
		{"cursors", s.Cursors},
		{"merchants", s.Merchants},
		{"maps.store", s.Maps},
	}
}
