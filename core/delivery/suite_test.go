package delivery_test

import (
	"testing"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/porttest"
	"footway/core/porttest/fake"
)

// TestCommands runs the suite that every wire runs too.
func TestCommands(t *testing.T) {
	porttest.Deliveries(t, func(t *testing.T) porttest.DeliveriesUnder {
		town := porttest.NewDeliveriesTown()
		s := delivery.NewService(town.Deps(memory.NewDeliveryStore(), memory.NewCursors(), &fake.Journal{}))
		return porttest.DeliveriesUnder{DeliveryCommands: s, Town: town, Pump: func() error { return s.Pump(t.Context(), porttest.Market) }}
	})
}
