package delivery_test

import (
	"context"
	"fmt"
	"testing"

	"footway/core/delivery"
	"footway/core/fault"
	"footway/core/porttest/fake"
)

func TestRelayHoldsOneDeliveryBack(t *testing.T) {
	ctx := context.Background()
	c := newCity(t, &fake.Losses{})
	for i := range 250 {
		id := delivery.ID(fmt.Sprintf("d%03d", i))
		d := delivery.Delivery{ID: id, Market: here, Partner: "dd", ExternalID: string(id)}
		if err := c.store.Create(ctx, d, delivery.Personal{}, delivery.Update{Delivery: id, Sequence: 1}, delivery.Update{Delivery: id, Sequence: 2}); err != nil {
			t.Fatal(err)
		}
	}
	p := &picky{refuse: func(u delivery.Update) bool { return u.Delivery < "d150" && u.Sequence == 1 }}
	relay := delivery.NewRelay(c.store, p)
	sent, err := relay.Pump(ctx)
	if sent != 200 || !fault.Is(err, fault.Unavailable) || len(p.sent) != 200 {
		t.Errorf("Pump = %d, %v, published %d; want the 200 updates of the other 100 deliveries", sent, err, len(p.sent))
	}
	p.refuse, p.sent = func(delivery.Update) bool { return false }, nil
	if sent, err := relay.Pump(ctx); sent != 300 || err != nil {
		t.Errorf("Pump = %d, %v; want the other 300", sent, err)
	}
	last := map[delivery.ID]uint64{}
	for _, u := range p.sent {
		if u.Sequence != last[u.Delivery]+1 {
			t.Errorf("%s/%d was published after %d", u.Delivery, u.Sequence, last[u.Delivery])
		}
		last[u.Delivery] = u.Sequence
	}
	if sent, err := relay.Pump(ctx); sent != 0 || err != nil {
		t.Errorf("Pump of an empty outbox = %d, %v", sent, err)
	}
}

type picky struct {
	refuse func(delivery.Update) bool
	sent   []delivery.Update
}

// Publish implements delivery.Publisher.
func (p *picky) Publish(_ context.Context, u delivery.Update) error {
	if p.refuse(u) {
		return fault.New("picky", fault.Unavailable, "", "not this one")
	}
	p.sent = append(p.sent, u)
	return nil
}
