package restapi

import (
	"testing"

	"footway/core/porttest"
)

func TestDeliveriesConformance(t *testing.T) {
	porttest.Deliveries(t, func(t *testing.T) porttest.DeliveriesUnder {
		h := newHouse(t, nil)
		return porttest.DeliveriesUnder{DeliveryCommands: h.client(integrationsToken), Town: h.town, Pump: h.pump}
	})
}

func TestDispatchConformance(t *testing.T) {
	porttest.Dispatch(t, func(t *testing.T, town *porttest.DispatchTown) porttest.DispatchPorts {
		return dispatchClient(t, serveDispatch(t, town, nil, nil))
	})
}
