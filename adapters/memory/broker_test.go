package memory_test

import (
	"context"
	"testing"

	"footway/adapters/memory"
	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest"
)

func TestBroker(t *testing.T) {
	porttest.Broker(t, func(*testing.T) porttest.BrokerPorts {
		b := memory.NewBroker(10_000)
		return porttest.BrokerPorts{Publisher: b, Consume: b.Consume, Dead: func(context.Context) ([]delivery.UpdateKey, error) {
			var keys []delivery.UpdateKey
			for _, u := range b.Dead() {
				keys = append(keys, u.Key())
			}
			return keys, nil
		}}
	})
}

func TestBrokerRefusesWhenFull(t *testing.T) {
	b := memory.NewBroker(1)
	u := []delivery.Update{
		{Delivery: "a", Sequence: 1, Kind: delivery.StateChanged, Market: "m", Partner: "p", ExternalID: "x", To: delivery.Quoted},
		{Delivery: "b", Sequence: 1, Kind: delivery.StateChanged, Market: "m", Partner: "p", ExternalID: "y", To: delivery.Quoted},
	}
	taken, err := b.Publish(t.Context(), u)
	if len(taken) != 2 || !taken[0] || taken[1] || !fault.Is(err, fault.Unavailable) {
		t.Errorf("Publish of two where one has room = %v, %v", taken, err)
	}
}
